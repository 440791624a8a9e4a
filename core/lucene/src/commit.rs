//! `segments_N`: the commit, which names the segments (formats 0 to 10, Lucene 4.0 to 10.5).

use crate::codec::{self, FOOTER_BYTES, Id, base36};
use crate::cursor::Cursor;
use crate::directory::{Directory, read_whole};
use crate::limits::{MAX_SEGMENT_NAME_DIGITS, MAX_SEGMENTS};
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
    /// The id all files of the segment carry; `None` for segments of Lucene 4.
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

    /// Name of the file of the commit of a generation.
    ///
    /// ```
    /// # use snapfill_lucene::Commit;
    /// let names = [0, 5, 35, 36, 71].map(Commit::file_name);
    /// assert_eq!(names, ["segments_0", "segments_5", "segments_z", "segments_10", "segments_1z"]);
    /// ```
    #[must_use]
    pub fn file_name(generation: u64) -> String {
        format!("segments_{}", base36(generation))
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
        && digits.len() <= MAX_SEGMENT_NAME_DIGITS
        && digits.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if valid { Ok(()) } else { Err(cursor.corrupt(format!("{name:?} is no segment name"))) }
}

fn segment_id(cursor: &mut Cursor<'_>, format: u32) -> Result<Option<Id>> {
    match format {
        0..=3 => Ok(None),
        // A segment of Lucene 4 in an index that Lucene 5 goes on writing has none.
        4..=6 => match cursor.u8()? {
            0 => Ok(None),
            1 => Ok(Some(cursor.array()?)),
            other => Err(cursor.corrupt(format!("mark {other} before the segment's id"))),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryDirectory;
    use crate::test_writer::{ID, footer, header, string, vint};

    /// A commit of two segments as each format has it, with files of updates where it lists them.
    fn write(format: u32, names: [&str; 2]) -> Vec<u8> {
        let mut out = header("segments", format, "1z");
        if format < 4 {
            out.truncate(out.len() - 19);
        }
        if format >= 6 {
            out.extend([9, 9, 0]);
        }
        if format >= 7 {
            out.push(9);
        }
        out.extend([0; 8]);
        if format >= 8 {
            out.push(2)
        } else {
            out.extend([0; 4])
        }
        out.extend(2_u32.to_be_bytes());
        if format >= 6 {
            out.extend([8, 7, 0]);
        }
        for name in names {
            segment(&mut out, format, name);
        }
        map(&mut out, format < 5, &["key", "value"], 2);
        if format >= 2 {
            return footer(out);
        }
        let crc = u64::from(crc32fast::hash(&out));
        out.extend(crc.to_be_bytes());
        out
    }

    fn segment(out: &mut Vec<u8>, format: u32, name: &str) {
        string(out, name);
        if (4..=6).contains(&format) {
            out.push(1);
        }
        if format >= 4 {
            out.extend(ID);
        }
        string(out, "Lucene87");
        out.extend(3_i64.to_be_bytes());
        out.extend(5_u32.to_be_bytes());
        if format >= 1 {
            out.extend(36_i64.to_be_bytes());
        }
        if format >= 3 {
            out.extend((-1_i64).to_be_bytes());
        }
        if format >= 9 {
            out.extend(7_u32.to_be_bytes());
        }
        if format >= 10 {
            out.push(1);
            out.extend([0xCC; 16]);
        }
        match format {
            0 => {}
            1 | 2 => {
                out.extend(1_u32.to_be_bytes());
                out.extend([0; 8]);
                map(out, true, &["_0_1.dvd"], 1);
            }
            _ => {
                map(out, format < 5, &["_0_10.fnm"], 1);
                out.extend(1_u32.to_be_bytes());
                out.extend([0, 0, 0, 9]);
                map(out, format < 5, &["_0_10.dvd", "_0_10.dvm"], 1);
            }
        }
    }

    /// A set of strings, or a map as pairs of them.
    fn map(out: &mut Vec<u8>, wide: bool, texts: &[&str], group: usize) {
        let count = texts.len() / group;
        if wide {
            out.extend((count as u32).to_be_bytes())
        } else {
            vint(out, count as u64)
        }
        texts.iter().for_each(|text| string(out, text));
    }

    fn read(file: &str, data: Vec<u8>) -> Result<Commit> {
        let mut directory = MemoryDirectory::new();
        directory.insert("segments_1y", b"older, and never looked at".to_vec());
        directory.insert("segments.gen", Vec::new());
        directory.insert(file, data);
        Commit::open(&directory)
    }

    #[test]
    fn every_format() {
        for format in 0..=10 {
            let commit = read("segments_1z", write(format, ["_0", "_zz1"])).unwrap();
            assert_eq!(commit.file(), "segments_1z");
            assert_eq!(commit.lucene_version(), (format >= 6).then_some([9, 9, 0]));
            let names: Vec<_> = commit.segments().iter().map(|s| s.name.as_str()).collect();
            assert_eq!(names, ["_0", "_zz1"], "format {format}");
            for segment in commit.segments() {
                assert_eq!(segment.id, (format >= 4).then_some(ID), "format {format}");
                assert_eq!((segment.del_gen, segment.del_count), (Some(3), 5), "format {format}");
                assert_eq!(segment.field_infos_gen, (format >= 1).then_some(36));
                assert_eq!(segment.doc_values_gen, None);
                assert_eq!(segment.soft_del_count, (format >= 9).then_some(7));
            }
        }
        let error = read("segments_1z", write(11, ["_0", "_1"])).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    }

    #[test]
    fn a_name_that_could_be_a_path_is_refused() {
        for name in ["_0/../x", "..", "", "_", "_A", "_0.si"] {
            let error = read("segments_1z", write(10, [name, "_1"])).unwrap_err().to_string();
            assert!(error.contains("no segment name"), "{error}");
        }
    }

    #[test]
    fn a_commit_under_another_ones_name_is_refused() {
        assert!(read("segments_20", write(10, ["_0", "_1"])).is_err());
    }

    #[test]
    fn no_commit_at_all_is_an_error_and_an_older_lucene_unsupported() {
        assert!(Commit::open(&MemoryDirectory::new()).is_err());
        let error = read("segments_1z", vec![0xFF, 0xFF, 0xFF, 0xF5, 0, 0]).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    }
}
