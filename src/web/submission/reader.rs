//! Reads a JSON document field by field, and notes each fault under the field's path.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::web::error::FieldFault;
use crate::web::words::{Message, says};

/// The faults found so far.
#[derive(Default)]
pub(super) struct Faults(RefCell<Vec<FieldFault>>);

impl Faults {
    pub fn add(&self, field: impl Into<String>, message: Message) {
        self.0.borrow_mut().push(FieldFault::new(field, message));
    }

    pub fn into_vec(self) -> Vec<FieldFault> {
        self.0.into_inner()
    }
}

/// One object of the document (`requirements`). What is absent and what is null are the same.
pub(super) struct Section<'a> {
    name: &'static str,
    map: Option<&'a Map<String, Value>>,
    faults: &'a Faults,
}

impl<'a> Section<'a> {
    pub fn of(document: &'a Map<String, Value>, name: &'static str, faults: &'a Faults) -> Self {
        let map = match document.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => Some(map),
            Some(other) => {
                faults.add(name, expected("kind-object", other));
                None
            }
        };
        Section { name, map, faults }
    }

    pub fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    pub fn fault(&self, key: &str, message: Message) {
        self.faults.add(self.path(key), message);
    }

    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key).filter(|value| !value.is_null())
    }

    fn typed<T>(&self, key: &str, what: &'static str, read: impl FnOnce(&'a Value) -> Option<T>) -> Option<T> {
        let value = self.get(key)?;
        let read = read(value);
        if read.is_none() {
            self.fault(key, expected(what, value));
        }
        read
    }

    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.typed(key, "kind-text", Value::as_str)
    }

    pub fn number(&self, key: &str) -> Option<f64> {
        self.typed(key, "kind-number", Value::as_f64)
    }

    /// A whole number within `range`.
    pub fn whole(&self, key: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let number = self.number(key)?;
        let whole = whole(number).filter(|n| range.contains(n));
        if whole.is_none() {
            let (first, last) = (range.start(), range.end());
            let fault = says("fault-whole-got").set("first", first).set("last", last);
            self.fault(key, fault.set("got", number));
        }
        whole
    }

    pub fn flag(&self, key: &str, default: bool) -> bool {
        self.typed(key, "kind-flag", Value::as_bool).unwrap_or(default)
    }

    /// The elements of a list of at most `most`, each with its path.
    pub fn list(&self, key: &str, most: usize) -> Vec<(String, &'a Value)> {
        let Some(elements) = self.typed(key, "kind-list", Value::as_array) else { return Vec::new() };
        if elements.len() > most {
            self.fault(key, says("fault-too-many").set("most", most).set("got", elements.len()));
            return Vec::new();
        }
        let path = self.path(key);
        elements.iter().enumerate().map(|(i, element)| (format!("{path}[{i}]"), element)).collect()
    }

    /// A text of `1..=most` characters (`0..=most` unless `required`), without control characters but those of
    /// `allowed`.
    pub fn line(&self, key: &str, required: bool, most: usize, allowed: &[char]) -> String {
        match self.text(key) {
            Some(text) => {
                if let Some(message) = text_fault(text, required, most, allowed) {
                    self.fault(key, message);
                }
                text.to_owned()
            }
            None => {
                if required && self.get(key).is_none() {
                    self.fault(key, says("fault-needed"));
                }
                String::new()
            }
        }
    }
}

/// What is wrong with a text, if something is.
pub(super) fn text_fault(text: &str, required: bool, most: usize, allowed: &[char]) -> Option<Message> {
    let length = text.chars().count();
    if required && text.trim().is_empty() {
        Some(says("fault-empty"))
    } else if length > most {
        Some(says("fault-characters").set("most", most).set("got", length))
    } else if text.chars().any(|c| c.is_control() && !allowed.contains(&c)) {
        Some(says("fault-control"))
    } else {
        None
    }
}

/// `number` as a whole number, if it is one that a float holds exactly.
pub(super) fn whole(number: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
}

/// `what` is a message of the catalogue, `kind-text`.
pub(super) fn expected(what: &'static str, got: &Value) -> Message {
    says("fault-kind").set("what", says(what)).set("got", kind(got))
}

/// What a value is, in a sentence.
pub(super) fn kind(value: &Value) -> Message {
    says(match value {
        Value::Null => "kind-null",
        Value::Bool(_) => "kind-flag",
        Value::Number(_) => "kind-number",
        Value::String(_) => "kind-text",
        Value::Array(_) => "kind-list",
        Value::Object(_) => "kind-object",
    })
}
