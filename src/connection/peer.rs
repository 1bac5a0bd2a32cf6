//! Who is at the other end, and its name in the log.

use std::fmt;
use std::net::SocketAddr;

use crate::http::Proxied;

/// Where a connection comes from; a peer without an address shows as `local`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: Option<SocketAddr>,
    /// The port of ours that it came to.
    pub(crate) local_port: Option<u16>,
}

impl Peer {
    /// A proxy has said whom it speaks for: from now on it is as if the client had come itself.
    pub(crate) fn is_now(&mut self, said: Proxied) {
        match said {
            Proxied::Itself => {}
            Proxied::Local => *self = Peer { address: None, local_port: None },
            Proxied::Client { source, destination } => {
                *self = Peer { address: Some(source), local_port: Some(destination.port()) };
            }
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "{address}"),
            None => f.write_str("local"),
        }
    }
}
