use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::form::Form;
use super::{Answer, new_job_page};
use crate::domain::JobId;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::pages::chrome::{Visitor, page};
use crate::web::pages::error::PageError;
use crate::web::{jobs, templates};

#[derive(Deserialize)]
pub struct Asked {
    /// A job to begin from.
    from: Option<String>,
    /// A template to begin from; empty is none.
    template: Option<String>,
}

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    let form = begun(&site, &caller, &asked).await.map_err(failed)?;
    let shown = new_job_page(&site, &request, &caller, form, Answer::default()).await.map_err(failed)?;
    Ok(page(&shown))
}

async fn begun(site: &Site, caller: &Caller, asked: &Asked) -> Result<Form, ApiError> {
    if let Some(id) = &asked.from {
        let id: JobId = id.parse().map_err(|_| ApiError::NotFound("job"))?;
        let job = jobs::visible(site, caller, id).await?;
        return Ok(Form::like(&job));
    }
    if let Some(id) = asked.template.as_deref().filter(|id| !id.is_empty()) {
        return Ok(Form::of_document(&templates::get(site, caller, id).await?.document));
    }
    let config = &site.config;
    let image = config.images.iter().find(|image| image.default).map_or("", |image| image.url.as_str());
    let form = Form::empty(image, config.defaults.cpu.to_string(), config.defaults.ram.to_string());
    Ok(Form { email: caller.user.preferences.notify, ..form })
}
