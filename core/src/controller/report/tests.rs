//! Reports from figures, and what they look like.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::Report;
use super::make::Gathered;
use super::plan_record::{PlanRecord, PlanWarning, PlannedFill};
use crate::controller::{BackfillStatus, Counts, FailedWork, IndexWork, RunEnd, Work};
use crate::coordination::{Run, Session, SnapshotName, StoreTime};
use crate::failed::{FailedSummary, FailureClass, FailureGroup};
use crate::{Books, SkipReason};

fn index(name: &str, live: u64, change: impl FnOnce(&mut Books)) -> IndexWork {
    let mut books = Books { bytes: live * 100, ..Books::default() };
    change(&mut books);
    IndexWork {
        index: name.to_owned(),
        shards: Counts { total: 2, completed: 2, ..Counts::default() },
        documents_done: live,
        documents_total: live,
        bytes_done: live,
        bytes_total: live,
        live,
        books,
    }
}

/// Two indices that become one, one that goes to two, and one that had documents before.
fn gathered() -> Gathered {
    let indices = vec![
        index("logs-1", 1000, |books| {
            books.written = 990;
            books.skip(SkipReason::SourceDisabled, 10);
        }),
        index("logs-2", 500, |books| (books.written, books.overwritten) = (500, 20)),
        index("people", 2_000_000, |books| (books.written, books.failed) = (1_999_997, 3)),
        index("types", 30, |books| books.written = 30),
    ];
    let mut work = Work {
        shards: Counts { total: 8, completed: 8, ..Counts::default() },
        started: Some(1_764_000_010),
        finished: Some(1_764_000_110),
        indices,
        ..Work::default()
    };
    for index in &work.indices {
        work.books.add(&index.books);
    }
    let fill = |sources: &[&str], before| PlannedFill {
        sources: sources.iter().map(|source| (*source).to_owned()).collect(),
        before: Some(before),
    };
    let record = PlanRecord {
        targets: BTreeMap::from([
            ("logs".to_owned(), fill(&["logs-1", "logs-2"], 0)),
            ("people".to_owned(), fill(&["people"], 7)),
            ("types-a".to_owned(), fill(&["types"], 0)),
            ("types-b".to_owned(), fill(&["types"], 0)),
        ]),
        warnings: vec![PlanWarning { index: "logs-1".into(), warning: "no source".into() }],
        more_warnings: 0,
    };
    let snapshot = SnapshotName { name: "nightly".into(), uuid: "u-1".into() };
    let selection = json!({"types": "merge"});
    let mut run =
        Run::new(Session::default(), snapshot, "file:///backup/", "http://a:9200", selection);
    run.created_at = StoreTime::from_secs(1_764_000_000);
    run.settings = json!({"how": {"lease": 60}, "secretOfSomebody": "hunter2"});
    record.write(&mut run.settings);
    let group = FailureGroup {
        index: "people".into(),
        class: FailureClass::Mapping,
        error_type: "mapper_parsing_exception".into(),
        documents: 2,
        example_id: "7".into(),
        example_ids: vec!["7".into(), "9".into()],
        example_reason: "a|b".into(),
        remedy: FailureClass::Mapping.remedy(),
    };
    let counted = [("logs", 1470), ("people", 2_000_006), ("types-a", 20), ("types-b", 10)];
    Gathered {
        run,
        work,
        status: BackfillStatus::Stopped,
        end: Some(RunEnd::CompletedWithErrors),
        archive: None,
        counted: counted.map(|(index, count)| (index.to_owned(), Ok(count))).into(),
        failures: Ok(FailedSummary { total: 2, groups: vec![group] }),
        is_idempotent: true,
        now: 1_764_000_200,
    }
}

#[test]
fn the_json_form_is_kept() {
    let report = serde_json::to_value(gathered().report()).unwrap();
    let names: Vec<_> = report.as_object().unwrap().keys().map(String::as_str).collect();
    let expected: BTreeSet<_> = [
        "format_version",
        "version",
        "made",
        "session",
        "snapshot",
        "repository",
        "target",
        "status",
        "end",
        "archive",
        "begun",
        "ended",
        "shards",
        "live",
        "books",
        "balanced",
        "documents_per_second",
        "bytes_per_second",
        "indices",
        "targets",
        "failures",
        "given_up",
        "warnings",
        "settings",
        "notes",
    ]
    .into();
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(report["format_version"], 1);
    assert_eq!(report["end"], "completed_with_errors");
    assert_eq!((&report["balanced"], &report["live"]), (&json!(true), &json!(2_001_530)));
    assert_eq!(report["documents_per_second"], 20_015);
    assert_eq!(report["settings"], json!({"selection": {"types": "merge"}, "how": {"lease": 60}}));
    let check = &report["targets"][1];
    assert_eq!(check["targets"], json!([{"index": "people", "before": 7, "documents": 2_000_006}]));
    assert_eq!(check["redriven"], 1, "three failed, and two still do");
    assert_eq!((&check["expected"], &check["difference"]), (&json!(2_000_005), &json!(1)));
    assert_eq!(
        report["failures"]["groups"][0]["example_ids"],
        json!(["7", "9"]),
        "and not only one of them"
    );
}

#[test]
fn the_markdown_form_reads_as_printed() {
    let report = Report { version: "0.1.0".to_owned(), ..gathered().report() };
    let markdown = report.to_markdown();
    assert_eq!(markdown, include_str!("tests/report.md"), "\n{markdown}");
}

/// The cells of the table below a title, by row and column.
fn cells(markdown: &str, title: &str) -> Vec<Vec<String>> {
    let section = markdown.split(&format!("\n## {title}\n")).nth(1).unwrap();
    section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

#[test]
fn the_table_adds_up_and_its_columns_stand_below_each_other() {
    let markdown = gathered().report().to_markdown();
    let rows = cells(&markdown, "Documents");
    let number = |cell: &str| cell.replace(' ', "").parse::<u64>().unwrap();
    let (header, figures) = (&rows[0], &rows[2..]);
    let (total, indices) = figures.split_last().unwrap();
    for column in ["live", "written", "failed", "skipped", "overwritten", "present"] {
        let place = header.iter().position(|name| name == column).unwrap();
        let sum: u64 = indices.iter().map(|row| number(&row[place])).sum();
        assert_eq!(sum, number(&total[place]), "{column}");
    }
    for line in markdown.lines().filter(|line| line.starts_with("| ")) {
        assert!(line.ends_with(" |"), "{line}");
    }
    for title in ["Documents", "What the target holds"] {
        let section = markdown.split(&format!("\n## {title}\n")).nth(1).unwrap();
        let lines = section.lines().skip(1).take_while(|line| line.starts_with('|'));
        let widths: BTreeSet<_> = lines.map(|line| line.chars().count()).collect();
        assert_eq!(widths.len(), 1, "{title}");
    }
}

#[test]
fn a_difference_is_explained_by_what_the_books_know() {
    type Change = fn(&mut Gathered);
    let cases: [(Change, Option<i64>, &str); 7] = [
        (|_| {}, Some(1), "1 more than the books explain: somebody else wrote there"),
        (|gathered| gathered.is_idempotent = false, Some(1), "the target gives ids of its own"),
        (
            |gathered| {
                gathered.counted.insert("people".into(), Ok(2_000_000));
            },
            Some(-5),
            "5 fewer than the books explain",
        ),
        (
            |gathered| {
                gathered.counted.insert("people".into(), Ok(2_000_005));
            },
            Some(0),
            "as the books say: 2 were refused",
        ),
        (
            |gathered| {
                gathered.counted.insert("people".into(), Err("no such index".into()));
            },
            None,
            "could not be counted",
        ),
        (
            |gathered| {
                gathered.end = None;
                gathered.work.indices[2].shards.incomplete = 1;
            },
            None,
            "not compared before all shards are done",
        ),
        (
            |gathered| {
                gathered.end = Some(RunEnd::Failed);
                let shards = &mut gathered.work.indices[2].shards;
                (shards.incomplete, shards.failed) = (1, 1);
            },
            Some(1),
            "behind its last checkpoint",
        ),
    ];
    for (change, difference, explanation) in cases {
        let mut gathered = gathered();
        change(&mut gathered);
        let report = gathered.report();
        let check = report.targets.iter().find(|check| check.sources == ["people"]).unwrap();
        assert_eq!(check.difference, difference, "{explanation}");
        assert!(check.explanation.contains(explanation), "{explanation}: {}", check.explanation);
    }
}

#[test]
fn what_cannot_be_told_is_a_note() {
    let mut gathered = gathered();
    gathered.failures = Err("the folder is gone".into());
    gathered.end = None;
    gathered.work.items.failed = 2;
    gathered.work.failed = vec![FailedWork {
        index: "people".into(),
        shard: 1,
        reason: "_0.fdt is\ndamaged".into(),
        worker: None,
        attempts: 3,
    }];
    gathered.run.settings = json!({});
    let report = gathered.report();
    assert_eq!(report.notes.len(), 4, "{:?}", report.notes);
    assert!(report.targets.is_empty() && report.failures.is_none());
    let markdown = report.to_markdown();
    assert!(markdown.contains("- the failed documents cannot be read: the folder is gone\n"));
    assert!(markdown.contains("| people |     1 |        3 | _0.fdt is damaged |\n"), "{markdown}");
    assert!(markdown.contains("**Not done**: 8 of 8 shards done."), "{markdown}");
}
