//! `segments_N`: the commit, which names the segments (formats 0 to 10, Lucene 4.0 to 10.5).

use crate::codec::{self, FOOTER_BYTES, Id, base36};
use crate::cursor::Cursor;
use crate::directory::{Directory, read_whole};
use crate::limits::MAX_SEGMENTS;
use crate::{Error, Result};

/// Fewest bytes of one segment's entry in any format; what a claimed number of segments is held against.
const LEAST_SEGMENT_BYTES: usize = 16;

/// A commit: the segments an index consists of.
#[derive(Clone, Debug)]
pub struct Commit {
    file: String,
    lucene: Option<[u32; 3]>,
    segments: Vec<SegmentCommit>,
}

/// What a commit says of one segment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SegmentCommit {
    /// Name of the segment, and the beginning of its files' names: `_` and a number in base 36.
    pub name: String,
    /// The id all files of the segment carry; `None` before Lucene 5.0.
    pub id: Option<[u8; 16]>,
    /// Name of the codec that wrote the segment. Informative: readers are chosen by the files' own headers.
    pub codec: String,
    /// Generation of the deletions file, if any document was deleted for good.
    pub del_gen: Option<u64>,
    /// Number of deleted documents, the softly deleted ones not included.
    pub del_count: u32,
    /// Number of softly deleted documents; `None` where the format does not record it (before Lucene 7.4).
    pub soft_del_count: Option<u32>,
    /// Generation of the field infos, if they were written anew after the segment.
    pub field_infos_gen: Option<u64>,
    /// Newest generation of doc values, if any were updated after the segment was written.
    pub doc_values_gen: Option<u64>,
}

impl Commit {
    /// Reads the newest commit of an index and verifies its checksum.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when there is no commit or it is damaged, [`Error::Unsupported`] for a format newer
    /// than 10 or older than Lucene 4.0, [`Error::Source`] when it cannot be read.
    pub fn open(directory: &dyn Directory) -> Result<Self> {
        let newest = directory
            .files()
            .into_iter()
            .filter_map(|file| Some((generation(&file)?, file)))
            .max()
            .ok_or_else(|| Error::corrupt("segments_N", None, "the index has no commit"))?;
        let (generation, file) = newest;
        let data = read_whole(directory, &file)?;
        parse(&file, generation, &data)
    }

    /// The segments, in the order in which their documents are numbered.
    #[must_use]
    pub fn segments(&self) -> &[SegmentCommit] {
        &self.segments
    }

    /// Name of the commit's file, `segments_` and its generation.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Version of Lucene that wrote the commit; not recorded before Lucene 5.3.
    #[must_use]
    pub fn lucene_version(&self) -> Option<[u32; 3]> {
        self.lucene
    }
}

/// The generation a commit's file name carries.
fn generation(file: &str) -> Option<u64> {
    let digits = file.strip_prefix("segments_")?;
    let canonical = digits.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if canonical { u64::from_str_radix(digits, 36).ok() } else { None }
}

/// Reads the bytes of `segments_N`.
fn parse(file: &str, generation: u64, data: &[u8]) -> Result<Commit> {
    let mut cursor = Cursor::new(file, data);
    let header = codec::header(&mut cursor).map_err(|error| before_lucene_4(file, data, error))?;
    if header.codec != "segments" {
        return Err(header.unknown(file));
    }
    header.require_version(file, 0..=10)?;
    let format = header.version;
    let mut cursor = verified_body(file, format, data, &cursor)?;
    if format >= 4 {
        let (_, suffix) = codec::id_and_suffix(&mut cursor)?;
        if suffix != base36(generation) {
            return Err(cursor.corrupt(format!("commit {suffix:?} under another one's name")));
        }
    }
    let lucene = if format >= 6 { Some(version(&mut cursor)?) } else { None };
    if format >= 7 {
        cursor.vint()?;
    }
    cursor.i64()?;
    if format >= 8 {
        cursor.vlong().map(drop)?
    } else {
        cursor.i32().map(drop)?
    }
    let count = segment_count(&mut cursor)?;
    if format >= 6 && count > 0 {
        version(&mut cursor)?;
    }
    let mut segments = Vec::with_capacity(count);
    for _ in 0..count {
        segments.push(segment(&mut cursor, format)?);
    }
    cursor.map(format < 5, |_, _| ())?;
    cursor.expect_end()?;
    Ok(Commit { file: file.to_owned(), lucene, segments })
}

/// Lucene 3 began its commits with a small negative number instead of the magic.
fn before_lucene_4(file: &str, data: &[u8], error: Error) -> Error {
    if data.first() == Some(&0xFF) {
        return Error::unsupported(file, "an index from before Lucene 4.0");
    }
    error
}

/// Verifies the checksum and gives a cursor that stands where `after_header` does and ends before it.
fn verified_body<'a>(
    file: &'a str,
    format: u32,
    data: &'a [u8],
    after_header: &Cursor<'_>,
) -> Result<Cursor<'a>> {
    let footer = if format >= 2 { FOOTER_BYTES } else { 8 };
    let end = data.len().saturating_sub(footer);
    let (body, checksum) = data.split_at_checked(end).unwrap_or_default();
    if format >= 2 {
        codec::verify(file, data)?;
    } else if checksum != u64::from(crc32fast::hash(body)).to_be_bytes() {
        return Err(Error::corrupt(file, None, "the checksum differs from the recorded one"));
    }
    let mut cursor = Cursor::new(file, body);
    cursor.skip(after_header.position() as u64)?;
    Ok(cursor)
}

fn version(cursor: &mut Cursor<'_>) -> Result<[u32; 3]> {
    Ok([cursor.vint()?, cursor.vint()?, cursor.vint()?])
}

fn segment_count(cursor: &mut Cursor<'_>) -> Result<usize> {
    let count = cursor.count(true, LEAST_SEGMENT_BYTES)?;
    if count > MAX_SEGMENTS as usize {
        return Err(cursor.corrupt(format!("{count} segments are more than any index has")));
    }
    Ok(count)
}

fn segment(cursor: &mut Cursor<'_>, format: u32) -> Result<SegmentCommit> {
    let name = cursor.string()?;
    check_name(cursor, name)?;
    let id = segment_id(cursor, format)?;
    let codec = cursor.string()?.to_owned();
    let del_gen = optional_generation(cursor)?;
    let del_count = cursor.non_negative_i32()?;
    let field_infos_gen = if format >= 1 { optional_generation(cursor)? } else { None };
    let doc_values_gen = if format >= 3 { optional_generation(cursor)? } else { None };
    let soft_del_count = if format >= 9 { Some(cursor.non_negative_i32()?) } else { None };
    if format >= 10 {
        skip_commit_id(cursor)?;
    }
    skip_update_files(cursor, format)?;
    Ok(SegmentCommit {
        name: name.to_owned(),
        id,
        codec,
        del_gen,
        del_count,
        soft_del_count,
        field_infos_gen,
        doc_values_gen,
    })
}

/// Segment names become file names, so nothing but Lucene's own pattern may pass.
fn check_name(cursor: &Cursor<'_>, name: &str) -> Result<()> {
    let digits = name.strip_prefix('_').unwrap_or_default();
    let valid = !digits.is_empty()
        && digits.len() <= 13
        && digits.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if valid { Ok(()) } else { Err(cursor.corrupt(format!("{name:?} is no segment name"))) }
}

fn segment_id(cursor: &mut Cursor<'_>, format: u32) -> Result<Option<Id>> {
    match format {
        0..=3 => Ok(None),
        4..=6 => match cursor.u8()? {
            1 => Ok(Some(cursor.array()?)),
            other => Err(cursor.corrupt(format!("segment without id (mark {other})"))),
        },
        _ => Ok(Some(cursor.array()?)),
    }
}

fn skip_commit_id(cursor: &mut Cursor<'_>) -> Result<()> {
    match cursor.u8()? {
        0 => Ok(()),
        1 => cursor.skip(16),
        other => Err(cursor.corrupt(format!("mark {other} before the commit id"))),
    }
}

fn optional_generation(cursor: &mut Cursor<'_>) -> Result<Option<u64>> {
    match cursor.i64()? {
        -1 => Ok(None),
        generation => u64::try_from(generation)
            .map(Some)
            .map_err(|_| cursor.corrupt(format!("generation {generation}"))),
    }
}

/// Passes over the names of the files that updates have written: they follow from the generations.
fn skip_update_files(cursor: &mut Cursor<'_>, format: u32) -> Result<()> {
    let wide = format < 5;
    match format {
        0 => Ok(()),
        1 | 2 => {
            for _ in 0..cursor.count(true, 12)? {
                cursor.skip(8)?;
                cursor.set(true)?;
            }
            Ok(())
        }
        _ => {
            cursor.set(wide)?;
            for _ in 0..cursor.count(true, 5)? {
                cursor.skip(4)?;
                cursor.set(wide)?;
            }
            Ok(())
        }
    }
}
