//! `local`: users and passwords of the store.

use std::sync::Arc;

use async_trait::async_trait;

use super::{AuthBackend, AuthError, password};
use crate::domain::{User, UserId};
use crate::store::Store;

pub struct LocalAuth {
    store: Arc<dyn Store>,
}

impl LocalAuth {
    pub fn new(store: Arc<dyn Store>) -> Self {
        LocalAuth { store }
    }
}

#[async_trait]
impl AuthBackend for LocalAuth {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn login(&self, user: &UserId, password: &str) -> Result<User, AuthError> {
        let user = self.store.user(user).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
        // Before anything else is looked at, so that every refusal takes the same time.
        let matches = password::verify(password, hash).await;
        user.filter(|user| matches && user.active).ok_or(AuthError::Denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::test_store::{TestStore, a_user};

    #[tokio::test]
    async fn only_an_active_user_with_the_password_comes_in() {
        let store = Arc::new(TestStore::default());
        let hash = password::hash("pw").await.unwrap();
        store.add_user(User { password_hash: Some(hash.clone()), ..a_user("ann") });
        store.add_user(User { password_hash: Some(hash), active: false, ..a_user("gone") });
        store.add_user(a_user("keyonly"));
        let auth = LocalAuth::new(store);
        let login = async |id: &str, password: &str| auth.login(&id.parse().unwrap(), password).await;
        assert_eq!(login("ann", "pw").await.unwrap().id.as_str(), "ann");
        for (id, password) in [("ann", "no"), ("ann", ""), ("gone", "pw"), ("keyonly", ""), ("nobody-here", "pw")] {
            assert!(matches!(login(id, password).await, Err(AuthError::Denied)), "{id} {password:?}");
        }
    }
}
