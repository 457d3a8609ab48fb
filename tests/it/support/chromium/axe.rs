//! axe-core, from npm: what it finds against WCAG 2.2 AA.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::json;

use super::Chromium;
use crate::support::npm::installed;

const PACKAGE: &str = "axe-core@4.14.1";

static AXE: LazyLock<String> =
    LazyLock::new(|| std::fs::read_to_string(installed(PACKAGE).join("node_modules/axe-core/axe.min.js")).unwrap());

const RUN: &str = "
    const done = arguments[0];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }).then(
      (found) => done(found.violations.flatMap((rule) => rule.nodes.map((node) => ({
        rule: rule.id, help: rule.help, selector: node.target.join(' '), why: node.failureSummary || '',
      })))),
      (error) => done([{ rule: 'axe', help: String(error), selector: '', why: '' }]));";

/// A rule that does not hold somewhere.
#[derive(Debug, Deserialize)]
pub struct Violation {
    pub rule: String,
    pub help: String,
    pub selector: String,
    why: String,
}

impl Violation {
    /// What is wrong there, on one line.
    pub fn reason(&self) -> String {
        self.why.lines().skip(1).map(str::trim).collect::<Vec<_>>().join("; ")
    }
}

impl Chromium {
    /// What axe has to say against the page as it is. Needs a reader with scripts.
    pub async fn violations(&self) -> Vec<Violation> {
        if self.run("return !window.axe", json!([])).await == json!(true) {
            // WebDriver's scripts run beside the page's policy, so it need not let this one in.
            self.run(&AXE, json!([])).await;
        }
        serde_json::from_value(self.run_until_done(RUN, json!([])).await).unwrap()
    }
}
