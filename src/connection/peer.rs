//! Who is at the other end, and its name in the log.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU16;

use crate::http::Proxied;

/// Where a connection comes from; a peer without an address shows as `local`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: Option<SocketAddr>,
    /// The port of ours that it came to; no number is none.
    pub(crate) local_port: Option<NonZeroU16>,
    /// Whose word the fields of its requests are.
    pub(crate) voice: Voice,
}

/// Whose word it is what a request says of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// That of who is connected, or of whom a proxy has named.
    Own,
    /// That of somebody behind a proxy which does not look at requests.
    Strange,
}

impl Peer {
    /// Who has just come from there.
    pub(crate) fn at(address: Option<SocketAddr>) -> Self {
        Peer { address, local_port: None, voice: Voice::Own }
    }

    /// A proxy has said whom it speaks for: from now on it is as if the client had come itself.
    pub(crate) fn is_now(&mut self, said: Proxied) {
        match said {
            Proxied::Itself => {}
            Proxied::Unknown => self.voice = Voice::Strange,
            Proxied::Local => *self = Peer { address: None, local_port: None, voice: Voice::Strange },
            Proxied::Client { source, destination } => {
                *self =
                    Peer { address: Some(source), local_port: NonZeroU16::new(destination.port()), voice: Voice::Own };
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
