//! `GET /` for Elasticsearch 8 and 9: their test distributions have no handler for it, so a small
//! module of ours is compiled against the distribution's own jars.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::error::{During, Result};
use crate::maven::run;
use crate::version::Spec;

const SOURCE: &str = include_str!("../java/RestRoot.java");

/// What the handler factory takes before the arguments that 8.x and 9.x share.
const PARAMETERS_8: &str = "org.elasticsearch.common.settings.Settings settings,
            org.elasticsearch.common.io.stream.NamedWriteableRegistry registry,
            org.elasticsearch.rest.RestController controller,
            org.elasticsearch.common.settings.ClusterSettings clusterSettings,
            org.elasticsearch.common.settings.IndexScopedSettings indexSettings,
            org.elasticsearch.common.settings.SettingsFilter filter,
            org.elasticsearch.cluster.metadata.IndexNameExpressionResolver resolver";
const PARAMETERS_9: &str = "RestHandlersServices services";

/// Compiles the module into a distribution.
pub(crate) fn add(spec: &Spec, home: &Path, java_home: &Path) -> Result<()> {
    let module = home.join("modules/snapfill-rest-root");
    let classes = module.join("classes");
    let what = || format!("writing {}", module.display());
    fs::create_dir_all(&classes).during(what)?;
    let parameters = if spec.major() == "8" { PARAMETERS_8 } else { PARAMETERS_9 };
    let source = module.join("RestRoot.java");
    fs::write(&source, SOURCE.replace("@PARAMETERS@", parameters)).during(what)?;

    let how = "set JAVA_HOME to a full JDK, not a runtime";
    let mut javac = Command::new(java_home.join("bin/javac"));
    javac.args(["-nowarn", "-proc:none", "-cp"]).arg(home.join("lib/*"));
    run(javac.arg("-d").arg(&classes).arg(&source), "javac", how)?;
    let mut jar = Command::new(java_home.join("bin/jar"));
    jar.args(["--create", "--file"]).arg(module.join("rest-root.jar"));
    run(jar.arg("-C").arg(&classes).arg("."), "jar", how)?;

    fs::write(module.join("plugin-descriptor.properties"), descriptor(spec)).during(what)?;
    fs::remove_dir_all(&classes).during(what)?;
    fs::remove_file(&source).during(what)
}

fn descriptor(spec: &Spec) -> String {
    format!(
        "name=snapfill-rest-root\ndescription=GET /\nversion=test\n\
         classname=snapfill.harness.RestRoot\njava.version=17\nelasticsearch.version={}\n\
         extended.plugins=\nhas.native.controller=false\nlicensed=false\n",
        spec.number
    )
}
