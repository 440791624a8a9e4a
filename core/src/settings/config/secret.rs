//! Where a secret is.

use std::fmt;
use std::path::PathBuf;

use serde::de::{MapAccess, Unexpected, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, ErrorKind, Result, Secret};

/// What is shown in place of a secret.
pub(super) const MASK: &str = "********";

/// A secret, or where it is: `"…"`, `{ env = "VARIABLE" }` or `{ file = "PATH" }`. It is never shown: written as data, a
/// secret that stands here is a row of asterisks.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretConfig {
    /// The secret itself.
    Value(Secret),
    /// It is in this variable of the environment.
    Env(String),
    /// It is in this file; a line break at its end is no part of it.
    File(PathBuf),
}

impl SecretConfig {
    /// The secret, from where it is. `what` is for messages.
    ///
    /// # Errors
    /// `Config` when it is not there.
    pub fn resolve(&self, what: &str) -> Result<Secret> {
        let refuse = |why: String| Err(Error::new(ErrorKind::Config, why));
        let value = match self {
            Self::Value(secret) => return Ok(secret.clone()),
            Self::Env(variable) => match std::env::var(variable) {
                Ok(value) => value,
                Err(_) => {
                    return refuse(format!(
                        "{what} comes from the environment variable {variable}, which is not set"
                    ));
                }
            },
            Self::File(file) => match std::fs::read_to_string(file) {
                Ok(text) => text.trim_end_matches(['\r', '\n']).to_owned(),
                Err(error) => {
                    let file = file.display();
                    return refuse(format!(
                        "{what} comes from the file {file}, which cannot be read: {error}"
                    ));
                }
            },
        };
        if value.is_empty() {
            return refuse(format!("{what} is empty where it comes from, {self:?}"));
        }
        Ok(Secret::from(value))
    }
}

impl fmt::Debug for SecretConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str(MASK),
            Self::Env(variable) => write!(f, "the environment variable {variable}"),
            Self::File(file) => write!(f, "the file {}", file.display()),
        }
    }
}

impl Serialize for SecretConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, value) = match self {
            Self::Value(_) => return serializer.serialize_str(MASK),
            Self::Env(variable) => ("env", variable.clone()),
            Self::File(file) => ("file", file.display().to_string()),
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(key, &value)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for SecretConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Place)
    }
}

struct Place;

const KEYS: &[&str] = &["env", "file"];

/// Anything else than what is expected is refused without being shown: it may be the secret.
impl<'de> Visitor<'de> for Place {
    type Value = SecretConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret in quotes, { env = \"VARIABLE\" } or { file = \"PATH\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretConfig, E> {
        Ok(SecretConfig::Value(Secret::from(text.to_owned())))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<SecretConfig, E> {
        Err(E::invalid_type(Unexpected::Other("a word without quotes"), &self))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<SecretConfig, E> {
        Err(E::invalid_type(Unexpected::Other("a number without quotes"), &self))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<SecretConfig, E> {
        self.visit_i64(0)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<SecretConfig, E> {
        self.visit_i64(0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretConfig, A::Error> {
        let mut place = None;
        while let Some(key) = map.next_key::<String>()? {
            let found = match key.as_str() {
                "env" => SecretConfig::Env(map.next_value()?),
                "file" => SecretConfig::File(map.next_value()?),
                _ => return Err(de::Error::unknown_field(&key, KEYS)),
            };
            if place.replace(found).is_some() {
                return Err(de::Error::custom("a secret is in one place: give `env` or `file`"));
            }
        }
        place.ok_or_else(|| de::Error::custom("say where the secret is: give `env` or `file`"))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SecretConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretConfig".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let place = |key: &str, what: &str| {
            serde_json::json!({
                "type": "object",
                "properties": { key: { "type": "string", "description": what } },
                "required": [key],
                "additionalProperties": false,
            })
        };
        schemars::json_schema!({
            "description": "A secret, or where it is.",
            "anyOf": [
                { "type": "string" },
                place("env", "The variable of the environment that holds it."),
                place("file", "The file that holds it; a line break at its end is no part of it."),
            ],
        })
    }
}
