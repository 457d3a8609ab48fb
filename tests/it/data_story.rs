//! One user's files from the first upload to the last archive, as people go about it: lftp, the pages, `go-d-clean`.
//!
//! `cargo test --test it data_story -- --nocapture` tells it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::ftp::client::{ANN, Ftp, well, with_ftp};
use crate::support::browser::{Browser, between};
use crate::support::{IMAGE, docker};

const PASSWORD: &str = "what only ann knows";
const PORT: u16 = 26_700;

/// What is done, and what comes of it.
fn tell(done: &str, said: &str) {
    println!("$ {done}\n{}", said.trim_end());
}

fn told(done: &str, output: &Output) -> String {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    tell(done, &said);
    said
}

/// Of a page: what stands between these, without its elements.
fn seen(html: &str, before: &str, after: &str) -> String {
    let part = between(html, before, after);
    let texts = part.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    texts.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the page says of the quota, and what the API does.
async fn disk(ftp: &Ftp, browser: &mut Browser) -> u64 {
    let html = browser.page("/disk").await;
    tell("GET /disk", &seen(&html, "<p class=\"now\">", "</p>"));
    let found = ftp.server.get("/user/ann/disk").await;
    tell("GET /api/1.0/user/ann/disk", &found.to_string());
    found["used"].as_u64().unwrap()
}

async fn run(ftp: &Ftp, browser: &mut Browser, csrf: &str, name: &str, script: &str) -> Value {
    let fields = [
        ("csrf", csrf),
        ("name", name),
        ("image", IMAGE),
        ("script", script),
        ("cpu", "1"),
        ("ram", "0.5"),
        ("project", "default"),
    ];
    let sent = browser.post("/jobs/new", &fields).await;
    assert_eq!(sent.status, 303, "{}", sent.html);
    let id = sent.location.strip_prefix("/jobs/").unwrap().parse().unwrap();
    let task = ftp.server.over(id).await;
    assert_eq!(task["status"]["ending"], "done", "{task}");
    task
}

async fn archive(ftp: &Ftp, browser: &mut Browser, csrf: &str, id: u64) {
    let sent = browser.post("/jobs/archive", &[("csrf", csrf), ("back", "disk"), ("id", &id.to_string())]).await;
    tell(&format!("POST /jobs/archive id={id}"), &format!("{} to {}", sent.status, sent.location));
    assert_eq!((sent.status, sent.location.as_str()), (303, "/disk"));
    archived(ftp, id).await;
}

async fn archived(ftp: &Ftp, id: u64) {
    let task = ftp.server.until(id, "archived", |task| task["status"]["primary"] == "archived").await;
    let directory = task["container"]["volumes"][0]["path"].as_str().unwrap();
    assert!(!Path::new(directory).exists(), "{directory}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_user_uploads_becomes_a_result_and_goes_when_it_is_archived() {
    let options = with_ftp(docker(), PORT)
        .with("GODOCKER_FTP_ALLOW_PLAIN", "true")
        .with("GODOCKER_DISK_DEFAULT_QUOTA", "50M")
        .with("GODOCKER_UPLOAD_QUOTA", "20M");
    let mut ftp = Ftp::start(options, PORT).await;
    let passwd = ftp.server.go_d_user(&["passwd", "ann", "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(passwd.status.success(), "{passwd:?}");

    // She logs in on the page, and gets the key that FTP asks for.
    let mut browser = Browser::at(&ftp.server);
    browser.log_in_as("ann", PASSWORD, "").await;
    let csrf = browser.csrf().await;
    let profile = browser.post("/profile/key", &[("csrf", &csrf)]).await;
    ftp.key = between(&profile.html, "<code>", "</code>").to_owned();

    let reads: String = (0..40_000).rev().map(|n| format!("read {n:06}\n")).collect();
    ftp.file("reads.txt", reads.as_bytes());
    let said = ftp.lftp_well("mkdir run1; put reads.txt -o run1/reads.txt; cls -l run1; du -b run1");
    tell("lftp -u ann,KEY -e 'mkdir run1; put reads.txt -o run1/reads.txt; cls -l run1; du -b run1'", &said);
    let html = browser.page("/data").await;
    tell("GET /data", &seen(&html, "id=\"room\">", "</p>"));
    assert!(html.contains("480.0 kB of 20.0 MB used") && html.contains(">run1/<"), "the site's quota holds: {html}");

    let script = "sort $GODOCKER_DATA/run1/reads.txt > result.txt; tail -n 1 result.txt; ls -ln /mnt/god-data/run1\n\
                  echo no > /mnt/god-data/run1/reads.txt || echo read only";
    let task = run(&ftp, &mut browser, &csrf, "sort", script).await;
    let id = task["id"].as_u64().unwrap();
    let log = ftp.server.file(id, "god.log").await;
    tell(&format!("job {id}, its output"), &log);
    assert!(log.starts_with("read 039999\n") && log.ends_with("read only\n"), "{log}");
    assert!(log.contains(&format!(" {ANN} ")), "{log}");

    // The result, by the page's own links and the session's cookie alone.
    let html = browser.page(&format!("/jobs/{id}/files/")).await;
    tell(&format!("GET /jobs/{id}/files/"), &seen(&html, "<ul class=\"files\">", "</ul>"));
    assert!(html.contains(&format!("href=\"/jobs/{id}/files/result.txt\"")), "{html}");
    let html = browser.page(&format!("/jobs/{id}/files/result.txt")).await;
    assert!(html.contains("read 000000"), "it is shown with line numbers: {html}");
    let link = between(&html, "<a class=\"button\" href=\"", "\"").to_owned();
    let result = browser.get(&link).await;
    tell(&format!("GET {link}"), &format!("{}, {} bytes: {}..", result.status, result.html.len(), &result.html[..12]));
    let sorted: String = (0..40_000).map(|n| format!("read {n:06}\n")).collect();
    assert!(result.status == 200 && result.html == sorted);

    let before = disk(&ftp, &mut browser).await;
    assert!(before >= 480_000, "{before}");
    archive(&ftp, &mut browser, &csrf, id).await;
    let after = disk(&ftp, &mut browser).await;
    assert!(before - after >= 480_000, "{before}, then {after}");
    assert_eq!(browser.get(&link).await.status, 404, "the result is gone with its job");
    assert!(ftp.space("run1/reads.txt").exists(), "what was uploaded stays");

    // The administrator cleans: named jobs whatever their age, and all that are old.
    let clean = ftp.server.dir().join("go-d-clean");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_go-d"), &clean).unwrap();
    let clean = |args: &[&str], days: &str| {
        let mut command = Command::new(&clean);
        command.args(args).env_clear().env("GODOCKER_DATA_DIR", ftp.server.dir().join("data"));
        let output = command.env("GODOCKER_CLEAN_OLD", days).output().unwrap();
        let said = told(&format!("GODOCKER_CLEAN_OLD={days} go-d-clean {}", args.join(" ")), &output);
        (output.status.code(), said)
    };
    let mut jobs = Vec::new();
    for name in ["one", "two", "three"] {
        let task = run(&ftp, &mut browser, &csrf, name, "head -c 100000 /dev/zero > data").await;
        jobs.push(task["id"].as_u64().unwrap());
    }
    let full = disk(&ftp, &mut browser).await;
    assert!(full >= 300_000);
    let (code, said) = clean(&[], "30");
    assert!(code == Some(0) && said.starts_with("0 jobs archived"), "nothing is that old: {said}");
    let (code, said) = clean(&[&jobs[0].to_string(), "999999"], "30");
    assert!(code == Some(1) && said.contains("1 job archived") && said.contains("999999: there is none"), "{said}");
    archived(&ftp, jobs[0]).await;
    let less = disk(&ftp, &mut browser).await;
    assert!(full - less >= 100_000);
    // As after so many days.
    let (code, said) = clean(&["--dry-run"], "0");
    assert!(code == Some(0) && said.contains("2 jobs would be archived"), "{said}");
    assert_eq!(ftp.server.get("/user/ann/disk").await["used"], json!(less));
    let (code, said) = clean(&[], "0");
    assert!(code == Some(0) && said.contains("2 jobs archived"), "{said}");
    for id in jobs {
        archived(&ftp, id).await;
    }
    assert_eq!(disk(&ftp, &mut browser).await, 0);
    assert_eq!(well(&ftp.curl(&[&ftp.url("run1/reads.txt")])), reads);
}
