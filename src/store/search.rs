//! Lists of jobs as people look through them: narrowed, sorted, a page at a time, as fast in a million as in ten.
//!
//! A page goes on from a [`Cursor`], never by skipping. Jobs are walked along one index; what that does not tell is asked
//! of each job met, and after [`REACH`] of them a page ends where it is, with a cursor to go on from. The parents of
//! arrays stand for their children, which are not among what is found.
//!
//! A text is found by its words: each word that is asked for must be a word of the job's name, whatever its case. Words
//! are runs of letters and digits: `rna_seq-042.sh` has `rna`, `seq`, `042` and `sh`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::domain::{EndingKind, Job, JobId, JobSpec, Phase, ProjectId, Timestamp, UserId};

/// How many jobs one question walks at most.
pub const REACH: usize = 2_000;
/// Ids rise with dates of submission, but for what the clocks of several hosts differ by.
pub const CLOCKS_DIFFER: i64 = 5 * 60 * 1_000;
/// Words of a name, and letters of a word, that are found.
const MOST_WORDS: usize = 16;
const LONGEST_WORD: usize = 64;

/// Jobs that match all that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobSearch {
    pub owner: Option<UserId>,
    pub project: Option<ProjectId>,
    /// Jobs in one of these phases, or with one of `endings`. Both empty is all.
    pub phases: Vec<Phase>,
    pub endings: Vec<EndingKind>,
    pub tag: Option<String>,
    pub image: Option<String>,
    /// Jobs that wait, or waited, for this one.
    pub depends_on: Option<JobId>,
    /// Jobs that are, or were last, on this node: an array's jobs then, and not its parent. Beside it there are no terms
    /// (tag, image, words, dependency), and it is in the order of ids.
    pub node: Option<String>,
    /// As [`words`] makes them of a text.
    pub words: Vec<String>,
    pub submitted: Span,
    /// Only what is over has an end.
    pub ended: Span,
    pub sort: SortBy,
    /// The oldest, or shortest, first.
    pub ascending: bool,
}

/// From the first moment to before the second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl Span {
    pub fn is_open(self) -> bool {
        self == Span::default()
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortBy {
    /// In the order of ids.
    #[default]
    Submitted,
    /// Finds only what is over.
    Ended,
    /// From start to end. Finds only what is over and ran.
    RunTime,
}

impl SortBy {
    pub const ALL: [SortBy; 3] = [SortBy::Submitted, SortBy::Ended, SortBy::RunTime];

    pub fn as_str(self) -> &'static str {
        match self {
            SortBy::Submitted => "submitted",
            SortBy::Ended => "ended",
            SortBy::RunTime => "run_time",
        }
    }
}

impl JobSearch {
    /// What is asked of the jobs' terms, the most telling first.
    pub fn terms(&self) -> Vec<String> {
        let mut words: Vec<_> = self.words.iter().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
        let tag = self.tag.iter().map(|tag| tag_term(tag));
        let image = self.image.iter().map(|image| image_term(image));
        let needed = self.depends_on.iter().map(|job| dependency_term(*job));
        needed.chain(tag).chain(words.into_iter().map(|word| word_term(word))).chain(image).collect()
    }

    /// Whether jobs that are not over may be found.
    pub fn finds_active(&self) -> bool {
        let ends_only = self.sort != SortBy::Submitted || !self.ended.is_open();
        !ends_only && (self.is_of_any_state() || self.phases.iter().any(|phase| *phase < Phase::Over))
    }

    pub fn finds_ended(&self) -> bool {
        self.is_of_any_state() || !self.endings.is_empty() || self.phases.iter().any(|phase| *phase >= Phase::Over)
    }

    pub fn is_of_any_state(&self) -> bool {
        self.phases.is_empty() && self.endings.is_empty()
    }
}

/// What a job is found by beside its state and owners.
pub fn terms_of(spec: &JobSpec) -> BTreeSet<String> {
    let mut terms: BTreeSet<_> = words(&spec.name).iter().map(|word| word_term(word)).collect();
    terms.extend(spec.tags.iter().map(|tag| tag_term(tag)));
    terms.insert(image_term(&spec.image));
    terms.extend(spec.dependencies.iter().map(|needed| dependency_term(needed.job)));
    terms
}

pub fn tag_term(tag: &str) -> String {
    format!("t{tag}")
}

fn image_term(image: &str) -> String {
    format!("i{image}")
}

fn dependency_term(job: JobId) -> String {
    format!("d{job}")
}

fn word_term(word: &str) -> String {
    format!("w{word}")
}

/// A job's tags once some are added and removed, in their order.
pub fn retagged(tags: &[String], add: &[String], remove: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = tags.iter().filter(|tag| !remove.contains(tag)).cloned().collect();
    for tag in add {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    tags
}

/// The words of a text, in small letters, each once.
pub fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let small = words.map(|word| word.to_lowercase().chars().take(LONGEST_WORD).collect::<String>());
    let mut found: Vec<String> = Vec::new();
    for word in small {
        if !found.contains(&word) && found.len() < MOST_WORDS {
            found.push(word);
        }
    }
    found
}

/// A job's place in the order: what is sorted by, and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub key: i64,
    pub id: JobId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.key, self.id)
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a cursor as an earlier answer had it";
        let (key, id) = text.rsplit_once('-').ok_or(EXPECTED)?;
        let id = id.parse().map_err(|_| EXPECTED)?;
        Ok(Cursor { key: key.parse().map_err(|_| EXPECTED)?, id: JobId(id) })
    }
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    #[default]
    First,
    /// With what follows the cursor.
    After(Cursor),
    /// It ends with what precedes the cursor.
    Before(Cursor),
}

/// A page of jobs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub jobs: Vec<Job>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<Cursor>,
    /// What the page before this one ends before; `None` when this is the first.
    pub previous: Option<Cursor>,
    /// The page ended for [`REACH`] rather than for its size: more may be found from the cursor on.
    pub tired: bool,
}

/// How many there are, as far as somebody counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub jobs: u64,
    /// There are more, or there may be.
    pub more: bool,
}

/// What a store walks: from here, in this direction, until so many are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    pub from: Option<Cursor>,
    pub ascending: bool,
    pub hits: usize,
}

impl Walk {
    /// One more than the page holds, to learn whether there is another.
    pub fn of(search: &JobSearch, start: Start, limit: usize) -> Walk {
        let hits = limit.saturating_add(1);
        match start {
            Start::First => Walk { from: None, ascending: search.ascending, hits },
            Start::After(cursor) => Walk { from: Some(cursor), ascending: search.ascending, hits },
            Start::Before(cursor) => Walk { from: Some(cursor), ascending: !search.ascending, hits },
        }
    }

    /// For counting.
    pub fn counting(search: &JobSearch, most: usize) -> Walk {
        Walk { from: None, ascending: search.ascending, hits: most.saturating_add(1) }
    }

    /// Whether `one` comes before `other` on this walk.
    pub fn is_before(&self, one: Cursor, other: Cursor) -> bool {
        if self.ascending { one < other } else { one > other }
    }
}

/// What a walk found, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walked {
    pub places: Vec<Cursor>,
    /// The last that was looked at, where the walk ended for [`REACH`].
    pub tired_at: Option<Cursor>,
}

impl Walked {
    pub fn counted(&self, most: usize) -> Counted {
        let more = self.places.len() > most || self.tired_at.is_some();
        Counted { jobs: self.places.len().min(most) as u64, more }
    }
}

/// A page's jobs by place, and what is on either side.
#[derive(Debug, PartialEq, Eq)]
pub struct PagePlaces {
    pub ids: Vec<JobId>,
    pub next: Option<Cursor>,
    pub previous: Option<Cursor>,
    pub tired: bool,
}

impl PagePlaces {
    pub fn of(walked: Walked, start: Start, limit: usize) -> PagePlaces {
        let Walked { mut places, tired_at } = walked;
        let more = places.len() > limit;
        places.truncate(limit);
        let tired = !more && tired_at.is_some();
        let onward = if more { places.last().copied() } else { tired_at };
        let (next, previous) = match start {
            Start::First => (onward, None),
            Start::After(cursor) => (onward, Some(places.first().copied().unwrap_or(cursor))),
            Start::Before(cursor) => {
                places.reverse();
                (Some(places.last().copied().unwrap_or(cursor)), onward)
            }
        };
        PagePlaces { ids: places.iter().map(|place| place.id).collect(), next, previous, tired }
    }

    /// With the jobs that are still there, in the page's order.
    pub fn with(self, jobs: Vec<Job>) -> Found {
        let mut jobs: std::collections::HashMap<_, _> = jobs.into_iter().map(|job| (job.id, job)).collect();
        let jobs = self.ids.iter().filter_map(|id| jobs.remove(id)).collect();
        Found { jobs, next: self.next, previous: self.previous, tired: self.tired }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: u64) -> Cursor {
        Cursor { key: id as i64, id: JobId(id) }
    }

    fn walked(ids: &[u64], tired_at: Option<u64>) -> Walked {
        Walked { places: ids.iter().map(|id| at(*id)).collect(), tired_at: tired_at.map(at) }
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(words("RNA_seq-042.sh rna Été"), ["rna", "seq", "042", "sh", "été"]);
        assert!(words(" -- ").is_empty());
    }

    #[test]
    fn a_cursor_reads_back() {
        for cursor in [at(7), Cursor { key: -5, id: JobId(3) }] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for bad in ["", "7", "a-b", "1-", "-1-2-3"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_knows_its_neighbours() {
        let page = PagePlaces::of(walked(&[9, 8, 7], None), Start::First, 2);
        assert_eq!((page.next, page.previous, page.tired), (Some(at(8)), None, false));
        let page = PagePlaces::of(walked(&[7, 6], None), Start::After(at(8)), 2);
        assert_eq!((page.next, page.previous), (None, Some(at(7))));
        let page = PagePlaces::of(walked(&[8, 9], None), Start::Before(at(7)), 2);
        assert_eq!(page.ids, [JobId(9), JobId(8)]);
        assert_eq!((page.next, page.previous), (Some(at(8)), None));
        let page = PagePlaces::of(walked(&[7], Some(3)), Start::After(at(8)), 2);
        assert_eq!((page.next, page.tired), (Some(at(3)), true));
        let page = PagePlaces::of(walked(&[], None), Start::After(at(8)), 2);
        assert_eq!((page.next, page.previous), (None, Some(at(8))));
    }
}
