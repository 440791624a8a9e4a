//! `snapfill get`.

use snapfill::cluster::{ClusterClient, ClusterClientExt, LocalCluster};
use snapfill::{Error, ErrorKind, write_hit};

use crate::arguments::Get;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) async fn run(arguments: Get, output: &Output) -> Result<Exit, Failure> {
    let folder = arguments.target.folder()?;
    let cluster = LocalCluster::open_existing(&folder)?;
    if !cluster.has_index(&arguments.index).await? {
        return Err(no_index(&cluster, &arguments.index)
            .await?
            .with_context("target", folder.display())
            .into());
    }
    let found = cluster.get(&arguments.index, &arguments.id, arguments.routing.as_deref()).await?;
    let document = found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("no document `{}` in index `{}`", arguments.id, arguments.index),
        )
        .with_context("target", folder.display())
    })?;
    let mut line = Vec::new();
    write_hit(&mut line, &arguments.index, &document.as_ref());
    output.line(&String::from_utf8_lossy(&line))?;
    Ok(Exit::Completed)
}

async fn no_index(cluster: &LocalCluster, index: &str) -> snapfill::Result<Error> {
    let held: Vec<_> = cluster.cat_indices().await?.into_iter().map(|row| row.index).collect();
    let held = if held.is_empty() { "none".to_owned() } else { held.join(", ") };
    let message = format!("no index `{index}` in the target; it holds {held}");
    Ok(Error::new(ErrorKind::NotFound, message))
}
