//! Who yields when the house is full: the connection that has waited longest for a request.
//!
//! Keeping all connections in order would cost each request; instead a full house is looked through, as often as a turn has
//! time for, and those found yield one after the other as peers come. One that was busy meanwhile is passed over.

use std::collections::VecDeque;

use crate::http::Tick;

/// The connections found idle, the longest idle first: since when, and who.
#[derive(Debug, Default)]
pub(super) struct Idlers(VecDeque<(Tick, usize)>);

/// As many are noted in one look: what comes in some turns of accepting, in a few KiB.
const MOST: usize = 1024;

impl Idlers {
    /// Looks through the house, and says whether anybody is idle.
    pub(super) fn note(&mut self, idle: impl Iterator<Item = (Tick, usize)>) -> bool {
        let mut found: Vec<_> = idle.collect();
        if found.len() > MOST {
            found.select_nth_unstable(MOST);
            found.truncate(MOST);
        }
        found.sort_unstable();
        self.0 = found.into();
        !self.0.is_empty()
    }

    /// The next one, if he is still idle since then.
    pub(super) fn next(&mut self) -> Option<(Tick, usize)> {
        self.0.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_longest_idle_come_first_and_no_more_than_so_many() {
        let since = |key: usize| Tick::after(Duration::from_millis((key as u64 * 7919) % 5000));
        let mut idlers = Idlers::default();
        assert!(idlers.note((0..5000).map(|key| (since(key), key))));
        let found: Vec<_> = std::iter::from_fn(|| idlers.next()).collect();
        let mut all: Vec<_> = (0..5000).map(|key| (since(key), key)).collect();
        all.sort_unstable();
        all.truncate(MOST);
        assert_eq!(found, all);
    }
}
