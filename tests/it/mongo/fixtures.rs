//! A database as the original wrote it, by hand after API.md's shapes: with what Python and pymongo make of numbers and
//! texts, and with some documents that nobody can understand.

use mongodb::bson::{Binary, Bson, Document, doc, spec::BinarySubtype};

use super::Database;
use crate::support::{API_KEY, PASSWORD};

/// Seconds of a day that still counts.
pub const TODAY: i64 = 1_795_500_000;

/// As Python's bcrypt makes it, in bytes.
fn bcrypted(password: &str) -> Bson {
    let bytes = bcrypt::hash(password, 4).unwrap().into_bytes();
    Binary { subtype: BinarySubtype::Generic, bytes }.into()
}

fn user(id: &str, more: Document) -> Document {
    let mut user = doc! {
        "id": id, "uid": 1001, "gid": 1001, "sgids": [27.0, 100], "email": format!("{id}@example.org"),
        "homeDirectory": format!("/home/{id}"), "admin": false, "type": "ldap", "last": TODAY as f64,
        "credentials": { "apikey": format!("key-of-{id}"), "public": "ssh-rsa AAA", "private": "-----BEGIN" },
        "usage": { "prio": 60, "quota_time": 0, "quota_cpu": 0.0, "quota_ram": 12i64 },
    };
    user.extend(more);
    user
}

fn users() -> Vec<Document> {
    let admin = doc! {
        "admin": true, "type": "local", "uid": 5, "gid": 60, "password": bcrypted(PASSWORD),
        "credentials": { "apikey": API_KEY, "public": null, "private": null },
    };
    vec![
        user("admin", admin),
        user("ann", doc! {}),
        user("guest1", doc! { "type": "guest" }),
        user("no number", doc! {}),
        user("bob", doc! { "uid": "many" }),
    ]
}

fn projects() -> Vec<Document> {
    vec![doc! {
        "id": "rna", "description": "ribonucleic", "owner": "ann", "members": ["ann", "admin"], "prio": 70,
        "quota_time": 3_600, "quota_cpu": 0, "quota_ram": 0,
        "volumes": [{ "name": "db", "path": "/db", "mount": "/mnt/db", "acl": "ro" }],
    }]
}

fn job(id: impl Into<Bson>, status: Document) -> Document {
    doc! {
        "id": id, "parent_task_id": null, "date": TODAY as f64 - 100.5,
        "user": { "id": "ann", "uid": 1001, "gid": 1001, "sgids": [27], "email": "ann@example.org", "project": "rna" },
        "meta": { "name": "blast", "description": "", "tags": ["rna"] },
        "requirements": {
            "cpu": 2, "ram": 4.0, "gpus": 0, "label": ["storage==ssd"], "tasks": [3, "4:any"], "ports": [8080],
            "array": { "values": null, "task_id": null, "nb_tasks": 0, "nb_tasks_over": 0, "tasks": [] },
            "failure_policy": { "count": 1, "strategy": 0 }, "executor": null, "maxlifespan": "2d", "uris": [],
            "tmpstorage": null, "ticket_share": 100, "user_quota_time": 0,
        },
        "container": {
            "image": "debian:stable", "network": true, "root": false, "id": null, "meta": null, "stats": null, "ports": [],
            "volumes": [
                { "name": "go-docker", "acl": "rw", "path": "/shared/tasks/1", "mount": "/mnt/go-docker" },
                { "name": "home", "acl": "rw", "path": "/home/ann", "mount": "/mnt/home" },
            ],
        },
        "command": { "interactive": false, "cmd": "#!/bin/bash\necho hello" },
        "notify": { "email": true },
        "status": status,
    }
}

fn pending() -> Document {
    doc! { "primary": "pending", "secondary": null, "reason": null, "date_running": null, "date_over": null }
}

fn running(secondary: impl Into<Bson>) -> Document {
    doc! { "primary": "running", "secondary": secondary, "date_running": TODAY, "date_over": null }
}

fn over(primary: &str, secondary: impl Into<Bson>, code: impl Into<Bson>) -> Document {
    doc! {
        "primary": primary, "secondary": secondary, "exitcode": code, "reason": null,
        "date_running": TODAY, "date_over": TODAY as f64 + 60.0, "duration": 60.0,
    }
}

fn on_node(mut job: Document, state: Document) -> Document {
    let container = job.get_document_mut("container").unwrap();
    container.insert("id", "c0ffee");
    container.insert("meta", doc! { "Node": { "Name": "node1" }, "State": state, "disk_size": 1_000 });
    job
}

fn with(mut job: Document, section: &str, field: &str, value: impl Into<Bson>) -> Document {
    job.get_document_mut(section).unwrap().insert(field, value);
    job
}

fn array(values: impl Into<Bson>, task: impl Into<Bson>, tasks: &[i32]) -> Document {
    doc! {
        "values": values, "task_id": task, "nb_tasks": tasks.len() as i32, "nb_tasks_over": 0, "tasks": tasks.to_vec(),
    }
}

fn child(mut job: Document, index: i32) -> Document {
    job.insert("parent_task_id", 20);
    with(job, "requirements", "array", array(null(), index, &[]))
}

fn null() -> Bson {
    Bson::Null
}

fn active() -> Vec<Document> {
    vec![
        job(10, pending()),
        on_node(job(11.0, running("suspended")), doc! {}),
        on_node(job(12i64, running("kill requested")), doc! {}),
        with(job(20, running(null())), "requirements", "array", array("1:5:2", null(), &[21, 22, 23])),
        child(on_node(job(21, running(null())), doc! {}), 1),
        child(job(22, pending()), 3),
        // It ended, and the original died before it moved it.
        job(30, over("over", null(), 0)),
        with(job(31, pending()), "requirements", "cpu", "lots"),
        with(job(32, pending()), "command", "interactive", true),
        with(job(33, pending()), "user", "uid", 0),
    ]
}

fn ended() -> Vec<Document> {
    let out_of_memory = on_node(job(5, over("over", null(), 1)), doc! { "OOMKilled": true, "ExitCode": 137 });
    let mut long_ago = on_node(job(1, over("archived", null(), 0)), doc! {});
    let of_then = doc! { "primary": "archived", "secondary": "", "exitcode": 0, "date_running": 1, "date_over": 61 };
    long_ago.insert("status", of_then);
    vec![
        long_ago,
        on_node(job(2, over("over", "", 0)), doc! {}),
        job(3, over("over", "killed", 137)),
        job(4, over("over", "rejected by scheduler", null())),
        out_of_memory,
        child(on_node(job(23, over("over", null(), 2)), doc! {}), 5),
        doc! { "_id": "torn", "id": 40 },
    ]
}

/// What a takeover leaves, as collection and id.
pub const LEFT: [(&str, &str); 6] =
    [("jobs", "31"), ("jobs", "32"), ("jobs", "33"), ("jobsover", "40"), ("users", "bob"), ("users", "no number")];

/// Fills the database.
pub async fn written_by_the_original(database: &Database) {
    let all = [("users", users()), ("projects", projects()), ("jobs", active()), ("jobsover", ended())];
    for (collection, documents) in all {
        database.collection(collection).insert_many(documents).await.unwrap();
    }
}
