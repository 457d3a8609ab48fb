//! The users' client `god`: submit jobs, follow them, fetch what they made.
//!
//! [`cli`] is what can be typed, [`commands`] one file for each thing one can do. [`document`], [`task`], [`table`],
//! [`quote`] and [`sse`] are plain functions over plain data; [`http`], [`follow`], [`credentials`] and [`output`] do
//! the talking. It knows the server only through the HTTP API (API.md): nothing here touches the store, the bus or a
//! job directory, and nothing here decides what a job may do.

pub mod cli;
pub mod commands;
pub mod credentials;
pub mod document;
pub mod error;
pub mod follow;
pub mod http;
pub mod output;
pub mod quote;
pub mod sse;
pub mod table;
pub mod task;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use error::ClientError;
use output::Output;

/// The whole program: reads the command line, does it, and tells how it went.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    // An error here means that one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ClientError::local("the program could not be set up"))
        .and_then(|runtime| {
            let done = runtime.block_on(commands::run(cli, output));
            // Nothing that still waits somewhere (a name being resolved) holds up the end.
            runtime.shutdown_background();
            done
        });
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if !error.is_silent() {
                output.error(&error);
            }
            ExitCode::from(error.exit_code())
        }
    }
}
