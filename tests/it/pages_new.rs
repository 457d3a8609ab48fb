//! The form of a new job beside its submit: what it says before, and templates.

use crate::support::browser::{Browser, between};
use crate::support::{Server, native};

async fn logged_in() -> (Server, Browser) {
    let server = native().start().await;
    let mut browser = Browser::at(&server);
    assert_eq!(browser.log_in("").await.status, 303);
    (server, browser)
}

fn typed<'a>(csrf: &'a str, script: &'a str, then: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("csrf", csrf),
        ("name", "typed"),
        ("image", "none"),
        ("script", script),
        ("cpu", "1"),
        ("ram", "0.5"),
        ("project", "default"),
        ("tags", "rna, test"),
        ("then", then),
    ]
}

#[tokio::test]
async fn a_check_says_when_it_could_start_and_submits_nothing() {
    let (server, mut browser) = logged_in().await;
    let csrf = browser.csrf().await;
    let seen = browser.post("/jobs/new", &typed(&csrf, "#!/bin/sh\r\necho fine\r\n", "check")).await;
    assert_eq!(seen.status, 200);
    assert!(seen.html.contains("It would start at once."), "{}", seen.html);
    assert!(seen.html.contains("A shell can read the script."), "{}", seen.html);

    let seen = browser.post("/jobs/new", &typed(&csrf, "if true; then\r\n  echo <b>\r\ndone\r\n", "check")).await;
    let outlook = between(&seen.html, "id=\"outlook\"", "</section>");
    assert!(outlook.contains("data-line=\"3\"") && outlook.contains("<code>done</code>"), "{outlook}");
    assert!(outlook.contains("It would start at once."), "a shell's opinion is a warning: {outlook}");

    let mut faulty = typed(&csrf, "true", "check");
    faulty.push(("ports", "web"));
    let seen = browser.post("/jobs/new", &faulty).await;
    assert_eq!(seen.status, 200);
    assert!(seen.html.contains("One thing needs a change."), "{}", seen.html);
    assert!(seen.html.contains("id=\"fault-requirements.ports\""), "{}", seen.html);
    assert_eq!(server.get("/task/active").await, serde_json::json!([]));
}

#[tokio::test]
async fn what_is_kept_as_a_template_fills_the_form_in_again() {
    let (server, mut browser) = logged_in().await;
    let csrf = browser.csrf().await;
    let mut fields = typed(&csrf, "#!/bin/sh\r\necho kept & <b>\r\n", "keep");
    fields.push(("template", "nightly <i>"));
    let seen = browser.post("/jobs/new", &fields).await;
    assert_eq!(seen.status, 200, "{}", seen.html);
    assert!(seen.html.contains("Kept as the template nightly &#60;i&#62;."), "{}", seen.html);
    assert_eq!(server.get("/task/active").await, serde_json::json!([]));
    let templates = server.get("/templates").await;
    let id = templates[0]["id"].as_str().unwrap().to_owned();

    let html = browser.page(&format!("/jobs/new?template={id}")).await;
    assert!(html.contains("value=\"typed\"") && html.contains("value=\"rna, test\""), "{html}");
    assert!(html.contains("echo kept &#38; &#60;b&#62;"), "{html}");
    assert!(html.contains(&format!("<option value=\"{id}\">nightly &#60;i&#62;</option>")), "{html}");
    assert_eq!(browser.get("/jobs/new?template=other").await.status, 404);

    let again = browser.post("/jobs/new", &fields).await;
    assert_eq!(again.status, 409, "{}", again.html);
    assert!(again.html.contains("there is a template named") && again.html.contains("value=\"typed\""));
}

#[tokio::test]
async fn the_form_tells_what_is_free_and_what_is_left() {
    let (server, mut browser) = logged_in().await;
    let free = server.get("/site/free").await;
    let total = free["executors"][0]["total"]["cpu"].clone();
    let html = browser.page("/jobs/new").await;
    assert!(html.contains(&format!("of {total} free")), "{total}: {html}");
    assert!(!html.contains("Your quota"), "there is none: {html}");
}

#[tokio::test]
async fn the_form_speaks_the_readers_language() {
    let (_server, mut browser) = logged_in().await;
    browser.header = Some(("Accept-Language".to_owned(), "de, fr-CA;q=0.8, en;q=0.5".to_owned()));
    let html = browser.page("/jobs/new").await;
    assert!(html.contains("<html lang=\"fr\"") && html.contains("<h1>Nouveau travail</h1>"), "{html}");
}
