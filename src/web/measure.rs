//! Counts and times requests, by the route table's templates.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, web};

use crate::measures;
use crate::web::Site;

pub async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let method = method(request.method());
    let answer = next.call(request).await?;
    // What is no route is one: whoever tries paths makes no metrics.
    let route =
        answer.request().match_pattern().map_or_else(|| "none".to_owned(), |route| below(answer.request(), &route));
    measures::request(method, route, answer.status().as_u16(), began.elapsed());
    Ok(answer)
}

/// The template without the site's prefix, as the route table has it.
fn below(request: &HttpRequest, route: &str) -> String {
    let prefix = request.app_data::<web::Data<Site>>().map_or("", |site| site.config.web.prefix.as_str());
    route.strip_prefix(prefix).unwrap_or(route).to_owned()
}

fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        _ => "other",
    }
}
