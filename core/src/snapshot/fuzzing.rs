//! Fuzz targets: every parser of a repository's blobs, given real ones that a few random edits have changed.
//!
//! The random bytes of an execution are a program in the edit language of `snapfill_damage`. Documents are edited as they
//! are inside their frame and compression, and framed again, so that the damage reaches the parser. Nothing may panic, and
//! no more memory may be held than the bound. `cargo xtask fuzz` runs the targets for minutes instead of moments.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use bytes::Bytes;
use snapfill_damage::{Program, Seal, Trial};

use super::catalogue::Catalogue;
use super::frame::tests::framed;
use super::frame::{decompress, framed_content, unframe};
use super::index_metadata::IndexMetadata;
use super::info::SnapshotInfo;
use super::layout::Layout;
use super::manifest::Manifest;
use super::xcontent::{AnyValue, decode};
use super::{lzf, remote_store, source, uncatalogued};
use crate::Error;

const EXECUTIONS: usize = 500;
const PROGRAM_BYTES: usize = 96;
const MEMORY: u64 = 64 << 20;

/// Larger blobs would slow every execution down.
const LARGEST: u64 = 12_000;

/// The metadata blobs of the tiny repositories and of one with a remote store, by their paths.
fn blobs() -> &'static BTreeMap<String, Bytes> {
    static BLOBS: OnceLock<BTreeMap<String, Bytes>> = OnceLock::new();
    BLOBS.get_or_init(|| {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
        let mut blobs = BTreeMap::new();
        for folder in ["tiny", "opensearch-2.19.6-shallow", "opensearch-2.19.6/repo"] {
            collect(&fixtures.join(folder), &mut blobs);
        }
        blobs
    })
}

fn collect(folder: &Path, blobs: &mut BTreeMap<String, Bytes>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, blobs);
        } else if entry.metadata().unwrap().len() <= LARGEST {
            blobs.insert(path.to_str().unwrap().to_owned(), std::fs::read(path).unwrap().into());
        }
    }
}

/// What is inside the frames of this codec, the way it is written in each version.
fn documents(codec: &str, wanted: impl Fn(&str) -> bool) -> Vec<Bytes> {
    let chosen = blobs().iter().filter(|(path, _)| wanted(path));
    let found: Vec<_> = chosen.filter_map(|(_, blob)| unframe(blob, codec).ok()).collect();
    assert!(!found.is_empty(), "no committed blob is one of these");
    found
}

fn is_shard_level(path: &str) -> bool {
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    folder.parse::<u32>().is_ok()
}

/// Hands the parser one of the originals, its seal kept, everything else as the program says.
fn run<T, E>(
    trial: &Trial,
    originals: &[Bytes],
    program: &[u8],
    parse: impl FnOnce(Vec<u8>) -> Result<T, E>,
) {
    let mut program = Program::new(program);
    let original = program.choose(originals);
    let seal = Seal::of(original);
    let mut data = seal.open(original).to_vec();
    program.edit(&mut data);
    seal.close(&mut data);
    trial.run(|| parse(data));
}

macro_rules! targets {
    ($($name:ident: $originals:expr, $parse:expr;)*) => {$(
        #[test]
        fn $name() {
            let (trial, originals) = (Trial::bounded(MEMORY), $originals);
            assert!(!originals.is_empty());
            bolero::check!()
                .with_iterations(EXECUTIONS)
                .with_max_len(PROGRAM_BYTES)
                .for_each(|program: &[u8]| run(&trial, &originals, program, $parse));
        }
    )*};
}

fn whole(wanted: impl Fn(&str) -> bool) -> Vec<Bytes> {
    let chosen = blobs().iter().filter(|(path, _)| wanted(path));
    chosen.map(|(_, blob)| blob.clone()).collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn all_documents() -> Vec<Bytes> {
    let codecs = ["snapshot", "index-metadata", "snapshots", "metadata"];
    codecs
        .into_iter()
        .flat_map(|codec| blobs().values().filter_map(move |blob| unframe(blob, codec).ok()))
        .collect()
}

const TEXT: &[u8] = br#"{"files":[{"name":"__0","physical_name":"_0.cfs","length":405}]}"#;

/// A document behind the mark of each compression.
fn compressed() -> Vec<Bytes> {
    let text = TEXT.repeat(20);
    let level = flate2::Compression::fast();
    let mut deflate = flate2::write::DeflateEncoder::new(b"DFL\0".to_vec(), level);
    deflate.write_all(&text).unwrap();
    let zstd = [&b"ZSTD\0"[..], &zstd::bulk::compress(&text, 1).unwrap()].concat();
    let forms = [deflate.finish().unwrap(), zstd, lzf::tests::compress(&text)];
    forms.into_iter().map(Bytes::from).collect()
}

/// A source in each form that documents were stored in.
fn sources() -> Vec<Bytes> {
    let json =
        b"{\"user\":\"anna\",\n \"n\":[1,2.5,-3e9,true,null], // more\n \"o\":{\"a\":\"\\u00e9\"}}";
    let yaml = b"---\nuser: \"anna\"\nn:\n- 1\n- 2.5\no:\n  a: true\n";
    let cbor =
        b"\xBF\x64user\x64anna\x61n\x9F\x01\xFB\x3F\xF8\0\0\0\0\0\0\x20\xFF\x61o\xA1\x61a\xF5\xFF";
    let smile =
        b":)\n\x05\xFA\x83user\x43anna\x80n\xF8\xC2\x24\x80\xC4\xF9\x80o\xFA\x80a\x23\xFB\xFB";
    let plain = [&json[..], yaml, cbor, smile].map(Bytes::copy_from_slice);
    plain.into_iter().chain(compressed()).collect()
}

targets! {
    fuzz_frame: whole(|path| path.ends_with(".dat")),
        |data| framed_content(&data.into(), "snapshot", 1..=1);
    fuzz_decompression: compressed(), |data| decompress(data.into());
    fuzz_lzf: compressed()[2..].to_vec(), |data| lzf::decompress(&data, 1 << 20);
    fuzz_smile: all_documents(), |data| decode::<AnyValue>(&data);
    fuzz_json: whole(|path| file_name(path).starts_with("index-") && !is_shard_level(path)),
        |data| decode::<AnyValue>(&data);
    fuzz_catalogue: whole(|path| file_name(path).starts_with("index-") && !is_shard_level(path)),
        |data| decode::<Catalogue>(&data).map(|catalogue| catalogue.snapshot("snap-1").is_ok());
    fuzz_snapshot_names: whole(|path| file_name(path) == "index"),
        |data| uncatalogued::names(&data.into());
    fuzz_snapshot_info: documents("snapshot", |path| !is_shard_level(path)),
        |data| decode::<BTreeMap<String, SnapshotInfo>>(&data).map(|info| {
            info.values().filter(|info| info.require_readable(false).is_ok()).count()
        });
    fuzz_index_metadata: documents("index-metadata", |path| path.contains("/indices/")),
        |data| {
            let metadata = IndexMetadata::parse(Layout::Framed, &framed("index-metadata", &data).into())?;
            metadata.missing_source_reason();
            metadata.has_nested_fields();
            metadata.require_readable()?;
            metadata.shards()
        };
    fuzz_shard_manifest: documents("snapshot", is_shard_level),
        |data| Manifest::parse(Layout::Framed, &framed("snapshot", &data).into());
    fuzz_remote_metadata: whole(|path| path.contains("/segments/metadata/")),
        |data| remote_store::manifest(&data.into(), 3);
    fuzz_source: sources(),
        |data| source::prepare(&data, 16 << 20).map(|prepared| {
            assert!(!prepared.line.contains(&b'\n'), "a source is one line");
        });
}

#[test]
fn the_originals_are_sound() {
    for blob in compressed() {
        assert!(decompress(blob).is_ok());
    }
    for (number, bytes) in sources().iter().enumerate() {
        let prepared = source::prepare(bytes, 16 << 20);
        assert!(prepared.is_ok(), "source {number}: {prepared:?}");
    }
    let manifest = |data: &Bytes| Manifest::parse(Layout::Framed, &framed("snapshot", data).into());
    for document in documents("snapshot", is_shard_level) {
        let read: Result<_, Error> = manifest(&document);
        assert!(read.is_ok(), "{read:?}");
    }
}
