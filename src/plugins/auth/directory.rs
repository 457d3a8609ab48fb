//! `ldap`: users of the site's directory, made here at their first login and refreshed at each.

use std::sync::Arc;

use async_trait::async_trait;

use super::ldap::{Directory, DirectoryError, Entry};
use super::local::LocalAuth;
use super::{AuthBackend, AuthError, NotUsable, first_seen};
use crate::config::Defaults;
use crate::domain::{Clock, User, UserId, UserKind};
use crate::process::system_user;
use crate::store::update::{With, update_user};
use crate::store::{AccountChange, Changed, Store};

/// The directory, and local accounts beside it: the first administrator is one.
pub struct DirectoryAuth {
    directory: Directory,
    local: LocalAuth,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    defaults: Defaults,
}

impl DirectoryAuth {
    pub fn new(directory: Directory, store: Arc<dyn Store>, clock: Arc<dyn Clock>, defaults: Defaults) -> Self {
        DirectoryAuth { directory, local: LocalAuth::new(store.clone()), store, clock, defaults }
    }

    async fn is_local(&self, login: &str) -> Result<bool, AuthError> {
        let Ok(id) = login.parse::<UserId>() else { return Ok(false) };
        Ok(self.store.user(&id).await?.is_some_and(|user| user.kind == UserKind::Local))
    }

    /// The user of an entry, as the directory has it now.
    async fn up_to_date(&self, entry: Entry) -> Result<User, AuthError> {
        let id: UserId = entry.login.parse().map_err(|error| AuthError::NotUsable(NotUsable::Name(error)))?;
        let groups = groups_of(&entry).await?;
        let refreshed = |user: &mut User| {
            user.uid = entry.uid;
            user.gid = entry.gid;
            user.groups = groups.clone();
            user.email = entry.mail.clone();
            user.home = entry.home.clone();
        };
        let Some(known) = self.store.user(&id).await? else {
            let mut new = first_seen(id.clone(), UserKind::Ldap, &self.defaults, self.clock.now());
            refreshed(&mut new);
            return match self.store.change(vec![AccountChange::PutUser(Box::new(new.clone()))], Vec::new()).await? {
                Changed::Done => Ok(User { revision: 1, ..new }),
                // They came in twice at this moment; the other one has made them.
                Changed::Stale => self.store.user(&id).await?.ok_or(AuthError::Denied),
            };
        };
        if known.kind != UserKind::Ldap {
            tracing::warn!(user = %id, kind = known.kind.as_str(), "the directory has a user whose name is taken here");
            return Err(AuthError::Denied);
        }
        if !known.standing.may_come_in() {
            return Err(AuthError::Denied);
        }
        let mut wanted = known.clone();
        refreshed(&mut wanted);
        if wanted == known {
            return Ok(known);
        }
        let written = update_user(self.store.as_ref(), &id, |user| {
            refreshed(user);
            Ok::<_, AuthError>(With::default())
        });
        written.await?.ok_or(AuthError::Denied)
    }
}

/// Secondary groups come from the host, by name: that is where the files are.
async fn groups_of(entry: &Entry) -> Result<Vec<u32>, AuthError> {
    let (name, gid) = (entry.login.clone(), entry.gid);
    let asked = tokio::task::spawn_blocking(move || system_user::groups_of(&name, gid)).await;
    let groups = asked.map_err(|_| AuthError::Unavailable("the program is ending".into()))?;
    groups.map_err(|error| AuthError::Unavailable(error.to_string()))
}

fn explained(error: DirectoryError) -> AuthError {
    match error {
        DirectoryError::Denied => AuthError::Denied,
        DirectoryError::Incomplete(what) => {
            tracing::warn!(what, "an entry of the directory is of no use");
            AuthError::NotUsable(NotUsable::Incomplete)
        }
        DirectoryError::Unavailable(why) => AuthError::Unavailable(why),
    }
}

#[async_trait]
impl AuthBackend for DirectoryAuth {
    fn name(&self) -> &'static str {
        "ldap"
    }

    async fn login(&self, login: &str, password: &str) -> Result<User, AuthError> {
        if self.is_local(login).await? {
            return self.local.login(login, password).await;
        }
        let entry = self.directory.authenticate(login, password).await.map_err(explained)?;
        self.up_to_date(entry).await
    }

    async fn vouched(&self, login: &str) -> Result<User, AuthError> {
        if self.is_local(login).await? {
            return self.local.vouched(login).await;
        }
        let entry = self.directory.find(login).await.map_err(explained)?;
        self.up_to_date(entry).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Ldap, LdapTls};
    use crate::domain::{Cores, ManualClock, Memory, Quotas, Standing, Timestamp};
    use crate::store::UserStore;
    use crate::store::sqlite::testing::{TestStore, a_user};

    fn auth(store: &TestStore) -> DirectoryAuth {
        // Nobody listens there: these tests hand in what the directory says.
        let settings = Ldap {
            host: "127.0.0.1".into(),
            port: 1,
            tls: LdapTls::None,
            ca_file: None,
            base_dn: "dc=lab".into(),
            base_dn_filter: None,
            admin_dn: None,
            admin_password: None,
            login_fields: vec!["uid".into()],
            home_field: "homeDirectory".into(),
            mail_field: "mail".into(),
            timeout: std::time::Duration::from_secs(5),
        };
        let quotas = Quotas { cpu: 7, ..Quotas::default() };
        let defaults = Defaults { cpu: Cores::whole(1), ram: Memory::gb(1), priority: 40, quotas };
        let clock = Arc::new(ManualClock::at(Timestamp(7)));
        DirectoryAuth::new(Directory::new(settings), store.store.clone(), clock, defaults)
    }

    fn entry(login: &str, uid: u32, mail: Option<&str>) -> Entry {
        Entry { login: login.into(), uid, gid: 60, mail: mail.map(str::to_owned), home: Some("/home/x".into()) }
    }

    #[tokio::test]
    async fn a_user_is_made_at_the_first_login_and_refreshed_at_each() {
        let store = TestStore::new();
        let auth = auth(&store);
        let ann = auth.up_to_date(entry("ann", 5, Some("ann@lab.example"))).await.unwrap();
        assert_eq!((ann.kind, ann.priority, ann.quotas.cpu, ann.uid, ann.gid), (UserKind::Ldap, 40, 7, 5, 60));
        let again = auth.up_to_date(entry("ann", 5, Some("ann@lab.example"))).await.unwrap();
        assert_eq!(again, ann, "nothing is written where nothing changed");
        let moved = auth.up_to_date(entry("ann", 6, None)).await.unwrap();
        assert_eq!((moved.uid, moved.email.clone(), moved.created), (6, None, Timestamp(7)));
        assert_eq!(store.store.user(&moved.id).await.unwrap(), Some(moved));
    }

    #[tokio::test]
    async fn the_directory_opens_no_account_of_another_kind_nor_a_closed_one() {
        let store = TestStore::new();
        store.add_user(a_user("root2")).await;
        store.add_user(User { kind: UserKind::Ldap, standing: Standing::Disabled, ..a_user("gone") }).await;
        let auth = auth(&store);
        for login in ["root2", "gone"] {
            assert!(matches!(auth.up_to_date(entry(login, 5, None)).await, Err(AuthError::Denied)), "{login}");
        }
        assert!(matches!(auth.up_to_date(entry("../x", 5, None)).await, Err(AuthError::NotUsable(_))));
        assert!(matches!(auth.login("nobody", "pw").await, Err(AuthError::Unavailable(_))));
    }
}
