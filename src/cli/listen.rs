//! Where the command listens, and the URLs it says so with.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use ownhands::{App, Listener, Server};

use super::Failure;
use super::options::{Addresses, DEFAULT_PORT, Options, one_line};
use super::values::Place;

/// Ports tried above the default one: whoever has more servers running than this wants to name the port.
const PORTS_TRIED: u16 = 100;

/// Times that a free port is picked for several addresses at once; another program may take it at one of them.
const PICKS: usize = 16;

/// Binds what was asked for. `furnish` makes the application, once for each port tried.
pub(super) fn bind(options: &Options, furnish: impl Fn() -> Result<App, Failure>) -> Result<Server<App>, Failure> {
    let both = [Place::Ip(Ipv4Addr::UNSPECIFIED.into()), Place::Ip(Ipv6Addr::UNSPECIFIED.into())];
    match &options.addresses {
        Addresses::These(addresses) => bind_all(addresses, options, &furnish),
        // A system without IPv6 has no second address to bind.
        Addresses::Lan if TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).is_err() => {
            bind_all(&both[..1], options, &furnish)
        }
        Addresses::Lan => bind_all(&both, options, &furnish),
    }
}

fn bind_all(
    places: &[Place],
    options: &Options,
    furnish: &impl Fn() -> Result<App, Failure>,
) -> Result<Server<App>, Failure> {
    let addresses: Vec<IpAddr> = places
        .iter()
        .filter_map(|place| match place {
            Place::Ip(address) => Some(*address),
            Place::Unix(_) => None,
        })
        .collect();
    for port in ports(&addresses, options.port) {
        let sockets: Vec<SocketAddr> = addresses.iter().map(|&address| SocketAddr::new(address, port)).collect();
        let listeners = places.iter().map(|place| match place {
            Place::Ip(address) => Listener::tcp(SocketAddr::new(*address, port)),
            Place::Unix(path) => Listener::unix(path),
        });
        let app = furnish()?;
        let server = listeners.collect::<io::Result<Vec<_>>>();
        match server.and_then(|listeners| Server::new(listeners, options.config.clone(), app)) {
            Ok(server) => return Ok(server),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(Failure::Run(refusal(&sockets, &error))),
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

/// The ports to try, in order. Several addresses get the same one.
fn ports(addresses: &[IpAddr], asked: Option<u16>) -> Box<dyn Iterator<Item = u16> + '_> {
    match (asked, addresses) {
        (Some(0), [first, _, ..]) => Box::new((0..PICKS).filter_map(|_| free_port(*first))),
        (Some(port), _) => Box::new(std::iter::once(port)),
        (None, _) => Box::new(DEFAULT_PORT..=DEFAULT_PORT.saturating_add(PORTS_TRIED)),
    }
}

fn free_port(address: IpAddr) -> Option<u16> {
    let listener = TcpListener::bind((address, 0)).ok()?;
    listener.local_addr().ok().map(|address| address.port())
}

/// What to do about an address that cannot be bound.
fn refusal(sockets: &[SocketAddr], error: &io::Error) -> String {
    let names: Vec<String> = sockets.iter().map(SocketAddr::to_string).collect();
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => "name a port from 1024 on by --port",
        io::ErrorKind::AddrNotAvailable => "name an address of this machine by --bind",
        _ => "name another address by --bind, or another port by --port",
    };
    format!("cannot listen on {}: {error}: {advice}", names.join(" and "))
}

/// A line for each URL: `http://127.0.0.1:8000/ serves static`.
pub(super) fn announcement(bound: &[SocketAddr], options: &Options) -> String {
    let paths: Vec<String> = options.paths.iter().map(|path| one_line(&path.display().to_string())).collect();
    let paths = paths.join(", ");
    let what = if options.is_demo { format!("the demo and {paths}") } else { paths };
    let mut lines = String::new();
    for address in bound.iter().flat_map(|&address| reachable(address)) {
        // Writing to memory does not fail.
        let _ = writeln!(lines, "http://{address}/ serves {what}");
    }
    lines
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_in_order() {
        let one = [IpAddr::from([127, 0, 0, 1])];
        assert_eq!(ports(&one, Some(80)).collect::<Vec<_>>(), [80]);
        assert_eq!(ports(&one, Some(0)).collect::<Vec<_>>(), [0]);
        assert_eq!(ports(&one, None).collect::<Vec<_>>(), (8000..=8100).collect::<Vec<_>>());
    }

    #[test]
    fn a_bound_address_is_its_own_url() {
        let bound = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 8000);
        assert_eq!(reachable(bound), [bound]);
        let all = reachable(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 8000));
        assert_eq!(all.first(), Some(&SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 8000)));
    }
}
