//! The notifier actor: mails owners of jobs that are over, where they asked for it, or that are to be archived.
//!
//! A mail is sent at most once: a crash between a job's end and its mail loses the mail, never the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use super::notify::{MailError, Mailer};
use super::{Deliver, Works};
use crate::bus::Command;
use crate::domain::{Job, JobId, Phase, Standing, Timestamp, UserId};
use crate::measures::{self, Fault};

/// A mail server that is away is asked again after these pauses.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(30), Duration::from_secs(300)];

pub struct NotifierActor {
    works: Works,
    mailer: Option<Arc<Mailer>>,
    /// What job pages begin with: `http://host:port/prefix`.
    endpoint: String,
}

impl NotifierActor {
    pub fn new(works: Works, mailer: Option<Mailer>, endpoint: String) -> Self {
        NotifierActor { works, mailer: mailer.map(Arc::new), endpoint }
    }
}

impl Actor for NotifierActor {
    type Context = Context<Self>;
}

impl Handler<Deliver> for NotifierActor {
    type Result = ();

    fn handle(&mut self, Deliver(command, receipt): Deliver, _: &mut Self::Context) {
        // First: a mail that is sent twice is worse than one that is lost.
        receipt.done();
        let Some(mailer) = self.mailer.clone() else { return };
        let (works, endpoint) = (self.works.clone(), self.endpoint.clone());
        match command {
            Command::Notify { ids } => {
                actix::spawn(async move { mail_all(&works, &mailer, &endpoint, &ids).await });
            }
            Command::ArchiveAnnounced { ids, at } => {
                actix::spawn(async move { mail_owners(&works, &mailer, &endpoint, &ids, at).await });
            }
            Command::GuestArrived { user } => {
                actix::spawn(async move { mail_administrators(&works, &mailer, &endpoint, &user).await });
            }
            other => tracing::error!(?other, "not for the notifier"),
        }
    }
}

async fn mail_all(works: &Works, mailer: &Mailer, endpoint: &str, ids: &[JobId]) {
    let jobs = match works.store.jobs(ids).await {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::error!(%error, "jobs to mail about could not be read");
            return;
        }
    };
    let wanted = |job: &&Job| job.spec.notify_email && job.parent().is_none() && job.state.outcome().is_some();
    for job in jobs.iter().filter(wanted) {
        let link = format!("{endpoint}/jobs/{}", job.id);
        insist(async || mailer.send_job_over(job, &link).await).await;
    }
}

/// One mail to each owner, about all their jobs among `ids` that are archived at `at`.
async fn mail_owners(works: &Works, mailer: &Mailer, endpoint: &str, ids: &[JobId], at: Timestamp) {
    let jobs = match works.store.jobs(ids).await {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::error!(%error, "owners could not be told that their jobs are archived soon");
            return;
        }
    };
    let mut of_owner: BTreeMap<&str, Vec<&Job>> = BTreeMap::new();
    for job in jobs.iter().filter(|job| job.state.phase() == Phase::Over) {
        if let Some(email) = job.owner.email.as_deref() {
            of_owner.entry(email).or_default().push(job);
        }
    }
    let link = format!("{endpoint}/disk");
    for (email, jobs) in of_owner {
        insist(async || mailer.send_archive_announced(email, &jobs, at, &link).await).await;
    }
}

/// Sends, and again after the pauses where the mail server is away.
async fn insist(send: impl AsyncFn() -> Result<(), MailError>) {
    let mut pauses = PAUSES.iter();
    while let Err(error) = send().await {
        measures::error(Fault::Mail);
        tracing::warn!(%error, "a mail was not taken");
        match pauses.next() {
            Some(pause) => tokio::time::sleep(*pause).await,
            None => break,
        }
    }
}

async fn mail_administrators(works: &Works, mailer: &Mailer, endpoint: &str, guest: &UserId) {
    let users = match works.store.users().await {
        Ok(users) => users,
        Err(error) => {
            tracing::error!(%error, "the administrators could not be told of a new guest");
            return;
        }
    };
    let Some(guest) = users.iter().find(|user| user.id == *guest) else { return };
    let link = format!("{endpoint}/admin/users/{}", guest.id);
    let administrators = users.iter().filter(|user| user.admin && user.standing == Standing::Active);
    for address in administrators.filter_map(|user| user.email.as_deref()) {
        insist(async || mailer.send_guest_arrived(address, guest, &link).await).await;
    }
}
