//! `go-d clean` and `go-d recount`: what administrators do about job files by hand or from cron.
//!
//! Both work in this process, on the site's database and shared directory, whether a server runs or not; done twice, or
//! by the archiver at the same moment, each has the effect of once. Deliberately not here: how a job is archived
//! (`actors::archive`), and what is archived without being asked (`actors::retention`).

mod clean;
mod recount;

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub use clean::{CleanArgs, clean};
pub use recount::{RecountArgs, recount};

use crate::bus::{Bus, Command, RedisBus};
use crate::config::Config;
use crate::store::Store;

/// What both work with.
struct Site {
    store: Arc<dyn Store>,
    files: crate::files::JobDirs,
}

async fn site(config: &Config) -> anyhow::Result<Site> {
    let store = crate::bootstrap::open_store(config).await?;
    Ok(Site { store, files: crate::files::JobDirs::new(config.shared_dir.clone()) })
}

/// Disk use changed: a cluster's scheduler hears of it now. That of `go-d up` finds it with its next round.
async fn tell_scheduler(config: &Config) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let Some(redis) = config.redis.clone() else { return };
    let bus = RedisBus::new(redis, "upkeep");
    if !matches!(tokio::time::timeout(PATIENCE, bus.send(Command::AccountsChanged)).await, Ok(Ok(()))) {
        tracing::info!("Redis does not answer: the scheduler finds it with its next round");
    }
}

/// On standard error, where that is a terminal; elsewhere it shows nothing.
fn progress(of: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len}, {eta} left");
    ProgressBar::new(of).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
