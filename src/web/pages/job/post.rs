use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::JobId;
use crate::web::Site;
use crate::web::error::ApiError;
use crate::web::jobs::{self, Wish};
use crate::web::pages::chrome::{Chrome, Visitor, see};
use crate::web::pages::error::PageError;

pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    asked: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let (id, verb) = asked.into_inner();
    let wish = match verb.as_str() {
        "kill" => Wish::Kill,
        "suspend" => Wish::Suspend,
        "resume" => Wish::Resume,
        "reschedule" => Wish::Reschedule,
        "archive" => Wish::Archive,
        "purge" => Wish::Purge,
        _ => return Err(failed(ApiError::NotFound("page"))),
    };
    let id: JobId = id.parse().map_err(|_| failed(ApiError::NotFound("job")))?;
    jobs::ask(&site, &caller, id, wish).await.map_err(failed)?;
    // A job that is being deleted has no page to come back to.
    let next = if wish == Wish::Purge { "/jobs?over=1".to_owned() } else { format!("/jobs/{id}") };
    Ok(see(&Chrome::new(&request, None, "").base, &next))
}
