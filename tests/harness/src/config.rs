//! The folders and configuration files of one node.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{During, Result};
use crate::version::{Launch, Spec};

/// The folders of one node, all below one.
#[derive(Debug)]
pub(crate) struct Folders {
    pub(crate) base: PathBuf,
    pub(crate) config: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) logs: PathBuf,
    pub(crate) temporary: PathBuf,
    pub(crate) repo: PathBuf,
}

impl Folders {
    pub(crate) fn create(base: &Path, repo: Option<&Path>) -> Result<Self> {
        let folders = Folders {
            base: base.to_owned(),
            config: base.join("config"),
            data: base.join("data"),
            logs: base.join("logs"),
            temporary: base.join("tmp"),
            repo: repo.map_or_else(|| base.join("repo"), Path::to_owned),
        };
        let all =
            [&folders.config, &folders.data, &folders.logs, &folders.temporary, &folders.repo];
        for folder in all {
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

/// Writes the node's configuration.
pub(crate) fn write(spec: &Spec, folders: &Folders, ports: (u16, u16), heap_mb: u32) -> Result<()> {
    let product = if spec.launch.is_opensearch() { "opensearch" } else { "elasticsearch" };
    let mut files = vec![
        (format!("{product}.yml"), yaml(&settings(spec, folders, ports))),
        ("log4j2.properties".to_owned(), LOG4J.to_owned()),
    ];
    if spec.launch == Launch::Elasticsearch8 {
        let flags = crate::launch::common_flags(folders, heap_mb);
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
) -> Vec<(&'static str, Value)> {
    let mut settings = vec![
        ("cluster.name", json!(format!("test-{}", spec.name))),
        ("node.name", json!("node-1")),
        ("network.host", json!("127.0.0.1")),
        ("http.port", json!(http)),
        ("transport.port", json!(transport)),
        ("discovery.type", json!("single-node")),
        ("path.data", json!(folders.data)),
        ("path.logs", json!(folders.logs)),
        ("path.repo", json!([folders.repo])),
        ("cluster.routing.allocation.disk.threshold_enabled", json!(false)),
    ];
    if matches!(spec.launch, Launch::OpenSearch | Launch::Elasticsearch7) {
        settings.push(("bootstrap.system_call_filter", json!(false)));
    }
    // 7.10.2 is the Apache-licensed build, which has no such setting.
    let has_xpack = matches!(spec.launch, Launch::Elasticsearch7 | Launch::Elasticsearch8)
        && spec.number != "7.10.2";
    if has_xpack {
        settings.push(("xpack.security.enabled", json!(false)));
    }
    settings
}

/// A flat mapping as YAML; every JSON value is a YAML value.
fn yaml(settings: &[(&str, Value)]) -> String {
    settings.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    #[test]
    fn settings_are_those_the_version_knows() {
        let base = tempfile::tempdir().unwrap();
        let folders = Folders::create(base.path(), None).unwrap();
        let text = |version: Version| yaml(&settings(version.spec(), &folders, (1, 2)));
        let opensearch = text(Version::OpenSearch2_19_6);
        assert!(opensearch.contains("\nhttp.port: 1\ntransport.port: 2\n"), "{opensearch}");
        assert!(!opensearch.contains("xpack"));
        assert!(!text(Version::Elasticsearch7_10_2).contains("xpack"));
        assert!(text(Version::Elasticsearch8_19_21).contains("xpack.security.enabled: false\n"));
    }
}
