//! Repositories made to do harm: each is refused within 64 MiB and a second of processor time, two
//! in the unoptimised build that tests use.

use std::process::Command;

use serde_json::json;
use snapfill_tests::hostile::{HostileRepository, SHARD, base64_of};
use snapfill_tests::lucene_writer::{self, Index, Mode, header, vint};

use crate::program::{Ended, SNAPFILL, path};

type File = (String, Vec<u8>);

/// What the program takes before it has read a thing, measured with `ulimit -v`: its text, its threads' stacks, the
/// allocator's reserve for each. The memory of a hostile file comes on top.
const PROGRAM_KIBIBYTES: u64 = 80 << 10;

/// Most memory for the repository.
const MEMORY_KIBIBYTES: u64 = 64 << 10;

/// Runs the program with two seconds of the processor, so much memory, and a runtime of two threads.
fn confined(words: &[&str]) -> Ended {
    let kibibytes = PROGRAM_KIBIBYTES + MEMORY_KIBIBYTES;
    let script = format!("ulimit -v {kibibytes}; ulimit -t 2; exec \"$@\"");
    let mut bash = Command::new("bash");
    bash.args(["-c", &script, "bash", SNAPFILL]).args(words);
    bash.env("TOKIO_WORKER_THREADS", "2").env("MALLOC_ARENA_MAX", "1");
    bash.output().unwrap().into()
}

/// Reads and verifies the repository; both must be refused, and say all of `parts`.
#[track_caller]
fn assert_refused(repository: &HostileRepository, parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    repository.write(folder.path());
    let folder = path(folder.path());
    for command in ["cat", "verify"] {
        let ended = confined(&["snapshot", command, &folder, "snap"]);
        ended.assert_calm();
        assert_ne!(ended.code, Some(0), "{command}: {ended:?}");
        assert!(ended.code.is_some(), "{command} was killed: {ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        for part in parts {
            assert!(said.contains(part), "{command}: no `{part}` in {said}");
        }
    }
}

/// A sound index of a few documents.
fn sound(mode: Mode, soft_deletes: bool) -> Vec<File> {
    let mut index = Index::new(mode);
    if soft_deletes {
        index.soft_deleted = (0..3).collect();
    }
    let document = |n: usize| Some((n.to_string(), br#"{"user":"anna"}"#.to_vec()));
    index.write(&(0..3).map(document).collect::<Vec<_>>()).0
}

/// Changes what a file holds before its footer.
fn change(files: &mut [File], name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let (_, data) = files.iter_mut().find(|(found, _)| found == name).unwrap();
    data.truncate(data.len() - 16);
    change(data);
    *data = lucene_writer::footer(std::mem::take(data));
}

/// Replaces the first occurrence.
fn replace(data: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    let at = data.windows(from.len()).position(|window| window == from).unwrap();
    data.splice(at..at + from.len(), to.iter().copied());
}

#[test]
fn what_is_sound_is_read_in_that_much_memory() {
    let folder = tempfile::tempdir().unwrap();
    HostileRepository::of(&sound(Mode::Fast, false)).write(folder.path());
    let ended = confined(&["snapshot", "cat", &path(folder.path()), "snap"]);
    assert_eq!(ended.ends_with(0).stdout.lines().count(), 3);
}

#[test]
fn two_billion_documents_in_a_few_bytes() {
    let claim = |files: &mut [File]| {
        change(files, "_0.si", |si| {
            let at = si.len() - 10;
            si[at..at + 4].copy_from_slice(&(i32::MAX - 128).to_le_bytes());
        });
    };
    // All of them deleted softly, which takes no bytes either.
    for soft_deletes in [false, true] {
        let mut files = sound(Mode::Fast, soft_deletes);
        claim(&mut files);
        assert_refused(&HostileRepository::of(&files), &["2147483519"]);
        // The chunk index agrees with the claim.
        let (fdm, fdx) = Index::new(Mode::Fast).index(
            (i32::MAX - 128) as usize,
            &[0, (i32::MAX - 128) as u64],
            &index_pointers(&files),
        );
        for (name, data) in [("_0.fdm", fdm), ("_0.fdx", fdx)] {
            change(&mut files, name, |file| *file = data);
        }
        let part = if soft_deletes { "soft deletions" } else { "_0.fdt" };
        assert_refused(&HostileRepository::of(&files), &[part]);
    }
    // One more than Lucene allows.
    let mut files = sound(Mode::Fast, false);
    change(&mut files, "_0.si", |si| {
        let at = si.len() - 10;
        si[at..at + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    });
    assert_refused(&HostileRepository::of(&files), &["_0.si", "2147483647 documents"]);
}

/// Where the one chunk of the stored fields begins and ends.
fn index_pointers(files: &[File]) -> [u64; 2] {
    let (_, fdt) = files.iter().find(|(name, _)| name == "_0.fdt").unwrap();
    [header("Lucene90StoredFieldsFastData", 1, "").len() as u64, fdt.len() as u64 - 16]
}

#[test]
fn two_billion_segments_files_or_fields_in_a_few_bytes() {
    let most = i32::MAX.to_be_bytes();
    let mut files = sound(Mode::Fast, false);
    change(&mut files, "segments_1", |data| replace(data, &[0, 0, 0, 1, 9, 12, 0], &most));
    assert_refused(&HostileRepository::of(&files), &["segments_1", "2147483647"]);

    let mut files = sound(Mode::Fast, false);
    change(&mut files, "_0.fnm", |data| {
        let at = header("Lucene94FieldInfos", 2, "").len();
        data.splice(at..=at, [0xFF, 0xFF, 0xFF, 0xFF, 7]);
    });
    assert_refused(&HostileRepository::of(&files), &["_0.fnm", "2147483647"]);

    // A field number that would make a table of all numbers below it.
    let mut files = sound(Mode::Fast, false);
    change(&mut files, "_0.fnm", |data| {
        replace(data, b"\x07_source\x01", b"\x07_source\xFF\xFF\xFF\xFF\x07");
    });
    assert_refused(&HostileRepository::of(&files), &["_0.fnm", "field number"]);
}

/// An index with one document whose chunk claims `bytes`, and has this unit.
fn claiming_chunk(mode: Mode, bytes: u64, unit: &[u8]) -> Vec<File> {
    let index = Index::new(mode);
    let mut files = index.write(&[Some(("a".to_owned(), b"{}".to_vec()))]).0;
    let fdt = &mut files.iter_mut().find(|(name, _)| name == "_0.fdt").unwrap().1;
    // First document, one document, two fields; then their bytes.
    let flags = if matches!(mode, Mode::Lucene86 | Mode::Lucene86High) { 2 } else { 4 };
    let start = fdt.windows(3).rposition(|window| window == [0, flags, 2]).unwrap();
    fdt.truncate(start + 3);
    vint(fdt, bytes);
    fdt.extend(unit);
    let end = fdt.len() as u64;
    if flags == 2 {
        fdt.extend([1, 1]);
    }
    *fdt = lucene_writer::footer(std::mem::take(fdt));
    let (fdm, fdx) = index.index(1, &[0, 1], &[start as u64, end]);
    for (name, data) in [("_0.fdm", fdm), ("_0.fdx", fdx)] {
        change(&mut files, name, |file| *file = data);
    }
    files
}

#[test]
fn a_chunk_of_two_gigabytes_in_a_few_bytes() {
    let bytes = i32::MAX as u64;
    let frame = zstd::bulk::compress(b"{}", 1).unwrap();
    let zstd = [vec![frame.len() as u8], frame].concat();
    // Dictionary of no bytes or of all of them, blocks of two gigabytes.
    let no_dictionary = [0, 0xFF, 0xFF, 0xFF, 0xFF, 7, 1, 1, 0, 0];
    let all_dictionary = [0xFF, 0xFF, 0xFF, 0xFF, 7, 1, 2, 0x10, b'a'];
    for (mode, unit) in [
        (Mode::Fast, &no_dictionary[..]),
        (Mode::Fast, &all_dictionary),
        (Mode::High, &no_dictionary),
        (Mode::High, &all_dictionary),
        (Mode::Zstd, &zstd),
        (Mode::Lucene86, &[0x1F, b'a', 1, 0, 0xFF]),
        (Mode::Lucene86High, &[2, 3, 0]),
    ] {
        let files = claiming_chunk(mode, bytes, unit);
        assert_refused(&HostileRepository::of(&files), &["_0.fdt", "offset: "]);
    }
}

#[test]
fn a_document_that_really_inflates_to_hundreds_of_megabytes() {
    for mode in [Mode::Fast, Mode::High, Mode::Zstd, Mode::ZstdBlocks, Mode::Lucene86High] {
        let files = Index::new(mode).write(&[Some(("a".to_owned(), vec![b' '; 300 << 20]))]).0;
        let repository = HostileRepository::of(&files);
        assert_refused(&repository, &["_0.fdt", "raise --max-document-bytes"]);
    }
}

#[test]
fn metadata_that_inflates_without_end() {
    let zeros = vec![b' '; 256 << 20];
    let deflated = [&b"DFL\0"[..], &lucene_writer::deflate(&zeros, &[])].concat();
    let zstd = [&b"ZSTD\0"[..], &zstd::bulk::compress(&zeros, 1).unwrap()].concat();
    drop(zeros);
    // A chunk of LZF: a blank, then copies of it to its end.
    let copies = [&[0, b' '][..], &[0xE0, 0xFF, 0].repeat(240)].concat();
    let length = 1 + 240 * 264;
    let mut chunk = b"ZV\x01".to_vec();
    chunk.extend((copies.len() as u16).to_be_bytes());
    chunk.extend((length as u16).to_be_bytes());
    chunk.extend(&copies);
    // 19 MB: unlike the others, LZF is our own code, which a test build does not optimise.
    let lzf = chunk.repeat(300);
    for (body, name) in [(deflated, "DEFLATE"), (zstd, "zstd"), (lzf, "LZF")] {
        let mut repository = HostileRepository::of(&sound(Mode::Fast, false));
        repository.put_manifest(&body);
        assert_refused(&repository, &[&format!("{SHARD}/snap-u.dat"), name, "grows past"]);
        let mut repository = HostileRepository::of(&sound(Mode::Fast, false));
        repository.put_metadata(&body);
        assert_refused(&repository, &["indices/i/meta-u.dat", name, "grows past"]);
    }
}

#[test]
fn metadata_that_is_nested_without_end() {
    let depth = 10_000;
    let arrays = "[".repeat(depth) + &"]".repeat(depth);
    let objects = "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
    for nested in [&arrays, &objects] {
        let mut repository = HostileRepository::of(&sound(Mode::Fast, false));
        repository.put("index-0", format!("{{\"snapshots\":{nested}}}").into_bytes());
        assert_refused(&repository, &["index-0", "not the JSON document"]);
        // A member that nobody asks for is passed over without recursion.
        repository.put("index-0", format!("{{\"other\":{nested}}}").into_bytes());
        assert_refused(&repository, &["the repository holds none"]);
        let mut repository = HostileRepository::of(&sound(Mode::Fast, false));
        repository.put_metadata(format!("{{\"logs\":{{\"mappings\":{nested}}}}}").as_bytes());
        assert_refused(&repository, &["meta-u.dat", "recursion"]);
    }
    // SMILE: arrays in arrays, and objects whose one member has the name `a`.
    for (open, close) in [(&[0xF8][..], 0xF9), (&[0xFA, 0x80, b'a'], 0xFB)] {
        let value = [open.repeat(depth), vec![0x21], vec![close; depth]].concat();
        let member = |name: &[u8], value: &[u8]| {
            [&[0xFA, 0x80 + name.len() as u8 - 1], name, value, &[0xFB]].concat()
        };
        let document = member(b"logs", &member(b"mappings", &value));
        let mut repository = HostileRepository::of(&sound(Mode::Fast, false));
        repository.put_metadata(&[&b":)\n\x00"[..], &document].concat());
        assert_refused(&repository, &["meta-u.dat", "SMILE"]);
    }
}

#[test]
fn a_list_of_files_that_claims_what_is_not_there() {
    let entry = |length: i64, part_size: i64| {
        json!({"name": "__0", "physical_name": "segments_1", "length": length, "checksum": "0",
            "part_size": part_size})
    };
    for (entry, part) in [
        (entry(i64::MAX, 1), "parts"),
        (entry(i64::MAX, i64::MAX), "segments_1"),
        (entry(1 << 40, 1 << 39), "segments_1"),
        (entry(-1, 1), "-1 bytes"),
        (entry(1 << 40, 0), "segments_1"),
        (
            json!({"name": "v__0", "physical_name": "segments_1", "length": 1_i64 << 40,
                "meta_hash": base64_of(b"short")}),
            "segments_1",
        ),
        (json!({"name": "../../x", "physical_name": "segments_1", "length": 1}), "no file name"),
    ] {
        let mut repository = HostileRepository::of(&sound(Mode::Fast, false));
        repository.put_entry(&entry);
        assert_refused(&repository, &[part]);
    }
    // More files than any shard has, in a blob of a few kilobytes.
    let files = "{\"name\":\"__0\",\"physical_name\":\"a\",\"length\":1},".repeat(1_200_000);
    let manifest = format!("{{\"files\":[{}]}}", files.trim_end_matches(','));
    let deflated = lucene_writer::deflate(manifest.as_bytes(), &[]);
    let mut repository = HostileRepository::of(&sound(Mode::Fast, false));
    repository.put_manifest(&[&b"DFL\0"[..], &deflated].concat());
    assert_refused(&repository, &["grows past"]);
}

#[test]
fn more_shards_than_any_index_has() {
    for shards in ["4000000000", "100001", "-1", "0", "many"] {
        let mut repository = HostileRepository::of(&sound(Mode::Fast, false));
        let metadata = json!({"logs": {"settings": {"index.number_of_shards": shards}}});
        repository.put_metadata(metadata.to_string().as_bytes());
        assert_refused(&repository, &["index.number_of_shards", shards]);
    }
}

#[test]
fn an_index_under_another_ones_name() {
    let mut repository = HostileRepository::of(&sound(Mode::Fast, false));
    let metadata = json!({"other": {"settings": {"index.number_of_shards": "1"}}});
    repository.put_metadata(metadata.to_string().as_bytes());
    assert_refused(&repository, &["`logs`", "`other`"]);
}
