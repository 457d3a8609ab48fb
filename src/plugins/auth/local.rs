//! `local`: users and passwords of the store.

use std::sync::Arc;

use async_trait::async_trait;

use super::{AuthBackend, AuthError, password};
use crate::domain::{User, UserId, UserKind};
use crate::store::Store;
use crate::store::update::{UpdateError, With, update_user};

pub struct LocalAuth {
    store: Arc<dyn Store>,
}

impl LocalAuth {
    pub fn new(store: Arc<dyn Store>) -> Self {
        LocalAuth { store }
    }

    async fn known(&self, login: &str) -> Result<Option<User>, AuthError> {
        let Ok(id) = login.parse::<UserId>() else { return Ok(None) };
        Ok(self.store.user(&id).await?.filter(|user| user.kind == UserKind::Local))
    }

    /// Replaces the original's hash by one of ours, now that the password is at hand. Coming in does not depend on it.
    async fn upgrade(&self, user: &User, text: &str) {
        let Ok(hash) = password::hash(text).await else { return };
        let change = |user: &mut User| {
            user.password_hash = Some(hash.clone());
            Ok::<_, AuthError>(With::default())
        };
        let done: Result<_, UpdateError<AuthError>> = update_user(self.store.as_ref(), &user.id, change).await;
        if let Err(error) = done {
            tracing::warn!(user = %user.id, %error, "an old password hash could not be replaced");
        }
    }
}

#[async_trait]
impl AuthBackend for LocalAuth {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn login(&self, login: &str, text: &str) -> Result<User, AuthError> {
        let user = self.known(login).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        // Before anything else is looked at, so that every refusal takes the same time.
        let matches = password::verify(text, hash.as_deref()).await;
        let user = user.filter(|user| matches && user.standing.may_come_in()).ok_or(AuthError::Denied)?;
        if hash.as_deref().is_some_and(password::is_outdated) {
            self.upgrade(&user, text).await;
        }
        Ok(user)
    }

    async fn vouched(&self, login: &str) -> Result<User, AuthError> {
        let user = self.known(login).await?;
        user.filter(|user| user.standing.may_come_in()).ok_or(AuthError::Denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Standing;
    use crate::store::UserStore;
    use crate::store::sqlite::testing::{TestStore, a_user};

    #[tokio::test]
    async fn only_an_active_user_with_the_password_comes_in() {
        let store = TestStore::new();
        let hash = password::hash("pw").await.unwrap();
        store.add_user(User { password_hash: Some(hash.clone()), ..a_user("ann") }).await;
        store
            .add_user(User { password_hash: Some(hash.clone()), standing: Standing::Disabled, ..a_user("gone") })
            .await;
        store.add_user(User { password_hash: Some(hash), kind: UserKind::Guest, ..a_user("guest") }).await;
        store.add_user(a_user("keyonly")).await;
        let auth = LocalAuth::new(store.store.clone());
        assert_eq!(auth.login("ann", "pw").await.unwrap().id.as_str(), "ann");
        for (id, password) in [
            ("ann", "no"),
            ("ann", ""),
            ("gone", "pw"),
            ("guest", "pw"),
            ("keyonly", ""),
            ("nobody-here", "pw"),
            ("../x", "pw"),
        ] {
            assert!(matches!(auth.login(id, password).await, Err(AuthError::Denied)), "{id} {password:?}");
        }
        assert_eq!(auth.vouched("ann").await.unwrap().id.as_str(), "ann");
        for id in ["gone", "guest", "nobody-here"] {
            assert!(matches!(auth.vouched(id).await, Err(AuthError::Denied)), "{id}");
        }
    }

    #[tokio::test]
    async fn the_originals_hashes_verify_and_are_replaced() {
        let store = TestStore::new();
        let old = bcrypt::hash("pw", 4).unwrap();
        store.add_user(User { password_hash: Some(old.clone()), ..a_user("ann") }).await;
        let auth = LocalAuth::new(store.store.clone());
        let stored = async || store.store.user(&"ann".parse().unwrap()).await.unwrap().unwrap().password_hash.unwrap();
        assert!(matches!(auth.login("ann", "no").await, Err(AuthError::Denied)));
        assert_eq!(stored().await, old);
        auth.login("ann", "pw").await.unwrap();
        assert!(stored().await.starts_with("$argon2id$"));
        auth.login("ann", "pw").await.unwrap();
    }
}
