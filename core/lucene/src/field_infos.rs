//! `.fnm`: names and numbers of the fields, and how their doc values are stored.

use std::collections::HashSet;

use crate::Result;
use crate::codec::{self, Id, base36};
use crate::cursor::{Cursor, Endian};
use crate::directory::Directory;
use crate::elasticsearch::FieldRole;
use crate::limits::MAX_FIELD_NUMBER;

const SOFT_DELETES: u8 = 0x08;
const NUMERIC: u8 = 1;

/// Fewest bytes of a field's entry in any format; what a claimed number of fields is held against.
const LEAST_ENTRY_BYTES: usize = 8;

/// The fields of a segment, as far as reading its documents takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldInfos {
    /// What each field number means; `None` for a number that no field has.
    roles: Vec<Option<FieldRole>>,
    /// Numbers of the fields with a skip index.
    skip_indexed: HashSet<u32>,
    /// Numbers of the fields whose binary doc values are compressed (Lucene 8.5 to 8.11).
    compressed_binary: HashSet<u32>,
    /// The field that marks softly deleted documents, if any document has it.
    soft_deletes: Option<SoftDeletesField>,
    /// Whether there is a field `_nested_path`.
    has_nested_path: bool,
}

/// Where the marks of softly deleted documents are stored.
#[derive(Clone, Debug)]
pub(crate) struct SoftDeletesField {
    /// Number of the field.
    pub(crate) number: u32,
    /// Generation of its doc values, if they were updated.
    pub(crate) generation: Option<u64>,
    /// Middle of the file names: format and suffix, such as `Lucene90_0`.
    pub(crate) file_suffix: String,
}

impl FieldInfos {
    /// What the stored field `number` means; `None` when there is no such field.
    #[inline]
    pub(crate) fn role(&self, number: u64) -> Option<FieldRole> {
        let number = usize::try_from(number).ok()?;
        self.roles.get(number).copied().flatten()
    }

    #[cfg(test)]
    pub(crate) fn named(names: &[&str]) -> Self {
        let roles = names.iter().map(|name| Some(FieldRole::of(name))).collect();
        Self { roles, ..Self::default() }
    }

    pub(crate) fn soft_deletes(&self) -> Option<&SoftDeletesField> {
        self.soft_deletes.as_ref()
    }

    pub(crate) fn has_nested_path(&self) -> bool {
        self.has_nested_path
    }

    pub(crate) fn has_skip_index(&self, number: u32) -> bool {
        self.skip_indexed.contains(&number)
    }

    pub(crate) fn has_compressed_binary(&self, number: u32) -> bool {
        self.compressed_binary.contains(&number)
    }
}

/// Reads and verifies the field infos of `segment`, of the given generation if it has one.
pub(crate) fn open(
    directory: &dyn Directory,
    segment: &str,
    generation: Option<u64>,
    id: Option<&Id>,
) -> Result<FieldInfos> {
    let suffix = generation.map_or_else(String::new, base36);
    let file = match generation {
        Some(_) => format!("{segment}_{suffix}.fnm"),
        None => format!("{segment}.fnm"),
    };
    let data = codec::read_verified(directory, &file)?;
    parse(&file, &data, id, &suffix)
}

/// What differs between the formats.
#[derive(Clone, Copy)]
struct Layout {
    /// How each entry begins and what it says of doc values.
    entry: Entry,
    /// Up to Lucene 5.0: attribute maps counted with an `i32`.
    wide_attributes: bool,
    /// `Lucene60FieldInfos` and later: dimensions of points; since its version 2 those indexed, too.
    points: Option<IndexedDimensions>,
    /// Bytes behind the vector dimension, where there is one.
    vector_bytes: Option<u64>,
    /// Whether a byte for the skip index follows the type of doc values.
    skip_index: bool,
}

#[derive(Clone, Copy)]
struct IndexedDimensions(bool);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// Lucene 4: one byte for the types of doc values and norms. There are no soft deletes to look for.
    Lucene4 {
        /// Since Lucene 4.6: whether the generation of doc values follows.
        generation: bool,
    },
    /// Lucene 5 and later: index options, type of doc values, generation of doc values.
    Lucene5,
}

fn layout(file: &str, header: codec::Header<'_>) -> Result<(Layout, Endian)> {
    let version = header.version;
    let plain = Layout {
        entry: Entry::Lucene5,
        wide_attributes: false,
        points: None,
        vector_bytes: None,
        skip_index: false,
    };
    let lucene4 = |generation| {
        let entry = Entry::Lucene4 { generation };
        Layout { entry, wide_attributes: true, ..plain }
    };
    let indexed = Some(IndexedDimensions(true));
    let (known, layout, endian) = match header.codec {
        "Lucene40FieldInfos" | "Lucene42FieldInfos" => (0..=0, lucene4(false), Endian::Big),
        "Lucene46FieldInfos" => (0..=2, lucene4(true), Endian::Big),
        "Lucene50FieldInfos" => {
            (0..=1, Layout { wide_attributes: version == 0, ..plain }, Endian::Big)
        }
        "Lucene60FieldInfos" => {
            let points = Some(IndexedDimensions(version >= 2));
            (0..=2, Layout { points, ..plain }, Endian::Big)
        }
        "Lucene90FieldInfos" => {
            (0..=0, Layout { points: indexed, vector_bytes: Some(1), ..plain }, Endian::Little)
        }
        "Lucene94FieldInfos" => {
            let skip_index = version >= 2;
            let layout = Layout { points: indexed, vector_bytes: Some(2), skip_index, ..plain };
            (0..=2, layout, Endian::Little)
        }
        _ => return Err(header.unknown(file)),
    };
    header.require_version(file, known)?;
    Ok((layout, endian))
}

fn parse(file: &str, data: &[u8], id: Option<&Id>, suffix: &str) -> Result<FieldInfos> {
    let mut cursor = codec::body(file, data);
    let header = codec::index_header(&mut cursor, id, suffix)?;
    let (layout, endian) = layout(file, header)?;
    cursor.set_endian(endian);
    let mut infos = FieldInfos::default();
    for _ in 0..cursor.count(false, LEAST_ENTRY_BYTES)? {
        field(&mut cursor, layout, &mut infos)?;
    }
    cursor.expect_end()?;
    Ok(infos)
}

fn field(cursor: &mut Cursor<'_>, layout: Layout, infos: &mut FieldInfos) -> Result<()> {
    let name = cursor.string()?;
    let number = cursor.vint()?;
    let bits = cursor.u8()?;
    if let Entry::Lucene4 { generation } = layout.entry {
        cursor.skip(if generation { 1 + 8 } else { 1 })?;
        cursor.map(layout.wide_attributes, |_, _| ())?;
        return add_role(cursor, infos, number, FieldRole::of(name));
    }
    cursor.skip(1)?; // index options
    let doc_values = cursor.u8()?;
    if layout.skip_index && cursor.u8()? != 0 {
        infos.skip_indexed.insert(number);
    }
    let generation = cursor.i64()?;
    let attributes = Attributes::read(cursor, layout.wide_attributes)?;
    if let Some(IndexedDimensions(indexed)) = layout.points
        && cursor.vint()? != 0
    {
        if indexed {
            cursor.vint()?;
        }
        cursor.vint()?;
    }
    if let Some(bytes) = layout.vector_bytes {
        cursor.vint()?;
        cursor.skip(bytes)?;
    }
    if attributes.compressed_binary {
        infos.compressed_binary.insert(number);
    }
    if bits & SOFT_DELETES != 0 && doc_values != 0 {
        if doc_values != NUMERIC || infos.soft_deletes.is_some() {
            return Err(cursor.corrupt(format!("{name} cannot be the soft-deletes field")));
        }
        let generation = u64::try_from(generation).ok();
        infos.soft_deletes = Some(attributes.soft_deletes(cursor, number, generation)?);
    }
    infos.has_nested_path |= name == "_nested_path";
    add_role(cursor, infos, number, FieldRole::of(name))
}

fn add_role(
    cursor: &Cursor<'_>,
    infos: &mut FieldInfos,
    number: u32,
    role: FieldRole,
) -> Result<()> {
    if number > MAX_FIELD_NUMBER {
        return Err(cursor.corrupt(format!("field number {number}")));
    }
    let index = number as usize;
    if index >= infos.roles.len() {
        infos.roles.resize(index.saturating_add(1), None);
    }
    match infos.roles.get_mut(index) {
        Some(slot @ None) => {
            *slot = Some(role);
            Ok(())
        }
        _ => Err(cursor.corrupt(format!("field number {number} is given twice"))),
    }
}

/// The attributes of a field that tell where its doc values are.
#[derive(Default)]
struct Attributes<'a> {
    format: Option<&'a str>,
    suffix: Option<&'a str>,
    compressed_binary: bool,
}

impl<'a> Attributes<'a> {
    fn read(cursor: &mut Cursor<'a>, wide: bool) -> Result<Self> {
        let mut attributes = Self::default();
        cursor.map(wide, |key, value| match key {
            "PerFieldDocValuesFormat.format" => attributes.format = Some(value),
            "PerFieldDocValuesFormat.suffix" => attributes.suffix = Some(value),
            "Lucene80DocValuesFormat.mode" => {
                attributes.compressed_binary = value == "BEST_COMPRESSION";
            }
            _ => {}
        })?;
        Ok(attributes)
    }

    fn soft_deletes(
        &self,
        cursor: &Cursor<'_>,
        number: u32,
        generation: Option<u64>,
    ) -> Result<SoftDeletesField> {
        let (Some(format), Some(suffix)) = (self.format, self.suffix) else {
            return Err(cursor.corrupt("the soft-deletes field names no doc-values format"));
        };
        // The two become part of a file name.
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !plain(format) || !plain(suffix) {
            return Err(cursor.unsupported(format!("doc-values format {format:?} {suffix:?}")));
        }
        Ok(SoftDeletesField { number, generation, file_suffix: format!("{format}_{suffix}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_writer::{ID, footer, header, string, vint};
    use crate::{Error, MemoryDirectory};

    /// One field as each format has it: `_source`, then one with points and vectors, then the soft deletes.
    fn write(codec: &str, version: u32) -> Vec<u8> {
        let mut out = header(codec, version, "");
        let little = codec.starts_with("Lucene9");
        vint(&mut out, 3);
        for (number, name, bits, doc_values) in
            [(7, "_source", 0, 0), (300, "point", 0, 0), (8, "__soft_deletes", 8, 1)]
        {
            string(&mut out, name);
            vint(&mut out, number);
            out.extend([bits, 0, doc_values]);
            if codec == "Lucene94FieldInfos" && version >= 2 {
                out.push(u8::from(name == "point"));
            }
            let generation = if doc_values == 0 { -1_i64 } else { 5 };
            out.extend(if little { generation.to_le_bytes() } else { generation.to_be_bytes() });
            let attributes = [
                ("PerFieldDocValuesFormat.format", "Lucene90"),
                ("PerFieldDocValuesFormat.suffix", "0"),
            ];
            let attributes = if doc_values == 0 { &[][..] } else { &attributes[..] };
            if codec == "Lucene50FieldInfos" && version == 0 {
                out.extend((attributes.len() as u32).to_be_bytes());
            } else {
                vint(&mut out, attributes.len() as u64);
            }
            for (key, value) in attributes {
                string(&mut out, key);
                string(&mut out, value);
            }
            let points = name == "point";
            match (codec, version) {
                ("Lucene50FieldInfos", _) => {}
                ("Lucene60FieldInfos", 0 | 1) if points => out.extend([2, 8]),
                (_, _) if points => out.extend([2, 1, 8]),
                _ => out.push(0),
            }
            match codec {
                "Lucene90FieldInfos" => out.extend([if points { 3 } else { 0 }, 0]),
                "Lucene94FieldInfos" => out.extend([if points { 3 } else { 0 }, 0, 0]),
                _ => {}
            }
        }
        footer(out)
    }

    fn read(data: Vec<u8>) -> Result<FieldInfos> {
        let mut directory = MemoryDirectory::new();
        directory.insert("_0.fnm", data);
        open(&directory, "_0", None, Some(&ID))
    }

    #[test]
    fn every_version_of_every_format() {
        let versions = [
            ("Lucene50FieldInfos", 0..=1),
            ("Lucene60FieldInfos", 0..=2),
            ("Lucene90FieldInfos", 0..=0),
            ("Lucene94FieldInfos", 0..=2),
        ];
        for (codec, known) in versions {
            let next = known.end() + 1;
            for version in known {
                let infos = read(write(codec, version)).unwrap();
                assert_eq!(infos.role(7), Some(FieldRole::Source), "{codec} {version}");
                assert_eq!(infos.role(300), Some(FieldRole::Other), "{codec} {version}");
                assert_eq!(infos.role(9), None, "{codec} {version}");
                let field = infos.soft_deletes().unwrap();
                assert_eq!((field.number, field.generation), (8, Some(5)), "{codec} {version}");
                assert_eq!(field.file_suffix, "Lucene90_0");
                let skip_indexed = codec == "Lucene94FieldInfos" && version == 2;
                assert_eq!(infos.has_skip_index(300), skip_indexed, "{codec} {version}");
            }
            let error = read(write(codec, next)).unwrap_err();
            assert!(matches!(error, Error::Unsupported { .. }), "{codec} {next}: {error}");
        }
        let error = read(write("Lucene99FieldInfos", 0)).unwrap_err().to_string();
        assert!(error.contains("Lucene99FieldInfos"), "{error}");
    }

    #[test]
    fn a_doc_values_format_that_is_no_name_never_becomes_a_path() {
        let mut data = write("Lucene94FieldInfos", 2);
        let at = data.windows(8).position(|bytes| bytes == b"Lucene90").unwrap();
        data[at..at + 8].copy_from_slice(b"../etc/x");
        data.truncate(data.len() - 16);
        assert!(matches!(read(footer(data)), Err(Error::Unsupported { .. })));
    }
}
