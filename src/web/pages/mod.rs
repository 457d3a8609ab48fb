//! The pages, one folder each.

use actix_web::web::ServiceConfig;

pub fn configure(_config: &mut ServiceConfig) {}
