//! A site over a store of its own, and a scheduler that knows little.

use std::sync::Arc;

use async_trait::async_trait;

use crate::bus::{Bus, LocalBus};
use crate::config::Config;
use crate::domain::{JobId, PendingReason, SystemClock, User, WaitingJob};
use crate::files::JobDirs;
use crate::plugins::auth::{AuthBackend, AuthError};
use crate::plugins::executor::Capabilities;
use crate::store::sqlite::testing::TestStore;
use crate::web::access::{LoginLimiter, SigningKeys};
use crate::web::{NodeUse, Queue, Site};

/// A site over `store`, its files under `shared_dir`.
pub fn site(store: &TestStore, config: Config, shared_dir: &std::path::Path) -> (Site, Arc<LocalBus>) {
    let bus = Arc::new(LocalBus::default());
    let site = Site {
        config: Arc::new(config),
        store: store.store.clone(),
        bus: Arc::clone(&bus) as Arc<dyn Bus>,
        files: JobDirs::new(shared_dir.to_owned()),
        clock: Arc::new(SystemClock),
        auth: Arc::new(NoAuth),
        guests: None,
        queue: Arc::new(FewWords),
        keys: Arc::new(SigningKeys::derive(b"a test")),
        login_limiter: Arc::new(LoginLimiter::default()),
        shares: Arc::default(),
        overview: Arc::default(),
    };
    (site, bus)
}

struct NoAuth;

#[async_trait]
impl AuthBackend for NoAuth {
    fn name(&self) -> &'static str {
        "none"
    }

    async fn login(&self, _: &str, _: &str) -> Result<User, AuthError> {
        Err(AuthError::Denied)
    }

    async fn vouched(&self, _: &str) -> Result<User, AuthError> {
        Err(AuthError::Denied)
    }
}

struct FewWords;

#[async_trait]
impl Queue for FewWords {
    async fn explain(&self, ids: &[JobId]) -> Vec<WaitingJob> {
        let waiting = |job: &JobId| WaitingJob {
            job: *job,
            reason: PendingReason::Queue,
            position: Some(1),
            estimate_secs: None,
        };
        ids.iter().map(waiting).collect()
    }

    async fn nodes(&self) -> Vec<NodeUse> {
        Vec::new()
    }

    fn executors(&self) -> Vec<(String, Capabilities)> {
        vec![("docker".into(), Capabilities { pause: true, images: true, volumes: true, ..Capabilities::default() })]
    }
}
