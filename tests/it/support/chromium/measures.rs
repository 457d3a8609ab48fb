//! What a page weighs, how it moves while it loads, and how it looks.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Chromium;

/// Bytes of a page that was loaded into an empty cache, with all that it loads.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Weight {
    /// Over the network, as compressed and with headers.
    pub transferred: u64,
    /// The page itself, unpacked.
    pub page: u64,
    /// Milliseconds from the request to its first byte.
    pub server: f64,
}

const WEIGHT: &str = "
    const [page] = performance.getEntriesByType('navigation');
    const all = [page, ...performance.getEntriesByType('resource')];
    const transferred = all.reduce((sum, entry) => sum + entry.transferSize, 0);
    return { transferred, page: page.decodedBodySize, server: page.responseStart - page.requestStart };";

/// Two frames later, what came in the first is among the entries.
const SHIFT: &str = "
    const done = arguments[0];
    let sum = 0;
    const add = (list) => { for (const entry of list) if (!entry.hadRecentInput) sum += entry.value; };
    const observer = new PerformanceObserver((list) => add(list.getEntries()));
    observer.observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
      add(observer.takeRecords());
      done(sum);
    })));";

/// Pages longer than this are cut in their pictures.
const TALLEST: u64 = 3000;

/// A box is a card, a chart or a table; what is unseen (as in what is closed), or told to who hears the page only, is left out.
const STICKS_OUT: &str = "
const scrolls = (part) => part && (getComputedStyle(part).overflowX !== 'visible' || scrolls(part.parentElement));
const found = [];
for (const part of document.querySelectorAll('main *, header *, footer *')) {
  const at = part.getBoundingClientRect();
  const box = part.parentElement.closest('.card, .chart, table, main, header, footer');
  if (!part.checkVisibility() || !at.width || !at.height || at.right <= 0 || !box || scrolls(part.parentElement)) continue;
  const edge = Math.min(document.documentElement.clientWidth, box.getBoundingClientRect().right);
  if (at.right > edge + 1) found.push(part.tagName + '.' + part.getAttribute('class') + ' by ' + Math.round(at.right - edge));
}
return found.slice(0, 5);";

impl Chromium {
    /// Loads the page as somebody does who was never here.
    pub async fn weigh(&self, url: &str) -> Weight {
        self.cdp("Network.enable", json!({})).await;
        self.cdp("Network.clearBrowserCache", json!({})).await;
        self.open(url).await;
        serde_json::from_value(self.run(WEIGHT, json!([])).await).unwrap()
    }

    /// How much of the page has moved while it was loaded: the sum of its layout shifts. Needs a reader with scripts.
    pub async fn shift(&self) -> f64 {
        self.run_until_done(SHIFT, json!([])).await.as_f64().unwrap()
    }

    /// What is drawn beyond the window or the box it is in, but for what one may scroll to.
    pub async fn sticks_out(&self) -> Vec<String> {
        let found = self.run(STICKS_OUT, json!([])).await;
        found.as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()).collect()
    }

    /// A picture of the whole page, as WebP.
    pub async fn picture(&self) -> Vec<u8> {
        let size = "const page = document.documentElement; return [page.clientWidth, page.scrollHeight]";
        let size = self.run(size, json!([])).await;
        let height = size[1].as_u64().unwrap().min(TALLEST);
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": height, "scale": 1 });
        let wanted = json!({ "format": "webp", "quality": 82, "captureBeyondViewport": true, "clip": clip });
        let Value::String(data) = self.cdp("Page.captureScreenshot", wanted).await["data"].take() else {
            panic!("no picture")
        };
        BASE64_STANDARD.decode(data).unwrap()
    }
}
