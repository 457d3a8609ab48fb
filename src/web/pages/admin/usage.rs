//! What all have used: by user, project and day or month.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::{ApiError, FieldFault};
use crate::web::pages::chrome::{Chrome, Visitor, page_with};
use crate::web::pages::error::PageError;
use crate::web::pages::usage::{Figure, Total, address, drawable, picture, total, totals};
use crate::web::usage::{Period, Query, Row};

/// Rows of a table; the spreadsheet has all.
const ROWS: usize = 100;

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub struct Asked {
    from: String,
    to: String,
    by: String,
    project: String,
    user: String,
}

#[derive(Template)]
#[template(path = "admin_usage.html")]
struct UsagePage {
    chrome: Chrome,
    here: &'static str,
    asked: Asked,
    by_month: bool,
    coarser: bool,
    query: String,
    pictures: Vec<String>,
    users: Vec<Total>,
    more_users: usize,
    projects: Vec<Total>,
    more_projects: usize,
    sum: Total,
    faults: Vec<FieldFault>,
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    match usage_page(&site, &request, &caller, asked.into_inner(), Vec::new()).await {
        Ok(shown) => Ok(page_with(StatusCode::OK, &shown)),
        Err(ApiError::Invalid(faults)) => {
            let shown = usage_page(&site, &request, &caller, Asked::default(), faults).await.map_err(failed)?;
            Ok(page_with(StatusCode::BAD_REQUEST, &shown))
        }
        Err(error) => Err(failed(error)),
    }
}

async fn usage_page(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    asked: Asked,
    faults: Vec<FieldFault>,
) -> Result<UsagePage, ApiError> {
    let query = Query {
        from: Some(asked.from.clone()),
        to: Some(asked.to.clone()),
        by: Some(asked.by.clone()),
        project: Some(asked.project.clone()),
        user: Some(asked.user.clone()),
        format: None,
    };
    let (found, coarser) = drawable(site, caller, &query).await?;
    let chrome = Chrome::new(request, Some(caller), "admin");
    let words = &chrome.words;
    let cut = |mut rows: Vec<Total>| {
        let more = rows.len().saturating_sub(ROWS);
        rows.truncate(ROWS);
        (rows, more)
    };
    let (users, more_users) = cut(totals(words, &found, user_of));
    let (projects, more_projects) = cut(totals(words, &found, project_of));
    let draw = |id, name: fn(&Row) -> String| picture(words, &found, words.t(id), Figure::Hours, name);
    Ok(UsagePage {
        here: "usage",
        pictures: match found.rows.is_empty() {
            true => Vec::new(),
            false => vec![draw("admin-time-by-user", user_of), draw("admin-time-by-project", project_of)],
        },
        users,
        more_users,
        projects,
        more_projects,
        sum: total(words, words.t("usage-sum"), &found.total),
        query: address(&query, &found),
        asked: Asked { from: found.from.to_string(), to: found.to.to_string(), ..asked },
        by_month: found.by == Period::Month,
        coarser,
        faults,
        chrome,
    })
}

fn user_of(row: &Row) -> String {
    row.user.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn project_of(row: &Row) -> String {
    row.project.to_string()
}
