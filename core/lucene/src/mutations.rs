//! Damages real shards in thousands of ways: reading them may fail, but neither panic nor run on.
//!
//! Half of the cases repair the checksums afterwards, so that the damage reaches the code behind them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::test_support::{File, shards};
use crate::{Commit, Directory, MemoryDirectory, ReadPosition, Result, Segment};

/// A small generator of pseudo-random numbers (xorshift), so that every run damages alike.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Reads every document of an index; gives their number.
fn read_all(files: &[File]) -> Result<usize> {
    let files = files.iter().map(|(name, data)| (name.clone(), data.clone().into()));
    let directory: Arc<dyn Directory> = Arc::new(files.collect::<MemoryDirectory>());
    let mut count = 0;
    for commit in Commit::open(&*directory)?.segments() {
        let segment = Segment::open(Arc::clone(&directory), commit)?;
        let _ = segment.chunk_start(segment.max_doc() / 2);
        let mut documents = segment.documents(ReadPosition::start())?;
        while let Some(chunk) = documents.next_chunk()? {
            for document in chunk.documents() {
                document?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Changes a few bytes of `range`: flips, extremes, runs; or cuts the file short.
fn damage(data: &mut Vec<u8>, (start, end): (usize, usize), random: &mut Random, cut: bool) {
    if cut && random.below(8) == 0 {
        data.truncate(random.below(data.len()));
        return;
    }
    for _ in 0..1 + random.below(3) {
        let at = start + random.below(end - start);
        let extremes = [0, 1, 0x7F, 0x80, 0xFE, 0xFF];
        let value = match random.below(3) {
            0 => data[at] ^ 1 << random.below(8),
            1 => extremes[random.below(extremes.len())],
            _ => random.next() as u8,
        };
        // A run makes lengths of several bytes extreme, too.
        let run = if random.below(4) == 0 { 8 } else { 1 };
        let last = end.min(at + run);
        data[at..last].fill(value);
    }
}

/// Makes the checksum of the file in `data` right again.
fn repair(data: &mut [u8]) {
    if data.len() >= 16 {
        let split = data.len() - 8;
        let crc = u64::from(crc32fast::hash(&data[..split]));
        data[split..].copy_from_slice(&crc.to_be_bytes());
    }
}

/// The files inside a `.cfs`: each begins with the magic of a header and ends with a footer.
fn inner_files(cfs: &[u8]) -> Vec<(usize, usize)> {
    let at = |magic: [u8; 4]| -> Vec<usize> {
        cfs.windows(4).enumerate().filter(|(_, bytes)| *bytes == magic).map(|(at, _)| at).collect()
    };
    let starts = at([0x3F, 0xD7, 0x6C, 0x17]);
    let ends = at([0xC0, 0x28, 0x93, 0xE8]);
    let pair = |start: &usize| Some((*start, ends.iter().find(|end| *end > start)? + 16));
    starts.iter().skip(1).filter_map(pair).collect()
}

/// Damages one file of the index, and repairs its checksum if wanted.
fn mutate(files: &mut [File], random: &mut Random, repaired: bool) -> String {
    let index = random.below(files.len());
    let (name, data) = &mut files[index];
    if data.is_empty() {
        return name.clone();
    }
    if repaired && name.ends_with(".cfs") {
        let inner = inner_files(data);
        let (start, end) = inner[random.below(inner.len())];
        damage(data, (start, end - 16), random, false);
        repair(&mut data[start..end]);
    } else if repaired {
        let end = data.len() - 16;
        damage(data, (0, end), random, false);
        repair(data);
    } else {
        let end = data.len();
        damage(data, (0, end), random, true);
    }
    name.clone()
}

#[test]
fn damaged_shards_are_errors_but_never_panics() {
    let originals: Vec<Vec<File>> = shards()
        .iter()
        .filter(|shard| !shard.name.contains("best") && !shard.name.contains("shapes"))
        .map(|shard| shard.files())
        .collect();
    let whole: Vec<usize> = originals.iter().map(|files| read_all(files).unwrap()).collect();
    let mut random = Random(0x5EED_0F5A_AF11_0001);
    let (mut failed, mut damaged_files) = (0, BTreeSet::new());
    for case in 0..6000 {
        let shard = random.below(originals.len());
        let mut files = originals[shard].clone();
        let name = mutate(&mut files, &mut random, case % 2 == 0);
        match read_all(&files) {
            Ok(count) => assert!(count <= whole[shard] || case % 2 == 0, "{name}"),
            Err(_) => failed += 1,
        }
        damaged_files.insert(name.rsplit('.').next().unwrap().to_owned());
    }
    // Damage to postings, norms and the like goes unseen, as nobody reads them.
    assert!(failed > 2000, "only {failed} cases were noticed");
    for kind in ["cfs", "cfe", "si", "fnm", "fdt", "fdx", "fdm", "dvm", "dvd", "liv"] {
        assert!(damaged_files.contains(kind), "{kind} was never damaged");
    }
}

#[test]
fn damage_to_what_is_read_never_passes_the_checksums() {
    let read = [".fdt", ".fdx", ".fdm", ".fnm", ".si", ".liv", ".cfe"];
    let mut random = Random(0x5EED_0F5A_AF11_0002);
    let mut cases = 0;
    for shard in shards().iter().filter(|shard| !shard.name.contains("shapes")) {
        let original = shard.files();
        for index in 0..original.len() {
            let name = &original[index].0;
            let stale = name.ends_with("_0.fnm");
            if stale || !(read.iter().any(|r| name.ends_with(r)) || name.starts_with("segments")) {
                continue;
            }
            for _ in 0..8 {
                let mut files = original.clone();
                let at = random.below(files[index].1.len());
                files[index].1[at] ^= 1 << random.below(8);
                assert!(read_all(&files).is_err(), "{} {name} byte {at}", shard.name);
                cases += 1;
            }
        }
    }
    assert!(cases > 500, "{cases}");
}
