//! What arrives, whole or not at all.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::{Duration, Instant};

use super::client::*;

#[tokio::test(flavor = "multi_thread")]
async fn files_and_folders_are_written_read_renamed_and_deleted() {
    let ftp = Ftp::start(plain(23_000), 23_000).await;
    let a = ftp.file("a.txt", b"hello");
    ftp.lftp_well("mkdir -p in/deep; put a.txt -o in/deep/a.txt; mv in/deep/a.txt in/b.txt; get in/b.txt -o back.txt");
    assert_eq!(std::fs::read(ftp.here.path().join("back.txt")).unwrap(), b"hello");
    let meta = std::fs::metadata(ftp.space("in/b.txt")).unwrap();
    assert_eq!((meta.uid(), meta.mode() & 0o777), (ANN, 0o600));
    let listed = ftp.lftp_well("cls -1 in");
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["in/b.txt", "in/deep/"]);
    well(&ftp.put(&a, "c.txt"));
    assert_eq!(ftp.curl_well(&[&ftp.url("c.txt")]), "hello");
    assert!(ftp.curl_well(&[&ftp.url("")]).contains(" c.txt"));
    ftp.lftp_well("rm c.txt; rmdir in/deep; rm -r in");
    assert_eq!(std::fs::read_dir(ftp.space("")).unwrap().count(), 0);
    // What is not there, and what is no empty directory.
    assert!(!ftp.curl(&[&ftp.url("none")]).status.success());
    ftp.lftp_well("mkdir full; put a.txt -o full/a.txt");
    assert!(!ftp.curl(&["-Q", "RMD full", &ftp.url("")]).status.success());
    // A whole tree, and back.
    std::fs::create_dir_all(ftp.here.path().join("tree/of/things")).unwrap();
    for name in ["tree/1", "tree/of/2", "tree/of/things/3"] {
        ftp.file(name, name.as_bytes());
    }
    ftp.lftp_well("mirror -R tree tree; mirror tree again");
    assert_eq!(std::fs::read(ftp.here.path().join("again/of/things/3")).unwrap(), b"tree/of/things/3");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_the_quota_is_refused_on_the_way_and_removed() {
    let ftp = Ftp::start(plain(24_200), 24_200).await;
    set_quota(&ftp.server, 3_000_000).await;
    let (small, large) = (ftp.file("small", &[1; 1_000_000]), ftp.file("large", &[2; 30_000_000]));
    well(&ftp.put(&small, "one"));
    well(&ftp.put(&small, "two"));
    let refused = ftp.put(&large, "three");
    assert!(!refused.status.success());
    assert!(!ftp.space("three").exists() && ftp.space("one").exists() && ftp.space("two").exists());
    let parts = ftp.server.dir().join("data/shared/data/.parts/ann");
    assert_eq!(std::fs::read_dir(parts).unwrap().count(), 0);
    // It is said why.
    let mut session = Session::open(ftp.port);
    session.log_in("ann", &ftp.key);
    let mut data = session.passive();
    assert!(session.say("STOR three").starts_with("150"));
    let sent = (0..300).take_while(|_| data.write_all(&[0; 100_000]).is_ok()).count();
    assert!(sent < 200, "it was taken to the end");
    assert!(session.hear().starts_with("552"));
    // Nor by going on with a file: it stays what it was.
    let refused = ftp.curl(&["--append", "-T", large.to_str().unwrap(), &ftp.url("one")]);
    assert!(!refused.status.success());
    assert_eq!(std::fs::metadata(ftp.space("one")).unwrap().len(), 1_000_000);
    // What still fits does; what was deleted is free again.
    well(&ftp.put(&small, "three"));
    assert!(!ftp.put(&ftp.file("tiny", b"x"), "four").status.success());
    ftp.curl_well(&["-Q", "DELE one", &ftp.url("")]);
    well(&ftp.put(&small, "four"));
    // Many at once stay within it too.
    for name in ["two", "three", "four"] {
        ftp.curl_well(&["-Q", &format!("DELE {name}"), &ftp.url("")]);
    }
    std::thread::scope(|scope| {
        for n in 0..12 {
            let (ftp, small) = (&ftp, &small);
            scope.spawn(move || ftp.put(small, &format!("many{n}")));
        }
    });
    let kept: Vec<_> =
        std::fs::read_dir(ftp.space("")).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
    assert!(kept.iter().all(|size| *size == 1_000_000) && kept.len() <= 3, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_was_cut_is_gone_on_with() {
    let ftp = Ftp::start(plain(24_500), 24_500).await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    ftp.file("whole", &bytes);
    let mut session = Session::open(ftp.port);
    session.log_in("ann", &ftp.key);
    let mut data = session.passive();
    assert!(session.say("STOR up").starts_with("150"));
    data.write_all(&bytes[..1_234_567]).unwrap();
    drop((data, session));
    let part = ftp.space("up");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !part.exists() {
        assert!(Instant::now() < deadline, "{}", ftp.server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(std::fs::metadata(&part).unwrap().len(), 1_234_567);
    ftp.lftp_well("put -c whole -o up");
    assert!(std::fs::read(&part).unwrap() == bytes);
    // By curl, and downwards by both.
    std::fs::File::options().write(true).open(&part).unwrap().set_len(777_777).unwrap();
    ftp.curl_well(&["-C", "-", "-T", "whole", &ftp.url("up")]);
    assert!(std::fs::read(&part).unwrap() == bytes);
    for client in ["curl", "lftp"] {
        ftp.file("down", &bytes[..555_555]);
        match client {
            "curl" => drop(ftp.curl_well(&["-C", "-", "-o", "down", &ftp.url("up")])),
            _ => drop(ftp.lftp_well("get -c up -o down")),
        }
        assert!(std::fs::read(ftp.here.path().join("down")).unwrap() == bytes, "{client}");
    }
    // An offset beyond the end is none; and one of a transfer that failed is not the next one's.
    let mut session = Session::open(ftp.port);
    session.log_in("ann", &ftp.key);
    assert!(session.say("REST 100").starts_with("350"));
    let data = session.passive();
    let reply = session.say("STOR new");
    drop(data);
    assert!(reply.starts_with('5') || session.hear().starts_with('5'));
    assert_eq!(session.hear(), "", "the connection ends");
    assert!(!ftp.space("new").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_transfers_at_once_all_arrive() {
    let ftp = Ftp::start(plain(24_800), 24_800).await;
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 241) as u8).collect();
    let file = ftp.file("a", &bytes);
    std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..100)
            .map(|n| {
                scope.spawn({
                    let (ftp, file) = (&ftp, &file);
                    // Slow enough that all of them are there at once.
                    move || {
                        ftp.curl(&["--limit-rate", "150k", "-T", file.to_str().unwrap(), &ftp.url(&format!("file{n}"))])
                    }
                })
            })
            .collect();
        for upload in uploads {
            well(&upload.join().unwrap());
        }
    });
    for n in 0..100 {
        assert!(std::fs::read(ftp.space(&format!("file{n}"))).unwrap() == bytes, "file{n}");
    }
    std::thread::scope(|scope| {
        let downloads: Vec<_> = (0..100)
            .map(|n| {
                scope.spawn({
                    let ftp = &ftp;
                    move || ftp.curl(&[&ftp.url(&format!("file{n}"))])
                })
            })
            .collect();
        for download in downloads {
            let output = download.join().unwrap();
            assert!(output.status.success() && output.stdout == bytes, "{}", text(&output.stderr));
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_and_silent_ones_end() {
    let options = plain(25_100)
        .with("GODOCKER_FTP_MAX_CONNECTIONS", "4")
        .with("GODOCKER_FTP_MAX_PER_USER", "2")
        .with("GODOCKER_FTP_IDLE_TIMEOUT", "2s");
    let ftp = Ftp::start(options, 25_100).await;
    let begun = Instant::now();
    let mut sessions: Vec<_> = (0..4).map(|_| Session::open(ftp.port)).collect();
    let mut fifth = std::io::BufReader::new(std::net::TcpStream::connect(("127.0.0.1", ftp.port)).unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut fifth, &mut line).unwrap();
    assert!(line.starts_with("421 Too many connections"), "{line}");
    sessions[0].log_in("ann", &ftp.key);
    sessions[1].log_in("ann", &ftp.key);
    assert!(sessions[2].say("USER ann").starts_with("331"));
    assert!(sessions[2].say(&format!("PASS {}", ftp.key)).starts_with("530"));
    // A transfer that stands still ends too, and keeps what had come.
    let mut data = sessions[1].passive();
    assert!(sessions[1].say("STOR half").starts_with("150"));
    data.write_all(b"half").unwrap();
    for session in &mut sessions {
        while !session.hear().is_empty() {}
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(std::fs::read(ftp.space("half")).unwrap(), b"half");
    // There is room again.
    well(&ftp.put(&ftp.file("a", b"x"), "a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gibibytes_arrive_whole() {
    const SIZE: u64 = 2 << 30;
    let ftp = Ftp::start(plain(25_400), 25_400).await;
    let large = ftp.here.path().join("large");
    let file = std::fs::File::create(&large).unwrap();
    file.set_len(SIZE).unwrap();
    // Holes but for some marks: what is at them shows whether anything moved.
    use std::os::unix::fs::FileExt;
    let marks = [0, 1_234_567, (1 << 31) - 3, SIZE - 8];
    for at in marks {
        file.write_all_at(&at.to_le_bytes(), at).unwrap();
    }
    let begun = Instant::now();
    well(&ftp.put(&large, "large"));
    println!("2 GiB in {:?}", begun.elapsed());
    let same = Command::new("cmp").arg(&large).arg(ftp.space("large")).status().unwrap();
    assert!(same.success());
    std::fs::remove_file(&large).unwrap();
}
