//! Who is told of an error.

use std::net::SocketAddr;

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

    pub(super) fn peer(self) -> Option<SocketAddr> {
        match self {
            Asker::Request(request) => request.peer,
            Asker::Fragment(fragment) => fragment.peer,
        }
    }
}
