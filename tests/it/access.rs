//! Every route of the route table, called as every sort of caller in every way of coming in, against tests/access.txt.

use std::collections::BTreeMap;
use std::path::Path;

use godocker::domain::{Clock, Standing, SystemClock, User, UserKind};
use godocker::plugins::auth::password;
use godocker::store::sqlite::SqliteStore;
use godocker::store::{AccountChange, Changed, UserStore};
use godocker::web::access::secret_hash;
use godocker::web::routes;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::{API_KEY, PASSWORD, Server, job, native};

const CALLERS: [&str; 6] = ["nobody", "new", "owner", "other", "member", "admin"];

/// What each route must answer each caller, by method and path.
fn expected() -> BTreeMap<(String, String), Vec<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/access.txt");
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(words.len(), 2 + CALLERS.len(), "{line}");
            let path = if words[1] == "(empty)" { String::new() } else { words[1].clone() };
            ((words[0].clone(), path), words[2..].to_vec())
        })
        .collect()
}

struct Site {
    server: Server,
    job: u64,
    /// By caller: a personal token that may do all that they may.
    tokens: BTreeMap<&'static str, String>,
    made: std::cell::Cell<u32>,
}

impl Site {
    async fn new() -> Self {
        let mut server = native().with("GODOCKER_SHARE_PROJECT_TASKS", "true").start().await;
        server.stop();
        let store = SqliteStore::open(&server.dir().join("data/godocker.db")).unwrap();
        let hash = password::hash(PASSWORD).await.unwrap();
        for id in ["new", "owner", "other", "member"] {
            let user = User {
                uid: 7001,
                gid: 7001,
                standing: if id == "new" { Standing::New } else { Standing::Active },
                password_hash: Some(hash.clone()),
                api_key_hash: Some(secret_hash(&format!("{id}-{API_KEY}"))),
                ..User::new(id.parse().unwrap(), UserKind::Local, SystemClock.now())
            };
            let put = AccountChange::PutUser(Box::new(user));
            assert_eq!(store.change(vec![put], Vec::new()).await.unwrap(), Changed::Done);
        }
        drop(store);
        server.start_again().await;
        let mut tokens = BTreeMap::new();
        for id in &CALLERS[1..] {
            let key = if *id == "admin" { API_KEY.to_owned() } else { format!("{id}-{API_KEY}") };
            let token = server.token_of(id, &key).await;
            let wanted = json!({ "name": "all", "scope": "admin" });
            let (status, made) = server.call_as(&token, "POST", &format!("/user/{id}/token"), Some(wanted)).await;
            assert_eq!(status, 200, "{made}");
            tokens.insert(*id, made["token"].as_str().unwrap().to_owned());
        }
        let project = json!({ "id": "rna", "members": ["owner", "member"] });
        assert_eq!(server.call("POST", "/project", Some(project)).await.0, 200);
        let mut site = Site { server, job: 0, tokens, made: 0.into() };
        site.job = site.over_job().await;
        // Only the owner submits there, and only members see it: the project of the path is another's.
        let others = json!({ "id": "theirs", "members": ["member"] });
        assert_eq!(site.server.call("POST", "/project", Some(others)).await.0, 200);
        site
    }

    async fn over_job(&self) -> u64 {
        let mut wanted = job("true");
        wanted["user"] = json!({ "id": "owner", "project": "rna" });
        let id = self.server.submit_as(&self.tokens["owner"], wanted).await;
        self.server.over(id).await;
        id
    }

    fn another(&self) -> u32 {
        self.made.set(self.made.get() + 1);
        self.made.get()
    }

    /// The path with everything in it that a call may use up made anew.
    async fn path(&self, method: &str, path: &str) -> String {
        let mut job = self.job;
        if path.ends_with("/task/{id}/archive") {
            job = self.over_job().await;
        }
        let mut user = "owner".to_owned();
        if (method, path) == ("DELETE", "/api/1.0/user/{id}") {
            user = format!("victim{}", self.another());
            assert!(
                self.server
                    .go_d_user(&["create", &user, "--no-password", "--uid", "7", "--gid", "7"], "")
                    .status
                    .success()
            );
        }
        let mut project = "theirs".to_owned();
        if (method, path) == ("DELETE", "/api/1.0/project/{id}") {
            project = format!("gone{}", self.another());
            assert_eq!(self.server.call("POST", "/project", Some(json!({ "id": project }))).await.0, 200);
        }
        let mut token = String::new();
        if path.contains("{token}") {
            let owner = if path.starts_with("/profile") { "admin" } else { "owner" };
            let wanted = json!({ "name": "to be deleted", "scope": "read" });
            let path = format!("/user/{owner}/token");
            token = self.server.call_as(&self.tokens[owner], "POST", &path, Some(wanted)).await.1["id"]
                .as_str()
                .unwrap()
                .to_owned();
        }
        let mut template = String::new();
        if path.contains("{template}") {
            let wanted =
                json!({ "name": format!("template {}", self.another()), "document": crate::support::job("true") });
            let (_, made) = self.server.call_as(&self.tokens["owner"], "POST", "/templates", Some(wanted)).await;
            template = made["id"].as_str().unwrap().to_owned();
        }
        let id = if path.contains("/user") {
            user
        } else if path.contains("/project") {
            project
        } else {
            job.to_string()
        };
        let verb = if path.starts_with("/jobs") { "kill" } else { "reset" };
        // It goes on otherwise.
        path.replace("/events", "/events?timeout=0")
            .replace("{id}", &id)
            .replace("{token}", &token)
            .replace("{template}", &template)
            .replace("{verb}", verb)
            .replace("{path:.*}", if path.contains("/task") { "god.log" } else { "" })
            .replace("{skip}", "0")
            .replace("{limit}", "1")
            .replace("{days}", "36500")
            .replace("{name}", "god.css")
            .replace("{provider}", "nobody")
    }
}

fn word(status: u16, location: &str) -> &'static str {
    match status {
        401 => "login",
        303 if location.starts_with("/login?next") => "login",
        403 => "no",
        404 => "hidden",
        _ => "ok",
    }
}

/// What a route takes that would else be refused for its form before anything is decided about the thing itself.
fn body(path: &str) -> Value {
    if path.ends_with("/user/{id}/apikey") || path.ends_with("/logout") { Value::Null } else { json!({}) }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_gets_from_each_route_what_the_table_says() {
    let site = Site::new().await;
    let mut expected = expected();
    let mut wrong = Vec::new();
    for route in routes::all() {
        let key = (route.method.to_owned(), route.path.to_owned());
        let Some(words) = expected.remove(&key) else {
            wrong.push(format!("{} {} is not in tests/access.txt", route.method, route.path));
            continue;
        };
        for (caller, word) in CALLERS.into_iter().zip(words) {
            let ways =
                if route.path.starts_with("/api") { &["token", "personal token", "cookie"][..] } else { &["cookie"] };
            for way in ways.iter().take(if caller == "nobody" { 1 } else { 3 }) {
                let got = call(&site, route.method, route.path, caller, way).await;
                if got != word {
                    wrong.push(format!("{} {} as {caller} by {way}: {got}, not {word}", route.method, route.path));
                }
            }
        }
    }
    wrong.extend(expected.keys().map(|(method, path)| format!("{method} {path} is no route")));
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), site.server.log());
}

async fn call(site: &Site, method: &str, path: &str, caller: &str, way: &str) -> &'static str {
    let concrete = site.path(method, path).await;
    if let Some(api) = concrete.strip_prefix("/api/1.0") {
        let token = match (caller, way) {
            ("nobody", _) => String::new(),
            // Anew for each call: some end all that were given out before.
            (_, "token") => site.server.token_of(caller, &site.tokens[caller]).await,
            (_, "personal token") => site.tokens[caller].clone(),
            _ => return by_cookie(site, method, path, &concrete, caller).await,
        };
        let sent = (method != "GET").then(|| body(path));
        let (status, answer) = site.server.call_as(&token, method, api, sent).await;
        assert!(status < 500 || status == 503, "{method} {path} as {caller}: {status} {answer}");
        return if path.ends_with("/authenticate") { "ok" } else { word(status, "") };
    }
    by_cookie(site, method, path, &concrete, caller).await
}

async fn by_cookie(site: &Site, method: &str, path: &str, concrete: &str, caller: &str) -> &'static str {
    let mut browser = Browser::at(&site.server);
    let mut concrete = concrete.to_owned();
    if caller != "nobody" {
        assert_eq!(browser.log_in_as(caller, PASSWORD, "").await.status, 303, "{caller}");
    }
    let login_page = browser.page("/login").await;
    let csrf = crate::support::browser::between(&login_page, "name=\"csrf\" value=\"", "\"").to_owned();
    if path == "/profile/tokens/{token}/delete" && caller != "nobody" {
        let wanted = json!({ "name": "mine", "scope": "read" });
        let made =
            site.server.call_as(&site.tokens[caller], "POST", &format!("/user/{caller}/token"), Some(wanted)).await.1;
        concrete = format!("/profile/tokens/{}/delete", made["id"].as_str().unwrap());
    }
    let url = format!("{}{concrete}", browser.url);
    let changes = routes::all().any(|route| route.method == method && route.path == path && route.rule.changes());
    // A page that is only looked at changes nothing, whatever its rule.
    if changes && caller != "nobody" && (path.starts_with("/api") || method == "POST") {
        // Without its token a browser changes nothing, whoever it is.
        let request = browser.client.request(method.parse().unwrap(), &url).body("csrf=");
        let seen = browser.send(request).await;
        assert_eq!(seen.status, 403, "{method} {path} as {caller} without CSRF token: {}", seen.html);
    }
    let request = browser.client.request(method.parse().unwrap(), &url);
    let request = if path.starts_with("/api") {
        let request = request.header("X-CSRF-Token", &csrf);
        if method == "GET" { request } else { request.json(&body(path)) }
    } else if method == "POST" {
        request.header("Content-Type", "application/x-www-form-urlencoded").body(format!("csrf={csrf}"))
    } else {
        request
    };
    let seen = browser.send(request).await;
    assert!(seen.status < 500, "{method} {path} as {caller}: {} {}", seen.status, seen.html);
    if path.ends_with("/authenticate") { "ok" } else { word(seen.status, &seen.location) }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_of_a_path_is_the_same_path() {
    let site = Site::new().await;
    let owner = &site.tokens["owner"];
    for path in [
        "/user",
        "/%75ser",
        "/us%65r",
        "/audit",
        "/%61udit",
        "/project",
        "/%70roject",
        "/task/active/%61ll",
        "//user",
        "/./user",
        "/user/",
    ] {
        for token in [owner, ""] {
            let (status, answer) = site.server.call_as(token, "GET", path, None).await;
            assert!([401, 403, 404].contains(&status), "{path}: {status} {answer}");
        }
    }
    let (status, _) = site.server.call_as(owner, "POST", "/%70roject", Some(json!({ "id": "mine" }))).await;
    assert_eq!(status, 403);
    let mut browser = Browser::at(&site.server);
    browser.log_in_as("owner", PASSWORD, "").await;
    let csrf = browser.csrf().await;
    for path in ["/%61dmin/users", "/admin/%75sers", "/admin/users/%6fwner"] {
        assert_eq!(browser.get(path).await.status, 403, "{path}");
    }
    let seen = browser.post("/%61dmin/users/owner/make-admin", &[("csrf", &csrf)]).await;
    assert_eq!(seen.status, 403);
    assert_eq!(browser.post("/profile/%6bey", &[("csrf", "forged")]).await.status, 403);
    assert_eq!(site.server.get("/user/owner").await["admin"], false);
    // What changes something by a mere GET is not to be had by a link, however it is spelled.
    for path in ["/api/1.0/archive/0", "/%61pi/1.0/archive/0", "/api/1%2e0/archive/0", "/api/1.0/%61rchive/0"] {
        let status = browser.get(path).await.status;
        assert!(status == 403 || status == 404, "{path}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_no_more_than_its_scope() {
    use godocker::web::access::Rule;
    let site = Site::new().await;
    let mut wrong = Vec::new();
    for (scope, allowed) in [("read", &[Rule::Look][..]), ("submit", &[Rule::Look, Rule::Work])] {
        let wanted = json!({ "name": scope, "scope": scope });
        let made = site.server.call("POST", "/user/admin/token", Some(wanted)).await.1;
        let personal = made["token"].as_str().unwrap().to_owned();
        // A token of /authenticate that was made from it is no more than it.
        let signed = site.server.token_of("admin", &personal).await;
        for route in routes::all().filter(|route| route.path.starts_with("/api") && route.rule != Rule::Open) {
            for token in [&personal, &signed] {
                let path = site.path(route.method, route.path).await;
                let api = path.strip_prefix("/api/1.0").unwrap();
                let sent = (route.method != "GET").then(|| body(route.path));
                let (status, _) = site.server.call_as(token, route.method, api, sent).await;
                if (status != 403) != allowed.contains(&route.rule) {
                    wrong.push(format!("{scope}: {} {}: {status}", route.method, route.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
