//! A client without a socket.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::connection::{Connection, Context, Next, Phase, Scratch, Timeouts, Tracer};
use crate::http::{Limits, Now, Recall, Tick, Wake};
use crate::service::Service;
use crate::service::crew::Crew;

use super::bell::Bell;
use super::{Answer, MockConnection, MockRequest};

/// Talks to a service through the very machine that serves sockets: same parser, same limits, same bytes.
///
/// Time stands still until [`sleep`](MockClient::sleep) moves it.
///
/// ```
/// use ownhands::{App, Request, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/hello/(?<name>[^/]+)", |request: &Request<'_>| {
///     format!("Hello, {}!", request.param("name").unwrap_or("you"))
/// })?;
///
/// let mut client = MockClient::new(app);
/// assert_eq!(client.get("/hello/world").text(), "Hello, world!");
///
/// // Typed into telnet, with the line ends of a keyboard, and cut after the fourth and the ninth byte:
/// let answer = client.send("GET /hello/me HTTP/1.1\nHost: here\n\n", &[4, 9]);
/// assert_eq!((answer.status(), answer.text().as_str()), (200, "Hello, me!"));
/// # Ok(()) }
/// ```
pub struct MockClient<S> {
    service: S,
    limits: Limits,
    timeouts: Timeouts,
    phase: Phase,
    tracer: Option<Box<dyn Tracer>>,
    bell: Arc<Bell>,
    /// The bell, as requests know it.
    wake: Arc<dyn Wake>,
    scratch: Scratch,
    now: Now,
    beginning: SystemTime,
    elapsed: Duration,
    /// Where its requests come from.
    peer: Option<SocketAddr>,
    speaks_proxy: bool,
    connection: Option<Connection<MockConnection>>,
    crew: Crew,
    next: Next,
    /// When the service wants the next turn.
    next_turn: Tick,
    /// What the server has sent and no answer was made of.
    received: Vec<u8>,
}

/// The date on which a mock client's time begins: 2026-01-01.
const BEGINNING: Duration = Duration::from_secs(1_767_225_600);

/// Real time that a deferred answer may take in a test.
const PATIENCE: Duration = Duration::from_secs(10);

/// Real time from one look at those who are asked in turn to the next.
const GLANCE: Duration = Duration::from_millis(5);

/// Turns after which a conversation that still moves is taken for one that never ends.
const MAX_TURNS: usize = 100_000;

impl<S: Service> MockClient<S> {
    /// A client of this service, not yet connected.
    pub fn new(service: S) -> Self {
        let bell = Arc::new(Bell::default());
        MockClient {
            wake: Arc::clone(&bell) as Arc<dyn Wake>,
            bell,
            service,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            phase: Phase::Open,
            tracer: None,
            scratch: Scratch::new(),
            now: Now::new(Tick::default(), UNIX_EPOCH),
            beginning: UNIX_EPOCH.checked_add(BEGINNING).unwrap_or(UNIX_EPOCH),
            elapsed: Duration::ZERO,
            peer: Some(PEER),
            speaks_proxy: false,
            connection: None,
            crew: Crew::default(),
            next: Next::Close,
            next_turn: Tick::NEVER,
            received: Vec::new(),
        }
    }

    /// The same client against a server with these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same client against a server with these time limits.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The same client, whose time begins at this date instead of 2026-01-01: files on disk have dates too, and one
    /// that is younger than the time of the request is not kept ready.
    #[must_use]
    pub fn with_date(mut self, date: SystemTime) -> Self {
        self.beginning = date;
        self
    }

    /// The same client at this address, instead of 192.0.2.1.
    #[must_use]
    pub fn with_peer(mut self, address: SocketAddr) -> Self {
        self.peer = Some(address);
        self
    }

    /// The same client without an address, as one that comes to a socket in the file system.
    #[must_use]
    pub fn with_local_peer(mut self) -> Self {
        self.peer = None;
        self
    }

    /// The same client as a trusted proxy that speaks the PROXY protocol: what it delivers on each connection must
    /// begin with whom it speaks for.
    ///
    /// ```
    /// use ownhands::{App, Request, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", |request: &Request<'_>| request.client.map(|client| client.to_string()))?;
    /// let mut client = MockClient::new(app).behind_proxy();
    /// client.deliver("PROXY TCP4 198.51.100.7 192.0.2.1 50000 80\r\n", &[]);
    /// assert_eq!(client.get("/").text(), "198.51.100.7");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn behind_proxy(mut self) -> Self {
        self.speaks_proxy = true;
        self
    }

    /// The same client, with a tracer that is shown what happens on the server's side.
    #[must_use]
    pub fn with_tracer(mut self, tracer: impl Tracer + 'static) -> Self {
        self.tracer = Some(Box::new(tracer));
        self
    }

    /// Sends `GET target`, and reads the answer.
    ///
    /// # Panics
    /// As [`send`](Self::send).
    pub fn get(&mut self, target: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"), &[])
    }

    /// A request that is put together step by step:
    /// `client.request("PUT", "/x").header("Accept", "*/*").body("y").send()`.
    pub fn request(&mut self, method: &str, target: &str) -> MockRequest<'_, S> {
        MockRequest::new(self, method, target)
    }

    /// Short for [`request`](Self::request) with POST and an empty body.
    pub fn post(&mut self, target: &str) -> MockRequest<'_, S> {
        self.request("POST", target).body("")
    }

    /// Sends bytes, cut into reads at these offsets, and reads one answer. Interim answers (1xx) are passed over. Where
    /// the server has ended, a new connection is opened first.
    ///
    /// # Panics
    /// If no complete answer comes: a test that goes on would only hide it.
    #[allow(clippy::panic, reason = "documented; this is a tool for tests")]
    pub fn send(&mut self, wire: impl AsRef<[u8]>, cuts: &[usize]) -> Answer {
        let wire = wire.as_ref();
        let asks_head = wire.trim_ascii_start().starts_with(b"HEAD ");
        if !self.is_open() {
            self.connect();
        }
        self.deliver(wire, cuts);
        self.wait_for_deferred();
        match self.next_answer(asks_head) {
            Some(answer) => answer,
            None => panic!(
                "no complete answer to {:?}; received {:?}",
                String::from_utf8_lossy(wire),
                String::from_utf8_lossy(&self.received)
            ),
        }
    }

    /// Sends bytes on the connection as it is, cut into reads at these offsets, and reads nothing:
    /// [`next_answer`](Self::next_answer) and [`received`](Self::received) do.
    ///
    /// ```
    /// use ownhands::{App, Request, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/(?<name>[a-z])", |request: &Request<'_>| request.param("name").map(str::to_owned))?;
    /// let mut client = MockClient::new(app);
    /// let pipeline = [client.request("GET", "/a").wire(), client.request("GET", "/b").wire()].concat();
    /// client.deliver(pipeline, &[]);
    /// assert_eq!(client.next_answer(false).map(|answer| answer.text()).as_deref(), Some("a"));
    /// assert_eq!(client.next_answer(false).map(|answer| answer.text()).as_deref(), Some("b"));
    /// assert_eq!(client.next_answer(false), None);
    /// # Ok(()) }
    /// ```
    pub fn deliver(&mut self, wire: impl AsRef<[u8]>, cuts: &[usize]) {
        if self.connection.is_none() {
            self.connect();
        }
        let mut rest = wire.as_ref();
        let mut sent = 0;
        for &cut in cuts {
            let (segment, later) = rest.split_at_checked(cut.saturating_sub(sent)).unwrap_or((rest, &[]));
            sent += segment.len();
            rest = later;
            self.deliver_segment(segment);
        }
        self.deliver_segment(rest);
    }

    /// The next answer among the bytes received; interim ones (1xx) are passed over.
    pub fn next_answer(&mut self, answers_head: bool) -> Option<Answer> {
        loop {
            let answer = Answer::read(&self.received, answers_head, !self.is_open())?;
            self.received.drain(..answer.wire().len());
            if answer.status() >= 200 {
                return Some(answer);
            }
        }
    }

    /// The exact bytes received since the last answer was taken out.
    #[must_use]
    pub fn received(&self) -> &[u8] {
        &self.received
    }

    /// Takes out the bytes received.
    pub fn take_received(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.received)
    }

    /// Opens a new connection; an open one is dropped. To say something about a connection without a request.
    pub fn connect(&mut self) {
        self.turn_clock();
        let mut connection = Connection::new(MockConnection::new(), self.peer, &self.now);
        if self.speaks_proxy {
            connection = connection.behind_proxy();
        }
        connection.set_ready(false, true, false);
        self.connection = Some(connection);
        self.received.clear();
        self.advance();
    }

    /// True if there is a connection and the server has not ended its direction.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| !connection.transport().is_write_shut())
    }

    /// True if the server has dropped the connection, or there never was one.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.connection.is_none()
    }

    /// Ends the client's direction of the connection, as a client does that has said all; answers still come.
    pub fn end(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.transport_mut().end();
            connection.set_ready(true, false, true);
        }
        self.advance();
    }

    /// The transport of the connection, to script it.
    pub fn transport_mut(&mut self) -> Option<&mut MockConnection> {
        self.connection.as_mut().map(Connection::transport_mut)
    }

    /// Tells the connection that its peer takes bytes again, after a scripted write has blocked.
    pub fn unblock(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.set_ready(false, true, false);
        }
        self.advance();
    }

    /// Lets time pass. The server acts when a deadline comes, as the loop would have it.
    ///
    /// ```
    /// use ownhands::{App, testing::MockClient};
    ///
    /// let mut client = MockClient::new(App::new());
    /// client.deliver("GET / HT", &[]);
    /// client.sleep(31);
    /// assert_eq!(client.next_answer(false).map(|answer| answer.status()), Some(408));
    /// ```
    pub fn sleep(&mut self, seconds: u64) {
        let until = Tick::after(self.elapsed.saturating_add(Duration::from_secs(seconds)));
        for _ in 0..MAX_TURNS {
            let deadline = match self.next {
                Next::Wait(deadline) if !self.is_closed() => deadline.min(self.next_turn),
                _ => self.next_turn,
            };
            let deadline = deadline.min(self.crew.next());
            if deadline > until {
                break;
            }
            self.elapsed = self.elapsed.saturating_add(deadline.since(self.now.tick()));
            self.advance();
        }
        self.elapsed = self.elapsed.saturating_add(until.since(Tick::after(self.elapsed)));
        self.turn_clock();
    }

    /// Turns the machine once more: for an answer that was put off, and has been given meanwhile.
    ///
    /// ```
    /// use ownhands::{App, Deferred, Request, testing::MockClient};
    /// use std::{cell::RefCell, rc::Rc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let owed = Rc::new(RefCell::new(None::<Deferred>));
    /// let slot = Rc::clone(&owed);
    /// let mut app = App::new();
    /// app.route("GET", "/", move |request: &Request<'_>| {
    ///     let (deferred, response) = request.defer();
    ///     *slot.borrow_mut() = Some(deferred);
    ///     response
    /// })?;
    /// let mut client = MockClient::new(app);
    /// client.deliver("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    /// assert_eq!(client.received(), b"");
    ///
    /// owed.take().ok_or("nothing is owed")?.answer("now");
    /// client.turn();
    /// assert_eq!(client.next_answer(false).map(|answer| answer.text()).as_deref(), Some("now"));
    /// # Ok(()) }
    /// ```
    pub fn turn(&mut self) {
        self.advance();
    }

    /// Lets the server begin to stop: what has begun is finished, and the connection closes.
    ///
    /// ```
    /// use ownhands::{App, testing::MockClient};
    ///
    /// let mut client = MockClient::new(App::new());
    /// client.deliver("GET / HTTP/1.1\r\n", &[]);
    /// client.drain();
    /// client.deliver("Host: a\r\n\r\n", &[]);
    /// assert_eq!(client.next_answer(false).as_ref().and_then(|answer| answer.header("Connection")), Some("close"));
    /// ```
    pub fn drain(&mut self) {
        self.phase = Phase::Draining;
        self.advance();
    }

    /// The service, to look at what it holds.
    pub fn service(&self) -> &S {
        &self.service
    }

    fn deliver_segment(&mut self, segment: &[u8]) {
        let Some(connection) = &mut self.connection else { return };
        if segment.is_empty() {
            return;
        }
        connection.transport_mut().push(segment);
        connection.set_ready(true, false, false);
        self.advance();
    }

    /// Waits in real time for answers that were put off, as far as other threads, or those who are
    /// asked in turn, work on them.
    fn wait_for_deferred(&mut self) {
        let start = Instant::now();
        while self.connection.as_ref().is_some_and(Connection::is_waiting) && start.elapsed() < PATIENCE {
            self.crew.take_in(&self.service);
            if self.crew.are_there() {
                self.crew.wait(GLANCE);
            } else if !self.bell.wait(PATIENCE) {
                return;
            }
            self.advance();
        }
    }

    fn turn_clock(&mut self) {
        let date = self.beginning.checked_add(self.elapsed).unwrap_or(self.beginning);
        self.now.turn(Tick::after(self.elapsed), date);
    }

    /// Turns the machine until it waits, as the loop does.
    fn advance(&mut self) {
        for _ in 0..MAX_TURNS {
            self.turn_clock();
            self.next_turn = self.service.begin_turn(&self.now);
            self.crew.take_in(&self.service);
            self.crew.go_on(&self.now, &self.wake);
            let Some(connection) = &mut self.connection else { return };
            let mut context = Context {
                service: &self.service,
                limits: &self.limits,
                timeouts: &self.timeouts,
                now: &self.now,
                scratch: &mut self.scratch,
                phase: self.phase,
                tracer: self.tracer.as_deref(),
                recall: Recall { wake: Some(&self.wake), ticket: 0 },
            };
            self.next = connection.advance(&mut context);
            self.received.append(&mut connection.transport_mut().take_written());
            self.service.end_turn();
            match self.next {
                Next::Again => {}
                // A segment that waits behind a short read is an event that has yet to come.
                Next::Wait(_) if connection.transport().is_readable() && !connection.wants_read() => {
                    connection.set_ready(true, false, false);
                }
                // Whoever is asked in turn was called, or has called.
                Next::Wait(_) if self.crew.are_there() && self.bell.wait(Duration::ZERO) => {}
                Next::Wait(_) => return,
                Next::Close => self.connection = None,
            }
        }
    }
}

/// Where a mock client's requests come from: an address reserved for documentation (RFC 5737).
const PEER: std::net::SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 50_000));
