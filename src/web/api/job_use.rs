//! What a job used.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::domain::JobId;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::{Site, job_use};

#[derive(Deserialize)]
pub struct OfAttempt {
    attempt: Option<u32>,
}

pub async fn get(
    site: web::Data<Site>,
    caller: Caller,
    id: web::Path<JobId>,
    asked: web::Query<OfAttempt>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(job_use::of(&site, &caller, *id, asked.attempt).await?.document()))
}
