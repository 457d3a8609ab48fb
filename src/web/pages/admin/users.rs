//! The list of users, and one user.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::audit;
use crate::domain::{Quotas, Standing, User, UserId, UserKind};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::accounts::users::{self, disk_use, known};
use crate::web::allowance;
use crate::web::error::{ApiError, FieldFault};
use crate::web::jobs;
use crate::web::pages::chrome::{Chrome, Visitor, page, page_with, see};
use crate::web::pages::error::PageError;
use crate::web::pages::home::{Gauge, gauges};
use crate::web::pages::profile::kind;
use crate::web::words::{Date, Words};

#[derive(Template)]
#[template(path = "admin_users.html")]
struct UsersPage {
    chrome: Chrome,
    here: &'static str,
    search: String,
    /// Guests who wait to be activated.
    waiting: Vec<Row>,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    email: String,
    kind: String,
    is_guest: bool,
    /// The directory's, and its address is not to be changed here.
    is_of_directory: bool,
    is_active: bool,
    standing: String,
    tone: &'static str,
    admin: bool,
    priority: u8,
    disk: String,
    created: Date,
}

fn row(words: &Words, user: &User, disk: u64) -> Row {
    Row {
        id: user.id.to_string(),
        email: user.email.clone().unwrap_or_default(),
        kind: words.t(kind(user.kind)),
        is_guest: user.is_guest(),
        is_of_directory: user.kind == UserKind::Ldap,
        is_active: user.standing == Standing::Active,
        standing: words.t(match user.standing {
            Standing::New => "admin-standing-new",
            Standing::Active => "admin-standing-active",
            Standing::Disabled => "admin-standing-disabled",
            Standing::Leaving => "admin-standing-leaving",
        }),
        tone: match user.standing {
            Standing::New => "wait",
            Standing::Active => "good",
            Standing::Disabled | Standing::Leaving => "rest",
        },
        admin: user.admin,
        priority: user.priority,
        disk: words.bytes(disk),
        created: words.date(user.created),
    }
}

#[derive(Deserialize)]
pub struct Searched {
    #[serde(default)]
    search: String,
}

pub async fn list(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    asked: web::Query<Searched>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let found = users::list(&site, &asked.search).await.map_err(failed)?;
    let disk = disk_use(&site).await.map_err(failed)?;
    let chrome = Chrome::new(&request, Some(&caller), "admin");
    let words = &chrome.words;
    let rows = found.iter().map(|user| (user.standing, row(words, user, disk.get(&user.id).copied().unwrap_or(0))));
    let (waiting, rows): (Vec<_>, Vec<_>) = rows.partition(|(standing, _)| *standing == Standing::New);
    let rows_of = |rows: Vec<(Standing, Row)>| rows.into_iter().map(|(_, row)| row).collect();
    Ok(page(&UsersPage {
        here: "users",
        search: asked.into_inner().search,
        waiting: rows_of(waiting),
        rows: rows_of(rows),
        chrome,
    }))
}

#[derive(Template)]
#[template(path = "admin_user.html")]
struct UserPage {
    chrome: Chrome,
    row: Row,
    here: &'static str,
    subject: String,
    gauges: Vec<Gauge>,
    history: Vec<audit::Row>,
    me: bool,
    uid: u32,
    gid: u32,
    groups: String,
    home: String,
    identity: Option<String>,
    quotas: QuotaFields,
    projects: Vec<String>,
    saved: bool,
    faults: Vec<FieldFault>,
}

struct QuotaFields {
    time: u64,
    cpu: u64,
    ram: u64,
    gpu: u64,
    /// Empty where the site's holds.
    disk: String,
    upload: String,
}

impl QuotaFields {
    fn of(quotas: Quotas) -> Self {
        let Quotas { time, cpu, ram, gpu, disk, upload } = quotas;
        let own = |quota: Option<u64>| quota.map(in_thousands).unwrap_or_default();
        QuotaFields { time, cpu, ram, gpu, disk: own(disk), upload: own(upload) }
    }
}

/// As it is typed in: `20G`, and every byte of what is no whole number of those.
fn in_thousands(bytes: u64) -> String {
    let of = |(unit, size): &(&str, u64)| {
        (bytes > 0 && bytes.is_multiple_of(*size)).then(|| format!("{}{unit}", bytes / size))
    };
    let units = [("T", 1_000_000_000_000), ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)];
    units.iter().find_map(of).unwrap_or_else(|| bytes.to_string())
}

#[derive(Deserialize)]
pub struct Shown {
    saved: Option<u8>,
}

async fn user_page(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    id: &UserId,
    saved: bool,
    faults: Vec<FieldFault>,
) -> Result<UserPage, ApiError> {
    let user = known(site, caller, id).await?;
    let disk = site.store.disk_use_of(id).await?;
    let projects = site.store.projects_of(id).await?;
    let groups: Vec<_> = user.groups.iter().map(ToString::to_string).collect();
    let chrome = Chrome::new(request, Some(caller), "admin");
    let words = &chrome.words;
    Ok(UserPage {
        row: row(words, &user, disk),
        here: "users",
        subject: id.to_string(),
        gauges: gauges(words, &allowance::of(site, &user).await?),
        history: audit::history(site, words, id.as_str(), false).await?,
        me: caller.id() == id,
        uid: user.uid,
        gid: user.gid,
        groups: if groups.is_empty() { words.t("profile-none") } else { groups.join(", ") },
        home: user.home.as_ref().map_or_else(|| words.t("profile-none"), |home| home.display().to_string()),
        identity: user.identity.as_ref().map(|identity| format!("{} @ {}", identity.subject, identity.issuer)),
        quotas: QuotaFields::of(user.quotas),
        projects: projects.iter().filter(|project| !project.id.is_default()).map(|p| p.id.to_string()).collect(),
        saved,
        faults,
        chrome,
    })
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    id: web::Path<String>,
    shown: web::Query<Shown>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let id = user_id(&id).map_err(failed)?;
    let user = user_page(&site, &request, &caller, &id, shown.saved.is_some(), Vec::new()).await;
    Ok(page(&user.map_err(failed)?))
}

fn user_id(text: &str) -> Result<UserId, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound("user"))
}

#[derive(Deserialize)]
pub struct Changes {
    email: Option<String>,
    prio: String,
    quota_time: String,
    quota_cpu: String,
    quota_ram: String,
    quota_gpu: String,
    quota_disk: String,
    quota_upload: Option<String>,
}

pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    id: web::Path<String>,
    form: web::Form<Changes>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let id = user_id(&id).map_err(failed)?;
    let mut sent = json!({ "usage": {
        "prio": form.prio, "quota_time": form.quota_time, "quota_cpu": form.quota_cpu,
        "quota_ram": form.quota_ram, "quota_gpu": form.quota_gpu, "quota_disk": form.quota_disk,
    }});
    if let Some(quota) = &form.quota_upload {
        sent["usage"]["quota_upload"] = json!(quota);
    }
    if let Some(email) = &form.email {
        sent["email"] = json!(email);
    }
    match users::change(&site, &caller, &id, &sent).await {
        Ok(_) => Ok(see(&site.config.web.prefix, &format!("/admin/users/{id}?saved=1"))),
        Err(ApiError::Invalid(faults)) => {
            let shown = user_page(&site, &request, &caller, &id, false, faults).await.map_err(failed)?;
            Ok(page_with(StatusCode::BAD_REQUEST, &shown))
        }
        Err(error) => Err(failed(error)),
    }
}

pub async fn act(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    place: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let (id, verb) = place.into_inner();
    let id = user_id(&id).map_err(failed)?;
    let change = |sent: serde_json::Value| {
        let (site, caller, id) = (&site, &caller, &id);
        async move { users::change(site, caller, id, &sent).await.map(drop) }
    };
    let done = match verb.as_str() {
        "activate" => change(json!({ "standing": "active" })).await,
        "disable" => change(json!({ "standing": "disabled" })).await,
        "make-admin" => change(json!({ "admin": true })).await,
        "end-admin" => change(json!({ "admin": false })).await,
        "reset" => users::reset_usage(&site, &caller, &id).await,
        "kill" => jobs::kill_all(&site, &caller, &id, None).await.map(drop),
        "logout" => users::log_out_everywhere(&site, &caller, &id).await,
        "delete" => users::delete(&site, &caller, &id).await,
        _ => Err(ApiError::NotFound("page")),
    };
    done.map_err(failed)?;
    let next = if verb == "delete" { "/admin/users".to_owned() } else { format!("/admin/users/{id}?saved=1") };
    Ok(see(&site.config.web.prefix, &next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_as_short_as_they_are_exact() {
        let table =
            [(0, "0"), (20_000_000_000, "20G"), (1_500_000, "1500k"), (1_500, "1500"), (3_000_000_000_000, "3T")];
        for (bytes, text) in table {
            assert_eq!(in_thousands(bytes), text);
        }
    }
}
