//! Upload spaces over HTTP: the API, `god data`, the page.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::browser::{Browser, between};
use crate::support::{API_KEY, Server, job, native};

fn space(server: &Server, name: &str) -> PathBuf {
    server.dir().join("data/shared/data/admin").join(name)
}

async fn set_quota(server: &Server, bytes: u64) {
    let change = json!({ "usage": { "quota_upload": bytes } });
    assert_eq!(server.call("PUT", "/user/admin", Some(change)).await.0, 200);
}

struct Http<'a> {
    server: &'a Server,
    client: reqwest::Client,
}

impl<'a> Http<'a> {
    fn of(server: &'a Server) -> Self {
        Http { server, client: reqwest::Client::new() }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/api/1.0{path}", self.server.url());
        self.client.request(method.parse().unwrap(), url).bearer_auth(self.server.token())
    }

    async fn put(&self, path: &str, bytes: impl Into<reqwest::Body>) -> (u16, Value) {
        let response = self.request("PUT", path).body(bytes).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_stores_lists_gives_moves_and_deletes() {
    let server = native().start().await;
    let http = Http::of(&server);
    assert_eq!(server.get("/data").await, json!([]));
    assert_eq!(server.call("POST", "/data/in?dir=1", None).await.0, 200);
    assert_eq!(server.call("POST", "/data/in?dir=1", None).await.0, 409);
    let (status, stored) = http.put("/data/in/a%20b.html", "<script>alert(1)</script>").await;
    assert_eq!((status, &stored["size"]), (200, &json!(25)), "{stored}");
    let listed = server.get("/data/in").await;
    assert_eq!(
        (&listed[0]["name"], &listed[0]["type"], &listed[0]["size"]),
        (&json!("a b.html"), &json!("file"), &json!(25))
    );
    let got = http.request("GET", "/data/in/a%20b.html").header("Range", "bytes=8-12").send().await.unwrap();
    assert_eq!(got.status(), 206);
    let header = |name: &str| got.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    assert!(header("content-disposition").starts_with("attachment"));
    assert_eq!(
        (header("content-type").as_str(), header("x-content-type-options").as_str()),
        ("application/octet-stream", "nosniff")
    );
    assert!(header("content-security-policy").contains("sandbox"));
    assert_eq!(got.text().await.unwrap(), "alert");
    http.put("/data/t.txt", "text").await;
    let text = http.request("GET", "/data/t.txt").send().await.unwrap();
    assert_eq!(
        (&text.headers()["content-type"], &text.headers()["content-disposition"]),
        (&"application/octet-stream".parse().unwrap(), &"attachment".parse().unwrap())
    );
    let head = http.request("HEAD", "/data/in/a%20b.html").send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "25"));
    assert_eq!(http.request("HEAD", "/data/none").send().await.unwrap().status(), 404);
    // Goes on where it ends, and nowhere else.
    assert_eq!(http.put("/data/in/grown?offset=0", "12345").await.0, 200);
    assert_eq!(http.put("/data/in/grown?offset=5", "678").await.1["size"], 8);
    let (status, answer) = http.put("/data/in/grown?offset=5", "x").await;
    assert!(status == 409 && answer["msg"].as_str().unwrap().contains("8 bytes"), "{answer}");
    assert_eq!(std::fs::read(space(&server, "in/grown")).unwrap(), b"12345678");
    assert_eq!(server.call("POST", "/data/moved?from=in/grown", None).await.0, 200);
    assert_eq!(server.get("/data-usage").await, json!({ "used": 8 + 25 + 4, "quota": 0 }));
    assert_eq!(server.call("DELETE", "/data/in", None).await.0, 409);
    assert_eq!(server.call("DELETE", "/data/in?recursive=1", None).await.0, 200);
    assert_eq!(server.call("DELETE", "/data/moved", None).await.0, 200);
    for (method, path) in [
        ("GET", "/data/..%2f..%2fgodocker.db"),
        ("PUT", "/data/..%2fx"),
        ("DELETE", "/data/..%2f"),
        ("POST", "/data/a?from=../x"),
        ("POST", "/data/a"),
        ("DELETE", "/data/"),
    ] {
        let (status, answer) = server.call(method, path, None).await;
        assert!([400, 404].contains(&status), "{method} {path}: {status} {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sites_quotas_hold_for_all_who_have_none_of_their_own() {
    let mut server = native().start().await;
    let token = server.new_user("ann", 7_001).await;
    server.over(server.submit_as(&token, job("head -c 90000 /dev/zero > x")).await).await;
    server.stop();
    // Also for an account that is older than they are.
    server.set("GODOCKER_UPLOAD_QUOTA", "2k");
    server.set("GODOCKER_DISK_DEFAULT_QUOTA", "50k");
    server.start_again().await;
    let usage = async || server.call_as(&token, "GET", "/data-usage", None).await.1["quota"].clone();
    let disk = async || server.call_as(&token, "GET", "/user/ann/disk", None).await.1["quota"].clone();
    assert_eq!((usage().await, disk().await), (json!(2_000), json!(50_000)));
    let waits = server.submit_as(&token, job("true")).await;
    server.until(waits, "waiting", |task| task["status"]["pending"]["quota"] == "disk").await;
    let set = async |quota: Value| {
        let change = json!({ "usage": { "quota_upload": quota, "quota_disk": quota } });
        let (status, answer) = server.call("PUT", "/user/ann", Some(change)).await;
        assert_eq!(status, 200, "{answer}");
        answer["usage"].clone()
    };
    // 0 of one's own is no limit; none of one's own is the site's again.
    assert_eq!(set(json!(0)).await["quota_upload"], json!(0));
    assert_eq!((usage().await, disk().await), (json!(0), json!(0)));
    server.over(waits).await;
    assert_eq!(set(json!("5k")).await["quota_disk"], json!(5_000));
    assert_eq!((usage().await, disk().await), (json!(5_000), json!(5_000)));
    let shown = set(Value::Null).await;
    assert_eq!((&shown["quota_upload"], &shown["quota_disk"]), (&Value::Null, &Value::Null));
    assert_eq!((usage().await, disk().await), (json!(2_000), json!(50_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quota_holds_over_http_too() {
    let server = native().start().await;
    set_quota(&server, 1_000_000).await;
    let http = Http::of(&server);
    http.put("/data/there", vec![0; 300_000]).await;
    // Known before a byte has come, and found out on the way.
    let (status, answer) = http.put("/data/large", vec![0; 800_000]).await;
    assert_eq!((status, &answer["error"]), (413, &json!("over_quota")), "{answer}");
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![1_u8; 100_000]));
    let endless = futures::StreamExt::take(endless, 50);
    let (status, _) = http.put("/data/large", reqwest::Body::wrap_stream(endless)).await;
    assert_eq!(status, 413);
    assert!(!space(&server, "large").exists() && space(&server, "there").exists());
    assert_eq!(http.put("/data/fits", vec![0; 700_000]).await.0, 200);
    assert_eq!(server.get("/data-usage").await, json!({ "used": 1_000_000, "quota": 1_000_000 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_stays_if_it_is_new_and_never_replaces() {
    let server = native().start().await;
    let http = Http::of(&server);
    http.put("/data/old", "whole").await;
    for name in ["new", "old"] {
        let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
        let head = format!(
            "PUT /api/1.0/data/{name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 100\r\n\r\nhalf",
            server.token()
        );
        stream.write_all(head.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    let parts = server.dir().join("data/shared/data/.parts/admin");
    while !space(&server, "new").exists() || std::fs::read_dir(&parts).unwrap().count() > 0 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(std::fs::read(space(&server, "new")).unwrap(), b"half");
    assert_eq!(std::fs::read(space(&server, "old")).unwrap(), b"whole");
}

fn god(server: &Server, here: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_god"));
    command.arg("data").args(args).current_dir(here).stdin(Stdio::null());
    command.envs([("GOD_SERVER", server.url().as_str()), ("GOD_USER", "admin"), ("GOD_APIKEY", API_KEY)]);
    command.output().unwrap()
}

fn god_well(server: &Server, here: &Path, args: &[&str]) -> String {
    let output = god(server, here, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn god_data_sends_and_fetches_and_goes_on_where_it_was_cut() {
    let server = native().start().await;
    let here = tempfile::tempdir().unwrap();
    let god = |args: &[&str]| god_well(&server, here.path(), args);
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|n| (n * 31 % 253) as u8).collect();
    std::fs::write(here.path().join("big"), &bytes).unwrap();
    std::fs::create_dir_all(here.path().join("tree/deep")).unwrap();
    std::fs::write(here.path().join("tree/deep/a b"), "hello").unwrap();
    std::fs::write(here.path().join("empty"), "").unwrap();

    assert_eq!(
        god(&["put", "big", "empty", "--to", "in/here"]),
        "in/here/big (5000000 bytes)\nin/here/empty (0 bytes)\n"
    );
    assert!(std::fs::read(space(&server, "in/here/big")).unwrap() == bytes);
    god(&["put", "-r", "tree"]);
    assert_eq!(std::fs::read(space(&server, "tree/deep/a b")).unwrap(), b"hello");
    assert!(god(&["ls", "in/here"]).contains("5000000"));
    let listed: Value = serde_json::from_str(&god(&["ls", "--json"])).unwrap();
    assert_eq!((&listed[0]["name"], &listed[1]["name"]), (&json!("in"), &json!("tree")));
    god(&["get", "-r", "tree", "-o", "back"]);
    assert_eq!(std::fs::read(here.path().join("back/deep/a b")).unwrap(), b"hello");
    god(&["get", "in/here/big", "-o", "back.big"]);
    assert!(std::fs::read(here.path().join("back.big")).unwrap() == bytes);
    god(&["get", "in/here/empty", "-o", "back.empty"]);
    assert_eq!(god(&["get", "tree/deep/a b", "-o", "-"]), "hello");

    // A part of this very file is gone on with; it has no name in the space until it is whole.
    god(&["rm", "in/here/big"]);
    let sent = Command::new("timeout")
        .args(["-s", "KILL", "0.15", env!("CARGO_BIN_EXE_god"), "data", "put", "big"])
        .envs([("GOD_SERVER", server.url().as_str()), ("GOD_USER", "admin"), ("GOD_APIKEY", API_KEY)])
        .current_dir(here.path())
        .output()
        .unwrap();
    assert!(sent.status.success() || !space(&server, "big").exists());
    god(&["rm", "-r", "in"]);
    god(&["put", "big"]);
    assert!(std::fs::read(space(&server, "big")).unwrap() == bytes);
    let left: Vec<_> = std::fs::read_dir(space(&server, "")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains(".part")), "{left:?}");
    // Downwards too.
    let tag = Http::of(&server).request("HEAD", "/data/big").send().await.unwrap().headers()["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    let tag: String = tag.chars().filter(char::is_ascii_alphanumeric).collect();
    let part = here.path().join(format!("down.{tag}.part"));
    // Marked, so that it shows that it was gone on with.
    std::fs::write(&part, [&b"mark"[..], &bytes[4..1_000_000]].concat()).unwrap();
    god(&["get", "big", "-o", "down"]);
    let down = std::fs::read(here.path().join("down")).unwrap();
    assert!(&down[..4] == b"mark" && down[4..] == bytes[4..] && !part.exists());

    set_quota(&server, 6_000_000).await;
    std::fs::copy(here.path().join("big"), here.path().join("big2")).unwrap();
    let refused = super::data::god(&server, here.path(), &["put", "big2"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(65) && said.contains("does not fit"), "{said}");
    assert!(!super::data::god(&server, here.path(), &["get", "big"]).status.success(), "it would replace what is here");
    assert_eq!(super::data::god(&server, here.path(), &["get", "none"]).status.code(), Some(66));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_cut_by_the_servers_death_is_gone_on_with() {
    let mut server = native().start().await;
    let here = tempfile::tempdir().unwrap();
    let large = here.path().join("large");
    std::fs::File::create(&large).unwrap().set_len(400_000_000).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_god"))
        .args(["data", "put", "large"])
        .envs([("GOD_SERVER", server.url().as_str()), ("GOD_USER", "admin"), ("GOD_APIKEY", API_KEY)])
        .current_dir(here.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    server.crash();
    server.start_again().await;
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::metadata(space(&server, "large")).unwrap().len(), 400_000_000);
    // What the dead process was receiving is no longer counted, nor there.
    assert_eq!(server.get("/data-usage").await["used"], 400_000_000_u64);
}

fn multipart(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in files {
        body.extend(format!("--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n").bytes());
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--xx--\r\n");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_uploads_lists_renames_and_deletes_without_javascript() {
    let server = native().start().await;
    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    let html = browser.page("/data").await;
    assert!(html.contains("Nothing has been uploaded yet"), "{html}");
    let action = between(&html, "enctype=\"multipart/form-data\" action=\"", "\"").to_owned();
    let csrf = between(&html, "name=\"csrf\" value=\"", "\"").to_owned();
    let send = async |browser: &mut Browser, to: &str, files: &[(&str, &[u8])]| {
        let request = browser.client.post(format!("{}{to}", browser.url));
        let request = request.header("Content-Type", "multipart/form-data; boundary=xx").body(multipart(files));
        browser.send(request).await
    };
    let seen = send(&mut browser, &action, &[("a.txt", b"hello"), ("dir/b <x>.html", b"<b>"), ("", b"")]).await;
    assert_eq!((seen.status, seen.location.as_str()), (303, "/data/"), "{}", seen.html);
    let html = browser.page("/data").await;
    assert!(html.contains("/api/1.0/data/a%2Etxt\"") && html.contains("b &#60;x&#62;.html"), "{html}");
    assert_eq!(std::fs::read(space(&server, "b <x>.html")).unwrap(), b"<b>");
    assert_eq!(browser.get("/api/1.0/data/a%2Etxt").await.html, "hello");
    // Not from a page of somebody else's.
    for forged in ["/data/?csrf=forged", "/data/", "/data"] {
        assert_eq!(send(&mut browser, forged, &[("c", b"x")]).await.status, 403, "{forged}");
    }
    // Nor by calling another form a form with files.
    let request = browser.client.post(format!("{}/profile/key?csrf=forged", browser.url));
    let request = request.header("Content-Type", "multipart/form-data; boundary=xx").body(multipart(&[]));
    assert_eq!(browser.send(request).await.status, 403);
    let make = [("csrf", csrf.as_str()), ("act", "folder"), ("name", "in")];
    assert_eq!(browser.post("/data/", &make).await.status, 303);
    let seen = browser.post("/data/", &make).await;
    assert!(seen.status == 400 && seen.html.contains("there already"), "{}", seen.html);
    let seen = send(&mut browser, &format!("/data/in/?csrf={csrf}"), &[("deep", b"x")]).await;
    assert_eq!(seen.location, "/data/in/");
    assert!(browser.page("/data/in/").await.contains("deep"));
    for name in ["../x", "a/b", "", ".."] {
        let seen = browser.post("/data/", &[("csrf", &csrf), ("act", "folder"), ("name", name)]).await;
        assert_eq!(seen.status, 400, "{name:?}");
    }
    // Renamed where it lies, moved to the top; nothing is lost by it, and nothing leads out.
    for (folder, name, to) in
        [("/data/in/", "deep", "dé ep"), ("/data/in/", "dé ep", "/top"), ("/data/", "top", "in/x")]
    {
        let seen = browser.post(folder, &[("csrf", &csrf), ("act", "rename"), ("name", name), ("to", to)]).await;
        assert_eq!((seen.status, seen.location.as_str()), (303, folder), "{to}: {}", seen.html);
    }
    assert_eq!(std::fs::read(space(&server, "in/x")).unwrap(), b"x");
    for (name, to, why) in [
        ("a.txt", "in/x", "there already"),
        ("a.txt", "../x", "path"),
        ("none", "y", "no such file"),
        ("", "y", "expected"),
    ] {
        let seen = browser.post("/data/", &[("csrf", &csrf), ("act", "rename"), ("name", name), ("to", to)]).await;
        assert!(seen.status == 400 && seen.html.contains(why), "{name} {to}: {}", seen.html);
    }
    assert_eq!(std::fs::read(space(&server, "in/x")).unwrap(), b"x");
    assert_eq!(std::fs::read(space(&server, "a.txt")).unwrap(), b"hello");
    assert_eq!(browser.post("/data/", &[("csrf", &csrf), ("act", "delete"), ("name", "in")]).await.status, 303);
    assert!(!space(&server, "in").exists());
    assert_eq!(browser.get("/data/in").await.status, 404);
    set_quota(&server, 1_000).await;
    let html = browser.page("/data").await;
    assert!(html.contains("<meter") && html.contains("of 1.0 kB used"), "{html}");
    let seen = send(&mut browser, &action, &[("big", &[0; 2_000])]).await;
    assert!(seen.status == 413 && seen.html.contains("does not fit"), "{}", seen.html);
    assert!(!space(&server, "big").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_job_finds_the_space_itself() {
    let server = native().start().await;
    Http::of(&server).put("/data/in", "42").await;
    let id = server.submit(job("echo $GODOCKER_DATA; cat $GODOCKER_DATA/in")).await;
    let task = server.over(id).await;
    assert_eq!(task["status"]["ending"], "done", "{task}");
    let log = server.file(id, "god.log").await;
    assert_eq!(log, format!("{}\n42", space(&server, "").display().to_string().trim_end_matches('/')));
}
