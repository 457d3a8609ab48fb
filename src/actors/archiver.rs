//! The archiver actor: deletes the files of over jobs when asked to, and keeps or deletes their record.

use actix::prelude::*;

use super::{Deliver, Works, archive};
use crate::bus::Command;
use crate::domain::JobId;

pub struct ArchiverActor {
    works: Works,
}

impl ArchiverActor {
    pub fn new(works: Works) -> Self {
        ArchiverActor { works }
    }
}

impl Actor for ArchiverActor {
    type Context = Context<Self>;
}

impl Handler<Deliver> for ArchiverActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Deliver(command): Deliver, _: &mut Self::Context) -> Self::Result {
        let works = self.works.clone();
        Box::pin(async move {
            match command {
                Command::ArchiveRequested { ids } => archive_all(&works, &ids).await,
                other => tracing::error!(?other, "not for the archiver"),
            }
        })
    }
}

/// One after the other: archiving is never urgent, and its disk is everyone's.
async fn archive_all(works: &Works, ids: &[JobId]) {
    for id in ids {
        let done =
            archive::archive_one(works.store.as_ref(), &works.files, works.bus.as_ref(), works.clock.as_ref(), *id);
        if let Err(error) = done.await {
            tracing::error!(job = %id, %error, "not archived; it is tried again");
        }
    }
}
