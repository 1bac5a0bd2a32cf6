//! Deadlines of connections, kept lazily.
//!
//! A busy connection moves its deadline with every request. Moving it here each time would cost more than the request's
//! other bookkeeping; so a wake-up is only ever moved forward: when one comes and the deadline has moved on meanwhile,
//! it is set anew. Each key has one wake-up that counts, and a few that are stale and die unheard.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::http::Tick;

/// The wake-ups of all keys.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Tick, usize)>>,
    /// For each key its earliest wake-up in the heap, or never.
    earliest: Vec<Tick>,
}

impl Timers {
    /// Makes sure that `key` is woken at `deadline` or before.
    pub(super) fn set(&mut self, key: usize, deadline: Tick) {
        if self.earliest.len() <= key {
            self.earliest.resize(key + 1, Tick::NEVER);
        }
        let Some(earliest) = self.earliest.get_mut(key) else { return };
        if deadline < *earliest {
            *earliest = deadline;
            self.heap.push(Reverse((deadline, key)));
        }
    }

    /// Takes out the next key whose wake-up has come. The caller compares with the deadline itself, and sets it anew.
    pub(super) fn pop(&mut self, now: Tick) -> Option<usize> {
        while let Some(&Reverse((time, key))) = self.heap.peek() {
            if time > now {
                return None;
            }
            self.heap.pop();
            if let Some(earliest) = self.earliest.get_mut(key)
                && *earliest == time
            {
                *earliest = Tick::NEVER;
                return Some(key);
            }
        }
        None
    }

    /// When the next wake-up comes.
    pub(super) fn next(&self) -> Option<Tick> {
        self.heap.peek().map(|Reverse((time, _))| *time)
    }

    /// Forgets all: nobody is left to be woken.
    pub(super) fn clear(&mut self) {
        self.heap.clear();
        self.earliest.clear();
    }
}
