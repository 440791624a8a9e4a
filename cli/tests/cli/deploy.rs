//! What `deploy/` ships: images, ECS, IAM, Kubernetes. Each file is read as strictly as those who will read it, and what it gives
//! to the program is given to the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, Namespace, PodSpec, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use snapfill_tests::platform::FakeCluster;

use crate::program::{command, snapfill};
use crate::worker::Running;

/// Whom the image runs as.
const USER: &str = "65532:65532";

const STATE: &str = "/var/lib/snapfill";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(name: &str) -> String {
    let file = root().join("deploy").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn json(name: &str) -> Value {
    serde_json::from_str(&read(name)).unwrap()
}

/// The documents of a YAML file, by their kinds.
fn manifests(name: &str) -> BTreeMap<String, Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(&read(name)).unwrap();
    let kind = |value: &Value| value["kind"].as_str().unwrap().to_owned();
    documents.into_iter().map(|value| (kind(&value), value)).collect()
}

/// A manifest as Kubernetes reads it. A field that it would not know is gone when it is written again.
fn strictly<T: DeserializeOwned + Serialize>(value: &Value) -> T {
    let read: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&read).unwrap(), value, "there are fields of no meaning");
    read
}

/// The variables that the worker knows, as its help lists them.
fn known_variables() -> BTreeSet<String> {
    let help = snapfill(["worker", "--help"]).ends_with(0).stdout;
    let names = help.split("[env: ").skip(1).map(|rest| {
        let end = rest.find([']', '=']).unwrap();
        rest[..end].trim().to_owned()
    });
    names.collect()
}

/// Gives the program what a container gives it, against a cluster where nothing is planned, and sees that it stays or ends.
fn try_worker(arguments: &[String], variables: &BTreeMap<String, String>, stays: bool) {
    let known = known_variables();
    let passwords = ["SNAPFILL_TARGET_PASSWORD"];
    for name in variables.keys() {
        assert!(known.contains(name) || passwords.contains(&&**name), "no flag is set by {name}");
    }
    let cluster = FakeCluster::start();
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(arguments);
    command.envs(variables).env("SNAPFILL_TARGET", cluster.url());
    command.env("SNAPFILL_COORDINATOR", "local").env("SNAPFILL_STATE", folder.path());
    command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    if arguments.iter().any(|word| word == "--listen") {
        let any = arguments.iter().map(|word| word.replace("0.0.0.0:9464", "127.0.0.1:0"));
        command = {
            let mut again = std::process::Command::new(command.get_program());
            again
                .args(any)
                .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            again.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
            again
        };
    }
    let mut running = Running::start(command);
    if stays {
        running.wait_for("nothing is planned under this session");
        running.terminate();
        assert_eq!(running.end().0, Some(143));
    } else {
        let (code, said) = running.end();
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("/snapshots"), "the repository that it names is not here: {said}");
    }
}

#[test]
fn the_image_holds_the_program_and_runs_it_as_nobody() {
    let text = read("Dockerfile").replace("\\\n", " ");
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let instructions: Vec<(&str, &str)> = lines.map(|line| line.split_once(' ').unwrap()).collect();
    let known = [
        "FROM",
        "RUN",
        "WORKDIR",
        "COPY",
        "ENV",
        "VOLUME",
        "USER",
        "EXPOSE",
        "STOPSIGNAL",
        "ENTRYPOINT",
        "CMD",
    ];
    for (name, _) in &instructions {
        assert!(known.contains(name), "{name}");
    }
    let last_stage = instructions.iter().rposition(|(name, _)| *name == "FROM").unwrap();
    let (build, image) = instructions.split_at(last_stage);
    let toolchain = std::fs::read_to_string(root().join("rust-toolchain.toml")).unwrap();
    let version = toolchain.split('"').nth(1).unwrap();
    let minor = version.rsplit_once('.').unwrap().0;
    assert_eq!(build[0].1, format!("rust:{minor}-alpine AS build"));
    assert!(text.contains(&format!("RUSTUP_TOOLCHAIN={version} ")), "another Rust than ours");
    assert!(text.contains("cargo build --release --locked -p snapfill-cli"));
    assert_eq!(image[0].1, "scratch");
    for (_, copied) in image.iter().filter(|(name, _)| *name == "COPY") {
        assert!(copied.starts_with("--from=build "), "{copied}");
    }
    let only = |wanted: &str| {
        let mut found = image.iter().filter(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let value = found.next().unwrap_or_else(|| panic!("no {wanted}"));
        assert_eq!(found.next(), None);
        value
    };
    assert_eq!((only("USER"), only("VOLUME")), (USER, STATE));
    assert_eq!(only("ENV"), format!("SNAPFILL_STATE={STATE}"));
    let entry: Vec<String> = serde_json::from_str(only("ENTRYPOINT")).unwrap();
    let program = image.iter().any(|(_, copied)| copied.ends_with(&format!(" {}", entry[0])));
    assert!(program, "{entry:?} is not in the image");
    assert_eq!(only("CMD"), r#"["worker"]"#);
}

#[test]
fn what_the_image_is_built_from_is_sent_to_its_build() {
    let ignored = read("Dockerfile.dockerignore");
    let sent: BTreeSet<_> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest.split_once("members = [").unwrap().1.split_once(']').unwrap().0;
    for member in members.split('"').skip(1).step_by(2) {
        let folder = member.split('/').next().unwrap();
        assert!(sent.contains(folder), "{member} is a member of the workspace, and not sent");
        assert!(root().join(member).join("Cargo.toml").is_file());
    }
    assert!(sent.contains("Cargo.toml") && sent.contains("Cargo.lock"));
}

#[test]
fn the_task_definition_gives_the_worker_what_it_understands() {
    let definition = json("ecs/task-definition.json");
    let known = BTreeSet::from([
        "family",
        "requiresCompatibilities",
        "networkMode",
        "cpu",
        "memory",
        "runtimePlatform",
        "executionRoleArn",
        "taskRoleArn",
        "volumes",
        "containerDefinitions",
    ]);
    assert_eq!(keys(&definition), known);
    let container = &definition["containerDefinitions"][0];
    let known = BTreeSet::from([
        "name",
        "image",
        "essential",
        "command",
        "environment",
        "portMappings",
        "mountPoints",
        "user",
        "readonlyRootFilesystem",
        "linuxParameters",
        "stopTimeout",
        "logConfiguration",
    ]);
    assert_eq!(keys(container), known);
    assert_eq!(
        (&container["user"], &container["readonlyRootFilesystem"]),
        (&USER.into(), &true.into())
    );
    assert_eq!(container["mountPoints"][0]["containerPath"], STATE);
    let arguments: Vec<String> = serde_json::from_value(container["command"].clone()).unwrap();
    assert_grace(&arguments, container["stopTimeout"].as_u64().unwrap());
    let variable = |value: &Value| {
        let text = |key: &str| value[key].as_str().unwrap().to_owned();
        (text("name"), text("value"))
    };
    let variables = container["environment"].as_array().unwrap().iter().map(variable).collect();
    try_worker(&arguments, &variables, true);
    let service = json("ecs/service.json");
    assert_eq!(
        (&service["taskDefinition"], &service["desiredCount"]),
        (&definition["family"], &0.into())
    );
}

/// Less than what kills the container.
fn assert_grace(arguments: &[String], killed_after: u64) {
    let place = arguments.iter().position(|word| word == "--grace").unwrap();
    let grace: u64 = arguments[place + 1].strip_suffix('s').unwrap().parse().unwrap();
    assert!(grace < killed_after);
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The actions of a policy, which must allow them by name and on something.
fn actions(name: &str) -> BTreeSet<String> {
    let policy = json(name);
    assert_eq!(policy["Version"], "2012-10-17");
    let mut all = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        let listed = match &statement["Action"] {
            Value::String(action) => vec![action.clone()],
            listed => serde_json::from_value(listed.clone()).unwrap(),
        };
        // What AWS lets nobody narrow down, and what is narrowed by a condition.
        let wide = ["cloudwatch:GetMetricData", "ecr:GetAuthorizationToken", "ecs:ListTasks"];
        if statement["Resource"] == "*" {
            assert!(listed.iter().all(|action| wide.contains(&&**action)), "{statement}");
        }
        all.extend(listed);
    }
    assert!(all.iter().all(|action| !action.contains('*')), "{name}: {all:?}");
    all
}

/// What reads like an action of AWS in the sources and pages that a user is told by.
fn named_actions() -> BTreeSet<String> {
    let mut text = std::fs::read_to_string(root().join("docs/aws.md")).unwrap();
    let mut folders = vec![root().join("core/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.to_str().unwrap().contains("/tests");
            if path.is_dir() {
                folders.push(path);
            } else if !is_test && path.extension().is_some_and(|ending| ending == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != ':');
    let services = ["aoss", "cloudwatch", "ecs", "es", "s3", "sts"];
    let is_action = |word: &&str| {
        word.split_once(':').is_some_and(|(service, action)| {
            services.contains(&service)
                && action.starts_with(|letter: char| letter.is_ascii_uppercase())
                && action.chars().all(|letter| letter.is_ascii_alphanumeric())
        })
    };
    words.filter(is_action).map(str::to_owned).collect()
}

#[test]
fn policies_allow_what_the_program_names_and_nothing_else() {
    let (task, controller) =
        (actions("ecs/iam/task-role.json"), actions("ecs/iam/controller-role.json"));
    let named = named_actions();
    for action in task.union(&controller) {
        assert!(named.contains(action), "nothing names {action}");
    }
    // Collections and roles that are assumed are no part of the example.
    let left_out = |action: &&String| action.starts_with("aoss:") || action.starts_with("sts:");
    for action in named.iter().filter(|action| !left_out(action)) {
        assert!(task.contains(action) || controller.contains(action), "no policy allows {action}");
    }
    assert!(task.iter().all(|action| !action.starts_with("ecs:")), "workers start no workers");
    let execution = actions("ecs/iam/execution-role.json");
    assert!(
        execution.iter().all(|action| action.starts_with("ecr:") || action.starts_with("logs:"))
    );
    let trust = json("ecs/iam/trust-policy.json");
    assert_eq!(trust["Statement"][0]["Principal"]["Service"], "ecs-tasks.amazonaws.com");
}

/// As the namespace asks of every pod, and as the image is.
fn assert_restricted(pod: &PodSpec) {
    let context = pod.security_context.as_ref().unwrap();
    assert_eq!((context.run_as_non_root, context.run_as_user), (Some(true), Some(65_532)));
    assert_eq!(context.seccomp_profile.as_ref().unwrap().type_, "RuntimeDefault");
    assert_eq!(pod.automount_service_account_token, Some(false), "workers ask Kubernetes nothing");
    for container in &pod.containers {
        let context = container.security_context.as_ref().unwrap();
        assert_eq!(context.allow_privilege_escalation, Some(false));
        assert_eq!(context.read_only_root_filesystem, Some(true));
        let dropped = context.capabilities.as_ref().unwrap().drop.as_ref().unwrap();
        assert_eq!(dropped, &["ALL"]);
        let mounts = container.volume_mounts.as_ref().unwrap();
        assert!(mounts.iter().any(|mount| mount.mount_path == STATE));
        let names: BTreeSet<_> = pod.volumes.iter().flatten().map(|volume| &volume.name).collect();
        assert!(mounts.iter().all(|mount| names.contains(&mount.name)));
    }
}

/// The variables of a container; what comes from a secret has some value.
fn variables(container: &Container) -> BTreeMap<String, String> {
    let of = |variable: &k8s_openapi::api::core::v1::EnvVar| {
        let is_secret = variable.value_from.is_some();
        assert_eq!(is_secret, variable.name.ends_with("PASSWORD"), "{}", variable.name);
        let value = if is_secret { "hunter2".into() } else { variable.value.clone().unwrap() };
        (variable.name.clone(), value)
    };
    container.env.iter().flatten().map(of).collect()
}

#[test]
fn the_deployment_gives_the_worker_what_it_understands() {
    let manifests = manifests("kubernetes/worker.yaml");
    let account: ServiceAccount = strictly(&manifests["ServiceAccount"]);
    let deployment: Deployment = strictly(&manifests["Deployment"]);
    assert_eq!(manifests.len(), 2);
    let spec = deployment.spec.unwrap();
    assert_eq!(spec.replicas, Some(0), "a controller says how many");
    let pod = spec.template.spec.unwrap();
    assert_restricted(&pod);
    assert_eq!(pod.service_account_name, account.metadata.name);
    let labels = spec.template.metadata.unwrap().labels;
    assert_eq!(spec.selector.match_labels, labels);
    let worker = &pod.containers[0];
    for probe in [&worker.liveness_probe, &worker.readiness_probe] {
        let asked = probe.as_ref().unwrap().http_get.as_ref().unwrap();
        assert_eq!(asked.path.as_deref(), Some("/healthz"));
    }
    let port = worker.ports.as_ref().unwrap()[0].container_port;
    let arguments = worker.args.as_ref().unwrap();
    assert!(arguments.contains(&format!("0.0.0.0:{port}")), "probes ask another port");
    assert_grace(arguments, u64::try_from(pod.termination_grace_period_seconds.unwrap()).unwrap());
    try_worker(arguments, &variables(worker), true);
}

#[test]
fn the_job_gives_the_worker_what_it_understands() {
    let manifests = manifests("kubernetes/examples/job.yaml");
    let job: Job = strictly(&manifests["Job"]);
    let pod = job.spec.unwrap().template.spec.unwrap();
    assert_restricted(&pod);
    let worker = &pod.containers[0];
    try_worker(worker.args.as_ref().unwrap(), &variables(worker), false);
}

#[test]
fn the_controller_may_do_what_the_program_asks_for_and_nothing_else() {
    let namespace: Namespace = strictly(&manifests("kubernetes/namespace.yaml")["Namespace"]);
    let manifests = manifests("kubernetes/controller.yaml");
    let account: ServiceAccount = strictly(&manifests["ServiceAccount"]);
    let role: Role = strictly(&manifests["Role"]);
    let binding: RoleBinding = strictly(&manifests["RoleBinding"]);
    assert_eq!(account.metadata.namespace, namespace.metadata.name);
    assert_eq!(Some(&binding.role_ref.name), role.metadata.name.as_ref());
    let subject = &binding.subjects.unwrap()[0];
    assert_eq!(Some(&subject.name), account.metadata.name.as_ref());
    let mut allowed = BTreeSet::new();
    for rule in role.rules.unwrap() {
        for resource in rule.resources.unwrap() {
            allowed.extend(rule.verbs.iter().map(|verb| format!("`{verb}` | `{resource}`")));
        }
    }
    // The table of rights in the fleet's own page.
    let page = root().join("core/src/fleet/kubernetes/mod.rs");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let rights: BTreeSet<_> = rows
        .filter_map(|row| {
            let mut cells = row.split(" | ");
            let (verb, resource) = (cells.next()?, cells.next()?);
            cells.next()?;
            Some(format!("`{verb} | {resource}"))
        })
        .collect();
    assert_eq!(allowed, rights);
}
