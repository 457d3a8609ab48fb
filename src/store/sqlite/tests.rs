//! What is SQLite's own: the conformance suite runs here too.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::domain::{JobState, Timestamp};
use crate::store::conformance::{self, a_job};
use crate::store::search::{Cursor, SortBy, Walk, words};
use crate::store::{JobOrder, Store, StoreError};

fn a_file() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("godocker.db");
    (directory, path)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_passes_the_conformance_suite() {
    let directory = TempDir::new().unwrap();
    let made = std::sync::atomic::AtomicUsize::new(0);
    conformance::run(async || {
        let n = made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        SqliteStore::open(&directory.path().join(format!("{n}.db"))).unwrap() as Arc<dyn Store>
    })
    .await;
}

#[tokio::test]
async fn a_reopened_store_has_everything() {
    let (_directory, path) = a_file();
    let store = SqliteStore::open(&path).unwrap();
    let id = store.submit(a_job()).await.unwrap().id;
    store.put_setting("k", "v").await.unwrap();
    let before = store.job(id).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.job(id).await.unwrap(), before);
    assert_eq!(store.setting("k").await.unwrap().as_deref(), Some("v"));
    assert!(store.submit(a_job()).await.unwrap().id > id);
}

/// What is on the disk at any moment after an answer is what a process killed then leaves.
#[tokio::test]
async fn a_killed_process_loses_nothing_it_answered() {
    let (directory, path) = a_file();
    let store = SqliteStore::open(&path).unwrap();
    let id = store.submit(a_job()).await.unwrap().id;
    let left = directory.path().join("left.db");
    for suffix in ["", "-wal"] {
        std::fs::copy(format!("{}{suffix}", path.display()), format!("{}{suffix}", left.display())).unwrap();
    }
    let after = SqliteStore::open(&left).unwrap();
    assert_eq!(after.job(id).await.unwrap(), store.job(id).await.unwrap());
}

#[tokio::test]
async fn its_files_are_its_owners_alone() {
    let (directory, path) = a_file();
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    store.submit(a_job()).await.unwrap();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[test]
fn a_newer_schema_is_left_alone() {
    let (_directory, path) = a_file();
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteStore::open(&path).err().unwrap();
    assert!(matches!(error, StoreError::TooNew { found: 99, known: 7 }), "{error}");
}

#[test]
fn another_sort_of_file_is_said_to_be_corrupt() {
    let (_directory, path) = a_file();
    std::fs::write(&path, "this is no database at all, whatever its name may say".repeat(40)).unwrap();
    assert!(matches!(SqliteStore::open(&path).err().unwrap(), StoreError::Corrupt { .. }));
    assert!(matches!(SqliteStore::open(&path.join("no/such")).err().unwrap(), StoreError::Unavailable(_)));
}

#[tokio::test]
async fn one_failing_write_takes_no_other_with_it() {
    let (_directory, path) = a_file();
    let store = SqliteStore::open(&path).unwrap();
    let (open, gate) = std::sync::mpsc::channel::<()>();
    // Holds the writer until the others have queued up behind it, to be one group.
    let blocker = store.writer.write(move |_| {
        let _ = gate.recv();
        Ok(())
    });
    let failing = store.writer.write(|c| {
        people::put_setting(c, "failing", "1")?;
        Ok(c.execute("INSERT INTO jobs (id) VALUES (1)", [])?)
    });
    let panicking = store.writer.write(|c| -> Result<()> {
        people::put_setting(c, "panicking", "1")?;
        panic!("on purpose")
    });
    let fine = store.put_setting("fine", "1");
    let opens = async move { drop(open) };
    let (first, failed, panicked, fine, ()) = tokio::join!(blocker, failing, panicking, fine, opens);
    first.unwrap();
    assert!(failed.is_err() && panicked.is_err());
    fine.unwrap();
    for (key, there) in [("failing", false), ("panicking", false), ("fine", true)] {
        assert_eq!(store.setting(key).await.unwrap().is_some(), there, "{key}");
    }
}

#[tokio::test]
async fn a_full_database_is_said_to_be_and_recovers() {
    let (_directory, path) = a_file();
    let store = SqliteStore::open(&path).unwrap();
    let pages = |count: i64| store.writer.write(move |c| Ok(c.pragma_update(None, "max_page_count", count)?));
    pages(1).await.unwrap();
    let kept = store.submit(a_job()).await;
    let mut big = a_job();
    big.spec.script = "x".repeat(1 << 20);
    let full = store.submit(big.clone()).await;
    assert!(matches!(full, Err(StoreError::DiskFull)), "{full:?}");
    let filter = JobFilter::default();
    assert_eq!(store.count(&filter).await.unwrap(), u64::from(kept.is_ok()));
    pages(1 << 30).await.unwrap();
    store.submit(big).await.unwrap();
    assert_eq!(store.count(&filter).await.unwrap(), 1 + u64::from(kept.is_ok()));
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_and_recovers() {
    let directory = TempDir::new().unwrap();
    let Some(disk) = SmallDisk::mount(directory.path()) else {
        eprintln!("skipped: this user may not mount a small disk");
        return;
    };
    let store = SqliteStore::open(&disk.0.join("godocker.db")).unwrap();
    let id = store.submit(a_job()).await.unwrap().id;
    let ballast = disk.0.join("ballast");
    let _ = std::fs::write(&ballast, vec![0_u8; 64 << 20]);
    let mut big = a_job();
    big.spec.script = "x".repeat(1 << 20);
    let full = store.submit(big.clone()).await;
    assert!(matches!(full, Err(StoreError::DiskFull)), "{full:?}");
    assert!(store.job(id).await.unwrap().is_some());
    std::fs::remove_file(ballast).unwrap();
    store.submit(big).await.unwrap();
    assert_eq!(store.count(&JobFilter::default()).await.unwrap(), 2);
}

#[tokio::test]
async fn a_member_has_the_default_project_and_their_own() {
    let (_directory, path) = a_file();
    let store = SqliteStore::open(&path).unwrap();
    let mut rna = Project { id: "rna".parse().unwrap(), priority: 70, ..Project::default_project() };
    let mut dna = Project { id: "dna".parse().unwrap(), owner: Some("ann".parse().unwrap()), ..rna.clone() };
    let (first, second) = (rna.clone(), dna.clone());
    let members = "INSERT INTO project_members (project, user) VALUES ('rna', 'ann'), ('rna', 'bob'), ('dna', 'ann')";
    let write = move |c: &Connection| {
        for project in [&first, &second] {
            let body = row::to_json("a project", project)?;
            c.execute("INSERT INTO projects (id, body) VALUES (?1, ?2)", [project.id.as_str(), &body])?;
        }
        Ok(c.execute(members, [])?)
    };
    store.writer.write(write).await.unwrap();
    rna.members = vec!["ann".parse().unwrap(), "bob".parse().unwrap()];
    dna.members = vec!["ann".parse().unwrap()];
    let anns = store.projects_of(&"ann".parse().unwrap()).await.unwrap();
    assert_eq!(anns, [Project::default_project(), dna.clone(), rna.clone()]);
    assert_eq!(store.projects_of(&"bob".parse().unwrap()).await.unwrap(), [Project::default_project(), rna]);
    assert_eq!(store.project(&dna.id).await.unwrap(), Some(dna));
}

/// A tmpfs of some megabytes, where the tests may mount one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        use nix::mount::{MsFlags, mount};
        mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::empty(), Some("size=8m")).ok()?;
        Some(SmallDisk(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = nix::mount::umount2(&self.0, nix::mount::MntFlags::MNT_DETACH);
    }
}

/// How SQLite would go about it. Values make no difference: there are no statistics.
fn plan(connection: &Connection, sql: &str) -> String {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = explain.raw_query();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        lines.push(row.get::<_, String>(3).unwrap());
    }
    lines.join("\n")
}

/// A `SCAN` that names an index walks just that index: every row of it may be an answer.
fn scans_a_table(plan: &str) -> bool {
    plan.lines().any(|line| line.starts_with("SCAN ") && !line.contains("INDEX"))
}

#[test]
fn no_list_of_parents_scans_all_jobs() {
    let (_directory, path) = a_file();
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    for filter in conformance::combinations(JobId(5)) {
        let (sql, _) = list::list_query(&filter, Page::first(25));
        let plan = plan(&connection, &sql);
        // Walking everything, children too, is what reconciliation asks: in the order of ids it is the table itself.
        let walks_everything = filter.with_children && filter.tag.is_none() && plan.starts_with("SCAN jobs");
        assert!(walks_everything || !scans_a_table(&plan), "{filter:?}\n{plan}");
    }
}

#[test]
fn what_one_job_needs_touches_only_its_own_rows() {
    let (_directory, path) = a_file();
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    let mut queries = vec![list::children_query(), list::PENDING.into(), ledger::OF_USER.into()];
    queries.extend([ledger::OF_PROJECT.into(), ledger::BY_PAIR.into()]);
    queries.extend([(true, false), (true, true), (false, true), (false, false)].map(|(u, p)| ledger::rows_query(u, p)));
    queries.extend([terms::OF, terms::TAKE, terms::RAISE, templates::OF, templates::OTHERS].map(String::from));
    queries.extend([search::FIRST_SINCE, list::RECENT_ENDS].map(String::from));
    queries.extend(request::queries());
    queries.extend(submit::replace_queries());
    queries.extend(submit::REMOVE.map(String::from));
    queries.extend(submit::JOB_AND_CHILDREN.map(submit::untally_query));
    for sql in queries {
        let plan = plan(&connection, &sql);
        assert!(!plan.contains("SCAN"), "{sql}\n{plan}");
        assert!(!plan.contains("jobs_active ") || sql == list::PENDING, "{sql}\n{plan}");
    }
}

#[test]
fn first_pages_are_read_from_an_index_in_its_order() {
    let (_directory, path) = a_file();
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    let (over, active) = (vec![Phase::Over, Phase::Archived], Phase::ACTIVE.to_vec());
    for (phases, order) in [
        (over.clone(), JobOrder::EndedDescending),
        (active, JobOrder::IdDescending),
        (over, JobOrder::IdDescending),
        (vec![], JobOrder::IdDescending),
    ] {
        for (owner, project) in [(None, None), (Some("ann"), None), (None, Some("rna")), (Some("ann"), Some("rna"))] {
            let filter = JobFilter {
                phases: phases.clone(),
                order,
                owner: owner.map(|user| user.parse().unwrap()),
                project: project.map(|project| project.parse().unwrap()),
                ..JobFilter::default()
            };
            let (sql, _) = list::list_query(&filter, Page::first(25));
            let plan = plan(&connection, &sql);
            assert!(!plan.contains("TEMP B-TREE"), "{filter:?}\n{plan}");
        }
    }
}

#[test]
fn a_search_walks_indices_in_their_order() {
    let (_directory, path) = a_file();
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    let cursor = Cursor { key: 5, id: JobId(5) };
    for search in conformance::searches() {
        for start in [Start::First, Start::After(cursor), Start::Before(cursor)] {
            let walk = Walk::of(&search, start, 25);
            let Some((sql, _)) = search::walk_query(&search, walk, (Some(1), Some(9))) else { continue };
            let plan = plan(&connection, &sql);
            assert!(!plan.contains("TEMP B-TREE"), "{search:?}\n{sql}\n{plan}");
            assert!(!scans_a_table(&plan), "{search:?}\n{sql}\n{plan}");
        }
    }
}

#[tokio::test]
async fn large_arrays_and_batches_are_written_whole() {
    let (_directory, path) = a_file();
    let store = SqliteStore::open(&path).unwrap();
    let mut array = a_job();
    array.spec.array = Some(crate::domain::ArraySpec { first: 1, last: 20_000, step: 1, throttle: None });
    let submitted = store.submit(array).await.unwrap();
    assert_eq!(submitted.children, 20_000);
    let rows = store.pending(JobId(0), usize::MAX).await.unwrap();
    assert_eq!(rows.len(), 20_000);
    let state = JobState::Running {
        attempt: crate::domain::Attempt {
            number: 1,
            executor: "native".into(),
            node: "n".into(),
            container: None,
            digest: None,
            ports: vec![],
        },
        started: Timestamp(5),
        suspended: false,
    };
    let changes = rows.iter().map(|row| Change {
        id: row.id,
        expect: row.revision,
        state: state.clone(),
        request: None,
        failed_nodes: vec![],
        charge: None,
    });
    let applied = store.commit(changes.collect()).await.unwrap();
    assert!(applied.iter().all(|applied| matches!(applied, Applied::Done { .. })));
    let running = JobFilter { phases: vec![Phase::Running], with_children: true, ..JobFilter::default() };
    assert_eq!(store.count(&running).await.unwrap(), 20_001);
}

#[tokio::test]
async fn what_the_first_release_wrote_is_taken_over() {
    let (_directory, path) = a_file();
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("schema/1.sql")).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    for (id, active) in [("ann", true), ("bob", false)] {
        let body = format!(
            r#"{{"id":"{id}","uid":5,"gid":60,"groups":[7],"email":null,"home":"/home/x","admin":true,"active":{active},"kind":"local",
            "password_hash":null,"api_key_hash":"ab","ssh_public":null,"priority":50,
            "quotas":{{"time":1,"cpu":2,"ram":3}},"created":9}}"#
        );
        old.execute("INSERT INTO users (id, body) VALUES (?1, ?2)", [id, &body]).unwrap();
    }
    let spec = serde_json::to_string(&a_job().spec).unwrap();
    old.execute("INSERT INTO specs (id, body) VALUES (1, ?1)", [spec]).unwrap();
    let outcome = r#""ending":{"rejected":"quota"},"exit_code":null,"started":40,"ended":100,"attempt":null,"disk_bytes":0,"reason":null"#;
    old.execute(
        "INSERT INTO jobs (id, spec, revision, phase, state, ended, user, project, uid, gid, gids, submitted, cpu_millis,
             ram_bytes, gpus) VALUES (1, 1, 5, 4, ?1, 100, 'ann', 'default', 1, 1, '[]', 30, 1, 1, 0)",
        [format!(r#"{{"phase":"archived","outcome":{{{outcome}}},"at":200}}"#)],
    )
    .unwrap();
    drop(old);
    let store = SqliteStore::open(&path).unwrap();
    let rejected = JobSearch {
        endings: vec![crate::domain::EndingKind::Rejected],
        words: words("BLAST"),
        sort: SortBy::RunTime,
        ..JobSearch::default()
    };
    assert_eq!(store.search(&rejected, Start::First, 5).await.unwrap().jobs.len(), 1);
    assert_eq!(store.recent_ends(Timestamp(0), 5).await.unwrap()[0].started, Some(Timestamp(40)));
    let users = store.users().await.unwrap();
    use crate::domain::Standing;
    assert_eq!(users.iter().map(|user| user.standing).collect::<Vec<_>>(), [Standing::Active, Standing::Disabled]);
    assert_eq!((users[0].quotas.cpu, users[0].quotas.gpu, users[0].revision), (2, 0, 1));
    let put = AccountChange::PutUser(Box::new(users[0].clone()));
    assert_eq!(store.change(vec![put], Vec::new()).await.unwrap(), Changed::Done);
    assert_eq!(store.disk_use().await.unwrap(), []);
}
