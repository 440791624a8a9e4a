//! The names of the objects: what they hold can be told without reading them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What an object below a shard's folder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Documents of these numbers failed: how many, and under which lease.
    Failed { first: u32, last: u32, count: u64, lease: u64 },
    /// The range was sent anew under this lease.
    Void(Void),
}

/// Failures of documents `first..end` under leases before `lease` do not hold any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Void {
    pub(crate) first: u32,
    pub(crate) end: u32,
    pub(crate) lease: u64,
}

const FAILED: &str = "failed-";
const VOID: &str = "void-";
const FAILED_END: &str = ".ndjson.zst";

impl Said {
    /// The object's name; `random` tells objects apart that say the same.
    pub(crate) fn name(self, random: u64) -> String {
        match self {
            Self::Failed { first, last, count, lease } => {
                format!("{FAILED}{first:010}-{last:010}-{count}-v{lease}-{random:014x}{FAILED_END}")
            }
            Self::Void(Void { first, end, lease }) => {
                format!("{VOID}{first:010}-{end:010}-v{lease}")
            }
        }
    }

    /// What an object of this name says; none for names that are not ours.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if let Some(rest) = name.strip_prefix(VOID) {
            let mut parts = rest.split('-');
            let void = Void {
                first: parts.next()?.parse().ok()?,
                end: parts.next()?.parse().ok()?,
                lease: parts.next()?.strip_prefix('v')?.parse().ok()?,
            };
            return parts.next().is_none().then_some(Self::Void(void));
        }
        let mut parts = name.strip_prefix(FAILED)?.strip_suffix(FAILED_END)?.split('-');
        let said = Self::Failed {
            first: parts.next()?.parse().ok()?,
            last: parts.next()?.parse().ok()?,
            count: parts.next()?.parse().ok()?,
            lease: parts.next()?.strip_prefix('v')?.parse().ok()?,
        };
        parts.next()?;
        parts.next().is_none().then_some(said)
    }
}

/// The folder of a session; none that was given a name has the default one's.
pub(crate) fn session_folder(session: &str) -> String {
    if session.is_empty() { "default".to_owned() } else { format!("session-{}", folder(session)) }
}

/// The folder of an index of any name.
pub(crate) fn folder(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(name)
}

/// The index whose folder it is.
pub(crate) fn index_of(folder: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(folder).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn foreign_names_say_nothing() {
        for name in [
            "failed-",
            "failed-1-2-3-v4.ndjson.zst",
            "void-1-2",
            "void-1-2-v3-4",
            ".tmp",
            "failed-a-b-c-vd-e.ndjson.zst",
        ] {
            assert_eq!(Said::parse(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn names_are_read_as_they_were_written(first: u32, last: u32, count: u64, lease: u64, random in 0_u64..1 << 53) {
            for said in [Said::Failed { first, last, count, lease }, Said::Void(Void { first, end: last, lease })] {
                prop_assert_eq!(Said::parse(&said.name(random)), Some(said));
            }
        }

        #[test]
        fn indices_of_any_name_have_a_folder(name in ".{0,40}") {
            prop_assert_eq!(index_of(&folder(&name)), Some(name));
        }
    }
}
