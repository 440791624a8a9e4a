//! The command line of one node.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::boot_path;
use crate::config::Folders;
use crate::error::{During, Result};
use crate::version::{Launch, Spec};

/// Keeps the node alive exactly as long as its standard input, whose other end we hold: the node
/// goes when we close it, and when our process ends in any way at all.
const GUARD: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{
    cat <&3 >/dev/null
    kill -TERM $server
    sleep 20
    kill -KILL $server
} 2>/dev/null &
guard=$!
exec 3<&-
wait $server
status=$?
kill $guard 2>/dev/null
exit $status
"#;

/// The command that runs the node in the foreground, guarded by its standard input.
pub(crate) fn command(
    spec: &Spec,
    home: &Path,
    java_home: &Path,
    folders: &Folders,
    heap_mb: u32,
) -> Result<Command> {
    let mut command = Command::new("sh");
    command.args(["-c", GUARD, "server"]);
    if spec.launch == Launch::Elasticsearch8 {
        command.arg(home.join("bin/elasticsearch"));
    } else {
        command.arg(java_home.join("bin/java"));
        command.args(common_flags(folders, heap_mb)).args(java_flags(spec, home, folders)?);
        command.arg("-cp").arg(class_path(spec, home)).arg(main_class(spec.launch));
        match spec.launch {
            Launch::Elasticsearch2 => {
                command.arg("start");
            }
            Launch::Elasticsearch5 => {
                command.arg(format!("-Epath.conf={}", folders.config.display()));
            }
            _ => {}
        }
    }
    set_environment(&mut command, java_home, folders);
    command.current_dir(&folders.base);
    Ok(command)
}

/// The flags of every node: small, quick to start, and nothing written outside its folders.
pub(crate) fn common_flags(folders: &Folders, heap_mb: u32) -> Vec<String> {
    vec![
        format!("-Xms{heap_mb}m"),
        format!("-Xmx{heap_mb}m"),
        "-XX:+UseSerialGC".to_owned(),
        "-XX:TieredStopAtLevel=1".to_owned(),
        format!("-Djava.io.tmpdir={}", folders.temporary.display()),
    ]
}

/// Elasticsearch 1 and 2 replace classes of Lucene by their own, so their own come first.
fn class_path(spec: &Spec, home: &Path) -> String {
    let mut parts = Vec::new();
    if matches!(spec.launch, Launch::Elasticsearch1 | Launch::Elasticsearch2) {
        parts.extend((spec.launch == Launch::Elasticsearch1).then(|| home.join(boot_path::FOLDER)));
        parts.push(home.join(format!("lib/elasticsearch-{}.jar", spec.number)));
    }
    parts.push(home.join("lib/*"));
    parts.iter().map(|part| part.display().to_string()).collect::<Vec<_>>().join(":")
}

/// What the servers from before Java's modules reach into.
const OPENED: &[&str] = &[
    "java.io",
    "java.lang",
    "java.net",
    "java.nio",
    "java.security",
    "java.util",
    "java.util.concurrent",
    "jdk.internal.misc",
    "jdk.internal.ref",
    "sun.nio.ch",
];

fn main_class(launch: Launch) -> &'static str {
    if launch.is_opensearch() {
        "org.opensearch.bootstrap.OpenSearch"
    } else {
        "org.elasticsearch.bootstrap.Elasticsearch"
    }
}

fn java_flags(spec: &Spec, home: &Path, folders: &Folders) -> Result<Vec<String>> {
    let product = if spec.launch.is_opensearch() { "opensearch" } else { "es" };
    let mut flags = vec![
        format!("-D{product}.path.home={}", home.display()),
        format!("-XX:ErrorFile={}/jvm-error.log", folders.logs.display()),
    ];
    let fixed: &[&str] = &[
        "-Xss1m",
        "-Dfile.encoding=UTF-8",
        "-Djava.awt.headless=true",
        "-Djna.nosys=true",
        "-Dio.netty.noUnsafe=true",
        "-Dio.netty.noKeySetOptimization=true",
        "-Dio.netty.recycler.maxCapacityPerThread=0",
        "-Dlog4j.shutdownHookEnabled=false",
        "-Dlog4j2.disable.jmx=true",
    ];
    flags.extend(fixed.iter().map(|&flag| flag.to_owned()));
    if spec.launch != Launch::Elasticsearch5 {
        flags.push(format!("-D{product}.path.conf={}", folders.config.display()));
    }
    if !spec.launch.is_before_modules() {
        flags.push(format!("-D{product}.distribution.type=zip"));
    }
    match spec.launch {
        Launch::OpenSearch => {
            flags.push(permit_everything(folders)?);
            flags.push("-Dopensearch.bundled_jdk=false".to_owned());
            if spec.major() == "2" {
                flags.push(
                    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory=\
                     org.opensearch.secure_sm.SecuredForkJoinWorkerThreadFactory"
                        .to_owned(),
                );
            }
        }
        Launch::OpenSearch3 => {
            flags.push(format!("-javaagent:{}/agent/opensearch-agent.jar", home.display()));
            flags.push("-Dopensearch.bundled_jdk=false".to_owned());
            flags.push("--add-modules=jdk.incubator.vector".to_owned());
            flags.push("--add-opens=java.base/java.nio=ALL-UNNAMED".to_owned());
        }
        Launch::Elasticsearch1 | Launch::Elasticsearch2 | Launch::Elasticsearch5 => {
            flags.extend(
                OPENED.iter().map(|part| format!("--add-opens=java.base/{part}=ALL-UNNAMED")),
            );
            match spec.launch {
                Launch::Elasticsearch1 => flags.push("-Des.foreground=yes".to_owned()),
                Launch::Elasticsearch5 => flags.push(permit_everything(folders)?),
                _ => {}
            }
        }
        Launch::Elasticsearch6 | Launch::Elasticsearch7 => {
            flags.push(permit_everything(folders)?);
            flags.push("-Des.distribution.flavor=oss".to_owned());
        }
        Launch::Elasticsearch8 => {}
    }
    Ok(flags)
}

/// A security policy for the servers that run under a security manager: the parts that come from
/// Maven Central carry none of their own.
fn permit_everything(folders: &Folders) -> Result<String> {
    let path = folders.config.join("java.policy");
    fs::write(&path, "grant { permission java.security.AllPermission; };\n")
        .during(|| format!("writing {}", path.display()))?;
    Ok(format!("-Djava.security.policy=file:{}", path.display()))
}

/// The environment, without what would lead the node to somebody else's configuration.
fn set_environment(command: &mut Command, java_home: &Path, folders: &Folders) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["ES_", "OPENSEARCH_", "JAVA_", "CLI_JAVA_"].iter().any(|start| text.starts_with(start))
        {
            command.env_remove(&name);
        }
    }
    command.env("HOME", &folders.base);
    command.env("JAVA_HOME", java_home).env("ES_JAVA_HOME", java_home);
    command.env("ES_PATH_CONF", &folders.config).env("ES_TMPDIR", &folders.temporary);
    command.env("LIBFFI_TMPDIR", &folders.temporary);
    // The script's own, second JVM.
    command.env("CLI_JAVA_OPTS", common_flags(folders, 64).join(" "));
}
