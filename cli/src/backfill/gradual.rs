//! `snapfill backfill scale N --gradual`: step by step, as long as the target is well.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use snapfill::cluster::HealthStatus;
use snapfill::controller::{
    BackfillController, Event, GradualOptions, GradualScaling, GradualStep, StepSize,
};

use crate::exit::{Exit, Failure};
use crate::output::{Output, write_failed};

use super::following::following;
use super::run::refused;

/// How a fleet is scaled step by step.
#[derive(Debug, Args)]
#[command(next_help_heading = "Step by step")]
pub(crate) struct Gradual {
    /// Add workers step by step while the target is well, hold or step back while it is not, and say why; ends when there
    /// are N and the target is still well. A Ctrl-C leaves the workers as they are
    #[arg(long)]
    gradual: bool,
    /// Workers that a step adds, or `double`: as many as there are
    #[arg(long, value_name = "N|double", default_value = "double", requires = "gradual", value_parser = step)]
    step: StepSize,
    /// Seconds that the target must have been well since the last step
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "gradual", value_parser = clap::value_parser!(u64).range(1..))]
    settle: u64,
    /// Processor in use on the busiest node of the target up to which workers are added; halfway from there to 100 they are
    /// taken away
    #[arg(long, value_name = "PERCENT", default_value_t = 80, requires = "gradual", value_parser = percent())]
    max_cpu: u8,
    /// The same for the heap
    #[arg(long, value_name = "PERCENT", default_value_t = 85, requires = "gradual", value_parser = percent())]
    max_heap: u8,
    /// The same for how full the write queue is
    #[arg(long, value_name = "PERCENT", default_value_t = 50, requires = "gradual", value_parser = percent())]
    max_queue: u8,
    /// The worst colour of the target with which workers are added
    #[arg(long, value_name = "COLOUR", value_enum, default_value_t = Colour::Green, requires = "gradual")]
    worst_status: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    Green,
    Yellow,
    Red,
}

fn step(text: &str) -> Result<StepSize, String> {
    match (text, text.parse()) {
        ("double", _) => Ok(StepSize::Double),
        (_, Ok(workers @ 1..)) => Ok(StepSize::By(workers)),
        _ => Err("give a number of workers, or `double`".to_owned()),
    }
}

fn percent() -> clap::builder::RangedI64ValueParser<u8> {
    clap::value_parser!(u8).range(1..=100)
}

impl Gradual {
    /// The options, if it is to be step by step.
    pub(super) fn options(&self) -> Option<GradualOptions> {
        self.gradual.then(|| GradualOptions {
            step: self.step,
            settle: Duration::from_secs(self.settle),
            max_cpu_percent: self.max_cpu,
            max_heap_percent: self.max_heap,
            max_queue_percent: self.max_queue,
            worst_status: match self.worst_status {
                Colour::Green => HealthStatus::Green,
                Colour::Yellow => HealthStatus::Yellow,
                Colour::Red => HealthStatus::Red,
            },
            ..GradualOptions::default()
        })
    }

    /// Whether standard output is a stream of steps.
    pub(crate) fn streams(&self) -> bool {
        self.gradual
    }
}

/// Scales, and prints a line a step.
pub(super) async fn scale(
    backfill: impl BackfillController + 'static,
    goal: usize,
    options: GradualOptions,
    output: &Output,
) -> Result<Exit, Failure> {
    let backfill = Arc::new(backfill);
    let mut scaling = GradualScaling::new(backfill.clone(), goal, options)?;
    loop {
        let next = async { Ok(scaling.next().await.map_err(refused)) };
        let warned = |event: &Event| {
            if let Event::Warning { index, warning } = event {
                output.remark(&format!("{index}: {warning}"));
            }
            Ok(())
        };
        let Some(step) = following(backfill.events(), next, warned).await?? else {
            return Ok(Exit::Completed);
        };
        match output.is_json() {
            true => print_json(&step, output)?,
            false => output.line(&step.to_string())?,
        }
    }
}

fn print_json(step: &GradualStep, output: &Output) -> Result<(), Failure> {
    let mut stream = output.stream();
    let written = serde_json::to_writer(&mut stream, step)
        .map_err(std::io::Error::from)
        .and_then(|()| stream.write_all(b"\n"))
        .and_then(|()| stream.flush());
    Ok(written.map_err(write_failed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_some_workers_or_as_many_as_there_are() {
        assert_eq!(step("double"), Ok(StepSize::Double));
        assert_eq!(step("3"), Ok(StepSize::By(3)));
        assert!(step("0").is_err() && step("half").is_err());
    }
}
