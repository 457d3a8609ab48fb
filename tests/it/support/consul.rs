//! What Consul's agent does with services and their checks, as its documentation has it; the server itself is in no
//! package index. It refuses what Consul refuses: a wrong token, long metadata, a pass for a check it does not know.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

pub const TOKEN: &str = "the-token-of-the-tests";

pub struct Consul {
    pub port: u16,
    server: actix_web::dev::ServerHandle,
    services: Services,
}

#[derive(Clone, Default)]
struct Services(Arc<Mutex<BTreeMap<String, Registered>>>);

struct Registered {
    service: Value,
    ttl: Duration,
    forget_after: Duration,
    /// When it is critical unless it passes before.
    passes_until: Instant,
}

impl Consul {
    pub fn start() -> Self {
        let services = Services::default();
        let data = web::Data::new(services.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/v1/agent/service/register", web::put().to(register))
                .route("/v1/agent/service/deregister/{id}", web::put().to(deregister))
                .route("/v1/agent/check/pass/{check}", web::put().to(pass))
                .route("/v1/health/service/{name}", web::get().to(health))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let port = server.addrs()[0].port();
        let running = server.run();
        let handle = running.handle();
        std::thread::spawn(move || actix_web::rt::System::new().block_on(running));
        Consul { port, server: handle, services }
    }

    /// An agent that was started anew knows nothing.
    pub fn forget_everything(&self) {
        self.services.0.lock().unwrap().clear();
    }
}

impl Drop for Consul {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

fn forbidden(request: &HttpRequest) -> Option<HttpResponse> {
    let token = request.headers().get("X-Consul-Token").and_then(|token| token.to_str().ok());
    (token != Some(TOKEN)).then(|| HttpResponse::Forbidden().body("Permission denied"))
}

fn seconds(text: &Value) -> Duration {
    let text = text.as_str().unwrap_or_default();
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    Duration::from_secs(number.parse::<u64>().unwrap() * if unit == "m" { 60 } else { 1 })
}

async fn register(request: HttpRequest, all: web::Data<Services>, sent: web::Json<Value>) -> HttpResponse {
    if let Some(refused) = forbidden(&request) {
        return refused;
    }
    let service = sent.into_inner();
    let meta = service["Meta"].as_object().cloned().unwrap_or_default();
    let plain = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if meta.iter().any(|(key, value)| !plain(key) || value.as_str().is_none_or(|value| value.len() > 512)) {
        return HttpResponse::BadRequest().body("Invalid Service Meta");
    }
    let ttl = seconds(&service["Check"]["TTL"]);
    let registered = Registered {
        ttl,
        forget_after: seconds(&service["Check"]["DeregisterCriticalServiceAfter"]).max(Duration::from_secs(60)),
        passes_until: Instant::now() + if service["Check"]["Status"] == "passing" { ttl } else { Duration::ZERO },
        service,
    };
    all.0.lock().unwrap().insert(registered.service["ID"].as_str().unwrap().to_owned(), registered);
    HttpResponse::Ok().finish()
}

async fn deregister(request: HttpRequest, all: web::Data<Services>, id: web::Path<String>) -> HttpResponse {
    if let Some(refused) = forbidden(&request) {
        return refused;
    }
    match all.0.lock().unwrap().remove(id.as_str()) {
        Some(_) => HttpResponse::Ok().finish(),
        None => HttpResponse::NotFound().body("Unknown service ID"),
    }
}

async fn pass(request: HttpRequest, all: web::Data<Services>, check: web::Path<String>) -> HttpResponse {
    if let Some(refused) = forbidden(&request) {
        return refused;
    }
    let mut all = all.0.lock().unwrap();
    match all.values_mut().find(|registered| registered.service["Check"]["CheckID"] == check.as_str()) {
        Some(registered) => {
            registered.passes_until = Instant::now() + registered.ttl;
            HttpResponse::Ok().finish()
        }
        None => HttpResponse::NotFound().body("Unknown check ID"),
    }
}

async fn health(request: HttpRequest, all: web::Data<Services>, name: web::Path<String>) -> HttpResponse {
    if let Some(refused) = forbidden(&request) {
        return refused;
    }
    let mut all = all.0.lock().unwrap();
    all.retain(|_, registered| registered.passes_until + registered.forget_after > Instant::now());
    let of_name = all.values().filter(|registered| registered.service["Name"] == name.as_str());
    let shown: Vec<Value> = of_name
        .map(|registered| {
            let service = &registered.service;
            let status = if registered.passes_until > Instant::now() { "passing" } else { "critical" };
            json!({
                "Node": { "Node": "tests", "Address": "127.0.0.1" },
                "Service": {
                    "ID": service["ID"], "Service": service["Name"], "Tags": service["Tags"], "Address": service["Address"],
                    "Port": service["Port"], "Meta": service["Meta"],
                },
                "Checks": [
                    { "CheckID": "serfHealth", "Status": "passing", "ServiceID": "", "Output": "" },
                    { "CheckID": service["Check"]["CheckID"], "Status": status, "ServiceID": service["ID"], "Output": "" },
                ],
            })
        })
        .collect();
    HttpResponse::Ok().json(shown)
}
