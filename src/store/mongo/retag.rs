//! Tags of many jobs, in whatever state they are.

use async_trait::async_trait;
use mongodb::bson::doc;

use super::document::{Asked, JOBS, JobRecord, OVER, SPECS, body, job_id, keys, spec_document};
use super::moves;
use super::ops::{Done, Ops};
use super::transact::{Verdict, Work};
use crate::domain::{JobId, JobSpec};
use crate::store::search::{retagged, terms_of};

pub struct Retag<'r> {
    pub ids: &'r [JobId],
    pub add: &'r [String],
    pub remove: &'r [String],
}

impl Retag<'_> {
    /// Doing it twice has the effect of once.
    pub async fn write(&self, ops: &mut Ops<'_>) -> Done<Vec<JobId>> {
        let mut done = Vec::new();
        for id in keys(self.ids) {
            if self.write_one(ops, job_id(id)).await? {
                done.push(job_id(id));
            }
        }
        Ok(done)
    }

    /// Again until nothing comes between. False where there is nothing to tag.
    async fn write_one(&self, ops: &mut Ops<'_>, id: JobId) -> Done<bool> {
        loop {
            let Some((record, collection)) = moves::settled(ops, id).await? else { return Ok(false) };
            if !record.top {
                return Ok(false);
            }
            let Some(found) = ops.find_one(SPECS, doc! { "_id": record.spec }).await? else { return Ok(false) };
            let spec: JobSpec = body(&format!("the spec of job {id}"), &found, "body")?;
            let tags = retagged(&spec.tags, self.add, self.remove);
            if tags == spec.tags {
                // Whoever wrote them may have died before the children had theirs.
                self.of_children(ops, &record, &spec).await?;
                return Ok(true);
            }
            let spec = JobSpec { tags, ..spec };
            if self.swap(ops, collection, &record, &spec).await? {
                return Ok(true);
            }
        }
    }

    /// The job's own document decides; one that is on its way to the other collection (it has an outbox) is left until it
    /// has come there. Then the spec, and the children that share it.
    async fn swap(&self, ops: &mut Ops<'_>, collection: &str, record: &JobRecord, spec: &JobSpec) -> Done<bool> {
        let sorted = Asked::of(spec)?.tags;
        let filter = doc! { "god.id": record.id, "god.rev": record.rev, "god.outbox": { "$exists": false } };
        let terms: Vec<_> = terms_of(spec).into_iter().collect();
        let set = doc! { "god.tags": &sorted, "god.terms": terms, "meta.tags": &spec.tags };
        let update = doc! { "$set": set, "$inc": { "god.rev": 1i64 } };
        if ops.update_one(collection, filter, update).await? == 0 {
            return Ok(false);
        }
        ops.replace(SPECS, doc! { "_id": record.spec }, spec_document(record.spec, spec)?).await?;
        self.of_children(ops, record, spec).await?;
        Ok(true)
    }

    async fn of_children(&self, ops: &mut Ops<'_>, record: &JobRecord, spec: &JobSpec) -> Done<()> {
        if record.counts.is_none() {
            return Ok(());
        }
        let sorted = Asked::of(spec)?.tags;
        let others = doc! { "god.parent": record.id, "god.spec": record.spec, "god.tags": { "$ne": &sorted } };
        let set = doc! { "$set": { "god.tags": sorted, "meta.tags": &spec.tags }, "$inc": { "god.rev": 1i64 } };
        for collection in [JOBS, OVER] {
            ops.update_many(collection, others.clone(), set.clone()).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Work for Retag<'_> {
    type Answer = Vec<JobId>;

    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<Vec<JobId>>> {
        self.write(ops).await.map(Verdict::Keep)
    }
}
