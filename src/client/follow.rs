//! Following a job: its output as it grows, why it waits while it does, until it is over.
//!
//! A stream that breaks is taken up where it stopped, for as long as a server takes to restart.

mod interrupt;
mod view;

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;

use super::error::ClientError;
use super::http::{Backoff, Call, Patience, Server};
use super::output::Output;
use super::sse::{Event, Parser};
use crate::domain::JobId;
pub use interrupt::Interrupts;
use interrupt::Wish;
pub use view::Show;
use view::View;

/// The server says something every 15 s.
const QUIET: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    ToItsEnd,
    /// Interrupted: the job goes on.
    Left,
}

/// How far it was read, in bytes of each file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Position {
    out: u64,
    err: u64,
}

impl Position {
    /// The server knows best, and says it with every event; where it does not, the text counts.
    fn advance(&mut self, event: &Event, text: &str) {
        match event.id.as_deref().and_then(Position::parse) {
            Some(position) => *self = position,
            None if event.name == "out" => self.out += text.len() as u64,
            None if event.name == "err" => self.err += text.len() as u64,
            None => {}
        }
    }

    fn parse(id: &str) -> Option<Self> {
        let (out, err) = id.split_once(':')?;
        Some(Position { out: out.parse().ok()?, err: err.parse().ok()? })
    }
}

/// Shows a job until it is over, or until the user has enough of it.
pub async fn follow(
    server: &Server,
    id: JobId,
    output: Output,
    show: Show,
    mut interrupts: Option<Interrupts>,
) -> Result<Followed, ClientError> {
    let mut stream = Stream { server, id, position: Position::default(), open: None, parser: Parser::default() };
    let mut view = View::new(id, output, show);
    let mut backoff = Backoff::new(Patience::Long);
    loop {
        let interrupted = async {
            match &mut interrupts {
                Some(interrupts) => interrupts.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            events = stream.next(&mut backoff) => {
                for event in events? {
                    if view.show(&event)? {
                        return Ok(Followed::ToItsEnd);
                    }
                }
            }
            () = interrupted => {
                view.clear();
                let interrupts = interrupts.as_mut().expect("what is absent does not interrupt");
                match interrupts.ask(id, output).await {
                    Wish::GoOn => {}
                    Wish::Leave => return Ok(Followed::Left),
                    Wish::Kill => super::commands::ask::kill(server, id).await.map(|_| output.note("asked to stop it"))?,
                }
            }
        }
    }
}

struct Stream<'a> {
    server: &'a Server,
    id: JobId,
    position: Position,
    open: Option<Response>,
    parser: Parser,
}

impl Stream<'_> {
    /// The events that have come, at least one. May be dropped while it waits, and nothing is lost.
    async fn next(&mut self, backoff: &mut Backoff) -> Result<Vec<Event>, ClientError> {
        loop {
            if self.open.is_none() {
                self.open = Some(self.connect().await?);
            }
            let response = self.open.as_mut().expect("it has just been opened");
            let broken = match self.server.chunk(response, QUIET).await {
                Ok(Some(bytes)) => {
                    let events = self.parser.feed(&bytes);
                    if events.is_empty() {
                        continue;
                    }
                    backoff.reset();
                    self.note_positions(&events);
                    return Ok(events);
                }
                Ok(None) => None,
                Err(error) => Some(error),
            };
            self.open = None;
            if !backoff.pause().await {
                return Err(broken.unwrap_or_else(|| ClientError::Away {
                    server: self.server.address(),
                    why: "it ends the job's log before the job's end".into(),
                }));
            }
        }
    }

    async fn connect(&mut self) -> Result<Response, ClientError> {
        self.parser = Parser::default();
        let Position { out, err } = self.position;
        let id = self.id.to_string();
        let call = Call::read(&["task", &id, "log"])
            .query("follow", 1)
            .query("from", out)
            .query("from_out", out)
            .query("from_err", err)
            .after_event((self.position != Position::default()).then(|| format!("{out}:{err}")))
            .about(format!("job {id}"));
        self.server.open(call.stream().patiently()).await
    }

    fn note_positions(&mut self, events: &[Event]) {
        for event in events {
            self.position.advance(event, &text_of(&event.data));
        }
    }
}

/// The text that an `out` or `err` event carries.
fn text_of(data: &str) -> String {
    let document: Value = serde_json::from_str(data).unwrap_or_default();
    document["text"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_position_counts_before_the_texts_length() {
        let event =
            |name: &str, id: Option<&str>| Event { name: name.into(), data: String::new(), id: id.map(str::to_owned) };
        let mut position = Position::default();
        position.advance(&event("out", None), "é");
        position.advance(&event("err", None), "abc");
        position.advance(&event("status", None), "");
        assert_eq!(position, Position { out: 2, err: 3 });
        position.advance(&event("out", Some("40:5")), "\u{fffd}");
        assert_eq!(position, Position { out: 40, err: 5 });
        position.advance(&event("out", Some("no position")), "ab");
        assert_eq!(position, Position { out: 42, err: 5 });
    }
}
