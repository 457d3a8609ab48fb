//! A job as the server tells of it, read for people: its state in a word, why it waits, how it ended.

use serde_json::Value;

use super::error::{ClientError, exit};

/// A task document (API.md "Shapes"). Unknown and missing keys are let pass: servers are of many versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Task(pub Value);

impl Task {
    pub fn list(document: Value, server: &str) -> Result<Vec<Task>, ClientError> {
        match document {
            Value::Array(tasks) => Ok(tasks.into_iter().map(Task).collect()),
            _ => Err(ClientError::NotGoDocker { server: server.into(), why: "it sent no list of jobs".into() }),
        }
    }

    /// A text or a number at `pointer`; empty when there is neither.
    pub fn text(&self, pointer: &str) -> String {
        match self.0.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    /// The texts and numbers of a list at `pointer`.
    pub fn texts(&self, pointer: &str) -> Vec<String> {
        let list = self.0.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
    }

    pub fn number(&self, pointer: &str) -> Option<f64> {
        self.0.pointer(pointer)?.as_f64()
    }

    pub fn id(&self) -> String {
        self.text("/id")
    }

    /// pending, starting, running, over or archived; older servers know no starting.
    pub fn phase(&self) -> String {
        let phase = self.text("/status/phase");
        if phase.is_empty() { self.text("/status/primary") } else { phase }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.phase().as_str(), "over" | "archived")
    }

    pub fn is_array(&self) -> bool {
        self.number("/requirements/array/nb_tasks").is_some_and(|tasks| tasks > 0.0)
    }

    pub fn ending(&self) -> Option<String> {
        let ending = self.text("/status/ending");
        if !ending.is_empty() {
            return Some(ending);
        }
        // An older server: what can be told from what it has.
        self.is_over().then(|| match (self.text("/status/secondary").as_str(), self.given_exit_code()) {
            ("killed", _) => "killed".into(),
            ("rejected by scheduler" | "quota reached", _) => "rejected".into(),
            (_, Some(0)) => "done".into(),
            _ => "failed".into(),
        })
    }

    /// The state in a word or two: `running`, `kill requested`, `failed (3)`.
    pub fn state(&self) -> String {
        let Some(ending) = self.ending() else {
            let secondary = self.text("/status/secondary");
            let is_telling = secondary.ends_with("requested") || secondary == "suspended";
            return if is_telling { secondary } else { self.phase() };
        };
        let code = self.given_exit_code().filter(|_| ending == "failed");
        let ending = code.map_or_else(|| ending.clone(), |code| format!("{ending} ({code})"));
        if self.phase() == "archived" { format!("{ending}, archived") } else { ending }
    }

    /// Why it waits or how it ended, in a sentence, with its place in the queue; empty when there is nothing to say.
    pub fn why(&self) -> String {
        let mut why = self.text("/status/reason");
        if self.phase() == "pending" {
            let place = self.number("/status/pending/position").map(|position| format!("{position} in the queue"));
            let start = self.number("/status/pending/estimate_secs").map(|secs| format!("about {}", span(secs)));
            let more: Vec<_> = place.into_iter().chain(start).collect();
            if !more.is_empty() {
                why = format!("{why} ({})", more.join(", ")).trim_start().to_owned();
            }
        }
        why
    }

    fn given_exit_code(&self) -> Option<i64> {
        let pointers = ["/status/exitcode", "/container/meta/State/ExitCode"];
        pointers.iter().find_map(|pointer| self.0.pointer(pointer)?.as_i64())
    }

    /// What `god` exits with for this job, once it is over: the job's own code.
    pub fn exit_code(&self) -> u8 {
        let ending = self.ending();
        let code = match (self.0.pointer("/status/exitcode").and_then(Value::as_i64), ending.as_deref()) {
            (Some(code), _) => code,
            (None, Some("done")) => 0,
            (None, Some("killed" | "time limit")) => 137,
            (None, Some("rejected" | "node failure")) => return exit::NO_EXIT_CODE,
            (None, _) => return self.given_exit_code().map_or(exit::NO_EXIT_CODE, narrow),
        };
        narrow(code)
    }

    /// How long it ran, or has been running.
    pub fn ran(&self, now: f64) -> String {
        let duration = self.number("/status/duration").or_else(|| {
            let end = self.number("/status/date_over").unwrap_or(now);
            Some(end - self.number("/status/date_running")?)
        });
        duration.map(span).unwrap_or_default()
    }
}

/// A failure stays one in the eight bits that there are.
fn narrow(code: i64) -> u8 {
    u8::try_from(code).unwrap_or(1)
}

/// `42 s`, `3 min`, `2 h 5 min`, `3 d 4 h`.
pub fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min"),
        3600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(status: Value) -> Task {
        Task(json!({ "id": 7, "status": status }))
    }

    #[test]
    fn a_pending_job_says_why_and_where_it_stands() {
        let reason = "No node has 4 cpu free.";
        let pending = json!({ "position": 3, "estimate_secs": 150 });
        let task = status(json!({ "phase": "pending", "reason": reason, "pending": pending }));
        assert_eq!(task.why(), "No node has 4 cpu free. (3 in the queue, about 2 min)");
        assert_eq!(task.state(), "pending");
        let task = status(json!({ "primary": "pending", "reason": null, "pending": null }));
        assert_eq!(task.why(), "");
    }

    #[test]
    fn states_are_words() {
        let state = |document| status(document).state();
        assert_eq!(state(json!({ "phase": "running", "secondary": "suspended" })), "suspended");
        assert_eq!(state(json!({ "phase": "running", "secondary": "kill requested" })), "kill requested");
        assert_eq!(state(json!({ "phase": "pending", "secondary": "rescheduled" })), "pending");
        assert_eq!(state(json!({ "phase": "over", "ending": "failed", "exitcode": 3 })), "failed (3)");
        assert_eq!(state(json!({ "phase": "archived", "ending": "done", "exitcode": 0 })), "done, archived");
    }

    #[test]
    fn the_exit_code_is_the_jobs_own() {
        let code = |document| status(document).exit_code();
        assert_eq!(code(json!({ "phase": "over", "ending": "done", "exitcode": 0 })), 0);
        assert_eq!(code(json!({ "phase": "over", "ending": "failed", "exitcode": 3 })), 3);
        assert_eq!(code(json!({ "phase": "over", "ending": "killed", "exitcode": null })), 137);
        assert_eq!(code(json!({ "phase": "over", "ending": "rejected", "exitcode": null })), 125);
        assert_eq!(code(json!({ "phase": "over", "ending": "failed", "exitcode": 256 })), 1);
        assert_eq!(code(json!({ "phase": "over", "ending": "failed", "exitcode": -1 })), 1);
    }

    #[test]
    fn an_older_servers_jobs_are_understood() {
        let old = |secondary: Option<&str>, code: i64| {
            let meta = json!({ "State": { "ExitCode": code } });
            Task(json!({ "status": { "primary": "over", "secondary": secondary }, "container": { "meta": meta } }))
        };
        assert_eq!((old(None, 0).state().as_str(), old(None, 0).exit_code()), ("done", 0));
        assert_eq!((old(None, 4).state().as_str(), old(None, 4).exit_code()), ("failed (4)", 4));
        assert_eq!((old(Some("killed"), 137).state().as_str(), old(Some("killed"), 137).exit_code()), ("killed", 137));
    }

    #[test]
    fn spans_are_short() {
        assert_eq!([0.4, 59.0, 61.0, 7_500.0, 270_000.0].map(span), ["0 s", "59 s", "1 min", "2 h 5 min", "3 d 3 h"]);
    }
}
