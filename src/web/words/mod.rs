//! What pages say, in the reader's language: one catalogue of messages in locales/ (Fluent's format), a folder a
//! language, a file a part of the site.
//!
//! Here: finding the language, looking a message up, and what jobs ([`jobs`]) and quantities ([`quantities`]) are in
//! words. Deliberately not here: what the API and `god` say, which is English, and names that users gave.

mod catalogue;
mod jobs;
mod quantities;
#[cfg(test)]
mod tests;

use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::header::{AcceptLanguage, Header};
use fluent_bundle::{FluentArgs, FluentValue};
use jiff::tz::TimeZone;

pub use jobs::{Tone, as_sentence};
pub use quantities::Date;

/// A language that there is a catalogue of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    French,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::English, Language::French];

    /// As BCP 47 has it, for `lang` attributes.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::French => "fr",
        }
    }

    /// What it calls itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::French => "Français",
        }
    }

    /// `fr`, `fr-CA`.
    pub fn tagged(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Language::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// The first that the browser asks for and we have; English otherwise.
    pub fn of(request: &HttpRequest) -> Language {
        let Ok(asked) = AcceptLanguage::parse(request) else { return Language::English };
        let ranked = asked.ranked();
        ranked.iter().find_map(|range| Language::tagged(&range.to_string())).unwrap_or(Language::English)
    }
}

/// How one reader is spoken to: a language, and the zone of dates.
#[derive(Debug, Clone)]
pub struct Words {
    pub language: Language,
    /// `None`: the reader's own, which only their browser knows; until its script has put it, UTC.
    pub zone: Option<TimeZone>,
}

impl Words {
    pub fn new(language: Language, zone: Option<TimeZone>) -> Self {
        Words { language, zone }
    }

    /// The zone's name for programs, where the reader has chosen one.
    pub fn zone_name(&self) -> Option<&str> {
        self.zone.as_ref().and_then(TimeZone::iana_name)
    }

    /// The message `id`. A test sees to it that every id in use is in every catalogue.
    pub fn t(&self, id: &str) -> String {
        catalogue::say(self.language, id, None)
    }

    /// The message `id` with what it names: `words.with("word-gpus").set("count", 3)`.
    pub fn with<'a>(&self, id: &'a str) -> Message<'a> {
        Message { language: self.language, id, arguments: FluentArgs::new() }
    }
}

/// A message that is being filled in; shown, it is its text.
pub struct Message<'a> {
    language: Language,
    id: &'a str,
    arguments: FluentArgs<'a>,
}

impl Message<'_> {
    pub fn set(mut self, name: &'static str, value: impl Argument) -> Self {
        self.arguments.set(name, value.argument());
        self
    }
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&catalogue::say(self.language, self.id, Some(&self.arguments)))
    }
}

/// What a message may name: a number, by which it may choose its plural, or a text.
pub trait Argument {
    fn argument(self) -> FluentValue<'static>;
}

macro_rules! numbers {
    ($( $number:ty ),+) => { $(
        impl Argument for $number {
            fn argument(self) -> FluentValue<'static> {
                FluentValue::from(self)
            }
        }
    )+ };
}
numbers!(u16, u32, u64, usize, i32, i64, f64);

impl Argument for &str {
    fn argument(self) -> FluentValue<'static> {
        FluentValue::from(self.to_owned())
    }
}

impl Argument for String {
    fn argument(self) -> FluentValue<'static> {
        FluentValue::from(self)
    }
}

/// As templates hand it on: they borrow what may be borrowed already.
impl<T: Argument + Clone> Argument for &T {
    fn argument(self) -> FluentValue<'static> {
        self.clone().argument()
    }
}
