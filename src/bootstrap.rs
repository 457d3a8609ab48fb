//! The only place that wires everything: `go-d up`, the embedded shape.

use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use actix_web::{App, HttpServer, web};
use anyhow::{Context as _, bail};
use tokio::sync::mpsc;

use crate::actors::archiver::ArchiverActor;
use crate::actors::executor::ExecutorActor;
use crate::actors::notifier::NotifierActor;
use crate::actors::notify::Mailer;
use crate::actors::scheduler::{SchedulerActor, SchedulerHandle};
use crate::actors::scheduler_state::SchedulerState;
use crate::actors::watcher::{WatcherActor, apply_ends};
use crate::actors::{Shutdown, Works, pump};
use crate::bus::{Bus, LocalBus, Role};
use crate::config::Config;
use crate::domain::{Clock, InstanceId, SystemClock, User, UserId, UserKind};
use crate::files::JobDirs;
use crate::plugins::auth::password;
use crate::plugins::executor::Executor;
use crate::plugins::registry;
use crate::process::{signals, system_user};
use crate::scheduling::policy;
use crate::store::sqlite::SqliteStore;
use crate::store::{AccountChange, Changed, Store};
use crate::web::{Site, access, routes};

/// The first administrator, as flags and environment want them.
pub struct FirstAdmin {
    pub id: UserId,
    /// Who its jobs run as when root starts us.
    pub run_as: String,
    pub password: Option<String>,
    pub api_key: Option<String>,
}

/// How long what was begun may take to be stored at a stop.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// Runs every role in this process until SIGTERM or Ctrl-C. Running jobs go on.
///
/// # Errors
/// What keeps it from starting, as a sentence.
pub async fn up(config: Config, admin: FirstAdmin) -> anyhow::Result<()> {
    make_directories(&config)?;
    let store: Arc<dyn Store> = SqliteStore::open(&config.data_dir.join("godocker.db"))
        .with_context(|| format!("the database under {} cannot be opened", config.data_dir.display()))?;
    let instance = instance_id(&config, store.as_ref()).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    create_first_admin(&config, store.as_ref(), clock.as_ref(), admin).await?;
    let executors = executors(&config, &instance).await?;
    let works = Works {
        store: store.clone(),
        bus: Arc::new(LocalBus::default()),
        files: JobDirs::new(config.shared_dir.clone()),
        clock: clock.clone(),
        executors: Arc::new(executors),
        instance,
        kill_grace: config.kill_grace,
    };
    let listener = TcpListener::bind((config.web.host.as_str(), config.web.port))
        .with_context(|| format!("cannot listen on {}:{}", config.web.host, config.web.port))?;
    let address = listener.local_addr()?;
    let endpoint = config.web.endpoint.clone().unwrap_or_else(|| format!("http://{address}")) + &config.web.prefix;

    let roles = start_roles(&config, &works, endpoint.clone()).await?;
    let site = Site {
        auth: registry::auth(&config, store.clone(), clock.clone())?,
        guests: registry::guests(&config)?,
        keys: Arc::new(access::SigningKeys::derive(&secret(&config)?)),
        login_limiter: Arc::default(),
        queue: SchedulerHandle::new(roles.scheduler.clone(), &works),
        bus: works.bus.clone(),
        files: works.files.clone(),
        config: Arc::new(config),
        store,
        clock,
    };
    let server = serve(site, listener)?;
    let web = server.handle();
    tokio::spawn(server);
    println!("GoDocker is ready at http://{address}{}", endpoint_path(&endpoint));

    signals::shutdown_requested().await?;
    tracing::info!("stopping; running jobs go on");
    web.stop(false).await;
    roles.stop().await;
    Ok(())
}

fn endpoint_path(endpoint: &str) -> String {
    let after_scheme = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    after_scheme.split_once('/').map_or(String::new(), |(_, path)| format!("/{path}"))
}

fn make_directories(config: &Config) -> anyhow::Result<()> {
    let make = |path: &Path, mode: u32| {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(path)
            .with_context(|| format!("the directory {} cannot be made", path.display()))
    };
    // Users pass through to their job directories, and see nothing on the way.
    make(&config.data_dir, 0o711)?;
    make(&config.shared_dir, 0o755)
}

async fn instance_id(config: &Config, store: &dyn Store) -> anyhow::Result<InstanceId> {
    if let Some(id) = &config.instance_id {
        return Ok(id.parse()?);
    }
    if let Some(id) = store.setting("instance_id").await? {
        return Ok(id.parse()?);
    }
    let id = hex::encode(rand::random::<[u8; 4]>());
    store.put_setting("instance_id", &id).await?;
    Ok(id.parse()?)
}

/// What tokens and cookies are signed with: the site's, or a random one that is kept beside the database.
fn secret(config: &Config) -> anyhow::Result<Vec<u8>> {
    if let Some(secret) = &config.access.secret {
        return Ok(secret.reveal().as_bytes().to_vec());
    }
    let path = config.data_dir.join("signing.key");
    match std::fs::read(&path) {
        Ok(key) if key.len() >= 32 => return Ok(key),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
    let key = rand::random::<[u8; 32]>();
    // Written beside and renamed, so that a crash leaves no half a key.
    let beside = config.data_dir.join(".signing.key.new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    std::io::Write::write_all(&mut file, &key)?;
    file.sync_all()?;
    std::fs::rename(&beside, &path)?;
    Ok(key.to_vec())
}

/// The first start makes an administrator, and says once how to get in.
async fn create_first_admin(
    config: &Config,
    store: &dyn Store,
    clock: &dyn Clock,
    admin: FirstAdmin,
) -> anyhow::Result<()> {
    if !store.users().await?.is_empty() {
        return Ok(());
    }
    let system = system_user::first_administrator_maps_to(&admin.run_as)?;
    let random = |bytes: usize| hex::encode((0..bytes).map(|_| rand::random::<u8>()).collect::<Vec<_>>());
    let (told_password, password_text) = (admin.password.is_none(), admin.password.unwrap_or_else(|| random(10)));
    let (told_key, api_key) = (admin.api_key.is_none(), admin.api_key.unwrap_or_else(|| random(20)));
    let user = User {
        uid: system.uid,
        gid: system.gid,
        groups: system.groups,
        home: Some(system.home),
        admin: true,
        password_hash: Some(password::hash(&password_text).await?),
        api_key_hash: Some(access::secret_hash(&api_key)),
        priority: config.defaults.priority,
        ..User::new(admin.id.clone(), UserKind::Local, clock.now())
    };
    if store.change(vec![AccountChange::PutUser(Box::new(user))], Vec::new()).await? == Changed::Stale {
        bail!("another process made the administrator {} at this moment: start again", admin.id);
    }
    println!("Administrator {} is made; jobs run as {} (uid {}).", admin.id, system.name, system.uid);
    if told_password {
        println!("  password: {password_text}");
    }
    if told_key {
        println!("  API key:  {api_key}");
    }
    if told_password || told_key {
        println!("  This is shown once.");
    }
    Ok(())
}

async fn executors(config: &Config, instance: &InstanceId) -> anyhow::Result<Vec<Arc<dyn Executor>>> {
    if !config.executors.is_empty() {
        let mut executors = Vec::new();
        for name in &config.executors {
            executors.push(registry::executor(name, config, instance).await?);
        }
        return Ok(executors);
    }
    let docker = registry::executor("docker", config, instance).await?;
    if docker.nodes().await.is_ok() {
        println!("Jobs run in Docker.");
        return Ok(vec![docker]);
    }
    println!("No Docker engine answers: jobs run natively, as processes of this machine, without containers.");
    Ok(vec![registry::executor("native", config, instance).await?])
}

struct Roles {
    scheduler: Addr<SchedulerActor>,
    executor: Addr<ExecutorActor>,
    watcher: Addr<WatcherActor>,
}

impl Roles {
    /// Stops planning, then lets launches under way be stored.
    async fn stop(self) {
        let stopping = async {
            let _ = self.scheduler.send(Shutdown).await;
            let _ = self.executor.send(Shutdown).await;
            let _ = self.watcher.send(Shutdown).await;
        };
        if tokio::time::timeout(STOP_WITHIN, stopping).await.is_err() {
            tracing::warn!("not everything was stored in time; it is found again at the next start");
        }
    }
}

async fn start_roles(config: &Config, works: &Works, endpoint: String) -> anyhow::Result<Roles> {
    let Some(policy) = policy::policy(&config.scheduler.policy, config.scheduler.fair_share) else {
        bail!("scheduler_policy: {} is not known; known are fifo, fairshare", config.scheduler.policy);
    };
    let Some(default_executor) = works.executors.first().map(|executor| executor.name().to_owned()) else {
        bail!("executors: none is configured");
    };
    let rules = registry::watcher_rules(config)?;
    let mailer = config.mail.as_ref().map(Mailer::new).transpose()?;

    let (ends, reported) = mpsc::channel(4096);
    for executor in works.executors.iter() {
        if let Err(error) = executor.watch(ends.clone()).await {
            tracing::warn!(executor = executor.name(), %error, "not watched yet; it will be");
        }
    }
    let state = SchedulerState::new(&config.scheduler, policy, default_executor);
    let scheduler = SchedulerActor::new(works.clone(), state, &config.scheduler);
    let scheduler = SchedulerActor::start_in_arbiter(&Arbiter::new().handle(), |_| scheduler);
    let of = works.clone();
    let executor = ExecutorActor::start_in_arbiter(&Arbiter::new().handle(), |_| ExecutorActor::new(of));
    let of = works.clone();
    let every = config.scheduler.reconcile_every;
    let watcher =
        WatcherActor::start_in_arbiter(&Arbiter::new().handle(), move |_| WatcherActor::new(of, rules, every));
    let archiver = ArchiverActor::new(works.clone()).start();
    let notifier = NotifierActor::new(works.clone(), mailer, endpoint).start();

    let bus: &dyn Bus = works.bus.as_ref();
    pump(bus, Role::Scheduler, scheduler.clone().recipient());
    pump(bus, Role::Executor, executor.clone().recipient());
    pump(bus, Role::Watcher, watcher.clone().recipient());
    pump(bus, Role::Archiver, archiver.recipient());
    pump(bus, Role::Notifier, notifier.recipient());
    tokio::spawn(apply_ends(works.clone(), reported));
    Ok(Roles { scheduler, executor, watcher })
}

/// Threads that serve requests: they wait for the database most of the time.
const WEB_WORKERS: usize = 2;

fn serve(site: Site, listener: TcpListener) -> std::io::Result<actix_web::dev::Server> {
    let prefix = site.config.web.prefix.clone();
    let data = web::Data::new(site);
    let server = HttpServer::new(move || {
        App::new()
            .wrap(actix_web::middleware::from_fn(access::guard::recognize))
            .wrap(crate::web::pages::sessions(&data))
            .wrap(crate::web::pages::headers())
            .wrap(actix_web::middleware::Compress::default())
            .app_data(data.clone())
            .service(web::scope(&prefix).configure(routes::configure))
    });
    // Pages follow logs without end; a stop does not wait for them.
    Ok(server.workers(WEB_WORKERS).shutdown_timeout(1).disable_signals().listen(listener)?.run())
}
