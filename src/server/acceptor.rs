//! Accepting peers: in batches, never beyond the limit, and without spinning where the system has nothing left to give.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use log::{debug, warn};
use mio::net::{TcpListener, TcpStream};
use rustix::io::Errno;

use crate::http::Tick;

/// The listening sockets.
#[derive(Debug)]
pub(super) struct Acceptor {
    listeners: Vec<Listener>,
    state: State,
}

#[derive(Debug)]
struct Listener {
    socket: TcpListener,
    /// An event said that somebody waits, and accept has not said otherwise since.
    is_ready: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Accepting,
    /// The system has no descriptor or memory left: tried again at this time, or when a connection has closed.
    Paused(Tick),
}

/// How long to wait for descriptors that somebody else may give back.
const PAUSE: Duration = Duration::from_millis(500);

impl Acceptor {
    pub(super) fn new(sockets: Vec<TcpListener>) -> Self {
        let listeners = sockets.into_iter().map(|socket| Listener { socket, is_ready: true }).collect();
        Acceptor { listeners, state: State::Accepting }
    }

    pub(super) fn sockets_mut(&mut self) -> impl Iterator<Item = &mut TcpListener> {
        self.listeners.iter_mut().map(|listener| &mut listener.socket)
    }

    pub(super) fn set_ready(&mut self, index: usize) {
        if let Some(listener) = self.listeners.get_mut(index) {
            listener.is_ready = true;
        }
    }

    /// True if there is somebody to accept now.
    pub(super) fn is_ready(&self) -> bool {
        self.state == State::Accepting && self.listeners.iter().any(|listener| listener.is_ready)
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

    /// Closes the listening sockets.
    pub(super) fn close(&mut self) {
        self.listeners.clear();
    }

    /// Accepts the next peer. `None`: nobody waits, or there is nothing to take him in with.
    pub(super) fn accept(&mut self, now: Tick) -> Option<(TcpStream, SocketAddr)> {
        for listener in self.listeners.iter_mut().filter(|listener| listener.is_ready) {
            match listener.socket.accept() {
                Ok(accepted) => return Some(accepted),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => listener.is_ready = false,
                Err(error) if is_exhausted(&error) => {
                    warn!("no peer is accepted for a moment: {error}");
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
