//! A small server for the roles that serve no pages: /metrics for those who may, /healthz and /readyz.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::http::header::{FORWARDED, HeaderMap};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use super::exposition::{self, Exposition};
use crate::config;

/// Headers by which a proxy says that it speaks for another: the address is then not who asks.
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key("X-Forwarded-For") || headers.contains_key(FORWARDED) || headers.contains_key("Via")
}

/// Processes of one host that share a configuration find a port each, among so many from the configured one on.
const PORTS: u16 = 16;

/// Serves where `metrics_listen` says, or at the next port that is free, until the handle stops it.
///
/// # Errors
/// The address cannot be had.
pub fn serve(
    settings: &config::Metrics,
    exposition: Exposition,
) -> std::io::Result<Option<(SocketAddr, ServerHandle)>> {
    let Some((host, port)) = &settings.listen else { return Ok(None) };
    let listener = bind(host, *port)?;
    let address = listener.local_addr()?;
    let (settings, exposition) = (web::Data::new(settings.clone()), web::Data::from(Arc::new(exposition)));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(settings.clone())
            .app_data(exposition.clone())
            .route("/metrics", web::get().to(metrics))
            .route("/healthz", web::get().to(exposition::healthz))
            .route("/readyz", web::get().to(exposition::readyz))
    });
    let server = server.workers(1).shutdown_timeout(1).disable_signals().listen(listener)?.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(Some((address, handle)))
}

fn bind(host: &str, port: u16) -> std::io::Result<TcpListener> {
    let ports = if port == 0 { 0..=0 } else { port..=port.saturating_add(PORTS - 1) };
    let mut taken = std::io::Error::from(ErrorKind::AddrInUse);
    for port in ports {
        match TcpListener::bind((host, port)) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => taken = error,
            bound => return bound,
        }
    }
    Err(taken)
}

async fn metrics(
    request: HttpRequest,
    settings: web::Data<config::Metrics>,
    exposition: web::Data<Exposition>,
) -> HttpResponse {
    let peer = request.peer_addr().map(|peer| peer.ip());
    if is_forwarded(request.headers()) || !peer.is_some_and(|peer| settings.allows(peer)) {
        return HttpResponse::Forbidden().body("metrics_allow does not have this address\n");
    }
    exposition::metrics(exposition).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_processes_of_a_host_take_a_port_each() {
        let first = bind("127.0.0.1", 0).unwrap();
        let port = first.local_addr().unwrap().port();
        let second = bind("127.0.0.1", port).unwrap().local_addr().unwrap().port();
        assert!(second > port && second < port.saturating_add(PORTS), "{port}, {second}");
        assert!(bind("192.0.2.1", port).is_err(), "no address of this host");
    }
}
