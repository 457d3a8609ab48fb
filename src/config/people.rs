//! Where users come from: the directory, guests' providers, proxies that say who is there.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::values::Values;
use super::{GuestProvider, Guests, Ldap, LdapTls, ProviderKind, Proxy, Secret};

pub(super) fn proxy(values: &mut Values) -> Proxy {
    let trusted = values.networks("trusted_proxies");
    let allowed = values.bool("allow_proxy_remote_user");
    if allowed && trusted.is_empty() {
        values.fault("trusted_proxies", "expected who may say so, as allow_proxy_remote_user is set");
    }
    let header = values.text("proxy_remote_user_header").unwrap_or_default();
    if header.is_empty() || !header.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        values.fault("proxy_remote_user_header", format!("{header:?} is no header's name"));
    }
    Proxy { trusted, remote_user_header: allowed.then_some(header) }
}

pub(super) fn ldap(values: &mut Values) -> Option<Ldap> {
    if !values.text("auth_policy").is_some_and(|policy| policy.eq_ignore_ascii_case("ldap")) {
        return None;
    }
    let host = values.text("ldap_host");
    let base_dn = values.text("ldap_dn");
    for (key, value) in [("ldap_host", &host), ("ldap_dn", &base_dn)] {
        if value.is_none() {
            values.fault(key, "expected it, as auth_policy is ldap");
        }
    }
    let admin_dn = values.text("ldap_admin_dn");
    let admin_password = values.text("ldap_admin_password").map(Secret::new);
    if admin_dn.is_some() && admin_password.is_none() {
        values.fault("ldap_admin_password", "expected it, as ldap_admin_dn is set");
    }
    let ca_file = values.text("ldap_ca_file").map(PathBuf::from);
    if let Some(file) = ca_file.as_ref().filter(|file| !file.is_file()) {
        values.fault("ldap_ca_file", format!("there is no file {}", file.display()));
    }
    let tls = match values.text("ldap_tls").unwrap_or_default().to_ascii_lowercase().as_str() {
        "starttls" => LdapTls::StartTls,
        "ldaps" => LdapTls::Ldaps,
        _ => LdapTls::None,
    };
    Some(Ldap {
        host: host.unwrap_or_default(),
        port: values.int("ldap_port").unwrap_or(389) as u16,
        tls,
        ca_file,
        base_dn: base_dn.unwrap_or_default(),
        base_dn_filter: values.text("ldap_base_dn_filter"),
        admin_dn,
        admin_password,
        login_fields: values.list("ldap_login_fields"),
        home_field: values.text("ldap_home_field").unwrap_or_default(),
        mail_field: values.text("ldap_mail_field").unwrap_or_default(),
        timeout: values.duration("ldap_timeout").unwrap_or_default(),
    })
}

#[derive(Deserialize)]
struct RawProvider {
    name: String,
    title: Option<String>,
    #[serde(default)]
    kind: RawKind,
    issuer: Option<String>,
    client_id: String,
    client_secret: String,
    auth_url: Option<String>,
    token_url: Option<String>,
    user_url: Option<String>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum RawKind {
    #[default]
    Oidc,
    Google,
    GitHub,
}

const GOOGLE: &str = "https://accounts.google.com";

pub(super) fn guests(values: &mut Values, shared_dir: &Path) -> Option<Guests> {
    if !values.bool("guest_allow") {
        return None;
    }
    let bind = values.text("guest_bind");
    if bind.is_none() {
        values.fault("guest_bind", "expected the system user that guests' jobs run as, as guest_allow is set");
    }
    let home_root = match values.text("guest_home_root").as_deref() {
        None | Some("null") => None,
        Some("default") => Some(shared_dir.join("guests")),
        Some(path) if path.starts_with('/') => Some(PathBuf::from(path)),
        Some(path) => {
            values.fault("guest_home_root", format!("expected null, default or an absolute path, got {path:?}"));
            None
        }
    };
    let raw = values.maps::<RawProvider>("guest_providers");
    if raw.is_empty() {
        values.fault("guest_providers", "expected at least one, as guest_allow is set");
    }
    let mut providers: Vec<GuestProvider> = Vec::new();
    for raw in raw {
        if let Some(provider) = provider(values, raw, &providers) {
            providers.push(provider);
        }
    }
    Some(Guests { bind: bind.unwrap_or_default(), home_root, allow_root: values.bool("guest_allow_root"), providers })
}

fn provider(values: &mut Values, raw: RawProvider, others: &[GuestProvider]) -> Option<GuestProvider> {
    let name = raw.name;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_name || others.iter().any(|other| other.name == name) {
        values.fault("guest_providers", format!("{name:?}: expected a name of its own, of a-z, 0-9 and -"));
        return None;
    }
    let kind = match (raw.kind, raw.issuer) {
        (RawKind::GitHub, _) => ProviderKind::GitHub {
            auth_url: raw.auth_url.unwrap_or_else(|| "https://github.com/login/oauth/authorize".into()),
            token_url: raw.token_url.unwrap_or_else(|| "https://github.com/login/oauth/access_token".into()),
            user_url: raw.user_url.unwrap_or_else(|| "https://api.github.com/user".into()),
        },
        (RawKind::Google, issuer) => ProviderKind::Oidc { issuer: issuer.unwrap_or_else(|| GOOGLE.into()) },
        (RawKind::Oidc, Some(issuer)) if issuer.starts_with("https://") || issuer.starts_with("http://") => {
            ProviderKind::Oidc { issuer }
        }
        (RawKind::Oidc, _) => {
            values.fault("guest_providers", format!("{name}: expected an issuer like https://login.example.org"));
            return None;
        }
    };
    let title = raw.title.unwrap_or_else(|| name.clone());
    Some(GuestProvider { title, name, kind, client_id: raw.client_id, client_secret: Secret::new(raw.client_secret) })
}
