//! Field lines (RFC 9112 section 5, RFC 9110 section 5), and the fields that the server obeys: Host, Connection,
//! Expect.

use super::{Conversation, Rule};

/// A line of its own, behind the Host.
const LINE: Rule = Rule {
    place: |line| [b"GET / HTTP/1.1\r\nHost: h\r\n", line, b"\r\nZ: z\r\n\r\n"].concat(),
    show: |seen| seen.other_fields().strip_suffix("; Z=z").unwrap().to_string(),
};

/// `field-line = field-name ":" OWS field-value OWS`
#[test]
fn field_lines() {
    LINE.accepts(&[
        (b"A: b", "A=b"),
        (b"A:b", "A=b"),
        (b"A:", "A="),
        (b"A: b: c", "A=b: c"),
        (b"A::", "A=:"),
        (b"A: b\r\nA: c\r\na: d", "A=b; A=c; a=d"),
        (b"A: b\nC: d", "A=b; C=d"),
    ]);
    let space = "line 3: there is a space between the header's name and its colon";
    LINE.refuses(&[
        (b"A", 400, "line 3: there is no colon"),
        (b"A b", 400, "line 3: there is no colon"),
        (b"A=b", 400, "line 3: there is no colon"),
        (b"GET / HTTP/1.1", 400, "line 3: there is no colon"),
        (b": b", 400, "line 3: the header's name is missing before the colon"),
        (b":", 400, "line 3: the header's name is missing before the colon"),
        (b"A : b", 400, space),
        (b"A  : b", 400, space),
        (b"A\t: b", 400, space),
        (b"A \t: b", 400, space),
        (b"A: b\r\nC : d", 400, "line 4: there is a space between the header's name and its colon"),
        (b"A\r: b", 400, "line 3: byte 2 is a carriage return without a line feed"),
        (b"A\0: b", 400, "line 3: byte 2 is a control character"),
        (b"A: b\rC: d", 400, "line 3: byte 5 is a carriage return without a line feed"),
        (b"A: b\r\rC: d", 400, "line 3: byte 5 is a carriage return without a line feed"),
        (b"A: b\r", 400, "line 3: byte 5 is a carriage return without a line feed"),
    ]);
}

/// `field-name = token`, `token = 1*tchar`: every byte, first, inside and last.
#[test]
fn field_names() {
    let tchar = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for byte in 0..=u8::MAX {
        for name in [[byte, b'a', b'a'], [b'a', byte, b'a'], [b'a', b'a', byte]] {
            let line = [&name[..], b": b"].concat();
            if tchar.contains(&byte) {
                LINE.accepts(&[(&line, &format!("{}=b", str::from_utf8(&name).unwrap()))]);
                continue;
            }
            let sentence = match byte {
                b'\t' | b' ' if name[0] == byte => "it begins with white space",
                b'\t' | b' ' if name[1] == byte => "there is white space in the header's name",
                b'\t' | b' ' => "a space between the header's name and its colon",
                b':' if name[0] == byte => "the header's name is missing",
                // What follows the colon is the value.
                b':' => continue,
                b'\n' if name[0] == byte => continue,
                b'\n' => "there is no colon",
                b'\r' => "is a carriage return without a line feed",
                0..32 | 127 => "is a control character",
                _ => "the header's name has",
            };
            LINE.refuses(&[(&line, 400, sentence)]);
        }
    }
}

/// `field-value = *field-content`, `field-vchar = VCHAR / obs-text`: every byte, at the ends and inside.
#[test]
fn field_values() {
    for byte in 0..=u8::MAX {
        let line = [&b"A: "[..], &[byte, b'b', byte, b'b', byte]].concat();
        match byte {
            b'\t' | b' ' => LINE.accepts(&[(&line, &format!("A={}", [b'b', byte, b'b'].escape_ascii()))]),
            b'!'..=b'~' | 0x80.. => LINE.accepts(&[(&line, &format!("A={}", line[3..].escape_ascii()))]),
            b'\n' => LINE.refuses(&[(&line, 400, "line 4: there is no colon")]),
            b'\r' => LINE.refuses(&[(&line, 400, "line 3: byte 4 is a carriage return without a line feed")]),
            _ => LINE.refuses(&[(&line, 400, "line 3: byte 4 is a control character")]),
        }
    }
    LINE.accepts(&[
        (b"A: \"b, c\"; d=\"e\"", "A=\\\"b, c\\\"; d=\\\"e\\\""),
        (b"A: gr\xc3\xbc\xc3\x9fe", "A=gr\\xc3\\xbc\\xc3\\x9fe"),
        (b"A: \x80\xfe\xff", "A=\\x80\\xfe\\xff"),
    ]);
}

/// `OWS = *( SP / HTAB )`, and nothing else is trimmed.
#[test]
fn white_space_around_values() {
    LINE.accepts(&[
        (b"A: b ", "A=b"),
        (b"A:\tb\t", "A=b"),
        (b"A: \t \t b \t \t ", "A=b"),
        (b"A: b  c\t\td ", "A=b  c\\t\\td"),
        (b"A: \t ", "A="),
        (b"A:\xa0b\xa0", "A=\\xa0b\\xa0"),
        (b"A:\x85b\x85", "A=\\x85b\\x85"),
    ]);
    LINE.refuses(&[(b"A:\x0bb", 400, "is a control character"), (b"A: b\x0c", 400, "is a control character")]);
}

/// `obs-fold = OWS CRLF RWS`, refused.
#[test]
fn folded_fields() {
    let folded = "line 4: it begins with white space; headers are no longer folded over lines";
    LINE.refuses(&[
        (b"A: b\r\n c", 400, folded),
        (b"A: b\r\n\tc", 400, folded),
        (b"A: b \r\n \t c", 400, folded),
        (b"A: b\n c", 400, folded),
        (b"A:\r\n b", 400, folded),
        (b"A: b\r\n ", 400, folded),
        (b"A: b\r\n \r\n c", 400, folded),
        (b"A: b\r\n Transfer-Encoding: chunked", 400, folded),
        (b" A: b", 400, "line 3: it begins with white space"),
    ]);
}

/// `Host = uri-host [ ":" port ]`, once; its host is that of every URI, see `target`.
#[test]
fn hosts() {
    let fields = Rule {
        place: |lines| [b"GET / HTTP/1.1\r\n", lines, b"A: b\r\n\r\n"].concat(),
        show: |seen| seen.authority.clone().unwrap_or_else(|| "none".to_string()),
    };
    fields.accepts(&[
        (b"Host: h\r\n", "h"),
        (b"hOsT:h:80 \r\n", "h:80"),
        (b"A: b\r\nHost:\t[::1]\t\r\n", "[::1]"),
        (b"Hosts: i\r\nHost: h\r\nX-Host: j\r\n", "h"),
    ]);
    fields.refuses(&[
        (b"", 400, "the Host header is missing"),
        (b"Hos: h\r\n", 400, "the Host header is missing"),
        (b"Host: h\r\nHost: h\r\n", 400, "the Host header is there more than once"),
        (b"Host: h\r\nhost: i\r\n", 400, "the Host header is there more than once"),
        (b"Host: h\r\nHost:\r\n", 400, "the Host header is there more than once"),
        (b"Host:\r\nHost: h\r\n", 400, "the Host header is there more than once"),
        (b"Host:\r\n", 400, "the Host header is no host[:port]: it is empty"),
        (b"Host: \t \r\n", 400, "the Host header is no host[:port]: it is empty"),
        (b"Host: h, i\r\n", 400, "the Host header is no host[:port]"),
        (b"Host: http://h\r\n", 400, "the Host header is no host[:port]"),
        (b"Host: h\xc3\xa4\r\n", 400, "the Host header is no host[:port]"),
        (b"Host: h\xff\r\n", 400, "the Host header is no host[:port]"),
        (b"Host : h\r\n", 400, "a space between the header's name and its colon"),
    ]);
    // An absolute target has the word, and is the only one that allows an empty Host; a wrong one stays wrong.
    let absolute =
        Rule { place: |lines| [b"GET http://i/ HTTP/1.1\r\n", lines, b"A: b\r\n\r\n"].concat(), show: fields.show };
    absolute.accepts(&[(b"Host: h\r\n", "i"), (b"Host: i:80\r\n", "i"), (b"Host:\r\n", "i"), (b"Host: \t\r\n", "i")]);
    absolute.refuses(&[
        (b"", 400, "the Host header is missing"),
        (b"Host: i\r\nHost: i\r\n", 400, "the Host header is there more than once"),
        (b"Host:\r\nHost:\r\n", 400, "the Host header is there more than once"),
        (b"Host: h/\r\n", 400, "the Host header is no host[:port]"),
    ]);
    // HTTP/1.0 did not have it; what is there must be right.
    let old = Rule { place: |lines| [b"GET / HTTP/1.0\r\n", lines, b"A: b\r\n\r\n"].concat(), show: fields.show };
    old.accepts(&[(b"", "none"), (b"Host: h\r\n", "h")]);
    old.refuses(&[
        (b"Host:\r\n", 400, "it is empty"),
        (b"Host: h\r\nHost: h\r\n", 400, "the Host header is there more than once"),
        (b"Host: h h\r\n", 400, "the Host header is no host[:port]"),
    ]);
}

/// `Connection = #connection-option`; what it means for HTTP/1.1 and 1.0 (RFC 9112 section 9.3).
#[test]
fn connections() {
    let kept = |version: &str, lines: &str| {
        let rule = Rule { place: <[u8]>::to_vec, show: |_| String::new() };
        let wire = format!("GET / HTTP/{version}\r\nHost: h\r\n{lines}\r\n");
        let Conversation { seen, refusal, is_kept, .. } = rule.ask(wire.as_bytes());
        assert_eq!((seen.len(), refusal), (1, None), "{lines:?}");
        is_kept
    };
    // The lines; kept in 1.1; kept in 1.0.
    for (lines, new, old) in [
        ("", true, false),
        ("Connection: close\r\n", false, false),
        ("Connection: CLOSE\r\n", false, false),
        ("connection:close\r\n", false, false),
        ("Connection: keep-alive\r\n", true, true),
        ("Connection: Keep-Alive\r\n", true, true),
        ("Connection: keep-alive, close\r\n", false, false),
        ("Connection: close, keep-alive\r\n", false, false),
        ("Connection: te,\tclose , upgrade\r\n", false, false),
        ("Connection: , ,close,\r\n", false, false),
        ("Connection: ,keep-alive,\r\n", true, true),
        ("Connection: te\r\nConnection: close\r\n", false, false),
        ("Connection: close\r\nConnection: keep-alive\r\n", false, false),
        ("Connection: te\r\nConnection: keep-alive\r\n", true, true),
        ("Connection:\r\n", true, false),
        ("Connection: close2\r\n", true, false),
        ("Connection: x-close\r\n", true, false),
        ("Connection: clo se\r\n", true, false),
        ("Connection: \"close\"\r\n", true, false),
        ("Connection: close;a\r\n", true, false),
        ("Connection: upgrade\r\nUpgrade: h2c\r\n", true, false),
        ("Proxy-Connection: close\r\n", true, false),
        ("Proxy-Connection: keep-alive\r\n", true, false),
        ("Keep-Alive: timeout=5\r\n", true, false),
    ] {
        assert_eq!(kept("1.1", lines), new, "1.1 with {lines:?}");
        assert_eq!(kept("1.2", lines), new, "1.2 with {lines:?}");
        assert_eq!(kept("1.0", lines), old, "1.0 with {lines:?}");
    }
}

/// `Expect = #expectation`, `expectation = token [ "=" ( token / quoted-string ) parameters ]`
#[test]
fn expectations() {
    let new = Rule {
        place: |value| [b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: ", value, b"\r\n\r\nx"].concat(),
        show: |seen| String::from_utf8(seen.body.clone()).unwrap(),
    };
    new.accepts(&[
        (b"100-continue", "x"),
        (b"100-Continue", "x"),
        (b"100-continue, 100-continue", "x"),
        (b",100-continue,", "x"),
        (b"100-continue\r\nExpect: 100-continue", "x"),
        (b"", "x"),
    ]);
    let met = "the only expectation met here is 100-continue";
    let refused: &[&[u8]] = &[
        b"tea",
        b"100-continue, tea",
        b"tea, 100-continue",
        b"100-continue\r\nExpect: tea",
        b"tea\r\nExpect: 100-continue",
        b"100-continue=1",
        b"100-continue;a=b",
        b"100 continue",
        b"\"100-continue\"",
        b"200-ok",
        b"\xff",
    ];
    for value in refused {
        new.refuses(&[(value, 417, met)]);
    }
    // Of HTTP/1.0 nothing is to be expected (RFC 9110 section 10.1.1).
    let old = Rule {
        place: |value| [b"PUT / HTTP/1.0\r\nContent-Length: 1\r\nExpect: ", value, b"\r\n\r\nx"].concat(),
        show: new.show,
    };
    old.accepts(&[(b"100-continue", "x"), (b"tea", "x")]);
}
