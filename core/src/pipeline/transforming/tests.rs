use super::*;
use async_trait::async_trait;
use proptest::prelude::*;

use crate::testkit::samples::documents;

/// Answers as it was told, document by document.
#[derive(Debug)]
struct Told(Vec<Transformed>);

#[async_trait]
impl Transform for Told {
    async fn transform(&self, _: &str, _: u32, _: DocumentBatch) -> Result<Vec<Transformed>> {
        Ok(self.0.clone())
    }
}

async fn applied(answers: Vec<Transformed>, batch_size: (usize, usize)) -> Result<Made> {
    let read = documents(0..u32::try_from(answers.len()).unwrap());
    transforming(answers, batch_size).apply(read).await
}

fn transforming(answers: Vec<Transformed>, batch_size: (usize, usize)) -> Transforming {
    let transform = Arc::new(Told(answers));
    let route = Route::One("target".into());
    Transforming { transform, index: "source".into(), shard: 0, route, batch_size }
}

fn document(id: &str, source: &str) -> Document {
    Document {
        number: 77,
        id: id.to_owned(),
        doc_type: Some("changed".into()),
        routing: Some("r".to_owned()),
        parent: None,
        source: source.to_owned().into(),
    }
}

fn sent(made: &Made) -> Vec<Document> {
    made.batches.iter().flat_map(|batch| batch.documents().collect::<Vec<_>>()).collect()
}

async fn reason(answer: Vec<Document>) -> String {
    let made = applied(vec![Transformed::Documents(answer)], (1000, 10)).await.unwrap();
    let [refused] = &made.settled.failed[..] else { panic!("{made:?}") };
    assert!(made.batches.is_empty() && made.settled.books.failed == 1);
    assert_eq!((&*refused.index, &*refused.document.id), ("target", "d0"), "kept as it was read");
    assert_eq!(refused.error.error_type, "transform");
    refused.error.reason.clone()
}

#[tokio::test]
async fn what_is_made_of_a_document_keeps_its_number_and_type() {
    let answer =
        Transformed::Documents(vec![document("x", "{\n\"a\": 1.10}"), document("y", "{}")]);
    let made = applied(vec![Transformed::Documents(vec![]), answer], (1000, 10)).await.unwrap();
    let expected = |id, source| Document { number: 1, doc_type: None, ..document(id, source) };
    assert_eq!(sent(&made), [expected("x", "{ \"a\": 1.10}"), expected("y", "{}")]);
    let books = &made.settled.books;
    assert_eq!((books.skipped[&SkipReason::Filtered], books.added), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_sent_fails_alone_and_says_why() {
    let twice = vec![document("x", "{}"), document("y", "{}"), document("x", "{}")];
    assert!(reason(twice).await.contains("two documents of the id `x`"));
    assert!(reason(vec![document("", "{}")]).await.contains("without an id"));
    for source in ["", "[1]", "{\"a\":", "{\"a\":1}{", "{\"a\n\":1}", "null"] {
        let reason = reason(vec![document("x", source)]).await;
        assert!(reason.contains("`x` is not a JSON object"), "{source}: {reason}");
    }
}

#[tokio::test]
async fn a_source_that_is_left_alone_passes_whatever_it_is() {
    let source = b"{ \"old\": 1 /* a comment */ }";
    let batch: DocumentBatch =
        [crate::testkit::samples::document(0, "d0", source)].into_iter().collect();
    let answer = Transformed::Documents(batch.documents().collect());
    let made = transforming(vec![answer], (1000, 10)).apply(batch).await.unwrap();
    assert_eq!(&sent(&made)[0].source[..], source);
}

#[tokio::test]
async fn a_transform_must_answer_for_each_document() {
    let error = transforming(Vec::new(), (1, 1)).apply(documents(0..2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unexpected);
    assert!(error.message().contains("0 answers for 2 documents"), "{error}");
}

fn any_answer() -> impl Strategy<Value = Transformed> {
    let ids = prop::collection::vec("[a-d]{1,2}", 0..6);
    let made = ids.prop_map(|ids| {
        Transformed::Documents(ids.iter().map(|id| document(id, "{\"n\":1}")).collect())
    });
    prop_oneof![5 => made, 1 => Just(Transformed::Failed("no".to_owned()))]
}

proptest! {
    /// Whatever a transform answers, each document that was read is accounted for once what is made is written; nothing is
    /// lost on the way, and no request is larger than it may be.
    #[test]
    fn the_books_balance_whatever_it_answers(
        answers in prop::collection::vec(any_answer(), 1..40),
        most_bytes in 1_usize..200,
        most in 1_usize..9,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let made = runtime.block_on(applied(answers.clone(), (most_bytes, most))).unwrap();
        let mut books = made.settled.books.clone();
        prop_assert_eq!(books.failed as usize, made.settled.failed.len());
        books.written += sent(&made).len() as u64;
        prop_assert!(books.balance(answers.len() as u64).is_ok());
        for batch in &made.batches {
            prop_assert!(!batch.is_empty() && batch.len() <= most);
            prop_assert!(batch.len() == 1 || batch.bytes() <= most_bytes + batch.len());
        }
        let failed: Vec<u32> = made.settled.failed.iter().map(|one| one.document.number).collect();
        let mut expected = Vec::new();
        for (number, answer) in (0..).zip(answers) {
            if let Transformed::Documents(made) = answer && !failed.contains(&number) {
                expected.extend(made.into_iter().map(|one| (number, one.id)));
            }
        }
        let sent: Vec<_> = sent(&made).into_iter().map(|one| (one.number, one.id)).collect();
        prop_assert_eq!(sent, expected);
    }
}
