//! Schemas of what a job used, and of what would become of one.

use serde_json::{Value, json};

use super::operations::object;

fn free() -> Value {
    let resources = json!({ "type": "object" });
    json!({ "type": "object", "required": ["executors", "quota"], "properties": {
        "executors": { "type": "array", "items": object(&["name", "away", "total", "used", "free", "largest"], &json!({
            "name": { "type": "string" }, "away": { "type": ["string", "null"] }, "nodes": { "type": "integer" },
            "drained": { "type": "integer" }, "total": resources, "used": resources, "free": resources,
            "largest": { "type": ["object", "null"] },
        })) },
        "quota": { "type": ["object", "null"] },
    } })
}

pub fn schemas() -> Value {
    let (text, number, whole, flag) = (
        json!({ "type": "string" }),
        json!({ "type": "number" }),
        json!({ "type": "integer" }),
        json!({ "type": "boolean" }),
    );
    let maybe_text = json!({ "type": ["string", "null"] });
    json!({
        "Free": free(),
        "Preview": object(&["valid", "faults", "script", "outlook", "free"], &json!({
            "valid": flag,
            "faults": { "type": "array", "items": object(&["field", "message"], &json!({ "field": text, "message": text })) },
            "script": object(&["shell", "faults"], &json!({
                "shell": { "enum": ["sh", "bash", null] },
                "faults": { "type": "array", "items": object(&["line", "message"], &json!({ "line": whole, "message": text })) },
            })),
            "outlook": { "type": ["object", "null"], "properties": {
                "jobs": whole, "starts": whole, "rejected": flag, "reason": { "type": ["object", "null"] },
                "sentence": maybe_text, "position": { "type": ["integer", "null"] },
                "estimate_secs": { "type": ["integer", "null"] },
            } },
            "free": free(),
        })),
        "TaskUsage": object(&["id", "attempt", "attempts", "samples", "requested", "peak", "advice"], &json!({
            "id": whole, "attempt": { "type": ["integer", "null"] }, "attempts": { "type": "array", "items": whole },
            "samples": { "type": "array", "items": object(&["at", "cpu", "memory"], &json!({
                "at": number, "cpu": number, "memory": whole,
            })) },
            "requested": object(&["cpu", "memory"], &json!({
                "cpu": number, "memory": whole, "limit_secs": { "type": ["integer", "null"] },
            })),
            "peak": { "type": ["object", "null"], "properties": { "cpu": number, "memory": whole } },
            "average": { "type": ["object", "null"], "properties": { "cpu": number } },
            "cpu_seconds": { "type": ["number", "null"] }, "covered_seconds": { "type": ["number", "null"] },
            "advice": { "type": "array", "items": object(&["code"], &json!({ "code": { "enum": [
                "less_memory", "more_memory", "fewer_cores", "shorter_limit", "longer_limit",
            ] } })) },
        })),
    })
}
