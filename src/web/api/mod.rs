//! The HTTP API, one file a resource; [`configure`] is its whole route table.
//!
//! A handler extracts, calls, answers. Who may call is in its signature: [`Caller`](super::access::Caller) to look,
//! [`Actor`](extract::Actor) to change something, [`Admin`](super::access::Admin) for administrators. Deliberately not
//! here: what may be done with a job (`web::jobs`) and how it is shown (`web::view`).

mod archive;
mod docs;
mod dynamic;
mod extract;
mod files;
mod lists;
mod log;
mod login;
mod project;
mod range;
mod site;
mod task;
#[cfg(test)]
mod tests;
mod user;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig, delete, get, post, put};
use actix_web::{HttpResponse, Resource};
use serde_json::json;

use super::error::ApiError;

#[rustfmt::skip]
pub fn configure(config: &mut ServiceConfig) {
    config.service(web::scope("/api/1.0")
        .app_data(web::PathConfig::default().error_handler(|error, _| not_understood("path", &error).into()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| not_understood("query", &error).into()))
        .app_data(web::JsonConfig::default().error_handler(|error, _| not_understood("body", &error).into()))
        .service(at("/openapi.json").route(get().to(docs::openapi)))
        .service(at("/docs").route(get().to(docs::page)))
        .service(at("/docs.js").route(get().to(docs::script)))
        .service(at("/docs.css").route(get().to(docs::style)))
        .service(at("/authenticate").route(post().to(login::authenticate)))
        .service(at("/config").route(get().to(site::config)))
        .service(at("/image").route(get().to(site::images)))
        .service(at("/queue/nodes").route(get().to(site::nodes)))
        .service(at("/task").route(get().to(lists::own)).route(post().to(task::submit)))
        .service(at("/task/active").route(get().to(lists::active)))
        .service(at("/task/active/all").route(get().to(lists::active_of_all)))
        .service(at("/task/over/{skip}/{limit}").route(post().to(lists::over)).route(get().to(lists::over)))
        .service(at("/task/over/all/{skip}/{limit}")
            .route(post().to(lists::over_of_all)).route(get().to(lists::over_of_all)))
        .service(at("/task/{id}")
            .route(get().to(task::show)).route(put().to(dynamic::change)).route(delete().to(task::kill)))
        .service(at("/task/{id}/status").route(get().to(task::show)))
        .service(at("/task/{id}/wait").route(get().to(task::wait)))
        .service(at("/task/{id}/log").route(get().to(log::log)))
        .service(at("/task/{id}/suspend").route(get().to(task::suspend)))
        .service(at("/task/{id}/resume").route(get().to(task::resume)))
        .service(at("/task/{id}/reschedule").route(get().to(task::reschedule)))
        .service(at("/task/{id}/archive").route(get().to(archive::archive)).route(delete().to(archive::purge)))
        .service(at("/task/{id}/children").route(get().to(lists::children)))
        .service(at("/task/{id}/files").route(get().to(files::root)))
        .service(at("/task/{id}/files/{path:.*}").route(get().to(files::file)))
        .service(at("/archive/{days}")
            .route(get().to(archive::archive_older)).route(delete().to(archive::purge_older)))
        .service(at("/user").route(get().to(user::list)))
        .service(at("/user/{id}").route(get().to(user::show)).route(put().to(user::change)))
        .service(at("/user/{id}/project").route(get().to(user::projects)))
        .service(at("/user/{id}/usage").route(get().to(user::usage)))
        .service(at("/user/{id}/task").route(delete().to(user::kill_all)))
        .service(at("/user/{id}/apikey").route(post().to(user::renew_key)))
        .service(at("/project/{id}").route(get().to(project::show)))
        .service(at("/project/{id}/usage").route(get().to(project::usage)))
        .default_service(web::to(no_endpoint)));
}

fn at(path: &str) -> Resource {
    web::resource(path).default_service(web::to(wrong_method))
}

fn not_understood(what: &str, error: &dyn std::fmt::Display) -> ApiError {
    ApiError::BadRequest(format!("the {what} of the request is not understood: {error}"))
}

async fn no_endpoint() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound("endpoint"))
}

async fn wrong_method() -> HttpResponse {
    let msg = "this endpoint does not know that method; /api/1.0/docs lists what there is";
    HttpResponse::build(StatusCode::METHOD_NOT_ALLOWED).json(json!({ "error": "method_not_allowed", "msg": msg }))
}
