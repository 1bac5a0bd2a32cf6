//! From bytes to a head. Incomplete is a value, not an error.
//!
//! Two readers share the work. httparse reads a head that is complete and right in one quick pass; what it does not
//! accept goes to the careful walk in `grammar`, which knows why, and remembers how far it came.

use std::mem::MaybeUninit;

use super::grammar::{self, RequestLine};
use super::target::Target;
use super::{Framing, Headers, HttpError, Limits, Method, Version, framing};

pub use super::grammar::Progress;

/// The most fields a head can have, whatever the limits say.
pub const FIELD_SLOTS: usize = 256;

/// Room for the fields of one head; it lives where the head is used. Its making costs nothing: it is
/// filled only as far as used.
///
/// Its use is shown at [`decode`].
pub struct Slots<'b> {
    quick: [MaybeUninit<httparse::Header<'b>>; FIELD_SLOTS],
    /// For the careful reader alone; empty, and without memory, in the common case.
    careful: Vec<httparse::Header<'b>>,
}

/// Empty room for one head.
#[must_use]
pub const fn slots<'b>() -> Slots<'b> {
    Slots { quick: [const { MaybeUninit::uninit() }; FIELD_SLOTS], careful: Vec::new() }
}

/// A complete head, as a view of the input.
///
/// ```
/// use ownhands::http::{BodyLength, Progress, decode, slots};
/// use ownhands::{Limits, Method};
///
/// let wire = b"PUT /a HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\nhi";
/// let mut slots = slots();
/// let head = decode(wire, &mut slots, &mut Progress::default(), &Limits::default()).unwrap().unwrap();
/// assert_eq!((head.method, head.raw_target, head.authority), (Method::Put, "/a", Some("example.org")));
/// assert_eq!((head.framing.body, &wire[head.framing.head..]), (BodyLength::Known(2), &b"hi"[..]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// What to do.
    pub method: Method<'a>,
    /// The target as sent.
    pub raw_target: &'a str,
    /// The target, taken apart.
    pub target: Target<'a>,
    /// Host and port: of the target, or of the Host field.
    pub authority: Option<&'a str>,
    /// The fields.
    pub headers: Headers<'a>,
    /// Where the message ends, and what follows.
    pub framing: Framing,
}

/// Reads the head of a request. `None`: it is not complete yet.
///
/// `progress` belongs to the request: new for each, and handed in again with every longer `input` until the head is
/// complete, so that a head typed a byte at a time is looked at once.
///
/// # Errors
/// The refusal that the request deserves, with the place and the rule. The connection cannot go on after it.
///
/// ```
/// use ownhands::http::{decode, slots, Progress};
/// use ownhands::Limits;
///
/// let (mut progress, limits) = (Progress::default(), Limits::default());
/// assert!(decode(b"GET / HT", &mut slots(), &mut progress, &limits).unwrap().is_none());
///
/// let mut slots = slots();
/// let head = decode(b"GET / HTTP/1.1\nHost: a\n\n", &mut slots, &mut progress, &limits).unwrap().unwrap();
/// assert_eq!(head.target.path, "/");
/// ```
pub fn decode<'a, 'b: 'a>(
    input: &'b [u8],
    slots: &'a mut Slots<'b>,
    progress: &mut Progress,
    limits: &Limits,
) -> Result<Option<Head<'a>>, HttpError> {
    if progress.at == 0
        && let Some(raw) = quick(input.get(..limits.head).unwrap_or(input), &mut slots.quick, limits)
    {
        progress.has_read_request_line();
        return finish(raw, limits).map(Some);
    }
    let Some(length) = grammar::walk(input, progress, limits)? else { return Ok(None) };
    let head = input.get(..length).unwrap_or(input);
    finish(careful(head, progress.start, &mut slots.careful, limits)?, limits).map(Some)
}

/// The parts of a head, before any field was looked at.
struct RawHead<'a> {
    length: usize,
    method: &'a str,
    target: &'a str,
    version: Version,
    fields: &'a [httparse::Header<'a>],
}

/// The quick reader. `None`: not complete, or not right, or too much; the walk will tell.
fn quick<'a, 'b: 'a>(
    input: &'b [u8],
    slots: &'a mut [MaybeUninit<httparse::Header<'b>>],
    limits: &Limits,
) -> Option<RawHead<'a>> {
    if !input.first().is_some_and(u8::is_ascii_alphabetic) {
        return None; // nothing yet, empty lines to be counted, or noise
    }
    let mut request = httparse::Request::new(&mut []);
    let Ok(httparse::Status::Complete(length)) = request.parse_with_uninit_headers(input, slots) else {
        return None;
    };
    let target = request.path?;
    let is_plain = target.len() <= limits.target
        && request.headers.len() <= limits.fields()
        && target.bytes().all(|byte| byte != b'#' && byte.is_ascii());
    is_plain.then_some(RawHead {
        length,
        method: request.method?,
        target,
        version: if request.version? == 0 { Version::Http10 } else { Version::Http11 },
        fields: request.headers,
    })
}

/// The careful reader, over a head that the walk has found complete and right.
fn careful<'a, 'b: 'a>(
    head: &'b [u8],
    start: usize,
    fields: &'a mut Vec<httparse::Header<'b>>,
    limits: &Limits,
) -> Result<RawHead<'a>, HttpError> {
    let lines = head.get(start..).unwrap_or_default();
    let newline = memchr::memchr(b'\n', lines).unwrap_or(lines.len());
    let (line, section) = lines.split_at_checked(newline + 1).unwrap_or((lines, b""));
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let RequestLine { method, target, version } = RequestLine::parse(line.strip_suffix(b"\r").unwrap_or(line))?;
    fields.resize(limits.fields(), httparse::EMPTY_HEADER);
    match httparse::parse_headers(section, fields) {
        Ok(httparse::Status::Complete((_, fields))) => {
            Ok(RawHead { length: head.len(), method, target, version, fields })
        }
        // The two readers agree on every head that the tests and fuzzers know; if ever they do
        // not, the safe answer is no.
        Ok(httparse::Status::Partial) => Err(HttpError::bad_request("the headers cannot be read as HTTP/1.1")),
        Err(error) => Err(HttpError::bad_request("the headers cannot be read as HTTP/1.1").with_source(error)),
    }
}

/// What can only be judged when the head is complete.
fn finish<'a>(raw: RawHead<'a>, limits: &Limits) -> Result<Head<'a>, HttpError> {
    let method = Method::new(raw.method);
    let target = Target::parse(method, raw.target)?;
    let (framing, host) = framing::read(raw.length, raw.version, raw.fields, limits)?;
    if target.authority.is_none() && host == Some("") {
        return Err(HttpError::bad_request("the Host header is no host[:port]: it is empty (RFC 9110 4.2.1)"));
    }
    Ok(Head {
        method,
        raw_target: raw.target,
        target,
        authority: target.authority.or(host),
        headers: Headers::new(raw.fields),
        framing,
    })
}
