//! Users: themselves, their preferences, projects and use.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::archive::Tagged;
use super::extract::{Actor, Document};
use super::project;
use crate::domain::usage::DailyUsage;
use crate::domain::{Quotas, User, UserId};
use crate::web::Site;
use crate::web::access::{Admin, Caller, api_key_hash};
use crate::web::error::{ApiError, FieldFault};
use crate::web::{jobs, view};

const MAX_KEY: usize = 16_384;

pub async fn list(site: web::Data<Site>, _: Admin) -> Result<HttpResponse, ApiError> {
    let users = site.store.users().await?;
    Ok(HttpResponse::Ok().json(users.iter().map(document).collect::<Vec<_>>()))
}

pub async fn show(site: web::Data<Site>, caller: Caller, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(document(&known(&site, &caller, &id).await?)))
}

/// The user, if it is the caller, or the caller an administrator.
async fn known(site: &Site, caller: &Caller, id: &UserId) -> Result<User, ApiError> {
    if caller.id() == id {
        return Ok(caller.user.clone());
    }
    let user = if caller.user.admin { site.store.user(id).await? } else { None };
    user.ok_or(ApiError::NotFound("user"))
}

/// As API.md shows it. Keys are never readable: the API key is stored hashed, the private key not at all.
fn document(user: &User) -> Value {
    json!({
        "id": user.id,
        "uid": user.uid,
        "gid": user.gid,
        "sgids": user.groups,
        "email": user.email,
        "homeDirectory": user.home,
        "admin": user.admin,
        "active": user.active,
        "type": user.kind,
        "credentials": { "apikey": "", "public": user.ssh_public.as_deref().unwrap_or_default() },
        "usage": {
            "prio": user.priority,
            "quota_time": user.quotas.time,
            "quota_cpu": user.quotas.cpu,
            "quota_ram": user.quotas.ram,
            "disk": 0,
            "guest_home": null,
        },
    })
}

/// Changes what the document holds of the preferences; the rest of it, as it comes from a GET, is let pass.
pub async fn change(
    site: web::Data<Site>,
    Actor(caller): Actor,
    id: web::Path<UserId>,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let mut user = known(&site, &caller, &id).await?;
    let mut faults = Vec::new();
    if let Some(email) = sent.get("email") {
        read(&mut faults, "email", email_of(email), &mut user.email);
    }
    if let Some(key) = sent.pointer("/credentials/public") {
        read(&mut faults, "credentials.public", public_key_of(key), &mut user.ssh_public);
    }
    let (prio, quotas) = (user.priority, user.quotas);
    if let Some(usage) = sent.get("usage").filter(|usage| !usage.is_null()) {
        read_usage(&mut faults, usage, &mut user);
    }
    if !faults.is_empty() {
        return Err(ApiError::Invalid(faults));
    }
    if !caller.user.admin && (prio, quotas) != (user.priority, user.quotas) {
        return Err(ApiError::Forbidden("only administrators may change priorities and quotas".into()));
    }
    site.store.put_user(user.clone()).await?;
    Ok(HttpResponse::Ok().json(document(&user)))
}

fn read<T>(faults: &mut Vec<FieldFault>, field: &str, sent: Result<T, &str>, into: &mut T) {
    match sent {
        Ok(value) => *into = value,
        Err(message) => faults.push(FieldFault { field: field.into(), message: message.into() }),
    }
}

/// A text without surrounding space; null and `""` are none.
fn line(value: &Value) -> Option<Option<&str>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) if text.trim().is_empty() => Some(None),
        Value::String(text) if !text.trim().contains(char::is_control) => Some(Some(text.trim())),
        _ => None,
    }
}

fn email_of(value: &Value) -> Result<Option<String>, &'static str> {
    const EXPECTED: &str = "expected an address like ann@lab.example";
    let Some(address) = line(value).ok_or(EXPECTED)? else { return Ok(None) };
    let is_address = address.len() <= 254
        && address.is_ascii()
        && !address.contains(|c: char| c.is_whitespace() || "<>,;:\"()[]\\".contains(c))
        && address.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && !host.is_empty()
                && !host.contains('@')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    if is_address { Ok(Some(address.to_owned())) } else { Err(EXPECTED) }
}

fn public_key_of(value: &Value) -> Result<Option<String>, &'static str> {
    const EXPECTED: &str = "expected an OpenSSH public key, one line like ssh-ed25519 AAAA... name";
    let Some(key) = line(value).ok_or(EXPECTED)? else { return Ok(None) };
    let mut words = key.split(' ');
    let kind = words.next().is_some_and(|kind| ["ssh-", "ecdsa-", "sk-"].iter().any(|known| kind.starts_with(known)));
    let body = words
        .next()
        .is_some_and(|body| body.len() >= 16 && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)));
    if kind && body && key.len() <= MAX_KEY { Ok(Some(key.to_owned())) } else { Err(EXPECTED) }
}

fn read_usage(faults: &mut Vec<FieldFault>, usage: &Value, user: &mut User) {
    let number = |key: &str, most: u64| {
        let value = usage.get(key).filter(|value| !value.is_null())?;
        let whole = value.as_f64().filter(|n| n.fract() == 0.0 && *n >= 0.0 && *n <= most as f64);
        Some((
            format!("usage.{key}"),
            whole.map(|n| n as u64).ok_or("expected a whole number within bounds, 0 or more"),
        ))
    };
    let Quotas { time, cpu, ram } = &mut user.quotas;
    for (key, quota) in [("quota_time", time), ("quota_cpu", cpu), ("quota_ram", ram)] {
        if let Some((field, sent)) = number(key, 1 << 52) {
            read(faults, &field, sent, quota);
        }
    }
    if let Some((field, sent)) = number("prio", 100) {
        read(faults, &field, sent.map(|prio| prio as u8), &mut user.priority);
    }
}

/// The default project first.
pub async fn projects(site: web::Data<Site>, caller: Caller, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let user = known(&site, &caller, &id).await?;
    let mut projects = site.store.projects_of(&user.id).await?;
    projects.sort_by_key(|project| !project.id.is_default());
    Ok(HttpResponse::Ok().json(projects.iter().map(project::document).collect::<Vec<_>>()))
}

#[derive(Deserialize)]
pub struct Span {
    days: Option<u32>,
}

impl Span {
    /// The first day of the last so many, today among them; the site's window unless asked otherwise.
    pub fn first_day(&self, site: &Site) -> i64 {
        let days = self.days.unwrap_or(site.config.scheduler.usage_window_days).max(1);
        site.clock.now().day() - i64::from(days) + 1
    }
}

pub async fn usage(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<UserId>,
    span: web::Query<Span>,
) -> Result<HttpResponse, ApiError> {
    let user = known(&site, &caller, &id).await?;
    let days = site.store.user_usage(&user.id, span.first_day(&site)).await?;
    Ok(HttpResponse::Ok().json(days.iter().map(usage_row).collect::<Vec<_>>()))
}

/// One day of use, the seconds whole.
pub(super) fn usage_row(row: &DailyUsage) -> Value {
    json!({
        "date": date_of(row.day),
        "cpu": view::number(row.usage.cpu),
        "ram": view::number(row.usage.ram),
        "time": view::number(row.usage.time.round()),
        "jobs": row.usage.jobs,
    })
}

/// `2026_11_23`.
fn date_of(day: i64) -> String {
    let epoch = jiff::civil::date(1970, 1, 1);
    let span = jiff::Span::new().try_days(day);
    let date = span.and_then(|span| epoch.checked_add(span)).unwrap_or(epoch);
    date.strftime("%Y_%m_%d").to_string()
}

pub async fn kill_all(
    site: web::Data<Site>,
    Actor(caller): Actor,
    id: web::Path<UserId>,
    tagged: web::Query<Tagged>,
) -> Result<HttpResponse, ApiError> {
    let asked = jobs::kill_all(&site, &caller, &id, tagged.tag()).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Tasks kill requested", "count": asked })))
}

/// A new API key, readable in this answer and never again. The old one opens nothing any more.
pub async fn renew_key(
    site: web::Data<Site>,
    Actor(caller): Actor,
    id: web::Path<UserId>,
) -> Result<HttpResponse, ApiError> {
    if caller.id() != &*id {
        return Err(ApiError::NotFound("user"));
    }
    let key = hex::encode(rand::random::<[u8; 32]>());
    let user = User { api_key_hash: Some(api_key_hash(&key)), ..caller.user };
    site.store.put_user(user).await?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(json!({ "apikey": key })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_old_clients_read_them() {
        assert_eq!(date_of(0), "1970_01_01");
        assert_eq!(date_of(20_780), "2026_11_23");
    }

    #[test]
    fn an_address_is_one_address() {
        for good in ["ann@lab.example", " ann.lee+x@localhost "] {
            assert_eq!(email_of(&json!(good)), Ok(Some(good.trim().to_owned())));
        }
        assert_eq!((email_of(&json!("")), email_of(&Value::Null)), (Ok(None), Ok(None)));
        for bad in [json!("ann"), json!("a@b\r\nBcc: c@d"), json!("a@b,c@d"), json!("@lab"), json!("ann@"), json!(5)] {
            assert!(email_of(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_key_is_one_line() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0 ann@lab";
        assert_eq!(public_key_of(&json!(format!("{key}\n"))), Ok(Some(key.to_owned())));
        for bad in ["hello", "-----BEGIN OPENSSH PRIVATE KEY-----", "ssh-rsa short", &format!("{key}\n{key}")] {
            assert!(public_key_of(&json!(bad)).is_err(), "{bad}");
        }
    }
}
