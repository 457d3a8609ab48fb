//! The pages, one folder each: what is shown (`get.rs`), what a form does (`post.rs`), the template in templates/.
//!
//! Here: what all of them share ([`chrome`], [`error`], [`said`], [`language`], [`assets`]) and the table of their routes. Deliberately
//! not here: what a caller may do with jobs (`web::jobs`), which the API shares.

mod admin;
mod assets;
mod chrome;
mod data;
mod disk;
mod error;
mod files;
mod home;
mod job;
mod jobs;
mod language;
mod login;
mod new_job;
mod profile;
mod said;
mod usage;

use actix_session::SessionMiddleware;
use actix_session::config::PersistentSession;
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::SameSite;
use actix_web::cookie::time::Duration;
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{self, ServiceConfig, resource};

pub use self::error::PageError;
use self::error::not_understood;
use super::Site;
use super::access::guard::MAX_FORM;
use super::routes::routes;

routes! { "", resource;
    "/static/{name}" { GET Open => assets::get }
    "" { GET Look => home::get }
    "/" { GET Look => home::get }
    "/login" { GET Open => login::get, POST Open => login::post }
    "/login/guest/{provider}" { GET Open => login::begin_guest }
    "/login/guest/{provider}/callback" { GET Open => login::finish_guest }
    "/logout" { POST Look => login::logout }
    "/jobs" { GET Look => jobs::get }
    "/jobs/new" { GET Look => new_job::get, POST Work => new_job::post }
    "/jobs/archive" { POST Work => jobs::archive }
    "/jobs/many" { POST Work => jobs::many }
    "/jobs/lists" { POST Account => jobs::save }
    "/jobs/{id}" { GET Look => job::get }
    "/jobs/{id}/files/{path:.*}" { GET Look => files::get }
    "/jobs/{id}/{verb}" { POST Work => job::post }
    "/data" { GET Look => data::root, POST Work => data::post_root }
    "/data/{path:.*}" { GET Look => data::get, POST Work => data::post }
    "/disk" { GET Look => disk::get, POST Work => disk::post }
    "/usage" { GET Look => usage::get }
    "/profile" { GET Account => profile::get, POST Account => profile::post }
    "/profile/key" { POST Account => profile::renew_key }
    "/profile/password" { POST Account => profile::change_password }
    "/profile/logout" { POST Account => profile::log_out_everywhere }
    "/profile/templates/{template}/delete" { POST Work => profile::delete_template }
    "/profile/tokens" { POST Account => profile::create_token }
    "/profile/tokens/{token}/delete" { POST Account => profile::delete_token }
    "/admin" { GET Inspect => admin::overview::get }
    "/admin/usage" { GET Inspect => admin::usage::get }
    "/admin/users" { GET Inspect => admin::users::list }
    "/admin/users/{id}" { GET Inspect => admin::users::get, POST Administer => admin::users::post }
    "/admin/users/{id}/{verb}" { POST Administer => admin::users::act }
    "/admin/projects" { GET Inspect => admin::projects::list, POST Administer => admin::projects::create }
    "/admin/projects/{id}" { GET Inspect => admin::projects::get, POST Administer => admin::projects::post }
    "/admin/projects/{id}/{verb}" { POST Administer => admin::projects::act }
    "/admin/maintenance" { GET Inspect => admin::maintenance::get, POST Administer => admin::maintenance::post }
    "/admin/audit" { GET Inspect => admin::audit::get }
    "/admin/processes" { GET Inspect => admin::processes::get }
    "/admin/nodes" { GET Inspect => admin::nodes::get }
}

pub fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope("")
            .app_data(web::FormConfig::default().limit(MAX_FORM).error_handler(not_understood))
            .app_data(web::QueryConfig::default().error_handler(not_understood))
            .app_data(web::PathConfig::default().error_handler(not_understood))
            .configure(register)
            .default_service(web::route().to(error::not_found)),
    );
}

/// What every answer says to browsers, unless it says otherwise itself.
pub fn headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((
            "Content-Security-Policy",
            "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
        ))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("X-Frame-Options", "DENY"))
        .add(("Referrer-Policy", "same-origin"))
        .add(("Cache-Control", "no-store"))
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
