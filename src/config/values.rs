//! Values of keys from all their sources, each with where it came from, and what is wrong with them.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde_yaml::Value;

use super::keys::{self, KEYS, Key, Kind, SECTIONS, UNUSED};
use super::units::{parse_duration, parse_size};

/// Where configuration comes from, from the weakest to the strongest.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub file: Option<PathBuf>,
    /// Of the environment, what begins with `GODOCKER_` (and GOD_LOGLEVEL).
    pub env: Vec<(String, String)>,
    /// By key.
    pub flags: Vec<(String, String)>,
}

/// Everything that is wrong, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Faults {}

pub struct Values {
    by_key: HashMap<&'static str, (Value, String)>,
    pub faults: Vec<String>,
    pub warnings: Vec<String>,
}

impl Values {
    pub fn read(sources: &Sources) -> Self {
        let mut values = Values { by_key: HashMap::new(), faults: Vec::new(), warnings: Vec::new() };
        for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
            let default = serde_yaml::from_str(key.default).expect("defaults are YAML; a test reads them all");
            values.by_key.insert(key.name, (default, "default".to_owned()));
        }
        if let Some(file) = &sources.file {
            values.read_file(file);
        }
        for (name, text) in &sources.env {
            if let Some(key) = KEYS.iter().find(|key| key.env == name) {
                values.set(key, plain(text), name.clone());
            }
        }
        for (name, text) in &sources.flags {
            if let Some(key) = keys::find(name) {
                values.set(key, plain(text), format!("--{name}"));
            }
        }
        values
    }

    fn read_file(&mut self, file: &std::path::Path) {
        let shown = file.display();
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return self.faults.push(format!("{shown}: it cannot be read: {error}")),
        };
        let document: Value = match serde_yaml::from_str(&text) {
            Ok(document) => document,
            Err(error) => return self.faults.push(format!("{shown}: it is not valid YAML: {error}")),
        };
        let Value::Mapping(entries) = document else {
            if document != Value::Null {
                self.faults.push(format!("{shown}: expected `key: value` lines"));
            }
            return;
        };
        for (name, value) in entries {
            let Some(name) = name.as_str() else {
                self.faults.push(format!("{shown}: {name:?} is not a key"));
                continue;
            };
            let place = format!("{shown}:{}: {name}", line_of(&text, name));
            if let Some((_, entries)) = SECTIONS.iter().find(|(section, _)| *section == name) {
                self.read_section(entries, value, &place);
                continue;
            }
            match keys::find(name) {
                Some(key) => self.set(key, value, place),
                None if UNUSED.contains(&name) => {
                    self.warnings.push(format!("{place}: it has no effect in this release"));
                }
                None => {
                    let meant = keys::nearest(name).map(|meant| format!("; did you mean {meant}?"));
                    self.warnings.push(format!("{place}: it is not a key{}", meant.unwrap_or_default()));
                }
            }
        }
    }

    /// A map of the original's, each of whose entries is a key of ours.
    fn read_section(&mut self, entries: &[(&str, &'static str)], section: Value, place: &str) {
        let Value::Mapping(section) = section else {
            if !python(section).is_null() {
                self.faults.push(format!("{place}: expected `key: value` lines below it"));
            }
            return;
        };
        for (name, value) in section {
            let name = text_of(&name);
            let place = format!("{place}.{name}");
            match entries.iter().find(|(entry, _)| *entry == name).and_then(|(_, key)| keys::find(key)) {
                Some(key) => self.set(key, value, place),
                None => self.warnings.push(format!("{place}: it has no effect in this release")),
            }
        }
    }

    fn set(&mut self, key: &'static Key, value: Value, place: String) {
        let value = python(value);
        if value.is_null() || value.as_str() == Some("") {
            self.by_key.remove(key.name);
        } else if let Some(expected) = misfit(key.kind, &value) {
            self.faults.push(format!("{place}: expected {expected}, got {}", shown(key, &value)));
        } else {
            self.by_key.insert(key.name, (value, place));
        }
    }

    /// Says what is wrong with a key's value, with its place.
    pub fn fault(&mut self, key: &'static str, message: impl fmt::Display) {
        let place = self.by_key.get(key).map_or(key, |(_, place)| place.as_str());
        let place = if place == "default" { key } else { place };
        let fault = format!("{place}: {message}");
        self.faults.push(fault);
    }

    fn get(&self, key: &'static str) -> Option<&Value> {
        debug_assert!(keys::find(key).is_some(), "{key} is not in the table");
        self.by_key.get(key).map(|(value, _)| value)
    }

    pub fn text(&self, key: &'static str) -> Option<String> {
        self.get(key).map(text_of)
    }

    pub fn bool(&self, key: &'static str) -> bool {
        self.get(key).and_then(bool_of).unwrap_or(false)
    }

    pub fn int(&self, key: &'static str) -> Option<i64> {
        self.get(key).and_then(|value| text_of(value).parse().ok())
    }

    pub fn number(&self, key: &'static str) -> Option<f64> {
        self.get(key).and_then(|value| text_of(value).parse().ok())
    }

    pub fn duration(&self, key: &'static str) -> Option<Duration> {
        self.get(key).and_then(|value| parse_duration(&text_of(value)))
    }

    pub fn size(&self, key: &'static str) -> Option<u64> {
        self.get(key).and_then(|value| parse_size(&text_of(value)))
    }

    pub fn list(&self, key: &'static str) -> Vec<String> {
        match self.get(key) {
            Some(Value::Sequence(items)) => items.iter().map(text_of).collect(),
            Some(value) => {
                text_of(value).split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
            }
            None => Vec::new(),
        }
    }

    /// A list of addresses and networks; what is neither is a fault.
    pub fn networks(&mut self, key: &'static str) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for text in self.list(key) {
            match text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => networks.push(network),
                Err(_) => self.fault(key, format!("{text:?} is no address or network like 10.0.0.2 or 10.0.0.0/8")),
            }
        }
        networks
    }

    /// A list of maps, each read as `T`; what does not fit is a fault.
    pub fn maps<T: serde::de::DeserializeOwned>(&mut self, key: &'static str) -> Vec<T> {
        let Some(Value::Sequence(items)) = self.get(key).cloned() else { return Vec::new() };
        let mut read = Vec::new();
        for (number, item) in (1..).zip(items) {
            match serde_yaml::from_value(item) {
                Ok(item) => read.push(item),
                Err(error) => self.fault(key, format!("entry {number}: {error}")),
            }
        }
        read
    }
}

/// The environment and flags say everything as text.
fn plain(text: &str) -> Value {
    Value::String(text.trim().to_owned())
}

/// The original's files say `None`, `True` and `False`, as Python does.
fn python(value: Value) -> Value {
    match value.as_str() {
        Some("None" | "null") => Value::Null,
        Some("True") => Value::Bool(true),
        Some("False") => Value::Bool(false),
        _ => value,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}

fn bool_of(value: &Value) -> Option<bool> {
    match text_of(value).to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// What was expected, if the value is not of this kind.
fn misfit(kind: Kind, value: &Value) -> Option<String> {
    let scalar = matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
    let text = text_of(value);
    let (fits, expected) = match kind {
        Kind::Text => (scalar, "a text".to_owned()),
        Kind::Bool => (bool_of(value).is_some(), "true or false".to_owned()),
        Kind::Int(min, max) => {
            let expected = if max == i64::MAX { format!("from {min}") } else { format!("from {min} to {max}") };
            let fits = text.parse::<i64>().is_ok_and(|number| (min..=max).contains(&number));
            (fits, format!("a whole number {expected}"))
        }
        Kind::Number => (text.parse::<f64>().is_ok_and(|n| n.is_finite() && n >= 0.0), "a number from 0".to_owned()),
        Kind::Duration => (parse_duration(&text).is_some(), "a time like 90s, 30m, 12h, 2d or 1w".to_owned()),
        Kind::Size => (parse_size(&text).is_some(), "a size like 500, 10k, 2M or 1G".to_owned()),
        Kind::List => {
            let all_text = value.as_sequence().is_some_and(|items| items.iter().all(|item| !text_of(item).is_empty()));
            (scalar || all_text, "a list of names".to_owned())
        }
        Kind::Maps => (value.is_sequence(), "a list of { name: .. } entries".to_owned()),
        Kind::OneOf(names) => {
            (names.iter().any(|name| name.eq_ignore_ascii_case(&text)), format!("one of {}", names.join(", ")))
        }
    };
    (!fits).then_some(expected)
}

fn shown(key: &Key, value: &Value) -> String {
    if key.name.contains("password") || key.name.contains("secret") || key.name.ends_with("_token") {
        return "something else".to_owned();
    }
    let text = serde_yaml::to_string(value).unwrap_or_default();
    format!("`{}`", text.trim().chars().take(60).collect::<String>())
}

/// The line of a top-level key, from 1.
fn line_of(text: &str, key: &str) -> usize {
    let is_it = |line: &str| {
        let line = line.trim_start_matches(['"', '\'']);
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':'))
    };
    text.lines().position(is_it).map_or(1, |line| line + 1)
}
