//! Users who are to be deleted with all data: their jobs end, then go with their files, then the account.
//!
//! Each round does what can be done now and can be cut short anywhere: the account says `leaving` until nothing is left.

use super::Works;
use crate::bus::Command;
use crate::domain::{JobId, Phase, Request, Standing, StopCause, User};
use crate::store::{AccountChange, JobFilter, Page, StoreError};

/// How many jobs one step takes.
const STEP: u64 = 1_000;

/// Answers how many users are still leaving.
///
/// # Errors
/// The store's; the next round goes on from there.
pub async fn round(works: &Works) -> Result<usize, StoreError> {
    let leaving: Vec<User> =
        works.store.users().await?.into_iter().filter(|user| user.standing == Standing::Leaving).collect();
    let mut left = 0;
    for user in &leaving {
        if !one(works, user).await? {
            left += 1;
        }
    }
    Ok(left)
}

/// True when the user is gone.
async fn one(works: &Works, user: &User) -> Result<bool, StoreError> {
    let mut any = ask(works, user, &Phase::ACTIVE, Request::Kill(StopCause::User)).await?;
    any |= ask(works, user, &[Phase::Over, Phase::Archived], Request::Purge).await?;
    if any {
        return Ok(false);
    }
    // What a guest's directory holds is the guest's; other homes are the host's, and stay.
    if let Some(home) = user.home.clone().filter(|_| user.is_guest()) {
        let removed = tokio::task::spawn_blocking(move || crate::files::remove_guest_home(&home)).await;
        if let Ok(Err(error)) = removed {
            tracing::error!(user = %user.id, %error, "a guest's directory could not be deleted; it is tried again");
            return Ok(false);
        }
    }
    let (spaces, id) = (works.files.uploads().clone(), user.id.clone());
    if let Ok(Err(error)) = tokio::task::spawn_blocking(move || spaces.remove(&id)).await {
        tracing::error!(user = %user.id, %error, "an upload space could not be deleted; it is tried again");
        return Ok(false);
    }
    let _ = works.store.change(vec![AccountChange::RemoveUser(user.id.clone())], Vec::new()).await?;
    tracing::info!(user = %user.id, "deleted with all data");
    works.tell(Command::AccountsChanged).await;
    Ok(true)
}

/// Asks this of every job of the user in these phases; true when there is any.
async fn ask(works: &Works, user: &User, phases: &[Phase], request: Request) -> Result<bool, StoreError> {
    let mut filter = JobFilter { owner: Some(user.id.clone()), phases: phases.to_vec(), ..JobFilter::default() };
    let mut any = false;
    loop {
        let jobs = works.store.list(&filter, Page::first(STEP)).await?;
        let Some(last) = jobs.last() else { return Ok(any) };
        any = true;
        filter.after = Some(last.id);
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        works.store.request(&ids, request, phases).await?;
        // Told also of what was asked before: a lost message would else wait for the next start.
        let jobs = works.store.jobs(&ids).await?;
        let of = |wanted: &[Phase]| -> Vec<JobId> {
            let found = jobs.iter().filter(|job| wanted.contains(&job.state.phase()) && !job.is_array_parent());
            found.map(|job| job.id).collect()
        };
        let over = jobs.iter().filter(|job| !job.state.is_active()).map(|job| job.id).collect::<Vec<_>>();
        for command in [
            Command::PendingRequested { ids: of(&[Phase::Pending]) },
            Command::ActiveRequested { ids: of(&[Phase::Starting, Phase::Running]) },
            Command::ArchiveRequested { ids: over },
        ] {
            let empty = match &command {
                Command::PendingRequested { ids }
                | Command::ActiveRequested { ids }
                | Command::ArchiveRequested { ids } => ids.is_empty(),
                _ => true,
            };
            if !empty {
                works.tell(command).await;
            }
        }
    }
}
