//! Who I am, what opens my account, and what I like.

mod get;
mod post;

use actix_web::HttpRequest;
use askama::Template;

use super::chrome::Chrome;
use super::job::Fact;
use super::text::{self, Date};
use crate::domain::{Credential, Quotas, Theme, User, UserKind};
use crate::web::Site;
use crate::web::access::{Caller, session};
use crate::web::accounts::{tokens, users};
use crate::web::error::{ApiError, FieldFault};

pub use get::get;
pub use post::{change_password, create_token, delete_token, log_out_everywhere, post, renew_key};

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
    themes: Vec<(&'static str, bool)>,
    notify: bool,
    has_password: bool,
    tokens: Vec<TokenRow>,
    sessions: Vec<SessionRow>,
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
    scope: &'static str,
    created: Date,
    expires: Option<Date>,
    expired: bool,
}

struct SessionRow {
    browser: String,
    begun: Date,
    this: bool,
}

async fn profile_page(
    site: &Site,
    request: &HttpRequest,
    caller: &Caller,
    said: Said,
) -> Result<ProfilePage, ApiError> {
    let user = &caller.user;
    let now = site.clock.now();
    let token = |token: Credential| TokenRow {
        expired: !token.is_valid_at(now),
        id: token.id,
        name: token.name,
        scope: token.scope.as_str(),
        created: Date::of(token.created),
        expires: token.expires.map(Date::of),
    };
    let tokens = tokens::list(site, caller, &user.id).await?.into_iter().map(token).collect();
    let sessions = session::list(site, request, &user.id).await?;
    let session = |(session, this): (Credential, bool)| SessionRow {
        browser: if session.name.is_empty() { "a browser".to_owned() } else { session.name },
        begun: Date::of(session.created),
        this,
    };
    let disk = users::disk_use(site).await?.get(&user.id).copied().unwrap_or(0);
    Ok(ProfilePage {
        chrome: Chrome::new(request, Some(caller), "profile"),
        id: user.id.to_string(),
        new: !user.may_submit(),
        facts: facts(user, disk, site.config.defaults.quotas),
        said,
        email: user.email.clone().unwrap_or_default(),
        email_fixed: user.kind == UserKind::Ldap,
        ssh_public: user.ssh_public.clone().unwrap_or_default(),
        themes: Theme::ALL.map(|theme| (theme.as_str(), theme == user.preferences.theme)).to_vec(),
        notify: user.preferences.notify,
        has_password: user.kind == UserKind::Local && user.password_hash.is_some(),
        tokens,
        sessions: sessions.into_iter().map(session).collect(),
    })
}

fn facts(user: &User, disk: u64, site: Quotas) -> Vec<Fact> {
    let groups: Vec<_> = user.groups.iter().map(ToString::to_string).collect();
    let quota = |name: &str, quota: u64, unit: &str| (quota > 0).then(|| format!("{name} {quota}{unit}"));
    let bytes = |name: &str, quota: u64| (quota > 0).then(|| format!("{name} {}", text::bytes(quota)));
    let quotas: Vec<_> = [
        quota("time", user.quotas.time, " s"),
        quota("cores", user.quotas.cpu, ""),
        quota("memory", user.quotas.ram, " GB"),
        quota("GPUs", user.quotas.gpu, ""),
        bytes("disk", user.quotas.disk_with(site)),
        bytes("uploads", user.quotas.upload_with(site)),
    ]
    .into_iter()
    .flatten()
    .collect();
    vec![
        Fact::new("Jobs run as", format!("uid {}, gid {}", user.uid, user.gid)),
        Fact::new("Groups", if groups.is_empty() { "none".to_owned() } else { groups.join(", ") }),
        Fact::new("Home", user.home.as_ref().map_or("none".to_owned(), |home| home.display().to_string())),
        Fact::new("Account", user.kind.as_str()),
        Fact::new("Priority", user.priority),
        Fact::new("Quotas", if quotas.is_empty() { "none".to_owned() } else { quotas.join(", ") }),
        Fact::new("Job files", text::bytes(disk)),
        Fact::new("Administrator", if user.admin { "yes" } else { "no" }),
    ]
}
