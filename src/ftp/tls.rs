//! Certificates, and how often TLS was begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::FtpError;
use crate::config::FtpTls;

/// # Errors
/// Which file cannot be used, and why.
pub(super) fn read(files: &FtpTls) -> Result<Arc<ServerConfig>, FtpError> {
    let fault = |file: &std::path::Path, error: &dyn std::fmt::Display| {
        FtpError::Tls(format!("{} cannot be used: {error}", file.display()))
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(&files.cert).and_then(Iterator::collect);
    let certificates = certificates.map_err(|error| fault(&files.cert, &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| fault(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_no_client_auth())
        .and_then(|builder| builder.with_single_cert(certificates, key));
    config.map(Arc::new).map_err(|error| fault(&files.cert, &error))
}

/// How often TLS was begun on the connections of one session: once for the commands, once for each transfer.
#[derive(Debug, Default)]
pub(super) struct Begun(AtomicU64);

impl Begun {
    /// Accounts for what was begun since the last time; false when nothing was.
    pub fn take(&self) -> bool {
        self.0.swap(0, Ordering::SeqCst) > 0
    }
}

/// The same, counting for one session.
pub(super) fn counted(config: &ServerConfig, begun: Arc<Begun>) -> Arc<ServerConfig> {
    let mut config = config.clone();
    config.cert_resolver = Arc::new(Counting { certificate: Arc::clone(&config.cert_resolver), begun });
    Arc::new(config)
}

#[derive(Debug)]
struct Counting {
    certificate: Arc<dyn ResolvesServerCert>,
    begun: Arc<Begun>,
}

/// It is asked once in every handshake, also in one that goes on with an earlier session.
impl ResolvesServerCert for Counting {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.begun.0.fetch_add(1, Ordering::SeqCst);
        self.certificate.resolve(hello)
    }
}
