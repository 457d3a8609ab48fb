//! The catalogue is whole: what is said exists in every language, and what exists is said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fluent_bundle::FluentResource;

use super::{Language, Words, catalogue};

/// The messages of a language, each with the names of what it is filled in with.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for (file, source) in catalogue::sources(language) {
        if let Err((_, errors)) = FluentResource::try_new((*source).to_owned()) {
            panic!("locales/{}/{file}.ftl: {errors:?}", language.tag());
        }
        let mut id = String::new();
        for line in source.lines() {
            if let Some((name, _)) = line.split_once(" =").filter(|(name, _)| is_id(name)) {
                id = name.to_owned();
                assert!(found.insert(id.clone(), BTreeSet::new()).is_none(), "{id} is there twice");
            }
            let names = line.split('$').skip(1).map(|rest| rest.chars().take_while(|c| c.is_alphanumeric()).collect());
            if let Some(variables) = found.get_mut(&id) {
                variables.extend(names);
            }
        }
    }
    found
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Templates and code of the pages.
fn texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("templates"), root.join("src/web")];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("words/tests.rs") {
                texts.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}

/// The ids that are said literally: `t("id")`, `with("id")`.
fn said(text: &str) -> Vec<&str> {
    let calls = [".t(\"", ".with(\""];
    calls.iter().flat_map(|call| text.split(call).skip(1)).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_language_says_the_same() {
    let english = messages(Language::English);
    for language in Language::ALL {
        let other = messages(language);
        let missing: Vec<_> = english.keys().filter(|id| !other.contains_key(*id)).collect();
        let beyond: Vec<_> = other.keys().filter(|id| !english.contains_key(*id)).collect();
        assert!(missing.is_empty() && beyond.is_empty(), "{language:?} lacks {missing:?}, and alone has {beyond:?}");
        for (id, names) in &english {
            assert_eq!(&other[id], names, "{language:?}: {id} names something else");
        }
    }
}

#[test]
fn what_is_said_is_in_the_catalogue_and_nothing_else_is() {
    let known = messages(Language::English);
    let texts = texts();
    let unknown: Vec<_> =
        texts.iter().flat_map(|text| said(text)).filter(|id| is_id(id) && !known.contains_key(*id)).collect();
    assert!(unknown.is_empty(), "not in the catalogue: {unknown:?}");
    let idle: Vec<_> =
        known.keys().filter(|id| !texts.iter().any(|text| text.contains(&format!("\"{id}\"")))).collect();
    assert!(idle.is_empty(), "said nowhere: {idle:?}");
}

#[test]
fn plurals_and_numbers_are_those_of_the_language() {
    let (english, french) = (Words::new(Language::English, None), Words::new(Language::French, None));
    assert_eq!(english.with("word-gpus").set("count", 1).to_string(), "1 GPU");
    assert_eq!(english.with("word-gpus").set("count", 2).to_string(), "2 GPUs");
    assert_eq!(french.number(12_345.5, 2), "12\u{202f}345,5");
    assert_eq!(english.number(-1234.0, 2), "-1,234");
    assert_eq!((english.bytes(1500), french.bytes(1500)), ("1.5 kB".to_owned(), "1,5 ko".to_owned()));
    assert_eq!(Language::tagged("fr-CA"), Some(Language::French));
    assert_eq!(Language::tagged("de"), None);
}
