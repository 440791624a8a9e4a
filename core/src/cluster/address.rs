//! The address of a target, as people write it.

use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use crate::{Error, ErrorKind, Result};

/// Where a target is: for now a folder.
///
/// ```
/// use snapfill::cluster::TargetAddress;
///
/// let folder: TargetAddress = "file:///data/filled".parse()?;
/// assert_eq!(folder, TargetAddress::Folder("/data/filled".into()));
/// assert!("https://search.example.com".parse::<TargetAddress>().is_err());
/// # Ok::<(), snapfill::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetAddress {
    /// The folder of a local target.
    Folder(PathBuf),
}

impl TargetAddress {
    /// The folder.
    pub fn folder(self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder,
        }
    }
}

impl FromStr for TargetAddress {
    type Err = Error;

    /// # Errors
    /// `Config` for what is neither a path nor a URL, `Unsupported` for a kind of target that this build does not fill.
    fn from_str(text: &str) -> Result<Self> {
        if !text.contains("://") {
            return Ok(Self::Folder(text.into()));
        }
        let url = Url::parse(text).map_err(|error| {
            Error::new(ErrorKind::Config, format!("`{text}` is neither a path nor a URL: {error}"))
        })?;
        match url.scheme() {
            "file" => url.to_file_path().map(Self::Folder).map_err(|()| {
                Error::new(
                    ErrorKind::Config,
                    format!("`{text}` names no local folder; write file:///path"),
                )
            }),
            // The scheme only: the rest of the address may hold a password.
            other => Err(Error::new(
                ErrorKind::Unsupported,
                format!("targets at `{other}://` are not filled by this build; name a folder"),
            )),
        }
    }
}
