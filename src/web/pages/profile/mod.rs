//! Who I am, what opens my account, and what I like.

mod facts;
mod get;
mod post;

use actix_web::HttpRequest;
use askama::Template;

pub(super) use self::facts::kind;
use self::facts::{Fact, facts};
use super::chrome::Chrome;
use crate::domain::{Credential, Language, Scope, Theme, UserKind};
use crate::web::Site;
use crate::web::access::{Caller, session};
use crate::web::accounts::tokens;
use crate::web::error::{ApiError, FieldFault};
use crate::web::templates;
use crate::web::words::{Date, Words};

pub use get::get;
pub use post::{change_password, create_token, delete_template, delete_token, log_out_everywhere, post, renew_key};

#[derive(Template)]
#[template(path = "profile.html")]
struct ProfilePage {
    chrome: Chrome,
    id: String,
    /// A guest whom nobody has activated yet.
    new: bool,
    facts: Vec<Fact>,
    said: Said,
    email: String,
    /// The directory's, and not to be changed here.
    email_fixed: bool,
    ssh_public: String,
    /// Values, in words, and whether it is the one chosen.
    themes: Vec<(&'static str, String, bool)>,
    languages: Vec<(&'static str, String, bool)>,
    zone: String,
    notify: bool,
    has_password: bool,
    scopes: Vec<(&'static str, String)>,
    tokens: Vec<TokenRow>,
    sessions: Vec<SessionRow>,
    templates: Vec<TemplateRow>,
}

/// What came of a form on this page.
#[derive(Default)]
struct Said {
    saved: bool,
    faults: Vec<FieldFault>,
    /// A new API key, to be shown this once.
    key: Option<String>,
    /// A new token, to be shown this once.
    token: Option<String>,
}

impl Said {
    fn faults(faults: Vec<FieldFault>) -> Self {
        Said { faults, ..Said::default() }
    }
}

struct TokenRow {
    id: String,
    name: String,
    scope: String,
    created: Date,
    expires: Option<Date>,
    expired: bool,
}

struct SessionRow {
    browser: String,
    /// As it calls itself.
    agent: String,
    begun: Date,
    this: bool,
}

struct TemplateRow {
    id: String,
    name: String,
    image: String,
    changed: Date,
}

async fn profile_page(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    said: Said,
) -> Result<ProfilePage, ApiError> {
    let user = &caller.user;
    let now = site.clock.now();
    let chrome = Chrome::new(request, Some(caller), "profile");
    let words = &chrome.words;
    let token = |token: Credential| TokenRow {
        expired: !token.is_valid_at(now),
        id: token.id,
        name: token.name,
        scope: words.t(scope(token.scope)),
        created: words.date(token.created),
        expires: token.expires.map(|date| words.date(date)),
    };
    let tokens = tokens::list(site, caller, &user.id).await?.into_iter().map(token).collect();
    let sessions = session::list(site, request, &user.id).await?;
    let session = |(session, this): (Credential, bool)| SessionRow {
        browser: browser(&session.name).unwrap_or_else(|| words.t("profile-some-browser")),
        agent: session.name,
        begun: words.date(session.created),
        this,
    };
    let template = |one: crate::store::Template| TemplateRow {
        image: one.document.pointer("/container/image").and_then(|image| image.as_str()).unwrap_or_default().to_owned(),
        changed: words.date(one.changed),
        id: one.id,
        name: one.name,
    };
    let templates = templates::list(site, caller).await?.into_iter().map(template).collect();
    let disk = site.store.disk_use_of(&user.id).await?;
    Ok(ProfilePage {
        id: user.id.to_string(),
        new: !user.may_submit(),
        facts: facts(words, user, disk, site.config.defaults.quotas),
        said,
        email: user.email.clone().unwrap_or_default(),
        email_fixed: user.kind == UserKind::Ldap,
        ssh_public: user.ssh_public.clone().unwrap_or_default(),
        themes: themes(words, user.preferences.theme),
        languages: languages(words, user.preferences.language),
        zone: user.preferences.zone.as_ref().map(|zone| zone.as_str().to_owned()).unwrap_or_default(),
        notify: user.preferences.notify,
        has_password: user.kind == UserKind::Local && user.password_hash.is_some(),
        scopes: Scope::ALL.map(|one| (one.as_str(), words.t(scope(one)))).to_vec(),
        tokens,
        sessions: sessions.into_iter().map(session).collect(),
        templates,
        chrome,
    })
}

/// `Firefox, Linux`, of what a browser says of itself. Those that pretend to be others come first.
fn browser(agent: &str) -> Option<String> {
    let named =
        |known: &[(&str, &'static str)]| known.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name);
    let browsers =
        [("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    match (named(&browsers), named(&systems)) {
        (Some(browser), Some(system)) => Some(format!("{browser}, {system}")),
        (Some(browser), None) => Some(browser.to_owned()),
        (None, _) => (!agent.is_empty()).then(|| agent.to_owned()),
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "profile-scope-read",
        Scope::Submit => "profile-scope-submit",
        Scope::Admin => "profile-scope-admin",
    }
}

fn themes(words: &Words, chosen: Theme) -> Vec<(&'static str, String, bool)> {
    let said = |theme| match theme {
        Theme::Auto => "profile-theme-auto",
        Theme::Light => "profile-theme-light",
        Theme::Dark => "profile-theme-dark",
    };
    Theme::ALL.map(|theme| (theme.as_str(), words.t(said(theme)), theme == chosen)).to_vec()
}

fn languages(words: &Words, chosen: Language) -> Vec<(&'static str, String, bool)> {
    let said = |language: Language| match crate::web::words::Language::tagged(language.as_str()) {
        Some(known) => known.own_name().to_owned(),
        None => words.t("profile-language-auto"),
    };
    Language::ALL.map(|language| (language.as_str(), said(language), language == chosen)).to_vec()
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn a_browser_is_told_by_what_it_is_and_not_by_what_it_pretends() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        assert_eq!(browser(chrome).as_deref(), Some("Chrome, Linux"));
        assert_eq!(browser(&format!("{chrome} Edg/140.0")).as_deref(), Some("Edge, Linux"));
        assert_eq!((browser("curl/8").as_deref(), browser("")), (Some("curl/8"), None));
    }
}
