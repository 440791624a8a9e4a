use std::time::Duration;

use super::*;
use crate::SkipReason;

mod exploration;
mod properties;

const NOW: StoreTime = StoreTime(1_000_000);

fn rules() -> LeaseRules {
    LeaseRules::default()
}

fn item() -> WorkItem {
    WorkItem::new("books", 0, 100..200)
}

fn at(item: &WorkItem, next: u32) -> Progress {
    Progress {
        checkpoint: Checkpoint { next, sent: next, ..Checkpoint::default() },
        books: Books { written: u64::from(next - item.first), ..Books::default() },
        ..Progress::default()
    }
}

fn token(item: &WorkItem) -> LeaseToken {
    let worker = item.lease_holder.clone().unwrap_or_default();
    LeaseToken { worker, version: item.lease_version }
}

fn acquired(item: &WorkItem, worker: &str, now: StoreTime) -> Result<WorkItem, LeaseRefusal> {
    apply(item, now, &LeaseEvent::Acquire { worker: worker.into() }, &rules())
}

fn taken() -> (WorkItem, LeaseToken) {
    let item = acquired(&item(), "w", NOW).unwrap();
    let lease = token(&item);
    (item, lease)
}

fn renewed(item: &WorkItem, lease: &LeaseToken, next: u32) -> Result<WorkItem, LeaseRefusal> {
    let event = LeaseEvent::Renew { lease: lease.clone(), progress: at(item, next) };
    apply(item, NOW, &event, &rules())
}

fn completed(item: &WorkItem, lease: &LeaseToken, live: u64) -> Result<WorkItem, LeaseRefusal> {
    let progress = at(item, item.end);
    let event = LeaseEvent::Complete { lease: lease.clone(), progress, live };
    apply(item, NOW, &event, &rules())
}

fn failed(item: &WorkItem, cause: FailureCause, next: u32) -> WorkItem {
    let progress = at(item, next);
    let event = LeaseEvent::Fail { lease: token(item), cause, reason: "bad".into(), progress };
    apply(item, NOW, &event, &rules()).unwrap()
}

fn reaped(item: &WorkItem, holder: &str) -> Result<WorkItem, LeaseRefusal> {
    apply(item, NOW, &LeaseEvent::Reap { holder: holder.into() }, &rules())
}

#[test]
fn a_free_item_is_leased_for_the_length_of_a_lease() {
    let (item, _) = taken();
    assert_eq!(item.lease_holder.as_deref(), Some("w"));
    assert_eq!(item.expiration, NOW.plus(rules().length));
    assert_eq!(item.started_at, Some(NOW));
}

#[test]
fn a_lease_ends_on_a_whole_second_and_never_early() {
    let item = acquired(&item(), "w", StoreTime(1_000_001)).unwrap();
    assert_eq!(item.expiration, StoreTime(1_061_000));
}

#[test]
fn a_running_lease_is_left_alone_until_the_margin_is_over() {
    let (item, _) = taken();
    let end = item.expiration.plus(rules().margin);
    assert_eq!(acquired(&item, "v", end), Err(LeaseRefusal::Held { holder: "w".into() }));
    let after = acquired(&item, "v", StoreTime(end.0 + 1)).unwrap();
    assert_eq!((after.lease_holder.as_deref(), after.deaths), (Some("v"), 1));
}

#[test]
fn a_holder_may_not_lease_its_item_again() {
    let (item, _) = taken();
    assert!(acquired(&item, "w", NOW).is_err());
}

#[test]
fn an_earlier_lease_of_the_same_worker_is_worth_nothing() {
    let (item, old) = taken();
    let item = failed(&item, FailureCause::Outside, 100);
    let item = acquired(&item, "w", NOW).unwrap();
    assert!(matches!(renewed(&item, &old, 150), Err(LeaseRefusal::NotHolder { .. })));
    assert!(renewed(&item, &token(&item), 150).is_ok());
}

#[test]
fn a_lease_that_ran_out_may_go_on_if_nobody_took_it() {
    let (item, lease) = taken();
    let late = item.expiration.plus(Duration::from_secs(100));
    let event = LeaseEvent::Renew { lease, progress: at(&item, 120) };
    let item = apply(&item, late, &event, &rules()).unwrap();
    assert_eq!(item.expiration, late.plus(rules().length));
}

#[test]
fn a_clock_set_back_does_not_shorten_a_lease() {
    let (item, lease) = taken();
    let event = LeaseEvent::Renew { lease, progress: at(&item, 120) };
    let again = apply(&item, StoreTime(1000), &event, &rules()).unwrap();
    assert_eq!(again.expiration, item.expiration);
}

#[test]
fn a_checkpoint_never_goes_back_nor_past_the_end() {
    let (item, lease) = taken();
    let item = renewed(&item, &lease, 150).unwrap();
    assert!(matches!(renewed(&item, &lease, 149), Err(LeaseRefusal::Checkpoint { .. })));
    assert!(matches!(renewed(&item, &lease, 201), Err(LeaseRefusal::Checkpoint { .. })));
}

#[test]
fn what_may_have_been_sent_is_never_forgotten() {
    let (item, lease) = taken();
    let mut progress = at(&item, 110);
    progress.checkpoint.sent = 180;
    let event = LeaseEvent::Release { lease, progress };
    let item = apply(&item, NOW, &event, &rules()).unwrap();
    let item = acquired(&item, "v", NOW).unwrap();
    let item = renewed(&item, &token(&item), 120).unwrap();
    assert_eq!((item.checkpoint.next, item.checkpoint.sent), (120, 180));
}

#[test]
fn books_may_not_exceed_the_prefix_nor_shrink() {
    let (item, lease) = taken();
    let mut progress = at(&item, 110);
    progress.books.written = 11;
    let event = LeaseEvent::Renew { lease: lease.clone(), progress: progress.clone() };
    assert!(matches!(apply(&item, NOW, &event, &rules()), Err(LeaseRefusal::Books { .. })));
    let item = renewed(&item, &lease, 110).unwrap();
    progress.books.written = 9;
    let event = LeaseEvent::Renew { lease, progress };
    assert!(matches!(apply(&item, NOW, &event, &rules()), Err(LeaseRefusal::Books { .. })));
}

#[test]
fn completion_needs_the_end_and_balanced_books() {
    let (item, lease) = taken();
    let short = LeaseEvent::Complete { lease: lease.clone(), progress: at(&item, 199), live: 99 };
    assert!(matches!(apply(&item, NOW, &short, &rules()), Err(LeaseRefusal::Unfinished { .. })));
    let refusal = completed(&item, &lease, 99).unwrap_err();
    assert!(matches!(refusal, LeaseRefusal::Unbalanced(_)));
    assert_eq!(refusal.into_error(&item).kind(), ErrorKind::Incomplete);
    let done = completed(&item, &lease, 100).unwrap();
    assert_eq!((done.completed_at, done.live), (Some(NOW), Some(100)));
    assert_eq!((done.expiration, done.lease_holder), (StoreTime::ZERO, None));
}

#[test]
fn skipped_documents_balance_too() {
    let (item, lease) = taken();
    let mut progress = at(&item, 200);
    progress.books.written = 60;
    progress.books.skip(SkipReason::SourceDisabled, 10);
    let event = LeaseEvent::Complete { lease, progress, live: 70 };
    assert!(apply(&item, NOW, &event, &rules()).is_ok());
}

#[test]
fn the_last_word_may_be_said_twice() {
    let (item, lease) = taken();
    let done = completed(&item, &lease, 100).unwrap();
    assert_eq!(completed(&done, &lease, 100).unwrap(), done);
    let stranger = LeaseToken { worker: "v".into(), version: lease.version };
    assert!(completed(&done, &stranger, 100).is_err());

    let event = LeaseEvent::Fail {
        lease,
        cause: FailureCause::Item,
        reason: "bad".into(),
        progress: at(&item, 100),
    };
    let once = apply(&item, NOW, &event, &rules()).unwrap();
    assert_eq!(apply(&once, NOW, &event, &rules()).unwrap(), once);
    assert_eq!(once.attempts, 1);
}

#[test]
fn only_faults_of_the_item_without_progress_count() {
    let (item, _) = taken();
    assert_eq!(failed(&item, FailureCause::Outside, 100).attempts, 0);
    assert_eq!(failed(&item, FailureCause::Item, 150).attempts, 0);
    let mut item = failed(&item, FailureCause::Item, 100);
    for attempts in 1..=2 {
        assert_eq!((item.attempts, item.quarantined), (attempts, false));
        item = failed(&acquired(&item, "w", NOW).unwrap(), FailureCause::Item, 100);
    }
    assert_eq!((item.attempts, item.quarantined), (3, true));
    assert_eq!((item.expiration, item.completed_at), (StoreTime::ZERO, None));
    assert_eq!(acquired(&item, "w", NOW), Err(LeaseRefusal::Quarantined("bad".into())));
}

#[test]
fn progress_clears_what_was_counted() {
    let (item, _) = taken();
    let item = failed(&item, FailureCause::Item, 100);
    let item = reaped(&acquired(&item, "w", NOW).unwrap(), "w").unwrap();
    let item = acquired(&item, "w", NOW).unwrap();
    assert_eq!((item.attempts, item.deaths), (1, 1));
    let item = renewed(&item, &token(&item), 101).unwrap();
    assert_eq!((item.attempts, item.deaths), (0, 0));
}

#[test]
fn a_failure_with_broken_books_still_counts() {
    let (item, lease) = taken();
    let mut progress = at(&item, 110);
    progress.books.written = 999;
    let event =
        LeaseEvent::Fail { lease, cause: FailureCause::Item, reason: "bad".into(), progress };
    let item = apply(&item, NOW, &event, &rules()).unwrap();
    assert_eq!((item.attempts, item.checkpoint.next, item.books.written), (1, 100, 0));
}

#[test]
fn an_item_that_kills_every_worker_is_given_up() {
    let (mut item, _) = taken();
    for deaths in 1..=10 {
        item = reaped(&item, "w").unwrap();
        assert_eq!((item.deaths, item.quarantined), (deaths, deaths == 10));
        if !item.quarantined {
            item = acquired(&item, "w", NOW).unwrap();
        }
    }
    assert!(item.last_error.unwrap().contains("10 workers vanished"));
}

#[test]
fn the_last_death_may_be_found_by_who_comes_next() {
    let (mut item, _) = taken();
    item.deaths = 9;
    let item = acquired(&item, "v", item.expiration.plus(Duration::from_secs(9))).unwrap();
    assert_eq!((item.quarantined, item.lease_holder), (true, None));
}

#[test]
fn only_the_holder_is_reaped() {
    let (item, _) = taken();
    assert!(reaped(&item, "v").is_err());
    assert_eq!(reaped(&item, "w").unwrap().lease_holder, None);
}

#[test]
fn a_reopened_item_starts_where_it_was() {
    let (item, lease) = taken();
    let mut item = renewed(&item, &lease, 150).unwrap();
    (item.quarantined, item.attempts, item.lease_holder) = (true, 3, None);
    let item = apply(&item, NOW, &LeaseEvent::Reopen, &rules()).unwrap();
    assert_eq!((item.quarantined, item.attempts, item.checkpoint.next), (false, 0, 150));
    assert!(acquired(&item, "w", NOW).is_ok());
    let done = completed(&taken().0, &lease, 100).unwrap();
    assert_eq!(apply(&done, NOW, &LeaseEvent::Reopen, &rules()), Err(LeaseRefusal::Completed));
}

#[test]
fn a_refuted_item_keeps_its_books_and_is_read_anew_when_reopened() {
    let (item, lease) = taken();
    let done = completed(&item, &lease, 100).unwrap();
    let refute = LeaseEvent::Refute { reason: "a checksum differs".into() };
    let refuted = apply(&done, NOW, &refute, &rules()).unwrap();
    assert_eq!((refuted.is_completed(), refuted.quarantined), (false, true));
    assert_eq!((&refuted.books, refuted.checkpoint.next), (&done.books, done.end));
    assert_eq!(apply(&refuted, NOW, &refute, &rules()).unwrap(), refuted, "said twice");
    let reopened = apply(&refuted, NOW, &LeaseEvent::Reopen, &rules()).unwrap();
    assert_eq!((reopened.checkpoint.next, reopened.checkpoint.sent), (done.first, done.end));
    assert_eq!(reopened.books, Books::default());
}
