//! The time, as one turn of the loop sees it. Read once a turn by whoever turns the loop, and lent from there, so that
//! a test moves time by hand.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point on the loop's own clock: microseconds since the loop began. It never goes back.
///
/// ```
/// use ownhands::Tick;
/// use std::time::Duration;
///
/// let start = Tick::default();
/// let later = start.plus(Duration::from_secs(2));
/// assert_eq!(later.since(start), Duration::from_secs(2));
/// assert_eq!(start.since(later), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(u64);

impl Tick {
    /// A point that never comes.
    pub const NEVER: Tick = Tick(u64::MAX);

    /// The point this long after the beginning.
    #[must_use]
    pub fn after(start: Duration) -> Tick {
        Tick(start.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(start.subsec_micros())))
    }

    /// The point this much later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Tick {
        Tick(self.0.saturating_add(Tick::after(span).0))
    }

    /// The time between the two; zero when `earlier` is the later one.
    #[must_use]
    pub fn since(self, earlier: Tick) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// The time of a turn: the loop's clock, the date, and the turn's number.
///
/// ```
/// use ownhands::{Now, Tick};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let now = Now::new(Tick::default(), UNIX_EPOCH + Duration::from_secs(784_111_777));
/// assert_eq!(now.http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
#[derive(Clone, Debug)]
pub struct Now {
    /// When the loop began; `None` where time is moved by hand.
    began: Option<Instant>,
    tick: Tick,
    unix: SystemTime,
    second: u64,
    /// The field for this second, with its line end.
    date_line: String,
    turn: u64,
}

impl Now {
    /// The first turn of a clock that is moved by hand.
    #[must_use]
    pub fn new(tick: Tick, unix: SystemTime) -> Self {
        let mut now = Now { began: None, tick, unix, second: u64::MAX, date_line: String::with_capacity(40), turn: 0 };
        now.turn(tick, unix);
        now
    }

    /// The first turn of a loop that begins at this moment.
    #[must_use]
    pub fn running() -> Self {
        Now { began: Some(Instant::now()), ..Now::new(Tick::default(), SystemTime::now()) }
    }

    /// Begins the next turn of a running loop: looks at the clock. One moved by hand stays where it is.
    pub fn next_turn(&mut self) {
        match self.began {
            Some(_) => self.turn(self.measured(), SystemTime::now()),
            None => self.turn(self.tick, self.unix),
        }
    }

    /// From here on what was checked in this turn is checked again: it has lasted so long that
    /// others have come meanwhile.
    pub(crate) fn renew(&mut self) {
        self.turn = self.turn.wrapping_add(1);
    }

    /// The loop's clock within the turn: a look at the clock, for those few who measure what a turn does.
    #[must_use]
    pub fn measured(&self) -> Tick {
        self.began.map_or(self.tick, |began| Tick::after(began.elapsed()))
    }

    /// True if this turn has lasted so long that what can wait should: a hundred connections, each within its share,
    /// would together make those wait who have but a small request.
    pub(crate) fn is_long_turn(&self) -> bool {
        self.measured() >= self.tick.plus(LONG_TURN)
    }

    /// Begins the next turn, at this time. The date is written anew only when its second has changed.
    pub fn turn(&mut self, tick: Tick, unix: SystemTime) {
        self.tick = tick;
        self.unix = unix;
        self.turn = self.turn.wrapping_add(1);
        let second = unix.duration_since(UNIX_EPOCH).map_or(0, |span| span.as_secs());
        if second != self.second {
            self.second = second;
            self.date_line.clear();
            // httpdate knows the years up to 9999; a clock beyond them is pulled back instead of panicking.
            let shown = UNIX_EPOCH.checked_add(Duration::from_secs(second.min(LAST_HTTP_SECOND))).unwrap_or(UNIX_EPOCH);
            let _ = write!(self.date_line, "{DATE}{}\r\n", httpdate::HttpDate::from(shown));
        }
    }

    /// Where the loop's clock stands.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The date and time of day.
    #[must_use]
    pub fn system_time(&self) -> SystemTime {
        self.unix
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn unix_seconds(&self) -> u64 {
        self.second
    }

    /// The date as a `Date` field has it (RFC 9110 section 5.6.7): 29 bytes, always GMT.
    #[must_use]
    pub fn http_date(&self) -> &str {
        self.date_line.strip_prefix(DATE).map_or("", str::trim_ascii_end)
    }

    /// The whole field, as answers have it.
    pub(crate) fn date_line(&self) -> &[u8] {
        self.date_line.as_bytes()
    }

    /// The number of this turn. What was checked in a turn need not be checked again in it.
    #[must_use]
    pub fn turn_number(&self) -> u64 {
        self.turn
    }
}

const DATE: &str = "Date: ";

/// How long a turn of the loop may be before everybody gets but one answer in it, and what takes
/// long waits for the next.
const LONG_TURN: Duration = Duration::from_millis(2);

/// 9999-12-31T23:59:59Z, the last second an HTTP date can name.
const LAST_HTTP_SECOND: u64 = 253_402_300_799;
