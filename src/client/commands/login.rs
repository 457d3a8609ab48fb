//! `god login`: asks for what is missing, lets the server check it, stores it.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use serde_json::json;

use super::Done;
use crate::client::cli::Login;
use crate::client::credentials::{ApiKey, Credentials, Environment, is_exposed, save, server_url, shown};
use crate::client::error::ClientError;
use crate::client::http::Server;
use crate::client::output::Output;

const USUAL_SERVER: &str = "http://127.0.0.1:6543";
/// Longer than any key.
const LONGEST_KEY: u64 = 64 * 1024;

pub async fn login(asked: Login, environment: &Environment, output: Output) -> Done {
    let file = environment.file()?;
    let server = match asked.server.or_else(|| environment.server.clone()) {
        Some(server) => server,
        None => prompt("Server", "--server", USUAL_SERVER)?,
    };
    let url = server_url(&server)?;
    let user = match asked.user.or_else(|| environment.user.clone()) {
        Some(user) => user,
        None => prompt("User", "--user", &std::env::var("USER").unwrap_or_default())?,
    };
    let apikey = match (asked.api_key, asked.api_key_stdin) {
        (Some(key), _) => ApiKey::new(key.trim()),
        (None, true) => read_key()?,
        (None, false) => match &environment.apikey {
            Some(key) => key.clone(),
            None => prompt_key()?,
        },
    };
    if user.is_empty() || apikey.reveal().is_empty() {
        return Err(ClientError::Usage("the user name and the API key must not be empty".into()));
    }
    if is_exposed(&url) {
        output.note("warning: over http, everyone on the way can read your API key; use https if the server offers it");
    }
    let credentials = Credentials { server: shown(&url), user, apikey };
    Server::new(&credentials)?.verify().await.map_err(denied)?;
    save(file, &credentials)?;
    let Credentials { server, user, .. } = &credentials;
    output.result(&json!({ "server": server, "user": user }), || format!("Logged in to {server} as {user}.\n"))?;
    Ok(0)
}

/// One who is just logging in need not be told to.
fn denied(error: ClientError) -> ClientError {
    match error {
        ClientError::LoginDenied { server } => ClientError::LoginRefused { server },
        error => error,
    }
}

fn prompt(what: &str, option: &str, usual: &str) -> Result<String, ClientError> {
    if !io::stdin().is_terminal() {
        return Err(ClientError::Usage(format!("{option} is needed where nobody can be asked")));
    }
    let offered = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
    let mut err = io::stderr().lock();
    write!(err, "{what}{offered}: ").and_then(|()| err.flush()).map_err(ClientError::Output)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(ClientError::local("the terminal cannot be read"))?;
    let line = line.trim();
    Ok(if line.is_empty() { usual.to_owned() } else { line.to_owned() })
}

fn prompt_key() -> Result<ApiKey, ClientError> {
    if !io::stdin().is_terminal() {
        let told = "the API key is needed: --api-key-stdin reads it from standard input";
        return Err(ClientError::Usage(told.into()));
    }
    let key = rpassword::prompt_password("API key: ");
    key.map(|key| ApiKey::new(key.trim())).map_err(ClientError::local("the API key cannot be read"))
}

fn read_key() -> Result<ApiKey, ClientError> {
    let mut key = String::new();
    let read = io::stdin().lock().take(LONGEST_KEY).read_to_string(&mut key);
    read.map(|_| ApiKey::new(key.trim())).map_err(ClientError::local("the API key cannot be read"))
}
