//! Mail to owners whose job is over or is to be archived, and to administrators.

use std::fmt::Write;
use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::config;
use crate::domain::{Job, Outcome, Timestamp, User, readable_bytes};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Characters of a job's name in a subject.
const SUBJECT_NAME: usize = 100;

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("{address:?} is not a mail address: {message}")]
    Address { address: String, message: String },
    #[error("job {0} is not over, or its owner has no mail address")]
    NothingToTell(crate::domain::JobId),
    #[error("the mail could not be written: {0}")]
    Content(#[from] lettre::error::Error),
    /// The mail server says no; trying again would not help.
    #[error("the mail server refuses the mail: {0}")]
    Refused(lettre::transport::smtp::Error),
    /// It may work later.
    #[error("the mail server cannot be reached or used: {0}")]
    Unavailable(lettre::transport::smtp::Error),
}

impl From<lettre::transport::smtp::Error> for MailError {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        if error.is_permanent() { MailError::Refused(error) } else { MailError::Unavailable(error) }
    }
}

/// Sends mail through the site's server. Keeps its connections; cheap to clone.
#[derive(Debug, Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// Connects to nothing yet. With `tls` a server that offers no STARTTLS gets nothing at all.
    pub fn new(config: &config::Mail) -> Result<Self, MailError> {
        let from = config.from.parse().map_err(|error| not_an_address(&config.from, &error))?;
        let tls = if config.tls { Tls::Required(TlsParameters::new(config.host.clone())?) } else { Tls::None };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .timeout(Some(TIMEOUT))
            .tls(tls);
        if let Some(user) = &config.user {
            let password = config.password.as_ref().map_or("", config::Secret::reveal);
            transport = transport.credentials(Credentials::new(user.clone(), password.to_owned()));
        }
        Ok(Mailer { transport: transport.build(), from })
    }

    /// Tells a job's owner how it ended. Sent twice it carries the same Message-ID.
    pub async fn send_job_over(&self, job: &Job, link: &str) -> Result<(), MailError> {
        let message = self.compose(job, link)?;
        self.transport.send(message).await?;
        Ok(())
    }

    /// Tells an administrator of a guest who waits to be activated.
    pub async fn send_guest_arrived(&self, address: &str, guest: &User, link: &str) -> Result<(), MailError> {
        let to: Address = address.parse().map_err(|error| not_an_address(address, &error))?;
        let mail = guest.email.as_deref().unwrap_or("no mail address");
        let issuer = guest.identity.as_ref().map_or("", |identity| identity.issuer.as_str());
        let text = format!(
            "{} has logged in for the first time and waits to be activated before submitting jobs.\r\n\r\n\
             Mail      {}\r\nKnown by  {}\r\n\r\n{}\r\n",
            guest.id,
            one_line(mail),
            one_line(issuer),
            one_line(link)
        );
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(format!("New guest: {}", guest.id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(text)?;
        self.transport.send(message).await?;
        Ok(())
    }

    /// Tells an owner that the files of these jobs are deleted at `at`.
    pub async fn send_archive_announced(
        &self,
        address: &str,
        jobs: &[&Job],
        at: Timestamp,
        link: &str,
    ) -> Result<(), MailError> {
        let to: Address = address.parse().map_err(|error| not_an_address(address, &error))?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let number = if jobs.len() == 1 { "1 job".to_owned() } else { format!("{} jobs", jobs.len()) };
        let day = moment(at);
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(format!("The files of {number} will be deleted on {}", day.split(' ').next().unwrap_or(&day)))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(announcement(jobs, &day, link))?;
        self.transport.send(message).await?;
        Ok(())
    }

    fn compose(&self, job: &Job, link: &str) -> Result<Message, MailError> {
        let (Some(outcome), Some(email)) = (job.state.outcome(), job.owner.email.as_deref()) else {
            return Err(MailError::NothingToTell(job.id));
        };
        let to: Address = email.parse().map_err(|error| not_an_address(email, &error))?;
        let name: String = one_line(&job.spec.name).chars().take(SUBJECT_NAME).collect();
        let message_id = format!("<godocker-job-{}-{}@{}>", job.id, outcome.ended.0, self.from.email.domain());
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Ok(Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(format!("{name} (job {}): {}", job.id, outcome.ending.as_str()))
            .message_id(Some(message_id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(text(job, outcome, link))?)
    }
}

fn not_an_address(address: &str, error: &dyn std::error::Error) -> MailError {
    MailError::Address { address: address.to_owned(), message: error.to_string() }
}

fn text(job: &Job, outcome: &Outcome, link: &str) -> String {
    let mut text = format!("Your job {} is over: {}.\r\n\r\n", job.id, outcome.ending.as_str());
    let mut line = |what: &str, value: &str| {
        // Writing to a String does not fail.
        let _ = write!(text, "{what:<10}{}\r\n", one_line(value));
    };
    line("Name", &job.spec.name);
    line("Project", job.owner.project.as_str());
    if let Some(reason) = &outcome.reason {
        line("Reason", &reason.to_string());
    }
    line("Exit code", &outcome.exit_code.map_or_else(|| "none".to_owned(), |code| code.to_string()));
    line("Submitted", &moment(job.submitted));
    match outcome.started {
        Some(started) => {
            line("Started", &moment(started));
            line("Ended", &moment(outcome.ended));
            line("Ran for", &span(outcome.ended.since(started)));
        }
        None => {
            line("Started", "never");
            line("Ended", &moment(outcome.ended));
        }
    }
    let _ = write!(text, "\r\n{}\r\n", one_line(link));
    text
}

/// Jobs that one mail names.
const NAMED: usize = 50;

fn announcement(jobs: &[&Job], day: &str, link: &str) -> String {
    let mut text = format!(
        "These jobs have been over for a while. They are archived after {day}: their files are deleted, their records\r\n\
         stay. Download what you want to keep before.\r\n\r\n"
    );
    for job in jobs.iter().take(NAMED) {
        let bytes = job.state.outcome().map_or(0, |outcome| outcome.disk_bytes);
        let name: String = one_line(&job.spec.name).chars().take(SUBJECT_NAME).collect();
        // Writing to a String does not fail.
        let _ = write!(text, "{:<10}{:<10}{name}\r\n", job.id.to_string(), readable_bytes(bytes));
    }
    if jobs.len() > NAMED {
        let _ = write!(text, "and {} more\r\n", jobs.len() - NAMED);
    }
    let _ = write!(text, "\r\n{}\r\n", one_line(link));
    text
}

/// A text that stays in its header or line, whatever is in it.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

fn moment(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

fn span(span: Duration) -> String {
    let secs = span.as_secs();
    let (days, hours, minutes) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
    match secs {
        0..60 => format!("{:.1} s", span.as_secs_f64()),
        60..3600 => format!("{minutes} min {} s", secs % 60),
        3600..86_400 => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests;
