use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::JobId;
use crate::web::Site;
use crate::web::jobs;
use crate::web::pages::chrome::{Chrome, Visitor, see};
use crate::web::pages::error::PageError;

/// Asks for the archive of all that were ticked; back to the page they were ticked on.
pub async fn archive(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, PageError> {
    let said = |name: &'static str| form.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str());
    // What is no id was not ticked on a page of ours.
    let ids: Vec<JobId> = said("id").filter_map(|id| id.parse().ok()).collect();
    // What cannot be archived any more is seen on the page that comes next.
    let asked = jobs::archive_many(&site, &caller, &ids).await;
    asked.map_err(|error| PageError::of(&request, Some(&caller), error))?;
    let next = match said("back").next() {
        Some("all") => "/jobs?over=1&all=1",
        _ => "/jobs?over=1",
    };
    Ok(see(&Chrome::new(&request, None, "").base, next))
}
