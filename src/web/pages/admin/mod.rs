//! What administrators look after: how the site does, users, projects, maintenance, the audit log, processes, nodes.

pub mod audit;
pub mod maintenance;
pub mod nodes;
pub mod overview;
pub mod processes;
pub mod projects;
pub mod usage;
pub mod users;

/// Several users in one field: divided by spaces, commas or lines.
fn words(text: &str) -> Vec<String> {
    let divided = text.split(|c: char| c.is_whitespace() || c == ',');
    divided.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
