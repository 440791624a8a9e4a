//! SMILE to JSON.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_bytes::ByteBuf;

use super::json::JsonText;

/// How the SMILE reader names the parts of numbers that Rust has no type for.
const BIG_INTEGER: &str = "\0SmileBigIntegerField";
const DECIMAL_SCALE: &str = "\0SmileBigDecimalScale";
const DECIMAL_VALUE: &str = "\0SmileBigDecimalValue";

pub(super) fn to_json(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut json = JsonText::default();
    let mut reader = serde_smile::Deserializer::from_slice(bytes);
    ValueSeed { json: &mut json, must_be_object: true }
        .deserialize(&mut reader)
        .map_err(explain)?;
    reader.end().map_err(explain)?;
    Ok(json.finish())
}

fn explain(error: impl fmt::Display) -> String {
    format!("SMILE: {error}")
}

/// Writes the value that it is given.
struct ValueSeed<'a> {
    json: &'a mut JsonText,
    must_be_object: bool,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.must_be_object {
            deserializer.deserialize_any(ObjectOnly(self.json))
        } else {
            deserializer.deserialize_any(ValueVisitor(self.json))
        }
    }
}

/// A document is an object; anything else is no document.
struct ObjectOnly<'a>(&'a mut JsonText);

impl<'de> Visitor<'de> for ObjectOnly<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<(), A::Error> {
        ValueVisitor(self.0).visit_map(access)
    }
}

struct ValueVisitor<'a>(&'a mut JsonText);

macro_rules! plain_values {
    ($($visit:ident: $type:ty;)*) => {$(
        fn $visit<E>(self, value: $type) -> Result<(), E> {
            self.0.value(&value);
            Ok(())
        }
    )*};
}

impl<'de> Visitor<'de> for ValueVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    plain_values! {
        visit_bool: bool;
        visit_i32: i32;
        visit_i64: i64;
        visit_u64: u64;
    }

    fn visit_i128<E>(self, value: i128) -> Result<(), E> {
        self.0.raw(&value.to_string());
        Ok(())
    }

    fn visit_u128<E>(self, value: u128) -> Result<(), E> {
        self.0.raw(&value.to_string());
        Ok(())
    }

    fn visit_f32<E>(self, value: f32) -> Result<(), E> {
        self.0.float(value);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.0.double(value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.0.text(value);
        Ok(())
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<(), E> {
        self.0.bytes(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.raw("null");
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.0.raw("null");
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut separator = "";
        self.0.raw("[");
        loop {
            // That there is no further item is known only when it is asked for.
            let end = self.0.len();
            self.0.raw(separator);
            let seed = ValueSeed { json: self.0, must_be_object: false };
            if access.next_element_seed(seed)?.is_none() {
                self.0.truncate(end);
                self.0.raw("]");
                return Ok(());
            }
            separator = ",";
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut separator = "{";
        while let Some(name) = access.next_key::<String>()? {
            if separator == "{" && name == BIG_INTEGER {
                let bytes: ByteBuf = access.next_value()?;
                return self.0.big_integer(&bytes).map_err(A::Error::custom);
            }
            if separator == "{" && name == DECIMAL_SCALE {
                return decimal(self.0, &mut access);
            }
            self.0.raw(separator);
            self.0.text(&name);
            self.0.raw(":");
            access.next_value_seed(ValueSeed { json: self.0, must_be_object: false })?;
            separator = ",";
        }
        self.0.raw(if separator == "{" { "{}" } else { "}" });
        Ok(())
    }
}

fn decimal<'de, A: MapAccess<'de>>(json: &mut JsonText, access: &mut A) -> Result<(), A::Error> {
    let scale: i32 = access.next_value()?;
    match access.next_key::<String>()?.as_deref() {
        Some(DECIMAL_VALUE) => {
            let unscaled: ByteBuf = access.next_value()?;
            json.big_decimal(&unscaled, scale.into()).map_err(A::Error::custom)
        }
        _ => Err(A::Error::custom("a decimal without digits")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;
    use serde_smile::value::{BigDecimal, BigInteger};

    use super::*;

    fn converted(value: &impl Serialize) -> String {
        String::from_utf8(to_json(&serde_smile::to_vec(value).unwrap()).unwrap()).unwrap()
    }

    #[derive(Serialize)]
    struct Numbers {
        small: f32,
        large: u64,
        whole: BigInteger,
        huge: BigInteger,
        decimal: BigDecimal,
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    }

    #[test]
    fn numbers_keep_their_digits() {
        let numbers = Numbers {
            small: 0.1,
            large: u64::MAX,
            whole: BigInteger::from_be_bytes(vec![0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            huge: BigInteger::from_be_bytes(vec![0x80; 20]),
            decimal: BigDecimal::new(BigInteger::from_be_bytes(vec![0x04, 0xD2]), 2),
            bytes: vec![1, 2, 255],
        };
        assert_eq!(
            converted(&numbers),
            "{\"small\":0.1,\"large\":18446744073709551615,\"whole\":4722366482869645213696,\
             \"huge\":-727885129180488904360266563744972327436484050816,\
             \"decimal\":1234e-2,\"bytes\":\"AQL/\"}"
        );
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let mut deep = b":)\n\x01\xFA\x80a".to_vec();
        deep.extend([0xF8; 100_000]);
        assert!(to_json(&deep).is_err());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
        ];
        let inner = leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map("[^\0]{0,20}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        prop::collection::hash_map("[^\0]{0,9}", inner, 0..6)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn a_document_keeps_its_value(document in json()) {
            let text = converted(&document);
            prop_assert!(!text.contains('\n'));
            prop_assert_eq!(text, serde_json::to_string(&document).unwrap());
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            bytes.splice(0..0, *b":)\n\x05\xFA");
            let _ = to_json(&bytes);
        }
    }
}
