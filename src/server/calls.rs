//! What the loop hands to the program that runs it.
//!
//! Serving is the server's own business. What concerns the program as a whole, such as a signal to read its files anew,
//! ends [`attend`](super::Server::attend) between two turns: the program does it, and attends again.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use log::info;
use mio::unix::SourceFd;
use mio::{Events, Interest, Token};

use crate::connection::Phase;
use crate::http::Tick;
use crate::service::Service;

use super::signals::{self, Signals};
use super::{Config, EVENTS_A_TURN, FIRST_WATCH, Figures, Listener, SIGNALS, Server, Signal, descriptors};

/// Something for the program that runs the server.
///
/// Its use is shown at [`Signal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A signal came.
    Signal(Signal),
    /// What was [watched](Server::watch) under this key may be read.
    Ready(usize),
    /// The time is over that `attend` was given.
    Time,
}

impl<S: Service> Server<S> {
    /// From now on SIGINT and SIGTERM stop this server as [`Handle::stop`](super::Handle::stop) does; a
    /// second one stops it at once.
    ///
    /// # Errors
    /// What the system says when the signals cannot be watched.
    pub fn stop_on_signals(&mut self) -> io::Result<()> {
        self.signals = Some(Signals::watch(&signals::STOPPING, self.poll.registry(), SIGNALS)?);
        Ok(())
    }

    /// The same, and SIGHUP, SIGUSR1 and SIGUSR2 become [calls](Call::Signal). An example stands at [`Signal`].
    ///
    /// # Errors
    /// What the system says when the signals cannot be watched.
    pub fn heed_signals(&mut self) -> io::Result<()> {
        self.signals = Some(Signals::watch(&signals::ALL, self.poll.registry(), SIGNALS)?);
        Ok(())
    }

    /// Watches a descriptor that is no connection: whenever there is more to read from it, there is a
    /// [`Call::Ready`] with this key, below 4096. It comes once: read until that would block. The descriptor must be
    /// open as long as it is watched.
    ///
    /// # Errors
    /// What the system says when it cannot be watched, and for a key that is too large.
    pub fn watch(&mut self, key: usize, descriptor: &impl AsFd) -> io::Result<()> {
        let token = Some(FIRST_WATCH.saturating_add(key)).filter(|&token| token < super::FIRST_LISTENER);
        let token = token.ok_or(io::ErrorKind::InvalidInput)?;
        let descriptor = descriptor.as_fd().as_raw_fd();
        self.poll.registry().register(&mut SourceFd(&descriptor), Token(token), Interest::READABLE)
    }

    /// Watches this descriptor no longer.
    ///
    /// # Errors
    /// What the system says, if it was not watched.
    pub fn unwatch(&mut self, descriptor: &impl AsFd) -> io::Result<()> {
        self.poll.registry().deregister(&mut SourceFd(&descriptor.as_fd().as_raw_fd()))
    }

    /// Serves until it is stopped. Calls are for programs that [attend](Self::attend).
    ///
    /// # Errors
    /// A failure of the poll itself; what goes wrong with a peer ends that peer's connection alone.
    pub fn run(&mut self) -> io::Result<()> {
        while self.attend(None)?.is_some() {}
        Ok(())
    }

    /// Serves until there is a call, or for this long. `None`: it was stopped, and everybody has his
    /// answer or the grace is over.
    ///
    /// # Errors
    /// A failure of the poll itself; what goes wrong with a peer ends that peer's connection alone.
    pub fn attend(&mut self, at_most: Option<Duration>) -> io::Result<Option<Call>> {
        let mut events = Events::with_capacity(EVENTS_A_TURN);
        self.turned = self.now.measured(); // what the program did meanwhile was no turn
        let until = at_most.map_or(Tick::NEVER, |span| self.turned.plus(span));
        loop {
            if let Some(call) = self.calls.pop_front() {
                return Ok(Some(call));
            }
            if self.phase == Phase::Draining && self.slots.is_empty() {
                break;
            }
            if self.now.tick() >= self.last_call {
                info!("{} connections are unfinished, and cut off", self.slots.len());
                self.cut_off_all();
                break;
            }
            if self.now.tick() >= until {
                return Ok(Some(Call::Time));
            }
            self.turn(&mut events, until)?;
        }
        self.service.end_turn();
        info!("stopped");
        Ok(None)
    }

    /// Has this service answer from now on, with these settings. Connections stay, and what was asked of the former
    /// service is answered by it where it has begun.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, Config, Server};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut server = Server::new(vec![], Config::default(), App::new())?;
    /// server.replace(App::new(), Config { max_connections: 100, ..Config::default() });
    /// # Ok(()) }
    /// ```
    pub fn replace(&mut self, service: S, config: Config) {
        self.service.end_turn();
        self.service = service;
        self.next_turn = Tick::default(); // it is asked when it wants one
        self.room = descriptors::make_room(config.max_connections);
        self.visitors.set_rules(config.max_per_address, self.room.connections);
        self.config = config;
    }

    /// What the server is about, in numbers.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let uptime = self.now.measured().since(Tick::default());
        Figures { uptime, connections: self.slots.len(), ..self.figures }
    }

    /// The listening sockets, to hand them to a successor; none once it stops.
    pub fn listeners(&self) -> impl Iterator<Item = &Listener> {
        self.acceptor.listeners()
    }
}
