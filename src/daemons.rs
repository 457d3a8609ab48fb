//! `go-d scheduler|watcher|archive|web|ftp` and their verbs.

use std::path::Path;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::bootstrap::cluster::{self, Ended};
use crate::bootstrap::{FirstAdmin, admin};
use crate::config::{Config, Sources};
use crate::domain::{ProcessRole, UserId};
use crate::process::daemon::{self, DaemonError, PidFile};
use crate::process::{self, signals};
use crate::telemetry;

/// How long `stop` waits.
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// Exit codes: done, failed, does not run.
const DONE: i32 = 0;
const FAILED: i32 = 1;
const NOT_RUNNING: i32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Verb {
    /// Go to the background, with a pid file; comes back when it is ready.
    Start,
    /// Ask the one in the background to end, and wait until it has.
    Stop,
    /// Say whether it runs in the background here: exit code 0 or 3.
    Status,
    /// Stay in the foreground.
    Run,
    /// Do one round, and end.
    Once,
}

#[derive(Debug, Subcommand)]
pub enum SchedulerVerb {
    /// Go to the background, with a pid file; comes back when it is ready.
    Start,
    /// Ask the one in the background to end, and wait until it has.
    Stop,
    /// Say whether it runs in the background here: exit code 0 or 3.
    Status,
    /// Stay in the foreground.
    Run,
    /// Do one round, and end.
    Once,
    /// Make the database ready, and an administrator where there is nobody yet.
    Init(Admin),
    /// Have every process of the cluster read its configuration anew.
    ConfigReload,
}

#[derive(Debug, Args)]
pub struct Admin {
    /// The first administrator's user name; made at the first start. GODOCKER_ADMIN_PASSWORD and
    /// GODOCKER_ADMIN_APIKEY set the password and key, which are else made up and printed once.
    #[arg(long, env = "GODOCKER_ADMIN", default_value = "admin", value_name = "NAME")]
    admin: String,
    /// The system user that the first administrator's jobs run as, when root itself starts this.
    #[arg(long, default_value = "nobody", value_name = "USER")]
    run_as: String,
}

impl Admin {
    /// # Errors
    /// The flag that is wrong, as a sentence.
    pub fn first_admin(self) -> Result<FirstAdmin, String> {
        let id: UserId = self.admin.parse().map_err(|error| format!("--admin: {error}"))?;
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Ok(admin::FirstAdmin {
            id,
            run_as: self.run_as,
            password: set("GODOCKER_ADMIN_PASSWORD"),
            api_key: set("GODOCKER_ADMIN_APIKEY"),
        })
    }
}

/// Answers the exit code.
pub fn scheduler(config: Config, sources: Sources, verb: SchedulerVerb) -> i32 {
    let verb = match verb {
        SchedulerVerb::Init(admin) => {
            return match admin.first_admin() {
                Ok(admin) => said(actix::System::new().block_on(cluster::init(&config, admin))),
                Err(error) => {
                    eprintln!("go-d: {error}");
                    2
                }
            };
        }
        SchedulerVerb::ConfigReload => return said(actix::System::new().block_on(cluster::reload(&config))),
        SchedulerVerb::Start => Verb::Start,
        SchedulerVerb::Stop => Verb::Stop,
        SchedulerVerb::Status => Verb::Status,
        SchedulerVerb::Run => Verb::Run,
        SchedulerVerb::Once => Verb::Once,
    };
    run(config, sources, ProcessRole::Scheduler, verb)
}

/// Answers the exit code. `sources`: where a changed configuration is read from.
pub fn run(config: Config, sources: Sources, role: ProcessRole, verb: Verb) -> i32 {
    let pid_file = config.daemons.run_dir.join(format!("{}.pid", name(role)));
    let log = config.daemons.log_dir.join(format!("{}.log", name(role)));
    let done = match verb {
        Verb::Start => start(role, &pid_file, &log),
        Verb::Stop => daemon::stop(&pid_file, STOP_WITHIN).map(|was| {
            println!("{} {}", name(role), if was { "has stopped; running jobs go on" } else { "did not run" });
            DONE
        }),
        Verb::Status => daemon::running(&pid_file).map(|pid| match pid {
            Some(pid) => {
                println!("{} runs, as process {pid}", name(role));
                DONE
            }
            None => {
                println!("{} does not run", name(role));
                NOT_RUNNING
            }
        }),
        Verb::Run => daemon::take_pid_file(&pid_file).map(|taken| run_here(config, &sources, role, &taken)),
        Verb::Once => {
            telemetry::init(&config.log.level, config.log.json);
            Ok(said(actix::System::new().block_on(cluster::once(config, &sources, role))))
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("go-d: {}: {error}", name(role));
        FAILED
    })
}

/// Of several of one role on a host, each has a GOD_PROCID.
fn name(role: ProcessRole) -> String {
    let id = process::process_id().map(|id| id.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-"));
    match id {
        Some(id) => format!("go-d-{}-{id}", role.as_str()),
        None => format!("go-d-{}", role.as_str()),
    }
}

fn start(role: ProcessRole, pid_file: &Path, log: &Path) -> daemon::Result<i32> {
    if let Some(pid) = daemon::running(pid_file)? {
        println!("{} runs already, as process {pid}", name(role));
        return Ok(DONE);
    }
    // As this was called, but for the verb. A link's name stands for the role, which is said in words.
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_none_or(|first| first != role.as_str()) && !arguments.iter().any(|a| a == role.as_str()) {
        arguments.insert(0, role.as_str().to_owned());
    }
    if let Some(verb) = arguments.iter_mut().rev().find(|argument| *argument == "start") {
        "run".clone_into(verb);
    }
    let pid = match daemon::start(&arguments, log) {
        // Another start was faster.
        Err(DaemonError::NotReady { log }) => match daemon::running(pid_file)? {
            Some(pid) => pid,
            None => return Err(DaemonError::NotReady { log }),
        },
        started => started?,
    };
    println!("{} runs, as process {pid}; it writes to {}", name(role), log.display());
    Ok(DONE)
}

fn run_here(config: Config, sources: &Sources, role: ProcessRole, pid_file: &PidFile) -> i32 {
    telemetry::init(&config.log.level, config.log.json);
    if let Err(error) = signals::remember_end() {
        eprintln!("go-d: {}: signals cannot be listened to: {error}", name(role));
        return FAILED;
    }
    match actix::System::new().block_on(cluster::run(config, sources, role, daemon::say_ready)) {
        Ok(Ended::Stopped) => DONE,
        // While the one made room for the other, the whole was asked to end.
        Ok(Ended::Reload(_)) if signals::end_at_once() => DONE,
        Ok(Ended::Reload(listener)) => {
            eprintln!("go-d: {}: {}", name(role), daemon::begin_anew(pid_file, listener));
            FAILED
        }
        Err(error) => {
            eprintln!("go-d: {}: {error:#}", name(role));
            FAILED
        }
    }
}

fn said(done: anyhow::Result<()>) -> i32 {
    match done {
        Ok(()) => DONE,
        Err(error) => {
            eprintln!("go-d: {error:#}");
            FAILED
        }
    }
}
