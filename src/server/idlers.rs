//! Who yields when the house is full: the connection that has waited longest for a request, or lingers; and where all
//! have begun to say something, the one whose head has been on its way longest.
//!
//! Keeping all connections in order would cost each request; instead a full house is looked through, as often as a turn
//! has time for, and those found yield one after the other as peers come. One that was busy meanwhile is passed over.

use std::collections::VecDeque;

use crate::http::Tick;

/// How little a connection does, and since when. The first to yield is the smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Idleness {
    /// Nothing is owed on either side.
    Idle(Tick),
    /// A head has begun, and does not come to its end.
    SlowHead(Tick),
}

/// One that may yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Idler {
    pub(super) idleness: Idleness,
    pub(super) key: usize,
}

/// Those that were found, in the order in which they yield.
#[derive(Debug, Default)]
pub(super) struct Idlers(VecDeque<Idler>);

/// As many are noted in one look: what comes in some turns of accepting, in a few KiB.
const MOST: usize = 1024;

impl Idlers {
    /// Looks through the house, and says whether anybody may yield.
    pub(super) fn note(&mut self, idle: impl Iterator<Item = Idler>) -> bool {
        let mut found: Vec<_> = idle.collect();
        if found.len() > MOST {
            found.select_nth_unstable(MOST);
            found.truncate(MOST);
        }
        found.sort_unstable();
        self.0 = found.into();
        !self.0.is_empty()
    }

    /// The next one; whether it still is one is for the caller to see.
    pub(super) fn next(&mut self) -> Option<Idler> {
        self.0.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_longest_idle_come_first_then_the_slowest_heads_and_no_more_than_so_many() {
        let idler = |key: usize| {
            let since = Tick::after(Duration::from_millis((key as u64 * 7919) % 5000));
            let idleness = if key < 500 { Idleness::Idle(since) } else { Idleness::SlowHead(since) };
            Idler { idleness, key }
        };
        let mut idlers = Idlers::default();
        assert!(idlers.note((0..5000).map(idler)));
        let found: Vec<_> = std::iter::from_fn(|| idlers.next()).collect();
        let mut all: Vec<_> = (0..5000).map(idler).collect();
        all.sort_unstable();
        all.truncate(MOST);
        assert_eq!(found, all);
        assert!(found.iter().take(500).all(|idler| matches!(idler.idleness, Idleness::Idle(_))));
        assert!(!idlers.note(std::iter::empty()));
    }
}
