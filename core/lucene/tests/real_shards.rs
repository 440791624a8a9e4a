//! Reads the committed shards of real servers and compares every document with what the server returned.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test panics")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use snapfill_lucene::{
    Commit, Directory, DocumentState, Error, MemoryDirectory, ReadPosition, RootDocument, Segment,
};
use support::{File, Shard, shards};

fn memory(files: Vec<File>) -> Arc<dyn Directory> {
    let files = files.into_iter().map(|(name, data)| (name, data.into()));
    Arc::new(files.collect::<MemoryDirectory>())
}

fn segments(files: Vec<File>) -> Vec<Segment> {
    let directory = memory(files);
    let commit = Commit::open(&*directory).unwrap();
    let open = |commit| Segment::open(Arc::clone(&directory), commit).unwrap();
    commit.segments().iter().map(open).collect()
}

/// A document as the expectations have it.
fn describe(shard: &str, root: &RootDocument<'_>) -> String {
    let mut line = json!({"id": root.id});
    if let Some(doc_type) = root.doc_type.filter(|_| shard.contains("family")) {
        line["type"] = json!(doc_type);
    }
    if let Some(routing) = root.routing {
        line["routing"] = json!(routing);
    }
    if let Some(source) = root.source {
        line["length"] = json!(source.len());
        line["crc32"] = json!(crc32fast::hash(source));
    }
    line.to_string()
}

/// Reads everything from a position; gives number, kind and description of each document.
fn read(shard: &str, segment: &Segment, start: ReadPosition) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let mut documents = segment.documents(start).unwrap();
    while let Some(chunk) = documents.next_chunk().unwrap() {
        for document in chunk.documents() {
            let document = document.unwrap();
            let text = match document.state {
                DocumentState::Deleted => "deleted".to_owned(),
                DocumentState::SoftDeleted => "softly deleted".to_owned(),
                DocumentState::Nested => "nested".to_owned(),
                DocumentState::Root(root) => describe(shard, &root),
            };
            found.push((document.doc, text));
        }
    }
    found
}

fn multiset(lines: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut set = BTreeMap::new();
    lines.for_each(|line| *set.entry(line).or_default() += 1);
    set
}

fn expected(shard: &Shard) -> BTreeMap<String, usize> {
    let lines = shard.expected();
    multiset(lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap().to_string()))
}

#[test]
fn every_document_is_found_with_the_source_the_server_returned() {
    let mut formats = BTreeMap::new();
    for shard in shards() {
        let mut roots = Vec::new();
        for segment in segments(shard.files()) {
            let found = read(&shard.name, &segment, ReadPosition::start());
            let count = |kind: &str| found.iter().filter(|(_, text)| text == kind).count();
            assert!(found.iter().map(|(doc, _)| *doc).eq(0..segment.max_doc()), "{}", shard.name);
            assert_eq!(count("deleted"), segment.hard_deleted() as usize, "{}", shard.name);
            assert_eq!(count("softly deleted"), segment.soft_deleted() as usize, "{}", shard.name);
            let roots_here = found.into_iter().filter(|(_, text)| text.starts_with('{'));
            roots.extend(roots_here.map(|(_, text)| text));
            *formats.entry(segment.stored_format()).or_insert(0) += 1;
        }
        assert_eq!(multiset(roots.into_iter()), expected(&shard), "{}", shard.name);
    }
    // A folder gone missing must not make this test pass.
    let names: Vec<_> = formats.into_iter().collect();
    assert_eq!(
        names,
        [
            ("Lucene41StoredFieldsData", 9),
            ("Lucene50StoredFieldsFastData", 8),
            ("Lucene87StoredFieldsFastData", 18),
            ("Lucene87StoredFieldsHighData", 2),
            ("Lucene90StoredFieldsFastData", 33),
            ("Lucene90StoredFieldsHighData", 2),
            ("ZstdStoredFields814", 1),
        ]
    );
}

#[test]
fn the_time_series_index_shows_live_documents_without_id_and_no_nested_path() {
    let shard = shards().into_iter().find(|shard| shard.name == "elasticsearch-9.5.3/tsdb-0");
    let segment = segments(shard.unwrap().files()).remove(0);
    assert!(!segment.has_nested_path_field());
    let found = read("tsdb", &segment, ReadPosition::start());
    assert_eq!(found.len(), 30);
    assert!(found.iter().all(|(_, text)| text == "nested"));
}

#[test]
fn reading_resumes_at_any_document() {
    for shard in shards().iter().filter(|shard| !shard.name.contains("best")) {
        for segment in segments(shard.files()) {
            let whole = read(&shard.name, &segment, ReadPosition::start());
            for doc in (0..=segment.max_doc()).step_by(7).chain([segment.max_doc()]) {
                let rest = read(&shard.name, &segment, ReadPosition::at(doc));
                assert_eq!(rest, whole[doc as usize..], "{} from {doc}", shard.name);
            }
        }
    }
}

#[test]
fn a_checkpoint_inside_a_chunk_keeps_the_checksum() {
    for shard in shards().iter().filter(|shard| shard.name.contains("merged")) {
        let segment = segments(shard.files()).remove(0);
        let whole = read(&shard.name, &segment, ReadPosition::start());
        let mut documents = segment.documents(ReadPosition::start()).unwrap();
        let mut positions = Vec::new();
        while let Some(chunk) = documents.next_chunk().unwrap() {
            let before = chunk.position_before();
            positions.push(ReadPosition { doc: before.doc + 1, ..before });
            positions.push(chunk.position_after());
        }
        for position in positions {
            assert_eq!(position.crc_from, 0);
            let rest = read(&shard.name, &segment, position);
            assert_eq!(rest, whole[position.doc as usize..]);
            if let Some(crc) = position.crc {
                // A wrong checksum must be noticed at the end, or it was not kept at all.
                let wrong = ReadPosition { crc: Some(!crc), ..position };
                let mut documents = segment.documents(wrong).unwrap();
                let error = loop {
                    match documents.next_chunk() {
                        Ok(Some(_)) => {}
                        Ok(None) => panic!("the wrong checksum went unnoticed"),
                        Err(error) => break error,
                    }
                };
                assert!(matches!(error, Error::Corrupt { .. }), "{error}");
            }
        }
    }
}

#[test]
fn ranges_read_apart_join_to_the_checksum_of_the_file() {
    let mut cuts = 0;
    for shard in shards() {
        for segment in segments(shard.files()) {
            let middle = segment.chunk_start(segment.max_doc() - 1).unwrap();
            let ranges = [(0, middle), (middle, segment.max_doc())];
            let mut ends = Vec::new();
            for (start, end) in ranges {
                let mut documents = segment.documents(ReadPosition::at(start)).unwrap();
                documents.set_range_end(end);
                let mut position = None;
                while let Some(chunk) = documents.next_chunk().unwrap() {
                    position = Some(chunk.position_after());
                }
                ends.extend(position);
            }
            let last = ends.pop().unwrap();
            let whole = match ends.pop() {
                Some(first) => {
                    cuts += 1;
                    assert_eq!(first.doc, middle);
                    assert!(segment.verify_stored_checksum(first).is_err());
                    first.join(last).unwrap()
                }
                None => last,
            };
            segment.verify_stored_checksum(whole).unwrap();
            let wrong = ReadPosition { crc: whole.crc.map(|crc| crc ^ 1), ..whole };
            assert!(segment.verify_stored_checksum(wrong).is_err());
        }
    }
    assert!(cuts >= 10, "{cuts} segments had two chunks");
}

#[test]
fn a_position_that_is_no_chunk_is_refused() {
    let shard = &shards()[0];
    let segment = segments(shard.files()).remove(0);
    let off = ReadPosition { doc: 0, offset: 3, crc: Some(1), crc_from: 0 };
    let past = ReadPosition::at(segment.max_doc() + 1);
    for position in [off, past] {
        assert!(matches!(segment.documents(position), Err(Error::Position { .. })));
    }
}

#[test]
fn a_missing_file_is_named() {
    for suffix in [".si", ".cfe", ".cfs", ".fnm", ".liv", ".del", ".fdt", ".fdx", ".fdm", ".dvm"] {
        let mut met = 0;
        for shard in shards() {
            let mut files = shard.files();
            let Some(index) = files.iter().position(|(name, _)| name.ends_with(suffix)) else {
                continue;
            };
            let (missing, _) = files.remove(index);
            let directory = memory(files);
            let commit = Commit::open(&*directory).unwrap();
            let first_error = commit
                .segments()
                .iter()
                .find_map(|commit| Segment::open(Arc::clone(&directory), commit).err());
            // Doc values that hold no soft deletes are never asked for.
            if let Some(error) = first_error {
                met += 1;
                assert!(error.to_string().contains(&missing), "{}: {error}", shard.name);
            } else {
                assert_eq!(suffix, ".dvm", "{}", shard.name);
            }
        }
        assert!(met > 0, "{suffix}");
    }
}

#[test]
fn segments_are_shared_and_readers_sent_between_threads() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<Segment>();
    shared::<Commit>();
    shared::<Error>();
    sent::<snapfill_lucene::StoredDocuments>();
}
