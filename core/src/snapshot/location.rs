//! A path or URL becomes a blob store.

use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use url::Url;

use crate::{Error, ErrorKind, Result};

/// Where a repository lies: a store and the folder in it.
pub(crate) struct Location {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) root: Path,
    /// How to name it to people: as it was given.
    pub(crate) name: String,
    /// How to name it to other processes: the same for every way of writing it.
    pub(crate) url: String,
}

/// Understands `/path`, `path` and `file:///path`.
pub(crate) fn locate(text: &str) -> Result<Location> {
    if !text.contains("://") {
        return locate_folder(FilePath::new(text), text);
    }
    let url = Url::parse(text).map_err(|error| {
        Error::new(ErrorKind::Config, format!("`{text}` is neither a path nor a URL: {error}"))
    })?;
    match url.scheme() {
        "file" => {
            let path = url.to_file_path().map_err(|()| {
                Error::new(
                    ErrorKind::Config,
                    format!("`{text}` names no local folder; write file:///path"),
                )
            })?;
            locate_folder(&path, text)
        }
        other => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "repositories at `{other}://` are not read by this build; use a path or a file:// URL"
            ),
        )),
    }
}

fn locate_folder(path: &FilePath, name: &str) -> Result<Location> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(
            ErrorKind::NotFound,
            format!("no folder `{name}`: there is no snapshot repository"),
        ),
        _ => Error::new(ErrorKind::Io, format!("cannot read `{name}`: {error}")).with_source(error),
    })?;
    if !metadata.is_dir() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "`{name}` is a file; a snapshot repository is a folder with an `index-N` file in it"
            ),
        ));
    }
    let store = LocalFileSystem::new_with_prefix(path).map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot open `{name}`")).with_source(error)
    })?;
    let absolute = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let url = Url::from_directory_path(&absolute).map_or_else(|()| name.to_owned(), Into::into);
    Ok(Location { store: Arc::new(store), root: Path::default(), name: name.to_owned(), url })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_folder_is_not_found() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let name = file.path().to_str().unwrap();
        assert_eq!(locate(name).err().unwrap().kind(), ErrorKind::NotFound);
        assert_eq!(locate("/no/such/folder").err().unwrap().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn unknown_schemes_are_refused_by_name() {
        let error = locate("gopher://x/y").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("gopher"));
    }
}
