//! WCAG 2.2 AA, as far as axe can tell: on every page, in both themes, narrow and wide.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::states::{STATES, Tour};
use crate::support::chromium::axe::Violation;
use crate::support::chromium::{Reader, Theme};

/// So many places of a fault are told; the others are counted.
const TOLD: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_any_page() {
    let mut tour = Tour::begin(Reader::default().open().await).await;
    // By rule, each place with where it was seen.
    let mut faults: BTreeMap<String, Vec<(Violation, String)>> = BTreeMap::new();
    for state in STATES {
        tour.go(state).await;
        for width in [390, 1440] {
            tour.browser.resize(width).await;
            for theme in Theme::BOTH {
                tour.browser.colours(theme).await;
                for violation in tour.browser.violations().await {
                    let seen = format!("{} {width} {}", state.name, theme.as_str());
                    faults.entry(violation.rule.clone()).or_default().push((violation, seen));
                }
            }
        }
    }
    assert!(faults.is_empty(), "axe finds faults:\n{}", told(&faults));
}

fn told(faults: &BTreeMap<String, Vec<(Violation, String)>>) -> String {
    let mut text = String::new();
    for (rule, places) in faults {
        writeln!(text, "{rule}: {}", places[0].0.help).unwrap();
        for (violation, seen) in places.iter().take(TOLD) {
            writeln!(text, "    {seen} at `{}`: {}", violation.selector, violation.reason()).unwrap();
        }
        let states: std::collections::BTreeSet<_> =
            places.iter().filter_map(|(_, seen)| seen.split(' ').next()).collect();
        writeln!(text, "    {} times, on {}", places.len(), states.into_iter().collect::<Vec<_>>().join(", ")).unwrap();
    }
    text
}
