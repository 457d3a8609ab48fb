//! Writing new jobs, deleting records, and changing what was asked of an active one.

use async_trait::async_trait;
use mongodb::bson::{Document, doc};

use super::document::{Asked, JOBS, JobRecord, OVER, SPECS, key, spec_document};
use super::error::corrupt;
use super::face;
use super::fence::{COUNTERS, allocate, number};
use super::ledger::Totals;
use super::list::records;
use super::ops::{Done, Find, Ops};
use super::samples::SAMPLES;
use super::transact::{Verdict, Work};
use crate::domain::{ArraySpec, JobId, JobSpec, Phase};
use crate::store::search::terms_of;
use crate::store::{NewJob, Result, Submitted};

const JOB_COUNTER: &str = "jobs";

/// Ids for a job and its children, which are given to nobody else, whatever becomes of it.
pub async fn allocate_ids(ops: &mut Ops<'_>, job: &NewJob) -> Done<Submitted> {
    let children = job.spec.array.as_ref().map(number_of_children).transpose()?.unwrap_or(0);
    let last = allocate(ops, JOB_COUNTER, 1 + u64::from(children)).await?;
    Ok(Submitted { id: JobId(last - u64::from(children)), children })
}

fn number_of_children(array: &ArraySpec) -> Result<u32> {
    u32::try_from(array.len()).map_err(|_| corrupt("an array", format!("{} jobs are too many", array.len())))
}

pub async fn last_id(ops: &mut Ops<'_>) -> Done<JobId> {
    let counter = ops.find_one(COUNTERS, doc! { "_id": JOB_COUNTER }).await?;
    let last = counter.map(|counter| number(&counter)).transpose()?;
    Ok(JobId(last.unwrap_or(0)))
}

/// Ids from `last` down are never given out again.
pub async fn raise_counter(ops: &mut Ops<'_>, last: i64) -> Done<()> {
    ops.upsert(COUNTERS, doc! { "_id": JOB_COUNTER }, doc! { "$max": { "n": last } }).await
}

pub struct Submit<'j> {
    pub job: &'j NewJob,
    pub ids: Submitted,
}

impl Submit<'_> {
    /// The spec, the job, its children: in this order.
    pub async fn write(&self, ops: &mut Ops<'_>) -> Done<()> {
        let Submit { job, ids } = self;
        let array = job.spec.array;
        ops.insert(SPECS, vec![spec_document(key(ids.id), &job.spec)?]).await?;
        let record = JobRecord::pending(ids.id, job, array.map(|_| ids.children))?;
        ops.insert(JOBS, vec![face::document(&record, record.write()?, &job.spec)]).await?;
        let indices: Vec<_> = array.iter().flat_map(ArraySpec::indices).zip(1..).collect();
        for some in indices.chunks(1_000) {
            let document = |(index, n): &(u64, u32)| {
                let child = record.child(*n, *index);
                Ok(face::document(&child, child.write()?, &job.spec))
            };
            ops.insert(JOBS, some.iter().map(document).collect::<Result<_>>()?).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Work for Submit<'_> {
    type Answer = ();

    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<()>> {
        self.write(ops).await.map(Verdict::Keep)
    }
}

/// A parent's new spec is its children's too, but for those that were given their own.
pub struct ReplaceSpec {
    pub id: JobId,
    pub expect: u64,
    pub spec: JobSpec,
}

impl ReplaceSpec {
    pub fn filter(&self) -> Document {
        doc! {
            "god.id": key(self.id), "god.rev": self.expect.cast_signed(), "god.phase": { "$lt": Phase::Over as i32 },
        }
    }

    /// What changes in a job that has this spec from now on.
    pub fn update(&self, record: &JobRecord) -> Done<Document> {
        let mut fields = face::set(face::asked(record, &self.spec));
        let Asked { tags, cpu_millis, ram_bytes, gpus, needs } = Asked::of(&self.spec)?;
        fields.insert("god.tags", tags);
        fields.insert("god.cpu_millis", cpu_millis);
        fields.insert("god.ram_bytes", ram_bytes);
        fields.insert("god.gpus", gpus);
        fields.insert("god.needs", needs);
        fields.insert("god.spec", key(self.id));
        if record.top {
            fields.insert("god.terms", terms_of(&self.spec).into_iter().collect::<Vec<_>>());
        }
        Ok(doc! { "$set": fields, "$inc": { "god.rev": 1i64 } })
    }

    /// All that follows the change of the job itself. Doing it twice does no harm but that revisions rise.
    pub async fn follow(&self, ops: &mut Ops<'_>, record: &JobRecord) -> Done<()> {
        let id = key(self.id);
        ops.replace(SPECS, doc! { "_id": id }, spec_document(id, &self.spec)?).await?;
        if record.counts.is_none() {
            return Ok(());
        }
        let mut update =
            self.update(&JobRecord { parent: Some(id), top: false, task: None, counts: None, ..record.clone() })?;
        // A child keeps its index.
        if let Ok(fields) = update.get_document_mut("$set") {
            fields.remove("requirements.array.task_id");
        }
        ops.update_many(JOBS, doc! { "god.parent": id, "god.spec": id }, update).await?;
        let tags = doc! { "$set": { "god.tags": Asked::of(&self.spec)?.tags } };
        ops.update_many(OVER, doc! { "god.parent": id, "god.spec": id }, tags).await?;
        Ok(())
    }
}

#[async_trait]
impl Work for ReplaceSpec {
    type Answer = bool;

    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<bool>> {
        let Some(found) = ops.find_one(JOBS, self.filter()).await? else { return Ok(Verdict::Undo(false)) };
        let record = JobRecord::read(&found)?;
        ops.update_one(JOBS, self.filter(), self.update(&record)?).await?;
        self.follow(ops, &record).await?;
        Ok(Verdict::Keep(true))
    }
}

pub struct Remove {
    pub id: JobId,
}

impl Remove {
    /// The record of an over job, and those of its children.
    pub async fn found(&self, ops: &mut Ops<'_>) -> Done<Vec<JobRecord>> {
        let own = records(ops, &[key(self.id)]).await?;
        if !own.iter().any(JobRecord::is_over) {
            return Ok(Vec::new());
        }
        let find = Find { projection: Some(doc! { "god": 1 }), ..Find::all(doc! { "god.parent": key(self.id) }) };
        let children = ops.find(OVER, find).await?;
        let children = children.iter().map(JobRecord::read).collect::<Result<Vec<_>>>()?;
        Ok(own.into_iter().chain(children).collect())
    }

    /// `spec` is the parent's for most children, and that goes with the parent.
    pub async fn delete(&self, ops: &mut Ops<'_>, all: &[JobRecord]) -> Done<()> {
        let id = key(self.id);
        let specs: Vec<i64> = all.iter().filter(|record| record.spec == record.id).map(|record| record.id).collect();
        ops.delete(SPECS, doc! { "_id": { "$in": specs } }).await?;
        let ids: Vec<i64> = all.iter().map(|record| record.id).collect();
        // An array may have a hundred thousand.
        for ids in ids.chunks(1_000) {
            ops.delete(SAMPLES, doc! { "job": { "$in": ids.to_vec() } }).await?;
        }
        for filter in [doc! { "god.parent": id }, doc! { "god.id": id }] {
            for collection in [JOBS, OVER] {
                ops.delete(collection, filter.clone()).await?;
            }
        }
        Ok(())
    }
}

/// Bytes that a job's directory holds until its record goes.
pub fn held(record: &JobRecord) -> i64 {
    let outcome = record.state.outcome().filter(|_| record.phase == Phase::Over as i32);
    outcome.map_or(0, |outcome| outcome.disk_bytes.cast_signed())
}

#[async_trait]
impl Work for Remove {
    type Answer = bool;

    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<bool>> {
        let all = self.found(ops).await?;
        if all.is_empty() {
            return Ok(Verdict::Undo(false));
        }
        self.delete(ops, &all).await?;
        let mut totals = Totals::default();
        all.iter().for_each(|record| totals.held(&record.user, -held(record)));
        totals.write(ops).await?;
        Ok(Verdict::Keep(true))
    }
}
