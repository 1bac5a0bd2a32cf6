//! Who is told of an error.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::http::Request;
use crate::service::Fragment;

/// Who made a request, or who sent what could not be read as one.
#[derive(Clone, Copy)]
pub(super) enum Asker<'a> {
    Request(&'a Request<'a>),
    Fragment(&'a Fragment<'a>),
}

impl<'a> Asker<'a> {
    pub(super) fn request(self) -> Option<&'a Request<'a>> {
        match self {
            Asker::Request(request) => Some(request),
            Asker::Fragment(_) => None,
        }
    }

    pub(super) fn wants_html(self) -> bool {
        match self {
            Asker::Request(request) => request.wants_html(),
            Asker::Fragment(fragment) => fragment.wants_html(),
        }
    }

    /// Its name in the log.
    pub(super) fn name(self) -> Name {
        match self {
            Asker::Request(request) => Name { client: request.client, peer: request.peer },
            Asker::Fragment(fragment) => Name { client: None, peer: fragment.peer },
        }
    }
}

/// Address and port of who is connected; the address alone of a client behind a proxy; `-` without any.
pub(super) struct Name {
    client: Option<IpAddr>,
    peer: Option<SocketAddr>,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_other = |client: &IpAddr| self.peer.is_none_or(|peer| peer.ip().to_canonical() != *client);
        match (self.client.filter(is_other), self.peer) {
            (Some(client), _) => write!(f, "{client}"),
            (None, Some(peer)) => write!(f, "{peer}"),
            (None, None) => f.write_str("-"),
        }
    }
}
