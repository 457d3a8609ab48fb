//! What users see of their own: use, profile, templates, space.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::{job, native};

#[tokio::test]
async fn use_is_shown_by_day_and_month_and_for_programs() {
    let server = native().start().await;
    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    assert!(browser.page("/usage").await.contains("No job of yours ended in these days."));
    server.call("POST", "/project", Some(json!({ "id": "rna", "members": ["admin"] }))).await;
    let mut in_project = job("sleep 0.1");
    in_project["user"] = json!({ "id": "admin", "project": "rna" });
    for wanted in [job("sleep 0.1"), in_project] {
        let id = server.submit(wanted).await;
        server.over(id).await;
    }
    let html = browser.page("/usage").await;
    for wanted in
        ["<rect class=\"c0\"", ">rna</a>", ">default</a>", "everybody in the project", "/api/1.0/usage.csv?from="]
    {
        assert!(html.contains(wanted), "{wanted}: {html}");
    }
    let html = browser.page("/usage?by=month&project=rna&whose=project").await;
    assert!(html.contains(">rna</a>") && !html.contains(">default</a>"), "{html}");
    assert!(html.contains("&#38;by=month&#38;project=rna&#38;user=%2A"), "{html}");
    // Too many days for a bar each.
    let html = browser.page("/usage?from=2020-01-01").await;
    assert!(html.contains("too many days for a bar each") && html.len() < 100_000, "{}", html.len());
    let seen = browser.get("/usage?from=yesterday").await;
    assert!(seen.status == 400 && seen.html.contains("expected a day like"), "{}", seen.html);
}

#[tokio::test]
async fn a_form_of_the_profile_changes_only_what_it_holds_and_templates_are_deleted_there() {
    let server = native().start().await;
    let mut browser = Browser::at(&server);
    browser.log_in("").await;
    let csrf = browser.csrf().await;
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0 admin@lab";
    let liked = [("csrf", csrf.as_str()), ("theme", "dark"), ("notify", "1"), ("zone", "Europe/Paris")];
    assert_eq!(browser.post("/profile", &liked).await.status, 200);
    assert_eq!(browser.post("/profile", &[("csrf", csrf.as_str()), ("ssh_public", key)]).await.status, 200);
    let user = server.get("/user/admin").await;
    assert_eq!(user["credentials"]["public"], key);
    assert_eq!(user["preferences"]["notify"], json!(true), "{user}");
    assert_eq!(user["preferences"]["zone"], "Europe/Paris");
    let seen = browser.post("/profile", &[("csrf", csrf.as_str()), ("theme", "dark"), ("zone", "Mars/Olympus")]).await;
    assert!(seen.status == 400 && seen.html.contains("preferences.zone"), "{}", seen.html);

    let wanted = json!({ "name": "nightly <b>", "document": job("true") });
    let (_, made) = server.call("POST", "/templates", Some(wanted)).await;
    let id = made["id"].as_str().unwrap();
    let html = browser.page("/profile").await;
    assert!(html.contains(&format!("/jobs/new?template={id}")) && html.contains("nightly &#60;b&#62;"), "{html}");
    let path = format!("/profile/templates/{id}/delete");
    for _ in 0..2 {
        assert_eq!(browser.post(&path, &[("csrf", csrf.as_str())]).await.location, "/profile#templates");
    }
    assert_eq!(server.get("/templates").await, json!([]));
}
