//! Reading jobs: one, some, lists, and what the scheduler keeps of the pending ones.
//!
//! A job moves from `jobs` to `jobsover` and never back, so whoever looks for it looks in that order. Lists of ended jobs
//! ask `jobsover` alone: on a standalone server a job whose move is under way is found by its id, and listed from the
//! moment it has moved.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use mongodb::bson::{Bson, Document, doc};

use super::document::{JOBS, JobRecord, Names, Needs, OVER, SPECS, body, from_json, job_id, key, keys};
use super::error::corrupt;
use super::filter::{Selection, selection};
use super::ops::{Done, Find, Ops};
use crate::domain::{Cores, Job, JobId, JobSpec, JobState, Memory, Phase, Resources};
use crate::store::{DependencyOutcome, JobFilter, JobOrder, Page, PendingRow, Result};

/// More jobs than any database holds; what skips as many finds nothing.
const BEYOND: u64 = 1 << 40;
/// Keys in one question.
const CHUNK: usize = 10_000;

/// The records of those `ids` that exist, by id.
pub async fn records(ops: &mut Ops<'_>, ids: &[i64]) -> Done<Vec<JobRecord>> {
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let mut missing: BTreeSet<i64> = chunk.iter().copied().collect();
        for collection in [JOBS, OVER] {
            if missing.is_empty() {
                break;
            }
            let asked: Vec<_> = missing.iter().copied().collect();
            for record in read_all(ops, collection, Find::all(doc! { "god.id": { "$in": asked } })).await? {
                missing.remove(&record.id);
                found.push(record);
            }
        }
    }
    found.sort_unstable_by_key(|record| record.id);
    Ok(found)
}

async fn read_all(ops: &mut Ops<'_>, collection: &str, find: Find) -> Done<Vec<JobRecord>> {
    let documents = ops.find(collection, Find { projection: Some(doc! { "god": 1 }), ..find }).await?;
    Ok(documents.iter().map(JobRecord::read).collect::<Result<_>>()?)
}

/// Jobs of the same spec share it.
pub async fn with_specs(ops: &mut Ops<'_>, records: Vec<JobRecord>) -> Done<Vec<Job>> {
    let asked: BTreeSet<i64> = records.iter().map(|record| record.spec).collect();
    let asked: Vec<_> = asked.into_iter().collect();
    let mut specs: HashMap<i64, Arc<JobSpec>> = HashMap::new();
    for chunk in asked.chunks(CHUNK) {
        for document in ops.find(SPECS, Find::all(doc! { "_id": { "$in": chunk } })).await? {
            let id = document.get_i64("_id").map_err(|error| corrupt("a spec", error))?;
            specs.insert(id, Arc::new(body(&format!("the spec of job {id}"), &document, "body")?));
        }
    }
    let mut jobs = Vec::with_capacity(records.len());
    for record in records {
        match specs.get(&record.spec) {
            Some(spec) => jobs.push(record.job(Arc::clone(spec))),
            // Removed between the two questions, it is not there any more.
            None if is_gone(ops, record.id).await? => {}
            None => return Err(corrupt(format!("the spec of job {}", record.id), "it is missing").into()),
        }
    }
    Ok(jobs)
}

async fn is_gone(ops: &mut Ops<'_>, id: i64) -> Done<bool> {
    Ok(records(ops, &[id]).await?.is_empty())
}

pub async fn jobs(ops: &mut Ops<'_>, ids: &[JobId]) -> Done<Vec<Job>> {
    let records = records(ops, &keys(ids)).await?;
    with_specs(ops, records).await
}

pub async fn list(ops: &mut Ops<'_>, filter: &JobFilter, page: Page) -> Done<Vec<Job>> {
    select(ops, selection(filter), filter.order, page).await
}

/// Ids of children rise with their index.
pub async fn children(ops: &mut Ops<'_>, parent: JobId, page: Page) -> Done<Vec<Job>> {
    let selection = Selection {
        filter: doc! { "god.parent": key(parent) },
        sort: doc! { "god.id": 1 },
        collections: &[JOBS, OVER],
    };
    select(ops, selection, JobOrder::IdAscending, page).await
}

async fn select(ops: &mut Ops<'_>, selection: Selection, order: JobOrder, page: Page) -> Done<Vec<Job>> {
    let Selection { filter, sort, collections } = selection;
    if page.skip >= BEYOND || page.limit == Some(0) {
        return Ok(Vec::new());
    }
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let found = match collections {
        [one] => {
            let limit = page.limit.map(number);
            read_all(ops, one, Find { sort: Some(sort), skip: page.skip, limit, ..Find::all(filter) }).await?
        }
        several => {
            // The page's place is found by ids alone; only its own jobs are read whole.
            let limit = page.limit.map(|limit| number(limit.saturating_add(page.skip)));
            let mut ids = BTreeSet::new();
            for collection in several {
                let find = Find { sort: Some(sort.clone()), limit, ..Find::all(filter.clone()) };
                ids.extend(only_ids(ops, collection, find).await?);
            }
            let skip = usize::try_from(page.skip).unwrap_or(usize::MAX);
            let take = page.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
            let descending = order == JobOrder::IdDescending;
            let ids: Vec<i64> = if descending { ids.into_iter().rev().collect() } else { ids.into_iter().collect() };
            let ids: Vec<_> = ids.into_iter().skip(skip).take(take).collect();
            let mut found = records(ops, &ids).await?;
            if descending {
                found.reverse();
            }
            found
        }
    };
    with_specs(ops, found).await
}

pub async fn only_ids(ops: &mut Ops<'_>, collection: &str, find: Find) -> Done<Vec<i64>> {
    let projection = Some(doc! { "_id": 0, "god.id": 1 });
    let documents = ops.find(collection, Find { projection, ..find }).await?;
    let id = |document: &Document| {
        let god = document.get_document("god").map_err(|error| corrupt("a job", error))?;
        god.get_i64("id").map_err(|error| corrupt("a job", error))
    };
    Ok(documents.iter().map(id).collect::<Result<_>>()?)
}

pub async fn count(ops: &mut Ops<'_>, filter: &JobFilter) -> Done<u64> {
    let Selection { filter, collections, .. } = selection(filter);
    let mut count = 0;
    for collection in collections {
        count += ops.count(collection, filter.clone()).await?;
    }
    Ok(count)
}

/// `hidden`: ranges of ids whose submission is under way, which are nobody's yet.
pub async fn pending(ops: &mut Ops<'_>, after: JobId, limit: usize, hidden: &[(i64, i64)]) -> Done<Vec<PendingRow>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let mut conditions = vec![doc! { "god.id": { "$gt": key(after) } }];
    conditions.extend(hidden.iter().map(|(first, last)| {
        doc! { "$or": [{ "god.id": { "$lt": first } }, { "god.id": { "$gt": last } }] }
    }));
    let filter = doc! { "god.phase": Phase::Pending as i32, "god.counts": Bson::Null, "$and": conditions };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let find = Find { sort: Some(doc! { "god.id": 1 }), limit: Some(limit), ..Find::all(filter) };
    let mut names = (Names::new(), Names::new());
    let rows = read_all(ops, JOBS, find).await?.into_iter().map(|mut record| {
        record.user = names.0.shared(record.user);
        record.project = names.1.shared(record.project);
        pending_row(record)
    });
    Ok(rows.collect::<Result<_>>()?)
}

fn pending_row(record: JobRecord) -> Result<PendingRow> {
    let needs = record.asked.needs.as_deref().map(|needs| from_json::<Needs>(&format!("job {}", record.id), needs));
    let needs = needs.transpose()?.unwrap_or_default();
    Ok(PendingRow {
        id: job_id(record.id),
        revision: record.rev.cast_unsigned(),
        user: record.user,
        project: record.project,
        submitted: record.submitted,
        resources: Resources {
            cpu: Cores::from_millis(record.asked.cpu_millis),
            ram: Memory::from_bytes(record.asked.ram_bytes.cast_unsigned()),
            gpus: record.asked.gpus,
        },
        parent: record.parent.map(job_id),
        throttle: needs.throttle,
        labels: needs.labels,
        dependencies: needs.dependencies,
        executor: needs.executor,
        attempts: match record.state {
            JobState::Pending { attempts, .. } => attempts,
            JobState::Starting { .. } | JobState::Running { .. } | JobState::Over(_) | JobState::Archived { .. } => 0,
        },
        failed_nodes: record.failed_nodes,
        request: record.request,
    })
}

pub async fn outcomes(ops: &mut Ops<'_>, ids: &[JobId]) -> Done<Vec<DependencyOutcome>> {
    let records = records(ops, &keys(ids)).await?;
    let outcome = |record: &JobRecord| DependencyOutcome {
        id: job_id(record.id),
        ending: record.state.outcome().map(|outcome| outcome.ending),
    };
    Ok(records.iter().map(outcome).collect())
}
