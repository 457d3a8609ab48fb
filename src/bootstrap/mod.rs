//! The only place that wires everything: [`up`], the embedded shape, and [`cluster`], one role a process.

pub mod admin;
pub mod cluster;
mod numbers;
mod roles;
mod secrets;
mod serve;
pub mod up;

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

pub use admin::FirstAdmin;
pub use up::up;

use crate::actors::presence::Places;
use crate::config::Config;
use crate::domain::Clock;
use crate::plugins::registry;
use crate::store::Store;
use crate::store::mongo::MongoStore;
use crate::store::sqlite::SqliteStore;

/// How long what was begun may take to be stored at a stop.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// The site's database.
///
/// # Errors
/// What keeps it from being opened, as a sentence.
pub async fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    make_directory(&config.data_dir, 0o711)?;
    if let Some(mongo) = &config.mongo {
        let opened = MongoStore::open(mongo.url.reveal(), &mongo.db).await;
        return Ok(opened.with_context(|| format!("the database {} at mongo_url cannot be opened", mongo.db))?);
    }
    let opened = SqliteStore::open(&config.data_dir.join("godocker.db"));
    Ok(opened.with_context(|| format!("the database under {} cannot be opened", config.data_dir.display()))?)
}

/// Where this process says that it lives.
fn places(config: &Config, store: &Arc<dyn Store>, clock: &Arc<dyn Clock>) -> anyhow::Result<Places> {
    Ok(Places { store: store.clone(), announced: registry::status(config, clock.clone())? })
}

fn make_directories(config: &Config) -> anyhow::Result<()> {
    // Users pass through to their job directories, and see nothing on the way.
    make_directory(&config.data_dir, 0o711)?;
    make_directory(&config.shared_dir, 0o755)
}

fn make_directory(path: &Path, mode: u32) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .with_context(|| format!("the directory {} cannot be made", path.display()))
}

/// How people reach the pages, without a slash at the end: for links in mail.
fn endpoint(config: &Config, address: &str) -> String {
    config.web.endpoint.clone().unwrap_or_else(|| format!("http://{address}")) + &config.web.prefix
}
