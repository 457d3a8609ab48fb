//! Maintenance: on and off, with a message for every page.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::domain::Maintenance;
use crate::web::Site;
use crate::web::accounts::site::set_maintenance;
use crate::web::pages::chrome::{Chrome, Visitor, page, see};
use crate::web::pages::error::PageError;
use crate::web::words::Date;

#[derive(Template)]
#[template(path = "admin_maintenance.html")]
struct MaintenancePage {
    chrome: Chrome,
    here: &'static str,
    on: Option<(String, Date)>,
    message: String,
}

pub async fn get(request: HttpRequest, Visitor(caller): Visitor) -> HttpResponse {
    let now = request.extensions().get::<Maintenance>().cloned();
    let chrome = Chrome::new(&request, Some(&caller), "admin");
    page(&MaintenancePage {
        here: "maintenance",
        message: now.as_ref().map(|on| on.message.clone()).unwrap_or_default(),
        on: now.map(|on| (on.by.to_string(), chrome.words.date(on.since))),
        chrome,
    })
}

#[derive(Deserialize)]
pub struct Form {
    on: u8,
    #[serde(default)]
    message: String,
}

pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let done = set_maintenance(&site, &caller, form.on == 1, &form.message).await;
    done.map_err(|error| PageError::of(&request, Some(&caller), error))?;
    Ok(see(&site.config.web.prefix, "/admin/maintenance"))
}
