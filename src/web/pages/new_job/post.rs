use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use super::form::Form;
use super::{Answer, new_job_page};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::{ApiError, FieldFault};
use crate::web::pages::chrome::{Chrome, Visitor, page_with, see};
use crate::web::pages::error::PageError;
use crate::web::preview::preview;
use crate::web::words::Words;
use crate::web::{jobs, templates};

/// Submits it, or does what the button that was pressed says.
pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let form = form.into_inner();
    let chrome = Chrome::new(&request, Some(&caller), "new");
    let (status, answer) = match form.then.as_str() {
        "check" => (StatusCode::OK, checked(&site, &caller, &form).await.map_err(failed)?),
        "keep" => kept(&site, &caller, &chrome.words, &form).await.map_err(failed)?,
        _ => match jobs::submit(&site, &caller, &form.document()).await {
            Ok(submitted) => return Ok(see(&chrome.base, &format!("/jobs/{}", submitted.id))),
            Err(error) => refused(error).map_err(failed)?,
        },
    };
    let shown = new_job_page(&site, &request, &caller, form, answer).await.map_err(failed)?;
    Ok(page_with(status, &shown))
}

/// What keeps a submit from being one, beside the form; what is no fault of the form is a page of its own.
fn refused(error: ApiError) -> Result<(StatusCode, Answer), ApiError> {
    let status = error.status_code();
    let faults = match error {
        ApiError::Invalid(faults) => faults,
        error @ (ApiError::TooMany { .. } | ApiError::Maintenance(_)) => {
            vec![FieldFault::new("queue", error.message())]
        }
        error => return Err(error),
    };
    Ok((status, Answer { faults, refused: true, ..Answer::default() }))
}

async fn checked(site: &Site, caller: &Caller, form: &Form) -> Result<Answer, ApiError> {
    match preview(site, caller, &form.document()).await {
        Ok(preview) => Ok(Answer { faults: preview.faults.clone(), preview: Some(preview), ..Answer::default() }),
        Err(error) => Ok(refused(error)?.1),
    }
}

async fn kept(site: &Site, caller: &Caller, words: &Words, form: &Form) -> Result<(StatusCode, Answer), ApiError> {
    let name = Some(form.template.trim()).filter(|name| !name.is_empty()).unwrap_or(form.name.trim());
    match templates::create(site, caller, name, &form.document()).await {
        Ok(template) => {
            let done = words.with("new-kept").set("name", &template.name).to_string();
            Ok((StatusCode::OK, Answer { done: Some(done), ..Answer::default() }))
        }
        Err(error @ (ApiError::Invalid(_) | ApiError::Conflict(_))) => {
            let status = error.status_code();
            let faults = match error {
                ApiError::Invalid(faults) => faults,
                error => vec![FieldFault::new("template", error.message())],
            };
            Ok((status, Answer { faults, ..Answer::default() }))
        }
        Err(error) => Err(error),
    }
}
