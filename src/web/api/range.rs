//! The `Range` header: one range of bytes.

/// What part of a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// `first..=last`.
    Bytes {
        first: u64,
        last: u64,
    },
    /// Nothing of it exists.
    Beyond,
}

/// What `header` asks of a file of `size` bytes. What is not one range of bytes is let pass, as RFC 9110 has it.
pub fn part(header: &str, size: u64) -> Part {
    let range = header.strip_prefix("bytes=").map(str::trim).filter(|range| !range.contains(','));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else { return Part::Whole };
    let number = |text: &str| match text {
        "" => Some(None),
        text if text.bytes().all(|b| b.is_ascii_digit()) => Some(Some(text.parse().unwrap_or(u64::MAX))),
        _ => None,
    };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(last)) if last.is_none_or(|last: u64| first <= last) => match size.checked_sub(1) {
            Some(end) if first <= end => Part::Bytes { first, last: last.map_or(end, |last| last.min(end)) },
            _ => Part::Beyond,
        },
        // The last so many bytes.
        (Some(None), Some(Some(0))) => Part::Beyond,
        (Some(None), Some(Some(count))) => match size.checked_sub(1) {
            Some(end) => Part::Bytes { first: size.saturating_sub(count), last: end },
            None => Part::Beyond,
        },
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_in_all_its_forms() {
        let bytes = |first, last| Part::Bytes { first, last };
        let table = [
            ("bytes=0-0", 10, bytes(0, 0)),
            ("bytes=2-4", 10, bytes(2, 4)),
            ("bytes=2-", 10, bytes(2, 9)),
            ("bytes=2-99", 10, bytes(2, 9)),
            ("bytes=-3", 10, bytes(7, 9)),
            ("bytes=-30", 10, bytes(0, 9)),
            ("bytes=10-", 10, Part::Beyond),
            ("bytes=-0", 10, Part::Beyond),
            ("bytes=0-", 0, Part::Beyond),
            ("bytes=99999999999999999999-", 10, Part::Beyond),
            ("bytes=4-2", 10, Part::Whole),
            ("bytes=0-1,3-4", 10, Part::Whole),
            ("bytes=-", 10, Part::Whole),
            ("bytes=a-b", 10, Part::Whole),
            ("lines=1-2", 10, Part::Whole),
        ];
        for (header, size, expected) in table {
            assert_eq!(part(header, size), expected, "{header} of {size}");
        }
    }
}
