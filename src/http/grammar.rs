//! The careful reading of a head: line by line, as the grammar of RFC 9112 has it, with a sentence
//! for every way to be wrong.
//!
//! httparse reads the heads that are complete and right, which is nearly all of them. This walk reads the others: heads
//! that arrive in pieces, and heads that are wrong. It judges each line when the line is complete, and the bytes of a
//! line as they come, so that noise is refused at once; and it judges in the order of the bytes, so that the same
//! request gets the same answer however it was cut on its way.

use memchr::memchr;

use super::field::{is_token, is_token_byte, is_value_byte};
use super::{HttpError, Limits, Status, Version};

/// How far a head was read. A byte is looked at once, however the head is cut; positions are offsets into the input.
///
/// ```
/// use ownhands::Limits;
/// use ownhands::http::{Progress, decode, slots};
///
/// let wire = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// let (mut progress, limits) = (Progress::default(), Limits::default());
/// let is_complete = |end: usize| decode(&wire[..end], &mut slots(), &mut progress, &limits).unwrap().is_some();
/// assert_eq!((1..=wire.len()).map(is_complete).filter(|&is_complete| is_complete).count(), 1); // the last
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where the request line begins: after the empty lines that are skipped before it.
    pub(crate) start: usize,
    /// Bytes looked at.
    pub(crate) at: usize,
    /// Where the line that is not complete begins.
    line_start: usize,
    /// Complete lines, the request line included.
    lines: usize,
    /// Empty lines skipped before the request line.
    empty_lines: u8,
}

/// Empty lines skipped before a request line (RFC 9112 section 2.2 asks for at least one; a person at a telnet prompt
/// presses Enter more than once).
const MAX_EMPTY_LINES: u8 = 16;

impl Progress {
    /// Notes that the request line was read and is right: the quick reader says so of a whole head.
    pub(crate) fn has_read_request_line(&mut self) {
        self.lines = self.lines.max(1);
    }

    /// True if the request line of this input was read, is right, and asks for HEAD. What is refused after it gets no
    /// body; of what is refused before, nobody can say, and the answer must not depend on what else has come already.
    pub(crate) fn asks_for_head(&self, input: &[u8]) -> bool {
        self.lines > 0 && input.get(self.start..).is_some_and(|line| line.starts_with(b"HEAD "))
    }

    /// Leaves behind the empty lines before the request line, which the caller drops from the input: their length. They
    /// are no part of a request, and who has sent nothing else has sent none.
    pub(crate) fn leave_empty_lines(&mut self) -> usize {
        let length = std::mem::take(&mut self.start);
        self.at = self.at.saturating_sub(length);
        self.line_start = self.line_start.saturating_sub(length);
        length
    }
}

/// Reads on from where the last walk stopped. `Some` is the length of the complete head.
pub(crate) fn walk(input: &[u8], progress: &mut Progress, limits: &Limits) -> Result<Option<usize>, HttpError> {
    loop {
        // The empty lines before a request do not count as its head: they may have been left behind.
        let within = input.get(..progress.start.saturating_add(limits.head)).unwrap_or(input);
        let rest = within.get(progress.at..).unwrap_or_default();
        let newline = memchr(b'\n', rest).map(|index| progress.at + index);
        let end = newline.unwrap_or(within.len());
        let line = within.get(progress.line_start..end).unwrap_or_default();
        let fresh = progress.at.saturating_sub(progress.line_start);
        let number = progress.lines + 1;
        match number {
            1 => check_request_line_bytes(line, fresh, limits)?,
            _ => check_field_bytes(line, fresh, number)?,
        }
        let Some(newline) = newline else {
            if input.len() > within.len() {
                return Err(head_too_long(limits));
            }
            // A final CR is judged when the byte after it is here.
            progress.at = if line.ends_with(b"\r") { end - 1 } else { end };
            return Ok(None);
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        progress.at = newline + 1;
        progress.line_start = progress.at;
        match (line.is_empty(), progress.lines) {
            (true, 0) => {
                progress.empty_lines += 1;
                progress.start = progress.at;
                if progress.empty_lines > MAX_EMPTY_LINES {
                    return Err(HttpError::bad_request(format!(
                        "more than {MAX_EMPTY_LINES} empty lines came before the request line"
                    )));
                }
            }
            (true, _) => return Ok(Some(progress.at)),
            (false, 0) => {
                RequestLine::parse(line)?;
                progress.lines = 1;
            }
            (false, _) => {
                check_field_line(line, number)?;
                progress.lines = number;
                if number - 1 > limits.fields() {
                    return Err(too_many_fields(limits));
                }
            }
        }
    }
}

/// 431 for the number of fields.
pub(crate) fn too_many_fields(limits: &Limits) -> HttpError {
    let detail = format!("the head has more than {} fields", limits.fields());
    HttpError::new(Status::HEADER_FIELDS_TOO_LARGE, detail)
}

/// 414.
pub(crate) fn target_too_long(limits: &Limits) -> HttpError {
    HttpError::new(Status::URI_TOO_LONG, format!("line 1: the target is longer than {} bytes", limits.target))
}

/// 431 for the length of the head.
pub(crate) fn head_too_long(limits: &Limits) -> HttpError {
    let detail = format!("the head is longer than {} bytes", limits.head);
    HttpError::new(Status::HEADER_FIELDS_TOO_LARGE, detail)
}

/// `method SP request-target SP HTTP-version` (RFC 9112 section 3).
pub(crate) struct RequestLine<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) version: Version,
}

impl<'a> RequestLine<'a> {
    /// Parses a line without its end, whose bytes were checked.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, HttpError> {
        let wrong = |what: &str| Err(HttpError::bad_request(format!("line 1: {what}")));
        let Ok(line) = std::str::from_utf8(line) else {
            return wrong("it is not ASCII");
        };
        let Some((method, rest)) = line.split_once(' ') else {
            return wrong(
                "a request line is a method, a target and a version, with single spaces between (RFC 9112 3)",
            );
        };
        if !is_token(method.as_bytes()) {
            return wrong(
                "it does not begin with a method, which is letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 9.1)",
            );
        }
        let Some((target, version)) = rest.split_once(' ') else {
            return wrong("the version is missing after the target; HTTP/0.9 is not spoken here (RFC 9112 3)");
        };
        if target.is_empty() || version.starts_with(' ') {
            return wrong("there is more than one space between two of its parts (RFC 9112 3)");
        }
        if version.contains(' ') {
            return wrong("there is a space too many: in the target, or after the version (RFC 9112 3.2)");
        }
        let version = match version.as_bytes() {
            b"HTTP/2.0" if method == "PRI" => {
                return wrong("this is how HTTP/2 begins; here HTTP/1.1 is spoken (RFC 9113 3.4)");
            }
            b"HTTP/1.0" => Version::Http10,
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9'] => Version::Http11,
            [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
                let detail = "line 1: only HTTP/1.1 and HTTP/1.0 are spoken here (RFC 9112 2.3)";
                return Err(HttpError::new(Status::VERSION_NOT_SUPPORTED, detail));
            }
            _ => return wrong("it does not end in a version such as HTTP/1.1, in capitals (RFC 9112 2.3)"),
        };
        Ok(RequestLine { method, target, version })
    }
}

/// Judges the bytes of the request line from `fresh` on: visible ASCII and spaces, no `#`, a target within its limit.
fn check_request_line_bytes(line: &[u8], fresh: usize, limits: &Limits) -> Result<(), HttpError> {
    let target_start = memchr(b' ', line).map_or(line.len(), |space| space + 1);
    let target = line.get(target_start..).unwrap_or_default();
    let longest = limits.target.saturating_add(1);
    let is_too_long = target.len() > limits.target && memchr(b' ', target.get(..longest).unwrap_or(target)).is_none();
    // What lies beyond the limit is not judged: it may not be here yet.
    let judged =
        if is_too_long { line.get(..target_start.saturating_add(limits.target)).unwrap_or(line) } else { line };
    for (index, &byte) in judged.iter().enumerate().skip(fresh) {
        let what = match byte {
            b' '..=b'"' | b'$'..=b'~' => continue,
            b'\r' if is_line_end(line, index) => continue,
            b'#' if index < target_start => continue,
            b'#' => "is #, which begins a fragment and is never sent (RFC 9112 3.2)",
            b'\r' => "is a carriage return without a line feed after it (RFC 9112 2.2)",
            0x80.. => "is not ASCII; in a target it would be percent-encoded (RFC 3986 2.1)",
            _ => "is a control character; this is not HTTP",
        };
        return Err(HttpError::bad_request(format!("line 1: byte {} {what}", index + 1)));
    }
    if is_too_long { Err(target_too_long(limits)) } else { Ok(()) }
}

/// Judges the bytes of a field line from `fresh` on.
fn check_field_bytes(line: &[u8], fresh: usize, number: usize) -> Result<(), HttpError> {
    for (index, &byte) in line.iter().enumerate().skip(fresh) {
        let what = match byte {
            b'\r' if is_line_end(line, index) => continue,
            b'\r' => "is a carriage return without a line feed after it (RFC 9112 2.2)",
            byte if is_value_byte(byte) => continue,
            _ => "is a control character (RFC 9110 5.5)",
        };
        return Err(HttpError::bad_request(format!("line {number}: byte {} {what}", index + 1)));
    }
    Ok(())
}

/// A CR that is the last byte here: the line feed follows, or is still to come.
fn is_line_end(line: &[u8], index: usize) -> bool {
    index + 1 == line.len()
}

/// `field-name ":" OWS field-value OWS` (RFC 9112 section 5), of a line without its end, whose bytes were checked.
fn check_field_line(line: &[u8], number: usize) -> Result<(), HttpError> {
    let wrong = |what: &str| Err(HttpError::bad_request(format!("line {number}: {what}")));
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return if number == 2 {
            wrong("white space comes before the first header (RFC 9112 2.2)")
        } else {
            wrong("it begins with white space; headers are no longer folded over lines (RFC 9112 5.2)")
        };
    }
    let Some(colon) = memchr(b':', line) else {
        return wrong("there is no colon; a header is a name, a colon and a value (RFC 9112 5)");
    };
    let name = line.get(..colon).unwrap_or_default();
    match name.iter().find(|&&byte| !is_token_byte(byte)) {
        None if name.is_empty() => wrong("the header's name is missing before the colon (RFC 9112 5)"),
        None => Ok(()),
        Some(b' ' | b'\t') if is_token(name.trim_ascii_end()) => {
            wrong("there is a space between the header's name and its colon (RFC 9112 5.1)")
        }
        Some(b' ' | b'\t') => wrong("there is white space in the header's name (RFC 9110 5.1)"),
        Some(byte) => wrong(&format!("the header's name has {} in it (RFC 9110 5.1)", byte.escape_ascii())),
    }
}
