//! Bodies in chunks: what is decoded, what is refused and why, and that no trailer becomes a header.

use ownhands::testing::MockClient;
use ownhands::{Limits, Request, Status};
use proptest::prelude::*;

use crate::samples::{Echo, big};

const HEAD: &str = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Enough for every other refusal to be met first.
fn small() -> Limits {
    Limits { body: 100, trailers: 50, ..Limits::default() }
}

/// The status and the text that such a body gets, whole and a byte at a time.
fn answer(body: &[u8]) -> (u16, String) {
    let wire = [HEAD.as_bytes(), body].concat();
    let every_byte: Vec<usize> = (1..wire.len()).collect();
    let mut client = MockClient::new(Echo::default()).with_limits(small());
    let mut ask = |cuts: &[usize]| {
        client.connect();
        client.deliver(&wire, cuts);
        client.end();
        let answer = client.next_answer(false).expect("an answer");
        assert!(client.received().is_empty(), "one answer to one request");
        (answer.status(), answer.text())
    };
    let whole = ask(&[]);
    assert_eq!(ask(&every_byte), whole, "{}: a byte at a time it is something else", body.escape_ascii());
    whole
}

const ACCEPTED: &[(&str, &[u8], &str)] = &[
    ("no chunk", b"0\r\n\r\n", ""),
    ("one chunk", b"5\r\nhello\r\n0\r\n\r\n", "hello"),
    ("several", b"1\r\nh\r\n2\r\nel\r\n2\r\nlo\r\n0\r\n\r\n", "hello"),
    ("a size in lower case", b"a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    ("a size in upper case", b"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    ("two digits", b"1b\r\nabcdefghijklmnopqrstuvwxyz!\r\n0\r\n\r\n", "abcdefghijklmnopqrstuvwxyz!"),
    ("leading zeros", b"005\r\nhello\r\n000\r\n\r\n", "hello"),
    ("sixteen digits", b"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello"),
    ("data that looks like framing", b"7\r\n0\r\n\r\n5\r\r\n0\r\n\r\n", "0\r\n\r\n5\r"),
    ("an extension", b"5;a\r\nhello\r\n0\r\n\r\n", "hello"),
    ("an extension with a value", b"5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n", "hello"),
    ("white space before an extension", b"5 \t;a\r\nhello\r\n0\r\n\r\n", "hello"),
    ("white space wherever it may be", b"5 ; a = b\t;\tc ;d = \"e\" ; f\r\nhello\r\n0\r\n\r\n", "hello"),
    ("anything in quotes", b"5;a=\"; = \\\" \\\\ \xff\"\r\nhello\r\n0\r\n\r\n", "hello"),
    ("trailers", b"5\r\nhello\r\n0\r\nA: b\r\nC:\r\nD: \xff\r\n\r\n", "hello"),
];

#[test]
fn chunks_are_decoded() {
    for &(name, body, expected) in ACCEPTED {
        assert_eq!(answer(body), (200, format!("POST a /echo {expected}")), "{name}");
    }
}

const REFUSED: &[(&str, &[u8], u16, &str)] = &[
    // Sizes.
    ("no size", b"\r\nhello\r\n0\r\n\r\n", 400, "does not begin with its size in hexadecimal"),
    ("no hexadecimal", b"g\r\n", 400, "does not begin with its size in hexadecimal"),
    ("a sign", b"+5\r\nhello\r\n0\r\n\r\n", 400, "does not begin with its size in hexadecimal"),
    ("less than nothing", b"-5\r\nhello\r\n0\r\n\r\n", 400, "does not begin with its size in hexadecimal"),
    ("a space first", b" 5\r\nhello\r\n0\r\n\r\n", 400, "does not begin with its size in hexadecimal"),
    ("an extension first", b";a\r\n", 400, "does not begin with its size in hexadecimal"),
    ("an x after the zero", b"0x5\r\nhello\r\n0\r\n\r\n", 400, "followed by neither CR LF nor an extension"),
    ("a comma", b"5,\r\nhello\r\n0\r\n\r\n", 400, "followed by neither CR LF nor an extension"),
    ("an underscore", b"0_5\r\nhello\r\n0\r\n\r\n", 400, "followed by neither CR LF nor an extension"),
    ("seventeen digits", b"00000000000000005\r\nhello\r\n0\r\n\r\n", 400, "more than 16 digits"),
    ("65 bits", b"10000000000000005\r\nhello\r\n0\r\n\r\n", 400, "more than 16 digits"),
    ("64 bits", b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", 413, "the body is longer than 100 bytes"),
    ("a sum of 65 bits", b"1\r\na\r\nffffffffffffffff\r\n", 413, "the body is longer than 100 bytes"),
    // Line ends.
    ("LF after the size", b"5\nhello\r\n0\r\n\r\n", 400, "followed by neither CR LF nor an extension"),
    ("CR alone after the size", b"5\rhello\r\n0\r\n\r\n", 400, "does not end in CR LF"),
    ("two CR after the size", b"5\r\r\nhello\r\n0\r\n\r\n", 400, "does not end in CR LF"),
    ("white space after the size", b"5 \nhello\r\n0\r\n\r\n", 400, "followed by neither CR LF nor an extension"),
    ("a word after the white space", b"5 a\r\nhello\r\n0\r\n\r\n", 400, "followed by neither CR LF nor an extension"),
    (
        "white space alone after the size",
        b"5 \r\nhello\r\n0\r\n\r\n",
        400,
        "followed by neither CR LF nor an extension",
    ),
    ("LF after an extension", b"5;a\nhello\r\n0\r\n\r\n", 400, "followed by neither CR LF nor an extension"),
    (
        "a control character in an extension",
        b"5;a\x01\r\nhello\r\n0\r\n\r\n",
        400,
        "followed by neither CR LF nor an extension",
    ),
    ("an extension without a name", b"5;\r\n", 400, "followed by neither CR LF nor an extension"),
    ("a value without a name", b"5;=b\r\n", 400, "followed by neither CR LF nor an extension"),
    ("a name without its value", b"5;a=\r\n", 400, "followed by neither CR LF nor an extension"),
    ("two values", b"5;a=b=c\r\n", 400, "followed by neither CR LF nor an extension"),
    ("two names", b"5;a b\r\n", 400, "followed by neither CR LF nor an extension"),
    ("quotes that do not close", b"5;a=\"b\r\n", 400, "followed by neither CR LF nor an extension"),
    (
        "quotes that a line end would close",
        b"5;a=\"\r\nhello\r\n0\r\n\r\n\"\r\n",
        400,
        "followed by neither CR LF nor an extension",
    ),
    ("a word behind quotes", b"5;a=\"b\"c\r\n", 400, "followed by neither CR LF nor an extension"),
    ("a name in quotes", b"5;\"a\"\r\n", 400, "followed by neither CR LF nor an extension"),
    ("octets outside quotes", b"5;\xff\r\n", 400, "followed by neither CR LF nor an extension"),
    ("white space at the end of an extension", b"5;a \r\n", 400, "followed by neither CR LF nor an extension"),
    ("LF after the data", b"5\r\nhello\n0\r\n\r\n", 400, "a chunk's data is not followed by CR LF"),
    ("CR alone after the data", b"5\r\nhello\r0\r\n\r\n", 400, "a chunk's data is not followed by CR LF"),
    ("a size too small", b"4\r\nhello\r\n0\r\n\r\n", 400, "a chunk's data is not followed by CR LF"),
    ("a size too large", b"6\r\nhello\r\n0\r\n\r\n", 400, "a chunk's data is not followed by CR LF"),
    ("LF after the last chunk", b"0\n\r\n", 400, "followed by neither CR LF nor an extension"),
    ("LF at the very end", b"0\r\n\n", 400, "neither a field nor an empty line"),
    ("CR alone at the very end", b"0\r\n\r\r\n", 400, "does not end in CR LF"),
    // Trailers.
    ("a request instead of an end", b"0\r\nGET / HTTP/1.1\r\n\r\n", 400, "neither a field nor an empty line"),
    ("a trailer without a name", b"0\r\n: a\r\n\r\n", 400, "neither a field nor an empty line"),
    ("a trailer without a colon", b"0\r\na\r\n\r\n", 400, "neither a field nor an empty line"),
    ("a space before a trailer's colon", b"0\r\na : b\r\n\r\n", 400, "neither a field nor an empty line"),
    ("a folded trailer", b"0\r\na: b\r\n c\r\n\r\n", 400, "neither a field nor an empty line"),
    ("a control character in a trailer", b"0\r\na: \0\r\n\r\n", 400, "neither a field nor an empty line"),
    ("LF after a trailer", b"0\r\na: b\n\r\n", 400, "neither a field nor an empty line"),
    ("CR alone after a trailer", b"0\r\na: b\r\r\n\r\n", 400, "does not end in CR LF"),
    // Ends.
    ("nothing", b"", 400, "the connection ended before the body was complete"),
    ("no last chunk", b"5\r\nhello\r\n", 400, "the connection ended before the body was complete"),
    ("no empty line", b"5\r\nhello\r\n0\r\n", 400, "the connection ended before the body was complete"),
    ("half a chunk", b"5\r\nhel", 400, "the connection ended before the body was complete"),
];

#[test]
fn what_is_no_chunk_is_refused_with_a_sentence_that_says_why() {
    for &(name, body, status, part) in REFUSED {
        let (code, text) = answer(body);
        assert_eq!(code, status, "{name}: {text}");
        assert!(text.contains(part), "{name}: {text:?} does not say {part:?}");
    }
}

#[test]
fn a_body_may_be_as_long_as_its_limit_in_one_chunk_or_in_many() {
    let chunk = |length: usize| format!("{length:x}\r\n{}\r\n", "x".repeat(length));
    for (sizes, status) in [
        (&[100][..], 200),
        (&[101], 413),
        (&[50, 50], 200),
        (&[50, 51], 413),
        (&[100, 1], 413),
        (&[1; 100], 200),
        (&[1; 101], 413),
    ] {
        let body: String = sizes.iter().map(|&size| chunk(size)).chain(["0\r\n\r\n".to_string()]).collect();
        assert_eq!(answer(body.as_bytes()).0, status, "{sizes:?}");
    }
}

#[test]
fn a_chunk_too_long_is_refused_before_it_comes() {
    let mut client = MockClient::new(Echo::default()).with_limits(small());
    assert_eq!(client.send(format!("{HEAD}65\r\n"), &[]).status(), 413);
    client.deliver(vec![b'x'; 1000], &[]);
    assert!(client.received().is_empty() && client.service().calls.get() == 0);
}

#[test]
fn extensions_are_bounded() {
    // All of a body's extensions together, the semicolons that begin them not counted.
    for (count, status) in [(4096, 200), (4097, 400)] {
        let (code, text) = answer(format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(count)).as_bytes());
        assert_eq!(code, status);
        assert_eq!(text.contains("the chunk extensions are longer than 4096 bytes"), status == 400, "{text}");
    }
    let many = |count: usize| format!("{}0\r\n\r\n", format!("1;{}\r\nx\r\n", "e".repeat(99)).repeat(count));
    assert_eq!(answer(many(41).as_bytes()).0, 200);
    assert_eq!(answer(many(42).as_bytes()).0, 400);
    assert_eq!(answer(format!("1{}\r\n", " ".repeat(5000)).as_bytes()).0, 400, "white space counts too");
}

#[test]
fn trailers_are_bounded() {
    let trailers = |length: usize| format!("0\r\nA:{}\r\n\r\n", "x".repeat(length - 1));
    assert_eq!(answer(trailers(40).as_bytes()).0, 200);
    let lines = |count: usize| format!("0\r\n{}\r\n", "A:\r\n".repeat(count));
    assert_eq!(answer(lines(12).as_bytes()).0, 200, "48 bytes");
    assert_eq!(answer(lines(13).as_bytes()).0, 431, "52 bytes");
    let (status, text) = answer(trailers(60).as_bytes());
    assert_eq!(status, 431);
    assert!(text.contains("the trailer section is longer than 50 bytes"), "{text}");
    let many = format!("0\r\n{}\r\n", "A: b\r\n".repeat(20));
    assert_eq!(answer(many.as_bytes()).0, 431, "all of them count together");
}

#[test]
fn a_trailer_is_no_header() {
    let mut client = MockClient::new(Echo::default());
    let head = "POST /headers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n";
    let trailers = "X: 1\r\nHost: b\r\nContent-Length: 9\r\nConnection: close\r\nTransfer-Encoding: gzip\r\n";
    let answer = client.send(format!("{head}1\r\na\r\n0\r\n{trailers}\r\n"), &[]);
    assert_eq!(answer.text(), "Host=a\nTransfer-Encoding=chunked\nTrailer=X\n");
    assert!(client.is_open(), "and it frames nothing");
    assert_eq!(client.get("/a").status(), 200);
}

#[test]
fn what_follows_the_last_chunk_is_the_next_request() {
    let mut client = MockClient::new(Echo::default());
    let wire = format!("{HEAD}2\r\nhi\r\n0\r\nA: b\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    for cut in 0..wire.len() {
        client.deliver(&wire, &[cut]);
        assert_eq!(client.next_answer(false).unwrap().text(), "POST a /echo hi");
        assert_eq!(client.next_answer(false).unwrap().text(), "GET a /next ", "cut at {cut}");
    }
}

#[test]
fn a_long_body_comes_whole_in_chunks_of_any_size() {
    let body = big();
    let mut client = MockClient::new(Echo::default());
    for (chunk, step) in [(1, 65_536), (7, 1000), (1000, 1003), (65_536, 999), (body.len(), 16_384)] {
        // Small chunks are mostly framing: a part of the body is enough.
        let body = &body[..body.len().min(chunk * 20_000)];
        let mut wire = HEAD.as_bytes().to_vec();
        for part in body.chunks(chunk) {
            wire.extend([format!("{:X}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat());
        }
        wire.extend(b"0\r\n\r\n");
        let cuts: Vec<usize> = (step..wire.len()).step_by(step).collect();
        let answer = client.send(&wire, &cuts);
        assert!(answer.body() == [b"POST a /echo ", body].concat(), "chunks of {chunk} in reads of {step}");
    }
}

#[test]
fn a_handler_sees_the_body_alone() {
    struct Look;
    impl ownhands::Service for Look {
        fn call(&self, request: &Request<'_>) -> ownhands::Response {
            assert_eq!(request.body.bytes().unwrap().as_ref(), b"hello");
            assert_eq!(request.header("transfer-encoding"), Some("chunked"), "the fields stay as they were sent");
            ownhands::Response::new(Status::NO_CONTENT)
        }
        fn refuse(&self, error: &ownhands::HttpError, _: &ownhands::Fragment<'_>) -> ownhands::Response {
            ownhands::Response::new(error.status)
        }
    }
    let answer = MockClient::new(Look).send(format!("{HEAD}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), &[]);
    assert_eq!(answer.status(), 204);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is cut into chunks, and those into reads, comes out as it was.
    #[test]
    fn chunks_round_trip(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..5),
        cuts in prop::collection::vec(0usize..200, 0..6),
    ) {
        let mut wire = HEAD.as_bytes().to_vec();
        for part in &parts {
            wire.extend([format!("{:x};e\r\n", part.len()).as_bytes(), part, b"\r\n"].concat());
        }
        wire.extend(b"0\r\nT: t\r\n\r\n");
        let mut cuts = cuts;
        cuts.sort_unstable();
        let wire = [wire.as_slice(), b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        let mut client = MockClient::new(Echo::default());
        client.deliver(&wire, &cuts);
        // The echo is text: what is no UTF-8 shows alike on both sides.
        let expected = format!("POST a /echo {}", String::from_utf8_lossy(&parts.concat()));
        prop_assert_eq!(client.next_answer(false).map(|answer| answer.text()), Some(expected));
        prop_assert_eq!(client.next_answer(false).map(|answer| answer.text()), Some("GET a /after ".to_string()));
    }

    /// Whatever stands where chunks should: the same end, whole or a byte at a time, and never none.
    #[test]
    fn noise_in_chunks_has_one_answer(body in prop::collection::vec(prop::sample::select(&b"\r\n0125aF;: x\0\xff"[..]), 0..40)) {
        let wire = [HEAD.as_bytes(), &body].concat();
        let every_byte: Vec<usize> = (1..wire.len()).collect();
        let mut client = MockClient::new(Echo::default());
        let mut all = |cuts: &[usize]| {
            client.connect();
            client.deliver(&wire, cuts);
            client.end();
            client.take_received()
        };
        let whole = all(&[]);
        prop_assert!(!whole.is_empty());
        prop_assert_eq!(all(&every_byte), whole);
    }
}
