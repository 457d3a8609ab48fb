//! Who is calling, and what they may do: the one place that decides it.
//!
//! Every route has a [`Rule`] in the route table, and [`guard`] applies it at the resource itself, before any handler
//! runs, to whom [`identify`] has found. What a rule cannot know, because it depends on the thing asked for, is a method of [`Caller`].
//! Sessions and tokens are in [`session`] and [`keys`].

pub mod guard;
mod identify;
pub mod keys;
pub mod session;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::error::ApiError;
use super::words::says;
use crate::domain::{Job, ProjectId, Scope, Standing, User, UserId};

pub use crate::plugins::auth::{LoginLimiter, new_secret, secret_hash};
pub use identify::{client_address, may_scrape, origin, remote_user};
pub use keys::SigningKeys;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Nothing.
    Open,
    /// Logged in; a token with `read`. Guests who are not activated may.
    Look,
    /// Also activated, and a token with `submit`; a browser must mean it (CSRF).
    Work,
    /// Logged in, and a token with `admin`: it is about the account itself. A browser must mean it.
    Account,
    /// An administrator; a token with `admin`.
    Inspect,
    /// The same, and a browser must mean it.
    Administer,
    /// An address of `metrics_allow` (see [`may_scrape`]), or else as [`Rule::Inspect`].
    Metrics,
}

impl Rule {
    /// Whether a browser must show that a page of ours sent it.
    pub fn changes(self) -> bool {
        matches!(self, Rule::Work | Rule::Account | Rule::Administer)
    }
}

/// How a caller showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Session,
    /// A token of `/authenticate`, or a personal one.
    Token,
}

/// A user who may come in.
#[derive(Debug, Clone)]
pub struct Caller {
    pub user: User,
    pub scope: Scope,
    pub by: By,
    /// The address the request came from, for the audit log.
    pub address: Option<String>,
    /// Projects whose jobs their members share.
    pub shared: Vec<ProjectId>,
}

/// Whether `rule` lets this caller through.
///
/// # Errors
/// 401 for nobody, 403 with the reason for somebody.
pub fn decide(rule: Rule, caller: Option<&Caller>) -> Result<(), ApiError> {
    if rule == Rule::Open {
        return Ok(());
    }
    let caller = caller.ok_or(ApiError::Unauthorized)?;
    let needed = match rule {
        Rule::Open | Rule::Look => Scope::Read,
        Rule::Work => Scope::Submit,
        Rule::Account | Rule::Inspect | Rule::Administer | Rule::Metrics => Scope::Admin,
    };
    if caller.scope < needed {
        let message = says("fault-token-scope").set("scope", caller.scope.as_str()).set("needed", needed.as_str());
        return Err(ApiError::Forbidden(message));
    }
    match rule {
        Rule::Open | Rule::Look | Rule::Account => Ok(()),
        Rule::Work if caller.user.may_submit() => Ok(()),
        Rule::Work => Err(ApiError::Forbidden(says("fault-not-activated"))),
        Rule::Inspect | Rule::Administer | Rule::Metrics if caller.is_admin() => Ok(()),
        Rule::Inspect | Rule::Administer | Rule::Metrics => Err(ApiError::Forbidden(says("fault-administrators-only"))),
    }
}

impl Caller {
    pub fn id(&self) -> &UserId {
        &self.user.id
    }

    pub fn is_admin(&self) -> bool {
        self.user.admin && self.user.standing == Standing::Active
    }

    /// Whether this caller may see and manage the job.
    pub fn may_see(&self, job: &Job) -> bool {
        self.is_admin() || job.owner.user == self.user.id || self.shared.contains(&job.owner.project)
    }

    /// Whether this caller may see and change this account. Whose it is changes what: see `web::accounts`.
    pub fn may_manage(&self, user: &UserId) -> bool {
        self.is_admin() || self.id() == user
    }

    /// Whether this caller may list everybody's jobs in the project.
    pub fn shares(&self, project: &ProjectId) -> bool {
        self.shared.contains(project)
    }
}

/// [`guard`] has let the caller through.
impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Caller, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Caller>().cloned().ok_or(ApiError::Unauthorized))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::testing::a_user;

    fn caller(scope: Scope, standing: Standing, admin: bool) -> Caller {
        let user = User { standing, admin, ..a_user("ann") };
        Caller { user, scope, by: By::Token, address: None, shared: Vec::new() }
    }

    #[test]
    fn each_rule_lets_through_whom_it_says() {
        use Rule::*;
        let may = |rule, scope, standing, admin| decide(rule, Some(&caller(scope, standing, admin))).is_ok();
        for rule in [Look, Work, Account, Inspect, Administer] {
            assert!(matches!(decide(rule, None), Err(ApiError::Unauthorized)), "{rule:?}");
        }
        assert!(decide(Open, None).is_ok());
        for (scope, standing, admin, allowed) in [
            (Scope::Read, Standing::Active, true, vec![Look]),
            (Scope::Submit, Standing::Active, true, vec![Look, Work]),
            (Scope::Admin, Standing::Active, false, vec![Look, Work, Account]),
            (Scope::Admin, Standing::Active, true, vec![Look, Work, Account, Inspect, Administer]),
            (Scope::Admin, Standing::New, false, vec![Look, Account]),
            (Scope::Admin, Standing::New, true, vec![Look, Account]),
        ] {
            for rule in [Look, Work, Account, Inspect, Administer] {
                assert_eq!(
                    may(rule, scope, standing, admin),
                    allowed.contains(&rule),
                    "{rule:?} {scope:?} {standing:?}"
                );
            }
        }
    }
}
