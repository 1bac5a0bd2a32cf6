//! Accepting peers: each door in its turn, and without spinning where the system has nothing left to give.
//! Who may stay, `door` says.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use log::{debug, warn};
use mio::{Registry, Token};
use rustix::io::Errno;

use crate::http::Tick;

use super::listener::Listener;
use super::stream::Stream;

/// The listening sockets.
#[derive(Debug)]
pub(super) struct Acceptor {
    doors: Vec<Door>,
    /// Who is asked first: each in his turn, so that a crowd at one door does not close the others.
    first: usize,
    state: State,
    /// When it was last said that nothing is left.
    complained: Option<Tick>,
}

#[derive(Debug)]
struct Door {
    listener: Listener,
    /// Asked once: it does not change.
    port: Option<u16>,
    /// An event said that somebody waits, and accept has not said otherwise since.
    is_ready: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Accepting,
    /// The system has no descriptor or memory left: tried again at this time, or when a connection has closed.
    Paused(Tick),
}

/// Doors that there may be: the tokens of their events end there.
const MOST_DOORS: usize = 4000;

/// How often it is said at most that nothing is left.
const QUIET: Duration = Duration::from_secs(10);

/// How long to wait for descriptors that somebody else may give back.
const PAUSE: Duration = Duration::from_millis(500);

impl Door {
    fn new(listener: Listener) -> Self {
        let port = listener.local_addr().map(|address| address.port());
        Door { listener, port, is_ready: true }
    }
}

impl Acceptor {
    /// Watches these listeners, with tokens from `first` on.
    pub(super) fn new(listeners: Vec<Listener>, registry: &Registry, first: usize) -> io::Result<Self> {
        if listeners.len() > MOST_DOORS {
            let why = format!("{} listening sockets are more than {MOST_DOORS}", listeners.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let mut doors: Vec<Door> = listeners.into_iter().map(Door::new).collect();
        for (index, door) in doors.iter_mut().enumerate() {
            door.listener.register(registry, Token(first + index))?;
        }
        Ok(Acceptor { doors, first: 0, state: State::Accepting, complained: None })
    }

    pub(super) fn set_ready(&mut self, index: usize) {
        if let Some(door) = self.doors.get_mut(index) {
            door.is_ready = true;
        }
    }

    /// Every door is looked at once more, whatever is known of it: its event may have yet to come, or a pause to end.
    pub(super) fn look_again(&mut self) {
        self.state = State::Accepting;
        for door in &mut self.doors {
            door.is_ready = true;
        }
    }

    /// True if there is somebody to accept now.
    pub(super) fn is_ready(&self) -> bool {
        self.state == State::Accepting && self.doors.iter().any(|door| door.is_ready)
    }

    /// When a pause ends.
    pub(super) fn resumes(&self) -> Option<Tick> {
        match self.state {
            State::Accepting => None,
            State::Paused(until) => Some(until),
        }
    }

    /// Ends a pause whose time has come.
    pub(super) fn wake(&mut self, now: Tick) {
        if self.resumes().is_some_and(|until| until <= now) {
            self.state = State::Accepting;
        }
    }

    /// A connection was closed, and with it a descriptor.
    pub(super) fn has_room_again(&mut self) {
        self.state = State::Accepting;
    }

    pub(super) fn listeners(&self) -> impl Iterator<Item = &Listener> {
        self.doors.iter().map(|door| &door.listener)
    }

    /// The names of sockets in the file system stay when they are closed here: somebody else listens on them.
    pub(super) fn forget_names(&mut self) {
        for door in &mut self.doors {
            door.listener.forget_name();
        }
    }

    /// Closes the listening sockets. They may live on in a successor: whoever knocks there is no event here.
    pub(super) fn close(&mut self, registry: &Registry) {
        for mut door in self.doors.drain(..) {
            if let Err(error) = door.listener.deregister(registry) {
                debug!("a listening socket is still watched: {error}");
            }
        }
    }

    /// Accepts the next peer: its stream, its address, the port it came to. `None`: nobody waits, or there is
    /// nothing to take him in with.
    pub(super) fn accept(&mut self, now: Tick) -> Option<(Stream, Option<SocketAddr>, Option<u16>)> {
        let count = self.doors.len();
        self.first = self.first.wrapping_add(1);
        for turn in 0..count {
            let index = self.first.wrapping_add(turn).checked_rem(count).unwrap_or(0);
            let Some(door) = self.doors.get_mut(index).filter(|door| door.is_ready) else { continue };
            match door.listener.accept() {
                Ok((stream, peer)) => return Some((stream, peer, door.port)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => door.is_ready = false,
                Err(error) if is_exhausted(&error) => {
                    if self.complained.is_none_or(|last| now.since(last) >= QUIET) {
                        self.complained = Some(now);
                        warn!("no peer is accepted for a moment: {error}");
                    }
                    self.state = State::Paused(now.plus(PAUSE));
                    return None;
                }
                // One peer's misfortune, such as leaving while it waited; the next turn goes on with the next.
                Err(error) => debug!("a peer was lost before it was accepted: {error}"),
            }
        }
        None
    }
}

fn is_exhausted(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].into_iter().any(|one| errno == Some(one))
}
