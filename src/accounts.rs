//! `go-d user`: local accounts by hand, on the machine that has the database.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::table::Table;
use crate::config::Config;
use crate::domain::{AuditEntry, Clock, Standing, SystemClock, User, UserId, UserKind};
use crate::plugins::auth::password;
use crate::process::system_user;
use crate::store::update::{With, update_user};
use crate::store::{AccountChange, Changed, Store};
use crate::web::access::{new_secret, secret_hash, session};
use crate::web::accounts::users::leave;

/// Who the audit log says it was.
const ACTOR: &str = "go-d user";

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a local user. uid, gid, groups and home come from the system user of that name; what is given here wins.
    Create(Create),
    /// Delete a user with all jobs and their files; a running server does it within seconds.
    Delete { login: UserId },
    /// Set a local user's password, from standard input or asked for.
    Passwd {
        login: UserId,
        /// Read it from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List users.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct Create {
    login: UserId,
    /// Read the password from standard input. Without it and without --no-password it is asked for.
    #[arg(long, conflicts_with = "no_password")]
    password_stdin: bool,
    /// Only an API key, which is printed, opens the account.
    #[arg(long)]
    no_password: bool,
    /// The system user it maps, where that has another name.
    #[arg(long, value_name = "NAME")]
    system_user: Option<String>,
    #[arg(long)]
    uid: Option<u32>,
    #[arg(long)]
    gid: Option<u32>,
    /// Secondary groups, by number, divided by commas.
    #[arg(long, value_delimiter = ',')]
    groups: Option<Vec<u32>>,
    /// The home directory.
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    #[arg(long)]
    mail: Option<String>,
    /// Make it an administrator.
    #[arg(long)]
    admin: bool,
}

/// # Errors
/// What was wrong, as a sentence; nothing is written then.
pub async fn run(config: &Config, command: UserCommand) -> anyhow::Result<()> {
    let store = crate::bootstrap::open_store(config).await?;
    match command {
        UserCommand::Create(asked) => create(store.as_ref(), config, asked).await,
        UserCommand::Delete { login } => delete(store.as_ref(), &login).await,
        UserCommand::Passwd { login, password_stdin } => passwd(store.as_ref(), &login, password_stdin).await,
        UserCommand::List { json } => list(store.as_ref(), json).await,
    }
}

fn audit(action: &str, subject: &UserId) -> Vec<AuditEntry> {
    vec![AuditEntry {
        at: SystemClock.now(),
        actor: ACTOR.to_owned(),
        address: None,
        action: action.to_owned(),
        subject: subject.to_string(),
        details: json!({}),
    }]
}

async fn create(store: &dyn Store, config: &Config, asked: Create) -> anyhow::Result<()> {
    let login = asked.login;
    if store.user(&login).await?.is_some() {
        bail!("there is a user {login} already");
    }
    let name = asked.system_user.as_deref().unwrap_or(login.as_str());
    let system = system_user::by_name(name)?;
    let explicit = asked.uid.is_some() && asked.gid.is_some();
    if system.is_none() && !explicit {
        bail!("the host has no user {name:?}: make one, name another with --system-user, or give --uid and --gid");
    }
    let uid = asked.uid.or(system.as_ref().map(|system| system.uid)).unwrap_or_default();
    if uid == 0 {
        bail!("--uid: jobs never run as root (uid 0)");
    }
    let (password_hash, api_key) = if asked.no_password {
        let key = new_secret();
        (None, Some(key))
    } else {
        (Some(password::hash(&read_password(asked.password_stdin)?).await?), None)
    };
    let user = User {
        uid,
        gid: asked.gid.or(system.as_ref().map(|system| system.gid)).unwrap_or(uid),
        groups: asked.groups.or(system.as_ref().map(|system| system.groups.clone())).unwrap_or_default(),
        home: asked.home.or(system.map(|system| system.home)),
        email: asked.mail,
        admin: asked.admin,
        password_hash,
        api_key_hash: api_key.as_deref().map(secret_hash),
        priority: config.defaults.priority,
        quotas: config.defaults.quotas.for_new_account(),
        ..User::new(login.clone(), UserKind::Local, SystemClock.now())
    };
    if user.home.as_ref().is_some_and(|home| !home.is_absolute()) {
        bail!("--home: expected an absolute path");
    }
    let (uid, gid) = (user.uid, user.gid);
    let change = vec![AccountChange::PutUser(Box::new(user))];
    if store.change(change, audit("user.create", &login)).await? == Changed::Stale {
        bail!("another process made {login} at this moment");
    }
    println!("{login} is made; jobs run as uid {uid}, gid {gid}.");
    if let Some(key) = api_key {
        println!("API key: {key}\nThis is shown once.");
    }
    Ok(())
}

fn read_password(from_stdin: bool) -> anyhow::Result<String> {
    let text = if from_stdin {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        text.trim_end_matches(['\n', '\r']).to_owned()
    } else {
        let text = rpassword::prompt_password("Password: ").context("no terminal to ask on: use --password-stdin")?;
        if rpassword::prompt_password("Again: ")? != text {
            bail!("the two are not the same");
        }
        text
    };
    if text.chars().count() < 8 { bail!("a password has at least 8 characters") } else { Ok(text) }
}

async fn delete(store: &dyn Store, login: &UserId) -> anyhow::Result<()> {
    let users = store.users().await?;
    let active_admin = |user: &&User| user.admin && user.standing == Standing::Active;
    let is_last = users.iter().filter(active_admin).all(|user| user.id == *login);
    if is_last && users.iter().any(|user| user.id == *login && user.admin) {
        bail!("{login} is the last administrator");
    }
    let left = update_user(store, login, |user| {
        let changes = leave(user);
        Ok::<_, std::convert::Infallible>(With { changes, audit: audit("user.delete", login) })
    });
    if left.await?.is_none() {
        bail!("there is no user {login}");
    }
    println!("{login} cannot come in any more; the server deletes the jobs, their files and the account.");
    Ok(())
}

async fn passwd(store: &dyn Store, login: &UserId, from_stdin: bool) -> anyhow::Result<()> {
    let known = store.user(login).await?.with_context(|| format!("there is no user {login}"))?;
    if known.kind != UserKind::Local {
        bail!("{login} is a {} account, whose password is not ours", known.kind.as_str());
    }
    let hash = password::hash(&read_password(from_stdin)?).await?;
    let done = update_user(store, login, |user| {
        user.password_hash = Some(hash.clone());
        let changes = vec![session::end_all(user)];
        Ok::<_, std::convert::Infallible>(With { changes, audit: audit("user.password", login) })
    });
    done.await?.with_context(|| format!("there is no user {login}"))?;
    println!("The password of {login} is changed; all sessions are ended.");
    Ok(())
}

async fn list(store: &dyn Store, as_json: bool) -> anyhow::Result<()> {
    let users = store.users().await?;
    if as_json {
        let shown: Vec<_> = users.iter().map(|user| crate::web::accounts::users::document(user, 0)).collect();
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(());
    }
    let mut table = Table::new(["LOGIN", "KIND", "ACCOUNT", "UID", "GID", "MAIL", "HOME", "NOTE"]);
    for user in &users {
        table.row([
            user.id.to_string(),
            user.kind.as_str().to_owned(),
            user.standing.as_str().to_owned(),
            user.uid.to_string(),
            user.gid.to_string(),
            user.email.clone().unwrap_or_default(),
            user.home.as_ref().map(|home| home.display().to_string()).unwrap_or_default(),
            if user.admin { "administrator" } else { "" }.to_owned(),
        ]);
    }
    print!("{}", table.plain());
    Ok(())
}
