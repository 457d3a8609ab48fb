//! Texts that mean spans of time and numbers of bytes.

use std::time::Duration;

/// `90`, `90s`, `30m`, `12h`, `2d`, `1w`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    number.checked_mul(seconds).filter(|seconds| *seconds <= 100 * 366 * 86_400).map(Duration::from_secs)
}

/// `500`, `10k`, `2M`, `1G`, `1T`: bytes, in thousands.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let bytes = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "t" => 1_000_000_000_000,
        _ => return None,
    };
    number.checked_mul(bytes)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_are_whole_numbers_with_a_unit() {
        assert_eq!(parse_duration("2d"), Some(Duration::from_secs(172_800)));
        assert_eq!(parse_duration("90"), Some(Duration::from_secs(90)));
        assert_eq!(parse_size("10G"), Some(10_000_000_000));
        assert_eq!(parse_size("3k"), Some(3_000));
        for bad in ["", "d", "-1d", "1.5h", "2 d", "2days", "99999999999w", "1e3"] {
            assert_eq!(parse_duration(bad), None, "{bad:?}");
        }
        for bad in ["", "G", "1P", "99999999999T", "-5"] {
            assert_eq!(parse_size(bad), None, "{bad:?}");
        }
    }
}
