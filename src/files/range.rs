//! Which part of a file is asked for (RFC 9110 section 14).

/// What a `Range` field asks for, of content of a known length.
///
/// One range of bytes is understood. Several ranges, another unit, or what is no range at all are not an error: the
/// field is ignored and the whole is sent, as section 14.2 allows and asks.
///
/// ```
/// use ownhands::files::ByteRange;
///
/// assert_eq!(ByteRange::parse(b"bytes=0-99", 1000), ByteRange::Part { offset: 0, length: 100 });
/// assert_eq!(ByteRange::parse(b"bytes=-5", 1000), ByteRange::Part { offset: 995, length: 5 });
/// assert_eq!(ByteRange::parse(b"bytes=1000-", 1000), ByteRange::Unsatisfiable);
/// assert_eq!(ByteRange::parse(b"lines=1-2", 1000), ByteRange::Whole);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// No range that is understood: send everything.
    Whole,
    /// A part that lies in the content and is never empty.
    Part {
        /// The first byte.
        offset: u64,
        /// The number of bytes.
        length: u64,
    },
    /// A range that begins behind the end: 416.
    Unsatisfiable,
}

impl ByteRange {
    /// Reads the value of a `Range` field, for content of `length` bytes.
    #[must_use]
    pub fn parse(header: &[u8], length: u64) -> ByteRange {
        only_element(header).and_then(|range| ByteRange::of(range, length)).unwrap_or(ByteRange::Whole)
    }

    fn of(range: &[u8], length: u64) -> Option<ByteRange> {
        let dash = range.iter().position(|&byte| byte == b'-')?;
        let (first, last) = (range.get(..dash)?, range.get(dash + 1..)?);
        if first.is_empty() {
            return Some(ByteRange::suffix(number(last)?, length));
        }
        let first = number(first)?;
        let last = if last.is_empty() { u64::MAX } else { number(last)? };
        if last < first {
            return None;
        }
        if first >= length {
            return Some(ByteRange::Unsatisfiable);
        }
        Some(ByteRange::Part { offset: first, length: last.min(length - 1) - first + 1 })
    }

    /// The last `count` bytes. Of nothing, that is nothing, which no Content-Range can say: the (empty) whole is sent.
    fn suffix(count: u64, length: u64) -> ByteRange {
        match (count, length) {
            (0, _) => ByteRange::Unsatisfiable,
            (_, 0) => ByteRange::Whole,
            _ => ByteRange::Part { offset: length - count.min(length), length: count.min(length) },
        }
    }
}

/// The one range of the set; `None` if the unit is not bytes, or there are several.
fn only_element(header: &[u8]) -> Option<&[u8]> {
    let (unit, set) = header.split_at_checked(6)?;
    if !unit.eq_ignore_ascii_case(b"bytes=") {
        return None;
    }
    let mut elements = set.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty());
    let only = elements.next()?;
    elements.next().is_none().then_some(only)
}

/// One or more digits. A number beyond 64 bits lies behind the end of every file, and so does the largest one within.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(digits.iter().fold(0, add))
}
