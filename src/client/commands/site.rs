//! `god image list`, `god node list`, `god whoami`: what the site offers, and who asks.

use serde_json::{Value, json};

use super::{Done, Session};
use crate::client::http::Call;
use crate::client::table::Table;

pub async fn images(session: &Session) -> Done {
    let config = session.server.json(Call::read(&["config"])).await?;
    let used = session.server.json(Call::read(&["image"])).await?;
    let images = merged(&config["images"], &used);
    session.output.table(&images, "no images are configured or used here yet", || image_table(&images))?;
    Ok(0)
}

/// The configured images, then those used here before.
fn merged(configured: &Value, used: &Value) -> Value {
    let configured = configured.as_array().into_iter().flatten().map(|image| {
        let is_default = image["default"].as_bool().unwrap_or(false);
        json!({ "url": image["url"], "name": image["name"], "default": is_default, "configured": true })
    });
    let used = used.as_array().into_iter().flatten();
    let used = used.map(|url| json!({ "url": url, "name": null, "default": false, "configured": false }));
    configured.chain(used).collect()
}

fn image_table(images: &Value) -> Table {
    let mut table = Table::new(["IMAGE", "NAME", "NOTE"]);
    for image in images.as_array().into_iter().flatten() {
        let note = match (image["default"].as_bool(), image["configured"].as_bool()) {
            (Some(true), _) => "default",
            (_, Some(true)) => "",
            _ => "used here before",
        };
        table.row([text(&image["url"]), text(&image["name"]), note.into()]);
    }
    table
}

pub async fn nodes(session: &Session) -> Done {
    let nodes = session.server.json(Call::read(&["queue", "nodes"])).await?;
    session.output.table(&nodes, "no nodes are known: the executors do not answer", || node_table(&nodes))?;
    Ok(0)
}

fn node_table(nodes: &Value) -> Table {
    let mut table = Table::new(["NODE", "EXECUTOR", "CPU", "GB", "GPU", "LABELS", "NOTE"]);
    for node in nodes.as_array().into_iter().flatten() {
        // An engine's memory is a number of bytes that nobody wants to read to the last.
        let figure = |value: &Value| match value.as_f64() {
            Some(number) if number.fract() != 0.0 => format!("{}", (number * 10.0).round() / 10.0),
            _ => text(value),
        };
        let usage = |what: &str| format!("{} of {}", figure(&node["used"][what]), figure(&node["total"][what]));
        let labels: Vec<_> = node["labels"].as_array().into_iter().flatten().map(text).collect();
        let note = if node["drained"].as_bool() == Some(true) { "takes no new jobs" } else { "" };
        table.row([
            text(&node["name"]),
            text(&node["executor"]),
            usage("cpu"),
            usage("ram"),
            usage("gpus"),
            labels.join(", "),
            note.into(),
        ]);
    }
    table
}

pub async fn whoami(session: &Session) -> Done {
    let server = &session.server;
    let user = server.json(Call::read(&["user", server.user()]).about(format!("user {}", server.user()))).await?;
    let mut document = user.clone();
    if document.is_object() {
        document["server"] = json!(server.address());
    }
    session.output.result(&document, || {
        let role = if user["admin"].as_bool() == Some(true) { ", an administrator" } else { "" };
        format!("{}{role}, at {}\n", text(&user["id"]), server.address())
    })?;
    Ok(0)
}

/// A text as it is, anything else as JSON; nothing for null.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_show_what_is_in_use() {
        let nodes = json!([{
            "name": "n1", "executor": "docker", "total": { "cpu": 8, "ram": 16.5, "gpus": 0 },
            "used": { "cpu": 2, "ram": 4, "gpus": 0 }, "labels": ["storage==ssd"], "drained": true,
        }]);
        insta::assert_snapshot!(node_table(&nodes).plain(), @r"
        NODE  EXECUTOR  CPU     GB         GPU     LABELS        NOTE
        n1    docker    2 of 8  4 of 16.5  0 of 0  storage==ssd  takes no new jobs
        ");
    }

    #[test]
    fn images_are_the_configured_and_then_the_used() {
        let configured = json!([{ "name": "Debian", "url": "debian:stable", "interactive": false, "default": true }]);
        insta::assert_snapshot!(image_table(&merged(&configured, &json!(["alpine"]))).plain(), @r"
        IMAGE          NAME    NOTE
        debian:stable  Debian  default
        alpine                 used here before
        ");
    }
}
