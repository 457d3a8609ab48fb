//! One role a process, over Redis and a database that all of them reach.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use anyhow::{Context as _, bail};
use tokio::sync::watch;

use super::admin::{FirstAdmin, create_first_admin};
use super::serve::serve;
use super::{STOP_WITHIN, endpoint, make_directories, numbers, open_store, places, roles, secrets};
use crate::actors::leadership::{self, Fence};
use crate::actors::presence::Presence;
use crate::actors::scheduler_handle::SchedulerHandle;
use crate::actors::share::Share;
use crate::actors::{Shutdown, Works, retention, rounds};
use crate::bus::redis::announce;
use crate::bus::{Event, RedisBus};
use crate::config::{self, Config, Sources};
use crate::domain::{Clock, ProcessRole, ProcessStatus, SystemClock};
use crate::files::JobDirs;
use crate::plugins::executor::native::NativeExecutor;
use crate::plugins::registry;
use crate::process::{self, signals};
use crate::store::Store;
use crate::store::mongo::takeover;
use crate::telemetry::{self, Exposition};
use crate::web::{Site, access};

/// Why a role has ended.
#[derive(Debug)]
pub enum Ended {
    Stopped,
    /// The configuration is to be read anew: the same program starts again in this process, and goes on with this
    /// socket. Whoever connects meanwhile waits.
    Reload(Option<TcpListener>),
}

struct Role {
    config: Config,
    /// Where a changed configuration is read from.
    sources: Sources,
    role: ProcessRole,
    works: Works,
    redis: Arc<RedisBus>,
    status: ProcessStatus,
}

impl Role {
    async fn prepare(config: Config, sources: &Sources, role: ProcessRole) -> anyhow::Result<Self> {
        let needs_root =
            matches!(role, ProcessRole::Scheduler | ProcessRole::Watcher | ProcessRole::Archive | ProcessRole::Ftp);
        if needs_root && !process::is_root() && !config.daemons.unprivileged {
            bail!(
                "the {} gives files to their users or starts jobs as them, which takes root: start it as root, or set \
                 `unprivileged: true` if no file is to change its owner",
                role.as_str()
            );
        }
        let Some(settings) = config.redis.clone() else {
            bail!(
                "redis_host: expected it, as roles in processes of their own speak over Redis (`go-d up` needs none)"
            );
        };
        if config.executors.is_empty() {
            bail!("executors: expected them, as all processes of a cluster must take the same");
        }
        make_directories(&config)?;
        let store = open_store(&config).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let status = process::status(role, clock.now());
        let redis = Arc::new(RedisBus::new(settings, &status.id));
        if let Err(error) = redis.ping().await {
            // It may come: nothing is lost meanwhile.
            tracing::warn!(%error, "Redis does not answer yet");
        }
        let instance = secrets::instance_id(&config, store.as_ref()).await?;
        let launches = matches!(role, ProcessRole::Scheduler | ProcessRole::Watcher);
        let executors = if launches { roles::named_executors(&config, &instance).await? } else { Vec::new() };
        if launches {
            check_native_host(&config, store.as_ref(), &status).await?;
        }
        let works = Works {
            store,
            bus: redis.clone(),
            files: JobDirs::new(config.shared_dir.clone())
                .with_upload_quota(config.defaults.quotas.upload.unwrap_or(0)),
            clock,
            executors: Arc::new(executors),
            instance,
            kill_grace: config.kill_grace,
        };
        if role == ProcessRole::Web {
            numbers::go_on_after(&works.files, works.store.as_ref()).await?;
        }
        Ok(Role { config, sources: sources.clone(), role, works, redis, status })
    }

    fn presence(&self, leads: watch::Receiver<bool>) -> anyhow::Result<(Presence, watch::Receiver<Arc<[String]>>)> {
        let places = places(&self.config, &self.works.store, &self.works.clock)?;
        Ok(Presence::begin(places, self.works.clock.clone(), self.status.clone(), leads))
    }

    /// Metrics and readiness, for a role that serves no pages.
    fn serve_probes(&mut self) -> Option<ServerHandle> {
        if self.role == ProcessRole::Web {
            return None;
        }
        let exposition = Exposition::begin(self.status.clone(), self.works.store.clone(), self.works.bus.clone());
        let serving = match telemetry::listener::serve(&self.config.metrics, exposition) {
            Ok(serving) => serving,
            // Jobs matter more than who counts them.
            Err(error) => {
                tracing::error!(%error, "metrics_listen: nothing can be served there");
                None
            }
        };
        self.status.address = serving.as_ref().map(|(address, _)| process::reachable(&self.status, *address));
        serving.map(|(_, handle)| handle)
    }

    /// Comes back when this process is asked to end, or to begin anew with a configuration that it could begin with.
    async fn asked_to_end(&self) -> anyhow::Result<Ended> {
        let ended = signals::shutdown_requested();
        tokio::pin!(ended);
        loop {
            tokio::select! {
                asked = &mut ended => return Ok(asked.map(|()| Ended::Stopped)?),
                asked = signals::reload_requested() => asked?,
                () = self.config_changed() => {}
            }
            match config::load(&self.sources) {
                Ok(_) => return Ok(Ended::Reload(None)),
                Err(faults) => tracing::error!("the changed configuration is wrong; the old one stays:\n{faults}"),
            }
        }
    }

    async fn config_changed(&self) {
        let mut events = self.works.bus.events();
        loop {
            match events.recv().await {
                Ok(Event::ConfigChanged) => break,
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// The native executor knows the processes of its own host only.
async fn check_native_host(config: &Config, store: &dyn Store, status: &ProcessStatus) -> anyhow::Result<()> {
    if !config.executors.iter().any(|name| name == NativeExecutor::NAME) {
        return Ok(());
    }
    let host = store.init_setting("native_host", &status.host).await?;
    if host == status.host {
        return Ok(());
    }
    let now = SystemClock.now();
    let lives = |process: &ProcessStatus| process.host == host && process.is_alive_at(now);
    if store.processes().await?.iter().any(lives) {
        bail!(
            "executors: native runs jobs on one host, which is {host}: start schedulers and watchers there, or take an \
             executor that knows several hosts"
        );
    }
    tracing::warn!(from = host, to = status.host, "native jobs run on another host from now on");
    Ok(store.put_setting("native_host", &status.host).await?)
}

/// Runs one role until it is asked to end. `ready` is called once it serves. Running jobs go on.
///
/// # Errors
/// What keeps it from starting, as a sentence.
pub async fn run(config: Config, sources: &Sources, role: ProcessRole, ready: impl FnOnce()) -> anyhow::Result<Ended> {
    let mut role = Role::prepare(config, sources, role).await?;
    let probes = role.serve_probes();
    let ended = match role.role {
        ProcessRole::Scheduler => run_scheduler(&role, ready).await,
        ProcessRole::Watcher => run_watcher(&role, ready).await,
        ProcessRole::Archive => run_archiver(&role, ready).await,
        ProcessRole::Web => run_web(&mut role, ready).await,
        ProcessRole::Ftp => run_ftp(&mut role, ready).await,
        ProcessRole::Up => bail!("this is no role of its own"),
    }?;
    if let Some(probes) = probes {
        probes.stop(false).await;
    }
    tracing::info!(role = role.role.as_str(), ?ended, "ended; running jobs go on");
    Ok(ended)
}

async fn run_scheduler(role: &Role, ready: impl FnOnce()) -> anyhow::Result<Ended> {
    // What is wrong with it is said now, and not when it leads.
    roles::scheduler_state(&role.config, &role.works)?;
    let lease = role.redis.lease(role.config.daemons.master_timeout);
    let (leads, leading) = watch::channel(false);
    let (presence, _) = role.presence(leading)?;
    let current = Mutex::new(None);
    let lead = async |fence: Fence| match roles::scheduler(&role.config, &role.works, fence) {
        Ok(scheduler) => {
            *current.lock().expect("no holder of this lock panics") = Some(scheduler.actor.clone());
            std::future::pending::<()>().await;
            drop(scheduler);
        }
        Err(error) => tracing::error!("{error:#}"),
    };
    ready();
    let stop = async {
        let ended = role.asked_to_end().await;
        let leading = current.lock().expect("no holder of this lock panics").take();
        if let Some(scheduler) = leading
            && tokio::time::timeout(STOP_WITHIN, scheduler.send(Shutdown)).await.is_err()
        {
            tracing::warn!("a plan was not stored in time; the next leader makes another");
        }
        ended
    };
    let ended = tokio::select! {
        () = leadership::lead_whenever_possible(&role.works, &lease, &leads, lead) => unreachable!("it leads for ever"),
        ended = stop => ended?,
    };
    leadership::give_back(role.redis.as_ref(), &lease).await;
    presence.end().await;
    Ok(ended)
}

async fn run_watcher(role: &Role, ready: impl FnOnce()) -> anyhow::Result<Ended> {
    let (presence, watchers) = role.presence(watch::channel(false).1)?;
    let share = Share::new(role.status.id.clone(), watchers);
    let address = format!("{}:{}", role.config.web.host, role.config.web.port);
    let watcher = roles::watcher(&role.config, &role.works, share, endpoint(&role.config, &address)).await?;
    ready();
    let ended = role.asked_to_end().await?;
    if tokio::time::timeout(STOP_WITHIN, watcher.stop()).await.is_err() {
        tracing::warn!("not every launch was stored in time; another watcher finds them");
    }
    presence.end().await;
    Ok(ended)
}

async fn run_archiver(role: &Role, ready: impl FnOnce()) -> anyhow::Result<Ended> {
    let (presence, _) = role.presence(watch::channel(false).1)?;
    roles::archiver(&role.config, &role.works, &role.status.id);
    ready();
    let ended = role.asked_to_end().await?;
    presence.end().await;
    Ok(ended)
}

async fn run_web(role: &mut Role, ready: impl FnOnce()) -> anyhow::Result<Ended> {
    let (host, port) = (role.config.web.host.clone(), role.config.web.port);
    let listener = match process::daemon::inherited_listener() {
        Some(listener) => listener,
        None => TcpListener::bind((host.as_str(), port)).with_context(|| format!("cannot listen on {host}:{port}"))?,
    };
    let kept = listener.try_clone()?;
    let address = listener.local_addr()?;
    role.status.address = Some(process::reachable(&role.status, address));
    let (config, works) = (&role.config, &role.works);
    let capabilities = config.executors.iter().filter_map(|name| Some((name.clone(), registry::capabilities(name)?)));
    let site = Site {
        auth: registry::auth(config, works.store.clone(), works.clock.clone())?,
        guests: registry::guests(config)?,
        keys: Arc::new(access::SigningKeys::derive(&secrets::common_secret(config, works.store.as_ref()).await?)),
        login_limiter: Arc::default(),
        shares: Arc::default(),
        overview: Arc::default(),
        queue: SchedulerHandle::new(works.bus.clone(), capabilities.collect()),
        bus: works.bus.clone(),
        files: works.files.clone(),
        config: Arc::new(config.clone()),
        store: works.store.clone(),
        clock: works.clock.clone(),
    };
    let exposition = Exposition::begin(role.status.clone(), works.store.clone(), works.bus.clone());
    let server = serve(site, exposition, listener)?;
    let web = server.handle();
    tokio::spawn(server);
    let (presence, _) = role.presence(watch::channel(false).1)?;
    println!("GoDocker serves at http://{address}{}", config.web.prefix);
    ready();
    let ended = role.asked_to_end().await?;
    // Requests under way are answered; what follows a log without end is cut off after a second.
    web.stop(true).await;
    presence.end().await;
    Ok(match ended {
        Ended::Reload(_) => Ended::Reload(Some(kept)),
        Ended::Stopped => Ended::Stopped,
    })
}

async fn run_ftp(role: &mut Role, ready: impl FnOnce()) -> anyhow::Result<Ended> {
    let server = roles::ftp(&role.config, &role.works, Arc::default())?;
    // Where its metrics are is told rather than where FTP is, which go-d.ini says.
    role.status.address.get_or_insert_with(|| server.address.to_string());
    let (presence, _) = role.presence(watch::channel(false).1)?;
    ready();
    let ended = role.asked_to_end().await?;
    server.stop().await;
    presence.end().await;
    Ok(ended)
}

/// One round of a role, then the end.
///
/// # Errors
/// What kept it from being done, as a sentence; doing it again is right.
pub async fn once(config: Config, sources: &Sources, role: ProcessRole) -> anyhow::Result<()> {
    let role = Role::prepare(config, sources, role).await?;
    let works = &role.works;
    match role.role {
        ProcessRole::Scheduler => {
            let state = roles::scheduler_state(&role.config, works)?;
            let lease = role.redis.lease(role.config.daemons.master_timeout);
            if !lease.take().await? {
                bail!("another scheduler leads");
            }
            let fence = Fence::raise(works.store.as_ref()).await?;
            let round = rounds::schedule(works, &fence, state, &role.config.scheduler).await;
            leadership::give_back(role.redis.as_ref(), &lease).await;
            let round = round?;
            println!("{} pending, {} started, {} rejected", round.pending, round.started, round.rejected);
        }
        ProcessRole::Watcher => {
            let launched = rounds::watch(works).await?;
            println!("{} launched, {} running", launched.launched, launched.running);
        }
        ProcessRole::Archive => {
            let mut asked = rounds::archive(works).await?;
            if let Some(retention) = role.config.disk.retention {
                asked += retention::round(works, retention).await?.jobs as usize;
            }
            println!("{asked} archived");
        }
        ProcessRole::Web | ProcessRole::Ftp | ProcessRole::Up => {
            bail!("the {} has no rounds: start it, or run it", role.role.as_str())
        }
    }
    Ok(())
}

/// `go-d scheduler init`: the database is made ready, the original's taken over, and an administrator is made where there is nobody.
///
/// # Errors
/// What kept it from being done, as a sentence; doing it again is right.
pub async fn init(config: &Config, admin: FirstAdmin) -> anyhow::Result<()> {
    make_directories(config)?;
    take_over(config).await?;
    let store = open_store(config).await?;
    secrets::instance_id(config, store.as_ref()).await?;
    secrets::common_secret(config, store.as_ref()).await?;
    create_first_admin(config, store.as_ref(), &SystemClock, admin).await?;
    println!("The database is ready.");
    Ok(())
}

/// What the original wrote becomes ours.
async fn take_over(config: &Config) -> anyhow::Result<()> {
    let Some(mongo) = &config.mongo else { return Ok(()) };
    let site = takeover::Site { window: config.scheduler.usage_window_days, executors: config.executors.clone() };
    let taken = takeover::take_over(mongo.url.reveal(), &mongo.db, None, &site)
        .await
        .with_context(|| format!("the database {} at mongo_url cannot be made ready", mongo.db))?;
    if !taken.is_nothing() {
        println!("Taken over from the original: {taken}.");
    }
    for left in &taken.left {
        eprintln!("left as it is, as it is not understood: {left}");
    }
    Ok(())
}

/// `go-d scheduler config-reload`: every process of the cluster reads its configuration anew.
///
/// # Errors
/// Redis does not answer.
pub async fn reload(config: &Config) -> anyhow::Result<()> {
    let Some(settings) = config.redis.clone() else {
        bail!("redis_host: expected it, as the processes are told over Redis");
    };
    let told = announce(settings, &Event::ConfigChanged).await?;
    println!("{told} processes were told.");
    Ok(())
}
