//! What administrators look after: users, projects, maintenance, the audit log, processes, nodes.

pub mod audit;
pub mod maintenance;
pub mod nodes;
pub mod processes;
pub mod projects;
pub mod users;

use actix_web::{HttpRequest, HttpResponse};

use super::chrome::{Chrome, see};

pub async fn home(request: HttpRequest) -> HttpResponse {
    see(&Chrome::new(&request, None, "").base, "/admin/users")
}

/// Several users in one field: divided by spaces, commas or lines.
fn words(text: &str) -> Vec<String> {
    let divided = text.split(|c: char| c.is_whitespace() || c == ',');
    divided.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
