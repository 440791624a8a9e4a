//! What an `s3://` URL names.

use object_store::path::Path;

use crate::{Error, ErrorKind, Result};

/// A bucket and the folder in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::snapshot) struct Bucket {
    pub(super) name: String,
    pub(in crate::snapshot) prefix: Path,
}

impl Bucket {
    /// Understands what follows `s3://`. The folder is taken as it is written, as AWS's own tools take it: nothing in it is
    /// percent-encoded.
    pub(in crate::snapshot) fn parse(text: &str) -> Result<Self> {
        let (name, prefix) = text.split_once('/').unwrap_or((text, ""));
        if name.contains('@') {
            let message = "an s3:// URL that holds a user or a password; give keys apart from it, since it is shown";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
        if !(3..=63).contains(&name.len()) || !name.chars().all(allowed) {
            let message = format!(
                "`{}` is no name of a bucket; write s3://bucket/folder",
                name.escape_debug()
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        // `Path` would overlook a slash at the beginning, which to S3 is a folder without a name.
        let parsed = Path::parse(prefix).ok().filter(|_| !prefix.starts_with('/'));
        let prefix = parsed.ok_or_else(|| {
            let message = format!(
                "`{}` is no folder of a bucket; write s3://bucket/folder",
                prefix.escape_debug()
            );
            Error::new(ErrorKind::Config, message)
        })?;
        Ok(Self { name: name.to_owned(), prefix })
    }

    /// The same for every way of writing it.
    pub(in crate::snapshot) fn url(&self) -> String {
        let separator = if self.prefix.as_ref().is_empty() { "" } else { "/" };
        format!("s3://{}{separator}{}", self.name, self.prefix)
    }

    /// Whether its name can be a part of a host's that a certificate covers.
    pub(super) fn fits_a_host(&self) -> bool {
        let allowed =
            |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        self.name.bytes().all(allowed) && !self.name.starts_with('-') && !self.name.ends_with('-')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_folder_is_one_url() {
        for text in ["backups/a/b", "backups/a/b/"] {
            assert_eq!(Bucket::parse(text).unwrap().url(), "s3://backups/a/b");
        }
        for text in ["backups", "backups/"] {
            assert_eq!(Bucket::parse(text).unwrap().url(), "s3://backups");
        }
        assert_eq!(Bucket::parse("backups/a b%20").unwrap().prefix.as_ref(), "a b%20");
    }

    #[test]
    fn what_is_no_bucket_or_no_folder_is_refused() {
        for text in
            ["", "/a", "ab", "a b", "backups//a", "backups//", "backups/../a", "backups/a\nb"]
        {
            let error = Bucket::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        }
        let error = Bucket::parse("me:hunter2@backups/a").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn a_name_with_dots_or_capitals_is_no_host() {
        let fits = |name: &str| Bucket::parse(name).unwrap().fits_a_host();
        assert!(fits("backups-2024"));
        assert!(!fits("my.backups") && !fits("Backups") && !fits("my_backups") && !fits("-abc"));
    }
}
