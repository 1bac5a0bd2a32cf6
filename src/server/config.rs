//! What a server is told when it is bound.

use std::time::Duration;

use crate::connection::{Bodies, Timeouts};
use crate::http::{Limits, Trust};

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
    /// Connections open at one time. When there are as many, the one that does least with its place yields;
    /// where none can, the next peer gets 503. The limit on open files is raised to fit; where it cannot
    /// be, this number is lowered.
    pub max_connections: usize,
    /// Connections open from one address at one time; an IPv6 network of 64 bits counts as one address. `None`: half of
    /// all, and as many as like from this machine itself. Beyond it a peer gets 503.
    pub max_per_address: Option<usize>,
    /// Bytes kept for all connections together: requests that are not complete, answers that are not taken. Beyond it,
    /// whoever wants more kept is let go.
    pub max_kept: usize,
    /// The proxies before this server. Many clients come from the address of one, so it is not counted by address.
    pub proxies: Trust,
    /// True if these must begin each connection with whom they speak for, by the PROXY protocol, version 1 or 2. Others
    /// must not: nothing is guessed.
    pub wants_proxy_protocol: bool,
    /// How much a request may hold.
    pub limits: Limits,
    /// How long a peer may take.
    pub timeouts: Timeouts,
    /// How long a stopping server waits for the answers it has begun.
    pub grace: Duration,
    /// Where long bodies lie while they come. The place of the first configuration is kept for good.
    pub bodies: Bodies,
}

impl Config {
    /// Default for [`max_connections`](Config::max_connections).
    pub const MAX_CONNECTIONS: usize = 10_000;
    /// Default for [`max_kept`](Config::max_kept): a thousand full outputs and as many full inputs, and more.
    pub const MAX_KEPT: usize = 256 << 20;
    /// Default for [`grace`](Config::grace).
    pub const GRACE: Duration = Duration::from_secs(30);
}

impl Default for Config {
    fn default() -> Self {
        Config {
            max_connections: Config::MAX_CONNECTIONS,
            max_per_address: None,
            max_kept: Config::MAX_KEPT,
            proxies: Trust::default(),
            wants_proxy_protocol: false,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            grace: Config::GRACE,
            bodies: Bodies::default(),
        }
    }
}
