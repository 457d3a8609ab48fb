//! `make screenshots`: a picture of every state at three widths in both themes, and on paper, into docs/screenshots.

use std::fs;
use std::path::Path;

use super::states::{STATES, Tour};
use crate::support::chromium::{Reader, Theme, WIDTHS};

/// A sheet of A4 without its margins.
const PAPER: u32 = 700;

/// Not a test but a tool: it asserts only that every state can be reached. SCREENSHOTS=jobs draws those whose names
/// contain it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "draws pictures; make screenshots"]
async fn screenshots() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screenshots");
    fs::create_dir_all(&dir).unwrap();
    let only = std::env::var("SCREENSHOTS").unwrap_or_default();
    let began = std::time::Instant::now();
    let mut tour = Tour::begin(Reader::default().open().await).await;
    let mut bytes = 0;
    println!("{:<22} {:>9} {:>9} {:>9}", "state", "server", "loaded", "page");
    for state in STATES.iter().filter(|state| state.name.contains(&only)) {
        tour.as_whom(state).await;
        let weight = tour.browser.weigh(&tour.url(state)).await;
        if !state.then.is_empty() {
            tour.go(state).await;
        }
        let kb = |bytes: u64| format!("{:.1} kB", bytes as f64 / 1000.0);
        println!("{:<22} {:>6.1} ms {:>9} {:>9}", state.name, weight.server, kb(weight.transferred), kb(weight.page));
        let mut keep = |how: String, picture: Vec<u8>| {
            bytes += picture.len();
            fs::write(dir.join(format!("{}-{how}.webp", state.name)), picture).unwrap();
        };
        for width in WIDTHS {
            tour.browser.resize(width).await;
            for theme in Theme::BOTH {
                tour.browser.colours(theme).await;
                keep(format!("{width}-{}", theme.as_str()), tour.browser.picture().await);
            }
        }
        tour.browser.resize(PAPER).await;
        tour.browser.on_paper().await;
        keep("paper".to_owned(), tour.browser.picture().await);
        tour.browser.colours(Theme::Light).await;
    }
    println!("{:.1} MB in {:.0} s, in {}", bytes as f64 / 1e6, began.elapsed().as_secs_f64(), dir.display());
}
