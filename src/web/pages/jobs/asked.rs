//! What the address of a list says.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::{EndingKind, JobId, Phase};
use crate::store::search::Start;
use crate::web::search::Query;

/// Arrays that are open at once.
const MOST_OPEN: usize = 5;
/// Jobs of a page, to choose from.
pub const SIZES: [usize; 3] = [25, 50, 75];

/// Which jobs by their state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Which {
    /// What is not over: the list as it opens.
    #[default]
    Active,
    Over,
    Any,
    /// Phases and endings, as [`Query::state`] has them.
    Of(Vec<String>),
}

pub const ACTIVE: [Phase; 3] = Phase::ACTIVE;

impl Which {
    /// `None`: the address does not say it.
    fn of(words: &[&str]) -> Option<Which> {
        let said: Vec<&str> = words.iter().flat_map(|words| words.split(',')).map(str::trim).collect();
        let known: Vec<&str> = said.iter().copied().filter(|word| !word.is_empty() && *word != "any").collect();
        let is = |all: &[&str]| known.len() == all.len() && all.iter().all(|word| known.contains(word));
        match known[..] {
            [] if said.contains(&"any") => Some(Which::Any),
            [] => None,
            ["active"] => Some(Which::Active),
            _ if is(&ACTIVE.map(Phase::as_str)) => Some(Which::Active),
            _ if is(&["over", "archived"]) || is(&EndingKind::ALL.map(EndingKind::as_str)) => Some(Which::Over),
            _ => Some(Which::Of(known.into_iter().map(str::to_owned).collect())),
        }
    }

    /// As a query has it; `None` is any.
    fn words(&self) -> Option<String> {
        match self {
            Which::Active => Some("active".to_owned()),
            Which::Over => Some("over,archived".to_owned()),
            Which::Any => None,
            Which::Of(words) => Some(words.join(",")),
        }
    }

    /// Whether the box of this phase or ending is ticked.
    pub fn has(&self, word: &str) -> bool {
        match self {
            Which::Active => ACTIVE.iter().any(|phase| phase.as_str() == word),
            Which::Over => EndingKind::ALL.iter().any(|ending| ending.as_str() == word),
            Which::Any => false,
            Which::Of(words) => words.iter().any(|said| said == word),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub which: Which,
    /// The rest; its `state` is not set.
    pub rest: Query,
    /// Arrays whose jobs are shown beneath them.
    pub open: Vec<JobId>,
    /// What was done to how many, and how many could not.
    pub told: Option<(String, u64, u64)>,
}

impl Asked {
    /// Fields that no list has are passed over, so that old links lead somewhere.
    pub fn of(pairs: &[(String, String)]) -> Asked {
        let all = |name: &str| -> Vec<&str> {
            pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
        };
        let one = |name: &str| {
            all(name).last().map(|value| value.trim()).filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let number = |name: &str| one(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        let flag = |name: &str| one(name).as_deref() == Some("1");
        let which = Which::of(&all("state"));
        let open = one("open").unwrap_or_default();
        Asked {
            which: which.unwrap_or(if flag("over") { Which::Over } else { Which::Active }),
            rest: Query {
                state: None,
                user: one("user").or_else(|| flag("all").then(|| "*".to_owned())),
                project: one("project"),
                tag: one("tag"),
                image: one("image"),
                depends_on: one("depends_on"),
                node: one("node"),
                q: one("q"),
                from: one("from"),
                until: one("until"),
                ended_from: one("ended_from"),
                ended_until: one("ended_until"),
                sort: one("sort"),
                // A longer page would be too heavy for a phone.
                limit: one("limit").filter(|size| SIZES.iter().any(|known| known.to_string() == *size)),
                after: one("after"),
                before: one("before"),
            },
            open: open.split(',').filter_map(|id| id.parse().ok()).take(MOST_OPEN).collect(),
            told: one("did").map(|what| (what, number("n"), number("no"))),
        }
    }

    /// What is searched for. What is over is sorted by its end unless another order was chosen
    /// (a node's jobs have none).
    pub fn query(&self) -> Query {
        let by_end = self.which == Which::Over && self.rest.node.is_none();
        let sort = self.rest.sort.clone().or_else(|| by_end.then(|| "ended".to_owned()));
        Query { state: self.which.words(), sort, ..self.rest.clone() }
    }

    /// The list's address from `start` on, below the prefix.
    pub fn link(&self, start: Start) -> String {
        let state = match &self.which {
            Which::Active => String::new(),
            Which::Over => "over=1".to_owned(),
            Which::Any => "state=any".to_owned(),
            // A word that no state has is told with the list.
            Which::Of(words) => format!("state={}", utf8_percent_encode(&words.join(","), NON_ALPHANUMERIC)),
        };
        let rest = self.rest.link(start);
        let parts: Vec<String> = [state, rest].into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { "/jobs".to_owned() } else { format!("/jobs?{}", parts.join("&")) }
    }

    /// The list from its beginning.
    pub fn first(&self) -> String {
        self.link(Start::First)
    }

    /// The page as it is, with the jobs of `array` shown, or hidden when they are.
    pub fn toggled(&self, array: JobId, start: Start) -> String {
        let shown = self.open.contains(&array);
        let mut open: Vec<JobId> = self.open.iter().copied().filter(|open| *open != array).collect();
        if !shown {
            open.push(array);
        }
        let link = self.link(start);
        let ids: Vec<String> = open.iter().rev().take(MOST_OPEN).map(ToString::to_string).collect();
        if ids.is_empty() {
            return link;
        }
        let sign = if link.contains('?') { '&' } else { '?' };
        format!("{link}{sign}open={}", ids.join(","))
    }

    /// Another choice of states. An order and dates that only what is over has would find nothing among the others.
    pub fn among(&self, which: Which) -> Asked {
        let rest = Query { sort: None, ended_from: None, ended_until: None, ..self.rest.clone() };
        Asked { which, rest, open: Vec::new(), told: None }
    }

    /// The same list of other people's jobs.
    pub fn of_whom(&self, user: Option<&str>, project: Option<&str>) -> Asked {
        let rest = Query { user: user.map(str::to_owned), project: project.map(str::to_owned), ..self.rest.clone() };
        Asked { which: self.which.clone(), rest, open: Vec::new(), told: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        Asked::of(&serde_urlencoded::from_str::<Vec<(String, String)>>(query).unwrap())
    }

    #[test]
    fn an_address_reads_back() {
        for link in [
            "/jobs",
            "/jobs?over=1",
            "/jobs?state=any&q=rna",
            "/jobs?state=failed%2Cpending&user=ann&tag=a%26b&limit=25",
            "/jobs?over=1&after=5-6",
        ] {
            let read = asked(link.split_once('?').map_or("", |(_, query)| query));
            let start = match &read.rest.after {
                Some(cursor) => Start::After(cursor.parse().unwrap()),
                None => Start::First,
            };
            assert_eq!(read.link(start), link);
        }
    }

    #[test]
    fn ticked_boxes_are_the_view_that_they_make() {
        assert_eq!(asked("state=any").which, Which::Any);
        assert_eq!(asked("").which, Which::Active);
        assert_eq!(asked("state=any&state=running&state=pending&state=starting").which, Which::Active);
        let endings: Vec<_> = EndingKind::ALL.iter().map(|ending| format!("state={}", ending.as_str())).collect();
        assert_eq!(asked(&endings.join("&")).which, Which::Over);
        let some = asked("state=any&state=failed");
        assert_eq!(some.which, Which::Of(vec!["failed".to_owned()]));
        assert_eq!(some.query().state.as_deref(), Some("failed"));
    }

    #[test]
    fn an_array_opens_and_closes() {
        let closed = asked("over=1");
        let link = closed.toggled(JobId(7), Start::First);
        assert_eq!(link, "/jobs?over=1&open=7");
        assert_eq!(asked("over=1&open=7").toggled(JobId(7), Start::First), "/jobs?over=1");
    }

    #[test]
    fn what_is_over_comes_by_its_end_unless_it_is_said() {
        assert_eq!(asked("over=1").query().sort.as_deref(), Some("ended"));
        assert_eq!(asked("over=1&sort=-submitted").query().sort.as_deref(), Some("-submitted"));
        let active = asked("over=1&sort=ended&tag=x").among(Which::Active);
        assert_eq!((active.query().sort, active.first().as_str()), (None, "/jobs?tag=x"));
    }
}
