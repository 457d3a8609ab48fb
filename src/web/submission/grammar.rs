//! The small languages inside a document's texts: arrays, dependencies, labels, life spans, image references.

use std::time::Duration;

use crate::domain::{ArraySpec, Dependency, DependencyOn, JobId, Label};
use crate::web::words::{Message, says};

/// Stores keep indices as signed integers.
const MAX_INDEX: u64 = i64::MAX as u64;
const MAX_LIFESPAN: u64 = 100 * 365 * 86_400;

/// `last`, `first:last` or `first:last:step`, with an optional `%n`; of at most `limit` jobs.
pub fn array_spec(text: &str, limit: u32) -> Result<ArraySpec, Message> {
    let not_its_form = || says("fault-array-form");
    let (range, throttle) = match text.trim().split_once('%') {
        Some((range, throttle)) => (range, Some(throttle)),
        None => (text.trim(), None),
    };
    let numbers = range.split(':').map(index).collect::<Option<Vec<u64>>>().ok_or_else(not_its_form)?;
    let (first, last, step) = match numbers[..] {
        [last] => (1, last, 1),
        [first, last] => (first, last, 1),
        [first, last, step] => (first, last, step),
        _ => return Err(not_its_form()),
    };
    if step == 0 {
        return Err(says("fault-array-step"));
    }
    if first > last {
        return Err(says("fault-array-order").set("first", first).set("last", last));
    }
    let throttle = match throttle.map(|n| n.parse::<u32>().ok().filter(|n| *n > 0)) {
        Some(None) => return Err(says("fault-array-throttle")),
        Some(throttle) => throttle,
        None => None,
    };
    let array = ArraySpec { first, last, step, throttle };
    if array.len() > u64::from(limit) {
        return Err(says("fault-array-size").set("most", limit).set("count", array.len()));
    }
    Ok(array)
}

fn index(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|n| *n <= MAX_INDEX)
}

/// `12`, `12:ok`, `12:failed` or `12:any`.
pub(super) fn dependency(text: &str) -> Option<Dependency> {
    let (job, on) = text.trim().split_once(':').unwrap_or((text.trim(), "ok"));
    let on = match on {
        "ok" => DependencyOn::Ok,
        "failed" => DependencyOn::Failed,
        "any" => DependencyOn::Any,
        _ => return None,
    };
    let job = index(job).filter(|id| *id > 0)?;
    Some(Dependency { job: JobId(job), on })
}

/// `name==value`.
pub(super) fn label(text: &str) -> Option<Label> {
    let (name, value) = text.split_once("==")?;
    Some(Label { name: name.trim().to_owned(), value: value.trim().to_owned() })
}

/// `90s`, `30m`, `12h`, `2d`, `1w`; a bare number is seconds.
pub fn lifespan(text: &str) -> Result<Duration, Message> {
    let text = text.trim();
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], 86_400),
        Some((at, 'w')) => (&text[..at], 7 * 86_400),
        _ => (text, 1),
    };
    let seconds = index(number).and_then(|n| n.checked_mul(unit));
    lifespan_of(seconds.ok_or_else(|| says("fault-lifespan"))?)
}

pub(super) fn lifespan_of(seconds: u64) -> Result<Duration, Message> {
    match seconds {
        1..=MAX_LIFESPAN => Ok(Duration::from_secs(seconds)),
        _ => Err(says("fault-lifespan-range")),
    }
}

/// A life span as it would be sent: in the largest unit that holds it whole.
pub fn lifespan_text(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(7 * 86_400, 'w'), (86_400, 'd'), (3600, 'h'), (60, 'm')];
    let unit = units.iter().find(|(size, _)| seconds > 0 && seconds.is_multiple_of(*size));
    unit.map_or_else(|| format!("{seconds}s"), |(size, letter)| format!("{}{letter}", seconds / size))
}

/// Checks the grammar of an image reference: `[host[:port]/]path[:tag][@digest]`.
pub fn image_reference(text: &str) -> Result<(), Message> {
    if text.is_empty() {
        return Err(says("fault-empty"));
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Err(says("fault-image-digest"));
    }
    // A colon after the last slash begins the tag; one before it, the host's port.
    let tag_at = rest.rfind(':').filter(|at| rest.rfind('/').is_none_or(|slash| slash < *at));
    let (name, tag) = tag_at.map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 1..])));
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err(says("fault-image-tag"));
    }
    if name.len() > 255 {
        return Err(says("fault-image-name"));
    }
    let (host, path) = match name.split_once('/') {
        Some((first, path)) if is_host(first) && !is_path_component(first) => (Some(first), path),
        _ => (None, name),
    };
    if path.split('/').all(is_path_component) && host.is_none_or(is_host) { Ok(()) } else { Err(says("fault-image")) }
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
            && algorithm.chars().all(|c| c.is_ascii_alphanumeric() || "+._-".contains(c))
            && (32..=256).contains(&hex.len())
            && hex.bytes().all(|b| b.is_ascii_hexdigit())
            && (algorithm != "sha256" || hex.len() == 64)
    })
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let port_is_fine =
        port.is_none_or(|port| (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()));
    port_is_fine
        && host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}

/// Lower case letters and digits, in groups held together by one `.`, one or two `_`, or any number of `-`.
fn is_path_component(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(is_letter)
        && text.ends_with(is_letter)
        && text.split(is_letter).all(|glue| matches!(glue, "" | "." | "_" | "__") || glue.chars().all(|c| c == '-'))
}
