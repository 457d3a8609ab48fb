//! How much of something is used, as a bar.

/// HTML, safe to put in a page as it is; the words beside it say the same, so that it is not read aloud. `part` is from 0
/// on; beyond 1 the bar is full. `mark` is a place to compare with, `tone` the bar's class.
pub fn gauge(part: f64, mark: Option<f64>, tone: &str) -> String {
    let at = |part: f64| super::round(part.clamp(0.0, 1.0) * 100.0);
    let mark = mark.map(at).map_or_else(String::new, |x| format!("<line x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"6\"/>"));
    format!(
        "<svg class=\"gauge {tone}\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect width=\"{}\" height=\"6\"/>{mark}</svg>",
        at(part)
    )
}

/// The colour of what is used so far: a class of the style sheet.
pub fn tone(part: f64) -> &'static str {
    match part {
        part if part >= 1.0 => "bad",
        part if part >= 0.8 => "wait",
        _ => "fine",
    }
}
