//! The name of a peer in the log.

use std::fmt;
use std::net::SocketAddr;

/// Where a connection comes from; a peer without an address shows as `local`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) Option<SocketAddr>);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => write!(f, "{address}"),
            None => f.write_str("local"),
        }
    }
}
