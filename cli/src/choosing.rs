//! Which indices go, under which names, and how the target is prepared for them.

use clap::{Args, ValueEnum};
use snapfill::preparation::{
    CreateIndices, IndexOptions, LoadSettings, Rename, Selection, Types, UnknownFields,
};

use crate::writing::OperationWord;

/// Which documents of a snapshot go where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Choosing and naming indices")]
pub(crate) struct Choosing {
    /// Only these indices: a name, a glob such as `logs-*`, or `regex:` and an expression that matches the whole name (may
    /// be given several times). Without it all but system indices
    #[arg(long = "index", value_name = "PATTERN")]
    pub(crate) indices: Vec<String>,
    /// Not these indices (may be given several times)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// For a trial: so many documents of each shard at most; the others are counted as skipped
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_docs_per_shard: Option<u64>,
    /// Cut shards with more stored bytes into work items of about as many, so that several workers share them [default:
    /// 5000000000]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) split_bytes: Option<u64>,
    /// Put before the name of every index that `--rename` does not name
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub(crate) rename_prefix: String,
    /// Another name for one index (may be given several times)
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    pub(crate) rename: Vec<(String, String)>,
    /// Another name for the indices whose whole name matches, with $1 for what a group matched (may be given several times;
    /// the first that matches counts)
    #[arg(long, value_name = "PATTERN=REPLACEMENT", value_parser = pair)]
    pub(crate) rename_regex: Vec<(String, String)>,
    /// What becomes of an index with several mapping types (Elasticsearch 5 and before), and of indices that get one name
    #[arg(long, value_enum, default_value = "refuse")]
    pub(crate) types: TypesWord,
    /// What becomes of an id that is in the target already
    #[arg(long = "op", value_enum, default_value = "index")]
    pub(crate) operation: OperationWord,
}

impl Choosing {
    pub(crate) fn selection(&self, recovery_source: bool) -> Selection {
        Selection {
            indices: self.indices.clone(),
            exclude: self.exclude.clone(),
            max_docs_per_shard: self.max_docs_per_shard,
            rename: Rename {
                prefix: self.rename_prefix.clone(),
                map: self.rename.iter().cloned().collect(),
                patterns: self.rename_regex.clone(),
            },
            types: self.types.into(),
            recovery_source,
            split_bytes: self.split_bytes,
            operation: self.operation.into(),
            ..Selection::default()
        }
    }
}

/// How indices of the target are made.
#[derive(Debug, Args)]
#[command(next_help_heading = "Making indices")]
pub(crate) struct Making {
    /// Whether indices that the target lacks are made
    #[arg(long, value_enum, default_value = "missing")]
    pub(crate) create_indices: CreateWord,
    /// What becomes of a field whose type the target lacks
    #[arg(long, value_enum, default_value = "refuse")]
    pub(crate) unknown_fields: UnknownWord,
    /// Replicas of each shard of the indices that are made [default: as many as in the source]
    #[arg(long, value_name = "N")]
    pub(crate) replicas: Option<u32>,
}

impl From<Making> for IndexOptions {
    fn from(making: Making) -> Self {
        Self {
            create: match making.create_indices {
                CreateWord::Missing => CreateIndices::Missing,
                CreateWord::Never => CreateIndices::Never,
            },
            unknown_fields: match making.unknown_fields {
                UnknownWord::Refuse => UnknownFields::Refuse,
                UnknownWord::Drop => UnknownFields::Drop,
                UnknownWord::Keep => UnknownFields::Keep,
            },
            replicas: making.replicas,
        }
    }
}

/// What the target does without while it is filled.
#[derive(Debug, Args)]
#[command(next_help_heading = "While the target is filled")]
pub(crate) struct Loading {
    /// Do not refresh its indices; what was set before is put back when the run is done
    #[arg(long)]
    pub(crate) disable_refresh: bool,
    /// Have no replicas; they are made when the run is done
    #[arg(long)]
    pub(crate) defer_replicas: bool,
}

impl From<Loading> for LoadSettings {
    fn from(loading: Loading) -> Self {
        Self { disable_refresh: loading.disable_refresh, defer_replicas: loading.defer_replicas }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TypesWord {
    /// Refuse it, unless the target has types
    Refuse,
    /// An index for each type, INDEX-TYPE
    Split,
    /// One index; documents of one id replace each other, and the run then ends with 3
    Merge,
}

impl From<TypesWord> for Types {
    fn from(word: TypesWord) -> Self {
        match word {
            TypesWord::Refuse => Self::Refuse,
            TypesWord::Split => Self::Split,
            TypesWord::Merge => Self::Merge,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum CreateWord {
    /// Make those that are missing
    Missing,
    /// Make none, and refuse an index that is not there
    Never,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum UnknownWord {
    /// Refuse the index
    Refuse,
    /// Keep the field in `_source` and do not index it
    Drop,
    /// Let the target decide; it may have a plugin
    Keep,
}

/// What stands before and after the last `=`: names hold none, expressions may.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => {
            Ok((old.to_owned(), new.to_owned()))
        }
        _ => Err("give OLD=NEW".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_parted_at_its_last_sign() {
        assert_eq!(pair("a=b"), Ok(("a".to_owned(), "b".to_owned())));
        assert_eq!(pair("(?<x>a=)b=$x"), Ok(("(?<x>a=)b".to_owned(), "$x".to_owned())));
        assert!(pair("a").is_err() && pair("=b").is_err() && pair("a=").is_err());
    }
}
