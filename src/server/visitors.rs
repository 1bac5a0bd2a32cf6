//! How many connections each address holds, so that none takes the whole house.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// The connections of each address.
#[derive(Debug)]
pub(super) struct Visitors {
    counts: HashMap<Household, usize>,
    /// Connections that one may hold.
    most: usize,
    /// This machine's own addresses are not counted: behind them stand a proxy, or who measures.
    spares_loopback: bool,
}

/// An address; of IPv6 the network, since who has one has all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Household(IpAddr);

/// Bits of an IPv6 address that name a network: what a provider gives to one customer is no smaller (RFC 6177).
const NETWORK: u128 = !0 << 64;

impl Household {
    fn of(address: IpAddr) -> Self {
        Household(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
            v4 => v4,
        })
    }
}

impl Visitors {
    /// For a house of `room` connections. Where nobody has said how many one may hold, it is half.
    pub(super) fn new(asked: Option<usize>, room: usize) -> Self {
        Visitors { counts: HashMap::new(), most: asked.unwrap_or(room.div_ceil(2)), spares_loopback: asked.is_none() }
    }

    /// The same visitors under other rules.
    pub(super) fn set_rules(&mut self, asked: Option<usize>, room: usize) {
        let counts = std::mem::take(&mut self.counts);
        *self = Visitors { counts, ..Visitors::new(asked, room) };
    }

    /// Connections that one address may hold, if this one holds them already.
    pub(super) fn is_at_limit(&self, address: IpAddr) -> Option<usize> {
        let is_spared = self.spares_loopback && address.to_canonical().is_loopback();
        let held = self.counts.get(&Household::of(address)).copied().unwrap_or(0);
        (held >= self.most && !is_spared).then_some(self.most)
    }

    pub(super) fn came(&mut self, address: IpAddr) {
        let held = self.counts.entry(Household::of(address)).or_default();
        *held = held.saturating_add(1);
    }

    /// Forgets an address with its last connection.
    pub(super) fn left(&mut self, address: IpAddr) {
        let household = Household::of(address);
        if let Some(held) = self.counts.get_mut(&household) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.counts.remove(&household);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_holds_so_many_and_a_network_of_ipv6_is_one() {
        let mut visitors = Visitors::new(Some(2), 100);
        for address in ["192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::ffff:2"] {
            assert_eq!(visitors.is_at_limit(at(address)), None, "{address}");
            visitors.came(at(address));
        }
        for (address, is_full) in [
            ("192.0.2.1", true),
            ("::ffff:192.0.2.1", true),
            ("192.0.2.2", false),
            ("2001:db8::3", true),
            ("2001:db8:0:1::1", false),
        ] {
            assert_eq!(visitors.is_at_limit(at(address)), is_full.then_some(2), "{address}");
        }
        visitors.left(at("192.0.2.1"));
        assert_eq!(visitors.is_at_limit(at("192.0.2.1")), None);
        visitors.left(at("192.0.2.1"));
        visitors.left(at("2001:db8::9"));
        visitors.left(at("2001:db8::1"));
        assert!(visitors.counts.is_empty(), "who is gone is forgotten");
    }

    #[test]
    fn by_default_half_of_the_house_and_loopback_is_free() {
        let mut visitors = Visitors::new(None, 4);
        for address in ["127.0.0.1", "::1", "192.0.2.1"] {
            visitors.came(at(address));
            visitors.came(at(address));
        }
        let is_full = |visitors: &Visitors| ["127.0.0.1", "::1", "192.0.2.1"].map(|one| visitors.is_at_limit(at(one)));
        assert_eq!(is_full(&visitors), [None, None, Some(2)]);
        visitors.set_rules(Some(2), 4);
        assert_eq!(is_full(&visitors), [Some(2); 3]);
    }
}
