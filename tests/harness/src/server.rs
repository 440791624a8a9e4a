//! One running node.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::config::{self, Folders};
use crate::error::{During, Error, Result};
use crate::http::Http;
use crate::security::Security;
use crate::version::{Spec, Version};
use crate::{cache, jdk, launch, maven, owner, wait};

const START_LIMIT: Duration = Duration::from_secs(180);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// What may differ from a plain node.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The heap in megabytes; 512 unless changed.
    pub heap_mb: u32,
    /// The folders below which the node may keep snapshot repositories; they stay when the node
    /// goes. Without any it is one temporary folder, gone with the node.
    pub repos: Vec<PathBuf>,
    /// Settings of the node besides the harness's own, which they override.
    pub settings: Vec<(String, Value)>,
    /// The folder in which the node makes its temporary one; the system's unless given.
    pub scratch: Option<PathBuf>,
    /// Whether the node speaks TLS only and knows its users, by the security plugin; see
    /// [`Server::security`].
    pub security: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heap_mb: 512,
            repos: Vec::new(),
            settings: Vec::new(),
            scratch: None,
            security: false,
        }
    }
}

/// A running node. Dropping it stops the node and deletes what it wrote.
#[derive(Debug)]
pub struct Server {
    version: Version,
    http: Http,
    url: String,
    security: Option<Security>,
    child: Child,
    folders: Folders,
    heap_mb: u32,
    /// Handed to `nobody` while the node runs, and ours again afterwards.
    lent: Vec<PathBuf>,
    is_down: bool,
    _base: TempDir,
}

impl Server {
    /// Starts a node and waits until it is healthy. The first time on a machine, its distribution
    /// is downloaded.
    pub fn start(version: Version) -> Result<Self> {
        Self::start_with(version, &Options::default())
    }

    /// Has everything that a node needs ready, so that starting one downloads nothing.
    pub fn fetch(version: Version) -> Result<()> {
        let spec = version.spec();
        jdk::find(spec)?;
        cache::home(spec).map(|_| ())
    }

    /// Fails where a node could not be started here, with how to get what is missing. Downloads
    /// nothing.
    pub fn require_tools(version: Version) -> Result<()> {
        let spec = version.spec();
        jdk::find(spec)?;
        if cache::is_there(spec)? { Ok(()) } else { maven::require() }
    }

    /// Starts a node that differs from a plain one.
    pub fn start_with(version: Version, options: &Options) -> Result<Self> {
        let spec = version.spec();
        if options.security && spec.security_plugin().is_none() {
            return Err(Error::NoSecurity { version: spec.name });
        }
        let home = cache::home(spec)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix("snapfill-server-");
        let base = match &options.scratch {
            Some(scratch) => builder.tempdir_in(scratch),
            None => builder.tempdir(),
        };
        let base = base.during(|| "making the node's folder".to_owned())?;
        let path = fs::canonicalize(base.path()).during(|| "finding its path".to_owned())?;
        let folders = Folders::create(&path, &options.repos)?;
        let ports = free_ports()?;
        config::write(spec, &folders, ports, options)?;
        let security = match options.security {
            true => Some(Security::create(&home, &folders.config)?),
            false => None,
        };

        let mut lent = Vec::new();
        if owner::are_we_root()? {
            owner::give(&path, owner::NOBODY)?;
            for repo in &options.repos {
                owner::give(repo, owner::NOBODY)?;
                lent.push(repo.clone());
            }
        }
        let heap_mb = options.heap_mb;
        let child = spawn(spec, &folders, heap_mb)?;
        let (http, scheme) = match &security {
            Some(security) => (Http::secured(ports.0, &security.authority()?), "https"),
            None => (Http::new(ports.0), "http"),
        };
        let url = format!("{scheme}://127.0.0.1:{}", ports.0);
        let is_down = false;
        let mut server = Server {
            version,
            http,
            url,
            security,
            child,
            folders,
            heap_mb,
            lent,
            is_down,
            _base: base,
        };
        server.wait_until_healthy(spec)?;
        Ok(server)
    }

    /// The version it runs.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whom to believe and whom it believes, where it was asked to be secured.
    pub fn security(&self) -> Option<&Security> {
        self.security.as_ref()
    }

    /// Its address, `http://127.0.0.1:PORT` or `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder it may keep a snapshot repository of type `fs` in; the first, where there are
    /// several.
    pub fn repo_dir(&self) -> &Path {
        // `Folders::create` sees to it that there is one.
        self.folders.repos.first().unwrap_or(&self.folders.base)
    }

    /// A client of this node, which does not keep it running.
    pub fn http(&self) -> Http {
        self.http
    }

    /// Sends a request and reads its JSON answer; see [`Http::call`].
    pub fn call(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        self.http.call(method, path, body)
    }

    /// Stops the node and starts it again, with what it had, at the same address.
    pub fn restart(&mut self) -> Result<()> {
        let spec = self.version.spec();
        self.end()?;
        self.child = spawn(spec, &self.folders, self.heap_mb)?;
        self.wait_until_healthy(spec)
    }

    /// Stops the node and waits until it is gone.
    pub fn stop(mut self) -> Result<()> {
        self.shut_down()
    }

    fn wait_until_healthy(&mut self, spec: &Spec) -> Result<()> {
        let health = "/_cluster/health?wait_for_status=yellow&timeout=2s";
        let (child, http) = (&mut self.child, self.http);
        let outcome = wait::until(START_LIMIT, || -> Result<Option<Option<ExitStatus>>> {
            if let Some(status) = child.try_wait().during(|| format!("watching {}", spec.name))? {
                return Ok(Some(Some(status)));
            }
            // It refuses connections, then answers with errors, then is healthy.
            let answer = http.call("GET", health, "").unwrap_or_default();
            Ok((answer["timed_out"] == false).then_some(None))
        })?;
        let what = match outcome {
            Some(None) => return Ok(()),
            Some(Some(status)) => format!("ended while it was starting ({status})"),
            None => format!("was not healthy after {} s", START_LIMIT.as_secs()),
        };
        let output = fs::read(self.folders.console()).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        Err(Error::NotUp {
            version: spec.name,
            what,
            output: maven::tail(&output, 4000).to_owned(),
        })
    }

    fn shut_down(&mut self) -> Result<()> {
        if self.is_down {
            return Ok(());
        }
        self.is_down = true;
        self.end()?;
        self.lent.drain(..).try_for_each(|repo| owner::give(&repo, 0))
    }

    fn end(&mut self) -> Result<()> {
        let what = || "stopping the node".to_owned();
        // Its guard ends it when this pipe closes.
        drop(self.child.stdin.take());
        let child = &mut self.child;
        let gone = wait::until(STOP_LIMIT, || child.try_wait()).during(what)?;
        if gone.is_none() {
            self.child.kill().during(what)?;
            self.child.wait().during(what)?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure; the guard still ends the node.
        let _ = self.shut_down();
    }
}

/// Starts the node of folders that are ready for it.
fn spawn(spec: &Spec, folders: &Folders, heap_mb: u32) -> Result<Child> {
    let (java_home, home) = (jdk::find(spec)?, cache::home(spec)?);
    let mut command = launch::command(spec, &home, &java_home, folders, heap_mb)?;
    let what = || format!("starting {}", spec.name);
    let console = File::options().create(true).append(true).open(folders.console());
    let out = console.during(what)?;
    let errors = out.try_clone().during(what)?;
    command.stdin(Stdio::piped()).stdout(out).stderr(errors);
    if owner::are_we_root()? {
        command.uid(owner::NOBODY).gid(owner::NOBODY);
    }
    command.spawn().during(what)
}

/// Two ports that were free a moment ago: for HTTP and for the transport.
fn free_ports() -> Result<(u16, u16)> {
    let what = || "looking for a free port".to_owned();
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during(what);
    let (http, transport) = (listen()?, listen()?);
    let port = |listener: &TcpListener| Ok(listener.local_addr().during(what)?.port());
    Ok((port(&http)?, port(&transport)?))
}
