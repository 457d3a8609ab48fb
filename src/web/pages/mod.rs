//! The pages, one folder each.

use actix_session::SessionMiddleware;
use actix_session::config::PersistentSession;
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::SameSite;
use actix_web::cookie::time::Duration;
use actix_web::web::ServiceConfig;

use super::Site;

pub fn configure(_config: &mut ServiceConfig) {}

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
