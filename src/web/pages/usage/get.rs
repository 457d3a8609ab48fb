use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::periods::{Figure, Total, address, drawable, picture, total, totals};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::{ApiError, FieldFault};
use crate::web::pages::chrome::{Chrome, Visitor, page_with};
use crate::web::pages::error::PageError;
use crate::web::usage::{Period, Query, Row};

/// Everybody in the project, together.
const ALL: &str = "project";

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub struct Asked {
    from: String,
    to: String,
    by: String,
    project: String,
    whose: String,
}

#[derive(Template)]
#[template(path = "usage.html")]
struct UsagePage {
    chrome: Chrome,
    asked: Asked,
    by_month: bool,
    /// There were too many days for bars of one each.
    coarser: bool,
    projects: Vec<String>,
    everybody: bool,
    /// For the same from the API; escaped for an address.
    query: String,
    pictures: Vec<String>,
    totals: Vec<Total>,
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
    let asked = asked.into_inner();
    match usage_page(&site, &request, &caller, asked, Vec::new()).await {
        Ok(shown) => Ok(page_with(StatusCode::OK, &shown)),
        // The page as it opens, with what was wrong.
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
    let projects = site.store.projects_of(caller.id()).await?;
    let everybody =
        asked.whose == ALL && projects.iter().any(|one| !one.id.is_default() && one.id.as_str() == asked.project);
    let query = Query {
        from: Some(asked.from.clone()),
        to: Some(asked.to.clone()),
        by: Some(asked.by.clone()),
        project: Some(asked.project.clone()),
        user: Some(if everybody { "*".to_owned() } else { caller.id().to_string() }),
        format: None,
    };
    let (found, coarser) = drawable(site, caller, &query).await?;
    let chrome = Chrome::new(request, Some(caller), "usage");
    let words = &chrome.words;
    let by_project = |row: &Row| row.project.to_string();
    let draw = |id, figure| picture(words, &found, words.t(id), figure, by_project);
    let nothing = found.rows.is_empty();
    Ok(UsagePage {
        pictures: if nothing {
            Vec::new()
        } else {
            vec![draw("usage-time-drawn", Figure::Hours), draw("usage-jobs-drawn", Figure::Jobs)]
        },
        totals: totals(words, &found, by_project),
        sum: total(words, words.t("usage-sum"), &found.total),
        query: address(&query, &found),
        asked: Asked { from: found.from.to_string(), to: found.to.to_string(), ..asked },
        by_month: found.by == Period::Month,
        coarser,
        projects: projects.iter().map(|project| project.id.to_string()).collect(),
        everybody,
        faults,
        chrome,
    })
}
