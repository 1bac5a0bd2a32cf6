//! `Target::parse` and `decode_path`: the parts put together again are the target; a path decodes as a plain reference
//! says, once and for all, and never into one that could climb.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownhands::http::decode_path;
use ownhands::{Method, Target};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if text.contains('\0') {
        return; // the decoder of heads lets no NUL come this far
    }
    for method in [Method::Get, Method::Options, Method::Connect, Method::Extension("BREW")] {
        let Ok(target) = Target::parse(method, text) else { continue };
        assert!(method != Method::Connect, "CONNECT was taken");
        assert!(target.path.starts_with('/') || (target.path == "*" && method == Method::Options), "{target:?}");
        assert!(!target.path.contains('?'), "{target:?}");
        let query = target.query.map(|query| format!("?{query}")).unwrap_or_default();
        let whole = match target.authority {
            None => format!("{}{query}", target.path),
            Some(authority) => {
                assert!(!authority.is_empty() && authority.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
                assert!(!authority.contains(['/', '?', '#', '@', '\\', '"', '<', '>']), "{target:?}");
                let scheme = text.find("://").expect("a scheme");
                let path = &text[scheme + 3 + authority.len()..];
                let path = if path.starts_with('/') {
                    target.path
                } else {
                    // No path is the path /, or for OPTIONS the whole host (RFC 9112 section 3.2.4).
                    let is_host = method == Method::Options && target.query.is_none();
                    assert_eq!(target.path, if is_host { "*" } else { "/" });
                    ""
                };
                format!("{}://{authority}{path}{query}", &text[..scheme])
            }
        };
        assert_eq!(whole, text);
        check_path(target.path);
    }
    check_path(text);
});

fn check_path(raw: &str) {
    let expected = expected(raw.as_bytes());
    match decode_path(raw) {
        Err(error) => assert!(expected.is_none(), "{raw:?} was refused: {error}"),
        Ok(decoded) => {
            assert_eq!(Some(decoded.octets.as_ref()), expected.as_deref(), "{raw:?}");
            assert_eq!(decoded.text, String::from_utf8_lossy(&decoded.octets), "{raw:?}");
            // Whatever can be decoded can be written down so that it decodes to the same.
            let spelled: String = decoded.octets.iter().map(|octet| format!("%{octet:02x}")).collect();
            let again = decode_path(&spelled).map(|again| again.octets.into_owned()).ok();
            assert_eq!(again.as_deref(), Some(decoded.octets.as_ref()), "{spelled}");
        }
    }
}

/// The octets of a path; `None` where it must be refused.
fn expected(raw: &[u8]) -> Option<Vec<u8>> {
    // A bare `.` between two slashes is nothing.
    let mut plain = raw.to_vec();
    while let Some(at) = plain.windows(3).position(|three| three == b"/./") {
        plain.drain(at..at + 2);
    }
    let mut octets = Vec::new();
    let mut rest = plain.as_slice();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let digit = |index: usize| after.get(index).and_then(|&byte| char::from(byte).to_digit(16));
            let octet = (digit(0)? * 16 + digit(1)?) as u8;
            if octet == 0 {
                return None;
            }
            octets.push(octet);
            rest = &after[2..];
        } else {
            octets.push(byte);
        }
    }
    let climbs = octets.split(|&octet| octet == b'/').any(|segment| segment == b"." || segment == b"..");
    (!climbs).then_some(octets)
}
