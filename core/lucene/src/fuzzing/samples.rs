//! Real files to damage: those of the committed shards that reading them depends on, one by one.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use snapfill_damage::{Program, Seal};

use crate::codec;
use crate::compound::{self, SegmentDirectory};
use crate::cursor::{Cursor, Endian};
use crate::directory::read_whole;
use crate::test_support::shards;
use crate::test_writer::{Index, Mode, string, vint};
use crate::{Commit, Directory, MemoryDirectory, ReadPosition, Result, Segment, SegmentCommit};

/// Larger shards would slow every execution down and hold no form that the smaller ones lack.
const LARGEST_SHARD: usize = 40_000;

/// Most bytes of a chunk's documents that are decompressed.
const CHUNK_BYTES: u64 = 16 << 20;

/// A file whose damage shows, in the segment it belongs to.
pub(super) struct Sample {
    segment: Arc<Whole>,
    /// Its name, also where it lies inside a compound file.
    pub(super) file: String,
    /// What it holds, its seal taken off.
    body: Bytes,
    seal: Seal,
    /// Name of the format of the segment's stored fields.
    pub(super) stored_format: &'static str,
}

/// An index, and one segment of it.
struct Whole {
    directory: MemoryDirectory,
    commit: SegmentCommit,
}

impl Sample {
    /// The index with this file changed as the program says.
    fn damaged(&self, program: &mut Program<'_>) -> Result<MemoryDirectory> {
        let mut data = self.body.to_vec();
        program.edit(&mut data);
        self.seal.close(&mut data);
        self.segment.with(&self.file, data)
    }

    /// Damages the file and reads what it then belongs to.
    pub(super) fn read_damaged(&self, program: &mut Program<'_>) -> Result<()> {
        let directory: Arc<dyn Directory> = Arc::new(self.damaged(program)?);
        if !self.file.starts_with("segments") {
            return read_segment(directory, &self.segment.commit);
        }
        for segment in Commit::open(&*directory)?.segments() {
            read_segment(Arc::clone(&directory), segment)?;
        }
        Ok(())
    }
}

impl Whole {
    /// The index with one file replaced, also where that lies inside a compound file.
    fn with(&self, file: &str, data: Vec<u8>) -> Result<MemoryDirectory> {
        let mut directory = self.directory.clone();
        if directory.get(file).is_some() {
            directory.insert(file, data);
            return Ok(directory);
        }
        let name = &self.commit.name;
        let (compound, entries) = (format!("{name}.cfs"), format!("{name}.cfe"));
        let mut packed = directory.get(&compound).map(|data| data.to_vec()).unwrap_or_default();
        let start = packed.len();
        packed.extend(data);
        let place = start as u64..packed.len() as u64;
        // The compound file's own footer, of which only the length matters.
        packed.extend([0; codec::FOOTER_BYTES]);
        let old = read_whole(&directory, &entries)?;
        let new = self.entries_with(&entries, &old, (file, place), packed.len() as u64)?;
        directory.insert(entries, new);
        directory.insert(compound, packed);
        Ok(directory)
    }

    /// A `.cfe` in which one file lies elsewhere.
    fn entries_with(
        &self,
        entries_file: &str,
        old: &[u8],
        (file, place): (&str, std::ops::Range<u64>),
        length: u64,
    ) -> Result<Vec<u8>> {
        let name = &self.commit.name;
        let id = self.commit.id.as_ref();
        let mut cursor = Cursor::new(entries_file, old);
        let header = codec::index_header(&mut cursor, id, "")?;
        let endian = match header.codec {
            "Lucene90CompoundEntries" => Endian::Little,
            _ => Endian::Big,
        };
        let mut entries = compound::parse(entries_file, old, name, id, length)?;
        entries.insert(file.to_owned(), place);
        let mut new = old[..cursor.position()].to_vec();
        vint(&mut new, entries.len() as u64);
        for (file, place) in entries {
            string(&mut new, file.trim_start_matches(name.as_str()));
            for number in [place.start, place.end - place.start] {
                match endian {
                    Endian::Big => new.extend(number.to_be_bytes()),
                    Endian::Little => new.extend(number.to_le_bytes()),
                }
            }
        }
        Seal::of(old).close(&mut new);
        Ok(new)
    }

    /// All files by their names, those inside a compound file too.
    fn files(&self) -> Vec<(String, Bytes)> {
        let outer: Arc<dyn Directory> = Arc::new(self.directory.clone());
        let id = self.commit.id.as_ref();
        let all = SegmentDirectory::compound(Arc::clone(&outer), &self.commit.name, id)
            .unwrap_or_else(|_| SegmentDirectory::plain(outer));
        let names = all.files().into_iter().filter(|name| !name.ends_with(".cfs"));
        names.map(|name| (name.clone(), read_whole(&all, &name).unwrap())).collect()
    }
}

/// Reads everything of a segment.
fn read_segment(directory: Arc<dyn Directory>, commit: &SegmentCommit) -> Result<()> {
    let segment = Segment::open(directory, commit)?;
    let _ = segment.chunk_start(segment.max_doc() / 2);
    let mut documents = segment.documents(ReadPosition::start())?;
    documents.limit_chunk_bytes(CHUNK_BYTES);
    while let Some(chunk) = documents.next_chunk()? {
        for document in chunk.documents() {
            document?;
        }
    }
    Ok(())
}

/// All samples. A file whose loss goes unnoticed is none: nobody reads it.
pub(super) fn samples() -> &'static [Sample] {
    static SAMPLES: OnceLock<Vec<Sample>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let real = shards().into_iter().map(|shard| shard.files());
        real.chain(written()).flat_map(of_index).collect()
    })
}

/// Indices of more chunks than the real ones have, in slices too, and in every compression.
fn written() -> Vec<Vec<(String, Vec<u8>)>> {
    let document = |n: usize| Some((n.to_string(), b"{\"n\":1} ".repeat(1 + n * n % 90)));
    let documents: Vec<_> = (0..30).map(document).collect();
    let modes = [
        Mode::Fast,
        Mode::High,
        Mode::Zstd,
        Mode::ZstdDict,
        Mode::ZstdBlocks,
        Mode::Lucene86,
        Mode::Lucene86High,
        Mode::Lucene50(1),
        Mode::Lucene50High(1),
    ];
    let index = |mode| {
        let mut index = Index::new(mode);
        (index.chunk_size, index.chunk_docs, index.shift) = (300, 8, 2);
        index.deleted = [3, 4, 20].into();
        index.soft_deleted = [0, 4, 29].into();
        index.write(&documents).0
    };
    modes.into_iter().map(index).collect()
}

fn of_index(files: Vec<(String, Vec<u8>)>) -> Vec<Sample> {
    if files.iter().map(|(_, data)| data.len()).sum::<usize>() > LARGEST_SHARD {
        return Vec::new();
    }
    let directory: MemoryDirectory =
        files.into_iter().map(|(name, data)| (name, data.into())).collect();
    let commit = Commit::open(&directory).unwrap();
    let segments = commit.segments().iter().take(2);
    let wholes = segments
        .map(|commit| Arc::new(Whole { directory: directory.clone(), commit: commit.clone() }));
    wholes.flat_map(|whole| of_segment(&whole)).collect()
}

fn of_segment(whole: &Arc<Whole>) -> Vec<Sample> {
    let directory: Arc<dyn Directory> = Arc::new(whole.directory.clone());
    let stored_format = Segment::open(directory, &whole.commit).unwrap().stored_format();
    let sample = |(file, data): (String, Bytes)| {
        let seal = Seal::of(&data);
        let body = data.slice_ref(seal.open(&data));
        Sample { segment: Arc::clone(whole), file, body, seal, stored_format }
    };
    let is_read = |sample: &Sample| {
        let lost = whole.with(&sample.file, Vec::new()).unwrap();
        let lost: Arc<dyn Directory> = Arc::new(lost);
        let read = match Commit::open(&*lost) {
            Ok(_) => read_segment(lost, &whole.commit),
            Err(error) => Err(error),
        };
        read.is_err()
    };
    whole.files().into_iter().map(sample).filter(is_read).collect()
}
