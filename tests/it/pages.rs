//! The pages, as a browser without scripts sees them.

use std::time::{Duration, Instant};

use reqwest::header::SET_COOKIE;
use serde_json::json;

use crate::support::browser::{Browser, between};
use crate::support::{Options, PASSWORD, Server, job, native};

async fn logged_in(options: Options) -> (Server, Browser) {
    let server = options.start().await;
    let mut browser = Browser::at(&server);
    assert_eq!(browser.log_in("").await.status, 303);
    (server, browser)
}

#[tokio::test]
async fn whoever_is_not_logged_in_is_asked_to_and_comes_back() {
    let server = native().start().await;
    let mut browser = Browser::at(&server);
    let seen = browser.get("/jobs?over=1").await;
    assert_eq!((seen.status, seen.location.as_str()), (303, "/login?next=%2Fjobs%3Fover%3D1"));
    let html = browser.page(&seen.location).await;
    assert!(html.contains("value=\"/jobs?over=1\""), "{html}");
    let seen = browser.log_in_as("admin", "wrong", "/jobs").await;
    assert_eq!(seen.status, 401);
    assert!(
        seen.html.contains("Wrong user name, password or key") && !seen.html.contains("\"wrong\""),
        "{}",
        seen.html
    );
    for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        assert_eq!(browser.log_in(elsewhere).await.location, "/");
    }
    let seen = browser.log_in("/jobs?over=1").await;
    assert_eq!((seen.status, seen.location.as_str()), (303, "/jobs?over=1"));
    assert!(browser.page("/jobs?over=1").await.contains("No job has ended yet"));
    let csrf = browser.csrf().await;
    let seen = browser.post("/logout", &[("csrf", &csrf)]).await;
    assert_eq!((seen.status, seen.location.as_str()), (303, "/login"));
    assert_eq!(browser.get("/jobs").await.status, 303);
    // A form whose session has ended leads to the login, and from there to a page that exists.
    assert_eq!(browser.post("/jobs/1/kill", &[("csrf", &csrf)]).await.location, "/login?next=");
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let server = native().start().await;
    let mut browser = Browser::at(&server);
    for _ in 0..10 {
        assert_eq!(browser.log_in_as("admin", "guess", "").await.status, 401);
    }
    assert_eq!(browser.log_in("").await.status, 429);
}

#[tokio::test]
async fn a_session_is_kept_from_scripts_and_other_sites_and_pages_say_what_they_may_load() {
    let server = native().start().await;
    let mut browser = Browser::at(&server);
    let seen = browser.log_in("").await;
    let cookie = seen.headers[SET_COOKIE].to_str().unwrap();
    for part in ["godocker=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    let seen = browser.get("/jobs").await;
    let policy = seen.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(seen.headers["x-content-type-options"], "nosniff");
    let style = between(&seen.html, "rel=\"stylesheet\" href=\"", "\"");
    let seen = browser.get(style).await;
    assert!(seen.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let seen = browser.get("/static/god.css").await;
    assert_eq!(seen.headers["cache-control"], "no-cache");
    let tag = seen.headers["etag"].to_str().unwrap().to_owned();
    let again = browser.client.get(format!("{}/static/god.css", browser.url)).header("If-None-Match", tag);
    assert_eq!(browser.send(again).await.status, 304);
}

#[tokio::test]
async fn a_session_ends_also_for_who_keeps_its_cookie() {
    let (_server, mut browser) = logged_in(native().with("GODOCKER_WEB_SESSION_DURATION", "2s")).await;
    let kept = browser.cookie.clone();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        browser.cookie.clone_from(&kept);
        let seen = browser.get("/jobs").await;
        if seen.status == 303 {
            assert_eq!(seen.location, "/login?next=%2Fjobs");
            return;
        }
        assert!(Instant::now() < deadline, "the session does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn no_form_works_without_its_token() {
    let (server, mut browser) = logged_in(native()).await;
    let id = server.submit(job("sleep 60")).await;
    server.running(id).await;
    let kill = format!("/jobs/{id}/kill");
    for (path, csrf) in [
        (kill.as_str(), "00"),
        (&kill, ""),
        ("/jobs/new", "00"),
        ("/profile/key", "00"),
        ("/logout", "00"),
        ("/login", "00"),
    ] {
        let seen = browser.post(path, &[("csrf", csrf)]).await;
        assert_eq!(seen.status, 403, "{path}");
        assert!(seen.html.contains("The form has expired"), "{path}: {}", seen.html);
    }
    assert_eq!(browser.post(&kill, &[]).await.status, 403);
    assert_eq!(server.task(id).await["status"]["phase"], "running");
    let csrf = browser.csrf().await;
    let seen = browser.post(&kill, &[("csrf", &csrf)]).await;
    assert_eq!((seen.status, seen.location), (303, format!("/jobs/{id}")));
    server.over(id).await;
    assert!(browser.page(&format!("/jobs/{id}")).await.contains(">killed<"));
}

#[tokio::test]
async fn the_form_submits_what_was_typed() {
    let (server, mut browser) = logged_in(native()).await;
    let csrf = browser.csrf().await;
    // Larger than a form may be by the framework's default.
    let script = format!("#!/bin/sh\r\n# {}\r\necho from the form\r\n", "é".repeat(20_000));
    let fields = [
        ("csrf", csrf.as_str()),
        ("name", "typed"),
        ("image", "none"),
        ("script", &script),
        ("cpu", "1"),
        ("ram", "0.5"),
        ("project", "default"),
        ("array", "1:3"),
        ("tags", "rna, test"),
        ("network", "1"),
    ];
    let seen = browser.post("/jobs/new", &fields).await;
    assert_eq!(seen.status, 303, "{}", seen.html);
    let id: u64 = seen.location.strip_prefix("/jobs/").unwrap().parse().unwrap();
    let task = server.over(id).await;
    assert_eq!(task["meta"]["tags"], json!(["rna", "test"]));
    assert_eq!(task["requirements"]["array"]["nb_tasks_over"], 3);
    assert_eq!(task["status"]["ending"], "done", "{task}");
    let html = browser.page(&format!("/jobs/{id}")).await;
    assert!(html.contains("Array: 3 of 3 over"), "{html}");
    let child = browser.page(&format!("/jobs/{}", id + 1)).await;
    assert!(child.contains("from the form") && child.contains("index 1 of"), "{child}");
    let again = browser.page(&format!("/jobs/new?from={id}")).await;
    assert!(again.contains("value=\"typed\"") && again.contains("echo from the form"), "{again}");
    let over = browser.page("/jobs?over=1").await;
    assert!(over.contains("typed") && over.contains("3 of 3"), "{over}");
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_what_was_typed_stays() {
    let (server, mut browser) = logged_in(native()).await;
    let csrf = browser.csrf().await;
    let fields = [
        ("csrf", csrf.as_str()),
        ("name", "half \"done\""),
        ("image", "none"),
        ("script", "#!/bin/sh\r\necho kept & <b>"),
        ("cpu", "many"),
        ("ram", "0.5"),
        ("project", "default"),
        ("tasks", "999"),
        ("ports", "80, web"),
    ];
    let seen = browser.post("/jobs/new", &fields).await;
    assert_eq!(seen.status, 400);
    let html = seen.html;
    for field in ["requirements.cpu", "requirements.ports"] {
        assert!(html.contains(&format!("id=\"fault-{field}\"")), "{field}: {html}");
        assert!(html.contains(&format!("aria-describedby=\"fault-{field}\"")), "{field}: {html}");
    }
    assert!(!html.contains("fault-requirements.ram") && !html.contains("fault-meta.name"), "{html}");
    assert!(html.contains("value=\"many\"") && html.contains("value=\"80, web\""), "{html}");
    assert!(html.contains("half &#34;done&#34;") && html.contains("echo kept &#38; &#60;b&#62;"), "{html}");
    assert_eq!(server.get("/task/active").await, json!([]));
}

#[tokio::test]
async fn hostile_names_are_text_everywhere() {
    let (server, mut browser) = logged_in(native()).await;
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
    let script =
        "touch '<script>alert(2)<#?%.txt'; mkdir 'a b?#<i>'; touch 'a b?#<i>/in'; echo '</pre><script>alert(3)'";
    let mut hostile = job(script);
    hostile["meta"] = json!({ "name": evil, "description": evil, "tags": ["<script>"] });
    let id = server.submit(hostile).await;
    server.over(id).await;
    let job_page = format!("/jobs/{id}");
    let inside = format!("/jobs/{id}/files/a%20b%3F%23%3Ci%3E");
    let again = format!("/jobs/new?from={id}");
    for path in ["/jobs?over=1", "/jobs?over=1&all=1", &job_page, &inside, &again] {
        let html = browser.page(path).await;
        let own = html.matches("<script").count();
        assert_eq!((own, html.matches("<img").count()), (1, 0), "{path}: {html}");
        assert!(!html.contains("</pre><script>") && !html.contains("<i>"), "{path}: {html}");
    }
    let html = browser.page(&job_page).await;
    assert!(html.contains(&inside), "{html}");
    let file = "%3Cscript%3Ealert(2)%3C%23%3F%25.txt";
    assert!(html.contains(&format!("/jobs/{id}/files/{file}")), "{html}");
    let html = browser.page(&format!("/jobs/{id}/files/{file}")).await;
    assert!(html.contains(&format!("/api/1.0/task/{id}/files/{file}")), "{html}");
    assert_eq!(html.matches("<script").count(), 1, "{html}");
    let seen = browser.get(&format!("/api/1.0/task/{id}/files/{file}")).await;
    assert_eq!(seen.status, 200, "the session may fetch what its page links to");
    let html = browser.page(&inside).await;
    assert!(html.contains(&format!("{inside}/in")), "{html}");
    let seen = browser.log_in_as(evil, "x", "").await;
    assert_eq!(seen.html.matches("<script").count(), 1, "{}", seen.html);
}

#[tokio::test]
async fn a_waiting_job_says_why_and_an_ended_one_how() {
    let (server, mut browser) = logged_in(native().with("GODOCKER_NATIVE_CPUS", "1")).await;
    let failed = server.submit(job("echo lines; echo 'no such file' >&2; exit 3")).await;
    server.over(failed).await;
    let first = server.submit(job("sleep 60")).await;
    server.running(first).await;
    let mut second = job("true");
    second["requirements"]["tasks"] = json!([format!("{first}:any")]);
    let second = server.submit(second).await;
    let waits = |task: &serde_json::Value| task["status"]["pending"]["code"] == "dependency";
    server.until(second, "waiting for the first", waits).await;

    let html = browser.page(&format!("/jobs/{second}")).await;
    assert!(html.contains(&format!("It waits for jobs: {first} (")), "{html}");
    assert!(html.contains(&format!("href=\"/jobs/{first}\"")), "{html}");
    let html = browser.page("/jobs").await;
    assert!(html.contains(">running<") && html.contains(">pending<") && html.contains("It waits for job"), "{html}");
    assert!(!html.contains(&format!("href=\"/jobs/{failed}\"")), "{html}");
    let html = browser.page(&format!("/jobs/{failed}")).await;
    for said in
        ["Its script ended with exit code 3.", "lines\n</pre>", "no such file\n</pre>", "god.log", "Submit again"]
    {
        assert!(html.contains(said), "{said}: {html}");
    }
    assert!(browser.page("/jobs?over=1&after=0-1").await.contains("no jobs this far down"));
}

#[tokio::test]
async fn every_fault_is_a_page() {
    let (_server, mut browser) = logged_in(native()).await;
    let cases = [
        ("/jobs/999999", 404),
        ("/jobs/nonsense", 404),
        ("/jobs/999999/files/x", 404),
        ("/nowhere", 404),
        ("/jobs?after=much", 400),
        ("/jobs/new?from=999999", 404),
    ];
    for (path, status) in cases {
        let seen = browser.get(path).await;
        assert_eq!(seen.status, status, "{path}: {}", seen.html);
        assert!(seen.html.contains("<main") && seen.html.contains("To the start page"), "{path}: {}", seen.html);
    }
}

#[tokio::test]
async fn a_new_key_is_shown_once_and_works() {
    let (server, mut browser) = logged_in(native()).await;
    let csrf = browser.csrf().await;
    let seen = browser.post("/profile/key", &[("csrf", &csrf)]).await;
    let key = between(&seen.html, "<code>", "</code>").to_owned();
    assert_eq!(key.len(), 64, "{}", seen.html);
    assert!(!browser.page("/profile").await.contains(&key));
    let body = json!({ "user": "admin", "apikey": key });
    assert_eq!(server.call("POST", "/authenticate", Some(body)).await.0, 200);
}

#[tokio::test]
async fn behind_a_prefix_every_link_has_it() {
    let server = native().with("GODOCKER_WEB_PREFIX", "/god").start().await;
    let id = server.submit(job("mkdir results; touch results/a; sleep 0.1")).await;
    server.over(id).await;
    let mut browser = Browser::at(&server);
    browser.url = browser.url.trim_end_matches("/god").to_owned();
    let request = browser.client.get(format!("{}/god/jobs", browser.url));
    assert_eq!(browser.send(request).await.location, "/god/login?next=%2Fgod%2Fjobs");
    let html = browser.page("/god/login").await;
    let csrf = between(&html, "name=\"csrf\" value=\"", "\"");
    let fields = [("csrf", csrf), ("user", "admin"), ("password", PASSWORD), ("next", "/god/jobs/new")];
    let seen = browser.post("/god/login", &fields).await;
    assert_eq!(seen.location, "/god/jobs/new");
    assert!(seen.headers[SET_COOKIE].to_str().unwrap().contains("Path=/god"));
    for path in [
        "",
        "/jobs",
        "/jobs?over=1",
        "/jobs/new",
        "/usage",
        "/data",
        "/disk",
        "/profile",
        "/admin",
        "/admin/usage",
        "/admin/nodes",
        "/admin/processes",
        "/admin/users",
        "/admin/users/admin",
        "/admin/projects",
        "/admin/projects/default",
        "/admin/maintenance",
        "/admin/audit",
        &format!("/jobs/{id}"),
        &format!("/jobs/{id}/files/results"),
    ] {
        let html = browser.page(&format!("/god{path}")).await;
        for part in links(&html) {
            assert!(part.starts_with("/god/") || part.starts_with('#') || part == "data:,", "{part} on {path}");
        }
    }
}

/// Where a page's links, forms and parts lead.
fn links(html: &str) -> Vec<&str> {
    let attribute = |name: &'static str| html.split(name).skip(1).map(|rest| rest.split('"').next().unwrap());
    [" href=\"", " action=\"", " src=\""].into_iter().flat_map(attribute).collect()
}

#[tokio::test]
async fn a_profile_is_changed_and_a_token_made_and_deleted() {
    let (server, mut browser) = logged_in(native()).await;
    let csrf = browser.csrf().await;
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0 admin@lab";
    let fields = [
        ("csrf", csrf.as_str()),
        ("email", "admin@lab.example"),
        ("ssh_public", key),
        ("theme", "dark"),
        ("notify", "1"),
    ];
    let seen = browser.post("/profile", &fields).await;
    assert!(seen.status == 200 && seen.html.contains("data-theme=\"dark\""), "{}", seen.html);
    let user = server.get("/user/admin").await;
    assert_eq!((&user["email"], &user["credentials"]["public"]), (&json!("admin@lab.example"), &json!(key)));
    assert_eq!(user["preferences"], json!({ "theme": "dark", "language": "auto", "zone": null, "notify": true }));
    assert!(browser.page("/jobs/new").await.contains("name=\"email\" value=\"1\" checked"));
    let fields = [("csrf", csrf.as_str()), ("email", "nobody"), ("ssh_public", "x"), ("theme", "dark")];
    let seen = browser.post("/profile", &fields).await;
    assert!(
        seen.status == 400 && seen.html.contains("credentials.public") && seen.html.contains("expected an address")
    );
    let fields = [("csrf", csrf.as_str()), ("name", "import"), ("scope", "read"), ("days", "3")];
    let seen = browser.post("/profile/tokens", &fields).await;
    let token = between(&seen.html, "<code>god_", "</code>").to_owned();
    assert_eq!(server.call_as(&format!("god_{token}"), "GET", "/task", None).await.0, 200);
    let html = browser.page("/profile").await;
    assert!(html.contains("import") && !html.contains(&token), "it is shown once");
    let path = format!("/profile/tokens/{}", between(&html, "/profile/tokens/", "\""));
    assert_eq!(browser.post(&path, &[("csrf", &csrf)]).await.status, 303);
    assert_eq!(server.call_as(&format!("god_{token}"), "GET", "/task", None).await.0, 401);
}

#[tokio::test]
async fn administrators_look_after_users_projects_and_the_site_on_pages() {
    let (server, mut browser) = logged_in(native()).await;
    server.new_user("ann", 7001).await;
    let csrf = browser.csrf().await;
    let html = browser.page("/admin/users?search=ann").await;
    assert!(html.contains("/admin/users/ann") && !html.contains("/admin/users/admin"), "{html}");
    let mut fields = vec![("csrf", csrf.as_str()), ("email", "ann@lab.example"), ("prio", "70"), ("quota_time", "0")];
    fields.extend([("quota_cpu", "9"), ("quota_ram", "0"), ("quota_gpu", "0"), ("quota_disk", "5k")]);
    assert_eq!(browser.post("/admin/users/ann", &fields).await.location, "/admin/users/ann?saved=1");
    let usage = server.get("/user/ann").await["usage"].clone();
    assert_eq!((&usage["prio"], &usage["quota_cpu"], &usage["quota_disk"]), (&json!(70), &json!(9), &json!(5000)));
    fields[2].1 = "101";
    let seen = browser.post("/admin/users/ann", &fields).await;
    assert!(seen.status == 400 && seen.html.contains("from 0 to 100"), "{}", seen.html);
    for (verb, field, value) in [
        ("disable", "standing", json!("disabled")),
        ("activate", "standing", json!("active")),
        ("make-admin", "admin", json!(true)),
        ("end-admin", "admin", json!(false)),
    ] {
        let seen = browser.post(&format!("/admin/users/ann/{verb}"), &[("csrf", &csrf)]).await;
        assert_eq!((seen.status, &server.get("/user/ann").await[field]), (303, &value), "{verb}");
    }
    let refused = browser.post("/admin/users/admin/end-admin", &[("csrf", &csrf)]).await;
    assert!(refused.status == 409 && refused.html.contains("last administrator"), "{}", refused.html);

    let fields = [
        ("csrf", csrf.as_str()),
        ("id", "rna"),
        ("description", "<b>RNA</b>"),
        ("members", "ann, admin"),
        ("prio", "60"),
        ("volumes", "db ro /srv/db /db\nscratch rw /scratch"),
    ];
    assert_eq!(browser.post("/admin/projects", &fields).await.location, "/admin/projects/rna?saved=1");
    let project = server.get("/project/rna").await;
    assert_eq!((&project["members"], &project["prio"]), (&json!(["admin", "ann"]), &json!(60)));
    assert_eq!(
        project["volumes"][1],
        json!({ "name": "scratch", "acl": "rw", "path": "/scratch", "mount": "/scratch" })
    );
    assert!(!browser.page("/admin/projects").await.contains("<b>RNA"), "a description is text");
    let wrong = [("csrf", csrf.as_str()), ("members", "ann"), ("prio", "60"), ("volumes", "home rw ../etc")];
    let seen = browser.post("/admin/projects/rna", &wrong).await;
    assert!(seen.status == 400 && seen.html.contains("volumes[0].path") && seen.html.contains("home rw ../etc"));
    assert_eq!(browser.post("/admin/projects/rna/delete", &[("csrf", &csrf)]).await.location, "/admin/projects");

    let fields = [("csrf", csrf.as_str()), ("on", "1"), ("message", "Back at <noon>")];
    assert_eq!(browser.post("/admin/maintenance", &fields).await.status, 303);
    assert!(browser.page("/jobs").await.contains("Back at &#60;noon&#62;"), "on every page, as text");
    let script =
        [("csrf", csrf.as_str()), ("name", "x"), ("image", "none"), ("script", "true"), ("project", "default")];
    let seen = browser.post("/jobs/new", &script).await;
    assert!(seen.status == 503 && seen.html.contains("Back at"), "{}", seen.html);
    assert_eq!(browser.post("/admin/maintenance", &[("csrf", &csrf), ("on", "0")]).await.status, 303);
    let html = browser.page("/admin/audit?actor=admin").await;
    for action in ["maintenance.off", "project.delete", "project.create", "user.change", "usage.prio: 50 → 70"] {
        assert!(html.contains(action), "{action}: {html}");
    }
    // Nobody else even sees that there are such pages' contents.
    let mut ann = Browser::at(&server);
    server.go_d_user(&["passwd", "ann", "--password-stdin"], PASSWORD);
    assert_eq!(ann.log_in_as("ann", PASSWORD, "").await.status, 303);
    assert!(!ann.page("/jobs").await.contains("/admin/"));
    assert_eq!(ann.get("/admin/users").await.status, 403);
}
