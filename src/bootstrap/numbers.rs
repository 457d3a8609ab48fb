//! Job numbers of a database that is older than the job directories: it was restored from a backup, and knows nothing of
//! the jobs that came after. A new job with the number of one of those would find its files, somebody else's perhaps.

use crate::files::JobDirs;
use crate::store::{JobStore, StoreError};

/// New jobs are numbered after every job that has a directory. Where the directories cannot be looked at they are
/// numbered as the database says.
///
/// # Errors
/// The store's.
pub async fn go_on_after(files: &JobDirs, store: &(impl JobStore + ?Sized)) -> Result<(), StoreError> {
    let given = store.last_id().await?;
    match files.last_beyond(given).await {
        Ok(None) => Ok(()),
        // What was submitted while we looked is known by now.
        Ok(Some(last)) if last <= store.last_id().await? => Ok(()),
        Ok(Some(last)) => {
            tracing::warn!(
                "the database knows jobs up to {given}, and there are directories of jobs up to {last}: was a backup \
                 restored? New jobs are numbered after those, and the directories are left as they are"
            );
            store.pass_over(last).await
        }
        Err(error) => {
            tracing::warn!(%error, "the job directories cannot be looked at: job numbers go on as the database says");
            Ok(())
        }
    }
}
