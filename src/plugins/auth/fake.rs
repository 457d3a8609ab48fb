//! `fake`: whoever gives their login as password comes in. For tests and trials only.

use std::sync::Arc;

use async_trait::async_trait;
use nix::unistd::{getegid, geteuid};

use super::{AuthBackend, AuthError};
use crate::domain::{Clock, Quotas, User, UserId, UserKind};
use crate::store::Store;

/// What most hosts have for `nobody`, where there is no such entry.
const NOBODY: u32 = 65_534;

pub struct FakeAuth {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    defaults: NewUser,
}

/// What users get that come for the first time.
#[derive(Debug, Clone, Copy)]
pub struct NewUser {
    pub priority: u8,
    pub quotas: Quotas,
}

/// `fake` opens every account, so it must be asked for twice.
#[derive(Debug, thiserror::Error)]
#[error("auth_policy fake lets anybody in: set allow_fake too if that is meant, or use local")]
pub struct NotMeant;

impl FakeAuth {
    pub fn new(
        allow_fake: bool,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        defaults: NewUser,
    ) -> Result<Self, NotMeant> {
        if allow_fake { Ok(FakeAuth { store, clock, defaults }) } else { Err(NotMeant) }
    }

    fn first_seen(&self, id: &UserId) -> User {
        let (uid, gid) = whom_to_run_as();
        User {
            id: id.clone(),
            uid,
            gid,
            groups: Vec::new(),
            email: None,
            home: None,
            admin: false,
            active: true,
            kind: UserKind::Fake,
            password_hash: None,
            api_key_hash: None,
            ssh_public: None,
            priority: self.defaults.priority,
            quotas: self.defaults.quotas,
            created: self.clock.now(),
        }
    }
}

#[async_trait]
impl AuthBackend for FakeAuth {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn login(&self, user: &UserId, password: &str) -> Result<User, AuthError> {
        if password != user.as_str() {
            return Err(AuthError::Denied);
        }
        if let Some(known) = self.store.user(user).await? {
            return if known.active { Ok(known) } else { Err(AuthError::Denied) };
        }
        let new = self.first_seen(user);
        self.store.put_user(new.clone()).await?;
        Ok(new)
    }
}

/// `nobody`; ourselves when we cannot run anything as somebody else.
fn whom_to_run_as() -> (u32, u32) {
    if !geteuid().is_root() {
        return (geteuid().as_raw(), getegid().as_raw());
    }
    match nix::unistd::User::from_name("nobody") {
        Ok(Some(nobody)) if !nobody.uid.is_root() => (nobody.uid.as_raw(), nobody.gid.as_raw()),
        _ => (NOBODY, NOBODY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ManualClock, Timestamp};
    use crate::plugins::test_store::{TestStore, a_user};
    use crate::store::UserStore;

    const DEFAULTS: NewUser = NewUser { priority: 50, quotas: Quotas { time: 0, cpu: 0, ram: 0 } };

    #[tokio::test]
    async fn a_login_that_is_its_own_password_makes_a_user() {
        let store = Arc::new(TestStore::default());
        store.add_user(User { active: false, ..a_user("gone") });
        let clock = Arc::new(ManualClock::at(Timestamp(7)));
        let auth = FakeAuth::new(true, store.clone(), clock, DEFAULTS).unwrap();
        let login = async |id: &str, password: &str| auth.login(&id.parse().unwrap(), password).await;
        let ann = login("ann", "ann").await.unwrap();
        assert_eq!(store.user(&ann.id).await.unwrap(), Some(ann.clone()));
        assert!(!ann.admin && ann.uid != 0 && ann.created == Timestamp(7));
        assert_eq!(login("ann", "ann").await.unwrap(), ann);
        assert!(matches!(login("ann", "bob").await, Err(AuthError::Denied)));
        assert!(matches!(login("gone", "gone").await, Err(AuthError::Denied)));
    }

    #[test]
    fn it_must_be_asked_for_twice() {
        let clock = Arc::new(ManualClock::default());
        assert!(FakeAuth::new(false, Arc::new(TestStore::default()), clock, DEFAULTS).is_err());
    }
}
