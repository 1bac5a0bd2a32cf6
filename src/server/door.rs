//! At the door: who is let in, who yields his place, and who is told to come again later.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use log::debug;
use mio::{Interest, Token};

use crate::connection::{Connection, Phase};
use crate::http::{HttpError, Tick};
use crate::service::Service;

use super::{Server, Slot, Standing, Stream};

/// Peers accepted in one turn: a burst of thousands must not keep those waiting who are here.
pub(super) const ACCEPTS_A_TURN: usize = 128;

/// Peers beside the connections there may be, who have been told that there are too many and may still be reading it. When
/// more come, the first must go.
const DOORSTEP: usize = 64;

/// Connections looked at in one turn, to find idle ones: a full house at its default size once, a small one many times.
const LOOKS_A_TURN: usize = 16 * 1024;

/// When a peer that was turned away may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl<S: Service> Server<S> {
    fn guests(&self) -> usize {
        self.slots.len().saturating_sub(self.doorstep.len())
    }

    /// Takes in those who wait. A peer is served before it is registered: one that has sent its request and wants no other
    /// never is.
    pub(super) fn accept(&mut self) {
        let mut accepted = 0;
        let mut looks = LOOKS_A_TURN;
        while accepted < ACCEPTS_A_TURN && self.acceptor.is_ready() {
            accepted += 1;
            let Some((stream, peer, port)) = self.acceptor.accept(self.now.tick()) else { continue };
            self.figures.accepted = self.figures.accepted.saturating_add(1);
            let refusal = self.refusal(peer, &mut looks);
            let mut connection = Connection::new(stream, peer, &self.now).with_local_port(port);
            if self.config.wants_proxy_protocol && self.config.proxies.covers_peer(peer) {
                connection = connection.behind_proxy();
            }
            self.receive(connection, refusal);
        }
    }

    /// The address that a peer is counted by: of a proxy none, because many come from it.
    fn counted(&self, peer: Option<SocketAddr>) -> Option<IpAddr> {
        peer.map(|peer| peer.ip()).filter(|&address| !self.config.proxies.covers(address))
    }

    /// Why this peer cannot stay, if he cannot. In a full house the longest idle yields.
    fn refusal(&mut self, peer: Option<SocketAddr>, looks: &mut usize) -> Option<HttpError> {
        let later = |detail| Some(HttpError::service_unavailable(RETRY_AFTER, detail));
        if let Some(most) = self.counted(peer).and_then(|address| self.visitors.is_at_limit(address)) {
            return later(format!("{most} connections from your address are open, and there may be no more of them"));
        }
        if self.guests() < self.max_connections || self.has_one_yield(looks) {
            return None;
        }
        later(format!(
            "{} connections are open and busy, and there may be no more; try again in a moment",
            self.guests()
        ))
    }

    /// Lets a peer in, or on the doorstep.
    fn receive(&mut self, mut connection: Connection<Stream>, refusal: Option<HttpError>) {
        let standing = if refusal.is_some() { Standing::TurnedAway } else { Standing::Guest };
        if let Some(refusal) = refusal {
            connection = connection.turned_away(refusal);
        }
        // Noted, because a connection goes by another address once its proxy has named the client.
        let counted = self.counted(connection.address()).filter(|_| standing == Standing::Guest);
        if let Some(address) = counted {
            self.visitors.came(address);
        }
        if standing == Standing::TurnedAway {
            self.figures.turned_away = self.figures.turned_away.saturating_add(1);
        }
        let key = self.slots.insert(Slot { connection, deadline: Tick::NEVER, standing, counted, is_queued: false });
        if standing == Standing::TurnedAway {
            self.take_to_the_doorstep(key);
        }
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

    /// Makes room on the doorstep, which is small where the house is.
    fn take_to_the_doorstep(&mut self, key: usize) {
        let room = DOORSTEP.min(self.max_connections / 4).max(1);
        if self.doorstep.len() >= room
            && let Some(&first) = self.doorstep.front()
        {
            self.remove(first);
        }
        self.doorstep.push_back(key);
    }

    /// A connection was removed: its place is free.
    pub(super) fn left(&mut self, key: usize, slot: &Slot) {
        if let Some(address) = slot.counted {
            self.visitors.left(address);
        }
        if slot.standing == Standing::TurnedAway {
            self.doorstep.retain(|&other| other != key);
        }
    }

    /// Ends the connection that has been idle longest, or has lingered. It is asked once more, as when a server stops: a request
    /// that has come meanwhile is answered, and the next one is looked for.
    fn has_one_yield(&mut self, looks: &mut usize) -> bool {
        loop {
            let Some((since, key)) = self.idlers.next() else {
                if *looks == 0 {
                    return false;
                }
                *looks = looks.saturating_sub(self.slots.len());
                let idle = |(key, slot): (usize, &Slot)| Some((slot.idle_since()?, key));
                if !self.idlers.note(self.slots.iter().filter_map(idle)) {
                    return false;
                }
                continue;
            };
            let Some(slot) = self.slots.get_mut(key).filter(|slot| slot.idle_since() == Some(since)) else { continue };
            slot.connection.set_ready(true, false, false);
            self.step_in(Phase::Draining, key);
            if self.slots.get(key).is_some_and(|slot| slot.connection.is_lingering()) {
                self.remove(key); // it has its answer
            }
            if !self.slots.contains(key) {
                self.figures.yielded = self.figures.yielded.saturating_add(1);
                return true;
            }
        }
    }
}

impl Slot {
    /// Since when it has waited for a request, if it does.
    fn idle_since(&self) -> Option<Tick> {
        (self.standing == Standing::Guest && !self.is_queued).then(|| self.connection.idle_since()).flatten()
    }
}
