//! What is asked of many jobs at once: `{"ids": [..]}`, answered with what became of each.

use actix_web::{HttpResponse, web};
use serde_json::Value;

use super::extract::Document;
use crate::domain::JobId;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::error::ApiError;
use crate::web::many;
use crate::web::words::says;

pub async fn kill(site: web::Data<Site>, caller: Caller, Document(sent): Document) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(many::kill(&site, &caller, &ids(&sent)?).await?))
}

/// `{"ids": [..], "add": [..], "remove": [..]}`.
pub async fn tag(site: web::Data<Site>, caller: Caller, Document(sent): Document) -> Result<HttpResponse, ApiError> {
    let (add, remove) = (texts(&sent, "add")?, texts(&sent, "remove")?);
    Ok(HttpResponse::Ok().json(many::tag(&site, &caller, &ids(&sent)?, &add, &remove).await?))
}

fn ids(sent: &Value) -> Result<Vec<JobId>, ApiError> {
    let list = sent.get("ids").and_then(Value::as_array);
    let ids = list.and_then(|ids| ids.iter().map(|id| id.as_u64().map(JobId)).collect::<Option<Vec<_>>>());
    ids.ok_or_else(|| ApiError::field("ids", says("fault-job-ids")))
}

fn texts(sent: &Value, field: &str) -> Result<Vec<String>, ApiError> {
    let Some(value) = sent.get(field).filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let text = |text: &Value| text.as_str().map(str::to_owned);
    let texts = value.as_array().and_then(|texts| texts.iter().map(text).collect::<Option<Vec<_>>>());
    texts.ok_or_else(|| ApiError::field(field, says("fault-tags")))
}
