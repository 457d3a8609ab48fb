//! The job that is sent, made of what was typed.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::cli::JobOptions;

/// What runs, beside the options.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// Where `--name` does not say it.
    pub name: &'a str,
    pub image: &'a str,
    pub script: &'a str,
    pub array: Option<&'a str>,
}

/// The document of API.md "Shapes". What was not given is left out, so that the server's defaults count.
pub fn job(options: &JobOptions, work: Work) -> Value {
    let mut document = json!({
        "meta": {
            "name": options.name.as_deref().unwrap_or(work.name),
            "description": options.description.as_deref().unwrap_or_default(),
            "tags": options.tag,
        },
        "requirements": requirements(options, work.array),
        "container": {
            "image": work.image,
            "volumes": options.volume.iter().map(volume).collect::<Vec<_>>(),
            "network": !options.no_network,
            "root": options.root,
        },
        "command": { "interactive": false, "cmd": work.script },
        "notify": { "email": options.notify },
    });
    if let Some(project) = &options.project {
        document["user"] = json!({ "project": project });
    }
    document
}

fn requirements(options: &JobOptions, array: Option<&str>) -> Map<String, Value> {
    let mut requirements = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            requirements.insert(key.to_owned(), value);
        }
    };
    put("cpu", options.cpu.map(number));
    put("ram", options.ram.map(number));
    put("gpus", options.gpus.map(Value::from));
    put("array", array.map(|values| json!({ "values": values })));
    put("label", Some(json!(options.label)));
    put("tasks", Some(options.after.iter().map(|after| dependency(after)).collect()));
    put("ports", Some(json!(options.port)));
    put("failure_policy", options.retries.map(Value::from));
    put("executor", options.executor.as_deref().map(Value::from));
    put("maxlifespan", options.time_limit.as_deref().map(Value::from));
    requirements
}

/// A whole number where it is one: older servers take no other.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

/// A bare id as a number: older servers take no other.
fn dependency(after: &str) -> Value {
    after.parse::<u64>().map_or_else(|_| json!(after), |id| json!(id))
}

fn volume((name, acl): &(String, Option<String>)) -> Value {
    match acl {
        Some(acl) => json!({ "name": name, "acl": acl }),
        None => json!({ "name": name }),
    }
}

/// A script from the text of `--cmd`, which may or may not say what reads it.
pub fn script(text: &str) -> String {
    let begin = if text.starts_with("#!") { "" } else { "#!/bin/sh\n" };
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{begin}{text}{end}")
}

pub fn parse_after(text: &str) -> Result<String, String> {
    let (id, on) = text.trim().split_once(':').unwrap_or((text.trim(), "ok"));
    let is_id = id.parse::<u64>().is_ok_and(|id| id > 0);
    match on {
        "ok" if is_id => Ok(id.to_owned()),
        "failed" | "any" if is_id => Ok(format!("{id}:{on}")),
        _ => Err("expected a job's id, alone or with :ok, :failed or :any".into()),
    }
}

/// `name=value` is forgiven.
pub fn parse_label(text: &str) -> Result<String, String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME==VALUE")?;
    let value = value.strip_prefix('=').unwrap_or(value);
    if name.is_empty() || value.is_empty() {
        Err("expected NAME==VALUE".into())
    } else {
        Ok(format!("{name}=={value}"))
    }
}

/// `NAME:ro|rw:PATH[:MOUNT]`, a volume of a project, as the API takes it. The server checks what is in it.
pub fn parse_project_volume(text: &str) -> Result<serde_json::Value, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (name, acl, path, mount) = match parts[..] {
        [name, acl, path] => (name, acl, path, path),
        [name, acl, path, mount] => (name, acl, path, mount),
        _ => return Err("expected NAME:ro:PATH or NAME:rw:PATH, with :MOUNT if that is another".to_owned()),
    };
    if !["ro", "rw"].contains(&acl) {
        return Err(format!("{acl:?}: expected ro or rw"));
    }
    Ok(serde_json::json!({ "name": name, "acl": acl, "path": path, "mount": mount }))
}

pub fn parse_volume(text: &str) -> Result<(String, Option<String>), String> {
    let (name, acl) = text.split_once(':').map_or((text, None), |(name, acl)| (name, Some(acl)));
    match acl {
        None | Some("ro" | "rw") if !name.is_empty() => Ok((name.to_owned(), acl.map(str::to_owned))),
        _ => Err("expected NAME, NAME:ro or NAME:rw".into()),
    }
}

/// `90`, `90s`, `30m`, `12h`, `2d`.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], 86_400),
        _ => (text, 1),
    };
    let seconds = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit)).filter(|n| *n <= 100 * 365 * 86_400);
    seconds.map(Duration::from_secs).ok_or_else(|| "expected a span like 90s, 30m, 12h or 2d".into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::client::cli::{Cli, Command, Job};

    fn document(line: &str) -> Value {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Job(Job::Submit(submit)) = cli.command else { panic!("{line}") };
        let array = submit.array.as_deref();
        job(&submit.options, Work { name: "job", image: "debian", script: "#!/bin/sh\ntrue\n", array })
    }

    #[test]
    fn what_is_not_given_is_left_to_the_server() {
        let expected = json!({
            "meta": { "name": "job", "description": "", "tags": [] },
            "requirements": { "label": [], "tasks": [], "ports": [] },
            "container": { "image": "debian", "volumes": [], "network": true, "root": false },
            "command": { "interactive": false, "cmd": "#!/bin/sh\ntrue\n" },
            "notify": { "email": false },
        });
        assert_eq!(document("god job submit"), expected);
    }

    #[test]
    fn every_option_has_its_place() {
        let line = "god job submit --name n --description d --cpu 2 --ram 0.5 --gpus 1 --array 1:10%2 \
                    --after 12,13:failed --after 14:any --label storage=ssd --label a==b --volume home \
                    --volume data:ro --project p --tag x --tag y --time-limit 2d --retries 3 --port 80 --port 81 \
                    --root --no-network --notify --executor docker";
        let words: Vec<_> = line.split_whitespace().collect();
        let expected = json!({
            "user": { "project": "p" },
            "meta": { "name": "n", "description": "d", "tags": ["x", "y"] },
            "requirements": {
                "cpu": 2, "ram": 0.5, "gpus": 1, "array": { "values": "1:10%2" }, "label": ["storage==ssd", "a==b"],
                "tasks": [12, "13:failed", "14:any"], "ports": [80, 81], "failure_policy": 3, "executor": "docker",
                "maxlifespan": "2d",
            },
            "container": {
                "image": "debian", "volumes": [{ "name": "home" }, { "name": "data", "acl": "ro" }],
                "network": false, "root": true,
            },
            "command": { "interactive": false, "cmd": "#!/bin/sh\ntrue\n" },
            "notify": { "email": true },
        });
        assert_eq!(document(&words.join(" ")), expected);
    }

    #[test]
    fn a_script_says_what_reads_it() {
        assert_eq!(script("echo a"), "#!/bin/sh\necho a\n");
        assert_eq!(script("#!/usr/bin/env python3\nprint(1)\n"), "#!/usr/bin/env python3\nprint(1)\n");
    }

    #[test]
    fn small_languages_refuse_what_they_do_not_know() {
        for bad in ["", "0", "x", "12:maybe", "12:", "-1"] {
            assert!(parse_after(bad).is_err(), "{bad}");
        }
        for bad in ["", ":ro", "home:rx", "home:"] {
            assert!(parse_volume(bad).is_err(), "{bad}");
        }
        for bad in ["", "a", "=b", "a=", "a=="] {
            assert!(parse_label(bad).is_err(), "{bad}");
        }
        for bad in ["", "s", "1w2", "-3", "99999999999999999999d"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_span("2h"), Ok(Duration::from_secs(7200)));
    }
}
