//! What happens on a connection, told as it happens: to the log in a line, and to a tracer with the bytes.

use std::net::SocketAddr;
use std::time::Duration;
use std::{fmt, io};

use log::Level;

use crate::http::{Method, Proxied, Status};

use super::peer::Peer;

/// Something that happened on a connection.
///
/// ```
/// use ownhands::connection::{Event, Limit};
/// use std::time::Duration;
///
/// assert_eq!(Event::Sent(10, 20).to_string(), "writing: sent 10 of 20 bytes");
/// let event = Event::Waiting(Limit::Head, Duration::from_secs(30));
/// assert_eq!(event.to_string(), "waiting for the rest of the head, at most 30.0 s");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The connection was accepted.
    Accepted,
    /// A proxy has said whom it speaks for. What follows is told of that peer.
    Proxied(Proxied),
    /// A read brought these bytes.
    Received(&'a [u8]),
    /// So many bytes are here, and the head is not complete.
    HeadIncomplete(usize),
    /// A head is complete.
    Parsed {
        /// What to do.
        method: Method<'a>,
        /// The target as sent.
        target: &'a str,
        /// The decoded path.
        path: &'a str,
    },
    /// So many bytes are here, head included, and the body is not complete.
    BodyIncomplete(usize),
    /// The handler has put the answer off.
    Deferred,
    /// The peer was told to send its body.
    Continued,
    /// The head of an answer was made, and its body if it is small.
    Answered {
        /// The status.
        status: Status,
        /// The head, as it goes over the wire.
        head: &'a [u8],
        /// The body, if it goes out with the head.
        body: &'a [u8],
        /// True if another request may follow.
        is_kept: bool,
    },
    /// A slice of a body was made, chunk framing included.
    Produced(&'a [u8]),
    /// The peer took so many bytes of so many.
    Sent(usize, usize),
    /// Nothing to do until the peer moves, at most for so long.
    Waiting(Limit, Duration),
    /// The time is over.
    Overdue(Limit),
    /// The peer ended its direction.
    Ended,
    /// The peer is gone.
    Gone(&'a io::Error),
    /// A body had to end before its announced end.
    CutShort(&'a str, &'a io::Error),
    /// The answer is sent; what the peer still sends is thrown away.
    Lingering,
    /// The connection is over.
    Closed,
}

/// Which time limit applies; see [`Timeouts`](super::Timeouts).
///
/// ```
/// assert_eq!(ownhands::connection::Limit::Write.to_string(), "the peer to take its answer");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// For a request to begin.
    Idle,
    /// For a head to be complete.
    Head,
    /// For a body to be complete.
    Body,
    /// For a deferred answer to be given.
    Answer,
    /// For the peer to take something of its answer.
    Write,
    /// For the peer to read a refusal and to end.
    Linger,
}

impl Event<'_> {
    #[inline]
    fn level(&self) -> Level {
        match self {
            Event::CutShort(..) => Level::Warn,
            Event::Accepted | Event::Proxied(_) | Event::Answered { .. } | Event::Overdue(_) | Event::Closed => {
                Level::Debug
            }
            Event::Ended | Event::Gone(_) => Level::Debug,
            _ => Level::Trace,
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Accepted => f.write_str("accepted"),
            Event::Proxied(Proxied::Client { source, .. }) => write!(f, "a proxy, for {source}"),
            Event::Proxied(Proxied::Local) => f.write_str("a proxy, for a client without an address"),
            Event::Proxied(Proxied::Itself) => f.write_str("a proxy, for itself"),
            Event::Proxied(Proxied::Unknown) => f.write_str("a proxy, for somebody it does not name"),
            Event::Received(bytes) => write!(f, "read {} bytes", bytes.len()),
            Event::HeadIncomplete(bytes) => write!(f, "reading: {bytes} bytes, the head is not complete"),
            Event::Parsed { method, target, .. } => write!(f, "parsed: {method} {}", target.escape_debug()),
            Event::BodyIncomplete(bytes) => write!(f, "parsed: {bytes} bytes, the body is not complete"),
            Event::Deferred => f.write_str("waiting: the answer was put off"),
            Event::Continued => f.write_str("parsed: the peer waits for 100 Continue and gets it"),
            Event::Answered { status, is_kept, .. } => {
                write!(f, "answered {status}, {}", if *is_kept { "kept" } else { "closing" })
            }
            Event::Produced(bytes) => write!(f, "writing: {} bytes were made", bytes.len()),
            Event::Sent(count, asked) => write!(f, "writing: sent {count} of {asked} bytes"),
            Event::Waiting(limit, span) => write!(f, "waiting for {limit}, at most {:.1} s", span.as_secs_f32()),
            Event::Overdue(limit) => write!(f, "waited too long for {limit}"),
            Event::Ended => f.write_str("the peer has ended"),
            Event::Gone(error) => write!(f, "the peer is gone: {error}"),
            Event::CutShort(why, error) => write!(f, "an answer was cut short: {why}: {error}"),
            Event::Lingering => f.write_str("lingering: the peer may still be sending"),
            Event::Closed => f.write_str("closed"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Idle => "a request",
            Limit::Head => "the rest of the head",
            Limit::Body => "the rest of the body",
            Limit::Answer => "the answer",
            Limit::Write => "the peer to take its answer",
            Limit::Linger => "the peer to end",
        })
    }
}

/// Is shown everything that happens on every connection; [`Transcript`](super::Transcript) is one.
///
/// ```
/// use ownhands::connection::{Event, Tracer};
/// use ownhands::{App, testing::MockClient};
/// use std::{cell::Cell, net::SocketAddr, rc::Rc};
///
/// /// Counts the bytes that come in.
/// struct Meter(Rc<Cell<usize>>);
///
/// impl Tracer for Meter {
///     fn trace(&self, _: Option<SocketAddr>, event: &Event<'_>) {
///         if let Event::Received(bytes) = event {
///             self.0.set(self.0.get() + bytes.len());
///         }
///     }
/// }
///
/// let count = Rc::new(Cell::new(0));
/// MockClient::new(App::new()).with_tracer(Meter(Rc::clone(&count))).send("GET / HTTP/1.1\nHost: a\n\n", &[5]);
/// assert_eq!(count.get(), 24);
/// ```
pub trait Tracer {
    /// Told of each event, in order. The peer's address tells the connections apart.
    fn trace(&self, peer: Option<SocketAddr>, event: &Event<'_>);
}

/// Tells the log and the tracer, if there is one.
#[derive(Clone, Copy)]
pub(super) struct Narrator<'a> {
    pub(super) peer: Peer,
    pub(super) tracer: Option<&'a dyn Tracer>,
}

impl Narrator<'_> {
    #[inline]
    pub(super) fn tell(self, event: &Event<'_>) {
        // A word or two of comparing, in line; all that is told of a request is dear next to the rest.
        if self.tracer.is_some() || log::max_level() >= event.level() {
            self.say(event);
        }
    }

    #[cold]
    fn say(self, event: &Event<'_>) {
        log::log!(event.level(), "{}: {event}", self.peer);
        if let Some(tracer) = self.tracer {
            tracer.trace(self.peer.address, event);
        }
    }
}
