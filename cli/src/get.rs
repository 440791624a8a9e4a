//! `snapfill get`.

use snapfill::cluster::LocalCluster;
use snapfill::{Error, ErrorKind, write_hit};

use crate::arguments::Get;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) async fn run(arguments: Get, output: &Output) -> Result<Exit, Failure> {
    let cluster = LocalCluster::open_existing(&arguments.target)?;
    let found = cluster.get(&arguments.index, &arguments.id, arguments.routing.as_deref()).await?;
    let document = found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("no document `{}` in index `{}`", arguments.id, arguments.index),
        )
        .with_context("target", arguments.target.display())
    })?;
    let mut line = Vec::new();
    write_hit(&mut line, &arguments.index, &document.as_ref());
    output.line(&String::from_utf8_lossy(&line))?;
    Ok(Exit::Completed)
}
