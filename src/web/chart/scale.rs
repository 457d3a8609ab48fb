//! Where an axis ends, and which of its words there is room for.

/// The end of an axis that shows `highest`: 1, 2, 4, 5, 8 or 10 times a power of ten, so that its half is round, too.
pub(super) fn top(highest: f64) -> f64 {
    if highest <= 0.0 || !highest.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(highest.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|end| *end >= highest * 0.999_999).unwrap_or(10.0 * power)
}

/// At most `most` of `all`, evenly spread, the first and the last among them.
pub(super) fn some_of<T>(all: &[T], most: usize) -> Vec<&T> {
    if all.len() <= most {
        return all.iter().collect();
    }
    (0..most).filter_map(|at| all.get(at * (all.len() - 1) / (most - 1))).collect()
}
