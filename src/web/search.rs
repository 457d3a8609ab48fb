//! Looking through jobs: what a query says, as a search of those jobs that the caller may see.

use serde::{Deserialize, Serialize};

use super::Site;
use super::access::Caller;
use super::error::{ApiError, FieldFault};
use super::words::{Message, says};
use crate::domain::{EndingKind, JobId, Phase, ProjectId, Timestamp, UserId, Zone};
use crate::store::search::{Counted, Cursor, Found, JobSearch, SortBy, Span, Start, words};

/// Jobs of a page unless asked otherwise, and at most.
const JOBS: usize = 50;
const MOST_JOBS: usize = 1_000;
/// As far as it is counted.
pub const COUNTED: usize = 1_000;
/// Whose jobs: everyone's that the caller may see.
const EVERYONE: &str = "*";

/// A list's query, as links and forms have it. All of it is optional; an empty text says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// Phases (`pending`, `starting`, `running`, `over`, `archived`) and endings (`done`, `failed`, `killed`,
    /// `out_of_memory`, `time_limit`, `node_failure`, `rejected`), divided by commas; `active` is the first three
    /// phases, `unsuccessful` every ending but `done`.
    #[serde(skip_serializing_if = "is_empty")]
    pub state: Option<String>,
    /// A user's name, or `*` for everyone. Nothing: the caller's own, or everyone's of a project that is shared.
    #[serde(skip_serializing_if = "is_empty")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "is_empty")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "is_empty")]
    pub tag: Option<String>,
    #[serde(skip_serializing_if = "is_empty")]
    pub image: Option<String>,
    /// The id of a job: those that wait, or waited, for it.
    #[serde(skip_serializing_if = "is_empty")]
    pub depends_on: Option<String>,
    /// A node's name: the jobs that are, or were last, on it, an array's by themselves. Not beside `tag`, `image`, `q`
    /// and `depends_on`, and in the order of ids.
    #[serde(skip_serializing_if = "is_empty")]
    pub node: Option<String>,
    /// Words of the name, in any case.
    #[serde(skip_serializing_if = "is_empty")]
    pub q: Option<String>,
    /// Days (`2026-11-23`, in the caller's time zone; `until` ends with its day) or Unix seconds.
    #[serde(skip_serializing_if = "is_empty")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "is_empty")]
    pub until: Option<String>,
    #[serde(skip_serializing_if = "is_empty")]
    pub ended_from: Option<String>,
    #[serde(skip_serializing_if = "is_empty")]
    pub ended_until: Option<String>,
    /// `submitted`, `ended` or `run_time`; with `-` before it, the oldest or shortest first.
    #[serde(skip_serializing_if = "is_empty")]
    pub sort: Option<String>,
    #[serde(skip_serializing_if = "is_empty")]
    pub limit: Option<String>,
    /// Cursors of an earlier answer.
    #[serde(skip_serializing_if = "is_empty")]
    pub after: Option<String>,
    #[serde(skip_serializing_if = "is_empty")]
    pub before: Option<String>,
}

fn is_empty(text: &Option<String>) -> bool {
    said(text).is_none()
}

fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

impl Query {
    /// The search of what the caller may see.
    ///
    /// # Errors
    /// Every field at fault; 403 for other people's jobs.
    pub fn search(&self, caller: &Caller) -> Result<JobSearch, ApiError> {
        let mut faults = Vec::new();
        let zone = caller.user.preferences.zone.as_ref();
        let (phases, endings) = kept(&mut faults, "state", states(said(&self.state)));
        let project: Option<ProjectId> = kept(&mut faults, "project", name(said(&self.project)));
        let named: Option<UserId> = match said(&self.user) {
            None | Some(EVERYONE) => None,
            user => kept(&mut faults, "user", name(user)),
        };
        let mut span = |from, until, text: (&Option<String>, &Option<String>)| Span {
            from: kept(&mut faults, from, moment(said(text.0), false, zone)),
            until: kept(&mut faults, until, moment(said(text.1), true, zone)),
        };
        let submitted = span("from", "until", (&self.from, &self.until));
        let ended = span("ended_from", "ended_until", (&self.ended_from, &self.ended_until));
        let (sort, ascending) = kept(&mut faults, "sort", order(said(&self.sort)));
        let words = words(said(&self.q).unwrap_or_default());
        if words.is_empty() && said(&self.q).is_some() {
            faults.push(FieldFault::new("q", says("fault-search-words")));
        }
        let depends_on: Option<JobId> = kept(&mut faults, "depends_on", job(said(&self.depends_on)));
        let node = said(&self.node).map(str::to_owned);
        if node.is_some() {
            let not_beside = [
                ("tag", said(&self.tag).is_some()),
                ("image", said(&self.image).is_some()),
                ("q", said(&self.q).is_some()),
                ("depends_on", depends_on.is_some()),
                ("sort", sort != SortBy::Submitted),
            ];
            let set = not_beside.into_iter().filter(|(_, set)| *set);
            faults.extend(set.map(|(field, _)| FieldFault::new(field, says("fault-not-beside-node"))));
        }
        if !faults.is_empty() {
            return Err(ApiError::Invalid(faults));
        }
        let owner = whose(caller, said(&self.user) == Some(EVERYONE), named, project.as_ref())?;
        let text = |text| said(text).map(str::to_owned);
        let (tag, image) = (text(&self.tag), text(&self.image));
        Ok(JobSearch {
            owner,
            project,
            phases,
            endings,
            tag,
            image,
            depends_on,
            node,
            words,
            submitted,
            ended,
            sort,
            ascending,
        })
    }

    /// Where the page begins.
    ///
    /// # Errors
    /// What is no cursor.
    pub fn start(&self) -> Result<Start, ApiError> {
        let cursor =
            |field: &str, text: &str| text.parse::<Cursor>().map_err(|_| ApiError::field(field, says("fault-cursor")));
        match (said(&self.after), said(&self.before)) {
            (None, None) => Ok(Start::First),
            (Some(after), None) => cursor("after", after).map(Start::After),
            (None, Some(before)) => cursor("before", before).map(Start::Before),
            (Some(_), Some(_)) => Err(ApiError::field("before", says("fault-cursors"))),
        }
    }

    /// How many jobs the page holds.
    ///
    /// # Errors
    /// What is no such number.
    pub fn limit(&self) -> Result<usize, ApiError> {
        let Some(text) = said(&self.limit) else { return Ok(JOBS) };
        let limit = text.parse().ok().filter(|limit| (1..=MOST_JOBS).contains(limit));
        limit.ok_or_else(|| ApiError::field("limit", says("fault-limit").set("most", MOST_JOBS)))
    }

    /// The same list from elsewhere on, as a link's query without `?`.
    pub fn link(&self, start: Start) -> String {
        let (after, before) = match start {
            Start::First => (None, None),
            Start::After(cursor) => (Some(cursor.to_string()), None),
            Start::Before(cursor) => (None, Some(cursor.to_string())),
        };
        let query = Query { after, before, ..self.clone() };
        // Every field is a text or left out, which a query can always hold.
        serde_urlencoded::to_string(query).unwrap_or_default()
    }
}

/// A page of the list.
///
/// # Errors
/// Of the query, or the store's.
pub async fn page(site: &Site, caller: &Caller, query: &Query) -> Result<Found, ApiError> {
    let (search, start, limit) = (query.search(caller)?, query.start()?, query.limit()?);
    Ok(site.store.search(&search, start, limit).await?)
}

/// How many there are, up to [`COUNTED`].
///
/// # Errors
/// Of the query, or the store's.
pub async fn count(site: &Site, caller: &Caller, query: &Query) -> Result<Counted, ApiError> {
    Ok(site.store.count_found(&query.search(caller)?, COUNTED).await?)
}

/// The owner to ask for; `None` is everyone, where the caller may see that.
fn whose(
    caller: &Caller,
    everyone: bool,
    named: Option<UserId>,
    project: Option<&ProjectId>,
) -> Result<Option<UserId>, ApiError> {
    let may_see_all = caller.is_admin() || project.is_some_and(|project| caller.shares(project));
    match named {
        Some(user) if user == *caller.id() || may_see_all => Ok(Some(user)),
        None if everyone && may_see_all => Ok(None),
        None if everyone => Err(others()),
        None if project.is_some_and(|project| caller.shares(project)) => Ok(None),
        None => Ok(Some(caller.id().clone())),
        Some(_) => Err(others()),
    }
}

fn others() -> ApiError {
    ApiError::Forbidden(says("fault-others-jobs"))
}

fn kept<T: Default>(faults: &mut Vec<FieldFault>, field: &str, read: Result<T, Message>) -> T {
    read.unwrap_or_else(|message| {
        faults.push(FieldFault::new(field, message));
        T::default()
    })
}

fn name<T: std::str::FromStr<Err: Into<Message>>>(text: Option<&str>) -> Result<Option<T>, Message> {
    text.map(str::parse).transpose().map_err(T::Err::into)
}

fn job(text: Option<&str>) -> Result<Option<JobId>, Message> {
    text.map(str::parse).transpose().map_err(|_| says("fault-job-id-needed"))
}

const PHASES: [Phase; 5] = [Phase::Pending, Phase::Starting, Phase::Running, Phase::Over, Phase::Archived];

type States = (Vec<Phase>, Vec<EndingKind>);

fn states(text: Option<&str>) -> Result<States, Message> {
    let (mut phases, mut endings) = States::default();
    for word in text.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|word| !word.is_empty()) {
        let phase = PHASES.into_iter().find(|phase| phase.as_str() == word);
        let ending = EndingKind::ALL.into_iter().find(|ending| ending.as_str() == word);
        match (word, phase, ending) {
            ("active", ..) => phases.extend(Phase::ACTIVE),
            ("unsuccessful", ..) => {
                endings.extend(EndingKind::ALL.into_iter().filter(|kind| *kind != EndingKind::Done))
            }
            (_, Some(phase), _) => phases.push(phase),
            (_, _, Some(ending)) => endings.push(ending),
            _ => {
                let known = PHASES.map(Phase::as_str).into_iter().chain(EndingKind::ALL.map(EndingKind::as_str));
                let known: Vec<_> = ["active", "unsuccessful"].into_iter().chain(known).collect();
                return Err(says("fault-expected").set("what", known.join(", ")));
            }
        }
    }
    phases.sort_unstable();
    phases.dedup();
    endings.sort_unstable();
    endings.dedup();
    Ok((phases, endings))
}

/// The first moment of a day, or that of the next one; or just this moment.
pub fn moment(text: Option<&str>, ends_day: bool, zone: Option<&Zone>) -> Result<Option<Timestamp>, Message> {
    let expected = || says("fault-moment");
    let Some(text) = text else { return Ok(None) };
    if let Ok(seconds) = text.parse::<f64>() {
        let millis = seconds * 1000.0;
        return if millis.abs() < 1e15 { Ok(Some(Timestamp(millis as i64))) } else { Err(expected()) };
    }
    let day: jiff::civil::Date = text.parse().map_err(|_| expected())?;
    let day = if ends_day { day.tomorrow().map_err(|_| expected())? } else { day };
    let zone = zone.map_or(jiff::tz::TimeZone::UTC, Zone::time_zone);
    let begins = day.to_zoned(zone).map_err(|_| expected())?;
    Ok(Some(Timestamp(begins.timestamp().as_millisecond())))
}

fn order(text: Option<&str>) -> Result<(SortBy, bool), Message> {
    let Some(text) = text else { return Ok((SortBy::default(), false)) };
    let (ascending, named) = text.strip_prefix('-').map_or((false, text), |named| (true, named));
    let sort = SortBy::ALL.into_iter().find(|sort| sort.as_str() == named);
    sort.map(|sort| (sort, ascending)).ok_or_else(|| says("fault-order"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::User;
    use crate::store::sqlite::testing::a_user;
    use crate::web::access::By;

    fn caller(admin: bool, shared: &[&str]) -> Caller {
        let user = User { admin, ..a_user("ann") };
        let shared = shared.iter().map(|project| project.parse().unwrap()).collect();
        Caller { user, scope: crate::domain::Scope::Read, by: By::Token, address: None, shared }
    }

    fn query(text: &str) -> Query {
        serde_urlencoded::from_str(text).unwrap()
    }

    #[test]
    fn others_jobs_are_seen_where_one_may() {
        let owner = |text: &str, caller: &Caller| query(text).search(caller).map(|search| search.owner).ok();
        let ann = Some("ann".parse().unwrap());
        let (user, member, admin) = (caller(false, &[]), caller(false, &["rna"]), caller(true, &[]));
        for (text, expected) in [
            ("", [Some(ann.clone()), Some(ann.clone()), Some(ann.clone())]),
            ("user=*", [None, None, Some(None)]),
            ("user=bob", [None, None, Some(Some("bob".parse().unwrap()))]),
            ("user=ann&project=rna", [Some(ann.clone()), Some(ann.clone()), Some(ann.clone())]),
            ("project=rna", [Some(ann.clone()), Some(None), Some(ann.clone())]),
            ("project=rna&user=*", [None, Some(None), Some(None)]),
            ("project=dna&user=*", [None, None, Some(None)]),
        ] {
            assert_eq!([&user, &member, &admin].map(|caller| owner(text, caller)), expected, "{text}");
        }
    }

    #[test]
    fn every_fault_is_named() {
        let faults =
            query("state=gone&from=x&ended_until=2026-02-30&sort=name&q=--&project=a%20b").search(&caller(true, &[]));
        let Err(ApiError::Invalid(faults)) = faults else { panic!("{faults:?}") };
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["state", "project", "from", "ended_until", "sort", "q"]);
        let beside = query("node=n1&tag=x&q=y&image=z&depends_on=1&sort=ended").search(&caller(true, &[]));
        let Err(ApiError::Invalid(faults)) = beside else { panic!("{beside:?}") };
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["tag", "image", "q", "depends_on", "sort"]);
        assert!(query("depends_on=x").search(&caller(true, &[])).is_err());
        for bad in ["limit=0", "limit=x", "limit=1001"] {
            assert!(query(bad).limit().is_err(), "{bad}");
        }
        assert!(query("after=1-2&before=1-2").start().is_err() && query("after=zz").start().is_err());
    }

    #[test]
    fn a_day_is_one_of_the_callers_zone() {
        let zone = Zone::named("America/New_York");
        let at = |text, ends| moment(Some(text), ends, zone.as_ref()).unwrap().unwrap().0 / 1000;
        assert_eq!(at("2026-11-23", false), 1_795_410_000);
        assert_eq!(at("2026-11-23", true), 1_795_410_000 + 86_400);
        assert_eq!(at("1795410000", true), 1_795_410_000);
    }

    #[test]
    fn a_link_says_what_the_query_said() {
        let asked = query("state=failed,active&tag=a%26b&q=&limit=20&after=5-6");
        let link = asked.link(Start::Before(Cursor { key: 7, id: crate::domain::JobId(8) }));
        assert_eq!(link, "state=failed%2Cactive&tag=a%26b&limit=20&before=7-8");
        let search = asked.search(&caller(true, &[])).unwrap();
        assert_eq!((search.phases.len(), search.endings), (3, vec![EndingKind::Failed]));
    }
}
