//! Prints the documents of a Lucene index directory, one JSON object a line, the source as a string.
//!
//! `cargo run --release -p snapfill-lucene --example dump -- DIRECTORY`
#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use snapfill_lucene::{
    Commit, Directory, DocumentState, ReadPosition, RootDocument, Segment, SourceError,
};

/// The files of a folder.
struct Folder {
    files: HashMap<String, (std::fs::File, u64)>,
}

impl Folder {
    fn open(path: &Path) -> std::io::Result<Self> {
        let mut files = HashMap::new();
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            let file = std::fs::File::open(entry.path())?;
            let length = file.metadata()?.len();
            files.insert(entry.file_name().to_string_lossy().into_owned(), (file, length));
        }
        Ok(Self { files })
    }
}

impl Directory for Folder {
    fn files(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn length(&self, file: &str) -> Option<u64> {
        self.files.get(file).map(|(_, length)| *length)
    }

    fn read(&self, file: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let (file, _) = self.files.get(file).ok_or("no such file")?;
        let mut data = vec![0; usize::try_from(range.end.saturating_sub(range.start))?];
        file.read_exact_at(&mut data, range.start)?;
        Ok(data.into())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: dump DIRECTORY")?;
    let directory: Arc<dyn Directory> = Arc::new(Folder::open(Path::new(&path))?);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for commit in Commit::open(&*directory)?.segments() {
        let segment = Segment::open(Arc::clone(&directory), commit)?;
        let mut documents = segment.documents(ReadPosition::start())?;
        while let Some(chunk) = documents.next_chunk()? {
            for document in chunk.documents() {
                if let DocumentState::Root(root) = document?.state {
                    writeln!(out, "{}", json(&root))?;
                }
            }
        }
        report(&segment);
    }
    out.flush()?;
    Ok(())
}

/// One line about a segment, apart from the documents.
fn report(segment: &Segment) {
    let line = format!(
        "{} {:?} {}: {} documents, {} deleted, {} softly, {} chunks, {} bytes, nested path: {}\n",
        segment.name(),
        segment.lucene_version(),
        segment.stored_format(),
        segment.max_doc(),
        segment.hard_deleted(),
        segment.soft_deleted(),
        segment.chunk_count(),
        segment.stored_bytes(),
        segment.has_nested_path_field(),
    );
    // Nobody to tell if standard error is gone.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn json(root: &RootDocument<'_>) -> String {
    let text = |bytes: &[u8]| string(&String::from_utf8_lossy(bytes));
    let fields = [
        ("_id", Some(string(&root.id))),
        ("_type", root.doc_type.map(string)),
        ("_routing", root.routing.map(string)),
        ("_parent", root.parent.map(string)),
        ("_source", root.source.map(text)),
        ("_recovery_source", root.recovery_source.map(text)),
    ];
    let fields: Vec<String> = fields
        .into_iter()
        .filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// A JSON string.
fn string(text: &str) -> String {
    let mut json = String::from('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\0'..='\x1f' => json.push_str(&format!("\\u{:04x}", u32::from(character))),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}
