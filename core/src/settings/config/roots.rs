//! Relative paths in a file begin at its folder, whatever folder the program is called from.

use std::path::{Path, PathBuf};

use super::{AuthConfig, ClusterConfig, Config, CoordinatorConfig, LoginConfig, SecretConfig};
use super::{TargetConfig, TrustConfig};
use crate::settings::FleetConfig;
use crate::settings::config::target::TargetPlace;

impl Config {
    /// Has relative paths begin at a folder.
    pub(super) fn root_at(&mut self, folder: &Path) {
        let root = Root(folder);
        for place in [&mut self.source.repository, &mut self.source.remote_store] {
            root.place(place);
        }
        root.place(&mut self.backfill.failed_store);
        root.path(&mut self.state);
        if let Some(ClusterConfig { auth, tls, .. }) = &mut self.source.cluster {
            root.login(auth, tls);
        }
        if let Some(CoordinatorConfig { auth, tls, .. }) = &mut self.coordinator {
            root.login(auth, tls);
        }
        if let Some(target) = &mut self.target {
            root.target(target);
        }
        if let Some(FleetConfig::Kubernetes(pods)) = &mut self.fleet {
            root.path(&mut pods.kubeconfig);
        }
    }
}

struct Root<'a>(&'a Path);

impl Root<'_> {
    fn path(&self, path: &mut Option<PathBuf>) {
        if let Some(path) = path {
            *path = self.0.join(&*path);
        }
    }

    /// A folder or a URL.
    fn place(&self, place: &mut Option<String>) {
        if let Some(place) = place.as_mut().filter(|place| !place.contains("://")) {
            *place = self.0.join(&*place).display().to_string();
        }
    }

    fn secret(&self, secret: &mut SecretConfig) {
        if let SecretConfig::File(file) = secret {
            *file = self.0.join(&*file);
        }
    }

    fn login(&self, auth: &mut Option<LoginConfig>, tls: &mut TrustConfig) {
        if let Some(LoginConfig::Basic(basic)) = auth
            && let Some(password) = &mut basic.password
        {
            self.secret(password);
        }
        self.path(&mut tls.ca);
    }

    fn target(&self, target: &mut TargetConfig) {
        if let TargetPlace::Folder(folder) = &mut target.endpoint {
            *folder = self.0.join(&*folder);
        }
        match &mut target.auth {
            Some(AuthConfig::Basic(basic)) => {
                if let Some(password) = &mut basic.password {
                    self.secret(password);
                }
            }
            Some(AuthConfig::ApiKey(secret) | AuthConfig::Bearer(secret)) => self.secret(secret),
            _ => {}
        }
        let tls = &mut target.tls;
        for path in [&mut tls.ca, &mut tls.certificate, &mut tls.key] {
            self.path(path);
        }
    }
}
