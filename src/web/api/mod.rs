//! The HTTP API, one file a resource.

use actix_web::web::ServiceConfig;

pub fn configure(_config: &mut ServiceConfig) {}
