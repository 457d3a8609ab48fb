//! `go-d up`: every role in one process, over SQLite.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::watch;

use super::admin::{FirstAdmin, create_first_admin};
use super::serve::serve;
use super::{STOP_WITHIN, endpoint, make_directories, numbers, open_store, places, roles, secrets};
use crate::actors::leadership::Fence;
use crate::actors::presence::Presence;
use crate::actors::scheduler_handle::SchedulerHandle;
use crate::actors::share::Share;
use crate::actors::{Shutdown, Works};
use crate::bus::LocalBus;
use crate::config::Config;
use crate::domain::{Clock, InstanceId, ProcessRole, SystemClock};
use crate::files::JobDirs;
use crate::measures;
use crate::plugins::executor::Executor;
use crate::plugins::registry;
use crate::process::{self, signals};
use crate::telemetry::Exposition;
use crate::web::{Site, access};

/// Runs every role in this process until SIGTERM or Ctrl-C. Running jobs go on.
///
/// # Errors
/// What keeps it from starting, as a sentence.
pub async fn up(config: Config, admin: FirstAdmin) -> anyhow::Result<()> {
    make_directories(&config)?;
    let store = open_store(&config).await?;
    let instance = secrets::instance_id(&config, store.as_ref()).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    create_first_admin(&config, store.as_ref(), clock.as_ref(), admin).await?;
    let executors = executors(&config, &instance).await?;
    let works = Works {
        store: store.clone(),
        bus: Arc::new(LocalBus::default()),
        files: JobDirs::new(config.shared_dir.clone()).with_upload_quota(config.defaults.quotas.upload.unwrap_or(0)),
        clock: clock.clone(),
        executors: Arc::new(executors),
        instance,
        kill_grace: config.kill_grace,
    };
    numbers::go_on_after(&works.files, store.as_ref()).await?;
    let places = places(&config, &store, &clock)?;
    let listener = TcpListener::bind((config.web.host.as_str(), config.web.port))
        .with_context(|| format!("cannot listen on {}:{}", config.web.host, config.web.port))?;
    let address = listener.local_addr()?;
    let endpoint = endpoint(&config, &address.to_string());

    let fence = Fence::raise(store.as_ref()).await?;
    let scheduler = roles::scheduler(&config, &works, fence)?;
    let watcher = roles::watcher(&config, &works, Share::everything(), endpoint.clone()).await?;
    roles::archiver(&config, &works, "");
    let login_limiter = Arc::default();
    let ftp = if config.ftp.with_up { Some(roles::ftp(&config, &works, Arc::clone(&login_limiter))?) } else { None };
    let site = Site {
        auth: registry::auth(&config, store.clone(), clock.clone())?,
        guests: registry::guests(&config)?,
        keys: Arc::new(access::SigningKeys::derive(&secrets::own_secret(&config)?)),
        login_limiter,
        shares: Arc::default(),
        overview: Arc::default(),
        queue: SchedulerHandle::new(works.bus.clone(), roles::capabilities(&works.executors)),
        bus: works.bus.clone(),
        files: works.files.clone(),
        config: Arc::new(config),
        store,
        clock: clock.clone(),
    };
    let mut status = process::status(ProcessRole::Up, clock.now());
    status.address = Some(process::reachable(&status, address));
    let exposition = Exposition::begin(status.clone(), site.store.clone(), site.bus.clone());
    measures::leads(true);
    let server = serve(site, exposition, listener)?;
    let web = server.handle();
    tokio::spawn(server);
    let leads = watch::channel(true).1;
    let (presence, _) = Presence::begin(places, clock, status, leads);
    println!("GoDocker is ready at http://{address}{}", endpoint_path(&endpoint));

    signals::shutdown_requested().await?;
    tracing::info!("stopping; running jobs go on");
    web.stop(false).await;
    let stopping = async {
        // No plan is on its way when launches are waited for.
        let _ = scheduler.actor.send(Shutdown).await;
        watcher.stop().await;
        if let Some(ftp) = &ftp {
            ftp.stop().await;
        }
    };
    if tokio::time::timeout(STOP_WITHIN, stopping).await.is_err() {
        tracing::warn!("not everything was stored in time; it is found again at the next start");
    }
    presence.end().await;
    Ok(())
}

fn endpoint_path(endpoint: &str) -> String {
    let after_scheme = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    after_scheme.split_once('/').map_or(String::new(), |(_, path)| format!("/{path}"))
}

async fn executors(config: &Config, instance: &InstanceId) -> anyhow::Result<Vec<Arc<dyn Executor>>> {
    if !config.executors.is_empty() {
        return roles::named_executors(config, instance).await;
    }
    let docker = registry::executor("docker", config, instance).await?;
    if docker.nodes().await.is_ok() {
        println!("Jobs run in Docker.");
        return Ok(vec![docker]);
    }
    println!("No Docker engine answers: jobs run natively, as processes of this machine, without containers.");
    Ok(vec![registry::executor("native", config, instance).await?])
}
