use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult,
};

use super::*;

fn parse(text: &str) -> Result<Catalogue> {
    Catalogue::parse(&Bytes::copy_from_slice(text.as_bytes()))
}

#[test]
fn snapshots_by_name_alone_have_their_name_as_uuid() {
    let catalogue = parse(r#"{"snapshots":["a",{"name":"b","uuid":"u"}],"indices":{}}"#).unwrap();
    assert_eq!(catalogue.snapshot("a").unwrap().uuid, "a");
    assert_eq!(catalogue.snapshot("b").unwrap().uuid, "u");
    assert!(catalogue.snapshot("c").unwrap_err().to_string().contains("`a`, `b`"));
}

#[test]
fn the_metadata_blob_is_looked_up_or_named_after_the_snapshot() {
    let catalogue = parse(
        r#"{"snapshots":[{"name":"new","uuid":"n","index_metadata_lookup":{"i":"x"}},{"name":"old","uuid":"o"}],
            "indices":{"logs":{"id":"i","snapshots":["n",{"uuid":"o"}]}},"index_metadata_identifiers":{"x":"m"}}"#,
    )
    .unwrap();
    let index = &catalogue.indices["logs"];
    let blob = |name| {
        catalogue
            .index_metadata_blob(catalogue.snapshot(name).unwrap(), Layout::Framed, index)
            .unwrap()
    };
    assert_eq!(blob("new"), "indices/i/meta-m.dat");
    assert_eq!(blob("old"), "indices/i/meta-o.dat");
    assert!(index.is_in("n") && index.is_in("o") && !index.is_in("z"));
}

#[test]
fn only_digits_number_a_catalogue() {
    assert_eq!(generation("index-12"), Some(12));
    for name in ["index", "index-", "index-+1", "index-1a", "index.latest"] {
        assert_eq!(generation(name), None, "{name}");
    }
}

#[test]
fn the_latest_number_has_eight_bytes_and_no_sign() {
    assert_eq!(latest_generation(&[0, 0, 0, 0, 0, 0, 1, 2]).unwrap(), 258);
    for bytes in [&[0; 7][..], &[0; 9], &[255; 8], &[]] {
        assert_eq!(latest_generation(bytes).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn a_catalogue_of_the_future_is_refused() {
    assert_eq!(parse(r#"{"min_version":"11.0.0"}"#).unwrap_err().kind(), ErrorKind::Unsupported);
}

/// A store that gives files by name and no listings, as a read-only web server does.
#[derive(Debug, Default)]
struct Unlisted(InMemory);

impl std::fmt::Display for Unlisted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a store without listings")
    }
}

fn refusal() -> object_store::Error {
    object_store::Error::NotSupported { source: "it gives no listings".into() }
}

#[async_trait::async_trait]
impl ObjectStore for Unlisted {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.0.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        Err(refusal())
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.0.get_opts(path, options).await
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        stream::once(async { Err(refusal()) }).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        stream::once(async { Err(refusal()) }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> object_store::Result<ListResult> {
        Err(refusal())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> object_store::Result<()> {
        Err(refusal())
    }
}

async fn unlisted(blobs: &[(&str, &[u8])]) -> Result<Catalogue> {
    let store = Unlisted::default();
    for (path, bytes) in blobs {
        store.put(&(*path).into(), bytes.to_vec().into()).await.unwrap();
    }
    Catalogue::read(&Blobs::over(Arc::new(store), "web", None)?).await
}

const CATALOGUE: &[u8] = br#"{"snapshots":["a"],"indices":{}}"#;

#[tokio::test]
async fn without_listings_the_latest_number_leads_to_the_catalogue() {
    let latest = 7_u64.to_be_bytes();
    let found = unlisted(&[("index-7", CATALOGUE), ("index.latest", &latest)]).await.unwrap();
    assert_eq!((found.blob.as_str(), found.snapshots.len()), ("index-7", 1));
    let error = unlisted(&[("index.latest", b"7")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn without_listings_old_repositories_are_read_by_their_index() {
    let info =
        br#"{"snapshot":{"name":"a","version_id":1070699,"state":"SUCCESS","indices":["i"]}}"#;
    let index = br#"{"snapshots":["a"]}"#;
    let found = unlisted(&[("index", index), ("snapshot-a", info)]).await.unwrap();
    assert_eq!(found.snapshots[0].name, "a");
    assert!(found.indices.contains_key("i"));
    let error = unlisted(&[]).await.unwrap_err();
    assert!(error.message().contains("no listings"), "{error}");
}

#[tokio::test]
async fn the_listing_is_preferred_to_the_latest_number() {
    let store = InMemory::new();
    let stale = 3_u64.to_be_bytes();
    let blobs = [("index-3", CATALOGUE), ("index-12", CATALOGUE), ("index.latest", &stale[..])];
    for (path, bytes) in blobs {
        store.put(&path.into(), bytes.to_vec().into()).await.unwrap();
    }
    let blobs = Blobs::over(Arc::new(store), "memory", None).unwrap();
    assert_eq!(Catalogue::read(&blobs).await.unwrap().blob, "index-12");
}
