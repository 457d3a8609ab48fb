use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::form::Form;
use super::new_job_page;
use crate::domain::JobId;
use crate::web::Site;
use crate::web::error::ApiError;
use crate::web::jobs;
use crate::web::pages::chrome::{Visitor, page};
use crate::web::pages::error::PageError;

#[derive(Deserialize)]
pub struct Asked {
    /// A job to begin from.
    from: Option<String>,
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let form = match &asked.from {
        Some(id) => {
            let id: JobId = id.parse().map_err(|_| failed(ApiError::NotFound("job")))?;
            let job = jobs::visible(&site, &caller, id).await.map_err(failed)?;
            Form::like(&job.spec, job.owner.project.as_str())
        }
        None => {
            let config = &site.config;
            let image = config.images.iter().find(|image| image.default).map_or("", |image| image.url.as_str());
            let form = Form::empty(image, config.defaults.cpu.to_string(), config.defaults.ram.to_string());
            Form { email: caller.user.preferences.notify, ..form }
        }
    };
    let shown = new_job_page(&site, &request, &caller, form, Vec::new()).await.map_err(|e| failed(e.into()))?;
    Ok(page(&shown))
}
