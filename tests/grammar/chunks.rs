//! The chunked transfer coding (RFC 9112 section 7.1).

use super::Rule;

/// A chunked body, whole.
const BODY: Rule = Rule {
    place: |body| [b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", body].concat(),
    show: |seen| format!("{}", seen.body.escape_ascii()),
};

/// What stands between the size of a chunk and its line end.
const EXTENSION: Rule = Rule {
    place: |extension| {
        let head = b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        [head, &b"2"[..], extension, b"\r\nhi\r\n0", extension, b"\r\n\r\n"].concat()
    },
    show: BODY.show,
};

const NO_EXTENSION: &str = "a chunk's size is followed by neither CR LF nor an extension such as ;name=value";
const NO_SIZE: &str = "a chunk does not begin with its size in hexadecimal";
const NO_LINE_END: &str = "a line of the chunked coding does not end in CR LF";
const NO_DATA_END: &str = "a chunk's data is not followed by CR LF: its size is wrong";
const NO_TRAILER: &str = "what follows the last chunk is neither a field nor an empty line";
const CUT: &str = "the connection ended before the body was complete";

/// `chunked-body = *chunk last-chunk trailer-section CRLF`, `chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF`
#[test]
fn chunked_bodies() {
    BODY.accepts(&[
        (b"0\r\n\r\n", ""),
        (b"2\r\nhi\r\n0\r\n\r\n", "hi"),
        (b"1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", "hi"),
        (b"2;a\r\nhi\r\n0;b\r\nC: d\r\n\r\n", "hi"),
    ]);
    BODY.refuses(&[
        (b"", 400, CUT),
        (b"\r\n", 400, NO_SIZE),
        (b"hi", 400, NO_SIZE),
        (b"2\r\nhi\r\n", 400, CUT),
        (b"2\r\nhi\r\n\r\n", 400, NO_SIZE),
        (b"2\r\nhi\r\n0\r\n", 400, CUT),
        (b"2\r\nhi\r\n0\r\n\r", 400, CUT),
        (b"2\nhi\r\n0\r\n\r\n", 400, NO_EXTENSION),
        (b"2\rhi\r\n0\r\n\r\n", 400, NO_LINE_END),
        (b"2\r\r\nhi\r\n0\r\n\r\n", 400, NO_LINE_END),
        (b"2\n\rhi\r\n0\r\n\r\n", 400, NO_EXTENSION),
        (b"2\r\nhi\n0\r\n\r\n", 400, NO_DATA_END),
        (b"2\r\nhi\r0\r\n\r\n", 400, NO_DATA_END),
        (b"2\r\nhi0\r\n\r\n", 400, NO_DATA_END),
        (b"2\r\nhi\r\n0\n\r\n", 400, NO_EXTENSION),
        (b"2\r\nhi\r\n0\r\n\n", 400, NO_TRAILER),
        (b"2\r\nhi\r\n0\r\n\rx", 400, NO_LINE_END),
    ]);
}

/// `chunk-size = 1*HEXDIG`, of 16 digits at most.
#[test]
fn chunk_sizes() {
    let sized = Rule {
        place: |size| [&(BODY.place)(size), &b"\r\n0123456789abcdef\r\n0\r\n\r\n"[..]].concat(),
        show: BODY.show,
    };
    for size in ["10", "010", "0010", "0000000000000010"] {
        sized.accepts(&[(size.as_bytes(), "0123456789abcdef")]);
    }
    BODY.accepts(&[
        (b"a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        (b"1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n", "abcdefghijklmnopqrstuvwxyz"),
    ]);
    for size in ["", "-1", "+10", " 10", "\t10", "g", ";", "\"10\"", "x10", "#10", "\u{661}"] {
        sized.refuses(&[(size.as_bytes(), 400, NO_SIZE)]);
    }
    for size in ["0x10", "10h", "1_0", "10.", "10,", "10 ", "10\t", "1 0", "10L", "10\0", "10\u{a0}"] {
        sized.refuses(&[(size.as_bytes(), 400, NO_EXTENSION)]);
    }
    sized.refuses(&[
        (b"f", 400, NO_DATA_END),
        (b"11", 400, NO_DATA_END),
        (b"20", 400, CUT),
        (b"00000000000000010", 400, "a chunk's size has more than 16 digits"),
        (b"10000000000000010", 400, "a chunk's size has more than 16 digits"),
        (b"ffffffffffffffff", 413, "the body is longer than 1048576 bytes"),
        (b"8000000000000000", 413, "the body is longer than 1048576 bytes"),
        (b"100000010", 413, "the body is longer than 1048576 bytes"),
        (b"100001", 413, "the body is longer than 1048576 bytes"),
    ]);
    BODY.refuses(&[(b"1\r\na\r\nffffffffffffffff\r\n", 413, "the body is longer than 1048576 bytes")]);
}

/// `chunk-data = 1*OCTET`: any, and as many as the size says.
#[test]
fn chunk_data() {
    let every_octet: Vec<u8> = (0..=u8::MAX).collect();
    let body = [b"100\r\n", &every_octet[..], b"\r\n0\r\n\r\n"].concat();
    assert_eq!(BODY.ask(&body).seen[0].body, every_octet);
    BODY.accepts(&[
        (b"2\r\n\r\n\r\n0\r\n\r\n", "\\r\\n"),
        (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\\r\\n\\r\\n"),
        (b"12\r\nGET / HTTP/1.1\r\n\r\n\r\n0\r\n\r\n", "GET / HTTP/1.1\\r\\n\\r\\n"),
    ]);
    BODY.refuses(&[
        (b"1\r\nhi\r\n0\r\n\r\n", 400, NO_DATA_END),
        (b"3\r\nhi\r\n0\r\n\r\n", 400, NO_DATA_END),
        (b"4\r\nhi\r\n0\r\n\r\n", 400, NO_DATA_END),
        (b"9\r\nhi\r\n0\r\n\r\n", 400, CUT),
    ]);
}

/// `last-chunk = 1*"0" [ chunk-ext ] CRLF`
#[test]
fn last_chunks() {
    BODY.accepts(&[(b"00\r\n\r\n", ""), (b"0000000000000000\r\n\r\n", ""), (b"0;a=b\r\n\r\n", "")]);
    BODY.refuses(&[
        (b"00000000000000000\r\n\r\n", 400, "a chunk's size has more than 16 digits"),
        (b"0 \r\n\r\n", 400, NO_EXTENSION),
        (b"-0\r\n\r\n", 400, NO_SIZE),
        (b"0\r\n0\r\n\r\n", 400, NO_TRAILER),
        (b"0\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, NO_TRAILER),
    ]);
}

/// `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`
#[test]
fn chunk_extensions() {
    let accepted: &[&[u8]] = &[
        b"",
        b";a",
        b";a=b",
        b";a;b",
        b";a=b;c=d;e",
        b";!#$%&'*+-.^_`|~09AZaz=!#$%&'*+-.^_`|~09AZaz",
        b";a=\"b\"",
        b";a=\"\"",
        b";a=\"b\";c",
        b";a=\"b\";c=d",
        b" ;a",
        b"\t ;\t a",
        b";a =b",
        b";a= b",
        b";a\t = \tb",
        b";a ;b",
        b";a=b ;c",
        b";a=\"b\" ;c",
        b";a = \"b\" ; c = d",
        b";0",
        b";2=0",
    ];
    for extension in accepted {
        EXTENSION.accepts(&[(extension, "hi")]);
    }
    let refused: &[&[u8]] = &[
        b" ",
        b"\t",
        b" a",
        b" =a",
        b"=a",
        b",a",
        b":a",
        b"g;a",
        b";",
        b"; ",
        b";;",
        b";a;",
        b";a; ",
        b";a;;b",
        b";=",
        b";=b",
        b"; =b",
        b";a=",
        b";a= ",
        b";a=;b",
        b";a==b",
        b";a=b=c",
        b";a b",
        b";a=b c",
        b";a ",
        b";a=b ",
        b";a=\"b\" ",
        b";a=\"b\"\t",
        b";a,b",
        b";a:b",
        b";\"a\"",
        b";\"a\"=b",
        b";a=b\"c\"",
        b";a=\"b\"c",
        b";a=\"b\"\"c\"",
        b";a=\"b\"=c",
        b";(a)",
        b";a=(b)",
        b";a=[b]",
        b";a@b",
        b";\xff",
        b";a=\xff",
        b";a\0",
        b";a=\x01",
        b";\x7f",
        b";a\n",
        b"\n;a",
        b";a=\"b\n\"",
        b";a=b\x0b",
        b";a=\"b\r\n\"",
        b";a=\"\r\n",
        b";\r\n",
        b";a=\r\n",
    ];
    for extension in refused {
        EXTENSION.refuses(&[(extension, 400, NO_EXTENSION)]);
    }
    EXTENSION.refuses(&[
        (b";a\r", 400, NO_LINE_END),
        (b";a\rb", 400, NO_LINE_END),
        (b";a=b\r\r", 400, NO_LINE_END),
        (b";a=\"b\"\rc", 400, NO_LINE_END),
    ]);
    let long = [&b";a="[..], &[b'b'; 4096]].concat();
    EXTENSION.refuses(&[(&long, 400, "the chunk extensions are longer than 4096 bytes")]);
}

/// `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE`: every byte, bare and behind a backslash.
#[test]
fn quoted_strings() {
    for byte in 0..=u8::MAX {
        let bare = [&b";a=\"b"[..], &[byte], b"\""].concat();
        let pair = [&b";a=\"b\\"[..], &[byte], b"\""].concat();
        let is_text = matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
        if is_text {
            EXTENSION.accepts(&[(&pair, "hi")]);
        } else {
            EXTENSION.refuses(&[(&pair, 400, NO_EXTENSION)]);
        }
        if is_text && !matches!(byte, b'"' | b'\\') {
            EXTENSION.accepts(&[(&bare, "hi")]);
        } else {
            EXTENSION.refuses(&[(&bare, 400, NO_EXTENSION)]);
        }
    }
    EXTENSION.accepts(&[(b";a=\"\\\"\"", "hi"), (b";a=\"\\\\\"", "hi"), (b";a=\";=,\\\" \t\"", "hi")]);
    EXTENSION.refuses(&[
        (b";a=\"", 400, NO_EXTENSION),
        (b";a=\"b", 400, NO_EXTENSION),
        (b";a=\"\\", 400, NO_EXTENSION),
        (b";a=\"\\\"", 400, NO_EXTENSION),
        (b";a=b\\c", 400, NO_EXTENSION),
        (b";a='b c'", 400, NO_EXTENSION),
    ]);
}

/// `trailer-section = *( field-line CRLF )`; none of it becomes a header.
#[test]
fn trailer_sections() {
    let trailers = Rule {
        place: |lines| [&(BODY.place)(b"2\r\nhi\r\n0\r\n"), lines, b"\r\n"].concat(),
        show: |seen| format!("{} [{}] {}", seen.body.escape_ascii(), seen.other_fields(), seen.fields.len()),
    };
    let accepted: &[&[u8]] = &[
        b"",
        b"A: b\r\n",
        b"A:\r\n",
        b"A:b: c \t\r\nD: \xff\r\n",
        b"!#$%&'*+-.^_`|~: \"\r\n",
        b"A: b\r\nA: c\r\n",
        b"Host: i\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n",
    ];
    for lines in accepted {
        trailers.accepts(&[(lines, "hi [] 2")]);
        assert!(trailers.ask(lines).is_kept);
    }
    trailers.refuses(&[
        (b"A\r\n", 400, NO_TRAILER),
        (b": b\r\n", 400, NO_TRAILER),
        (b" A: b\r\n", 400, NO_TRAILER),
        (b"A : b\r\n", 400, NO_TRAILER),
        (b"A b: c\r\n", 400, NO_TRAILER),
        (b"A(: b\r\n", 400, NO_TRAILER),
        (b"\xe4: b\r\n", 400, NO_TRAILER),
        (b"A: b\r\n c\r\n", 400, NO_TRAILER),
        (b"A: b\r\n\tc\r\n", 400, NO_TRAILER),
        (b"A: \0\r\n", 400, NO_TRAILER),
        (b"A: \x7f\r\n", 400, NO_TRAILER),
        (b"A: b\n", 400, NO_TRAILER),
        (b"\n", 400, NO_TRAILER),
        (b"A: b\rC: d\r\n", 400, NO_LINE_END),
        (b"A: b\r\r\n", 400, NO_LINE_END),
        (b"\rA: b\r\n", 400, NO_LINE_END),
    ]);
    BODY.refuses(&[(b"0\r\nA: b\r\n", 400, CUT), (b"0\r\nA: b", 400, CUT), (b"0\r\nA", 400, CUT)]);
    let long = [&b"A: "[..], &[b'b'; 8192], b"\r\n"].concat();
    trailers.refuses(&[(&long, 431, "the trailer section is longer than 8192 bytes")]);
}
