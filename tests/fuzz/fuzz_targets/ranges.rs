//! `ByteRange::parse` against RFC 9110 section 14, read again: the answer is the same, and lies in the content.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownhands::files::ByteRange;

fuzz_target!(|input: &[u8]| {
    let Some((length, header)) = input.split_first_chunk::<8>() else { return };
    let length = u64::from_be_bytes(*length);
    // Small lengths matter as much as large ones, and are rare among random bytes.
    for length in [length, length >> 32, length >> 48, length >> 61] {
        let range = ByteRange::parse(header, length);
        assert_eq!(range, expected(header, length), "{} of {length}", header.escape_ascii());
        if let ByteRange::Part { offset, length: part } = range {
            assert!(part > 0 && offset.checked_add(part).is_some_and(|end| end <= length));
        }
    }
});

/// As the RFC says it, on text.
fn expected(header: &[u8], length: u64) -> ByteRange {
    let Ok(text) = std::str::from_utf8(header) else {
        // What is no text is no range, wherever the octets stand: no rule has a place for them.
        return ByteRange::Whole;
    };
    let Some((unit, set)) = text.split_once('=') else { return ByteRange::Whole };
    if !unit.eq_ignore_ascii_case("bytes") {
        return ByteRange::Whole;
    }
    let is_space = |character: char| character.is_ascii_whitespace();
    let specs: Vec<&str> = set.split(',').map(|spec| spec.trim_matches(is_space)).filter(|s| !s.is_empty()).collect();
    let [spec] = specs.as_slice() else { return ByteRange::Whole };
    let Some((first, last)) = spec.split_once('-') else { return ByteRange::Whole };
    if !first.chars().chain(last.chars()).all(|character| character.is_ascii_digit()) {
        return ByteRange::Whole;
    }
    // A number beyond 64 bits is as good as the largest one: no content reaches that far.
    let number = |digits: &str| (!digits.is_empty()).then(|| digits.parse::<u64>().unwrap_or(u64::MAX));
    match (number(first), number(last)) {
        (None, None) => ByteRange::Whole,
        (None, Some(0)) => ByteRange::Unsatisfiable,
        (None, Some(_)) if length == 0 => ByteRange::Whole,
        (None, Some(suffix)) => {
            let part = suffix.min(length);
            ByteRange::Part { offset: length - part, length: part }
        }
        (Some(first), Some(last)) if last < first => ByteRange::Whole,
        (Some(first), _) if first >= length => ByteRange::Unsatisfiable,
        (Some(first), None) => ByteRange::Part { offset: first, length: length - first },
        (Some(first), Some(last)) => {
            let end = last.min(length - 1);
            ByteRange::Part { offset: first, length: end - first + 1 }
        }
    }
}
