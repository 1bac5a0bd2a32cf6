//! What a server is told when it is bound.

use std::time::Duration;

use crate::connection::Timeouts;
use crate::http::Limits;

/// The settings of a [`Server`](crate::Server).
///
/// ```
/// use ownhands::Config;
///
/// let small = Config { max_connections: 100, ..Config::default() };
/// assert_eq!(small.grace, Config::GRACE);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Connections open at one time. Further peers wait in the system's queue. The limit on open files is raised to fit; where
    /// it cannot be, this number is lowered.
    pub max_connections: usize,
    /// How much a request may hold.
    pub limits: Limits,
    /// How long a peer may take.
    pub timeouts: Timeouts,
    /// How long a stopping server waits for the answers it has begun.
    pub grace: Duration,
}

impl Config {
    /// Default for [`max_connections`](Config::max_connections).
    pub const MAX_CONNECTIONS: usize = 10_000;
    /// Default for [`grace`](Config::grace).
    pub const GRACE: Duration = Duration::from_secs(10);
}

impl Default for Config {
    fn default() -> Self {
        Config {
            max_connections: Config::MAX_CONNECTIONS,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            grace: Config::GRACE,
        }
    }
}
