//! The document, read: types, ranges, grammars.

use serde_json::{Map, Value};

use super::reader::{Faults, Section, expected, kind, text_fault, whole};
use super::{Draft, VolumeWish, Wanted, grammar};
use crate::config::{Config, parse_size};
use crate::domain::{Acl, ArraySpec, Cores, Dependency, Label, Memory, ProjectId, Resources, TmpStorage, UserId};
use crate::web::error::FieldFault;
use crate::web::words::{Message, expected_one_of, says};

const MAX_NAME: usize = 200;
const MAX_DESCRIPTION: usize = 10_000;
pub const MOST_TAGS: usize = 50;
const MAX_TAG: usize = 100;
const MAX_PORTS: usize = 20;
const MAX_LIST: usize = 1_000;
const MAX_GPUS: u64 = 4_096;
/// What the answer to a task lists as the job directory; sent back, it is nothing to ask for.
const JOB_VOLUME: &str = "go-docker";

/// Reads a document (API.md "A job to submit"). Keys it does not know are let pass.
///
/// # Errors
/// Every fault in it.
pub fn parse(document: &Value, config: &Config) -> Result<Draft, Vec<FieldFault>> {
    let faults = Faults::default();
    let draft = match document {
        Value::Object(document) => Some(draft(document, config, &faults)),
        other => {
            faults.add("", says("fault-job-object").set("got", kind(other)));
            None
        }
    };
    match (draft, faults.into_vec()) {
        (Some(draft), faults) if faults.is_empty() => Ok(draft),
        (_, faults) => Err(faults),
    }
}

fn draft(document: &Map<String, Value>, config: &Config, faults: &Faults) -> Draft {
    let section = |name| Section::of(document, name, faults);
    let (user, meta, requirements) = (section("user"), section("meta"), section("requirements"));
    let (container, command, notify) = (section("container"), section("command"), section("notify"));
    refuse_unsupported(&requirements);
    Draft {
        user: parsed::<UserId>(&user, "id"),
        project: parsed(&user, "project").unwrap_or_else(ProjectId::default_project),
        name: meta.line("name", true, MAX_NAME, &[]),
        description: meta.line("description", false, MAX_DESCRIPTION, &['\n', '\r', '\t']),
        tags: tags(&meta, faults),
        image: image(&container),
        script: script(&command, config.limits.script_bytes),
        resources: resources(&requirements, config),
        array: array(&requirements, config.limits.array_jobs),
        dependencies: dependencies(&requirements, faults),
        labels: labels(&requirements, config, faults),
        ports: ports(&requirements, faults),
        retries: requirements.whole("failure_policy", 0..=100).unwrap_or(0) as u32,
        executor: requirements.text("executor").filter(|name| !name.is_empty()).map(str::to_owned),
        max_lifespan: max_lifespan(&requirements),
        volumes: volumes(&container, faults),
        network: container.flag("network", true),
        root: container.flag("root", false),
        notify_email: notify.flag("email", false),
        tmp_storage: tmp_storage(&requirements, faults),
    }
}

/// `{"size": "10g", "path": null}`; without a size it is nothing to ask for, as old clients send it.
fn tmp_storage(requirements: &Section, faults: &Faults) -> Option<TmpStorage> {
    let sent = requirements.get("tmpstorage")?;
    let fault = |field: &str, message: Message| faults.add(format!("requirements.tmpstorage{field}"), message);
    let Some(sent) = sent.as_object() else {
        fault("", says("fault-tmp-object").set("got", kind(sent)));
        return None;
    };
    let size = sent.get("size").filter(|size| !size.is_null() && size.as_str() != Some(""))?;
    let bytes = match size {
        Value::String(text) => parse_size(text),
        other => other.as_u64(),
    };
    let Some(bytes) = bytes.filter(|bytes| *bytes > 0) else {
        fault(".size", says("fault-tmp-size"));
        return None;
    };
    let path = match sent.get("path").filter(|path| !path.is_null()) {
        None => TmpStorage::PATH,
        Some(path) => match path.as_str().filter(|path| is_free_path(path)) {
            Some(path) => path,
            None => {
                fault(".path", says("fault-tmp-path"));
                return None;
            }
        },
    };
    Some(TmpStorage { bytes, path: path.into() })
}

/// A place in a container that nothing of ours and nothing of the system's is at.
fn is_free_path(path: &str) -> bool {
    const TAKEN: [&str; 11] = ["mnt", "proc", "sys", "dev", "etc", "bin", "sbin", "lib", "lib64", "usr", "run"];
    let mut parts = path.split('/');
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    parts.next() == Some("")
        && path.len() <= 200
        && path.chars().all(harmless)
        && parts.clone().all(|part| !matches!(part, "" | "." | ".."))
        && parts.next().is_some_and(|first| !TAKEN.contains(&first))
}

fn refuse_unsupported(requirements: &Section) {
    if !requirements.list("uris", usize::MAX).is_empty() {
        requirements.fault("uris", says("fault-uris"));
    }
}

/// An optional text that is an identifier; `""` is absent.
fn parsed<T: std::str::FromStr<Err = crate::domain::InvalidId>>(section: &Section, key: &str) -> Option<T> {
    let text = section.text(key).filter(|text| !text.is_empty())?;
    text.parse().map_err(|fault: crate::domain::InvalidId| section.fault(key, fault.into())).ok()
}

/// Tags that are to be added to a job, each once.
///
/// # Errors
/// Each that cannot be one.
pub fn tags_of(field: &str, sent: &[String]) -> Result<Vec<String>, Vec<FieldFault>> {
    let mut tags: Vec<String> = Vec::new();
    let mut faults = Vec::new();
    for (index, tag) in sent.iter().enumerate() {
        match text_fault(tag, true, MAX_TAG, &[]) {
            Some(message) => faults.push(FieldFault::new(format!("{field}[{index}]"), message)),
            None if tags.contains(tag) => {}
            None => tags.push(tag.clone()),
        }
    }
    if faults.is_empty() { Ok(tags) } else { Err(faults) }
}

fn tags(meta: &Section, faults: &Faults) -> Vec<String> {
    let mut tags = Vec::new();
    for (field, value) in meta.list("tags", MOST_TAGS) {
        match value.as_str() {
            None => faults.add(field, expected("kind-text", value)),
            Some(tag) => match text_fault(tag, true, MAX_TAG, &[]) {
                Some(message) => faults.add(field, message),
                None if tags.iter().any(|known| known == tag) => {}
                None => tags.push(tag.to_owned()),
            },
        }
    }
    tags
}

fn image(container: &Section) -> String {
    match container.text("image") {
        None if container.get("image").is_none() => container.fault("image", says("fault-needed")),
        None => {}
        Some(image) => match grammar::image_reference(image) {
            Ok(()) => return image.to_owned(),
            Err(message) => container.fault("image", message),
        },
    }
    String::new()
}

fn script(command: &Section, most: usize) -> String {
    if command.flag("interactive", false) {
        command.fault("interactive", says("fault-interactive"));
        return String::new();
    }
    let Some(script) = command.text("cmd") else {
        if command.get("cmd").is_none() {
            command.fault("cmd", says("fault-needed"));
        }
        return String::new();
    };
    if script.trim().is_empty() {
        command.fault("cmd", says("fault-empty"));
    } else if script.len() > most {
        command.fault("cmd", says("fault-bytes-got").set("most", most).set("got", script.len()));
    } else if script.contains('\0') {
        command.fault("cmd", says("fault-nul"));
    }
    script.to_owned()
}

fn resources(requirements: &Section, config: &Config) -> Resources {
    let cpu = requirements.number("cpu").map(|sent| {
        Cores::from_number(sent).unwrap_or_else(|| {
            let fault = says("fault-cores").set("least", Cores::MIN).set("most", Cores::MAX);
            requirements.fault("cpu", fault.set("got", sent));
            config.defaults.cpu
        })
    });
    let ram = requirements.number("ram").map(|sent| {
        Memory::from_number(sent).unwrap_or_else(|| {
            let fault = says("fault-memory").set("least", Memory::MIN).set("most", Memory::MAX);
            requirements.fault("ram", fault.set("got", sent));
            config.defaults.ram
        })
    });
    Resources {
        cpu: cpu.unwrap_or(config.defaults.cpu),
        ram: ram.unwrap_or(config.defaults.ram),
        gpus: requirements.whole("gpus", 0..=MAX_GPUS).unwrap_or(0) as u32,
    }
}

fn array(requirements: &Section, limit: u32) -> Option<ArraySpec> {
    let array = requirements.get("array")?;
    let Some(array) = array.as_object() else {
        requirements.fault("array", says("fault-array-object").set("got", kind(array)));
        return None;
    };
    let text = match array.get("values").unwrap_or(&Value::Null) {
        Value::Null => return None,
        Value::String(text) if text.trim().is_empty() => return None,
        Value::String(text) => Ok(text.clone()),
        Value::Number(last) => Ok(last.to_string()),
        other => Err(expected("kind-text", other)),
    };
    let spec = text.and_then(|text| grammar::array_spec(&text, limit));
    spec.map_err(|message| requirements.fault("array.values", message)).ok()
}

fn dependencies(requirements: &Section, faults: &Faults) -> Vec<Wanted<Dependency>> {
    let mut wanted: Vec<Wanted<Dependency>> = Vec::new();
    for (field, value) in requirements.list("tasks", MAX_LIST) {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.as_f64().and_then(whole).map(|id| id.to_string()).unwrap_or_default(),
            _ => String::new(),
        };
        match grammar::dependency(&text) {
            None => faults.add(field, says("fault-dependency")),
            Some(dependency) if wanted.iter().any(|known| known.what == dependency) => {}
            Some(dependency) => wanted.push(Wanted { field, what: dependency }),
        }
    }
    wanted
}

fn labels(requirements: &Section, config: &Config, faults: &Faults) -> Vec<Label> {
    let offered: Vec<Label> = config.constraints.iter().flat_map(|constraint| constraint.labels()).collect();
    let mut labels = Vec::new();
    for (field, value) in requirements.list("label", MAX_LIST) {
        match value.as_str().and_then(grammar::label) {
            None => faults.add(field, says("fault-label")),
            Some(label) if !offered.contains(&label) => faults.add(field, unknown_label(&label, &offered)),
            Some(label) if labels.contains(&label) => {}
            Some(label) => labels.push(label),
        }
    }
    labels
}

fn unknown_label(label: &Label, offered: &[Label]) -> Message {
    if offered.is_empty() {
        return says("fault-label-none").set("label", label);
    }
    let offered: Vec<_> = offered.iter().map(Label::to_string).collect();
    says("fault-label-unknown").set("label", label).set("offered", offered.join(", "))
}

fn ports(requirements: &Section, faults: &Faults) -> Vec<u16> {
    let mut ports = Vec::new();
    for (field, value) in requirements.list("ports", MAX_PORTS) {
        let port = value.as_f64().and_then(whole).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        match port {
            None => faults.add(field, says("fault-port")),
            Some(port) if ports.contains(&port) => faults.add(field, says("fault-port-twice").set("port", port)),
            Some(port) => ports.push(port),
        }
    }
    ports
}

fn max_lifespan(requirements: &Section) -> Option<std::time::Duration> {
    let span = lifespan_value(requirements.get("maxlifespan")?);
    span.map_err(|message| requirements.fault("maxlifespan", message)).ok()
}

/// A life span as clients send it: a number of seconds, or a text like `2d`.
pub fn lifespan_value(value: &Value) -> Result<std::time::Duration, Message> {
    match value {
        Value::Number(seconds) => {
            let seconds = seconds.as_f64().and_then(whole).ok_or_else(|| says("fault-seconds"))?;
            grammar::lifespan_of(seconds)
        }
        Value::String(text) => grammar::lifespan(text),
        other => Err(says("fault-lifespan-kind").set("got", kind(other))),
    }
}

fn volumes(container: &Section, faults: &Faults) -> Vec<Wanted<VolumeWish>> {
    let mut wanted: Vec<Wanted<VolumeWish>> = Vec::new();
    for (field, value) in container.list("volumes", MAX_LIST) {
        let Some(volume) = value.as_object() else {
            faults.add(field, says("fault-volume-object").set("got", kind(value)));
            continue;
        };
        let Some(name) = volume.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            faults.add(format!("{field}.name"), says("fault-volume-name"));
            continue;
        };
        let acl = match volume.get("acl") {
            None | Some(Value::Null) => None,
            Some(Value::String(acl)) if acl == "ro" => Some(Acl::Ro),
            Some(Value::String(acl)) if acl == "rw" => Some(Acl::Rw),
            Some(_) => {
                faults.add(format!("{field}.acl"), expected_one_of(&["ro", "rw"]));
                continue;
            }
        };
        if wanted.iter().any(|known| known.what.name == name) {
            faults.add(format!("{field}.name"), says("fault-volume-twice"));
        } else if name != JOB_VOLUME {
            wanted.push(Wanted { field, what: VolumeWish { name: name.to_owned(), acl } });
        }
    }
    wanted
}
