//! Changes to accounts on a server without transactions: one at a time, under a lock that ends by itself.
//!
//! Who holds it first finishes what an earlier holder began and did not end. One that stands still for longer than
//! [`LEASE`] in the midst of a change goes on beside the next; what it writes is looked for at its old revision, so that
//! only a deletion can come too late.

use std::time::{Duration, Instant};

use mongodb::bson::{doc, oid::ObjectId};

use super::accounts::{ChangeAccounts, is_fresh};
use super::audit;
use super::fence::{COUNTERS, allocate};
use super::journal::{Entry, Intent, entries};
use super::ops::{Done, Ops};
use crate::domain::{Clock as _, SystemClock, Timestamp};
use crate::store::{Changed, StoreError};

pub const LOCK: &str = "accounts";
const LEASE: Duration = Duration::from_secs(20);
const WAIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

pub async fn change(ops: &mut Ops<'_>, change: &ChangeAccounts) -> Done<Changed> {
    let holder = take(ops).await?;
    let done = change_alone(ops, change).await;
    let release = doc! { "$set": { "until": 0i64 } };
    // It ends by itself should this fail.
    let _ = ops.update_one(COUNTERS, doc! { "_id": LOCK, "holder": holder }, release).await;
    done
}

/// What was begun before `before` and has not ended. The lock is only waited for where there is something.
pub async fn finish_older(ops: &mut Ops<'_>, before: Timestamp) -> Done<()> {
    let old = doc! { "kind": "accounts", "at": { "$lt": before.0 } };
    if !entries(ops, old).await?.is_empty() {
        let _ = change(ops, &ChangeAccounts { changes: Vec::new(), audit: Vec::new() }).await?;
    }
    Ok(())
}

async fn take(ops: &mut Ops<'_>) -> Done<ObjectId> {
    let holder = ObjectId::new();
    let deadline = Instant::now() + WAIT;
    loop {
        let now = SystemClock.now();
        let free = doc! { "_id": LOCK, "until": { "$lt": now.0 } };
        let mine = doc! { "$set": { "holder": holder, "until": now.plus(LEASE).0 } };
        if ops.update_one(COUNTERS, free, mine).await? > 0 {
            return Ok(holder);
        }
        if Instant::now() > deadline {
            return Err(StoreError::Unavailable("accounts are being changed all the time: try again".into()).into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn change_alone(ops: &mut Ops<'_>, change: &ChangeAccounts) -> Done<Changed> {
    for entry in entries(ops, doc! { "kind": "accounts" }).await? {
        entry.carry_out(ops).await?;
    }
    for one in &change.changes {
        if !is_fresh(ops, one).await? {
            return Ok(Changed::Stale);
        }
    }
    if change.changes.is_empty() && change.audit.is_empty() {
        return Ok(Changed::Done);
    }
    let mut numbered = Vec::with_capacity(change.audit.len());
    for entry in &change.audit {
        numbered.push((allocate(ops, audit::COUNTER, 1).await?, entry.clone()));
    }
    let intent = Intent::Accounts { changes: change.changes.clone(), audit: numbered };
    Entry::begin(ops, intent).await?.carry_out(ops).await?;
    Ok(Changed::Done)
}
