//! `snapfill snapshot …`.

pub(crate) mod cat;
pub(crate) mod describe;
pub(crate) mod list;
pub(crate) mod verify;

use snapfill::preparation::{Selection, Selector};
use snapfill::snapshot::{Repository, RepositoryOptions, Snapshot};

use crate::arguments::RepoSnapshot;
use crate::exit::Failure;

/// Opens a snapshot in a command that tells an unreadable one apart.
pub(crate) async fn open(
    repo: &str,
    name: &str,
    options: RepositoryOptions,
) -> Result<Snapshot, Failure> {
    let repository = Repository::open_with(repo, options).await.map_err(Failure::unreadable)?;
    repository.snapshot(name).await.map_err(Failure::unreadable)
}

impl RepoSnapshot {
    async fn open(self) -> Result<Snapshot, Failure> {
        open(&self.repo, &self.snapshot, self.reading.into()).await
    }
}

/// Refuses a selection that names an index which the snapshot does not hold, or that is none.
pub(crate) fn require_selected(snapshot: &Snapshot, selection: &Selection) -> Result<(), Failure> {
    let selector = Selector::new(selection).map_err(Failure::usage)?;
    match selector.absent(&snapshot.index_names()) {
        Some(absent) => require_indices(snapshot, &[absent.to_owned()]),
        None => Ok(()),
    }
}

/// Refuses indices that the snapshot does not hold.
pub(crate) fn require_indices(snapshot: &Snapshot, wanted: &[String]) -> Result<(), Failure> {
    let held = snapshot.index_names();
    match wanted.iter().find(|name| !held.contains(&name.as_str())) {
        None => Ok(()),
        Some(absent) => Err(Failure::nothing_selected(format!(
            "no index `{absent}` in snapshot `{}`; it holds {}",
            snapshot.name(),
            held.join(", ")
        ))),
    }
}
