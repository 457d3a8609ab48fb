//! The pages, as a browser without scripts sees them.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;

use super::{Api, PASSWORD};

/// Keeps cookies, and follows no redirect so that a test sees it.
pub struct Browser {
    pub client: reqwest::Client,
    pub url: String,
    pub cookie: String,
    /// Sent with every request, as a proxy in front of us would.
    pub header: Option<(String, String)>,
}

pub struct Seen {
    pub status: u16,
    pub location: String,
    pub headers: reqwest::header::HeaderMap,
    pub html: String,
}

impl Browser {
    pub fn at(server: &Api) -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0).build().unwrap();
        Browser { client, url: server.url(), cookie: String::new(), header: None }
    }

    pub async fn send(&mut self, request: reqwest::RequestBuilder) -> Seen {
        let mut request = request.header(COOKIE, &self.cookie);
        if let Some((name, value)) = &self.header {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        let headers = response.headers().clone();
        let location = headers.get(LOCATION).map_or("", |value| value.to_str().unwrap()).to_owned();
        Seen { status: response.status().as_u16(), location, headers, html: response.text().await.unwrap() }
    }

    pub async fn get(&mut self, path: &str) -> Seen {
        let request = self.client.get(format!("{}{path}", self.url));
        self.send(request).await
    }

    /// A page that is there.
    pub async fn page(&mut self, path: &str) -> String {
        let seen = self.get(path).await;
        assert_eq!(seen.status, 200, "{path}: {}", seen.html);
        seen.html
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
        let form: Vec<_> = fields.iter().map(pair).collect();
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form.join("&"));
        self.send(request).await
    }

    pub async fn log_in(&mut self, next: &str) -> Seen {
        self.log_in_as("admin", PASSWORD, next).await
    }

    pub async fn log_in_as(&mut self, user: &str, password: &str, next: &str) -> Seen {
        let html = self.page("/login").await;
        let csrf = between(&html, "name=\"csrf\" value=\"", "\"").to_owned();
        self.post("/login", &[("csrf", &csrf), ("user", user), ("password", password), ("next", next)]).await
    }

    /// The session's token, as its forms carry it.
    pub async fn csrf(&mut self) -> String {
        let html = self.page("/jobs/new").await;
        between(&html, "name=\"csrf\" value=\"", "\"").to_owned()
    }
}

pub fn between<'a>(html: &'a str, before: &str, after: &str) -> &'a str {
    let rest = html.split_once(before).unwrap_or_else(|| panic!("no {before} in {html}")).1;
    rest.split_once(after).unwrap().0
}
