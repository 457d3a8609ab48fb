//! A token for an API key.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::extract::Document;
use crate::domain::{Scope, User, UserId};
use crate::web::Site;
use crate::web::access::{api_key_matches, client_address, personal_token, secret_hash};
use crate::web::error::{ApiError, FieldFault};

pub async fn authenticate(
    site: web::Data<Site>,
    request: HttpRequest,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let (login, key) = credentials(&sent)?;
    let address = client_address(&site, &request);
    let now = site.clock.now();
    site.login_limiter.check(login, address.as_deref(), now)?;
    let Some((user, scope, via)) = user_with(&site, login, key).await? else {
        site.login_limiter.failed(login, address.as_deref(), now);
        return Err(ApiError::LoginDenied);
    };
    site.login_limiter.succeeded(login, address.as_deref());
    let token = site.keys.token(&user, scope, via, now, site.config.web.token_duration);
    Ok(HttpResponse::Ok().json(json!({ "token": token })))
}

/// The user whose API key, or personal token, this is: for old clients a token is as good as a key.
async fn user_with(site: &Site, login: &str, key: &str) -> Result<Option<(User, Scope, Option<String>)>, ApiError> {
    let Ok(id) = login.parse::<UserId>() else { return Ok(None) };
    let user = site.store.user(&id).await?.filter(|user| api_key_matches(user, key));
    if let Some(user) = user {
        return Ok(Some((user, Scope::Admin, None)));
    }
    let found = personal_token(site, key).await?;
    let found = found.filter(|(user, _)| user.id == id && user.standing.may_come_in());
    Ok(found.map(|(user, scope)| (user, scope, Some(secret_hash(key)))))
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
