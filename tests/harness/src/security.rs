//! TLS and users of a node that has the security plugin.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};

use crate::error::{During, Error, Result};

/// The plugin's folder in a distribution.
pub(crate) const PLUGIN: &str = "plugins/opensearch-security";

/// The user of the plugin's own example, and the password.
pub(crate) const USER: &str = "admin";
pub(crate) const PASSWORD: &str = "admin";

/// Who is believed at a secured node, and whom it believes.
#[derive(Debug, Clone)]
pub struct Security {
    /// The certificate authority of the node's certificate, as a PEM file.
    pub ca_file: PathBuf,
    /// The name of a user who may do everything.
    pub user: &'static str,
    /// The user's password.
    pub password: &'static str,
    /// A certificate that may do everything without a password, as a PEM file.
    pub client_certificate: PathBuf,
    /// Its private key, as a PEM file.
    pub client_key: PathBuf,
}

impl Security {
    /// Writes certificates and the plugin's example of users into a node's configuration folder.
    pub(crate) fn create(home: &Path, config: &Path) -> Result<Self> {
        let authority = Authority::new()?;
        write(config, "ca.pem", &authority.issuer.pem())?;
        for name in ["node", "client"] {
            let (certificate, key) = authority.issue(name)?;
            write(config, &format!("{name}.pem"), &certificate)?;
            write(config, &format!("{name}.key"), &key)?;
        }
        copy(&home.join(PLUGIN).join("config"), &config.join("opensearch-security"))?;
        Ok(Self {
            ca_file: config.join("ca.pem"),
            user: USER,
            password: PASSWORD,
            client_certificate: config.join("client.pem"),
            client_key: config.join("client.key"),
        })
    }

    /// The node's settings.
    pub(crate) fn settings() -> Vec<(String, Value)> {
        let mut settings = vec![
            ("ssl.http.enabled", json!(true)),
            ("ssl.transport.enforce_hostname_verification", json!(false)),
            ("authcz.admin_dn", json!(["CN=client"])),
            ("nodes_dn", json!(["CN=node"])),
            ("allow_default_init_securityindex", json!(true)),
        ];
        for (name, file) in [
            ("ssl.http.pemcert_filepath", "node.pem"),
            ("ssl.http.pemkey_filepath", "node.key"),
            ("ssl.http.pemtrustedcas_filepath", "ca.pem"),
            ("ssl.transport.pemcert_filepath", "node.pem"),
            ("ssl.transport.pemkey_filepath", "node.key"),
            ("ssl.transport.pemtrustedcas_filepath", "ca.pem"),
        ] {
            settings.push((name, json!(file)));
        }
        let full = |(name, value)| (format!("plugins.security.{name}"), value);
        settings.into_iter().map(full).collect()
    }

    /// The authority, as the harness's own client believes it.
    pub(crate) fn authority(&self) -> Result<CertificateDer<'static>> {
        CertificateDer::from_pem_file(&self.ca_file)
            .map_err(|error| Error::Certificates { what: error.to_string() })
    }
}

/// TLS that believes one authority.
pub(crate) fn believing(authority: &[u8]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_slice(authority))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// A certificate authority for one node.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Result<Self> {
        let mut params = named(Vec::new(), "snapfill test authority")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = KeyPair::generate().and_then(|key| CertifiedIssuer::self_signed(params, key));
        Ok(Self { issuer: issuer.map_err(unmade)? })
    }

    /// A certificate for this machine under a name, and its key, in PEM form.
    fn issue(&self, name: &str) -> Result<(String, String)> {
        let key = KeyPair::generate().map_err(unmade)?;
        let hosts = ["localhost", "127.0.0.1"].map(str::to_owned).to_vec();
        let certificate = named(hosts, name)?.signed_by(&key, &self.issuer).map_err(unmade)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

fn named(hosts: Vec<String>, name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(hosts).map_err(unmade)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn unmade(error: rcgen::Error) -> Error {
    Error::Certificates { what: error.to_string() }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).during(|| format!("writing {}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let what = || format!("copying {}", from.display());
    fs::create_dir_all(to).during(what)?;
    for entry in fs::read_dir(from).during(what)? {
        let path = entry.during(what)?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            fs::copy(&path, to.join(name)).during(what)?;
        }
    }
    Ok(())
}
