use super::builders::name;
use crate::domain::project::Project;
use crate::domain::{Quotas, Timestamp, User, UserKind};
use crate::store::Store;

fn a_user(id: &str) -> User {
    User {
        id: name(id),
        uid: 1001,
        gid: 1001,
        groups: vec![27, 100],
        email: Some(format!("{id}@example.org")),
        home: Some("/home/it's".into()),
        admin: false,
        active: true,
        kind: UserKind::Local,
        password_hash: Some("$argon2id$…".into()),
        api_key_hash: None,
        ssh_public: None,
        priority: 50,
        quotas: Quotas { time: u64::MAX, cpu: 1, ram: 0 },
        created: Timestamp(1),
    }
}

pub async fn users_are_created_and_replaced(store: &dyn Store) {
    assert_eq!(store.user(&name("ann")).await.expect("the store answers"), None);
    let (mut ann, bob) = (a_user("ann"), a_user("bob"));
    store.put_user(ann.clone()).await.expect("a user is written");
    store.put_user(bob.clone()).await.expect("a user is written");
    ann.admin = true;
    ann.api_key_hash = Some("ab12".into());
    store.put_user(ann.clone()).await.expect("a user is replaced");
    assert_eq!(store.user(&name("ann")).await.expect("the store answers"), Some(ann.clone()));
    let mut users = store.users().await.expect("the store answers");
    users.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(users, [ann, bob]);
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
