//! Options from the JSON that the TypeScript half makes of objects.

use std::collections::HashMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use snapfill_ffi as ffi;

use crate::failure::Failure;

/// Options of JSON text.
pub(crate) fn read<T: Field>(text: &str) -> Result<T, Failure> {
    let given = serde_json::from_str(text);
    T::of(given.map_err(|error| Failure::Type(error.to_string()))?)
}

/// What an option may be; its default is taken where it is left out.
pub(crate) trait Field: Default {
    /// The value that was given.
    fn of(given: Value) -> Result<Self, Failure>;
}

/// Text, numbers and lists of them. What was given is not repeated: it may be a secret.
fn plain<T: DeserializeOwned>(given: Value) -> Result<T, Failure> {
    serde_json::from_value(given).map_err(|error| {
        let text = error.to_string();
        let expected = text.rsplit_once(", expected ").map_or("another value", |(_, what)| what);
        let expected = match expected {
            "u8" => "a whole number from 0 to 255",
            "u32" => "a whole number from 0 to 4294967295",
            "u64" => "a whole number that is not negative",
            other => other,
        };
        let told = format!("expected {expected}");
        if text.starts_with("invalid value") { Failure::Range(told) } else { Failure::Type(told) }
    })
}

/// Declares types of options that are read as they are.
macro_rules! plain {
    ($($type:ty),*) => { $(
        impl Field for $type {
            fn of(given: Value) -> Result<Self, Failure> {
                plain(given)
            }
        }
    )* };
}

plain!(
    bool, String, Option<String>, Option<u8>, Option<u32>, Option<u64>, Vec<String>, HashMap<String, String>
);

/// Takes one option out of those that were given.
fn take<T: Field>(given: &mut Map<String, Value>, name: &str) -> Result<T, Failure> {
    let name = in_camel_case(name);
    match given.remove(&name) {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => T::of(value).map_err(|failure| failure.of_option(&name)),
    }
}

/// `base_path` as `basePath`.
fn in_camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        name + &letters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(letters)
            .collect::<String>()
    })
}

/// Declares an object with the fields of a facade's options of the same name, all of which may be left out.
macro_rules! options {
    ($($name:ident { $($field:ident: $type:ty),* $(,)? })*) => { $(
        #[doc = concat!("An object of `", stringify!($name), "`.")]
        #[derive(Default)]
        pub(crate) struct $name { $($field: $type),* }

        impl Field for $name {
            fn of(given: Value) -> Result<Self, Failure> {
                let Value::Object(mut given) = given else {
                    return Err(Failure::Type("expected an object".to_owned()));
                };
                let read = Self { $($field: take(&mut given, stringify!($field))?),* };
                match given.keys().next() {
                    None => Ok(read),
                    Some(unknown) => Err(Failure::Type(format!("there is no option {unknown}"))),
                }
            }
        }

        impl From<$name> for ffi::$name {
            fn from(given: $name) -> Self {
                Self { $($field: given.$field.into()),* }
            }
        }
    )* };
}

ffi::with_option_fields!(options);

/// Declares options that hold others, if they are given.
macro_rules! optional {
    ($($(#[$doc:meta])* $name:ident($held:ident);)*) => { $(
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name(Option<$held>);

        impl Field for $name {
            fn of(given: Value) -> Result<Self, Failure> {
                $held::of(given).map(|held| Self(Some(held)))
            }
        }

        impl From<$name> for Option<ffi::$held> {
            fn from(given: $name) -> Self {
                given.0.map(Into::into)
            }
        }
    )* };
}

optional! {
    /// AWS's options, where they are given.
    Aws(AwsOptions);
    /// A fleet on Amazon ECS, where one is given.
    Ecs(EcsFleet);
    /// A fleet on Kubernetes, where one is given.
    Pods(KubernetesFleet);
}

/// How long, if that is given: a number of milliseconds, as everywhere in Node.
#[derive(Default)]
pub(crate) struct Wait(Option<Duration>);

impl Field for Wait {
    fn of(given: Value) -> Result<Self, Failure> {
        let duration = Duration::try_from_secs_f64(plain::<f64>(given)? / 1000.0);
        let refused = |_| Failure::Range("expected milliseconds, not negative".to_owned());
        Ok(Self(Some(duration.map_err(refused)?)))
    }
}

impl From<Wait> for Option<Duration> {
    fn from(given: Wait) -> Self {
        given.0
    }
}

/// Patterns and what takes their place, in order.
#[derive(Default)]
pub(crate) struct RenamePatterns(Vec<RenamePattern>);

impl Field for RenamePatterns {
    fn of(given: Value) -> Result<Self, Failure> {
        let patterns: Vec<Value> = plain(given)?;
        patterns.into_iter().map(RenamePattern::of).collect::<Result<_, _>>().map(Self)
    }
}

impl From<RenamePatterns> for Vec<ffi::RenamePattern> {
    fn from(patterns: RenamePatterns) -> Self {
        patterns.0.into_iter().map(Into::into).collect()
    }
}
