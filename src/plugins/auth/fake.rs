//! `fake`: whoever gives their login as password comes in. For tests and trials only.

use std::sync::Arc;

use async_trait::async_trait;
use nix::unistd::{getegid, geteuid};

use super::{AuthBackend, AuthError, first_seen};
use crate::config::Defaults;
use crate::domain::{Clock, User, UserId, UserKind};
use crate::store::{AccountChange, Changed, Store};

/// What most hosts have for `nobody`, where there is no such entry.
const NOBODY: u32 = 65_534;

pub struct FakeAuth {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    defaults: Defaults,
}

/// `fake` opens every account, so it must be asked for twice.
#[derive(Debug, thiserror::Error)]
#[error("auth_policy fake lets anybody in: set allow_fake_auth too if that is meant, or use local")]
pub struct NotMeant;

impl FakeAuth {
    pub fn new(
        allow_fake: bool,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        defaults: Defaults,
    ) -> Result<Self, NotMeant> {
        if allow_fake { Ok(FakeAuth { store, clock, defaults }) } else { Err(NotMeant) }
    }
}

#[async_trait]
impl AuthBackend for FakeAuth {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn login(&self, login: &str, password: &str) -> Result<User, AuthError> {
        if password == login { self.vouched(login).await } else { Err(AuthError::Denied) }
    }

    async fn vouched(&self, login: &str) -> Result<User, AuthError> {
        let id: UserId = login.parse().map_err(|_| AuthError::Denied)?;
        if let Some(known) = self.store.user(&id).await? {
            return if known.standing.may_come_in() { Ok(known) } else { Err(AuthError::Denied) };
        }
        let (uid, gid) = whom_to_run_as();
        let new = User { uid, gid, ..first_seen(id, UserKind::Fake, &self.defaults, self.clock.now()) };
        match self.store.change(vec![AccountChange::PutUser(Box::new(new.clone()))], Vec::new()).await? {
            Changed::Done => Ok(User { revision: 1, ..new }),
            // Somebody came in at the same moment under the same name.
            Changed::Stale => self.store.user(&new.id).await?.ok_or(AuthError::Denied),
        }
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
    use crate::domain::{Cores, ManualClock, Memory, Quotas, Standing, Timestamp};
    use crate::store::UserStore;
    use crate::store::sqlite::testing::{TestStore, a_user};

    const DEFAULTS: Defaults = Defaults {
        cpu: Cores::whole(1),
        ram: Memory::gb(1),
        priority: 40,
        quotas: Quotas { time: 0, cpu: 7, ram: 0, gpu: 0, disk: None, upload: None },
    };

    #[tokio::test]
    async fn a_login_that_is_its_own_password_makes_a_user() {
        let store = TestStore::new();
        store.add_user(User { standing: Standing::Disabled, ..a_user("gone") }).await;
        let clock = Arc::new(ManualClock::at(Timestamp(7)));
        let auth = FakeAuth::new(true, store.store.clone(), clock, DEFAULTS).unwrap();
        let ann = auth.login("ann", "ann").await.unwrap();
        assert_eq!(store.store.user(&ann.id).await.unwrap(), Some(ann.clone()));
        assert!(!ann.admin && ann.uid != 0 && ann.created == Timestamp(7));
        assert_eq!((ann.priority, ann.quotas.cpu), (40, 7));
        assert_eq!(auth.login("ann", "ann").await.unwrap(), ann);
        assert!(matches!(auth.login("ann", "bob").await, Err(AuthError::Denied)));
        assert!(matches!(auth.login("gone", "gone").await, Err(AuthError::Denied)));
    }

    #[test]
    fn it_must_be_asked_for_twice() {
        let clock = Arc::new(ManualClock::default());
        assert!(FakeAuth::new(false, TestStore::new().store.clone(), clock, DEFAULTS).is_err());
    }
}
