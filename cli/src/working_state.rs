//! Where the working state of a run into a cluster is, and the folder that this machine has for it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use snapfill::cluster::HttpCluster;
use snapfill::cluster::http::TlsConfig;
use snapfill::coordination::{IndexWorkStore, Session, WorkStore};
use snapfill::settings::state_folder;
use snapfill::{Error, ErrorKind, SystemClock};
use url::Url;

use crate::config::secret::SecretPlace;
use crate::exit::Failure;
use crate::fleet::text;
use crate::target::{basic, connect_as};

/// Where a run is coordinated.
#[derive(Debug, Args)]
#[command(next_help_heading = "Working state")]
pub(crate) struct StateOption {
    /// Where the working state of a run into a cluster is kept: the URL of another cluster, or `local` for a file in the
    /// folder of --state, which workers on this machine alone can use. Unless given: in an index of the target
    #[arg(long, value_name = "URL|local", env = "SNAPFILL_COORDINATOR")]
    pub(crate) coordinator: Option<Place>,
    /// The user's name there; the password comes from the environment
    #[arg(long, value_name = "NAME", env = "SNAPFILL_COORDINATOR_USER")]
    pub(crate) coordinator_user: Option<String>,
    /// The environment variable that holds the password
    #[arg(long, value_name = "VARIABLE", default_value = "SNAPFILL_COORDINATOR_PASSWORD")]
    pub(crate) coordinator_password_env: SecretPlace,
    /// A PEM file of the certificate authorities to trust there, in place of the system's
    #[arg(long, value_name = "FILE", requires = "coordinator")]
    pub(crate) coordinator_ca: Option<PathBuf>,
    /// Do not check the certificate there
    #[arg(long, requires = "coordinator")]
    pub(crate) coordinator_allow_insecure: bool,
    /// A folder for what this machine keeps of a run into a cluster, such as failed documents. Unless given: one for each
    /// address, under $XDG_STATE_HOME/snapfill or ~/.local/state/snapfill
    #[arg(long, value_name = "DIR", env = "SNAPFILL_STATE")]
    pub(crate) state: Option<PathBuf>,
    /// The configuration file that completed these arguments, for the processes that are started. Nobody types it
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) configured_by: Option<PathBuf>,
}

/// A place for the working state that is not the target.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A file on this machine.
    Local,
    /// A cluster.
    Cluster(Url),
    /// Neither. It is refused later: a wrong argument is printed back, and an address may hold a password.
    Unclear,
}

impl FromStr for Place {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if text == "local" {
            return Ok(Self::Local);
        }
        Ok(match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Self::Cluster(url),
            _ => Self::Unclear,
        })
    }
}

impl StateOption {
    /// The working state of a session of a run into `target`; none when it is a file in the folder.
    pub(crate) fn store(
        &self,
        target: &HttpCluster,
        session: &str,
        lease: Duration,
    ) -> Result<Option<Arc<dyn WorkStore>>, Failure> {
        let cluster = match &self.coordinator {
            Some(Place::Local) => return Ok(None),
            Some(Place::Cluster(url)) => self.connect(url)?,
            Some(Place::Unclear) => return Err(unclear()),
            None => target.clone(),
        };
        let session = Session::named(session).map_err(Failure::usage)?;
        let clock = Arc::new(SystemClock::new());
        let store = IndexWorkStore::for_leases(cluster, session, clock, lease);
        Ok(Some(Arc::new(store.map_err(Failure::usage)?)))
    }

    /// What a worker on this machine is told of it: all but the folder.
    pub(crate) fn to_arguments(&self) -> Result<Vec<String>, Failure> {
        let mut arguments = Vec::new();
        if let Some(file) = &self.configured_by {
            arguments.push(format!("--config-file={}", text(file)?));
        }
        if let Some(place) = &self.coordinator {
            let place = match place {
                Place::Local => "local",
                Place::Cluster(url) => url.as_str(),
                Place::Unclear => return Err(unclear()),
            };
            arguments.push(format!("--coordinator={place}"));
            if let Some(variable) = self.coordinator_password_env.variable() {
                arguments.push(format!("--coordinator-password-env={variable}"));
            }
            if self.coordinator_allow_insecure {
                arguments.push("--coordinator-allow-insecure".to_owned());
            }
        }
        if let Some(user) = &self.coordinator_user {
            arguments.push(format!("--coordinator-user={user}"));
        }
        if let Some(file) = &self.coordinator_ca {
            arguments.push(format!("--coordinator-ca={}", text(file)?));
        }
        Ok(arguments)
    }

    fn connect(&self, url: &Url) -> Result<HttpCluster, Failure> {
        let user = self.coordinator_user.as_deref();
        let what = "the password of --coordinator-user";
        let auth = basic(user, &self.coordinator_password_env, what)?;
        let tls = TlsConfig {
            ca_file: self.coordinator_ca.clone(),
            allow_insecure: self.coordinator_allow_insecure,
            ..TlsConfig::default()
        };
        connect_as(url, auth, tls)
    }

    /// The folder for a run into a cluster: a rerun from any folder finds it.
    pub(crate) fn folder(&self, url: &Url) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.state {
            return Ok(folder.clone());
        }
        state_folder(url).ok_or_else(|| {
            let message =
                "there is no home folder to keep the run's files in; name a folder by --state";
            Failure::usage(Error::new(ErrorKind::Config, message))
        })
    }
}

fn unclear() -> Failure {
    let message = "--coordinator takes `local` or an address that begins with http:// or https://";
    Failure::usage(Error::new(ErrorKind::Config, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_local_or_a_cluster_and_never_printed_back() {
        assert!(matches!("local".parse(), Ok(Place::Local)));
        assert!(matches!("http://a:1".parse(), Ok(Place::Cluster(_))));
        assert!(matches!("me:hunter2@a".parse(), Ok(Place::Unclear)));
    }
}
