//! What is packed, what is not, and what a job may try meanwhile.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Format;
use crate::files::JobDirectory;
use crate::files::tests::{Site, Tmpfs, device, fifo, swap_without_end};

const BOTH: [Format; 2] = [Format::Tar, Format::Zip];

fn packed(directory: &JobDirectory, format: Format, most: Option<u64>) -> Vec<u8> {
    let mut out = Vec::new();
    directory.tree("").unwrap().pack(format, "job-7", most, &mut out).unwrap();
    out
}

/// Files by path; of directories the path with a slash, of links `-> target`.
fn unpacked(format: Format, archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    match format {
        Format::Tar => {
            let mut archive = ::tar::Archive::new(archive);
            let entries = archive.entries().unwrap().map(|entry| {
                let mut entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                let mut content = Vec::new();
                match entry.link_name().unwrap() {
                    Some(target) => content = format!("-> {}", target.display()).into_bytes(),
                    None => drop(entry.read_to_end(&mut content).unwrap()),
                }
                (path, content)
            });
            entries.collect()
        }
        Format::Zip => {
            let mut archive = ::zip::ZipArchive::new(Cursor::new(archive)).unwrap();
            let entries = (0..archive.len()).map(|index| {
                let mut entry = archive.by_index(index).unwrap();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                (entry.name().unwrap().into_owned(), content)
            });
            entries.collect()
        }
    }
}

fn note(files: &BTreeMap<String, Vec<u8>>) -> String {
    files.get("job-7.left-out.txt").map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default()
}

#[tokio::test]
async fn everything_is_in_it_however_long_its_name() {
    let site = Site::new().await;
    let long = "long name ".repeat(20);
    let deep = PathBuf::from(&long).join(&long).join("ünï");
    std::fs::create_dir_all(site.task.join(&deep)).unwrap();
    std::fs::create_dir(site.task.join("empty")).unwrap();
    std::fs::write(site.task.join(&deep).join("out"), "fine").unwrap();
    std::fs::write(site.task.join("large"), vec![7; 3_000_001]).unwrap();
    std::fs::write(site.task.join("nothing"), "").unwrap();
    let directory = site.open().await;
    for format in BOTH {
        let files = unpacked(format, &packed(&directory, format, None));
        let out = format!("job-7/{}/out", deep.display());
        assert_eq!(files[&out], b"fine", "{format:?}");
        assert_eq!(files["job-7/cmd.sh"], site.job.spec.script.as_bytes());
        assert!(files["job-7/large"] == vec![7; 3_000_001] && files["job-7/nothing"].is_empty());
        assert!(files.contains_key("job-7/empty/") && note(&files).is_empty(), "{:?}", files.keys());
    }
    let tree = directory.tree("").unwrap();
    assert_eq!(tree.measure().unwrap(), 3_000_001 + 4 + site.job.spec.script.len() as u64);
    let mut part = Vec::new();
    directory.tree("empty").unwrap().pack(Format::Tar, "empty", None, &mut part).unwrap();
    assert_eq!(unpacked(Format::Tar, &part).into_keys().collect::<Vec<_>>(), ["empty/"]);
    assert!(directory.tree("cmd.sh").is_err() && directory.tree("none").is_err() && directory.tree("..").is_err());
}

#[tokio::test]
async fn what_is_not_the_jobs_own_is_left_out_and_said() {
    let site = Site::new().await;
    let secret = site.victim.join("shadow");
    symlink(&secret, site.task.join("link")).unwrap();
    symlink(&site.victim, site.task.join("folder")).unwrap();
    fifo(&site.task.join("fifo"));
    let _socket = std::os::unix::net::UnixListener::bind(site.task.join("socket")).unwrap();
    let as_root = device(&site.task.join("zero"));
    if as_root {
        std::fs::hard_link(&secret, site.task.join("mine")).unwrap();
    }
    std::fs::create_dir(site.task.join("mounted")).unwrap();
    let mounted = Tmpfs::at(&site.task.join("mounted"));
    if mounted.is_some() {
        std::fs::write(site.task.join("mounted/precious"), "secret").unwrap();
    }
    let directory = site.open().await;
    for format in BOTH {
        let archive = packed(&directory, format, None);
        let files = unpacked(format, &archive);
        assert!(files.values().all(|content| !content.starts_with(b"secret")), "{format:?}");
        let note = note(&files);
        let mut left_out = vec!["fifo", "socket"];
        left_out.extend(as_root.then_some(["zero", "mine"]).into_iter().flatten());
        left_out.extend(mounted.as_ref().map(|_| "mounted"));
        left_out.extend((format == Format::Zip).then_some(["link", "folder"]).into_iter().flatten());
        for name in &left_out {
            assert!(note.contains(&format!("job-7/{name}: ")), "{format:?} {name}: {note}");
        }
        assert_eq!(note.lines().count(), 2 + left_out.len(), "{note}");
        if format == Format::Tar {
            assert_eq!(files["job-7/link"], format!("-> {}", secret.display()).into_bytes());
        }
    }
    drop(mounted);
    site.victim_is_unharmed();
}

#[tokio::test]
async fn names_that_are_no_text_or_of_another_system_do_no_harm() {
    use std::os::unix::ffi::OsStrExt;
    let site = Site::new().await;
    for name in [&b"caf\xe9"[..], b"caf\xe8", b"C:\\evil", b"..\\up", b"a\nb", b"-rf"] {
        std::fs::write(site.task.join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
    }
    fifo(&site.task.join("one\nline"));
    let directory = site.open().await;
    let files = unpacked(Format::Zip, &packed(&directory, Format::Zip, None));
    assert!(files.contains_key("job-7/caf\u{fffd}") && files.contains_key("job-7/.._up"), "{:?}", files.keys());
    assert!(note(&files).contains("caf\u{fffd}: zip cannot hold such a name, or has it already"), "{}", note(&files));
    let files = unpacked(Format::Tar, &packed(&directory, Format::Tar, None));
    assert_eq!(note(&files).lines().count(), 3, "{}", note(&files));
    assert!(files.contains_key("job-7/a\nb"));
}

/// Does something once, when so much was written.
struct Meddling<F> {
    out: Vec<u8>,
    after: usize,
    meddle: Option<F>,
}

impl<F: FnOnce()> Write for Meddling<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.extend_from_slice(bytes);
        if self.out.len() >= self.after
            && let Some(meddle) = self.meddle.take()
        {
            meddle();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_file_that_grows_or_shrinks_meanwhile_spoils_nothing() {
    let site = Site::new().await;
    let path = site.task.join("sub/changing");
    std::fs::create_dir(site.task.join("sub")).unwrap();
    // What does not compress, so that it is written while it is read.
    let mut noise = vec![0; 4_000_000];
    rand::fill(&mut noise[..]);
    for (len, format) in [0, 8_000_000].into_iter().flat_map(|len| BOTH.map(|format| (len, format))) {
        std::fs::write(&path, &noise).unwrap();
        let change = || std::fs::File::options().write(true).open(&path).unwrap().set_len(len).unwrap();
        let mut out = Meddling { out: Vec::new(), after: 300_000, meddle: Some(change) };
        site.open().await.tree("").unwrap().pack(format, "job-7", None, &mut out).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), len);
        let files = unpacked(format, &out.out);
        assert_eq!(files["job-7/sub/changing"].len(), noise.len(), "{format:?} {len}");
        assert_eq!(note(&files).contains("sub/changing: it became shorter"), len == 0, "{}", note(&files));
        assert!(files.contains_key("job-7/cmd.sh"));
    }
}

#[tokio::test]
async fn no_more_is_packed_than_may_be_downloaded() {
    let site = Site::new().await;
    std::fs::write(site.task.join("large"), vec![0; 100_000]).unwrap();
    for format in BOTH {
        let files = unpacked(format, &packed(&site.open().await, format, Some(1000)));
        assert!(files.contains_key("job-7/cmd.sh") && !files.contains_key("job-7/large"));
        assert!(note(&files).contains("large: the archive would become larger"), "{}", note(&files));
    }
}

#[test]
fn a_reader_that_goes_ends_it() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let site = runtime.block_on(Site::new());
    for format in BOTH {
        let tree = runtime.block_on(site.open()).tree("").unwrap();
        assert!(tree.pack(format, "job-7", None, Gone).is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_or_file_swapped_for_a_link_meanwhile_shows_nothing_outside() {
    let site = Site::new().await;
    let (a, b) = (site.task.join("swap"), site.task.join("link"));
    symlink(&site.victim, &b).unwrap();
    std::fs::create_dir_all(a.join("in/deeper")).unwrap();
    for name in ["shadow", "in/shadow", "in/deeper/shadow"] {
        std::fs::write(a.join(name), "mine").unwrap();
    }
    let (file, to_file) = (site.task.join("file"), site.task.join("to-file"));
    std::fs::write(&file, "mine").unwrap();
    symlink(site.victim.join("shadow"), &to_file).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let swappers = [swap_without_end(a, b, Arc::clone(&stop)), swap_without_end(file, to_file, Arc::clone(&stop))];
    for round in 0..300 {
        let format = BOTH[round % 2];
        let Ok(tree) = site.open().await.tree("") else { continue };
        let mut archive = Vec::new();
        // A walk that is led astray may end early, and never elsewhere.
        if tree.pack(format, "job-7", None, &mut archive).is_ok() {
            let files = unpacked(format, &archive);
            assert!(files.values().all(|content| content != b"secret"), "{files:?}");
        }
    }
    stop.store(true, Ordering::Relaxed);
    for swapper in swappers {
        assert!(swapper.join().unwrap() > 0);
    }
    site.victim_is_unharmed();
}

#[tokio::test]
async fn a_tree_deeper_than_any_path_is_packed() {
    let site = Site::new().await;
    let mut here = std::fs::File::open(&site.task).map(std::os::fd::OwnedFd::from).unwrap();
    for _ in 0..300 {
        use rustix::fs::{Mode, OFlags, mkdirat, openat};
        mkdirat(&here, "directory-of-a-long-name", Mode::from_raw_mode(0o755)).unwrap();
        here = openat(&here, "directory-of-a-long-name", OFlags::RDONLY, Mode::empty()).unwrap();
    }
    drop(here);
    for format in BOTH {
        let files = unpacked(format, &packed(&site.open().await, format, None));
        let deepest = files.keys().map(|path| Path::new(path).components().count()).max();
        assert_eq!(deepest, Some(301), "{format:?}");
    }
}
