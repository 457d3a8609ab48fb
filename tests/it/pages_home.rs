//! The start page, the languages of pages, and what they say when something is the matter.

use godocker::domain::{Clock, Standing, SystemClock, User, UserKind};
use godocker::plugins::auth::password;
use godocker::store::sqlite::SqliteStore;
use godocker::store::{AccountChange, Changed, UserStore};
use serde_json::json;

use crate::support::browser::{Browser, between};
use crate::support::{PASSWORD, job, job_with, native};

#[tokio::test]
async fn the_start_page_tells_a_new_user_what_to_do_first_and_then_what_happens() {
    let server = native().with("GODOCKER_NATIVE_CPUS", "1").start().await;
    let mut browser = Browser::at(&server);
    assert_eq!(browser.get("/").await.location, "/login?next=%2F");
    assert_eq!(browser.log_in("").await.location, "/");
    let html = browser.page("/").await;
    for wanted in ["Welcome. What to do first", "href=\"/data\"", "href=\"/jobs/new\"", "0 s, no quota"] {
        assert!(html.contains(wanted), "{wanted}: {html}");
    }

    let failed = server.submit(job("exit 3")).await;
    server.over(failed).await;
    let runs = server.submit(job("sleep 600")).await;
    server.running(runs).await;
    let waits = server.submit(job_with("true", "requirements", "tasks", json!([runs]))).await;
    let waiting = |task: &serde_json::Value| task["status"]["pending"]["code"] == "dependency";
    server.until(waits, "waiting for the other", waiting).await;
    server.call("PUT", "/user/admin", Some(json!({ "usage": { "quota_cpu": 1, "quota_disk": "2G" } }))).await;
    let seen = browser.get("/").await;
    assert!(seen.html.len() < 30_000, "{} bytes", seen.html.len());
    for wanted in [
        "1 job runs. 1 job waits.",
        &format!("It waits for jobs: {runs} (ends well)."),
        "It runs on ",
        "Its script ended with exit code 3.",
        // The job that ended and the one that runs.
        "2 of 1 <strong>Used up</strong>",
        "Jobs wait until earlier use no longer counts.",
        " of 2.0 GB",
        "You used 100 % of all run time; nobody else used any.",
    ] {
        assert!(seen.html.contains(wanted), "{wanted}: {}", seen.html);
    }
    let quota = server.get("/user/admin/quota").await;
    assert_eq!(quota["cpu"], json!({ "used": 2, "quota": 1 }), "{quota}");
    assert_eq!((&quota["ram"]["quota"], &quota["share"]["users"]), (&json!(null), &json!(1)), "{quota}");
    server.kill_job(runs).await;
}

#[tokio::test]
async fn a_page_speaks_what_the_browser_asks_for_the_footer_chose_or_the_account_likes() {
    let server = native().start().await;
    let mut browser = Browser::at(&server);
    browser.header = Some(("Accept-Language".into(), "fr-CA,fr;q=0.9".into()));
    let html = browser.page("/login").await;
    assert!(html.contains("<html lang=\"fr\"") && html.contains("Se connecter"), "{html}");
    let link = between(&html, "href=\"/login?", "\" lang=\"en\"").to_owned();
    assert_eq!(link, "lang=en");
    // Chosen before the login, it stays after it.
    assert!(browser.page("/login?lang=en").await.contains("<html lang=\"en\""));
    browser.log_in("").await;
    let html = browser.page("/jobs?over=1&all=1").await;
    assert!(html.contains("<html lang=\"en\""), "{html}");
    assert!(html.contains("href=\"/jobs?over=1&#38;all=1&#38;lang=fr\""), "{html}");
    // Said in the profile, it is the account's.
    let csrf = browser.csrf().await;
    let fields = [("csrf", csrf.as_str()), ("theme", "auto"), ("language", "en"), ("zone", "Asia/Tokyo")];
    assert_eq!(browser.post("/profile", &fields).await.status, 200);
    let html = browser.page("/profile").await;
    assert!(html.contains("<html lang=\"en\"") && html.contains("data-zone=\"Asia/Tokyo\""), "{html}");
    let seen = browser.get("/nowhere?lang=nonsense").await;
    assert!(seen.status == 404 && seen.html.contains("There is no such page here"), "{}", seen.html);
}

#[tokio::test]
async fn pages_say_what_is_the_matter_and_what_still_works() {
    let mut server = native().start().await;
    server.stop();
    let store = SqliteStore::open(&server.dir().join("data/godocker.db")).unwrap();
    let guest = User {
        standing: Standing::New,
        password_hash: Some(password::hash(PASSWORD).await.unwrap()),
        ..User::new("eve".parse().unwrap(), UserKind::Local, SystemClock.now())
    };
    let put = AccountChange::PutUser(Box::new(guest));
    assert_eq!(store.change(vec![put], Vec::new()).await.unwrap(), Changed::Done);
    drop(store);
    server.start_again().await;

    let mut eve = Browser::at(&server);
    assert_eq!(eve.log_in_as("eve", PASSWORD, "").await.location, "/");
    let html = eve.page("/").await;
    assert!(html.contains("Your account waits to be activated") && !html.contains("button primary"), "{html}");
    let refused = eve.get("/admin?lang=fr").await;
    assert!(refused.status == 403 && refused.html.contains("Réservé aux administrateurs."), "{}", refused.html);
    let missing = eve.get("/jobs/999").await;
    assert!(missing.status == 404 && missing.html.contains("Ce travail n’existe pas"), "{}", missing.html);

    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    let csrf = browser.csrf().await;
    browser.post("/admin/maintenance", &[("csrf", &csrf), ("on", "1"), ("message", "")]).await;
    let html = eve.page("/").await;
    assert!(html.contains("Aucun nouveau travail n’est accepté") && html.contains("restent lisibles"), "{html}");
    let script =
        [("csrf", csrf.as_str()), ("name", "x"), ("image", "none"), ("script", "true"), ("project", "default")];
    let refused = browser.post("/jobs/new", &script).await;
    assert_eq!(refused.status, 503);
}
