//! Logins that a real directory answers for.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use godocker::config::Secret;
use godocker::plugins::auth::ldap::{Directory, DirectoryError, Entry, Settings, Tls};

use crate::support::slapd::{
    ADMIN_DN, ADMIN_PASSWORD, ANN, ANN_GID, ANN_HOME, ANN_MAIL, ANN_PASSWORD, ANN_UID, BASE_DN, OTHER_HOST, PASSWORD,
    Slapd, TWINS_MAIL,
};

const TIMEOUT: Duration = Duration::from_secs(10);

fn on_port(port: u16) -> Settings {
    Settings {
        host: "127.0.0.1".to_owned(),
        port,
        tls: Tls::None,
        ca_file: None,
        base_dn: BASE_DN.to_owned(),
        base_dn_filter: Some("ou=people".to_owned()),
        admin_dn: Some(ADMIN_DN.to_owned()),
        admin_password: Some(Secret::new(ADMIN_PASSWORD)),
        login_fields: vec!["uid".to_owned(), "mail".to_owned()],
        home_field: "homeDirectory".to_owned(),
        mail_field: "mail".to_owned(),
        timeout: TIMEOUT,
    }
}

fn ann() -> Entry {
    Entry {
        login: ANN.to_owned(),
        uid: ANN_UID,
        gid: ANN_GID,
        mail: Some(ANN_MAIL.to_owned()),
        home: Some(ANN_HOME.into()),
    }
}

async fn log_in(settings: Settings) -> Result<Entry, DirectoryError> {
    Directory::new(settings).authenticate(ANN, ANN_PASSWORD).await
}

#[track_caller]
fn assert_denied(answer: Result<Entry, DirectoryError>, what: &str) {
    assert!(matches!(answer, Err(DirectoryError::Denied)), "{what:?}: {answer:?}");
}

/// The reason; it holds no password.
#[track_caller]
fn unavailable(answer: Result<Entry, DirectoryError>) -> String {
    let Err(DirectoryError::Unavailable(reason)) = answer else { panic!("{answer:?}") };
    for secret in [ADMIN_PASSWORD, ANN_PASSWORD, "not it"] {
        assert!(!reason.contains(secret), "{reason}");
    }
    reason
}

#[tokio::test]
async fn the_password_opens_by_uid_and_by_mail() {
    let slapd = Slapd::start();
    let directory = Directory::new(on_port(slapd.port()));
    for login in [ANN, ANN_MAIL, "ANN", "Ann@Lab.example"] {
        assert_eq!(directory.authenticate(login, ANN_PASSWORD).await.unwrap(), ann(), "{login}");
        assert_eq!(directory.find(login).await.unwrap(), ann(), "{login}");
    }
    let only_uid = Directory::new(Settings { login_fields: vec!["uid".to_owned()], ..on_port(slapd.port()) });
    assert_eq!(only_uid.authenticate(ANN, ANN_PASSWORD).await.unwrap(), ann());
    assert_denied(only_uid.authenticate(ANN_MAIL, ANN_PASSWORD).await, "mail is no login");
}

#[tokio::test]
async fn what_is_not_the_password_does_not_open() {
    let slapd = Slapd::start();
    let directory = Directory::new(on_port(slapd.port()));
    for password in ["", "not it", "\0", "*", ADMIN_PASSWORD, &format!("{ANN_PASSWORD}\0"), &format!("{ANN_PASSWORD} ")]
    {
        assert_denied(directory.authenticate(ANN, password).await, password);
    }
    for login in ["nobody", "", " ", "admin", ADMIN_DN, &format!("uid={ANN}")] {
        for password in ["", ADMIN_PASSWORD, ANN_PASSWORD] {
            assert_denied(directory.authenticate(login, password).await, login);
        }
        assert_denied(directory.find(login).await, login);
    }
}

#[tokio::test]
async fn a_login_is_no_part_of_the_question() {
    let slapd = Slapd::start();
    let directory = Directory::new(on_port(slapd.port()));
    let hostile = [
        "*",
        "an*",
        "ann)(uid=*",
        "*)(objectClass=*",
        "*))(|(uid=*",
        "ann)",
        "\\61nn",
        "\0",
        "ann\0",
        "ann\0)(uid=*",
        "(",
        "\\",
    ];
    for login in hostile {
        assert_denied(directory.authenticate(login, ANN_PASSWORD).await, login);
        assert_denied(directory.find(login).await, login);
    }
    assert_eq!(directory.find(ANN).await.unwrap(), ann());
}

#[tokio::test]
async fn a_login_of_two_is_nobodys() {
    let slapd = Slapd::start();
    let directory = Directory::new(on_port(slapd.port()));
    assert_denied(directory.authenticate(TWINS_MAIL, PASSWORD).await, TWINS_MAIL);
    assert_denied(directory.find(TWINS_MAIL).await, TWINS_MAIL);
    assert_eq!(directory.authenticate("twin1", PASSWORD).await.unwrap().uid, 2001);
    // More than are asked for: the whole unit.
    let by_class = Directory::new(Settings { login_fields: vec!["objectClass".to_owned()], ..on_port(slapd.port()) });
    assert_denied(by_class.authenticate("inetOrgPerson", PASSWORD).await, "objectClass");
}

#[tokio::test]
async fn only_who_is_below_the_base_can_log_in() {
    let slapd = Slapd::start();
    let people = Directory::new(on_port(slapd.port()));
    assert_denied(people.authenticate("guest", PASSWORD).await, "guest");
    let all = Directory::new(Settings { base_dn_filter: None, ..on_port(slapd.port()) });
    assert_eq!(all.authenticate("guest", PASSWORD).await.unwrap().uid, 2005);
    let nowhere = Settings { base_dn_filter: Some("ou=nowhere".to_owned()), ..on_port(slapd.port()) };
    let reason = unavailable(log_in(nowhere).await);
    assert!(reason.contains("noSuchObject") && reason.contains("ou=nowhere,dc=lab"), "{reason}");
}

#[tokio::test]
async fn an_entry_without_ids_is_told_from_a_wrong_password() {
    let slapd = Slapd::start();
    let directory = Directory::new(on_port(slapd.port()));
    for (login, why) in [("paper", "has no uidNumber"), ("toor", "is root's")] {
        assert_denied(directory.authenticate(login, "not it").await, login);
        for answer in [directory.authenticate(login, PASSWORD).await, directory.find(login).await] {
            let Err(DirectoryError::Incomplete(reason)) = answer else { panic!("{login}: {answer:?}") };
            assert!(reason.contains(why), "{reason}");
        }
    }
}

#[tokio::test]
async fn the_search_is_made_as_the_administrator_or_anonymously() {
    let slapd = Slapd::start();
    let admin = Directory::new(on_port(slapd.port()));
    assert_eq!(admin.authenticate("shy", PASSWORD).await.unwrap().uid, 2004);
    let anonymous = Directory::new(Settings { admin_dn: None, admin_password: None, ..on_port(slapd.port()) });
    assert_eq!(anonymous.authenticate(ANN, ANN_PASSWORD).await.unwrap(), ann());
    assert_denied(anonymous.authenticate(ANN, "not it").await, "anonymously");
    assert_denied(anonymous.authenticate("shy", PASSWORD).await, "not seen anonymously");

    let wrong = Settings { admin_password: Some(Secret::new("not it")), ..on_port(slapd.port()) };
    let reason = unavailable(log_in(wrong).await);
    assert!(reason.contains(ADMIN_DN) && reason.contains("invalidCredentials"), "{reason}");
    for none in [None, Some(Secret::new(""))] {
        let reason = unavailable(log_in(Settings { admin_password: none, ..on_port(slapd.port()) }).await);
        assert!(reason.contains("needs a password"), "{reason}");
    }
}

#[tokio::test]
async fn over_tls_only_the_right_authority_is_believed() {
    let slapd = Slapd::start();
    for (tls, port) in [(Tls::StartTls, slapd.port()), (Tls::Ldaps, slapd.tls_port())] {
        let with = |ca_file| Settings { tls, ca_file, ..on_port(port) };
        let right = with(Some(slapd.ca_file()));
        assert_eq!(log_in(right.clone()).await.unwrap(), ann(), "{tls:?}");
        assert_eq!(log_in(Settings { host: "localhost".to_owned(), ..right.clone() }).await.unwrap(), ann(), "{tls:?}");
        assert_denied(Directory::new(right).authenticate(ANN, "not it").await, "over TLS");
        for wrong in [Some(slapd.other_ca_file()), None] {
            let reason = unavailable(log_in(with(wrong)).await);
            assert!(reason.contains("certificate"), "{tls:?}: {reason}");
        }
        let missing = unavailable(log_in(with(Some("/no/such/ca.pem".into()))).await);
        assert!(missing.contains("/no/such/ca.pem"), "{missing}");
        let empty = tempfile::NamedTempFile::new().unwrap();
        let reason = unavailable(log_in(with(Some(empty.path().into()))).await);
        assert!(reason.contains("no certificate"), "{reason}");
    }
    let other_name = Settings {
        host: OTHER_HOST.to_owned(),
        tls: Tls::Ldaps,
        ca_file: Some(slapd.ca_file()),
        ..on_port(slapd.tls_port())
    };
    let reason = unavailable(log_in(other_name).await);
    assert!(reason.contains("not valid for name"), "{reason}");
    // Plain LDAP to the port of ldaps, and the other way round.
    unavailable(log_in(on_port(slapd.tls_port())).await);
    let tls_to_plain = Settings { tls: Tls::Ldaps, ca_file: Some(slapd.ca_file()), ..on_port(slapd.port()) };
    unavailable(log_in(tls_to_plain).await);
}

#[tokio::test]
async fn a_server_that_is_gone_is_said_to_be_away_at_once() {
    let mut slapd = Slapd::start();
    let directory = Directory::new(on_port(slapd.port()));
    assert_eq!(directory.authenticate(ANN, ANN_PASSWORD).await.unwrap(), ann());
    slapd.stop();
    let start = Instant::now();
    let reason = unavailable(directory.authenticate(ANN, ANN_PASSWORD).await);
    assert!(reason.contains("refused"), "{reason}");
    assert!(start.elapsed() < TIMEOUT / 2, "{:?}", start.elapsed());
}

/// A server that answers whatever it is sent with this and then says no more.
fn server_saying(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut question = [0; 1024];
            let _ = stream.read(&mut question);
            let _ = stream.write_all(answer);
            // Until the other side ends it.
            let _ = stream.read(&mut question);
        }
    });
    port
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_longer_than_the_timeout() {
    let port = server_saying(b"");
    for tls in [Tls::None, Tls::StartTls, Tls::Ldaps] {
        let start = Instant::now();
        let settings = Settings { tls, timeout: Duration::from_millis(300), ..on_port(port) };
        let reason = unavailable(log_in(settings).await);
        assert_eq!(reason, "no answer within 300ms", "{tls:?}");
        assert!(start.elapsed() < Duration::from_secs(5), "{tls:?}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn answers_that_are_no_ldap_are_no_login() {
    let cases = [
        // Text: read as LDAP, the beginning of something longer.
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "no answer within 2s"),
        // A result without a code; one whose code is none.
        (b"0\x05\x02\x01\x01a\x00", "its answer is no LDAP"),
        (b"0\x08\x02\x01\x01a\x03\x04\x01x", "its answer is no LDAP"),
    ];
    for (answer, expected) in cases {
        let settings = Settings { timeout: Duration::from_secs(2), ..on_port(server_saying(answer)) };
        assert_eq!(unavailable(log_in(settings).await), expected, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_log_in_at_once() {
    let slapd = Slapd::start();
    let directory = Directory::new(on_port(slapd.port()));
    let logins = (0..40).map(|i| {
        let directory = directory.clone();
        tokio::spawn(async move {
            let password = if i % 2 == 0 { ANN_PASSWORD } else { "not it" };
            directory.authenticate(ANN, password).await.is_ok()
        })
    });
    let answers = futures::future::join_all(logins.collect::<Vec<_>>()).await;
    for (i, opened) in answers.into_iter().enumerate() {
        assert_eq!(opened.unwrap(), i % 2 == 0, "login {i}");
    }
}
