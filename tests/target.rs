//! Targets: how a path is decoded, once, and what a host may be.

use ownhands::http::decode_path;
use ownhands::testing::MockClient;
use ownhands::{Method, Target};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use crate::samples::Echo;

/// Paths as sent, as octets, and as text.
const DECODED: &[(&str, &[u8], &str)] = &[
    ("/", b"/", "/"),
    ("/a/b", b"/a/b", "/a/b"),
    ("/a%20b", b"/a b", "/a b"),
    ("/%61%62", b"/ab", "/ab"),
    ("/%4a%4A%4a", b"/JJJ", "/JJJ"),
    ("/a+b", b"/a+b", "/a+b"),
    ("/a%2Fb", b"/a/b", "/a/b"),
    ("/%2561", b"/%61", "/%61"),
    ("/%25", b"/%", "/%"),
    ("/%3F%23", b"/?#", "/?#"),
    ("/%0d%0a", b"/\r\n", "/\r\n"),
    ("/%c3%a4", b"/\xc3\xa4", "/\u{e4}"),
    ("/%e4", b"/\xe4", "/\u{fffd}"),
    ("/%ff%fe", b"/\xff\xfe", "/\u{fffd}\u{fffd}"),
    ("/%5c..%5c", b"/\\..\\", "/\\..\\"),
    ("//a", b"//a", "//a"),
    ("/a//", b"/a//", "/a//"),
    ("/...", b"/...", "/..."),
    ("/.a", b"/.a", "/.a"),
    ("/a.", b"/a.", "/a."),
    ("/a..", b"/a..", "/a.."),
    ("/..a/.%2e.", b"/..a/...", "/..a/..."),
    ("*", b"*", "*"),
    ("/./a", b"/a", "/a"),
    ("/a/./b", b"/a/b", "/a/b"),
    ("/a/./", b"/a/", "/a/"),
    ("/./", b"/", "/"),
    ("/././a/././b", b"/a/b", "/a/b"),
    ("/a/.//b", b"/a//b", "/a//b"),
    ("/./a%20b/./%41", b"/a b/A", "/a b/A"),
    ("/./...", b"/...", "/..."),
];

#[test]
fn paths_are_decoded_once() {
    for &(raw, octets, text) in DECODED {
        let path = decode_path(raw).unwrap_or_else(|error| panic!("{raw}: {error}"));
        assert_eq!((path.octets.as_ref(), path.text.as_ref()), (octets, text), "{raw}");
    }
}

/// Paths that are refused, with a part of the sentence.
const REFUSED: &[(&str, &str)] = &[
    ("/%", "not followed by two hexadecimal digits"),
    ("/%4", "not followed by two hexadecimal digits"),
    ("/%4/", "not followed by two hexadecimal digits"),
    ("/%g0", "not followed by two hexadecimal digits"),
    ("/%0x", "not followed by two hexadecimal digits"),
    ("/%%41", "not followed by two hexadecimal digits"),
    ("/%u0041", "not followed by two hexadecimal digits"),
    ("/%+1", "not followed by two hexadecimal digits"),
    ("/a%00", "has a NUL"),
    ("/.", "a segment . or .."),
    ("/..", "a segment . or .."),
    ("/a/.", "a segment . or .."),
    ("/./.", "a segment . or .."),
    ("/%2e/a", "a segment . or .."),
    ("/a/%2E/b", "a segment . or .."),
    ("/./%2e/b", "a segment . or .."),
    ("/./../a", "a segment . or .."),
    ("/.././a", "a segment . or .."),
    ("/a%2f./b", "a segment . or .."),
    ("/.%2fb", "a segment . or .."),
    ("/./%", "not followed by two hexadecimal digits"),
    ("/../a", "a segment . or .."),
    ("/a/..", "a segment . or .."),
    ("/a/../b", "a segment . or .."),
    ("/a/./../b", "a segment . or .."),
    ("/%2e", "a segment . or .."),
    ("/%2e%2E/a", "a segment . or .."),
    ("/.%2e/a", "a segment . or .."),
    ("/a%2f..%2fb", "a segment . or .."),
    ("/a/%2e./%00", "has a NUL"),
];

#[test]
fn paths_that_could_mean_two_things_are_refused() {
    let mut client = MockClient::new(Echo::default());
    for &(raw, part) in REFUSED {
        let error = decode_path(raw).err().unwrap_or_else(|| panic!("{raw} was decoded"));
        assert_eq!(error.status.code(), 400, "{raw}");
        assert!(error.detail.contains(part), "{raw}: {:?} does not say {part:?}", error.detail);
        // A peer is told the same.
        let answer = client.get(raw);
        assert_eq!((answer.status(), answer.text()), (400, format!("{error}\n")));
    }
    assert_eq!(client.service().calls.get(), 0);
}

#[test]
fn the_query_is_not_decoded() {
    let target = Target::parse(Method::Get, "/a?b=%zz/../?%00").unwrap();
    assert_eq!((target.path, target.query), ("/a", Some("b=%zz/../?%00")));
    assert_eq!(MockClient::new(Echo::default()).get("/a?b=%zz/../?%00").status(), 200);
}

/// Hosts, and whether they are any.
const HOSTS: &[(&str, bool)] = &[
    ("a", true),
    ("example.org", true),
    ("example.org.", true),
    ("EXAMPLE.org:80", true),
    ("a:", true),
    ("a:0", true),
    ("a:65535", true),
    ("1.2.3.4", true),
    ("1.2.3.4:8000", true),
    ("a_b-c~d", true),
    ("a%20b", true),
    ("!$&'()*+,;=", true),
    ("[::1]", true),
    ("[::1]:8000", true),
    ("[2001:db8::1.2.3.4]", true),
    ("[v1.a:b]", true),
    ("[vF.!]:1", true),
    ("", false),
    (":80", false),
    ("a:80:80", false),
    ("a:b", false),
    ("a:-1", false),
    ("a:123456", false),
    ("a b", false),
    ("a/b", false),
    ("a?b", false),
    ("a\\b", false),
    ("u@a", false),
    ("u:p@a", false),
    ("a,b@c", false),
    ("a\"b", false),
    ("<a>", false),
    ("a%2", false),
    ("a%zz", false),
    ("::1", false),
    ("[::1", false),
    ("::1]", false),
    ("[]", false),
    ("[1.2.3.4]", false),
    ("[::1]a", false),
    ("[::1]]", false),
    ("[[::1]]", false),
    ("[::1%25eth0]", false),
    ("[fe80::1%eth0]", false),
    ("[v.a]", false),
    ("[v1.]", false),
    ("[v1]", false),
    ("[vg.a]", false),
];

#[test]
fn hosts_are_told_from_what_is_none() {
    let mut client = MockClient::new(Echo::default());
    for &(host, is_host) in HOSTS {
        let answer = client.send(format!("GET /a HTTP/1.1\r\nHost: {host}\r\n\r\n"), &[]);
        assert_eq!(answer.status(), if is_host { 200 } else { 400 }, "Host: {host}");
        if is_host {
            assert_eq!(answer.text(), format!("GET {host} /a "));
        }
        // In an absolute target the same names a host, up to where a path or a query begins.
        if !host.contains(['/', '?', ' ', '"', '<', '\\']) {
            let target = format!("http://{host}/a");
            assert_eq!(Target::parse(Method::Get, &target).is_ok(), is_host, "{target}");
        }
    }
}

/// Octets as a client might send them: some bare, some encoded, in either case.
fn encode(octets: &[u8], spelling: &[u8]) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte);
    let spellings = spelling.iter().copied().cycle();
    let encoded = octets.iter().zip(spellings).map(|(&byte, spelling)| match spelling % 3 {
        0 if bare(byte) => char::from(byte).to_string(),
        1 => format!("%{byte:02x}"),
        _ => format!("%{byte:02X}"),
    });
    std::iter::once("/".to_string()).chain(encoded).collect()
}

fn has_dot_segment(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').any(|segment| segment == b"." || segment == b"..")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever octets a path is made of, they come out as they were, or the path is refused for what is in it.
    #[test]
    fn encoded_octets_round_trip(
        octets in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"./%\\a\0"[..])], 0..30),
        spelling in prop::collection::vec(any::<u8>(), 1..30),
    ) {
        let raw = encode(&octets, &spelling);
        // Of the dots, those that stand bare between two slashes are nothing.
        let mut plain = raw.clone();
        while let Some(at) = plain.find("/./") {
            plain.drain(at..at + 2);
        }
        let meant = if plain == raw { [b"/", octets.as_slice()].concat() } else { percent_decode_str(&plain).collect() };
        match decode_path(&raw) {
            Ok(path) => {
                prop_assert_eq!(path.octets.as_ref(), meant.as_slice());
                prop_assert_eq!(path.text.as_ref(), String::from_utf8_lossy(&meant));
            }
            Err(_) => prop_assert!(has_dot_segment(&meant) || meant.contains(&0), "{raw} was refused"),
        }
    }

    /// Any text is decoded or refused, and what is decoded climbs nowhere.
    #[test]
    fn no_text_breaks_the_decoding(raw in prop_oneof![".{0,40}", "[./%2eE05cfF]{0,20}", "/[.%2eE/]{0,12}"]) {
        if let Ok(path) = decode_path(&raw) {
            prop_assert!(!has_dot_segment(&path.octets), "{raw}");
            // A bare NUL never passes the decoder of heads; here it is only text.
            prop_assert!(raw.contains('\0') || !path.octets.contains(&0), "{raw}");
            prop_assert!(path.text.split('/').all(|segment| segment != "." && segment != ".."), "{raw}");
        }
    }

    /// Any text is a target or is refused, and a target loses nothing.
    #[test]
    fn no_text_breaks_the_parser(target in prop_oneof![".{0,40}", "(http|HTTPS)://[a-c:@\\[\\]%1v./?]{0,20}", "/[a?/%]{0,10}"]) {
        for method in [Method::Get, Method::Options, Method::Extension("X")] {
            let Ok(Target { authority, path, query }) = Target::parse(method, &target) else { continue };
            prop_assert!(path.starts_with('/') || path == "*");
            prop_assert!(!path.contains('?'));
            let end = query.map_or(path.to_string(), |query| format!("{path}?{query}"));
            prop_assert!(target.ends_with(&end) || (authority.is_some() && (path == "/" || path == "*")), "{target}");
        }
    }
}
