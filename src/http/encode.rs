//! From a response to bytes (RFC 9112 sections 4, 6 and 7).
//!
//! The fields that follow from the body and the connection are written here and nowhere else, so that an answer can
//! never say one length and send another.

use super::{Method, Now, Response, Status, Version};

/// The interim answer that asks for the body (RFC 9110 section 15.2.1).
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What the answer must know of its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    pub(crate) version: Version,
    pub(crate) is_head: bool,
    pub(crate) keep_alive: bool,
}

impl Delivery {
    pub(crate) fn new(method: Method<'_>, version: Version, keep_alive: bool) -> Self {
        Delivery { version, is_head: method == Method::Head, keep_alive }
    }

    /// For a request that could not be read.
    pub(crate) const REFUSAL: Delivery = Delivery { version: Version::Http11, is_head: false, keep_alive: false };
}

/// How the body goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not at all.
    Absent,
    /// As it is.
    Plain,
    /// In chunks.
    Chunked,
}

/// What was promised in the head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    pub(crate) coding: Coding,
    /// What Content-Length says.
    pub(crate) length: Option<u64>,
    pub(crate) keep_alive: bool,
}

/// Appends the head of the answer to `out`, and says how the body must follow.
pub(crate) fn encode(response: &Response, delivery: Delivery, now: &Now, out: &mut Vec<u8>) -> Promise {
    let status = response.status;
    let length = response.body.len();
    let is_chunked = length.is_none() && delivery.version == Version::Http11 && !status.is_bodiless();
    // Without a length and without chunks, the end of the connection is the end of the body.
    let ends_body_by_close = length.is_none() && !is_chunked && !status.is_bodiless() && !delivery.is_head;
    let keep_alive = delivery.keep_alive && !ends_body_by_close;

    out.reserve(HEAD_GUESS + response.headers.as_wire().len());
    encode_status_line(status, out);
    out.extend_from_slice(now.date_line());
    match (keep_alive, delivery.version) {
        (true, Version::Http11) => {}
        (true, Version::Http10) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
        (false, _) => out.extend_from_slice(b"Connection: close\r\n"),
    }
    match length {
        Some(length) if !status.is_bodiless() => {
            out.extend_from_slice(b"Content-Length: ");
            push_decimal(length, out);
            out.extend_from_slice(b"\r\n");
        }
        None if is_chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        _ => {}
    }
    out.extend_from_slice(response.headers.as_wire());
    out.extend_from_slice(b"\r\n");

    let is_absent = delivery.is_head || status.is_bodiless() || length == Some(0);
    let coding = match (is_absent, is_chunked) {
        (true, _) => Coding::Absent,
        (false, true) => Coding::Chunked,
        (false, false) => Coding::Plain,
    };
    Promise { coding, length, keep_alive }
}

/// Bytes of a head without the response's own fields, rounded up.
const HEAD_GUESS: usize = 192;

fn encode_status_line(status: Status, out: &mut Vec<u8>) {
    if status == Status::OK {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    push_decimal(u64::from(status.code()), out);
    out.push(b' ');
    out.extend_from_slice(status.reason().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn push_decimal(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + u8::try_from(number % 10).unwrap_or(0);
        used += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// Turns what stands in `out` from `start` on into one chunk. Nothing is no chunk: an empty one would end the body.
pub(crate) fn encode_chunk(out: &mut Vec<u8>, start: usize) {
    let length = out.len().saturating_sub(start);
    if length > 0 {
        let size = format!("{length:x}\r\n");
        out.splice(start..start, size.into_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// The chunk that ends a body, and its empty trailer section.
pub(crate) fn encode_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n\r\n");
}
