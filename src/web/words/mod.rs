//! What pages say, in the reader's language: one catalogue of messages in locales/ (Fluent's format), a folder a
//! language, a file a part of the site.
//!
//! Here: finding the language, looking a message up, what is said before its reader is known ([`message`]), and what jobs
//! ([`jobs`]) and quantities ([`quantities`]) are in words. What the API and `god` say is the same catalogue's English.
//! Deliberately not here: names that users gave.

mod catalogue;
mod jobs;
mod message;
mod quantities;
#[cfg(test)]
mod tests;

use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::header::{AcceptLanguage, Header};
use jiff::tz::TimeZone;

pub use jobs::{Tone, as_sentence, ending_word};
pub use message::{Argument, Message, expected_one_of, says};
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
    pub fn with(&self, id: &'static str) -> Saying {
        Saying { language: self.language, message: says(id) }
    }

    /// What was found without knowing who reads of it.
    pub fn say(&self, message: &Message) -> String {
        message.text(self.language)
    }

    /// Whether it is English on a page that is not.
    pub fn is_foreign(&self, message: &Message) -> bool {
        self.language != Language::English && message.is_verbatim()
    }
}

/// A message in the reader's language, while it is being filled in; shown, it is its text.
pub struct Saying {
    language: Language,
    message: Message,
}

impl Saying {
    pub fn set(self, name: &'static str, value: impl Argument) -> Self {
        Saying { message: self.message.set(name, value), ..self }
    }
}

impl fmt::Display for Saying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message.text(self.language))
    }
}
