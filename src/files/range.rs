//! Which parts of a file are asked for (RFC 9110 section 14). It reads a field, and knows nothing of files.

/// What a `Range` field asks for, of content of a known length.
///
/// Another unit, more than [`ELEMENTS`](Self::ELEMENTS) ranges, or what is no range at all are not an error: the field
/// is ignored and the whole is sent, as section 14.2 allows and asks.
///
/// ```
/// use ownhands::files::{ByteRanges, Span};
///
/// let parse = |header: &str| ByteRanges::parse(header.as_bytes(), 10_000);
/// assert_eq!(parse("bytes=0-99"), ByteRanges::One(Span { offset: 0, length: 100 }));
/// assert_eq!(parse("bytes=-5"), ByteRanges::One(Span { offset: 9_995, length: 5 }));
/// assert_eq!(parse("bytes=10000-"), ByteRanges::Unsatisfiable);
/// assert_eq!(parse("lines=1-2"), ByteRanges::Whole);
///
/// let (last, first) = (Span { offset: 9_999, length: 1 }, Span { offset: 0, length: 1 });
/// assert_eq!(parse("bytes=-1, 0-0"), ByteRanges::Several(vec![last, first]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ByteRanges {
    /// No range that is understood: send everything.
    Whole,
    /// One range, or several that are as good as one.
    One(Span),
    /// Two or more, in the order in which they were asked for. No two of them overlap, touch, or lie so near to each
    /// other that a part of its own would cost more than what is between: all of them together, with
    /// [`PART_HEAD`](Self::PART_HEAD) for each, cost no more than the content and one head.
    Several(Vec<Span>),
    /// Every range begins behind the end: 416.
    Unsatisfiable,
}

/// A part that lies in the content and is never empty.
///
/// ```
/// use ownhands::files::Span;
///
/// assert_eq!(Span { offset: 0, length: 500 }.last(), 499);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub offset: u64,
    /// The number of bytes.
    pub length: u64,
}

impl Span {
    /// The last byte, as Content-Range has it.
    #[must_use]
    pub const fn last(self) -> u64 {
        self.end().saturating_sub(1)
    }

    const fn end(self) -> u64 {
        self.offset.saturating_add(self.length)
    }

    /// True if it is dearer to send the two apart than with what is between them.
    const fn is_near(self, other: Span) -> bool {
        let reach = ByteRanges::PART_HEAD;
        self.offset <= other.end().saturating_add(reach) && other.offset <= self.end().saturating_add(reach)
    }

    fn with(self, other: Span) -> Span {
        let offset = self.offset.min(other.offset);
        Span { offset, length: self.end().max(other.end()).saturating_sub(offset) }
    }
}

/// One element of the field, weighed against the length of the content.
enum Asked {
    Part(Span),
    /// Everything there is, which is nothing.
    Nothing,
    Beyond,
}

impl ByteRanges {
    /// Ranges in one field, beyond which it is ignored. Who reads a file in parts asks for a few; who asks for
    /// thousands wants to be a burden (section 17.15).
    pub const ELEMENTS: usize = 64;

    /// Bytes that the boundary and the fields of a part may cost, rounded up.
    pub const PART_HEAD: u64 = 256;

    /// Reads the value of a `Range` field, for content of `length` bytes.
    #[must_use]
    pub fn parse(header: &[u8], length: u64) -> ByteRanges {
        let Some(asked) = elements(header, length) else { return ByteRanges::Whole };
        // Of no content there is no part that Content-Range could name: the (empty) whole is sent.
        if asked.iter().any(|one| matches!(one, Asked::Nothing)) {
            return ByteRanges::Whole;
        }
        let parts = asked.into_iter().filter_map(|one| if let Asked::Part(span) = one { Some(span) } else { None });
        let parts = joined(parts);
        match parts.as_slice() {
            [] => ByteRanges::Unsatisfiable,
            [only] => ByteRanges::One(*only),
            _ => ByteRanges::Several(parts),
        }
    }
}

/// The elements of the set; `None` if the unit is not bytes, there are none or too many, or one of them is no range.
fn elements(header: &[u8], length: u64) -> Option<Vec<Asked>> {
    let (unit, set) = header.split_at_checked(6)?;
    if !unit.eq_ignore_ascii_case(b"bytes=") {
        return None;
    }
    let elements = set.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty());
    let asked: Vec<Asked> =
        elements.take(ByteRanges::ELEMENTS + 1).map(|element| weigh(element, length)).collect::<Option<_>>()?;
    (1..=ByteRanges::ELEMENTS).contains(&asked.len()).then_some(asked)
}

/// One range (section 14.1.2); `None` if it is none.
fn weigh(range: &[u8], length: u64) -> Option<Asked> {
    let dash = range.iter().position(|&byte| byte == b'-')?;
    let (first, last) = (range.get(..dash)?, range.get(dash + 1..)?);
    if first.is_empty() {
        return Some(match number(last)?.min(length) {
            0 if number(last)? > 0 => Asked::Nothing,
            0 => Asked::Beyond,
            count => Asked::Part(Span { offset: length - count, length: count }),
        });
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    if first >= length {
        return Some(Asked::Beyond);
    }
    Some(Asked::Part(Span { offset: first, length: last.min(length - 1) - first + 1 }))
}

/// The same bytes in as few spans as is cheapest. What is joined has the place of its first.
fn joined(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut kept: Vec<Span> = Vec::new();
    for mut span in spans {
        let mut place = kept.len();
        // What has grown may reach others.
        while let Some(near) = kept.iter().position(|other| other.is_near(span)) {
            span = span.with(kept.remove(near));
            place = place.min(near);
        }
        kept.insert(place, span);
    }
    kept
}

/// One or more digits. A number beyond 64 bits lies behind the end of every file, and so does the largest one within.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(digits.iter().fold(0, add))
}
