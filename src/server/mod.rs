//! Layer 4: all peers. The loop, on mio and a slab.
//!
//! A turn of the loop polls, reads the clock once, lets every connection that has something to do go on for its share,
//! takes in new peers, and ends. Events only say who is to be looked at; the machine in
//! [`connection`](crate::connection) does the rest. Nothing here knows what HTTP is.

mod acceptor;
mod calls;
mod config;
mod descriptors;
mod door;
mod figures;
mod handle;
mod idlers;
mod listener;
mod named;
mod signals;
mod stop;
mod stream;
mod timers;
mod turns;
mod upstreams;
mod visitors;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use log::warn;
use mio::{Events, Poll, Token};
use slab::Slab;

use crate::connection::{Connection, Context, Next, Phase, Scratch, Tracer};
use crate::http::{Now, Recall, Tick, Wake};
use crate::service::Service;

use acceptor::Acceptor;
use descriptors::Room;
use idlers::Idlers;
use signals::Signals;
use stream::Stream;
use timers::Timers;
use upstreams::Upstreams;
use visitors::Visitors;

pub use calls::Call;
pub use config::Config;
pub use figures::Figures;
pub use handle::Handle;
pub use listener::Listener;
pub use signals::Signal;
pub use turns::Turns;

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
    upstreams: Upstreams,
    /// Connections that used up their share of a turn, in the order in which they go on.
    again: VecDeque<usize>,
    scratch: Scratch,
    service: S,
    config: Config,
    room: Room,
    /// Connections of those who were turned away and have not gone yet, in the order in which they came.
    doorstep: VecDeque<usize>,
    visitors: Visitors,
    idlers: Idlers,
    figures: Figures,
    phase: Phase,
    /// Somebody else has the listening sockets.
    has_successor: bool,
    /// When a stopping server stops waiting.
    last_call: Tick,
    handle: Handle,
    /// The handle's mailbox, as requests know it.
    wake: Arc<dyn Wake>,
    /// When the service wants the next turn.
    next_turn: Tick,
    signals: Option<Signals>,
    /// Signals to stop that came.
    asked_to_stop: u32,
    /// What the program that runs the server has not heard yet.
    calls: VecDeque<Call>,
    tracer: Option<Box<dyn Tracer>>,
    now: Now,
    /// When the last turn ended, or `attend` began.
    turned: Tick,
}

/// One connection, and what the loop knows of it.
struct Slot {
    connection: Connection<Stream>,
    deadline: Tick,
    standing: Standing,
    /// The address that it counts for.
    counted: Option<IpAddr>,
    /// It is in `again`.
    is_queued: bool,
}

/// How a connection was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Guest,
    TurnedAway,
}

/// Events taken from one poll: small requests of so many connections are answered in a millisecond.
const EVENTS_A_TURN: usize = 128;

/// Connections have the tokens from zero on, their keys in the slab; the few others come from the far end.
const WAKER: Token = Token(usize::MAX - 1);
const SIGNALS: Token = Token(usize::MAX - 2);
const FIRST_LISTENER: usize = usize::MAX - 4096;
const FIRST_WATCH: usize = usize::MAX - 8192;
const FIRST_UPSTREAM: usize = usize::MAX / 2;

impl<S: Service> Server<S> {
    /// Binds all the addresses, or none. Port 0 lets the system pick one.
    ///
    /// # Errors
    /// What the system says, such as [`AddrInUse`](io::ErrorKind::AddrInUse) or
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied).
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
        let room = descriptors::make_room(config.max_connections);
        Ok(Server {
            wake: handle.mailbox(),
            handle,
            next_turn: Tick::default(),
            poll,
            acceptor,
            addresses,
            slots: Slab::new(),
            timers: Timers::default(),
            upstreams: Upstreams::default(),
            again: VecDeque::new(),
            scratch: Scratch::new().with_bodies(config.bodies.clone()),
            service,
            room,
            doorstep: VecDeque::new(),
            visitors: Visitors::new(config.max_per_address, room.connections),
            idlers: Idlers::default(),
            figures: Figures::default(),
            config,
            phase: Phase::Open,
            has_successor: false,
            last_call: Tick::NEVER,
            signals: None,
            asked_to_stop: 0,
            calls: VecDeque::new(),
            tracer: None,
            now: Now::running(),
            turned: Tick::default(),
        })
    }

    /// The addresses bound, in the order in which they were asked for, with the ports that were picked. A socket in
    /// the file system has none.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// A handle to stop this server from another thread.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
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

    /// One turn of the loop, which waits no longer than this.
    fn turn(&mut self, events: &mut Events, until: Tick) -> io::Result<()> {
        self.handle.falls_asleep();
        match self.poll.poll(events, self.sleep(until)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            other => other?,
        }
        self.handle.wakes_up();
        self.now.next_turn();
        self.next_turn = self.service.begin_turn(&self.now);
        let unfinished = self.again.len();
        for event in events.iter() {
            match event.token() {
                WAKER => {} // the tickets are looked at in every turn
                SIGNALS => self.hear_signals(),
                Token(listener) if listener >= FIRST_LISTENER => self.acceptor.set_ready(listener - FIRST_LISTENER),
                Token(watch) if watch >= FIRST_WATCH => self.calls.push_back(Call::Ready(watch - FIRST_WATCH)),
                Token(upstream) if upstream >= FIRST_UPSTREAM => {
                    let is_over = event.is_error() || event.is_read_closed() || event.is_write_closed();
                    let (is_readable, is_writable) = (event.is_readable() || is_over, event.is_writable() || is_over);
                    let (upstreams, loan) = self.upstreams();
                    upstreams.hear(upstream - FIRST_UPSTREAM, is_readable, is_writable, loan);
                }
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
        if self.now.is_long_turn() {
            self.now.renew(); // who is let in now may ask for what came while it lasted
        }
        self.accept();
        self.ask_upstreams();
        if self.handle.wants_stop() {
            self.stop();
        }
        if self.handle.wants_stop_now() {
            self.last_call = self.now.tick();
        }
        self.service.end_turn();
        self.turned = self.now.measured();
        self.figures.turns.note(self.turned.since(self.now.tick()));
        Ok(())
    }

    /// How long the next poll may sleep. With nobody here and nothing to do: for good.
    fn sleep(&self, until: Tick) -> Option<Duration> {
        let is_busy = !self.again.is_empty() || self.upstreams.is_busy();
        if is_busy || self.acceptor.is_ready() || self.handle.has_tickets() {
            return Some(Duration::ZERO);
        }
        let (own, theirs) = (self.timers.next(), self.upstreams.next());
        let next = [own, theirs, self.acceptor.resumes(), Some(self.last_call), Some(self.next_turn), Some(until)];
        let next = next.into_iter().flatten().min().filter(|&next| next < Tick::NEVER)?;
        Some(next.since(self.turned).saturating_add(ROUND_UP))
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
        let phase = match self.phase {
            Phase::Draining if self.is_awaited(key) => Phase::LastOrders,
            phase => phase,
        };
        self.step_in(phase, key);
    }

    /// The same, as if the server were in this phase.
    fn step_in(&mut self, phase: Phase, key: usize) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let mut context = Context {
            service: &self.service,
            limits: &self.config.limits,
            timeouts: &self.config.timeouts,
            now: &self.now,
            scratch: &mut self.scratch,
            phase,
            tracer: self.tracer.as_deref(),
            recall: Recall { wake: Some(&self.wake), ticket: key },
        };
        let (kept, requests) = (slot.connection.kept_bytes(), slot.connection.requests());
        let next = slot.connection.advance(&mut context);
        let keeps = slot.connection.kept_bytes();
        self.figures.kept = self.figures.kept.saturating_sub(kept).saturating_add(keeps);
        self.figures.requests =
            self.figures.requests.saturating_add(slot.connection.requests().saturating_sub(requests));
        if keeps > kept && self.figures.kept > self.config.max_kept {
            return self.let_go(key);
        }
        match next {
            Next::Wait(deadline) => {
                let due = slot.word_due(self.has_successor).filter(|_| phase == Phase::LastOrders);
                slot.deadline = due.map_or(deadline, |due| due.min(deadline));
                self.timers.set(key, slot.deadline);
            }
            Next::Again => {
                if !std::mem::replace(&mut slot.is_queued, true) {
                    self.again.push_back(key);
                }
            }
            Next::Close => self.remove(key),
        }
    }

    /// So much is kept for all that whoever wants more of it cannot stay.
    fn let_go(&mut self, key: usize) {
        if self.figures.let_go == 0 {
            warn!("more than {} bytes would be kept for peers: those who want more are let go", self.config.max_kept);
        }
        self.figures.let_go = self.figures.let_go.saturating_add(1);
        self.remove(key);
    }

    /// Drops a connection; the last to go leaves nothing to wake up for.
    fn remove(&mut self, key: usize) {
        let Some(slot) = self.slots.try_remove(key) else { return };
        self.figures.kept = self.figures.kept.saturating_sub(slot.connection.kept_bytes());
        self.left(key, &slot);
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
}

/// The poll counts in milliseconds and would wake a moment too early.
const ROUND_UP: Duration = Duration::from_millis(1);
