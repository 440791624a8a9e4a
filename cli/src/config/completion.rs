//! What a configuration file says becomes what arguments are by default: so the command line has the first word, the environment
//! the second and the file the last, for every command that has the argument.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use snapfill::settings::config::{
    AuthConfig, BackfillConfig, Config, LoginConfig, SecretConfig, Sigv4Config, SourceConfig,
    TargetConfig, TrustConfig,
};
use snapfill::settings::{EcsFleetConfig, FleetConfig, KubernetesFleetConfig};

use super::secret::SecretPlace;

/// Stands for a secret of the file where the text of an argument stands.
const OF_FILE: &str = "(of the configuration file)";

/// Commands with this argument are told which documents go where and how.
const FILLS: &str = "rename-prefix";

/// What the file says of one argument.
#[derive(Clone)]
enum Said {
    Words(Vec<String>),
    Secret(SecretPlace),
}

/// What the file says, by the long names of arguments.
#[derive(Default)]
struct Sayings {
    everywhere: BTreeMap<&'static str, Said>,
    /// Only for commands that fill a target.
    filling: BTreeMap<&'static str, Said>,
}

/// The command line with what a configuration says.
pub(super) fn complete(command: Command, config: &Config, file: &Path) -> Command {
    let mut sayings = Sayings::of(config);
    sayings.say("configured-by", file.display());
    walk(command, &sayings)
}

fn walk(command: Command, sayings: &Sayings) -> Command {
    let fills = command.get_arguments().any(|argument| argument.get_long() == Some(FILLS));
    // A worker is one of as many as its fleet has.
    let is_worker = command.get_name() == "worker";
    let command = places(command, sayings).mut_args(|argument| {
        let Some(name) = argument.get_long() else { return argument };
        if name == "workers" && is_worker {
            return argument;
        }
        let filling = fills.then(|| sayings.filling.get(name)).flatten();
        match sayings.everywhere.get(name).or(filling).cloned() {
            Some(said) => said.of(argument),
            None => argument,
        }
    });
    command.mut_subcommands(|command| walk(command, sayings))
}

/// Arguments without a name: `REPO`, `SNAPSHOT` and `TARGET`, whose order is all that tells them apart. One that is typed alone
/// is the last of them where the file says the others.
fn places(command: Command, sayings: &Sayings) -> Command {
    let said = |argument: &Arg| match sayings.everywhere.get(argument.get_id().as_str()) {
        Some(Said::Words(words)) => words.first().cloned(),
        _ => None,
    };
    let places: Vec<(String, Option<String>)> = command
        .get_positionals()
        .map(|argument| (argument.get_id().to_string(), said(argument)))
        .collect();
    let is_said = |place: &(String, Option<String>)| place.1.is_some();
    let usable = match places.as_slice() {
        [_] | [_, _] => places.iter().any(is_said),
        more => !more.is_empty() && more.iter().all(is_said),
    };
    if !usable {
        return command;
    }
    let may_stand_alone = places.len() == 2 && places.first().is_some_and(is_said);
    places
        .into_iter()
        .filter_map(|(id, value)| Some((id, value?)))
        .fold(command, |command, (id, value)| {
            command.mut_arg(id, |argument| Said::Words(vec![value]).of(argument))
        })
        .allow_missing_positional(may_stand_alone)
}

impl Said {
    fn of(self, argument: Arg) -> Arg {
        let takes_values = argument.get_action().takes_values();
        let argument = argument.required(false).hide_default_value(takes_values);
        match self {
            Self::Words(words) => argument.default_values(words),
            Self::Secret(place) => argument.default_value(OF_FILE).value_parser(
                move |text: &str| -> Result<SecretPlace, Infallible> {
                    Ok(if text == OF_FILE { place.clone() } else { text.to_owned().into() })
                },
            ),
        }
    }
}

impl Sayings {
    fn of(config: &Config) -> Self {
        let mut sayings = Self::default();
        sayings.source(&config.source);
        if let Some(target) = &config.target {
            sayings.target(target);
        }
        if let Some(coordinator) = &config.coordinator {
            sayings.say("coordinator", &coordinator.endpoint);
            let names = ["coordinator-user", "coordinator-password-env"];
            sayings.login(coordinator.auth.as_ref(), names);
            sayings.trust(&coordinator.tls, ["coordinator-ca", "coordinator-allow-insecure"]);
        }
        if let Some(session) = &config.session {
            sayings.say("session", session.name());
        }
        sayings.path("state", config.state.as_ref());
        sayings.backfill(&config.backfill);
        match &config.fleet {
            Some(FleetConfig::Ecs(service)) => sayings.ecs(service),
            Some(FleetConfig::Kubernetes(pods)) => sayings.kubernetes(pods),
            _ => {}
        }
        sayings
    }

    fn say(&mut self, name: &'static str, value: impl ToString) {
        self.everywhere.insert(name, Said::Words(vec![value.to_string()]));
    }

    fn may_say(&mut self, name: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.say(name, value);
        }
    }

    /// A flag: there is no word for one that is off.
    fn flag(&mut self, name: &'static str, value: Option<bool>) {
        self.may_say(name, value.filter(|is_on| *is_on));
    }

    fn path(&mut self, name: &'static str, path: Option<&PathBuf>) {
        self.may_say(name, path.map(|path| path.display()));
    }

    fn secret(&mut self, name: &'static str, place: Option<&SecretConfig>) {
        if let Some(place) = place {
            let place = SecretPlace::Configured(place.clone());
            self.everywhere.insert(name, Said::Secret(place));
        }
    }

    fn source(&mut self, source: &SourceConfig) {
        self.may_say("repo", source.repository.as_ref());
        self.may_say("snapshot", source.snapshot.as_ref());
        self.may_say("base-path", source.base_path.as_ref());
        self.flag("allow-partial", source.allow_partial);
        self.may_say("remote-store", source.remote_store.as_ref());
        self.may_say("remote-store-base-path", source.remote_store_base_path.as_ref());
        self.flag("recovery-source", source.recovery_source);
        self.may_say("max-document-bytes", source.max_document_size.map(|size| size.0));
        let s3 = &source.s3;
        for (name, value) in [
            ("repo-region", &s3.region),
            ("repo-endpoint", &s3.endpoint),
            ("repo-profile", &s3.profile),
            ("repo-assume-role", &s3.role),
            ("repo-external-id", &s3.external_id),
            ("repo-role-session", &s3.role_session),
        ] {
            self.may_say(name, value.as_ref());
        }
        self.flag("repo-path-style", s3.path_style);
        self.flag("repo-anonymous", s3.anonymous);
        self.flag("repo-allow-http", s3.allow_http);
        if let Some(cluster) = &source.cluster {
            self.say("source", &cluster.endpoint);
            self.login(cluster.auth.as_ref(), ["source-user", "source-password-env"]);
            self.trust(&cluster.tls, ["source-ca", "source-allow-insecure"]);
        }
    }

    fn login(&mut self, auth: Option<&LoginConfig>, [user, password]: [&'static str; 2]) {
        if let Some(LoginConfig::Basic(basic)) = auth {
            self.say(user, &basic.user);
            self.secret(password, basic.password.as_ref());
        }
    }

    fn trust(&mut self, tls: &TrustConfig, [ca, allow_insecure]: [&'static str; 2]) {
        self.path(ca, tls.ca.as_ref());
        self.flag(allow_insecure, tls.allow_insecure);
    }

    fn target(&mut self, target: &TargetConfig) {
        self.say("target", &target.endpoint);
        let endpoints: Vec<String> = target.endpoints.iter().map(ToString::to_string).collect();
        self.list("target-endpoint", endpoints);
        match &target.auth {
            Some(AuthConfig::Basic(basic)) => {
                self.say("target-user", &basic.user);
                self.secret("target-password-env", basic.password.as_ref());
            }
            Some(AuthConfig::ApiKey(key)) => self.secret("target-api-key-env", Some(key)),
            Some(AuthConfig::Bearer(token)) => self.secret("target-token-env", Some(token)),
            Some(AuthConfig::Sigv4(signing)) => self.signing(signing),
            Some(elsewhere @ (AuthConfig::SecretsManager(_) | AuthConfig::KubernetesSecret(_))) => {
                let why = elsewhere.resolve().err();
                let why = why.map(|error| error.message().to_owned()).unwrap_or_default();
                self.say("target-user", "(in a secret)");
                let place = Said::Secret(SecretPlace::OutOfReach(why));
                self.everywhere.insert("target-password-env", place);
            }
            None => {}
        }
        self.path("target-ca", target.tls.ca.as_ref());
        self.path("target-cert", target.tls.certificate.as_ref());
        self.path("target-key", target.tls.key.as_ref());
        self.flag("allow-insecure", target.tls.allow_insecure);
        self.may_say("compress", target.compression.map(word));
        self.may_say("server-ids", target.server_ids.map(word));
        self.may_say("user-agent-extra", target.user_agent_extra.as_ref());
    }

    fn signing(&mut self, signing: &Sigv4Config) {
        self.say("target-aws-service", signing.service.name());
        for (name, value) in [
            ("target-aws-region", &signing.region),
            ("target-aws-profile", &signing.profile),
            ("target-aws-role", &signing.role),
            ("target-aws-external-id", &signing.external_id),
            ("target-aws-role-session", &signing.role_session),
            ("target-aws-domain", &signing.domain),
            ("target-aws-account", &signing.account),
            ("target-aws-collection", &signing.collection),
        ] {
            self.may_say(name, value.as_ref());
        }
    }

    fn ecs(&mut self, service: &EcsFleetConfig) {
        self.say("ecs-service", &service.service);
        self.say("ecs-cluster", &service.cluster);
        self.may_say("ecs-region", service.region.as_ref());
        self.may_say("ecs-endpoint", service.endpoint.as_ref());
        self.may_say("ecs-profile", service.profile.as_ref());
        self.may_say("ecs-role", service.role.as_ref());
        self.may_say("ecs-external-id", service.external_id.as_ref());
        self.flag("shared-folders", Some(service.shared_folders));
    }

    fn kubernetes(&mut self, pods: &KubernetesFleetConfig) {
        self.say("k8s-deployment", &pods.deployment);
        self.may_say("k8s-namespace", pods.namespace.as_ref());
        self.may_say("k8s-context", pods.context.as_ref());
        self.path("kubeconfig", pods.kubeconfig.as_ref());
        self.flag("shared-folders", Some(pods.shared_folders));
    }

    fn list(&mut self, name: &'static str, values: Vec<String>) {
        if !values.is_empty() {
            self.everywhere.insert(name, Said::Words(values));
        }
    }

    fn backfill(&mut self, backfill: &BackfillConfig) {
        let elsewhere = std::mem::take(&mut self.everywhere);
        self.backfill_settings(backfill);
        self.filling = std::mem::replace(&mut self.everywhere, elsewhere);
        self.list("allow-exception", backfill.allowed_exceptions.clone());
    }

    fn backfill_settings(&mut self, backfill: &BackfillConfig) {
        self.list("index", backfill.indices.clone());
        self.list("exclude", backfill.exclude.clone());
        self.may_say("max-docs-per-shard", backfill.max_docs_per_shard);
        self.may_say("split-bytes", backfill.split_size.map(|size| size.0));
        let rename = &backfill.rename;
        self.may_say("rename-prefix", rename.prefix.as_ref());
        let names = rename.names.iter().map(|(old, new)| format!("{old}={new}"));
        self.list("rename", names.collect());
        let patterns = rename.patterns.iter();
        let patterns = patterns.map(|one| format!("{}={}", one.pattern, one.replacement));
        self.list("rename-regex", patterns.collect());
        self.may_say("types", backfill.types.map(word));
        self.may_say("op", backfill.operation.map(word));
        self.may_say("create-indices", backfill.create_indices.map(word));
        self.may_say("unknown-fields", backfill.unknown_fields.map(word));
        self.may_say("replicas", backfill.replicas);
        self.flag("disable-refresh", backfill.disable_refresh);
        self.flag("defer-replicas", backfill.defer_replicas);
        self.may_say("workers", backfill.workers);
        self.may_say("lease", backfill.lease);
        self.may_say("max-failed", backfill.max_failed);
        self.may_say("failed-store", backfill.failed_store.as_ref());
        self.may_say("bulk-bytes", backfill.bulk.size.map(|size| size.0));
        self.may_say("bulk-documents", backfill.bulk.documents);
        self.may_say("bulks-in-flight", backfill.bulk.in_flight);
        self.may_say("max-docs-per-second", backfill.limits.documents_per_second);
        self.may_say("max-bytes-per-second", backfill.limits.bytes_per_second.map(|size| size.0));
    }
}

/// The word for a choice, the same in a file and on the command line.
fn word(choice: impl serde::Serialize) -> String {
    serde_json::to_value(choice)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
