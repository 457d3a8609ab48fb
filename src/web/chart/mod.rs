//! Pictures of numbers, drawn here as SVG: bars over periods, lines over time, gauges.
//!
//! Only what is drawn is stretched to the width there is; its words are text of the page, so that they keep their
//! size on a phone, follow the theme, are read aloud and can be copied. Each picture has the same values as a table beside
//! it. Deliberately not here: what is drawn, which the pages know.

mod gauge;
mod scale;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use super::words::Words;
pub use gauge::{gauge, tone};

/// How wide and high what is drawn is, in its own units.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;
/// More words than these do not fit beneath a picture on a phone.
const LABELS: usize = 5;
/// The style sheet has a colour for as many; what is beyond is drawn like the last.
const COLOURS: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A bar for each point, the series on top of each other.
    Bars,
    /// A line for each series.
    Lines,
}

/// What an axis counts, by which it ends where people end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Number,
    Seconds,
}

pub struct Series {
    pub name: String,
    /// One for each point; not negative.
    pub values: Vec<f64>,
}

/// A value to compare with, drawn across: what was asked for, a quota.
pub struct Limit {
    pub name: String,
    pub value: f64,
}

pub struct Chart<'a> {
    pub title: String,
    pub shape: Shape,
    /// What each point is called: a day, a moment.
    pub labels: Vec<String>,
    pub series: Vec<Series>,
    pub limit: Option<Limit>,
    pub unit: Unit,
    /// A value in words, with its unit.
    pub format: &'a dyn Fn(f64) -> String,
}

impl Chart<'_> {
    /// HTML, safe to put in a page as it is.
    pub fn html(&self, words: &Words) -> String {
        let mut html = String::new();
        self.write(&mut html, words).expect("a String takes what is written");
        html
    }

    fn write(&self, out: &mut String, words: &Words) -> std::fmt::Result {
        let top = scale::top(self.highest(), self.unit);
        let title = escape(&self.title);
        write!(out, "<figure class=\"chart\"><figcaption>{title}")?;
        self.write_legend(out)?;
        write!(out, "</figcaption><div class=\"plot\"><div class=\"y\" aria-hidden=\"true\">")?;
        for value in [top, top / 2.0, 0.0] {
            write!(out, "<span>{}</span>", escape(&(self.format)(value)))?;
        }
        write!(
            out,
            "</div><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{title}\">"
        )?;
        for part in [0.0, 0.5] {
            let y = round(HEIGHT * part);
            write!(out, "<line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{y}\" y2=\"{y}\"/>")?;
        }
        match self.shape {
            Shape::Bars => self.write_bars(out, top)?,
            Shape::Lines => self.write_lines(out, top)?,
        }
        if let Some(limit) = &self.limit {
            let y = round(HEIGHT * (1.0 - limit.value / top));
            write!(out, "<line class=\"limit\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{y}\" y2=\"{y}\"/>")?;
        }
        let each = matches!(self.shape, Shape::Bars) && self.labels.len() <= LABELS;
        write!(out, "</svg><div class=\"x{}\" aria-hidden=\"true\">", if each { " each" } else { "" })?;
        for label in scale::some_of(&self.labels, LABELS) {
            write!(out, "<span>{}</span>", escape(label))?;
        }
        write!(out, "</div></div>")?;
        self.write_table(out, words)?;
        write!(out, "</figure>")
    }

    /// The highest that is drawn.
    fn highest(&self) -> f64 {
        let points = (0..self.labels.len()).map(|point| {
            let values = self.series.iter().map(|series| series.value(point));
            match self.shape {
                Shape::Bars => values.sum::<f64>(),
                Shape::Lines => values.fold(0.0, f64::max),
            }
        });
        points.chain(self.limit.iter().map(|limit| limit.value)).fold(0.0, f64::max)
    }

    fn write_legend(&self, out: &mut String) -> std::fmt::Result {
        if self.series.len() < 2 && self.limit.is_none() {
            return Ok(());
        }
        write!(out, "<span class=\"legend\">")?;
        for (at, series) in self.series.iter().enumerate() {
            write!(out, "<span class=\"{}\">{}</span>", colour(at), escape(&series.name))?;
        }
        if let Some(limit) = &self.limit {
            let value = (self.format)(limit.value);
            write!(out, "<span class=\"limit\">{}: {}</span>", escape(&limit.name), escape(&value))?;
        }
        write!(out, "</span>")
    }

    fn write_bars(&self, out: &mut String, top: f64) -> std::fmt::Result {
        let step = WIDTH / self.labels.len().max(1) as f64;
        for (point, label) in self.labels.iter().enumerate() {
            let mut below = 0.0;
            for (at, series) in self.series.iter().enumerate() {
                let value = series.value(point);
                if value <= 0.0 {
                    continue;
                }
                let (x, width) = (round(step * (point as f64 + 0.1)), round(step * 0.8));
                let (y, height) = (round(HEIGHT * (1.0 - (below + value) / top)), round(HEIGHT * value / top));
                let said = escape(&format!("{label}: {} {}", series.name, (self.format)(value)));
                write!(
                    out,
                    "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>{said}</title></rect>",
                    colour(at)
                )?;
                below += value;
            }
        }
        Ok(())
    }

    fn write_lines(&self, out: &mut String, top: f64) -> std::fmt::Result {
        let step = WIDTH / self.labels.len().saturating_sub(1).max(1) as f64;
        for (at, series) in self.series.iter().enumerate() {
            write!(out, "<polyline class=\"{}\" points=\"", colour(at))?;
            for point in 0..self.labels.len() {
                let (x, y) = (round(step * point as f64), round(HEIGHT * (1.0 - series.value(point) / top)));
                write!(out, "{x},{y} ")?;
            }
            // A single moment has no length, and is shown as a level.
            if self.labels.len() == 1 {
                write!(out, "{WIDTH},{}", round(HEIGHT * (1.0 - series.value(0) / top)))?;
            }
            write!(out, "\"/>")?;
        }
        Ok(())
    }

    fn write_table(&self, out: &mut String, words: &Words) -> std::fmt::Result {
        write!(out, "<details><summary>{}</summary>", escape(&words.t("base-table")))?;
        write!(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">", escape(&self.title))?;
        write!(out, "<table class=\"few\"><thead><tr><td></td>")?;
        for series in &self.series {
            write!(out, "<th class=\"num\" scope=\"col\">{}</th>", escape(&series.name))?;
        }
        write!(out, "</tr></thead><tbody>")?;
        for (point, label) in self.labels.iter().enumerate() {
            write!(out, "<tr><th scope=\"row\">{}</th>", escape(label))?;
            for series in &self.series {
                write!(out, "<td class=\"num\">{}</td>", escape(&(self.format)(series.value(point))))?;
            }
            write!(out, "</tr>")?;
        }
        write!(out, "</tbody></table></div></details>")
    }
}

impl Series {
    fn value(&self, point: usize) -> f64 {
        self.values.get(point).copied().filter(|value| value.is_finite()).unwrap_or(0.0)
    }
}

fn colour(at: usize) -> String {
    format!("c{}", at.min(COLOURS - 1))
}

/// To a tenth of a unit: no eye sees more, and the page stays small.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Text, for HTML and SVG that is written by hand.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
