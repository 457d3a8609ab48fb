use super::builders::*;
use crate::domain::{ArraySpec, Dependency, DependencyOn, Ending, EndingKind, Job, JobId, Phase, Timestamp};
use crate::store::search::{Counted, Found, JobSearch, SortBy, Span, Start, words};
use crate::store::{JobFilter, NewJob, Page, Store};

fn named(text: &str, user: &str, project: &str, at: i64) -> NewJob {
    let mut job = a_job().of(user, project);
    job.spec.name = text.into();
    job.submitted = Timestamp(at);
    job
}

/// Jobs of every sort, two of them of one moment. Ends rise against ids.
async fn populate(store: &dyn Store) -> Vec<Job> {
    let hour = 3_600_000;
    let at = |n: i64| 1_000 + n * hour;
    submit(store, named("Blast rna-seq", "ann", "default", at(0)).tagged(&["x", "y"])).await;
    let starting = submit(store, named("align", "bob", "rna", at(1)).tagged(&["x"])).await;
    start_now(store, starting, at(2)).await;
    let running = submit(store, named("blast", "ann", "rna", at(3)).tagged(&["x"])).await;
    run_now(store, running, at(4)).await;
    for (n, ending) in [Ending::Done, Ending::Failed, Ending::OutOfMemory, Ending::Done].into_iter().enumerate() {
        let n = n as i64;
        let user = if n == 1 { "bob" } else { "ann" };
        let mut job = named("blast of rna", user, "rna", at(5 + n)).tagged(&["x"]);
        job.spec.image = if n == 2 { "alpine".into() } else { "debian:stable".into() };
        let id = submit(store, job).await;
        run_now(store, id, at(6 + n)).await;
        // The last two end at one moment.
        end_now(store, id, ending, at(30 - n.min(2))).await;
        if n == 0 {
            archive_now(store, id, at(40)).await;
        }
    }
    let never_ran = submit(store, named("blast", "bob", "default", at(10))).await;
    end_now(store, never_ran, Ending::Killed, at(11)).await;
    let mut array = named("blast array", "ann", "rna", at(12)).tagged(&["array", "x"]);
    array.spec.array = Some(ArraySpec { first: 1, last: 2, step: 1, throttle: None });
    let parent = submit(store, array).await;
    end_now(store, JobId(parent.0 + 1), Ending::Done, at(20)).await;
    let mut after = named("after blast", "bob", "rna", at(13));
    after.spec.dependencies = [running, parent].map(|job| Dependency { job, on: DependencyOn::Any }).into();
    submit(store, after).await;
    store.list(&JobFilter { with_children: true, ..JobFilter::default() }, Page::ALL).await.expect("the store answers")
}

fn key(job: &Job, sort: SortBy) -> Option<i64> {
    match sort {
        SortBy::Submitted => Some(job.id.0 as i64),
        SortBy::Ended => job.state.outcome().map(|outcome| outcome.ended.0),
        SortBy::RunTime => job.state.ran(),
    }
}

fn matches(job: &Job, search: &JobSearch) -> bool {
    let within = |span: Span, at: Option<Timestamp>| {
        span.is_open()
            || at.is_some_and(|at| span.from.is_none_or(|from| at >= from) && span.until.is_none_or(|until| at < until))
    };
    let outcome = job.state.outcome();
    let ending = outcome.map(|outcome| EndingKind::from(outcome.ending));
    let state = search.is_of_any_state()
        || search.phases.contains(&job.state.phase())
        || ending.is_some_and(|ending| search.endings.contains(&ending));
    let named = words(&job.spec.name);
    let listed = match &search.node {
        Some(node) => !job.is_array_parent() && job.state.attempt().is_some_and(|attempt| attempt.node == *node),
        None => job.parent().is_none(),
    };
    listed
        && search.owner.as_ref().is_none_or(|user| job.owner.user == *user)
        && search.project.as_ref().is_none_or(|project| job.owner.project == *project)
        && state
        && search.tag.as_ref().is_none_or(|tag| job.spec.tags.contains(tag))
        && search.image.as_ref().is_none_or(|image| job.spec.image == *image)
        && search.depends_on.is_none_or(|id| job.spec.dependencies.iter().any(|needed| needed.job == id))
        && search.words.iter().all(|word| named.contains(word))
        && within(search.submitted, Some(job.submitted))
        && within(search.ended, outcome.map(|outcome| outcome.ended))
}

/// By hand, of all jobs.
fn expected(all: &[Job], search: &JobSearch) -> Vec<JobId> {
    let mut found: Vec<_> = all
        .iter()
        .filter(|job| matches(job, search))
        .filter_map(|job| Some((key(job, search.sort)?, job.id)))
        .collect();
    found.sort_unstable();
    if !search.ascending {
        found.reverse();
    }
    found.into_iter().map(|(_, id)| id).collect()
}

fn ids(found: &Found) -> Vec<JobId> {
    found.jobs.iter().map(|job| job.id).collect()
}

async fn find(store: &dyn Store, search: &JobSearch, start: Start, limit: usize) -> Found {
    store.search(search, start, limit).await.expect("the store answers")
}

pub async fn a_search_finds_what_matches_in_its_order(store: &dyn Store) {
    let all = populate(store).await;
    let mut met = 0;
    for search in searches() {
        let expected = expected(&all, &search);
        let found = find(store, &search, Start::First, 50).await;
        assert_eq!(ids(&found), expected, "{search:?}");
        assert_eq!((found.next, found.previous, found.tired), (None, None, false), "{search:?}");
        met += expected.len();
    }
    assert!(met > 100, "the searches find next to nothing: {met}");
}

pub async fn a_search_is_walked_page_by_page_both_ways(store: &dyn Store) {
    let all = populate(store).await;
    for sort in SortBy::ALL {
        for ascending in [false, true] {
            let search = JobSearch { sort, ascending, ..JobSearch::default() };
            let expected = expected(&all, &search);
            let (mut start, mut seen, mut pages) = (Start::First, Vec::new(), Vec::new());
            loop {
                let page = find(store, &search, start, 2).await;
                seen.extend(ids(&page));
                pages.push(page.clone());
                let Some(next) = page.next else { break };
                start = Start::After(next);
            }
            assert_eq!(seen, expected, "{search:?}");
            let mut before = pages.last().and_then(|page| page.previous);
            for earlier in pages.iter().rev().skip(1) {
                let page = find(store, &search, Start::Before(before.expect("there is a page before")), 2).await;
                assert_eq!(ids(&page), ids(earlier), "{search:?}");
                assert!(page.next.is_some());
                before = page.previous;
            }
            assert_eq!(before, None);
            let some = store.count_found(&search, 3).await.expect("the store answers");
            assert_eq!(some, Counted { jobs: 3, more: true });
            let counted = store.count_found(&search, 50).await.expect("the store answers");
            assert_eq!(counted, Counted { jobs: expected.len() as u64, more: false });
        }
    }
}

/// Also what a backend asks its database to explain.
pub(in crate::store) fn searches() -> Vec<JobSearch> {
    let mut searches = vec![JobSearch::default()];
    let at = |n: i64| Timestamp(1_000 + n * 3_600_000);
    let states: [(&[Phase], &[EndingKind]); 7] = [
        (&[], &[]),
        (&[Phase::Pending], &[]),
        (&[Phase::Starting, Phase::Running], &[EndingKind::Failed]),
        (&[], &[EndingKind::Done]),
        (&[], &[EndingKind::Failed, EndingKind::OutOfMemory, EndingKind::Killed]),
        (&[Phase::Over], &[EndingKind::Done]),
        (&[Phase::Running], &[]),
    ];
    let whose = [(None, None), (Some("ann"), None), (None, Some("rna")), (Some("ann"), Some("rna"))];
    for (phases, endings) in states {
        for (user, project) in whose {
            let (owner, project) = (user.map(name), project.map(name));
            let (phases, endings) = (phases.to_vec(), endings.to_vec());
            searches.push(JobSearch { owner, project, phases, endings, ..JobSearch::default() });
        }
    }
    let x = || JobSearch { tag: Some("x".into()), ..JobSearch::default() };
    let blast = || JobSearch { words: words("RNA blast"), ..JobSearch::default() };
    let narrowed = [
        x(),
        JobSearch { endings: vec![EndingKind::Failed], ..x() },
        blast(),
        JobSearch { phases: vec![Phase::Pending], ..blast() },
        JobSearch { image: Some("alpine".into()), ..blast() },
        JobSearch { image: Some("debian:stable".into()), tag: Some("y".into()), ..JobSearch::default() },
        JobSearch { depends_on: Some(JobId(3)), ..JobSearch::default() },
        JobSearch { depends_on: Some(JobId(3)), phases: vec![Phase::Pending], ..blast() },
        JobSearch { words: words("las"), ..JobSearch::default() },
        JobSearch { tag: Some("' OR 1 = 1 --".into()), ..JobSearch::default() },
        JobSearch { submitted: Span { from: Some(at(3)), until: Some(at(7)) }, ..JobSearch::default() },
        JobSearch { submitted: Span { from: Some(at(90)), until: None }, ..JobSearch::default() },
        JobSearch { ended: Span { from: Some(at(20)), until: Some(at(29)) }, ..JobSearch::default() },
        JobSearch { ended: Span { from: None, until: Some(at(28)) }, phases: vec![Phase::Pending], ..x() },
    ];
    for search in narrowed {
        for owner in [None, Some(name("ann"))] {
            for sort in [SortBy::Submitted, SortBy::Ended] {
                searches.push(JobSearch { owner: owner.clone(), sort, ..search.clone() });
            }
        }
    }
    let of_node = |node: &str| JobSearch { node: Some(node.into()), ..JobSearch::default() };
    searches.extend([
        of_node("n1"),
        of_node("n2"),
        JobSearch { owner: Some(name("ann")), ascending: true, ..of_node("n1") },
        JobSearch { endings: vec![EndingKind::Done], ..of_node("n1") },
        JobSearch { phases: Phase::ACTIVE.into(), project: Some("rna".parse().expect("a name")), ..of_node("n1") },
    ]);
    let of_one = |sort, ascending| JobSearch { owner: Some(name("ann")), sort, ascending, ..JobSearch::default() };
    for sort in SortBy::ALL {
        searches.extend([of_one(sort, true), of_one(sort, false)]);
        searches.push(JobSearch { project: Some(name("rna")), ..of_one(sort, true) });
        searches.push(JobSearch { owner: None, project: Some(name("rna")), ..of_one(sort, false) });
        searches.push(JobSearch { endings: vec![EndingKind::Done], ..of_one(sort, true) });
    }
    searches
}

pub async fn words_tags_and_images_are_found_however_they_change(store: &dyn Store) {
    let id = submit(store, named("Old name", "ann", "default", 1_000).tagged(&["x"])).await;
    let by = |text: &str| JobSearch { words: words(text), ..JobSearch::default() };
    let tagged = |tag: &str| JobSearch { tag: Some(tag.into()), ..JobSearch::default() };
    assert_eq!(ids(&find(store, &by("OLD"), Start::First, 5).await), [id]);
    let job = get(store, id).await;
    let mut spec = (*job.spec).clone();
    spec.name = "new name".into();
    spec.tags = vec!["z".into()];
    assert!(store.replace_spec(id, job.revision, spec).await.expect("the store answers"));
    for gone in [by("old"), tagged("x")] {
        assert_eq!(ids(&find(store, &gone, Start::First, 5).await), []);
    }
    for there in [by("new name"), tagged("z")] {
        assert_eq!(ids(&find(store, &there, Start::First, 5).await), [id]);
    }
    end_now(store, id, Ending::Done, 2_000).await;
    assert_eq!(ids(&find(store, &by("new"), Start::First, 5).await), [id]);
    assert!(store.remove(id).await.expect("the store answers"));
    assert_eq!(ids(&find(store, &by("new"), Start::First, 5).await), []);
}

pub async fn ends_are_told_newest_first(store: &dyn Store) {
    let all = populate(store).await;
    let rows = store.recent_ends(Timestamp(0), 100).await.expect("the store answers");
    assert!(rows.is_sorted_by(|one, other| one.ended >= other.ended));
    let ended = all.iter().filter(|job| job.state.outcome().is_some()).count();
    assert_eq!(rows.len(), ended, "a child of an array that is under way is among them");
    let killed = rows.iter().find(|row| row.ending == EndingKind::Killed).expect("one was killed");
    // `end_now` says that whatever it ends began ten milliseconds before.
    assert_eq!(killed.started, Some(Timestamp(killed.ended.0 - 10)));
    let since = rows[2].ended;
    let some = store.recent_ends(since, 2).await.expect("the store answers");
    assert_eq!(some, rows[..2]);
    let some = store.recent_ends(since, 100).await.expect("the store answers");
    assert!(some.len() >= 3 && some.iter().all(|row| row.ended >= since));
}
