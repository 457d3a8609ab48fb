//! What is typed, and the document of the API that it means.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::domain::Job;
use crate::web::templates::document_of;

/// All as typed: the API's rules say what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Form {
    pub name: String,
    pub image: String,
    pub script: String,
    pub cpu: String,
    pub ram: String,
    pub gpus: String,
    pub maxlifespan: String,
    /// Size of the room of its own, `10G`.
    pub tmp: String,
    pub executor: String,
    pub project: String,
    pub array: String,
    pub tasks: String,
    pub labels: String,
    pub ports: String,
    pub retries: String,
    pub tags: String,
    pub description: String,
    #[serde(deserialize_with = "checked")]
    pub network: bool,
    #[serde(deserialize_with = "checked")]
    pub root: bool,
    #[serde(deserialize_with = "checked")]
    pub email: bool,
    /// `check` or `keep`; else it is submitted.
    pub then: String,
    /// The name that a template is to have.
    pub template: String,
    /// `volume_<name>`: the acl.
    #[serde(flatten)]
    pub rest: BTreeMap<String, String>,
}

/// A box that is not checked is not sent.
fn checked<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    String::deserialize(deserializer).map(|text| text == "1")
}

impl Form {
    pub fn empty(image: &str, cpu: String, ram: String) -> Self {
        Form {
            image: image.to_owned(),
            script: "#!/bin/sh\n".to_owned(),
            cpu,
            ram,
            project: "default".to_owned(),
            network: true,
            ..Form::default()
        }
    }

    /// An earlier job, to be submitted again: as it was asked for, with what it waited for, and the array of a child.
    pub fn like(job: &Job) -> Self {
        let dependencies: Vec<_> = job.spec.dependencies.iter().map(ToString::to_string).collect();
        Form {
            array: job.spec.array.map_or_else(String::new, |array| array.to_string()),
            tasks: dependencies.join(", "),
            ..Form::of_document(&document_of(job))
        }
    }

    /// A document of the API as it was kept, the inverse of [`Form::document`]. What the form has no field for is left
    /// out.
    pub fn of_document(document: &Value) -> Self {
        let text = |path: &str| document.pointer(path).map_or_else(String::new, shown);
        let list = |path: &str| {
            let items = document.pointer(path).and_then(Value::as_array);
            items.map_or_else(String::new, |items| items.iter().map(shown).collect::<Vec<_>>().join(", "))
        };
        let is = |path: &str| document.pointer(path).and_then(Value::as_bool).unwrap_or_default();
        let volumes = document.pointer("/container/volumes").and_then(Value::as_array).into_iter().flatten();
        let volume = |volume: &Value| {
            let name = volume.get("name")?.as_str()?;
            Some((format!("volume_{name}"), volume.get("acl").and_then(Value::as_str).unwrap_or("ro").to_owned()))
        };
        Form {
            name: text("/meta/name"),
            image: text("/container/image"),
            script: text("/command/cmd"),
            cpu: text("/requirements/cpu"),
            ram: text("/requirements/ram"),
            gpus: text("/requirements/gpus"),
            maxlifespan: text("/requirements/maxlifespan"),
            tmp: text("/requirements/tmpstorage/size"),
            executor: text("/requirements/executor"),
            project: Some(text("/user/project")).filter(|name| !name.is_empty()).unwrap_or("default".to_owned()),
            array: text("/requirements/array/values"),
            tasks: list("/requirements/tasks"),
            labels: list("/requirements/label"),
            ports: list("/requirements/ports"),
            // None is what the field says when it is empty.
            retries: Some(text("/requirements/failure_policy")).filter(|launches| launches != "0").unwrap_or_default(),
            tags: list("/meta/tags"),
            description: text("/meta/description"),
            network: is("/container/network"),
            root: is("/container/root"),
            email: is("/notify/email"),
            rest: volumes.filter_map(volume).collect(),
            ..Form::default()
        }
    }

    pub fn volume(&self, name: &str) -> &str {
        self.rest.get(&format!("volume_{name}")).map_or("", String::as_str)
    }

    pub fn has_more(&self) -> bool {
        let texts = [
            &self.array,
            &self.tasks,
            &self.labels,
            &self.ports,
            &self.retries,
            &self.tags,
            &self.description,
            &self.tmp,
            &self.executor,
        ];
        texts.iter().any(|text| !text.is_empty())
            || self.root
            || self.email
            || self.rest.values().any(|v| !v.is_empty())
    }

    pub fn document(&self) -> Value {
        let volumes = self.rest.iter().filter(|(_, acl)| !acl.is_empty()).filter_map(|(name, acl)| {
            let name = name.strip_prefix("volume_")?;
            Some(json!({ "name": name, "acl": acl }))
        });
        let mut requirements = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                requirements.insert(name.to_owned(), value);
            }
        };
        set("cpu", number(&self.cpu));
        set("ram", number(&self.ram));
        set("gpus", number(&self.gpus));
        set("failure_policy", number(&self.retries));
        set("maxlifespan", text(&self.maxlifespan));
        set("tmpstorage", text(&self.tmp).map(|size| json!({ "size": size })));
        set("executor", text(&self.executor));
        set("array", text(&self.array).map(|values| json!({ "values": values })));
        set("tasks", Some(json!(parts(&self.tasks))));
        set("label", Some(json!(parts(&self.labels))));
        set("ports", Some(parts(&self.ports).iter().filter_map(|port| number(port)).collect()));
        json!({
            "user": { "project": self.project },
            "meta": { "name": self.name.trim(), "description": self.description, "tags": parts(&self.tags) },
            "requirements": requirements,
            "container": {
                "image": self.image.trim(),
                "volumes": volumes.collect::<Vec<_>>(),
                "network": self.network,
                "root": self.root,
            },
            // A browser ends lines as HTTP does; a shell would take the \r for part of a word.
            "command": { "interactive": false, "cmd": self.script.replace("\r\n", "\n") },
            "notify": { "email": self.email },
        })
    }
}

/// A value as one would type it; nothing for null.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn text(typed: &str) -> Option<Value> {
    let typed = typed.trim();
    (!typed.is_empty()).then(|| json!(typed))
}

/// A number where it is one; what is not goes on as text, to be refused with its field's name.
fn number(typed: &str) -> Option<Value> {
    let typed = typed.trim();
    let whole = typed.parse::<i64>().map(Value::from).ok();
    let broken = || typed.parse::<f64>().ok().filter(|n| n.is_finite()).map(Value::from);
    whole.or_else(broken).or_else(|| text(typed))
}

fn parts(typed: &str) -> Vec<String> {
    typed.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_the_apis_document() {
        let mut form = Form::empty("debian", "1.5".into(), "2".into());
        form.script = "#!/bin/sh\r\necho\r\n".into();
        form.tasks = "12, 13:failed".into();
        form.ports = "80,web".into();
        form.rest.insert("volume_home".into(), "ro".into());
        form.rest.insert("volume_db".into(), String::new());
        let document = form.document();
        assert_eq!(document["command"]["cmd"], "#!/bin/sh\necho\n");
        assert_eq!(document["requirements"]["cpu"], 1.5);
        assert_eq!(document["requirements"]["ram"], 2);
        assert_eq!(document["requirements"]["tasks"], json!(["12", "13:failed"]));
        assert_eq!(document["requirements"]["ports"], json!([80, "web"]), "what is no number is refused, not dropped");
        assert_eq!(document["container"]["volumes"], json!([{ "name": "home", "acl": "ro" }]));
        assert!(document["requirements"].get("maxlifespan").is_none());
        let again = Form::of_document(&document);
        assert_eq!(again.document(), document);
        assert_eq!((again.tasks.as_str(), again.volume("home")), ("12, 13:failed", "ro"));
    }
}
