//! Layer 2: the seam between who speaks and who answers.
//!
//! A connection knows nothing of routes or files, and an application nothing of sockets: they meet in [`Service`].

pub(crate) mod crew;
pub mod upstream;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use crate::http::{Headers, HttpError, Now, Request, Response, Status, Tick, names_html};

use self::upstream::Upstream;

/// What answers requests. [`App`](crate::App) is one; a test may bring its own.
///
/// Everything is called on the loop's one thread: a service that takes a second holds every peer for a second.
///
/// ```
/// use ownhands::{Fragment, HttpError, Request, Response, Service, testing::MockClient};
///
/// struct Echo;
///
/// impl Service for Echo {
///     fn call(&self, request: &Request<'_>) -> Response {
///         Response::bytes(request.body.bytes().unwrap_or_default())
///     }
///     fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
///         Response::text(error.to_string()).with_status(error.status)
///     }
/// }
///
/// let mut client = MockClient::new(Echo);
/// let answer = client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", &[]);
/// assert_eq!(answer.body(), b"hi");
/// ```
pub trait Service {
    /// Answers a complete request.
    fn call(&self, request: &Request<'_>) -> Response;

    /// Finishes an answer that was [deferred](Request::defer): what its handle was given, or why it was given nothing.
    fn finish(&self, request: &Request<'_>, outcome: Result<Response, HttpError>) -> Response {
        outcome.unwrap_or_else(|error| self.refuse(&error, &Fragment::new(request.peer, request.target.as_bytes())))
    }

    /// Answers what could not be read as a request. The connection closes after it.
    fn refuse(&self, error: &HttpError, fragment: &Fragment<'_>) -> Response;

    /// Asked when a head is complete and its body is still to come; `request.body` is empty. An answer given
    /// here is sent at once, without reading what would be thrown away, and the connection closes after it.
    /// `None` lets the body come.
    fn admit(&self, request: &Request<'_>) -> Option<Response> {
        let _ = request;
        None
    }

    /// Who asks, when this peer sends a request with these fields. By default the peer; a service that knows the
    /// proxies before it may find the client that they speak for, as [`Trust`](crate::http::Trust) does.
    fn client(&self, headers: Headers<'_>, peer: Option<SocketAddr>) -> Option<IpAddr> {
        let _ = headers;
        peer.map(|peer| peer.ip().to_canonical())
    }

    /// True if [`observe`](Service::observe) is to be called. Telling costs memory for each exchange.
    fn wants_exchanges(&self) -> bool {
        false
    }

    /// Told of each exchange when its answer is over, whether it was sent whole or not.
    fn observe(&self, exchange: &Exchange) {
        let _ = exchange;
    }

    /// Told at the beginning of each turn of the loop; says when the loop must turn again even if nobody comes.
    fn begin_turn(&self, now: &Now) -> Tick {
        let _ = now;
        Tick::NEVER
    }

    /// Told at the end of each turn of the loop: the time to write out what was gathered.
    fn end_turn(&self) {}

    /// The next one of those whom this service has begun to ask, and who has not been taken in by the loop. It is asked
    /// in each turn, until it says `None`.
    fn upstream(&self) -> Option<Box<dyn Upstream>> {
        None
    }
}

/// What there is of a request that could not be read to its end.
///
/// ```
/// use ownhands::Fragment;
///
/// let fragment = Fragment::new(None, b"GET / HTTP/1.1\r\nAccept: text/html\r\nBad Field: a");
/// assert!(fragment.wants_html());
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Fragment<'a> {
    /// Where it came from.
    pub peer: Option<SocketAddr>,
    /// The bytes received, from the request line on. Any bytes may be in it.
    pub received: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// A fragment for the test of a service.
    #[must_use]
    pub fn new(peer: Option<SocketAddr>, received: &'a [u8]) -> Self {
        Fragment { peer, received }
    }

    /// True if there seems to be an Accept field in it that asks for a page, as [`Request::wants_html`] has
    /// it: a browser whose cookies are too many should see one, and its request never becomes one that
    /// could be asked properly.
    #[must_use]
    pub fn wants_html(&self) -> bool {
        let value = |line: &'a [u8]| {
            let (name, value) = line.trim_ascii_end().split_at_checked(7)?;
            name.eq_ignore_ascii_case(b"accept:").then_some(value)
        };
        names_html(self.received.split(|&byte| byte == b'\n').filter_map(value))
    }
}

/// One request and its answer, as a log wants to know them.
///
/// ```
/// use ownhands::{App, Exchange, testing::MockClient};
/// use std::{cell::RefCell, rc::Rc};
///
/// let lines = Rc::new(RefCell::new(Vec::new()));
/// let seen = Rc::clone(&lines);
/// let mut app = App::new();
/// app.add_observer(move |exchange: &Exchange| {
///     let line = String::from_utf8_lossy(&exchange.line).into_owned();
///     seen.borrow_mut().push(format!("{line}: {}, {} bytes", exchange.status.code(), exchange.sent));
/// });
/// MockClient::new(app).get("/cake");
/// assert_eq!(*lines.borrow(), ["GET /cake HTTP/1.1: 404, 38 bytes"]);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// Who asked, as [`Request::client`] has it; of what could not be read as a request, who is connected.
    pub client: Option<IpAddr>,
    /// Who is connected.
    pub peer: Option<SocketAddr>,
    /// The request line as received, without its end; of noise, its beginning. Any bytes may be in it.
    pub line: Box<[u8]>,
    /// The Referer field, as received.
    pub referer: Option<Box<[u8]>>,
    /// The User-Agent field, as received.
    pub agent: Option<Box<[u8]>>,
    /// The X-Request-Id of the answer, if it has one.
    pub id: Option<Box<[u8]>>,
    /// The status answered.
    pub status: Status,
    /// Bytes of the body that were handed to the kernel, chunk framing included.
    pub sent: u64,
    /// When the answer was over.
    pub ended: SystemTime,
    /// From the first byte of the request to the last of the answer.
    pub took: Duration,
}

impl Exchange {
    /// An exchange for the test of an observer.
    #[must_use]
    pub fn new(line: impl Into<Box<[u8]>>, status: Status) -> Self {
        Exchange {
            client: None,
            peer: None,
            line: line.into(),
            referer: None,
            agent: None,
            id: None,
            status,
            sent: 0,
            ended: SystemTime::UNIX_EPOCH,
            took: Duration::ZERO,
        }
    }
}

/// The field that carries the name of an answer. No RFC knows it, nearly every proxy does.
pub(crate) const REQUEST_ID: &str = "X-Request-Id";

/// What a route calls.
///
/// ```
/// use ownhands::{App, Handler, Response, Route, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let table: [(&str, Handler); 2] = [
///     ("/text", Box::new(|_| Ok(Response::text("hello")))),
///     ("/page", Box::new(|_| Ok(Response::html("<h1>hello</h1>")))),
/// ];
/// let mut app = App::new();
/// for (path, handler) in table {
///     app.add(Route::new("GET", path, handler)?)?;
/// }
/// assert_eq!(MockClient::new(app).get("/page").text(), "<h1>hello</h1>");
/// # Ok(()) }
/// ```
pub type Handler = Box<dyn Fn(&Request<'_>) -> Result<Response, HttpError>>;

/// What is mounted under a prefix and answers for every path below it; [`Files`](crate::Files) is one.
///
/// ```
/// use ownhands::{App, HttpError, Request, Resource, Response, testing::MockClient};
/// use std::{cell::RefCell, collections::HashMap};
///
/// /// Keeps what is put there.
/// #[derive(Default)]
/// struct Shelf(RefCell<HashMap<Vec<u8>, Vec<u8>>>);
///
/// impl Resource for Shelf {
///     fn allow(&self) -> &str {
///         "GET, HEAD, PUT"
///     }
///     fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
///         let path = request.path_below_mount().to_vec();
///         if request.method.as_str() == "PUT" {
///             self.0.borrow_mut().insert(path, request.body.bytes()?.into_owned());
///             return Ok(Response::text("kept\n"));
///         }
///         self.0.borrow().get(&path).map(|bytes| Response::bytes(&**bytes)).ok_or(HttpError::not_found("it was never put here"))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.mount("/shelf", Shelf::default())?;
/// let mut client = MockClient::new(app);
/// assert_eq!(client.get("/shelf/a").status(), 404);
/// client.request("PUT", "/shelf/a").body("a book").send();
/// assert_eq!(client.get("/shelf/a").text(), "a book");
/// # Ok(()) }
/// ```
pub trait Resource {
    /// The methods it answers, as `Allow` lists them: `GET, HEAD`. Any other is refused with 405 before a body is read.
    /// `*` is all of them, those that nobody has heard of included.
    fn allow(&self) -> &str;

    /// Answers a request for [`path_below_mount`](Request::path_below_mount).
    ///
    /// # Errors
    /// The refusal; the application turns it into a page.
    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError>;

    /// The next one of those whom it has begun to ask, as [`Service::upstream`] has it.
    fn upstream(&self) -> Option<Box<dyn Upstream>> {
        None
    }
}
