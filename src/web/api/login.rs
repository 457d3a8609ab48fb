//! A token for an API key.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::extract::Document;
use crate::domain::UserId;
use crate::plugins::auth::log_in;
use crate::web::Site;
use crate::web::access::client_address;
use crate::web::error::{ApiError, FieldFault};
use crate::web::words::says;

pub async fn authenticate(
    site: web::Data<Site>,
    request: HttpRequest,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let (login, key) = credentials(&sent)?;
    let address = client_address(&site, &request);
    let now = site.clock.now();
    site.login_limiter.check(login, address.as_deref(), now)?;
    let found = match login.parse::<UserId>() {
        Ok(id) => log_in(site.store.as_ref(), &id, key, now).await?,
        Err(_) => None,
    };
    let Some((opened, user, scope)) = found else {
        site.login_limiter.failed(login, address.as_deref(), now);
        return Err(ApiError::LoginDenied);
    };
    site.login_limiter.succeeded(login, address.as_deref());
    let token =
        site.keys.token(&user, scope, opened.token_hash().map(str::to_owned), now, site.config.web.token_duration);
    Ok(HttpResponse::Ok().json(json!({ "token": token })))
}

fn credentials(sent: &Value) -> Result<(&str, &str), ApiError> {
    let text = |key| sent.get(key).and_then(Value::as_str);
    match (text("user"), text("apikey")) {
        (Some(login), Some(key)) => Ok((login, key)),
        (login, key) => {
            let missing = [("user", login), ("apikey", key)].into_iter().filter(|(_, text)| text.is_none());
            let faults =
                missing.map(|(field, _)| FieldFault::new(field, says("fault-expected").set("what", says("kind-text"))));
            Err(ApiError::Invalid(faults.collect()))
        }
    }
}
