//! Writing down what was asked of jobs.

use async_trait::async_trait;
use mongodb::bson::{Document, doc, oid::ObjectId};

use super::document::{JOBS, OVER, job_id, keys, to_bson};
use super::face;
use super::list::only_ids;
use super::ops::{Done, Find, Ops};
use super::transact::{Verdict, Work};
use crate::domain::{JobId, Phase, Request};

pub struct Ask<'r> {
    pub ids: &'r [JobId],
    pub request: Request,
    pub phases: &'r [Phase],
}

impl Ask<'_> {
    /// A kill stays what is asked, whatever comes after it. Each document that is written on gets a mark, by which it is
    /// found again: a standalone server does not tell which they were.
    pub async fn write(&self, ops: &mut Ops<'_>) -> Done<Vec<JobId>> {
        let mark = ObjectId::new();
        let mut fields = doc! { "god.request": to_bson("a request", &self.request)?, "god.asked": mark };
        if let Some(word) = face::requested(self.request) {
            fields.insert("status.secondary", word);
        }
        let update = doc! { "$set": fields, "$inc": { "god.rev": 1i64 } };
        let phases: Vec<_> = self.phases.iter().map(|phase| *phase as i32).collect();
        let mut written = Vec::new();
        for some in keys(self.ids).chunks(10_000) {
            for collection in self.collections() {
                let mut filter = of(some);
                filter.insert("god.phase", doc! { "$in": &phases });
                filter.insert("god.request.kill", doc! { "$exists": false });
                filter.insert("god.asked", doc! { "$ne": mark });
                if ops.update_many(collection, filter, update.clone()).await? > 0 {
                    let mut marked = of(some);
                    marked.insert("god.asked", mark);
                    written.extend(only_ids(ops, collection, Find::all(marked)).await?);
                }
            }
        }
        written.sort_unstable();
        written.dedup();
        Ok(written.into_iter().map(job_id).collect())
    }

    fn collections(&self) -> Vec<&'static str> {
        let active = self.phases.iter().any(|phase| *phase < Phase::Over);
        let ended = self.phases.iter().any(|phase| *phase >= Phase::Over);
        [(JOBS, active), (OVER, ended)].into_iter().filter(|(_, asked)| *asked).map(|(name, _)| name).collect()
    }
}

/// Jobs, and children of jobs.
fn of(ids: &[i64]) -> Document {
    doc! { "$or": [{ "god.id": { "$in": ids } }, { "god.parent": { "$in": ids } }] }
}

#[async_trait]
impl Work for Ask<'_> {
    type Answer = Vec<JobId>;

    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<Vec<JobId>>> {
        self.write(ops).await.map(Verdict::Keep)
    }
}
