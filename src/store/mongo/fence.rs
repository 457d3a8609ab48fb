//! Who leads: a number that each new leader raises. `god_counters` holds it, as it does the next ids.

use mongodb::bson::{Bson, Document, doc};

use super::error::corrupt;
use super::ops::{Done, Ops};
use crate::store::Result;

/// `{_id: "jobs" | "audit" | "fence", n}`: the number that was given out last.
pub const COUNTERS: &str = "god_counters";
const FENCE: &str = "fence";

/// The last of `count` new numbers.
pub async fn allocate(ops: &mut Ops<'_>, counter: &str, count: u64) -> Done<u64> {
    let step = i64::try_from(count).map_err(|error| corrupt("a number of jobs", error))?;
    let document = ops.change_one(COUNTERS, doc! { "_id": counter }, doc! { "$inc": { "n": step } }).await?;
    Ok(number(&document)?)
}

pub async fn raise(ops: &mut Ops<'_>) -> Done<u64> {
    allocate(ops, FENCE, 1).await
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

fn number(document: &Document) -> Result<u64> {
    match document.get("n") {
        Some(Bson::Int64(n)) => Ok(n.cast_unsigned()),
        Some(Bson::Int32(n)) => Ok(i64::from(*n).cast_unsigned()),
        other => Err(corrupt(COUNTERS, format!("expected a number, got {other:?}"))),
    }
}
