//! Transforms and where the workers are.

use async_trait::async_trait;

use super::*;
use crate::fleet::{ProcessFleet, WorkerProgram};
use crate::{DocumentBatch, Transformed};

#[derive(Debug)]
struct AsTheyAre;

#[async_trait]
impl Transform for AsTheyAre {
    async fn transform(&self, _: &str, _: u32, batch: DocumentBatch) -> Result<Vec<Transformed>> {
        Ok(batch.documents().map(|one| Transformed::Documents(vec![one])).collect())
    }
}

#[tokio::test]
async fn workers_in_other_processes_cannot_have_a_transform() {
    let bench = Bench::new();
    let program = || WorkerProgram { program: "not run".into(), arguments: Vec::new() };
    let fleet = Arc::new(ProcessFleet::new(bench.dir.path(), program(), program()));
    let builder = || LocalBackfill::builder(bench.settings());
    builder().build_over(Arc::clone(&fleet)).unwrap();
    let transform = Arc::new(AsTheyAre);
    let error = builder().with_transform(transform).build_over(fleet).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("a transform is a function of this process"), "{error}");
}
