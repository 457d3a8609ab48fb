//! What was used, as a report.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::usage::{self, Query, Report};
use crate::web::words::expected_one_of;

/// As JSON; as comma-separated values where `format=csv` or the `Accept` header says so.
pub async fn report(
    site: web::Data<Site>,
    caller: Caller,
    request: HttpRequest,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let accepted = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let as_csv = match query.format.as_deref() {
        None | Some("") => accepted.trim_start().starts_with("text/csv"),
        Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(ApiError::field("format", expected_one_of(&["json", "csv"]))),
    };
    let report = usage::report(&site, &caller, &query).await?;
    Ok(if as_csv { spreadsheet(&report) } else { HttpResponse::Ok().json(report.document()) })
}

pub async fn csv(site: web::Data<Site>, caller: Caller, query: web::Query<Query>) -> Result<HttpResponse, ApiError> {
    Ok(spreadsheet(&usage::report(&site, &caller, &query).await?))
}

fn spreadsheet(report: &Report) -> HttpResponse {
    let name = format!("attachment; filename=\"godocker-usage-{}-{}.csv\"", report.from, report.to);
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(report.csv())
}
