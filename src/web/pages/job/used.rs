//! What a job used while it ran, against what it asked for, and what that teaches.

use std::time::Duration;

use super::view::Detail;
use crate::domain::{Advice, Sample};
use crate::web::chart::{Chart, Limit, Series, Shape, Unit};
use crate::web::job_use::JobUsage;
use crate::web::pages::chrome::Chrome;

/// Points that a picture of this width shows.
const POINTS: usize = 100;

pub struct Used {
    /// Pictures, safe to put in a page as they are.
    pub cpu: String,
    pub memory: String,
    pub details: Vec<Detail>,
    pub advice: Vec<String>,
}

/// `None` when nobody looked, or it was too short to be seen.
pub fn used(chrome: &Chrome, usage: &JobUsage) -> Option<Used> {
    let advice: Vec<String> = usage.advice.iter().map(|advice| told(chrome, advice)).collect();
    let Some(samples) = &usage.samples else {
        let nothing = String::new;
        return (!advice.is_empty()).then(|| Used { cpu: nothing(), memory: nothing(), details: Vec::new(), advice });
    };
    let (words, asked) = (&chrome.words, usage.job.spec.resources);
    let curve = thinned(samples.curve());
    let began = usage.job.state.started().or(curve.first().map(|point| point.at));
    let since = |point: &Sample| began.map_or(Duration::ZERO, |began| point.at.since(began));
    let labels: Vec<String> =
        curve.iter().map(|point| words.duration(since(point).max(Duration::from_secs(1)))).collect();
    let cores = |value: f64| words.number(value, 2);
    let bytes = |value: f64| words.bytes(value as u64);
    let picture = |title: &str, values: Vec<f64>, limit: f64, format: &dyn Fn(f64) -> String| {
        let (title, name) = (chrome.t(title), chrome.t("job-used-series"));
        let limit = Some(Limit { name: chrome.t("job-asked"), value: limit });
        let series = vec![Series { name, values }];
        Chart { title, shape: Shape::Lines, labels: labels.clone(), series, limit, unit: Unit::Number, format }
            .html(words)
    };
    let detail = |id: &str, value: String| Detail { name: chrome.t(id), value, link: None };
    let (cpu, ram) = (asked.cpu.as_f64(), asked.ram.bytes());
    Some(Used {
        cpu: picture("job-cpu", curve.iter().map(|point| point.cpu).collect(), cpu, &cores),
        memory: picture("job-memory", curve.iter().map(|point| point.memory as f64).collect(), ram as f64, &bytes),
        details: vec![
            detail("job-cores-average", of(chrome, cores(samples.average_cpu()), cores(cpu))),
            detail("job-cores-most", of(chrome, cores(samples.peak_cpu()), cores(cpu))),
            detail("job-memory-most", of(chrome, words.bytes(samples.peak_memory()), words.bytes(ram))),
            detail("job-cpu-time", words.duration(samples.cpu_time())),
        ],
        advice,
    })
}

fn of(chrome: &Chrome, used: String, asked: String) -> String {
    chrome.with("job-of").set("used", used).set("asked", asked).to_string()
}

/// Neighbours become one: their cores on average, and the most memory of any.
fn thinned(curve: Vec<Sample>) -> Vec<Sample> {
    let size = curve.len().div_ceil(POINTS).max(1);
    let whole = |points: &[Sample]| {
        let last = *points.last().expect("a chunk is not empty");
        let cpu = points.iter().map(|point| point.cpu).sum::<f64>() / points.len() as f64;
        Sample { cpu, memory: points.iter().map(|point| point.memory).max().unwrap_or(last.memory), ..last }
    };
    curve.chunks(size).map(whole).collect()
}

fn told(chrome: &Chrome, advice: &Advice) -> String {
    let words = &chrome.words;
    let number = |value: f64| words.number(value, 2);
    let span = |seconds: u64| words.duration(Duration::from_secs(seconds));
    let message = match *advice {
        Advice::LessMemory { asked, used, ask } => chrome
            .with("job-advice-less-memory")
            .set("used", number(used.as_gb()))
            .set("asked", number(asked.as_gb()))
            .set("ask", number(ask.as_gb())),
        Advice::MoreMemory { asked, ask } => {
            chrome.with("job-advice-more-memory").set("asked", number(asked.as_gb())).set("ask", number(ask.as_gb()))
        }
        Advice::FewerCores { asked, average, ask, .. } => chrome
            .with("job-advice-fewer-cores")
            .set("asked", number(asked.as_f64()))
            .set("average", number(average))
            .set("ask", number(ask.as_f64())),
        Advice::ShorterLimit { limit_secs, took_secs, ask_secs } => chrome
            .with("job-advice-shorter-limit")
            .set("limit", span(limit_secs))
            .set("took", span(took_secs))
            .set("ask", span(ask_secs)),
        Advice::LongerLimit { limit_secs, took_secs, hit, ask_secs } => {
            let id = if hit { "job-advice-limit-hit" } else { "job-advice-longer-limit" };
            let limit = chrome.with(id).set("limit", span(limit_secs));
            limit.set("took", span(took_secs)).set("ask", span(ask_secs))
        }
    };
    message.to_string()
}
