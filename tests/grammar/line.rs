//! The request line, and the frame of a message around it (RFC 9112 sections 2 and 3).

use super::Rule;
use super::witness::Seen;

fn line(seen: &Seen) -> String {
    format!("{} {} {}", seen.method, seen.target, seen.version)
}

/// `HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]`
#[test]
fn messages() {
    let rule = Rule {
        place: <[u8]>::to_vec,
        show: |seen| format!("{} [{}] {}", line(seen), seen.other_fields(), seen.body.escape_ascii()),
    };
    rule.accepts(&[
        (b"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0 [] "),
        (b"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nC: d\r\n\r\n", "GET / HTTP/1.1 [A=b; C=d] "),
        (b"PUT / HTTP/1.0\r\nContent-Length: 3\r\n\r\n\r\nx", "PUT / HTTP/1.0 [] \\r\\nx"),
        (b"GET / HTTP/1.0\nA: b\n\n", "GET / HTTP/1.0 [A=b] "),
        (b"\r\nGET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0 [] "),
        (b"\n\n\r\n\nGET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0 [] "),
        (b"GET / HTTP/1.0\r\n\r\n\r\n\n", "GET / HTTP/1.0 [] "),
    ]);
    rule.refuses(&[
        (b"HTTP/1.1 200 OK\r\n\r\n", 400, "line 1: it does not begin with a method"),
        (b"A: b\r\n\r\n", 400, "line 1: it does not begin with a method"),
        (b" \r\nGET / HTTP/1.0\r\n\r\n", 400, "line 1: it does not begin with a method"),
        (b"\t\r\nGET / HTTP/1.0\r\n\r\n", 400, "line 1: byte 1 is a control character"),
        (b"GET / HTTP/1.0\r\n A: b\r\n\r\n", 400, "line 2: white space comes before the first header"),
        (b"GET / HTTP/1.0\r\n\tA: b\r\n\r\n", 400, "line 2: white space comes before the first header"),
        (b"GET / HTTP/1.0\rA: b\r\r", 400, "line 1: byte 15 is a carriage return without a line feed"),
        (b"GET / HTTP/1.0\r\n\rA: b\r\n\r\n", 400, "line 2: byte 1 is a carriage return without a line feed"),
        (b"GET / HTTP/1.0\r\nA: b\r\n", 400, "ended before the head was complete"),
        (b"GET / HTTP/1.0\r\n\r", 400, "ended before the head was complete"),
        (b"PUT / HTTP/1.0\r\nContent-Length: 3\r\n\r\nab", 400, "ended before the body was complete"),
    ]);
}

/// `request-line = method SP request-target SP HTTP-version`
#[test]
fn request_lines() {
    let rule = Rule { place: |line| [line, b"\r\nHost: h\r\n\r\n"].concat(), show: line };
    rule.accepts(&[
        (b"GET / HTTP/1.1", "GET / HTTP/1.1"),
        (b"GET /?a=%20 HTTP/1.1", "GET /?a=%20 HTTP/1.1"),
        (b"OPTIONS * HTTP/1.0", "OPTIONS * HTTP/1.0"),
    ]);
    let spaces = "single spaces between";
    let too_many = "more than one space between two of its parts";
    let one_more = "a space too many: in the target, or after the version";
    rule.refuses(&[
        (b"GET", 400, spaces),
        (b"GET/HTTP/1.1", 400, spaces),
        (b"GET ", 400, "the version is missing"),
        (b"GET /", 400, "HTTP/0.9 is not spoken here"),
        (b"GET /a.html", 400, "HTTP/0.9 is not spoken here"),
        (b"GET HTTP/1.1", 400, "the version is missing"),
        (b"GET / ", 400, "it does not end in a version"),
        (b"GET  / HTTP/1.1", 400, too_many),
        (b"GET /  HTTP/1.1", 400, too_many),
        (b"GET  HTTP/1.1", 400, too_many),
        (b" GET / HTTP/1.1", 400, "it does not begin with a method"),
        (b"GET / HTTP/1.1 ", 400, one_more),
        (b"GET /a b HTTP/1.1", 400, one_more),
        (b"GET / HTTP/1.1 HTTP/1.1", 400, one_more),
        (b"GET\t/ HTTP/1.1", 400, "byte 4 is a control character"),
        (b"GET /\tHTTP/1.1", 400, "byte 6 is a control character"),
        (b"GET / HTTP/1.1\t", 400, "byte 15 is a control character"),
        (b"GET\x0b/ HTTP/1.1", 400, "byte 4 is a control character"),
        (b"GET\x0c/ HTTP/1.1", 400, "byte 4 is a control character"),
        (b"GET\xa0/ HTTP/1.1", 400, "byte 4 is not ASCII"),
        (b"GET\r/ HTTP/1.1", 400, "byte 4 is a carriage return"),
        (b"GET\n/ HTTP/1.1", 400, spaces),
        (b"GET\0/ HTTP/1.1", 400, "byte 4 is a control character"),
    ]);
}

/// `method = token`, case-sensitive.
#[test]
fn methods() {
    let rule =
        Rule { place: |method| [method, b" / HTTP/1.1\r\nHost: h\r\n\r\n"].concat(), show: |seen| seen.method.clone() };
    rule.accepts(&[
        (b"GET", "GET"),
        (b"get", "get"),
        (b"Get", "Get"),
        (b"M-SEARCH", "M-SEARCH"),
        (b"X", "X"),
        (b"0", "0"),
        (b"!#$%&'*+-.^_`|~", "!#$%&'*+-.^_`|~"),
        (b"VERSION-CONTROLLED-AND-LONGER-THAN-ANY-OTHER", "VERSION-CONTROLLED-AND-LONGER-THAN-ANY-OTHER"),
    ]);
    for byte in b"\"(),/:;<=>?@[\\]{}" {
        rule.refuses(&[(&[b'G', *byte, b'T'], 400, "it does not begin with a method")]);
    }
    rule.refuses(&[
        (b"", 400, "it does not begin with a method"),
        (b"G\x80T", 400, "byte 2 is not ASCII"),
        (b"G\x7fT", 400, "byte 2 is a control character"),
    ]);
}

/// `HTTP-version = HTTP-name "/" DIGIT "." DIGIT`, case-sensitive; a higher minor version is served as 1.1.
#[test]
fn versions() {
    let rule = Rule {
        place: |version| [b"GET / ", version, b"\r\nHost: h\r\n\r\n"].concat(),
        show: |seen| seen.version.clone(),
    };
    rule.accepts(&[
        (b"HTTP/1.0", "HTTP/1.0"),
        (b"HTTP/1.1", "HTTP/1.1"),
        (b"HTTP/1.2", "HTTP/1.1"),
        (b"HTTP/1.9", "HTTP/1.1"),
    ]);
    let not_spoken = "only HTTP/1.1 and HTTP/1.0 are spoken here";
    for version in ["0.0", "0.9", "2.0", "2.1", "3.0", "9.9"] {
        rule.refuses(&[(format!("HTTP/{version}").as_bytes(), 505, not_spoken)]);
    }
    let none = "it does not end in a version such as HTTP/1.1, in capitals";
    for version in [
        "",
        "HTTP",
        "HTTP/",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/.1",
        "HTTP/11",
        "HTTP/1.10",
        "HTTP/01.1",
        "HTTP/1.01",
        "HTTP/1,1",
        "HTTP/1.1.",
        "HTTP/1.a",
        "HTTP/-1.1",
        "http/1.1",
        "Http/1.1",
        "HTTP\\1.1",
        "HTTPS/1.1",
        "XTTP/1.1",
        "1.1",
        "SIP/2.0",
        "HTTP/2",
        "HTTP//1.1",
    ] {
        rule.refuses(&[(version.as_bytes(), 400, none)]);
    }
}
