//! What proxies say of those they speak for: `Forwarded` (RFC 7239) and `X-Forwarded-For`, read from the right.
//!
//! Each proxy adds an element at the end, so that what the last of them wrote stands last, and what stands first may be
//! anybody's invention. Nothing here decides whom to believe; [`Trust`](super::Trust) does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Headers;
use super::field::{is_token_byte, trim};

/// Bytes that one element may have; the longest that says anything in earnest has a tenth. It bounds what is read again
/// where an element is no element.
const LONGEST: usize = 512;

/// Whom a proxy has spoken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// This address, and never an IPv4 address in the form of IPv6.
    Address(IpAddr),
    /// It does not say, will not say, or says what cannot be read.
    Unknown,
}

/// The hops in `Forwarded`, the last first.
pub(super) fn forwarded<'a>(headers: Headers<'a>) -> impl Iterator<Item = Hop> + use<'a> {
    hops(headers, "forwarded", last_forwarded)
}

/// The hops in `X-Forwarded-For`, the last first.
pub(super) fn x_forwarded_for<'a>(headers: Headers<'a>) -> impl Iterator<Item = Hop> + use<'a> {
    hops(headers, "x-forwarded-for", last_address)
}

/// What stands last in a field value, and what is left before it.
type Last = fn(&[u8]) -> (Hop, &[u8]);

/// Several fields are one list (RFC 9110 section 5.3).
fn hops<'a>(headers: Headers<'a>, name: &'static str, last: Last) -> impl Iterator<Item = Hop> + use<'a> {
    headers.get_all(name).rev().flat_map(move |value| {
        let mut rest = value;
        std::iter::from_fn(move || {
            // Empty elements are none (RFC 9110 section 5.6.1).
            rest = trim_end_of_list(rest);
            let (hop, before) = (!rest.is_empty()).then(|| last(rest))?;
            rest = before;
            Some(hop)
        })
    })
}

fn trim_end_of_list(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|byte| !matches!(byte, b',' | b' ' | b'\t'));
    end.and_then(|last| value.get(..=last)).unwrap_or_default()
}

/// The value in front of and behind this comma.
fn split(value: &[u8], comma: usize) -> (&[u8], &[u8]) {
    let (before, after) = value.split_at_checked(comma).unwrap_or((value, &[]));
    (before, after.get(1..).unwrap_or_default())
}

fn last_address(value: &[u8]) -> (Hop, &[u8]) {
    let (before, element) = match value.iter().rposition(|&byte| byte == b',') {
        Some(comma) => split(value, comma),
        None => (&[][..], value),
    };
    let text = std::str::from_utf8(trim(element)).unwrap_or_default();
    // Written by no standard: with a port, and without brackets too.
    let address = text.parse().ok().or_else(|| node(text));
    (address.map_or(Hop::Unknown, hop), before)
}

/// A comma may stand in a quoted string, and whoever wrote the first elements may have left a quote open to swallow the
/// last. So the element is the shortest end of the value that is one by the grammar: what lies within a quoted string
/// never is, because the quote at its end has none at its beginning.
fn last_forwarded(value: &[u8]) -> (Hop, &[u8]) {
    let start = value.len().saturating_sub(LONGEST);
    let commas = memchr::memrchr_iter(b',', value.get(start..).unwrap_or_default()).map(|at| at + start);
    for comma in commas {
        let (before, element) = split(value, comma);
        if let Some(hop) = element_of(trim(element)) {
            return (hop, before);
        }
    }
    let whole = (start == 0).then(|| element_of(trim(value))).flatten();
    (whole.unwrap_or(Hop::Unknown), &[])
}

/// `forwarded-element`: pairs with semicolons between, each name once (RFC 7239 section 4). `None`: it is none.
fn element_of(element: &[u8]) -> Option<Hop> {
    let mut names: Vec<&[u8]> = Vec::new();
    let mut client = None;
    let mut rest = element;
    loop {
        if !rest.is_empty() && !rest.starts_with(b";") {
            let (name, value, after) = pair(rest)?;
            if names.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                return None;
            }
            names.push(name);
            if name.eq_ignore_ascii_case(b"for") {
                client = Some(value);
            }
            rest = after;
        }
        match rest.split_first() {
            Some((b';', after)) => rest = after,
            Some(_) => return None,
            None => break,
        }
    }
    let text = client.and_then(|value| String::from_utf8(value).ok());
    Some(text.and_then(|text| node(&text)).map_or(Hop::Unknown, hop))
}

/// `token "=" ( token / quoted-string )`, the value without quotes, and what follows.
fn pair(bytes: &[u8]) -> Option<(&[u8], Vec<u8>, &[u8])> {
    let (name, rest) = token(bytes)?;
    let rest = rest.strip_prefix(b"=")?;
    match rest.strip_prefix(b"\"") {
        Some(quoted) => unquote(quoted).map(|(value, rest)| (name, value, rest)),
        None => token(rest).map(|(value, rest)| (name, value.to_vec(), rest)),
    }
}

fn token(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(bytes.len());
    bytes.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}

/// The text of a `quoted-string` whose first quote is read (RFC 9110 section 5.6.4), and what follows the last.
fn unquote(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    let mut rest = bytes;
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((text, rest)),
            b'\\' => {
                let (&escaped, after) = rest.split_first()?;
                text.push(escaped);
                rest = after;
            }
            other => text.push(other),
        }
    }
}

/// The address in a `node`: an IPv4 address, or an IPv6 address in brackets, and a port, which is of no use here (RFC
/// 7239 section 6). `None` for `unknown`, for a made-up name such as `_hidden`, and for what is no node.
fn node(text: &str) -> Option<IpAddr> {
    let (address, rest) = match text.strip_prefix('[') {
        Some(inner) => {
            let (address, rest) = inner.split_once(']')?;
            (IpAddr::V6(address.parse::<Ipv6Addr>().ok()?), rest)
        }
        None => {
            let (address, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            (IpAddr::V4(address.parse::<Ipv4Addr>().ok()?), rest)
        }
    };
    let is_port = |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_made_up = |port: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        port.strip_prefix('_').is_some_and(|name| !name.is_empty() && name.bytes().all(inside))
    };
    let is_node = rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| is_port(port) || is_made_up(port));
    is_node.then_some(address)
}

fn hop(address: IpAddr) -> Hop {
    Hop::Address(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All hops of the field values, in the words of the tables: an address, or `?`.
    fn read(values: &[&[u8]], last: Last) -> Vec<String> {
        let fields: Vec<_> = values.iter().map(|value| httparse::Header { name: "Field", value }).collect();
        let shown = |hop| match hop {
            Hop::Address(address) => address.to_string(),
            Hop::Unknown => "?".to_owned(),
        };
        hops(Headers::new(&fields), "field", last).map(shown).collect()
    }

    #[test]
    fn forwarded_elements() {
        let cases: [(&[u8], &[&str]); 40] = [
            (b"for=192.0.2.1", &["192.0.2.1"]),
            (b"FOR=192.0.2.1", &["192.0.2.1"]),
            (b"for=\"192.0.2.1\"", &["192.0.2.1"]),
            (b"for=\"192.0.2.1:80\"", &["192.0.2.1"]),
            (b"for=\"192.0.2.1:_port\"", &["192.0.2.1"]),
            (b"for=\"[2001:db8::1]\"", &["2001:db8::1"]),
            (b"for=\"[2001:db8::1]:4711\"", &["2001:db8::1"]),
            (b"for=\"[::ffff:192.0.2.1]\"", &["192.0.2.1"]),
            (b"for=\"\\1\\9\\2.0.2.1\"", &["192.0.2.1"]),
            (b"for=192.0.2.1;proto=http;by=203.0.113.4", &["192.0.2.1"]),
            (b"proto=https;for=192.0.2.1", &["192.0.2.1"]),
            (b";;for=192.0.2.1;", &["192.0.2.1"]),
            (b"for=192.0.2.1, for=\"[2001:db8::1]\",for=192.0.2.2", &["192.0.2.2", "2001:db8::1", "192.0.2.1"]),
            (b", for=192.0.2.1 ,\t,", &["192.0.2.1"]),
            (b"", &[]),
            (b" , ,", &[]),
            // They do not say.
            (b"for=unknown", &["?"]),
            (b"for=\"unknown:80\"", &["?"]),
            (b"for=_hidden", &["?"]),
            (b"by=192.0.2.1", &["?"]),
            (b";", &["?"]),
            (b"for=\"\"", &["?"]),
            (b"for=localhost", &["?"]),
            // Not as the grammar has it.
            (b"for=192.0.2.1:80", &["?"]),
            (b"for=[2001:db8::1]", &["?"]),
            (b"for=\"2001:db8::1\"", &["?"]),
            (b"for=\"[192.0.2.1]\"", &["?"]),
            (b"for=\"192.0.2.1:\"", &["?"]),
            (b"for=\"192.0.2.1:123456\"", &["?"]),
            (b"for=\"192.0.2.1:_\"", &["?"]),
            (b"for=192.0.2.01", &["?"]),
            (b"for = 192.0.2.1", &["?"]),
            (b"for=192.0.2.1; proto=http", &["?"]),
            (b"for=192.0.2.1;for=192.0.2.2", &["?"]),
            (b"for", &["?"]),
            (b"192.0.2.1", &["?"]),
            // What was there before cannot change what was added.
            (b"for=\"192.0.2.9, for=192.0.2.1", &["192.0.2.1", "?"]),
            (b"a=\"b, for=192.0.2.9\"", &["?"]),
            (b"for=192.0.2.1;a=\"x, for=\\\"192.0.2.9\"", &["192.0.2.1"]),
            (b"for=192.0.2.1;a=\"x, for=192.0.2.9\";b=c", &["192.0.2.1"]),
        ];
        for (value, want) in cases {
            assert_eq!(read(&[value], last_forwarded), want, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn addresses() {
        let cases: [(&[u8], &[&str]); 12] = [
            (b"192.0.2.1", &["192.0.2.1"]),
            (b"2001:db8::1", &["2001:db8::1"]),
            (b"192.0.2.1:80", &["192.0.2.1"]),
            (b"[2001:db8::1]:80", &["2001:db8::1"]),
            (b"[2001:db8::1]", &["2001:db8::1"]),
            (b"::ffff:192.0.2.1", &["192.0.2.1"]),
            (b"192.0.2.1, 192.0.2.2,192.0.2.3 ", &["192.0.2.3", "192.0.2.2", "192.0.2.1"]),
            (b", 192.0.2.1,, ", &["192.0.2.1"]),
            (b"192.0.2.1, \xff", &["?", "192.0.2.1"]),
            (b"unknown", &["?"]),
            (b"\"192.0.2.1\"", &["?"]),
            (b"192.0.2.1 192.0.2.2", &["?"]),
        ];
        for (value, want) in cases {
            assert_eq!(read(&[value], last_address), want, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn several_fields_are_one_list() {
        assert_eq!(
            read(&[b"for=192.0.2.1", b"", b"for=192.0.2.2, for=_x"], last_forwarded),
            ["?", "192.0.2.2", "192.0.2.1"]
        );
        assert_eq!(read(&[b"192.0.2.1", b"192.0.2.2"], last_address), ["192.0.2.2", "192.0.2.1"]);
    }

    #[test]
    fn an_element_has_a_longest_length() {
        let long = [b"for=192.0.2.1;a=".to_vec(), vec![b'a'; LONGEST]].concat();
        assert_eq!(read(&[&long], last_forwarded), ["?"]);
        assert_eq!(read(&[&[&long[..], b",for=192.0.2.2"].concat()], last_forwarded), ["192.0.2.2", "?"]);
        assert_eq!(read(&[long.get(..LONGEST).unwrap_or_default()], last_forwarded), ["192.0.2.1"]);
    }
}
