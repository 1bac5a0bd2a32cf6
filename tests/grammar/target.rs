//! The request target: its four forms (RFC 9112 section 3.2), and the parts of a URI (RFC 3986).

use super::Rule;
use super::witness::Seen;

fn parts(seen: &Seen) -> String {
    let query = seen.query.as_ref().map_or(String::new(), |query| format!(" ?{query}"));
    format!("{} {}{query}", seen.authority.as_deref().unwrap_or("-"), seen.path.escape_ascii())
}

/// A target of GET; the Host is `h`.
const TARGET: Rule = Rule { place: |target| [b"GET ", target, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat(), show: parts };

/// A target of OPTIONS.
const OPTIONS: Rule =
    Rule { place: |target| [b"OPTIONS ", target, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat(), show: parts };

const NO_FORM: &str = "neither a path that begins with / nor an http URI";
const NO_HOST: &str = "the target does not name a host";

/// `request-target = origin-form / absolute-form / authority-form / asterisk-form`
#[test]
fn request_targets() {
    TARGET.accepts(&[(b"/a?b", "h /a ?b"), (b"http://i/a?b", "i /a ?b")]);
    OPTIONS.accepts(&[(b"/a?b", "h /a ?b"), (b"http://i/a?b", "i /a ?b"), (b"*", "h *")]);
    TARGET.refuses(&[
        (b"*", 400, "the target * goes with OPTIONS only"),
        (b"h:80", 400, NO_FORM),
        (b"a", 400, NO_FORM),
        (b"a/b", 400, NO_FORM),
        (b"./a", 400, NO_FORM),
        (b"?a", 400, NO_FORM),
        (b"\\a", 400, NO_FORM),
        (b"%2Fa", 400, NO_FORM),
    ]);
}

/// `origin-form = absolute-path [ "?" query ]`, `absolute-path = 1*( "/" segment )`, `segment = *pchar`
#[test]
fn origin_forms() {
    TARGET.accepts(&[
        (b"/", "h /"),
        (b"//", "h //"),
        (b"//i/a", "h //i/a"),
        (b"/a/b/", "h /a/b/"),
        (b"/a//b", "h /a//b"),
        (b"/http://i/", "h /http://i/"),
        (b"/azAZ09-._~", "h /azAZ09-._~"),
        (b"/!$&'()*+,;=:@", "h /!$&\\'()*+,;=:@"),
        (b"/%41%7e%2F%3f", "h /A~/?"),
        (b"/%c3%A4", "h /\\xc3\\xa4"),
        (b"/%FF%0d%0A", "h /\\xff\\r\\n"),
        (b"/%2541", "h /%41"),
        (b"/.a/..b/c./...", "h /.a/..b/c./..."),
        // RFC 3986 section 5.2.4; what was sent as `.` alone.
        (b"/a/./b", "h /a/b"),
        (b"/./a/./", "h /a/"),
        (b"/\"<>[\\]^`{|}", "h /\\\"<>[\\\\]^`{|}"),
    ]);
    let escape = "a % in the path is not followed by two hexadecimal digits";
    let dots = "a segment . or .. in it";
    TARGET.refuses(&[
        (b"/%", 400, escape),
        (b"/%4", 400, escape),
        (b"/%4?a", 400, escape),
        (b"/%4g", 400, escape),
        (b"/%g4", 400, escape),
        (b"/%%34", 400, escape),
        (b"/% 41", 400, "a space too many"),
        (b"/%00", 400, "a NUL (%00)"),
        (b"/.", 400, dots),
        (b"/..", 400, dots),
        (b"/a/.", 400, dots),
        (b"/a/%2e/b", 400, dots),
        (b"/a/../b", 400, dots),
        (b"/%2e", 400, dots),
        (b"/.%2E/a", 400, dots),
        (b"/a%2f..", 400, dots),
        (b"http://i/..", 400, dots),
        (b"/a\x01", 400, "byte 7 is a control character"),
        (b"/a\x1f", 400, "byte 7 is a control character"),
        (b"/a\x7f", 400, "byte 7 is a control character"),
        (b"/a\0", 400, "byte 7 is a control character"),
        (b"/a\x80", 400, "byte 7 is not ASCII; in a target it would be percent-encoded"),
        (b"/\xc3\xa4", 400, "byte 6 is not ASCII"),
    ]);
}

/// `query = *( pchar / "/" / "?" )`; a fragment is never sent.
#[test]
fn queries() {
    TARGET.accepts(&[
        (b"/?", "h / ?"),
        (b"/?a", "h / ?a"),
        (b"/a?b?c/d", "h /a ?b?c/d"),
        (b"/?a=b&c=%20+d;e", "h / ?a=b&c=%20+d;e"),
        (b"/?../%2e%2e/%00", "h / ?../%2e%2e/%00"),
        (b"/?%", "h / ?%"),
        (b"/?\"<>[]{|}^`", "h / ?\"<>[]{|}^`"),
        (b"http://i?a", "i / ?a"),
        (b"http://i/?a?http://j/", "i / ?a?http://j/"),
    ]);
    let fragment = "is #, which begins a fragment and is never sent";
    TARGET.refuses(&[
        (b"/#", 400, fragment),
        (b"/a#b", 400, fragment),
        (b"/?a#b", 400, fragment),
        (b"#", 400, fragment),
        (b"http://i/#a", 400, fragment),
        (b"http://i#a", 400, fragment),
        (b"/?\xff", 400, "byte 7 is not ASCII"),
        (b"/?\t", 400, "byte 7 is a control character"),
    ]);
}

/// `absolute-form = absolute-URI`, `absolute-URI = scheme ":" hier-part [ "?" query ]`; its authority wins over Host.
#[test]
fn absolute_forms() {
    TARGET.accepts(&[
        (b"http://i/a", "i /a"),
        (b"http://i/a/?b", "i /a/ ?b"),
        (b"http://i//", "i //"),
        (b"http://i", "i /"),
        (b"http://i:80", "i:80 /"),
        (b"HTTP://I/A", "I /A"),
        (b"https://i/", "i /"),
        (b"hTtPs://i/", "i /"),
        (b"http://[::1]:80/a", "[::1]:80 /a"),
        (b"http://i/%41", "i /A"),
        (b"http://i/@b:c", "i /@b:c"),
    ]);
    // Without a path it asks about the host, as a proxy's client does (RFC 9112 section 3.2.4).
    OPTIONS.accepts(&[(b"http://i", "i *"), (b"http://i/", "i /"), (b"http://i?a", "i / ?a")]);
    TARGET.refuses(&[
        (b"http:", 400, NO_FORM),
        (b"http:/a", 400, NO_FORM),
        (b"http:i/a", 400, NO_FORM),
        (b"http//i/a", 400, NO_FORM),
        (b"ftp://i/a", 400, NO_FORM),
        (b"httpx://i/a", 400, NO_FORM),
        (b"httpss://i/a", 400, NO_FORM),
        (b"file:///a", 400, NO_FORM),
        (b"urn:a:b", 400, NO_FORM),
        (b"://i/a", 400, NO_FORM),
        (b"http://", 400, NO_HOST),
        (b"http:///a", 400, NO_HOST),
        (b"http://?a", 400, NO_HOST),
        (b"http://:80/", 400, NO_HOST),
        (b"http://u@i/", 400, NO_HOST),
        (b"http://u:p@i/", 400, NO_HOST),
        (b"http://@i/", 400, NO_HOST),
        (b"http://i\\a", 400, NO_HOST),
    ]);
    // Host is missing beside it all the same (RFC 9112 section 3.2).
    let alone = Rule { place: |target| [b"GET ", target, b" HTTP/1.1\r\n\r\n"].concat(), show: parts };
    alone.refuses(&[(b"http://i/", 400, "the Host header is missing")]);
}

/// `authority-form = uri-host ":" port`, which is for CONNECT and so for proxies.
#[test]
fn authority_forms() {
    let connect = Rule { place: |target| [b"CONNECT ", target, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat(), show: parts };
    let no_proxy = "this server is no proxy: CONNECT has no meaning here";
    for target in ["i:80", "[::1]:443", "i", "/", "http://i/", "*"] {
        connect.refuses(&[(target.as_bytes(), 405, no_proxy)]);
        if target.contains(':') && !target.contains('/') {
            TARGET.refuses(&[(target.as_bytes(), 400, NO_FORM)]);
        }
    }
}

/// `asterisk-form = "*"`
#[test]
fn asterisk_forms() {
    OPTIONS.accepts(&[(b"*", "h *")]);
    OPTIONS.refuses(&[(b"**", 400, NO_FORM), (b"*?a", 400, NO_FORM), (b"*/", 400, NO_FORM), (b"%2A", 400, NO_FORM)]);
    TARGET.refuses(&[(b"*", 400, "goes with OPTIONS only (RFC 9112 3.2.4)")]);
}

/// The host of a Host field, and of a target: the same rules.
#[track_caller]
fn hosts(accepted: &[&str], refused: &[&str]) {
    let field = Rule { place: |host| [b"GET / HTTP/1.1\r\nHost: ", host, b"\r\n\r\n"].concat(), show: parts };
    let target = Rule { place: |host| [b"GET http://", host, b"/ HTTP/1.1\r\nHost: h\r\n\r\n"].concat(), show: parts };
    for host in accepted {
        let expected = format!("{host} /");
        field.accepts(&[(host.as_bytes(), &expected)]);
        target.accepts(&[(host.as_bytes(), &expected)]);
    }
    for host in refused {
        field.refuses(&[(host.as_bytes(), 400, "the Host header is no host[:port]")]);
        if !host.contains(['/', '?', '#', ' ', '\t']) {
            target.refuses(&[(host.as_bytes(), 400, NO_HOST)]);
        }
    }
}

/// `authority = uri-host [ ":" port ]`, `port = *DIGIT`
#[test]
fn authorities() {
    hosts(
        &["i", "i:", "i:0", "i:80", "i:00080", "i:65535", "[::1]", "[::1]:", "[::1]:80", "1.2.3.4:80"],
        &[
            "",
            ":",
            ":80",
            "i:a",
            "i:8a",
            "i:+80",
            "i:-80",
            "i:8 0",
            "i: 80",
            "i :80",
            "i:80:",
            "i:80:80",
            "i::80",
            "i:0x50",
            "i:000080",
            "i/",
            "i?",
            "i#",
            "u@i",
            "u:p@i:80",
            "@i",
            "i@",
            "i\\",
            "[::1]80",
            "[::1]:a",
            "i, j",
            "i:80,j:80",
        ],
    );
}

/// `reg-name = *( unreserved / pct-encoded / sub-delims )`; an IPv4address that is none is a name.
#[test]
fn names_and_ipv4_addresses() {
    hosts(
        &[
            "localhost",
            "example.org",
            "example.org.",
            "a-b_c~d",
            "A.B",
            "!$&'()*+,;=",
            "%41%c3%a4",
            "xn--bcher-kva",
            "-",
            ".",
            "0.0.0.0",
            "127.0.0.1",
            "255.255.255.255",
            "256.1.1.1",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "0x7f.1",
        ],
        &["%", "%4", "%4g", "a%", "a b", "a\tb", "\"a\"", "<a>", "a|b", "a^b", "a`b", "{a}", "a\\b"],
    );
}

/// `IP-literal = "[" ( IPv6address / IPvFuture ) "]"`, with each of the nine ways to shorten an IPv6address.
#[test]
fn ip_literals() {
    let six = [
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:1.2.3.4",
        "::2:3:4:5:6:7:8",
        "::2:3:4:5:6:1.2.3.4",
        "::3:4:5:6:7:8",
        "1::3:4:5:6:7:8",
        "::4:5:6:7:8",
        "1:2::4:5:6:7:8",
        "::5:6:7:8",
        "1:2:3::5:6:7:8",
        "::6:7:8",
        "1:2:3:4::6:7:8",
        "::7:8",
        "1:2:3:4:5::7:8",
        "1:2:3:4:5::1.2.3.4",
        "::1.2.3.4",
        "::8",
        "1:2:3:4:5:6::8",
        "::",
        "1:2:3:4:5:6:7::",
        "1::",
        "abcd:EF01::0009",
        "0:0:0:0:0:0:0:0",
        "::ffff:255.255.255.255",
    ];
    let future = ["v1.a", "V1.a", "vF0.a:b", "v1.-._~!$&'()*+,;=:"];
    let none = [
        "",
        ":",
        ":::",
        "1",
        "1:2",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7::8",
        "1::2::3",
        "::12345",
        "::g",
        ":1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:",
        ":1::",
        "1::2:",
        "::1.2.3",
        "::1.2.3.4.5",
        "::256.1.1.1",
        "::01.2.3.4",
        "::1.2.3.4:5",
        "1.2.3.4",
        "1.2.3.4::",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1%25eth0",
        "::1%eth0",
        "a",
        "::1]",
        "[::1",
        " ::1",
        "v",
        "v1",
        "v1.",
        "v.a",
        "vg.a",
        "1.a",
        "v1.%41",
        "v1.a]",
        "v1.[",
        "v1.@",
    ];
    let literal = |text: &&str| format!("[{text}]");
    let accepted: Vec<String> = six.iter().chain(&future).map(literal).collect();
    let refused: Vec<String> = none.iter().map(literal).collect();
    hosts(
        &accepted.iter().map(String::as_str).collect::<Vec<_>>(),
        &refused
            .iter()
            .map(String::as_str)
            .chain(["::1", "[::1", "::1]", "[", "]", "[]a", "a[::1]"])
            .collect::<Vec<_>>(),
    );
}
