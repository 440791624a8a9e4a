//! SMILE and JSON, the two forms in which servers write their metadata, into typed values.

use std::fmt;

use base64::Engine;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Number, Value};

use crate::{Error, ErrorKind, Result};

/// Decodes a document, whichever of the two forms it has.
pub(crate) fn decode<T: DeserializeOwned>(document: &[u8]) -> Result<T> {
    let decoded = if document.starts_with(b":)\n") {
        serde_smile::from_slice(document).map_err(|error| ("SMILE", error.to_string()))
    } else {
        serde_json::from_slice(document).map_err(|error| ("JSON", error.to_string()))
    };
    decoded.map_err(|(form, error)| {
        Error::new(
            ErrorKind::Corrupt,
            format!("not the {form} document that was expected: {error}"),
        )
    })
}

/// A JSON value read from either form; SMILE's byte strings become base64 text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AnyValue(pub(crate) Value);

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor).map(Self)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::String(base64::engine::general_purpose::STANDARD.encode(value)))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(AnyValue(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, AnyValue(value))) = access.next_entry::<String, AnyValue>()? {
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

/// For `#[serde(deserialize_with)]`: bytes in SMILE, base64 text in JSON.
pub(crate) fn bytes_or_base64<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<u8>, D::Error> {
    struct BytesVisitor;

    impl Visitor<'_> for BytesVisitor {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes, or base64 text")
        }

        fn visit_bytes<E>(self, value: &[u8]) -> Result<Vec<u8>, E> {
            Ok(value.to_vec())
        }

        fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(value)
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<Vec<u8>, E> {
            base64::engine::general_purpose::STANDARD.decode(value).map_err(E::custom)
        }
    }

    deserializer.deserialize_any(BytesVisitor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Hash {
        #[serde(deserialize_with = "bytes_or_base64")]
        meta_hash: Vec<u8>,
    }

    #[test]
    fn bytes_are_read_from_both_forms() {
        #[derive(serde::Serialize)]
        struct Raw<'a> {
            #[serde(with = "serde_bytes")]
            meta_hash: &'a [u8],
        }
        let smile = serde_smile::to_vec(&Raw { meta_hash: b"\x3f\xd7" }).unwrap();
        let expected = Hash { meta_hash: vec![0x3f, 0xd7] };
        assert_eq!(decode::<Hash>(&smile).unwrap(), expected);
        assert_eq!(decode::<Hash>(br#"{"meta_hash":"P9c="}"#).unwrap(), expected);
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert!(decode::<AnyValue>("[".repeat(10_000).as_bytes()).is_err());
        let mut smile = b":)\n\x01".to_vec();
        smile.extend([0xF8; 10_000]);
        assert!(decode::<AnyValue>(&smile).is_err());
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,80}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(".{0,20}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_survives_both_forms(value in json()) {
            prop_assert_eq!(&decode::<AnyValue>(&serde_smile::to_vec(&value).unwrap()).unwrap().0, &value);
            prop_assert_eq!(&decode::<AnyValue>(&serde_json::to_vec(&value).unwrap()).unwrap().0, &value);
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode::<AnyValue>(&bytes);
            bytes.splice(0..0, *b":)\n\x05");
            let _ = decode::<AnyValue>(&bytes);
        }
    }
}
