//! What narrows a list, each with the way to take it away.

use super::asked::{Asked, Which};
use crate::web::pages::chrome::Chrome;
use crate::web::search::Query;

pub struct Chip {
    pub text: String,
    /// The list without it.
    pub without: String,
}

/// Of what was chosen, in the order of the form.
pub fn chips(chrome: &Chrome, asked: &Asked) -> Vec<Chip> {
    let mut chips = Vec::new();
    let mut chip = |text: String, without: Asked| chips.push(Chip { text, without: without.first() });
    if let Which::Of(words) = &asked.which {
        for word in words {
            let others: Vec<String> = words.iter().filter(|other| *other != word).cloned().collect();
            let which = if others.is_empty() { Which::Any } else { Which::Of(others) };
            chip(state_word(chrome, word), Asked { which, ..asked.clone() });
        }
    }
    let rest = &asked.rest;
    let set: [(&str, &Option<String>, Field); 11] = [
        ("jobs-chip-text", &rest.q, |query| &mut query.q),
        ("jobs-chip-user", &rest.user, |query| &mut query.user),
        ("jobs-chip-project", &rest.project, |query| &mut query.project),
        ("jobs-chip-tag", &rest.tag, |query| &mut query.tag),
        ("jobs-chip-image", &rest.image, |query| &mut query.image),
        ("jobs-chip-depends-on", &rest.depends_on, |query| &mut query.depends_on),
        ("jobs-chip-node", &rest.node, |query| &mut query.node),
        ("jobs-chip-from", &rest.from, |query| &mut query.from),
        ("jobs-chip-until", &rest.until, |query| &mut query.until),
        ("jobs-chip-ended-from", &rest.ended_from, |query| &mut query.ended_from),
        ("jobs-chip-ended-until", &rest.ended_until, |query| &mut query.ended_until),
    ];
    for (id, value, field) in set {
        let Some(value) = value else { continue };
        let mut without = asked.clone();
        *field(&mut without.rest) = None;
        let text = match (id, value.as_str()) {
            ("jobs-chip-user", "*") => chrome.t("jobs-everyone"),
            _ => chrome.with(id).set("value", value).to_string(),
        };
        chip(text, without);
    }
    chips
}

/// Where a filter is in what was asked.
type Field = fn(&mut Query) -> &mut Option<String>;

/// A phase or ending in the reader's words.
pub fn state_word(chrome: &Chrome, word: &str) -> String {
    let id = match word {
        "pending" => "state-pending",
        "starting" => "state-starting",
        "running" => "state-running",
        "over" => "jobs-state-over",
        "archived" => "jobs-state-archived",
        "unsuccessful" => "jobs-state-unsuccessful",
        "done" => "ending-done",
        "failed" => "ending-failed",
        "killed" => "ending-killed",
        "out_of_memory" => "ending-out-of-memory",
        "time_limit" => "ending-time-limit",
        "node_failure" => "ending-node-failure",
        "rejected" => "ending-rejected",
        other => return other.to_owned(),
    };
    chrome.t(id)
}
