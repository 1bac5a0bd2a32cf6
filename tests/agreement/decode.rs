//! What this library makes of requests, for `compare.py` to hold against what another parser makes of them.
//!
//! On stdin: conversations, each the length of its bytes (4 of them, the highest first) and the bytes, all that a
//! client sends before it ends its direction. On stdout, a line of JSON for each: the requests that reached the
//! service, with every text in hexadecimal, and the refusal, if there was one. A conversation that means something else
//! when it comes a byte at a time ends the program.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Read, Write};

use ownhands::testing::MockClient;
use ownhands::{Fragment, HttpError, Request, Response, Service, Status};

/// Writes down what it is asked, and answers with nothing.
#[derive(Default)]
struct Witness {
    requests: RefCell<Vec<String>>,
    refusal: RefCell<Option<String>>,
}

impl Service for Witness {
    fn call(&self, request: &Request<'_>) -> Response {
        self.requests.borrow_mut().push(show(request));
        Response::new(Status::NO_CONTENT)
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        let (status, detail) = (error.status.code(), hex(error.detail.as_bytes()));
        *self.refusal.borrow_mut() = Some(format!("{{\"status\": {status}, \"detail\": {detail}}}"));
        Response::new(error.status)
    }
}

fn show(request: &Request<'_>) -> String {
    let fields: Vec<String> =
        request.headers.iter().map(|(name, value)| format!("[{}, {}]", hex(name.as_bytes()), hex(value))).collect();
    format!(
        "{{\"method\": {}, \"target\": {}, \"version\": {}, \"fields\": [{}], \"body\": {}}}",
        hex(request.method.as_str().as_bytes()),
        hex(request.target.as_bytes()),
        hex(request.version.as_str().as_bytes()),
        fields.join(", "),
        hex(&request.body.bytes().unwrap())
    )
}

/// A JSON string of hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2 + 2);
    text.push('"');
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('"');
    text
}

/// What becomes of a conversation that is cut at these offsets.
fn outcome(wire: &[u8], cuts: &[usize]) -> String {
    let mut client = MockClient::new(Witness::default());
    client.connect();
    client.deliver(wire, cuts);
    client.end();
    let refusal = client.service().refusal.take().unwrap_or_else(|| "null".to_string());
    format!("{{\"requests\": [{}], \"refusal\": {refusal}}}", client.service().requests.take().join(", "))
}

fn main() -> io::Result<()> {
    let mut input = Vec::new();
    io::stdin().read_to_end(&mut input)?;
    let mut output = BufWriter::new(io::stdout().lock());
    let mut rest = input.as_slice();
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let (wire, more) = more.split_at(usize::try_from(u32::from_be_bytes(*length)).unwrap());
        rest = more;
        let whole = outcome(wire, &[]);
        let every_byte: Vec<usize> = (1..wire.len()).collect();
        assert_eq!(outcome(wire, &every_byte), whole, "a byte at a time it is something else: {}", wire.escape_ascii());
        writeln!(output, "{whole}")?;
    }
    output.flush()
}
