//! The audit log.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::{AuditLine, UserId};
use crate::store::AuditFilter;
use crate::web::Site;
use crate::web::accounts::site::audit;
use crate::web::error::ApiError;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::words::{Date, Words};

const ROWS: u64 = 100;
/// Lines of an account's own page.
const HISTORY: u64 = 20;

#[derive(Template)]
#[template(path = "admin_audit.html")]
struct AuditPage {
    chrome: Chrome,
    here: &'static str,
    asked: Asked,
    rows: Vec<Row>,
    older: Option<u64>,
    /// What is asked for, for an address.
    query: String,
}

pub(super) struct Row {
    pub date: Date,
    pub actor: String,
    /// Below the site's prefix, as the next.
    pub actor_link: Option<String>,
    pub address: String,
    pub action: String,
    pub subject: String,
    pub subject_link: Option<String>,
    pub details: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    before: Option<u64>,
    actor: String,
    subject: String,
    action: String,
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let asked = asked.into_inner();
    let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let filter = AuditFilter {
        before: asked.before,
        actor: text(&asked.actor),
        subject: text(&asked.subject),
        action: text(&asked.action),
    };
    let lines = audit(&site, &filter, ROWS + 1).await;
    let mut lines = lines.map_err(|error| PageError::of(&request, Some(&caller), error))?;
    let more = lines.len() as u64 > ROWS;
    lines.truncate(ROWS as usize);
    let older = lines.last().filter(|_| more).map(|line| line.number);
    let chrome = Chrome::new(&request, Some(&caller), "admin");
    let rows = lines.into_iter().map(|line| row(&chrome.words, line)).collect();
    let query = [("actor", &asked.actor), ("subject", &asked.subject), ("action", &asked.action)];
    let query: Vec<_> = query.map(|(name, text)| format!("{name}={}", encoded(text))).to_vec();
    Ok(page(&AuditPage { chrome, here: "audit", asked, rows, older, query: query.join("&") }))
}

/// The last that was done to a project, or to a user of that name.
pub(super) async fn history(site: &Site, words: &Words, subject: &str, is_project: bool) -> Result<Vec<Row>, ApiError> {
    let filter = AuditFilter { subject: Some(subject.to_owned()), ..AuditFilter::default() };
    let lines = audit(site, &filter, HISTORY).await?;
    let own = lines.into_iter().filter(|line| line.entry.action.starts_with("project.") == is_project);
    Ok(own.map(|line| row(words, line)).collect())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text.trim(), NON_ALPHANUMERIC).to_string()
}

fn row(words: &Words, AuditLine { entry, .. }: AuditLine) -> Row {
    let details = match &entry.details {
        Value::Object(fields) => {
            let changed = entry.action.ends_with(".change");
            let told = fields.iter().filter(|(_, value)| changed || !is_nothing(value));
            told.map(|(field, value)| detail(field, value, changed)).collect()
        }
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    };
    Row {
        date: words.date(entry.at),
        // A program's name (`go-d user`) is no user's.
        actor_link: entry.actor.parse::<UserId>().ok().map(|actor| format!("/admin/users/{}", encoded(actor.as_str()))),
        actor: entry.actor,
        address: entry.address.unwrap_or_default(),
        subject_link: subject_link(&entry.action, &entry.subject),
        action: entry.action,
        subject: entry.subject,
        details,
    }
}

fn subject_link(action: &str, subject: &str) -> Option<String> {
    let subject = encoded(subject);
    match action.split('.').next()? {
        "user" | "token" => Some(format!("/admin/users/{subject}")),
        "project" => Some(format!("/admin/projects/{subject}")),
        "job" => Some(format!("/jobs/{subject}")),
        "maintenance" => Some("/admin/maintenance".to_owned()),
        _ => None,
    }
}

/// Of what was made, what was left as it is by default says nothing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(said) => !said,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Of a change, each field has what it was and what it is.
fn detail(field: &str, value: &Value, changed: bool) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value.as_array().map(Vec::as_slice) {
        Some([before, after]) if changed => format!("{field}: {} → {}", plain(before), plain(after)),
        _ => format!("{field}: {}", plain(value)),
    }
}
