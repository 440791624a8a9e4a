//! The address of a target, as people write it.

use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use crate::{Error, ErrorKind, Result};

/// Where a target is: a folder, or a cluster.
///
/// ```
/// use snapfill::cluster::TargetAddress;
///
/// let folder: TargetAddress = "file:///data/filled".parse()?;
/// assert_eq!(folder, TargetAddress::Folder("/data/filled".into()));
/// let cluster: TargetAddress = "https://search.example.com:9200".parse()?;
/// assert!(cluster.folder().is_err());
/// # Ok::<(), snapfill::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetAddress {
    /// The folder of a local target.
    Folder(PathBuf),
    /// A cluster's address, without credentials.
    Url(Url),
}

impl TargetAddress {
    /// The folder.
    ///
    /// # Errors
    /// `Unsupported` for a cluster.
    pub fn folder(self) -> Result<PathBuf> {
        match self {
            Self::Folder(folder) => Ok(folder),
            Self::Url(url) => Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "`{url}` is a cluster, and this is done with local targets only; name a folder"
                ),
            )),
        }
    }
}

impl FromStr for TargetAddress {
    type Err = Error;

    /// # Errors
    /// `Config` for what is neither a path nor a URL, or holds credentials; `Unsupported` for a kind of target that this build does not fill.
    fn from_str(text: &str) -> Result<Self> {
        if !text.contains("://") {
            return folder_of(text);
        }
        // What cannot be understood is not printed back: it may hold a password.
        let url = Url::parse(text).map_err(|error| {
            Error::new(
                ErrorKind::Config,
                format!("the target is neither a path nor a URL: {error}"),
            )
        })?;
        match url.scheme() {
            "file" => url.to_file_path().map(Self::Folder).map_err(|()| {
                let message =
                    "the target's file:// address names no local folder; write file:///path";
                Error::new(ErrorKind::Config, message)
            }),
            "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
                Err(Error::new(
                    ErrorKind::Config,
                    "the target's address holds a user or a password; give them apart from it, since addresses are shown",
                ))
            }
            "http" | "https" => Ok(Self::Url(url)),
            // The scheme only: the rest of the address may hold a password.
            other => Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "targets at `{other}://` are not filled by this build; name a folder or an http(s):// address"
                ),
            )),
        }
    }
}

/// A folder, unless it is an address with a password that lacks its scheme: folders are shown.
fn folder_of(text: &str) -> Result<TargetAddress> {
    let login = text.split('/').next().unwrap_or_default().rsplit_once('@');
    if login.is_some_and(|(login, _)| login.contains(':')) {
        let message = "the target looks like an address with a password: begin it with http:// or https://, and give the password \
                       apart from it; a folder of that name is written ./NAME";
        return Err(Error::new(ErrorKind::Config, message));
    }
    Ok(TargetAddress::Folder(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hold_a_password_is_refused_and_not_shown() {
        for text in
            ["me:hunter2@a", "me:hunter2@a:9200/x", "http://me:hunter2@a", "https://me:hunter2@[a"]
        {
            let error = text.parse::<TargetAddress>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        for text in ["./me:x@a", "a@b", "a:b", "/data/me:x@a"] {
            assert!(matches!(text.parse(), Ok(TargetAddress::Folder(_))), "{text}");
        }
    }
}
