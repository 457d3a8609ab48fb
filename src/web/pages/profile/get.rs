use actix_web::{HttpRequest, HttpResponse, web};

use super::{Said, profile_page};
use crate::web::Site;
use crate::web::pages::chrome::{Visitor, page};
use crate::web::pages::error::PageError;

pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
) -> Result<HttpResponse, PageError> {
    let shown = profile_page(&site, &request, &caller, Said::default()).await;
    Ok(page(&shown.map_err(|error| PageError::of(&request, Some(&caller), error))?))
}
