//! The bounds on a head and on the length it announces: exactly at each, and one beyond it.

use ownhands::Limits;
use ownhands::http::FIELD_SLOTS;

use crate::decode::{Outcome, assert_refused, both, whole};

/// A head with a target, fields and a length of these sizes.
fn sized(target: usize, fields: usize) -> Vec<u8> {
    let target = format!("/{}", "t".repeat(target - 1));
    let fields: String = (1..fields).map(|number| format!("X-{number}: y\r\n")).collect();
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes()
}

#[test]
fn a_target_may_be_as_long_as_its_limit() {
    for limits in [Limits::default(), Limits { target: 10, ..Limits::default() }] {
        let sentence = format!("line 1: the target is longer than {} bytes", limits.target);
        let at = sized(limits.target, 1);
        assert!(matches!(both("at", &at, &limits), Outcome::Accepted(_)), "{limits:?}");
        assert_refused("beyond", &sized(limits.target + 1, 1), &limits, 414, &sentence);
        // It is refused when the byte too many is there, and not when the line is.
        let start = "GET ".len() + limits.target;
        assert_eq!(whole(&at[..start], &limits), Outcome::Incomplete);
        assert_refused("beyond, cut", &[&at[..start], b"t"].concat(), &limits, 414, &sentence);
    }
}

#[test]
fn no_limit_goes_beyond_the_slots_for_fields() {
    let limits = Limits { fields: 1000, ..Limits::default() };
    assert!(matches!(both("at", &sized(1, FIELD_SLOTS), &limits), Outcome::Accepted(_)));
    assert_refused("beyond", &sized(1, FIELD_SLOTS + 1), &limits, 431, "the head has more than 256 fields");
}

#[test]
fn a_head_may_have_as_many_fields_as_its_limit() {
    for limits in [Limits::default(), Limits { fields: 2, ..Limits::default() }] {
        let sentence = format!("the head has more than {} fields", limits.fields);
        assert!(matches!(both("at", &sized(1, limits.fields), &limits), Outcome::Accepted(_)), "{limits:?}");
        assert_refused("beyond", &sized(1, limits.fields + 1), &limits, 431, &sentence);
    }
}

#[test]
fn a_head_may_be_as_long_as_its_limit() {
    for limits in [Limits::default(), Limits { head: 64, ..Limits::default() }] {
        let sentence = format!("the head is longer than {} bytes", limits.head);
        let head = |length: usize| {
            let start = b"GET / HTTP/1.1\r\nHost: a\r\nX: ".to_vec();
            let filling = "y".repeat(length - start.len() - 4).into_bytes();
            [start, filling, b"\r\n\r\n".to_vec()].concat()
        };
        assert!(matches!(both("at", &head(limits.head), &limits), Outcome::Accepted(_)), "{limits:?}");
        assert_refused("beyond", &head(limits.head + 1), &limits, 431, &sentence);
        assert_refused("far beyond", &head(limits.head + 10_000), &limits, 431, &sentence);
        assert_eq!(whole(&head(limits.head + 1)[..limits.head], &limits), Outcome::Incomplete);
        // What follows the head does not count.
        let followed = [head(limits.head), vec![b'z'; limits.head]].concat();
        assert!(matches!(whole(&followed, &limits), Outcome::Accepted(_)), "{limits:?}");
    }
}

#[test]
fn a_word_without_end_is_refused_as_too_long() {
    let limits = Limits::default();
    assert_refused("no space", &vec![b'G'; limits.head + 1], &limits, 431, "the head is longer than 16384 bytes");
    let endless = [&b"GET /"[..], &vec![b'a'; limits.head]].concat();
    assert_refused("a target without end", &endless, &limits, 414, "the target is longer than 8192 bytes");
}

#[test]
fn a_body_may_be_as_long_as_its_limit() {
    for limit in [0, 10, Limits::BODY, u64::MAX - 1] {
        let limits = Limits { body: limit, ..Limits::default() };
        let head = |length: u64| format!("POST / HTTP/1.0\r\nContent-Length: {length}\r\n\r\n").into_bytes();
        assert!(matches!(both("at", &head(limit), &limits), Outcome::Accepted(_)), "{limit}");
        assert_refused("beyond", &head(limit + 1), &limits, 413, &format!("the body is longer than {limit} bytes"));
    }
}
