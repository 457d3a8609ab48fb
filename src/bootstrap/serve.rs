//! The HTTP server.

use std::net::TcpListener;

use actix_web::{App, HttpServer, web};

use crate::web::{Site, access, routes};

/// Threads that serve requests: they wait for the database most of the time.
const WEB_WORKERS: usize = 2;

pub fn serve(site: Site, listener: TcpListener) -> std::io::Result<actix_web::dev::Server> {
    let prefix = site.config.web.prefix.clone();
    let data = web::Data::new(site);
    let server = HttpServer::new(move || {
        App::new()
            .wrap(actix_web::middleware::from_fn(access::guard::recognize))
            .wrap(crate::web::pages::sessions(&data))
            .wrap(crate::web::pages::headers())
            .wrap(actix_web::middleware::Compress::default())
            .app_data(data.clone())
            .service(web::scope(&prefix).configure(routes::configure))
    });
    // Pages follow logs without end; a stop does not wait for them.
    Ok(server.workers(WEB_WORKERS).shutdown_timeout(1).disable_signals().listen(listener)?.run())
}
