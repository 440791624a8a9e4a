//! A stored document: its fields walked once, those that matter kept as borrowed bytes.

use std::borrow::Cow;

use super::id;
use crate::cursor::Cursor;
use crate::field_infos::FieldInfos;

/// A document of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument<'a> {
    /// Number of the document, counted from 0 within the segment.
    pub doc: u32,
    /// Whether it is to be read, and what it holds.
    pub state: DocumentState<'a>,
}

/// What a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentState<'a> {
    /// Deleted for good.
    Deleted,
    /// Replaced or deleted, and kept for the history only.
    SoftDeleted,
    /// Live, but without an id: a nested object, unless the index stores no ids (time series). The mapping, or
    /// [`Segment::has_nested_path_field`](crate::Segment::has_nested_path_field), tells which.
    Nested,
    /// Live, with an id.
    Root(RootDocument<'a>),
}

/// A document as the index's users know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootDocument<'a> {
    /// The id.
    pub id: Cow<'a, str>,
    /// The mapping type, for indices created before Elasticsearch 6.
    pub doc_type: Option<&'a str>,
    /// The routing value, where one was given.
    pub routing: Option<&'a str>,
    /// The parent as stored by Elasticsearch 1 and 2: `type#id`.
    pub parent: Option<&'a str>,
    /// The source, byte by byte as it was sent; `None` where the index keeps none.
    pub source: Option<&'a [u8]>,
    /// The original source, kept for replication where `source` is filtered or absent, until a merge drops it.
    pub recovery_source: Option<&'a [u8]>,
}

/// How numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberCoding {
    /// In four or eight bytes (Lucene 4).
    Fixed,
    /// In as few bytes as they take (Lucene 5 and later).
    Variable,
}

/// What a stored field is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldRole {
    Id,
    Uid,
    Source,
    RecoverySource,
    Routing,
    Parent,
    Other,
}

impl FieldRole {
    /// The role of the field of this name.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "_id" => Self::Id,
            "_uid" => Self::Uid,
            "_source" => Self::Source,
            "_recovery_source" => Self::RecoverySource,
            "_routing" => Self::Routing,
            "_parent" => Self::Parent,
            _ => Self::Other,
        }
    }
}

/// A stored string or byte string.
#[derive(Clone, Copy)]
enum Value<'a> {
    Text(&'a [u8]),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    fn raw(self) -> &'a [u8] {
        match self {
            Self::Text(raw) | Self::Bytes(raw) => raw,
        }
    }

    fn text(self, field: &str) -> Result<&'a str, String> {
        std::str::from_utf8(self.raw()).map_err(|_| format!("{field} is not UTF-8"))
    }
}

/// The fields that matter, as found.
#[derive(Default)]
struct Found<'a> {
    id: Option<Value<'a>>,
    uid: Option<Value<'a>>,
    source: Option<Value<'a>>,
    recovery_source: Option<Value<'a>>,
    routing: Option<Value<'a>>,
    parent: Option<Value<'a>>,
}

/// Reads a live document of `count` fields, which must take `data` exactly.
#[inline]
pub(crate) fn document<'a>(
    fields: &FieldInfos,
    coding: NumberCoding,
    count: u32,
    data: Option<&'a [u8]>,
) -> Result<DocumentState<'a>, String> {
    let data = data.ok_or("its bytes are missing")?;
    let found = walk(fields, coding, count, data)?;
    let (id, doc_type) = match (found.id, found.uid) {
        (Some(Value::Bytes(binary)), _) => (id::decode(binary)?, None),
        (Some(text), _) => (Cow::Borrowed(text.text("_id")?), None),
        (None, Some(uid)) => {
            let uid = uid.text("_uid")?;
            let (doc_type, id) = uid.split_once('#').ok_or("_uid without #")?;
            (Cow::Borrowed(id), Some(doc_type))
        }
        (None, None) => return Ok(DocumentState::Nested),
    };
    Ok(DocumentState::Root(RootDocument {
        id,
        doc_type,
        routing: found.routing.map(|value| value.text("_routing")).transpose()?,
        parent: found.parent.map(|value| value.text("_parent")).transpose()?,
        source: found.source.map(Value::raw),
        recovery_source: found.recovery_source.map(Value::raw),
    }))
}

#[inline]
fn walk<'a>(
    fields: &FieldInfos,
    coding: NumberCoding,
    count: u32,
    data: &'a [u8],
) -> Result<Found<'a>, String> {
    let mut cursor = Cursor::new("", data);
    let mut found = Found::default();
    for _ in 0..count {
        field(fields, coding, &mut cursor, &mut found).map_err(|error| match error {
            crate::Error::Corrupt { what, .. } => what,
            other => other.to_string(),
        })?;
    }
    match cursor.remaining() {
        0 => Ok(found),
        rest => Err(format!("{rest} bytes after its last field")),
    }
}

#[inline]
fn field<'a>(
    fields: &FieldInfos,
    coding: NumberCoding,
    cursor: &mut Cursor<'a>,
    found: &mut Found<'a>,
) -> crate::Result<()> {
    let head = cursor.vlong()?;
    let (number, kind) = (head >> 3, head & 7);
    let Some(role) = fields.role(number) else {
        return Err(cursor.corrupt(format!("there is no field number {number}")));
    };
    let value = match kind {
        0 => Value::Text(string(cursor)?),
        1 => Value::Bytes(string(cursor)?),
        _ if coding == NumberCoding::Fixed => return skip_fixed_number(cursor, kind),
        _ => return skip_number(cursor, kind),
    };
    let slot = match role {
        FieldRole::Id => &mut found.id,
        FieldRole::Uid => &mut found.uid,
        FieldRole::Source => &mut found.source,
        FieldRole::RecoverySource => &mut found.recovery_source,
        FieldRole::Routing => &mut found.routing,
        FieldRole::Parent => &mut found.parent,
        FieldRole::Other => return Ok(()),
    };
    if slot.replace(value).is_some() {
        return Err(cursor.corrupt(format!("its {role:?} is stored twice")));
    }
    Ok(())
}

#[inline]
fn string<'a>(cursor: &mut Cursor<'a>) -> crate::Result<&'a [u8]> {
    let length = cursor.vint()? as usize;
    cursor.bytes(length)
}

/// Passes over a number as Lucene 4 stores it.
fn skip_fixed_number(cursor: &mut Cursor<'_>, kind: u64) -> crate::Result<()> {
    match kind {
        2 | 3 => cursor.skip(4),
        4 | 5 => cursor.skip(8),
        other => Err(cursor.corrupt(format!("stored field of kind {other}"))),
    }
}

/// Passes over a number as Lucene 5.0 and later store it.
fn skip_number(cursor: &mut Cursor<'_>, kind: u64) -> crate::Result<()> {
    match kind {
        // int: zig-zag
        2 => cursor.vint_bits().map(drop),
        // float: small whole numbers in one byte, others in four, five where negative
        3 => match cursor.u8()? {
            0xFF => cursor.skip(4),
            byte if byte & 0x80 != 0 => Ok(()),
            _ => cursor.skip(3),
        },
        // long: three bits of time unit, five of value, more where flagged
        4 => {
            if cursor.u8()? & 0x20 != 0 {
                skip_long(cursor)?;
            }
            Ok(())
        }
        // double: small whole numbers in one byte, floats in five, others in eight, nine where negative
        5 => match cursor.u8()? {
            0xFF => cursor.skip(8),
            0xFE => cursor.skip(4),
            byte if byte & 0x80 != 0 => Ok(()),
            _ => cursor.skip(7),
        },
        other => Err(cursor.corrupt(format!("stored field of kind {other}"))),
    }
}

/// Passes over a variable-length integer of up to ten bytes.
fn skip_long(cursor: &mut Cursor<'_>) -> crate::Result<()> {
    for _ in 0..10 {
        if cursor.u8()? & 0x80 == 0 {
            return Ok(());
        }
    }
    Err(cursor.corrupt("number does not end"))
}
