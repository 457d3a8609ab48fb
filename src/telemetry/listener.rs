//! A small server for the roles that serve no pages: /metrics for those who may, /healthz and /readyz.

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

/// Serves where `metrics_listen` says, until the handle stops it.
///
/// # Errors
/// The address cannot be had.
pub fn serve(
    settings: &config::Metrics,
    exposition: Exposition,
) -> std::io::Result<Option<(SocketAddr, ServerHandle)>> {
    let Some((host, port)) = &settings.listen else { return Ok(None) };
    let listener = TcpListener::bind((host.as_str(), *port))?;
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
