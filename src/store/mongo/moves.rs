//! Changes of jobs on a server without transactions.
//!
//! The compare-and-set on the job's own document is the moment at which a change counts. What else it means is written
//! down with it (`outbox`), done, and crossed off, each step so that doing it twice has the effect of once: whoever finds
//! an outbox goes on with it, and so does `repair`. A caller is told of success once the change counts.

use mongodb::bson::{Document, doc};

use super::document::{JOBS, JobRecord, OVER, job_id, key};
use super::face;
use super::fence;
use super::once::{effects, remember};
use super::ops::{Done, Ops};
use super::outbox::{self, Outbox, ParentNews};
use crate::domain::{Clock as _, JobId, Phase, SystemClock, Timestamp};
use crate::store::{Applied, Change};

/// A leader that was deposed while it wrote takes back what it started. That is looked for afterwards, as no single
/// document can tell it: for that moment its jobs may be seen as starting.
pub async fn commit(ops: &mut Ops<'_>, fence: Option<u64>, changes: &[Change]) -> Done<Option<Vec<Applied>>> {
    if let Some(fence) = fence
        && !fence::is_newest(ops, fence).await?
    {
        return Ok(None);
    }
    let mut made = Vec::new();
    let mut applied = Vec::with_capacity(changes.len());
    for change in changes {
        let (answer, before) = commit_one(ops, change).await?;
        made.extend(before);
        applied.push(answer);
    }
    if let Some(fence) = fence
        && !fence::is_newest(ops, fence).await?
    {
        for before in made.iter().rev() {
            take_back(ops, before).await?;
        }
        return Ok(None);
    }
    Ok(Some(applied))
}

/// Answers also how the job was, where it changed.
async fn commit_one(ops: &mut Ops<'_>, change: &Change) -> Done<(Applied, Option<JobRecord>)> {
    let Some((mut record, collection)) = settled(ops, change.id).await? else { return Ok((Applied::Stale, None)) };
    if record.rev.cast_unsigned() != change.expect {
        return Ok((Applied::Stale, None));
    }
    let before = record.clone();
    let outbox = outbox::apply(&mut record, change, SystemClock.now());
    let moves = collection == JOBS && record.is_over();
    record.outbox = (moves || !outbox.is_empty()).then_some(outbox);
    if !swap(ops, collection, before.rev, &record).await? {
        return Ok((Applied::Stale, None));
    }
    let revision = record.rev.cast_unsigned();
    let parent_over = match finish(ops, &record, collection).await {
        Ok(parent_over) => parent_over,
        Err(fault) => {
            tracing::warn!(job = record.id, ?fault, "a change counts and is not finished yet; it will be");
            None
        }
    };
    Ok((Applied::Done { revision, parent_over }, Some(before)))
}

/// The job as it is, with nothing of it left to be done, and where it is.
pub async fn settled(ops: &mut Ops<'_>, id: JobId) -> Done<Option<(JobRecord, &'static str)>> {
    loop {
        let Some((record, collection)) = find(ops, key(id)).await? else { return Ok(None) };
        if record.outbox.is_none() {
            return Ok(Some((record, collection)));
        }
        finish(ops, &record, collection).await?;
    }
}

async fn find(ops: &mut Ops<'_>, id: i64) -> Done<Option<(JobRecord, &'static str)>> {
    for collection in [JOBS, OVER] {
        if let Some(document) = ops.find_one(collection, doc! { "god.id": id }).await? {
            return Ok(Some((JobRecord::read(&document)?, collection)));
        }
    }
    Ok(None)
}

/// Writes the record where it is still at revision `was`.
async fn swap(ops: &mut Ops<'_>, collection: &str, was: i64, record: &JobRecord) -> Done<bool> {
    let mut fields = face::changing(record);
    fields.push(("god".to_owned(), record.write()?.into()));
    let filter = doc! { "god.id": record.id, "god.rev": was };
    Ok(ops.update_one(collection, filter, doc! { "$set": face::set(fields) }).await? > 0)
}

/// Does what is in the outbox, and crosses it off. Answers the parent that ended by it.
pub async fn finish(ops: &mut Ops<'_>, record: &JobRecord, collection: &str) -> Done<Option<JobId>> {
    let Some(outbox) = &record.outbox else { return Ok(None) };
    effects(ops, &record.user, outbox).await?;
    let mut parent_over = None;
    if let (Some(parent), Some(news)) = (record.parent, &outbox.parent)
        && tell_parent(ops, parent, news, &outbox.key).await?
    {
        parent_over = Some(job_id(parent));
    }
    if collection == JOBS && record.is_over() {
        move_over(ops, record.id).await?;
    } else {
        let filter = doc! { "god.id": record.id, "god.outbox.key": &outbox.key };
        ops.update_one(collection, filter, doc! { "$unset": { "god.outbox": "" } }).await?;
    }
    Ok(parent_over)
}

/// Written to where it goes before it is taken from where it was: there is no moment without it.
async fn move_over(ops: &mut Ops<'_>, id: i64) -> Done<()> {
    let over = doc! { "god.id": id, "god.phase": { "$gte": Phase::Over as i32 } };
    let Some(mut document) = ops.find_one(JOBS, over.clone()).await? else { return Ok(()) };
    if let Ok(god) = document.get_document_mut("god") {
        god.remove("outbox");
    }
    match ops.insert(OVER, vec![document]).await {
        Err(fault) if fault.is_duplicate() => {}
        inserted => inserted?,
    }
    ops.delete(JOBS, over).await.map(drop)
}

/// True when the parent ended with this child.
async fn tell_parent(ops: &mut Ops<'_>, parent: i64, news: &ParentNews, key: &str) -> Done<bool> {
    match news {
        ParentNews::Started { attempt, at } => {
            change_parent(ops, parent, |record| outbox::start_parent(record, attempt, *at)).await.map(|_| false)
        }
        ParentNews::Ended { ok, at } => {
            count_child(ops, parent, *ok, key).await?;
            end_parent(ops, parent, *at).await
        }
    }
}

async fn count_child(ops: &mut Ops<'_>, parent: i64, ok: bool, key: &str) -> Done<()> {
    let filter = doc! { "god.id": parent, "god.applied": { "$ne": key } };
    let add = doc! {
        "god.counts.over": 1, "god.counts.failed": i32::from(!ok), "god.rev": 1i64, "requirements.array.nb_tasks_over": 1,
    };
    ops.update_one(JOBS, filter, doc! { "$inc": add, "$push": remember("god.applied", key) }).await.map(drop)
}

async fn end_parent(ops: &mut Ops<'_>, parent: i64, at: Timestamp) -> Done<bool> {
    let ended = change_parent(ops, parent, |record| {
        let key = format!("{}:{}", record.id, record.rev);
        let ends = outbox::end_parent(record, at);
        if ends {
            record.outbox = Some(Outbox { key, at: SystemClock.now(), charge: None, disk: 0, parent: None });
        }
        ends
    });
    if ended.await? {
        move_over(ops, parent).await?;
        return Ok(true);
    }
    // Whoever ended it may not have come to this.
    move_over(ops, parent).await.map(|()| false)
}

/// Again until nothing comes between. False where `change` finds nothing to do.
async fn change_parent(ops: &mut Ops<'_>, parent: i64, change: impl Fn(&mut JobRecord) -> bool) -> Done<bool> {
    loop {
        let Some(document) = ops.find_one(JOBS, doc! { "god.id": parent }).await? else { return Ok(false) };
        let mut record = JobRecord::read(&document)?;
        let was = record.rev;
        if !change(&mut record) {
            return Ok(false);
        }
        if swap(ops, JOBS, was, &record).await? {
            return Ok(true);
        }
    }
}

/// Puts a job that was pending back to what it was, unless somebody went on with it.
async fn take_back(ops: &mut Ops<'_>, before: &JobRecord) -> Done<()> {
    if before.phase != Phase::Pending as i32 {
        return Ok(());
    }
    let back = JobRecord { rev: before.rev + 2, ..before.clone() };
    let mut fields = face::changing(&back);
    fields.push(("god".to_owned(), back.write()?.into()));
    let filter = doc! { "god.id": before.id, "god.rev": before.rev + 1, "god.phase": Phase::Starting as i32 };
    ops.update_one(JOBS, filter, doc! { "$set": face::set(fields) }).await.map(drop)
}

/// What a process that died left in outboxes that are older than `before`.
pub async fn finish_older(ops: &mut Ops<'_>, before: Timestamp) -> Done<u64> {
    let mut finished = 0;
    for collection in [JOBS, OVER] {
        let old: Document = doc! { "god.outbox": { "$exists": true }, "god.outbox.at": { "$lt": before.0 } };
        let find = super::ops::Find { projection: Some(doc! { "god": 1 }), ..super::ops::Find::all(old) };
        for document in ops.find(collection, find).await? {
            finish(ops, &JobRecord::read(&document)?, collection).await?;
            finished += 1;
        }
    }
    Ok(finished)
}
