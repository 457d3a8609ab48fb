//! Logs: tracing to stderr, for people or as JSON.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

/// `level` is a tracing filter (`info`, `godocker=debug`). Called once, before anything logs.
pub fn init(level: &str, json: bool) {
    let mut filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    if !level.contains("libunftp") {
        // Its spans would put all it knows of a connection before every line of ours.
        filter =
            filter.add_directive(tracing_subscriber::filter::Directive::from_str("libunftp=off").expect("it is one"));
    }
    let colours = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    if json { builder.json().init() } else { builder.init() }
}
