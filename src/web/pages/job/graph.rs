//! What a job waits for, what that waited for, and who waits for the job: as a picture, and as the lists that say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::domain::{Dependency, DependencyOn, Job, JobId};
use crate::store::StoreError;
use crate::store::search::{JobSearch, Start};
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::chart::escape;
use crate::web::pages::chrome::Chrome;

/// Generations before the job itself, and jobs of one.
const DEPTH: usize = 3;
const MOST: usize = 8;
/// A job's box, and what is between two, in pixels. Two beside each other fit on a phone.
const WIDTH: usize = 156;
const HEIGHT: usize = 46;
const BETWEEN: usize = 44;
const BELOW: usize = 14;

/// A job on the other end of a dependency.
pub struct Other {
    pub id: JobId,
    /// Empty for what the reader may not see, or what is gone.
    pub state: String,
    pub tone: &'static str,
    pub name: String,
    pub condition: String,
    pub seen: bool,
}

pub struct Graph {
    /// What the job itself waits for.
    pub needed: Vec<Other>,
    /// What waits, or waited, for it, the newest first.
    pub dependents: Vec<Other>,
    /// There are more of them than are shown.
    pub more: bool,
    /// SVG, safe to put in a page as it is.
    pub svg: String,
}

/// Jobs by what they need: whatever is needed stands left of who needs it.
struct Columns {
    this: JobId,
    jobs: BTreeMap<JobId, Job>,
    ids: Vec<Vec<JobId>>,
}

/// `None` where nothing depends on anything.
pub async fn graph(site: &Site, chrome: &Chrome, caller: &Caller, job: &Job) -> Result<Option<Graph>, StoreError> {
    let (dependents, more) = dependents(site, caller, job).await?;
    if job.spec.dependencies.is_empty() && dependents.is_empty() {
        return Ok(None);
    }
    let columns = columns(site, caller, job, &dependents).await?;
    let needed = job.spec.dependencies.iter().map(|needed| {
        let seen = columns.jobs.get(&needed.job).filter(|_| needed.job != job.id);
        other(chrome, needed.job, seen, chrome.t(condition(needed.on)))
    });
    let needed = needed.collect();
    let waits = |dependent: &Job| {
        let on = dependent.spec.dependencies.iter().find(|needed| needed.job == job.id)?.on;
        Some(other(chrome, dependent.id, Some(dependent), chrome.t(condition_of_dependents(on))))
    };
    let svg = svg(chrome, &columns);
    Ok(Some(Graph { needed, dependents: dependents.iter().filter_map(waits).collect(), more, svg }))
}

fn other(chrome: &Chrome, id: JobId, seen: Option<&Job>, condition: String) -> Other {
    let (state, tone) = seen.map_or((String::new(), "rest"), |seen| chrome.words.state(seen));
    let name = seen.map_or_else(String::new, |seen| seen.spec.name.clone());
    Other { id, state, tone, name, condition, seen: seen.is_some() }
}

/// Those that the reader may see, and whether there are more.
async fn dependents(site: &Site, caller: &Caller, job: &Job) -> Result<(Vec<Job>, bool), StoreError> {
    let search = JobSearch { depends_on: Some(job.id), ..JobSearch::default() };
    let found = site.store.search(&search, Start::First, MOST).await?;
    let jobs = found.jobs.into_iter().filter(|job| caller.may_see(job)).collect();
    Ok((jobs, found.next.is_some()))
}

fn condition(on: DependencyOn) -> &'static str {
    match on {
        DependencyOn::Ok => "job-needs-ok",
        DependencyOn::Failed => "job-needs-failed",
        DependencyOn::Any => "job-needs-any",
    }
}

fn condition_of_dependents(on: DependencyOn) -> &'static str {
    match on {
        DependencyOn::Ok => "job-wanted-ok",
        DependencyOn::Failed => "job-wanted-failed",
        DependencyOn::Any => "job-wanted-any",
    }
}

async fn columns(site: &Site, caller: &Caller, job: &Job, dependents: &[Job]) -> Result<Columns, StoreError> {
    let mut jobs = BTreeMap::from([(job.id, job.clone())]);
    let mut placed: BTreeSet<JobId> = dependents.iter().map(|job| job.id).chain([job.id]).collect();
    let mut ids = vec![vec![job.id]];
    for _ in 0..DEPTH {
        let last = ids.last().into_iter().flatten().filter_map(|id| jobs.get(id));
        let needed = last.flat_map(|job| job.spec.dependencies.iter().map(|needed| needed.job));
        let column: BTreeSet<JobId> = needed.filter(|id| !placed.contains(id)).collect();
        let column: Vec<JobId> = column.into_iter().take(MOST).collect();
        if column.is_empty() {
            break;
        }
        let found = site.store.jobs(&column).await?;
        jobs.extend(found.into_iter().filter(|job| caller.may_see(job)).map(|job| (job.id, job)));
        placed.extend(&column);
        ids.push(column);
    }
    ids.reverse();
    if !dependents.is_empty() {
        let mut column: Vec<JobId> = dependents.iter().map(|job| job.id).collect();
        column.sort_unstable();
        ids.push(column);
        jobs.extend(dependents.iter().map(|job| (job.id, job.clone())));
    }
    Ok(Columns { this: job.id, jobs, ids })
}

/// Where boxes are, by their left upper corners.
type Places = BTreeMap<JobId, (usize, usize)>;

fn svg(chrome: &Chrome, columns: &Columns) -> String {
    let tallest = columns.ids.iter().map(Vec::len).max().unwrap_or(1);
    let (width, height) = (columns.ids.len() * (WIDTH + BETWEEN) - BETWEEN, tallest * (HEIGHT + BELOW) - BELOW);
    let mut places = Places::new();
    for (column, ids) in columns.ids.iter().enumerate() {
        let x = column * (WIDTH + BETWEEN);
        let top = (height + BELOW - ids.len() * (HEIGHT + BELOW)) / 2;
        places.extend(ids.iter().enumerate().map(|(at, id)| (*id, (x, top + at * (HEIGHT + BELOW)))));
    }
    let mut out = String::new();
    draw(&mut out, chrome, columns, &places, (width + 4, height + 4)).expect("a String takes what is written");
    out
}

/// The boxes an edge joins. None goes backwards: two of one column that need each other have a line on their own pages.
fn edge(places: &Places, job: JobId, needed: &Dependency) -> Option<((usize, usize), (usize, usize))> {
    let (from, to) = (places.get(&needed.job)?, places.get(&job)?);
    (from.0 < to.0).then_some((*from, *to))
}

fn draw(
    out: &mut String,
    chrome: &Chrome,
    columns: &Columns,
    places: &Places,
    (width, height): (usize, usize),
) -> std::fmt::Result {
    // Who hears the page has the list beside it.
    write!(
        out,
        "<svg class=\"graph\" width=\"{width}\" height=\"{height}\" viewBox=\"-2 -2 {width} {height}\" aria-hidden=\"true\">"
    )?;
    for job in columns.jobs.values() {
        for needed in &job.spec.dependencies {
            let Some(((from_x, from_y), (to, y))) = edge(places, job.id, needed) else { continue };
            let from = from_x + WIDTH;
            let (from_y, y, bend) = (from_y + HEIGHT / 2, y + HEIGHT / 2, BETWEEN / 2);
            let class = if needed.on == DependencyOn::Ok { "edge" } else { "edge other" };
            write!(
                out,
                "<path class=\"{class}\" d=\"M{from} {from_y}C{} {from_y} {} {y} {} {y}\"/>",
                from + bend,
                to.saturating_sub(bend),
                to.saturating_sub(6)
            )?;
            write!(out, "<path class=\"tip\" d=\"M{to} {y}l-8 -5v10z\"/>")?;
        }
    }
    for (id, (x, y)) in places {
        let job = columns.jobs.get(id);
        let (state, tone) = job.map_or((chrome.t("job-not-seen"), "rest"), |job| chrome.words.state(job));
        let name = job.map_or_else(String::new, |job| shortened(&job.spec.name, 20));
        let (base, class) = (&chrome.base, if *id == columns.this { " this" } else { "" });
        let is_link = job.is_some() && *id != columns.this;
        if is_link {
            write!(out, "<a href=\"{base}/jobs/{id}\" tabindex=\"-1\">")?;
        }
        write!(
            out,
            "<g class=\"node {tone}{class}\"><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/><text x=\"{}\" y=\"{}\"><tspan class=\"which\">{id}</tspan> {}</text><text class=\"called\" x=\"{}\" y=\"{}\">{}</text></g>",
            x + 12,
            y + 19,
            escape(&state),
            x + 12,
            y + 36,
            escape(&name)
        )?;
        if is_link {
            write!(out, "</a>")?;
        }
    }
    write!(out, "</svg>")
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
