//! Who the client is: by the word of trusted proxies alone, in fields of the request or before the first one.

use std::net::SocketAddr;
use std::rc::Rc;

use ownhands::connection::{Event, Tracer, Transcript};
use ownhands::http::{Proxied, Trust};
use ownhands::testing::MockClient;
use ownhands::{App, Limits, Request, Timeouts};
use proptest::prelude::*;

/// Answers with client, peer, and the variables for programs.
fn app(trust: Trust) -> App {
    let mut app = App::new();
    app.trust(trust);
    let shown = |request: &Request<'_>| {
        let environ = request.environ();
        let variable = |name| environ.get(name).map_or("-".into(), |value| String::from_utf8_lossy(value).into_owned());
        let address = request.client.map_or("-".to_owned(), |client| client.to_string());
        assert_eq!(variable("REMOTE_ADDR"), address);
        format!("{address} {} {}", variable("REMOTE_PORT"), variable("SERVER_PORT"))
    };
    app.route("GET", "/", shown).unwrap();
    app.route("POST", "/", shown).unwrap();
    app
}

fn ours() -> Trust {
    Trust::new(["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()])
}

/// The client that the fields lead to, for a peer with this address.
fn client(trust: Trust, peer: Option<&str>, fields: Fields<'_>) -> String {
    let client = MockClient::new(app(trust));
    let mut client = match peer {
        Some(peer) => client.with_peer(SocketAddr::new(peer.parse().unwrap(), 5000)),
        None => client.with_local_peer(),
    };
    let mut request = client.request("GET", "/");
    for (name, value) in fields {
        request = request.header(name, value);
    }
    request.send().text().split(' ').next().unwrap_or_default().to_owned()
}

/// Names and values.
type Fields<'a> = &'a [(&'a str, &'a str)];

const XFF: &str = "X-Forwarded-For";

#[test]
fn only_a_trusted_proxy_is_believed() {
    let table: [(&str, Fields<'_>, &str); 21] = [
        ("192.0.2.1", &[(XFF, "192.0.2.7")], "192.0.2.1"),
        ("192.0.2.1", &[("Forwarded", "for=192.0.2.7")], "192.0.2.1"),
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &[(XFF, "192.0.2.7")], "192.0.2.7"),
        ("::ffff:10.0.0.1", &[(XFF, "192.0.2.7")], "192.0.2.7"),
        ("2001:db8::1", &[("Forwarded", "for=\"[2001:db9::7]:80\"")], "2001:db9::7"),
        ("10.0.0.1", &[("Forwarded", "for=192.0.2.7;proto=https;by=10.0.0.1")], "192.0.2.7"),
        // From the right: whatever the client has made up stands to the left.
        ("10.0.0.1", &[(XFF, "127.0.0.1, 192.0.2.7")], "192.0.2.7"),
        ("10.0.0.1", &[(XFF, "127.0.0.1"), (XFF, "192.0.2.7")], "192.0.2.7"),
        ("10.0.0.1", &[(XFF, "127.0.0.1, 192.0.2.7, 10.0.0.3, 10.0.0.2")], "192.0.2.7"),
        ("10.0.0.1", &[("Forwarded", "for=127.0.0.1, for=192.0.2.7"), ("Forwarded", "for=10.0.0.2")], "192.0.2.7"),
        ("10.0.0.1", &[(XFF, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
        // What cannot be followed further ends at the last address known for certain.
        ("10.0.0.1", &[(XFF, "192.0.2.7, garbage")], "10.0.0.1"),
        ("10.0.0.1", &[(XFF, "192.0.2.7, garbage, 10.0.0.2")], "10.0.0.2"),
        ("10.0.0.1", &[("Forwarded", "for=192.0.2.7, for=unknown, for=10.0.0.2")], "10.0.0.2"),
        ("10.0.0.1", &[("Forwarded", "for=_secret")], "10.0.0.1"),
        ("10.0.0.1", &[(XFF, "")], "10.0.0.1"),
        // Both: only where they agree.
        ("10.0.0.1", &[("Forwarded", "for=192.0.2.7"), (XFF, "6.6.6.6, 192.0.2.7")], "192.0.2.7"),
        ("10.0.0.1", &[("Forwarded", "for=6.6.6.6"), (XFF, "192.0.2.7")], "10.0.0.1"),
        ("10.0.0.1", &[("Forwarded", "for=192.0.2.7"), (XFF, "6.6.6.6")], "10.0.0.1"),
        ("10.0.0.1", &[("Forwarded", ""), (XFF, "192.0.2.7")], "192.0.2.7"),
    ];
    for (peer, fields, want) in table {
        assert_eq!(client(ours(), Some(peer), fields), want, "{peer} {fields:?}");
    }
}

#[test]
fn nobody_is_trusted_unless_it_is_said() {
    for peer in [Some("127.0.0.1"), Some("10.0.0.1"), Some("::1"), None] {
        let fields = [(XFF, "192.0.2.7"), ("Forwarded", "for=192.0.2.7")];
        assert_eq!(client(Trust::default(), peer, &fields), peer.unwrap_or("-"));
    }
    // A socket in the file system has no address that could be in a network.
    let all = Trust::new(["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
    assert_eq!(client(all.clone(), None, &[(XFF, "192.0.2.7")]), "-");
    assert_eq!(client(all.with_local(), None, &[(XFF, "192.0.2.7")]), "192.0.2.7");
    assert_eq!(client(Trust::default().with_local(), None, &[(XFF, "1.1.1.1, 192.0.2.7")]), "192.0.2.7");
    assert_eq!(client(Trust::default().with_local(), None, &[]), "-");
}

#[test]
fn a_list_is_followed_so_far_and_no_further() {
    let list = |hops: usize| format!("192.0.2.7{}", ", 10.0.0.2".repeat(hops));
    assert_eq!(client(ours(), Some("10.0.0.1"), &[(XFF, &list(31))]), "192.0.2.7");
    assert_eq!(client(ours(), Some("10.0.0.1"), &[(XFF, &list(32))]), "10.0.0.2");
}

#[test]
fn reasons_are_for_clients_on_this_machine_not_for_proxies_on_it() {
    let site = tempfile::tempdir().unwrap();
    let status = |trust: Trust, fields: Fields<'_>| {
        let mut app = App::new();
        app.trust(trust).mount("/", ownhands::Files::new(site.path()).unwrap().with_reasons()).unwrap();
        let mut client = MockClient::new(app).with_peer("127.0.0.1:5000".parse().unwrap());
        let mut request = client.request("GET", "/.env");
        for (name, value) in fields {
            request = request.header(name, value);
        }
        request.send().text().contains("--hidden")
    };
    let here = || Trust::new(["127.0.0.1/32".parse().unwrap()]);
    assert!(status(here(), &[]) && status(Trust::default(), &[]));
    assert!(!status(here(), &[(XFF, "192.0.2.7")]));
    assert!(!status(here(), &[(XFF, "127.0.0.1")]));
    assert!(!status(Trust::default(), &[(XFF, "127.0.0.1")]));
}

proptest! {
    /// Whatever stands before it, and whether it leaves a quote open: what the trusted proxy wrote is what counts.
    #[test]
    fn what_a_client_says_itself_changes_nothing(
        own in proptest::collection::vec(prop_oneof![
            Just(b"\"".to_vec()), Just(b",".to_vec()), Just(b";".to_vec()), Just(b"\\".to_vec()), Just(b"for=".to_vec()),
            Just(b"for=10.0.0.2".to_vec()), Just(b"a=\"".to_vec()), Just(b"[".to_vec()), Just(b"\xff".to_vec()),
            "[ -~]{0,3}".prop_map(String::into_bytes),
        ], 0..12),
        added in prop_oneof![
            Just((XFF, "192.0.2.7")), Just((XFF, "192.0.2.7, 10.0.0.3")), Just(("Forwarded", "for=192.0.2.7")),
            Just(("Forwarded", "for=192.0.2.7;ext=\"a, for=6.6.6.6\";proto=http, for=10.0.0.3")),
        ],
    ) {
        let (name, added) = added;
        let value = [own.concat(), b", ".to_vec(), added.as_bytes().to_vec()].concat();
        let mut client = MockClient::new(app(ours())).with_peer("10.0.0.1:5000".parse().unwrap());
        let answer = client.request("GET", "/").header(name, value).send();
        prop_assert!(answer.text().starts_with("192.0.2.7 "), "{}", answer.text());
    }
}

// The PROXY protocol.

/// A header of version 2.
fn v2(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[command, family][..], &length, block].concat()
}

fn v2_tcp4() -> Vec<u8> {
    v2(0x21, 0x11, &[198, 51, 100, 7, 192, 0, 2, 1, 0xc3, 0x50, 0, 80])
}

fn client_of(source: &str, destination: &str) -> Proxied {
    Proxied::Client { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
}

/// Headers and what they say.
fn headers() -> Vec<(Vec<u8>, Proxied)> {
    let v6 = [&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7][..], &[0; 15], &[1], &[1, 0, 0, 80]].concat();
    let tcp4 = client_of("198.51.100.7:50000", "192.0.2.1:80");
    let with_tlv =
        [&[198, 51, 100, 7, 192, 0, 2, 1, 0xc3, 0x50, 0, 80][..], &[1, 0, 2, b'h', b'2'], &[0xff; 9]].concat();
    vec![
        (b"PROXY TCP4 198.51.100.7 192.0.2.1 50000 80\r\n".to_vec(), tcp4),
        (b"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n".to_vec(), client_of("0.0.0.0:0", "255.255.255.255:65535")),
        (b"PROXY TCP6 2001:db8::7 ::1 256 80\r\n".to_vec(), client_of("[2001:db8::7]:256", "[::1]:80")),
        (
            b"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n".to_vec(),
            client_of(
                "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
                "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
            ),
        ),
        (b"PROXY UNKNOWN\r\n".to_vec(), Proxied::Unknown),
        (b"PROXY UNKNOWN any \xff thing\r\n".to_vec(), Proxied::Unknown),
        (v2_tcp4(), tcp4),
        (v2(0x21, 0x12, &v2_tcp4()[16..]), tcp4),
        (v2(0x21, 0x11, &with_tlv), tcp4),
        (v2(0x21, 0x21, &v6), client_of("[2001:db8::7]:256", "[::1]:80")),
        (v2(0x21, 0x31, &[b'/'; 216]), Proxied::Local),
        (v2(0x21, 0x00, b""), Proxied::Unknown),
        (v2(0x21, 0x00, b"additions"), Proxied::Unknown),
        (v2(0x20, 0x00, b""), Proxied::Itself),
        (v2(0x20, 0x11, &[0xff; 12]), Proxied::Itself),
        (v2(0x20, 0xff, &[0; 4096]), Proxied::Itself),
    ]
}

/// What must begin with a header and does not.
fn faults() -> Vec<Vec<u8>> {
    let lines: [&[u8]; 22] = [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PROXY\r\n",
        b"proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
        b"PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n",
        b"PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4  1 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.04 1 1\r\n",
        b"PROXY TCP4 1.2.3.4 ::1 1 1\r\n",
        b"PROXY TCP6 ::1 1.2.3.4 1 1\r\n",
        b"PROXY TCP6 [::1] ::1 1 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n",
        b"PROXY UNKNOWN\n",
        b"PROXY \xff\r\n",
        b"\r\n\r\n\0\r\nQUIT\r\n\x21\x11\0\0",
        b"\n",
    ];
    let long = [&b"PROXY UNKNOWN "[..], &[b'x'; 100]].concat();
    let blocks = [
        v2(0x11, 0x11, &[0; 12]),
        v2(0x22, 0x11, &[0; 12]),
        v2(0x21, 0x11, &[0; 11]),
        v2(0x21, 0x21, &[0; 35]),
        v2(0x21, 0x31, &[0; 215]),
        v2(0x21, 0x13, &[0; 12]),
        v2(0x21, 0x41, &[0; 12]),
        v2(0x20, 0x00, &[0; 4097]),
    ];
    lines.iter().map(|line| line.to_vec()).chain([long]).chain(blocks).collect()
}

#[test]
fn headers_are_read_when_they_are_complete() {
    for (bytes, want) in headers() {
        let shown = bytes.escape_ascii();
        assert_eq!(Proxied::decode(&bytes).expect("a header"), Some((want, bytes.len())), "{shown}");
        let followed = [&bytes[..], b"GET / HTTP/1.1\r\n"].concat();
        assert_eq!(Proxied::decode(&followed).expect("a header"), Some((want, bytes.len())), "{shown}");
        for length in 0..bytes.len() {
            assert_eq!(Proxied::decode(&bytes[..length]).expect("a beginning"), None, "{shown}, {length} bytes of it");
        }
    }
}

/// What is wrong stays wrong with every further byte, and in the same words.
#[test]
fn what_is_no_header_is_refused() {
    for bytes in faults() {
        let shown = bytes.escape_ascii();
        let whole = Proxied::decode(&bytes).expect_err(&shown.to_string());
        assert_eq!(whole.status.code(), 400);
        let first = (0..=bytes.len()).find_map(|length| Proxied::decode(&bytes[..length]).err());
        assert_eq!(first.map(|error| error.to_string()), Some(whole.to_string()), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_the_same_however_they_are_cut(
        start in prop_oneof![Just(&b"PROXY "[..]), Just(&b"PROXY TCP4 1.2.3.4 1.2.3.4 "[..]), Just(&b"\r\n\r\n\0\r\nQUIT\n\x21"[..]), Just(&b""[..])],
        rest in prop_oneof![proptest::collection::vec(any::<u8>(), 0..140), "[0-9 .:A-Z\r\n]{0,120}".prop_map(String::into_bytes)],
    ) {
        let bytes = [start, &rest].concat();
        let read = |bytes: &[u8]| Proxied::decode(bytes).map_err(|error| error.to_string());
        let first = (0..=bytes.len()).map(|length| read(&bytes[..length])).find(|read| *read != Ok(None));
        prop_assert_eq!(read(&bytes), first.unwrap_or(Ok(None)));
        if let Ok(Some((_, length))) = read(&bytes) {
            prop_assert!(length <= bytes.len() && length > 0);
        }
    }
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn behind_proxy() -> MockClient<App> {
    MockClient::new(app(ours())).with_peer("10.0.0.1:5000".parse().unwrap()).behind_proxy()
}

#[test]
fn a_connection_is_that_of_the_client_that_its_proxy_names() {
    let shown = |said| match said {
        Proxied::Itself | Proxied::Unknown => "10.0.0.1 5000 80".to_owned(),
        Proxied::Local => "- - 80".to_owned(),
        Proxied::Client { source, destination } => {
            format!("{} {} {}", source.ip(), source.port(), destination.port())
        }
    };
    for (header, said) in headers() {
        let wire = [&header[..], GET, GET].concat();
        let mut client = behind_proxy();
        client.deliver(&wire, &[]);
        let whole = client.take_received();
        assert_eq!(whole.windows(15).filter(|window| window == b"HTTP/1.1 200 OK").count(), 2);
        assert!(whole.ends_with(shown(said).as_bytes()), "{said:?}: {}", String::from_utf8_lossy(&whole));
        let cuts: Vec<usize> =
            if wire.len() < 400 { (0..=wire.len()).collect() } else { vec![1, 12, 15, 16, 17, 4000] };
        for &cut in &cuts {
            client.connect();
            client.deliver(&wire, &[cut]);
            assert_eq!(client.take_received(), whole, "{said:?}, cut at {cut}");
        }
        client.connect();
        client.deliver(&wire, &cuts);
        assert_eq!(client.take_received(), whole, "{said:?}, a byte at a time");
    }
}

/// A proxy that does not say who its client is does not look at what the client says of himself either.
#[test]
fn who_is_not_named_is_not_believed() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n";
    for (header, client) in [
        (b"PROXY UNKNOWN\r\n".to_vec(), "10.0.0.1"),
        (v2(0x21, 0x00, b""), "10.0.0.1"),
        (v2(0x20, 0x00, b""), "6.6.6.6"), // the proxy speaks for itself
    ] {
        let mut wire = header.clone();
        wire.extend_from_slice(request.as_bytes());
        let mut asking = behind_proxy();
        asking.deliver(&wire, &[]);
        let answer = asking.next_answer(false).unwrap();
        assert!(answer.text().contains(client), "{header:?}: {}", answer.text());
    }
}

#[test]
fn a_connection_that_does_not_begin_so_is_refused_and_closed() {
    for fault in faults() {
        let mut client = behind_proxy();
        client.deliver([&fault[..], GET].concat(), &[]);
        let answer = client.next_answer(false).expect("an answer");
        assert_eq!((answer.status(), answer.header("connection")), (400, Some("close")), "{}", fault.escape_ascii());
        assert!(answer.text().contains("PROXY"), "{}", answer.text());
        assert!(client.received().is_empty() && !client.is_open());
        let whole = answer.wire().to_vec();
        for cut in (0..=fault.len()).take(200) {
            client.connect();
            client.deliver(&fault, &[cut]);
            assert_eq!(client.take_received(), whole, "{}, cut at {cut}", fault.escape_ascii());
        }
    }
}

/// Nothing is guessed: a proxy that is not asked for a header, and anybody else, has sent a bad request line.
#[test]
fn a_header_that_nobody_asked_for_is_no_request() {
    for (header, _) in headers() {
        let mut client = MockClient::new(app(ours())).with_peer("10.0.0.1:5000".parse().unwrap());
        client.deliver([&header[..], GET].concat(), &[]);
        assert_eq!(client.next_answer(false).map(|answer| answer.status()), Some(400), "{}", header.escape_ascii());
        assert!(!client.is_open());
    }
}

#[test]
fn a_header_has_the_time_of_a_head() {
    let seconds = Timeouts::HEAD.as_secs();
    let mut client = behind_proxy();
    client.deliver(b"PROXY TCP4", &[]);
    client.sleep(seconds - 1);
    client.deliver(b" 198.51.100.7", &[]);
    assert!(client.is_open() && client.received().is_empty());
    client.sleep(1);
    assert_eq!(client.next_answer(false).map(|answer| answer.status()), Some(408));

    // One that says nothing at all is let go as any idle one.
    client.connect();
    client.sleep(Timeouts::IDLE.as_secs());
    assert!(client.received().is_empty() && client.is_closed());

    // Behind the header the time begins anew, as between requests.
    client.connect();
    client.sleep(seconds - 1);
    client.deliver(b"PROXY UNKNOWN\r\n", &[]);
    client.sleep(seconds + 1);
    assert_eq!(client.send(GET, &[]).status(), 200);
}

#[test]
fn a_proxy_that_ends_or_stops_early_leaves_nothing() {
    let mut client = behind_proxy();
    client.deliver(b"PROXY TC", &[]);
    client.end();
    assert_eq!(client.next_answer(false).map(|answer| answer.status()), Some(400));
    assert!(client.is_closed());
    let mut client = behind_proxy();
    client.connect();
    client.drain();
    assert!(client.is_closed() && client.received().is_empty());
}

/// The proxy says it once; what the requests say counts if its client is a proxy too.
#[test]
fn a_client_that_is_a_proxy_itself_is_asked_further() {
    let mut client = behind_proxy().with_limits(Limits { requests: 3, ..Limits::default() });
    client.deliver(b"PROXY TCP4 10.0.0.9 192.0.2.1 50000 80\r\n", &[]);
    let answer = client.request("POST", "/").header(XFF, "192.0.2.7").body("x").send();
    assert_eq!(answer.text(), "192.0.2.7 - 80");
    client.connect();
    client.deliver(b"PROXY TCP4 198.51.100.7 192.0.2.1 50000 80\r\n", &[]);
    let answer = client.request("POST", "/").header(XFF, "192.0.2.7").body("x").send();
    assert_eq!(answer.text(), "198.51.100.7 50000 80");
}

/// A transcript for many connections.
#[derive(Clone)]
struct Shared(Rc<Transcript>);

impl Tracer for Shared {
    fn trace(&self, peer: Option<SocketAddr>, event: &Event<'_>) {
        self.0.trace(peer, event);
    }
}

/// From the header on, what is shown goes by the client's address; what was held back under the proxy's is let go.
#[test]
fn a_transcript_follows_the_client() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let transcript = Shared(Rc::new(Transcript::new(file.reopen().unwrap()).with_filter("b".parse().unwrap())));
    let connect = |port: u16| {
        let mut client = MockClient::new(app(ours())).with_peer(SocketAddr::from(([10, 0, 0, 1], port))).behind_proxy();
        client = client.with_tracer(transcript.clone());
        client.deliver(b"PROXY TCP4 198.51.100.7 192.0.2.1 50000 80\r\n", &[7]);
        client
    };
    // More connections than a transcript holds back at one time.
    (1..2000).for_each(|port| drop(connect(port)));
    let mut client = connect(5000);
    client.get("/a");
    client.deliver(b"GET /b HT", &[]);
    client.send(b"TP/1.1\r\nHost: a\r\n\r\n", &[]);
    let shown = std::fs::read_to_string(file.path()).unwrap();
    assert!(shown.starts_with("* 198.51.100.7:50000\n") && shown.contains("> GET /b HT"), "{shown}");
    assert!(!shown.contains("/a") && !shown.contains("PROXY") && !shown.contains("10.0.0.1"), "{shown}");
}
