//! One file for each thing a user can do. Each takes what was typed, talks to the server and prints; what can be
//! decided without a server is decided elsewhere, as plain functions.

pub mod ask;
mod data;
mod disk;
mod files;
mod list;
mod log;
mod login;
mod people;
mod run;
mod show;
mod site;
mod submit;
mod wait;

use super::cli::{Cli, Command, Image, Job, Node};
use super::credentials::Environment;
use super::error::ClientError;
use super::http::Server;
use super::output::Output;

/// What a command ends with: the exit code, where nothing went wrong.
type Done = Result<u8, ClientError>;

/// What every command works with.
struct Session {
    server: Server,
    output: Output,
}

pub async fn run(cli: Cli, output: Output) -> Done {
    let environment = Environment::read();
    if let Command::Login(asked) = cli.command {
        return login::login(asked, &environment, output).await;
    }
    let (credentials, warning) = environment.credentials()?;
    if let Some(warning) = warning {
        output.note(&format!("warning: {warning}"));
    }
    let session = Session { server: Server::new(&credentials)?, output };
    match cli.command {
        Command::Login(_) => unreachable!("logging in needs no session"),
        Command::Run(asked) => run::run(&session, *asked).await,
        Command::Job(job) => run_job(&session, job).await,
        Command::Data(asked) => data::data(&session, asked).await,
        Command::Disk(asked) => disk::disk(&session, asked).await,
        Command::Image(Image::List) => site::images(&session).await,
        Command::Node(Node::List) => site::nodes(&session).await,
        Command::User(asked) => people::user(&session, asked).await,
        Command::Project(asked) => people::project(&session, asked).await,
        Command::Token(asked) => people::token(&session, asked).await,
        Command::Admin(asked) => people::admin(&session, asked).await,
        Command::Whoami => site::whoami(&session).await,
    }
}

async fn run_job(session: &Session, job: Job) -> Done {
    match job {
        Job::Submit(asked) => submit::submit(session, *asked).await,
        Job::List(asked) => list::list(session, asked).await,
        Job::Show { id } => show::show(session, id).await,
        Job::Log(asked) => log::log(session, asked).await,
        Job::Kill(ids) => ask::all(session, &ids.ids, ask::Wish::Kill).await,
        Job::Suspend(ids) => ask::all(session, &ids.ids, ask::Wish::Suspend).await,
        Job::Resume(ids) => ask::all(session, &ids.ids, ask::Wish::Resume).await,
        Job::Reschedule(ids) => ask::all(session, &ids.ids, ask::Wish::Reschedule).await,
        Job::Archive(ids) => ask::all(session, &ids.ids, ask::Wish::Archive).await,
        Job::Delete(ids) => ask::all(session, &ids.ids, ask::Wish::Delete).await,
        Job::Wait(asked) => wait::wait(session, asked).await,
        Job::Files { id, path } => files::list(session, id, &path).await,
        Job::Get(asked) => files::get(session, asked).await,
    }
}
