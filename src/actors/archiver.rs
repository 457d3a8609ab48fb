//! The archiver actor: deletes the files of over jobs when asked to or when they are old, and keeps or deletes their
//! record; deletes users with their data.

use std::time::Duration;

use actix::prelude::*;

use super::archive::Archiver;
use super::{Deliver, Works, leaving, retention};
use crate::bus::Command;
use crate::config::Retention;
use crate::domain::JobId;

pub struct ArchiverActor {
    works: Works,
    /// Archive what is old, unasked.
    retention: Option<Retention>,
    /// The name of this process among the archivers; empty where there is but one.
    me: String,
}

impl ArchiverActor {
    pub fn new(works: Works, retention: Option<Retention>, me: String) -> Self {
        ArchiverActor { works, retention, me }
    }
}

/// Archive what is due.
#[derive(Message)]
#[rtype(result = "()")]
struct ArchiveOld;

/// See whether users who are to be deleted are gone by now.
#[derive(Message)]
#[rtype(result = "()")]
struct LookAfterLeaving;

/// How often: their running jobs have to end first.
const LEAVING_EVERY: Duration = Duration::from_secs(5);

impl Actor for ArchiverActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.notify(LookAfterLeaving);
        if self.retention.is_some() {
            ctx.notify(ArchiveOld);
            ctx.run_interval(retention::EVERY, |_, ctx| ctx.notify(ArchiveOld));
        }
    }
}

impl Handler<ArchiveOld> for ArchiverActor {
    type Result = ();

    fn handle(&mut self, _: ArchiveOld, _: &mut Self::Context) {
        let Some(retention) = self.retention else { return };
        let (works, me) = (self.works.clone(), self.me.clone());
        actix::spawn(async move {
            let round = async {
                match retention::is_for(works.store.as_ref(), &me, works.clock.now()).await? {
                    true => retention::round(&works, retention).await.map(drop),
                    false => Ok(()),
                }
            };
            if let Err(error) = round.await {
                tracing::error!(%error, "what is old could not be archived; it is tried again in an hour");
            }
        });
    }
}

impl Handler<LookAfterLeaving> for ArchiverActor {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: LookAfterLeaving, _: &mut Self::Context) -> Self::Result {
        let works = self.works.clone();
        let round = async move { leaving::round(&works).await }.into_actor(self);
        Box::pin(round.map(|left, _, ctx| match left {
            Ok(0) => {}
            Ok(_) => drop(ctx.run_later(LEAVING_EVERY, |_, ctx| ctx.notify(LookAfterLeaving))),
            Err(error) => {
                tracing::error!(%error, "users could not be deleted; it is tried again");
                ctx.run_later(LEAVING_EVERY, |_, ctx| ctx.notify(LookAfterLeaving));
            }
        }))
    }
}

impl Handler<Deliver> for ArchiverActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Deliver(command, receipt): Deliver, ctx: &mut Self::Context) -> Self::Result {
        if command == Command::UsersLeaving {
            receipt.done();
            ctx.notify(LookAfterLeaving);
            return Box::pin(async {});
        }
        let works = self.works.clone();
        Box::pin(async move {
            match command {
                Command::ArchiveRequested { ids } => archive_all(&works, &ids).await,
                other => tracing::error!(?other, "not for the archiver"),
            }
            // What could not be archived is still asked in the store, and told again by recovery.
            receipt.done();
        })
    }
}

async fn archive_all(works: &Works, ids: &[JobId]) {
    if let Err(error) = Archiver::of(works).many(ids).await {
        tracing::error!(%error, "jobs to archive could not be read; they are found again");
    }
    // What they held counts no more for disk quotas.
    works.tell(Command::AccountsChanged).await;
}
