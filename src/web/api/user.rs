//! Users: themselves, their preferences, projects and use.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::archive::Tagged;
use super::extract::Document;
use crate::domain::usage::DailyUsage;
use crate::domain::{User, UserId};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::accounts::projects;
use crate::web::accounts::users::{self, disk_use, document, known};
use crate::web::allowance;
use crate::web::error::ApiError;
use crate::web::{jobs, view};

#[derive(Deserialize)]
pub struct Searched {
    /// Part of an id, mail address, kind or standing.
    #[serde(default)]
    search: String,
}

pub async fn list(site: web::Data<Site>, asked: web::Query<Searched>) -> Result<HttpResponse, ApiError> {
    let users = users::list(&site, &asked.search).await?;
    let disk = disk_use(&site).await?;
    let shown = |user: &User| document(user, disk.get(&user.id).copied().unwrap_or(0));
    Ok(HttpResponse::Ok().json(users.iter().map(shown).collect::<Vec<_>>()))
}

pub async fn show(site: web::Data<Site>, caller: Caller, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    answer(&site, &known(&site, &caller, &id).await?).await
}

async fn answer(site: &Site, user: &User) -> Result<HttpResponse, ApiError> {
    let disk = site.store.disk_use_of(&user.id).await?;
    Ok(HttpResponse::Ok().json(document(user, disk)))
}

/// Changes what the document holds of what the caller may change; the rest of it, as it comes from a GET, is let pass.
pub async fn change(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<UserId>,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let user = users::change(&site, &caller, &id, &sent).await?;
    answer(&site, &user).await
}

pub async fn delete(site: web::Data<Site>, caller: Caller, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    users::delete(&site, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "User removal requested", "id": *id })))
}

/// The default project first.
pub async fn projects(site: web::Data<Site>, caller: Caller, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let user = known(&site, &caller, &id).await?;
    let projects = site.store.projects_of(&user.id).await?;
    let shown = |project| projects::document(project, caller.is_admin());
    Ok(HttpResponse::Ok().json(projects.iter().map(shown).collect::<Vec<_>>()))
}

#[derive(Deserialize)]
pub struct Limit {
    limit: Option<usize>,
}

/// Jobs listed unless asked otherwise.
const LARGEST: usize = 100;

/// What uses the user's space, the largest jobs first.
pub async fn disk(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<UserId>,
    asked: web::Query<Limit>,
) -> Result<HttpResponse, ApiError> {
    let user = known(&site, &caller, &id).await?;
    let found = crate::web::disk::of(&site, &user, asked.limit.unwrap_or(LARGEST)).await?;
    let jobs: Vec<Value> = found
        .largest
        .iter()
        .map(|(job, bytes)| {
            let ended = job.state.outcome().map(|outcome| view::date(outcome.ended));
            json!({ "id": job.id, "name": job.spec.name, "project": job.owner.project, "date_over": ended, "size": bytes })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "used": found.used, "quota": found.quota, "count": found.jobs, "jobs": jobs })))
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

/// What the user has used of what they may.
pub async fn quota(site: web::Data<Site>, caller: Caller, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let user = known(&site, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(allowance::of(&site, &user).await?.document()))
}

/// One day of use, the seconds whole.
pub(super) fn usage_row(row: &DailyUsage) -> Value {
    json!({
        "date": date_of(row.day),
        "cpu": view::number(row.usage.cpu),
        "ram": view::number(row.usage.ram),
        "gpu": view::number(row.usage.gpu),
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

pub async fn reset_usage(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<UserId>,
) -> Result<HttpResponse, ApiError> {
    users::reset_usage(&site, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "User quota reset", "id": *id })))
}

pub async fn kill_all(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<UserId>,
    tagged: web::Query<Tagged>,
) -> Result<HttpResponse, ApiError> {
    let asked = jobs::kill_all(&site, &caller, &id, tagged.tag()).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Tasks kill requested", "count": asked })))
}

/// A new API key, readable in this answer and never again. The old one opens nothing any more.
pub async fn renew_key(site: web::Data<Site>, caller: Caller, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let key = users::renew_key(&site, &caller, &id).await?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(json!({ "apikey": key })))
}

/// Ends every session and every token of `/authenticate`, this one too.
pub async fn log_out_everywhere(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<UserId>,
) -> Result<HttpResponse, ApiError> {
    users::log_out_everywhere(&site, &caller, &id).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Sessions and tokens ended", "id": *id })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_old_clients_read_them() {
        assert_eq!(date_of(0), "1970_01_01");
        assert_eq!(date_of(20_780), "2026_11_23");
    }
}
