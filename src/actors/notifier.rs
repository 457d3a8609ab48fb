//! The notifier actor: mails owners of jobs that are over, where they asked for it.
//!
//! A mail is sent at most once: a crash between a job's end and its mail loses the mail, never the end.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use super::notify::Mailer;
use super::{Deliver, Works};
use crate::bus::Command;
use crate::domain::{Job, JobId};

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

    fn handle(&mut self, Deliver(command): Deliver, _: &mut Self::Context) {
        let Command::Notify { ids } = command else {
            tracing::error!(?command, "not for the notifier");
            return;
        };
        let Some(mailer) = self.mailer.clone() else { return };
        let (works, endpoint) = (self.works.clone(), self.endpoint.clone());
        actix::spawn(async move { mail_all(&works, &mailer, &endpoint, &ids).await });
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
        let mut pauses = PAUSES.iter();
        while let Err(error) = mailer.send_job_over(job, &link).await {
            tracing::warn!(job = %job.id, %error, "its mail was not taken");
            match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => break,
            }
        }
    }
}
