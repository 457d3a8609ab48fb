//! What is counted and timed: the one table of metrics, and a function for each thing that happens.
//!
//! Whoever sees it happen calls the function; that costs a look-up without a lock of ours, and nothing where nobody
//! reads (`telemetry::exposition` does). A gauge of the whole site, whose truth is the store's or the bus's, is not
//! recorded but asked for when somebody reads. Labels take few values: never a user, a job or a path as it was sent.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::domain::{Job, JobState, Timestamp};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Counter,
    Gauge,
    /// With the upper bounds of its buckets, in seconds.
    Histogram(&'static [f64]),
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

const fn metric(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind, labels, help }
}

use Kind::{Counter, Gauge, Histogram};

const MOMENTS: &[f64] = &[0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];
const LAUNCHES: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0];
const LIVES: &[f64] = &[0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3_600.0, 14_400.0, 86_400.0, 604_800.0];

#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    metric(JOBS, Gauge, &["phase"], "Jobs by phase. `over` counts an array as one, archived jobs too; the other phases count its jobs, and its parent."),
    metric(JOBS_ENDED, Counter, &["ending"], "Jobs whose end this process stored, by how they ended. Parents of arrays are not counted."),
    metric(JOB_SECONDS, Histogram(LIVES), &[], "From a job's submission to its end."),
    metric(WAIT_SECONDS, Histogram(LIVES), &[], "From a job's submission to the start of its attempt."),
    metric(LAUNCH_SECONDS, Histogram(LAUNCHES), &["executor"], "From the plan to the running job."),
    metric(PASS_SECONDS, Histogram(MOMENTS), &[], "How long a scheduling pass takes to decide."),
    metric(PASS_JOBS, Counter, &["decision"], "Jobs that passes decided about: started, rejected."),
    metric(LEADER, Gauge, &[], "1 in the scheduler that leads, 0 elsewhere."),
    metric(FENCE_REFUSED, Counter, &[], "Plans that the store refused, as another scheduler led by then."),
    metric(QUEUE_DEPTH, Gauge, &["role"], "Messages that wait for a role or are in its hands."),
    metric(BUS_LAG, Gauge, &["role"], "Age of the oldest of them. Only over Redis."),
    metric(ERRORS, Counter, &["kind"], "What went wrong here: store, bus, executor (it does not answer), launch_refused, launch_lost, files, mail."),
    metric(REQUESTS, Counter, &["method", "route", "status"], "HTTP requests by the route's template."),
    metric(REQUEST_SECONDS, Histogram(MOMENTS), &["method", "route"], "From an HTTP request to the head of its answer."),
    metric(NODE_CPU_TOTAL, Gauge, &["executor", "node"], "Cores of a node."),
    metric(NODE_CPU_USED, Gauge, &["executor", "node"], "Cores of it that our jobs hold."),
    metric(NODE_RAM_TOTAL, Gauge, &["executor", "node"], "Memory of a node."),
    metric(NODE_RAM_USED, Gauge, &["executor", "node"], "Memory of it that our jobs hold."),
    metric(NODE_GPUS_TOTAL, Gauge, &["executor", "node"], "Graphics cards of a node."),
    metric(NODE_GPUS_USED, Gauge, &["executor", "node"], "Graphics cards of it that our jobs hold."),
    metric(NODE_DRAINED, Gauge, &["executor", "node"], "1 where a node gets nothing new, as it is under maintenance."),
    metric(EXECUTOR_AWAY, Gauge, &["executor"], "1 where an executor does not answer, and its jobs wait."),
    metric(BUILD_INFO, Gauge, &["version", "role"], "Always 1: what this process is."),
    metric(START_TIME, Gauge, &[], "When this process started, in Unix seconds."),
];

pub const JOBS: &str = "godocker_jobs";
pub const JOBS_ENDED: &str = "godocker_jobs_ended_total";
pub const JOB_SECONDS: &str = "godocker_job_seconds";
pub const WAIT_SECONDS: &str = "godocker_wait_seconds";
pub const LAUNCH_SECONDS: &str = "godocker_launch_seconds";
pub const PASS_SECONDS: &str = "godocker_pass_duration_seconds";
pub const PASS_JOBS: &str = "godocker_pass_jobs_total";
pub const LEADER: &str = "godocker_leader";
pub const FENCE_REFUSED: &str = "godocker_fence_refused_total";
pub const QUEUE_DEPTH: &str = "godocker_queue_depth";
pub const BUS_LAG: &str = "godocker_bus_lag_seconds";
pub const ERRORS: &str = "godocker_errors_total";
pub const REQUESTS: &str = "godocker_http_requests_total";
pub const REQUEST_SECONDS: &str = "godocker_http_request_duration_seconds";
pub const NODE_CPU_TOTAL: &str = "godocker_node_cpu_cores";
pub const NODE_CPU_USED: &str = "godocker_node_cpu_cores_used";
pub const NODE_RAM_TOTAL: &str = "godocker_node_ram_bytes";
pub const NODE_RAM_USED: &str = "godocker_node_ram_bytes_used";
pub const NODE_GPUS_TOTAL: &str = "godocker_node_gpus";
pub const NODE_GPUS_USED: &str = "godocker_node_gpus_used";
pub const NODE_DRAINED: &str = "godocker_node_drained";
pub const EXECUTOR_AWAY: &str = "godocker_executor_away";
pub const BUILD_INFO: &str = "godocker_build_info";
pub const START_TIME: &str = "process_start_time_seconds";

pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

/// The table as Markdown, for docs/metrics.md.
pub fn markdown() -> String {
    let mut table = String::from("| metric | kind | labels | what it is |\n|---|---|---|---|\n");
    for Metric { name, kind, labels, help } in METRICS {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        table.push_str(&format!("| `{name}` | {} | {} | {help} |\n", kind.as_str(), labels.join(", ")));
    }
    table
}

/// A kind of thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The database failed at something it was asked.
    Store,
    /// A message could not be sent, or messages do not come in.
    Bus,
    /// An executor does not answer.
    Executor,
    /// An executor will not run a job as it is.
    LaunchRefused,
    /// An attempt was begun before, and nobody knows how it ended.
    LaunchLost,
    /// A job directory could not be made or settled.
    Files,
    Mail,
}

impl Fault {
    const ALL: [Fault; 7] =
        [Fault::Store, Fault::Bus, Fault::Executor, Fault::LaunchRefused, Fault::LaunchLost, Fault::Files, Fault::Mail];

    fn as_str(self) -> &'static str {
        match self {
            Fault::Store => "store",
            Fault::Bus => "bus",
            Fault::Executor => "executor",
            Fault::LaunchRefused => "launch_refused",
            Fault::LaunchLost => "launch_lost",
            Fault::Files => "files",
            Fault::Mail => "mail",
        }
    }
}

/// So that what has not happened yet is read as 0, and a first time is seen as a change.
pub fn begin() {
    for fault in Fault::ALL {
        counter!(ERRORS, "kind" => fault.as_str()).absolute(0);
    }
    for ending in ["done", "failed", "killed", "out of memory", "time limit", "node failure", "rejected"] {
        counter!(JOBS_ENDED, "ending" => ending).absolute(0);
    }
    counter!(FENCE_REFUSED).absolute(0);
    gauge!(LEADER).set(0.0);
}

pub fn error(fault: Fault) {
    counter!(ERRORS, "kind" => fault.as_str()).increment(1);
}

/// The store has this as a job's new state. Counted where that is its end.
pub fn stored(job: &Job, state: &JobState) {
    let JobState::Over(outcome) = state else { return };
    if job.is_array_parent() {
        return;
    }
    counter!(JOBS_ENDED, "ending" => outcome.ending.as_str()).increment(1);
    histogram!(JOB_SECONDS).record(outcome.ended.since(job.submitted).as_secs_f64());
}

/// `job` was starting, and has run since `started`.
pub fn launched(job: &Job, executor: &str, started: Timestamp) {
    if let JobState::Starting { since, .. } = job.state {
        let took = started.since(since).as_secs_f64();
        histogram!(LAUNCH_SECONDS, "executor" => executor.to_owned()).record(took);
        histogram!(WAIT_SECONDS).record(started.since(job.submitted).as_secs_f64());
    }
}

pub fn passed(took: Duration, started: usize, rejected: usize) {
    histogram!(PASS_SECONDS).record(took.as_secs_f64());
    counter!(PASS_JOBS, "decision" => "started").increment(started as u64);
    counter!(PASS_JOBS, "decision" => "rejected").increment(rejected as u64);
}

pub fn leads(leads: bool) {
    gauge!(LEADER).set(if leads { 1.0 } else { 0.0 });
}

pub fn fence_refused() {
    counter!(FENCE_REFUSED).increment(1);
}

/// `route` is a template of the route table.
pub fn request(method: &'static str, route: String, status: u16, took: Duration) {
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status.to_string()).increment(1);
    histogram!(REQUEST_SECONDS, "method" => method, "route" => route).record(took.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_prometheus_wants_them() {
        for Metric { name, kind, help, .. } in METRICS {
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert_eq!(*kind == Counter, name.ends_with("_total"), "{name}");
            assert_eq!(matches!(kind, Histogram(_)), name.ends_with("_seconds") && *kind != Gauge, "{name}");
            assert!(help.ends_with('.') && METRICS.iter().filter(|metric| metric.name == *name).count() == 1, "{name}");
        }
    }

    #[test]
    fn the_document_has_the_table_as_it_is() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
        let document = std::fs::read_to_string(path).unwrap();
        assert!(document.contains(&markdown()), "docs/metrics.md must contain:\n{}", markdown());
    }
}
