use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::JobId;
use crate::web::Site;
use crate::web::jobs;
use crate::web::pages::chrome::{Visitor, see};
use crate::web::pages::error::PageError;

/// Asks for the archive of all that were ticked.
pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, PageError> {
    // What is no id was not ticked on a page of ours.
    let ticked = form.iter().filter(|(name, _)| name == "id").filter_map(|(_, id)| id.parse().ok());
    let ids: Vec<JobId> = ticked.collect();
    // What cannot be archived any more is seen on the page that comes next.
    let asked = jobs::archive_many(&site, &caller, &ids).await;
    asked.map_err(|error| PageError::of(&request, Some(&caller), error))?;
    Ok(see(&site.config.web.prefix, "/disk"))
}
