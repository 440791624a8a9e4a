//! A path or URL becomes a blob store.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use url::Url;

use super::S3Options;
#[cfg(feature = "s3")]
use super::s3::{Bucket, Connected, connect};
use crate::{Error, ErrorKind, Result};

/// Where a repository lies: a store and the folder in it.
pub(crate) struct Location {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) root: Path,
    /// How to name it to people: as it was given.
    pub(crate) name: String,
    /// How to name it to other processes: the same for every way of writing it.
    pub(crate) url: String,
    /// The region of its bucket, where it is in one.
    pub(crate) region: Option<String>,
}

/// A location as it is written, understood.
enum Place {
    Folder(PathBuf),
    #[cfg(feature = "s3")]
    Bucket(Bucket),
}

/// Understands `/path`, `path`, `file:///path` and `s3://bucket/path`.
#[cfg_attr(not(feature = "s3"), expect(unused_variables, reason = "only buckets look at it"))]
pub(crate) async fn locate(text: &str, s3: &S3Options) -> Result<Location> {
    match place(text)? {
        Place::Folder(path) => locate_folder(&path, text),
        #[cfg(feature = "s3")]
        Place::Bucket(bucket) => {
            let Connected { store, region } = connect(&bucket, s3).await?;
            Ok(Location {
                store,
                name: text.to_owned(),
                url: bucket.url(),
                root: bucket.prefix,
                region: Some(region),
            })
        }
    }
}

/// How other processes name a location. A folder must be there; a bucket is not asked for.
#[cfg(feature = "local")]
pub(crate) fn url_of(text: &str) -> Result<String> {
    match place(text)? {
        Place::Folder(path) => Ok(locate_folder(&path, text)?.url),
        #[cfg(feature = "s3")]
        Place::Bucket(bucket) => Ok(bucket.url()),
    }
}

#[cfg_attr(not(feature = "s3"), expect(unused_variables, reason = "only buckets look at it"))]
fn place(text: &str) -> Result<Place> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(Place::Folder(PathBuf::from(text)));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "file" => {
            let path = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
            path.map(Place::Folder).ok_or_else(|| {
                let message = format!("`{text}` names no local folder; write file:///path");
                Error::new(ErrorKind::Config, message)
            })
        }
        #[cfg(feature = "s3")]
        "s3" => Ok(Place::Bucket(Bucket::parse(rest)?)),
        other => Err(unsupported(other)),
    }
}

/// What follows the scheme may hold a password.
fn unsupported(scheme: &str) -> Error {
    let scheme = scheme.escape_debug();
    let message = match scheme.to_string().as_str() {
        "s3" => "this build reads no buckets of S3: build it with the feature `s3`, or use a path or a file:// URL".to_owned(),
        "gs" | "gcs" => "buckets of Google Cloud Storage (gs://) are not supported; copy the repository to S3 or to a folder".to_owned(),
        "az" | "azure" | "abfs" | "abfss" | "wasb" | "wasbs" => format!(
            "containers of Azure ({scheme}://) are not supported; copy the repository to S3 or to a folder"
        ),
        _ => format!("`{scheme}://` is not supported; use a path, a file:// URL or s3://bucket/folder"),
    };
    Error::new(ErrorKind::Unsupported, message)
}

/// A folder of this machine.
pub(crate) fn locate_folder(path: &FilePath, name: &str) -> Result<Location> {
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
    Ok(Location {
        store: Arc::new(store),
        root: Path::default(),
        name: name.to_owned(),
        url,
        region: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(text: &str) -> Error {
        locate(text, &S3Options::default()).await.err().unwrap()
    }

    #[tokio::test]
    async fn what_is_no_folder_is_not_found() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let name = file.path().to_str().unwrap();
        assert_eq!(refused(name).await.kind(), ErrorKind::NotFound);
        assert_eq!(refused("/no/such/folder").await.kind(), ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn other_schemes_are_refused_by_name() {
        for (location, part) in [
            ("gopher://x/y", "`gopher://` is not supported"),
            ("gs://bucket/y", "Google Cloud Storage (gs://) are not supported"),
            ("az://me:hunter2@container/y", "Azure (az://) are not supported"),
        ] {
            let error = refused(location).await;
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains(part), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[cfg(feature = "s3")]
    #[tokio::test]
    async fn a_bucket_is_opened_without_asking_for_it() {
        let options =
            S3Options { region: Some("eu-west-1".into()), anonymous: true, ..S3Options::default() };
        for text in ["s3://books/a/b", "S3://books/a/b/"] {
            let location = locate(text, &options).await.unwrap();
            assert_eq!((&*location.url, &*location.name), ("s3://books/a/b", text));
            assert_eq!(location.root.as_ref(), "a/b");
            assert_eq!(location.region.as_deref(), Some("eu-west-1"));
            assert_eq!(url_of(text).unwrap(), location.url);
        }
    }
}
