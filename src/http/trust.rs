//! Whose word is taken for who the client is.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

use super::Headers;
use super::forwarded::{Hop, forwarded, x_forwarded_for};

/// Hops that are followed back; nobody stands behind so many proxies of one's own.
const MOST_HOPS: usize = 32;

/// The proxies before a server, by their addresses: what they say of their clients is believed, and what anybody else
/// says is not. By default there are none.
///
/// A proxy says it in `Forwarded` (RFC 7239) or in `X-Forwarded-For`, each behind what it was told itself. So the
/// list is read from its end: a trusted proxy is passed over, and the first address that is none is the client. What
/// cannot be read, says `unknown`, or hides behind a name of its own ends the search: the client is then the last
/// address known for certain.
///
/// Where both fields are there and lead to different addresses neither is believed: most proxies write only one of
/// them, and let the other pass as a stranger sent it. A proxy should take the other out.
///
/// ```
/// use ownhands::{App, Request, http::Trust, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.trust(Trust::new(["10.0.0.0/8".parse()?]));
/// app.route("GET", "/", |request: &Request<'_>| request.client.map(|client| client.to_string()))?;
///
/// let mut client = MockClient::new(app).with_peer("10.0.0.1:5000".parse()?);
/// let answer = client.request("GET", "/").header("X-Forwarded-For", "6.6.6.6, 192.0.2.7, 10.0.0.2").send();
/// assert_eq!(answer.text(), "192.0.2.7");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    networks: Vec<IpNet>,
    has_local: bool,
}

/// A network of IPv4 addresses in the form of IPv6 is that of the IPv4 addresses, as an address of it is.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let plain = mapped.network().to_ipv4_mapped().zip(mapped.prefix_len().checked_sub(96));
    let plain = plain.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    plain.map_or(network, IpNet::V4)
}

impl Trust {
    /// Trust in these networks.
    #[must_use]
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Trust { networks: networks.into_iter().map(canonical).collect(), has_local: false }
    }

    /// The same, and in whoever has no address: who comes to a socket in the file system.
    ///
    /// ```
    /// use ownhands::http::Trust;
    ///
    /// assert!(Trust::default().with_local().covers_peer(None));
    /// assert!(!Trust::default().covers_peer(None));
    /// ```
    #[must_use]
    pub fn with_local(mut self) -> Self {
        self.has_local = true;
        self
    }

    /// True if nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.has_local
    }

    /// True if this is the address of a trusted proxy. An IPv4 address in the form of IPv6 is that IPv4 address.
    ///
    /// ```
    /// use ownhands::http::Trust;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let trust = Trust::new(["10.0.0.0/8".parse()?]);
    /// assert!(trust.covers("10.1.2.3".parse()?) && trust.covers("::ffff:10.1.2.3".parse()?));
    /// assert!(!trust.covers("192.0.2.1".parse()?));
    /// assert!(Trust::new(["::ffff:10.0.0.0/104".parse()?]).covers("10.1.2.3".parse()?));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn covers(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// True if who is connected is a trusted proxy.
    #[must_use]
    pub fn covers_peer(&self, peer: Option<SocketAddr>) -> bool {
        peer.map_or(self.has_local, |peer| self.covers(peer.ip()))
    }

    /// The client behind who is connected, as the fields of a request have it.
    #[must_use]
    pub fn client(&self, headers: Headers<'_>, peer: Option<SocketAddr>) -> Option<IpAddr> {
        let connected = peer.map(|peer| peer.ip().to_canonical());
        if self.is_empty() || !self.covers_peer(peer) {
            return connected;
        }
        match (self.walk(forwarded(headers)), self.walk(x_forwarded_for(headers))) {
            (None, found) | (found, None) => found.flatten().or(connected),
            (Some(one), Some(other)) if one == other => one.or(connected),
            _ => connected,
        }
    }

    /// The client that a list leads to, `Some(None)` if it leads nowhere. `None`: there is no list.
    fn walk(&self, hops: impl Iterator<Item = Hop>) -> Option<Option<IpAddr>> {
        let mut hops = hops.take(MOST_HOPS).peekable();
        hops.peek()?;
        let mut known = None;
        for hop in hops {
            let Hop::Address(address) = hop else { break };
            known = Some(address);
            if !self.covers(address) {
                break;
            }
        }
        Some(known)
    }
}
