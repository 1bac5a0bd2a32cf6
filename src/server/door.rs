//! At the door: who is let in, who yields his place, and who is told to come again later.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use log::debug;
use mio::{Interest, Token};

use crate::connection::{Connection, Phase};
use crate::http::{HttpError, Tick};
use crate::service::Service;

use super::idlers::{Idleness, Idler};
use super::{Server, Slot, Standing, Stream};

/// Peers accepted in one turn: a burst of thousands must not keep those waiting who are here.
pub(super) const ACCEPTS_A_TURN: usize = 128;

/// Peers accepted in a turn that is long already: the door stays open, however much there is to do inside.
const ACCEPTS_A_LONG_TURN: usize = 16;

/// Connections looked at in one turn, to find idle ones: a full house at its default size once, a small one many times.
const LOOKS_A_TURN: usize = 16 * 1024;

/// A head that takes longer has to yield in a full house: it comes whole from everybody but a person who types, and
/// from who means to hold the place.
const SLOW_HEAD: Duration = Duration::from_secs(5);

/// When a peer that was turned away may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl<S: Service> Server<S> {
    fn guests(&self) -> usize {
        self.slots.len().saturating_sub(self.doorstep.len())
    }

    /// Takes in those who wait, within the share of a turn.
    pub(super) fn accept(&mut self) {
        self.let_in(ACCEPTS_A_LONG_TURN, ACCEPTS_A_TURN);
    }

    /// Takes in so many of those who wait, and fewer when the turn is long. A peer is served before it is registered:
    /// one that has sent its request and wants no other never is.
    pub(super) fn let_in(&mut self, least: usize, most: usize) {
        let mut accepted = 0;
        let mut looks = LOOKS_A_TURN;
        let mut may_make_room = true;
        while accepted < most && self.acceptor.is_ready() {
            if accepted >= least && self.now.is_long_turn() {
                break;
            }
            accepted += 1;
            let Some((stream, peer, port)) = self.acceptor.accept(self.now.tick()) else {
                // Where nothing is left to take a peer in with, room is made as in a full house: once,
                // for others may have it all.
                if self.acceptor.resumes().is_some() {
                    if std::mem::take(&mut may_make_room) {
                        let _ = self.has_one_yield(&mut looks) || self.clear_the_doorstep();
                    } else {
                        break;
                    }
                }
                continue;
            };
            self.figures.accepted = self.figures.accepted.saturating_add(1);
            let refusal = self.refusal(peer, self.room.is_taken_up(&stream), &mut looks);
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
    fn refusal(&mut self, peer: Option<SocketAddr>, is_last: bool, looks: &mut usize) -> Option<HttpError> {
        let later = |detail| Some(HttpError::service_unavailable(RETRY_AFTER, detail));
        if let Some(most) = self.counted(peer).and_then(|address| self.visitors.is_at_limit(address)) {
            return later(format!("{most} connections from your address are open, and there may be no more of them"));
        }
        if is_last {
            // The room that is made here is for the next: one of the last descriptors stays with who goes at once.
            self.has_one_yield(looks);
            return later("too many files are being sent; try again in a moment".to_owned());
        }
        if self.guests() < self.room.connections || self.has_one_yield(looks) {
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

    fn take_to_the_doorstep(&mut self, key: usize) {
        if self.doorstep.len() >= self.room.doorstep {
            self.clear_the_doorstep();
        }
        self.doorstep.push_back(key);
    }

    /// Sends away who has stood there longest, if anybody does.
    fn clear_the_doorstep(&mut self) -> bool {
        let first = self.doorstep.front().copied();
        first.map(|key| self.remove(key)).is_some()
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

    /// Ends the connection that does least with its place. It is asked once more: a request that has come meanwhile is
    /// answered, and the next one is looked for.
    fn has_one_yield(&mut self, looks: &mut usize) -> bool {
        loop {
            let Some(idler) = self.idlers.next() else {
                if *looks == 0 {
                    return false;
                }
                *looks = looks.saturating_sub(self.slots.len());
                let now = self.now.tick();
                let idle = |(key, slot): (usize, &Slot)| slot.idleness(now).map(|idleness| Idler { idleness, key });
                if !self.idlers.note(self.slots.iter().filter_map(idle)) {
                    return false;
                }
                continue;
            };
            let (now, key) = (self.now.tick(), idler.key);
            let is_idle_still = |slot: &&mut Slot| slot.idleness(now) == Some(idler.idleness);
            let Some(slot) = self.slots.get_mut(key).filter(is_idle_still) else { continue };
            slot.connection.set_ready(true, false, false);
            self.step_in(Phase::Crowded, key);
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
    /// How little it does, if that is little enough to yield.
    fn idleness(&self, now: Tick) -> Option<Idleness> {
        if self.standing == Standing::TurnedAway || self.is_queued {
            return None;
        }
        let slow = || self.connection.head_since().filter(|&since| now.since(since) >= SLOW_HEAD);
        self.connection.idle_since().map(Idleness::Idle).or_else(|| slow().map(Idleness::SlowHead))
    }
}
