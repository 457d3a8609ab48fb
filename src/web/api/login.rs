//! A token for an API key.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::extract::Document;
use crate::domain::UserId;
use crate::web::Site;
use crate::web::access::api_key_matches;
use crate::web::error::{ApiError, FieldFault};

pub async fn authenticate(
    site: web::Data<Site>,
    request: HttpRequest,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let (login, key) = credentials(&sent)?;
    let address = request.peer_addr().map(|address| address.ip()).filter(|ip| !ip.is_loopback());
    // Behind a proxy on this machine, all callers have the loopback address.
    let guessers = [Some(format!("user {login}")), address.map(|ip| format!("address {ip}"))];
    let now = site.clock.now();
    for who in guessers.iter().flatten() {
        site.login_limiter.check(who, now)?;
    }
    let user = match login.parse::<UserId>() {
        Ok(id) => site.store.user(&id).await?,
        Err(_) => None,
    };
    match user.filter(|user| api_key_matches(user, key)) {
        Some(user) => {
            let token = site.keys.token(&user.id, now, site.config.web.token_duration);
            Ok(HttpResponse::Ok().json(json!({ "token": token })))
        }
        None => {
            guessers.iter().flatten().for_each(|who| site.login_limiter.failed(who, now));
            Err(ApiError::LoginDenied)
        }
    }
}

fn credentials(sent: &Value) -> Result<(&str, &str), ApiError> {
    let text = |key| sent.get(key).and_then(Value::as_str);
    match (text("user"), text("apikey")) {
        (Some(login), Some(key)) => Ok((login, key)),
        (login, key) => {
            let missing = [("user", login), ("apikey", key)].into_iter().filter(|(_, text)| text.is_none());
            let faults =
                missing.map(|(field, _)| FieldFault { field: field.into(), message: "expected a text".into() });
            Err(ApiError::Invalid(faults.collect()))
        }
    }
}
