//! moto's server: the API of Amazon ECS, kept by others to what the real one says. Nothing in it takes time: a service has as many
//! tasks as are wanted at once.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::error::{During, Error, Result};
use crate::http::Http;
use crate::{cache, maven, wait};

const RELEASE: &str = "moto[server]==5.2.5";

const HOW_TO_GET_PYTHON: &str =
    "install Python 3.9 or later with pip, for instance `apt-get install python3 python3-pip`";

const START_LIMIT: Duration = Duration::from_secs(60);

/// Ends with whoever holds the other end of its standard input.
const SERVE: &str =
    r#"python3 -m moto.server -H 127.0.0.1 -p "$1" & server=$!; cat > /dev/null; kill $server"#;

const MAKE_SERVICE: &str = "
import boto3, sys
url, region, cluster, service = sys.argv[1:]
ecs = boto3.client('ecs', endpoint_url=url, region_name=region, aws_access_key_id='k', aws_secret_access_key='s')
ecs.create_cluster(clusterName=cluster)
task = ecs.register_task_definition(family=service, containerDefinitions=[{'name': 'w', 'image': 'w', 'memory': 64}])
task = task['taskDefinition']['taskDefinitionArn']
ecs.create_service(cluster=cluster, serviceName=service, taskDefinition=task, desiredCount=0)
";

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Moto {
    url: String,
    packages: PathBuf,
    child: Child,
}

impl Moto {
    /// Starts a server and waits until it answers. The first time on a machine, it is fetched from PyPI.
    pub fn start() -> Result<Self> {
        let packages = packages()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let address = listener.and_then(|listener| listener.local_addr());
        let port = address.during(|| "looking for a free port".to_owned())?.port();
        let mut command = Command::new("sh");
        command.args(["-c", SERVE, "sh", &port.to_string()]).env("PYTHONPATH", &packages);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().during(|| "starting moto's server".to_owned())?;
        let moto = Self { url: format!("http://127.0.0.1:{port}"), packages, child };
        let http = Http::new(port);
        let is_up = wait::until(START_LIMIT, || {
            Ok::<_, Error>(http.request("GET", "/moto-api/data.json", b"").ok())
        })?;
        match is_up {
            Some(_) => Ok(moto),
            None => Err(Error::Failed {
                command: "python3 -m moto.server".to_owned(),
                status: format!("no answer within {} s", START_LIMIT.as_secs()),
                output: String::new(),
            }),
        }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a cluster of ECS with a service that wants no task.
    pub fn make_service(&self, region: &str, cluster: &str, service: &str) -> Result<()> {
        let mut command = Command::new("python3");
        command.args(["-c", MAKE_SERVICE, &self.url, region, cluster, service]);
        command.env("PYTHONPATH", &self.packages);
        maven::run(&mut command, "python3", HOW_TO_GET_PYTHON)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // The shell that waits at its standard input ends the server, and then itself.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The folder of moto and of what it needs; fetched first if it is not there yet.
fn packages() -> Result<PathBuf> {
    let version = "import sys; print('%d.%d' % sys.version_info[:2])";
    let mut command = Command::new("python3");
    maven::run(command.args(["-c", "import pip"]), "python3", HOW_TO_GET_PYTHON)?;
    let output = Command::new("python3").args(["-c", version]).output();
    let output = output.during(|| "asking python3 for its version".to_owned())?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let cache = cache::folder()?;
    // Some of it is compiled for one version of Python.
    let folder = cache.join(format!("moto-5.2.5-python{version}"));
    let what = || format!("preparing {}", folder.display());
    let lock = File::create(cache.join("moto.lock")).during(what)?;
    lock.lock().during(what)?;
    if !folder.is_dir() {
        // Made aside and moved into place, so that what is there is always complete.
        let staging = tempfile::tempdir_in(&cache).during(what)?;
        install(&staging.path().join("packages"))?;
        fs::rename(staging.path().join("packages"), &folder).during(what)?;
    }
    Ok(folder)
}

fn install(into: &Path) -> Result<()> {
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
    command.arg(into).arg(RELEASE);
    maven::run(&mut command, "python3", HOW_TO_GET_PYTHON)
}
