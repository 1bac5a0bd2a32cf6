//! An answer, as a client reads it.

use crate::http::{ChunkDecoder, Limits};

/// A complete answer.
///
/// ```
/// use ownhands::{App, Request, Response, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/", |_: &Request<'_>| Response::text("hello").with_header("X-Name", "you"))?;
/// let answer = MockClient::new(app).get("/");
/// assert_eq!((answer.status(), answer.header("x-name"), answer.body()), (200, Some("you"), &b"hello"[..]));
/// assert!(answer.headers().any(|(name, _)| name == "Content-Length"));
/// assert!(answer.wire().ends_with(b"\r\nX-Name: you\r\n\r\nhello"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    wire: Vec<u8>,
}

/// How a client knows where the body ends (RFC 9112 section 6.3).
enum Length {
    Known(usize),
    Chunked,
    UntilClose,
}

impl Answer {
    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The value of the first field of that name, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The fields in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The body, without its transfer coding.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text; what is no UTF-8 shows as U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The exact bytes of the answer, head and all.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// Reads one answer from the front of `bytes`. `None`: it is not complete, or is none.
    pub(crate) fn read(bytes: &[u8], answers_head: bool, is_closed: bool) -> Option<Answer> {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(head) = response.parse(bytes).ok()? else { return None };
        let status = response.code?;
        let fields: Vec<(String, Vec<u8>)> =
            response.headers.iter().map(|field| (field.name.to_string(), field.value.to_vec())).collect();
        let rest = bytes.get(head..)?;
        let (body, used) = match length(status, &fields, answers_head) {
            Length::Known(length) => (rest.get(..length)?.to_vec(), length),
            Length::Chunked => {
                let mut rest = rest.to_vec();
                let chunks =
                    ChunkDecoder::new().decode(&mut rest, &Limits { body: u64::MAX, ..Limits::default() }).ok()?;
                rest.truncate(chunks.wrote);
                chunks.is_done.then_some((rest, chunks.read))?
            }
            Length::UntilClose if is_closed => (rest.to_vec(), rest.len()),
            Length::UntilClose => return None,
        };
        Some(Answer { status, fields, body, wire: bytes.get(..head + used)?.to_vec() })
    }
}

fn length(status: u16, fields: &[(String, Vec<u8>)], answers_head: bool) -> Length {
    let field =
        |wanted: &str| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value);
    if answers_head || status < 200 || status == 204 || status == 304 {
        return Length::Known(0);
    }
    if field("transfer-encoding").is_some() {
        return Length::Chunked;
    }
    let digits = field("content-length").and_then(|value| std::str::from_utf8(value).ok());
    digits.and_then(|digits| digits.parse().ok()).map_or(Length::UntilClose, Length::Known)
}
