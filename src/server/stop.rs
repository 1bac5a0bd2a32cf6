//! How a server stops: nobody who has knocked is left out, and what has begun is finished.

use std::time::Duration;

use log::info;

use crate::connection::Phase;
use crate::http::Tick;
use crate::service::Service;

use super::door::ACCEPTS_A_TURN;
use super::{Call, Server, Signal, Slot, listener};

/// Rounds of accepting before the doors close: the queue of those who have knocked, and not those who come meanwhile.
const LAST_ACCEPTS: usize = listener::BACKLOG as usize / ACCEPTS_A_TURN;

/// How long a stopping server waits for the first request of somebody who has just been let in: he knocked at an open
/// door, and nothing told him that it was closing. With a successor, also for the next request of somebody who has just
/// been answered: he gets his answer with `Connection: close`, where an end at this moment might meet his request.
const LAST_ORDERS: Duration = Duration::from_secs(1);

impl Slot {
    /// Until when that is.
    pub(super) fn word_due(&self, has_successor: bool) -> Option<Tick> {
        let is_awaited = has_successor || self.connection.requests() == 0;
        self.connection.quiet_since().filter(|_| is_awaited).map(|since| since.plus(LAST_ORDERS))
    }
}

impl<S: Service> Server<S> {
    pub(super) fn hear_signals(&mut self) {
        let Some(signals) = &mut self.signals else { return };
        let heard = signals.pending();
        for _ in heard.iter().filter(|&&signal| signal == Signal::Stop) {
            self.asked_to_stop = self.asked_to_stop.saturating_add(1);
            self.stop();
        }
        // The first one after a hand-over asks for no more than what goes on already; the second one is in a hurry.
        if self.asked_to_stop > 1 {
            self.last_call = self.now.tick();
        }
        self.calls.extend(heard.into_iter().map(Call::Signal));
    }

    /// Begins to stop: whoever has knocked is let in, then the doors close, and every connection is asked once more.
    pub(super) fn stop(&mut self) {
        if self.phase == Phase::Draining {
            return;
        }
        info!("stopping: {} connections", self.slots.len());
        self.acceptor.look_again(); // somebody may have knocked since the last poll
        for _ in 0..LAST_ACCEPTS {
            self.let_in(ACCEPTS_A_TURN, ACCEPTS_A_TURN); // however long it takes
        }
        self.drain();
    }

    /// True if a request may be on its way that nobody should be refused.
    pub(super) fn is_awaited(&self, key: usize) -> bool {
        let due = self.slots.get(key).and_then(|slot| slot.word_due(self.has_successor));
        due.is_some_and(|due| self.now.tick() < due)
    }

    /// The time is over: what is not finished is cut off, and observers are told how far it came.
    pub(super) fn cut_off_all(&mut self) {
        let keys: Vec<usize> = self.slots.iter().map(|(key, _)| key).collect();
        for key in keys {
            if let Some(slot) = self.slots.get_mut(key) {
                slot.connection.cut_off();
                self.step(key);
            }
        }
    }

    /// True once it takes no more peers, and finishes what has begun.
    ///
    /// ```
    /// use ownhands::{App, Config, Server};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut server = Server::new(vec![], Config::default(), App::new())?;
    /// assert!(!server.is_stopping());
    /// server.hand_over();
    /// assert!(server.is_stopping());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.phase == Phase::Draining
    }

    /// Leaves the listening sockets to a successor, who has them by now, and stops: who knocks is his guest. What has
    /// begun here is finished here. Sockets in the file system keep their names.
    ///
    /// An example stands at [`is_stopping`](Self::is_stopping).
    pub fn hand_over(&mut self) {
        if self.phase == Phase::Open {
            info!("handed over to a successor: {} connections", self.slots.len());
            self.acceptor.forget_names();
            self.has_successor = true;
            self.drain();
        }
    }

    fn drain(&mut self) {
        self.acceptor.close(self.poll.registry());
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
