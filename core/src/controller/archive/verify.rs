//! Whether what was written is what the store holds.

use std::path::Path;

use super::ArchiveManifest;
use super::read::{Entry, Reading};
use super::write::{BATCH, Contents};
use crate::coordination::{Run, WorkStore};
use crate::{Error, ErrorKind, Result};

/// Reads an archive back: its checksum, every document of it, and that it holds exactly the items of the store.
pub(super) async fn verify(
    store: &dyn WorkStore,
    file: &Path,
    manifest: &ArchiveManifest,
) -> Result<()> {
    let mut reading = Reading::begin(file);
    let mut expected = Ids { store, page: Vec::new().into_iter(), after: None, begun: false };
    let mut same = true;
    while let Some(batch) = reading.next().await {
        for entry in batch {
            if let Entry::Item(item) = entry {
                same &= expected.next().await?.as_deref() == Some(item.id().as_str());
            }
        }
    }
    let seen = reading.finish().await?;
    same &= expected.next().await?.is_none();
    if same && (seen.bytes, &seen.sha256) == (manifest.bytes, &manifest.sha256) {
        return Ok(());
    }
    let message = "the archive reads back otherwise than it was written; the working state is kept as it is, so stop again";
    Err(Error::new(ErrorKind::Io, message))
}

/// Checks a whole archive against what lies beside it, before anything is done with it. Says what the run was.
pub(super) async fn check(file: &Path, manifest: &ArchiveManifest) -> Result<Run> {
    let mut reading = Reading::begin(file);
    let mut contents = Contents::default();
    let mut run = None;
    while let Some(batch) = reading.next().await {
        for entry in batch {
            match entry {
                Entry::Run(found) => run = Some(*found),
                Entry::Item(item) => contents.count(&item),
            }
        }
    }
    let seen = reading.finish().await?;
    let damaged = |what: &str| {
        let message = format!("the archive is damaged: {what}; put it back from a copy");
        Err(Error::new(ErrorKind::Corrupt, message).with_context("archive", file.display()))
    };
    if (seen.bytes, &seen.sha256) != (manifest.bytes, &manifest.sha256) {
        return damaged(&format!(
            "its SHA-256 is {}, and {} beside it",
            seen.sha256, manifest.sha256
        ));
    }
    if contents.items != manifest.items || contents.books != manifest.books {
        return damaged(&format!(
            "it holds {} work items, and {} are said beside it",
            contents.items, manifest.items
        ));
    }
    match run {
        Some(run) if run.session == manifest.session && run.target == manifest.target => Ok(run),
        Some(_) => damaged("what lies beside it is of another run"),
        None => damaged("it does not say which run it is of"),
    }
}

/// The ids of a store's items, in its order.
struct Ids<'a> {
    store: &'a dyn WorkStore,
    page: std::vec::IntoIter<String>,
    after: Option<String>,
    begun: bool,
}

impl Ids<'_> {
    async fn next(&mut self) -> Result<Option<String>> {
        loop {
            if let Some(id) = self.page.next() {
                return Ok(Some(id));
            }
            if self.begun && self.after.is_none() {
                return Ok(None);
            }
            let page = self.store.items(self.after.as_deref(), BATCH).await?;
            let ids: Vec<_> = page.items.iter().map(|item| item.value.id()).collect();
            (self.page, self.after, self.begun) = (ids.into_iter(), page.next, true);
        }
    }
}
