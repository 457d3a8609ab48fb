//! Gauges of the whole site: asked of the store and the bus when somebody reads, and kept for some seconds.
//!
//! Rendered here and not recorded, so that a node that is gone is gone from the metrics too.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::bus::{Answer, Bus, Question};
use crate::domain::{NodeUse, Phase};
use crate::measures::{self, find};
use crate::store::{JobFilter, Store, StoreError};

const COUNTED_FOR: Duration = Duration::from_secs(15);
const DEPTHS_FOR: Duration = Duration::from_secs(5);
/// How long store and bus are waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// One value of a metric.
pub struct Sample {
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

pub struct SiteGauges {
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    counted: Kept,
    depths: Kept,
}

/// A text and until when it is good. Held while it is made anew, so that many readers ask once.
type Kept = Mutex<Option<(Instant, String)>>;

impl SiteGauges {
    pub fn new(store: Arc<dyn Store>, bus: Arc<dyn Bus>) -> Self {
        SiteGauges { store, bus, counted: Kept::default(), depths: Kept::default() }
    }

    pub async fn text(&self) -> String {
        let (counted, depths) = tokio::join!(
            kept(&self.counted, COUNTED_FOR, async || self.count().await),
            kept(&self.depths, DEPTHS_FOR, async || self.depths().await),
        );
        counted + &depths
    }

    async fn count(&self) -> String {
        let (jobs, nodes, away) =
            tokio::join!(self.jobs(), self.bus.ask(Question::Nodes), self.bus.ask(Question::Away));
        let mut text = String::new();
        // What cannot be asked now is left out, which Prometheus sees; 0 would be a lie.
        if let Ok(jobs) = jobs {
            write(&mut text, measures::JOBS, &jobs);
        }
        if let Some(Answer::Nodes(nodes)) = nodes {
            write_nodes(&mut text, &nodes);
        }
        if let Some(Answer::Away(executors)) = away {
            let sample = |(executor, away): (String, Option<String>)| Sample {
                labels: vec![("executor", executor)],
                value: if away.is_some() { 1.0 } else { 0.0 },
            };
            write(&mut text, measures::EXECUTOR_AWAY, &executors.into_iter().map(sample).collect::<Vec<_>>());
        }
        text
    }

    /// By index: never a look at each job.
    async fn jobs(&self) -> Result<Vec<Sample>, StoreError> {
        let mut samples = Vec::new();
        for phase in Phase::ACTIVE {
            let filter = JobFilter { phases: vec![phase], with_children: true, ..JobFilter::default() };
            samples.push((phase, self.store.count(&filter).await?));
        }
        let filter = JobFilter { phases: vec![Phase::Over, Phase::Archived], ..JobFilter::default() };
        samples.push((Phase::Over, self.store.count(&filter).await?));
        let sample = |(phase, count): (Phase, u64)| Sample {
            labels: vec![("phase", phase.as_str().to_owned())],
            value: count as f64,
        };
        Ok(samples.into_iter().map(sample).collect())
    }

    async fn depths(&self) -> String {
        let depths = self.bus.depths().await;
        let of = |role: crate::bus::Role, value| Sample { labels: vec![("role", role.as_str().to_owned())], value };
        let waiting: Vec<_> = depths.iter().map(|depth| of(depth.role, depth.waiting as f64)).collect();
        let lag = depths.iter().filter_map(|depth| Some(of(depth.role, depth.lag?.as_secs_f64())));
        let mut text = String::new();
        write(&mut text, measures::QUEUE_DEPTH, &waiting);
        write(&mut text, measures::BUS_LAG, &lag.collect::<Vec<_>>());
        text
    }
}

async fn kept(kept: &Kept, good_for: Duration, make: impl AsyncFnOnce() -> String) -> String {
    let mut held = kept.lock().await;
    if let Some((until, text)) = held.as_ref()
        && Instant::now() < *until
    {
        return text.clone();
    }
    // A database that hangs does not hold up the rest, which tells that something is wrong.
    let text = tokio::time::timeout(ANSWER_WITHIN, make()).await.unwrap_or_default();
    *held = Some((Instant::now() + good_for, text.clone()));
    text
}

fn write_nodes(text: &mut String, nodes: &[NodeUse]) {
    let of = |value: fn(&NodeUse) -> f64| -> Vec<Sample> {
        let labels = |seen: &NodeUse| vec![("executor", seen.node.executor.clone()), ("node", seen.node.name.clone())];
        nodes.iter().map(|seen| Sample { labels: labels(seen), value: value(seen) }).collect()
    };
    write(text, measures::NODE_CPU_TOTAL, &of(|seen| seen.node.total.cpu.as_f64()));
    write(text, measures::NODE_CPU_USED, &of(|seen| seen.used.cpu.as_f64()));
    write(text, measures::NODE_RAM_TOTAL, &of(|seen| seen.node.total.ram.bytes() as f64));
    write(text, measures::NODE_RAM_USED, &of(|seen| seen.used.ram.bytes() as f64));
    write(text, measures::NODE_GPUS_TOTAL, &of(|seen| f64::from(seen.node.total.gpus)));
    write(text, measures::NODE_GPUS_USED, &of(|seen| f64::from(seen.used.gpus)));
    write(text, measures::NODE_DRAINED, &of(|seen| if seen.node.drained { 1.0 } else { 0.0 }));
}

/// A metric of the table with its values, in Prometheus' text format; nothing where there are none.
pub fn write(text: &mut String, name: &'static str, samples: &[Sample]) {
    let Some(metric) = find(name).filter(|_| !samples.is_empty()) else { return };
    // Writing to a String does not fail.
    let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {}", metric.help, metric.kind.as_str());
    for Sample { labels, value } in samples {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_may_hold_anything() {
        let mut text = String::new();
        let labels = vec![("executor", "a\"b\\c\nd".to_owned())];
        write(&mut text, measures::EXECUTOR_AWAY, &[Sample { labels, value: 1.0 }]);
        assert!(text.ends_with("\ngodocker_executor_away{executor=\"a\\\"b\\\\c\\nd\"} 1\n"), "{text}");
        write(&mut text, measures::QUEUE_DEPTH, &[]);
        assert!(!text.contains("queue_depth"), "{text}");
    }
}
