//! A filter as MongoDB's, and which of the two collections it asks. `indexes` has what answers it.

use mongodb::bson::{Document, doc};

use super::document::{JOBS, OVER, key};
use crate::domain::Phase;
use crate::store::{JobFilter, JobOrder};

pub struct Selection {
    pub filter: Document,
    pub sort: Document,
    /// Where such jobs are.
    pub collections: &'static [&'static str],
}

pub fn selection(filter: &JobFilter) -> Selection {
    // Documents of the original that were not taken over have no `god`, and are nobody's.
    let above = filter.after.map_or(0, key);
    let mut conditions = doc! { "god.id": { "$gt": above } };
    if !filter.with_children {
        conditions.insert("god.top", true);
    }
    let collections = collections(filter);
    let any_phase = filter.phases.is_empty() || (collections == [OVER] && has_all_ended(&filter.phases));
    if !any_phase {
        let phases: Vec<_> = filter.phases.iter().map(|phase| *phase as i32).collect();
        conditions.insert("god.phase", doc! { "$in": phases });
    }
    if let Some(user) = &filter.owner {
        conditions.insert("god.user", user.as_str());
    }
    if let Some(project) = &filter.project {
        conditions.insert("god.project", project.as_str());
    }
    if let Some(moment) = filter.ended_before {
        conditions.insert("god.ended", doc! { "$lt": moment.0 });
    }
    if filter.requested {
        conditions.insert("god.request", doc! { "$exists": true });
    }
    if let Some(tag) = &filter.tag {
        conditions.insert("god.tags", tag.as_str());
    }
    Selection { filter: conditions, sort: sort(filter.order), collections }
}

/// What is true of all that a collection holds need not be asked.
fn has_all_ended(phases: &[Phase]) -> bool {
    phases.contains(&Phase::Over) && phases.contains(&Phase::Archived)
}

fn collections(filter: &JobFilter) -> &'static [&'static str] {
    let all = |matching: fn(&Phase) -> bool| !filter.phases.is_empty() && filter.phases.iter().all(matching);
    let asks_for_ends = filter.ended_before.is_some() || filter.order == JobOrder::EndedDescending;
    if asks_for_ends || all(|phase| *phase >= Phase::Over) {
        &[OVER]
    } else if all(|phase| *phase < Phase::Over) {
        &[JOBS]
    } else {
        &[JOBS, OVER]
    }
}

fn sort(order: JobOrder) -> Document {
    match order {
        JobOrder::IdAscending => doc! { "god.id": 1 },
        JobOrder::IdDescending => doc! { "god.id": -1 },
        JobOrder::EndedDescending => doc! { "god.ended": -1, "god.id": -1 },
    }
}
