//! How long a peer may take. A limit belongs to a phase, not to the last byte: a byte a second renews nothing.

use std::time::Duration;

/// The time limits of a connection.
///
/// ```
/// use ownhands::Timeouts;
/// use std::time::Duration;
///
/// let patient = Timeouts { head: Duration::from_secs(300), ..Timeouts::default() }; // for slow typists
/// assert_eq!(patient.idle, Timeouts::IDLE);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first byte of a head to its end; then 408.
    pub head: Duration,
    /// For a body, and a second more for every [`min_rate`](Timeouts::min_rate) bytes that have come; then 408.
    pub body: Duration,
    /// Without a request on an open connection, a new one included; then it closes without a word.
    pub idle: Duration,
    /// For a deferred answer to be given; then 503.
    pub answer: Duration,
    /// Without the peer taking a byte of its answer; then it closes.
    pub write: Duration,
    /// Bytes a second at which a body or an answer may go on for ever.
    pub min_rate: u64,
    /// For a peer to read its refusal and to stop sending, before the connection is closed for good.
    pub linger: Duration,
}

impl Timeouts {
    /// Default for [`head`](Timeouts::head): enough to type a request by hand.
    pub const HEAD: Duration = Duration::from_secs(30);
    /// Default for [`body`](Timeouts::body).
    pub const BODY: Duration = Duration::from_secs(30);
    /// Default for [`idle`](Timeouts::idle): browsers keep connections for about as long.
    pub const IDLE: Duration = Duration::from_secs(60);
    /// Default for [`answer`](Timeouts::answer): longer than people wait.
    pub const ANSWER: Duration = Duration::from_secs(60);
    /// Default for [`write`](Timeouts::write): a phone in a tunnel comes back.
    pub const WRITE: Duration = Duration::from_secs(30);
    /// Default for [`linger`](Timeouts::linger).
    pub const LINGER: Duration = Duration::from_secs(5);
    /// Default for [`min_rate`](Timeouts::min_rate): below the slowest line in use, above a trickle.
    pub const MIN_RATE: u64 = 500;

    /// The time allowed for a body of which so many bytes have come.
    #[must_use]
    pub fn body_after(&self, bytes: u64) -> Duration {
        self.body.saturating_add(Duration::from_secs(bytes / self.min_rate.max(1)))
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            head: Timeouts::HEAD,
            body: Timeouts::BODY,
            idle: Timeouts::IDLE,
            answer: Timeouts::ANSWER,
            write: Timeouts::WRITE,
            linger: Timeouts::LINGER,
            min_rate: Timeouts::MIN_RATE,
        }
    }
}
