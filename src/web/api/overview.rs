//! How the site does.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::web::Site;
use crate::web::error::ApiError;
use crate::web::overview;

#[derive(Deserialize)]
pub struct Asked {
    /// 1, 7 or 30.
    days: Option<u32>,
}

pub async fn show(site: web::Data<Site>, asked: web::Query<Asked>) -> Result<HttpResponse, ApiError> {
    let overview = overview::overview(&site, asked.days.unwrap_or(7)).await?;
    Ok(HttpResponse::Ok().json(overview.document()))
}
