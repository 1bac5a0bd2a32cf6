//! The quick reader of heads and the careful one agree, whatever is done to a request.

use ownhands::Limits;
use proptest::prelude::*;

use crate::decode::{ACCEPTED, Outcome, REFUSED, both, bytewise, whole};

/// The bytes that parsers trip over.
const NASTY: &[u8] = b"\r\n\0 \t:\x80aA1,;#%/?*.\x7f\x0b\"\\[]@-+";

/// Heads to begin from.
fn seeds() -> Vec<&'static [u8]> {
    ACCEPTED.iter().map(|&(_, wire, _)| wire).chain(REFUSED.iter().map(|&(_, wire, ..)| wire)).collect()
}

/// Limits that a seed is near to, and the usual ones.
fn some_limits() -> [Limits; 2] {
    [Limits::default(), Limits { head: 60, target: 9, fields: 2, body: 10, ..Limits::default() }]
}

#[test]
fn the_two_readers_agree_after_every_single_edit() {
    let edited: [&[u8]; 3] = [
        b"GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n",
        b"\nGET http://a HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n",
        b"POST /a?b HTTP/1.0\r\nConnection: close, a\r\nContent-Length: 10\r\n\r\n",
    ];
    for limits in some_limits() {
        for (seed, at) in edited.iter().flat_map(|seed| (0..seed.len()).map(move |at| (seed, at))) {
            let (before, after) = seed.split_at(at);
            both("deleted", &[before, &after[1..]].concat(), &limits);
            for &byte in NASTY {
                both("inserted", &[before, &[byte], after].concat(), &limits);
                both("replaced", &[before, &[byte], &after[1..]].concat(), &limits);
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Edit {
    Insert(prop::sample::Index, u8),
    Replace(prop::sample::Index, u8),
    Delete(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let byte = || prop_oneof![4 => prop::sample::select(NASTY), 1 => any::<u8>()];
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        (at(), byte()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        at().prop_map(Edit::Delete),
        (at(), at()).prop_map(|(from, to)| Edit::Repeat(from, to)),
    ]
}

fn apply(mut wire: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let length = wire.len();
        match edit {
            Edit::Insert(at, byte) => wire.insert(at.index(length + 1), *byte),
            _ if length == 0 => {}
            Edit::Replace(at, byte) => wire[at.index(length)] = *byte,
            Edit::Delete(at) => drop(wire.remove(at.index(length))),
            Edit::Repeat(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                let part = wire[from.min(to)..from.max(to)].to_vec();
                wire.splice(to..to, part);
            }
        }
    }
    wire
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(3000), failure_persistence: None, ..ProptestConfig::default() })]

    /// Each way to be wrong has one answer, whichever reader meets it, and however the request was cut.
    #[test]
    fn the_two_readers_agree(
        seed in prop::sample::select(seeds()),
        edits in prop::collection::vec(edit(), 0..6),
        limits in prop::sample::select(some_limits().to_vec()),
    ) {
        let wire = apply(seed.to_vec(), &edits);
        prop_assert_eq!(whole(&wire, &limits), bytewise(&wire, &limits), "{}", wire.escape_ascii());
    }

    /// Bytes of any kind are accepted, refused with a 4xx or 505 and a sentence, or incomplete.
    #[test]
    fn noise_never_breaks_the_decoder(wire in prop::collection::vec(any::<u8>(), 0..200)) {
        match whole(&wire, &Limits::default()) {
            Outcome::Refused(status, detail) => {
                prop_assert!((400..500).contains(&status) || matches!(status, 501 | 505), "{status}");
                prop_assert!(!detail.is_empty());
            }
            other => prop_assert_eq!(other, bytewise(&wire, &Limits::default())),
        }
    }
}

/// How many cases a property is tried on: the environment may ask for more.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}
