//! Where an application server listens.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt};

/// Where somebody listens: a socket in the file system, or one of the network.
///
/// Written as `unix:PATH`, `HOST:PORT` or `[::1]:PORT`. A name is looked up once, when it is read, which may
/// take a while: that is for the start of a program. Where a name stands for several addresses, each connection
/// goes to the first that does not refuse it at once: `localhost` may be `::1` and `127.0.0.1`, and who listens
/// often listens to one of them.
///
/// ```
/// use ownhands::gateway::Address;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let address: Address = "unix:/run/app.sock".parse()?;
/// assert_eq!((address.path(), address.to_string().as_str()), (Some("/run/app.sock".as_ref()), "unix:/run/app.sock"));
/// assert_eq!("[::1]:4000".parse::<Address>()?.sockets(), ["[::1]:4000".parse()?]);
/// assert!("/run/app.sock".parse::<Address>().is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Unix(PathBuf),
    Tcp { name: Box<str>, sockets: Box<[SocketAddr]> },
}

/// A connection that was begun.
pub(super) enum Begun {
    /// It may have to wait for an answer.
    Connecting(OwnedFd),
    /// So many wait there already that there is no place in the queue.
    Full(OwnedFd),
}

impl Address {
    /// A socket in the file system.
    pub fn unix(path: impl Into<PathBuf>) -> Address {
        Address(Place::Unix(path.into()))
    }

    /// The path, where it is a socket in the file system.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Unix(path) => Some(path),
            Place::Tcp { .. } => None,
        }
    }

    /// The addresses in the network, in the order in which they are tried; none for a socket in the file system.
    #[must_use]
    pub fn sockets(&self) -> &[SocketAddr] {
        match &self.0 {
            Place::Unix(_) => &[],
            Place::Tcp { sockets, .. } => sockets,
        }
    }

    /// Begins a connection, and does not wait for it.
    pub(super) fn connect(&self) -> io::Result<Begun> {
        match &self.0 {
            Place::Unix(path) => {
                let socket = socket(AddressFamily::UNIX)?;
                let has_place = knock(path, socket.as_fd())?;
                Ok(if has_place { Begun::Connecting(socket) } else { Begun::Full(socket) })
            }
            Place::Tcp { sockets, .. } => {
                let mut refusal = io::Error::from(io::ErrorKind::AddrNotAvailable);
                for address in sockets {
                    match reach(*address) {
                        Ok(socket) => return Ok(Begun::Connecting(socket)),
                        Err(error) => refusal = error,
                    }
                }
                Err(refusal)
            }
        }
    }

    /// Tries again where the queue was full; false: it still is.
    pub(super) fn connect_again(&self, socket: BorrowedFd<'_>) -> io::Result<bool> {
        self.path().map_or(Ok(true), |path| knock(path, socket))
    }
}

/// A socket in the file system takes at once who finds a place in its queue, and there is no event when one gets
/// free; false: there is none.
fn knock(path: &Path, socket: BorrowedFd<'_>) -> io::Result<bool> {
    match connect(socket, &SocketAddrUnix::new(path)?) {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn reach(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = socket(if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET })?;
    // A request is written in large pieces, and its last should not wait for anything.
    let _ = sockopt::set_tcp_nodelay(&socket, true);
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

fn socket(family: AddressFamily) -> io::Result<OwnedFd> {
    Ok(socket_with(family, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?)
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Address(Place::Tcp { name: address.to_string().into(), sockets: Box::new([address]) })
    }
}

impl FromStr for Address {
    type Err = io::Error;

    /// # Errors
    /// If it is written in none of the three ways, if the path is too long for a socket, and what the system says of a
    /// name that it cannot look up.
    fn from_str(text: &str) -> io::Result<Self> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            // It has to fit into what the kernel takes.
            SocketAddrUnix::new(path).map_err(|_| invalid("the path is too long for a socket"))?;
            return if path.is_empty() { Err(invalid("give a path behind unix:")) } else { Ok(Address::unix(path)) };
        }
        let is_one = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if !is_one {
            return Err(invalid("give HOST:PORT or unix:PATH"));
        }
        let sockets: Box<[SocketAddr]> = text.to_socket_addrs()?.collect();
        if sockets.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "that name has no address"));
        }
        Ok(Address(Place::Tcp { name: text.into(), sockets }))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
            Place::Tcp { name, .. } => f.write_str(name),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_is_and_what_is_none() {
        let told = |text: &str| match text.parse::<Address>() {
            Ok(address) => match address.path() {
                Some(path) => format!("path {}", path.display()),
                None => format!("{:?}", address.sockets()),
            },
            Err(error) => error.to_string(),
        };
        let too_long = format!("unix:/{}", "a".repeat(200));
        let cases = [
            ("unix:/run/a b.sock", "path /run/a b.sock"),
            ("unix:a", "path a"),
            ("127.0.0.1:4000", "[127.0.0.1:4000]"),
            ("[::1]:4000", "[[::1]:4000]"),
            ("unix:", "give a path behind unix:"),
            (&too_long, "the path is too long for a socket"),
            ("", "give HOST:PORT or unix:PATH"),
            ("4000", "give HOST:PORT or unix:PATH"),
            (":4000", "give HOST:PORT or unix:PATH"),
            ("localhost", "give HOST:PORT or unix:PATH"),
            ("localhost:web", "give HOST:PORT or unix:PATH"),
            ("127.0.0.1:99999", "give HOST:PORT or unix:PATH"),
            ("/run/a.sock", "give HOST:PORT or unix:PATH"),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text), expected, "{text:?}");
        }
    }
}
