//! Upload spaces over FTP: libunftp speaks the protocol, we say who comes in and what lies where.
//!
//! Each connection has a server of its own ([`connection`]), so that what is known of it (who logged in, how often TLS
//! was begun, when something last moved) belongs to it alone. [`login`] asks the store, [`space`] is the user's upload
//! space as the protocol wants it. Deliberately not here: the space itself and its quota (`files::upload_space`).
//!
//! What libunftp leaves open is closed here: TLS on data connections that EPSV opened, connections that never log in,
//! transfers that stand still, an offset of a transfer that failed, which it would apply to the next, two sessions that
//! are given one passive port at once.

mod connection;
mod login;
mod path;
mod ports;
mod space;
mod tls;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::config::Ftp as Settings;
use crate::domain::{Clock, UserId};
use crate::files::UploadSpaces;
use crate::plugins::auth::LoginLimiter;
use crate::store::Store;
use connection::Connections;

const MOST_THREADS: usize = 8;

/// What FTP works with.
#[derive(Clone)]
pub struct Works {
    pub store: Arc<dyn Store>,
    pub spaces: UploadSpaces,
    pub clock: Arc<dyn Clock>,
    pub limiter: Arc<LoginLimiter>,
}

#[derive(Debug, thiserror::Error)]
pub enum FtpError {
    #[error("{0}")]
    Unfit(&'static str),
    #[error("ftp_listen, ftp_port: cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("ftp_tls_cert, ftp_tls_key: {0}")]
    Tls(String),
}

/// The server, until it is dropped or stopped.
pub struct FtpServer {
    pub address: SocketAddr,
    accepting: JoinHandle<()>,
    connections: Arc<Connections>,
    /// Threads of its own: what is encrypted for many at once holds up nobody else. Taken when it is dropped.
    runtime: Option<Runtime>,
}

/// What all connections share.
struct Shared {
    settings: Settings,
    works: Works,
    tls: Option<Arc<rustls::ServerConfig>>,
    per_user: Mutex<HashMap<UserId, usize>>,
    ports: ports::Ports,
    connections: Arc<Connections>,
}

/// Listens, and serves from then on.
///
/// # Errors
/// What keeps it from that, as a sentence with the keys at fault.
pub fn serve(settings: Settings, works: Works) -> Result<FtpServer, FtpError> {
    if let Some(why) = settings.unfit() {
        return Err(FtpError::Unfit(why));
    }
    let tls = settings.tls.as_ref().map(tls::read).transpose()?;
    let address = SocketAddr::new(settings.listen, settings.port);
    let (listener, address, runtime) = listen(address).map_err(|error| FtpError::Listen { address, error })?;
    let room = Arc::new(Semaphore::new(settings.max_connections));
    let connections = Arc::new(Connections::default());
    let shared = Arc::new(Shared {
        settings,
        works,
        tls,
        per_user: Mutex::default(),
        ports: ports::Ports::default(),
        connections: Arc::clone(&connections),
    });
    let accepting = runtime.spawn(accept(listener, room, shared));
    Ok(FtpServer { address, accepting, connections, runtime: Some(runtime) })
}

fn listen(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr, Runtime)> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
    let runtime = Builder::new_multi_thread().worker_threads(threads).thread_name("ftp").enable_all().build()?;
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let _entered = runtime.enter();
    Ok((TcpListener::from_std(listener)?, address, runtime))
}

async fn accept(listener: TcpListener, room: Arc<Semaphore>, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match Arc::clone(&room).try_acquire_owned() {
                Ok(permit) => drop(tokio::spawn(serve_one(Arc::clone(&shared), stream, peer, permit))),
                Err(_) => drop(tokio::spawn(turn_away(stream))),
            },
            // Too many open files, mostly: it passes.
            Err(error) => {
                tracing::warn!(%error, "an FTP connection could not be taken");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve_one(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, _permit: OwnedSemaphorePermit) {
    if let Err(error) = connection::serve(shared, stream, peer).await {
        tracing::warn!(%peer, %error, "an FTP connection could not be served");
    }
}

async fn turn_away(mut stream: TcpStream) {
    // Who does not take it in does not want to know.
    let said = stream.write_all(b"421 Too many connections: try again later.\r\n");
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), said).await;
}

impl FtpServer {
    /// Takes no new connection and ends those there are. What was not received whole can be gone on with.
    pub async fn stop(&self) {
        self.accepting.abort();
        self.connections.end_all().await;
    }
}

impl Drop for FtpServer {
    fn drop(&mut self) {
        self.accepting.abort();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
