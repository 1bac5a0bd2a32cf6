//! Who is at the other end, and its name in the log.

use std::fmt;
use std::net::SocketAddr;

/// Where a connection comes from; a peer without an address shows as `local`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: Option<SocketAddr>,
    /// The port of ours that it came to.
    pub(crate) local_port: Option<u16>,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "{address}"),
            None => f.write_str("local"),
        }
    }
}
