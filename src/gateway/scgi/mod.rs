//! The client of an application server that runs already and speaks SCGI: one connection for each request.
//!
//! The protocol: `https://python.ca/scgi/protocol.txt`. Who starts the application server, how many processes it has,
//! and what it does with a request that nobody waits for any more, is its own affair.

mod exchange;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::http::{HttpError, Method, Request, Response, Status, is_out_of_descriptors};
use crate::service::Resource;
use crate::service::upstream::Upstream;

use super::address::Address;
use super::basin::Basin;
use super::letter::{Framing, Letter};
use super::opened::Opened;
use super::relay::{Relay, busy, refusal};

use exchange::Exchange;

/// An application server that runs already, and is asked by SCGI.
///
/// It gets each request as the meta-variables of CGI ([`Environ`](crate::app::Environ)), with the prefix of the
/// mount as `SCRIPT_NAME`, and the body; its answer is that of a CGI program (RFC 3875 section 6), and leaves as
/// it comes. What goes wrong:
///
/// | what | the peer gets |
/// |---|---|
/// | nobody listens there, or the answer has no head that can be understood | 502 |
/// | nothing has moved for the [time](Self::with_timeout) | 504; within the content, the connection ends |
/// | the answer ends before the length it announced | 502; within the content, the connection ends |
/// | all [connections](Self::with_connections) are in use, or no descriptor is left | 503 with Retry-After |
///
/// and the log says more. Where the peer leaves, the connection to the application server is closed at once. One that
/// answers before it has read the whole body is listened to.
///
/// ```
/// use ownhands::{App, gateway::Scgi, testing::MockClient};
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixListener;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = tempfile::tempdir()?;
/// let socket = directory.path().join("app.sock");
/// let listener = UnixListener::bind(&socket)?;
/// // The application server: greets whoever asks first.
/// std::thread::spawn(move || -> std::io::Result<()> {
///     let (mut connection, _) = listener.accept()?;
///     let mut request = [0; 4096];
///     let length = connection.read(&mut request)?;
///     assert!(String::from_utf8_lossy(&request[..length]).contains("\0PATH_INFO\0/world\0"));
///     connection.write_all(b"Content-Type: text/plain\r\n\r\nHello, world!\n")
/// });
///
/// let mut app = App::new();
/// app.mount("/hello", Scgi::new(format!("unix:{}", socket.display()).parse()?))?;
/// assert_eq!(MockClient::new(app).get("/hello/world").text(), "Hello, world!\n");
/// # Ok(()) }
/// ```
pub struct Scgi {
    address: Rc<Address>,
    timeout: Duration,
    most: usize,
    /// How many connections there are.
    used: Rc<Cell<usize>>,
    opened: Opened,
    basin: Basin,
}

impl Scgi {
    /// How long nothing may move, if nobody says otherwise.
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    /// Connections at one time, if nobody says otherwise. Each is a descriptor here and one there.
    pub const CONNECTIONS: usize = 256;

    /// The application server at this address; nobody needs to listen there yet.
    #[must_use]
    pub fn new(address: Address) -> Scgi {
        let address = Rc::new(address);
        Scgi {
            address,
            timeout: Scgi::TIMEOUT,
            most: Scgi::CONNECTIONS,
            used: Rc::default(),
            opened: Opened::default(),
            basin: Basin::default(),
        }
    }

    /// The same, with another time in which something must move, by default [30 s](Self::TIMEOUT): until
    /// the answer begins, and from one piece of it to the next. While the peer has yet to take what is
    /// there, the time stands still.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Scgi {
        self.timeout = timeout;
        self
    }

    /// The same, with so many connections at one time, by default [256](Self::CONNECTIONS). Who comes when they are all
    /// in use is told to come again: a queue here would only hide the one that the application server has.
    #[must_use]
    pub fn with_connections(mut self, most: usize) -> Scgi {
        self.most = most;
        self
    }

    /// The same, with a basin for what peers take slowly; by default one of its own.
    #[must_use]
    pub fn with_basin(mut self, basin: Basin) -> Scgi {
        self.basin = basin;
        self
    }

    fn who(&self) -> String {
        format!("the application server at {}", self.address)
    }
}

impl Resource for Scgi {
    fn allow(&self) -> &str {
        "*"
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let Some(place) = Place::take(&self.used, self.most) else {
            return Err(busy(&self.who(), &format!("all {} connections are in use", self.most)));
        };
        let begun = match self.address.connect() {
            Ok(begun) => begun,
            Err(error) if is_out_of_descriptors(&error) => return Err(error.into()),
            Err(error) => return refusal(Status::BAD_GATEWAY, &self.who(), &error.to_string()),
        };
        let letter = Letter::new(request, Framing::Plain)?;
        let (deferred, response) = request.defer();
        let relay = Relay::new(deferred, self.who(), request.method == Method::Head, &self.basin);
        self.opened.add(Exchange::new(begun, Rc::clone(&self.address), letter, relay, self.timeout, place));
        Ok(response)
    }

    fn upstream(&self) -> Option<Box<dyn Upstream>> {
        self.opened.next()
    }
}

/// One of the connections that there may be; it is free again when this is dropped.
struct Place(Rc<Cell<usize>>);

impl Place {
    fn take(used: &Rc<Cell<usize>>, most: usize) -> Option<Place> {
        let count = used.get();
        (count < most).then(|| {
            used.set(count.saturating_add(1));
            Place(Rc::clone(used))
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
