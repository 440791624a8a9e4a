//! Whom we believe, and the certificate we show.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::{Error, ErrorKind, Result};

/// Whom to believe, and the certificate to show. By default the system's certificate authorities, and none.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// A PEM file of certificate authorities to believe in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate to show, with its chain: a PEM file.
    pub client_certificate: Option<PathBuf>,
    /// Its private key: a PEM file. May be left out where the certificate's file holds it.
    pub client_key: Option<PathBuf>,
    /// Believe anybody. The connection is then encrypted, but nobody knows with whom.
    pub allow_insecure: bool,
}

impl TlsConfig {
    /// The configuration for `rustls`, on the `ring` provider whatever the process has chosen.
    pub(crate) fn client(&self) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("TLS cannot be set up", &error))?;
        let builder = match &self.ca_file {
            _ if self.allow_insecure => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
            }
            Some(file) => builder.with_root_certificates(roots(file)?),
            None => builder.with_platform_verifier().map_err(|error| {
                unusable("the system's certificate authorities cannot be read", &error)
            })?,
        };
        let Some(certificate) = &self.client_certificate else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates(certificate)?;
        let key_file = self.client_key.as_deref().unwrap_or(certificate);
        let key = PrivateKeyDer::from_pem_slice(&read(key_file)?).map_err(|_| {
            Error::new(ErrorKind::Config, "no unencrypted private key in PEM form in this file")
                .with_context("file", key_file.display())
        })?;
        builder.with_client_auth_cert(chain, key).map_err(|error| {
            unusable("the client certificate and its key cannot be used", &error)
                .with_context("file", certificate.display())
        })
    }
}

fn roots(file: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| {
            unusable("a certificate in this file is not one of an authority", &error)
                .with_context("file", file.display())
        })?;
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read(file)?;
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Error::new(
            ErrorKind::Config,
            "no certificate in PEM form (`-----BEGIN CERTIFICATE-----`) in this file",
        )
        .with_context("file", file.display())),
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| {
        Error::new(ErrorKind::Config, format!("cannot be read: {error}"))
            .with_context("file", file.display())
    })
}

fn unusable(what: &str, error: &rustls::Error) -> Error {
    Error::new(ErrorKind::Config, format!("{what}: {error}"))
}

/// Takes every certificate; signatures are still checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
