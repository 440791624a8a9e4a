//! Modules that a distribution lacks. The test distributions of OpenSearch 1 and 2 and of
//! Elasticsearch 7 hold next to none, but most are on Maven Central as jars.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use zip::ZipArchive;

use crate::error::{During, Error, Result};
use crate::maven::{self, HOW_TO_GET_MAVEN};
use crate::version::Spec;

/// A module as its project publishes it.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its folder, and the name that others extend it by.
    name: &'static str,
    /// The start of its plugin class's name: `X` for `XPlugin` and `XModulePlugin`.
    class: &'static str,
    /// Whether its artifact is called `NAME-client`.
    is_client: bool,
    /// The module whose classes it uses.
    extends: Option<&'static str>,
}

/// Where a version's modules come from, and which they are.
#[derive(Debug)]
pub(crate) struct Source {
    group: &'static str,
    /// Whether artifacts keep the ending `-client`.
    has_clients: bool,
    names: &'static [&'static str],
}

const MODULES: &[Module] = &[
    Module { name: "lang-painless", class: "Painless", is_client: false, extends: None },
    Module {
        name: "analysis-common",
        class: "CommonAnalysis",
        is_client: false,
        extends: Some("lang-painless"),
    },
    Module {
        name: "ingest-common",
        class: "IngestCommon",
        is_client: false,
        extends: Some("lang-painless"),
    },
    Module { name: "reindex", class: "Reindex", is_client: true, extends: None },
    Module { name: "mapper-extras", class: "MapperExtras", is_client: true, extends: None },
    Module { name: "parent-join", class: "ParentJoin", is_client: true, extends: None },
    Module { name: "percolator", class: "Percolator", is_client: true, extends: None },
];

const ALL: &[&str] = &[
    "lang-painless",
    "analysis-common",
    "ingest-common",
    "reindex",
    "mapper-extras",
    "parent-join",
    "percolator",
];

/// Everything, from OpenSearch's own group.
pub(crate) const OPENSEARCH: Source =
    Source { group: "org.opensearch.plugin", has_clients: true, names: ALL };

/// What OpenSearch 1.3.20 has on Maven Central.
pub(crate) const OPENSEARCH_1_3_20: Source = Source {
    group: "org.opensearch.plugin",
    has_clients: true,
    names: &["reindex", "mapper-extras", "parent-join"],
};

/// What Elasticsearch publishes of its modules.
pub(crate) const ELASTICSEARCH_7: Source = Source {
    group: "org.elasticsearch.plugin",
    has_clients: true,
    names: &["reindex", "mapper-extras", "parent-join", "percolator"],
};

/// The Apache-licensed modules, published again by another project under their own names.
pub(crate) const ELASTICSEARCH_7_10: Source =
    Source { group: "org.codelibs.elasticsearch.module", has_clients: false, names: ALL };

impl Source {
    fn modules(&self) -> impl Iterator<Item = &'static Module> {
        MODULES.iter().filter(|module| self.names.contains(&module.name))
    }

    fn artifact(&self, module: &Module) -> String {
        let ending = if module.is_client && self.has_clients { "-client" } else { "" };
        format!("{}{ending}", module.name)
    }
}

/// Adds a version's modules to its distribution.
pub(crate) fn add(spec: &Spec, source: &Source, home: &Path, staging: &Path) -> Result<()> {
    let project = staging.join("modules");
    write_project(spec, source, &project)?;
    let mut command = Command::new("mvn");
    command.args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"]);
    command.arg("-DoutputDirectory=jars").current_dir(&project);
    maven::run(&mut command, "mvn", HOW_TO_GET_MAVEN)?;
    for module in source.modules() {
        install(spec, source, module, &project, home)?;
    }
    Ok(())
}

/// One project a module below one for all, so that one run of Maven fetches every jar.
fn write_project(spec: &Spec, source: &Source, project: &Path) -> Result<()> {
    let write = |path: PathBuf, text: String| {
        let what = || format!("writing {}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(project)).during(what)?;
        fs::write(&path, text).during(what)
    };
    let list: String =
        source.modules().map(|module| format!("<module>{}</module>", module.name)).collect();
    let all = pom("all", &format!("<packaging>pom</packaging><modules>{list}</modules>"));
    write(project.join("pom.xml"), all)?;
    for module in source.modules() {
        let dependency = format!(
            "<packaging>pom</packaging><dependencies><dependency><groupId>{}</groupId>\
             <artifactId>{}</artifactId><version>{}</version></dependency></dependencies>",
            source.group,
            source.artifact(module),
            spec.number
        );
        write(project.join(module.name).join("pom.xml"), pom(module.name, &dependency))?;
    }
    Ok(())
}

fn pom(name: &str, content: &str) -> String {
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>snapfill.harness</groupId><artifactId>{name}</artifactId><version>1</version>\
         {content}</project>\n"
    )
}

/// Puts a module's jars and its descriptor into the distribution.
fn install(
    spec: &Spec,
    source: &Source,
    module: &Module,
    project: &Path,
    home: &Path,
) -> Result<()> {
    // A jar that the server or an extended module has may not be there twice.
    let mut present = stems(&home.join("lib"))?;
    if let Some(extended) = module.extends {
        present.extend(stems(&home.join("modules").join(extended))?);
    }
    let folder = home.join("modules").join(module.name);
    let what = || format!("adding the module {}", folder.display());
    fs::create_dir_all(&folder).during(what)?;
    for jar in jars(&project.join(module.name).join("jars"))? {
        if let Some(name) = jar.file_name().filter(|_| !present.contains(&stem(&jar))) {
            fs::copy(&jar, folder.join(name)).during(what)?;
        }
    }
    let own = folder.join(format!("{}-{}.jar", source.artifact(module), spec.number));
    let class = plugin_class(&own, module.class)?;
    let text = descriptor(spec, module, &class);
    fs::write(folder.join("plugin-descriptor.properties"), text).during(what)
}

fn descriptor(spec: &Spec, module: &Module, class: &str) -> String {
    let (name, number) = (module.name, spec.number);
    let mut text = format!(
        "name={name}\ndescription={name}\nversion={number}\nclassname={class}\njava.version=1.8\n\
         {}.version={number}\nextended.plugins={}\nhas.native.controller=false\n",
        spec.product(),
        module.extends.unwrap_or_default()
    );
    if spec.launch.is_opensearch() {
        text += "custom.foldername=\n";
    }
    text
}

/// The class in a jar that the server loads: its name differs between projects and versions.
fn plugin_class(jar: &Path, start: &str) -> Result<String> {
    let file = File::open(jar).during(|| format!("reading {}", jar.display()))?;
    let broken = |source| Error::Unpack { path: jar.into(), source };
    let zip = ZipArchive::new(file).map_err(broken)?;
    let wanted = [format!("{start}Plugin.class"), format!("{start}ModulePlugin.class")];
    for name in zip.file_names() {
        let name = name.map_err(broken)?;
        let simple = name.rsplit('/').next().unwrap_or_default();
        if wanted.iter().any(|wanted| wanted == simple) {
            return Ok(name.trim_end_matches(".class").replace('/', "."));
        }
    }
    Err(Error::NoPlugin { path: jar.into(), class: wanted.join(" or ") })
}

fn jars(folder: &Path) -> Result<Vec<PathBuf>> {
    let what = || format!("listing {}", folder.display());
    let mut jars = Vec::new();
    for entry in fs::read_dir(folder).during(what)? {
        let path = entry.during(what)?.path();
        if path.extension().is_some_and(|ending| ending == "jar") {
            jars.push(path);
        }
    }
    jars.sort();
    Ok(jars)
}

fn stems(folder: &Path) -> Result<BTreeSet<String>> {
    Ok(jars(folder)?.iter().map(|jar| stem(jar)).collect())
}

/// The name of a jar without its version: up to the first `-` that a digit follows.
fn stem(jar: &Path) -> String {
    let name = jar.file_stem().unwrap_or_default().to_string_lossy();
    let starts_version = |at: usize| {
        name.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let end = name.match_indices('-').map(|(at, _)| at).find(|&at| starts_version(at));
    name.get(..end.unwrap_or(name.len())).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jars_are_told_apart_by_name_not_version() {
        let stem = |name: &str| stem(Path::new(name));
        assert_eq!(stem("lib/lucene-core-9.12.3.jar"), "lucene-core");
        assert_eq!(stem("log4j-1.2-api-2.21.0.jar"), "log4j");
        assert_eq!(stem("asm.jar"), "asm");
    }

    #[test]
    fn every_name_is_a_module() {
        for source in [OPENSEARCH, OPENSEARCH_1_3_20, ELASTICSEARCH_7, ELASTICSEARCH_7_10] {
            assert_eq!(source.modules().count(), source.names.len(), "{source:?}");
        }
    }

    #[test]
    fn artifacts_are_called_as_their_group_calls_them() {
        let reindex = MODULES.iter().find(|module| module.name == "reindex").unwrap();
        assert_eq!(OPENSEARCH.artifact(reindex), "reindex-client");
        assert_eq!(ELASTICSEARCH_7_10.artifact(reindex), "reindex");
    }
}
