//! The audit log.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::AuditLine;
use crate::store::AuditFilter;
use crate::web::Site;
use crate::web::accounts::site::audit;
use crate::web::pages::chrome::{Chrome, Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::pages::text::Date;

const ROWS: u64 = 100;

#[derive(Template)]
#[template(path = "admin_audit.html")]
struct AuditPage {
    chrome: Chrome,
    here: &'static str,
    asked: Asked,
    rows: Vec<Row>,
    older: Option<u64>,
}

struct Row {
    date: Date,
    actor: String,
    address: String,
    action: String,
    subject: String,
    details: Vec<String>,
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
    Ok(page(&AuditPage { chrome, here: "audit", asked, rows: lines.into_iter().map(row).collect(), older }))
}

fn row(AuditLine { entry, .. }: AuditLine) -> Row {
    let details = match &entry.details {
        Value::Object(fields) => {
            let changed = entry.action.ends_with(".change");
            fields.iter().map(|(field, value)| detail(field, value, changed)).collect()
        }
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    };
    Row {
        date: Date::of(entry.at),
        actor: entry.actor,
        address: entry.address.unwrap_or_default(),
        action: entry.action,
        subject: entry.subject,
        details,
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
