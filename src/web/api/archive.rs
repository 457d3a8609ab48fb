//! Over jobs: to be archived (their files go) or deleted (the record goes too).

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::task::ask;
use crate::domain::JobId;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::jobs::{self, Wish};

pub async fn archive(site: web::Data<Site>, caller: Caller, id: web::Path<JobId>) -> Result<HttpResponse, ApiError> {
    ask(&site, &caller, *id, Wish::Archive).await
}

pub async fn purge(site: web::Data<Site>, caller: Caller, id: web::Path<JobId>) -> Result<HttpResponse, ApiError> {
    ask(&site, &caller, *id, Wish::Purge).await
}

#[derive(Deserialize)]
pub struct Tagged {
    pub tag: Option<String>,
}

impl Tagged {
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref().filter(|tag| !tag.is_empty())
    }
}

pub async fn archive_older(
    site: web::Data<Site>,
    caller: Caller,
    days: web::Path<u32>,
    tagged: web::Query<Tagged>,
) -> Result<HttpResponse, ApiError> {
    let asked = jobs::archive_older(&site, &caller, *days, tagged.tag(), false).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Tasks archive requested", "count": asked })))
}

pub async fn purge_older(
    site: web::Data<Site>,
    caller: Caller,
    days: web::Path<u32>,
    tagged: web::Query<Tagged>,
) -> Result<HttpResponse, ApiError> {
    let asked = jobs::archive_older(&site, &caller, *days, tagged.tag(), true).await?;
    Ok(HttpResponse::Ok().json(json!({ "msg": "Tasks removal requested", "count": asked })))
}
