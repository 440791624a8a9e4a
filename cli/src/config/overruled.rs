//! What of a file does not count any more, because something that it belongs to was said otherwise: credentials for one target
//! are not sent to another.

use clap::ArgMatches;
use clap::parser::ValueSource;
use snapfill::settings::config::{AuthConfig, Config, SourceConfig, TargetConfig};

/// Ways to log in to a target; one that is typed takes the place of the file's.
const LOGINS: [&str; 4] = ["user", "api_key_env", "token_env", "service"];

/// Takes out of the configuration what does not count any more. Says whether there was anything.
pub(super) fn take_out(config: &mut Config, matches: &ArgMatches) -> bool {
    let before = config.clone();
    let mut innermost = matches;
    while let Some((_, inner)) = innermost.subcommand() {
        innermost = inner;
    }
    let typed = Typed(innermost);
    if let Some(target) = &mut config.target {
        if typed.otherwise("target", &target.endpoint.to_string()) {
            config.target = None;
        } else if LOGINS.iter().any(|name| typed.is_another_login(name, target)) {
            target.auth = None;
        }
    }
    let SourceConfig { repository, snapshot, .. } = &config.source;
    if typed.is_there("source") {
        config.source = SourceConfig::default();
    } else if let Some(repository) = repository
        && typed.otherwise("repo", repository)
    {
        config.source = SourceConfig { snapshot: snapshot.clone(), ..SourceConfig::default() };
    } else if typed.is_there("repo") {
        config.source.cluster = None;
    }
    if let Some(coordinator) = &config.coordinator
        && typed.otherwise("coordinator", &coordinator.endpoint.to_string())
    {
        config.coordinator = None;
    }
    if typed.is_there("ecs_service") || typed.is_there("k8s_deployment") {
        config.fleet = None;
    }
    *config != before
}

/// What was typed, or said by the environment.
struct Typed<'a>(&'a ArgMatches);

impl Typed<'_> {
    fn is_there(&self, id: &str) -> bool {
        let known = self.0.ids().any(|known| known.as_str() == id);
        let source = known.then(|| self.0.value_source(id)).flatten();
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    }

    fn words(&self, id: &str) -> Option<String> {
        let words = self.0.try_get_raw(id).ok().flatten()?;
        Some(words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
    }

    /// Whether something else was typed than the file says.
    fn otherwise(&self, id: &str, said: &str) -> bool {
        let plain = |text: &str| text.trim_end_matches('/').to_owned();
        self.is_there(id) && self.words(id).is_some_and(|typed| plain(&typed) != plain(said))
    }

    /// Whether a login was typed that is not the file's. A worker that is started for the run of the file is told both.
    fn is_another_login(&self, id: &str, target: &TargetConfig) -> bool {
        match &target.auth {
            Some(AuthConfig::Basic(basic)) if id == "user" => self.otherwise(id, &basic.user),
            Some(AuthConfig::Sigv4(signing)) if id == "service" => {
                self.otherwise(id, signing.service.name())
            }
            _ => self.is_there(id),
        }
    }
}
