//! The messages themselves, part of the program.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

use super::Language;

/// The files of a language: each begins with the name of its messages' first part.
macro_rules! files {
    ($language:literal) => {
        files!(@ $language, "base", "words", "login", "home", "jobs", "job", "new", "files", "data", "disk", "usage", "profile", "admin", "faults")
    };
    (@ $language:literal, $( $name:literal ),+) => {
        &[ $( ($name, include_str!(concat!("../../../locales/", $language, "/", $name, ".ftl"))) ),+ ]
    };
}

pub(super) const fn sources(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::English => files!("en"),
        Language::French => files!("fr"),
    }
}

static ENGLISH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(Language::English));
static FRENCH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(Language::French));

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let tag = language.tag().parse().expect("our tags are BCP 47");
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Marks around what is filled in help mixed directions of writing, and spoil what is copied and looked for.
    bundle.set_use_isolating(false);
    for (name, source) in sources(language) {
        // A test reads every file; what it would have refused is left out here, and the rest of the page is there.
        let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(resource, errors)| {
            tracing::error!(name, ?errors, "a catalogue has faults");
            resource
        });
        bundle.add_resource_overriding(resource);
    }
    bundle
}

pub(super) fn say(language: Language, id: &str, arguments: Option<&FluentArgs<'_>>) -> String {
    let bundle = match language {
        Language::English => &*ENGLISH,
        Language::French => &*FRENCH,
    };
    let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
        tracing::error!(id, language = language.tag(), "a message is missing");
        return id.to_owned();
    };
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, arguments, &mut errors).into_owned();
    if !errors.is_empty() {
        tracing::error!(id, language = language.tag(), ?errors, "a message is not filled in");
    }
    text
}
