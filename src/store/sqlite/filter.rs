//! A filter as SQL, with the index that answers it.
//!
//! The index is named (`INDEXED BY`) rather than left to SQLite's planner: without statistics that prefers what is slow
//! here, and a plan that changes under way is found by users.

use rusqlite::types::Value;

use super::row::key;
use crate::domain::Phase;
use crate::store::search::tag_term;
use crate::store::{JobFilter, JobOrder};

#[derive(Debug)]
pub struct Selection {
    /// `FROM jobs … WHERE …`
    pub from: String,
    pub order: &'static str,
    pub values: Vec<Value>,
}

pub fn selection(filter: &JobFilter) -> Selection {
    let side = Side::of(filter);
    let mut conditions = Conditions::default();
    if !filter.with_children {
        conditions.push("parent IS NULL");
    }
    match side {
        Side::Active => conditions.push("ended IS NULL"),
        Side::Ended => conditions.push("ended IS NOT NULL"),
        Side::Both => {}
    }
    if let Some(phases) = phases(filter, side) {
        conditions.push(&phases);
    }
    if let Some(user) = &filter.owner {
        conditions.with("user = {}", user.as_str().to_owned());
    }
    if let Some(project) = &filter.project {
        conditions.with("project = {}", project.as_str().to_owned());
    }
    if let Some(moment) = filter.ended_before {
        conditions.with("ended < {}", moment.0);
    }
    if filter.requested {
        conditions.push("request IS NOT NULL");
    }
    if let Some(after) = filter.after {
        conditions.with("id > {}", key(after));
    }
    if let Some(tag) = &filter.tag {
        conditions.with(if filter.with_children { TAGGED_WITH_CHILDREN } else { TAGGED }, tag_term(tag));
    }
    let from = format!("FROM jobs {}{}", index(filter, side), conditions.sql);
    Selection { from, order: order(filter.order), values: conditions.values }
}

const TAGGED: &str = "id IN (SELECT job FROM job_terms WHERE term = {})";
const TAGGED_WITH_CHILDREN: &str = "id IN (SELECT job FROM job_terms WHERE term = {} \
     UNION ALL SELECT c.id FROM job_terms t JOIN jobs c ON c.parent = t.job WHERE t.term = {})";

/// Which jobs a filter may find, as the indices see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Active,
    Ended,
    Both,
}

impl Side {
    fn of(filter: &JobFilter) -> Side {
        let all = |matching: fn(&Phase) -> bool| !filter.phases.is_empty() && filter.phases.iter().all(matching);
        let asks_for_ends = filter.ended_before.is_some() || filter.order == JobOrder::EndedDescending;
        if asks_for_ends || all(|phase| *phase >= Phase::Over) {
            Side::Ended
        } else if all(|phase| *phase < Phase::Over) {
            Side::Active
        } else {
            Side::Both
        }
    }
}

/// The condition on phases, where the side alone does not say it.
fn phases(filter: &JobFilter, side: Side) -> Option<String> {
    let mut phases = filter.phases.clone();
    phases.sort_unstable();
    phases.dedup();
    let all_of_its_side = match side {
        Side::Active => phases == Phase::ACTIVE,
        Side::Ended => phases == [Phase::Over, Phase::Archived],
        Side::Both => phases.len() == 5,
    };
    // jobs_active begins with the phase, so it wants to hear of all of them.
    if phases.is_empty() || (all_of_its_side && side != Side::Active) {
        return None;
    }
    let numbers: Vec<_> = phases.iter().map(|phase| (*phase as i64).to_string()).collect();
    // To the letter what the condition of jobs_kept is.
    Some(if let [one] = &numbers[..] { format!("phase = {one}") } else { format!("phase IN ({})", numbers.join(", ")) })
}

fn index(filter: &JobFilter, side: Side) -> &'static str {
    // Few jobs carry a request, and few are on a machine, however many there are in all.
    let on_machines = !filter.phases.contains(&Phase::Pending);
    let by_end = filter.ended_before.is_some() || filter.order == JobOrder::EndedDescending;
    let (user, project) = (filter.owner.is_some(), filter.project.is_some());
    match side {
        _ if filter.requested => "INDEXED BY jobs_requested",
        // What is left is found by id.
        _ if filter.tag.is_some() => "NOT INDEXED",
        Side::Active if on_machines || filter.with_children => "INDEXED BY jobs_active",
        _ if filter.with_children => "NOT INDEXED",
        Side::Active if user => "INDEXED BY jobs_active_user",
        Side::Active if project => "INDEXED BY jobs_active_project",
        Side::Active => "INDEXED BY jobs_active_top",
        // The few that are due, whosever they are.
        Side::Ended if filter.ended_before.is_some() && filter.phases == [Phase::Over] => "INDEXED BY jobs_kept",
        Side::Ended if by_end && user && project => "INDEXED BY jobs_over_user_project",
        Side::Ended if by_end && user => "INDEXED BY jobs_over_user",
        Side::Ended if by_end && project => "INDEXED BY jobs_over_project",
        Side::Ended if by_end => "INDEXED BY jobs_over",
        Side::Ended | Side::Both if user => "INDEXED BY jobs_top_user",
        Side::Ended | Side::Both if project => "INDEXED BY jobs_top_project",
        Side::Ended | Side::Both => "INDEXED BY jobs_top",
    }
}

fn order(order: JobOrder) -> &'static str {
    match order {
        JobOrder::IdAscending => "ORDER BY id",
        JobOrder::IdDescending => "ORDER BY id DESC",
        JobOrder::EndedDescending => "ORDER BY ended DESC, id DESC",
    }
}

#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    fn push(&mut self, condition: &str) {
        self.sql.push_str(if self.sql.is_empty() { " WHERE " } else { " AND " });
        self.sql.push_str(condition);
    }

    /// Every `{}` of the condition stands for the value.
    fn with(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.push(&condition.replace("{}", &format!("?{}", self.values.len())));
    }
}
