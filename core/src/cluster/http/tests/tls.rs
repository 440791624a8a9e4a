//! Whom we believe, and who believes us.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::ErrorKind;
use crate::cluster::http::TlsConfig;

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, folder: tempfile::tempdir().unwrap() };
        std::fs::write(authority.file("ca.pem"), authority.issuer.pem()).unwrap();
        authority
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate and its key, in PEM form.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn server(&self, name: &str, asks_for_certificate: bool) -> TlsAcceptor {
        let (certificate, key) = self.issue(name);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if asks_for_certificate {
            let mut roots = RootCertStore::empty();
            roots
                .add(CertificateDer::from_pem_slice(self.issuer.pem().as_bytes()).unwrap())
                .unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()))
    }

    fn trusted(&self) -> TlsConfig {
        TlsConfig { ca_file: Some(self.file("ca.pem")), ..TlsConfig::default() }
    }
}

async fn ask(fake: &Fake, tls: TlsConfig) -> crate::Result<crate::cluster::ClusterInfo> {
    HttpCluster::new(HttpConfig::new([fake.url()]).unwrap().with_tls(tls))?.info().await
}

#[tokio::test]
async fn only_the_named_authority_is_believed() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let fake = Fake::start_tls(authority.server("localhost", false)).await;
    ask(&fake, authority.trusted()).await.unwrap();
    for wrong in [stranger.trusted(), TlsConfig::default()] {
        let error = ask(&fake, wrong).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Config, false), "{error}");
        let text = error.to_string();
        assert!(text.contains("certificate is not trusted") && text.contains("CA"), "{text}");
        assert!(!text.contains('\n'));
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_believed() {
    let authority = Authority::new();
    let fake = Fake::start_tls(authority.server("elsewhere.example.com", false)).await;
    let error = ask(&fake, authority.trusted()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("by a name that the certificate holds"), "{error}");
}

#[tokio::test]
async fn anybody_is_believed_on_request_only() {
    let fake = Fake::start_tls(Authority::new().server("elsewhere", false)).await;
    ask(&fake, TlsConfig { allow_insecure: true, ..TlsConfig::default() }).await.unwrap();
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_there_is_one() {
    let authority = Authority::new();
    let fake = Fake::start_tls(authority.server("localhost", true)).await;
    let error = ask(&fake, authority.trusted()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    assert!(error.to_string().contains("client certificate"), "{error}");

    let (certificate, key) = authority.issue("us");
    std::fs::write(authority.file("us.pem"), &certificate).unwrap();
    std::fs::write(authority.file("us.key"), &key).unwrap();
    let apart = TlsConfig {
        client_certificate: Some(authority.file("us.pem")),
        client_key: Some(authority.file("us.key")),
        ..authority.trusted()
    };
    ask(&fake, apart.clone()).await.unwrap();

    let keyless = TlsConfig { client_key: None, ..apart };
    let error = ask(&fake, keyless.clone()).await.unwrap_err();
    assert!(error.to_string().contains("no unencrypted private key"), "{error}");
    std::fs::write(authority.file("us.pem"), certificate + &key).unwrap();
    ask(&fake, keyless).await.unwrap();
}

#[tokio::test]
async fn files_that_hold_no_certificate_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let tls = || TlsConfig { ca_file: Some(file.clone()), ..TlsConfig::default() };
    let config = || HttpConfig::new(["https://localhost"]).unwrap().with_tls(tls());
    for content in [None, Some(""), Some("no certificate")] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let error = HttpCluster::new(config()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("ca.pem"), "{error}");
    }
}

#[tokio::test]
async fn a_plain_server_is_told_from_one_with_tls() {
    let fake = Fake::start(|_| None).await;
    let url = fake.url().replace("http://", "https://");
    let config = HttpConfig::new([url]).unwrap();
    let error = HttpCluster::new(config).unwrap().info().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}
