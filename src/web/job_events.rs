//! Changes of the jobs that a caller may see, as server-sent events: `job` carries `{id, parent_task_id, phase}`.
//!
//! They come from the bus, which may lose some: `missed` says that this has happened. Whoever listens looks at the
//! store for what is true. What the caller may see is what it was when the stream began, and it ends after
//! [`LASTS`], so that an account which is closed does not go on listening; browsers then come again by themselves.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use serde_json::json;
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::Site;
use super::access::Caller;
use crate::bus::Event;

/// Keeps proxies from closing, and finds out who has gone.
const HEARTBEAT: Duration = Duration::from_secs(15);
const LASTS: Duration = Duration::from_secs(10 * 60);

/// `patience`: after so long the stream ends, if not before.
pub fn changes(
    site: &Site,
    caller: Caller,
    patience: Option<Duration>,
) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let events = site.bus.events();
    let until = Instant::now() + patience.unwrap_or(LASTS).min(LASTS);
    // Said at once, so that the listener knows that it is heard.
    let begin = futures::stream::iter([Ok(Bytes::from_static(b": listening\n\n"))]);
    let changes = futures::stream::unfold((events, caller), move |(mut events, caller)| async move {
        let said = next(&mut events, &caller, until).await?;
        Some((Ok(said), (events, caller)))
    });
    futures::StreamExt::chain(begin, changes)
}

async fn next(events: &mut broadcast::Receiver<Event>, caller: &Caller, until: Instant) -> Option<Bytes> {
    let heartbeat = Instant::now() + HEARTBEAT;
    loop {
        tokio::select! {
            told = events.recv() => match told {
                Ok(event) => if let Some(said) = said(&event, caller) { return Some(said) },
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    return Some(Bytes::from_static(b"event: missed\ndata: {}\n\n"));
                }
                // The service goes down.
                Err(broadcast::error::RecvError::Closed) => return None,
            },
            () = tokio::time::sleep_until(heartbeat.min(until)) => {
                return (Instant::now() < until).then_some(Bytes::from_static(b": still here\n\n"));
            }
        }
    }
}

/// `None` for what is none of the caller's business.
fn said(event: &Event, caller: &Caller) -> Option<Bytes> {
    let Event::JobChanged { id, parent, owner, project, phase } = event else { return None };
    if !caller.is_admin() && owner != caller.id() && !caller.shares(project) {
        return None;
    }
    let data = json!({ "id": id, "parent_task_id": parent, "phase": phase });
    Some(Bytes::from(format!("event: job\ndata: {data}\n\n")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JobId, Phase, Scope, Timestamp, User, UserKind};
    use crate::web::access::By;

    fn caller(admin: bool, shared: &[&str]) -> Caller {
        let user = User { admin, ..User::new("ann".parse().unwrap(), UserKind::Local, Timestamp(0)) };
        let shared = shared.iter().map(|id| id.parse().unwrap()).collect();
        Caller { user, scope: Scope::Read, by: By::Token, address: None, shared }
    }

    fn event(owner: &str, project: &str) -> Event {
        let (owner, project) = (owner.parse().unwrap(), project.parse().unwrap());
        Event::JobChanged { id: JobId(7), parent: None, owner, project, phase: Phase::Running }
    }

    #[test]
    fn only_what_one_may_see_is_told() {
        let heard = |caller: &Caller, event: &Event| said(event, caller).is_some();
        let (own, other) = (event("ann", "default"), event("bob", "rna"));
        assert!(heard(&caller(false, &[]), &own) && !heard(&caller(false, &[]), &other));
        assert!(heard(&caller(false, &["rna"]), &other) && heard(&caller(true, &[]), &other));
        assert!(said(&Event::ConfigChanged, &caller(true, &[])).is_none());
        assert_eq!(
            said(&own, &caller(false, &[])).unwrap(),
            "event: job\ndata: {\"id\":7,\"parent_task_id\":null,\"phase\":\"running\"}\n\n"
        );
    }
}
