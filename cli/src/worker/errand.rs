//! One run after another, as far as a worker is concerned: waited for, worked on, left.

use snapfill::controller::{BackfillController, LocalBackfill, RunEnd};
use snapfill::coordination::Standing;
use snapfill::settings::BackfillSettings;
use snapfill::{Error, ErrorKind};

use super::board::Board;
use super::options::{WhenDone, Worker};
use crate::backfill::place::{Place, settings};
use crate::exit::Failure;
use crate::reading::Reading;

/// What a worker has to do, and where.
pub(super) struct Errand {
    place: Place,
    session: String,
    workers: usize,
    /// Whose keys a bucket is read with: of this machine, and so not in the run.
    profile: Option<String>,
    /// The run to plan if nobody has.
    typed: Option<BackfillSettings>,
    stays: bool,
    /// The run was seen to its end.
    is_concluded: bool,
}

/// How a round ended, when no error ended it.
pub(super) enum Round {
    /// Nothing is left that anybody could work on, or the backfill was stopped.
    Worked,
    /// There was nothing to do, and why.
    Idle(String),
}

impl Errand {
    pub(super) async fn new(arguments: Worker) -> Result<Self, Failure> {
        let Worker { target, repo, snapshot, duty, how } = arguments;
        let place = Place::open(&target, &how).await?;
        let (session, workers) = (how.session.clone(), usize::from(how.workers));
        let profile = profile(&how.reading);
        let typed = repo.zip(snapshot);
        let typed = typed.map(|(repo, snapshot)| settings(repo, snapshot, how, place.folder()));
        let stays = duty.when_done == WhenDone::Stay;
        Ok(Self { place, session, workers, profile, typed, stays, is_concluded: false })
    }

    /// Works until nothing is left. One that stays does not begin where that is known to be in vain.
    pub(super) async fn round(&mut self, board: &Board) -> Result<Round, Failure> {
        let Some(settings) = self.settings().await? else {
            let message = "nothing is planned under this session: plan it by `backfill run`, or say what to do by --repo and \
                           --snapshot";
            if self.stays {
                return Ok(Round::Idle(message.to_owned()));
            }
            return Err(Error::new(ErrorKind::State, message).into());
        };
        let lease = settings.lease;
        let builder = LocalBackfill::builder(settings).with_tally(board.tally().clone());
        let backfill = self.place.fit(builder).build()?;
        if self.stays {
            match backfill.standing().await? {
                Standing::Stopping => return Ok(Round::Idle("the backfill is stopped".to_owned())),
                Standing::Finished if self.is_concluded => {
                    return Ok(Round::Idle("nothing is left to be done".to_owned()));
                }
                _ => {}
            }
        }
        self.is_concluded = false;
        board.begin(&backfill, lease);
        let ended = self.work(&backfill).await;
        board.end();
        ended.map(|()| Round::Worked)
    }

    async fn work(&mut self, backfill: &LocalBackfill) -> Result<(), Failure> {
        backfill.start().await?;
        let ended: Result<RunEnd, Error> = backfill.wait().await;
        match ended {
            // A stop sends workers away: that is no failure, and nothing is left for this one to do.
            Err(error) if error.kind() == ErrorKind::Cancelled && is_stopped(backfill).await? => {
                tracing::info!("the backfill was stopped: this worker let go what it held");
            }
            ended => {
                ended?;
                self.is_concluded = true;
            }
        }
        Ok(())
    }

    /// The run as its planner said; the one that was typed if nobody has planned.
    async fn settings(&self) -> Result<Option<BackfillSettings>, Failure> {
        let settings = match self.place.planned(&self.session).await? {
            Some(run) => Some(BackfillSettings::of_run(&run, self.place.folder())?),
            None => self.typed.clone(),
        };
        Ok(settings.map(|mut settings| {
            settings.workers = self.workers;
            settings.repository_options.s3.profile.clone_from(&self.profile);
            settings
        }))
    }
}

async fn is_stopped(backfill: &LocalBackfill) -> Result<bool, Error> {
    Ok(backfill.run().await?.is_none_or(|run| run.stopping))
}

#[cfg(feature = "s3")]
fn profile(reading: &Reading) -> Option<String> {
    reading.bucket.repo_profile.clone()
}

#[cfg(not(feature = "s3"))]
fn profile(_: &Reading) -> Option<String> {
    None
}
