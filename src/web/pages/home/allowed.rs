//! What I may still use, as small pictures with words.

use std::time::Duration;

use crate::web::allowance::{Allowance, Room};
use crate::web::chart;
use crate::web::words::Words;

pub(in crate::web::pages) struct Gauge {
    pub name: String,
    /// `3 h 20 min of 10 h`.
    pub text: String,
    /// What a full one means.
    pub warning: Option<String>,
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
    let usage = |id: &str, used: f64, quota: u64, format: &dyn Fn(f64) -> String| {
        gauge(words, (id, "/usage", "home-full-time"), used, quota, format)
    };
    let mut gauges = vec![
        usage("home-time", used.time, quotas.time, &seconds),
        usage("home-cpu", used.cpu, quotas.cpu, &plain),
        usage("home-ram", used.ram, quotas.ram, &gigabytes),
    ];
    if used.gpu > 0.0 || quotas.gpu > 0 {
        gauges.push(usage("home-gpu", used.gpu, quotas.gpu, &plain));
    }
    let mut room = |words_of, room: Room| gauges.push(gauge(words, words_of, room.used as f64, room.quota, &bytes));
    room(("home-disk", "/disk", "home-full-disk"), allowance.disk);
    if let Some(uploads) = allowance.uploads {
        room(("home-upload", "/data", "home-full-upload"), uploads);
    }
    gauges
}

fn gauge(
    words: &Words,
    (name, link, warning): (&str, &'static str, &str),
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
        warning: part.filter(|part| *part >= 1.0).map(|_| words.t(warning)),
        picture: part.map(|part| chart::gauge(part, None, chart::tone(part))).unwrap_or_default(),
        link,
        tone: part.map_or("fine", chart::tone),
    }
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
