//! Lists of jobs.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::task::documents;
use crate::domain::{JobId, Phase, ProjectId};
use crate::store::{JobFilter, JobOrder, Page};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::words::says;
use crate::web::{jobs, search};

/// How a list is narrowed. All of it is optional.
#[derive(Deserialize)]
pub struct Narrowed {
    project: Option<String>,
    tag: Option<String>,
    /// Phases, divided by commas: `pending,running`.
    state: Option<String>,
    #[serde(default)]
    children: Option<bool>,
    skip: Option<u64>,
    /// 0 is all.
    limit: Option<u64>,
}

impl Narrowed {
    fn filter(&self, phases: &[Phase], order: JobOrder) -> Result<JobFilter, ApiError> {
        Ok(JobFilter {
            project: self.project()?,
            tag: self.tag.clone().filter(|tag| !tag.is_empty()),
            phases: self.phases(phases)?,
            with_children: self.children.unwrap_or(false),
            order,
            ..JobFilter::default()
        })
    }

    fn project(&self) -> Result<Option<ProjectId>, ApiError> {
        let project = self.project.as_deref().filter(|project| !project.is_empty());
        project
            .map(str::parse)
            .transpose()
            .map_err(|fault: crate::domain::InvalidId| ApiError::field("project", fault.into()))
    }

    fn phases(&self, within: &[Phase]) -> Result<Vec<Phase>, ApiError> {
        let Some(words) = self.state.as_deref().filter(|words| !words.is_empty()) else { return Ok(within.to_vec()) };
        let known = |word: &str| within.iter().copied().find(|phase| phase.as_str() == word.trim());
        words.split(',').map(known).collect::<Option<_>>().ok_or_else(|| {
            let offered: Vec<_> = within.iter().map(|phase| phase.as_str()).collect();
            ApiError::field("state", says("fault-expected").set("what", offered.join(", ")))
        })
    }

    fn page(&self) -> Page {
        page(self.skip.unwrap_or(0), self.limit.unwrap_or(0))
    }
}

fn page(skip: u64, limit: u64) -> Page {
    Page { skip, limit: (limit > 0).then_some(limit) }
}

async fn answer(site: &Site, filter: JobFilter, page: Page) -> Result<HttpResponse, ApiError> {
    let jobs = site.store.list(&filter, page).await?;
    Ok(HttpResponse::Ok().json(documents(site, &jobs).await))
}

const ALL_PHASES: [Phase; 5] = [Phase::Pending, Phase::Starting, Phase::Running, Phase::Over, Phase::Archived];
const ENDED: [Phase; 2] = [Phase::Over, Phase::Archived];

/// The caller's jobs, newest first, at most 100 unless asked otherwise.
pub async fn own(
    site: web::Data<Site>,
    caller: Caller,
    mut narrowed: web::Query<Narrowed>,
) -> Result<HttpResponse, ApiError> {
    narrowed.limit = narrowed.limit.or(Some(100));
    let filter = narrowed.filter(&ALL_PHASES, JobOrder::IdDescending)?;
    answer(&site, jobs::visible_to(&caller, filter), narrowed.page()).await
}

pub async fn active(
    site: web::Data<Site>,
    caller: Caller,
    narrowed: web::Query<Narrowed>,
) -> Result<HttpResponse, ApiError> {
    let filter = narrowed.filter(&Phase::ACTIVE, JobOrder::IdAscending)?;
    answer(&site, jobs::visible_to(&caller, filter), narrowed.page()).await
}

pub async fn active_of_all(site: web::Data<Site>, narrowed: web::Query<Narrowed>) -> Result<HttpResponse, ApiError> {
    answer(&site, narrowed.filter(&Phase::ACTIVE, JobOrder::IdAscending)?, narrowed.page()).await
}

/// Old clients send a body of any kind, which says nothing.
pub async fn over(
    site: web::Data<Site>,
    caller: Caller,
    place: web::Path<(u64, u64)>,
    narrowed: web::Query<Narrowed>,
) -> Result<HttpResponse, ApiError> {
    let filter = narrowed.filter(&ENDED, JobOrder::EndedDescending)?;
    answer(&site, jobs::visible_to(&caller, filter), page(place.0, place.1)).await
}

pub async fn over_of_all(
    site: web::Data<Site>,
    place: web::Path<(u64, u64)>,
    narrowed: web::Query<Narrowed>,
) -> Result<HttpResponse, ApiError> {
    answer(&site, narrowed.filter(&ENDED, JobOrder::EndedDescending)?, page(place.0, place.1)).await
}

#[derive(Deserialize)]
pub struct Counting {
    /// 1: tell also how many there are.
    count: Option<String>,
}

/// Jobs as they are looked for: a page, and cursors to those beside it.
pub async fn search(
    site: web::Data<Site>,
    caller: Caller,
    query: web::Query<search::Query>,
    counting: web::Query<Counting>,
) -> Result<HttpResponse, ApiError> {
    let found = search::page(&site, &caller, &query).await?;
    let mut answer = json!({
        "items": documents(&site, &found.jobs).await,
        "next": found.next.map(|cursor| cursor.to_string()),
        "previous": found.previous.map(|cursor| cursor.to_string()),
        "tired": found.tired,
    });
    if counting.count.as_deref() == Some("1") {
        let counted = search::count(&site, &caller, &query).await?;
        answer["count"] = json!({ "jobs": counted.jobs, "more": counted.more });
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// The jobs of an array, by index.
pub async fn children(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<JobId>,
    narrowed: web::Query<Narrowed>,
) -> Result<HttpResponse, ApiError> {
    jobs::visible(&site, &caller, *id).await?;
    let children = site.store.children(*id, narrowed.page()).await?;
    Ok(HttpResponse::Ok().json(documents(&site, &children).await))
}
