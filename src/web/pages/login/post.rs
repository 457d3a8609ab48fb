use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Deserialize;

use super::{finish, login_page};
use crate::domain::User;
use crate::web::Site;
use crate::web::access::{client_address, session};
use crate::web::error::ApiError;
use crate::web::pages::chrome::{Chrome, page_with, see};
use crate::web::pages::error::PageError;

#[derive(Deserialize)]
pub struct Form {
    user: String,
    password: String,
    #[serde(default)]
    next: String,
}

pub async fn post(
    site: web::Data<Site>,
    request: HttpRequest,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let form = form.into_inner();
    let failed = |error| PageError::of(&request, None, error);
    match check(&site, &request, &form).await {
        Ok(user) => finish(&site, &request, &user, form.next).await.map_err(failed),
        Err(
            error @ (ApiError::LoginDenied
            | ApiError::TooMany { .. }
            | ApiError::LoginUnavailable
            | ApiError::Forbidden(_)),
        ) => {
            let status = error.status_code();
            Ok(page_with(status, &login_page(&site, &request, Some(&error), form.user, form.next)))
        }
        Err(error) => Err(failed(error)),
    }
}

async fn check(site: &Site, request: &HttpRequest, form: &Form) -> Result<User, ApiError> {
    let now = site.clock.now();
    let (login, address) = (form.user.trim(), client_address(site, request));
    site.login_limiter.check(login, address.as_deref(), now)?;
    match site.auth.login(login, &form.password).await.map_err(ApiError::from) {
        Ok(user) => {
            site.login_limiter.succeeded(login, address.as_deref());
            Ok(user)
        }
        Err(ApiError::LoginDenied) => {
            site.login_limiter.failed(login, address.as_deref(), now);
            Err(ApiError::LoginDenied)
        }
        Err(error) => Err(error),
    }
}

pub async fn logout(site: web::Data<Site>, request: HttpRequest) -> Result<HttpResponse, PageError> {
    session::end(&site, &request).await.map_err(|error| PageError::of(&request, None, error))?;
    Ok(see(&Chrome::new(&request, None, "").base, "/login"))
}
