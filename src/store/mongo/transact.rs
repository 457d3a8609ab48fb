//! One piece of work, in one transaction.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use mongodb::error::UNKNOWN_TRANSACTION_COMMIT_RESULT;
use mongodb::options::{ReadConcern, WriteConcern};
use mongodb::{ClientSession, Database};

use super::error::Fault;
use super::ops::{Done, Ops};
use crate::store::{Result, StoreError};

/// How long one that others keep coming between is tried again.
const TRY_FOR: Duration = Duration::from_secs(60);
/// How long a commit is asked for whose answer got lost. Only after that nobody knows, and the caller is told of a failure.
const ASK_FOR: Duration = Duration::from_secs(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// What the work came to.
pub enum Verdict<T> {
    Keep(T),
    /// Nothing of it is to be kept.
    Undo(T),
}

/// Runs again, from the beginning, whenever another transaction came between.
#[async_trait]
pub trait Work: Send + Sync {
    type Answer: Send;
    async fn run(&self, ops: &mut Ops<'_>) -> Done<Verdict<Self::Answer>>;
}

pub async fn transact<W: Work>(session: &mut ClientSession, db: &Database, work: &W) -> Result<W::Answer> {
    let deadline = Instant::now() + TRY_FOR;
    let mut pause = Duration::from_millis(1);
    loop {
        match attempt(session, db, work).await {
            Err(fault) if fault.asks_for_another_try() && Instant::now() < deadline => {
                // Some luck in it, so that two do not meet again and again.
                tokio::time::sleep(pause.mul_f64(rand::random::<f64>())).await;
                pause = LONGEST_PAUSE.min(pause.mul_f64(1.5));
            }
            Err(fault) => return Err(fault.into()),
            Ok(answer) => return Ok(answer),
        }
    }
}

async fn attempt<W: Work>(session: &mut ClientSession, db: &Database, work: &W) -> Done<W::Answer> {
    session.start_transaction().read_concern(ReadConcern::snapshot()).write_concern(WriteConcern::majority()).await?;
    let ran = work.run(&mut Ops::within(db, session)).await;
    match ran {
        Ok(Verdict::Keep(answer)) => commit(session).await.map(|()| answer),
        Ok(Verdict::Undo(answer)) => {
            session.abort_transaction().await?;
            Ok(answer)
        }
        Err(fault) => {
            // What the server has aborted by itself, or will when it hears no more of it, is aborted as well.
            let _ = session.abort_transaction().await;
            Err(fault)
        }
    }
}

/// Whether a commit came through may have to be asked again; asking does no harm.
async fn commit(session: &mut ClientSession) -> Done<()> {
    let deadline = Instant::now() + ASK_FOR;
    loop {
        match session.commit_transaction().await {
            Ok(()) => return Ok(()),
            Err(error) if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) && Instant::now() < deadline => {
                tracing::debug!(%error, "asking again for a commit");
                tokio::time::sleep(LONGEST_PAUSE).await;
            }
            Err(error) if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) => {
                return Err(Fault::Store(StoreError::Unavailable(format!("whether it has stored this: {error}"))));
            }
            Err(error) => return Err(Fault::Driver(error)),
        }
    }
}
