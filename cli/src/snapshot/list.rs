//! `snapfill snapshot list`.

use serde_json::json;
use snapfill::snapshot::Repository;

use crate::exit::{Exit, Failure};
use crate::output::{Output, table};
use crate::reading::Repo;

pub(crate) async fn run(arguments: Repo, output: &Output) -> Result<Exit, Failure> {
    let location = arguments.repo.clone();
    let repository = Repository::open_with(&location, arguments.into()).await?;
    let snapshots = repository.snapshots();
    if output.is_json() {
        output
            .print_json(&json!({ "repository": repository.location(), "snapshots": snapshots }))?;
        return Ok(Exit::Completed);
    }
    if snapshots.is_empty() {
        output.line("The repository holds no snapshot.")?;
        return Ok(Exit::Completed);
    }
    let rows = snapshots.into_iter().map(|snapshot| {
        vec![
            snapshot.name,
            snapshot.state.unwrap_or("-").to_owned(),
            snapshot.version.unwrap_or_else(|| "-".to_owned()),
            snapshot.indices.to_string(),
            snapshot.uuid,
        ]
    });
    output.line(&table(
        &["snapshot", "state", "version", "indices", "uuid"],
        rows.collect(),
        &[3],
    ))?;
    Ok(Exit::Completed)
}
