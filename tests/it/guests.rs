//! Guests: the provider's word is taken only when all of it holds.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use godocker::config::Secret;
use godocker::plugins::guests::{Begun, GuestError, GuestProvider, Guests, Known, ProviderKind};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::browser::Browser;
use crate::support::provider::{CLIENT_ID, CLIENT_SECRET, Provider, value, visit};

const BACK: &str = "http://godocker.invalid/guests/campus/callback";

fn guests(kind: ProviderKind, secret: &str) -> Guests {
    let provider = GuestProvider {
        name: "campus".to_owned(),
        title: "Campus".to_owned(),
        kind,
        client_id: CLIENT_ID.to_owned(),
        client_secret: Secret::new(secret),
    };
    Guests::new(vec![provider]).unwrap()
}

fn of(provider: &Provider) -> Guests {
    guests(ProviderKind::Oidc { issuer: provider.issuer().to_owned() }, CLIENT_SECRET)
}

pub async fn ann() -> Provider {
    Provider::start("248289761001", "ann", "ann@example.org").await
}

/// A visitor on the way back: what the session keeps, and what the browser brings.
struct Back {
    begun: Begun,
    state: String,
    code: String,
}

async fn go(guests: &Guests) -> Back {
    let (url, begun) = guests.begin("campus", BACK).await.unwrap();
    let back = visit(&url).await;
    assert!(back.as_str().starts_with(BACK), "{back}");
    Back { begun, state: value(&back, "state"), code: value(&back, "code") }
}

impl Back {
    async fn finish(&self, guests: &Guests) -> Result<Known, GuestError> {
        let done = guests.finish(&self.begun, BACK, &self.state, &self.code).await;
        if let Err(error) = &done {
            let shown = format!("{error} {error:?}");
            for secret in [CLIENT_SECRET, &self.code, &self.state, &self.begun.nonce, &self.begun.verifier] {
                assert!(secret.is_empty() || !shown.contains(secret), "{shown}");
            }
        }
        done
    }

    async fn refused(&self, guests: &Guests, why: &str) {
        match self.finish(guests).await {
            Err(GuestError::Refused(text)) => assert!(text.contains(why), "{text}"),
            other => panic!("{other:?}"),
        }
    }

    async fn unavailable(&self, guests: &Guests, why: &str) {
        match self.finish(guests).await {
            Err(GuestError::Unavailable(text)) => assert!(text.contains(why), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_guest_is_who_the_provider_says() {
    let provider = ann().await;
    let guests = of(&provider);
    let (url, begun) = guests.begin("campus", BACK).await.unwrap();
    let sent = reqwest::Url::parse(&url).unwrap();
    assert_eq!(value(&sent, "client_id"), CLIENT_ID);
    assert_eq!(value(&sent, "redirect_uri"), BACK);
    assert_eq!(value(&sent, "scope"), "openid profile email");
    assert_eq!(value(&sent, "nonce"), begun.nonce);
    assert_eq!(value(&sent, "code_challenge_method"), "S256");
    assert!(!url.contains(CLIENT_SECRET) && !url.contains(&begun.verifier), "{url}");

    // As a session keeps it.
    let begun: Begun = serde_json::from_str(&serde_json::to_string(&begun).unwrap()).unwrap();
    let back = visit(&url).await;
    let known = guests.finish(&begun, BACK, &value(&back, "state"), &value(&back, "code")).await.unwrap();
    let expected = Known {
        issuer: provider.issuer().to_owned(),
        subject: "248289761001".to_owned(),
        name: Some("ann".to_owned()),
        email: Some("ann@example.org".to_owned()),
    };
    assert_eq!(known, expected);
}

#[tokio::test]
async fn no_two_logins_share_a_secret() {
    let provider = ann().await;
    let guests = of(&provider);
    let (_, one) = guests.begin("campus", BACK).await.unwrap();
    let (_, two) = guests.begin("campus", BACK).await.unwrap();
    assert!(one.state != two.state && one.nonce != two.nonce && one.verifier != two.verifier);
}

#[tokio::test]
async fn what_the_id_token_leaves_out_is_asked_for() {
    let mut provider = ann().await;
    provider.tells_only_by_userinfo().await;
    let guests = of(&provider);
    let known = go(&guests).await.finish(&guests).await.unwrap();
    assert_eq!((known.name.as_deref(), known.email.as_deref()), (Some("ann"), Some("ann@example.org")));

    provider.userinfo(json!({ "email_verified": false })).await;
    assert_eq!(go(&guests).await.finish(&guests).await.unwrap().email, None);

    provider.userinfo(json!({ "sub": "somebody-else" })).await;
    go(&guests).await.refused(&guests, "subject").await;
}

#[tokio::test]
async fn an_unverified_email_is_dropped() {
    let mut provider = ann().await;
    let guests = of(&provider);
    for claims in [
        json!({ "sub": "1", "preferred_username": "ann", "email": "boss@example.org", "email_verified": false }),
        json!({ "sub": "1", "preferred_username": "ann", "email": "boss@example.org" }),
    ] {
        provider.person(claims).await;
        let known = go(&guests).await.finish(&guests).await.unwrap();
        assert_eq!((known.subject.as_str(), known.email), ("1", None));
    }
}

#[tokio::test]
async fn a_login_begun_elsewhere_is_refused() {
    let provider = ann().await;
    let guests = of(&provider);
    let mut back = go(&guests).await;
    for state in ["", "x", &format!("{}x", back.state)] {
        back.state = state.to_owned();
        back.refused(&guests, "state").await;
    }
    // Somebody else's code, with the state of this session.
    let mut mine = go(&guests).await;
    mine.code = go(&guests).await.code;
    mine.refused(&guests, "code").await;
}

#[tokio::test]
async fn a_code_counts_once() {
    let provider = ann().await;
    let guests = of(&provider);
    let back = go(&guests).await;
    back.finish(&guests).await.unwrap();
    back.refused(&guests, "code").await;
    let mut invented = go(&guests).await;
    invented.code.push('x');
    invented.refused(&guests, "code").await;
}

#[tokio::test]
async fn an_id_token_of_another_login_is_refused() {
    let mut provider = ann().await;
    let guests = of(&provider);
    let mut back = go(&guests).await;
    back.begun.nonce = "not-the-nonce".to_owned();
    back.refused(&guests, "nonce").await;
    provider.id_token(json!({ "nonce": null })).await;
    assert!(matches!(go(&guests).await.finish(&guests).await, Err(GuestError::Refused(_))));
}

#[tokio::test]
async fn an_id_token_that_is_not_for_us_now_is_refused() {
    let mut provider = ann().await;
    let guests = of(&provider);
    for (claims, why) in [
        (json!({ "aud": "another-site" }), "audience"),
        (json!({ "aud": [CLIENT_ID, "another-site"] }), "audience"),
        (json!({ "iss": "https://another.invalid" }), "issuer"),
        (json!({ "exp": 1_700_000_000 }), "expired"),
    ] {
        provider.id_token(claims).await;
        go(&guests).await.refused(&guests, why).await;
    }
}

#[tokio::test]
async fn an_id_token_changed_after_it_was_signed_is_refused() {
    let mut provider = ann().await;
    let guests = of(&provider);
    provider.forges().await;
    go(&guests).await.refused(&guests, "signature").await;
}

#[tokio::test]
async fn an_access_token_that_is_not_the_id_tokens_is_refused() {
    let mut provider = ann().await;
    let guests = of(&provider);
    provider.id_token(json!({ "at_hash": "bm90LWl0cy1oYXNo" })).await;
    go(&guests).await.refused(&guests, "access token").await;
}

#[tokio::test]
async fn a_provider_that_is_down_is_unavailable() {
    let mut provider = ann().await;
    let guests = of(&provider);
    let back = go(&guests).await;
    provider.stop();
    back.unavailable(&guests, "onnect").await;
    assert!(matches!(guests.begin("campus", BACK).await, Err(GuestError::Unavailable(_))));
}

#[tokio::test]
async fn a_provider_that_answers_nonsense_is_unavailable() {
    let mut provider = ann().await;
    let guests = of(&provider);
    let json = json!({ "content-type": "application/json" });
    let back = go(&guests).await;
    provider.answers("/token", 500, json.clone(), "{}").await;
    back.unavailable(&guests, "").await;
    provider.answers("/token", 200, json.clone(), &format!("{{}}{}", " ".repeat(1 << 20))).await;
    back.unavailable(&guests, "longer than").await;
    let other = json!({ "issuer": "https://another.invalid" }).to_string();
    provider.answers("/.well-known/openid-configuration", 200, json, &other).await;
    back.unavailable(&guests, "configuration").await;
}

#[tokio::test]
async fn a_provider_cannot_send_us_elsewhere() {
    let mut provider = ann().await;
    let guests = of(&provider);
    let configuration = "/.well-known/openid-configuration";
    let right = reqwest::get(format!("{}{configuration}", provider.issuer())).await.unwrap().text().await.unwrap();
    provider.answers("/moved", 200, json!({ "content-type": "application/json" }), &right).await;
    provider.answers(configuration, 302, json!({ "location": "/moved" }), "").await;
    match guests.begin("campus", BACK).await {
        Err(GuestError::Unavailable(text)) => assert!(text.contains("302"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_provider_says_of_an_error_is_not_repeated() {
    let mut provider = ann().await;
    let guests = of(&provider);
    let back = go(&guests).await;
    // `Back::finish` looks for the code in the error.
    let answer = json!({ "error": "invalid_grant", "error_description": format!("no such code: {}", back.code) });
    provider.answers("/token", 400, json!({ "content-type": "application/json" }), &answer.to_string()).await;
    back.refused(&guests, "code").await;
}

#[tokio::test]
async fn wrong_settings_are_not_the_guests_fault() {
    let provider = ann().await;
    let kind = ProviderKind::Oidc { issuer: provider.issuer().to_owned() };
    let guests = guests(kind, "not-the-secret");
    go(&guests).await.unavailable(&guests, "invalid_client").await;
    let unknown = guests.begin("elsewhere", BACK).await;
    assert!(matches!(unknown, Err(GuestError::UnknownProvider(name)) if name == "elsewhere"));
}

#[tokio::test]
async fn an_address_that_is_none_is_told_at_once() {
    let provider = GuestProvider {
        name: "campus".to_owned(),
        title: String::new(),
        kind: ProviderKind::Oidc { issuer: "campus.example.org".to_owned() },
        client_id: String::new(),
        client_secret: Secret::new(""),
    };
    let error = Guests::new(vec![provider]).err().unwrap().to_string();
    assert!(error.contains("campus: `campus.example.org` is not an address"), "{error}");
}

/// Answers as GitHub's documentation says; the code is the challenge it was asked for with.
async fn github() -> String {
    async fn authorize(query: web::Query<Vec<(String, String)>>) -> HttpResponse {
        let get = |name: &str| query.iter().find(|(key, _)| key == name).unwrap().1.clone();
        let mut back: reqwest::Url = get("redirect_uri").parse().unwrap();
        assert_eq!((get("client_id").as_str(), get("code_challenge_method").as_str()), (CLIENT_ID, "S256"));
        back.query_pairs_mut().append_pair("code", &get("code_challenge")).append_pair("state", &get("state"));
        HttpResponse::Found().insert_header(("location", back.as_str())).finish()
    }
    async fn token(request: HttpRequest, form: web::Form<Vec<(String, String)>>) -> HttpResponse {
        let get = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
        // Without it, GitHub answers in a form's encoding.
        assert_eq!(request.headers().get("accept").unwrap(), "application/json");
        let error = |error: &str| {
            HttpResponse::Ok().json(json!({ "error": error, "error_description": "...", "error_uri": "/apps" }))
        };
        if (get("client_id"), get("client_secret")) != (CLIENT_ID, CLIENT_SECRET) {
            return error("incorrect_client_credentials");
        }
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier")));
        if get("code") != challenge || get("redirect_uri") != BACK {
            return error("bad_verification_code");
        }
        HttpResponse::Ok().json(json!({ "access_token": "gho_16C7e42F", "scope": "", "token_type": "bearer" }))
    }
    async fn user(request: HttpRequest) -> HttpResponse {
        let header = |name: &str| request.headers().get(name).map_or("", |value| value.to_str().unwrap());
        if header("user-agent").is_empty() {
            return HttpResponse::Forbidden().finish();
        }
        if header("authorization") != "Bearer gho_16C7e42F" {
            return HttpResponse::Unauthorized().json(json!({ "message": "Bad credentials" }));
        }
        assert_eq!(header("accept"), "application/vnd.github+json");
        HttpResponse::Ok().json(json!({
            "login": "octocat", "id": 583_231, "type": "User", "name": "The Octocat", "email": "octocat@example.org",
        }))
    }
    let server = HttpServer::new(|| {
        App::new()
            .route("/login/oauth/authorize", web::get().to(authorize))
            .route("/login/oauth/access_token", web::post().to(token))
            .route("/user", web::get().to(user))
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    format!("http://{address}")
}

fn at_github(url: &str, secret: &str) -> Guests {
    let kind = ProviderKind::GitHub {
        auth_url: format!("{url}/login/oauth/authorize"),
        token_url: format!("{url}/login/oauth/access_token"),
        user_url: format!("{url}/user"),
    };
    guests(kind, secret)
}

#[actix_web::test]
async fn github_tells_a_guest_by_the_number_that_stays() {
    let guests = at_github(&github().await, CLIENT_SECRET);
    let back = go(&guests).await;
    let known = back.finish(&guests).await.unwrap();
    let expected = Known {
        issuer: "https://github.com".to_owned(),
        subject: "583231".to_owned(),
        name: Some("octocat".to_owned()),
        email: None,
    };
    assert_eq!(known, expected);
}

#[actix_web::test]
async fn github_refuses_by_an_answer_that_looks_well() {
    let url = github().await;
    let guests = at_github(&url, CLIENT_SECRET);
    let mut back = go(&guests).await;
    // Somebody else's code.
    back.code = go(&guests).await.code;
    back.refused(&guests, "code").await;
    back.state.push('x');
    back.refused(&guests, "state").await;

    let guests = at_github(&url, "not-the-secret");
    go(&guests).await.unavailable(&guests, "incorrect_client_credentials").await;
}

/// A site with guests, whose provider is `provider`; their jobs run as games.
pub async fn site_of(
    provider: &Provider,
    options: crate::support::Options,
) -> (crate::support::Server, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("go-d.ini");
    let text = format!(
        "guest_allow: true\nguest_bind: games\nguest_home_root: default\nallow_root: true\nguest_providers:\n  \
         - {{ name: campus, title: Campus, issuer: '{}', client_id: {CLIENT_ID}, client_secret: '{CLIENT_SECRET}' }}\n",
        provider.issuer()
    );
    std::fs::write(&config, text).unwrap();
    (options.with("GOD_CONFIG", config.to_str().unwrap()).start().await, dir)
}

/// From our login page to the provider and back; where it leads.
async fn come_in(browser: &mut Browser) -> crate::support::browser::Seen {
    let html = browser.page("/login?next=%2Fprofile").await;
    assert!(html.contains("/login/guest/campus?next="), "{html}");
    let away = browser.get("/login/guest/campus?next=%2Fprofile").await;
    assert_eq!(away.status, 303, "{}", away.html);
    let back = visit(&away.location).await;
    let back = back.as_str().strip_prefix(&browser.url).unwrap_or_else(|| panic!("{back}")).to_owned();
    browser.get(&back).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_looks_is_activated_runs_and_is_disabled() {
    let mut provider = ann().await;
    let sink = crate::support::mail_sink::MailSink::start();
    let options = crate::support::docker()
        .with("GODOCKER_EMAIL_SMTP_HOST", "127.0.0.1")
        .with("GODOCKER_EMAIL_SMTP_PORT", &sink.port.to_string())
        .with("GODOCKER_EMAIL_FROM", "godocker@lab.example");
    let (server, _dir) = site_of(&provider, options).await;
    server.call("PUT", "/user/admin", Some(json!({ "email": "admin@lab.example" }))).await;
    let mut browser = Browser::at(&server);
    assert_eq!(come_in(&mut browser).await.location, "/profile");
    assert!(browser.page("/profile").await.contains("has to activate your account"));
    let guest = server.get("/user/guest-ann").await;
    assert_eq!(
        (&guest["type"], &guest["standing"], &guest["uid"], &guest["homeDirectory"]),
        (&json!("guest"), &json!("new"), &json!(5), &json!(null))
    );

    // Looks, and nothing else.
    assert_eq!(browser.get("/jobs").await.status, 200);
    let csrf = browser.csrf().await;
    let script = "#!/bin/sh\nid -u; id -G; touch /mnt/home/mine; ls /mnt/home; ls -d /mnt/*\n";
    let fields = |csrf: &str, volume: &'static str| {
        [
            ("csrf", csrf.to_owned()),
            ("name", "guests".into()),
            ("image", crate::support::IMAGE.into()),
            ("script", script.into()),
            ("ram", "0.1".into()),
            ("project", "default".into()),
            (volume, "rw".into()),
        ]
    };
    let submit = async |browser: &mut Browser, csrf: &str, volume: &'static str| {
        let fields = fields(csrf, volume);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post("/jobs/new", &fields).await
    };
    assert_eq!(submit(&mut browser, &csrf, "volume_home").await.status, 403);

    // The administrators were told, by mail and on their page.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !sink.mails().iter().any(|mail| mail.contains("guest-ann") && mail.contains("/admin/users/guest-ann")) {
        assert!(std::time::Instant::now() < deadline, "no mail came: {:?}", sink.mails());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let mut admin = Browser::at(&server);
    admin.log_in("").await;
    assert!(admin.page("/admin/users").await.contains("Guests who wait to be activated"));
    let admin_csrf = admin.csrf().await;
    let seen = admin.post("/admin/users/guest-ann/activate", &[("csrf", &admin_csrf)]).await;
    assert_eq!(seen.status, 303, "{}", seen.html);

    // As games, with a directory of their own, and no other.
    let seen = submit(&mut browser, &csrf, "volume_home").await;
    let id: u64 = seen.location.strip_prefix("/jobs/").unwrap_or_else(|| panic!("{}", seen.html)).parse().unwrap();
    let task = server.over(id).await;
    let said = server.file(id, "god.log").await;
    assert_eq!(said, "5\n60\nmine\n/mnt/go-docker\n/mnt/home\n", "{task}");
    assert!(server.dir().join("data/shared/guests/guest-ann/mine").exists());
    let home = task["container"]["volumes"][1]["path"].as_str().unwrap();
    assert!(home.ends_with("/guests/guest-ann"), "{home}");

    // The same person comes back to the same account; another of that name and address does not.
    let mut again = Browser::at(&server);
    come_in(&mut again).await;
    provider.person(json!({ "sub": "someone-else", "preferred_username": "ann", "email": "ann@example.org", "email_verified": true })).await;
    let mut other = Browser::at(&server);
    assert_eq!(come_in(&mut other).await.location, "/profile");
    assert!(other.page("/profile").await.contains("<h1>guest-ann-2</h1>"));
    assert_eq!(server.get("/user").await.as_array().unwrap().len(), 3);

    // No volume of the site, no root, no other executor; and out at once when disabled.
    let (status, answer) = server
        .call("POST", "/task", Some(json!({
            "user": { "id": "guest-ann" }, "meta": { "name": "x" }, "container": { "image": crate::support::IMAGE, "root": true },
            "command": { "cmd": "true" },
        })))
        .await;
    assert_eq!((status, &answer["fields"][0]["field"]), (400, &json!("container.root")), "{answer}");
    let seen = admin.post("/admin/users/guest-ann/disable", &[("csrf", &admin_csrf)]).await;
    assert_eq!(seen.status, 303, "{}", seen.html);
    assert_eq!(browser.get("/jobs").await.location, "/login?next=%2Fjobs");
    provider.person(json!({ "sub": "248289761001", "preferred_username": "ann" })).await;
    assert_eq!(come_in(&mut Browser::at(&server)).await.status, 403);
    server.call("DELETE", "/user/guest-ann", None).await;
    while server.dir().join("data/shared/guests/guest-ann").exists() {
        assert!(
            std::time::Instant::now() < deadline + std::time::Duration::from_secs(60),
            "their directory is still there"
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_finished_once_and_where_it_was_begun() {
    let provider = ann().await;
    let (server, _dir) = site_of(&provider, crate::support::native()).await;
    let mut browser = Browser::at(&server);
    let away = browser.get("/login/guest/campus?next=%2F%2Fevil.example").await;
    let back = visit(&away.location).await;
    let back = back.as_str().strip_prefix(&browser.url).unwrap().to_owned();
    let mut another = Browser::at(&server);
    assert_eq!(another.get(&back).await.status, 403, "not begun in this browser");
    assert_eq!(browser.get(&back.replace("state=", "state=x")).await.status, 403);
    assert_eq!(browser.get(&back).await.status, 403, "a failed one is over");
    assert_eq!(browser.get("/profile").await.status, 303);
    let away = browser.get("/login/guest/campus?next=%2F%2Fevil.example").await;
    let back = visit(&away.location).await;
    let back = back.as_str().strip_prefix(&browser.url).unwrap().to_owned();
    assert_eq!(browser.get(&back).await.location, "/", "to pages of ours only");
    assert_eq!(browser.get(&back).await.status, 403, "a code opens once");
    // Guests share one uid, so that only containers keep them apart.
    let mut admin = Browser::at(&server);
    admin.log_in("").await;
    server.call("PUT", "/user/guest-ann", Some(json!({ "standing": "active" }))).await;
    let job = json!({ "user": { "id": "guest-ann" }, "meta": { "name": "x" }, "container": { "image": "none" }, "command": { "cmd": "true" } });
    let (status, answer) = server.call("POST", "/task", Some(job)).await;
    assert_eq!((status, &answer["fields"][0]["field"]), (400, &json!("requirements.executor")), "{answer}");
    assert_eq!(browser.get("/login/guest/nobody").await.status, 404);
}
