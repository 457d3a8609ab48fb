//! Ports for passive connections.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use libunftp::options::Binder;
use tokio::net::TcpSocket;

/// Between being bound and being listened on, a port could be bound by another session too; one of both would fail.
const BOUND_FOR: Duration = Duration::from_millis(500);

/// What was handed out just now, to whichever session.
#[derive(Debug, Clone, Default)]
pub(super) struct Ports(Arc<Mutex<HashMap<u16, Instant>>>);

impl Ports {
    /// The ports of the range from a random one on, without those that were just handed out.
    fn candidates(&self, range: RangeInclusive<u16>) -> Vec<u16> {
        let mut taken = self.0.lock().expect("no holder of this lock panics");
        taken.retain(|_, at| at.elapsed() < BOUND_FOR);
        let mut ports: Vec<u16> = range.collect();
        // Not in turn: whoever could guess the port might come before the client.
        let first = usize::from(rand::random::<u16>()) % ports.len().max(1);
        ports.rotate_left(first);
        ports.retain(|port| !taken.contains_key(port));
        ports
    }

    /// False when another was faster.
    fn take(&self, port: u16) -> bool {
        self.0.lock().expect("no holder of this lock panics").insert(port, Instant::now()).is_none()
    }
}

#[async_trait]
impl Binder for Ports {
    async fn bind(&mut self, address: IpAddr, range: RangeInclusive<u16>) -> io::Result<TcpSocket> {
        for port in self.candidates(range) {
            if !self.take(port) {
                continue;
            }
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            socket.set_reuseaddr(true)?;
            if socket.bind(SocketAddr::new(address, port)).is_ok() {
                return Ok(socket);
            }
        }
        tracing::warn!("no port for a passive FTP connection is free: ftp_passive_ports has too few");
        Err(io::ErrorKind::AddrInUse.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_two_sessions_get_one_port_at_once() {
        let ports = Ports::default();
        let local = IpAddr::from([127, 0, 0, 1]);
        let mut sockets = Vec::new();
        for _ in 0..20 {
            sockets.push(ports.clone().bind(local, 26_700..=26_719).await.unwrap().listen(1).unwrap());
        }
        let mut taken: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
        taken.sort_unstable();
        assert_eq!(taken, (26_700..=26_719).collect::<Vec<_>>());
        assert!(ports.clone().bind(local, 26_700..=26_719).await.is_err());
    }
}
