use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::form::Form;
use super::new_job_page;
use crate::web::Site;
use crate::web::access;
use crate::web::error::{ApiError, FieldFault};
use crate::web::jobs;
use crate::web::pages::chrome::{Chrome, Visitor, page_with, see};
use crate::web::pages::error::PageError;

pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let form = form.into_inner();
    access::check_csrf(&request, &form.csrf).map_err(failed)?;
    let (status, faults) = match jobs::submit(&site, &caller, &form.document()).await {
        Ok(submitted) => {
            let base = Chrome::new(&request, None, "").base;
            return Ok(see(&base, &format!("/jobs/{}", submitted.id)));
        }
        Err(ApiError::Invalid(faults)) => (StatusCode::BAD_REQUEST, faults),
        Err(error @ ApiError::TooMany { .. }) => {
            let fault = FieldFault { field: "queue".to_owned(), message: error.to_string() };
            (StatusCode::TOO_MANY_REQUESTS, vec![fault])
        }
        Err(error) => return Err(failed(error)),
    };
    let shown = new_job_page(&site, &request, &caller, form, faults).await.map_err(|e| failed(e.into()))?;
    Ok(page_with(status, &shown))
}
