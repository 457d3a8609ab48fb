//! What this site offers: images, volumes, labels, executors, nodes.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::extract::Document;
use crate::domain::{Maintenance, ProjectId};
use crate::plugins::executor::Capabilities;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::accounts::site::{maintenance_document, set_maintenance};
use crate::web::error::ApiError;
use crate::web::words::says;
use crate::web::{free, processes};

/// How many images the answer names at most.
const MOST_IMAGES: usize = 500;

/// For everyone: clients ask it before they log in.
pub async fn config(site: web::Data<Site>) -> HttpResponse {
    let config = &site.config;
    let executors = site.queue.executors();
    let images: Vec<Value> = config
        .images
        .iter()
        .map(|image| json!({ "name": image.name, "url": image.url, "interactive": false, "default": image.default }))
        .collect();
    let volumes: Vec<Value> =
        config.volumes.iter().map(|volume| json!({ "name": volume.name, "acl": volume.acl })).collect();
    let constraints: Vec<Value> = config
        .constraints
        .iter()
        .map(|constraint| json!({ "name": constraint.name, "value": constraint.values }))
        .collect();
    HttpResponse::Ok().json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "images": images,
        "volumes": volumes,
        "constraints": constraints,
        "executor_features": executors.first().map(|(_, can)| features(*can)).unwrap_or_default(),
        "executors": executors.iter()
            .map(|(name, can)| json!({ "name": name, "features": features(*can) }))
            .collect::<Vec<_>>(),
        "defaults": { "cpu": config.defaults.cpu, "ram": config.defaults.ram },
        "allow_root": config.access.allow_root,
        "allow_user_images": config.access.allow_user_images,
        "network_disabled": config.access.network_disabled,
        "dynamic_fields": config.dynamic_fields.iter()
            .map(|field| json!({ "name": field.name, "admin_only": field.only_admin }))
            .collect::<Vec<_>>(),
        "limits": {
            "script_bytes": config.limits.script_bytes,
            "array_jobs": config.limits.array_jobs,
            "max_file_download": config.limits.max_file_download,
        },
    }))
}

fn features(can: Capabilities) -> Vec<&'static str> {
    let known = [
        (true, "kill"),
        (can.pause, "pause"),
        (can.ports, "ports"),
        (can.root, "root"),
        (can.images, "images"),
        (can.volumes, "volumes"),
        (can.tmp_storage, "tmpstorage"),
    ];
    known.into_iter().filter_map(|(has, name)| has.then_some(name)).collect()
}

/// Images used here, beyond the configured.
pub async fn images(site: web::Data<Site>) -> Result<HttpResponse, ApiError> {
    let mut images = site.store.images(MOST_IMAGES).await?;
    images.retain(|used| !site.config.images.iter().any(|image| image.url == *used));
    Ok(HttpResponse::Ok().json(images))
}

pub async fn nodes(site: web::Data<Site>) -> HttpResponse {
    let nodes = site.queue.nodes().await;
    let shown: Vec<Value> = nodes
        .iter()
        .map(|seen| {
            json!({
                "name": seen.node.name,
                "executor": seen.node.executor,
                "total": seen.node.total,
                "used": seen.used,
                "labels": seen.node.labels.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "drained": seen.node.drained,
            })
        })
        .collect();
    HttpResponse::Ok().json(shown)
}

#[derive(Deserialize)]
pub struct InProject {
    project: Option<ProjectId>,
}

/// What is free now, and what the quotas of the caller and the project (default: all the caller's) leave.
pub async fn free(
    site: web::Data<Site>,
    caller: Caller,
    asked: web::Query<InProject>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(free::free(&site, caller.id(), asked.project.as_ref()).await?.document()))
}

/// Who lives, and what waits for them.
pub async fn processes(site: web::Data<Site>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(processes::processes(&site).await?.document()))
}

/// For everyone: whether new jobs are taken.
pub async fn maintenance(request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok().json(maintenance_document(request.extensions().get::<Maintenance>()))
}

/// `{"on": true, "message": ".."}`.
pub async fn change_maintenance(
    site: web::Data<Site>,
    caller: Caller,
    Document(sent): Document,
) -> Result<HttpResponse, ApiError> {
    let on = sent
        .get("on")
        .and_then(Value::as_bool)
        .ok_or_else(|| ApiError::field("on", says("fault-expected").set("what", says("kind-flag"))))?;
    let message = match sent.get("message") {
        None | Some(Value::Null) => "",
        Some(message) => message
            .as_str()
            .ok_or_else(|| ApiError::field("message", says("fault-expected").set("what", says("kind-text"))))?,
    };
    set_maintenance(&site, &caller, on, message).await?;
    Ok(HttpResponse::Ok().json(json!({ "on": on })))
}
