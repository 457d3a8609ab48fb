//! When it could start, what a shell says of its script, what is free and what quotas leave: in words.

use std::time::Duration;

use crate::domain::outlook::Allowance;
use crate::web::free::{ExecutorFree, Free};
use crate::web::preview::Preview;
use crate::web::words::{Message, Words};

pub struct OutlookView {
    /// Whether it could start, and when.
    pub sentence: String,
    pub tone: &'static str,
    /// Who read the script.
    pub script: Option<String>,
    pub script_faults: Vec<ScriptLine>,
}

/// A line that a shell cannot read.
pub struct ScriptLine {
    pub number: u64,
    pub text: String,
    /// The shell's.
    pub message: Message,
}

/// Beyond this, a line of the script is not repeated whole.
const LONGEST_LINE: usize = 120;

impl OutlookView {
    pub fn of(words: &Words, preview: &Preview, script: &str) -> Self {
        let (sentence, tone) = sentence(words, preview);
        let script_faults = preview.script.faults.iter().map(|fault| {
            let at = usize::try_from(fault.line.saturating_sub(1)).unwrap_or(usize::MAX);
            let text = script.lines().nth(at).unwrap_or_default().chars().take(LONGEST_LINE).collect();
            ScriptLine { number: fault.line, text, message: Message::verbatim(&fault.message) }
        });
        let script_faults: Vec<_> = script_faults.collect();
        let well = preview.script.shell.filter(|_| script_faults.is_empty());
        OutlookView { sentence, tone, script: well.map(|_| words.t("new-script-well")), script_faults }
    }
}

fn sentence(words: &Words, preview: &Preview) -> (String, &'static str) {
    if !preview.faults.is_empty() {
        return (words.with("new-faults").set("count", preview.faults.len()).to_string(), "bad");
    }
    let Some(outlook) = &preview.outlook else { return (words.t("new-nobody-knows"), "wait") };
    let reason = outlook.reason.as_ref().map(|reason| words.reason(reason));
    if outlook.rejected {
        return (format!("{} {}", words.t("new-rejected"), reason.unwrap_or_default()), "bad");
    }
    if outlook.starts > 0 {
        let started = match preview.jobs {
            1 => words.t("new-starts"),
            jobs => words.with("new-some-start").set("starts", outlook.starts).set("jobs", jobs).to_string(),
        };
        return (started, "good");
    }
    let mut sentence = words.t("new-waits");
    if let Some(reason) = reason {
        sentence = format!("{sentence} {reason}");
    }
    if let Some(position) = outlook.position {
        sentence = format!("{sentence} {}", words.place(position, outlook.estimate_secs));
    }
    (sentence, "wait")
}

/// What an executor has free.
pub struct Room {
    pub name: String,
    /// Why it does not answer.
    pub away: Option<String>,
    pub gauges: Vec<Gauge>,
    /// What one job can have at most now.
    pub largest: String,
}

/// A share, for a `meter`, and what it says.
pub struct Gauge {
    pub name: String,
    pub used: f64,
    pub total: f64,
    pub text: String,
}

pub fn rooms(words: &Words, free: &Free) -> Vec<Room> {
    free.executors.iter().map(|executor| room(words, executor)).collect()
}

fn room(words: &Words, executor: &ExecutorFree) -> Room {
    let free = executor.total.minus(executor.used);
    let of = |name: &str, free: f64, total: f64| Gauge {
        name: words.t(name),
        used: total - free,
        total,
        text: words
            .with("new-free-of")
            .set("free", words.number(free, 1))
            .set("total", words.number(total, 1))
            .to_string(),
    };
    let mut gauges = vec![
        of("new-cores", free.cpu.as_f64(), executor.total.cpu.as_f64()),
        of("new-memory", free.ram.as_gb(), executor.total.ram.as_gb()),
    ];
    if executor.total.gpus > 0 {
        gauges.push(of("new-gpus", f64::from(free.gpus), f64::from(executor.total.gpus)));
    }
    let largest = executor
        .largest
        .as_ref()
        .map(|(node, free)| words.with("new-largest").set("node", node).set("room", words.resources(free)).to_string());
    Room {
        name: executor.name.clone(),
        away: executor.away.clone(),
        gauges,
        largest: largest.unwrap_or_else(|| words.t("new-nothing-free")),
    }
}

/// What a quota leaves.
pub struct Left {
    pub of: String,
    pub gauges: Vec<Gauge>,
}

/// Of whom no quota holds is left out.
pub fn left(words: &Words, free: &Free) -> Vec<Left> {
    let Some(allowances) = &free.allowances else { return Vec::new() };
    let own = Left { of: words.t("new-your-quota"), gauges: gauges(words, &allowances.user) };
    let projects = allowances.projects.iter().map(|(project, allowance)| Left {
        of: words.with("new-project-quota").set("project", project.to_string()).to_string(),
        gauges: gauges(words, allowance),
    });
    std::iter::once(own).chain(projects).filter(|left| !left.gauges.is_empty()).collect()
}

fn gauges(words: &Words, allowance: &Allowance) -> Vec<Gauge> {
    let (quotas, used) = (&allowance.quotas, &allowance.used);
    let seconds = |value: f64| words.duration(Duration::from_secs(value.max(0.0) as u64));
    let plain = |value: f64| words.number(value.max(0.0), 1);
    let bytes = |value: f64| words.bytes(value.max(0.0) as u64);
    let of = |name: &str, quota: u64, used: f64, say: &dyn Fn(f64) -> String| {
        let total = quota as f64;
        let text = words.with("new-left-of").set("left", say(total - used)).set("total", say(total)).to_string();
        (quota > 0).then(|| Gauge { name: words.t(name), used: used.min(total), total, text })
    };
    let all = [
        of("new-time", quotas.time, used.time, &seconds),
        of("new-cores", quotas.cpu, used.cpu, &plain),
        of("new-memory", quotas.ram, used.ram, &plain),
        of("new-gpus", quotas.gpu, used.gpu, &plain),
        of("new-disk", quotas.disk.unwrap_or_default(), allowance.disk as f64, &bytes),
    ];
    all.into_iter().flatten().collect()
}
