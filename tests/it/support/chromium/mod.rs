//! Chromium, driven as a person would, through chromedriver.
//!
//! Here: its start and end, and who sits before it ([`Reader`]). [`verbs`] is what a person does, [`axe`] what a page is
//! checked with, [`measures`] what it weighs and how it moves. All find things by role and visible name, never by where
//! they stand in a page. Deliberately not here: sleeps. Whoever waits says for what.

pub mod axe;
pub mod measures;
pub mod verbs;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use thirtyfour::prelude::*;

/// Of a phone, a tablet, a wide screen.
pub const WIDTHS: [u32; 3] = [390, 820, 1440];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub const BOTH: [Theme; 2] = [Theme::Light, Theme::Dark];

    pub fn as_str(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// Who sits before the browser, and how it is set up.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    pub scripts: bool,
    pub width: u32,
    pub theme: Theme,
    /// As in Accept-Language, and for dates and numbers.
    pub language: &'static str,
    pub zone: &'static str,
}

impl Default for Reader {
    fn default() -> Self {
        Reader { scripts: true, width: 1440, theme: Theme::Light, language: "en-US", zone: "Europe/Paris" }
    }
}

impl Reader {
    pub fn without_scripts() -> Self {
        Reader { scripts: false, ..Reader::default() }
    }

    /// A browser for this reader.
    pub async fn open(self) -> Chromium {
        Chromium::start(self).await
    }
}

/// One browser with a profile of its own. It ends when dropped, also when a test panics.
pub struct Chromium {
    pub driver: WebDriver,
    pub reader: Reader,
    // Ended after the session, which has no more to say to it.
    _process: Process,
}

struct Process {
    driver: Child,
    profile: tempfile::TempDir,
}

const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

impl Chromium {
    async fn start(reader: Reader) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process { driver, profile: tempfile::tempdir().unwrap() };
        let deadline = Instant::now() + Duration::from_secs(30);
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(Instant::now() < deadline, "chromedriver does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut wanted = DesiredCapabilities::chrome();
        for flag in FLAGS {
            wanted.add_arg(flag).unwrap();
        }
        wanted.add_arg(&format!("--user-data-dir={}", process.profile.path().display())).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.unwrap();
        driver.set_script_timeout(Duration::from_secs(120)).await.unwrap();
        let mut chromium = Chromium { driver, reader, _process: process };
        chromium.seat(reader).await;
        chromium
    }

    /// Another reader sits down before the same session.
    pub async fn seat(&mut self, reader: Reader) {
        self.reader = reader;
        let version = self.cdp("Browser.getVersion", json!({})).await;
        let agent = version["userAgent"].as_str().unwrap().replace("Headless", "");
        let language = json!({ "userAgent": agent, "acceptLanguage": reader.language });
        self.cdp("Emulation.setUserAgentOverride", language).await;
        self.cdp("Emulation.setLocaleOverride", json!({ "locale": reader.language })).await;
        self.cdp("Emulation.setTimezoneOverride", json!({ "timezoneId": reader.zone })).await;
        self.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": !reader.scripts })).await;
        self.resize(reader.width).await;
        self.colours(reader.theme).await;
    }

    /// A command of the DevTools protocol.
    pub async fn cdp(&self, command: &str, parameters: serde_json::Value) -> serde_json::Value {
        let answer = self.driver.cdp().send_raw(command, parameters).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    pub async fn resize(&self, width: u32) {
        let height = if width < 600 { 844 } else { 1000 };
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", screen).await;
    }

    pub async fn colours(&self, theme: Theme) {
        self.media("screen", theme).await;
    }

    /// As the page is on paper.
    pub async fn on_paper(&self) {
        self.media("print", Theme::Light).await;
    }

    async fn media(&self, media: &str, theme: Theme) {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme.as_str() }]);
        self.cdp("Emulation.setEmulatedMedia", json!({ "media": media, "features": features })).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        // A driver that is killed leaves its browser, which is known by its profile.
        let profile = self.profile.path().display().to_string();
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|pid| pid.parse::<i32>().ok()) else { continue };
            let said = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&said).contains(&profile) {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
            }
        }
    }
}
