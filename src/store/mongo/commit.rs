//! Applying changes by compare-and-set in one transaction, with what they mean to the ledger and to array parents.
//!
//! All jobs concerned are read, moved in memory, and written back in a few messages: whatever came between makes the
//! transaction begin anew.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mongodb::bson::{Bson, doc};

use super::document::{JOBS, JobRecord, OVER, job_id, key};
use super::face;
use super::ledger::Totals;
use super::ops::{Done, Find, Ops, Update};
use super::outbox::{self, ParentNews};
use super::transact::{Verdict, Work};
use crate::domain::Timestamp;
use crate::store::{Applied, Change};

pub struct Commit {
    /// Whoever raised it leads; `None` is not asked.
    pub fence: Option<u64>,
    pub changes: Vec<Change>,
}

#[async_trait]
impl Work for Commit {
    /// `None`: another leads by now.
    type Answer = Option<Vec<Applied>>;

    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<Self::Answer>> {
        if let Some(fence) = self.fence
            && !super::fence::hold(ops, fence).await?
        {
            return Ok(Verdict::Undo(None));
        }
        let mut desk = Desk::load(ops, &self.changes).await?;
        let applied = self.changes.iter().map(|change| desk.apply(change)).collect();
        desk.write(ops).await?;
        Ok(Verdict::Keep(Some(applied)))
    }
}

/// The jobs that some changes concern, as they are on the way.
#[derive(Default)]
struct Desk {
    jobs: BTreeMap<i64, Sheet>,
    totals: Totals,
}

struct Sheet {
    record: JobRecord,
    collection: &'static str,
    changed: bool,
}

impl Desk {
    async fn load(ops: &mut Ops<'_>, changes: &[Change]) -> Done<Self> {
        let mut desk = Desk::default();
        let all = changes.iter().map(|change| key(change.id)).collect();
        desk.fetch(ops, JOBS, all).await?;
        let ended = changes.iter().filter(|change| !change.state.is_active()).map(|change| key(change.id)).collect();
        desk.fetch(ops, OVER, ended).await?;
        let parents = desk.jobs.values().filter_map(|sheet| sheet.record.parent).collect();
        desk.fetch(ops, JOBS, parents).await?;
        Ok(desk)
    }

    async fn fetch(&mut self, ops: &mut Ops<'_>, from: &'static str, mut ids: Vec<i64>) -> Done<()> {
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| !self.jobs.contains_key(id));
        if ids.is_empty() {
            return Ok(());
        }
        let find = Find { projection: Some(doc! { "god": 1 }), ..Find::all(doc! { "god.id": { "$in": ids } }) };
        for document in ops.find(from, find).await? {
            let record = JobRecord::read(&document)?;
            self.jobs.insert(record.id, Sheet { record, collection: from, changed: false });
        }
        Ok(())
    }

    fn apply(&mut self, change: &Change) -> Applied {
        let sheet = self.jobs.get_mut(&key(change.id));
        let Some(sheet) = sheet.filter(|sheet| sheet.record.rev.cast_unsigned() == change.expect) else {
            return Applied::Stale;
        };
        let news = outbox::apply(&mut sheet.record, change, Timestamp::default());
        sheet.changed = true;
        let (revision, parent) = (sheet.record.rev.cast_unsigned(), sheet.record.parent);
        self.totals.add(&sheet.record.user, &news);
        let parent_over = parent.zip(news.parent).filter(|(parent, news)| self.tell_parent(*parent, news));
        Applied::Done { revision, parent_over: parent_over.map(|(parent, _)| job_id(parent)) }
    }

    /// True when the parent ended with this child.
    fn tell_parent(&mut self, parent: i64, news: &ParentNews) -> bool {
        let Some(sheet) = self.jobs.get_mut(&parent) else { return false };
        match news {
            ParentNews::Started { attempt, at } => {
                sheet.changed |= outbox::start_parent(&mut sheet.record, attempt, *at);
                false
            }
            ParentNews::Ended { ok, at } => {
                outbox::count_child(&mut sheet.record, *ok);
                sheet.changed = true;
                outbox::end_parent(&mut sheet.record, *at)
            }
        }
    }

    async fn write(self, ops: &mut Ops<'_>) -> Done<()> {
        let mut updates: BTreeMap<&str, Vec<Update>> = BTreeMap::new();
        let mut moving = BTreeMap::new();
        for (id, sheet) in self.jobs.into_iter().filter(|(_, sheet)| sheet.changed) {
            let mut fields = face::changing(&sheet.record);
            fields.push(("god".to_owned(), sheet.record.write()?.into()));
            if sheet.collection == JOBS && sheet.record.is_over() {
                moving.insert(id, fields);
            } else {
                let (filter, update) = (doc! { "god.id": id }, doc! { "$set": face::set(fields) });
                updates.entry(sheet.collection).or_default().push(Update { filter, update, upsert: false });
            }
        }
        for (collection, updates) in updates {
            ops.updates(collection, updates).await?;
        }
        move_over(ops, moving).await?;
        // Many transactions meet at these rows: they come last, and in one order.
        self.totals.write(ops).await
    }
}

/// Only now is read what else these documents hold: scripts may be long.
async fn move_over(ops: &mut Ops<'_>, mut moving: BTreeMap<i64, Vec<(String, Bson)>>) -> Done<()> {
    if moving.is_empty() {
        return Ok(());
    }
    let moved: Vec<i64> = moving.keys().copied().collect();
    let these = doc! { "god.id": { "$in": moved } };
    let mut documents = ops.find(JOBS, Find::all(these.clone())).await?;
    for document in &mut documents {
        let fields = moving.remove(&JobRecord::read(document)?.id).unwrap_or_default();
        fields.into_iter().for_each(|(path, value)| face::put(document, &path, value));
    }
    ops.insert(OVER, documents).await?;
    ops.delete(JOBS, these).await.map(drop)
}
