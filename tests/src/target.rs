//! What stands in a local target.

use std::collections::BTreeMap;
use std::path::Path;

use snapfill::cluster::{ClusterClient, LocalCluster};

use crate::fixtures::Line;

/// Every document of a local target, sorted.
///
/// # Panics
/// When there is no target or it cannot be read.
pub async fn documents_of(target: &Path) -> Vec<Line> {
    match read(target).await {
        Ok(lines) => lines,
        Err(error) => panic!("cannot read the target {}: {error}", target.display()),
    }
}

/// How many documents each index of a local target has.
///
/// # Panics
/// When there is no target or it cannot be read.
pub async fn counts_of(target: &Path) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in documents_of(target).await {
        *counts.entry(line.index).or_default() += 1;
    }
    counts
}

async fn read(target: &Path) -> snapfill::Result<Vec<Line>> {
    let cluster = LocalCluster::open_existing(target)?;
    let mut lines = Vec::new();
    for row in cluster.cat_indices().await? {
        let mut scan = cluster.scan(&row.index).await?;
        while let Some(page) = scan.next_batch().await? {
            lines.extend(page.documents().map(|document| Line {
                index: row.index.clone(),
                doc_type: document.doc_type.map(|name| name.to_string()),
                id: document.id,
                routing: document.routing,
                parent: document.parent,
                source: Some(String::from_utf8_lossy(&document.source).into_owned()),
            }));
        }
    }
    lines.sort();
    Ok(lines)
}
