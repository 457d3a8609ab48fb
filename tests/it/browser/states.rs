//! Every page in every state: one table for axe, weights, shifts and pictures. A new page is a line here.
//!
//! The site is made up (`support::made_up`): `{failed}` in a path is the number of what is called so there. The lines of
//! one person stand together, so that nobody logs in twice.

use super::log_in;
use super::words::{LOG_IN, NAME, PASSWORD, SCRIPT, SUBMIT, SWITCH_ON, USER};
use crate::support::chromium::Chromium;
use crate::support::made_up::MadeUp;

/// A line of the table.
#[derive(Debug)]
pub struct State {
    /// Of its pictures' files, too.
    pub name: &'static str,
    /// Who looks: a user of the made-up site, `""` for nobody.
    pub who: &'static str,
    pub path: &'static str,
    /// What is done there before it is looked at.
    pub then: &'static [Step],
}

#[derive(Debug, Clone, Copy)]
pub enum Step {
    Fill(&'static str, &'static str),
    Click(&'static str),
    /// Waits until this is said.
    Says(&'static str),
}

use Step::{Click, Fill, Says};

const fn page(name: &'static str, who: &'static str, path: &'static str) -> State {
    State { name, who, path, then: &[] }
}

#[rustfmt::skip]
pub const STATES: &[State] = &[
    page("login", "", "/login"),
    State { name: "login-refused", who: "", path: "/login",
        then: &[Fill(USER, "ann"), Fill(PASSWORD, "wrong"), Click(LOG_IN), Says("Wrong user name")] },

    page("home", "ann", "/"),
    page("home-french", "ann", "/?lang=fr"),
    page("job-french", "ann", "/jobs/{failed}?lang=fr"),
    page("usage", "ann", "/usage?lang=en"),
    page("usage-months", "ann", "/usage?by=month"),
    page("jobs-active", "ann", "/jobs"),
    page("jobs-over", "ann", "/jobs?over=1"),
    page("jobs-narrowed", "ann", "/jobs?state=any&state=failed&state=done&q=blast&from=2020-01-01"),
    page("jobs-nothing-found", "ann", "/jobs?state=any&tag=nowhere"),
    page("jobs-array-open", "ann", "/jobs?over=1&open={array-over}"),
    page("jobs-of-project", "ann", "/jobs?project=rna"),
    page("new-job", "ann", "/jobs/new"),
    State { name: "new-job-refused", who: "ann", path: "/jobs/new",
        then: &[Fill(NAME, "too-large"), Fill(SCRIPT, "#!/bin/sh\ntrue"), Fill("Cores", "9000"), Fill("Memory", "a lot"), Click(SUBMIT), Says("not submitted")] },
    State { name: "new-job-checked", who: "ann", path: "/jobs/new",
        then: &[Fill(NAME, "checked"), Fill(SCRIPT, "#!/bin/sh\nif true; then\n    echo yes\ndone\n"), Click("Check first"), Says("Line 4")] },
    page("job-again", "ann", "/jobs/new?from={array}"),
    page("job-running", "ann", "/jobs/{running}"),
    page("job-suspended", "ann", "/jobs/{suspended}"),
    page("job-pending", "ann", "/jobs/{pending}"),
    page("job-waiting", "ann", "/jobs/{waiting}"),
    page("job-array", "ann", "/jobs/{array}"),
    page("job-array-over", "ann", "/jobs/{array-over}"),
    page("job-done", "ann", "/jobs/{done}"),
    page("job-failed", "ann", "/jobs/{failed}"),
    page("job-killed", "ann", "/jobs/{killed}"),
    page("job-out-of-memory", "ann", "/jobs/{out-of-memory}"),
    page("job-time-limit", "ann", "/jobs/{time-limit}"),
    page("job-node-failure", "ann", "/jobs/{node-failure}"),
    page("job-rejected", "ann", "/jobs/{rejected}"),
    page("job-archived", "ann", "/jobs/{archived}"),
    page("files", "ann", "/jobs/{done}/files/"),
    page("files-many", "ann", "/jobs/{done}/files/chunks/"),
    page("file-text", "ann", "/jobs/{done}/files/hits.tsv"),
    page("file-search", "ann", "/jobs/{done}/files/hits.tsv?q=query77"),
    page("file-picture", "ann", "/jobs/{done}/files/plot.png"),
    page("file-pdf", "ann", "/jobs/{done}/files/report.pdf"),
    page("disk", "ann", "/disk"),
    page("data", "ann", "/data"),
    page("data-folder", "ann", "/data/reads/"),
    page("profile", "ann", "/profile"),
    page("not-allowed", "ann", "/admin/users"),
    page("not-found", "ann", "/jobs/999999"),
    page("no-such-page", "ann", "/nowhere"),

    page("home-empty", "nora", "/"),
    page("usage-empty", "nora", "/usage"),
    page("jobs-active-empty", "nora", "/jobs"),
    page("jobs-over-empty", "nora", "/jobs?over=1"),
    page("disk-empty", "nora", "/disk"),
    page("data-empty", "nora", "/data"),

    page("admin-overview", "admin", "/admin"),
    page("admin-usage", "admin", "/admin/usage"),
    page("admin-users", "admin", "/admin/users"),
    page("admin-users-none", "admin", "/admin/users?search=nobody-at-all"),
    page("admin-user", "admin", "/admin/users/ann"),
    page("admin-user-guest", "admin", "/admin/users/guest-eve"),
    page("admin-user-disabled", "admin", "/admin/users/dmitri"),
    page("admin-projects", "admin", "/admin/projects"),
    page("admin-project", "admin", "/admin/projects/rna"),
    page("admin-processes", "admin", "/admin/processes"),
    page("admin-nodes", "admin", "/admin/nodes"),
    page("admin-audit", "admin", "/admin/audit"),
    page("admin-maintenance", "admin", "/admin/maintenance"),
    page("admin-jobs", "admin", "/jobs?all=1"),
    page("admin-jobs-of-node", "admin", "/jobs?state=any&user=*&node=node-2"),
    page("admin-jobs-over", "admin", "/jobs?all=1&over=1"),

    // From here on the site is under maintenance.
    State { name: "maintenance-on", who: "admin", path: "/admin/maintenance",
        then: &[Fill("Message", "The file server gets new disks: back at noon."), Click(SWITCH_ON), Says("back at noon")] },
    page("maintenance", "bob", "/jobs"),
    page("maintenance-login", "", "/login"),
];

/// Takes a browser through the table.
pub struct Tour {
    pub site: MadeUp,
    pub browser: Chromium,
    who: &'static str,
}

impl Tour {
    pub async fn begin(browser: Chromium) -> Self {
        Tour { site: MadeUp::start().await, browser, who: "" }
    }

    pub fn url(&self, state: &State) -> String {
        format!("{}{}", self.site.server.url(), self.site.path(state.path))
    }

    /// Logs in who is to look at this one.
    pub async fn as_whom(&mut self, state: &State) {
        if self.who != state.who {
            self.browser.driver.delete_all_cookies().await.unwrap();
            if !state.who.is_empty() {
                log_in(&self.browser, &self.site.server, state.who, "/profile").await;
            }
            self.who = state.who;
        }
    }

    /// To the page, and into the state.
    pub async fn go(&mut self, state: &State) {
        self.as_whom(state).await;
        self.browser.open(&self.url(state)).await;
        for step in state.then {
            match step {
                Step::Fill(field, text) => self.browser.fill(field, text).await,
                Step::Click(button) => self.browser.click(button).await,
                Step::Says(text) => self.browser.says(text).await,
            }
        }
    }
}

#[test]
fn states_have_names_of_their_own() {
    let names: std::collections::BTreeSet<_> = STATES.iter().map(|state| state.name).collect();
    assert_eq!(names.len(), STATES.len());
}
