//! Changing one account: read, change, write, and again if somebody came between.

use super::{AccountChange, Changed, Store, StoreError};
use crate::domain::project::Project;
use crate::domain::{AuditEntry, ProjectId, User, UserId};

/// How often somebody else may come first.
const TRIES: u32 = 16;

#[derive(Debug, thiserror::Error)]
pub enum UpdateError<E> {
    /// What the change itself says.
    #[error(transparent)]
    Refused(E),
    #[error(transparent)]
    Store(StoreError),
}

impl<E> From<StoreError> for UpdateError<E> {
    fn from(error: StoreError) -> Self {
        UpdateError::Store(error)
    }
}

/// What goes into the store together with the changed account.
#[derive(Default)]
pub struct With {
    pub changes: Vec<AccountChange>,
    pub audit: Vec<AuditEntry>,
}

/// Answers the user as written; `None` when there is none. `change` may run several times.
///
/// # Errors
/// What `change` refuses; nothing is written then.
pub async fn update_user<E>(
    store: &dyn Store,
    id: &UserId,
    change: impl Fn(&mut User) -> Result<With, E> + Send + Sync,
) -> Result<Option<User>, UpdateError<E>> {
    for _ in 0..TRIES {
        let Some(mut user) = store.user(id).await? else { return Ok(None) };
        let With { mut changes, audit } = change(&mut user).map_err(UpdateError::Refused)?;
        changes.insert(0, AccountChange::PutUser(Box::new(user.clone())));
        if store.change(changes, audit).await? == Changed::Done {
            return Ok(Some(User { revision: user.revision + 1, ..user }));
        }
    }
    Err(contended())
}

/// The same for a project.
///
/// # Errors
/// What `change` refuses; nothing is written then.
pub async fn update_project<E>(
    store: &dyn Store,
    id: &ProjectId,
    change: impl Fn(&mut Project) -> Result<With, E> + Send + Sync,
) -> Result<Option<Project>, UpdateError<E>> {
    for _ in 0..TRIES {
        let Some(mut project) = store.project(id).await? else { return Ok(None) };
        let With { mut changes, audit } = change(&mut project).map_err(UpdateError::Refused)?;
        changes.insert(0, AccountChange::PutProject(Box::new(project.clone())));
        if store.change(changes, audit).await? == Changed::Done {
            return Ok(Some(Project { revision: project.revision + 1, ..project }));
        }
    }
    Err(contended())
}

fn contended<E>() -> UpdateError<E> {
    UpdateError::Store(StoreError::Unavailable("an account is being changed all the time: try again".into()))
}
