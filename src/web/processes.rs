//! What is known of the processes of the installation: for the API, the pages and `go-d status`.

use serde_json::{Value, json};

use super::Site;
use super::error::ApiError;
use super::view::date;
use crate::bus::Depth;
use crate::domain::{ProcessRole, ProcessStatus, Timestamp};

pub struct Processes {
    /// By role and id; also those that died.
    pub all: Vec<ProcessStatus>,
    pub queues: Vec<Depth>,
    /// The id of the scheduler that has the lease, as Redis says.
    pub lease: Option<String>,
    pub now: Timestamp,
}

impl Processes {
    pub fn new(mut all: Vec<ProcessStatus>, queues: Vec<Depth>, lease: Option<String>, now: Timestamp) -> Self {
        all.sort_by(|a, b| (a.role, &a.id).cmp(&(b.role, &b.id)));
        Processes { all, queues, lease, now }
    }

    /// The roles that jobs need and nobody has now.
    pub fn missing(&self) -> Vec<ProcessRole> {
        ProcessRole::missing_among(&self.all, self.now)
    }

    pub fn document(&self) -> Value {
        let processes: Vec<Value> = self.all.iter().map(|process| document(process, self.now)).collect();
        let queue = |depth: &Depth| {
            let lag = depth.lag.map(|lag| lag.as_secs_f64());
            json!({ "role": depth.role.as_str(), "waiting": depth.waiting, "lag": lag })
        };
        let missing = self.missing();
        json!({
            "ok": missing.is_empty(),
            "missing": missing.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
            "processes": processes,
            "queues": self.queues.iter().map(queue).collect::<Vec<_>>(),
            "lease": self.lease,
        })
    }
}

fn document(process: &ProcessStatus, now: Timestamp) -> Value {
    json!({
        "id": process.id, "role": process.role.as_str(), "host": process.host, "pid": process.pid,
        "version": process.version, "started": date(process.started), "seen": date(process.seen),
        "address": process.address, "leader": process.leader, "alive": process.is_alive_at(now),
        "uptime": process.uptime_at(now).as_secs(),
    })
}

/// # Errors
/// The store's.
pub async fn processes(site: &Site) -> Result<Processes, ApiError> {
    let (all, queues, lease) = tokio::join!(site.store.processes(), site.bus.depths(), site.bus.lease_holder());
    Ok(Processes::new(all?, queues, lease, site.clock.now()))
}
