//! `go-d`: the server, every role.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use godocker::accounts;
use godocker::bootstrap;
use godocker::config::{self, Config, Sources};
use godocker::daemons::{self, SchedulerVerb, Verb};
use godocker::domain::ProcessRole;
use godocker::plugins::executor::native;
use godocker::status;
use godocker::telemetry;
use godocker::upkeep;

/// GoDocker: a batch system that runs every job in a container, under its user's own uid and gid.
///
/// Exit codes: 0 done; 1 it could not start or failed, and says why; 2 the command line or the configuration is wrong;
/// 3 (of a role's `status`) it does not run here, (of `go-d status`) something that jobs need runs nowhere.
#[derive(Parser)]
#[command(name = "go-d", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything in this process, over SQLite: one machine, no configuration needed.
    Up(Up),
    /// Plans: decides which job starts when and where. Of several, one leads.
    Scheduler {
        #[command(flatten)]
        common: Common,
        #[command(subcommand)]
        verb: SchedulerVerb,
    },
    /// Launches jobs, sees to their ends, and mails their owners. Several share the jobs.
    Watcher {
        #[command(flatten)]
        common: Common,
        #[command(subcommand)]
        verb: Verb,
    },
    /// Deletes the files of jobs when asked to.
    Archive {
        #[command(flatten)]
        common: Common,
        #[command(subcommand)]
        verb: Verb,
    },
    /// Serves the pages and the API. Several work behind any proxy.
    Web {
        #[command(flatten)]
        common: Common,
        #[command(subcommand)]
        verb: Verb,
    },
    /// Say which processes of the installation live, and what waits for them (also as go-d-status).
    ///
    /// Exit codes: 0 a scheduler, a watcher and a web live, or a `go-d up`; 3 one of them is missing; 1 the status cannot
    /// be read; 2 the configuration is wrong. One that was not seen for 10 seconds is dead.
    Status {
        #[command(flatten)]
        common: Common,
        /// Print JSON, as GET /api/1.0/admin/processes answers.
        #[arg(long)]
        json: bool,
    },
    /// Serves upload spaces over FTP, by TLS unless plain FTP is allowed. Several work on hosts of their own.
    Ftp {
        #[command(flatten)]
        common: Common,
        #[command(subcommand)]
        verb: Verb,
    },
    /// Make, delete and list users (also as go-d-user).
    User {
        #[command(flatten)]
        common: Common,
        #[command(subcommand)]
        command: accounts::UserCommand,
    },
    /// Archive over jobs: the old ones, or those named (also as go-d-clean). Their files go, their records stay.
    Clean {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        clean: upkeep::CleanArgs,
    },
    /// Measure the directories of over jobs again, and set the disk use of users right.
    Recount {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        recount: upkeep::RecountArgs,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Args)]
struct Common {
    /// go-d.ini
    #[arg(long, env = "GOD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the database, the keys and (by default) the job directories are.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Args)]
struct Up {
    #[command(flatten)]
    common: Common,
    /// Where to serve the pages and the API.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    #[command(flatten)]
    admin: daemons::Admin,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Report every fault of go-d.ini and the environment at once.
    Check(Common),
    /// Print the environment variables that override go-d.ini, as a table.
    EnvTable,
}

fn main() {
    // Before any thread exists: the spawner forks, and must stay small and simple.
    if std::env::args().nth(1).as_deref() == Some(native::SPAWNER_ARG) {
        native::spawner_main();
    }
    let code = match Cli::parse_from(arguments()).command {
        Command::Up(up) => run_up(up),
        Command::Scheduler { common, verb } => {
            with_config(&common, |config, sources| daemons::scheduler(config, sources, verb))
        }
        Command::Watcher { common, verb } => run_role(&common, ProcessRole::Watcher, verb),
        Command::Archive { common, verb } => run_role(&common, ProcessRole::Archive, verb),
        Command::Web { common, verb } => run_role(&common, ProcessRole::Web, verb),
        Command::Ftp { common, verb } => run_role(&common, ProcessRole::Ftp, verb),
        Command::Status { common, json } => run_status(&common, json),
        Command::User { common, command } => run_user(&common, command),
        Command::Clean { common, clean } => {
            with_config(&common, |config, _| all_done(&config, async |config| upkeep::clean(config, clean).await))
        }
        Command::Recount { common, recount } => {
            with_config(&common, |config, _| all_done(&config, async |config| upkeep::recount(config, recount).await))
        }
        Command::Config { command: ConfigCommand::Check(common) } => check(&common),
        Command::Config { command: ConfigCommand::EnvTable } => {
            print!("{}", config::environment_table_markdown());
            0
        }
    };
    std::process::exit(code);
}

/// A link `go-d-user` to this program is `go-d user`.
fn arguments() -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    let called = arguments.first().map(PathBuf::from).unwrap_or_default();
    let name = called.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if let Some(command) = name.strip_prefix("go-d-").filter(|command| !command.is_empty()) {
        arguments.insert(1, command.into());
    }
    arguments
}

fn run_role(common: &Common, role: ProcessRole, verb: Verb) -> i32 {
    with_config(common, |config, sources| daemons::run(config, sources, role, verb))
}

fn run_user(common: &Common, command: accounts::UserCommand) -> i32 {
    with_config(common, |config, _| match actix::System::new().block_on(accounts::run(&config, command)) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("go-d: {error:#}");
            1
        }
    })
}

fn run_status(common: &Common, json: bool) -> i32 {
    with_config(common, |config, _| match actix::System::new().block_on(status::run(&config, json)) {
        Ok(true) => 0,
        Ok(false) => 3,
        Err(error) => {
            eprintln!("go-d: {error:#}");
            1
        }
    })
}

/// Runs what answers whether all of it could be done.
fn all_done(config: &Config, work: impl AsyncFnOnce(&Config) -> anyhow::Result<bool>) -> i32 {
    telemetry::init(&config.log.level, config.log.json);
    match actix::System::new().block_on(work(config)) {
        Ok(all) => i32::from(!all),
        Err(error) => {
            eprintln!("go-d: {error:#}");
            1
        }
    }
}

fn with_config(common: &Common, work: impl FnOnce(Config, Sources) -> i32) -> i32 {
    let loaded = sources(common, None).and_then(|sources| match config::load(&sources) {
        Ok((config, _)) => Ok((config, sources)),
        Err(faults) => Err(faults.to_string()),
    });
    match loaded {
        Ok((config, sources)) => work(config, sources),
        Err(message) => {
            eprintln!("go-d: the configuration is wrong:\n{message}");
            2
        }
    }
}

fn sources(common: &Common, listen: Option<&str>) -> Result<Sources, String> {
    let mut flags = Vec::new();
    if let Some(dir) = &common.data_dir {
        let dir = std::path::absolute(dir).map_err(|error| format!("--data-dir: {error}"))?;
        flags.push(("data_dir".to_owned(), dir.display().to_string()));
    }
    if let Some(listen) = listen {
        let expected = || format!("--listen: {listen:?} is not ADDR:PORT, like 127.0.0.1:6543");
        let (host, port) = listen.rsplit_once(':').ok_or_else(expected)?;
        port.parse::<u16>().map_err(|_| expected())?;
        flags.push(("web_host".to_owned(), host.trim_matches(['[', ']']).to_owned()));
        flags.push(("web_port".to_owned(), port.to_owned()));
    }
    let env = std::env::vars().filter(|(name, _)| name.starts_with("GODOCKER_") || name == "GOD_LOGLEVEL").collect();
    Ok(Sources { file: common.config.clone(), env, flags })
}

fn check(common: &Common) -> i32 {
    match sources(common, None) {
        Ok(sources) => {
            let (report, fine) = config::check_report(&sources);
            print!("{report}");
            if fine { 0 } else { 2 }
        }
        Err(message) => {
            eprintln!("go-d: {message}");
            2
        }
    }
}

fn run_up(up: Up) -> i32 {
    let loaded = sources(&up.common, up.listen.as_deref())
        .and_then(|sources| config::load(&sources).map_err(|faults| faults.to_string()));
    let (config, warnings) = match loaded {
        Ok(loaded) => loaded,
        Err(message) => {
            eprintln!("go-d: the configuration is wrong:\n{message}");
            return 2;
        }
    };
    telemetry::init(&config.log.level, config.log.json);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let admin = match up.admin.first_admin() {
        Ok(admin) => admin,
        Err(error) => {
            eprintln!("go-d: {error}");
            return 2;
        }
    };
    match actix::System::new().block_on(bootstrap::up(config, admin)) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("go-d: {error:#}");
            1
        }
    }
}
