//! What a person does before a browser.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::Chromium;

const FIND: &str = include_str!("../../../support/find.js");
const PATIENCE: Duration = Duration::from_secs(60);

/// What a thing is to its reader.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    Button,
    Link,
    Field,
    Heading,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Role::Button => "button",
            Role::Link => "link",
            Role::Field => "field",
            Role::Heading => "heading",
        }
    }
}

impl Chromium {
    pub async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    pub async fn url(&self) -> String {
        self.driver.current_url().await.unwrap().to_string()
    }

    /// What a reader sees of the page.
    pub async fn text(&self) -> String {
        self.run("return document.body ? document.body.innerText : ''", json!([])).await.as_str().unwrap().to_owned()
    }

    /// A script of the test's, which runs also where the page's own do not.
    pub async fn run(&self, script: &str, arguments: Value) -> Value {
        let arguments = arguments.as_array().unwrap().clone();
        let done = self.driver.execute(script, arguments).await;
        done.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// The same for one that answers by calling its last argument.
    pub async fn run_until_done(&self, script: &str, arguments: Value) -> Value {
        let arguments = arguments.as_array().unwrap().clone();
        let done = self.driver.execute_async(script, arguments).await;
        done.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Waits for what `is` answers, asked again and again.
    pub async fn until<T>(&self, what: &str, mut is: impl AsyncFnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = is().await {
                return found;
            }
            if Instant::now() > deadline {
                panic!("{what}: not at {}, which says:\n{}", self.url().await, self.text().await);
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// The thing of this role and name, as soon as it is there; what it is folded away in is unfolded.
    pub async fn the(&self, role: Role, name: &str) -> WebElement {
        self.until(&format!("no {} {name:?}", role.as_str()), async || self.look(role, name).await).await
    }

    async fn look(&self, role: Role, name: &str) -> Option<WebElement> {
        let found = self.driver.execute(FIND, vec![json!(role.as_str()), json!(name)]).await.ok()?;
        let element = |value: &Value| WebElement::from_json(value.clone(), self.driver.handle().clone()).ok();
        if let Some(folded) = element(&found.json()["inside"]) {
            folded.click().await.ok()?;
            return None;
        }
        element(&found.json()["element"])
    }

    pub async fn has(&self, role: Role, name: &str) -> bool {
        let found = self.driver.execute(FIND, vec![json!(role.as_str()), json!(name)]).await.unwrap();
        !found.json().is_null()
    }

    async fn click_on(&self, role: Role, name: &str) {
        let what = format!("no {} {name:?} to click", role.as_str());
        // Between finding and clicking, a page may have brought itself up to date.
        self.until(&what, async || self.look(role, name).await?.click().await.ok()).await;
    }

    pub async fn click(&self, name: &str) {
        self.click_on(Role::Button, name).await;
    }

    pub async fn follow(&self, name: &str) {
        self.click_on(Role::Link, name).await;
    }

    /// Clicks what is asked about once more where scripts run, and says yes.
    pub async fn click_and_agree(&self, name: &str) {
        self.click(name).await;
        if self.reader.scripts {
            self.until("nothing is asked", async || self.driver.accept_alert().await.ok()).await;
        }
    }

    /// In place of what is in the field.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = self.the(Role::Field, name).await;
        field.clear().await.unwrap_or_else(|error| panic!("{name}: {error}"));
        field.send_keys(text).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Ticks a box, or takes the tick away.
    pub async fn tick(&self, name: &str) {
        self.click_on(Role::Field, name).await;
    }

    /// Takes an option of a list by its text.
    pub async fn choose(&self, name: &str, option: &str) {
        let list = self.the(Role::Field, name).await;
        let select = thirtyfour::components::SelectElement::new(&list).await.unwrap();
        select.select_by_visible_text(option).await.unwrap_or_else(|error| panic!("{name}, {option}: {error}"));
    }

    /// Waits until the page says this.
    pub async fn says(&self, wanted: &str) {
        self.until(&format!("{wanted:?} is not said"), async || self.text().await.contains(wanted).then_some(())).await;
    }

    /// Waits until the page says this of itself; without scripts it has to be looked at again.
    pub async fn says_in_the_end(&self, wanted: &str) {
        if self.reader.scripts {
            self.says(wanted).await;
        } else {
            self.says_when_looked_at_again(wanted).await;
        }
    }

    /// Loads the page again until it says this.
    pub async fn says_when_looked_at_again(&self, wanted: &str) {
        self.until(&format!("{wanted:?} is not said"), async || {
            let said = self.text().await.contains(wanted);
            if !said {
                self.driver.refresh().await.unwrap();
            }
            said.then_some(())
        })
        .await;
    }

    /// Waits until the page's path is this.
    pub async fn is_at(&self, path: &str) {
        self.until(&format!("not at {path}"), async || {
            let at = self.driver.current_url().await.ok()?;
            (at.path() == path).then_some(())
        })
        .await;
    }

    /// All that is in the field that has the focus.
    pub async fn select_all(&self) {
        let keys = self.driver.action_chain().key_down(Key::Control).send_keys("a").key_up(Key::Control);
        keys.perform().await.unwrap();
    }

    /// Presses these keys one after the other, wherever the focus is.
    pub async fn press(&self, keys: impl Into<TypingData>) {
        let keys: TypingData = keys.into();
        let typed: String = keys.as_vec().into_iter().collect();
        self.driver.action_chain().send_keys(typed).perform().await.unwrap();
    }
}
