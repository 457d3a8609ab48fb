//! What I may still use, as small pictures with words.

use std::time::Duration;

use crate::web::allowance::{Allowance, Room};
use crate::web::chart;
use crate::web::words::Words;

pub(in crate::web::pages) struct Gauge {
    pub name: String,
    /// `3 h 20 min of 10 h`.
    pub text: String,
    pub used_up: bool,
    /// HTML; empty where there is no quota.
    pub picture: String,
    /// Where more is told of it, below the site's prefix.
    pub link: &'static str,
    pub tone: &'static str,
}

pub(super) struct Shared {
    pub text: String,
    pub picture: String,
    pub meaning: String,
}

pub(in crate::web::pages) fn gauges(words: &Words, allowance: &Allowance) -> Vec<Gauge> {
    let Allowance { used, quotas, .. } = allowance;
    let seconds = |seconds: f64| words.duration(Duration::from_secs_f64(seconds.max(0.0).round()));
    let plain = |value: f64| words.number(value, 1);
    let gigabytes = |value: f64| words.with("home-gb").set("count", words.number(value, 1)).to_string();
    let bytes = |value: f64| words.bytes(value as u64);
    let mut gauges = vec![
        gauge(words, ("home-time", "/usage"), used.time, quotas.time, &seconds),
        gauge(words, ("home-cpu", "/usage"), used.cpu, quotas.cpu, &plain),
        gauge(words, ("home-ram", "/usage"), used.ram, quotas.ram, &gigabytes),
    ];
    if used.gpu > 0.0 || quotas.gpu > 0 {
        gauges.push(gauge(words, ("home-gpu", "/usage"), used.gpu, quotas.gpu, &plain));
    }
    let mut room = |name, room: Room| gauges.push(gauge(words, name, room.used as f64, room.quota, &bytes));
    room(("home-disk", "/disk"), allowance.disk);
    if let Some(uploads) = allowance.uploads {
        room(("home-upload", "/data"), uploads);
    }
    gauges
}

fn gauge(
    words: &Words,
    (name, link): (&str, &'static str),
    used: f64,
    quota: u64,
    format: &dyn Fn(f64) -> String,
) -> Gauge {
    let part = (quota > 0).then(|| used / quota as f64);
    let text = match part {
        Some(_) => words.with("home-of").set("used", format(used)).set("quota", format(quota as f64)).to_string(),
        None => words.with("home-no-quota").set("used", format(used)).to_string(),
    };
    Gauge {
        name: words.t(name),
        text,
        used_up: part.is_some_and(|part| part >= 1.0),
        picture: part.map(|part| chart::gauge(part, None, chart::tone(part))).unwrap_or_default(),
        link,
        tone: part.map_or("fine", chart::tone),
    }
}

/// What it means that some of it is used up, and what can be done about it.
pub(super) fn warnings(words: &Words, allowance: &Allowance) -> Vec<String> {
    let Allowance { used, quotas, .. } = allowance;
    let full = |used: f64, quota: u64| quota > 0 && used >= quota as f64;
    let room = |room: Room| full(room.used as f64, room.quota);
    let summed = [(used.time, quotas.time), (used.cpu, quotas.cpu), (used.ram, quotas.ram), (used.gpu, quotas.gpu)];
    let all = [
        (summed.iter().any(|(used, quota)| full(*used, *quota)), "home-full-time"),
        (room(allowance.disk), "home-full-disk"),
        (allowance.uploads.is_some_and(room), "home-full-upload"),
    ];
    all.into_iter().filter(|(is, _)| *is).map(|(_, id)| words.t(id)).collect()
}

pub(super) fn shared(words: &Words, policy: &str, allowance: &Allowance) -> Shared {
    let share = allowance.share;
    let percent = |part: f64| words.number(part * 100.0, 1);
    let Some(part) = share.part() else {
        return Shared { text: words.t("home-share-none"), picture: String::new(), meaning: String::new() };
    };
    let even = share.even();
    let text = words
        .with("home-share-text")
        .set("part", percent(part))
        .set("users", share.users)
        .set("even", percent(even))
        .to_string();
    let meaning = match policy.eq_ignore_ascii_case("fairshare") {
        false => words.t("home-share-fifo"),
        true => {
            let id = if part <= even { "home-share-less" } else { "home-share-more" };
            words.with(id).set("priority", u32::from(share.priority)).to_string()
        }
    };
    // A share is no quota: more of it is no fault.
    Shared { text, picture: chart::gauge(part, Some(even), "fine"), meaning }
}
