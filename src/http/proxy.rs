//! The PROXY protocol, versions 1 and 2: whom a proxy speaks for, said once at the beginning of a connection
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).
//!
//! From bytes to a value; who may say it is for others to decide. Additions (TLVs) are passed over unread, the
//! checksum among them: TCP has one of its own, and what it lets pass is no more likely here than anywhere in
//! the requests that follow.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::HttpError;

/// What a connection begins with, if not with a request.
///
/// ```
/// use ownhands::http::Proxied;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let line = b"PROXY TCP4 192.0.2.7 192.0.2.1 50000 80\r\n";
/// let said = Proxied::Client { source: "192.0.2.7:50000".parse()?, destination: "192.0.2.1:80".parse()? };
/// assert_eq!(Proxied::decode(line).unwrap(), Some((said, line.len())));
/// assert_eq!(Proxied::decode(b"PROXY TC").unwrap(), None); // there must be more to come
/// assert!(Proxied::decode(b"GET / HTTP/1.1\r\n").is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxied {
    /// The proxy speaks for itself.
    Itself,
    /// For somebody of whom it does not say who he is. What he says himself of clients was passed on
    /// unread, and is his word alone.
    Unknown,
    /// For a client without an address, on a socket in the file system.
    Local,
    /// For this client.
    Client {
        /// Where the client is.
        source: SocketAddr,
        /// Where it wanted to go.
        destination: SocketAddr,
    },
}

/// Bytes of the longest line of version 1, its end included (section 2.1).
const LONGEST_LINE: usize = 107;

/// The first bytes of version 2 (section 2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes of version 2 before the addresses.
const FIXED: usize = 16;

/// Bytes that may follow them: addresses, and additions that a proxy makes, such as the name in a certificate. The
/// format would allow 65535, before the first byte of a request.
const MOST_ADDED: usize = 4096;

impl Proxied {
    /// Reads the header at the beginning of a connection: what it says, and its length. `Ok(None)`: it is not complete.
    ///
    /// # Errors
    /// 400 for what is no such header.
    pub fn decode(input: &[u8]) -> Result<Option<(Proxied, usize)>, HttpError> {
        if begins(input, SIGNATURE) {
            return binary(input);
        }
        if begins(input, b"PROXY ") {
            return line(input);
        }
        Err(refusal("a trusted proxy must begin a connection with a PROXY protocol header, and this is none"))
    }
}

/// True if the input is the beginning of this, or begins with it.
fn begins(input: &[u8], with: &[u8]) -> bool {
    input.iter().zip(with).all(|(one, other)| one == other)
}

fn refusal(why: &'static str) -> HttpError {
    HttpError::bad_request(why)
}

/// Version 1: a line.
fn line(input: &[u8]) -> Result<Option<(Proxied, usize)>, HttpError> {
    let first = input.get(..LONGEST_LINE).unwrap_or(input);
    let Some(end) = memchr::memchr(b'\n', first) else {
        let is_long = first.len() == LONGEST_LINE;
        return if is_long { Err(refusal("the PROXY line is longer than 107 bytes")) } else { Ok(None) };
    };
    let text = first.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let said = text.and_then(words);
    let wrong =
        "the PROXY line is not PROXY, TCP4, TCP6 or UNKNOWN, two addresses and two ports, a space between, CR LF";
    said.map(|said| Some((said, end.saturating_add(1)))).ok_or(refusal(wrong))
}

fn words(line: &[u8]) -> Option<Proxied> {
    let line = line.strip_prefix(b"PROXY ")?;
    // What else stands in such a line is to be ignored, whatever it is.
    if line == b"UNKNOWN" || line.starts_with(b"UNKNOWN ") {
        return Some(Proxied::Unknown);
    }
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let is_v4 = match words.next()? {
        "TCP4" => true,
        "TCP6" => false,
        _ => return None,
    };
    let address = |text: &str| -> Option<IpAddr> {
        if is_v4 { text.parse().ok().map(IpAddr::V4) } else { text.parse().ok().map(IpAddr::V6) }
    };
    let [source, destination] = [address(words.next()?)?, address(words.next()?)?];
    let [from, to] = [port(words.next()?)?, port(words.next()?)?];
    let client =
        Proxied::Client { source: SocketAddr::new(source, from), destination: SocketAddr::new(destination, to) };
    words.next().is_none().then_some(client)
}

/// A decimal number without a sign and without zeros before it.
fn port(text: &str) -> Option<u16> {
    let is_plain = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
    text.parse().ok().filter(|_| is_plain)
}

/// Version 2: a block.
fn binary(input: &[u8]) -> Result<Option<(Proxied, usize)>, HttpError> {
    let Some(&[.., version_and_command, family, high, low]) = input.first_chunk::<FIXED>() else { return Ok(None) };
    let wrong = Err(refusal("the PROXY header is of a version, a command or a family that there is not"));
    let is_local = match version_and_command {
        0x20 => true,
        0x21 => false,
        _ => return wrong,
    };
    let added = usize::from(u16::from_be_bytes([high, low]));
    if added > MOST_ADDED {
        return Err(refusal("the PROXY header is longer than 4096 bytes"));
    }
    let end = FIXED.saturating_add(added);
    let Some(block) = input.get(FIXED..end) else { return Ok(None) };
    let short = refusal("the PROXY header is too short for its addresses");
    // A proxy may have got the request over datagrams (QUIC); the addresses are the same.
    let said = match family {
        _ if is_local => Proxied::Itself,
        0x00 => Proxied::Unknown,
        0x11 | 0x12 => addresses::<4>(block).ok_or(short)?,
        0x21 | 0x22 => addresses::<16>(block).ok_or(short)?,
        0x31 | 0x32 if block.len() >= UNIX_ADDRESSES => Proxied::Local,
        0x31 | 0x32 => return Err(short),
        _ => return wrong,
    };
    Ok(Some((said, end)))
}

/// Bytes of two paths of sockets.
const UNIX_ADDRESSES: usize = 216;

/// Two addresses of so many bytes, and two ports.
fn addresses<const LENGTH: usize>(block: &[u8]) -> Option<Proxied> {
    let (source, rest) = address::<LENGTH>(block)?;
    let (destination, rest) = address::<LENGTH>(rest)?;
    let (&from, rest) = rest.split_first_chunk::<2>()?;
    let (&to, _) = rest.split_first_chunk::<2>()?;
    Some(Proxied::Client {
        source: SocketAddr::new(source, u16::from_be_bytes(from)),
        destination: SocketAddr::new(destination, u16::from_be_bytes(to)),
    })
}

fn address<const LENGTH: usize>(bytes: &[u8]) -> Option<(IpAddr, &[u8])> {
    let (octets, rest) = bytes.split_at_checked(LENGTH)?;
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
    let v6 = <[u8; 16]>::try_from(octets).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)));
    Some((v4.or(v6).ok()?, rest))
}
