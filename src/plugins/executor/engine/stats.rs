//! What containers of one engine use. One answer a container, without the second that an engine otherwise waits to
//! compare two readings: we compare our own.

use std::time::Duration;

use bollard::Docker;
use bollard::models::{ContainerMemoryStats, ContainerStatsResponse};
use bollard::query_parameters::StatsOptionsBuilder;
use futures::StreamExt;

use crate::domain::{AttemptName, Clock, Reading, SystemClock};

/// Containers asked at once: an engine has other things to do.
const AT_ONCE: usize = 4;
/// For one answer. Whoever takes longer is left out this time.
const WITHIN: Duration = Duration::from_secs(5);

/// The readings of these containers, of those that run.
pub async fn sample(client: &Docker, containers: Vec<(AttemptName, String)>) -> Vec<(AttemptName, Reading)> {
    let answers = futures::stream::iter(containers).map(|(name, container)| async move {
        let reading = tokio::time::timeout(WITHIN, one(client, &container)).await.ok().flatten()?;
        Some((name, reading))
    });
    answers.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
}

async fn one(client: &Docker, container: &str) -> Option<Reading> {
    let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
    // One that has ended, or was removed, has nothing to tell.
    let stats = Box::pin(client.stats(container, Some(options))).next().await?.ok()?;
    reading(&stats)
}

/// `None` for a container that does not run: the engine then answers with nothing but zeroes.
fn reading(stats: &ContainerStatsResponse) -> Option<Reading> {
    let used = stats.cpu_stats.as_ref()?.cpu_usage.as_ref()?.total_usage.filter(|nanos| *nanos > 0)?;
    let memory = memory(stats.memory_stats.as_ref()?)?;
    Some(Reading { at: SystemClock.now(), cpu: Duration::from_nanos(used), memory })
}

/// Without pages of files that the kernel would give back at once. Control groups of version 1 and 2 have a name of their
/// own for them.
fn memory(stats: &ContainerMemoryStats) -> Option<u64> {
    let of_files = |key: &str| stats.stats.as_ref().and_then(|stats| stats.get(key)).copied();
    let files = of_files("total_inactive_file").or_else(|| of_files("inactive_file")).unwrap_or(0);
    stats.usage.map(|usage| usage.saturating_sub(files))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stats(memory: serde_json::Value, nanos: u64) -> ContainerStatsResponse {
        let document = json!({ "memory_stats": memory, "cpu_stats": { "cpu_usage": { "total_usage": nanos } } });
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn pages_of_files_are_not_the_jobs_memory() {
        for key in ["total_inactive_file", "inactive_file"] {
            let found = reading(&stats(json!({ "usage": 5_000, "stats": { key: 1_200 } }), 2_500_000_000)).unwrap();
            assert_eq!((found.memory, found.cpu.as_millis()), (3_800, 2_500));
        }
        assert_eq!(reading(&stats(json!({ "usage": 7 }), 1)).unwrap().memory, 7);
    }

    #[test]
    fn what_does_not_run_has_no_reading() {
        assert_eq!(reading(&stats(json!({}), 0)), None);
        assert_eq!(reading(&stats(json!({}), 12)), None);
    }
}
