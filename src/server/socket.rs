//! Listening sockets, and how many descriptors there are for those who come.

use std::io;
use std::net::{SocketAddr, TcpListener};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, ipproto, listen, socket_with, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Peers that may wait to be accepted: a burst of a thousand must not lose one to the system's short default.
pub(super) const BACKLOG: i32 = 4096;

/// A listening socket, with the options that the connections inherit.
///
/// `SO_REUSEADDR`, so that a restart does not wait for old connections to be forgotten; `TCP_NODELAY`, because every answer
/// leaves in as few writes as it can and none should wait for an acknowledgement; `IPV6_V6ONLY`, so that both kinds of
/// addresses can be bound side by side.
pub(super) fn listener(address: SocketAddr) -> io::Result<mio::net::TcpListener> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = socket_with(family, SocketType::STREAM, flags(), Some(ipproto::TCP))?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(mio::net::TcpListener::from_std(listener))
}

#[cfg(not(target_vendor = "apple"))]
fn flags() -> SocketFlags {
    SocketFlags::CLOEXEC
}

#[cfg(target_vendor = "apple")]
fn flags() -> SocketFlags {
    SocketFlags::empty()
}

/// Descriptors kept back for files, logs and the loop itself: a full house must still be able to open what it serves.
pub(super) const RESERVED_DESCRIPTORS: usize = 512;

/// Raises the limit on open files to what `connections` need, and returns how many connections there can be.
pub(super) fn make_room(connections: usize) -> usize {
    let wanted = connections.saturating_add(RESERVED_DESCRIPTORS);
    let limit = getrlimit(Resource::Nofile);
    let as_limit = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    if limit.current.is_some_and(|current| current < as_limit(wanted)) {
        let raised = Some(as_limit(wanted).min(limit.maximum.unwrap_or(u64::MAX)));
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: raised, ..limit }) {
            log::warn!("the limit on open files stays as it is: {error}");
        }
    }
    let Some(current) = getrlimit(Resource::Nofile).current else { return connections };
    let current = usize::try_from(current).unwrap_or(usize::MAX);
    // With very few descriptors half are for connections: a small server is better than none.
    let room = current.saturating_sub(RESERVED_DESCRIPTORS).max(current / 2).max(1);
    if room < connections {
        log::warn!("the limit on open files is {current}: at most {room} connections at one time, not {connections}");
    }
    connections.min(room)
}
