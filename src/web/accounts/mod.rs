//! What a caller may do with users, projects, tokens and maintenance; API and pages both come here.
//!
//! Every change is written in one transaction with its line of the audit log, then told to the scheduler. What was sent
//! is read by [`read`], which names every field at fault.

pub mod guests;
pub mod projects;
mod read;
pub mod site;
pub mod tokens;
pub mod users;

use serde_json::{Map, Value, json};

use super::Site;
use super::access::Caller;
use super::error::ApiError;
use super::words::says;
use crate::bus::Command;
use crate::domain::AuditEntry;
use crate::store::{AccountChange, Changed};

/// A line of the audit log about what `caller` does now.
pub(super) fn entry(site: &Site, caller: &Caller, action: &str, subject: &str, details: Value) -> AuditEntry {
    AuditEntry {
        at: site.clock.now(),
        actor: caller.id().to_string(),
        address: caller.address.clone(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        details,
    }
}

/// The fields of two documents that differ, each with what it was and what it is.
pub fn differences(before: &Value, after: &Value) -> Value {
    let mut found = Map::new();
    gather("", before, after, &mut found);
    Value::Object(found)
}

fn gather(path: &str, before: &Value, after: &Value, found: &mut Map<String, Value>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(was), Value::Object(is)) => {
            for key in was.keys().chain(is.keys().filter(|key| !was.contains_key(*key))) {
                let deeper = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                gather(&deeper, was.get(key).unwrap_or(&Value::Null), is.get(key).unwrap_or(&Value::Null), found);
            }
        }
        _ => {
            found.insert(path.to_owned(), json!([before, after]));
        }
    }
}

/// Writes what does not depend on an account's revision.
async fn write(site: &Site, changes: Vec<AccountChange>, audit: Vec<AuditEntry>) -> Result<(), ApiError> {
    match site.store.change(changes, audit).await? {
        Changed::Done => Ok(()),
        Changed::Stale => Err(ApiError::Conflict(says("fault-meanwhile"))),
    }
}

/// Lets the scheduler take notice now; it would with its next round.
async fn tell_scheduler(site: &Site) {
    super::jobs::tell(site, Command::AccountsChanged).await;
}
