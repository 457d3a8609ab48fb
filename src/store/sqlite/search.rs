//! Searches: a walk along an index, from a cursor on, that ends when it has found enough or gone far enough.
//!
//! The SQL answers every job walked, with whether it is one that is looked for; where to stop is decided here. Indices
//! are named, as in `filter`.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::list::jobs;
use super::row::{job_id, key};
use crate::domain::Phase;
use crate::store::Result;
use crate::store::search::{
    CLOCKS_DIFFER, Counted, Cursor, Found, JobSearch, PagePlaces, REACH, SortBy, Start, Walk, Walked,
};

pub fn search(connection: &Connection, search: &JobSearch, start: Start, limit: usize) -> Result<Found> {
    let walked = walk(connection, search, Walk::of(search, start, limit))?;
    let places = PagePlaces::of(walked, start, limit);
    let found = jobs(connection, &places.ids)?;
    Ok(places.with(found))
}

pub fn count(connection: &Connection, search: &JobSearch, most: usize) -> Result<Counted> {
    Ok(walk(connection, search, Walk::counting(search, most))?.counted(most))
}

fn walk(connection: &Connection, search: &JobSearch, walk: Walk) -> Result<Walked> {
    let Some(ids) = ids_between(connection, search)? else { return Ok(Walked::default()) };
    let Some((sql, values)) = walk_query(search, walk, ids) else { return Ok(Walked::default()) };
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(params_from_iter(values))?;
    let mut walked = Walked::default();
    let mut met = 0;
    while let Some(row) = rows.next()? {
        let place = Cursor { key: row.get(0)?, id: job_id(row.get(1)?) };
        // Two arms may answer the same job, one after the other.
        if row.get(2)? && walked.places.last() != Some(&place) {
            walked.places.push(place);
            if walked.places.len() >= walk.hits {
                return Ok(walked);
            }
        }
        met += 1;
        if met >= REACH {
            walked.tired_at = Some(place);
            break;
        }
    }
    Ok(walked)
}

/// First and last id of what was submitted in the span asked for, widely; `None` when there is none.
type Ids = (Option<i64>, Option<i64>);

pub const FIRST_SINCE: &str = "SELECT id FROM jobs INDEXED BY jobs_submitted WHERE parent IS NULL AND submitted >= ?1 \
     ORDER BY submitted, id LIMIT 1";

fn ids_between(connection: &Connection, search: &JobSearch) -> Result<Option<Ids>> {
    let first_since = |moment: i64| -> Result<Option<i64>> {
        Ok(connection.prepare_cached(FIRST_SINCE)?.query_row([moment], |row| row.get(0)).optional()?)
    };
    let first = match search.submitted.from {
        Some(from) => match first_since(from.0.saturating_sub(CLOCKS_DIFFER))? {
            Some(first) => Some(first),
            None => return Ok(None),
        },
        None => None,
    };
    let last = match search.submitted.until {
        Some(until) => first_since(until.0.saturating_add(CLOCKS_DIFFER))?,
        None => None,
    };
    Ok(Some((first, last)))
}

/// `(place, id, whether it is looked for)` of every job on the way. `None`: there can be none.
pub fn walk_query(search: &JobSearch, walk: Walk, ids: Ids) -> Option<(String, Vec<Value>)> {
    if !search.finds_active() && !search.finds_ended() {
        return None;
    }
    let mut sql = Sql::default();
    let id = if search.sort == SortBy::Submitted && !search.terms().is_empty() { "t.job" } else { "j.id" };
    let arms: Vec<String> = match search.sort {
        SortBy::Submitted => by_id(search, &mut sql),
        SortBy::Ended => vec![by_end(search, &mut sql)],
        SortBy::RunTime => vec![by_run_time(search, &mut sql)],
    };
    let onward = onward(search.sort, id, walk, ids, &mut sql);
    let wanted = wanted(search, &mut sql);
    let place = match search.sort {
        SortBy::Submitted => id,
        SortBy::Ended => "j.ended",
        SortBy::RunTime => "j.ran",
    };
    let selects: Vec<_> = arms.iter().map(|arm| format!("SELECT {place}, {id}, ({wanted}) {arm}{onward}")).collect();
    if selects.is_empty() {
        return None;
    }
    let direction = if walk.ascending { "ASC" } else { "DESC" };
    let order = match search.sort {
        SortBy::Submitted => format!("ORDER BY 2 {direction}"),
        SortBy::Ended | SortBy::RunTime => format!("ORDER BY 1 {direction}, 2 {direction}"),
    };
    Some((format!("{} {order} LIMIT {REACH}", selects.join(" UNION ALL ")), sql.values))
}

/// `FROM … WHERE …` of each way that leads to some of the jobs in the order of their ids.
fn by_id(search: &JobSearch, sql: &mut Sql) -> Vec<String> {
    if let Some(node) = &search.node {
        let (index, active) = if search.finds_ended() { ("", "") } else { ("_active", " AND j.ended IS NULL") };
        let node = sql.bind(node.as_str());
        return vec![format!(
            "FROM jobs j INDEXED BY jobs_node{index} WHERE j.children IS NULL{active} AND j.node = {node}"
        )];
    }
    let owner = search.owner.as_ref().map(|user| sql.bind(user.as_str()));
    let project = search.project.as_ref().map(|project| sql.bind(project.as_str()));
    if let Some(term) = search.terms().first() {
        let term = sql.bind(term.as_str());
        let terms = match &owner {
            Some(user) => format!("FROM job_terms t CROSS JOIN jobs j ON j.id = t.job WHERE t.user = {user}"),
            None => "FROM job_terms t INDEXED BY job_terms_all CROSS JOIN jobs j ON j.id = t.job WHERE true".to_owned(),
        };
        return vec![format!("{terms} AND t.term = {term}")];
    }
    let of = match (&owner, &project) {
        (Some(user), _) => (format!(" AND j.user = {user}"), "_user"),
        (None, Some(project)) => (format!(" AND j.project = {project}"), "_project"),
        (None, None) => (String::new(), ""),
    };
    let top = format!("FROM jobs j INDEXED BY jobs_top{} WHERE j.parent IS NULL{}", of.1, of.0);
    if search.is_of_any_state() || search.phases.iter().any(|phase| *phase >= Phase::Over) {
        return vec![top];
    }
    let mut arms = Vec::new();
    if search.finds_active() && search.phases.contains(&Phase::Pending) {
        let index = if of.1.is_empty() { "_top" } else { of.1 };
        arms.push(format!(
            "FROM jobs j INDEXED BY jobs_active{index} WHERE j.parent IS NULL AND j.ended IS NULL{}",
            of.0
        ));
    } else if search.finds_active() {
        // Few jobs are on machines, however many wait.
        let on_machines = search.phases.iter().filter(|phase| **phase < Phase::Over);
        arms.extend(on_machines.map(|phase| {
            format!("FROM jobs j INDEXED BY jobs_active WHERE j.ended IS NULL AND j.phase = {}", *phase as i64)
        }));
    }
    arms.extend(search.endings.iter().map(|ending| {
        let (of, index) = owner.as_ref().map_or((String::new(), ""), |user| (format!(" AND j.user = {user}"), "_user"));
        let ending = *ending as i64;
        format!(
            "FROM jobs j INDEXED BY jobs_ending{index} \
             WHERE j.parent IS NULL AND j.ended IS NOT NULL{of} AND j.ending = {ending}"
        )
    }));
    arms
}

fn by_end(search: &JobSearch, sql: &mut Sql) -> String {
    let mut of = String::new();
    let mut index = String::from("jobs_over");
    if let Some(user) = &search.owner {
        of.push_str(&format!(" AND j.user = {}", sql.bind(user.as_str())));
        index.push_str("_user");
    }
    if let Some(project) = &search.project {
        of.push_str(&format!(" AND j.project = {}", sql.bind(project.as_str())));
        index.push_str("_project");
    }
    if let Some(from) = search.ended.from {
        of.push_str(&format!(" AND j.ended >= {}", sql.bind(from.0)));
    }
    if let Some(until) = search.ended.until {
        of.push_str(&format!(" AND j.ended < {}", sql.bind(until.0)));
    }
    format!("FROM jobs j INDEXED BY {index} WHERE j.parent IS NULL AND j.ended IS NOT NULL{of}")
}

fn by_run_time(search: &JobSearch, sql: &mut Sql) -> String {
    let (of, index) = match &search.owner {
        Some(user) => (format!(" AND j.user = {}", sql.bind(user.as_str())), "jobs_ran_user"),
        None => (String::new(), "jobs_ran"),
    };
    format!("FROM jobs j INDEXED BY {index} WHERE j.parent IS NULL AND j.ran IS NOT NULL{of}")
}

/// The conditions by which a walk begins at its cursor, and goes no further than it must.
fn onward(sort: SortBy, job: &str, walk: Walk, (first, last): Ids, sql: &mut Sql) -> String {
    let mut conditions = String::new();
    let beyond = if walk.ascending { ">" } else { "<" };
    if let Some(cursor) = walk.from {
        let id = sql.bind(key(cursor.id));
        let place = match sort {
            SortBy::Submitted => format!(" AND {job} {beyond} {id}"),
            SortBy::Ended => format!(" AND (j.ended, j.id) {beyond} ({}, {id})", sql.bind(cursor.key)),
            SortBy::RunTime => format!(" AND (j.ran, j.id) {beyond} ({}, {id})", sql.bind(cursor.key)),
        };
        conditions.push_str(&place);
    }
    if sort == SortBy::Submitted {
        for (end, compare) in [(first, ">="), (last, "<=")] {
            if let Some(end) = end {
                conditions.push_str(&format!(" AND {job} {compare} {}", sql.bind(end)));
            }
        }
    }
    conditions
}

/// The condition of a job that is looked for.
fn wanted(search: &JobSearch, sql: &mut Sql) -> String {
    let listed = if search.node.is_some() { "j.children IS NULL" } else { "j.parent IS NULL" };
    let mut all = vec![listed.to_owned()];
    if let Some(user) = &search.owner {
        all.push(format!("j.user = {}", sql.bind(user.as_str())));
    }
    if let Some(project) = &search.project {
        all.push(format!("j.project = {}", sql.bind(project.as_str())));
    }
    if !search.is_of_any_state() {
        let numbers = |numbers: Vec<i64>| numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let phases = numbers(search.phases.iter().map(|phase| *phase as i64).collect());
        let endings = numbers(search.endings.iter().map(|ending| *ending as i64).collect());
        all.push(format!("(j.phase IN ({phases}) OR coalesce(j.ending, -1) IN ({endings}))"));
    }
    for (column, span) in [("submitted", search.submitted), ("ended", search.ended)] {
        if let Some(from) = span.from {
            all.push(format!("coalesce(j.{column} >= {}, false)", sql.bind(from.0)));
        }
        if let Some(until) = span.until {
            all.push(format!("coalesce(j.{column} < {}, false)", sql.bind(until.0)));
        }
    }
    let driven = usize::from(search.sort == SortBy::Submitted);
    for term in search.terms().iter().skip(driven) {
        let term = sql.bind(term.as_str());
        all.push(format!(
            "EXISTS (SELECT 1 FROM job_terms x WHERE x.user = j.user AND x.term = {term} AND x.job = j.id)"
        ));
    }
    all.join(" AND ")
}

#[derive(Default)]
struct Sql {
    values: Vec<Value>,
}

impl Sql {
    /// The parameter that stands for a value.
    fn bind(&mut self, value: impl Bindable) -> String {
        self.values.push(value.value());
        format!("?{}", self.values.len())
    }
}

trait Bindable {
    fn value(self) -> Value;
}

impl Bindable for i64 {
    fn value(self) -> Value {
        Value::from(self)
    }
}

impl Bindable for &str {
    fn value(self) -> Value {
        Value::from(self.to_owned())
    }
}
