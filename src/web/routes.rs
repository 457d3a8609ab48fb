//! The whole route table: every path and method, what it asks of its caller, and who answers.
//!
//! `access::guard` applies the rules; a test calls every line of it as every sort of caller.

use actix_web::web::ServiceConfig;

use super::access::Rule;

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// `GET`, `HEAD`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Below the site's prefix, with `{names}` where a part may be anything.
    pub path: &'static str,
    pub rule: Rule,
}

/// A part of the table, and the function that registers it. Paths are below `prefix`.
macro_rules! routes {
    ($prefix:literal, $resource:path; $( $path:literal { $( $method:ident $rule:ident => $handler:expr ),+ $(,)? } )+) => {
        pub const ROUTES: &[$crate::web::routes::Route] = &[ $( $(
            $crate::web::routes::Route {
                method: stringify!($method),
                path: concat!($prefix, $path),
                rule: $crate::web::access::Rule::$rule,
            },
        )+ )+ ];

        fn register(config: &mut actix_web::web::ServiceConfig) {
            $( config.service(
                $resource($path)$( .route($crate::web::routes::routes!(@ $method).to($handler)) )+
                    // Here, and not before the request is dispatched: what is asked is who may reach this resource,
                    // however its path was spelled.
                    .wrap(actix_web::middleware::from_fn(
                        |request: actix_web::dev::ServiceRequest,
                         next: actix_web::middleware::Next<actix_web::body::BoxBody>| {
                            const RULES: &[(&str, $crate::web::access::Rule)] =
                                &[ $( (stringify!($method), $crate::web::access::Rule::$rule) ),+ ];
                            $crate::web::access::guard::guard(!$prefix.is_empty(), RULES, request, next)
                        },
                    )),
            ); )+
        }
    };
    (@ HEAD) => { actix_web::web::head() };
    (@ GET) => { actix_web::web::get() };
    (@ POST) => { actix_web::web::post() };
    (@ PUT) => { actix_web::web::put() };
    (@ DELETE) => { actix_web::web::delete() };
}
pub(super) use routes;

pub fn all() -> impl Iterator<Item = &'static Route> {
    super::api::ROUTES.iter().chain(super::probes::ROUTES).chain(super::pages::ROUTES)
}

pub fn configure(config: &mut ServiceConfig) {
    super::api::configure(config);
    super::probes::configure(config);
    // Last: it answers all that is nobody's.
    super::pages::configure(config);
}
