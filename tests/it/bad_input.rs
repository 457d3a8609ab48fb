//! What must not be taken: each answer names the field, and nothing is stored.

use serde_json::{Value, json};

use crate::support::{job, native};

/// A field's path, what is put there, and the field that the answer must name.
fn malformed() -> Vec<(&'static str, Value, &'static str)> {
    let long = "x".repeat(300);
    let mut table: Vec<(&str, Value, &str)> = Vec::new();
    let mut add = |path, values: Vec<Value>, field| table.extend(values.into_iter().map(|value| (path, value, field)));
    add(
        "/meta/name",
        vec![json!(null), json!(""), json!(7), json!([]), json!("a\u{0}b"), json!("a\nb"), json!(long)],
        "meta.name",
    );
    add("/meta/description", vec![json!(7), json!("\u{0}"), json!("d".repeat(20_000))], "meta.description");
    add(
        "/meta/tags",
        vec![json!("red"), json!([1]), json!(["\u{0}"]), json!([""]), json!(vec!["t"; 100])],
        "meta.tags",
    );
    add(
        "/container/image",
        vec![
            json!(null),
            json!(""),
            json!(1),
            json!("a b"),
            json!("-rm"),
            json!("a\u{0}"),
            json!("Upper"),
            json!("a;reboot"),
            json!("$(id)"),
            json!("../up"),
        ],
        "container.image",
    );
    add(
        "/container/volumes",
        vec![
            json!("home"),
            json!([{ "name": "../etc" }]),
            json!([{ "name": "/etc", "acl": "rw" }]),
            json!([{ "name": "nothere", "acl": "ro" }]),
            json!([{ "name": "home", "acl": "rwx" }]),
            json!([{ "acl": "ro" }]),
            json!([7]),
            json!([{ "name": "ho\u{0}me", "acl": "ro" }]),
        ],
        "container.volumes",
    );
    add("/container/network", vec![json!("yes"), json!(1)], "container.network");
    add("/container/root", vec![json!("yes"), json!(true)], "container.root");
    add(
        "/command/cmd",
        vec![json!(null), json!(""), json!(["sh"]), json!("echo \u{0}"), json!("y".repeat(1_100_000))],
        "command.cmd",
    );
    add("/command/interactive", vec![json!(true)], "command.interactive");
    add(
        "/requirements/cpu",
        vec![json!(0), json!(-1), json!("two"), json!(1e9), json!([1]), json!(0.0001), json!(600)],
        "requirements.cpu",
    );
    add("/requirements/ram", vec![json!(0), json!(-4), json!("4G"), json!(1e12), json!({})], "requirements.ram");
    add("/requirements/gpus", vec![json!(-1), json!(1.5), json!("one"), json!(4)], "requirements.gpus");
    add(
        "/requirements/array",
        vec![
            json!({ "values": "a" }),
            json!({ "values": "10:1" }),
            json!({ "values": "1:10:0" }),
            json!({ "values": "1:2:3:4" }),
            json!({ "values": "1:99999999" }),
            json!({ "values": "1:5%0" }),
            json!({ "values": "-1:5" }),
            json!({ "values": 7.5 }),
            json!("1:2"),
        ],
        "requirements.array",
    );
    add(
        "/requirements/tasks",
        vec![json!("12"), json!([99]), json!(["12:maybe"]), json!([-1]), json!([0]), json!([{}])],
        "requirements.tasks",
    );
    add("/requirements/label", vec![json!("storage==ssd"), json!(["nothere==x"]), json!([1])], "requirements.label");
    add("/requirements/ports", vec![json!("80"), json!([0]), json!([70000]), json!([80.5])], "requirements.ports");
    add(
        "/requirements/failure_policy",
        vec![json!(-1), json!("many"), json!(1_000_000)],
        "requirements.failure_policy",
    );
    add("/requirements/maxlifespan", vec![json!("soon"), json!(-5), json!("0"), json!([])], "requirements.maxlifespan");
    add("/requirements/executor", vec![json!("mesos"), json!(3)], "requirements.executor");
    add("/requirements/tmpstorage", vec![json!({ "size": "10g", "path": null })], "requirements.tmpstorage");
    add("/requirements/uris", vec![json!(["http://example.org/x"])], "requirements.uris");
    add("/user", vec![json!({ "project": "not-mine" }), json!({ "project": "../up" })], "user.project");
    table
}

fn put(document: &mut Value, path: &str, value: Value) {
    let (parent, last) = path.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[last] = value;
}

#[tokio::test]
async fn malformed_jobs_are_refused_with_the_fields_name_and_not_stored() {
    let server = native().start().await;
    let table = malformed();
    assert!(table.len() >= 60);
    for (path, value, field) in table {
        let mut document = job("true");
        put(&mut document, path, value.clone());
        let (status, answer) = server.call("POST", "/task", Some(document)).await;
        let shown: String = value.to_string().chars().take(80).collect();
        assert_eq!(status, 400, "{path} = {shown}: {answer}");
        let named = answer["fields"].as_array().is_some_and(|fields| {
            fields.iter().any(|fault| fault["field"].as_str().is_some_and(|name| name.starts_with(field)))
        });
        assert!(named, "{path} = {shown}: {answer}");
    }
    assert_eq!(server.get("/task/active").await, json!([]));
    assert_eq!(server.call("POST", "/task/over/0/0", None).await.1, json!([]));
}

#[tokio::test]
async fn what_is_no_job_at_all_is_refused() {
    let server = native().start().await;
    for document in [json!(null), json!([]), json!("job"), json!(7), json!({}), json!({ "meta": 1 })] {
        let (status, answer) = server.call("POST", "/task", Some(document.clone())).await;
        assert_eq!(status, 400, "{document}: {answer}");
    }
    let url = format!("{}/api/1.0/task", server.url());
    let client = reqwest::Client::new();
    for text in ["", "{", "{\"meta\": }", "\u{feff}{}", &"[".repeat(100_000)] {
        let response = client.post(&url).bearer_auth(server.token()).body(text.to_owned()).send().await.unwrap();
        assert_eq!(response.status(), 400, "{:?}", text.chars().take(20).collect::<String>());
    }
    assert_eq!(server.get("/task/active").await, json!([]));
}

#[tokio::test]
async fn unicode_is_kept_as_it_is() {
    let server = native().start().await;
    let mut document = job("echo 'grüße 🦀'");
    document["meta"] = json!({ "name": "ἀνάλυσις 🧬", "description": "日本語", "tags": ["ñ"] });
    let id = server.submit(document).await;
    let task = server.over(id).await;
    assert_eq!(task["meta"]["name"], "ἀνάλυσις 🧬");
    assert_eq!(server.file(id, "god.log").await, "grüße 🦀\n");
}

#[tokio::test]
async fn files_are_only_those_of_the_job() {
    let server = native().start().await;
    let id =
        server.submit(job("ln -s /etc/shadow shadow; ln -s / root; mkfifo pipe; mkdir sub; echo in > sub/file")).await;
    server.over(id).await;
    assert_eq!(server.file(id, "sub/file").await, "in\n");
    for path in [
        "../../../etc/passwd",
        "..%2f..%2fetc/passwd",
        "shadow",
        "root/etc/shadow",
        "pipe",
        "%2fetc/passwd",
        "a%00b",
        "nothere",
        "sub/../../../up",
    ] {
        let (status, answer) = server.call("GET", &format!("/task/{id}/files/{path}"), None).await;
        assert!(status == 400 || status == 404, "{path}: {status} {answer}");
        assert!(!answer.to_string().contains("root:"), "{path}");
    }
}
