//! The HTTP API, one file a resource; [`configure`] is its whole route table.
//!
//! A handler extracts, calls, answers. Who may call is in the table ([`ROUTES`]), and has been decided before it runs.
//! Deliberately not here: what may be done with a job (`web::jobs`) or an account (`web::accounts`), and how they are
//! shown (`web::view`).

mod archive;
mod audit;
mod data;
mod docs;
mod dynamic;
mod events;
mod extract;
mod files;
mod job_use;
mod lists;
mod log;
mod login;
mod many;
mod overview;
mod project;
mod range;
mod site;
mod task;
mod templates;
#[cfg(test)]
mod tests;
mod token;
mod usage;
mod user;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource};
use serde_json::json;

use super::error::ApiError;
use super::routes::routes;
use super::words::says;

routes! { "/api/1.0", at;
    "/openapi.json" { GET Open => docs::openapi }
    "/docs" { GET Open => docs::page }
    "/docs.js" { GET Open => docs::script }
    "/docs.css" { GET Open => docs::style }
    "/authenticate" { POST Open => login::authenticate }
    "/config" { GET Open => site::config }
    "/maintenance" { GET Open => site::maintenance, PUT Administer => site::change_maintenance }
    "/image" { GET Look => site::images }
    "/queue/nodes" { GET Look => site::nodes }
    "/events" { GET Look => events::events }
    "/site/free" { GET Look => site::free }
    "/task" { GET Look => lists::own, POST Work => task::submit }
    "/task/preview" { POST Work => task::preview }
    "/task/active" { GET Look => lists::active }
    "/task/active/all" { GET Inspect => lists::active_of_all }
    "/task/over/{skip}/{limit}" { GET Look => lists::over, POST Look => lists::over }
    "/task/over/all/{skip}/{limit}" { GET Inspect => lists::over_of_all, POST Inspect => lists::over_of_all }
    "/task/search" { GET Look => lists::search }
    "/task/kill" { POST Work => many::kill }
    "/task/tags" { POST Work => many::tag }
    "/task/{id}" { GET Look => task::show, PUT Work => dynamic::change, DELETE Work => task::kill }
    "/task/{id}/status" { GET Look => task::show }
    "/task/{id}/wait" { GET Look => task::wait }
    "/task/{id}/usage" { GET Look => job_use::get }
    "/task/{id}/log" { GET Look => log::log }
    "/task/{id}/suspend" { GET Work => task::suspend }
    "/task/{id}/resume" { GET Work => task::resume }
    "/task/{id}/reschedule" { GET Work => task::reschedule }
    "/task/{id}/archive" { GET Work => archive::archive, DELETE Work => archive::purge }
    "/task/{id}/children" { GET Look => lists::children }
    "/task/{id}/files" { GET Look => files::root }
    "/task/{id}/files/{path:.*}" { GET Look => files::file }
    "/archive" { POST Work => archive::archive_many }
    "/archive/{days}" { GET Work => archive::archive_older, DELETE Work => archive::purge_older }
    "/user" { GET Inspect => user::list }
    "/user/{id}" { GET Look => user::show, PUT Account => user::change, DELETE Administer => user::delete }
    "/user/{id}/project" { GET Look => user::projects }
    "/user/{id}/usage" { GET Look => user::usage }
    "/user/{id}/disk" { GET Look => user::disk }
    "/user/{id}/quota" { GET Look => user::quota, DELETE Administer => user::reset_usage }
    "/user/{id}/task" { DELETE Work => user::kill_all }
    "/user/{id}/apikey" { POST Account => user::renew_key }
    "/user/{id}/token" { GET Account => token::list, POST Account => token::create }
    "/user/{id}/token/{token}" { DELETE Account => token::delete }
    "/user/{id}/logout" { POST Account => user::log_out_everywhere }
    "/project" { GET Inspect => project::list, POST Administer => project::create }
    "/project/{id}" { GET Look => project::show, POST Administer => project::change, DELETE Administer => project::delete }
    "/project/{id}/usage" { GET Look => project::usage }
    "/project/{id}/quota" { DELETE Administer => project::reset_usage }
    "/templates" { GET Look => templates::list, POST Work => templates::create }
    "/templates/{template}" { GET Look => templates::show, PUT Work => templates::change, DELETE Work => templates::delete }
    "/usage" { GET Look => usage::report }
    "/usage.csv" { GET Look => usage::csv }
    "/data" { GET Look => data::root }
    "/data/{path:.*}" { GET Look => data::get, HEAD Look => data::get, PUT Work => data::put, POST Work => data::post, DELETE Work => data::delete }
    "/data-usage" { GET Look => data::usage }
    "/audit" { GET Inspect => audit::list }
    "/admin/overview" { GET Inspect => overview::show }
    "/admin/processes" { GET Inspect => site::processes }
}

pub fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope("/api/1.0")
            .app_data(web::PathConfig::default().error_handler(|error, _| not_understood("path", &error).into()))
            .app_data(web::QueryConfig::default().error_handler(|error, _| not_understood("query", &error).into()))
            .configure(register)
            .default_service(web::to(no_endpoint)),
    );
}

fn at(path: &str) -> Resource {
    web::resource(path).default_service(web::to(wrong_method))
}

fn not_understood(what: &str, error: &dyn std::fmt::Display) -> ApiError {
    ApiError::BadRequest(says("fault-part-not-understood").set("part", what).set("why", error.to_string()))
}

async fn no_endpoint() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound("endpoint"))
}

async fn wrong_method() -> HttpResponse {
    let msg = "this endpoint does not know that method; /api/1.0/docs lists what there is";
    HttpResponse::build(StatusCode::METHOD_NOT_ALLOWED).json(json!({ "error": "method_not_allowed", "msg": msg }))
}
