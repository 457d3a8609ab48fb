use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use super::form::Form;
use super::new_job_page;
use crate::web::Site;
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
    let (status, faults) = match jobs::submit(&site, &caller, &form.document()).await {
        Ok(submitted) => {
            let base = Chrome::new(&request, None, "").base;
            return Ok(see(&base, &format!("/jobs/{}", submitted.id)));
        }
        Err(ApiError::Invalid(faults)) => (StatusCode::BAD_REQUEST, faults),
        Err(error @ (ApiError::TooMany { .. } | ApiError::Maintenance(_))) => {
            let fault = FieldFault { field: "queue".to_owned(), message: error.to_string() };
            (error.status_code(), vec![fault])
        }
        Err(error) => return Err(failed(error)),
    };
    let shown = new_job_page(&site, &request, &caller, form, faults).await.map_err(|e| failed(e.into()))?;
    Ok(page_with(status, &shown))
}
