//! Every operation of the API, as OpenAPI says it.

use serde_json::{Map, Value, json};

use super::foretold;

/// One row of the table: method, path, who, what it does, what it takes from the query and the body, and answers.
struct Operation {
    method: &'static str,
    path: &'static str,
    who: Who,
    summary: &'static str,
    query: &'static [&'static str],
    body: Option<&'static str>,
    answer: Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    All,
    User,
    Admin,
}

enum Answer {
    /// A schema of `components`, or a list of it.
    One(&'static str),
    Many(&'static str),
    /// Something of this content type.
    Data(&'static str),
}

use Answer::{Data, Many, One};
use Who::{Admin, All, User};

const LIST: &[&str] = &["project", "tag", "state", "children", "skip", "limit"];
const SEARCH: &[&str] = &[
    "state",
    "user",
    "project",
    "tag",
    "image",
    "depends_on",
    "node",
    "q",
    "from",
    "until",
    "ended_from",
    "ended_until",
    "sort",
    "limit",
    "after",
    "before",
    "count",
];
const USAGE: &[&str] = &["from", "to", "by", "project", "user", "format"];
const OVER: &[&str] = &["project", "tag", "state", "children"];

#[rustfmt::skip]
const OPERATIONS: &[Operation] = &[
    op("post", "/authenticate", All, "A token for an API key", &[], Some("Login"), One("Token")),
    op("get", "/config", All, "What this site offers", &[], None, One("Config")),
    op("get", "/openapi.json", All, "This document", &[], None, Data("application/json")),
    op("get", "/image", User, "Images used here, beyond the configured", &[], None, Many("Text")),
    op("get", "/queue/nodes", User, "The nodes, with what they have and what is in use", &[], None, Many("Node")),
    op("get", "/events", User, "Jobs of the caller's as they change, as server-sent events: id, parent_task_id and phase; for timeout seconds at most", &["timeout"], None, Data("text/event-stream")),
    op("get", "/site/free", User, "What is free now, and what the quotas of the caller and of one project, or all, leave", &["project"], None, One("Free")),
    op("get", "/task", User, "Own jobs, newest first", LIST, None, Many("Task")),
    op("post", "/task", User, "Submit a job", &[], Some("NewTask"), One("Added")),
    op("post", "/task/preview", User, "What would become of the same job: its faults, what a shell says of its script, when it could start; nothing is stored", &[], Some("NewTask"), One("Preview")),
    op("get", "/task/active", User, "Own jobs that are not over", LIST, None, Many("Task")),
    op("get", "/task/active/all", Admin, "All jobs that are not over", LIST, None, Many("Task")),
    op("post", "/task/over/{skip}/{limit}", User, "Own over jobs, newest first; limit 0 is all", OVER, None, Many("Task")),
    op("get", "/task/over/{skip}/{limit}", User, "The same, for a browser", OVER, None, Many("Task")),
    op("post", "/task/over/all/{skip}/{limit}", Admin, "All over jobs, newest first", OVER, None, Many("Task")),
    op("get", "/task/over/all/{skip}/{limit}", Admin, "The same, for a browser", OVER, None, Many("Task")),
    op("get", "/task/search", User, "Jobs as they are looked for: by state, project, tag, image, date, words of the name; a page, with cursors to those beside it", SEARCH, None, One("Found")),
    op("post", "/task/kill", User, "Kill many jobs; what became of each", &[], Some("Ids"), One("Outcomes")),
    op("post", "/task/tags", User, "Add and remove tags of many jobs, in whatever state they are", &[], Some("Tagging"), One("Outcomes")),
    op("get", "/task/{id}", User, "A job", &[], None, One("Task")),
    op("put", "/task/{id}", User, "Change a requirement that the site lets be changed", &[], Some("Change"), One("Task")),
    op("delete", "/task/{id}", User, "Kill a job", &[], None, One("Message")),
    op("get", "/task/{id}/status", User, "A job too", &[], None, One("Task")),
    op("get", "/task/{id}/wait", User, "A job as soon as it is over, or as it is after timeout seconds", &["timeout"], None, One("Task")),
    op("get", "/task/{id}/usage", User, "Processors and memory over time, of the last attempt or another, and advice on what to ask for", &["attempt"], None, One("TaskUsage")),
    op("get", "/task/{id}/log", User, "Its output; with follow=1 as server-sent events while it grows", &["follow", "from"], None, Data("text/plain")),
    op("get", "/task/{id}/suspend", User, "Suspend a running job", &[], None, One("Message")),
    op("get", "/task/{id}/resume", User, "Resume a suspended job", &[], None, One("Message")),
    op("get", "/task/{id}/reschedule", User, "Stop a job and put it back in the queue", &[], None, One("Message")),
    op("get", "/task/{id}/archive", User, "Delete the files of an over job", &[], None, One("Message")),
    op("delete", "/task/{id}/archive", User, "Delete an over job and its record", &[], None, One("Message")),
    op("get", "/task/{id}/children", User, "The jobs of an array", &["skip", "limit"], None, Many("Task")),
    op("get", "/task/{id}/files", User, "The job directory; archive=tar or zip sends all of it as one file", &["archive"], None, Many("Entry")),
    op("get", "/task/{id}/files/{path}", User, "A directory as a list or archive, or a file's bytes; one range is honoured", &["archive", "inline"], None, Data("application/octet-stream")),
    op("post", "/archive", User, "Delete the files of the over jobs that are named; what became of each is in the answer", &[], Some("Ids"), One("Archiving")),
    op("get", "/archive/{days}", User, "Archive own jobs that have been over for so many days", &["tag"], None, One("Message")),
    op("delete", "/archive/{days}", User, "Delete own jobs that have been over for so many days", &["tag"], None, One("Message")),
    op("get", "/user", Admin, "All users", &["search"], None, Many("User")),
    op("get", "/user/{id}", User, "A user: oneself, or anyone for an administrator", &[], None, One("User")),
    op("put", "/user/{id}", User, "Change email, SSH key, and, as an administrator, priority and quotas", &[], Some("User"), One("User")),
    op("get", "/user/{id}/project", User, "The user's projects, the default first", &[], None, Many("Project")),
    op("get", "/user/{id}/usage", User, "The user's use, a row a day", &["days"], None, Many("Usage")),
    op("get", "/user/{id}/disk", User, "What uses the user's space: jobs whose files are kept, largest first", &["limit"], None, One("DiskUse")),
    op("get", "/user/{id}/quota", User, "What the user has used of what they may, and their fair share", &[], None, One("Allowance")),
    op("delete", "/user/{id}/task", User, "Kill all jobs of the user", &["tag"], None, One("Message")),
    op("post", "/user/{id}/apikey", User, "Replace the own API key; the answer is the only place that shows it", &[], None, One("ApiKey")),
    op("delete", "/user/{id}", Admin, "Delete a user with all data: jobs, their files, tokens", &[], None, One("Message")),
    op("delete", "/user/{id}/quota", Admin, "Let a user's usage begin anew", &[], None, One("Message")),
    op("get", "/user/{id}/token", User, "Personal access tokens", &[], None, Many("PersonalToken")),
    op("post", "/user/{id}/token", User, "Make a token; the answer is the only place that shows it", &[], Some("NewToken"), One("PersonalToken")),
    op("delete", "/user/{id}/token/{token}", User, "Delete a token, which opens nothing any more", &[], None, One("Message")),
    op("post", "/user/{id}/logout", User, "End every session and every token of /authenticate", &[], None, One("Message")),
    op("get", "/maintenance", All, "Whether new jobs are taken", &[], None, One("Maintenance")),
    op("put", "/maintenance", Admin, "Switch maintenance on or off", &[], Some("Maintenance"), One("Maintenance")),
    op("get", "/templates", User, "Templates of jobs that one keeps", &[], None, Many("Template")),
    op("post", "/templates", User, "Keep a document, or what a job asked for, under a name", &[], Some("NewTemplate"), One("Template")),
    op("get", "/templates/{template}", User, "A template with its document, as POST /task takes it", &[], None, One("Template")),
    op("put", "/templates/{template}", User, "Rename a template, or give it another document", &[], Some("TemplateChange"), One("Template")),
    op("delete", "/templates/{template}", User, "Delete a template", &[], None, One("Message")),
    op("get", "/usage", User, "What was used by user, project and day or month: one's own, or all for administrators", USAGE, None, One("UsageReport")),
    op("get", "/usage.csv", User, "The same as comma-separated values", USAGE, None, Data("text/csv")),
    op("get", "/data", User, "The upload space", &[], None, Many("Entry")),
    op("get", "/data/{path}", User, "A folder as a list, or a file's bytes; one range is honoured", &[], None, Data("application/octet-stream")),
    op("head", "/data/{path}", User, "How long a file is", &[], None, Data("application/octet-stream")),
    op("put", "/data/{path}", User, "Upload a file: its bytes are the body; with offset, go on with one that ends there", &["offset"], None, One("Stored")),
    op("post", "/data/{path}", User, "Make a folder (dir=1), or move what `from` names to the path", &["dir", "from"], None, One("Message")),
    op("delete", "/data/{path}", User, "Delete a file or an empty folder; with recursive=1 a folder with all it holds", &["recursive"], None, One("Message")),
    op("get", "/data-usage", User, "Bytes that the upload space takes, and may take", &[], None, One("DataUsage")),
    op("get", "/audit", Admin, "Who changed what, newest first; format=csv to export", &["before", "limit", "actor", "subject", "action", "format"], None, Many("AuditLine")),
    op("get", "/admin/overview", Admin, "How the site does: what waits and why, how long jobs waited, how they ended, who used most; days is 1, 7 or 30", &["days"], None, One("Overview")),
    op("get", "/admin/processes", Admin, "The processes of the installation, what waits for them, and which role is missing", &[], None, One("Processes")),
    op("get", "/project", Admin, "All projects", &[], None, Many("Project")),
    op("post", "/project", Admin, "Make a project", &[], Some("NewProject"), One("Project")),
    op("post", "/project/{id}", Admin, "Change a project: what is not named stays", &[], Some("Project"), One("Project")),
    op("delete", "/project/{id}", Admin, "Delete a project without active jobs", &[], None, One("Message")),
    op("delete", "/project/{id}/quota", Admin, "Let a project's usage begin anew", &[], None, One("Message")),
    op("get", "/project/{id}", User, "A project one is in", &[], None, One("Project")),
    op("get", "/project/{id}/usage", User, "The project's use, a row a day", &["days"], None, Many("Usage")),
];

const fn op(
    method: &'static str,
    path: &'static str,
    who: Who,
    summary: &'static str,
    query: &'static [&'static str],
    body: Option<&'static str>,
    answer: Answer,
) -> Operation {
    Operation { method, path, who, summary, query, body, answer }
}

/// The OpenAPI document of a site that is served under `prefix`.
pub fn document(prefix: &str) -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "GoDocker",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Jobs in containers. Get a token from /authenticate and send it as `Authorization: Bearer`.",
        },
        "servers": [{ "url": format!("{prefix}/api/1.0") }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            "schemas": all_schemas(),
        },
    })
}

fn described(operation: &Operation) -> Value {
    let mut parameters: Vec<Value> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let is_text = ["path", "template"].contains(&name)
                || operation.path.starts_with("/user")
                || operation.path.starts_with("/project");
            let schema = if is_text { json!({ "type": "string" }) } else { json!({ "type": "integer", "minimum": 0 }) };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    parameters.extend(operation.query.iter().map(|name| {
        let schema = if [SEARCH, USAGE].contains(&operation.query) { searched(name) } else { query(name) };
        json!({ "name": name, "in": "query", "schema": schema })
    }));
    let mut described = json!({
        "operationId": operation_id(operation),
        "tags": [operation.path.split('/').nth(1).unwrap_or_default()],
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses(operation),
        "security": if operation.who == All { json!([]) } else { json!([{ "token": [] }]) },
    });
    if let Some(body) = operation.body {
        described["requestBody"] = json!({ "required": true, "content": json_of(&reference(body)) });
    }
    described
}

fn operation_id(operation: &Operation) -> String {
    let path = operation.path.replace(['{', '}'], "").replace(['/', '.'], "_");
    format!("{}{path}", operation.method)
}

/// Of a search and a report, where days and cursors are texts.
fn searched(name: &str) -> Value {
    match name {
        "limit" => json!({ "type": "integer", "minimum": 1, "maximum": 1_000 }),
        "count" => json!({ "type": "integer", "enum": [1] }),
        _ => json!({ "type": "string" }),
    }
}

fn query(name: &str) -> Value {
    match name {
        "dir" | "recursive" => json!({ "type": "integer", "enum": [1] }),
        "offset" | "skip" | "limit" | "inline" | "from" | "timeout" | "before" | "attempt" => {
            json!({ "type": "integer", "minimum": 0 })
        }
        "days" => json!({ "type": "integer", "minimum": 1 }),
        "children" => json!({ "type": "boolean" }),
        _ => json!({ "type": "string" }),
    }
}

fn responses(operation: &Operation) -> Value {
    let content = match operation.answer {
        One(schema) => json_of(&reference(schema)),
        Many(schema) => json_of(&json!({ "type": "array", "items": reference(schema) })),
        Data(kind) => json!({ kind: { "schema": {} } }),
    };
    let mut responses = json!({ "200": { "description": "Done", "content": content } });
    let mut fails = |status: &str, description: &str| {
        responses[status] = json!({ "description": description, "content": json_of(&reference("Error")) });
    };
    fails("400", "Something in the request is not as it must be");
    fails("500", "Something is wrong here");
    if operation.who != All || operation.body == Some("Login") {
        fails("401", "No valid token, or a wrong key");
    }
    if operation.who != All {
        fails("403", "Not allowed");
    }
    if operation.path.contains('{') {
        fails("404", "Not there, or not yours to see");
        fails("409", "It is in no state for it");
    }
    if operation.path.starts_with("/data") && operation.method == "put" {
        fails("413", "It does not fit the quota");
    }
    if operation.method == "post" {
        fails("429", "Too many");
    }
    responses
}

fn json_of(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

pub(super) fn object(required: &[&str], properties: &Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn all_schemas() -> Value {
    let mut all = schemas();
    if let (Value::Object(all), Value::Object(foretold)) = (&mut all, foretold::schemas()) {
        all.extend(foretold);
    }
    all
}

fn schemas() -> Value {
    let (text, number, whole, flag) = (
        json!({ "type": "string" }),
        json!({ "type": "number" }),
        json!({ "type": "integer" }),
        json!({ "type": "boolean" }),
    );
    let maybe_text = json!({ "type": ["string", "null"] });
    let resources = object(&[], &json!({ "cpu": number, "ram": number, "gpus": whole }));
    let mut schemas = json!({
        "Text": text,
        "Error": object(&["error", "msg"], &json!({ "error": text, "msg": text, "fields": { "type": "array" } })),
        "Login": object(&["user", "apikey"], &json!({ "user": text, "apikey": text })),
        "Token": object(&["token"], &json!({ "token": text })),
        "ApiKey": object(&["apikey"], &json!({ "apikey": text })),
        "Message": object(&["msg"], &json!({ "msg": text, "id": {}, "count": whole })),
        "Ids": object(&["ids"], &json!({ "ids": { "type": "array", "minItems": 1, "maxItems": 1000, "items": { "type": "integer", "minimum": 1 } } })),
        "Archiving": object(&["msg", "count", "tasks"], &json!({
            "msg": text, "count": whole, "tasks": { "type": "array", "items": object(&["id", "status", "msg"], &json!({
                "id": whole, "status": { "enum": [200, 404, 409] }, "error": text, "msg": text,
            })) },
        })),
        "Added": object(&["msg", "id"], &json!({ "msg": text, "id": whole })),
        "Change": object(&["name", "value"], &json!({ "name": text, "value": {} })),
        "Config": object(&["images", "volumes", "constraints", "executor_features", "defaults"], &json!({
            "images": { "type": "array" }, "volumes": { "type": "array" }, "constraints": { "type": "array" },
            "executor_features": { "type": "array", "items": text }, "defaults": resources,
        })),
        "Node": object(&["name", "executor", "total", "used"], &json!({
            "name": text, "executor": text, "total": resources, "used": resources,
            "labels": { "type": "array", "items": text }, "drained": flag,
        })),
        "NewTask": new_task(),
        "Task": object(
            &["id", "date", "user", "meta", "requirements", "container", "command", "notify", "status"],
            &json!({
                "id": whole, "parent_task_id": { "type": ["integer", "null"] }, "date": number,
                "user": { "type": "object" }, "meta": { "type": "object" }, "requirements": { "type": "object" },
                "container": { "type": "object" }, "command": { "type": "object" }, "notify": { "type": "object" },
                "status": object(&["primary", "secondary", "phase", "date_over"], &json!({
                    "primary": { "enum": ["pending", "running", "over", "archived"] },
                    "secondary": maybe_text, "ending": maybe_text, "reason": maybe_text,
                    "phase": { "enum": ["pending", "starting", "running", "over", "archived"] },
                    "exitcode": { "type": ["integer", "null"] }, "duration": { "type": ["number", "null"] },
                    "date_running": number, "date_over": { "type": ["number", "null"] },
                })),
            }),
        ),
        "Entry": object(&["name", "type", "size"], &json!({
            "name": text, "type": { "enum": ["dir", "file"] }, "size": whole, "modified": whole,
        })),
        "User": object(&[], &json!({
            "id": text, "uid": whole, "gid": whole, "sgids": { "type": "array", "items": whole }, "email": maybe_text,
            "homeDirectory": maybe_text, "admin": flag, "type": text, "credentials": { "type": "object" },
            "usage": { "type": "object" },
        })),
        "Project": object(&["id", "prio"], &json!({
            "id": text, "description": text, "owner": maybe_text, "members": { "type": "array", "items": text },
            "prio": whole, "quota_time": whole, "quota_cpu": whole, "quota_ram": whole, "volumes": { "type": "array" },
        })),
        "NewProject": object(&["id"], &json!({
            "id": text, "description": text, "owner": maybe_text, "members": { "type": "array", "items": text },
            "prio": whole, "quota_time": whole, "quota_cpu": whole, "quota_ram": whole, "quota_gpu": whole,
            "volumes": { "type": "array", "items": { "type": "object" } },
        })),
        "NewToken": object(&["name", "scope"], &json!({
            "name": text, "scope": { "enum": ["read", "submit", "admin"] }, "days": { "type": ["integer", "null"] },
        })),
        "PersonalToken": object(&["id", "name", "scope", "created"], &json!({
            "id": text, "name": text, "scope": { "enum": ["read", "submit", "admin"] }, "created": number,
            "expires": { "type": ["number", "null"] }, "token": text,
        })),
        "Maintenance": object(&["on"], &json!({ "on": flag, "message": maybe_text, "since": { "type": ["number", "null"] } })),
        "Processes": object(&["ok", "missing", "processes", "queues", "lease"], &json!({
            "ok": flag, "missing": { "type": "array", "items": text }, "lease": maybe_text,
            "processes": { "type": "array", "items": object(&["id", "role", "host", "pid", "alive"], &json!({
                "id": text, "role": text, "host": text, "pid": whole, "version": text, "started": number, "seen": number,
                "address": maybe_text, "leader": flag, "alive": flag, "uptime": whole,
            })) },
            "queues": { "type": "array", "items": object(&["role", "waiting", "lag"], &json!({
                "role": text, "waiting": whole, "lag": { "type": ["number", "null"] },
            })) },
        })),
        "AuditLine": object(&["number", "at", "actor", "action", "subject", "details"], &json!({
            "number": whole, "at": number, "actor": text, "address": maybe_text, "action": text, "subject": text,
            "details": { "type": "object" },
        })),
        "Stored": object(&["msg", "name", "size"], &json!({ "msg": text, "name": text, "size": whole })),
        "DataUsage": object(&["used", "quota"], &json!({ "used": whole, "quota": whole })),
        "Allowance": object(&["days", "time", "cpu", "ram", "gpu", "disk", "upload", "share"], &json!({
            "days": { "type": "integer", "description": "Days of use that count, today the last" },
            "time": { "$ref": "#/components/schemas/UsedOf" }, "cpu": { "$ref": "#/components/schemas/UsedOf" },
            "ram": { "$ref": "#/components/schemas/UsedOf" }, "gpu": { "$ref": "#/components/schemas/UsedOf" },
            "disk": { "$ref": "#/components/schemas/UsedOf" },
            "upload": { "description": "Null where the space cannot be looked at" },
            "share": { "type": "object", "description": "Seconds of run time, own and everybody's; who used any; the priority" },
        })),
        "UsedOf": object(&["used", "quota"], &json!({
            "used": { "type": "number" },
            "quota": { "type": ["integer", "null"], "description": "Null is none" },
        })),
        "DiskUse": object(&["used", "quota", "count", "jobs"], &json!({
            "used": whole, "quota": whole, "count": whole, "jobs": { "type": "array", "items": { "type": "object" } },
        })),
        "Usage": object(&["date", "cpu", "ram", "time"], &json!({
            "date": text, "cpu": number, "ram": number, "time": number, "jobs": whole,
        })),
    });
    if let Some(schemas) = schemas.as_object_mut() {
        schemas.extend(schemas_of_lists());
    }
    schemas
}

/// Of lists, reports and templates.
fn schemas_of_lists() -> Map<String, Value> {
    let [text, number, whole, flag] = ["string", "number", "integer", "boolean"].map(|kind| json!({ "type": kind }));
    let maybe_text = json!({ "type": ["string", "null"] });
    let schemas = json!({
        "Found": object(&["items", "next", "previous", "tired"], &json!({
            "items": { "type": "array", "items": reference("Task") }, "next": maybe_text, "previous": maybe_text,
            "tired": flag, "count": object(&["jobs", "more"], &json!({ "jobs": whole, "more": flag })),
        })),
        "Ids": object(&["ids"], &json!({ "ids": { "type": "array", "items": whole } })),
        "Tagging": object(&["ids"], &json!({
            "ids": { "type": "array", "items": whole }, "add": { "type": "array", "items": text },
            "remove": { "type": "array", "items": text },
        })),
        "Outcomes": object(&["done", "refused"], &json!({
            "done": { "type": "array", "items": whole },
            "refused": { "type": "array", "items": object(&["id", "reason"], &json!({ "id": whole, "reason": text })) },
        })),
        "Template": object(&["id", "name", "created", "changed"], &json!({
            "id": text, "name": text, "created": number, "changed": number, "image": maybe_text,
            "document": { "type": "object" },
        })),
        "NewTemplate": object(&["name"], &json!({ "name": text, "job": whole, "document": { "type": "object" } })),
        "TemplateChange": object(&[], &json!({ "name": text, "document": { "type": "object" } })),
        "UsageReport": object(&["from", "to", "by", "rows", "total"], &json!({
            "from": text, "to": text, "by": { "enum": ["day", "month"] }, "total": { "type": "object" },
            "rows": { "type": "array", "items": object(&["period", "user", "project", "jobs", "time"], &json!({
                "period": text, "user": maybe_text, "project": text, "jobs": whole, "time": number, "cpu": number,
                "ram": number, "gpu": number,
            })) },
        })),
        "Overview": object(&["at", "days", "jobs", "queue", "nodes", "away", "ends", "users", "projects"], &json!({
            "at": number, "days": whole, "jobs": { "type": "object" }, "queue": { "type": ["array", "null"] },
            "nodes": { "type": "array" }, "away": { "type": "array" }, "ends": { "type": "object" },
            "users": { "type": "array" }, "projects": { "type": "array" },
        })),
    });
    schemas.as_object().cloned().unwrap_or_default()
}

/// Enough of a job to submit one by hand from the page.
fn new_task() -> Value {
    let mut schema = object(
        &["meta", "container", "command"],
        &json!({
            "user": { "type": "object" },
            "meta": object(&["name"], &json!({ "name": { "type": "string", "minLength": 1, "maxLength": 200 } })),
            "requirements": { "type": "object" },
            "container": object(&["image"], &json!({ "image": { "type": "string", "minLength": 1 } })),
            "command": object(&["cmd"], &json!({ "cmd": { "type": "string", "minLength": 1 } })),
            "notify": { "type": "object" },
        }),
    );
    schema["example"] = json!({
        "meta": { "name": "hello" },
        "requirements": { "cpu": 1, "ram": 1 },
        "container": { "image": "debian:stable", "volumes": [] },
        "command": { "cmd": "#!/bin/sh\necho hello" },
    });
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::access::Rule;

    #[test]
    fn every_schema_that_is_named_exists() {
        let document = document("/god");
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        for named in text.split("#/components/schemas/").skip(1) {
            let name = named.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
        assert_eq!(document["servers"][0]["url"], "/god/api/1.0");
    }

    /// So that an endpoint cannot be forgotten in the document, nor who may call it be told wrongly.
    #[test]
    fn the_document_and_the_route_table_name_the_same_operations() {
        let who = |rule| match rule {
            Rule::Open => All,
            Rule::Look | Rule::Work | Rule::Account => User,
            Rule::Inspect | Rule::Administer | Rule::Metrics => Admin,
        };
        let served = crate::web::api::ROUTES.iter().map(|route| {
            let path = route.path.strip_prefix("/api/1.0").unwrap().replace(":.*", "");
            (format!("{} {path}", route.method.to_lowercase()), who(route.rule))
        });
        let mut served: Vec<_> = served.filter(|(operation, _)| !operation.contains("/docs")).collect();
        let mut described: Vec<_> =
            OPERATIONS.iter().map(|op| (format!("{} {}", op.method, op.path), op.who)).collect();
        served.sort_by(|a, b| a.0.cmp(&b.0));
        described.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(served, described);
    }
}
