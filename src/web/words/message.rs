//! What is said, in no language yet: so that what finds a fault need not know who reads of it.

use std::fmt;

use fluent_bundle::{FluentArgs, FluentValue};
use serde::{Serialize, Serializer};

use super::{Language, catalogue};
use crate::domain::{Cores, JobId, Label, Memory, ProjectId, UserId};

/// What is said. Shown and serialized by itself it is English, which the API, the logs and `god` speak;
/// [`super::Words::say`] has it in the reader's language.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Of the catalogue, with what it names.
    Ours { id: &'static str, arguments: Vec<(&'static str, Value)> },
    /// What somebody else said (an administrator, a library): as it was said.
    Verbatim(String),
}

/// The message `id` of the catalogue: `says("fault-port-twice").set("port", 80)`.
pub fn says(id: &'static str) -> Message {
    Message::Ours { id, arguments: Vec::new() }
}

/// `expected ro or rw`: one of these words, which are the same in every language.
pub fn expected_one_of(words: &[&str]) -> Message {
    let words = match words {
        [] => Message::Verbatim(String::new()),
        [only] => Message::verbatim(only),
        [first @ .., last] => says("word-or").set("one", first.join(", ")).set("other", *last),
    };
    says("fault-expected").set("what", words)
}

impl Message {
    pub fn verbatim(text: &(impl ToString + ?Sized)) -> Message {
        Message::Verbatim(text.to_string())
    }

    /// Several as one; `between` is a message with `$one` and `$other`.
    pub fn joined(between: &'static str, parts: impl IntoIterator<Item = Message>) -> Message {
        let joined = parts.into_iter().reduce(|one, other| says(between).set("one", one).set("other", other));
        joined.unwrap_or(Message::Verbatim(String::new()))
    }

    /// Names something in it. What is verbatim names nothing.
    pub fn set(mut self, name: &'static str, value: impl Argument) -> Self {
        if let Message::Ours { arguments, .. } = &mut self {
            arguments.push((name, value.argument()));
        }
        self
    }

    /// All of it was said elsewhere, in whatever language is spoken there.
    pub fn is_verbatim(&self) -> bool {
        matches!(self, Message::Verbatim(_))
    }

    pub(super) fn text(&self, language: Language) -> String {
        match self {
            Message::Verbatim(text) => text.clone(),
            Message::Ours { id, arguments } if arguments.is_empty() => catalogue::say(language, id, None),
            Message::Ours { id, arguments } => {
                let filled: FluentArgs =
                    arguments.iter().map(|(name, value)| (*name, value.fluent(language))).collect();
                catalogue::say(language, id, Some(&filled))
            }
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a message names: a number, by which it may choose its plural, a text, or another message.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Number(f64),
    Text(String),
    Message(Message),
}

impl Value {
    fn fluent(&self, language: Language) -> FluentValue<'_> {
        match self {
            Value::Number(number) => FluentValue::from(*number),
            Value::Text(text) => FluentValue::from(text.as_str()),
            Value::Message(message) => FluentValue::from(message.text(language)),
        }
    }
}

/// What can be named.
pub trait Argument {
    fn argument(self) -> Value;
}

/// Beyond this a float does not hold every whole number, and nobody needs its plural.
const EXACT: u64 = 1 << 53;

macro_rules! wholes {
    ($( $number:ty ),+) => { $(
        impl Argument for $number {
            fn argument(self) -> Value {
                match u64::try_from(self) {
                    Ok(number) if number <= EXACT => Value::Number(number as f64),
                    _ => Value::Text(self.to_string()),
                }
            }
        }
    )+ };
}
wholes!(u16, u32, u64, usize, i32, i64);

impl Argument for f64 {
    fn argument(self) -> Value {
        Value::Number(self)
    }
}

macro_rules! texts {
    ($( $kind:ty ),+) => { $(
        impl Argument for $kind {
            fn argument(self) -> Value {
                Value::Text(self.to_string())
            }
        }
    )+ };
}
texts!(&str, JobId, UserId, ProjectId, Cores, Memory, Label);

impl Argument for String {
    fn argument(self) -> Value {
        Value::Text(self)
    }
}

impl Argument for Message {
    fn argument(self) -> Value {
        Value::Message(self)
    }
}

/// As templates hand it on: they borrow what may be borrowed already.
impl<T: Argument + Clone> Argument for &T {
    fn argument(self) -> Value {
        self.clone().argument()
    }
}
