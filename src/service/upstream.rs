//! Layer 2: the seam between the loop and those whom a service asks in its turn: an application server, a program.
//!
//! The loop knows of them what it knows of a peer: a descriptor that it watches, and a machine that goes on when there
//! is something to do. What is said there is the service's business alone.

use std::os::fd::BorrowedFd;

use crate::http::{Now, Recall, Tick};

/// All that the loop learns of a connection, and of an upstream.
///
/// Its use is shown at [`Connection`](crate::connection::Connection).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Call again when the transport is ready, or at this time.
    Wait(Tick),
    /// Its share of the turn is used, and there is more to do: call again in the next turn, without sleeping.
    Again,
    /// Drop it.
    Close,
}

/// Somebody whom a service asks, behind one descriptor: the end of a socket or of a pipe.
///
/// The loop [takes it in](crate::Service::upstream), watches the descriptor for both directions, and lets it go on when
/// an event came, when its time has come, and when it was [summoned](crate::http::Summons). It runs on the loop's one
/// thread: it never waits, and does no more in one turn than a connection may.
///
/// ```
/// use ownhands::upstream::{Next, Shift, Upstream};
/// use ownhands::{App, Deferred, HttpError, Request, Resource, Response, Tick, testing::MockClient};
/// use std::cell::RefCell;
/// use std::io::{Read, Write};
/// use std::os::fd::{AsFd, BorrowedFd};
/// use std::os::unix::net::UnixStream;
///
/// /// One question, asked over a socket, and whom the answer is owed to.
/// struct Question(UnixStream, Option<Deferred>);
///
/// impl Upstream for Question {
///     fn descriptor(&self) -> BorrowedFd<'_> {
///         self.0.as_fd()
///     }
///     fn advance(&mut self, shift: &mut Shift<'_>) -> Next {
///         let mut room = [0; 1024];
///         match self.0.read(&mut room) {
///             Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
///                 shift.ready.is_readable = false;
///                 return Next::Wait(Tick::NEVER);
///             }
///             read => {
///                 let answer = read.map(|count| room[..count].to_vec()).map_err(HttpError::from);
///                 self.1.take().map(|deferred| deferred.answer(answer));
///                 Next::Close
///             }
///         }
///     }
/// }
///
/// /// Asks an oracle, and lets nobody else wait meanwhile.
/// #[derive(Default)]
/// struct Oracle(RefCell<Vec<Question>>);
///
/// impl Resource for Oracle {
///     fn allow(&self) -> &str {
///         "GET"
///     }
///     fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
///         let (own, mut theirs) = UnixStream::pair()?;
///         own.set_nonblocking(true)?;
///         std::thread::spawn(move || theirs.write_all(b"42"));
///         let (deferred, response) = request.defer();
///         self.0.borrow_mut().push(Question(own, Some(deferred)));
///         Ok(response)
///     }
///     fn upstream(&self) -> Option<Box<dyn Upstream>> {
///         self.0.borrow_mut().pop().map(|question| Box::new(question) as Box<dyn Upstream>)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.mount("/oracle", Oracle::default())?;
/// assert_eq!(MockClient::new(app).get("/oracle").text(), "42");
/// # Ok(()) }
/// ```
pub trait Upstream {
    /// What is watched. It stays the same and open as long as this lives, and does not block.
    fn descriptor(&self) -> BorrowedFd<'_>;

    /// Goes on until it must wait, has used its share of the turn, or is over.
    fn advance(&mut self, shift: &mut Shift<'_>) -> Next;
}

/// What an upstream is lent for a turn.
#[derive(Debug)]
#[non_exhaustive]
pub struct Shift<'a> {
    /// What its descriptor may be ready for: worth a try until a try says otherwise, which the upstream notes here.
    pub ready: &'a mut Readiness,
    /// The time of this turn.
    pub now: &'a Now,
    /// How the loop is woken for this upstream.
    pub recall: Recall<'a>,
}

impl<'a> Shift<'a> {
    /// A shift for the test of an upstream.
    #[must_use]
    pub fn new(ready: &'a mut Readiness, now: &'a Now, recall: Recall<'a>) -> Self {
        Shift { ready, now, recall }
    }
}

/// What a descriptor may be ready for. Events are hints, and come once: only what a read or a write says counts.
///
/// Its use is shown at [`Upstream`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Worth a read.
    pub is_readable: bool,
    /// Worth a write.
    pub is_writable: bool,
}

impl Readiness {
    /// Before anything was tried.
    pub const ALL: Readiness = Readiness { is_readable: true, is_writable: true };
}
