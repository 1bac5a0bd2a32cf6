//! Layer 4: all peers. The loop, on mio and a slab.
//!
//! A turn of the loop polls, reads the clock once, lets every connection that has something to do go on for its share, takes
//! in new peers, and ends. Events only say who is to be looked at; the machine in [`connection`](crate::connection) does the
//! rest. Nothing here knows what HTTP is.

mod acceptor;
mod config;
mod descriptors;
mod handle;
mod listener;
mod signals;
mod stream;
mod timers;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use log::{debug, info};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use crate::connection::{Connection, Context, Next, Phase, Scratch, Tracer};
use crate::http::{Now, Recall, Tick, Wake};
use crate::service::Service;

use acceptor::Acceptor;
use signals::{Signal, Signals};
use stream::Stream;
use timers::Timers;

pub use config::Config;
pub use handle::Handle;
pub use listener::Listener;

/// A server: its listening sockets, its connections, and the service that answers.
///
/// ```
/// use ownhands::{App, Config, Server};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/", |_: &ownhands::Request<'_>| "hello\n")?;
/// let mut server = Server::bind(&["127.0.0.1:0".parse()?], Config::default(), app)?;
/// println!("http://{}/", server.local_addrs()[0]);
///
/// let handle = server.handle();
/// std::thread::spawn(move || handle.stop()); // somebody else stops it, some time
/// server.run()?;
/// # Ok(()) }
/// ```
pub struct Server<S> {
    poll: Poll,
    acceptor: Acceptor,
    addresses: Vec<SocketAddr>,
    slots: Slab<Slot>,
    timers: Timers,
    /// Connections that used up their share of a turn, in the order in which they go on.
    again: VecDeque<usize>,
    scratch: Scratch,
    service: S,
    config: Config,
    max_connections: usize,
    phase: Phase,
    /// When a stopping server stops waiting.
    last_call: Tick,
    handle: Handle,
    /// The handle's mailbox, as requests know it.
    wake: Arc<dyn Wake>,
    /// When the service wants the next turn.
    next_turn: Tick,
    signals: Option<Signals>,
    tracer: Option<Box<dyn Tracer>>,
    now: Now,
}

/// One connection, and what the loop knows of it.
struct Slot {
    connection: Connection<Stream>,
    deadline: Tick,
    /// It is in `again`.
    is_queued: bool,
}

/// Events taken from one poll. With the share of each connection it bounds the length of a turn.
const EVENTS_A_TURN: usize = 256;

/// Peers accepted in one turn: a burst of thousands must not keep those waiting who are here.
const ACCEPTS_A_TURN: usize = 128;

/// Rounds of accepting before the doors close: the queue of those who have knocked, and not those who come meanwhile.
const LAST_ACCEPTS: usize = listener::BACKLOG as usize / ACCEPTS_A_TURN;

/// Connections have the tokens from zero on, their keys in the slab; the few others come from the far end.
const WAKER: Token = Token(usize::MAX - 1);
const SIGNALS: Token = Token(usize::MAX - 2);
const FIRST_LISTENER: usize = usize::MAX - 4096;

impl<S: Service> Server<S> {
    /// Binds all the addresses, or none. Port 0 lets the system pick one.
    ///
    /// # Errors
    /// What the system says, such as [`AddrInUse`](io::ErrorKind::AddrInUse) or [`PermissionDenied`](io::ErrorKind::PermissionDenied).
    pub fn bind(addresses: &[SocketAddr], config: Config, service: S) -> io::Result<Self> {
        let listeners = addresses.iter().map(|&address| Listener::tcp(address)).collect::<io::Result<Vec<_>>>()?;
        Server::new(listeners, config, service)
    }

    /// A server behind these listeners: addresses, sockets in the file system, or what was handed over.
    ///
    /// # Errors
    /// What the system says when they cannot be watched.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, Config, Listener, Server};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("socket");
    /// let listeners = vec![Listener::tcp("127.0.0.1:0".parse()?)?, Listener::unix(path)?];
    /// let server = Server::new(listeners, Config::default(), App::new())?;
    /// assert_eq!(server.local_addrs().len(), 1); // the other has none
    /// # Ok(()) }
    /// ```
    pub fn new(listeners: Vec<Listener>, config: Config, service: S) -> io::Result<Self> {
        let addresses = listeners.iter().filter_map(Listener::local_addr).collect();
        let poll = Poll::new()?;
        let acceptor = Acceptor::new(listeners, poll.registry(), FIRST_LISTENER)?;
        let handle = Handle::new(poll.registry(), WAKER)?;
        Ok(Server {
            wake: handle.mailbox(),
            handle,
            next_turn: Tick::default(),
            poll,
            acceptor,
            addresses,
            slots: Slab::new(),
            timers: Timers::default(),
            again: VecDeque::new(),
            scratch: Scratch::new(),
            service,
            max_connections: descriptors::make_room(config.max_connections),
            config,
            phase: Phase::Open,
            last_call: Tick::NEVER,
            signals: None,
            tracer: None,
            now: Now::running(),
        })
    }

    /// The addresses bound, in the order in which they were asked for, with the ports that were picked. A socket in the file
    /// system has none.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// A handle to stop this server from another thread.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// From now on SIGINT and SIGTERM stop this server as [`Handle::stop`] does; a second one stops it at once.
    ///
    /// # Errors
    /// What the system says when the signals cannot be watched.
    pub fn stop_on_signals(&mut self) -> io::Result<()> {
        self.signals = Some(Signals::watch(self.poll.registry(), SIGNALS)?);
        Ok(())
    }

    /// Shows everything that happens on the connections to this tracer. Without one it costs nothing.
    ///
    /// # Examples
    /// ```no_run
    /// use ownhands::{App, Config, Server, connection::Transcript};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut server = Server::bind(&["127.0.0.1:8000".parse()?], Config::default(), App::new())?;
    /// server.trace(Transcript::new(std::io::stderr())); // what passes, as `curl -v` would show it
    /// server.run()?;
    /// # Ok(()) }
    /// ```
    pub fn trace(&mut self, tracer: impl Tracer + 'static) {
        self.tracer = Some(Box::new(tracer));
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// A failure of the poll itself; what goes wrong with a peer ends that peer's connection alone.
    pub fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_A_TURN);
        while self.phase == Phase::Open || !self.slots.is_empty() {
            self.turn(&mut events)?;
            if self.now.tick() >= self.last_call {
                info!("stopped with {} connections unfinished", self.slots.len());
                break;
            }
        }
        self.service.end_turn();
        Ok(())
    }

    /// One turn of the loop.
    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        match self.poll.poll(events, self.sleep()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            other => other?,
        }
        self.now.next_turn();
        self.next_turn = self.service.begin_turn(&self.now);
        let unfinished = self.again.len();
        for event in events.iter() {
            match event.token() {
                WAKER => self.handle.take_tickets().into_iter().for_each(|key| self.call(key)),
                SIGNALS => self.heed_signals(),
                Token(listener) if listener >= FIRST_LISTENER => self.acceptor.set_ready(listener - FIRST_LISTENER),
                Token(key) => {
                    if let Some(slot) = self.slots.get_mut(key) {
                        // An error is found by reading, like an end.
                        let sees_end = event.is_read_closed() || event.is_error();
                        if event.is_error() || event.is_write_closed() {
                            slot.connection.set_gone();
                        }
                        slot.connection.set_ready(
                            event.is_readable(),
                            event.is_writable() || event.is_error(),
                            sees_end,
                        );
                        self.call(key);
                    }
                }
            }
        }
        self.go_on(unfinished);
        self.wake_overdue();
        self.accept();
        if self.handle.wants_stop() {
            self.stop();
        }
        if self.handle.wants_stop_now() {
            self.last_call = self.now.tick();
        }
        self.service.end_turn();
        Ok(())
    }

    /// How long the next poll may sleep. With nobody here and nothing to do: for good.
    fn sleep(&self) -> Option<Duration> {
        let can_accept = self.acceptor.is_ready() && self.slots.len() < self.max_connections;
        if !self.again.is_empty() || can_accept {
            return Some(Duration::ZERO);
        }
        let last_call = (self.last_call < Tick::NEVER).then_some(self.last_call);
        let next_turn = (self.next_turn < Tick::NEVER).then_some(self.next_turn);
        let next = [self.timers.next(), self.acceptor.resumes(), last_call, next_turn].into_iter().flatten().min()?;
        Some(next.since(self.now.measured()).saturating_add(ROUND_UP))
    }

    /// Lets the first of the queue go on, one always, and the others of so many until the turn is long. Those left keep
    /// their places before those who came meanwhile: nobody starves, and new requests are served between.
    fn go_on(&mut self, unfinished: usize) {
        for _ in 0..unfinished {
            let Some(key) = self.again.pop_front() else { return };
            // Another may have got the key of one that is gone.
            let is_there = self.slots.get_mut(key).is_some_and(|slot| std::mem::take(&mut slot.is_queued));
            if is_there {
                self.step(key);
                if self.now.is_long_turn() {
                    return;
                }
            }
        }
    }

    /// There is news for a connection: it goes on, but in the queue it keeps its place.
    fn call(&mut self, key: usize) {
        if self.slots.get(key).is_some_and(|slot| !slot.is_queued) {
            self.step(key);
        }
    }

    /// Lets one connection go on, and notes what it says.
    fn step(&mut self, key: usize) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let mut context = Context {
            service: &self.service,
            limits: &self.config.limits,
            timeouts: &self.config.timeouts,
            now: &self.now,
            scratch: &mut self.scratch,
            phase: self.phase,
            tracer: self.tracer.as_deref(),
            recall: Recall { wake: Some(&self.wake), ticket: key },
        };
        match slot.connection.advance(&mut context) {
            Next::Wait(deadline) => {
                slot.deadline = deadline;
                self.timers.set(key, deadline);
            }
            Next::Again => {
                if !std::mem::replace(&mut slot.is_queued, true) {
                    self.again.push_back(key);
                }
            }
            Next::Close => self.remove(key),
        }
    }

    /// Drops a connection; the last to go leaves nothing to wake up for.
    fn remove(&mut self, key: usize) {
        self.slots.remove(key);
        self.acceptor.has_room_again();
        if self.slots.is_empty() {
            self.timers.clear();
        }
    }

    fn wake_overdue(&mut self) {
        let now = self.now.tick();
        self.acceptor.wake(now);
        while let Some(key) = self.timers.pop(now) {
            match self.slots.get(key) {
                // In the queue it has no deadline: it has work.
                Some(slot) if slot.is_queued => {}
                Some(slot) if slot.deadline <= now => self.step(key),
                Some(slot) => self.timers.set(key, slot.deadline),
                None => {}
            }
        }
    }

    /// Takes in those who wait, as far as there is room. A peer is served before it is registered: one that has sent its request
    /// and wants no other never is.
    fn accept(&mut self) {
        let mut accepted = 0;
        while accepted < ACCEPTS_A_TURN && self.acceptor.is_ready() && self.slots.len() < self.max_connections {
            accepted += 1;
            let Some((stream, peer, port)) = self.acceptor.accept(self.now.tick()) else { continue };
            let mut connection = Connection::new(stream, peer, &self.now).with_local_port(port);
            if self.config.wants_proxy_protocol && self.config.proxies.covers_peer(peer) {
                connection = connection.behind_proxy();
            }
            let key = self.slots.insert(Slot { connection, deadline: Tick::NEVER, is_queued: false });
            self.step(key);
            if let Some(slot) = self.slots.get_mut(key) {
                let both = Interest::READABLE | Interest::WRITABLE;
                let stream = slot.connection.transport_mut();
                if let Err(error) = self.poll.registry().register(stream, Token(key), both) {
                    debug!("a peer cannot be watched: {error}");
                    self.remove(key);
                }
            }
        }
    }

    fn heed_signals(&mut self) {
        let Some(signals) = &mut self.signals else { return };
        for Signal::Stop in signals.pending() {
            if self.phase == Phase::Open {
                self.stop();
            } else {
                self.last_call = self.now.tick();
            }
        }
    }

    /// Begins to stop: whoever has knocked is let in, then the doors close, and every connection is asked once more.
    fn stop(&mut self) {
        if self.phase == Phase::Draining {
            return;
        }
        info!("stopping: {} connections", self.slots.len());
        for _ in 0..LAST_ACCEPTS {
            self.accept();
        }
        self.acceptor.close();
        self.phase = Phase::Draining;
        self.last_call = self.now.tick().plus(self.config.grace);
        let keys: Vec<usize> = self.slots.iter().map(|(key, _)| key).collect();
        for key in keys {
            if let Some(slot) = self.slots.get_mut(key) {
                slot.connection.set_ready(true, false, false);
                self.call(key);
            }
        }
    }
}

/// The poll counts in milliseconds and would wake a moment too early.
const ROUND_UP: Duration = Duration::from_millis(1);
