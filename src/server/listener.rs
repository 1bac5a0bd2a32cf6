//! Listening sockets: bound here, or handed over by who started the process.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use mio::event::Source;
use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, ipproto, listen, socket_with, sockopt};

use super::named::Named;
use super::stream::Stream;

/// Peers that may wait to be accepted: a burst of a thousand must not lose one to the system's short default.
pub(super) const BACKLOG: i32 = 4096;

/// A listening socket, for [`Server::new`](super::Server::new).
///
/// ```
/// use ownhands::Listener;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = Listener::tcp("127.0.0.1:0".parse()?)?;
/// assert_ne!(listener.local_addr().map(|address| address.port()), Some(0));
///
/// // One that somebody else has bound, such as systemd:
/// let inherited = std::net::TcpListener::bind("127.0.0.1:0")?;
/// assert_eq!(Listener::from_fd(inherited.into())?.local_addr().map(|address| address.is_ipv4()), Some(true));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    name: Option<Named>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            name.remove();
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(listener) => listener.as_fd(),
            Socket::Unix(listener) => listener.as_fd(),
        }
    }
}

impl Listener {
    /// Listens on an address; port 0 lets the system pick one.
    ///
    /// `SO_REUSEADDR`, so that a restart does not wait for old connections to be forgotten; `TCP_NODELAY`, which the
    /// connections inherit, because every answer leaves in as few writes as it can and none should wait for an
    /// acknowledgement; `IPV6_V6ONLY`, so that both kinds of addresses can be bound side by side.
    ///
    /// # Errors
    /// What the system says, such as [`AddrInUse`](io::ErrorKind::AddrInUse).
    pub fn tcp(address: SocketAddr) -> io::Result<Self> {
        let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
        let socket = socket_with(family, SocketType::STREAM, flags(), Some(ipproto::TCP))?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        if address.is_ipv6() {
            sockopt::set_ipv6_v6only(&socket, true)?;
        }
        bind(&socket, &address)?;
        listen(&socket, BACKLOG)?;
        Listener::from_fd(socket)
    }

    /// Listens on a path in the file system, which is removed when the server closes. A socket that was left there by a
    /// process that is gone is replaced; anything else is not. Everybody on this machine may connect, as to a port; who
    /// may not is for the directory to say.
    ///
    /// # Errors
    /// What the system says; [`AddrInUse`](io::ErrorKind::AddrInUse) if somebody listens there,
    /// or the path is no socket.
    ///
    /// # Examples
    /// ```
    /// use ownhands::Listener;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("socket");
    /// let listener = Listener::unix(&path)?;
    /// assert!(Listener::unix(&path).is_err()); // somebody listens there
    /// drop(listener);
    /// assert!(!path.exists());
    /// # Ok(()) }
    /// ```
    pub fn unix(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path) => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            other => other?,
        };
        listen(listener.as_fd(), BACKLOG)?;
        let name = Named::new(path)?;
        name.open_to_all()?;
        Ok(Listener { name: Some(name), socket: Socket::Unix(listener) })
    }

    /// Takes over a socket that listens already, as socket activation and an upgrade in place hand them over.
    ///
    /// # Errors
    /// If it is no socket that listens for streams.
    pub fn from_fd(socket: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        let is_listening = sockopt::socket_acceptconn(&socket)? && sockopt::socket_type(&socket)? == SocketType::STREAM;
        if !is_listening {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no socket that listens for streams"));
        }
        let socket = match sockopt::socket_domain(&socket)? {
            AddressFamily::UNIX => Socket::Unix(UnixListener::from_std(socket.into())),
            _ => Socket::Tcp(TcpListener::from_std(socket.into())),
        };
        Ok(Listener { socket, name: None })
    }

    /// The address it listens on; `None` for a socket in the file system.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().ok(),
            Socket::Unix(_) => None,
        }
    }

    /// Leaves the socket in the file system when the server closes.
    pub(super) fn forget_name(&mut self) {
        self.name = None;
    }

    pub(super) fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept()?;
                // On Linux a connection inherits the options of its listener; elsewhere it is told.
                if cfg!(not(target_os = "linux")) {
                    stream.set_nodelay(true)?;
                }
                Ok((Stream::Tcp(stream), Some(peer)))
            }
            Socket::Unix(listener) => listener.accept().map(|(stream, _)| (Stream::Unix(stream), None)),
        }
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match &mut self.socket {
            Socket::Tcp(listener) => listener.register(registry, token, Interest::READABLE),
            Socket::Unix(listener) => listener.register(registry, token, Interest::READABLE),
        }
    }

    pub(super) fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match &mut self.socket {
            Socket::Tcp(listener) => listener.deregister(registry),
            Socket::Unix(listener) => listener.deregister(registry),
        }
    }
}

/// A socket that nobody listens on any more.
fn is_left_over(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket());
    is_socket && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

#[cfg(not(target_vendor = "apple"))]
fn flags() -> SocketFlags {
    SocketFlags::CLOEXEC
}

#[cfg(target_vendor = "apple")]
fn flags() -> SocketFlags {
    SocketFlags::empty()
}
