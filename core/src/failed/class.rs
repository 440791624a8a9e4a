//! What kind of failure it was.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Transformed;
use crate::cluster::ItemError;
use crate::{Error, ErrorKind};

/// What kind of failure it was, and so what may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureClass {
    /// The document does not fit the index's mapping: change the mapping, then redrive.
    Mapping,
    /// The target takes no request as large: raise `http.max_content_length`, then redrive.
    TooLarge,
    /// The id is taken by a newer version of the document.
    Version,
    /// A transform failed on the document, which is kept as it was read: the target never saw it.
    Transform,
    /// Anything else; the reason says more.
    Other,
}

impl FailureClass {
    /// All classes.
    pub const ALL: [Self; 5] =
        [Self::Mapping, Self::TooLarge, Self::Version, Self::Transform, Self::Other];

    /// The class as one lower-case word, stable across releases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::TooLarge => "too_large",
            Self::Version => "version",
            Self::Transform => "transform",
            Self::Other => "other",
        }
    }

    /// What may help.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Mapping => {
                "change the index's mapping so that it takes these documents, then `backfill failed redrive`"
            }
            Self::TooLarge => {
                "have the target take longer requests (`http.max_content_length`), then `backfill failed redrive`"
            }
            Self::Version => {
                "nothing, if the target's version of these documents is the newer one; otherwise delete it there, then \
                 `backfill failed redrive`"
            }
            Self::Transform => {
                "mend the transform and begin anew (`from_scratch`); redriving leaves these alone, since they were never transformed"
            }
            Self::Other => {
                "the target's reason says more; once it is gone, `backfill failed redrive`"
            }
        }
    }

    /// The class of an item's error, by the words that Elasticsearch and OpenSearch use.
    pub fn of(error: &ItemError) -> Self {
        // Elasticsearch 1 answered with the name of a Java class, later versions with words in snake case.
        let word: String =
            error.error_type.chars().filter(|letter| *letter != '_').collect::<String>();
        let word = word.to_ascii_lowercase();
        let says = |part: &str| word.contains(part);
        if error.error_type == Transformed::ERROR_TYPE {
            Self::Transform
        } else if error.status == 413 || says("toolarge") || says("toolong") {
            Self::TooLarge
        } else if says("versionconflict") || error.status == 409 {
            Self::Version
        } else if says("mapper") || says("mapping") || says("parsing") || says("illegalargument") {
            Self::Mapping
        } else {
            Self::Other
        }
    }
}

impl FromStr for FailureClass {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|class| class.as_str() == word).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::new(ErrorKind::Config, format!("a class of failures is one of {known}"))
        })
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_class_that_has_it() {
        for class in FailureClass::ALL {
            assert_eq!(class.as_str().parse::<FailureClass>().unwrap(), class);
        }
        let refused = "mappings".parse::<FailureClass>().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(
            refused.message().contains("mapping, too_large, version, transform, other"),
            "{refused}"
        );
    }

    #[test]
    fn the_words_of_old_and_new_servers_are_understood() {
        let table = [
            (400, "mapper_parsing_exception", FailureClass::Mapping),
            (400, "document_parsing_exception", FailureClass::Mapping),
            (400, "strict_dynamic_mapping_exception", FailureClass::Mapping),
            (400, "MapperParsingException", FailureClass::Mapping),
            (413, "request_entity_too_large", FailureClass::TooLarge),
            (409, "version_conflict_engine_exception", FailureClass::Version),
            (403, "security_exception", FailureClass::Other),
            (0, "transform", FailureClass::Transform),
        ];
        for (status, word, class) in table {
            let error = ItemError { status, error_type: word.to_owned(), reason: String::new() };
            assert_eq!(FailureClass::of(&error), class, "{word}");
        }
    }
}
