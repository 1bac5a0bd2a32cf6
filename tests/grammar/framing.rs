//! How long a body is (RFC 9112 section 6): Content-Length and Transfer-Encoding.

use super::Rule;

/// Fields of a request in front of `hello`, and the empty chunk behind it for those who ask for chunks.
const LENGTH: Rule = Rule {
    place: |lines| [b"PUT / HTTP/1.1\r\nHost: h\r\n", lines, b"\r\n\r\nhello"].concat(),
    show: |seen| format!("{}", seen.body.escape_ascii()),
};

const CODING: Rule = Rule {
    place: |lines| [b"PUT / HTTP/1.1\r\nHost: h\r\n", lines, b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"].concat(),
    show: |seen| format!("{}", seen.body.escape_ascii()),
};

/// `Content-Length = 1*DIGIT`, once.
#[test]
fn content_lengths() {
    LENGTH.accepts(&[
        (b"Content-Length: 5", "hello"),
        (b"content-length:5", "hello"),
        (b"CONTENT-LENGTH: \t5\t ", "hello"),
        (b"Content-Length: 05", "hello"),
        (b"Content-Length: 00000000000000000000000000000005", "hello"),
    ]);
    let number = "the Content-Length is not a decimal number";
    let values: &[&[u8]] = &[
        b"",
        b"+5",
        b"-5",
        b"-0",
        b"5,5",
        b"5, 5",
        b",5",
        b"5,",
        b"0x5",
        b"5h",
        b" 5 5",
        b"5 5",
        b"5\t5",
        b"5;a",
        b"5.0",
        b"5e0",
        b"\"5\"",
        b"five",
        b"a",
        b"5_0",
        b"\xb5",
        b"\xd9\xa5",
        b"\xef\xbc\x95",
    ];
    for value in values {
        LENGTH.refuses(&[(&[b"Content-Length: ", *value].concat(), 400, number)]);
    }
    let twice = "the Content-Length header is there more than once";
    LENGTH.refuses(&[
        (b"Content-Length: 5\r\nContent-Length: 5", 400, twice),
        (b"Content-Length: 5\r\nContent-Length: 6", 400, twice),
        (b"Content-Length: 5\r\nA: b\r\ncontent-length: 5", 400, twice),
        (b"Content-Length: 5\r\nContent-Length:", 400, twice),
        (b"Content-Length: 18446744073709551616", 400, "larger than any number here"),
        (b"Content-Length: 184467440737095516150000000000000000000005", 400, "larger than any number here"),
        (b"Content-Length: 18446744073709551615", 413, "the body is longer than 1048576 bytes"),
        (b"Content-Length: 9223372036854775808", 413, "the body is longer than 1048576 bytes"),
        (b"Content-Length: 4294967301", 413, "the body is longer than 1048576 bytes"),
        (b"Content-Length : 5", 400, "a space between the header's name and its colon"),
        (b"Content-Length\0: 5", 400, "is a control character"),
        (b"Content-Length: 5\x0b", 400, "is a control character"),
        (b"Content-Length: \x005", 400, "is a control character"),
    ]);
}

/// `Transfer-Encoding = #transfer-coding`, `transfer-coding = token *( OWS ";" OWS transfer-parameter )`: `chunked`,
/// and only that.
#[test]
fn transfer_encodings() {
    CODING.accepts(&[
        (b"Transfer-Encoding: chunked", "hello"),
        (b"transfer-encoding:chunked", "hello"),
        (b"TRANSFER-ENCODING: \t chunked \t ", "hello"),
        (b"Transfer-Encoding: Chunked", "hello"),
        (b"Transfer-Encoding: CHUNKED", "hello"),
        (b"TE: gzip, trailers\r\nTransfer-Encoding: chunked", "hello"),
    ]);
    let end = "the Transfer-Encoding does not end in chunked";
    let only = "the only Transfer-Encoding understood here is chunked";
    let twice = "the Transfer-Encoding says chunked more than once";
    let empty = "the Transfer-Encoding has an empty element";
    let refused: &[(&[u8], u16, &str)] = &[
        (b"gzip, chunked", 501, only),
        (b"gzip,chunked", 501, only),
        (b"GZIP ,\tChunked", 501, only),
        (b"a;b=c, chunked", 501, only),
        (b"a ; b = \"c\" ; d=e, chunked", 501, only),
        (b"identity, chunked", 501, only),
        (b"gzip\r\nTransfer-Encoding: chunked", 501, only),
        (b"gzip, deflate\r\nA: b\r\ntransfer-encoding: chunked", 501, only),
        (b"gzip", 400, end),
        (b"identity", 400, end),
        (b"xchunked", 400, end),
        (b"chunkedx", 400, end),
        (b"x-chunked", 400, end),
        (b"chunke", 400, end),
        (b"chunked, gzip", 400, end),
        (b"chunked\r\nTransfer-Encoding: gzip", 400, end),
        (b"chunked, identity", 400, end),
        (b"chunked;a=b", 400, end),
        (b"chunked ; a=b", 400, end),
        (b"chunked;", 400, end),
        (b"\"chunked\"", 400, end),
        (b"'chunked'", 400, end),
        (b"chunked chunked", 400, end),
        (b"a;b=\"c, chunked\"", 400, end),
        (b"chunked\xa0", 400, end),
        (b"\x85chunked", 400, end),
        (b"chunked, chunked", 400, twice),
        (b"chunked, gzip, chunked", 400, twice),
        (b"chunked\r\nTransfer-Encoding: chunked", 400, twice),
        (b"chunked\r\nTransfer-Encoding: gzip, chunked", 400, twice),
        (b"", 400, empty),
        (b",", 400, empty),
        (b",chunked", 400, empty),
        (b"chunked,", 400, empty),
        (b"chunked, ,", 400, empty),
        (b"\r\nTransfer-Encoding: chunked", 400, empty),
        (b"chunked\r\nTransfer-Encoding:", 400, empty),
        (b"\x0bchunked", 400, "line 3: byte 20 is a control character"),
        (b"chunked\0", 400, "line 3: byte 27 is a control character"),
        (b"\r\n chunked", 400, "line 4: it begins with white space"),
        (b"chu\rnked", 400, "is a carriage return without a line feed"),
    ];
    for &(value, status, sentence) in refused {
        CODING.refuses(&[(&[b"Transfer-Encoding: ", value].concat(), status, sentence)]);
    }
    CODING.refuses(&[
        (b"Transfer-Encoding : chunked", 400, "a space between the header's name and its colon"),
        (b"Transfer\xadEncoding: chunked", 400, "the header's name has \\xad in it"),
        (b" Transfer-Encoding: chunked", 400, "line 3: it begins with white space"),
    ]);
    let old = Rule {
        place: |value| [b"PUT / HTTP/1.0\r\nTransfer-Encoding: ", value, b"\r\n\r\n0\r\n\r\n"].concat(),
        show: CODING.show,
    };
    for value in [&b"chunked"[..], b"gzip", b"gzip, chunked"] {
        old.refuses(&[(value, 400, "HTTP/1.0 has no Transfer-Encoding")]);
    }
    old.refuses(&[(b"chunked\r\nContent-Length: 5", 400, "both Content-Length and Transfer-Encoding")]);
}

/// `message-body = *OCTET`: as long as the fields say, with every method, and never as long as both kinds of length
/// say.
#[test]
fn message_bodies() {
    let any = |head: &str| {
        let every_octet: Vec<u8> = (0..=u8::MAX).collect();
        let wire =
            [format!("{head} / HTTP/1.1\r\nHost: h\r\nContent-Length: 256\r\n\r\n").as_bytes(), &every_octet].concat();
        let rule = Rule { place: <[u8]>::to_vec, show: |seen| format!("{}", seen.body.len()) };
        rule.accepts(&[(&wire, "256")]);
        assert_eq!(rule.ask(&wire).seen[0].body, every_octet);
    };
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"] {
        any(method);
    }
    let none = Rule { place: LENGTH.place, show: LENGTH.show };
    none.accepts(&[(b"Content-Length: 5\r\nContent-Type: a/b", "hello")]);
    // Nothing said is nothing sent: what follows is the next request, and here it is none.
    let next = none.ask(b"A: b");
    assert_eq!((next.seen.len(), next.seen[0].body.len()), (1, 0));
    assert_eq!(next.refusal.unwrap().1, "the connection ended before the head was complete");
    let both = "the request says both Content-Length and Transfer-Encoding";
    CODING.refuses(&[
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked", 400, both),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5", 400, both),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 0", 400, both),
        (b"Transfer-Encoding: gzip\r\nContent-Length: 5", 400, both),
        (b"content-length: 5\r\nA: b\r\ntransfer-encoding: Chunked", 400, both),
    ]);
}
