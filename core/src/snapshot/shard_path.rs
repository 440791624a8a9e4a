//! OpenSearch's hashed shard paths: a hash in the path spreads shards over the prefixes of an object store.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Error, ErrorKind, Result};

/// Where the hash stands in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathType {
    /// Nowhere: the path is as it always was.
    Fixed,
    /// At the root of the store, before the base path.
    HashedPrefix,
    /// After the base path.
    HashedInfix,
}

/// How a hash is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashForm {
    /// All 64 bits in base64.
    Base64,
    /// 20 bits: the first six in base64, the next fourteen as digits.
    Composite,
}

impl PathType {
    pub(crate) fn of(code: u32) -> Result<Self> {
        match code {
            0 => Ok(Self::Fixed),
            1 => Ok(Self::HashedPrefix),
            2 => Ok(Self::HashedInfix),
            other => Err(unknown("shard path type", other)),
        }
    }

    /// A path below the root of the store: `hashed` is what the hash is taken of, `path` what follows the base path.
    pub(crate) fn place(self, base: &str, form: HashForm, hashed: &str, path: &str) -> String {
        let hash = form.write(fnv1a(hashed.as_bytes()));
        let parts: [&str; 3] = match self {
            Self::Fixed => [base, "", path],
            Self::HashedPrefix => [&hash, base, path],
            Self::HashedInfix => [base, &hash, path],
        };
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("/")
    }
}

impl HashForm {
    pub(crate) fn of(code: u32) -> Result<Self> {
        match code {
            0 => Ok(Self::Base64),
            1 => Ok(Self::Composite),
            other => Err(unknown("shard path hash algorithm", other)),
        }
    }

    fn write(self, hash: u64) -> String {
        match self {
            Self::Base64 => URL_SAFE_NO_PAD.encode(hash.to_be_bytes()),
            Self::Composite => {
                let first = usize::try_from(hash >> 58).unwrap_or_default();
                let first = URL_SAFE.as_str().get(first..=first).unwrap_or_default();
                format!("{first}{:014b}", hash >> 44 & 0x3FFF)
            }
        }
    }
}

fn unknown(what: &str, code: u32) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{what} {code} of OpenSearch; 0 to 2 are known"))
}

/// FNV-1a of 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv() {
        assert_eq!(fnv1a(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(HashForm::Base64.write(0xCBF2_9CE4_8422_2325), "y_Kc5IQiIyU");
    }

    /// Paths that OpenSearch 2.19.6 itself wrote.
    #[test]
    fn paths_are_those_of_opensearch() {
        let of = |kind: PathType, shard: u32, id: &str| {
            let path = format!("indices/{id}/{shard}");
            kind.place("q/w", HashForm::Composite, &format!("{shard}{id}"), &path)
        };
        let id = "9mYOoX32SmOZ-B34YCSUWg";
        assert_eq!(
            of(PathType::HashedPrefix, 0, id),
            format!("110000011111001/q/w/indices/{id}/0")
        );
        assert_eq!(
            of(PathType::HashedPrefix, 1, id),
            format!("H01000110111110/q/w/indices/{id}/1")
        );
        let id = "4oSfkrukTLGZ7Qf9aDtPtw";
        assert_eq!(of(PathType::HashedInfix, 0, id), format!("q/w/z00011110001011/indices/{id}/0"));
        assert_eq!(of(PathType::Fixed, 0, id), format!("q/w/indices/{id}/0"));
    }

    #[test]
    fn codes_of_the_future_are_refused() {
        assert_eq!(PathType::of(3).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(HashForm::of(2).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(
            (PathType::of(0).unwrap(), HashForm::of(0).unwrap()),
            (PathType::Fixed, HashForm::Base64)
        );
    }
}
