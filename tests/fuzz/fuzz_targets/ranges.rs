//! `ByteRanges::parse` against RFC 9110 section 14, read again: what is asked for lies in the parts, the parts lie in
//! the content, and all of them together cost no more than the content and one head.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownhands::files::ByteRanges;

fuzz_target!(|input: &[u8]| {
    let Some((length, header)) = input.split_first_chunk::<8>() else { return };
    let length = u64::from_be_bytes(*length);
    // Small lengths matter as much as large ones, and are rare among random bytes.
    for length in [length, length >> 32, length >> 48, length >> 61] {
        let shown = || format!("{} of {length}", header.escape_ascii());
        let expected = expected(header, length);
        let spans = match (ByteRanges::parse(header, length), &expected) {
            (ByteRanges::Whole, Expected::Whole) => continue,
            (ByteRanges::Unsatisfiable, Expected::Parts(parts)) if parts.is_empty() => continue,
            (ByteRanges::One(span), Expected::Parts(_)) => vec![span],
            (ByteRanges::Several(spans), Expected::Parts(_)) if spans.len() > 1 => spans,
            (ranges, _) => panic!("{ranges:?}, not {expected:?}: {}", shown()),
        };
        let Expected::Parts(asked) = expected else { continue };
        let mut sorted: Vec<(u64, u64)> = spans.iter().map(|span| (span.offset, span.last())).collect();
        sorted.sort_unstable();
        assert!(sorted.iter().all(|(first, last)| first <= last && *last < length), "{}", shown());
        let is_apart = |pair: &[(u64, u64)]| pair[1].0.saturating_sub(pair[0].1) > ByteRanges::PART_HEAD;
        assert!(sorted.windows(2).all(is_apart), "{}", shown());
        // Each that was asked for lies in one part; the first of a part's comes before the first of the next part's.
        let place = |&(first, last): &(u64, u64)| {
            let found = spans.iter().position(|span| span.offset <= first && last <= span.last());
            found.unwrap_or_else(|| panic!("{first}-{last} is not sent: {}", shown()))
        };
        let places: Vec<usize> = asked.iter().map(place).collect();
        let mut firsts = places.clone();
        let mut seen = vec![false; spans.len()];
        firsts.retain(|&place| !std::mem::replace(&mut seen[place], true));
        assert_eq!(firsts, (0..spans.len()).collect::<Vec<_>>(), "{}", shown());
        // A part begins and ends with what was asked for.
        for span in &spans {
            assert!(asked.iter().any(|(first, _)| *first == span.offset), "{}", shown());
            assert!(asked.iter().any(|(_, last)| *last == span.last()), "{}", shown());
        }
    }
});

#[derive(Debug)]
enum Expected {
    Whole,
    /// First and last byte of each that is satisfiable.
    Parts(Vec<(u64, u64)>),
}

/// As the RFC says it, on text.
fn expected(header: &[u8], length: u64) -> Expected {
    // What is no text is no range, wherever the octets stand: no rule has a place for them.
    let Ok(text) = std::str::from_utf8(header) else { return Expected::Whole };
    let Some((unit, set)) = text.split_once('=') else { return Expected::Whole };
    if !unit.eq_ignore_ascii_case("bytes") {
        return Expected::Whole;
    }
    let is_space = |character: char| character.is_ascii_whitespace();
    let specs: Vec<&str> = set.split(',').map(|spec| spec.trim_matches(is_space)).filter(|s| !s.is_empty()).collect();
    if specs.is_empty() || specs.len() > ByteRanges::ELEMENTS {
        return Expected::Whole;
    }
    let mut parts = Vec::new();
    for spec in specs {
        let Some((first, last)) = spec.split_once('-') else { return Expected::Whole };
        if !first.chars().chain(last.chars()).all(|character| character.is_ascii_digit()) {
            return Expected::Whole;
        }
        // A number beyond 64 bits is as good as the largest one: no content reaches that far.
        let number = |digits: &str| (!digits.is_empty()).then(|| digits.parse::<u64>().unwrap_or(u64::MAX));
        match (number(first), number(last)) {
            (None, None) => return Expected::Whole,
            (Some(first), Some(last)) if last < first => return Expected::Whole,
            (None, Some(0)) => {}
            // The last bytes of nothing, which no Content-Range can name: whatever the others are, the whole is sent.
            (None, Some(_)) if length == 0 => return Expected::Whole,
            (None, Some(suffix)) => parts.push((length - suffix.min(length), length - 1)),
            (Some(first), _) if first >= length => {}
            (Some(first), last) => parts.push((first, last.unwrap_or(u64::MAX).min(length - 1))),
        }
    }
    Expected::Parts(parts)
}
