use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{finish, login_page};
use crate::web::Site;
use crate::web::access::remote_user;
use crate::web::error::ApiError;
use crate::web::pages::chrome::page;
use crate::web::pages::error::PageError;
use crate::web::words::says;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
}

/// Whom a trusted proxy has logged in is let in at once.
pub async fn get(
    site: web::Data<Site>,
    request: HttpRequest,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let next = asked.into_inner().next;
    let Some(name) = remote_user(&site, &request) else {
        return Ok(page(&login_page(&site, &request, None, String::new(), next)));
    };
    let failed = |error| PageError::of(&request, None, error);
    match site.auth.vouched(&name).await.map_err(ApiError::from) {
        Ok(user) => finish(&site, &request, &user, next).await.map_err(failed),
        Err(ApiError::LoginDenied) => Err(failed(ApiError::Forbidden(says("fault-proxy-stranger").set("name", name)))),
        Err(error) => Err(failed(error)),
    }
}
