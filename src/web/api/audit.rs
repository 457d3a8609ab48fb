//! The audit log.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::store::AuditFilter;
use crate::web::Site;
use crate::web::accounts::site::{audit, audit_document, csv};
use crate::web::error::ApiError;
use crate::web::words::expected_one_of;

/// How it is narrowed. All of it is optional.
#[derive(Deserialize)]
pub struct Narrowed {
    /// Lines with lower numbers: the next page.
    before: Option<u64>,
    actor: Option<String>,
    subject: Option<String>,
    action: Option<String>,
    limit: Option<u64>,
    /// `csv`, else JSON.
    format: Option<String>,
}

const MOST_LINES: u64 = 100_000;

impl Narrowed {
    pub fn filter(self) -> AuditFilter {
        let text = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        AuditFilter {
            before: self.before,
            actor: text(self.actor),
            subject: text(self.subject),
            action: text(self.action),
        }
    }
}

pub async fn list(site: web::Data<Site>, narrowed: web::Query<Narrowed>) -> Result<HttpResponse, ApiError> {
    let narrowed = narrowed.into_inner();
    let limit = narrowed.limit.unwrap_or(1_000).min(MOST_LINES);
    let as_csv = match narrowed.format.as_deref() {
        None | Some("json" | "") => false,
        Some("csv") => true,
        Some(_) => return Err(ApiError::field("format", expected_one_of(&["json", "csv"]))),
    };
    let lines = audit(&site, &narrowed.filter(), limit).await?;
    if !as_csv {
        return Ok(HttpResponse::Ok().json(lines.iter().map(audit_document).collect::<Vec<_>>()));
    }
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("Content-Disposition", "attachment; filename=\"godocker-audit.csv\""))
        .body(csv(&lines)))
}
