//! What users may try against us. As root these run against another owner's files; unprivileged, what needs root is
//! passed over.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, Mode, OFlags, RenameFlags, mkfifoat, openat, renameat_with};

use super::beneath::open_by_steps;
use super::job_dirs::is_root;
use super::*;
use crate::domain::{Cores, Job, JobId, JobSpec, JobState, Memory, Owner, Place, ProjectId, Resources, Timestamp};

const ANN: u32 = 54_321;

/// A pending job that says `hello`, of somebody who is not root.
pub(crate) fn a_job(id: u64) -> Job {
    let (uid, gid) =
        if is_root() { (ANN, ANN) } else { (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw()) };
    Job {
        id: JobId(id),
        revision: 1,
        owner: Owner {
            user: "ann".parse().unwrap(),
            project: ProjectId::default_project(),
            uid,
            gid,
            groups: vec![],
            email: Some("ann@lab.example".into()),
        },
        spec: Arc::new(JobSpec {
            name: "hello".into(),
            description: String::new(),
            tags: vec![],
            image: "debian".into(),
            script: "#!/bin/sh\necho hello\n".into(),
            resources: Resources { cpu: Cores::whole(1), ram: Memory::gb(1), gpus: 0 },
            array: None,
            dependencies: vec![],
            labels: vec![],
            ports: vec![],
            retries: 0,
            executor: None,
            max_lifespan: None,
            volumes: vec![],
            network: true,
            root: false,
            notify_email: true,
            tmp_storage: None,
        }),
        submitted: Timestamp(0),
        place: Place::Single,
        state: JobState::Pending { since: Timestamp(0), attempts: 0 },
        request: None,
        failed_nodes: vec![],
    }
}

/// A site with one job directory made, and something outside that must stay as it is.
pub(super) struct Site {
    tmp: tempfile::TempDir,
    pub dirs: JobDirs,
    pub job: Job,
    pub task: PathBuf,
    pub victim: PathBuf,
}

impl Site {
    pub async fn new() -> Site {
        let tmp = tempfile::tempdir().unwrap();
        let victim = tmp.path().join("victim");
        std::fs::create_dir(&victim).unwrap();
        std::fs::write(victim.join("shadow"), "secret").unwrap();
        let dirs = JobDirs::new(tmp.path().join("shared"));
        let job = a_job(1234);
        let task = dirs.prepare(&job).await.unwrap().directory;
        Site { tmp, dirs, job, task, victim }
    }

    pub async fn open(&self) -> JobDirectory {
        self.dirs.open(self.job.id).await.unwrap()
    }

    async fn settle(&self) -> u64 {
        self.dirs.settle(&self.job).await.unwrap()
    }

    /// Without cmd.sh, which is always there.
    async fn settled_beyond_script(&self) -> u64 {
        self.settle().await - self.job.spec.script.len() as u64
    }

    pub fn victim_is_unharmed(&self) {
        let shadow = std::fs::metadata(self.victim.join("shadow")).unwrap();
        assert_eq!(shadow.uid(), nix::unistd::getuid().as_raw());
        assert_eq!(std::fs::read_to_string(self.victim.join("shadow")).unwrap(), "secret");
        assert_eq!(std::fs::metadata(&self.victim).unwrap().uid(), nix::unistd::getuid().as_raw());
    }
}

fn uid(path: impl AsRef<Path>) -> u32 {
    std::fs::symlink_metadata(path).unwrap().uid()
}

fn mode(path: impl AsRef<Path>) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

pub(super) fn fifo(path: &Path) {
    mkfifoat(CWD, path, Mode::from_raw_mode(0o666)).unwrap();
}

#[tokio::test]
async fn a_prepared_job_has_its_script_and_its_owner() {
    let site = Site::new().await;
    let place = site.task.parent().unwrap();
    assert!(site.task.ends_with("tasks/pairtree_root/12/34/task"));
    assert_eq!(std::fs::read_to_string(site.task.join("cmd.sh")).unwrap(), site.job.spec.script);
    assert_eq!((uid(&site.task), uid(site.task.join("cmd.sh"))), (site.job.owner.uid, site.job.owner.uid));
    assert_eq!((mode(site.task.join("cmd.sh")), mode(&site.task)), (0o755, 0o700));
    assert_eq!((uid(place), mode(place)), (nix::unistd::getuid().as_raw(), 0o755));
    assert_eq!((uid(place.join(".god")), mode(place.join(".god"))), (nix::unistd::getuid().as_raw(), 0o700));
    assert_eq!(std::fs::read_dir(place.join(".god")).unwrap().count(), 0, "no draft is left");
}

#[tokio::test]
async fn a_second_attempt_keeps_all_but_the_script() {
    let site = Site::new().await;
    std::fs::write(site.task.join("checkpoint"), "42").unwrap();
    std::fs::write(site.task.join("cmd.sh"), "changed").unwrap();
    std::fs::set_permissions(&site.task, std::fs::Permissions::from_mode(0o750)).unwrap();
    site.dirs.prepare(&site.job).await.unwrap();
    assert_eq!(std::fs::read_to_string(site.task.join("checkpoint")).unwrap(), "42");
    assert_eq!(std::fs::read_to_string(site.task.join("cmd.sh")).unwrap(), site.job.spec.script);
    assert_eq!(mode(&site.task), 0o750);
}

#[tokio::test]
async fn what_is_planted_as_script_is_replaced_and_never_written_through() {
    let site = Site::new().await;
    let script = site.task.join("cmd.sh");
    let shadow = site.victim.join("shadow");
    for what in ["link", "hard link", "fifo", "directory"] {
        std::fs::remove_file(&script).unwrap();
        match what {
            "link" => symlink(&shadow, &script).unwrap(),
            "hard link" => std::fs::hard_link(&shadow, &script).unwrap(),
            "fifo" => fifo(&script),
            _ => std::fs::create_dir_all(script.join("a/b")).unwrap(),
        }
        site.dirs.prepare(&site.job).await.unwrap();
        assert!(std::fs::symlink_metadata(&script).unwrap().is_file(), "{what}");
        assert_eq!(std::fs::read_to_string(&script).unwrap(), site.job.spec.script, "{what}");
        assert_eq!(mode(&shadow), 0o644, "{what}");
        site.victim_is_unharmed();
    }
}

#[tokio::test]
async fn a_link_out_opens_and_lists_nothing() {
    let site = Site::new().await;
    symlink("/etc/shadow", site.task.join("absolute")).unwrap();
    symlink("../../../../../../victim/shadow", site.task.join("relative")).unwrap();
    symlink(&site.victim, site.task.join("directory")).unwrap();
    symlink("/proc/self/root", site.task.join("magic")).unwrap();
    symlink("loop", site.task.join("loop")).unwrap();
    let dir = site.open().await;
    for path in ["absolute", "relative", "directory/shadow", "magic/etc/shadow", "loop"] {
        assert!(matches!(dir.open_file(path), Err(FileError::Outside)), "{path}");
        assert!(dir.list(path).is_err(), "{path}");
    }
    assert!(matches!(dir.list("directory"), Err(FileError::Outside)));
    let kinds: Vec<_> = dir.list("").unwrap().into_iter().map(|entry| (entry.name, entry.kind)).collect();
    assert!(kinds.contains(&("directory".into(), EntryKind::Link)), "{kinds:?}");
}

#[tokio::test]
async fn a_link_that_stays_inside_is_followed() {
    let site = Site::new().await;
    std::fs::create_dir(site.task.join("run1")).unwrap();
    std::fs::write(site.task.join("run1/out"), "fine").unwrap();
    symlink("run1", site.task.join("latest")).unwrap();
    let opened = site.open().await.open_file("latest/out").unwrap();
    assert_eq!((opened.size, std::io::read_to_string(opened.file).unwrap().as_str()), (4, "fine"));
}

#[tokio::test]
async fn paths_that_are_none_are_refused() {
    let site = Site::new().await;
    std::fs::create_dir(site.task.join("sub")).unwrap();
    let dir = site.open().await;
    for path in ["/etc/shadow", "a\0b", "sub//x", "//", "/"] {
        assert!(matches!(dir.open_file(path), Err(FileError::InvalidPath(_))), "{path:?}");
        assert!(matches!(dir.list(path), Err(FileError::InvalidPath(_))), "{path:?}");
    }
    for path in ["..", "../.god", "sub/../cmd.sh", "sub/../../x"] {
        assert!(matches!(dir.open_file(path), Err(FileError::Outside)), "{path:?}");
        assert!(matches!(dir.list(path), Err(FileError::Outside)), "{path:?}");
    }
    assert!(matches!(dir.open_file(&"x".repeat(5000)), Err(FileError::InvalidPath(_))));
    assert!(matches!(dir.open_file(""), Err(FileError::NotAFile)));
    assert!(matches!(dir.open_file("sub"), Err(FileError::NotAFile)));
    assert!(matches!(dir.open_file("none"), Err(FileError::NotFound)));
    assert!(matches!(dir.list("cmd.sh"), Err(FileError::NotFound)));
    assert!(dir.list("sub/").unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_regular_file_is_not_opened_and_does_not_block() {
    let site = Site::new().await;
    fifo(&site.task.join("fifo"));
    let _socket = std::os::unix::net::UnixListener::bind(site.task.join("socket")).unwrap();
    let dir = site.open().await;
    assert!(matches!(dir.open_file("fifo"), Err(FileError::NotAFile)));
    assert!(matches!(dir.open_file("socket"), Err(FileError::NotAFile)));
    assert_eq!(site.settled_beyond_script().await, 0);
    assert!(std::fs::symlink_metadata(site.task.join("fifo")).unwrap().file_type().is_fifo());
}

/// A device that answers whatever is read, and swallows whatever is written.
pub(super) fn device(path: &Path) -> bool {
    use nix::sys::stat::{Mode, SFlag, makedev, mknod};
    is_root() && mknod(path, SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), makedev(1, 5)).is_ok()
}

#[tokio::test]
async fn a_device_is_not_opened_nor_given_away_and_is_deleted() {
    let site = Site::new().await;
    if !device(&site.task.join("zero")) {
        return;
    }
    assert!(matches!(site.open().await.open_file("zero"), Err(FileError::NotAFile)));
    assert_eq!(site.settled_beyond_script().await, 0);
    assert_eq!(uid(site.task.join("zero")), 0, "a device is more than a file");
    site.dirs.remove(site.job.id).await.unwrap();
    assert!(!site.task.exists() && Path::new("/dev/zero").exists());
}

#[tokio::test]
async fn a_running_jobs_size_is_measured_without_touching_anything() {
    let site = Site::new().await;
    std::fs::create_dir(site.task.join("out")).unwrap();
    std::fs::write(site.task.join("out/result"), "12345").unwrap();
    symlink(&site.victim, site.task.join("out/link")).unwrap();
    let owner = uid(site.task.join("out/result"));
    let script = site.job.spec.script.len() as u64;
    assert_eq!(site.dirs.measure(site.job.id).await.unwrap(), 5 + script);
    assert_eq!(uid(site.task.join("out/result")), owner);
    assert_eq!(site.dirs.measure(JobId(77)).await.unwrap(), 0, "no directory takes nothing");
}

#[tokio::test]
async fn a_hard_link_to_anothers_file_is_neither_read_nor_given_away() {
    if !is_root() {
        return;
    }
    let site = Site::new().await;
    std::fs::hard_link(site.victim.join("shadow"), site.task.join("mine")).unwrap();
    assert!(matches!(site.open().await.open_file("mine"), Err(FileError::Outside)));
    site.settle().await;
    site.victim_is_unharmed();
    site.dirs.remove(site.job.id).await.unwrap();
    site.victim_is_unharmed();
}

#[tokio::test]
async fn the_walk_by_steps_follows_no_link_at_all() {
    let site = Site::new().await;
    std::fs::create_dir_all(site.task.join("a/b")).unwrap();
    std::fs::write(site.task.join("a/b/out"), "fine").unwrap();
    symlink("a", site.task.join("inside")).unwrap();
    symlink("/etc/passwd", site.task.join("out")).unwrap();
    let dir = site.open().await;
    let open = |path| open_by_steps(std::os::fd::AsFd::as_fd(&*dir.fd), path, OFlags::RDONLY | OFlags::NONBLOCK);
    assert!(open("a/b/out").is_ok() && open("cmd.sh").is_ok() && open(".").is_ok());
    assert!(open("inside/b/out").is_err());
    assert!(matches!(open("out"), Err(FileError::Outside)));
}

#[tokio::test]
async fn settling_gives_the_owner_what_lies_inside_and_nothing_else() {
    if !is_root() {
        return;
    }
    let site = Site::new().await;
    std::fs::create_dir_all(site.task.join("out/deep")).unwrap();
    std::fs::write(site.task.join("out/deep/result"), "12345").unwrap();
    symlink(site.victim.join("shadow"), site.task.join("out/file")).unwrap();
    symlink(&site.victim, site.task.join("out/directory")).unwrap();
    assert_eq!(site.settled_beyond_script().await, 5);
    for path in ["out", "out/deep", "out/deep/result", "out/file"] {
        assert_eq!(uid(site.task.join(path)), ANN, "{path}");
    }
    site.victim_is_unharmed();
}

#[tokio::test]
async fn a_size_counts_each_file_once() {
    let site = Site::new().await;
    std::fs::write(site.task.join("data"), "12345").unwrap();
    std::fs::hard_link(site.task.join("data"), site.task.join("again")).unwrap();
    assert_eq!(site.settled_beyond_script().await, 5);
    assert_eq!(site.dirs.settle(&a_job(77)).await.unwrap(), 0, "no directory takes nothing");
}

#[tokio::test]
async fn names_that_are_no_text_are_listed_all_the_same() {
    use std::os::unix::ffi::OsStrExt;
    let site = Site::new().await;
    std::fs::write(site.task.join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "").unwrap();
    let names: Vec<_> = site.open().await.list("").unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["caf\u{fffd}", "cmd.sh"]);
}

#[tokio::test]
async fn removing_leaves_nothing_and_can_be_done_again() {
    let site = Site::new().await;
    let neighbour = a_job(12);
    let kept = site.dirs.prepare(&neighbour).await.unwrap().directory;
    symlink(&site.victim, site.task.join("link")).unwrap();
    std::fs::create_dir_all(site.task.join("a/b/c")).unwrap();
    std::fs::write(site.task.parent().unwrap().join(".god/status"), "0").unwrap();
    site.dirs.remove(site.job.id).await.unwrap();
    site.dirs.remove(site.job.id).await.unwrap();
    site.victim_is_unharmed();
    let root = site.tmp.path().join("shared/tasks/pairtree_root");
    assert!(!root.join("12/34").exists() && kept.join("cmd.sh").exists());
    site.dirs.remove(neighbour.id).await.unwrap();
    assert!(!root.join("12").exists() && root.exists());
    assert!(matches!(site.dirs.open(neighbour.id).await, Err(FileError::NotFound)));
}

#[tokio::test]
async fn a_removal_cut_short_is_finished_by_the_next() {
    let site = Site::new().await;
    let place = site.task.parent().unwrap();
    std::fs::create_dir_all(place.join(".god/task/left")).unwrap();
    site.dirs.remove(site.job.id).await.unwrap();
    assert!(!place.exists());
}

#[tokio::test]
async fn a_tree_deeper_than_any_path_is_settled_and_removed() {
    let site = Site::new().await;
    let mut here = openat(CWD, &site.task, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    let name = "d".repeat(20);
    for _ in 0..2000 {
        rustix::fs::mkdirat(&here, &name, Mode::from_raw_mode(0o755)).unwrap();
        here = openat(&here, &name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    let bottom = openat(&here, "bottom", OFlags::WRONLY | OFlags::CREATE, Mode::from_raw_mode(0o644)).unwrap();
    rustix::io::write(&bottom, b"deep").unwrap();
    assert_eq!(site.settled_beyond_script().await, 4);
    assert_eq!(rustix::fs::fstat(&bottom).unwrap().st_uid, site.job.owner.uid);
    site.dirs.remove(site.job.id).await.unwrap();
    assert!(!site.task.exists());
}

/// A small file system mounted for a test; `None` where we may not mount.
pub(super) struct Tmpfs(PathBuf);

impl Tmpfs {
    pub fn at(path: &Path) -> Option<Tmpfs> {
        let flags = nix::mount::MsFlags::empty();
        match nix::mount::mount(Some("tmpfs"), path, Some("tmpfs"), flags, Some("size=64k")) {
            Ok(()) => Some(Tmpfs(path.to_owned())),
            Err(error) => {
                eprintln!("not tested, no mount: {error}");
                None
            }
        }
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = nix::mount::umount2(&self.0, nix::mount::MntFlags::MNT_DETACH);
    }
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_and_leaves_no_half_written_script() {
    let tmp = tempfile::tempdir().unwrap();
    let Some(_mounted) = Tmpfs::at(tmp.path()) else { return };
    let dirs = JobDirs::new(tmp.path().to_owned());
    let mut job = a_job(1);
    let mut spec = JobSpec::clone(&job.spec);
    spec.script = "x".repeat(200_000);
    job.spec = Arc::new(spec);
    assert!(matches!(dirs.prepare(&job).await, Err(FileError::DiskFull)));
    assert!(!dirs.directory_of(job.id).join("cmd.sh").exists());
    dirs.prepare(&a_job(1)).await.unwrap();
}

#[tokio::test]
async fn what_is_mounted_in_a_job_directory_is_not_touched() {
    let site = Site::new().await;
    std::fs::create_dir(site.task.join("mounted")).unwrap();
    let Some(mounted) = Tmpfs::at(&site.task.join("mounted")) else { return };
    std::fs::write(site.task.join("mounted/precious"), "12345").unwrap();
    assert_eq!(site.settled_beyond_script().await, 0);
    assert_eq!(uid(site.task.join("mounted/precious")), 0);
    assert!(site.dirs.remove(site.job.id).await.is_err());
    // Where the removal had moved it.
    let moved = site.task.parent().unwrap().join(".god/task/mounted");
    assert_eq!(std::fs::read_to_string(moved.join("precious")).unwrap(), "12345");
    let _ = nix::mount::umount2(&moved, nix::mount::MntFlags::MNT_DETACH);
    drop(mounted);
    site.dirs.remove(site.job.id).await.unwrap();
}

/// Swaps `a` and `b` without end until told to stop.
pub(super) fn swap_without_end(a: PathBuf, b: PathBuf, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<u64> {
    std::thread::spawn(move || {
        let mut swaps = 0;
        while !stop.load(Ordering::Relaxed) {
            swaps += u64::from(renameat_with(CWD, &a, CWD, &b, RenameFlags::EXCHANGE).is_ok());
        }
        swaps
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_swapped_for_a_link_meanwhile_leads_nowhere() {
    let site = Site::new().await;
    let (a, b) = (site.task.join("swap"), site.task.join("link"));
    symlink(&site.victim, &b).unwrap();
    std::fs::create_dir(&a).unwrap();
    for name in ["shadow", "x", "y", "z"] {
        std::fs::create_dir_all(a.join("in").join(name)).unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = swap_without_end(a, b, Arc::clone(&stop));
    for _ in 0..300 {
        site.settle().await;
        let dir = site.open().await;
        assert!(dir.open_file("swap/shadow").is_err());
        if let Ok(entries) = dir.list("swap") {
            assert!(entries.iter().all(|entry| entry.name == "in"));
        }
    }
    // Removal moves the directory out of the swapper's reach first.
    site.dirs.remove(site.job.id).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    assert!(swapper.join().unwrap() > 0);
    site.victim_is_unharmed();
}

/// The same against the deletion alone, with a swapper that holds on to the tree.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_raced_by_swaps_deletes_nothing_outside() {
    for _ in 0..100 {
        let site = Site::new().await;
        let (a, b) = (site.task.join("swap"), site.task.join("link"));
        symlink(&site.victim, &b).unwrap();
        std::fs::create_dir_all(a.join("in/deeper")).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let swapper = swap_without_end(a, b, Arc::clone(&stop));
        let place = openat(CWD, site.task.parent().unwrap(), OFlags::RDONLY, Mode::empty()).unwrap();
        let _ = remove::delete_tree(std::os::fd::AsFd::as_fd(&place), "task");
        stop.store(true, Ordering::Relaxed);
        swapper.join().unwrap();
        site.victim_is_unharmed();
    }
}

/// A directory that leaves the tree while we are in it: `..` then leads outside.
#[test]
fn the_way_back_is_not_taken_when_it_leads_elsewhere() {
    let tmp = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(tmp.path().join("task/a")).unwrap();
    std::fs::create_dir(tmp.path().join("outside")).unwrap();
    let top = openat(CWD, tmp.path().join("task"), OFlags::RDONLY, Mode::empty()).unwrap();
    let mut cursor = cursor::Cursor::at(top).unwrap();
    cursor.down(c"a".to_owned()).unwrap();
    std::fs::rename(tmp.path().join("task/a"), tmp.path().join("outside/a")).unwrap();
    assert!(matches!(cursor.up().unwrap(), cursor::Up::Lost));
}

#[tokio::test(flavor = "multi_thread")]
async fn preparing_and_removing_neighbours_at_once_loses_none() {
    let tmp = tempfile::tempdir().unwrap();
    let dirs = JobDirs::new(tmp.path().join("shared"));
    let (a, b) = (a_job(12), a_job(1234));
    for _ in 0..200 {
        dirs.prepare(&b).await.unwrap();
        let (made, removed) = tokio::join!(dirs.prepare(&a), dirs.remove(b.id));
        removed.unwrap();
        assert!(made.unwrap().directory.join("cmd.sh").exists());
        dirs.remove(a.id).await.unwrap();
    }
}

#[tokio::test]
async fn directories_of_jobs_that_nobody_knows_are_found() {
    let site = Site::new().await;
    let beyond = async |given| site.dirs.last_beyond(JobId(given)).await.unwrap().map(|id| id.0);
    assert_eq!((beyond(1234).await, beyond(1233).await), (None, Some(1234)));
    site.dirs.prepare(&a_job(1240)).await.unwrap();
    assert_eq!((beyond(1240).await, beyond(1234).await), (None, Some(1240)));
    // Behind a gap, as the jobs of an array that never began leave it.
    let far = a_job(130_002);
    site.dirs.prepare(&far).await.unwrap();
    assert_eq!((beyond(130_002).await, beyond(130_001).await), (None, Some(130_002)));
    for _ in 0..2 {
        assert_eq!(beyond(1240).await, Some(130_999));
        // A thousand that nobody knows may have had any job.
        site.dirs.remove(far.id).await.unwrap();
    }
    assert_eq!(JobDirs::new("/nowhere".into()).last_beyond(JobId(0)).await.unwrap(), None);
}

#[tokio::test]
async fn another_users_directory_is_given_to_nobody() {
    if !is_root() {
        return;
    }
    let site = Site::new().await;
    std::fs::write(site.task.join("mine"), "ann's").unwrap();
    let mut job = site.job.clone();
    job.owner.uid = ANN + 1;
    let refused = site.dirs.prepare(&job).await.unwrap_err();
    assert!(matches!(refused, FileError::AnothersDirectory { uid: ANN }), "{refused}");
    assert_eq!(std::fs::metadata(&site.task).unwrap().uid(), ANN);
    // One that a crash left before it was given.
    std::os::unix::fs::chown(&site.task, Some(0), Some(0)).unwrap();
    site.dirs.prepare(&job).await.unwrap();
    assert_eq!(std::fs::metadata(&site.task).unwrap().uid(), ANN + 1);
}
