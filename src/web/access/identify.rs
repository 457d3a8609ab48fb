//! From a request to the user behind it.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;

use super::{By, Caller, session};
use crate::domain::{Credential, CredentialKind, Scope, User};
use crate::plugins::auth::secret_hash;
use crate::store::StoreError;
use crate::telemetry::listener::is_forwarded;
use crate::web::Site;

/// The user behind a request: by its token if it brings one, else by its session. `None` for nobody, and for whoever
/// must not come in any more.
pub(super) async fn identify(site: &Site, request: &HttpRequest) -> Result<Option<Caller>, StoreError> {
    let found = match bearer(request) {
        Some(token) => by_token(site, token).await?.map(|(user, scope)| (user, scope, By::Token)),
        None => by_session(site, request).await?.map(|user| (user, Scope::Admin, By::Session)),
    };
    let Some((user, scope, by)) = found.filter(|(user, ..)| user.standing.may_come_in()) else { return Ok(None) };
    let shared = if site.config.access.share_project_tasks {
        let projects = site.store.projects_of(&user.id).await?;
        projects.into_iter().map(|project| project.id).filter(|id| !id.is_default()).collect()
    } else {
        Vec::new()
    };
    Ok(Some(Caller { user, scope, by, address: client_address(site, request), shared }))
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// A token of `/authenticate` as long as its user has not ended it, or a personal one.
async fn by_token(site: &Site, token: &str) -> Result<Option<(User, Scope)>, StoreError> {
    if let Some(signed) = site.keys.read(token) {
        if let Some(hash) = &signed.via
            && valid(site, hash, CredentialKind::Token).await?.is_none()
        {
            return Ok(None);
        }
        let user = site.store.user(&signed.user).await?;
        return Ok(user.filter(|user| user.token_epoch == signed.epoch).map(|user| (user, signed.scope)));
    }
    personal_token(site, token).await
}

/// The user and scope of a personal access token.
async fn personal_token(site: &Site, token: &str) -> Result<Option<(User, Scope)>, StoreError> {
    let Some(known) = valid(site, &secret_hash(token), CredentialKind::Token).await? else { return Ok(None) };
    Ok(site.store.user(&known.user).await?.map(|user| (user, known.scope)))
}

async fn valid(site: &Site, hash: &str, kind: CredentialKind) -> Result<Option<Credential>, StoreError> {
    let now = site.clock.now();
    Ok(site.store.credential(hash).await?.filter(|known| known.kind == kind && known.is_valid_at(now)))
}

async fn by_session(site: &Site, request: &HttpRequest) -> Result<Option<User>, StoreError> {
    let Some(hash) = session::presented(request) else { return Ok(None) };
    let Some(known) = valid(site, &hash, CredentialKind::Session).await? else { return Ok(None) };
    // Somebody else has logged in at the proxy meanwhile.
    if remote_user(site, request).is_some_and(|name| name != known.user.as_str()) {
        return Ok(None);
    }
    site.store.user(&known.user).await
}

/// The address the request came from, as far as it tells anything: what a trusted proxy says, else the peer's, unless
/// that is a proxy on this machine which we were not told to trust.
pub fn client_address(site: &Site, request: &HttpRequest) -> Option<String> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let proxy = &site.config.proxy;
    if proxy.trusts(peer) {
        return Some(forwarded_for(request, |address| proxy.trusts(address)).unwrap_or(peer).to_string());
    }
    (!peer.is_loopback()).then(|| peer.to_string())
}

/// Whether the request comes from an address of `metrics_allow`: the peer's own, or the one that a trusted proxy names.
/// A proxy that we were not told to trust speaks for anybody, so its own address counts for nothing.
pub fn may_scrape(site: &Site, request: &HttpRequest) -> bool {
    let Some(peer) = request.peer_addr().map(|peer| peer.ip()) else { return false };
    let proxy = &site.config.proxy;
    let address = if !is_forwarded(request.headers()) {
        Some(peer)
    } else if proxy.trusts(peer) {
        forwarded_for(request, |address| proxy.trusts(address))
    } else {
        None
    };
    address.is_some_and(|address| site.config.metrics.allows(address))
}

/// The last address in X-Forwarded-For that no trusted proxy has: those before it are only claimed.
fn forwarded_for(request: &HttpRequest, trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let lines = request.headers().get_all("X-Forwarded-For").filter_map(|value| value.to_str().ok());
    let addresses: Vec<_> = lines.flat_map(|line| line.split(',')).map(|text| text.trim().parse::<IpAddr>()).collect();
    for address in addresses.into_iter().rev() {
        let address = address.ok()?.to_canonical();
        if !trusted(address) {
            return Some(address);
        }
    }
    None
}

/// How the browser reaches us, without a slash or our prefix at the end: as go-d.ini says, or as a trusted proxy says
/// that it was asked (X-Forwarded-Proto, X-Forwarded-Host), or as the request itself names us.
pub fn origin(site: &Site, request: &HttpRequest) -> String {
    if let Some(endpoint) = &site.config.web.endpoint {
        return endpoint.clone();
    }
    let by_proxy = request.peer_addr().is_some_and(|peer| site.config.proxy.trusts(peer.ip()));
    origin_of(request, by_proxy)
}

fn origin_of(request: &HttpRequest, by_proxy: bool) -> String {
    let said = |name: &str| {
        let value = request.headers().get(name)?.to_str().ok()?;
        // Of several proxies, the first is the one that the browser spoke to.
        value.split(',').next().map(str::trim).filter(|first| !first.is_empty())
    };
    let forwarded = |name: &str| said(name).filter(|_| by_proxy);
    let scheme = forwarded("X-Forwarded-Proto").filter(|scheme| ["http", "https"].contains(scheme)).unwrap_or("http");
    let host = forwarded("X-Forwarded-Host").or_else(|| said("Host")).unwrap_or("localhost");
    format!("{scheme}://{host}")
}

/// Who a trusted proxy says is logged in (`allow_proxy_remote_user`).
pub fn remote_user(site: &Site, request: &HttpRequest) -> Option<String> {
    let header = site.config.proxy.remote_user_header.as_deref()?;
    let peer = request.peer_addr()?.ip();
    if !site.config.proxy.trusts(peer) {
        return None;
    }
    let name = request.headers().get(header)?.to_str().ok()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_a_trusted_proxy_says_how_it_was_reached() {
        let request = TestRequest::default()
            .insert_header(("Host", "10.0.0.9:6543"))
            .insert_header(("X-Forwarded-Host", "jobs.lab.example, inner.lab.example"))
            .insert_header(("X-Forwarded-Proto", "https"))
            .to_http_request();
        assert_eq!(origin_of(&request, true), "https://jobs.lab.example");
        assert_eq!(origin_of(&request, false), "http://10.0.0.9:6543");
        let odd = TestRequest::default().insert_header(("X-Forwarded-Proto", "javascript")).to_http_request();
        assert!(origin_of(&odd, true).starts_with("http://"));
    }

    #[test]
    fn only_what_trusted_proxies_added_is_believed() {
        let trusted = |address: IpAddr| address.to_string().starts_with("10.");
        let of = |lines: &[&str]| {
            let mut request = TestRequest::default();
            for line in lines {
                request = request.append_header(("X-Forwarded-For", *line));
            }
            forwarded_for(&request.to_http_request(), trusted).map(|address| address.to_string())
        };
        assert_eq!(of(&["192.0.2.7"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(
            of(&["198.51.100.1, 192.0.2.7, 10.0.0.3"]).as_deref(),
            Some("192.0.2.7"),
            "the first is only claimed"
        );
        assert_eq!(of(&["198.51.100.1", "192.0.2.7, 10.0.0.3"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(of(&["::ffff:192.0.2.7"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(of(&["nonsense, 10.0.0.3"]), None);
        assert_eq!(of(&["10.0.0.3"]), None);
        assert_eq!(of(&[]), None);
    }
}
