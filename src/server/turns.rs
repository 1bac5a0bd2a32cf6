//! How long the turns of the loop were.

use std::fmt;
use std::time::Duration;

/// A histogram of the turns of the loop: the time from when the poll comes back to when it is called again. As long as
/// that nobody else is served.
///
/// ```
/// use ownhands::{App, Config, Server};
///
/// # fn main() -> std::io::Result<()> {
/// let server = Server::new(vec![], Config::default(), App::new())?;
/// let turns = server.figures().turns;
/// assert_eq!(turns.iter().map(|(_, count)| count).sum::<u64>(), turns.count());
/// assert_eq!(turns.to_string(), "0");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// How many there were of each length, in the order of `BOUNDS`.
    counts: [u64; BOUNDS.len()],
    longest: Duration,
}

/// The lengths, each with the longest turn that counts as it.
const BOUNDS: [Duration; 9] = [
    Duration::from_micros(62),
    Duration::from_micros(125),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(4),
    Duration::from_millis(16),
    Duration::MAX,
];

impl Turns {
    /// Counts one.
    pub(super) fn note(&mut self, length: Duration) {
        let fits = |(bound, _): &(&Duration, &mut u64)| length <= **bound;
        if let Some((_, count)) = BOUNDS.iter().zip(&mut self.counts).find(fits) {
            *count = count.saturating_add(1);
        }
        self.longest = self.longest.max(length);
    }

    /// All turns.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The longest of all.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// Each length, the shortest first: the longest turn that counts as that, and how many there were.
    pub fn iter(&self) -> impl Iterator<Item = (Duration, u64)> {
        BOUNDS.into_iter().zip(self.counts)
    }
}

/// In one line, as the status has it: `4711, 99 % within 0.25 ms, the longest 1.31 ms`.
impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.count();
        write!(f, "{all}")?;
        if all == 0 {
            return Ok(());
        }
        // The shortest length that covers 99 of 100.
        let mut seen = 0;
        let usual = self.iter().find(|(_, count)| {
            seen += count;
            seen.saturating_mul(100) >= all.saturating_mul(99)
        });
        if let Some((bound, _)) = usual.filter(|(bound, _)| *bound < Duration::MAX) {
            write!(f, ", 99 % within {:.2} ms", millis(bound.min(self.longest)))?;
        }
        write!(f, ", the longest {:.2} ms", millis(self.longest))
    }
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_counted_by_their_length() {
        let mut turns = Turns::default();
        for micros in [0, 62, 63, 2000, 2001, 20_000] {
            turns.note(Duration::from_micros(micros));
        }
        let counts: Vec<_> = turns.iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [2, 1, 0, 0, 0, 1, 1, 0, 1]);
        assert_eq!((turns.count(), turns.longest()), (6, Duration::from_millis(20)));
    }

    #[test]
    fn what_is_usual_is_what_99_of_100_keep_to() {
        let mut turns = Turns::default();
        (0..99).for_each(|_| turns.note(Duration::from_micros(100)));
        turns.note(Duration::from_micros(1310));
        assert_eq!(turns.to_string(), "100, 99 % within 0.12 ms, the longest 1.31 ms");
        turns.note(Duration::from_millis(900));
        assert_eq!(turns.to_string(), "101, 99 % within 2.00 ms, the longest 900.00 ms");
        let mut slow = Turns::default();
        slow.note(Duration::from_millis(17));
        assert_eq!(slow.to_string(), "1, the longest 17.00 ms");
    }
}
