//! The files of a job, as a reader and as programs get them: the real jobs of a real user.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::{API_KEY, Server, job, native};

async fn over(server: &Server, script: &str) -> (u64, PathBuf) {
    let id = server.submit(job(script)).await;
    let task: Value = server.over(id).await;
    assert_eq!(task["status"]["ending"], "done", "{task}\n{}", server.file(id, "god.err").await);
    (id, task["container"]["volumes"][0]["path"].as_str().unwrap().into())
}

async fn fetch(server: &Server, path: &str) -> Vec<u8> {
    let url = format!("{}/api/1.0{path}", server.url());
    let response = reqwest::Client::new().get(url).bearer_auth(server.token()).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_directory_is_unpacked_by_the_programs_that_people_have() {
    let server = native().start().await;
    let script = "mkdir -p out/deep empty; seq 100000 > out/numbers; echo fine > 'out/deep/a b'; ln -s out latest; \
                  ln -s /etc/shadow shadow; mkfifo fifo; chmod 750 out/deep";
    let (id, _) = over(&server, script).await;
    let here = tempfile::tempdir().unwrap();
    let numbers: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    let unpackers: [(&str, &str, &[&str]); 3] = [
        ("tar", "tar", &["xf"]),
        ("zip", "python3", &["-m", "zipfile", "-e"]),
        // What GNU tar wrote, Python's reads too.
        ("tar", "python3", &["-m", "tarfile", "--filter", "tar", "-e"]),
    ];
    for (index, (format, program, args)) in unpackers.into_iter().enumerate() {
        let archive = here.path().join(format!("{index}.{format}"));
        std::fs::write(&archive, fetch(&server, &format!("/task/{id}/files?archive={format}")).await).unwrap();
        let into = here.path().join(index.to_string());
        std::fs::create_dir(&into).unwrap();
        let mut command = Command::new(program);
        command.current_dir(&into).args(args).arg(&archive);
        if program == "python3" {
            command.arg(&into);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{program} {format}: {said}");
        let root = into.join(format!("job-{id}"));
        assert_eq!(std::fs::read_to_string(root.join("out/deep/a b")).unwrap(), "fine\n");
        assert!(std::fs::read_to_string(root.join("out/numbers")).unwrap() == numbers && root.join("empty").is_dir());
        let note = std::fs::read_to_string(into.join(format!("job-{id}.left-out.txt"))).unwrap();
        assert!(note.contains("/fifo: "), "{note}");
        if program == "tar" {
            let link = std::fs::read_link(root.join("shadow")).unwrap();
            assert_eq!(link.to_str(), Some("/etc/shadow"), "the link, and not what it leads to");
        }
    }
    let part = fetch(&server, &format!("/task/{id}/files/out/deep?archive=tar")).await;
    assert!(part.len() < 10_000 && part.starts_with(b"deep/"));
}

#[tokio::test]
async fn god_fetches_directories_and_deletes_jobs() {
    let server = native().start().await;
    let (id, _) = over(&server, "mkdir out; echo fine > out/a; echo more > b").await;
    let home = tempfile::tempdir().unwrap();
    let god = |arguments: &[&str]| {
        let mut god = Command::new(env!("CARGO_BIN_EXE_god"));
        god.args(arguments).env_clear().env("HOME", home.path()).current_dir(home.path());
        god.env("GOD_SERVER", server.url()).env("GOD_USER", "admin").env("GOD_APIKEY", API_KEY);
        god.output().unwrap()
    };
    let id = id.to_string();
    for (arguments, name, sign) in [
        (&["job", "get", &id, "--archive", "tar"][..], format!("job-{id}.tar"), &b"job-"[..]),
        (&["job", "get", &id, "out", "--archive", "zip"], "out.zip".to_owned(), b"PK"),
    ] {
        let output = god(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(std::fs::read(home.path().join(name)).unwrap().starts_with(sign));
    }
    let refused = god(&["job", "get", &id, "out"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--archive tar"));
    assert!(god(&["job", "archive", &id]).status.success());
    server.until(id.parse().unwrap(), "archived", |task| task["status"]["primary"] == "archived").await;
    assert!(god(&["job", "delete", &id]).status.success());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while server.call("GET", &format!("/task/{id}"), None).await.0 != 404 {
        assert!(std::time::Instant::now() < deadline, "it is not deleted");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_text_is_read_in_windows_and_looked_through() {
    let server = native().start().await;
    let (id, _) =
        over(&server, "seq 5000 > numbers; printf 'no end' > short; : > nothing; mkdir d; seq 3 > d/in").await;
    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    let here = format!("/jobs/{id}/files/numbers");
    let html = browser.page(&here).await;
    assert!(html.contains("id=\"L1\"") && html.contains("id=\"L1000\"") && !html.contains("id=\"L1001\""));
    let next = html.split(&format!("{here}?offset=")).nth(1).unwrap().split('"').next().unwrap();
    let html = browser.page(&format!("{here}?offset={}", next.replace("&#38;", "&"))).await;
    assert!(html.contains("id=\"L1001\"") && html.contains("<span>1001\n"), "{html}");
    let html = browser.page(&format!("{here}?offset=99999999")).await;
    assert!(html.contains("id=\"L5000\"") && html.contains("id=\"L4001\"") && !html.contains("After"), "{html}");
    let html = browser.page(&format!("{here}?q=499")).await;
    assert_eq!(html.matches("<li>").count(), 15, "499, 1499, 2499, 3499, 4499, 4990 to 4999: {html}");
    assert!(html.contains("#L4990") && html.contains(">line 499<"), "{html}");
    assert!(browser.page(&format!("{here}?q=%3Cb%3E")).await.contains("Nothing found"));
    assert!(browser.page(&format!("/jobs/{id}/files/short")).await.contains("<span>no end\n"));
    assert!(browser.page(&format!("/jobs/{id}/files/nothing")).await.contains("This file is empty"));
    let html = browser.page(&format!("/jobs/{id}/files/d/in")).await;
    assert!(html.contains(&format!("href=\"/jobs/{id}/files/d\"")) && html.contains("id=\"L3\""), "{html}");
    let html = browser.page(&format!("/jobs/{id}/files/")).await;
    assert!(html.contains("?archive=tar") && html.contains(">numbers<") && html.contains(">d/<"), "{html}");
    for (path, status) in [("none", 404), ("..%2f..", 400), ("d/..%2f..%2f.god", 400)] {
        assert_eq!(browser.get(&format!("/jobs/{id}/files/{path}")).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn nothing_that_a_job_wrote_is_a_page_of_ours() {
    let server = native().start().await;
    let evil = "<script>alert(1)</script>";
    let script = format!(
        "echo '{evil}' > evil.html; echo '<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>' > evil.svg; \
         printf '\\211PNG\\r\\n\\032\\n{evil}' > picture.html; printf 'a\\000b' > data; echo '%PDF-1.4 {evil}' > paper.pdf; \
         ln -s /etc/passwd link; mkfifo fifo"
    );
    let (id, _) = over(&server, &script).await;
    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    for name in ["evil.html", "evil.svg", "picture.html", "data", "paper.pdf"] {
        let html = browser.page(&format!("/jobs/{id}/files/{name}")).await;
        assert_eq!((html.matches("<script").count(), html.matches("<svg").count()), (1, 0), "{name}: {html}");
        assert_eq!(html.contains("<iframe class=\"shown\" sandbox src="), name == "picture.html");
        // Chromium shows none where the frame says it: the answer does, below.
        assert_eq!(html.contains("<iframe class=\"shown\" src="), name == "paper.pdf");
        assert!(!html.contains("<img"), "{name}: {html}");
        for query in ["", "?inline=1"] {
            let seen = browser.get(&format!("/api/1.0/task/{id}/files/{name}{query}")).await;
            let header = |name: &str| seen.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            let kind = header("content-type");
            assert!(!kind.contains("html") && !kind.contains("svg") && !kind.contains("script"), "{name}: {kind}");
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert!(header("content-security-policy").contains("sandbox"), "{name}");
            let shown = query == "?inline=1" && ["picture.html", "paper.pdf"].contains(&name);
            assert_eq!(header("content-disposition").starts_with("attachment"), !shown, "{name}{query}");
            assert!(!shown || header("content-security-policy").starts_with("default-src 'none'"), "{name}");
            assert_eq!(header("x-frame-options"), if shown { "SAMEORIGIN" } else { "DENY" });
        }
    }
    assert_eq!(browser.get(&format!("/jobs/{id}/files/link")).await.status, 400);
    assert_eq!(browser.get(&format!("/jobs/{id}/files/fifo")).await.status, 400);
}

#[tokio::test]
async fn a_large_file_comes_whole_and_in_parts_and_no_larger_than_the_site_allows() {
    let server = native().with("GODOCKER_MAX_FILE_DOWNLOAD", "3000000000").start().await;
    // With holes: it takes no space.
    let (id, at) = over(&server, "truncate -s 2500M large; truncate -s 4G too-large").await;
    let url = format!("{}/api/1.0/task/{id}/files/large", server.url());
    let client = reqwest::Client::new();
    let get = |range: &str| client.get(&url).bearer_auth(server.token()).header("Range", range.to_owned()).send();
    std::os::unix::fs::FileExt::write_at(
        &std::fs::File::options().write(true).open(at.join("large")).unwrap(),
        b"end",
        2_621_439_990,
    )
    .unwrap();
    let part = get("bytes=2621439990-2621439992").await.unwrap();
    assert_eq!((part.status().as_u16(), part.text().await.unwrap().as_str()), (206, "end"));
    let mut whole = client.get(&url).bearer_auth(server.token()).send().await.unwrap();
    let mut read = 0;
    while let Some(chunk) = whole.chunk().await.unwrap() {
        read += chunk.len() as u64;
    }
    assert_eq!(read, 2500 * 1024 * 1024);
    for path in ["files/too-large", "files?archive=tar", "files/?archive=zip"] {
        let (status, answer) = server.call("GET", &format!("/task/{id}/{path}"), None).await;
        assert!(status == 403 && answer["msg"].as_str().unwrap().contains("at most 3000000000"), "{path}: {answer}");
    }
    std::fs::remove_file(at.join("too-large")).unwrap();
    let mut tar = client.get(format!("{}/api/1.0/task/{id}/files?archive=tar", server.url()));
    tar = tar.bearer_auth(server.token());
    let (mut tar, mut read) = (tar.send().await.unwrap(), 0);
    while let Some(chunk) = tar.chunk().await.unwrap() {
        read += chunk.len() as u64;
    }
    assert!(read > 2500 * 1024 * 1024);
    let peak = server.peak_memory();
    assert!(peak < 300_000_000, "{peak} bytes for a file of 2.5 GB");
}
