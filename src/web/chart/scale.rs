//! Where an axis ends, and which of its words there is room for.

use super::Unit;

/// Times a power of ten: the half of each is round, too.
const STEPS: [f64; 10] = [1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
/// Minutes, hours or days.
const TIMES: [f64; 13] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0, 30.0, 40.0, 60.0];

/// The end of an axis that shows `highest`: a round number, or a round time.
pub(super) fn top(highest: f64, unit: Unit) -> f64 {
    if highest <= 0.0 || !highest.is_finite() {
        return 1.0;
    }
    let first = |steps: &[f64], of: f64| steps.iter().map(|step| step * of).find(|end| *end >= highest * 0.999_999);
    let whole = match (unit, highest) {
        (Unit::Number, _) | (Unit::Seconds, ..60.0) => None,
        (Unit::Seconds, ..3_600.0) => first(&TIMES, 60.0),
        (Unit::Seconds, ..86_400.0) => first(&TIMES, 3_600.0),
        (Unit::Seconds, _) => first(&TIMES, 86_400.0),
    };
    let power = 10f64.powf(highest.log10().floor());
    whole.or_else(|| first(&STEPS, power)).unwrap_or(10.0 * power)
}

/// At most `most` of `all`, evenly spread, the first and the last among them.
pub(super) fn some_of<T>(all: &[T], most: usize) -> Vec<&T> {
    if all.len() <= most {
        return all.iter().collect();
    }
    (0..most).filter_map(|at| all.get(at * (all.len() - 1) / (most - 1))).collect()
}
