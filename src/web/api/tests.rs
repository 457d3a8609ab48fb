//! The API as a client meets it, over a site in memory.

mod fake;
mod foretold;
mod lists;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_session::SessionMiddleware;
use actix_session::storage::CookieSessionStore;
use actix_web::http::header;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpRequest, web};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::bus::{Bus, Command, LocalBus, Role};
use crate::config::{self, Config, DynamicField};
use crate::domain::project::Project;
use crate::domain::{Attempt, Ending, Job, JobId, JobState, Outcome, Request, Scope, StopCause, Timestamp, User};
use crate::store::sqlite::testing::TestStore;
use crate::store::{AccountChange, Charge, JobStore, UserStore};
use crate::web::Site;
use crate::web::access::{guard, secret_hash, session};
use crate::web::error::ApiError;
use crate::web::jobs;
use crate::web::log_follow::{self, Position};
use crate::web::submission::tests::{a_config, a_document, a_user};

/// Longer than anything here takes, shorter than anyone's patience.
const DEADLINE: Duration = Duration::from_secs(10);

struct World {
    store: TestStore,
    site: Site,
    bus: Arc<LocalBus>,
    shared: tempfile::TempDir,
}

/// A site with the users ann, ben and root (an administrator); everyone's API key is their name.
async fn world_with(config: Config) -> World {
    let shared = tempfile::tempdir().unwrap();
    let store = TestStore::new();
    for (name, admin) in [("ann", false), ("ben", false), ("root", true)] {
        let user = User { id: name.parse().unwrap(), admin, api_key_hash: Some(secret_hash(name)), ..a_user() };
        store.add_user(user).await;
    }
    let rna = Project { members: vec!["ann".parse().unwrap()], ..Project::new("rna".parse().unwrap()) };
    let put = AccountChange::PutProject(Box::new(rna));
    assert_eq!(store.store.change(vec![put], Vec::new()).await.unwrap(), crate::store::Changed::Done);
    let (site, bus) = fake::site(&store, config, shared.path());
    World { store, site, bus, shared }
}

async fn world() -> World {
    world_with(a_config()).await
}

struct Answer {
    status: u16,
    headers: header::HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl World {
    /// Sends one request; `who` is a user, or `""` for nobody.
    async fn send(&self, method: &str, path: &str, who: &str, body: &str, extra: &[(&str, &str)]) -> Answer {
        let app = App::new()
            .app_data(web::Data::new(self.site.clone()))
            .wrap(actix_web::middleware::from_fn(guard::recognize))
            .wrap(SessionMiddleware::new(CookieSessionStore::default(), self.site.keys.cookie_key()))
            .configure(super::configure);
        let app = init_service(app).await;
        let mut request = TestRequest::default().uri(&format!("/api/1.0{path}")).method(method.parse().unwrap());
        if !who.is_empty() {
            let now = self.site.clock.now();
            let user = self.site.store.user(&who.parse().unwrap()).await.unwrap().unwrap();
            let token = self.site.keys.token(&user, Scope::Admin, None, now, DEADLINE * 60);
            request = request.insert_header((header::AUTHORIZATION, format!("bearer {token}")));
        }
        for header in extra {
            request = request.insert_header(*header);
        }
        let response = call_service(&app, request.set_payload(body.to_owned()).to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, bytes: read_body(response).await.to_vec() }
    }

    async fn get(&self, path: &str, who: &str) -> Answer {
        self.send("GET", path, who, "", &[]).await
    }

    async fn submit(&self, who: &str, document: &Value) -> u64 {
        let answer = self.send("POST", "/task", who, &document.to_string(), &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["id"].as_u64().unwrap()
    }

    fn directory(&self, id: u64) -> PathBuf {
        let directory = self.site.files.directory_of(JobId(id));
        assert!(directory.starts_with(self.shared.path()));
        std::fs::create_dir_all(&directory).unwrap();
        directory
    }

    fn sent_to(&self, role: Role) -> Vec<Command> {
        let mut commands = self.bus.commands(role).unwrap();
        std::iter::from_fn(|| commands.try_recv().ok()).map(|delivery| delivery.command).collect()
    }

    /// Changes a job as an actor would: in the store first, told second.
    async fn becomes(&self, id: u64, state: JobState) {
        self.set(id, state).await;
        self.bus.publish(jobs::changed(&self.job(id).await));
    }

    async fn set(&self, id: u64, state: JobState) {
        self.store.set_state(JobId(id), state).await;
    }

    async fn job(&self, id: u64) -> Job {
        self.store.store.job(JobId(id)).await.unwrap().unwrap()
    }

    /// A job of ann's that ran this image, today.
    async fn has_run(&self, image: &str) -> u64 {
        let id = self.submit("ann", &a_document()).await;
        let (user, project) = ("ann".parse().unwrap(), "default".parse().unwrap());
        let day = self.site.clock.now().day();
        let image = image.to_owned();
        let charge = Charge { user, project, image, day, cpu: 2.0, ram: 0.5, gpus: 0.0, seconds: 61.4 };
        self.store.charge(JobId(id), over(), charge).await;
        id
    }
}

fn running() -> JobState {
    let attempt = Attempt {
        number: 1,
        executor: "docker".into(),
        node: "n1".into(),
        container: None,
        digest: None,
        ports: Vec::new(),
    };
    JobState::Running { attempt, started: Timestamp(1_000), suspended: false }
}

fn over() -> JobState {
    JobState::Over(Outcome {
        ending: Ending::Done,
        exit_code: Some(0),
        started: Some(Timestamp(1_000)),
        ended: Timestamp(2_000),
        attempt: None,
        disk_bytes: 0,
        reason: None,
    })
}

#[actix_web::test]
async fn a_key_gets_a_token_and_a_wrong_one_does_not() {
    let world = world().await;
    let log_in = |key: &str| json!({ "user": "ann", "apikey": key }).to_string();
    let good = world.send("POST", "/authenticate", "", &log_in("ann"), &[]).await;
    assert_eq!(good.status, 200);
    let token = format!("Bearer {}", good.json()["token"].as_str().unwrap());
    let mine = world.send("GET", "/user/ann", "", "", &[("Authorization", &token)]).await;
    assert_eq!((mine.status, &mine.json()["credentials"]["apikey"]), (200, &json!("")));
    for _ in 0..10 {
        assert_eq!(world.send("POST", "/authenticate", "", &log_in("guess"), &[]).await.status, 401);
    }
    let slowed = world.send("POST", "/authenticate", "", &log_in("guess"), &[]).await;
    assert_eq!((slowed.status, slowed.header("retry-after")), (429, "60"));
}

#[actix_web::test]
async fn everything_that_goes_wrong_is_told_as_json() {
    let world = world().await;
    let table = [
        ("POST", "/authenticate", "", "{}", 400, "invalid_field"),
        ("POST", "/task", "ann", "{not json", 400, "bad_request"),
        ("POST", "/task", "ann", "", 400, "bad_request"),
        ("POST", "/task", "ann", "[]", 400, "invalid_field"),
        ("POST", "/task", "", "{}", 401, "unauthorized"),
        ("GET", "/task/none", "ann", "", 400, "bad_request"),
        ("GET", "/task/99", "ann", "", 404, "not_found"),
        ("GET", "/task/active?state=gone", "ann", "", 400, "invalid_field"),
        ("GET", "/task/active?skip=x", "ann", "", 400, "bad_request"),
        ("GET", "/task/active/all", "ann", "", 403, "forbidden"),
        ("GET", "/user", "ann", "", 403, "forbidden"),
        ("GET", "/user/ben", "ann", "", 404, "not_found"),
        ("DELETE", "/user/ben/task", "ann", "", 404, "not_found"),
        ("GET", "/no/such/thing", "ann", "", 404, "not_found"),
        ("PATCH", "/task/1", "ann", "", 405, "method_not_allowed"),
    ];
    for (method, path, who, body, status, code) in table {
        let answer = world.send(method, path, who, body, &[]).await;
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(code)), "{method} {path}");
        assert!(answer.json()["msg"].is_string());
    }
}

#[actix_web::test]
async fn a_submitted_job_is_its_owners_and_the_administrators() {
    let world = world().await;
    let mut document = a_document();
    document["user"] = json!({ "id": "ann", "uid": 0, "project": "rna" });
    let id = world.submit("ann", &document).await;
    let task = world.get(&format!("/task/{id}"), "ann").await.json();
    assert_eq!(task["user"]["uid"], 1001, "the server alone says who one is");
    assert_eq!(task["status"]["pending"]["code"], "queue");
    for (who, status) in [("ann", 200), ("root", 200), ("ben", 404), ("", 401)] {
        assert_eq!(world.get(&format!("/task/{id}/status"), who).await.status, status, "{who}");
    }
    let refused = world.send("POST", "/task", "ben", &document.to_string(), &[]).await;
    assert_eq!(refused.status, 403, "nobody submits for another");
    let by_root = world.submit("root", &document).await;
    assert_eq!(world.job(by_root).await.owner.user.as_str(), "ann");
    assert_eq!(
        world.sent_to(Role::Scheduler),
        [id, by_root].map(|id| Command::JobSubmitted { id: JobId(id), children: 0 })
    );
    let listed = world.get("/task/active?project=rna", "ann").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(world.get("/task/active?project=default", "ann").await.json(), json!([]));
}

#[actix_web::test]
async fn a_killed_array_is_told_to_whom_each_child_concerns() {
    let world = world().await;
    let mut document = a_document();
    document["requirements"] = json!({ "array": { "values": "1:3" } });
    assert_eq!(world.submit("ann", &document).await, 1);
    world.set(1, running()).await;
    world.set(2, running()).await;
    world.set(3, over()).await;
    assert_eq!(world.send("DELETE", "/task/1", "ann", "", &[]).await.status, 200);
    assert_eq!(world.send("DELETE", "/task/1", "ann", "", &[]).await.status, 200, "asking twice is no fault");
    assert_eq!(world.sent_to(Role::Executor)[0], Command::ActiveRequested { ids: vec![JobId(2)] });
    assert_eq!(world.sent_to(Role::Scheduler)[1], Command::PendingRequested { ids: vec![JobId(4)] });
    assert_eq!(world.job(1).await.request, Some(Request::Kill(StopCause::User)));
    let suspended = world.get("/task/1/suspend", "ann").await;
    assert_eq!((suspended.status, suspended.json()["error"].clone()), (409, json!("conflict")));
}

#[actix_web::test]
async fn what_a_job_is_in_no_state_for_is_refused_with_a_sentence() {
    let world = world().await;
    let id = world.submit("ann", &a_document()).await;
    for path in ["suspend", "resume", "reschedule", "archive"] {
        let refused = world.get(&format!("/task/{id}/{path}"), "ann").await;
        assert_eq!(refused.status, 409, "{path}");
    }
    world.set(id, running()).await;
    assert_eq!(world.get(&format!("/task/{id}/resume"), "ann").await.status, 409);
    assert_eq!(world.get(&format!("/task/{id}/suspend"), "ann").await.status, 200);
    world.set(id, over()).await;
    assert_eq!(world.send("DELETE", &format!("/task/{id}"), "ann", "", &[]).await.status, 409);
    assert_eq!(world.get("/archive/1", "ann").await.json()["count"], 1);
    assert_eq!(world.sent_to(Role::Archiver), [Command::ArchiveRequested { ids: vec![JobId(id)] }]);
}

#[actix_web::test]
async fn who_has_too_many_jobs_pending_is_told_how_many_more_fit() {
    let mut config = a_config();
    config.limits.rate_limit = Some(3);
    let world = world_with(config).await;
    world.submit("ann", &a_document()).await;
    let mut document = a_document();
    document["requirements"] = json!({ "array": { "values": "5" } });
    let refused = world.send("POST", "/task", "ann", &document.to_string(), &[]).await;
    assert_eq!(refused.status, 429);
    assert!(refused.text().contains("2 more"), "{}", refused.text());
}

#[actix_web::test]
async fn only_dynamic_fields_change_and_the_watcher_hears_of_it() {
    let mut config = a_config();
    config.dynamic_fields = vec![DynamicField { name: "maxlifespan".into(), only_admin: false }];
    let world = world_with(config).await;
    let id = world.submit("ann", &a_document()).await;
    world.set(id, running()).await;
    let path = format!("/task/{id}");
    for (name, value, status) in [("maxlifespan", "3d", 200), ("maxlifespan", "soon", 400), ("cpu", "64", 400)] {
        let body = json!({ "name": name, "value": value }).to_string();
        assert_eq!(world.send("PUT", &path, "ann", &body, &[]).await.status, status, "{name} {value}");
    }
    assert_eq!(world.job(id).await.spec.max_lifespan, Some(Duration::from_secs(3 * 86_400)));
    assert_eq!(world.sent_to(Role::Watcher), [Command::JobsRunning { ids: vec![JobId(id)] }]);
}

#[actix_web::test]
async fn users_change_their_preferences_and_not_their_quotas() {
    let world = world().await;
    let mut user = world.get("/user/ann", "ann").await.json();
    user["email"] = json!("ann@lab.example");
    assert_eq!(world.send("PUT", "/user/ann", "ann", &user.to_string(), &[]).await.status, 200);
    user["usage"]["quota_cpu"] = json!(7);
    assert_eq!(world.send("PUT", "/user/ann", "ann", &user.to_string(), &[]).await.status, 403);
    assert_eq!(world.send("PUT", "/user/ann", "root", &user.to_string(), &[]).await.json()["usage"]["quota_cpu"], 7);
    user["usage"]["prio"] = json!(101);
    assert_eq!(world.send("PUT", "/user/ann", "root", &user.to_string(), &[]).await.status, 400);
    let projects = world.get("/user/ann/project", "ann").await.json();
    assert_eq!((&projects[0]["id"], &projects[1]["id"]), (&json!("default"), &json!("rna")));
    world.has_run("busybox").await;
    let usage = world.get("/user/ann/usage", "ann").await.json();
    assert_eq!((&usage[0]["cpu"], &usage[0]["ram"], &usage[0]["time"]), (&json!(2), &json!(0.5), &json!(61)));
    let key = world.send("POST", "/user/ann/apikey", "ann", "", &[]).await.json();
    let log_in = json!({ "user": "ann", "apikey": key["apikey"] }).to_string();
    assert_eq!(world.send("POST", "/authenticate", "", &log_in, &[]).await.status, 200);
    assert_eq!(world.send("POST", "/user/ann/apikey", "root", "", &[]).await.status, 404);
}

#[actix_web::test]
async fn a_session_without_its_csrf_token_changes_nothing() {
    async fn log_in(site: web::Data<Site>, request: HttpRequest) -> Result<String, ApiError> {
        let ann = site.store.user(&"ann".parse().unwrap()).await?.unwrap();
        session::begin(&site, &request, &ann).await?;
        Ok(session::csrf_token(&request))
    }
    let world = world().await;
    let id = world.submit("ann", &a_document()).await;
    world.set(id, running()).await;
    let sessions = || SessionMiddleware::new(CookieSessionStore::default(), world.site.keys.cookie_key());
    let site = web::Data::new(world.site.clone());
    // Where a session begins is no route of the API's.
    let door = App::new().app_data(site.clone()).wrap(sessions()).route("/begin", web::get().to(log_in));
    let response = call_service(&init_service(door).await, TestRequest::get().uri("/begin").to_request()).await;
    let cookie = response.response().cookies().next().unwrap().into_owned();
    let csrf = String::from_utf8(read_body(response).await.to_vec()).unwrap();
    let gate = actix_web::middleware::from_fn(guard::recognize);
    let app = App::new().app_data(site).wrap(gate).wrap(sessions()).configure(super::configure);
    let app = init_service(app).await;
    let look = TestRequest::get().uri(&format!("/api/1.0/task/{id}")).cookie(cookie.clone()).to_request();
    assert_eq!(call_service(&app, look).await.status(), 200, "to look, the session is enough");
    for (sent, status) in [("", 403), ("guess", 403), (csrf.as_str(), 200)] {
        let suspend = TestRequest::get().uri(&format!("/api/1.0/task/{id}/suspend")).cookie(cookie.clone());
        let suspend = suspend.insert_header(("X-CSRF-Token", sent)).to_request();
        assert_eq!(call_service(&app, suspend).await.status(), status, "{sent:?}");
    }
}

#[actix_web::test]
async fn files_are_listed_and_sent_in_parts_and_never_run() {
    let world = world().await;
    let id = world.submit("ann", &a_document()).await;
    let empty = world.get(&format!("/task/{id}/files/"), "ann").await;
    assert_eq!((empty.status, empty.json()), (200, json!([])), "nothing is there before it starts");
    let directory = world.directory(id);
    std::fs::create_dir(directory.join("out put")).unwrap();
    std::fs::write(directory.join("god.log"), "0123456789").unwrap();
    std::fs::write(directory.join("out put/page.html"), "<script>").unwrap();
    let listed = world.get(&format!("/task/{id}/files"), "ann").await;
    assert_eq!(listed.header("content-type"), "application/json; charset=UTF-8");
    assert_eq!((&listed.json()[0]["name"], &listed.json()[0]["size"]), (&json!("god.log"), &json!(10)));
    assert_eq!(listed.json()[1]["type"], "dir");
    assert_eq!(world.get(&format!("/task/{id}/files/out%20put/"), "ann").await.json()[0]["name"], "page.html");
    let log = format!("/task/{id}/files/god.log");
    let part = world.send("GET", &log, "ann", "", &[("Range", "bytes=2-4")]).await;
    assert_eq!((part.status, part.text().as_str(), part.header("content-range")), (206, "234", "bytes 2-4/10"));
    assert_eq!(world.send("GET", &log, "ann", "", &[("Range", "bytes=10-")]).await.status, 416);
    let whole = world.get(&log, "ann").await;
    assert_eq!((whole.text().as_str(), whole.header("accept-ranges")), ("0123456789", "bytes"));
    assert!(whole.header("content-disposition").is_empty());
    let page = world.get(&format!("/task/{id}/files/out%20put/page.html"), "ann").await;
    assert!(page.header("content-disposition").starts_with("attachment"));
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(page.header("content-security-policy").contains("sandbox"));
    for path in ["../../x", "%2e%2e/x", "..%2fx", "missing", "/etc/passwd"] {
        let status = world.get(&format!("/task/{id}/files/{path}"), "ann").await.status;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    assert_eq!(world.get(&log, "ben").await.status, 404);
    let from = world.get(&format!("/task/{id}/log?from=7"), "ann").await;
    assert_eq!(from.text(), "789");
}

#[actix_web::test]
async fn a_directory_is_sent_as_one_file() {
    use std::io::Read;
    let world =
        world_with(Config { limits: config::Limits { max_file_download: 1000, ..a_config().limits }, ..a_config() })
            .await;
    let id = world.submit("ann", &a_document()).await;
    assert_eq!(world.get(&format!("/task/{id}/files?archive=tar"), "ann").await.status, 404, "nothing is there yet");
    let directory = world.directory(id);
    std::fs::create_dir_all(directory.join("out/deep")).unwrap();
    std::fs::write(directory.join("out/deep/a b"), "fine").unwrap();
    let tar = world.get(&format!("/task/{id}/files?archive=tar"), "ann").await;
    assert_eq!((tar.status, tar.header("content-type")), (200, "application/x-tar"), "{}", tar.text());
    assert_eq!(tar.header("content-disposition"), format!("attachment; filename*=UTF-8''job%2D{id}%2Etar"));
    assert!(tar.header("content-security-policy").contains("sandbox"));
    let mut tar = tar::Archive::new(&tar.bytes[..]);
    let paths: Vec<_> =
        tar.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    assert!(paths.contains(&format!("job-{id}/out/deep/a b")), "{paths:?}");
    let zip = world.get(&format!("/task/{id}/files/out/deep?archive=zip"), "ann").await;
    assert_eq!(zip.header("content-type"), "application/zip");
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip.bytes)).unwrap();
    let mut text = String::new();
    zip.by_name("deep/a b").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "fine");
    for (path, who, status) in [
        ("files?archive=rar", "ann", 400),
        ("files/out/deep/a%20b?archive=tar", "ann", 404),
        ("files/..?archive=tar", "ann", 400),
        ("files?archive=tar", "ben", 404),
        ("files?archive=tar", "root", 200),
    ] {
        assert_eq!(world.get(&format!("/task/{id}/{path}"), who).await.status, status, "{path}");
    }
    std::fs::write(directory.join("out/large"), vec![0; 1000]).unwrap();
    let refused = world.get(&format!("/task/{id}/files/out?archive=zip"), "ann").await;
    assert!(refused.status == 403 && refused.text().contains("at most 1000"), "{}", refused.text());
}

#[actix_web::test]
async fn what_is_shown_in_a_frame_is_what_it_begins_with() {
    let world = world().await;
    let id = world.submit("ann", &a_document()).await;
    let directory = world.directory(id);
    std::fs::write(directory.join("plot"), b"\x89PNG\r\n\x1a\n....").unwrap();
    std::fs::write(directory.join("evil.png"), "<svg onload=alert(1)>").unwrap();
    let get = async |path: &str| world.get(&format!("/task/{id}/files/{path}"), "ann").await;
    let plot = get("plot?inline=1").await;
    assert_eq!((plot.header("content-type"), plot.header("content-disposition")), ("image/png", ""));
    assert_eq!((plot.header("x-content-type-options"), plot.header("x-frame-options")), ("nosniff", "SAMEORIGIN"));
    let policy = plot.header("content-security-policy").to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox;"), "{policy}");
    for path in ["plot", "evil.png", "evil.png?inline=1"] {
        let saved = get(path).await;
        assert_eq!(saved.header("content-type"), "application/octet-stream", "{path}");
        assert!(saved.header("content-disposition").starts_with("attachment"), "{path}");
    }
}

#[actix_web::test]
async fn who_waits_is_answered_at_the_end() {
    let world = world().await;
    let id = world.submit("ann", &a_document()).await;
    let impatient = world.get(&format!("/task/{id}/wait?timeout=0"), "ann").await;
    assert_eq!(impatient.json()["status"]["primary"], "pending");
    let path = format!("/task/{id}/wait?timeout=60");
    let waiting = world.get(&path, "ann");
    let ending = async {
        world.becomes(id, running()).await;
        tokio::task::yield_now().await;
        world.becomes(id, over()).await;
    };
    let (answer, ()) =
        tokio::time::timeout(DEADLINE, async { futures::join!(waiting, ending) }).await.expect("it ended");
    assert_eq!(answer.json()["status"]["primary"], "over");
}

/// The next event, as its name and data.
async fn heard(
    stream: &mut (impl futures::Stream<Item = Result<bytes::Bytes, std::convert::Infallible>> + Unpin),
) -> (String, Value) {
    let event = tokio::time::timeout(DEADLINE, stream.next()).await.expect("something is heard in time");
    let text = String::from_utf8(event.expect("the stream goes on").unwrap().to_vec()).unwrap();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
    (field("event: "), serde_json::from_str(&field("data: ")).unwrap())
}

#[actix_web::test]
async fn output_is_heard_as_it_grows_until_the_end() {
    use std::io::Write;
    let world = world().await;
    let id = world.submit("ann", &a_document()).await;
    let mut stream = Box::pin(log_follow::follow(world.site.clone(), JobId(id), Position::default()));
    assert_eq!(heard(&mut stream).await.1["phase"], "pending");
    let directory = world.directory(id);
    world.becomes(id, running()).await;
    assert_eq!(heard(&mut stream).await.1["phase"], "running");
    let mut log = std::fs::File::create(directory.join("god.log")).unwrap();
    log.write_all(b"caf\xc3").unwrap();
    assert_eq!(heard(&mut stream).await, ("out".into(), json!({ "text": "caf" })));
    log.write_all(b"\xa9\n").unwrap();
    assert_eq!(heard(&mut stream).await, ("out".into(), json!({ "text": "é\n" })));
    std::fs::write(directory.join("god.err"), "oh").unwrap();
    assert_eq!(heard(&mut stream).await, ("err".into(), json!({ "text": "oh" })));
    // A new attempt begins its log anew.
    std::fs::write(directory.join("god.log"), "two").unwrap();
    assert_eq!(heard(&mut stream).await, ("out".into(), json!({ "text": "two" })));
    log.set_len(0).unwrap();
    std::fs::write(directory.join("god.log"), "last words").unwrap();
    world.becomes(id, over()).await;
    let mut rest = Vec::new();
    while let Some(event) = tokio::time::timeout(DEADLINE, stream.next()).await.expect("it ends") {
        rest.push(String::from_utf8(event.unwrap().to_vec()).unwrap());
    }
    assert!(rest.concat().contains("words"), "{rest:?}");
    assert!(rest.last().unwrap().contains("event: end\ndata: {\"ending\":\"done\",\"exitcode\":0}"), "{rest:?}");
}

#[actix_web::test]
async fn a_log_larger_than_a_chunk_is_sent_whole_and_can_be_taken_up_again() {
    let world = world().await;
    let id = world.submit("ann", &a_document()).await;
    let text = "0123456789abcde\n".repeat(20_000);
    std::fs::write(world.directory(id).join("god.log"), &text).unwrap();
    world.set(id, over()).await;
    let all = world.get(&format!("/task/{id}/log?follow=1"), "ann").await;
    assert_eq!(all.header("content-type"), "text/event-stream");
    let told = |answer: &Answer| -> String {
        let lines = answer.text();
        let data = lines.lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter_map(|data| serde_json::from_str::<Value>(data).unwrap()["text"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(told(&all), text);
    let path = format!("/task/{id}/log?follow=1");
    let rest = world.send("GET", &path, "ann", "", &[("Last-Event-ID", "319990:0")]).await;
    assert_eq!(told(&rest), text[319_990..]);
}

#[actix_web::test]
async fn the_description_and_its_page_are_there_for_everyone() {
    let world = world().await;
    for path in ["/openapi.json", "/docs", "/docs.js", "/docs.css", "/config"] {
        assert_eq!(world.get(path, "").await.status, 200, "{path}");
    }
    world.has_run("debian:stable").await;
    world.has_run("busybox").await;
    assert_eq!(world.get("/image", "ann").await.json(), json!(["busybox"]));
    let config = world.get("/config", "").await.json();
    assert_eq!(config["constraints"], json!([{ "name": "storage", "value": ["ssd", "disk"] }]));
    assert_eq!(config["executor_features"], json!(["kill", "pause", "images", "volumes"]));
}
