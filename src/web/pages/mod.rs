//! The pages, one folder each: what is shown (`get.rs`), what a form does (`post.rs`), the template in templates/.
//!
//! Here: what all of them share ([`chrome`], [`error`], [`text`], [`assets`]) and the table of their routes. Deliberately
//! not here: what a caller may do with jobs (`web::jobs`), which the API shares.

mod assets;
mod chrome;
mod error;
mod job;
mod jobs;
mod login;
mod new_job;
mod profile;
mod text;

use actix_session::SessionMiddleware;
use actix_session::config::PersistentSession;
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::SameSite;
use actix_web::cookie::time::Duration;
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{self, ServiceConfig, get, post, resource};

use self::error::not_understood;
use super::Site;

/// A form as sent may be as large as a body of the API: what is in it has limits of its own, which name the field.
const MAX_FORM: usize = 16 * 1024 * 1024;

pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/static/{name}").route(get().to(assets::get)));
    config.service(
        web::scope("")
            .wrap(
                DefaultHeaders::new()
                    .add(("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"))
                    .add(("X-Content-Type-Options", "nosniff"))
                    .add(("Referrer-Policy", "same-origin"))
                    .add(("Cache-Control", "no-store")),
            )
            .app_data(web::FormConfig::default().limit(MAX_FORM).error_handler(not_understood))
            .app_data(web::QueryConfig::default().error_handler(not_understood))
            .app_data(web::PathConfig::default().error_handler(not_understood))
            .service(resource("").route(get().to(jobs::home)))
            .service(resource("/").route(get().to(jobs::home)))
            .service(resource("/login").route(get().to(login::get)).route(post().to(login::post)))
            .service(resource("/logout").route(post().to(login::logout)))
            .service(resource("/jobs").route(get().to(jobs::get)))
            .service(resource("/jobs/new").route(get().to(new_job::get)).route(post().to(new_job::post)))
            .service(resource("/jobs/{id}").route(get().to(job::get)))
            .service(resource("/jobs/{id}/files/{path:.*}").route(get().to(job::files)))
            .service(resource("/jobs/{id}/{verb}").route(post().to(job::post)))
            .service(resource("/profile").route(get().to(profile::get)))
            .service(resource("/profile/key").route(post().to(profile::renew_key)))
            .default_service(web::route().to(error::not_found)),
    );
}

/// Sessions: a signed and encrypted cookie that no script reads and no other site sends.
pub fn sessions(site: &Site) -> SessionMiddleware<CookieSessionStore> {
    let web = &site.config.web;
    let lasts = Duration::seconds(i64::try_from(web.session_duration.as_secs()).unwrap_or(i64::MAX));
    let path = if web.prefix.is_empty() { "/".to_owned() } else { web.prefix.clone() };
    SessionMiddleware::builder(CookieSessionStore::default(), site.keys.cookie_key())
        .cookie_name("godocker".to_owned())
        .cookie_path(path)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_secure(web.secure_cookies)
        .session_lifecycle(PersistentSession::default().session_ttl(lasts))
        .build()
}
