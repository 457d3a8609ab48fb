//! Jobs, some hundred at a time.

use std::collections::HashSet;

use async_trait::async_trait;
use mongodb::bson::{Bson, Document, doc};

use super::job::{self, OldJob};
use super::{Run, Taken};
use crate::domain::{Clock as _, JobState, SystemClock};
use crate::store::mongo::connect::Mode;
use crate::store::mongo::document::{Counts, JOBS, JobRecord, OVER, SPECS, key, to_json};
use crate::store::mongo::ledger::Totals;
use crate::store::mongo::list::only_ids;
use crate::store::mongo::moves;
use crate::store::mongo::ops::{Done, Find, Ops, Update};
use crate::store::mongo::outbox::{self, Outbox, Use};
use crate::store::mongo::submit::held;
use crate::store::mongo::transact::{Verdict, Work, transact};
use crate::store::{Result, StoreError};

const AT_ONCE: usize = 500;

/// A job that is understood, and where it was found.
struct Found {
    key: Bson,
    record: JobRecord,
    spec: String,
    /// What it adds to the ledger and to the bytes held.
    news: Outbox,
}

/// All of `keys`, but for arrays' parents, whose keys are answered: they follow their children, and count them.
pub async fn take(run: &mut Run<'_>, collection: &'static str, keys: Vec<Bson>, parents: bool) -> Result<Vec<Bson>> {
    let mut later = Vec::new();
    for some in keys.chunks(AT_ONCE) {
        let filter = doc! { "_id": { "$in": some }, "god": { "$exists": false } };
        let documents = run.ops().find(collection, Find::all(filter)).await?;
        let mut found = Vec::new();
        for document in documents {
            let Some(its_key) = document.get("_id").cloned() else { continue };
            match job::read(&document) {
                Ok(old) if old.is_parent && !parents => later.push(its_key),
                Ok(old) if old.is_parent && is_childless(run, &old).await? => {
                    run.leave(collection, &document, "none of its array's jobs is here".into());
                }
                Ok(old) => found.push(understood(run, its_key, old).await?),
                Err(reason) => run.leave(collection, &document, reason),
            }
        }
        write(run, collection, found).await?;
    }
    Ok(later)
}

async fn understood(run: &Run<'_>, of: Bson, mut old: OldJob) -> Result<Found> {
    if let JobState::Running { attempt, .. } = &mut old.state {
        attempt.executor = run.executor(&attempt.executor);
    }
    let mut record = JobRecord::pending(old.id, &old.new, None)?;
    record.set_state(old.state);
    record.rev = 1;
    record.request = old.request;
    record.failed_nodes = old.failed_nodes;
    if let Some((parent, index)) = old.child_of {
        record.parent = Some(key(parent));
        record.top = false;
        record.terms.clear();
        record.task = Some(index.cast_signed());
    }
    if old.is_parent {
        record.counts = Some(count_children(&mut run.ops(), record.id).await?);
        outbox::end_parent(&mut record, SystemClock.now());
    }
    let charge = (!old.is_parent).then(|| charge(&record, &old.new.spec, run.from_day)).flatten();
    let news =
        Outbox { key: format!("{}:0", record.id), at: SystemClock.now(), charge, disk: held(&record), parent: None };
    Ok(Found { key: of, spec: to_json("a spec", &old.new.spec)?, record, news })
}

/// An array whose end nobody would tell.
async fn is_childless(run: &Run<'_>, old: &OldJob) -> Result<bool> {
    let counts = count_children(&mut run.ops(), key(old.id)).await?;
    Ok(old.state.is_active() && counts.children == 0)
}

async fn count_children(ops: &mut Ops<'_>, parent: i64) -> Result<Counts> {
    let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let of = doc! { "god.parent": parent };
    let mut failed = of.clone();
    failed.extend(doc! { "god.state.ending": { "$ne": "done" }, "god.state.outcome.ending": { "$ne": "done" } });
    let over = ops.count(OVER, of.clone()).await?;
    let children = over + ops.count(JOBS, of).await?;
    Ok(Counts { children: count(children), over: count(over), failed: count(ops.count(OVER, failed).await?) })
}

/// What an over job used, if that still counts.
fn charge(record: &JobRecord, spec: &crate::domain::JobSpec, from_day: i64) -> Option<Use> {
    let (JobState::Over(outcome) | JobState::Archived { outcome, .. }) = &record.state else { return None };
    let (started, day) = (outcome.started?, outcome.ended.day());
    (day >= from_day).then(|| Use {
        user: record.user.clone(),
        project: record.project.clone(),
        image: spec.image.clone(),
        day,
        cpu: spec.resources.cpu.as_f64(),
        ram: spec.resources.ram.as_gb(),
        gpus: f64::from(spec.resources.gpus),
        seconds: outcome.ended.since(started).as_secs_f64(),
    })
}

async fn write(run: &mut Run<'_>, collection: &'static str, found: Vec<Found>) -> Result<()> {
    let ids: Vec<i64> = found.iter().map(|job| job.record.id).collect();
    let mut known = HashSet::new();
    for place in [JOBS, OVER] {
        known.extend(only_ids(&mut run.ops(), place, Find::all(doc! { "god.id": { "$in": &ids } })).await?);
    }
    let (mut together, mut alone) = (Vec::new(), Vec::new());
    for job in found {
        if !known.insert(job.record.id) {
            run.leave(collection, &doc! { "id": job.record.id }, "another job has its number".into());
        } else if run.mode == Mode::Standalone || (collection == JOBS && job.record.is_over()) {
            alone.push(job);
        } else {
            together.push(job);
        }
    }
    together.iter().chain(&alone).for_each(|job| run.taken.count(job.record.phase));
    if !together.is_empty() {
        let batch = Batch { collection, jobs: &together };
        transact(&mut run.client.start_session().await?, run.db, &batch).await?;
    }
    for job in alone {
        write_alone(&mut run.ops(), collection, job).await.map_err(StoreError::from)?;
    }
    Ok(())
}

/// By the outbox, as any change on a server without transactions: a takeover that was cut off goes on from there.
async fn write_alone(ops: &mut Ops<'_>, collection: &'static str, job: Found) -> Done<()> {
    let spec = spec_update(&job);
    ops.upsert(SPECS, spec.filter, spec.update).await?;
    let record = JobRecord { outbox: Some(job.news), ..job.record };
    let fresh = doc! { "_id": job.key, "god": { "$exists": false } };
    if ops.update_one(collection, fresh, doc! { "$set": { "god": record.write()? } }).await? > 0 {
        moves::finish(ops, &record, collection).await?;
    }
    Ok(())
}

fn spec_update(job: &Found) -> Update {
    let update = doc! { "$set": { "body": &job.spec } };
    Update { filter: doc! { "_id": job.record.spec }, update, upsert: true }
}

struct Batch<'j> {
    collection: &'static str,
    jobs: &'j [Found],
}

#[async_trait]
impl Work for Batch<'_> {
    type Answer = ();

    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<()>> {
        let keys: Vec<_> = self.jobs.iter().map(|job| job.key.clone()).collect();
        let fresh = doc! { "_id": { "$in": keys }, "god": { "$exists": false } };
        let find = Find { projection: Some(doc! { "_id": 1 }), ..Find::all(fresh) };
        let fresh: Vec<Document> = ops.find(self.collection, find).await?;
        // Another takeover beside this one has the others.
        let is_fresh = |job: &&Found| fresh.iter().any(|document| document.get("_id") == Some(&job.key));
        let (mut specs, mut jobs, mut totals) = (Vec::new(), Vec::new(), Totals::default());
        for job in self.jobs.iter().filter(is_fresh) {
            specs.push(spec_update(job));
            let update = doc! { "$set": { "god": job.record.write()? } };
            jobs.push(Update { filter: doc! { "_id": job.key.clone() }, update, upsert: false });
            totals.add(&job.record.user, &job.news);
        }
        ops.updates(SPECS, specs).await?;
        ops.updates(self.collection, jobs).await?;
        totals.write(ops).await?;
        Ok(Verdict::Keep(()))
    }
}

impl Taken {
    fn count(&mut self, phase: i32) {
        match phase {
            0 => self.pending += 1,
            1 | 2 => self.running += 1,
            _ => self.over += 1,
        }
    }
}
