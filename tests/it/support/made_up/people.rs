//! Who is there, and in which projects.

use std::time::Duration;

use godocker::domain::project::Project;
use godocker::domain::{AuditEntry, Identity, Quotas, Standing, Timestamp, User, UserKind};
use godocker::plugins::auth::password;
use godocker::store::{AccountChange, Changed, Store};
use godocker::web::access::secret_hash;
use serde_json::json;

use crate::support::{API_KEY, PASSWORD};

pub const DAY: Duration = Duration::from_secs(86_400);

/// The API key of somebody here.
pub fn key_of(user: &str) -> String {
    format!("{user}-{API_KEY}")
}

pub async fn write(store: &dyn Store, now: Timestamp) {
    let hash = password::hash(PASSWORD).await.unwrap();
    let person = |id: &str, kind: UserKind, uid: u32, days: u32| User {
        uid,
        gid: uid,
        email: Some(format!("{}@lab.example", id.trim_start_matches("guest-"))),
        password_hash: (kind == UserKind::Local).then(|| hash.clone()),
        api_key_hash: Some(secret_hash(&key_of(id))),
        identity: (kind == UserKind::Guest)
            .then(|| Identity { issuer: "https://campus.example".into(), subject: id.to_owned() }),
        ..User::new(id.parse().unwrap(), kind, now.minus(DAY * days))
    };
    let quotas = Quotas {
        time: 2_000_000,
        cpu: 1_000,
        disk: Some(20_000_000_000),
        upload: Some(5_000_000_000),
        ..Quotas::default()
    };
    let people = [
        User { quotas, ..person("ann", UserKind::Local, 7001, 400) },
        User { priority: 60, ..person("bob", UserKind::Local, 7002, 390) },
        User { quotas: Quotas { time: 3_600, ..Quotas::default() }, ..person("carla", UserKind::Local, 7003, 200) },
        User { standing: Standing::Disabled, ..person("dmitri", UserKind::Local, 7004, 380) },
        // Has never done anything.
        person("nora", UserKind::Local, 7005, 0),
        User { standing: Standing::New, ..person("guest-eve", UserKind::Guest, 5, 1) },
        person("guest-finn", UserKind::Guest, 5, 30),
    ];
    let projects = [
        project("rna", "Expression of small RNAs in tomato", "ann", &["ann", "bob", "guest-finn"]),
        project("climate", "Downscaling of regional climate models", "carla", &["carla", "ann"]),
        project("imaging", "Cell images from the new microscope", "bob", &["bob"]),
    ];
    let changes = people.into_iter().map(|user| AccountChange::PutUser(Box::new(user)));
    let changes = changes.chain(projects.into_iter().map(|project| AccountChange::PutProject(Box::new(project))));
    assert_eq!(store.change(changes.collect(), audit(now)).await.unwrap(), Changed::Done);
}

fn project(id: &str, description: &str, owner: &str, members: &[&str]) -> Project {
    Project {
        description: description.to_owned(),
        owner: Some(owner.parse().unwrap()),
        members: members.iter().map(|id| id.parse().unwrap()).collect(),
        quotas: Quotas { time: 20_000_000, ..Quotas::default() },
        ..Project::new(id.parse().unwrap())
    }
}

fn audit(now: Timestamp) -> Vec<AuditEntry> {
    let line = |hours: u64, action: &str, subject: &str, details| AuditEntry {
        at: now.minus(Duration::from_secs(hours * 3600)),
        actor: "admin".to_owned(),
        address: Some("192.0.2.17".to_owned()),
        action: action.to_owned(),
        subject: subject.to_owned(),
        details,
    };
    vec![
        line(2_000, "project.create", "imaging", json!({ "owner": "bob" })),
        line(900, "user.change", "ann", json!({ "usage.quota_time": [0, 2_000_000], "usage.quota_cpu": [0, 1_000] })),
        line(700, "maintenance.on", "site", json!({ "message": "The file server gets new disks." })),
        line(698, "maintenance.off", "site", json!({})),
        line(500, "user.change", "guest-finn", json!({ "standing": ["new", "active"] })),
        line(30, "user.change", "dmitri", json!({ "standing": ["active", "disabled"] })),
    ]
}
