//! One line of the list of indices.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One row of `_cat/indices?format=json`, with its names. There every value is text, or null for an index that is closed;
/// counts are numbers here and are written as text again. Plain numbers are read as well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IndexRow {
    /// `green`, `yellow` or `red`.
    pub health: Option<String>,
    /// `open` or `close`.
    pub status: Option<String>,
    /// Its name.
    pub index: String,
    /// Its identity, which a new index of the same name does not share.
    pub uuid: Option<String>,
    /// Primary shards.
    #[serde(with = "textual")]
    pub pri: Option<u64>,
    /// Copies of each shard beside the primary.
    #[serde(with = "textual")]
    pub rep: Option<u64>,
    /// Documents, nested ones included.
    #[serde(rename = "docs.count", with = "textual")]
    pub docs_count: Option<u64>,
    /// Documents that are deleted and still take space.
    #[serde(rename = "docs.deleted", with = "textual")]
    pub docs_deleted: Option<u64>,
    /// Size of all copies, for people: `1.2mb`.
    #[serde(rename = "store.size")]
    pub store_size: Option<String>,
    /// Size of the primaries, for people.
    #[serde(rename = "pri.store.size")]
    pub pri_store_size: Option<String>,
}

impl IndexRow {
    /// A number of bytes the way servers print it: `0b`, `5.1kb`, `3gb`.
    pub fn human_size(bytes: u64) -> String {
        const UNITS: [(&str, u32); 5] =
            [("pb", 50), ("tb", 40), ("gb", 30), ("mb", 20), ("kb", 10)];
        for (unit, shift) in UNITS {
            if bytes >> shift > 0 {
                let tenths = (u128::from(bytes) * 10) >> shift;
                return match (tenths / 10, tenths % 10) {
                    (whole, 0) => format!("{whole}{unit}"),
                    (whole, tenth) => format!("{whole}.{tenth}{unit}"),
                };
            }
        }
        format!("{bytes}b")
    }
}

/// Numbers that are written as text and read as either.
mod textual {
    use super::{Deserialize, Deserializer, Serialize, Serializer};
    use serde::de::Error as _;

    pub(super) fn serialize<S: Serializer>(value: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        value.map(|number| number.to_string()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        match Option::<Either>::deserialize(from)? {
            None => Ok(None),
            Some(Either::Number(number)) => Ok(Some(number)),
            Some(Either::Text(text)) if text.trim().is_empty() => Ok(None),
            Some(Either::Text(text)) => text.trim().parse().map(Some).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_and_writes_as_servers_do() {
        let text = r#"{"health":"green","status":"open","index":"books","uuid":"u","pri":"5","rep":"1","docs.count":"12","docs.deleted":"0","store.size":"1kb","pri.store.size":"1kb"}"#;
        let row: IndexRow = serde_json::from_str(text).unwrap();
        assert_eq!((row.pri, row.docs_count), (Some(5), Some(12)));
        assert_eq!(serde_json::to_string(&row).unwrap(), text);
    }

    #[test]
    fn a_closed_index_has_no_counts() {
        let row: IndexRow =
            serde_json::from_str(r#"{"status":"close","index":"old","docs.count":null}"#).unwrap();
        assert_eq!((row.docs_count, row.pri), (None, None));
    }

    #[test]
    fn sizes_read_as_servers_print_them() {
        let sizes = [0, 1023, 1024, 5_230, 3 << 30, u64::MAX].map(IndexRow::human_size);
        assert_eq!(sizes, ["0b", "1023b", "1kb", "5.1kb", "3gb", "16383.9pb"]);
    }
}
