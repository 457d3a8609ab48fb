//! The engine's stream of events: how ends become known.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::query_parameters::EventsOptionsBuilder;
use futures::StreamExt;

use super::{Inner, RECONNECT};
use crate::domain::{AttemptName, Clock, SystemClock};
use crate::plugins::executor::engine::LABEL;
use crate::plugins::executor::engine::answer::of_docker;
use crate::plugins::executor::{ExecutorError, Sighting};

impl Inner {
    /// Follows the engine's events for as long as somebody listens. A stream that begins anew begins where the last
    /// one stopped; what the engine's memory of events does not reach back to, a listing tells.
    pub(super) async fn follow_events(self: Arc<Self>) {
        let mut since = SystemClock.now().as_secs();
        let mut again = false;
        while self.ends.lock().expect("no holder of this lock panics").as_ref().is_some_and(|ends| !ends.is_closed()) {
            if let Err(error) = self.follow_once(&mut since, again).await {
                tracing::debug!(%error, "the engine's events stopped; they are asked for again");
            }
            // What it is now, only the engine itself can say.
            *self.node.lock().expect("no holder of this lock panics") = None;
            again = true;
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn follow_once(self: &Arc<Self>, since: &mut i64, again: bool) -> Result<(), ExecutorError> {
        let filters = HashMap::from([
            ("label".to_owned(), vec![format!("{LABEL}={}", self.instance)]),
            ("event".to_owned(), vec!["die".to_owned()]),
        ]);
        let options = EventsOptionsBuilder::default().since(&since.to_string()).filters(&filters).build();
        let mut events = Box::pin(self.client().await?.events(Some(options)));
        if again {
            let me = self.clone();
            tokio::spawn(async move { me.report_ended().await });
        }
        while let Some(event) = events.next().await {
            let event = event.map_err(of_docker)?;
            *since = event.time.unwrap_or(*since);
            let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
            let Some(name) = attributes.get("name").and_then(|name| AttemptName::parse(name)) else { continue };
            let me = self.clone();
            tokio::spawn(async move {
                match me.inspect_end(&name).await {
                    Ok(Some(end)) => me.report(end).await,
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%name, %error, "an end could not be read; the next listing has it"),
                }
            });
        }
        Ok(())
    }

    async fn report_ended(&self) {
        for sighting in self.list().await.unwrap_or_default() {
            if let Sighting::Ended(end) = sighting {
                self.report(end).await;
            }
        }
    }
}
