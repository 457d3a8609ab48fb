//! Searches: a walk along an index, from a cursor on, that ends when it has found enough or gone far enough.
//!
//! What an index can tell is matched first; of what it answers [`REACH`] at most are looked at for the rest.

use mongodb::bson::{Document, doc};

use super::document::{JOBS, OVER, job_id, key};
use super::error::corrupt;
use super::list;
use super::ops::{Done, Find, Ops};
use crate::domain::{EndingKind, Phase, Timestamp};
use crate::store::search::{
    CLOCKS_DIFFER, Counted, Cursor, Found, JobSearch, PagePlaces, REACH, SortBy, Start, Walk, Walked,
};
use crate::store::{EndedRow, Result};

pub async fn search(ops: &mut Ops<'_>, search: &JobSearch, start: Start, limit: usize) -> Done<Found> {
    let walked = walk(ops, search, Walk::of(search, start, limit)).await?;
    let places = PagePlaces::of(walked, start, limit);
    let found = list::jobs(ops, &places.ids).await?;
    Ok(places.with(found))
}

pub async fn count(ops: &mut Ops<'_>, search: &JobSearch, most: usize) -> Done<Counted> {
    Ok(walk(ops, search, Walk::counting(search, most)).await?.counted(most))
}

async fn walk(ops: &mut Ops<'_>, search: &JobSearch, walk: Walk) -> Done<Walked> {
    let mut places = Vec::new();
    let mut tired_at: Option<Cursor> = None;
    // In this order: a job moves from the one to the other.
    for (collection, is_asked) in [(JOBS, search.finds_active()), (OVER, search.finds_ended())] {
        if !is_asked {
            continue;
        }
        let Some(ids) = ids_between(ops, collection, search).await? else { continue };
        let here = walk_one(ops, collection, search, walk, ids).await?;
        places.extend(here.places);
        if let Some(at) = here.tired_at
            && tired_at.is_none_or(|other| walk.is_before(at, other))
        {
            tired_at = Some(at);
        }
    }
    // Beyond where one of them has ended, the other may have met jobs that come later than those left out.
    places.retain(|place| tired_at.is_none_or(|at| *place == at || walk.is_before(*place, at)));
    places.sort_unstable();
    if !walk.ascending {
        places.reverse();
    }
    places.dedup_by_key(|place| place.id);
    if places.len() >= walk.hits {
        places.truncate(walk.hits);
        tired_at = None;
    }
    Ok(Walked { places, tired_at })
}

/// Conditions on ids by the date of submission, widely; `None` when there is nothing of that time here.
async fn ids_between(ops: &mut Ops<'_>, collection: &str, search: &JobSearch) -> Done<Option<Document>> {
    let mut ids = doc! {};
    for (moment, operator, wide) in
        [(search.submitted.from, "$gte", -CLOCKS_DIFFER), (search.submitted.until, "$lte", CLOCKS_DIFFER)]
    {
        let Some(moment) = moment else { continue };
        let since = moment.0.saturating_add(wide);
        let find = Find {
            sort: Some(doc! { "god.submitted": 1, "god.id": 1 }),
            limit: Some(1),
            ..Find::all(doc! { "god.top": true, "god.submitted": { "$gte": since } })
        };
        match list::only_ids(ops, collection, find).await?.first() {
            Some(first) => drop(ids.insert(operator, *first)),
            None if operator == "$gte" => return Ok(None),
            None => {}
        }
    }
    Ok(Some(ids))
}

/// The field that is sorted by.
fn sorted_by(sort: SortBy) -> &'static str {
    match sort {
        SortBy::Submitted => "god.id",
        SortBy::Ended => "god.ended",
        SortBy::RunTime => "god.ran",
    }
}

async fn walk_one(
    ops: &mut Ops<'_>,
    collection: &'static str,
    search: &JobSearch,
    walk: Walk,
    ids: Document,
) -> Done<Walked> {
    let way = way(collection, search, walk, ids);
    let field = sorted_by(search.sort);
    let direction = if walk.ascending { 1 } else { -1 };
    let mut sort = doc! { field: direction };
    if search.sort != SortBy::Submitted {
        sort.insert("god.id", direction);
    }
    let mut stages =
        vec![doc! { "$match": way.clone() }, doc! { "$sort": sort.clone() }, doc! { "$limit": REACH as i64 }];
    let wanted = wanted(search, walk);
    if !wanted.is_empty() {
        stages.push(doc! { "$match": wanted });
    }
    stages.push(doc! { "$limit": i64::try_from(walk.hits).unwrap_or(i64::MAX) });
    stages.push(doc! { "$project": { "_id": 0, "god.id": 1, field: 1 } });
    let found = ops.aggregate(collection, stages).await?;
    let places = found.iter().map(|document| place(document, search.sort)).collect::<Result<Vec<_>>>()?;
    if places.len() >= walk.hits {
        return Ok(Walked { places, tired_at: None });
    }
    let last = Find {
        projection: Some(doc! { "_id": 0, "god.id": 1, field: 1 }),
        sort: Some(sort),
        skip: REACH as u64 - 1,
        limit: Some(1),
        filter: way,
    };
    let last = ops.find(collection, last).await?;
    let tired_at = last.first().map(|document| place(document, search.sort)).transpose()?;
    Ok(Walked { places, tired_at })
}

fn place(document: &Document, sort: SortBy) -> Result<Cursor> {
    let god = document.get_document("god").map_err(|error| corrupt("a job", error))?;
    let number = |field: &str| god.get_i64(field).map_err(|error| corrupt("a job", error));
    let id = number("id")?;
    let key = match sort {
        SortBy::Submitted => id,
        SortBy::Ended => number("ended")?,
        SortBy::RunTime => number("ran")?,
    };
    Ok(Cursor { key, id: job_id(id) })
}

/// What an index answers: whose jobs, of which state or with which term, from the cursor on.
fn way(collection: &str, search: &JobSearch, walk: Walk, mut ids: Document) -> Document {
    let mut way = doc! {};
    if let Some(user) = &search.owner {
        way.insert("god.user", user.as_str());
    }
    match search.terms().first().filter(|_| search.sort == SortBy::Submitted) {
        _ if let Some(node) = &search.node => drop(way.insert("god.node", node)),
        // Only what is nobody's child has terms.
        Some(term) => drop(way.insert("god.terms", term)),
        None => {
            way.insert("god.top", true);
            if search.owner.is_none()
                && search.sort != SortBy::RunTime
                && let Some(project) = &search.project
            {
                way.insert("god.project", project.as_str());
            }
            if search.sort == SortBy::Submitted && !search.is_of_any_state() {
                way.extend(state_way(collection, search));
            }
        }
    }
    let beyond = if walk.ascending { "$gt" } else { "$lt" };
    match search.sort {
        SortBy::Submitted => {
            if let Some(cursor) = walk.from {
                // Beside a bound of the same sort the nearer one holds.
                let bound = key(cursor.id);
                ids.insert(beyond, bound);
            }
            if ids.is_empty() {
                ids.insert("$gt", 0i64);
            }
            way.insert("god.id", ids);
        }
        SortBy::Ended => drop(way.insert("god.ended", sorted_from(search, walk, true))),
        SortBy::RunTime => drop(way.insert("god.ran", sorted_from(search, walk, false))),
    }
    way
}

/// From the cursor's value on; which of the jobs of just that value come after it is asked of each.
fn sorted_from(search: &JobSearch, walk: Walk, by_end: bool) -> Document {
    let mut bounds = doc! { "$gte": 0i64 };
    if by_end {
        if let Some(from) = search.ended.from {
            bounds.insert("$gte", from.0);
        }
        if let Some(until) = search.ended.until {
            bounds.insert("$lt", until.0);
        }
    }
    match walk.from {
        Some(cursor) if walk.ascending => drop(bounds.insert("$gte", cursor.key)),
        // Moments are whole numbers; the cursor's lies before `until`.
        Some(cursor) => drop(bounds.insert("$lt", cursor.key.saturating_add(1))),
        None => {}
    }
    bounds
}

/// The condition on states, where it is one for this collection.
fn state_way(collection: &str, search: &JobSearch) -> Document {
    let of = |phases: &dyn Fn(&&Phase) -> bool| -> Vec<i32> {
        search.phases.iter().filter(phases).map(|phase| *phase as i32).collect()
    };
    if collection == JOBS {
        return doc! { "god.phase": { "$in": of(&|phase| **phase < Phase::Over) } };
    }
    if of(&|phase| **phase >= Phase::Over).is_empty() {
        let endings: Vec<_> = search.endings.iter().map(|ending| *ending as i32).collect();
        return doc! { "god.ending": { "$in": endings } };
    }
    doc! {}
}

/// The condition of a job that is looked for.
fn wanted(search: &JobSearch, walk: Walk) -> Document {
    let mut all = Vec::new();
    if !search.is_of_any_state() {
        let phases: Vec<_> = search.phases.iter().map(|phase| *phase as i32).collect();
        let endings: Vec<_> = search.endings.iter().map(|ending| *ending as i32).collect();
        all.push(doc! { "$or": [{ "god.phase": { "$in": phases } }, { "god.ending": { "$in": endings } }] });
    }
    if search.node.is_some() {
        all.push(doc! { "god.counts": { "$exists": false } });
    }
    if let Some(project) = &search.project {
        all.push(doc! { "god.project": project.as_str() });
    }
    for (field, span) in [("god.submitted", search.submitted), ("god.ended", search.ended)] {
        if let Some(from) = span.from {
            all.push(doc! { field: { "$gte": from.0 } });
        }
        if let Some(until) = span.until {
            all.push(doc! { field: { "$lt": until.0 } });
        }
    }
    for term in search.terms() {
        all.push(doc! { "god.terms": term });
    }
    if let Some(cursor) = walk.from.filter(|_| search.sort != SortBy::Submitted) {
        let beyond = if walk.ascending { "$gt" } else { "$lt" };
        let field = sorted_by(search.sort);
        all.push(doc! { "$or": [
            { field: { beyond: cursor.key } }, { field: cursor.key, "god.id": { beyond: key(cursor.id) } },
        ] });
    }
    if all.is_empty() {
        doc! {}
    } else {
        doc! { "$and": all }
    }
}

pub async fn recent_ends(ops: &mut Ops<'_>, since: Timestamp, limit: usize) -> Done<Vec<EndedRow>> {
    let find = Find {
        projection: Some(doc! {
            "_id": 0, "god.ended": 1, "god.ending": 1, "god.ran": 1, "god.submitted": 1, "god.project": 1,
        }),
        sort: Some(doc! { "god.ended": -1 }),
        limit: Some(i64::try_from(limit).unwrap_or(i64::MAX)),
        ..Find::all(doc! { "god.ended": { "$gte": since.0 }, "god.counts": { "$exists": false } })
    };
    if limit == 0 {
        return Ok(Vec::new());
    }
    Ok(ops.find(OVER, find).await?.iter().map(ended_row).collect::<Result<_>>()?)
}

fn ended_row(document: &Document) -> Result<EndedRow> {
    let wrong = |error: &dyn ToString| corrupt("a job that ended", error.to_string());
    let god = document.get_document("god").map_err(|error| wrong(&error))?;
    let ended = god.get_i64("ended").map_err(|error| wrong(&error))?;
    let ending = god.get_i32("ending").map_err(|error| wrong(&error))?;
    Ok(EndedRow {
        ended: Timestamp(ended),
        ending: EndingKind::numbered(ending.into()).ok_or_else(|| wrong(&ending))?,
        started: god.get_i64("ran").ok().map(|ran| Timestamp(ended - ran)),
        submitted: Timestamp(god.get_i64("submitted").map_err(|error| wrong(&error))?),
        project: god.get_str("project").map_err(|error| wrong(&error))?.parse().map_err(|error| wrong(&error))?,
    })
}
