//! Writes of many documents without a transaction: what is intended is written down first.
//!
//! `god_journal` holds an entry while such a write is under way. A submission counts when its entry is gone: until then
//! the scheduler does not see its jobs, and `repair` removes what an old entry left. The others count with their entry:
//! `repair` finishes them.

use std::convert::Infallible;
use std::time::Duration;

use mongodb::bson::{Document, doc, oid::ObjectId};
use serde::{Deserialize, Serialize};

use super::accounts::apply_again;
use super::audit;
use super::document::{JOBS, JobRecord, SPECS, key, to_json};
use super::error::corrupt;
use super::moves;
use super::once;
use super::ops::{Done, Find, Ops};
use super::submit::{Remove, ReplaceSpec, Submit, held};
use crate::domain::{AuditEntry, Clock as _, JobId, JobSpec, SystemClock, Timestamp, UserId};
use crate::store::{AccountChange, Result, StoreError};

pub const JOURNAL: &str = "god_journal";
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// What is under way; as JSON in the entry's `body`, with `kind` and `at` beside it.
#[derive(Debug, Serialize, Deserialize)]
pub enum Intent {
    Submit { first: i64, last: i64 },
    Remove { id: JobId, disk: Vec<(UserId, i64)> },
    ReplaceSpec { id: JobId, expect: u64, spec: Box<JobSpec> },
    Accounts { changes: Vec<AccountChange>, audit: Vec<(u64, AuditEntry)> },
}

impl Intent {
    fn kind(&self) -> &'static str {
        match self {
            Intent::Submit { .. } => "submit",
            Intent::Remove { .. } => "remove",
            Intent::ReplaceSpec { .. } => "spec",
            Intent::Accounts { .. } => "accounts",
        }
    }
}

/// An intent that was written down.
pub struct Entry {
    id: ObjectId,
    pub intent: Intent,
}

impl Entry {
    pub async fn begin(ops: &mut Ops<'_>, intent: Intent) -> Done<Entry> {
        let id = ObjectId::new();
        let body = to_json("an intent", &intent)?;
        let document = doc! { "_id": id, "kind": intent.kind(), "at": SystemClock.now().0, "body": body };
        ops.insert(JOURNAL, vec![document]).await?;
        Ok(Entry { id, intent })
    }

    /// Says from time to time that it is still under way.
    async fn stay_young(&self, mut ops: Ops<'_>) -> Infallible {
        loop {
            tokio::time::sleep(SIGN_OF_LIFE).await;
            let update = doc! { "$set": { "at": SystemClock.now().0 } };
            // Should this fail for long, so does what is under way.
            let _ = ops.update_one(JOURNAL, doc! { "_id": self.id }, update).await;
        }
    }

    pub async fn end(&self, ops: &mut Ops<'_>) -> Done<()> {
        ops.delete(JOURNAL, doc! { "_id": self.id }).await.map(drop)
    }

    /// Goes through with it, once more or for the first time.
    pub async fn carry_out(&self, ops: &mut Ops<'_>) -> Done<()> {
        match &self.intent {
            Intent::Submit { first, last } => self.take_back_submission(ops, *first, *last).await?,
            Intent::Remove { id, disk } => {
                for (user, bytes) in disk {
                    once::held(ops, user, -bytes, &format!("{id}:removed")).await?;
                }
                let remove = Remove { id: *id };
                let all = remove.found(ops).await?;
                remove.delete(ops, &all).await?;
            }
            Intent::ReplaceSpec { id, expect, spec } => {
                let replace = ReplaceSpec { id: *id, expect: *expect, spec: (**spec).clone() };
                self.replace_spec(ops, &replace).await?;
            }
            Intent::Accounts { changes, audit } => {
                for change in changes {
                    apply_again(ops, change).await?;
                }
                for (number, entry) in audit {
                    match audit::write(ops, *number, entry).await {
                        Err(fault) if fault.is_duplicate() => {}
                        written => written?,
                    }
                }
            }
        }
        self.end(ops).await
    }

    /// First of all it is marked, so that the submission cannot end any more.
    async fn take_back_submission(&self, ops: &mut Ops<'_>, first: i64, last: i64) -> Done<()> {
        if ops.update_one(JOURNAL, doc! { "_id": self.id }, doc! { "$set": { "refused": true } }).await? == 0 {
            return Ok(());
        }
        let theirs = doc! { "$gte": first, "$lte": last };
        ops.delete(JOBS, doc! { "god.id": theirs.clone() }).await?;
        ops.delete(SPECS, doc! { "_id": theirs }).await.map(drop)
    }

    /// The job's own change carries the entry's id, by which it is known to have been made.
    async fn replace_spec(&self, ops: &mut Ops<'_>, replace: &ReplaceSpec) -> Done<bool> {
        if let Some(found) = ops.find_one(JOBS, replace.filter()).await? {
            let mut update = replace.update(&JobRecord::read(&found)?)?;
            if let Ok(fields) = update.get_document_mut("$set") {
                fields.insert("god.spec_by", self.id);
            }
            ops.update_one(JOBS, replace.filter(), update).await?;
        }
        let made = doc! { "god.id": key(replace.id), "god.spec_by": self.id };
        let Some(changed) = ops.find_one(JOBS, made).await? else { return Ok(false) };
        replace.follow(ops, &JobRecord::read(&changed)?).await?;
        Ok(true)
    }
}

pub async fn submit(ops: &mut Ops<'_>, submit: &Submit<'_>) -> Done<()> {
    let first = key(submit.ids.id);
    let entry = Entry::begin(ops, Intent::Submit { first, last: first + i64::from(submit.ids.children) }).await?;
    let beside = ops.beside();
    let written = tokio::select! {
        written = submit.write(ops) => written,
        never = entry.stay_young(beside) => match never {},
    };
    if let Err(fault) = written {
        // Should this not succeed either, it is done by who repairs.
        let _ = entry.carry_out(ops).await;
        return Err(fault);
    }
    let ended = ops.delete(JOURNAL, doc! { "_id": entry.id, "refused": { "$exists": false } }).await?;
    if ended == 0 {
        let slow = "the submission took so long that it was taken for dead: nothing was stored";
        return Err(StoreError::Unavailable(slow.into()).into());
    }
    Ok(())
}

pub async fn remove(ops: &mut Ops<'_>, remove: &Remove) -> Done<bool> {
    moves::settled(ops, remove.id).await?;
    let all = remove.found(ops).await?;
    if all.is_empty() {
        return Ok(false);
    }
    let mut disk = std::collections::BTreeMap::<UserId, i64>::new();
    for record in &all {
        *disk.entry(record.user.clone()).or_default() += held(record);
    }
    let intent = Intent::Remove { id: remove.id, disk: disk.into_iter().collect() };
    let entry = Entry::begin(ops, intent).await?;
    entry.carry_out(ops).await.map(|()| true)
}

pub async fn replace_spec(ops: &mut Ops<'_>, replace: &ReplaceSpec) -> Done<bool> {
    if ops.find_one(JOBS, replace.filter()).await?.is_none() {
        return Ok(false);
    }
    let ReplaceSpec { id, expect, spec } = replace;
    let intent = Intent::ReplaceSpec { id: *id, expect: *expect, spec: Box::new(spec.clone()) };
    let entry = Entry::begin(ops, intent).await?;
    let replaced = entry.replace_spec(ops, replace).await?;
    entry.end(ops).await.map(|()| replaced)
}

/// Ids of submissions that are under way.
pub async fn hidden(ops: &mut Ops<'_>) -> Done<Vec<(i64, i64)>> {
    let entries = entries(ops, doc! { "kind": "submit" }).await?;
    let range = |entry: &Entry| match entry.intent {
        Intent::Submit { first, last } => Some((first, last)),
        Intent::Remove { .. } | Intent::ReplaceSpec { .. } | Intent::Accounts { .. } => None,
    };
    Ok(entries.iter().filter_map(range).collect())
}

pub async fn entries(ops: &mut Ops<'_>, filter: Document) -> Done<Vec<Entry>> {
    let found = ops.find(JOURNAL, Find { sort: Some(doc! { "at": 1 }), ..Find::all(filter) }).await?;
    let entry = |document: &Document| {
        let id = document.get_object_id("_id").map_err(|error| corrupt(JOURNAL, error))?;
        Ok(Entry { id, intent: super::document::body(JOURNAL, document, "body")? })
    };
    Ok(found.iter().map(entry).collect::<Result<_>>()?)
}

/// Finishes, or takes back, what was begun before `before` and has not ended.
pub async fn finish_older(ops: &mut Ops<'_>, before: Timestamp) -> Done<u64> {
    // Those of accounts have a lock of their own.
    let kinds = doc! { "$in": ["submit", "remove", "spec"] };
    let old = entries(ops, doc! { "kind": kinds, "at": { "$lt": before.0 } }).await?;
    for entry in &old {
        entry.carry_out(ops).await?;
    }
    Ok(old.len() as u64)
}
