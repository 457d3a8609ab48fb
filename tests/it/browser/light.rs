//! Pages are light, and stand still: bytes and layout shifts. How fast they are is measured elsewhere (`make bench`),
//! where nothing else runs.

use super::states::{STATES, Tour};
use crate::support::chromium::{Reader, WIDTHS};

/// Of the first page that anybody sees, with all that it loads.
const FIRST_PAGE: u64 = 30_000;
/// Of any page that is no log or file.
const ANY_PAGE: u64 = 100_000;
const SHIFT: f64 = 0.05;
/// A machine so many times slower than this one: there is more to see of a page before it is done.
const SLOWER: u32 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_heavy() {
    let mut tour = Tour::begin(Reader::default().open().await).await;
    let mut heavy = Vec::new();
    for state in STATES.iter().filter(|state| state.then.is_empty() && !state.name.starts_with("file-")) {
        tour.as_whom(state).await;
        let weight = tour.browser.weigh(&tour.url(state)).await;
        let first = ["login", "home", "jobs-active"].contains(&state.name);
        let most = if first { FIRST_PAGE } else { ANY_PAGE };
        // Unpacked too: a phone has to read it.
        if weight.transferred > most || weight.page > ANY_PAGE {
            heavy.push(format!("{}: {weight:?}", state.name));
        }
    }
    assert!(heavy.is_empty(), "{}", heavy.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_moves_while_it_loads_and_each_fits_its_window() {
    let mut tour = Tour::begin(Reader::default().open().await).await;
    let (mut moved, mut wide) = (Vec::new(), Vec::new());
    tour.browser.cdp("Emulation.setCPUThrottlingRate", serde_json::json!({ "rate": SLOWER })).await;
    for state in STATES.iter().filter(|state| state.then.is_empty()) {
        for width in WIDTHS {
            tour.browser.resize(width).await;
            tour.go(state).await;
            let shift = tour.browser.shift().await;
            if shift >= SHIFT {
                moved.push(format!("{} at {width}: {shift:.3}", state.name));
            }
            for part in tour.browser.sticks_out().await {
                wide.push(format!("{} at {width}: {part}", state.name));
            }
        }
    }
    assert!(moved.is_empty(), "{}", moved.join("\n"));
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}
