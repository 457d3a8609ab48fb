//! What a job waits for, and what that waited for: as a picture, and as the list that says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::domain::{DependencyOn, Job, JobId};
use crate::store::StoreError;
use crate::web::Site;
use crate::web::access::Caller;
use crate::web::chart::escape;
use crate::web::pages::chrome::Chrome;

/// Generations before the job itself, and jobs of one.
const DEPTH: usize = 3;
const MOST: usize = 8;
/// A job's box, and what is between two, in the picture's units.
const WIDTH: usize = 168;
const HEIGHT: usize = 46;
const BETWEEN: usize = 56;
const BELOW: usize = 14;

/// What the job itself waits for.
pub struct Needed {
    pub id: JobId,
    /// Empty for what the reader may not see, or what is gone.
    pub state: String,
    pub tone: &'static str,
    pub name: String,
    pub condition: String,
    pub seen: bool,
}

pub struct Graph {
    pub needed: Vec<Needed>,
    /// SVG, safe to put in a page as it is.
    pub svg: String,
}

/// Jobs by how far before the job they are, the job itself first.
struct Generations {
    jobs: BTreeMap<JobId, Job>,
    rows: Vec<Vec<JobId>>,
}

pub async fn graph(site: &Site, chrome: &Chrome, caller: &Caller, job: &Job) -> Result<Option<Graph>, StoreError> {
    if job.spec.dependencies.is_empty() {
        return Ok(None);
    }
    let generations = generations(site, caller, job).await?;
    let needed = job.spec.dependencies.iter().map(|dependency| {
        let seen = generations.jobs.get(&dependency.job).filter(|_| dependency.job != job.id);
        let (state, tone) = seen.map_or((String::new(), "rest"), |seen| chrome.words.state(seen));
        Needed {
            id: dependency.job,
            state,
            tone,
            name: seen.map_or_else(String::new, |seen| seen.spec.name.clone()),
            condition: chrome.t(condition(dependency.on)),
            seen: seen.is_some(),
        }
    });
    Ok(Some(Graph { needed: needed.collect(), svg: svg(chrome, &generations) }))
}

fn condition(on: DependencyOn) -> &'static str {
    match on {
        DependencyOn::Ok => "job-needs-ok",
        DependencyOn::Failed => "job-needs-failed",
        DependencyOn::Any => "job-needs-any",
    }
}

async fn generations(site: &Site, caller: &Caller, job: &Job) -> Result<Generations, StoreError> {
    let mut found = Generations { jobs: BTreeMap::from([(job.id, job.clone())]), rows: vec![vec![job.id]] };
    let mut placed = BTreeSet::from([job.id]);
    for _ in 0..DEPTH {
        let last = found.rows.last().into_iter().flatten().filter_map(|id| found.jobs.get(id));
        let needed = last.flat_map(|job| job.spec.dependencies.iter().map(|needed| needed.job));
        let row: BTreeSet<JobId> = needed.filter(|id| !placed.contains(id)).collect();
        let row: Vec<JobId> = row.into_iter().take(MOST).collect();
        if row.is_empty() {
            break;
        }
        let jobs = site.store.jobs(&row).await?;
        found.jobs.extend(jobs.into_iter().filter(|job| caller.may_see(job)).map(|job| (job.id, job)));
        placed.extend(&row);
        found.rows.push(row);
    }
    Ok(found)
}

fn svg(chrome: &Chrome, generations: &Generations) -> String {
    let columns = generations.rows.len();
    let tallest = generations.rows.iter().map(Vec::len).max().unwrap_or(1);
    let (width, height) = (columns * (WIDTH + BETWEEN) - BETWEEN, tallest * (HEIGHT + BELOW) - BELOW);
    // The oldest on the left.
    let mut places: BTreeMap<JobId, (usize, usize)> = BTreeMap::new();
    for (generation, row) in generations.rows.iter().enumerate() {
        let x = (columns - 1 - generation) * (WIDTH + BETWEEN);
        let top = (height + BELOW - row.len() * (HEIGHT + BELOW)) / 2;
        places.extend(row.iter().enumerate().map(|(at, id)| (*id, (x, top + at * (HEIGHT + BELOW)))));
    }
    let mut out = String::new();
    draw(&mut out, chrome, generations, &places, (width + 4, height + 4)).expect("a String takes what is written");
    out
}

fn draw(
    out: &mut String,
    chrome: &Chrome,
    generations: &Generations,
    places: &BTreeMap<JobId, (usize, usize)>,
    (width, height): (usize, usize),
) -> std::fmt::Result {
    // Who hears the page has the list beside it.
    write!(
        out,
        "<svg class=\"graph\" width=\"{width}\" height=\"{height}\" viewBox=\"-2 -2 {width} {height}\" aria-hidden=\"true\">"
    )?;
    for job in generations.jobs.values() {
        let Some((x, y)) = places.get(&job.id) else { continue };
        for needed in &job.spec.dependencies {
            let Some((from_x, from_y)) = places.get(&needed.job) else { continue };
            let (from, to) = (from_x + WIDTH, *x);
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
    let this = generations.rows[0][0];
    for (id, (x, y)) in places {
        let job = generations.jobs.get(id);
        let (state, tone) = job.map_or((chrome.t("job-not-seen"), "rest"), |job| chrome.words.state(job));
        let name = job.map_or_else(String::new, |job| shortened(&job.spec.name, 22));
        let (base, class) = (&chrome.base, if *id == this { " this" } else { "" });
        let is_link = job.is_some() && *id != this;
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
