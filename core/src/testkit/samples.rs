//! Documents and progress to test with.

use std::sync::Arc;

use crate::cluster::{BulkBody, BulkOperation};
use crate::coordination::{Checkpoint, Progress, WorkItem};
use crate::{Books, DocumentBatch, DocumentBatchBuilder, DocumentRef};

/// A document without type and routing.
pub fn document<'a>(number: u32, id: &'a str, source: &'a [u8]) -> DocumentRef<'a> {
    DocumentRef { number, id, doc_type: None, routing: None, parent: None, source }
}

/// Documents `numbers`, with ids `d<number>` and small sources.
pub fn documents(numbers: std::ops::Range<u32>) -> DocumentBatch {
    let mut builder = DocumentBatchBuilder::default();
    for number in numbers {
        let id = format!("d{number}");
        let source = format!("{{\"n\":{number}}}");
        builder.push(document(number, &id, source.as_bytes()));
    }
    builder.finish()
}

/// A bulk request of `documents`.
pub fn bulk(index: &str, operation: BulkOperation, documents: DocumentBatch) -> BulkBody {
    BulkBody { index: Arc::from(index), operation, documents }
}

/// What a worker says that has written all documents of `item` below `next`.
pub fn progress(item: &WorkItem, next: u32) -> Progress {
    let written = u64::from(next.saturating_sub(item.first));
    Progress {
        checkpoint: Checkpoint { next, sent: next, ..Checkpoint::default() },
        books: Books { written, ..Books::default() },
        ..Progress::default()
    }
}
