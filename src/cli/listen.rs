//! Where the command listens, and the URLs it says so with.

use std::ffi::OsStr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ownhands::Listener;
use rustix::fs::Access;
use rustix::net::{Shutdown, SocketAddrUnix, getsockname, shutdown};

use super::daemon::{Inherited, is_left_over};
use super::options::{Addresses, DEFAULT_PORT, Options, one_line};
use super::values::Place;
use super::{Failure, applications};

/// Ports tried above the default one: whoever has more servers running than this wants to name the port.
const PORTS_TRIED: u16 = 100;

/// Times that a free port is picked for several addresses at once; another program may take it at one of them.
const PICKS: usize = 16;

/// What the server listens on.
pub(super) struct Bound {
    pub(super) listeners: Vec<Listener>,
    /// Names of sockets in the file system that were a predecessor's, to be taken out by who has taken over.
    pub(super) names: Vec<PathBuf>,
    pub(super) unclaimed: Vec<Unclaimed>,
    /// The service manager has chosen where.
    pub(super) is_activated: bool,
}

/// Binds what was asked for. Sockets that were there before are used where they are what was asked for; where nothing
/// was, those that the service manager has bound are.
pub(super) fn bind(options: &Options, inherited: Vec<Inherited>) -> Result<Bound, Failure> {
    let is_activated = inherited.iter().any(|inherited| inherited.is_activated);
    if is_activated && !options.names_a_place() {
        let listeners = inherited.into_iter().map(|inherited| adopt(inherited.socket)).collect::<Result<_, _>>()?;
        return Ok(Bound { listeners, names: Vec::new(), unclaimed: Vec::new(), is_activated });
    }
    if is_activated {
        log::warn!("the service manager's sockets are not used: --port and --bind say where to listen");
    }
    let both = [Place::Ip(Ipv4Addr::UNSPECIFIED.into()), Place::Ip(Ipv6Addr::UNSPECIFIED.into())];
    let heirlooms = Heirlooms::of(inherited);
    let places = match &options.addresses {
        Addresses::These(places) => places,
        // A system without IPv6 has no second address to bind.
        Addresses::Lan if TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).is_err() => &both[..1],
        Addresses::Lan => &both[..],
    };
    let listeners = bind_all(places, options, &heirlooms)?;
    let (names, unclaimed) = (heirlooms.names(places), heirlooms.unclaimed(places));
    Ok(Bound { listeners, names, unclaimed, is_activated: false })
}

/// A socket of a predecessor in the file system that nobody asks for any more.
#[derive(Debug)]
pub(super) struct Unclaimed {
    socket: OwnedFd,
    path: PathBuf,
}

impl Unclaimed {
    /// Takes its name out, once the predecessor has left: he does not know that it is not needed. Where the walls
    /// are in the way it stays.
    pub(super) fn clear(self) {
        // He may not have closed it yet. If somebody still listens there now, the name is that one's.
        let cleared = shutdown(&self.socket, Shutdown::Both)
            .map_err(io::Error::from)
            .and_then(|()| if is_left_over(&self.path) { std::fs::remove_file(&self.path) } else { Ok(()) });
        if let Err(error) = cleared {
            log::warn!("{} stays, and nobody listens there: {error}", self.path.display());
        }
    }
}

/// The sockets of a predecessor. Those that nobody asks for are closed with this, but for names that have to go.
struct Heirlooms(Vec<OwnedFd>);

impl Heirlooms {
    fn of(inherited: Vec<Inherited>) -> Heirlooms {
        let bound = inherited.into_iter().filter(|inherited| !inherited.is_activated);
        Heirlooms(bound.map(|inherited| inherited.socket).collect())
    }

    /// Those of these places that are names in the file system, and are there already.
    fn names(&self, places: &[Place]) -> Vec<PathBuf> {
        let had: Vec<PathBuf> = self.0.iter().filter_map(path_of).collect();
        let names = places.iter().filter_map(|place| match place {
            Place::Unix(path) if had.contains(path) => Some(path.clone()),
            _ => None,
        });
        names.collect()
    }

    /// Those that are names in the file system, and none of these places.
    fn unclaimed(self, places: &[Place]) -> Vec<Unclaimed> {
        let is_claimed = |path: &PathBuf| places.iter().any(|place| matches!(place, Place::Unix(own) if own == path));
        let named = self.0.into_iter().filter_map(|socket| Some(Unclaimed { path: path_of(&socket)?, socket }));
        named.filter(|unclaimed| !is_claimed(&unclaimed.path)).collect()
    }

    /// The ports at this address: what was picked once stays.
    fn ports(&self, address: Option<&IpAddr>) -> Vec<u16> {
        let here = self.0.iter().filter_map(address_of).filter(|bound| Some(&bound.ip()) == address);
        here.map(|bound| bound.port()).collect()
    }

    fn listen(&self, place: &Place, port: u16) -> io::Result<Listener> {
        match place {
            Place::Ip(address) => {
                let address = SocketAddr::new(*address, port);
                match self.0.iter().find(|socket| address_of(socket) == Some(address)) {
                    Some(socket) => Listener::from_fd(socket.try_clone()?),
                    None => Listener::tcp(address),
                }
            }
            // Its name is the predecessor's as long as he may have to go on.
            Place::Unix(path) => match self.0.iter().find(|socket| path_of(socket).as_ref() == Some(path)) {
                Some(socket) => Listener::from_fd(socket.try_clone()?),
                None => Listener::unix(path),
            },
        }
    }
}

fn adopt(socket: OwnedFd) -> Result<Listener, Failure> {
    let path = path_of(&socket);
    let refused = |error| Failure::Run(format!("a socket that was handed over cannot be used: {error}"));
    let listener = Listener::from_fd(socket).map_err(refused)?;
    log::debug!("listening on {}", path.map_or("an address".to_owned(), |path| path.display().to_string()));
    Ok(listener)
}

fn address_of(socket: &impl AsFd) -> Option<SocketAddr> {
    getsockname(socket).ok().and_then(|name| SocketAddr::try_from(name).ok())
}

fn path_of(socket: &impl AsFd) -> Option<PathBuf> {
    let name = getsockname(socket).ok().and_then(|name| SocketAddrUnix::try_from(name).ok())?;
    name.path().map(|path| PathBuf::from(OsStr::from_bytes(path.to_bytes())))
}

/// Where a socket listens, in a word.
pub(super) fn shown(listener: &Listener) -> String {
    match (listener.local_addr(), path_of(listener)) {
        (Some(address), _) => format!("http://{address}/"),
        (_, Some(path)) => shown_path(&path),
        _ => "unix:".to_owned(),
    }
}

fn bind_all(places: &[Place], options: &Options, heirlooms: &Heirlooms) -> Result<Vec<Listener>, Failure> {
    let (mut addresses, mut listeners) = (Vec::new(), Vec::new());
    for place in places {
        match place {
            Place::Ip(address) => addresses.push(*address),
            Place::Unix(path) => {
                let refused = |error| Failure::Run(refusal(&[shown_path(path)], &error, "name another path by --bind"));
                listeners.push(heirlooms.listen(place, 0).map_err(refused)?);
            }
        }
    }
    if addresses.is_empty() {
        return Ok(listeners);
    }
    for port in ports(&addresses, options.port, &heirlooms.ports(addresses.first())) {
        let bound = addresses.iter().map(|&address| heirlooms.listen(&Place::Ip(address), port));
        match bound.collect::<io::Result<Vec<_>>>() {
            Ok(bound) => {
                listeners.extend(bound);
                return Ok(listeners);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => {
                let names: Vec<String> = addresses.iter().map(|&ip| SocketAddr::new(ip, port).to_string()).collect();
                let advice = match error.kind() {
                    io::ErrorKind::PermissionDenied => "name a port from 1024 on by --port",
                    io::ErrorKind::AddrNotAvailable => "name an address of this machine by --bind",
                    _ => "name another address by --bind, or another port by --port",
                };
                return Err(Failure::Run(refusal(&names, &error, advice)));
            }
        }
    }
    Err(Failure::Run(match options.port {
        Some(0) => "no port is free".to_owned(),
        Some(port) => format!("port {port} is in use: name another by --port, or let --port 0 pick one"),
        None => {
            let last = DEFAULT_PORT.saturating_add(PORTS_TRIED);
            format!(
                "the ports {DEFAULT_PORT} to {last} are all in use: name another by --port, or let --port 0 pick one"
            )
        }
    }))
}

/// The ports to try, in order. Several addresses get the same one. Where none was named, one that was had before comes
/// first: a restart keeps its URL.
fn ports<'a>(addresses: &'a [IpAddr], asked: Option<u16>, had: &'a [u16]) -> Box<dyn Iterator<Item = u16> + 'a> {
    let usual = DEFAULT_PORT..=DEFAULT_PORT.saturating_add(PORTS_TRIED);
    match (asked, addresses) {
        (Some(0), [first, _, ..]) => Box::new(had.iter().copied().chain((0..PICKS).filter_map(|_| free_port(*first)))),
        (Some(0), _) => Box::new(had.iter().copied().chain([0])),
        (Some(port), _) => Box::new(std::iter::once(port)),
        (None, _) => {
            let had: Vec<u16> = had.iter().copied().filter(|port| usual.contains(port)).collect();
            Box::new(had.into_iter().chain(usual))
        }
    }
}

fn free_port(address: IpAddr) -> Option<u16> {
    let listener = TcpListener::bind((address, 0)).ok()?;
    listener.local_addr().ok().map(|address| address.port())
}

/// What to do about a place that cannot be bound.
fn refusal(names: &[String], error: &io::Error, advice: &str) -> String {
    format!("cannot listen on {}: {error}: {advice}", names.join(" and "))
}

fn shown_path(path: &Path) -> String {
    format!("unix:{}", one_line(&path.display().to_string()))
}

/// A line for each URL: `http://127.0.0.1:8000/ serves static`.
pub(super) fn announcement(listeners: &[Listener], options: &Options) -> String {
    let paths = options.paths.iter().map(|path| path.display().to_string());
    let all = paths.chain(applications::shown(&options.applications)).map(|what| one_line(&what));
    let paths = all.collect::<Vec<_>>().join(", ");
    let what = if options.is_demo { format!("the demo and {paths}") } else { paths };
    let urls = listeners.iter().flat_map(|listener| match listener.local_addr() {
        Some(address) => reachable(address).iter().map(|address| format!("http://{address}/")).collect(),
        None => vec![shown(listener)],
    });
    urls.map(|url| format!("{url} serves {what}\n")).collect()
}

/// The addresses under which a bound one can be reached: of all interfaces, the loopback and the one to the outside.
fn reachable(bound: SocketAddr) -> Vec<SocketAddr> {
    let addresses = match bound.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => {
            vec![Some(Ipv4Addr::LOCALHOST.into()), outward(Ipv4Addr::UNSPECIFIED.into(), FAR_V4.into())]
        }
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
            vec![Some(Ipv6Addr::LOCALHOST.into()), outward(Ipv6Addr::UNSPECIFIED.into(), FAR_V6.into())]
        }
        _ => return vec![bound],
    };
    addresses.into_iter().flatten().map(|address| SocketAddr::new(address, bound.port())).collect()
}

/// Addresses for documentation (RFC 5737 and RFC 3849), which lie outside every network.
const FAR_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FAR_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// This machine's address on the way to a far one. Connecting a datagram socket sends nothing.
fn outward(from: IpAddr, far: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((from, 0)).ok()?;
    socket.connect((far, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

/// Says whether the names that would be made in the file system could be: sockets, and the pid file with its own.
pub(super) fn check(options: &Options) -> Result<(), Failure> {
    let sockets = match &options.addresses {
        Addresses::Lan => &[],
        Addresses::These(places) => &places[..],
    };
    let sockets = sockets.iter().filter_map(|place| match place {
        Place::Ip(_) => None,
        Place::Unix(path) => Some((path, "bind")),
    });
    for (path, option) in sockets.chain(options.pid_file.iter().map(|path| (path, "pid-file"))) {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let Err(error) = rustix::fs::access(directory, Access::WRITE_OK) {
            let error = io::Error::from(error);
            let why = format!("{} cannot be made: {}: {error}", path.display(), directory.display());
            return Err(options.origins.blame(option, why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_in_order() {
        let one = [IpAddr::from([127, 0, 0, 1])];
        let tried = |asked, had: &[u16]| ports(&one, asked, had).collect::<Vec<_>>();
        assert_eq!(tried(Some(80), &[]), [80]);
        assert_eq!(tried(Some(0), &[]), [0]);
        assert_eq!(tried(None, &[]), (8000..=8100).collect::<Vec<_>>());
    }

    #[test]
    fn a_port_that_was_had_before_comes_first_if_none_was_named() {
        let one = [IpAddr::from([127, 0, 0, 1])];
        let tried = |asked, had: &[u16]| ports(&one, asked, had).take(3).collect::<Vec<_>>();
        assert_eq!(tried(Some(80), &[81]), [80]);
        assert_eq!(tried(Some(0), &[81]), [81, 0]);
        assert_eq!(tried(None, &[8005]), [8005, 8000, 8001]);
        assert_eq!(tried(None, &[9000]), [8000, 8001, 8002], "somebody had named that one");
    }

    #[test]
    fn a_bound_address_is_its_own_url() {
        let bound = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 8000);
        assert_eq!(reachable(bound), [bound]);
        let all = reachable(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 8000));
        assert_eq!(all.first(), Some(&SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 8000)));
    }
}
