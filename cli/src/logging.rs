//! What the program says on the side while it works: log lines on standard error.

use clap::{ArgAction, Args, ValueEnum};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

/// How much is logged, and how.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Log")]
pub(crate) struct Logging {
    /// How much to log on standard error [default: info for `worker` and for JSON, else off]
    #[arg(long, global = true, value_name = "LEVEL", value_enum, env = "SNAPFILL_LOG_LEVEL")]
    log_level: Option<Level>,
    /// Log more, where no level is said: -v is info, -vv debug, -vvv trace
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// How log lines look: text, or one JSON object a line
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t = Format::Text,
        env = "SNAPFILL_LOG_FORMAT"
    )]
    log_format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

impl Logging {
    /// Logs from now on. `talks`: a command whose log is what it has to say. The answer: whether everything on standard error
    /// is to be a log line.
    pub(crate) fn begin(self, talks: bool) -> bool {
        let is_json = self.log_format == Format::Json;
        let usual = match self.verbose {
            0 if talks || is_json => Level::Info,
            0 => Level::Off,
            1 => Level::Info,
            2 => Level::Debug,
            _ => Level::Trace,
        };
        let level = LevelFilter::from(self.log_level.unwrap_or(usual));
        // What libraries say of requests in detail holds headers, and these hold passwords.
        let targets = Targets::new()
            .with_default(level.min(LevelFilter::WARN))
            .with_targets(["snapfill", "snapfill_lucene"].map(|ours| (ours, level)));
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = if is_json {
            lines.json().with_span_list(false).with_filter(targets).boxed()
        } else {
            // Colours would need another crate, and without it they end a program that is on a terminal.
            lines.with_ansi(false).with_filter(targets).boxed()
        };
        let lines = tracing_subscriber::registry().with(lines);
        // Nobody has set another one: this is the beginning of the program.
        let _ = tracing::subscriber::set_global_default(lines);
        is_json && level > LevelFilter::OFF
    }
}
