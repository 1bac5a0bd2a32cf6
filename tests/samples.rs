//! What several subjects share: a table of conversations, good and bad, the service that answers them, and who asks it.

use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ownhands::testing::MockClient;
use ownhands::{
    Body, Bytes, Exchange, FileRange, Fragment, HttpError, Method, Produced, Request, Response, Service, Source, Status,
};

/// What one client says on one connection, and the statuses it gets, in order.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) wire: &'static [u8],
    pub(crate) statuses: &'static [u16],
}

const fn sample(name: &'static str, wire: &'static [u8], statuses: &'static [u16]) -> Sample {
    Sample { name, wire, statuses }
}

/// Conversations with [`Echo`]. Whatever way their bytes are cut, the answers are the same bytes.
pub(crate) const SAMPLES: &[Sample] = &[
    // One request.
    sample("nothing at all", b"", &[]),
    sample("a request", b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n", &[200]),
    sample("lines that end in LF alone", b"GET /a HTTP/1.1\nHost: a\nX: y\n\n", &[200]),
    sample("line ends of both kinds", b"GET /a HTTP/1.1\nHost: a\r\nX: y\n\r\n", &[200]),
    sample("empty lines before it", b"\r\n\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", &[200]),
    sample("HTTP/1.0", b"GET /a HTTP/1.0\r\n\r\n", &[200]),
    sample("HEAD", b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", &[200]),
    sample("an encoded path and a query", b"GET /%61%20b?c=%64 HTTP/1.1\r\nHost: a\r\n\r\n", &[200]),
    sample("an absolute target", b"GET http://b:80/a HTTP/1.1\r\nHost: a\r\n\r\n", &[200]),
    sample("the target *", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &[200]),
    sample("a method of its own", b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", &[200]),
    sample("an answer without a body", b"GET /204 HTTP/1.1\r\nHost: a\r\n\r\n", &[204]),
    sample("an answer in chunks", b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", &[200]),
    sample("an answer that ends with the connection", b"GET /stream HTTP/1.0\r\n\r\n", &[200]),
    sample("an answer in slices of a known length", b"GET /sized HTTP/1.1\r\nHost: a\r\n\r\n", &[200]),
    sample(
        "the same to HTTP/1.0, and a request behind it",
        b"GET /sized HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /a HTTP/1.0\r\n\r\n",
        &[200, 200],
    ),
    sample(
        "an answer longer than it promised",
        b"GET /sized-too-many HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        &[200],
    ),
    // Bodies.
    sample("a body", b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", &[200]),
    sample("a body of line ends", b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\r\n", &[200]),
    sample("an empty body", b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", &[200]),
    sample(
        "a body in chunks",
        b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n02;x=\"y\"\r\nlo\r\n0\r\nSum: 1\r\n\r\n",
        &[200],
    ),
    sample("no chunks", b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &[200]),
    sample("a body that was asked for", b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi", &[200]),
    // Several requests.
    sample("two in a row", b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", &[200, 200]),
    sample(
        "a body, and a request behind it",
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
        &[200, 200],
    ),
    sample(
        "chunks, and a request behind them",
        b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
        &[200, 200],
    ),
    sample(
        "one of each",
        b"GET /a HTTP/1.1\nHost: a\n\nHEAD /b HTTP/1.1\r\nHost: a\r\n\r\n\r\nPOST /c HTTP/1.1\r\nHost: a\r\n\
          Content-Length: 3\r\n\r\nabcGET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\n\
          GET /d HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /e HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        &[200, 200, 200, 200, 204, 200, 200],
    ),
    sample("nothing is answered after close", b"GET /a HTTP/1.0\r\n\r\nGET /b HTTP/1.0\r\n\r\n", &[200]),
    // Refused.
    sample("a good one, then a bad one", b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b\r\n\r\n", &[200, 400]),
    sample("a bad one, then a good one", b"GET /a HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
    sample("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &[400]),
    sample("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[400]),
    sample("HTTP/0.9", b"GET /\r\n", &[400]),
    sample("another version", b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", &[505]),
    sample("a control character", b"GET /a\x01b HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
    sample("a carriage return alone", b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", &[400]),
    sample("a folded line", b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", &[400]),
    sample("a space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", &[400]),
    sample("no colon", b"GET / HTTP/1.1\r\nHost\r\n\r\n", &[400]),
    sample("dot segments", b"GET /a/%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
    sample("CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", &[405]),
    sample("an expectation not met", b"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", &[417]),
    sample("a coding not known", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", &[501]),
    sample("two lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", &[400]),
    sample("a body too long", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\nhello", &[413]),
    sample("an upload not admitted", b"POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", &[403]),
    sample(
        "chunks that are none",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nx\r\n\r\n",
        &[400],
    ),
    sample(
        "chunks too long",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n100000\r\n",
        &[413],
    ),
    // Cut off.
    sample("half a head", b"GET / HTTP/1.1\r\nHo", &[400]),
    sample("half a body", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel", &[400]),
    sample("chunks without an end", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", &[400]),
];

/// The statuses of the final answers in what a server has sent. It looks for status lines, so it
/// is for bodies without any.
pub(crate) fn statuses(sent: &[u8]) -> Vec<u16> {
    let lines = String::from_utf8_lossy(sent).into_owned();
    let codes = lines.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)?.parse().ok());
    codes.filter(|&code: &u16| code >= 200).collect()
}

/// Answers with what it was asked, or as the path says.
#[derive(Default)]
pub(crate) struct Echo {
    /// Requests answered.
    pub(crate) calls: Cell<usize>,
    /// Exchanges told of; `None` where nobody wants to be told.
    pub(crate) exchanges: Option<RefCell<Vec<Exchange>>>,
    /// What `/file` sends.
    pub(crate) file: Option<FileRange>,
}

/// Length of what `/big` sends: more than one turn's share, and more than a write takes.
pub(crate) const BIG: usize = 700_000;

/// The content of `/big`: a pattern, so that a slice lost or sent twice shows.
pub(crate) fn big() -> Vec<u8> {
    (0..BIG).map(|index| b'a' + u8::try_from((index + index / 251) % 26).unwrap()).collect()
}

impl Echo {
    pub(crate) fn observed() -> Self {
        Echo { exchanges: Some(RefCell::default()), ..Echo::default() }
    }

    pub(crate) fn with_file(file: std::fs::File, offset: u64, length: u64) -> Self {
        Echo { file: Some(FileRange { file: Arc::new(file), offset, length }), ..Echo::default() }
    }
}

impl Service for Echo {
    fn call(&self, request: &Request<'_>) -> Response {
        self.calls.set(self.calls.get() + 1);
        match request.path {
            "/204" => Response::text("never sent").with_status(Status::NO_CONTENT),
            "/304" => Response::text("never sent").with_status(Status::NOT_MODIFIED),
            "/empty" => Response::new(Status::OK),
            "/big" => Response::bytes(big()),
            "/big-static" => Response::new(Status::OK).with_body(Body::Bytes(Bytes::Static(&[b'x'; 100_000]))),
            "/big-shared" => Response::new(Status::OK).with_body(Body::Bytes(Bytes::Shared(big().into()))),
            "/file" => Response::file(self.file.clone().unwrap()),
            "/stream" => Response::stream(Count { next: 1, last: 3, fails_at: 0, length: None }),
            "/stream-long" => Response::stream(Count { next: 1, last: 50_000, fails_at: 0, length: None }),
            "/stream-fails" => Response::stream(Count { next: 1, last: 9, fails_at: 3, length: None }),
            "/sized" => Response::stream(Count { next: 1, last: 3, fails_at: 0, length: Some(6) }),
            "/sized-long" => {
                let length = Some(counted(50_000).len() as u64);
                Response::stream(Count { next: 1, last: 50_000, fails_at: 0, length })
            }
            "/sized-nothing" => Response::stream(Count { next: 1, last: 9, fails_at: 1, length: Some(0) }),
            "/sized-fails" => Response::stream(Count { next: 1, last: 3, fails_at: 3, length: Some(6) }),
            "/sized-too-few" => Response::stream(Count { next: 1, last: 3, fails_at: 0, length: Some(7) }),
            "/sized-too-many" => Response::stream(Count { next: 1, last: 3, fails_at: 0, length: Some(5) }),
            "/sleepy" => Response::stream(Sleepy),
            "/headers" => {
                let show = |(name, value): (&str, &[u8])| format!("{name}={}\n", String::from_utf8_lossy(value));
                Response::text(request.headers.iter().map(show).collect::<String>())
            }
            path if request.method == Method::Post && path == "/length" => {
                Response::text(request.body.len().to_string())
            }
            path => {
                let authority = request.authority.unwrap_or("-");
                let bytes = request.body.bytes().unwrap();
                let body = String::from_utf8_lossy(&bytes);
                Response::text(format!("{} {authority} {path} {body}", request.method))
            }
        }
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        Response::text(format!("{error}\n")).with_status(error.status).with_headers(error.headers.clone())
    }

    fn admit(&self, request: &Request<'_>) -> Option<Response> {
        assert!(request.body.is_empty(), "the body is not here when a request is admitted");
        (request.path == "/refused").then(|| Response::text("nothing is taken here\n").with_status(Status::FORBIDDEN))
    }

    fn wants_exchanges(&self) -> bool {
        self.exchanges.is_some()
    }

    fn observe(&self, exchange: &Exchange) {
        if let Some(exchanges) = &self.exchanges {
            exchanges.borrow_mut().push(exchange.clone());
        }
    }
}

/// A body of numbers, one a line and a slice; now and then a slice is empty.
struct Count {
    next: u32,
    last: u32,
    fails_at: u32,
    /// What it promises.
    length: Option<u64>,
}

impl Source for Count {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        if self.next == self.fails_at {
            return Err(io::Error::other("the well is dry"));
        }
        // Long streams count by the hundred, so that a test of them is short.
        let slice = if self.last > 1000 { 100 } else { 1 };
        for _ in 0..slice {
            out.extend_from_slice(format!("{}\n", self.next).as_bytes());
            self.next += 1;
        }
        Ok(if self.next <= self.last { Produced::More } else { Produced::All })
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}

/// A line a minute, without end.
struct Sleepy;

impl Source for Sleepy {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        out.extend_from_slice(b"zzz\n");
        Ok(Produced::Later(Duration::from_secs(60)))
    }
}

/// What a [`Count`] to `last` makes.
pub(crate) fn counted(last: u32) -> Vec<u8> {
    (1..=last).flat_map(|number| format!("{number}\n").into_bytes()).collect()
}

/// The interim answer that asks for a body.
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

pub(crate) fn client() -> MockClient<Echo> {
    MockClient::new(Echo::default())
}

/// A client whose server cannot write before it is unblocked, and tells of exchanges.
pub(crate) fn blocked() -> MockClient<Echo> {
    let mut client = MockClient::new(Echo::observed());
    client.connect();
    client.transport_mut().unwrap().accept_writes([0]);
    client
}

/// The head of an upload of that length; its body follows by hand.
pub(crate) fn upload(length: usize) -> String {
    format!("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What was received, without its head.
pub(crate) fn after_head(received: &[u8]) -> &[u8] {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n").expect("a complete head");
    &received[end + 4..]
}
