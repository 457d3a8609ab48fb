//! Secrets stay secret, and what opens an account can be ended.

use serde_json::{Value, json};

use crate::support::browser::{Browser, between};
use crate::support::{API_KEY, PASSWORD, Server, job, native};

const PASSPHRASE: &str = "the passphrase that signs everything";
const MAIL_PASSWORD: &str = "the password of the mail server";
const WRONG: &str = "a wrong password that was typed";
const NEW_PASSWORD: &str = "the new password of somebody";

async fn new_token(server: &Server, token: &str, user: &str, scope: &str) -> (String, String) {
    let wanted = json!({ "name": "test", "scope": scope, "days": 1 });
    let (status, made) = server.call_as(token, "POST", &format!("/user/{user}/token"), Some(wanted)).await;
    assert_eq!(status, 200, "{made}");
    (made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
}

async fn may_look(server: &Server, token: &str) -> bool {
    match server.call_as(token, "GET", "/task/active", None).await.0 {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_tells_no_secret() {
    let server = native()
        .with("GOD_LOGLEVEL", "trace")
        .with("GODOCKER_SECRET_PASSPHRASE", PASSPHRASE)
        .with("GODOCKER_EMAIL_SMTP_HOST", "127.0.0.1")
        .with("GODOCKER_EMAIL_SMTP_PORT", "1")
        .with("GODOCKER_EMAIL_SMTP_USER", "mailer")
        .with("GODOCKER_EMAIL_SMTP_PASSWORD", MAIL_PASSWORD)
        .with("GODOCKER_EMAIL_FROM", "god@lab.example")
        .start()
        .await;
    let made = server.go_d_user(&["create", "ann", "--password-stdin", "--uid", "7001", "--gid", "7001"], PASSWORD);
    assert!(made.status.success());
    let mut everything = String::from_utf8(made.stdout).unwrap();
    let (_, personal) = new_token(&server, server.token(), "admin", "submit").await;

    let mut browser = Browser::at(&server);
    everything += &browser.log_in_as("ann", WRONG, "").await.html;
    let denied = server.call_as("", "POST", "/authenticate", Some(json!({ "user": "ann", "apikey": WRONG }))).await;
    everything += &denied.1.to_string();
    assert_eq!(browser.log_in_as("ann", PASSWORD, "").await.status, 303);
    let csrf = browser.csrf().await;
    let shown = browser.post("/profile/key", &[("csrf", &csrf)]).await.html;
    let key = between(&shown, "<code>", "</code>").to_owned();
    let seen = browser.post("/profile/password", &[("csrf", &csrf), ("old", WRONG), ("new", NEW_PASSWORD)]).await;
    assert_eq!(seen.status, 400);
    everything += &seen.html;
    let seen = browser.post("/profile/password", &[("csrf", &csrf), ("old", PASSWORD), ("new", NEW_PASSWORD)]).await;
    assert_eq!(seen.status, 303);
    assert_eq!(browser.log_in_as("ann", NEW_PASSWORD, "").await.status, 303);
    let id = server.submit(job("echo done")).await;
    everything += &server.over(id).await.to_string();
    let mut admin = Browser::at(&server);
    admin.log_in("").await;
    for path in [
        "/jobs",
        "/jobs?over=1&all=1",
        "/jobs/new",
        "/profile",
        "/admin/users",
        "/admin/users/ann",
        "/admin/projects",
        "/admin/audit",
        "/admin/maintenance",
        "/no/such/page",
    ] {
        everything += &admin.get(path).await.html;
        everything += &browser.get(path).await.html;
    }
    for path in [
        "/config",
        "/user",
        "/user/ann",
        "/user/admin/token",
        "/project",
        "/audit?limit=1000",
        "/audit?format=csv",
        "/openapi.json",
        "/task",
        "/queue/nodes",
    ] {
        everything += &server.call("GET", path, None).await.1.to_string();
    }
    everything += &server.log();
    // The log says something, or nothing would be proved.
    assert!(server.log().contains("TRACE"), "{}", server.log());
    for secret in [PASSPHRASE, MAIL_PASSWORD, PASSWORD, NEW_PASSWORD, WRONG, API_KEY, &key, &personal, server.token()] {
        if let Some(at) = everything.find(secret) {
            let near = &everything[at.saturating_sub(200)..(at + 20).min(everything.len())];
            panic!("{secret} is told: {near}");
        }
    }
    assert!(!everything.contains("$argon2"), "nor is a hash");
    // The database has hashes only.
    let database = std::fs::read(server.dir().join("data/godocker.db")).unwrap();
    let log = std::fs::read(server.dir().join("data/godocker.db-wal")).unwrap_or_default();
    for secret in [PASSWORD, NEW_PASSWORD, API_KEY, &key, &personal] {
        let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!holds(&database) && !holds(&log), "{secret} is in the database");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_opens_an_account_can_be_ended() {
    let server = native().start().await;
    let made = server.go_d_user(&["create", "ann", "--password-stdin", "--uid", "7001", "--gid", "7001"], PASSWORD);
    assert!(made.status.success());

    // Session fixation: nothing that was there before a login is good for anything after it.
    let mut browser = Browser::at(&server);
    let html = browser.page("/login").await;
    let (planted, early) = (browser.cookie.clone(), between(&html, "name=\"csrf\" value=\"", "\"").to_owned());
    assert_eq!(browser.log_in_as("ann", PASSWORD, "").await.status, 303);
    assert_ne!(browser.cookie, planted);
    let mut attacker = Browser::at(&server);
    attacker.cookie = planted;
    assert_eq!(attacker.get("/profile").await.status, 303);
    assert_eq!(browser.post("/profile/key", &[("csrf", &early)]).await.status, 403);

    // A copied cookie ends with its session.
    let copy = browser.cookie.clone();
    let csrf = browser.csrf().await;
    assert_eq!(browser.post("/logout", &[("csrf", &csrf)]).await.status, 303);
    browser.cookie = copy;
    assert_eq!(browser.get("/profile").await.status, 303, "logged out is logged out");

    // Log out everywhere: other sessions and tokens of /authenticate; personal tokens have a list of their own.
    let mut here = Browser::at(&server);
    let mut there = Browser::at(&server);
    for browser in [&mut here, &mut there] {
        assert_eq!(browser.log_in_as("ann", PASSWORD, "").await.status, 303);
    }
    let csrf = here.csrf().await;
    let shown = here.post("/profile/key", &[("csrf", &csrf)]).await.html;
    let key = between(&shown, "<code>", "</code>").to_owned();
    let signed = server.token_of("ann", &key).await;
    let (id, personal) = new_token(&server, &signed, "ann", "read").await;
    let made_from_it = server.token_of("ann", &personal).await;
    assert!(
        may_look(&server, &signed).await
            && may_look(&server, &personal).await
            && may_look(&server, &made_from_it).await
    );
    assert_eq!(here.post("/profile/logout", &[("csrf", &csrf)]).await.status, 303);
    for browser in [&mut here, &mut there] {
        assert_eq!(browser.get("/profile").await.status, 303);
    }
    assert!(!may_look(&server, &signed).await && may_look(&server, &personal).await);

    // A deleted token, and what was made from it.
    let signed = server.token_of("ann", &key).await;
    let made_from_it = server.token_of("ann", &personal).await;
    assert_eq!(server.call_as(&signed, "DELETE", &format!("/user/ann/token/{id}"), None).await.0, 200);
    assert!(!may_look(&server, &personal).await && !may_look(&server, &made_from_it).await);
    assert!(may_look(&server, &signed).await);

    // A renewed key, and tokens made with the old one.
    let renewed: Value = server.call_as(&signed, "POST", "/user/ann/apikey", None).await.1;
    assert!(!may_look(&server, &signed).await);
    assert!(may_look(&server, &server.token_of("ann", renewed["apikey"].as_str().unwrap()).await).await);

    // An expired token.
    let signed = server.token_of("ann", renewed["apikey"].as_str().unwrap()).await;
    let (_, personal) = new_token(&server, &signed, "ann", "read").await;
    assert!(may_look(&server, &personal).await);
    let database = rusqlite::Connection::open(server.dir().join("data/godocker.db")).unwrap();
    database.execute("UPDATE credentials SET expires = 1 WHERE kind = 'token'", []).unwrap();
    assert!(!may_look(&server, &personal).await);
}
