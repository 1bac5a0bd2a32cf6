//! Layer 3: one peer, over a [`Transport`]. The machine that reads requests and writes answers.
//!
//! It knows no socket library, no loop and no application. The loop tells it what the transport may be ready for and
//! lends it buffers, a service and the time; it goes on until it must wait, and says until when. Sockets, mocks and
//! fuzzers drive the same [`Connection::advance`].
//!
//! ```text
//! Preamble, where a proxy must first say whom it speaks for
//!    │
//!    ▼
//!    ┌───────────────────── another request may follow ─────────────────────┐
//!    ▼                                                                      │
//! Reading ────────────► Parsed ────────────► Waiting ────────────► Writing ─┴──────────► Lingering ────────────► Closed
//! a head comes          its body comes       the answer was        the answer            what the peer still
//!                                            put off               leaves                sends is thrown away
//! ```
//!
//! Always to the right, and past what is not needed: Parsed where there is no body, Waiting where the handler answers
//! at once, both where the request is refused, Lingering where the peer has said all. A peer that is gone, or says or
//! takes nothing for too long, goes from anywhere to Closed. One for whom there was no room begins as TurnedAway: its
//! refusal is written at once.

mod answering;
mod bodies;
mod event;
mod input;
mod ledger;
mod output;
mod peer;
mod preamble;
mod reading;
mod scratch;
mod share;
mod spool;
mod standing;
mod timeouts;
mod transcript;
mod transport;
mod waiting;
mod writing;

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use crate::http::{HttpError, Limits, Now, Progress, Recall, Status, Tick};
use crate::service::Service;

use event::Narrator;
use peer::Peer;
use reading::Incoming;
use scratch::Kept;
use share::Share;
use waiting::Waiting;
use writing::Writing;

pub use bodies::Bodies;
pub use event::{Event, Limit, Tracer};
pub use scratch::Scratch;
pub use timeouts::Timeouts;
pub use transcript::Transcript;
pub use transport::Transport;

pub use crate::service::upstream::Next;

/// What a connection is lent for a turn.
///
/// Its use is shown at [`Connection`].
pub struct Context<'a, S: ?Sized> {
    /// Who answers.
    pub service: &'a S,
    /// How much a request may hold.
    pub limits: &'a Limits,
    /// How long a peer may take.
    pub timeouts: &'a Timeouts,
    /// The time of this turn.
    pub now: &'a Now,
    /// The buffers.
    pub scratch: &'a mut Scratch,
    /// Whether the server takes more requests.
    pub phase: Phase,
    /// Who is shown what happens, if anybody.
    pub tracer: Option<&'a dyn Tracer>,
    /// How the loop is woken for this connection.
    pub recall: Recall<'a>,
}

/// What the server is about, as far as a connection must know.
///
/// Its use is shown at [`Connection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Serving.
    Open,
    /// Stopping: what has begun is finished, with `Connection: close`, and idle connections end.
    Draining,
    /// Stopping, and the connection is so new, or so busy, that a request may be on its way: it is waited
    /// for. It is the last one.
    LastOrders,
    /// The house is full, and this one does least with its place: a request that has come is answered, with
    /// `Connection: close`; where none has, it ends, and a head that has begun is refused.
    Crowded,
}

/// Where a connection stands.
#[derive(Debug)]
enum State {
    /// Before the first request: a proxy says whom it speaks for.
    Preamble,
    /// Told to come again later, before it has said a word.
    TurnedAway(Box<HttpError>),
    /// Between two requests, or inside a head.
    Reading(Progress),
    /// A head is complete; its body is on the way.
    Parsed(Box<Incoming>),
    /// The request is complete, and its handler has put the answer off.
    Waiting(Waiting),
    /// An answer is on the way.
    Writing(Writing),
    /// The answer is sent, and the peer may still be sending: closing now would take the answer out of its hands.
    Lingering,
    /// Over; only the counting is left.
    Closed,
}

/// What a step of the machine leads to.
#[derive(Debug)]
enum Step {
    /// Another step, in the state as it is now.
    On,
    /// Nothing more to do before the transport is ready.
    Wait,
    /// The share of the turn is used.
    Yield,
}

/// One peer.
///
/// Driven by hand, as the loop and the mock client do it:
///
/// ```
/// use ownhands::connection::{Connection, Context, Next, Phase, Scratch};
/// use ownhands::http::Recall;
/// use ownhands::testing::MockConnection;
/// use ownhands::{App, Limits, Now, Tick, Timeouts};
/// use std::time::UNIX_EPOCH;
///
/// let (service, limits, timeouts) = (App::new(), Limits::default(), Timeouts::default());
/// let now = Now::new(Tick::default(), UNIX_EPOCH);
/// let mut scratch = Scratch::new();
/// let mut context = Context {
///     service: &service,
///     limits: &limits,
///     timeouts: &timeouts,
///     now: &now,
///     scratch: &mut scratch,
///     phase: Phase::Open,
///     tracer: None,
///     recall: Recall::NOBODY,
/// };
///
/// let mut transport = MockConnection::new();
/// transport.push("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// let mut connection = Connection::new(transport, None, &now);
/// assert_eq!(connection.advance(&mut context), Next::Wait(now.tick().plus(timeouts.idle)));
/// assert!(connection.transport_mut().take_written().starts_with(b"HTTP/1.1 404 Not Found\r\n"));
///
/// connection.transport_mut().end();
/// connection.set_ready(true, false, true);
/// assert_eq!(connection.advance(&mut context), Next::Close);
/// ```
#[derive(Debug)]
pub struct Connection<T> {
    transport: T,
    peer: Peer,
    state: State,
    kept: Option<Box<Kept>>,
    /// Requests whose head was complete.
    requests: u64,
    /// When the phase began that has a time limit; see [`Connection::limit`].
    since: Tick,
    /// Milliseconds for which the peer has owed us a read, less those that it has earned by reading.
    owed: u32,
    /// Worth a read: an event said so, or a read has not come back short since.
    is_readable: bool,
    /// Worth a write, likewise.
    is_writable: bool,
    /// An event said that the peer's stream has an end. It says so once, and bytes may stand before the end.
    sees_end: bool,
    /// The end was read.
    has_ended: bool,
    /// An event said that neither direction works any more.
    is_gone: bool,
}

impl<T: Transport> Connection<T> {
    /// A connection that was just accepted. It is worth a first read at once.
    pub fn new(transport: T, peer: Option<SocketAddr>, now: &Now) -> Self {
        let peer = Peer::at(peer);
        Narrator { peer, tracer: None }.tell(&Event::Accepted);
        Connection {
            transport,
            peer,
            state: State::Reading(Progress::default()),
            kept: None,
            requests: 0,
            since: now.tick(),
            owed: 0,
            is_readable: true,
            is_writable: true,
            sees_end: false,
            has_ended: false,
            is_gone: false,
        }
    }

    /// The same connection, as one that came to this port.
    #[must_use]
    pub fn with_local_port(mut self, port: Option<u16>) -> Self {
        self.peer.local_port = port.and_then(NonZeroU16::new);
        self
    }

    /// The same connection, as one from a trusted proxy that speaks the PROXY protocol: it must begin with whom the
    /// proxy speaks for, and then is that client's. Anything else is refused with 400.
    ///
    /// An example stands at [`MockClient::behind_proxy`](crate::testing::MockClient::behind_proxy).
    #[must_use]
    pub fn behind_proxy(mut self) -> Self {
        self.state = State::Preamble;
        self
    }

    /// The same connection, as one that is answered by this refusal and closed.
    #[must_use]
    pub(crate) fn turned_away(mut self, refusal: HttpError) -> Self {
        self.state = State::TurnedAway(Box::new(refusal));
        self
    }

    /// Where the peer is.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.peer.address
    }

    /// Requests whose head was complete.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// The transport, to register it or to look at what a mock recorded.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// The transport, to register it or to script a mock.
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Notes what the transport may be ready for. Events are hints: only what a read or a write says changes a state.
    pub fn set_ready(&mut self, is_readable: bool, is_writable: bool, sees_end: bool) {
        self.is_readable |= is_readable | sees_end;
        self.is_writable |= is_writable;
        self.sees_end |= sees_end;
    }

    /// Notes that the transport has failed. Whoever works for this peer is told when the machine goes on.
    pub fn set_gone(&mut self) {
        self.is_gone = true;
    }

    /// Ends it wherever it stands, when it goes on next.
    pub(crate) fn cut_off(&mut self) {
        self.state = State::Closed;
    }

    /// True if somebody else is at work on the answer, or on what is left of it.
    pub(crate) fn is_waiting(&self) -> bool {
        match &self.state {
            State::Waiting(_) => true,
            State::Writing(writing) => writing.waits_for_call(),
            _ => false,
        }
    }

    /// True if the next step that may read will.
    pub(crate) fn wants_read(&self) -> bool {
        self.is_readable
    }

    /// The machine: goes on until it must wait, has used its share of the turn, or is over.
    pub fn advance<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>) -> Next {
        cx.scratch.load(self.kept.take());
        if self.is_overdue(cx) {
            match self.limit(cx) {
                // A socket is called writable when a third of its buffer is free; what a slow peer
                // has taken, a write tells.
                Limit::Write if !self.is_writable => self.is_writable = true,
                Limit::Write => {}
                _ => self.time_out(cx),
            }
        }
        if let State::Writing(writing) = &mut self.state {
            writing.call();
        }
        let mut share = Share::default();
        let next = loop {
            let step = match self.state {
                State::Preamble => self.read_preamble(cx, &mut share),
                State::TurnedAway(_) => self.turn_away(cx),
                State::Reading(_) => self.read_head(cx, &mut share),
                State::Parsed(_) => self.read_body(cx, &mut share),
                State::Waiting(_) => self.wait_for_answer(cx),
                State::Writing(_) => self.write(cx, &mut share),
                State::Lingering => self.linger(cx, &mut share),
                State::Closed => break Next::Close,
            };
            match step {
                Step::On => {}
                Step::Wait => {
                    let (limit, deadline) = (self.limit(cx), self.deadline(cx));
                    if deadline <= cx.now.tick() && matches!(limit, Limit::Idle | Limit::Write) && self.is_overdue(cx) {
                        self.time_out(cx);
                        continue;
                    }
                    self.narrator(cx).tell(&Event::Waiting(limit, deadline.since(cx.now.tick())));
                    break Next::Wait(deadline);
                }
                Step::Yield => break Next::Again,
            }
        };
        if next == Next::Close {
            cx.scratch.ledger.settle_all(cx.scratch.output.sent_position(), cx.service, cx.now);
            self.narrator(cx).tell(&Event::Closed);
        }
        // What a closed connection leaves on the desk is dropped with it.
        self.kept = cx.scratch.unload();
        next
    }

    /// The time limit of the phase that the connection is in, counted from `since`.
    fn limit<S: ?Sized>(&self, cx: &Context<'_, S>) -> Limit {
        match &self.state {
            State::Lingering | State::Closed => Limit::Linger,
            _ if !cx.scratch.output.is_empty() => Limit::Write,
            State::Writing(_) | State::TurnedAway(_) => Limit::Write,
            State::Waiting(_) => Limit::Answer,
            State::Parsed(_) => Limit::Body,
            State::Preamble | State::Reading(_) if cx.scratch.input.is_blank() => Limit::Idle,
            State::Preamble | State::Reading(_) => Limit::Head,
        }
    }

    fn deadline<S: ?Sized>(&self, cx: &Context<'_, S>) -> Tick {
        if let State::Writing(writing) = &self.state
            && let Some(resume) = writing.resumes()
            && cx.scratch.output.is_empty()
        {
            return resume;
        }
        self.since.plus(match self.limit(cx) {
            Limit::Idle => cx.timeouts.idle,
            Limit::Head => cx.timeouts.head,
            Limit::Body => cx.timeouts.body_after(self.received()),
            Limit::Answer => cx.timeouts.answer,
            Limit::Write => cx.timeouts.write.saturating_sub(Duration::from_millis(self.owed.into())),
            Limit::Linger => cx.timeouts.linger,
        })
    }

    /// Bytes of the body that is on its way.
    fn received(&self) -> u64 {
        match &self.state {
            State::Parsed(incoming) => incoming.received(),
            _ => 0,
        }
    }

    /// True if the phase has lasted too long.
    fn is_overdue<S: ?Sized>(&self, cx: &Context<'_, S>) -> bool {
        // A request that came while the loop was held up is read before its peer is taken for idle.
        if self.is_readable && self.limit(cx) == Limit::Idle {
            return false;
        }
        // A stream that sleeps or was put off is not waiting for its peer, once that has taken all there was.
        let is_resting = matches!(&self.state, State::Writing(writing) if writing.is_resting());
        let is_resting = is_resting && cx.scratch.output.is_empty();
        cx.now.tick() >= self.deadline(cx) && !is_resting
    }

    /// The phase has lasted too long. A peer that was saying something is told so; one that says
    /// or takes nothing is left.
    fn time_out<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>) {
        let limit = self.limit(cx);
        self.narrator(cx).tell(&Event::Overdue(limit));
        let detail = match limit {
            Limit::Head => format!("the head was not complete after {:?}", cx.timeouts.head),
            Limit::Body => {
                let rate = cx.timeouts.min_rate;
                format!(
                    "the body was not complete after {:?} and came at less than {rate} bytes a second",
                    cx.timeouts.body
                )
            }
            Limit::Answer => return self.give_up_waiting(cx),
            Limit::Idle | Limit::Write | Limit::Linger => return self.state = State::Closed,
        };
        self.refuse(&HttpError::new(Status::REQUEST_TIMEOUT, detail), cx);
    }

    /// One step in `State::TurnedAway`: the refusal is the whole conversation.
    fn turn_away<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>) -> Step {
        if let State::TurnedAway(refusal) = std::mem::replace(&mut self.state, State::Closed) {
            self.refuse(&refusal, cx);
        }
        Step::On
    }

    fn narrator<'a, S: ?Sized>(&self, cx: &Context<'a, S>) -> Narrator<'a> {
        Narrator { peer: self.peer, tracer: cx.tracer }
    }
}
