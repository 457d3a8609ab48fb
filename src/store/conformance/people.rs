use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::builders::name;
use crate::domain::project::Project;
use crate::domain::{
    Acl, AuditEntry, Credential, CredentialKind, Identity, Mount, ProcessRole, ProcessStatus, Quotas, Scope, Timestamp,
    User, UserKind,
};
use crate::store::{AccountChange, AuditFilter, Changed, Store};

fn a_user(id: &str) -> User {
    User {
        uid: 1001,
        gid: 1001,
        groups: vec![27, 100],
        email: Some(format!("{id}@example.org")),
        home: Some("/home/it's".into()),
        password_hash: Some("$argon2id$…".into()),
        quotas: Quotas { time: u64::MAX, cpu: 1, ..Quotas::default() },
        ..User::new(name(id), UserKind::Local, Timestamp(1))
    }
}

async fn change(store: &dyn Store, changes: Vec<AccountChange>) -> Changed {
    store.change(changes, Vec::new()).await.expect("the store answers")
}

fn put(user: &User) -> AccountChange {
    AccountChange::PutUser(Box::new(user.clone()))
}

pub async fn users_are_created_and_replaced_at_their_revision(store: &dyn Store) {
    assert_eq!(store.user(&name("ann")).await.expect("the store answers"), None);
    let (mut ann, bob) = (a_user("ann"), a_user("bob"));
    assert_eq!(change(store, vec![put(&ann), put(&bob)]).await, Changed::Done);
    assert_eq!(change(store, vec![put(&ann)]).await, Changed::Stale, "there is one of this name");
    ann = store.user(&name("ann")).await.expect("the store answers").expect("she was written");
    assert_eq!(ann.revision, 1);
    ann.admin = true;
    ann.api_key_hash = Some("ab12".into());
    assert_eq!(change(store, vec![put(&ann)]).await, Changed::Done);
    assert_eq!(change(store, vec![put(&ann)]).await, Changed::Stale, "somebody came first");
    ann.revision = 2;
    assert_eq!(store.user(&name("ann")).await.expect("the store answers"), Some(ann.clone()));
    let users = store.users().await.expect("the store answers");
    assert_eq!(users, [ann, User { revision: 1, ..bob }]);
}

pub async fn a_stale_change_does_nothing_at_all(store: &dyn Store) {
    assert_eq!(change(store, vec![put(&a_user("ann"))]).await, Changed::Done);
    let setting = AccountChange::PutSetting { key: "k".into(), value: "v".into() };
    let entry = an_entry("ann", "user.change", "bob");
    let stale = store.change(vec![setting, put(&a_user("bob")), put(&a_user("ann"))], vec![entry]).await;
    assert_eq!(stale.expect("the store answers"), Changed::Stale);
    assert_eq!(store.user(&name("bob")).await.expect("the store answers"), None);
    assert_eq!(store.setting("k").await.expect("the store answers"), None);
    assert_eq!(store.audit(&AuditFilter::default(), 9).await.expect("the store answers"), []);
}

pub async fn a_guest_is_found_by_issuer_and_subject_alone(store: &dyn Store) {
    let identity = |subject: &str| Identity { issuer: "https://id.example".into(), subject: subject.into() };
    let guest = |id: &str, subject: &str| User { identity: Some(identity(subject)), ..a_user(id) };
    assert_eq!(change(store, vec![put(&guest("g1", "1"))]).await, Changed::Done);
    let found = store.user_by_identity(&identity("1")).await.expect("the store answers");
    assert_eq!(found.map(|user| user.id), Some(name("g1")));
    assert_eq!(store.user_by_identity(&identity("2")).await.expect("the store answers"), None);
    assert_eq!(change(store, vec![put(&guest("g2", "1"))]).await, Changed::Stale, "it is another's");
    assert_eq!(change(store, vec![AccountChange::RemoveUser(name("g1"))]).await, Changed::Done);
    assert_eq!(store.user_by_identity(&identity("1")).await.expect("the store answers"), None);
    assert_eq!(change(store, vec![put(&guest("g2", "1"))]).await, Changed::Done);
}

pub async fn projects_have_members_and_volumes(store: &dyn Store) {
    let volume = Mount { name: "db".into(), acl: Acl::Ro, path: "/db".into(), mount: "/mnt/db".into() };
    let rna = Project { members: vec![name("ann"), name("bob")], volumes: vec![volume], ..Project::new(name("rna")) };
    let put = |project: &Project| AccountChange::PutProject(Box::new(project.clone()));
    assert_eq!(change(store, vec![put(&rna), put(&Project::new(name("dna")))]).await, Changed::Done);
    assert_eq!(change(store, vec![put(&rna)]).await, Changed::Stale);
    let mut rna = Project { revision: 1, ..rna };
    assert_eq!(store.project(&name("rna")).await.expect("the store answers"), Some(rna.clone()));
    let all = store.projects().await.expect("the store answers");
    assert_eq!(all.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["default", "dna", "rna"]);
    rna.members = vec![name("bob")];
    assert_eq!(change(store, vec![put(&rna)]).await, Changed::Done);
    let of = async |user: &str| {
        let projects = store.projects_of(&name(user)).await.expect("the store answers");
        projects.into_iter().map(|project| project.id.to_string()).collect::<BTreeSet<_>>()
    };
    assert_eq!(of("ann").await, BTreeSet::from(["default".to_owned()]));
    assert_eq!(of("bob").await, BTreeSet::from(["default".to_owned(), "rna".to_owned()]));
    assert_eq!(change(store, vec![AccountChange::RemoveProject(name("rna"))]).await, Changed::Done);
    assert_eq!(of("bob").await, BTreeSet::from(["default".to_owned()]));
}

pub async fn a_project_with_active_jobs_stays(store: &dyn Store) {
    let job = super::a_job();
    let project = job.owner.project.clone();
    let put = AccountChange::PutProject(Box::new(Project::new(project.clone())));
    assert_eq!(change(store, vec![put]).await, Changed::Done);
    store.submit(job).await.expect("a job is written");
    assert_eq!(change(store, vec![AccountChange::RemoveProject(project.clone())]).await, Changed::Stale);
    assert!(store.project(&project).await.expect("the store answers").is_some());
}

fn a_credential(hash: &str, user: &str, kind: CredentialKind, expires: Option<i64>) -> Credential {
    Credential {
        hash: hash.into(),
        id: format!("id-{hash}"),
        user: name(user),
        kind,
        name: "a script".into(),
        scope: Scope::Submit,
        created: Timestamp(10),
        expires: expires.map(Timestamp),
    }
}

pub async fn credentials_open_until_they_are_removed(store: &dyn Store) {
    let token = a_credential("t1", "ann", CredentialKind::Token, None);
    let session = a_credential("s1", "ann", CredentialKind::Session, Some(50));
    let others = a_credential("s2", "bob", CredentialKind::Session, Some(50));
    let put = [&token, &session, &others].map(|credential| AccountChange::PutCredential(credential.clone()));
    assert_eq!(change(store, put.to_vec()).await, Changed::Done);
    let found = async |hash: &str| store.credential(hash).await.expect("the store answers");
    assert_eq!(found("t1").await, Some(token.clone()));
    let tokens = store.credentials_of(&name("ann"), CredentialKind::Token).await.expect("the store answers");
    assert_eq!(tokens, [token]);
    let ended = AccountChange::RemoveCredentials { user: name("ann"), kind: CredentialKind::Session };
    assert_eq!(change(store, vec![ended]).await, Changed::Done);
    assert!(found("s1").await.is_none() && found("s2").await.is_some() && found("t1").await.is_some());
    let theirs = AccountChange::RemoveCredential { user: name("bob"), id: "id-t1".into() };
    assert_eq!(change(store, vec![theirs]).await, Changed::Done);
    assert!(found("t1").await.is_some(), "nobody removes another's");
    let later = Credential { created: Timestamp(60), ..a_credential("s3", "ann", CredentialKind::Session, Some(90)) };
    assert_eq!(change(store, vec![AccountChange::PutCredential(later)]).await, Changed::Done);
    assert!(found("s2").await.is_none(), "it had expired");
    assert_eq!(change(store, vec![AccountChange::RemoveUser(name("ann"))]).await, Changed::Done);
    assert!(found("t1").await.is_none() && found("s3").await.is_none());
}

fn an_entry(actor: &str, action: &str, subject: &str) -> AuditEntry {
    AuditEntry {
        at: Timestamp(5),
        actor: actor.into(),
        address: Some("192.0.2.1".into()),
        action: action.into(),
        subject: subject.into(),
        details: json!({ "prio": [50, 60] }),
    }
}

pub async fn the_audit_log_is_read_backwards_and_narrowed(store: &dyn Store) {
    let lines = [("root", "user.change", "ann"), ("root", "user.delete", "bob"), ("ann", "usertoken.create", "ann")];
    for (actor, action, subject) in lines {
        let wrote = store.change(Vec::new(), vec![an_entry(actor, action, subject)]).await;
        assert_eq!(wrote.expect("the store answers"), Changed::Done);
    }
    let found = async |filter: AuditFilter| {
        let lines = store.audit(&filter, 10).await.expect("the store answers");
        lines.into_iter().map(|line| line.entry.action).collect::<Vec<_>>()
    };
    assert_eq!(found(AuditFilter::default()).await, ["usertoken.create", "user.delete", "user.change"]);
    let by = |actor: &str| AuditFilter { actor: Some(actor.into()), ..AuditFilter::default() };
    assert_eq!(found(by("root")).await, ["user.delete", "user.change"]);
    let on = AuditFilter { subject: Some("ann".into()), actor: Some("root".into()), ..AuditFilter::default() };
    assert_eq!(found(on).await, ["user.change"]);
    let action = |action: &str| AuditFilter { action: Some(action.into()), ..AuditFilter::default() };
    assert_eq!(found(action("user")).await, ["user.delete", "user.change"], "a whole word");
    assert_eq!(found(action("user.delete")).await, ["user.delete"]);
    let all = store.audit(&AuditFilter::default(), 1).await.expect("the store answers");
    let before = AuditFilter { before: Some(all[0].number), ..AuditFilter::default() };
    assert_eq!(found(before).await, ["user.delete", "user.change"]);
    assert_eq!(all[0].entry, an_entry("ann", "usertoken.create", "ann"));
}

pub async fn everyone_is_in_the_default_project_first(store: &dyn Store) {
    let projects = store.projects_of(&name("nobody-yet")).await.expect("the store answers");
    assert_eq!(projects, [Project::default_project()]);
    let default = store.project(&name("default")).await.expect("the store answers");
    assert_eq!(default, Some(Project::default_project()));
    assert_eq!(store.project(&name("unheard-of")).await.expect("the store answers"), None);
}

pub async fn settings_read_back(store: &dyn Store) {
    assert_eq!(store.setting("instance").await.expect("the store answers"), None);
    for value in ["a", "it's \"b\""] {
        store.put_setting("instance", value).await.expect("a setting is written");
        assert_eq!(store.setting("instance").await.expect("the store answers").as_deref(), Some(value));
    }
}

pub async fn the_first_to_set_a_setting_sets_it(store: Arc<dyn Store>) {
    let tries = (0..8).map(|n| {
        let store = store.clone();
        async move { store.init_setting("instance_id", &format!("i{n}")).await.expect("the store answers") }
    });
    let got = futures::future::join_all(tries).await;
    assert!(got.iter().all(|value| *value == got[0]), "{got:?}");
    assert_eq!(store.setting("instance_id").await.expect("the store answers"), Some(got[0].clone()));
}

pub async fn processes_are_there_until_they_are_removed(store: &dyn Store) {
    let process = |id: &str, seen| ProcessStatus {
        id: id.into(),
        role: ProcessRole::Watcher,
        host: "node1".into(),
        pid: 7,
        version: "4.0".into(),
        started: Timestamp(1_000),
        seen: Timestamp(seen),
        address: Some("127.0.0.1:9000".into()),
        leader: false,
    };
    for status in [process("w2", 2_000), process("w1", 2_000), process("w1", 3_000)] {
        store.put_process(&status).await.expect("the store answers");
    }
    let all = store.processes().await.expect("the store answers");
    assert_eq!(all, [process("w1", 3_000), process("w2", 2_000)]);
    store.remove_process("w1").await.expect("the store answers");
    store.remove_process("w1").await.expect("removing it twice is no error");
    assert_eq!(store.processes().await.expect("the store answers"), [process("w2", 2_000)]);
}
