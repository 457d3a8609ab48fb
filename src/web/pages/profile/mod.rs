//! Who I am, and my API key.

mod get;
mod post;

use actix_web::HttpRequest;
use askama::Template;

use super::chrome::Chrome;
use super::job::Fact;
use crate::domain::User;
use crate::web::access::Caller;

pub use get::get;
pub use post::renew_key;

#[derive(Template)]
#[template(path = "profile.html")]
struct ProfilePage {
    chrome: Chrome,
    id: String,
    facts: Vec<Fact>,
    /// A new API key, to be shown this once.
    key: Option<String>,
}

fn profile_page(request: &HttpRequest, caller: &Caller, key: Option<String>) -> ProfilePage {
    let user = &caller.user;
    ProfilePage {
        chrome: Chrome::new(request, Some(caller), "profile"),
        id: user.id.to_string(),
        facts: facts(user),
        key,
    }
}

fn facts(user: &User) -> Vec<Fact> {
    let groups: Vec<_> = user.groups.iter().map(ToString::to_string).collect();
    vec![
        Fact::new("Jobs run as", format!("uid {}, gid {}", user.uid, user.gid)),
        Fact::new("Groups", if groups.is_empty() { "none".to_owned() } else { groups.join(", ") }),
        Fact::new("Home", user.home.as_ref().map_or("none".to_owned(), |home| home.display().to_string())),
        Fact::new("Mail", user.email.clone().unwrap_or_else(|| "none".to_owned())),
        Fact::new("Priority", user.priority),
        Fact::new("Administrator", if user.admin { "yes" } else { "no" }),
    ]
}
