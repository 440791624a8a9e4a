//! How fast documents are decoded, beside the bare decompressors over the same bytes.
//!
//! Repeat with `cargo bench -p snapfill-lucene` on an otherwise idle machine. First come the ratios, from runs that
//! alternate so that both sides see the same machine; criterion's own figures follow. Bytes are those of the
//! sources, time is of one core. `cargo bench -p snapfill-lucene -- --ratios` stops after the ratios.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures time and may fail loudly"
)]

#[path = "../tests/support/writer.rs"]
mod writer;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use flate2::{Decompress, FlushDecompress};
use snapfill_lucene::{Commit, Directory, DocumentState, MemoryDirectory, ReadPosition, Segment};
use writer::{Index, Mode, Unit};

const DOCUMENTS: usize = 20_000;
const SMALL_DOCUMENTS: usize = 300_000;
const RUNS: usize = 15;

/// The bare decompressors, made once as a reader would.
struct Decoders {
    inflate: Decompress,
    zstd: zstd::bulk::Decompressor<'static>,
}

impl Decoders {
    fn new() -> Self {
        let zstd = zstd::bulk::Decompressor::new().unwrap();
        Self { inflate: Decompress::new(false), zstd }
    }
}

/// A segment to be decoded, and its units to be decompressed.
struct Corpus {
    name: &'static str,
    mode: Mode,
    segment: Segment,
    units: Vec<Unit>,
    documents: usize,
    source_bytes: u64,
}

impl Corpus {
    fn new(name: &'static str, mode: Mode, count: usize, length: usize) -> Self {
        let mut random = 0x5EED_u64;
        let document = |number| (format!("doc-{number}"), json(number, length, &mut random));
        let documents: Vec<_> = (0..count).map(document).map(Some).collect();
        let source_bytes = documents.iter().flatten().map(|(_, source)| source.len() as u64).sum();
        let (files, units) = Index::new(mode).write(&documents);
        let files = files.into_iter().map(|(name, data)| (name, data.into()));
        let directory: Arc<dyn Directory> = Arc::new(files.collect::<MemoryDirectory>());
        let commit = Commit::open(&*directory).unwrap();
        let segment = Segment::open(directory, &commit.segments()[0]).unwrap();
        Self { name, mode, segment, units, documents: count, source_bytes }
    }

    /// Every document through the public interface; gives the bytes of all sources.
    fn whole(&self) -> u64 {
        let mut total = 0;
        let mut reader = self.segment.documents(ReadPosition::start()).unwrap();
        while let Some(chunk) = reader.next_chunk().unwrap() {
            for document in chunk.documents() {
                if let DocumentState::Root(root) = document.unwrap().state {
                    total += black_box(root).source.map_or(0, <[u8]>::len) as u64;
                }
            }
        }
        assert_eq!(total, self.source_bytes);
        total
    }

    /// The same units through the decompressor alone, into one buffer.
    fn bare(&self, buffer: &mut Vec<u8>, decoders: &mut Decoders) {
        for unit in &self.units {
            let blocks = std::iter::once((&unit.dictionary.0, unit.dictionary.1))
                .filter(|(_, length)| *length > 0)
                .chain(unit.blocks.iter().map(|(data, length)| (data, *length)));
            let mut written = 0;
            for (data, length) in blocks {
                if buffer.len() < written + length {
                    buffer.resize(written + length, 0);
                }
                let (before, out) = buffer.split_at_mut(written);
                let dictionary = &before[..unit.dictionary.1.min(written)];
                decompress(self.mode, decoders, data, dictionary, &mut out[..length]);
                written += length;
            }
            black_box(&buffer[..written]);
        }
    }
}

fn decompress(mode: Mode, decoders: &mut Decoders, data: &[u8], dictionary: &[u8], out: &mut [u8]) {
    match mode {
        Mode::Fast | Mode::Lucene86 if dictionary.is_empty() => {
            lz4_flex::block::decompress_into(data, out).unwrap();
        }
        Mode::Fast | Mode::Lucene86 => {
            lz4_flex::block::decompress_into_with_dict(data, out, dictionary).unwrap();
        }
        Mode::High | Mode::Lucene86High => {
            let inflate = &mut decoders.inflate;
            inflate.reset(false);
            if !dictionary.is_empty() {
                inflate.set_dictionary(dictionary).unwrap();
            }
            inflate.decompress(data, out, FlushDecompress::Finish).unwrap();
        }
        Mode::Zstd => {
            decoders.zstd.decompress_to_buffer(data, out).unwrap();
        }
        other => panic!("{other:?} is not measured"),
    }
}

/// A JSON document of about `length` bytes: words that follow a rough power law, numbers, a date.
fn json(number: usize, length: usize, random: &mut u64) -> Vec<u8> {
    let mut next = || {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        *random
    };
    let mut text =
        format!("{{\"n\":{number},\"at\":\"2024-05-{:02}\",\"body\":\"", next() % 28 + 1);
    while text.len() + 12 < length {
        let rank = 1 << (next() % 14);
        let word = (next() % rank).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        for shift in 0..2 + word % 4 {
            let syllables = ["ra", "ne", "to", "mi", "sul", "ka", "ber", "o", "ting", "pla"];
            text.push_str(syllables[(word >> (3 * shift)) as usize % syllables.len()]);
        }
        text.push(' ');
    }
    text.push_str("\"}");
    text.into_bytes()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Prints both sides of each corpus and their ratio.
fn ratios(corpora: &[Corpus]) {
    println!("decode beside the bare decompressor, MB/s of source: minimum time, median time");
    for corpus in corpora {
        let (mut buffer, mut decoders) = (Vec::new(), Decoders::new());
        let (mut whole, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let start = Instant::now();
            corpus.bare(&mut buffer, &mut decoders);
            bare.push(start.elapsed());
            let start = Instant::now();
            black_box(corpus.whole());
            whole.push(start.elapsed());
        }
        let middle = [median(&mut bare), median(&mut whole)];
        let least = [bare[0], whole[0]];
        let speed = |time: Duration| corpus.source_bytes as f64 / 1e6 / time.as_secs_f64();
        let ratio = |[bare, whole]: [Duration; 2]| bare.as_secs_f64() / whole.as_secs_f64();
        println!(
            "{:24} bare {:6.0} {:6.0}   decode {:6.0} {:6.0}   ratio {:.2} {:.2}   {:9.0} documents/s, stored at {:.2}",
            corpus.name,
            speed(least[0]),
            speed(middle[0]),
            speed(least[1]),
            speed(middle[1]),
            ratio(least),
            ratio(middle),
            corpus.documents as f64 / middle[1].as_secs_f64(),
            corpus.segment.stored_bytes() as f64 / corpus.source_bytes as f64,
        );
    }
}

fn main() {
    let corpora = [
        Corpus::new("lz4, 2.4 KB", Mode::Fast, DOCUMENTS, 2400),
        Corpus::new("deflate, 2.4 KB", Mode::High, DOCUMENTS, 2400),
        Corpus::new("zstd, 2.4 KB", Mode::Zstd, DOCUMENTS, 2400),
        Corpus::new("lz4, 120 B", Mode::Fast, SMALL_DOCUMENTS, 120),
        Corpus::new("deflate, 120 B", Mode::High, SMALL_DOCUMENTS, 120),
    ];
    ratios(&corpora);
    if std::env::args().any(|argument| argument == "--ratios") {
        return;
    }
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    for corpus in &corpora {
        let mut group = criterion.benchmark_group(corpus.name);
        group.throughput(Throughput::Bytes(corpus.source_bytes));
        group.bench_function("decode", |bencher| bencher.iter(|| corpus.whole()));
        let (mut buffer, mut decoders) = (Vec::new(), Decoders::new());
        group.bench_function("bare", |bencher| {
            bencher.iter(|| corpus.bare(&mut buffer, &mut decoders));
        });
        group.finish();
    }
    criterion.final_summary();
}
