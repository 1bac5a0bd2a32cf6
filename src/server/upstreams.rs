//! Those whom the service asks in its turn: one more kind of slot. They stand in a slab of their own, because
//! whatever is counted, closed or made to yield for the sake of peers does not concern them; otherwise the loop
//! treats them as it treats a connection.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use slab::Slab;

use crate::http::{Now, Recall, Tick, Wake};
use crate::service::Service;
use crate::service::upstream::{Next, Readiness, Shift, Upstream};

use super::timers::Timers;
use super::{FIRST_UPSTREAM, Server};

/// Rounds of calls in one turn: from a request to its upstream, from there to the answer, and on to what is asked next.
/// More come in the next turn, after new events.
const ROUNDS_A_TURN: usize = 4;

/// All of them.
#[derive(Default)]
pub(super) struct Upstreams {
    slots: Slab<Slot>,
    timers: Timers,
    /// Those that used up their share of a turn.
    again: VecDeque<usize>,
}

/// One of them, and what the loop knows of it.
struct Slot {
    upstream: Box<dyn Upstream>,
    ready: Readiness,
    deadline: Tick,
    /// It is in `again`.
    is_queued: bool,
}

/// What the loop lends them.
#[derive(Clone, Copy)]
pub(super) struct Loan<'a> {
    pub(super) registry: &'a Registry,
    pub(super) now: &'a Now,
    pub(super) wake: &'a Arc<dyn Wake>,
    /// The token and the ticket of the first.
    pub(super) first: usize,
}

impl<S: Service> Server<S> {
    /// Lets those go on whom the service asks, and whoever was called: a request asks an upstream, and its answer calls
    /// the connection, often in one turn.
    pub(super) fn ask_upstreams(&mut self) {
        let (upstreams, loan) = self.upstreams();
        upstreams.go_on(loan);
        for _ in 0..ROUNDS_A_TURN {
            while let Some(upstream) = self.service.upstream() {
                let (upstreams, loan) = self.upstreams();
                upstreams.take_in(upstream, loan);
            }
            if !self.handle.has_tickets() {
                return;
            }
            for ticket in self.handle.take_tickets() {
                match ticket.checked_sub(FIRST_UPSTREAM) {
                    Some(key) => {
                        let (upstreams, loan) = self.upstreams();
                        upstreams.call(key, loan);
                    }
                    None => self.call(ticket),
                }
            }
        }
    }

    /// The upstreams, and what they are lent.
    pub(super) fn upstreams(&mut self) -> (&mut Upstreams, Loan<'_>) {
        let (registry, now, wake) = (self.poll.registry(), &self.now, &self.wake);
        (&mut self.upstreams, Loan { registry, now, wake, first: FIRST_UPSTREAM })
    }
}

impl Upstreams {
    /// Watches one from now on, and lets it begin.
    pub(super) fn take_in(&mut self, upstream: Box<dyn Upstream>, loan: Loan<'_>) {
        let descriptor = upstream.descriptor().as_raw_fd();
        let entry = self.slots.vacant_entry();
        let key = entry.key();
        let token = Token(loan.first.saturating_add(key));
        if let Err(error) = watch(descriptor, token, loan.registry) {
            log::error!("an upstream is given up, as it cannot be watched: {error}");
            return;
        }
        entry.insert(Slot { upstream, ready: Readiness::ALL, deadline: Tick::NEVER, is_queued: false });
        self.step(key, loan);
    }

    /// An event came.
    pub(super) fn hear(&mut self, key: usize, is_readable: bool, is_writable: bool, loan: Loan<'_>) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.ready.is_readable |= is_readable;
            slot.ready.is_writable |= is_writable;
        }
        self.call(key, loan);
    }

    /// There is news for one: it goes on, but in the queue it keeps its place.
    pub(super) fn call(&mut self, key: usize, loan: Loan<'_>) {
        if self.slots.get(key).is_some_and(|slot| !slot.is_queued) {
            self.step(key, loan);
        }
    }

    /// Lets those go on that have more to do, and those whose time has come.
    pub(super) fn go_on(&mut self, loan: Loan<'_>) {
        for _ in 0..self.again.len() {
            let Some(key) = self.again.pop_front() else { break };
            if self.slots.get_mut(key).is_some_and(|slot| std::mem::take(&mut slot.is_queued)) {
                self.step(key, loan);
            }
        }
        let now = loan.now.tick();
        while let Some(key) = self.timers.pop(now) {
            match self.slots.get(key) {
                Some(slot) if slot.is_queued => {}
                Some(slot) if slot.deadline <= now => self.step(key, loan),
                Some(slot) => self.timers.set(key, slot.deadline),
                None => {}
            }
        }
    }

    /// True if one has more to do.
    pub(super) fn is_busy(&self) -> bool {
        !self.again.is_empty()
    }

    /// When the next one is to be woken.
    pub(super) fn next(&self) -> Option<Tick> {
        self.timers.next()
    }

    fn step(&mut self, key: usize, loan: Loan<'_>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let recall = Recall { wake: Some(loan.wake), ticket: loan.first.saturating_add(key) };
        match slot.upstream.advance(&mut Shift::new(&mut slot.ready, loan.now, recall)) {
            Next::Wait(deadline) => {
                slot.deadline = deadline;
                self.timers.set(key, deadline);
            }
            Next::Again => {
                slot.is_queued = true;
                self.again.push_back(key);
            }
            Next::Close => {
                let slot = self.slots.remove(key);
                // Closing would do, unless another process has the descriptor too.
                let _ = loan.registry.deregister(&mut SourceFd(&slot.upstream.descriptor().as_raw_fd()));
            }
        }
    }
}

fn watch(descriptor: RawFd, token: Token, registry: &Registry) -> io::Result<()> {
    registry.register(&mut SourceFd(&descriptor), token, Interest::READABLE | Interest::WRITABLE)
}
