//! What a working state comes to that lies in a file.

use std::path::Path;

use super::read::{Entry, Reading};
use crate::coordination::totals::TotalsBuilder;
use crate::coordination::{ItemTotals, Run, StoreTime};
use crate::{Error, ErrorKind, Result};

/// The run of an archive whose checksum is known, and the sums of its items as of `at`.
///
/// # Errors
/// `NotFound` when there is no such file, `Corrupt` when it is damaged or another one.
pub(crate) async fn summary(file: &Path, sha256: &str, at: StoreTime) -> Result<(Run, ItemTotals)> {
    if !file.exists() {
        let message = format!(
            "the backfill was stopped and archived in {}, which is not there any more: put it back",
            file.display()
        );
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    let mut reading = Reading::begin(file);
    let (mut run, mut totals) = (None, TotalsBuilder::new(at));
    while let Some(entries) = reading.next().await {
        for entry in entries {
            match entry {
                Entry::Run(found) => run = Some(*found),
                Entry::Item(item) => totals.add(&item),
            }
        }
    }
    let seen = reading.finish().await?;
    match run {
        Some(run) if seen.sha256 == sha256 => Ok((run, totals.finish())),
        _ => {
            let message = format!(
                "{} is not the archive of this backfill: its checksum is another",
                file.display()
            );
            Err(Error::new(ErrorKind::Corrupt, message))
        }
    }
}
