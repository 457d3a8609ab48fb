use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::profile_page;
use crate::domain::User;
use crate::web::Site;
use crate::web::access::{self, api_key_hash};
use crate::web::pages::chrome::{Visitor, page};
use crate::web::pages::error::PageError;

#[derive(Deserialize)]
pub struct Form {
    csrf: String,
}

pub async fn renew_key(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let failed = |error| PageError::of(&request, Some(&caller), error);
    access::check_csrf(&request, &form.csrf).map_err(failed)?;
    let key = hex::encode(rand::random::<[u8; 32]>());
    let user = User { api_key_hash: Some(api_key_hash(&key)), ..caller.user.clone() };
    site.store.put_user(user).await.map_err(|error| failed(error.into()))?;
    Ok(page(&profile_page(&request, &caller, Some(key))))
}
