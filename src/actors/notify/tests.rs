//! Against a server that speaks enough SMTP (RFC 5321) for a client that is strict about it.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::domain::{Ending, JobState};
use crate::files::tests::a_job;

/// What one server was told: its commands, and the mails it took.
#[derive(Default)]
struct Heard {
    commands: Vec<String>,
    mails: Vec<String>,
}

struct Server {
    port: u16,
    heard: Arc<Mutex<Heard>>,
}

impl Server {
    /// `rcpt` is its answer to RCPT TO.
    async fn start(rcpt: &'static str) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let keep = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, rcpt, Arc::clone(&keep)));
            }
        });
        Server { port, heard }
    }

    fn mailer(&self, tls: bool) -> Mailer {
        Mailer::new(&self.config(tls)).unwrap()
    }

    fn config(&self, tls: bool) -> config::Mail {
        config::Mail {
            host: "127.0.0.1".into(),
            port: self.port,
            tls,
            user: Some("god".into()),
            password: Some(config::Secret::new("pw")),
            from: "GoDocker <god@lab.example>".into(),
        }
    }
}

async fn serve(stream: TcpStream, rcpt: &'static str, heard: Arc<Mutex<Heard>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 test ESMTP\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        heard.lock().unwrap().commands.push(line.clone());
        let word = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let answer = match word.as_str() {
            "EHLO" => "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "MAIL" | "RSET" | "NOOP" => "250 fine",
            "RCPT" => rcpt,
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                    mail += line.strip_prefix('.').unwrap_or(&line);
                    mail += "\n";
                }
                heard.lock().unwrap().mails.push(mail);
                "250 taken"
            }
            "QUIT" => "221 bye",
            _ => "500 what?",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    Some(())
}

fn over(name: &str) -> Job {
    let mut job = a_job(12);
    Arc::make_mut(&mut job.spec).name = name.into();
    job.state = JobState::Over(Outcome {
        ending: Ending::Failed,
        exit_code: Some(3),
        started: Some(Timestamp(1_000)),
        ended: Timestamp(3_661_000),
        attempt: None,
        disk_bytes: 0,
        reason: None,
    });
    job
}

#[tokio::test]
async fn the_owner_is_told_how_the_job_ended() {
    let server = Server::start("250 fine").await;
    server.mailer(false).send_job_over(&over("blast"), "http://god.example/jobs/12").await.unwrap();
    let heard = server.heard.lock().unwrap();
    assert!(heard.commands.iter().any(|line| line.starts_with("MAIL FROM:<god@lab.example>")), "{:?}", heard.commands);
    assert!(heard.commands.iter().any(|line| line.starts_with("RCPT TO:<ann@lab.example>")));
    let (headers, body) = heard.mails[0].split_once("\n\n").unwrap();
    assert!(headers.contains("Subject: blast (job 12): failed"), "{headers}");
    assert!(headers.contains("Message-ID: <godocker-job-12-3661000@lab.example>"), "{headers}");
    assert!(headers.contains("Auto-Submitted: auto-generated") && headers.contains("\nDate: "), "{headers}");
    assert_eq!(
        body.trim_end(),
        "Your job 12 is over: failed.\n\nName      blast\nProject   default\nExit code 3\n\
         Submitted 1970-01-01 00:00:00 UTC\nStarted   1970-01-01 00:00:01 UTC\nEnded     1970-01-01 01:01:01 UTC\n\
         Ran for   1 h 1 min\n\nhttp://god.example/jobs/12"
    );
}

#[tokio::test]
async fn a_name_cannot_add_headers_recipients_or_an_end_of_mail() {
    let server = Server::start("250 fine").await;
    let name = "x\r\nBcc: eve@evil.example\r\n\r\nnot the body\r\n.\r\nRCPT TO:<eve@evil.example>\u{2028}\u{85}\0é";
    server.mailer(false).send_job_over(&over(name), "http://god.example/\r\n.\r\nQUIT").await.unwrap();
    let heard = server.heard.lock().unwrap();
    assert_eq!(heard.mails.len(), 1);
    let (headers, _) = heard.mails[0].split_once("\n\n").unwrap();
    assert!(!headers.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{headers}");
    let recipients: Vec<_> = heard.commands.iter().filter(|line| line.starts_with("RCPT")).collect();
    assert_eq!(recipients, ["RCPT TO:<ann@lab.example>"]);
    let mut job = over("x");
    job.owner.email = Some("ann@lab.example\r\nBcc: eve@evil.example".into());
    let refused = server.mailer(false).compose(&job, "");
    assert!(matches!(refused, Err(MailError::Address { .. })));
}

#[tokio::test]
async fn a_server_that_says_no_is_told_from_one_that_is_away() {
    let refusing = Server::start("550 no such user").await;
    let error = refusing.mailer(false).send_job_over(&over("x"), "").await.unwrap_err();
    assert!(matches!(error, MailError::Refused(_)), "{error}");
    let busy = Server::start("451 later").await;
    let error = busy.mailer(false).send_job_over(&over("x"), "").await.unwrap_err();
    assert!(matches!(error, MailError::Unavailable(_)), "{error}");
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let away = Mailer::new(&config::Mail { port: nobody, ..refusing.config(false) }).unwrap();
    let error = away.send_job_over(&over("x"), "").await.unwrap_err();
    assert!(matches!(error, MailError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn without_starttls_a_site_that_wants_tls_tells_the_server_nothing() {
    let server = Server::start("250 fine").await;
    assert!(server.mailer(true).send_job_over(&over("secret"), "").await.is_err());
    let heard = server.heard.lock().unwrap();
    assert!(heard.commands.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{:?}", heard.commands);
}

#[test]
fn there_is_nothing_to_tell_of_an_active_job_or_to_nobody() {
    let config = config::Mail {
        host: "localhost".into(),
        port: 25,
        tls: false,
        user: None,
        password: None,
        from: "god@lab.example".into(),
    };
    let mailer = Mailer::new(&config).unwrap();
    assert!(matches!(mailer.compose(&a_job(1), ""), Err(MailError::NothingToTell(_))));
    let mut job = over("x");
    job.owner.email = None;
    assert!(matches!(mailer.compose(&job, ""), Err(MailError::NothingToTell(_))));
    assert!(matches!(Mailer::new(&config::Mail { from: "no".into(), ..config }), Err(MailError::Address { .. })));
}

#[test]
fn spans_are_told_in_the_units_that_matter() {
    let told = |millis| span(Duration::from_millis(millis));
    assert_eq!(told(1_234), "1.2 s");
    assert_eq!(told(61_000), "1 min 1 s");
    assert_eq!(told(90_061_000), "1 d 1 h 1 min");
}
