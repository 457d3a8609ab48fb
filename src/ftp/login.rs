//! Who comes in: a user id, and as the password an API key or a personal token.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use unftp_core::auth::{
    AuthenticationError, Authenticator, Credentials, Principal, UserDetail, UserDetailError, UserDetailProvider,
};

use super::connection::Connection;
use crate::domain::{Scope, User, UserId};
use crate::plugins::auth::{Login, log_in};

/// Asks the store for one connection.
pub(super) struct Door(pub Arc<Connection>);

/// Who has logged in. What they may is asked anew at each step: accounts and tokens end meanwhile.
#[derive(Debug, Clone)]
pub struct Visitor {
    login: Login,
}

impl Visitor {
    /// The user and what they may now; `None` when they may not come in any more.
    pub(super) async fn now(&self, of: &Connection) -> Option<(User, Scope)> {
        match self.login.still_valid(of.works().store.as_ref(), of.works().clock.now()).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, "an FTP session cannot be checked");
                None
            }
        }
    }
}

impl fmt::Display for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.login.user().fmt(f)
    }
}

impl UserDetail for Visitor {}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

#[async_trait]
impl Authenticator for Door {
    async fn authenticate(&self, name: &str, sent: &Credentials) -> Result<Principal, AuthenticationError> {
        let works = self.0.works();
        let (now, address) = (works.clock.now(), sent.source_ip.to_canonical());
        // Everybody on this machine has that one.
        let address = (!address.is_loopback()).then(|| address.to_string());
        if works.limiter.check(name, address.as_deref(), now).is_err() {
            return Err(AuthenticationError::new("too many failed logins"));
        }
        let secret = sent.password.as_deref().unwrap_or_default();
        let found = match name.parse::<UserId>() {
            Ok(id) => log_in(works.store.as_ref(), &id, secret, now).await,
            Err(_) => Ok(None),
        };
        match found {
            Ok(Some((login, ..))) => {
                works.limiter.succeeded(name, address.as_deref());
                self.0.enter(login)?;
                tracing::info!(user = name, peer = %self.0.peer(), "logged in over FTP");
                Ok(Principal { username: name.to_owned() })
            }
            Ok(None) => {
                works.limiter.failed(name, address.as_deref(), now);
                tracing::info!(user = ?name, peer = %self.0.peer(), "a login over FTP was refused");
                Err(AuthenticationError::BadPassword)
            }
            Err(error) => {
                tracing::error!(%error, "logins cannot be checked");
                Err(AuthenticationError::new("logins cannot be checked now"))
            }
        }
    }
}

#[async_trait]
impl UserDetailProvider for Door {
    type User = Visitor;

    async fn provide_user_detail(&self, principal: &Principal) -> Result<Visitor, UserDetailError> {
        let login = self.0.login().filter(|login| login.user().as_str() == principal.username);
        let login = login.ok_or_else(|| UserDetailError::UserNotFound { username: principal.username.clone() })?;
        Ok(Visitor { login })
    }
}
