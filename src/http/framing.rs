//! Where a message ends and what follows it (RFC 9112 sections 6 and 9): the few fields that the
//! server itself must obey.
//!
//! Whatever two programs could read in two ways is refused here: a repeated Content-Length, both kinds of
//! length at once, a transfer coding that is not exactly `chunked`. A difference in reading is how requests
//! are smuggled past a proxy.

use super::field::{list, trim};
use super::target::is_authority;
use super::{HttpError, Limits, Status, Version};

/// How long the body of a request is.
///
/// ```
/// use ownhands::Limits;
/// use ownhands::http::{BodyLength, Progress, decode, slots};
///
/// let wire = b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n";
/// let mut slots = slots();
/// let head = decode(wire, &mut slots, &mut Progress::default(), &Limits::default()).unwrap().unwrap();
/// assert_eq!(head.framing.body, BodyLength::Chunked);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// So many bytes; zero where nothing was said.
    Known(u64),
    /// As the chunks say.
    Chunked,
}

/// What the loop must know of a head, as numbers that outlive the bytes.
///
/// ```
/// use ownhands::Limits;
/// use ownhands::http::{Progress, decode, slots};
///
/// let wire = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
/// let mut slots = slots();
/// let framing = decode(wire, &mut slots, &mut Progress::default(), &Limits::default()).unwrap().unwrap().framing;
/// assert_eq!((framing.head, framing.keep_alive), (wire.len(), false));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Length of the head in bytes, with the empty lines before it and the one after it.
    pub head: usize,
    /// How long the body is.
    pub body: BodyLength,
    /// True if the peer wants another request on this connection.
    pub keep_alive: bool,
    /// True if the peer waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// The version it is served as.
    pub version: Version,
}

/// Reads the fields that frame a message, in one walk. The second value is the Host; an empty one is
/// for the target to allow.
pub(crate) fn read<'a>(
    head: usize,
    version: Version,
    fields: &'a [httparse::Header<'a>],
    limits: &Limits,
) -> Result<(Framing, Option<&'a str>), HttpError> {
    let mut host = None;
    let mut length = None;
    let mut coding = None;
    let mut connection = Connection::default();
    let mut expects_continue = false;
    for field in fields {
        // Most names are told apart by their length alone.
        match field.name.len() {
            4 if field.name.eq_ignore_ascii_case("host") => host = Some(read_host(field.value, host)?),
            6 if field.name.eq_ignore_ascii_case("expect") => expects_continue |= read_expect(field.value, version)?,
            10 if field.name.eq_ignore_ascii_case("connection") => connection.read(field.value),
            14 if field.name.eq_ignore_ascii_case("content-length") => length = Some(read_length(field.value, length)?),
            17 if field.name.eq_ignore_ascii_case("transfer-encoding") => {
                coding = Some(read_coding(field.value, coding)?)
            }
            _ => {}
        }
    }
    if host.is_none() && version == Version::Http11 {
        return Err(HttpError::bad_request("the Host header is missing; HTTP/1.1 asks for it (RFC 9112 3.2)"));
    }
    let body = match (length, coding) {
        (Some(_), Some(_)) => {
            return Err(HttpError::bad_request(
                "the request says both Content-Length and Transfer-Encoding (RFC 9112 6.3)",
            ));
        }
        (None, Some(_)) if version == Version::Http10 => {
            return Err(HttpError::bad_request("HTTP/1.0 has no Transfer-Encoding (RFC 9112 6.1)"));
        }
        (None, Some(coding)) => coding.end()?,
        (Some(length), None) if length > limits.body => return Err(body_too_long(limits)),
        (length, None) => BodyLength::Known(length.unwrap_or(0)),
    };
    let expects_continue = expects_continue && body != BodyLength::Known(0);
    let keep_alive = connection.is_kept(version);
    Ok((Framing { head, body, keep_alive, expects_continue, version }, host))
}

/// 413.
pub(crate) fn body_too_long(limits: &Limits) -> HttpError {
    HttpError::new(Status::CONTENT_TOO_LARGE, format!("the body is longer than {} bytes", limits.body))
}

fn read_host<'a>(value: &'a [u8], before: Option<&str>) -> Result<&'a str, HttpError> {
    if before.is_some() {
        return Err(HttpError::bad_request("the Host header is there more than once (RFC 9112 3.2)"));
    }
    match std::str::from_utf8(value) {
        Ok(host) if host.is_empty() || is_authority(host) => Ok(host),
        _ => Err(HttpError::bad_request("the Host header is no host[:port] (RFC 9110 7.2)")),
    }
}

fn read_expect(value: &[u8], version: Version) -> Result<bool, HttpError> {
    if version == Version::Http10 {
        return Ok(false); // RFC 9110 section 10.1.1: an expectation in HTTP/1.0 is ignored
    }
    let mut expects_continue = false;
    for expectation in list(value) {
        if !expectation.eq_ignore_ascii_case(b"100-continue") {
            let detail = "the only expectation met here is 100-continue (RFC 9110 10.1.1)";
            return Err(HttpError::new(Status::EXPECTATION_FAILED, detail));
        }
        expects_continue = true;
    }
    Ok(expects_continue)
}

fn read_length(value: &[u8], before: Option<u64>) -> Result<u64, HttpError> {
    if before.is_some() {
        return Err(HttpError::bad_request("the Content-Length header is there more than once (RFC 9112 6.3)"));
    }
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(HttpError::bad_request("the Content-Length is not a decimal number (RFC 9110 8.6)"));
    }
    let digits = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
    digits.ok_or_else(|| HttpError::bad_request("the Content-Length is larger than any number here (RFC 9110 8.6)"))
}

/// What the Transfer-Encoding fields have said so far.
#[derive(Clone, Copy)]
struct Coding {
    codings: u32,
    chunked: u32,
    is_chunked_last: bool,
}

impl Coding {
    fn end(self) -> Result<BodyLength, HttpError> {
        match self {
            Coding { codings: 1, chunked: 1, .. } => Ok(BodyLength::Chunked),
            Coding { chunked: 1, is_chunked_last: true, .. } => Err(HttpError::new(
                Status::NOT_IMPLEMENTED,
                "the only Transfer-Encoding understood here is chunked (RFC 9112 6.1)",
            )),
            Coding { chunked: 2.., .. } => {
                Err(HttpError::bad_request("the Transfer-Encoding says chunked more than once (RFC 9112 6.1)"))
            }
            _ => Err(HttpError::bad_request("the Transfer-Encoding does not end in chunked (RFC 9112 6.3)")),
        }
    }
}

fn read_coding(value: &[u8], before: Option<Coding>) -> Result<Coding, HttpError> {
    let mut coding = before.unwrap_or(Coding { codings: 0, chunked: 0, is_chunked_last: false });
    for element in value.split(|&byte| byte == b',').map(trim) {
        if element.is_empty() {
            return Err(HttpError::bad_request("the Transfer-Encoding has an empty element (RFC 9112 6.1)"));
        }
        coding.is_chunked_last = element.eq_ignore_ascii_case(b"chunked");
        coding.codings = coding.codings.saturating_add(1);
        coding.chunked = coding.chunked.saturating_add(u32::from(coding.is_chunked_last));
    }
    Ok(coding)
}

/// What the Connection fields have said so far.
#[derive(Default)]
struct Connection {
    says_close: bool,
    says_keep_alive: bool,
}

impl Connection {
    fn read(&mut self, value: &[u8]) {
        for option in list(trim(value)) {
            self.says_close |= option.eq_ignore_ascii_case(b"close");
            self.says_keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// RFC 9112 section 9.3.
    fn is_kept(&self, version: Version) -> bool {
        !self.says_close && (version == Version::Http11 || self.says_keep_alive)
    }
}
