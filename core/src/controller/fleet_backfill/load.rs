//! The target's indices before and after the load.

use super::Shared;
use crate::cluster::{Created, DataStreamDefinition, IndexDefinition};
use crate::controller::{Plan, RunEnd, Work};
use crate::coordination::Run;
use crate::preparation::{LoadRecord, PlannedTarget, Selection, Types};
use crate::retry::RetryPolicy;
use crate::{Error, ErrorKind, Result};

impl Shared {
    /// Makes the indices that are missing and has all of them do without what the load can do without. What is to be put
    /// back is in the run before.
    pub(super) async fn ready_indices(&self, mut run: Run, plan: &Plan) -> Result<Run> {
        self.record(plan).write(&mut run.settings);
        let run = self.coordinator.begin(&run).await?;
        let record = LoadRecord::of_run(&run.settings);
        for target in &plan.targets {
            let changes = record.put_back.get(&target.name).is_some_and(|back| !back.is_empty());
            self.ready_index(target, changes).await?;
        }
        Ok(run)
    }

    async fn ready_index(&self, target: &PlannedTarget, changes: bool) -> Result<()> {
        let during = self.settings.load.during();
        let mut there = true;
        if let (Some(definition), Some(stream)) = (&target.definition, &target.data_stream) {
            // Its definition goes on to backing indices that are made after the load.
            let definition = DataStreamDefinition {
                indices: definition.clone(),
                timestamp_field: stream.timestamp_field.clone(),
            };
            self.cluster.create_data_stream(&target.name, &definition).await?;
        } else if let Some(definition) = &target.definition {
            let definition = match (changes, definition.settings.as_object()) {
                (true, Some(settings)) => {
                    let mut settings = settings.clone();
                    settings.extend(during.clone());
                    IndexDefinition { settings: settings.into(), ..definition.clone() }
                }
                _ => definition.clone(),
            };
            let made = self.cluster.create_index(&target.name, &definition).await?;
            there = made == Created::AlreadyThere;
        }
        if there && changes {
            self.cluster.update_settings(&target.name, &during.into()).await?;
        }
        Ok(())
    }

    /// What is to be done in the end, as things stand before the first change.
    fn record(&self, plan: &Plan) -> LoadRecord {
        let mut record = LoadRecord::default();
        let (load, capability) = (self.settings.load, self.cluster.capability());
        let changes = capability.update_settings && !load.during().is_empty();
        if !changes && !capability.refresh {
            return record;
        }
        for target in &plan.targets {
            let settings = match (&target.definition, &target.existing) {
                (Some(definition), _) => definition.settings.as_object(),
                (None, Some(existing)) => existing.settings.as_ref(),
                (None, None) => None,
            };
            let back = settings.filter(|_| changes).map(|settings| load.to_put_back(settings));
            record.put_back.insert(target.name.clone(), back.unwrap_or_default());
            record.streams.extend(target.data_stream.as_ref().map(|_| target.name.clone()));
        }
        record
    }

    /// What is to be done once when no item is left. May be repeated.
    pub(super) async fn conclude(&self) -> Result<()> {
        self.verify_joins().await?;
        self.put_back().await
    }

    /// Puts back what the load did without and makes the documents show. May be repeated; an index that is gone is let be.
    pub(super) async fn put_back(&self) -> Result<()> {
        let Some(run) = self.store.run().await? else { return Ok(()) };
        let record = LoadRecord::of_run(&run.value.settings);
        if !record.is_open() {
            return Ok(());
        }
        let retry = RetryPolicy::default();
        for (index, settings) in &record.put_back {
            if !settings.is_empty() {
                let settings = settings.clone().into();
                let update = || self.cluster.update_settings(index, &settings);
                unless_gone(retry.run(&*self.clock, update).await)?;
            }
            unless_gone(retry.run(&*self.clock, || self.cluster.refresh(index)).await)?;
        }
        let done = |run: &mut Run| {
            let record = LoadRecord { done: true, ..LoadRecord::of_run(&run.settings) };
            record.write(&mut run.settings);
            Ok(())
        };
        self.coordinator.change_run(done).await.map(|_| ())
    }

    /// How the run ended. Where indices or types were allowed to become one, a document that replaced another is a loss, and
    /// so is one that was left out for another; and where a data stream was filled, one that was not written because another
    /// had its id.
    pub(super) async fn end_of(&self, work: &Work) -> Result<Option<RunEnd>> {
        match self.store.run().await? {
            Some(run) => Self::end_of_run(&run.value, work),
            None => Ok(work.end()),
        }
    }

    /// The same for a run that is known.
    pub(super) fn end_of_run(run: &Run, work: &Work) -> Result<Option<RunEnd>> {
        let end = work.end();
        if !Self::has_joined(run) {
            return Ok(None);
        }
        let books = &work.books;
        if end != Some(RunEnd::Completed) || books.overwritten + books.present == 0 {
            return Ok(end);
        }
        let merges = Selection::of_run(&run.selection)?.types == Types::Merge;
        let has_streams = !LoadRecord::of_run(&run.settings).streams.is_empty();
        let lost = merges || (has_streams && books.present > 0);
        Ok(if lost { Some(RunEnd::CompletedWithErrors) } else { end })
    }
}

fn unless_gone(result: Result<()>) -> Result<()> {
    let gone = |error: &Error| error.kind() == ErrorKind::NotFound;
    result.or_else(|error| if gone(&error) { Ok(()) } else { Err(error) })
}
