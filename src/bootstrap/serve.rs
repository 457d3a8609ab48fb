//! The HTTP server.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::{App, HttpServer, web};

use crate::telemetry::Exposition;
use crate::web::{Site, access, measure, routes};

/// Threads that serve requests: they wait for the database most of the time.
const WEB_WORKERS: usize = 2;

pub fn serve(site: Site, exposition: Exposition, listener: TcpListener) -> std::io::Result<actix_web::dev::Server> {
    let prefix = site.config.web.prefix.clone();
    let data = web::Data::new(site);
    let exposition = web::Data::from(Arc::new(exposition));
    let server = HttpServer::new(move || {
        App::new()
            .wrap(actix_web::middleware::from_fn(access::guard::recognize))
            .wrap(crate::web::pages::sessions(&data))
            .wrap(crate::web::pages::headers())
            .wrap(actix_web::middleware::Compress::default())
            .wrap(actix_web::middleware::from_fn(measure::measure))
            .app_data(data.clone())
            .app_data(exposition.clone())
            .service(web::scope(&prefix).configure(routes::configure))
    });
    // Pages follow logs without end; a stop does not wait for them.
    Ok(server.workers(WEB_WORKERS).shutdown_timeout(1).disable_signals().listen(listener)?.run())
}
