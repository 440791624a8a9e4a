//! The folders and configuration files of one node.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{During, Result};
use crate::security::Security;
use crate::server::Options;
use crate::version::{Launch, Spec};

/// The folders of one node, all below one.
#[derive(Debug)]
pub(crate) struct Folders {
    pub(crate) base: PathBuf,
    pub(crate) config: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) logs: PathBuf,
    pub(crate) temporary: PathBuf,
    /// At least one.
    pub(crate) repos: Vec<PathBuf>,
}

impl Folders {
    pub(crate) fn create(base: &Path, repos: &[PathBuf]) -> Result<Self> {
        let own = [base.join("repo")];
        let folders = Folders {
            base: base.to_owned(),
            config: base.join("config"),
            data: base.join("data"),
            logs: base.join("logs"),
            temporary: base.join("tmp"),
            repos: if repos.is_empty() { own.to_vec() } else { repos.to_vec() },
        };
        let all = [&folders.config, &folders.data, &folders.logs, &folders.temporary];
        for folder in all.into_iter().chain(&folders.repos) {
            fs::create_dir_all(folder).during(|| format!("making {}", folder.display()))?;
        }
        Ok(folders)
    }

    /// Where the node's own output goes.
    pub(crate) fn console(&self) -> PathBuf {
        self.logs.join("console.log")
    }
}

const LOG4J: &str = "status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
";

/// The same for Elasticsearch 1 and 2, which are older than log4j 2.
const LOGGING_YAML: &str = r#"rootLogger: INFO, out
appender:
  out:
    type: console
    layout:
      type: consolePattern
      conversionPattern: "[%d{ISO8601}][%-5p][%c{1}] %m%n"
"#;

/// Writes the node's configuration.
pub(crate) fn write(
    spec: &Spec,
    folders: &Folders,
    ports: (u16, u16),
    options: &Options,
) -> Result<()> {
    let product = if spec.launch.is_opensearch() { "opensearch" } else { "elasticsearch" };
    let mut settings = settings(spec, folders, ports);
    if options.security {
        settings.extend(Security::settings());
    } else if spec.security_plugin().is_some() {
        settings.insert("plugins.security.disabled".to_owned(), json!(true));
    }
    settings.extend(options.settings.iter().cloned());
    let (log_name, log) = match spec.launch {
        Launch::Elasticsearch1 | Launch::Elasticsearch2 => ("logging.yml", LOGGING_YAML),
        _ => ("log4j2.properties", LOG4J),
    };
    let mut files =
        vec![(format!("{product}.yml"), yaml(&settings)), (log_name.to_owned(), log.to_owned())];
    if spec.launch == Launch::Elasticsearch8 {
        let flags = crate::launch::common_flags(folders, options.heap_mb);
        files.push(("jvm.options".to_owned(), flags.join("\n") + "\n"));
    }
    for (name, text) in files {
        let path = folders.config.join(name);
        fs::write(&path, text).during(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn settings(
    spec: &Spec,
    folders: &Folders,
    (http, transport): (u16, u16),
) -> BTreeMap<String, Value> {
    let mut settings = BTreeMap::new();
    let mut set = |name: &str, value: Value| settings.insert(name.to_owned(), value);
    set("cluster.name", json!(format!("test-{}", spec.name)));
    set("node.name", json!("node-1"));
    set("network.host", json!("127.0.0.1"));
    set("http.port", json!(http));
    set("path.data", json!(folders.data));
    set("path.logs", json!(folders.logs));
    set("path.repo", json!(folders.repos));
    set("cluster.routing.allocation.disk.threshold_enabled", json!(false));
    let transport_port = match spec.launch {
        Launch::Elasticsearch1
        | Launch::Elasticsearch2
        | Launch::Elasticsearch5
        | Launch::Elasticsearch6 => "transport.tcp.port",
        _ => "transport.port",
    };
    set(transport_port, json!(transport));
    if matches!(spec.launch, Launch::Elasticsearch1 | Launch::Elasticsearch2) {
        // They know of no single node: this one finds itself and nobody else.
        set("discovery.zen.ping.unicast.hosts", json!(format!("127.0.0.1:{transport}")));
    } else {
        set("discovery.type", json!("single-node"));
    }
    match spec.launch {
        Launch::Elasticsearch1 => {
            set("discovery.zen.ping.multicast.enabled", json!(false));
        }
        Launch::Elasticsearch5 | Launch::Elasticsearch7 | Launch::OpenSearch => {
            set("bootstrap.system_call_filter", json!(false));
        }
        Launch::Elasticsearch6 => {
            set("bootstrap.system_call_filter", json!(false));
            for part in ["security", "ml", "watcher", "monitoring"] {
                set(&format!("xpack.{part}.enabled"), json!(false));
            }
        }
        Launch::Elasticsearch2 | Launch::Elasticsearch8 | Launch::OpenSearch3 => {}
    }
    // 7.10.2 is the Apache-licensed build, which has no such setting.
    let has_xpack = matches!(spec.launch, Launch::Elasticsearch7 | Launch::Elasticsearch8)
        && spec.number != "7.10.2";
    if has_xpack {
        set("xpack.security.enabled", json!(false));
    }
    settings
}

/// A flat mapping as YAML; every JSON value is a YAML value.
fn yaml(settings: &BTreeMap<String, Value>) -> String {
    settings.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    #[test]
    fn settings_are_those_the_version_knows() {
        let base = tempfile::tempdir().unwrap();
        let folders = Folders::create(base.path(), &[]).unwrap();
        let text = |version: Version| yaml(&settings(version.spec(), &folders, (1, 2)));
        let opensearch = text(Version::OpenSearch2_19_6);
        assert!(opensearch.contains("\nhttp.port: 1\n"), "{opensearch}");
        assert!(opensearch.contains("\ntransport.port: 2\n"), "{opensearch}");
        assert!(!opensearch.contains("xpack"));
        assert!(!text(Version::Elasticsearch7_10_2).contains("xpack"));
        assert!(text(Version::Elasticsearch8_19_21).contains("xpack.security.enabled: false\n"));
        let oldest = text(Version::Elasticsearch1_7_6);
        assert!(oldest.contains("\ntransport.tcp.port: 2\n"), "{oldest}");
        assert!(!oldest.contains("discovery.type"), "{oldest}");
    }
}
