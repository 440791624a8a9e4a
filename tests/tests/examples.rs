//! The examples in Rust do what they say.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use snapfill::controller::RunEnd;

#[allow(dead_code, reason = "its own `main` is not called")]
#[path = "../../examples/rust/export_to_ndjson.rs"]
mod export_to_ndjson;
#[allow(dead_code, reason = "its own `main` is not called")]
#[path = "../../examples/rust/fill_a_folder.rs"]
mod fill_a_folder;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/opensearch-3.8.0/repo");

#[tokio::test]
async fn a_folder_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().to_str().unwrap();
    let indices = ["shapes".to_owned()];
    let (end, books) = fill_a_folder::fill(REPOSITORY, "snap-2", target, &indices).await.unwrap();
    assert_eq!(end, RunEnd::Completed);
    assert_eq!((books.written, books.failed), (348, 0));
}

#[tokio::test]
async fn an_index_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routed.ndjson");
    let path = file.to_str().unwrap();
    let count = export_to_ndjson::export(REPOSITORY, "snap-2", "routed", path).await.unwrap();
    assert_eq!(count, 54);
    let lines = read(&file);
    assert_eq!(lines.len(), 108);
    assert!(lines.iter().step_by(2).all(|line| line["index"]["_index"] == "routed"));
    assert!(lines.iter().step_by(2).any(|line| line["index"]["routing"].is_string()));
}

fn read(file: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
