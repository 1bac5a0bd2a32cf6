//! A request, as a test puts it together.

use super::{Answer, MockClient};
use crate::service::Service;

/// A request to be sent by a [`MockClient`], from [`request`](MockClient::request) or [`post`](MockClient::post).
///
/// Nothing is checked: a test may send what no client would. `Host` is added unless it is given, and `Content-Length`
/// where there is a body and neither it nor `Transfer-Encoding` is given.
///
/// ```
/// use ownhands::{App, Request, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("PUT", "/", |request: &Request<'_>| request.text().map(|text| text.to_uppercase()))?;
/// let mut client = MockClient::new(app);
///
/// let answer = client.request("PUT", "/").header("Accept", "*/*").body("hello").send();
/// assert_eq!((answer.status(), answer.body()), (200, &b"HELLO"[..]));
///
/// // The same, as a slow line brings it: every byte is a read of its own.
/// assert_eq!(client.request("PUT", "/").header("Accept", "*/*").body("hello").byte_by_byte().send(), answer);
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent before `send`"]
pub struct MockRequest<'c, S> {
    client: &'c mut MockClient<S>,
    method: String,
    target: String,
    fields: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    is_byte_by_byte: bool,
}

impl<'c, S: Service> MockRequest<'c, S> {
    pub(super) fn new(client: &'c mut MockClient<S>, method: &str, target: &str) -> Self {
        let (method, target) = (method.to_owned(), target.to_owned());
        MockRequest { client, method, target, fields: Vec::new(), body: None, is_byte_by_byte: false }
    }

    /// The same request with one more field, behind those already there.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The same request with this body.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Some(body.as_ref().to_vec());
        self
    }

    /// The same request, brought a byte at a time.
    pub fn byte_by_byte(mut self) -> Self {
        self.is_byte_by_byte = true;
        self
    }

    /// Sends it, and reads the answer. Where the server has ended, a new connection is opened first.
    ///
    /// # Panics
    /// As [`MockClient::send`].
    pub fn send(self) -> Answer {
        let wire = self.wire();
        let cuts: Vec<usize> = if self.is_byte_by_byte { (1..wire.len()).collect() } else { Vec::new() };
        self.client.send(wire, &cuts)
    }

    /// The bytes that would be sent: to be put together into a pipeline.
    #[must_use]
    pub fn wire(&self) -> Vec<u8> {
        let mut wire = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut push = |name: &str, value: &[u8]| {
            wire.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        };
        if !self.has("host") {
            push("Host", b"localhost");
        }
        self.fields.iter().for_each(|(name, value)| push(name, value));
        if let Some(body) = &self.body
            && !self.has("content-length")
            && !self.has("transfer-encoding")
        {
            push("Content-Length", body.len().to_string().as_bytes());
        }
        wire.extend_from_slice(b"\r\n");
        wire.extend_from_slice(self.body.as_deref().unwrap_or_default());
        wire
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }
}
