use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::store::sqlite::testing::a_user;

const UID: u32 = 60_123;

struct Site {
    tmp: tempfile::TempDir,
    spaces: UploadSpaces,
}

impl Site {
    fn new() -> Self {
        let tmp = tempfile::tempdir().unwrap();
        Site { spaces: UploadSpaces::new(&tmp.path().join("shared")), tmp }
    }

    async fn space(&self, quota: u64) -> UploadSpace {
        let mut user = User { uid: UID, gid: UID, ..a_user("ann") };
        user.quotas.upload = Some(quota);
        self.spaces.open(&user).await.unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.tmp.path().join("shared/data/ann").join(name)
    }

    fn parts(&self) -> usize {
        std::fs::read_dir(self.tmp.path().join("shared/data/.parts/ann")).unwrap().count()
    }
}

fn put(space: &UploadSpace, path: &str, bytes: &[u8]) -> Result<u64, FileError> {
    let mut upload = space.create(path)?;
    upload.write(bytes)?;
    upload.finish()
}

#[tokio::test]
async fn what_is_uploaded_is_the_users_and_nobody_elses() {
    let site = Site::new();
    let space = site.space(0).await;
    space.make_directory("in").unwrap();
    assert_eq!(put(&space, "in/a.txt", b"hello").unwrap(), 5);
    for (name, mode) in [("", 0o700), ("in", 0o700), ("in/a.txt", 0o600)] {
        let meta = std::fs::symlink_metadata(site.path(name)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, mode, "{name:?}");
        if is_root() {
            assert_eq!((meta.uid(), meta.gid()), (UID, UID), "{name:?}");
        }
    }
    let names: Vec<_> = space.list("in").unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["a.txt"]);
    space.rename("in/a.txt", "b.txt").unwrap();
    assert_eq!(space.look("b.txt").unwrap().size, 5);
    assert!(matches!(space.look("in/a.txt"), Err(FileError::NotFound)));
    space.remove_directory("in").unwrap();
    space.remove_file("b.txt").unwrap();
    assert_eq!(space.list("").unwrap().len(), 0);
}

#[tokio::test]
async fn a_file_takes_its_name_when_it_is_whole() {
    let site = Site::new();
    let space = site.space(0).await;
    put(&space, "a", b"old").unwrap();
    let mut upload = space.create("a").unwrap();
    upload.write(b"new and longer").unwrap();
    assert_eq!(std::fs::read(site.path("a")).unwrap(), b"old");
    assert_eq!(site.parts(), 1);
    drop(upload);
    assert_eq!((std::fs::read(site.path("a")).unwrap().as_slice(), site.parts()), (b"old".as_slice(), 0));
    put(&space, "a", b"new").unwrap();
    assert_eq!(std::fs::read(site.path("a")).unwrap(), b"new");
}

#[tokio::test]
async fn a_file_is_gone_on_with_where_it_ends() {
    let site = Site::new();
    let space = site.space(10).await;
    put(&space, "a", b"12345").unwrap();
    let mut upload = space.append("a", 5, true).unwrap();
    upload.write(b"678").unwrap();
    assert_eq!(upload.finish().unwrap(), 8);
    assert!(matches!(space.append("a", 7, true), Err(FileError::OtherSize { size: 8 })));
    assert!(matches!(space.append("a", 9, false), Err(FileError::OtherSize { size: 8 })));
    // What does not fit leaves what was there.
    let mut upload = space.append("a", 8, true).unwrap();
    upload.write(b"9").unwrap();
    assert!(matches!(upload.write(b"012"), Err(FileError::OverQuota { used: 9, quota: 10 })));
    drop(upload);
    assert_eq!(std::fs::read(site.path("a")).unwrap(), b"12345678");
    let mut upload = space.append("a", 2, false).unwrap();
    upload.write(b"xy").unwrap();
    upload.finish().unwrap();
    assert_eq!(std::fs::read(site.path("a")).unwrap(), b"12xy");
    assert_eq!(space.used().unwrap(), 4);
}

#[tokio::test]
async fn nothing_is_written_beyond_the_quota_however_many_write_at_once() {
    let site = Site::new();
    let space = site.space(1_000_000).await;
    put(&space, "there", &[0; 100_000]).unwrap();
    let threads: Vec<_> = (0..16)
        .map(|n| {
            let space = space.clone();
            std::thread::spawn(move || {
                let mut upload = space.create(&format!("file{n}"))?;
                for _ in 0..10 {
                    upload.write(&[1; 10_000])?;
                }
                upload.finish()
            })
        })
        .collect();
    let done = threads.into_iter().map(|thread| thread.join().unwrap()).filter(Result::is_ok).count();
    let kept: u64 = space.list("").unwrap().iter().map(|entry| entry.size).sum();
    assert!(done >= 1 && kept <= 1_000_000 && kept == 100_000 + done as u64 * 100_000, "{done} {kept}");
    assert_eq!((site.parts(), space.used().unwrap()), (0, kept));
    // All of it can be used.
    let rest = 1_000_000 - usize::try_from(kept).unwrap();
    put(&space, "rest", &vec![2; rest]).unwrap();
    assert!(matches!(put(&space, "more", b"1"), Err(FileError::OverQuota { .. })));
    space.remove_file("rest").unwrap();
    put(&space, "more", &vec![2; rest]).unwrap();
}

#[tokio::test]
async fn what_others_receive_counts_and_what_the_dead_left_does_not() {
    let site = Site::new();
    let parts = site.tmp.path().join("shared/data/.parts/ann");
    site.space(0).await;
    std::fs::write(parts.join("elsewhere:1:0"), [0; 70]).unwrap();
    std::fs::write(parts.join(measure::part_name(0).replace(&std::process::id().to_string(), "4194305")), [0; 500])
        .unwrap();
    let space = site.space(100).await;
    assert_eq!(space.used().unwrap(), 70);
    assert_eq!(site.parts(), 1);
    assert!(matches!(put(&space, "a", &[0; 31]), Err(FileError::OverQuota { .. })));
    put(&space, "a", &[0; 30]).unwrap();
}

#[tokio::test]
async fn nothing_leads_out() {
    let site = Site::new();
    let space = site.space(0).await;
    let secret = site.tmp.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    std::fs::create_dir(site.tmp.path().join("shared/data/ben")).unwrap();
    std::fs::write(site.tmp.path().join("shared/data/ben/theirs"), "theirs").unwrap();
    symlink(&secret, site.path("link")).unwrap();
    symlink("../ben", site.path("up")).unwrap();
    symlink("/", site.path("root")).unwrap();
    std::fs::create_dir(site.path("own")).unwrap();
    std::fs::write(site.path("own/file"), "own").unwrap();
    symlink("own", site.path("inner")).unwrap();
    std::fs::hard_link(&secret, site.path("hard")).unwrap();
    for path in [
        "../ben/theirs",
        "/etc/passwd",
        "link",
        "up/theirs",
        "root/etc/passwd",
        "own/../../ben/theirs",
        "inner/file",
        "hard",
    ] {
        assert!(space.open_file(path).is_err() || (path == "hard" && !is_root()), "{path} is read");
        assert!(space.append(path, 0, false).is_err(), "{path} is gone on with");
    }
    for path in ["../x", "up/x", "root/tmp/god-upload-test", "inner/x", "/tmp/x", "", ".", "a\nb", "no/such/place"] {
        assert!(put(&space, path, b"x").is_err(), "{path:?} is written");
        assert!(space.make_directory(path).is_err(), "{path:?} is made");
        assert!(space.rename("own/file", path).is_err(), "{path:?} is renamed to");
        assert!(space.remove_all(path).is_err(), "{path:?} is deleted");
    }
    for path in ["up", "root", "inner"] {
        assert!(space.list(path).is_err(), "{path} is listed");
    }
    // A link itself may go, and be replaced.
    put(&space, "link", b"a file now").unwrap();
    for path in ["up", "root", "inner", "link", "hard"] {
        space.remove_all(path).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "secret");
    assert!(site.path("../ben/theirs").exists() && site.path("own/file").exists());
}

#[tokio::test]
async fn a_directory_that_becomes_a_link_while_we_work_leads_nowhere() {
    let site = Site::new();
    let space = site.space(0).await;
    let outside = site.tmp.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("kept"), "kept").unwrap();
    let (dir, aside) = (site.path("d"), site.path("aside"));
    std::fs::create_dir(&dir).unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let swapper = std::thread::spawn({
        let (dir, outside, stop) = (dir.clone(), outside.clone(), Arc::clone(&stop));
        move || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                std::fs::rename(&dir, &aside).unwrap();
                symlink(&outside, &dir).unwrap();
                std::fs::remove_file(&dir).unwrap();
                std::fs::rename(&aside, &dir).unwrap();
            }
        }
    });
    let mut written = 0;
    let until = std::time::Instant::now() + Duration::from_millis(700);
    while std::time::Instant::now() < until {
        written += u32::from(put(&space, "d/new", b"x").is_ok());
        let _ = space.remove_file("d/kept");
        let _ = space.remove_all("d/kept");
        let _ = space.rename("d/new", "d/newer");
        let _ = space.make_directory("d/sub");
        assert!(space.open_file("d/kept").is_err());
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    swapper.join().unwrap();
    let names: Vec<_> = std::fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["kept"]);
    assert!(written > 0);
}

#[tokio::test]
async fn a_stream_that_breaks_off_can_be_gone_on_with() {
    let site = Site::new();
    let space = site.space(0).await;
    let cut = || breaks_off_after(b"half");
    let silence = Duration::from_millis(50);
    let error = receive(space.create("a").unwrap(), cut(), silence, Cut::KeepIfNew).await.unwrap_err();
    assert!(matches!(error, ReceiveError::Cut(_)), "{error}");
    assert_eq!(std::fs::read(site.path("a")).unwrap(), b"half");
    // What is there already stays whole, unless that is not wanted.
    put(&space, "b", b"whole").unwrap();
    receive(space.create("b").unwrap(), cut(), silence, Cut::KeepIfNew).await.unwrap_err();
    assert_eq!(std::fs::read(site.path("b")).unwrap(), b"whole");
    receive(space.create("b").unwrap(), cut(), silence, Cut::Keep).await.unwrap_err();
    assert_eq!(std::fs::read(site.path("b")).unwrap(), b"half");
    let rest = receive(space.append("a", 4, true).unwrap(), &b" and half"[..], silence, Cut::KeepIfNew);
    assert_eq!(rest.await.unwrap(), 13);
    let large = vec![7; 3 * 1024 * 1024 + 17];
    let size = receive(space.create("large").unwrap(), large.as_slice(), silence, Cut::Keep).await.unwrap();
    assert!(size == large.len() as u64 && std::fs::read(site.path("large")).unwrap() == large);
}

/// Gives these bytes, and then nothing for ever.
fn breaks_off_after(bytes: &'static [u8]) -> impl tokio::io::AsyncRead + Unpin {
    use tokio::io::AsyncWriteExt;
    let (mut near, far) = tokio::io::duplex(1024);
    tokio::spawn(async move {
        near.write_all(bytes).await.unwrap();
        std::future::pending::<()>().await;
    });
    far
}

#[tokio::test]
async fn a_space_goes_with_its_user() {
    let site = Site::new();
    let space = site.space(0).await;
    let user: UserId = "ann".parse().unwrap();
    put(&space, "a", b"x").unwrap();
    assert_eq!(site.spaces.existing(&user).await, Some(site.path("")));
    site.spaces.remove(&user).unwrap();
    site.spaces.remove(&user).unwrap();
    assert_eq!(site.spaces.existing(&user).await, None);
}
