//! `go-d status`: which processes live, for people and for monitoring.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::bootstrap::open_store;
use crate::bus::redis;
use crate::client::table::Table;
use crate::config::Config;
use crate::domain::{Clock, ProcessRole, ProcessStatus, SystemClock};
use crate::plugins::registry;
use crate::web::processes::Processes;

/// How long Redis is waited for: what it tells is a part of the picture only.
const REDIS_WITHIN: Duration = Duration::from_secs(3);

/// Prints what is known. Answers whether a scheduler, a watcher and a web live.
///
/// # Errors
/// The status cannot be read, neither where processes announce themselves nor from the database.
pub async fn run(config: &Config, as_json: bool) -> anyhow::Result<bool> {
    let all = read(config).await?;
    let asked = async {
        match &config.redis {
            Some(settings) => redis::look(settings.clone()).await,
            None => (Vec::new(), None),
        }
    };
    let (queues, lease) = tokio::time::timeout(REDIS_WITHIN, asked).await.unwrap_or_default();
    let silent = config.redis.is_some() && queues.is_empty();
    let known = Processes::new(all, queues, lease, SystemClock.now());
    if as_json {
        println!("{}", known.document());
    } else {
        print!("{}", text(&known));
        if silent {
            println!("Redis does not answer: its queues are not known.");
        }
    }
    Ok(known.missing().is_empty())
}

/// What processes said where the site has them announce themselves; from the database where that does not answer.
async fn read(config: &Config) -> anyhow::Result<Vec<ProcessStatus>> {
    if let Some(announced) = registry::status(config, Arc::new(SystemClock))? {
        match announced.all().await {
            Ok(processes) => return Ok(processes),
            Err(error) => eprintln!("go-d: {error}; this is what the database has"),
        }
    }
    let store = open_store(config).await?;
    store.processes().await.context("the status cannot be read")
}

fn text(known: &Processes) -> String {
    let mut text = String::new();
    if !known.all.is_empty() {
        let header = ["ROLE", "ID", "HOST", "PID", "VERSION", "UP", "SEEN", "ADDRESS", "STATE"];
        let mut table = Table::new(header);
        known.all.iter().for_each(|process| table.row(row(process, known)));
        text.push_str(&table.plain());
    }
    if !known.queues.is_empty() {
        let mut table = Table::new(["QUEUE", "WAITING", "OLDEST"]);
        for depth in &known.queues {
            let lag =
                depth.lag.filter(|_| depth.waiting > 0).map_or_else(String::new, |lag| format!("{} s", lag.as_secs()));
            table.row([depth.role.as_str().to_owned(), depth.waiting.to_string(), lag]);
        }
        text.push_str(&format!("\n{}", table.plain()));
        text.push_str(&match &known.lease {
            Some(holder) => format!("\nThe lease is {holder}'s.\n"),
            None => "\nNobody has the lease.\n".to_owned(),
        });
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&verdict(&known.missing()));
    text
}

fn verdict(missing: &[ProcessRole]) -> String {
    if missing.is_empty() {
        return "All that jobs need runs.\n".to_owned();
    }
    let names: Vec<_> = missing.iter().map(|role| format!("no {}", role.as_str())).collect();
    format!("Missing: {}.\n", names.join(", "))
}

fn row(process: &ProcessStatus, known: &Processes) -> [String; 9] {
    let ago = known.now.since(process.seen).as_secs();
    let state = match (process.is_alive_at(known.now), process.leader) {
        (false, _) => "dead",
        (true, true) => "leads",
        (true, false) => "lives",
    };
    [
        process.role.as_str().to_owned(),
        process.id.clone(),
        process.host.clone(),
        process.pid.to_string(),
        process.version.clone(),
        span(process.uptime_at(known.now)),
        format!("{ago} s ago"),
        process.address.clone().unwrap_or_default(),
        state.to_owned(),
    ]
}

fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{Depth, Role};
    use crate::domain::Timestamp;

    fn a_process(role: ProcessRole, seen: i64) -> ProcessStatus {
        ProcessStatus {
            id: format!("{}-1", role.as_str()),
            role,
            host: "node1".to_owned(),
            pid: 7,
            version: "4.0.0".to_owned(),
            started: Timestamp::from_secs(0),
            seen: Timestamp::from_secs(seen),
            address: None,
            leader: role == ProcessRole::Scheduler,
        }
    }

    #[test]
    fn the_dead_are_marked_and_what_is_missing_is_said() {
        let all = vec![
            a_process(ProcessRole::Web, 7_999),
            a_process(ProcessRole::Watcher, 7_900),
            a_process(ProcessRole::Scheduler, 8_000),
        ];
        let queues = vec![Depth { role: Role::Executor, waiting: 3, lag: Some(Duration::from_secs(70)) }];
        let known = Processes::new(all, queues, Some("scheduler-1".to_owned()), Timestamp::from_secs(8_000));
        let expected = "\
ROLE       ID           HOST   PID  VERSION  UP          SEEN       ADDRESS  STATE
scheduler  scheduler-1  node1  7    4.0.0    2 h 13 min  0 s ago             leads
watcher    watcher-1    node1  7    4.0.0    2 h 11 min  100 s ago           dead
web        web-1        node1  7    4.0.0    2 h 13 min  1 s ago             lives

QUEUE     WAITING  OLDEST
executor  3        70 s

The lease is scheduler-1's.

Missing: no watcher.
";
        assert_eq!(text(&known), expected);
    }
}
