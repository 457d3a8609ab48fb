//! What those ask who look after this process: its metrics, whether it lives, whether it is ready.

use actix_web::web::{ServiceConfig, resource};

use super::routes::routes;
use crate::telemetry::exposition;

routes! { "", resource;
    "/metrics" { GET Metrics => exposition::metrics }
    "/healthz" { GET Open => exposition::healthz }
    "/readyz" { GET Open => exposition::readyz }
}

/// Their paths: they are answered also while nobody can be identified.
pub const PROBES: &[&str] = &["/metrics", "/healthz", "/readyz"];

pub fn configure(config: &mut ServiceConfig) {
    register(config);
}
