use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::many::back;
use crate::domain::SavedList;
use crate::web::Site;
use crate::web::accounts::users;
use crate::web::pages::chrome::{Chrome, Visitor, see};
use crate::web::pages::error::PageError;

#[derive(Deserialize)]
pub struct Form {
    #[serde(default)]
    name: String,
    /// The list that is kept.
    #[serde(default)]
    back: String,
    /// The name of one that is kept no longer.
    forget: Option<String>,
}

/// Keeps a list under a name, in the place of one of that name, or forgets one.
pub async fn save(
    site: web::Data<Site>,
    request: HttpRequest,
    Visitor(caller): Visitor,
    form: web::Form<Form>,
) -> Result<HttpResponse, PageError> {
    let back = back(&form.back);
    let query = back.split_once('?').map_or("", |(_, query)| query);
    let mut lists = caller.user.preferences.lists.clone();
    let (did, gone) = match &form.forget {
        Some(name) => ("forget", name.as_str()),
        None => ("save", form.name.trim()),
    };
    lists.retain(|list| list.name != gone);
    if form.forget.is_none() {
        lists.push(SavedList { name: gone.to_owned(), query: query.to_owned() });
    }
    let changed = users::change(&site, &caller, caller.id(), &json!({ "preferences": { "lists": lists } })).await;
    changed.map_err(|error| PageError::of(&request, Some(&caller), error))?;
    let sign = if query.is_empty() { '?' } else { '&' };
    Ok(see(&Chrome::new(&request, None, "").base, &format!("{back}{sign}did={did}")))
}
