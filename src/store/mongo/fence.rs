//! Who leads: a number that each new leader raises. `god_counters` holds it, as it does the next ids.

use async_trait::async_trait;
use mongodb::bson::{Bson, Document, doc};

use super::error::corrupt;
use super::ops::{Done, Ops};
use super::sessions::Sessions;
use super::transact::{Verdict, Work};
use crate::store::Result;

/// `{_id: "jobs" | "audit" | "fence", n}`: the number that was given out last; of the fence, `by` the run that leads.
pub const COUNTERS: &str = "god_counters";
const FENCE: &str = "fence";

/// The last of `count` new numbers.
pub async fn allocate(ops: &mut Ops<'_>, counter: &str, count: u64) -> Done<u64> {
    let step = i64::try_from(count).map_err(|error| corrupt("a number of jobs", error))?;
    let document = ops.change_one(COUNTERS, doc! { "_id": counter }, doc! { "$inc": { "n": step } }).await?;
    Ok(number(&document)?)
}

/// `run` leads from now on.
pub async fn raise(ops: &mut Ops<'_>, run: &str) -> Done<u64> {
    let update = doc! { "$inc": { "n": 1i64 }, "$set": { "by": run } };
    Ok(number(&ops.change_one(COUNTERS, doc! { "_id": FENCE }, update).await?)?)
}

/// The same in a transaction, as others are in transactions about the fence: this one does not wait for them.
pub struct Raise<'s> {
    pub sessions: &'s Sessions,
}

#[async_trait]
impl Work for Raise<'_> {
    type Answer = u64;

    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<u64>> {
        // What the leader before has under way comes to nothing, whether it lives or not.
        if let Some(fence) = ops.beside().find_one(COUNTERS, doc! { "_id": FENCE }).await?
            && let Ok(before) = fence.get_str("by")
        {
            self.sessions.end_others(before).await?;
        }
        raise(ops, self.sessions.run()).await.map(Verdict::Keep)
    }
}

fn asked(fence: u64) -> Document {
    doc! { "_id": FENCE, "n": i64::try_from(fence).unwrap_or(i64::MAX) }
}

/// Whether `fence` is the newest. It is written to, not only read: a transaction that only read it would not notice that
/// it is raised before it commits.
pub async fn hold(ops: &mut Ops<'_>, fence: u64) -> Done<bool> {
    Ok(ops.update_one(COUNTERS, asked(fence), doc! { "$inc": { "held": 1i64 } }).await? > 0)
}

pub async fn is_newest(ops: &mut Ops<'_>, fence: u64) -> Done<bool> {
    Ok(ops.find_one(COUNTERS, asked(fence)).await?.is_some())
}

pub(super) fn number(document: &Document) -> Result<u64> {
    match document.get("n") {
        Some(Bson::Int64(n)) => Ok(n.cast_unsigned()),
        Some(Bson::Int32(n)) => Ok(i64::from(*n).cast_unsigned()),
        other => Err(corrupt(COUNTERS, format!("expected a number, got {other:?}"))),
    }
}
