use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::JobId;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::jobs::{self, Wish};
use crate::web::pages::chrome::{Chrome, Visitor, see};
use crate::web::pages::error::PageError;
use crate::web::{Site, many, templates};

pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    asked: web::Path<(String, String)>,
    form: web::Form<HashMap<String, String>>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let (id, verb) = asked.into_inner();
    let id: JobId = id.parse().map_err(|_| failed(ApiError::NotFound("job")))?;
    let typed = |name: &str| form.get(name).map_or("", |value| value.trim());
    let next = match verb.as_str() {
        "tags" => {
            retag(&site, &caller, id, typed("tags")).await.map_err(failed)?;
            format!("/jobs/{id}?did=tags")
        }
        "template" => {
            templates::create_from(&site, &caller, typed("name"), id).await.map_err(failed)?;
            format!("/jobs/{id}?did=template")
        }
        verb => {
            let wish = wish(verb).ok_or_else(|| failed(ApiError::NotFound("page")))?;
            jobs::ask(&site, &caller, id, wish).await.map_err(failed)?;
            // A job that is being deleted has no page to come back to.
            if wish == Wish::Purge { "/jobs?over=1".to_owned() } else { format!("/jobs/{id}") }
        }
    };
    Ok(see(&Chrome::new(&request, None, "").base, &next))
}

fn wish(verb: &str) -> Option<Wish> {
    match verb {
        "kill" => Some(Wish::Kill),
        "suspend" => Some(Wish::Suspend),
        "resume" => Some(Wish::Resume),
        "reschedule" => Some(Wish::Reschedule),
        "archive" => Some(Wish::Archive),
        "purge" => Some(Wish::Purge),
        _ => None,
    }
}

/// Gives the job these tags, divided by commas, and no others.
async fn retag(site: &Site, caller: &Caller, id: JobId, typed: &str) -> Result<(), ApiError> {
    let job = jobs::visible(site, caller, id).await?;
    let wanted: Vec<String> = typed.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
    let has = &job.spec.tags;
    let add: Vec<String> = wanted.iter().filter(|tag| !has.contains(tag)).cloned().collect();
    let remove: Vec<String> = has.iter().filter(|tag| !wanted.contains(tag)).cloned().collect();
    if add.is_empty() && remove.is_empty() {
        return Ok(());
    }
    let outcomes = many::tag(site, caller, &[id], &add, &remove).await?;
    match outcomes.refused.into_iter().next() {
        Some(refused) => Err(ApiError::Conflict(refused.reason)),
        None => Ok(()),
    }
}
