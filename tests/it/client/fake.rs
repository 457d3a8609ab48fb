//! A server that knows a few jobs, each with its own behaviour.
//!
//! 7 failed with 3, and its log breaks off once; 8 runs for ever; 9 ended well, after a restart; 10 stays pending; 404
//! does not exist.

use std::sync::{Arc, Mutex, mpsc};

use actix_web::dev::{ServerHandle, Service};
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::{Value, json};

pub const KEY: &str = "s3cret-key";
const PREFIX: &str = "/god/api/1.0";

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    submitted: Mutex<Value>,
    expired: Mutex<u32>,
}

pub struct FakeServer {
    seen: Arc<Seen>,
    port: u16,
    handle: ServerHandle,
}

impl FakeServer {
    pub fn start() -> Self {
        let seen = Arc::new(Seen::default());
        let (tell, told) = mpsc::channel();
        let shared = web::Data::from(seen.clone());
        std::thread::spawn(move || {
            rt::System::new().block_on(async move {
                let server = HttpServer::new(move || app(shared.clone())).workers(1).disable_signals();
                let server = server.bind("127.0.0.1:0").unwrap();
                let port = server.addrs()[0].port();
                let server = server.run();
                tell.send((port, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (port, handle) = told.recv().unwrap();
        FakeServer { seen, port, handle }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/god", self.port)
    }

    /// The last job that was sent.
    pub fn submitted(&self) -> Value {
        self.seen.submitted.lock().unwrap().clone()
    }

    /// How often this was asked: method, path under the API's root, and query.
    pub fn count(&self, request: &str) -> usize {
        self.seen.requests.lock().unwrap().iter().filter(|seen| *seen == request).count()
    }

    /// Refuses the tokens of the next requests.
    pub fn expire_tokens(&self, times: u32) {
        *self.seen.expired.lock().unwrap() = times;
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        // Sent before it is polled; the thread ends by itself.
        drop(self.handle.stop(false));
    }
}

#[rustfmt::skip]
fn app(seen: web::Data<Seen>) -> App<impl actix_web::dev::ServiceFactory<
    actix_web::dev::ServiceRequest, Config = (), Response = actix_web::dev::ServiceResponse<impl actix_web::body::MessageBody>,
    Error = actix_web::Error, InitError = (),
>> {
    App::new().app_data(seen.clone()).service(web::scope(PREFIX)
        .wrap_fn(move |request, service| {
            let path = request.uri().path_and_query().unwrap().as_str().trim_start_matches(PREFIX).to_owned();
            seen.requests.lock().unwrap().push(format!("{} {path}", request.method()));
            service.call(request)
        })
        .route("/authenticate", web::post().to(authenticate))
        .service(web::scope("").guard(actix_web::guard::fn_guard(|context| {
                context.head().headers().get("Authorization").is_some_and(|token| token == "Bearer t0ken")
            }))
            .route("/config", web::get().to(|| answer(json!({
                "images": [{ "name": "d", "url": "debian:stable", "interactive": false, "default": true }],
            }))))
            .route("/user/ann", web::get().to(|| answer(json!({ "id": "ann", "admin": false }))))
            .route("/task", web::post().to(submit))
            .route("/task/active", web::get().to(|| answer(json!([running(7), pending(8)]))))
            .route("/task/over/{skip}/{limit}", web::post().to(|| answer(json!([over(7, 3)]))))
            .route("/task/404{rest:.*}", web::route().to(|| no("job")))
            .route("/task/7", web::delete().to(kill))
            .route("/task/{id}", web::get().to(|| answer(over(7, 3))))
            .route("/task/7/log", web::get().to(log))
            .route("/task/8/log", web::get().to(endless_log))
            .route("/task/7/wait", web::get().to(|| answer(over(7, 3))))
            .route("/task/9/wait", web::get().to(wait_through_restart))
            .route("/task/10/wait", web::get().to(wait_in_vain))
            .route("/task/7/files/", web::get().to(|| async {
                let entries = json!([{ "name": "sub", "type": "dir", "size": 0 }, { "name": "a b.txt", "type": "file", "size": 6 }]);
                HttpResponse::Ok().content_type("application/json; charset=UTF-8").body(entries.to_string())
            }))
            .route("/task/7/files/god.err", web::get().to(|| async { HttpResponse::Ok().body("oops\n") }))
            .route("/task/7/files/sub/a b.txt", web::get().to(|| async {
                HttpResponse::Ok().content_type("text/plain").body(&b"data\n\xff"[..])
            }))
            .route("/task/7/files/gone", web::get().to(|| no("file"))))
        .default_service(web::to(|| async {
            HttpResponse::Unauthorized().json(json!({ "error": "unauthorized", "msg": "log in first" }))
        })))
}

async fn answer(document: Value) -> HttpResponse {
    HttpResponse::Ok().json(document)
}

async fn no(what: &str) -> HttpResponse {
    let msg = format!("there is no {what} here that you may see");
    HttpResponse::NotFound().json(json!({ "error": "not_found", "msg": msg }))
}

async fn authenticate(sent: web::Json<Value>) -> HttpResponse {
    if *sent == json!({ "user": "ann", "apikey": KEY }) {
        HttpResponse::Ok().json(json!({ "token": "t0ken" }))
    } else {
        HttpResponse::Unauthorized().json(json!({ "error": "login_denied", "msg": "wrong user name, password or key" }))
    }
}

async fn submit(seen: web::Data<Seen>, sent: web::Json<Value>) -> HttpResponse {
    *seen.submitted.lock().unwrap() = sent.clone();
    let id = match sent["meta"]["name"].as_str().unwrap() {
        "bad" => {
            let fields = json!([
                { "field": "requirements.cpu", "message": "too many" },
                { "field": "requirements.tasks[0]", "message": "there is no job 9" },
            ]);
            return HttpResponse::BadRequest().json(json!({ "error": "invalid_field", "msg": "x", "fields": fields }));
        }
        "lost" => return HttpResponse::new(StatusCode::BAD_GATEWAY),
        "endless" => 8,
        _ => 7,
    };
    HttpResponse::Ok().json(json!({ "msg": "Task added", "id": id }))
}

async fn kill(seen: web::Data<Seen>) -> HttpResponse {
    let mut expired = seen.expired.lock().unwrap();
    if *expired > 0 {
        *expired -= 1;
        return HttpResponse::Unauthorized().json(json!({ "error": "unauthorized", "msg": "log in first" }));
    }
    HttpResponse::Ok().json(json!({ "msg": "Task kill requested", "id": 7 }))
}

/// The first connection ends in the middle of a character's bytes' event; the next goes on from there.
async fn log(request: HttpRequest) -> HttpResponse {
    if !request.query_string().contains("follow=1") {
        return HttpResponse::Ok().content_type("text/plain").body("hello\nworld é\n");
    }
    let last = request.headers().get("Last-Event-ID").map(|id| id.to_str().unwrap());
    let pieces: &[&'static [u8]] = match last {
        None => &[
            b": hi\n\nid: 0:0\nevent: status\ndata: {\"phase\":\"pending\",\"reason\":\"x\"}\n\n",
            b"id: 6:0\nevent: out\ndata: {\"text\":\"hello\\n\"}\n\nid: 9:0\nevent: out\ndata: {\"te",
        ],
        Some("6:0") => &[
            b"id: 15:0\nevent: out\ndata: {\"text\":\"world \xc3",
            b"\xa9\\n\"}\n\nid: 15:5\nevent: err\ndata: {\"text\":\"oops\\n\"}\n\n",
            b"id: 15:5\nevent: end\ndata: {\"ending\":\"failed\",\"exitcode\":3}\n\n",
        ],
        Some(other) => panic!("a follower asks for {other}"),
    };
    let pieces = pieces.iter().map(|piece| Ok::<_, actix_web::Error>(Bytes::from_static(piece)));
    HttpResponse::Ok().content_type("text/event-stream").streaming(futures::stream::iter(pieces.collect::<Vec<_>>()))
}

async fn endless_log() -> HttpResponse {
    let begun = Bytes::from_static(b"id: 6:0\nevent: out\ndata: {\"text\":\"begun\\n\"}\n\n");
    let pieces = futures::stream::iter([Ok::<_, actix_web::Error>(begun)]).chain(futures::stream::pending());
    HttpResponse::Ok().content_type("text/event-stream").streaming(pieces)
}

async fn wait_through_restart(seen: web::Data<Seen>) -> HttpResponse {
    let asked = seen.requests.lock().unwrap().iter().filter(|request| request.starts_with("GET /task/9/wait")).count();
    match asked {
        1 | 2 => HttpResponse::new(StatusCode::SERVICE_UNAVAILABLE),
        _ => HttpResponse::Ok().json(over(9, 0)),
    }
}

async fn wait_in_vain() -> HttpResponse {
    HttpResponse::Ok().json(pending(10))
}

fn task(id: u64, status: Value) -> Value {
    json!({
        "id": id, "parent_task_id": null, "date": 1.5, "user": { "id": "ann", "project": "default" },
        "meta": { "name": "blast", "description": "", "tags": ["rna"] },
        "requirements": { "cpu": 2, "ram": 4, "gpus": 0, "array": { "values": null, "nb_tasks": 0 }, "tasks": [] },
        "container": { "image": "debian", "meta": null, "ports": [], "volumes": [] }, "status": status,
    })
}

pub fn running(id: u64) -> Value {
    task(id, json!({ "primary": "running", "secondary": null, "phase": "running", "reason": null, "duration": 42 }))
}

pub fn pending(id: u64) -> Value {
    let waiting = json!({ "code": "capacity", "position": 3, "estimate_secs": 130 });
    let reason = "No node has 2 cpu free.";
    task(
        id,
        json!({ "primary": "pending", "secondary": null, "phase": "pending", "reason": reason, "pending": waiting }),
    )
}

pub fn over(id: u64, exit: i64) -> Value {
    let ending = if exit == 0 { "done" } else { "failed" };
    task(
        id,
        json!({ "primary": "over", "phase": "over", "ending": ending, "exitcode": exit, "duration": 61, "reason": null }),
    )
}
