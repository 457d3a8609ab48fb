//! The whole route table.

use actix_web::web::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    super::api::configure(config);
    super::pages::configure(config);
}
