//! What a server can say of itself.

use std::time::Duration;

use super::Turns;

/// What a server is about, in numbers. Those that only grow count from its start.
///
/// ```
/// use ownhands::{App, Config, Server};
///
/// # fn main() -> std::io::Result<()> {
/// let server = Server::new(vec![], Config::default(), App::new())?;
/// let figures = server.figures();
/// assert_eq!((figures.connections, figures.requests), (0, 0));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// How long the loop has run.
    pub uptime: Duration,
    /// Connections open now.
    pub connections: usize,
    /// Bytes kept for them now: requests that are not complete, answers that are not taken.
    pub kept: usize,
    /// Connections accepted.
    pub accepted: u64,
    /// Requests whose head was complete.
    pub requests: u64,
    /// Connections that were refused because there were too many.
    pub turned_away: u64,
    /// Connections that ended to make room for others: idle, lingering, or slow with a head.
    pub yielded: u64,
    /// Connections that ended because too much had to be kept.
    pub let_go: u64,
    /// How long the turns of the loop were.
    pub turns: Turns,
}
