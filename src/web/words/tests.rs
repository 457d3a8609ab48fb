//! The catalogue is whole: what is said exists in every language, and what exists is said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fluent_bundle::FluentResource;

use super::{Language, Message, Words, catalogue, expected_one_of, says};
use crate::domain::{Cores, JobId};
use crate::web::error::{ApiError, FieldFault};

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

/// The ids that are said literally: `t("id")`, `with("id")`, `says("id")`.
fn said(text: &str) -> Vec<&str> {
    let calls = [".t(\"", ".with(\"", "says(\""];
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

fn readers() -> (Words, Words) {
    (Words::new(Language::English, None), Words::new(Language::French, None))
}

#[test]
fn a_fault_is_english_by_itself_and_in_the_readers_language_on_a_page() {
    let (english, french) = readers();
    let fault = says("fault-job-changed").set("job", JobId(7)).set("done", says("done-killed"));
    assert_eq!(fault.to_string(), "job 7 cannot be killed any more: it has just changed");
    assert_eq!(english.say(&fault), fault.to_string());
    assert_eq!(french.say(&fault), "le travail 7 ne peut plus être tué : il vient de changer");
    assert_eq!(serde_json::json!(fault), fault.to_string());
    assert!(!french.is_foreign(&fault));
}

#[test]
fn numbers_are_told_as_they_were_sent() {
    let range = says("fault-cores").set("least", Cores::MIN).set("most", Cores::MAX);
    assert_eq!(range.set("got", 0.05).to_string(), "expected 0.1 to 4096 cores, got 0.05");
    let huge = says("fault-array-order").set("first", u64::MAX).set("last", i64::MAX);
    let told = "the first index 18446744073709551615 lies beyond the last, 9223372036854775807";
    assert_eq!(huge.to_string(), told);
    assert_eq!(says("fault-file-size").set("size", 16_777_216_u64).to_string().split(' ').nth(3), Some("16777216"));
    assert!(says("fault-limit").set("most", 1e300).to_string().ends_with(&format!("{}", 1e300)));
}

#[test]
fn several_become_one_in_every_language() {
    let (english, french) = readers();
    let choice = expected_one_of(&["auto", "light", "dark"]);
    assert_eq!(choice.to_string(), "expected auto, light or dark");
    assert_eq!(french.say(&choice), "valeurs possibles : auto, light ou dark");
    assert_eq!(expected_one_of(&["ro", "rw"]).to_string(), "expected ro or rw");
    let faults = [("a", "fault-needed"), ("b", "fault-empty")].map(|(field, id)| FieldFault::new(field, says(id)));
    let told = ApiError::Invalid(faults.to_vec()).message();
    assert_eq!(english.say(&told), "a: is needed; b: must not be empty");
    assert_eq!(french.say(&told), "a : champ obligatoire ; b : ne doit pas être vide");
}

#[test]
fn what_others_said_stays_as_it_was_said() {
    let (english, french) = readers();
    let said = Message::verbatim("the disk { is } on fire").set("name", 1);
    assert_eq!((said.to_string(), french.say(&said)), ("the disk { is } on fire".into(), said.to_string()));
    assert!(french.is_foreign(&said) && !english.is_foreign(&said));
}

/// What readers of names and of paths say by themselves, and what is said of it here, is one text.
#[test]
fn lower_layers_say_the_same_in_english() {
    use crate::domain::{InvalidId, ProjectId, UserId};
    use crate::files::{FileError, PathFault};
    let job: InvalidId = "x".parse::<JobId>().unwrap_err();
    let names = [job, "a b".parse::<UserId>().unwrap_err(), "é\n".parse::<ProjectId>().unwrap_err()];
    for error in names {
        assert_eq!(Message::from(error.clone()).to_string(), error.to_string());
    }
    let paths = [
        PathFault::Nul,
        PathFault::Absolute,
        PathFault::EmptyName,
        PathFault::TooLong,
        PathFault::Top,
        PathFault::ControlCharacter,
        PathFault::SlashInName,
        PathFault::GuestHome,
    ];
    let files = [
        FileError::NotFound,
        FileError::Outside,
        FileError::NotAFile,
        FileError::IsDirectory,
        FileError::Exists,
        FileError::NotEmpty,
        FileError::AnothersDirectory { uid: 4321 },
        FileError::OtherSize { size: 5 },
        FileError::OverQuota { used: 1, quota: 2 },
        FileError::DiskFull,
    ];
    for error in paths.map(FileError::InvalidPath).into_iter().chain(files) {
        let told = error.to_string();
        let said = ApiError::from(error).message().to_string();
        assert_eq!(said.strip_prefix("path: ").unwrap_or(&said), told);
    }
}

/// A French text that is the English one has been forgotten, but where both languages have the same word.
#[test]
fn every_fault_has_words_of_its_own_in_french() {
    let texts = |language| -> BTreeMap<&str, &str> {
        let (_, source) = catalogue::sources(language).iter().find(|(file, _)| *file == "faults").unwrap();
        source.lines().filter_map(|line| line.split_once(" = ")).collect()
    };
    let (english, french) = (texts(Language::English), texts(Language::French));
    let same: Vec<_> = english.iter().filter(|(id, text)| french.get(**id) == Some(*text)).map(|(id, _)| *id).collect();
    assert_eq!(same, ["kind-null"]);
    for text in french.values() {
        assert!(!text.contains('\''), "an apostrophe of typewriters: {text}");
        assert!(!text.contains("...") || text.contains("AAAA..."), "{text}");
    }
}
