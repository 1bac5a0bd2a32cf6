//! Heads: which are accepted and as what, which are refused and with what words, whole and a byte at a time.

use ownhands::http::{BodyLength, Head, Progress, decode, slots};
use ownhands::{HttpError, Limits, Method, Target, Version};

/// What became of a head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Incomplete,
    Accepted(String),
    Refused(u16, String),
}

/// Everything that is known of a head, in one line.
fn show(head: &Head<'_>) -> String {
    let fields: Vec<String> =
        head.headers.iter().map(|(name, value)| format!("{name}={}", value.escape_ascii())).collect();
    let framing = head.framing;
    let body = match framing.body {
        BodyLength::Known(length) => length.to_string(),
        BodyLength::Chunked => "chunked".to_string(),
    };
    let keep = if framing.keep_alive { "keep" } else { "close" };
    let expect = if framing.expects_continue { " expects" } else { "" };
    let authority = head.authority.unwrap_or("-");
    let Target { path, query, .. } = head.target;
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    format!(
        "{} {path}{query} {} for {authority} [{}] {body} {keep}{expect}",
        head.method,
        framing.version,
        fields.join("; ")
    )
}

fn outcome(result: Result<Option<Head<'_>>, HttpError>) -> Outcome {
    match result {
        Ok(None) => Outcome::Incomplete,
        Ok(Some(head)) => Outcome::Accepted(format!("{} bytes: {}", head.framing.head, show(&head))),
        Err(error) => Outcome::Refused(error.status.code(), error.detail.into_owned()),
    }
}

/// All at once: the quick reader has the first word.
pub(crate) fn whole(wire: &[u8], limits: &Limits) -> Outcome {
    outcome(decode(wire, &mut slots(), &mut Progress::default(), limits))
}

/// A byte more at each call, until there is something to say: the careful reader alone.
pub(crate) fn bytewise(wire: &[u8], limits: &Limits) -> Outcome {
    let mut progress = Progress::default();
    let mut outcomes = (1..=wire.len()).map(|end| outcome(decode(&wire[..end], &mut slots(), &mut progress, limits)));
    outcomes.find(|outcome| *outcome != Outcome::Incomplete).unwrap_or(Outcome::Incomplete)
}

pub(crate) fn both(name: &str, wire: &[u8], limits: &Limits) -> Outcome {
    let whole = whole(wire, limits);
    assert_eq!(bytewise(wire, limits), whole, "{name}: a byte at a time it is something else");
    whole
}

#[track_caller]
fn assert_accepted(name: &str, wire: &[u8], limits: &Limits, expected: &str) {
    let expected = Outcome::Accepted(format!("{} bytes: {expected}", wire.len()));
    assert_eq!(both(name, wire, limits), expected, "{name}");
}

#[track_caller]
pub(crate) fn assert_refused(name: &str, wire: &[u8], limits: &Limits, status: u16, part: &str) {
    match both(name, wire, limits) {
        Outcome::Refused(code, detail) => {
            assert_eq!(code, status, "{name}: {detail}");
            assert!(detail.contains(part), "{name}: {detail:?} does not say {part:?}");
        }
        other => panic!("{name}: {other:?}"),
    }
}

/// Complete heads, and what is read in them.
pub(crate) const ACCEPTED: &[(&str, &[u8], &str)] = &[
    ("plain", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 for a [Host=a] 0 keep"),
    ("LF alone", b"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1 for a [Host=a] 0 keep"),
    ("LF and CR LF mixed", b"GET / HTTP/1.1\nHost: a\r\nX: 1\n\r\n", "GET / HTTP/1.1 for a [Host=a; X=1] 0 keep"),
    ("CR LF, then LF alone", b"GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1 for a [Host=a] 0 keep"),
    ("an empty line first", b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 for a [Host=a] 0 keep"),
    ("empty lines of both kinds", b"\n\r\n\nGET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1 for a [Host=a] 0 keep"),
    (
        "sixteen empty lines",
        b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nGET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1 for a [Host=a] 0 keep",
    ),
    // Methods.
    ("HEAD", b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD / HTTP/1.1 for a [Host=a] 0 keep"),
    ("a lower-case method is another", b"get / HTTP/1.1\r\nHost: a\r\n\r\n", "get / HTTP/1.1 for a [Host=a] 0 keep"),
    ("every mark of a token", b"!#$%&'*+-.^_`|~ / HTTP/1.0\r\n\r\n", "!#$%&'*+-.^_`|~ / HTTP/1.0 for - [] 0 close"),
    ("a digit first", b"1GET / HTTP/1.0\r\n\r\n", "1GET / HTTP/1.0 for - [] 0 close"),
    // Versions.
    ("1.0 needs no Host", b"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0 for - [] 0 close"),
    ("1.2 is served as 1.1", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 for a [Host=a] 0 keep"),
    ("1.9 is served as 1.1", b"GET / HTTP/1.9\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 for a [Host=a] 0 keep"),
    // Targets.
    ("a query", b"GET /a?b=c?d HTTP/1.0\r\n\r\n", "GET /a?b=c?d HTTP/1.0 for - [] 0 close"),
    ("an empty query", b"GET /? HTTP/1.0\r\n\r\n", "GET /? HTTP/1.0 for - [] 0 close"),
    ("a path stays encoded", b"GET /%61/%2f HTTP/1.0\r\n\r\n", "GET /%61/%2f HTTP/1.0 for - [] 0 close"),
    ("two slashes are a path", b"GET //b/c HTTP/1.1\r\nHost: a\r\n\r\n", "GET //b/c HTTP/1.1 for a [Host=a] 0 keep"),
    ("marks that are no URI's", b"GET /\"<>\\^`{|} HTTP/1.0\r\n\r\n", "GET /\"<>\\^`{|} HTTP/1.0 for - [] 0 close"),
    ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1 for a [Host=a] 0 keep"),
    (
        "an absolute target wins over Host",
        b"GET http://b:8080/c?d HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /c?d HTTP/1.1 for b:8080 [Host=a] 0 keep",
    ),
    ("an absolute target without path", b"GET http://b HTTP/1.0\r\n\r\n", "GET / HTTP/1.0 for b [] 0 close"),
    ("an absolute target with query alone", b"GET http://b?c HTTP/1.0\r\n\r\n", "GET /?c HTTP/1.0 for b [] 0 close"),
    ("a scheme in capitals", b"GET HTTPS://B/ HTTP/1.0\r\n\r\n", "GET / HTTP/1.0 for B [] 0 close"),
    (
        "OPTIONS of a host and of none of its resources",
        b"OPTIONS http://b HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.0 for b [] 0 close",
    ),
    ("OPTIONS of a host's root", b"OPTIONS http://b/ HTTP/1.0\r\n\r\n", "OPTIONS / HTTP/1.0 for b [] 0 close"),
    ("OPTIONS of a host with a query", b"OPTIONS http://b?c HTTP/1.0\r\n\r\n", "OPTIONS /?c HTTP/1.0 for b [] 0 close"),
    (
        "an empty Host, where the target names one",
        b"GET http://b/ HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1 for b [Host=] 0 keep",
    ),
    // Fields.
    ("white space around a value", b"GET / HTTP/1.0\r\nX:\t a b \t\r\n\r\n", "GET / HTTP/1.0 for - [X=a b] 0 close"),
    ("an empty value", b"GET / HTTP/1.0\r\nX:\r\nY: \r\n\r\n", "GET / HTTP/1.0 for - [X=; Y=] 0 close"),
    ("octets beyond ASCII", b"GET / HTTP/1.0\r\nX: \x80\xff\r\n\r\n", "GET / HTTP/1.0 for - [X=\\x80\\xff] 0 close"),
    ("a tab inside a value", b"GET / HTTP/1.0\r\nX: a\tb\r\n\r\n", "GET / HTTP/1.0 for - [X=a\\tb] 0 close"),
    ("colons in a value", b"GET / HTTP/1.0\r\nX: :a:\r\n\r\n", "GET / HTTP/1.0 for - [X=:a:] 0 close"),
    (
        "every mark in a name",
        b"GET / HTTP/1.0\r\n!#$%&'*+-.^_`|~: 1\r\n\r\n",
        "GET / HTTP/1.0 for - [!#$%&'*+-.^_`|~=1] 0 close",
    ),
    ("the same name twice", b"GET / HTTP/1.0\r\nX: 1\r\nx: 2\r\n\r\n", "GET / HTTP/1.0 for - [X=1; x=2] 0 close"),
    // Host.
    ("Host with a port", b"GET / HTTP/1.1\r\nhOST: a.b:80\r\n\r\n", "GET / HTTP/1.1 for a.b:80 [hOST=a.b:80] 0 keep"),
    ("Host in 1.0", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / HTTP/1.0 for a [Host=a] 0 close"),
    (
        "Host as an IPv6 address",
        b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET / HTTP/1.1 for [::1]:80 [Host=[::1]:80] 0 keep",
    ),
    // Lengths.
    (
        "a length",
        b"POST / HTTP/1.0\r\nContent-Length: 42\r\n\r\n",
        "POST / HTTP/1.0 for - [Content-Length=42] 42 close",
    ),
    (
        "leading zeros",
        b"POST / HTTP/1.0\r\nContent-Length: 0042\r\n\r\n",
        "POST / HTTP/1.0 for - [Content-Length=0042] 42 close",
    ),
    (
        "a length with GET",
        b"GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n",
        "GET / HTTP/1.0 for - [Content-Length=1] 1 close",
    ),
    ("no length with POST", b"POST / HTTP/1.0\r\n\r\n", "POST / HTTP/1.0 for - [] 0 close"),
    (
        "chunks",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1 for a [Host=a; Transfer-Encoding=chunked] chunked keep",
    ),
    (
        "a coding's name has no case",
        b"POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: ChunKed\r\n\r\n",
        "POST / HTTP/1.1 for a [Host=a; transfer-encoding=ChunKed] chunked keep",
    ),
    // Connection.
    (
        "close",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1 for a [Host=a; Connection=close] 0 close",
    ),
    (
        "CLOSE",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n",
        "GET / HTTP/1.1 for a [Host=a; Connection=CLOSE] 0 close",
    ),
    (
        "close in a list",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: te ,, close,x\r\n\r\n",
        "GET / HTTP/1.1 for a [Host=a; Connection=te ,, close,x] 0 close",
    ),
    (
        "close in the second of two fields",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1 for a [Host=a; Connection=keep-alive; Connection=close] 0 close",
    ),
    (
        "closed is not close",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n",
        "GET / HTTP/1.1 for a [Host=a; Connection=closed] 0 keep",
    ),
    (
        "1.0 with keep-alive",
        b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        "GET / HTTP/1.0 for - [Connection=Keep-Alive] 0 keep",
    ),
    (
        "1.0 with both",
        b"GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n",
        "GET / HTTP/1.0 for - [Connection=close, keep-alive] 0 close",
    ),
    // Expect.
    (
        "an expectation",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1 for a [Host=a; Expect=100-Continue; Content-Length=1] 1 keep expects",
    ),
    (
        "an expectation in a list, and twice",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, 100-continue\r\nExpect:\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1 for a [Host=a; Expect=100-continue, 100-continue; Expect=; Content-Length=1] 1 keep expects",
    ),
    (
        "an expectation without a body",
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
        "GET / HTTP/1.1 for a [Host=a; Expect=100-continue] 0 keep",
    ),
    (
        "an expectation in 1.0 is ignored",
        b"POST / HTTP/1.0\r\nExpect: anything\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.0 for - [Expect=anything; Content-Length=1] 1 close",
    ),
];

#[test]
fn heads_are_read_as_the_table_says() {
    for &(name, wire, expected) in ACCEPTED {
        assert_accepted(name, wire, &Limits::default(), expected);
    }
}

/// Heads that are refused, and a part of the sentence that says why. Some are refused before they are complete.
pub(crate) const REFUSED: &[(&str, &[u8], u16, &str)] = &[
    // Noise.
    (
        "a TLS hello",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
        400,
        "line 1: byte 1 is a control character; this is not HTTP",
    ),
    ("zeros", b"\0\0\0\0", 400, "line 1: byte 1 is a control character"),
    ("octets beyond ASCII", b"\xff\xfe\xfd", 400, "line 1: byte 1 is not ASCII"),
    ("an SSH banner", b"SSH-2.0-OpenSSH_9.2\r\n", 400, "a request line is a method, a target and a version"),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "this is how HTTP/2 begins"),
    ("seventeen empty lines", b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", 400, "more than 16 empty lines"),
    (
        "seventeen empty lines, then a request",
        b"\r\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nGET / HTTP/1.0\r\n\r\n",
        400,
        "more than 16 empty lines",
    ),
    // The request line.
    ("a word", b"GET\r\n", 400, "line 1: a request line is a method, a target and a version"),
    ("HTTP/0.9", b"GET /\r\n", 400, "line 1: the version is missing after the target; HTTP/0.9 is not spoken here"),
    ("a space first", b" GET / HTTP/1.1\r\n", 400, "line 1: it does not begin with a method"),
    ("a method that is no token", b"GE(T / HTTP/1.1\r\n", 400, "line 1: it does not begin with a method"),
    ("a header first", b"Host: a\r\n", 400, "line 1: it does not begin with a method"),
    ("an answer", b"HTTP/1.1 200 OK\r\n", 400, "line 1: it does not begin with a method"),
    ("two spaces before the target", b"GET  / HTTP/1.1\r\n", 400, "line 1: there is more than one space"),
    ("two spaces after the target", b"GET /  HTTP/1.1\r\n", 400, "line 1: there is more than one space"),
    ("a space in the target", b"GET /a b HTTP/1.1\r\n", 400, "line 1: there is a space too many"),
    ("a space after the version", b"GET / HTTP/1.1 \r\n", 400, "line 1: there is a space too many"),
    ("a tab between", b"GET\t/ HTTP/1.1\r\n", 400, "line 1: byte 4 is a control character"),
    ("a fragment", b"GET /a#b HTTP/1.1\r\n", 400, "line 1: byte 7 is #, which begins a fragment"),
    ("a NUL in the target", b"GET /a\0b HTTP/1.1\r\n", 400, "line 1: byte 7 is a control character"),
    ("DEL in the target", b"GET /\x7f HTTP/1.1\r\n", 400, "line 1: byte 6 is a control character"),
    (
        "UTF-8 in the target",
        b"GET /\xc3\xa4 HTTP/1.1\r\n",
        400,
        "line 1: byte 6 is not ASCII; in a target it would be percent-encoded",
    ),
    (
        "a carriage return in the target",
        b"GET /\rb HTTP/1.1\r\n",
        400,
        "line 1: byte 6 is a carriage return without a line feed",
    ),
    ("two carriage returns", b"GET / HTTP/1.1\r\r\n", 400, "line 1: byte 15 is a carriage return without a line feed"),
    (
        "a carriage return first",
        b"\rGET / HTTP/1.1\r\n",
        400,
        "line 1: byte 1 is a carriage return without a line feed",
    ),
    // The version.
    ("HTTP/2.0", b"GET / HTTP/2.0\r\n", 505, "only HTTP/1.1 and HTTP/1.0 are spoken here"),
    ("HTTP/0.9 by name", b"GET / HTTP/0.9\r\n", 505, "only HTTP/1.1 and HTTP/1.0 are spoken here"),
    ("PRI in another version", b"PRI * HTTP/3.0\r\n", 505, "only HTTP/1.1 and HTTP/1.0 are spoken here"),
    ("lower case", b"GET / http/1.1\r\n", 400, "line 1: it does not end in a version"),
    ("no minor version", b"GET / HTTP/1\r\n", 400, "line 1: it does not end in a version"),
    ("two digits", b"GET / HTTP/1.10\r\n", 400, "line 1: it does not end in a version"),
    ("an empty version", b"GET / \r\n", 400, "line 1: it does not end in a version"),
    ("another protocol", b"GET / RTSP/1.0\r\n", 400, "line 1: it does not end in a version"),
    // The target.
    ("CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405, "this server is no proxy"),
    ("* with GET", b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "line 1: the target * goes with OPTIONS only"),
    ("a target without a slash", b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "line 1: the target is neither a path"),
    ("a query alone", b"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "line 1: the target is neither a path"),
    ("another scheme", b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "line 1: the target is neither a path"),
    (
        "one slash after the scheme",
        b"GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        "line 1: the target is neither a path",
    ),
    (
        "no host in the target",
        b"GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        "line 1: the target does not name a host",
    ),
    (
        "a user in the target",
        b"GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        "line 1: the target does not name a host",
    ),
    (
        "a port that is none",
        b"GET http://b:x/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        "line 1: the target does not name a host",
    ),
    // Field lines.
    (
        "white space before the first field",
        b"GET / HTTP/1.1\r\n Host: a\r\n",
        400,
        "line 2: white space comes before the first header",
    ),
    (
        "a folded field",
        b"GET / HTTP/1.1\r\nX: a\r\n\tb\r\n",
        400,
        "line 3: it begins with white space; headers are no longer folded",
    ),
    ("a line of one space", b"GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n", 400, "line 3: it begins with white space"),
    ("no colon", b"GET / HTTP/1.1\r\nHost a\r\n", 400, "line 2: there is no colon"),
    ("no name", b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n", 400, "line 3: the header's name is missing before the colon"),
    (
        "a space before the colon",
        b"GET / HTTP/1.1\r\nHost : a\r\n",
        400,
        "line 2: there is a space between the header's name and its colon",
    ),
    (
        "a tab before the colon",
        b"GET / HTTP/1.1\r\nHost\t: a\r\n",
        400,
        "line 2: there is a space between the header's name and its colon",
    ),
    (
        "white space in a name",
        b"GET / HTTP/1.1\r\nHo st: a\r\n",
        400,
        "line 2: there is white space in the header's name",
    ),
    ("a parenthesis in a name", b"GET / HTTP/1.1\r\nHo(st: a\r\n", 400, "line 2: the header's name has ( in it"),
    ("an octet in a name", b"GET / HTTP/1.1\r\nHo\xe4st: a\r\n", 400, "line 2: the header's name has \\xe4 in it"),
    ("a quote in a name", b"GET / HTTP/1.1\r\n\"Host\": a\r\n", 400, "line 2: the header's name has \\\" in it"),
    ("NUL in a value", b"GET / HTTP/1.1\r\nX: a\0b\r\n", 400, "line 2: byte 5 is a control character"),
    ("DEL in a value", b"GET / HTTP/1.1\r\nX: a\x7fb\r\n", 400, "line 2: byte 5 is a control character"),
    (
        "a carriage return in a value",
        b"GET / HTTP/1.1\r\nX: a\rY: b\r\n",
        400,
        "line 2: byte 5 is a carriage return without a line feed",
    ),
    (
        "a carriage return as the last line",
        b"GET / HTTP/1.1\r\nHost: a\r\n\rX",
        400,
        "line 3: byte 1 is a carriage return without a line feed",
    ),
    // Host.
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400, "the Host header is missing"),
    ("no Host, but an absolute target", b"GET http://a/ HTTP/1.1\r\n\r\n", 400, "the Host header is missing"),
    (
        "two Hosts",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: a\r\n\r\n",
        400,
        "the Host header is there more than once",
    ),
    (
        "two Hosts in 1.0",
        b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        400,
        "the Host header is there more than once",
    ),
    ("an empty Host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "the Host header is no host[:port]"),
    ("a path in the Host", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "the Host header is no host[:port]"),
    ("octets in the Host", b"GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n", 400, "the Host header is no host[:port]"),
    ("no UTF-8 in the Host", b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n", 400, "the Host header is no host[:port]"),
    // Lengths.
    (
        "an empty length",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        400,
        "the Content-Length is not a decimal number",
    ),
    (
        "a sign",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
        400,
        "the Content-Length is not a decimal number",
    ),
    (
        "less than nothing",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        400,
        "the Content-Length is not a decimal number",
    ),
    (
        "a hexadecimal length",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n",
        400,
        "the Content-Length is not a decimal number",
    ),
    (
        "a list of lengths",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
        400,
        "the Content-Length is not a decimal number",
    ),
    (
        "a length in two parts",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n",
        400,
        "the Content-Length is not a decimal number",
    ),
    (
        "two lengths",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n",
        400,
        "the Content-Length header is there more than once",
    ),
    (
        "a length of 65 bits",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n",
        400,
        "the Content-Length is larger than any number here",
    ),
    (
        "a length of 64 bits",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n",
        413,
        "the body is longer than 1048576 bytes",
    ),
    (
        "a length and a coding",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
        "both Content-Length and Transfer-Encoding",
    ),
    (
        "a coding and a length",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        400,
        "both Content-Length and Transfer-Encoding",
    ),
    (
        "a coding in 1.0",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
        "HTTP/1.0 has no Transfer-Encoding",
    ),
    (
        "another coding",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        400,
        "does not end in chunked",
    ),
    (
        "another coding last",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        400,
        "does not end in chunked",
    ),
    ("no coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", 400, "has an empty element"),
    (
        "an empty element before the coding",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , chunked\r\n\r\n",
        400,
        "has an empty element",
    ),
    (
        "an empty field beside the coding",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n",
        400,
        "has an empty element",
    ),
    (
        "a coding with a parameter",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n",
        400,
        "does not end in chunked",
    ),
    (
        "a coding in quotes",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n",
        400,
        "does not end in chunked",
    ),
    (
        "a coding with a vertical tab",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
        400,
        "line 3: byte 20 is a control character",
    ),
    (
        "a coding with a no-break space",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \xa0chunked\r\n\r\n",
        400,
        "does not end in chunked",
    ),
    (
        "chunked twice",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
        400,
        "says chunked more than once",
    ),
    (
        "chunked twice, in two fields",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
        "says chunked more than once",
    ),
    (
        "gzip in chunks",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        501,
        "the only Transfer-Encoding understood here is chunked",
    ),
    (
        "gzip in chunks, in two fields",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        501,
        "the only Transfer-Encoding understood here is chunked",
    ),
    (
        "another expectation",
        b"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n",
        417,
        "the only expectation met here is 100-continue",
    ),
    (
        "another expectation in a list",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, tea\r\nContent-Length: 1\r\n\r\n",
        417,
        "the only expectation met here is 100-continue",
    ),
    (
        "two empty Hosts",
        b"GET http://a/ HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n",
        400,
        "the Host header is there more than once",
    ),
    ("an empty Host with *", b"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", 400, "the Host header is no host[:port]"),
];

#[test]
fn heads_are_refused_with_a_sentence_that_says_why() {
    for &(name, wire, status, part) in REFUSED {
        assert_refused(name, wire, &Limits::default(), status, part);
    }
}

#[test]
fn noise_is_refused_at_its_first_byte() {
    for byte in (0..=u8::MAX).filter(|byte| !matches!(byte, b' '..=b'~' | b'\r' | b'\n')) {
        assert!(matches!(whole(&[byte], &Limits::default()), Outcome::Refused(400, _)), "{byte}");
    }
}

#[test]
fn a_head_is_incomplete_until_its_empty_line() {
    for &(name, wire, _) in ACCEPTED {
        for end in 0..wire.len() {
            assert_eq!(whole(&wire[..end], &Limits::default()), Outcome::Incomplete, "{name}, {end} bytes");
        }
    }
}

#[test]
fn what_follows_a_head_is_no_part_of_it() {
    for &(name, wire, _) in ACCEPTED {
        let alone = whole(wire, &Limits::default());
        for more in [&b"GET / HTTP/1.1\r\n"[..], b"\r\n", b"\0\xff", b" ", b": "] {
            assert_eq!(whole(&[wire, more].concat(), &Limits::default()), alone, "{name}");
        }
    }
}

#[test]
fn a_refusal_does_not_depend_on_what_follows() {
    for &(name, wire, ..) in REFUSED {
        let alone = whole(wire, &Limits::default());
        for more in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\r\n\r\n", b"\0\xff"] {
            assert_eq!(both(name, &[wire, more].concat(), &Limits::default()), alone, "{name}");
        }
    }
}

#[test]
fn a_method_keeps_its_words() {
    let wire = b"PATCH / HTTP/1.0\r\n\r\n";
    let (mut slots, mut progress) = (slots(), Progress::default());
    let head = decode(wire, &mut slots, &mut progress, &Limits::default()).unwrap().unwrap();
    assert_eq!((head.method, head.raw_target, head.framing.version), (Method::Patch, "/", Version::Http10));
}

#[test]
fn connect_is_told_what_is_allowed() {
    let (mut slots, mut progress) = (slots(), Progress::default());
    let refusal = decode(b"CONNECT a:1 HTTP/1.0\r\n\r\n", &mut slots, &mut progress, &Limits::default()).unwrap_err();
    assert_eq!(refusal.headers.get("allow"), Some(&b"GET, HEAD, OPTIONS"[..]));
}
