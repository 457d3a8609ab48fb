//! One connection of a client, from its greeting to its end.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use libunftp::ServerBuilder;
use libunftp::options::{ActivePassiveMode, FtpsRequired, PassiveHost};
use tokio::net::TcpStream;
use tokio::sync::watch;
use unftp_core::auth::AuthenticationError;

use super::login::{Door, Visitor};
use super::space::Space;
use super::{Shared, Works, tls};
use crate::plugins::auth::Login;

/// How long somebody may take to log in.
const LOGIN_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether a connection stands still.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// libunftp ends silent connections too, and says why: it comes first.
const LATER: Duration = Duration::from_secs(5);
/// How long a stop waits for transfers to be put away.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long the reply to a transfer that failed has before its connection ends.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// What is known of a connection.
pub(super) struct Connection {
    shared: Arc<Shared>,
    peer: SocketAddr,
    /// A second handle on the connection of the commands, to end it by.
    socket: std::net::TcpStream,
    login: Mutex<Option<Login>>,
    pub(super) begun_tls: Arc<tls::Begun>,
    moved: Mutex<Instant>,
    is_spent: AtomicBool,
}

pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
    let stream = stream.into_std()?;
    let connection = Arc::new(Connection {
        socket: stream.try_clone()?,
        peer,
        login: Mutex::default(),
        begun_tls: Arc::default(),
        moved: Mutex::new(Instant::now()),
        is_spent: AtomicBool::new(false),
        shared,
    });
    let stream = TcpStream::from_std(stream)?;
    let server = server(&connection).map_err(io::Error::other)?;
    let _listed = connection.shared.connections.list(Arc::clone(&connection));
    tokio::select! {
        done = server.service(stream) => done.map_err(io::Error::other),
        () = connection.ends_when_silent() => Ok(()),
    }
}

fn server(connection: &Arc<Connection>) -> Result<libunftp::Server<Space, Visitor>, libunftp::ServerError> {
    let settings = &connection.shared.settings;
    let space = Space::new(Arc::clone(connection));
    let door = Arc::new(Door(Arc::clone(connection)));
    let public = settings.public_host.as_deref();
    let mut builder = ServerBuilder::with_user_detail_provider(Box::new(move || space.clone()), door.clone())
        .authenticator(door)
        .greeting("GoDocker: log in with your user id, and your API key or a token as the password")
        .logger(slog::Logger::root(slog::Discard, slog::o!()))
        .active_passive_mode(ActivePassiveMode::PassiveOnly)
        .idle_session_timeout(settings.idle_timeout.as_secs())
        .passive_ports(settings.passive_ports.clone())
        .binder(connection.shared.ports.clone())
        .passive_host(public.map_or(PassiveHost::FromConnection, PassiveHost::from));
    if let Some(tls) = &connection.shared.tls {
        builder = builder.ftps_manual::<std::path::PathBuf>(tls::counted(tls, Arc::clone(&connection.begun_tls)));
    }
    let required = if settings.allow_plain { FtpsRequired::None } else { FtpsRequired::All };
    builder.ftps_required(required, required).build()
}

impl Connection {
    pub fn works(&self) -> &Works {
        &self.shared.works
    }

    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub fn login(&self) -> Option<Login> {
        self.login.lock().expect("no holder of this lock panics").clone()
    }

    /// How long a transfer may stand still.
    pub fn silence(&self) -> Duration {
        self.shared.settings.idle_timeout
    }

    /// # Errors
    /// The user has too many connections.
    pub fn enter(&self, login: Login) -> Result<(), AuthenticationError> {
        let mut own = self.login.lock().expect("no holder of this lock panics");
        if own.is_none() {
            let mut counts = self.shared.per_user.lock().expect("no holder of this lock panics");
            let count = counts.entry(login.user().clone()).or_insert(0);
            if *count >= self.shared.settings.max_per_user {
                return Err(AuthenticationError::new("this user has too many connections"));
            }
            *count += 1;
        } else if own.as_ref().map(Login::user) != Some(login.user()) {
            return Err(AuthenticationError::new("another user needs another connection"));
        }
        *own = Some(login);
        // That of the commands.
        self.begun_tls.take();
        Ok(())
    }

    /// Whether what is on the wire of the next transfer may be there. The protocol's server sees to it for PASV alone.
    pub fn may_transfer(&self) -> bool {
        let is_safe = self.shared.settings.allow_plain || self.begun_tls.take();
        is_safe && !self.is_spent.load(Ordering::SeqCst)
    }

    /// A transfer goes on.
    pub fn moved(&self) {
        *self.moved.lock().expect("no holder of this lock panics") = Instant::now();
    }

    /// Ends when its last reply is said: an offset that was given to a transfer which failed would else count for
    /// the next.
    pub fn spend(self: &Arc<Self>) {
        self.is_spent.store(true, Ordering::SeqCst);
        let connection = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(LAST_WORDS).await;
            connection.end();
        });
    }

    fn end(&self) {
        // One that has ended by itself.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    pub fn transfer(self: &Arc<Self>) -> Transfer {
        self.shared.connections.transfers.fetch_add(1, Ordering::SeqCst);
        Transfer { stopping: self.shared.connections.stopping.subscribe(), connection: Arc::clone(self) }
    }

    async fn ends_when_silent(&self) {
        let begun = Instant::now();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let is_late = self.login().is_none() && begun.elapsed() > LOGIN_WITHIN;
            let moved = self.moved.lock().expect("no holder of this lock panics").elapsed();
            if is_late || moved.min(self.last_command()) > self.silence() + LATER {
                self.end();
                return;
            }
        }
    }

    /// Since when nothing has come on the connection of the commands.
    fn last_command(&self) -> Duration {
        // SAFETY: a tcp_info of zeros is one, and the kernel writes at most `length` bytes to it.
        let (told, info) = unsafe {
            let mut info: libc::tcp_info = std::mem::zeroed();
            let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
            let into = (&raw mut info).cast();
            let fd = self.socket.as_raw_fd();
            (libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, into, &raw mut length), info)
        };
        if told == 0 { Duration::from_millis(u64::from(info.tcpi_last_data_recv)) } else { Duration::ZERO }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(login) = self.login() else { return };
        let mut counts = self.shared.per_user.lock().expect("no holder of this lock panics");
        if let Some(count) = counts.get_mut(login.user()) {
            *count -= 1;
            if *count == 0 {
                counts.remove(login.user());
            }
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.peer)
    }
}

/// A transfer under way.
pub(super) struct Transfer {
    pub stopping: watch::Receiver<bool>,
    connection: Arc<Connection>,
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.connection.shared.connections.transfers.fetch_sub(1, Ordering::SeqCst);
    }
}

/// All connections, to be ended together.
#[derive(Default)]
pub(super) struct Connections {
    live: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
    transfers: AtomicUsize,
    stopping: watch::Sender<bool>,
}

struct Listed {
    number: u64,
    connections: Arc<Connections>,
}

impl Connections {
    fn list(self: &Arc<Self>, connection: Arc<Connection>) -> Listed {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.live.lock().expect("no holder of this lock panics").insert(number, connection);
        Listed { number, connections: Arc::clone(self) }
    }

    pub async fn end_all(&self) {
        self.stopping.send_replace(true);
        let begun = Instant::now();
        while self.transfers.load(Ordering::SeqCst) > 0 && begun.elapsed() < STOP_WITHIN {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.live.lock().expect("no holder of this lock panics").values().for_each(|connection| connection.end());
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.connections.live.lock().expect("no holder of this lock panics").remove(&self.number);
    }
}
