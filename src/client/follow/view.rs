//! What a follower sees of each event.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::text_of;
use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::sse::Event;
use crate::client::table::printable;
use crate::client::task::Task;
use crate::domain::JobId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Output on the output, errors on the errors.
    Both,
    /// Only errors, on the output.
    Errors,
}

pub struct View {
    id: JobId,
    output: Output,
    show: Show,
    /// Says on a terminal why the job does not run yet.
    waiting: Option<ProgressBar>,
}

impl View {
    pub fn new(id: JobId, output: Output, show: Show) -> Self {
        View { id, output, show, waiting: None }
    }

    /// True at the job's end.
    pub fn show(&mut self, event: &Event) -> Result<bool, ClientError> {
        let is_end = event.name == "end";
        if self.output.json {
            self.line(event)?;
            return Ok(is_end);
        }
        match (event.name.as_str(), self.show) {
            ("out", Show::Both) | ("err", Show::Errors) => {
                self.clear();
                self.output.text(text_of(&event.data).as_bytes())?;
            }
            ("err", Show::Both) => {
                self.clear();
                self.output.error_text(text_of(&event.data).as_bytes())?;
            }
            ("status", _) => self.status(&event.data),
            ("end", _) => self.clear(),
            _ => {}
        }
        Ok(is_end)
    }

    fn line(&self, event: &Event) -> Result<(), ClientError> {
        let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
        match event.name.as_str() {
            "out" if self.show == Show::Errors => Ok(()),
            "status" => self.output.line(&json!({ "event": "status", "id": self.id, "status": data })),
            "out" | "err" | "end" => {
                let mut document = json!({ "event": event.name, "id": self.id });
                for (key, value) in data.as_object().into_iter().flatten() {
                    document[key] = value.clone();
                }
                self.output.line(&document)
            }
            _ => Ok(()),
        }
    }

    fn status(&mut self, data: &str) {
        let task = Task(json!({ "status": serde_json::from_str::<Value>(data).unwrap_or_default() }));
        let phase = task.phase();
        if !self.output.err_is_terminal || !matches!(phase.as_str(), "pending" | "starting") {
            return self.clear();
        }
        let message = format!("job {} is {phase}. {}", self.id, printable(&task.why()));
        self.waiting.get_or_insert_with(spinner).set_message(message);
    }

    pub fn clear(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.finish_and_clear();
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.clear();
    }
}

fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {wide_msg}").expect("the template is a constant");
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
