//! `snapfill backfill failed summary`.

use snapfill::failed::FailureGroup;

use crate::exit::{Exit, Failure};
use crate::output::{Output, count_of, grouped, table};

use super::{Summary, on_one_line};

pub(crate) async fn run(arguments: Summary, output: &Output) -> Result<Exit, Failure> {
    let summary = arguments.run.open().await?.summary().await?;
    if output.is_json() {
        output.print_json(&summary)?;
        return Ok(Exit::Completed);
    }
    output.line(&count_of(summary.total, "failed document"))?;
    if summary.groups.is_empty() {
        return Ok(Exit::Completed);
    }
    output.line("")?;
    output.line(&groups_table(&summary.groups))?;
    for group in &summary.groups {
        let [index, word, id, reason] =
            [&group.index, &group.error_type, &group.example_id, &group.example_reason]
                .map(|text| on_one_line(text));
        output.line("")?;
        output.line(&format!("{index}, {word}, for example `{id}`: {reason}"))?;
        output.line(&format!("  What helps: {}", group.remedy))?;
    }
    Ok(Exit::Completed)
}

fn groups_table(groups: &[FailureGroup]) -> String {
    let rows = groups.iter().map(|group| {
        vec![
            on_one_line(&group.index),
            group.class.to_string(),
            grouped(group.documents),
            on_one_line(&group.error_type),
        ]
    });
    table(&["index", "class", "documents", "reason"], rows.collect(), &[2])
}
