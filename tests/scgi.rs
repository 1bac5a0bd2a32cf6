//! Requests to an application server that speaks SCGI: what it says, and what the peer gets of it.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ownhands::gateway::{Address, Basin, Scgi};
use ownhands::testing::{Answer, MockClient};
use ownhands::{App, Config, HttpError, Limits, Request, Response, Status, Timeouts};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tempfile::TempDir;

use crate::running::{PATIENCE, Running, get, hear, hear_all, say};

/// What an application server does with a connection.
enum Act {
    /// Reads the whole request.
    Hear,
    /// Reads so many bytes of it.
    HearSome(usize),
    Say(&'static str),
    SayByteByByte(&'static str),
    /// Says this over and over, until nobody listens.
    SayOnAndOn(&'static str),
    /// Reads nothing from now on.
    Deafen,
    /// Waits until the other side has closed.
    AwaitEnd,
    /// Waits for the test.
    AwaitSign,
}
use Act::*;

/// An application server that takes one connection after the other, for each of these scripts one.
struct Application {
    directory: TempDir,
    thread: Option<JoinHandle<Vec<Vec<u8>>>>,
    sign: Sender<()>,
}

impl Application {
    fn new(scripts: Vec<Vec<Act>>) -> Application {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("app")).unwrap();
        let (sign, signs) = channel();
        let thread = thread::spawn(move || {
            let mut heard = Vec::new();
            for script in scripts {
                heard.push(perform(accept(&listener), &script, &signs));
            }
            heard
        });
        Application { directory, thread: Some(thread), sign }
    }

    fn address(&self) -> Address {
        Address::unix(self.directory.path().join("app"))
    }

    /// What it has heard, once it has played all its scripts.
    fn heard(mut self) -> Vec<Vec<u8>> {
        self.thread.take().unwrap().join().unwrap()
    }
}

/// The next one who comes. A test that waits for nobody must end.
fn accept(listener: &UnixListener) -> UnixStream {
    let timeout = Timespec::try_from(PATIENCE).unwrap();
    let count = poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&timeout)).unwrap();
    assert_eq!(count, 1, "nobody comes");
    listener.accept().unwrap().0
}

fn perform(mut stream: UnixStream, script: &[Act], signs: &Receiver<()>) -> Vec<u8> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut heard = Vec::new();
    for act in script {
        match act {
            Hear => {
                while !is_whole(&heard) {
                    hear_some(&mut stream, &mut heard);
                }
            }
            HearSome(count) => {
                while heard.len() < *count {
                    hear_some(&mut stream, &mut heard);
                }
            }
            // Whoever hears enough may have gone.
            Say(text) => drop(stream.write_all(text.as_bytes())),
            SayByteByByte(text) => text.bytes().for_each(|byte| {
                stream.write_all(&[byte]).unwrap();
                thread::sleep(Duration::from_micros(500));
            }),
            SayOnAndOn(text) => while stream.write_all(text.as_bytes()).is_ok() {},
            Deafen => stream.shutdown(Shutdown::Read).unwrap(),
            AwaitEnd => {
                let end = stream.read_to_end(&mut heard);
                // With what it has said unread, the other side resets.
                assert!(end.as_ref().map_or_else(is_reset, |_| true), "{end:?}");
            }
            AwaitSign => signs.recv_timeout(PATIENCE).unwrap(),
        }
    }
    heard
}

fn is_reset(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionReset
}

fn hear_some(stream: &mut UnixStream, heard: &mut Vec<u8>) {
    let mut block = [0; 4096];
    let count = stream.read(&mut block).unwrap();
    assert_ne!(count, 0, "a whole request");
    heard.extend_from_slice(&block[..count]);
}

/// True if there are the variables, and the body whose length they say.
fn is_whole(heard: &[u8]) -> bool {
    let Some(colon) = heard.iter().position(|&byte| byte == b':') else { return false };
    let variables: usize = std::str::from_utf8(&heard[..colon]).unwrap().parse().unwrap();
    let body = colon + 1 + variables + 1;
    heard.len() >= body && {
        let length = heard[colon + 1..].split(|&byte| byte == 0).nth(1).unwrap();
        heard.len() - body == std::str::from_utf8(length).unwrap().parse::<usize>().unwrap()
    }
}

/// An app with it, which shows what the log is told of a failure.
fn app(scgi: Scgi) -> App {
    let mut app = App::new();
    app.mount("/app", scgi).unwrap();
    app.route("GET", "/other/(?<what>.*)", |request: &Request<'_>| {
        Response::text(format!("other {}", request.param("what").unwrap_or_default()))
    })
    .unwrap();
    for status in [500, 502, 503, 504] {
        app.on_error(status, |error: &HttpError, _: Option<&Request<'_>>| {
            error.source.as_ref().map(ToString::to_string).unwrap_or_default()
        });
    }
    app
}

/// The answer to this request, and what the application server heard.
fn ask(script: Vec<Act>, wire: &[u8]) -> (Answer, Vec<u8>) {
    let application = Application::new(vec![script]);
    let limits = Limits { body: 1 << 24, ..Limits::default() };
    let mut client = MockClient::new(app(Scgi::new(application.address()))).with_limits(limits);
    let answer = client.send(wire, &[]);
    drop(client);
    (answer, application.heard().remove(0))
}

fn post(body: &[u8]) -> Vec<u8> {
    let head = format!("POST /app/p HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

const GET: &[u8] = b"GET /app/p HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD: &[u8] = b"HEAD /app/p HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn what_is_said_and_what_the_peer_gets() {
    type Case = (&'static str, Vec<Act>, &'static [u8], u16, &'static str);
    let cases: Vec<Case> = vec![
        ("an answer", vec![Hear, Say("Content-Type: text/plain\r\n\r\nhello")], GET, 200, "hello"),
        ("a status", vec![Hear, Say("Status: 404 Not Here\nX: y\n\nno")], GET, 404, "no"),
        ("byte by byte", vec![Hear, SayByteByByte("Status: 201\r\nA: b\r\n\r\nhello")], GET, 201, "hello"),
        ("nothing in it", vec![Hear, Say("Status: 200\r\n\r\n")], GET, 200, ""),
        ("a method of its own", vec![Hear, Say("A: b\r\n\r\nhi")], b"BREW /app HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hi"),
        ("for HEAD", vec![Hear, Say("Content-Length: 5\r\n\r\nhello")], HEAD, 200, ""),
        ("no content by its status", vec![Hear, Say("Status: 304\r\n\r\nhello")], GET, 304, ""),
        ("all of its length", vec![Hear, Say("Content-Length: 5\r\n\r\nhello")], GET, 200, "hello"),
        ("and no end", vec![Hear, Say("Content-Length: 5\r\n\r\nhello"), AwaitEnd], GET, 200, "hello"),
        ("and no end of nothing", vec![Hear, Say("Content-Length: 0\r\n\r\n"), AwaitEnd], GET, 200, ""),
        ("more than its length", vec![Hear, Say("Content-Length: 4\r\n\r\nhello")], GET, 200, "hell"),
        ("elsewhere", vec![Hear, Say("Location: /other/place?q\r\n\r\n")], GET, 200, "other place"),
        ("its end at once", vec![Hear], GET, 502, "it ended without an answer"),
        ("nothing, not even heard", vec![], GET, 502, "it ended without an answer"),
        ("half a head", vec![Hear, Say("Status: 200\r\n")], GET, 502, "it ended within its head"),
        ("no head", vec![Hear, Say("<p>hello\n\n")], GET, 502, "a line of its head is no field: \"<p>hello\""),
    ];
    for (name, script, wire, status, text) in cases {
        let (answer, _) = ask(script, wire);
        assert_eq!(answer.status(), status, "{name}: {}", answer.text());
        match status {
            502 => assert!(
                answer.text().starts_with("the application server at unix:/") && answer.text().contains(text),
                "{name}: {}",
                answer.text()
            ),
            _ => assert_eq!(answer.text(), text, "{name}"),
        }
    }
}

#[test]
fn the_fields_of_an_answer_are_passed_on() {
    let head = "Content-Type: text/plain\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";
    for (wire, body) in [(GET, "hello"), (HEAD, "")] {
        let (answer, _) = ask(vec![Hear, Say(head), Say("hello")], wire);
        let fields: Vec<String> = answer
            .headers()
            .filter(|(name, _)| *name != "Date")
            .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
            .collect();
        assert_eq!(fields, ["Content-Length: 5", "Content-Type: text/plain", "Set-Cookie: a=b", "Set-Cookie: c=d"]);
        assert_eq!(answer.text(), body);
    }
}

#[test]
fn what_the_application_hears() {
    let wire = b"POST /app/a%20b?c=%64 HTTP/1.1\r\nHost: h:8\r\nX-Y: z\r\nContent-Length: 3\r\n\r\na\0b";
    let (_, heard) = ask(vec![Hear, Say("A: b\n\n")], wire);
    let text = heard.escape_ascii().to_string();
    let variables = text.split_once(":").unwrap().1.strip_suffix(",a\\x00b").unwrap();
    assert!(variables.starts_with("CONTENT_LENGTH\\x003\\x00SCGI\\x001\\x00"), "{variables}");
    for variable in ["REQUEST_METHOD=POST", "SCRIPT_NAME=/app", "PATH_INFO=/a b", "QUERY_STRING=c=%64", "HTTP_X_Y=z"] {
        let pair = format!("{}\\x00", variable.replacen('=', "\\x00", 1));
        assert!(variables.contains(&pair), "{variable} in {variables}");
    }
    assert_eq!(variables.matches("CONTENT_LENGTH").count(), 1);

    let (_, heard) = ask(vec![Hear, Say("A: b\n\n")], GET);
    assert!(heard.escape_ascii().to_string().contains(":CONTENT_LENGTH\\x000\\x00SCGI\\x001\\x00"));
}

/// More than any socket holds, and more than is kept in memory.
fn long_body() -> Vec<u8> {
    (0..3_000_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect()
}

#[test]
fn a_long_body_arrives_whole() {
    let (answer, heard) = ask(vec![Hear, Say("A: b\n\nthank you")], &post(&long_body()));
    assert_eq!(answer.text(), "thank you");
    assert!(heard.ends_with(&long_body()));
}

#[test]
fn an_answer_may_come_before_the_body_is_read() {
    let cases = [
        ("which is not read at all", vec![Say("A: b\n\nenough")]),
        ("of which a part is read", vec![HearSome(1000), Say("A: b\n\n"), Say("enough")]),
        ("which is refused", vec![HearSome(1000), Deafen, SayByteByByte("A: b\n\nenough")]),
        ("which is read later", vec![Say("A: b\nContent-Length: 6\n\n"), Hear, Say("enough")]),
    ];
    for (name, script) in cases {
        let (answer, _) = ask(script, &post(&long_body()));
        assert_eq!((answer.status(), answer.text().as_str()), (200, "enough"), "{name}");
    }
}

#[test]
fn nobody_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let left = directory.path().join("left");
    drop(UnixListener::bind(&left).unwrap());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let missing = directory.path().join("missing");
    for (address, why) in [
        (Address::unix(&missing), "No such file or directory"),
        (Address::unix(&left), "Connection refused"),
        (port.into(), "Connection refused"),
    ] {
        let answer = MockClient::new(app(Scgi::new(address.clone()))).get("/app/");
        assert_eq!(answer.status(), 502);
        let told = format!("the application server at {address}: {why}");
        assert!(answer.text().starts_with(&told), "{}", answer.text());
    }
}

#[test]
fn an_application_in_the_network() {
    // Wherever the name points first: somebody listens at one of its addresses only.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            while !is_whole(&heard) {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                heard.extend(byte);
            }
            stream.write_all(b"A: b\r\n\r\nfrom afar").unwrap();
        }
    });
    for host in ["127.0.0.1", "localhost"] {
        let address = format!("{host}:{port}").parse().unwrap();
        assert_eq!(MockClient::new(app(Scgi::new(address))).get("/app/").text(), "from afar", "{host}");
    }
    thread.join().unwrap();
}

#[test]
fn who_says_nothing_for_long_is_given_up() {
    let application = Application::new(vec![vec![Hear, AwaitEnd]]);
    let mut client = MockClient::new(app(Scgi::new(application.address())));
    client.deliver(GET, &[]);
    client.turn();
    client.sleep(29);
    client.turn();
    assert!(client.next_answer(false).is_none());
    client.sleep(1);
    client.turn();
    let answer = client.next_answer(false).unwrap();
    assert_eq!(answer.status(), 504);
    assert!(answer.text().ends_with("nothing has moved there for 30s"), "{}", answer.text());
    application.heard();
}

/// So much that there is always something to read.
const FAST: &str = include_str!("scgi.rs");

/// The answer to HEAD is its head. Who goes on talking must not keep the one connection for ever.
#[test]
fn what_is_said_behind_the_answer_to_head_has_an_end() {
    for on_and_on in ["more", FAST] {
        let endless = vec![Hear, Say("A: b\n\n"), SayOnAndOn(on_and_on)];
        let application = Application::new(vec![endless, vec![Hear, Say("A: b\n\nnext")]]);
        let mut client = MockClient::new(app(Scgi::new(application.address()).with_connections(1)));
        assert_eq!(client.send(HEAD, &[]).status(), 200);
        client.turn();
        client.sleep(29);
        client.turn();
        assert_eq!(client.get("/app/").status(), 503);
        client.sleep(2);
        client.turn();
        assert_eq!(client.get("/app/").text(), "next");
    }
}

/// Turns the client until this is so.
fn await_that(client: &mut MockClient<App>, what: impl Fn(&MockClient<App>) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !what(client) {
        assert!(Instant::now() < deadline, "{}", client.received().escape_ascii());
        thread::sleep(Duration::from_millis(1));
        client.turn();
    }
}

#[test]
fn the_time_runs_from_one_piece_to_the_next() {
    let application = Application::new(vec![vec![Hear, Say("A: b\r\n\r\none"), AwaitSign, Say(" and two"), AwaitEnd]]);
    let mut client = MockClient::new(app(Scgi::new(application.address())));
    client.deliver(GET, &[]);
    await_that(&mut client, |client| client.received().ends_with(b"one\r\n"));
    client.sleep(20);
    application.sign.send(()).unwrap();
    await_that(&mut client, |client| client.received().ends_with(b" and two\r\n"));
    client.sleep(20);
    client.turn();
    assert!(client.is_open());
    client.sleep(10);
    client.turn();
    client.turn();
    assert!(client.is_closed());
    application.heard();
}

#[test]
fn the_time_stands_still_while_the_peer_takes_nothing() {
    let block: &'static str = Box::leak("0123456789abcdef".repeat(4096).into_boxed_str());
    let application = Application::new(vec![vec![Hear, Say("A: b\r\n\r\n"), SayOnAndOn(block)]]);
    let never = Duration::from_secs(1_000_000);
    let timeouts = Timeouts { write: never, min_rate: 0, ..Timeouts::default() };
    // Where there is no basin for what it says.
    let scgi = Scgi::new(application.address()).with_basin(Basin::default().with_bytes(0));
    let mut client = MockClient::new(app(scgi)).with_timeouts(timeouts);
    client.connect();
    client.transport_mut().unwrap().accept_writes([10]);
    client.transport_mut().unwrap().stall();
    client.deliver(GET, &[]);
    await_that(&mut client, |client| !client.received().is_empty());
    for _ in 0..10 {
        client.sleep(1000);
        client.turn();
        assert!(client.is_open());
    }
    let deadline = Instant::now() + PATIENCE;
    while client.received().len() < 300_000 {
        assert!(Instant::now() < deadline, "{} bytes came", client.received().len());
        client.transport_mut().unwrap().accept_writes([10_000]);
        client.unblock();
    }
    drop(client);
    application.heard();
}

#[test]
fn who_is_not_wanted_any_more_is_left() {
    let application = Application::new(vec![vec![Hear, AwaitEnd]]);
    let mut client = MockClient::new(app(Scgi::new(application.address())));
    client.deliver(GET, &[]);
    client.turn();
    client.connect();
    client.turn();
    // Its script comes to an end.
    application.heard();
}

/// A server with an app whose gateway is made by this.
fn running(make: impl FnOnce() -> Scgi + Send + 'static) -> Running {
    Running::start(Config::default(), || app(make()))
}

#[test]
fn an_answer_over_sockets_and_the_next_on_the_same_connection() {
    let scripts = vec![
        vec![Hear, Say("Content-Length: 5\r\n\r\nfirst")],
        vec![Hear, Say("Content-Length: 6\r\n\r\n"), SayByteByByte("second")],
        vec![Hear, Say("A: b\r\n\r\n"), SayByteByByte("the third"), AwaitSign, Say(" and the end")],
    ];
    let application = Application::new(scripts);
    let address = application.address();
    let server = running(|| Scgi::new(address));
    let mut peer = server.connect();
    for text in ["first", "second"] {
        say(&mut peer, get("/app/"));
        assert_eq!(hear(&mut peer).1, text.as_bytes());
    }
    say(&mut peer, "GET /app/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    // What has come leaves before there is more.
    let mut received = Vec::new();
    while !received.ends_with(b"d\r\n") {
        let mut byte = [0];
        peer.read_exact(&mut byte).unwrap();
        received.extend(byte);
    }
    application.sign.send(()).unwrap();
    received.extend(hear_all(&mut peer));
    let text = String::from_utf8(received).unwrap();
    assert!(
        text.contains("Transfer-Encoding: chunked\r\n") && text.ends_with("c\r\n and the end\r\n0\r\n\r\n"),
        "{text}"
    );
    application.heard();
    server.stop();
}

#[test]
fn a_part_of_an_answer_is_not_taken_for_the_whole() {
    let application = Application::new(vec![vec![Hear, Say("Content-Length: 9\r\n\r\nhello"), AwaitSign]]);
    let address = application.address();
    let server = running(|| Scgi::new(address));
    let mut peer = server.connect();
    say(&mut peer, get("/app/"));
    let mut received = Vec::new();
    while !received.ends_with(b"hello") {
        let mut byte = [0];
        peer.read_exact(&mut byte).unwrap();
        received.extend(byte);
    }
    application.sign.send(()).unwrap();
    let rest = peer.read_to_end(&mut received);
    assert!(received.ends_with(b"\r\n\r\nhello"), "{rest:?} {}", received.escape_ascii());
    application.heard();
    server.stop();
}

#[test]
fn a_peer_that_does_not_read_holds_up_its_own_answer_until_it_leaves() {
    let block: &'static str = Box::leak("0123456789abcdef".repeat(4096).into_boxed_str());
    let application = Application::new(vec![
        vec![Hear, Say("A: b\r\n\r\n"), SayOnAndOn(block)],
        vec![Hear, Say("Content-Length: 4\r\n\r\nnext")],
    ]);
    let address = application.address();
    let server = running(|| Scgi::new(address).with_connections(1));
    let mut peer = server.connect();
    say(&mut peer, get("/app/"));
    let mut some = [0; 4096];
    peer.read_exact(&mut some).unwrap();
    // All connections are in use.
    let mut other = server.connect();
    say(&mut other, get("/app/"));
    let (head, body) = hear(&mut other);
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("\r\nRetry-After: 1\r\n"), "{head}");
    assert!(body.ends_with(b": all 1 connections are in use"), "{}", body.escape_ascii());
    // When the peer has left, the application notices, and its connection is free for another.
    drop(peer);
    let deadline = Instant::now() + PATIENCE;
    loop {
        say(&mut other, get("/app/"));
        let (head, body) = hear(&mut other);
        if head.starts_with("HTTP/1.1 200 ") {
            assert_eq!(body, b"next");
            break;
        }
        assert!(head.starts_with("HTTP/1.1 503 ") && Instant::now() < deadline, "{head}");
        thread::sleep(Duration::from_millis(5));
    }
    application.heard();
    server.stop();
}

#[test]
fn a_long_answer_arrives_whole() {
    const PIECE: &str = "a line of an answer that is rather long\n";
    let whole: &'static str = Box::leak(PIECE.repeat(200_000).into_boxed_str());
    let application = Application::new(vec![vec![Hear, Say("A: b\r\n\r\n"), Say(whole)]]);
    let address = application.address();
    let server = running(|| Scgi::new(address));
    let mut peer = server.connect();
    say(&mut peer, "GET /app/ HTTP/1.0\r\n\r\n");
    let received = hear_all(&mut peer);
    assert!(received.ends_with(&[b"\r\n\r\n", whole.as_bytes()].concat()), "{} bytes came", received.len());
    application.heard();
    server.stop();
}

#[test]
fn who_finds_no_place_in_the_queue_waits_for_one() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
    let directory = tempfile::tempdir().unwrap();
    let path: PathBuf = directory.path().join("app");
    let listener = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    listen(&listener, 0).unwrap();
    let listener = UnixListener::from(listener);
    // Its queue is full of one.
    let first = UnixStream::connect(&path).unwrap();
    let address = Address::unix(&path);
    let server = running(|| Scgi::new(address));
    let mut peer = server.connect();
    say(&mut peer, get("/app/"));
    assert!(crate::running::is_silent(&mut peer), "nobody has answered");
    drop(first);
    drop(listener.accept().unwrap());
    let (_signs, signs) = channel();
    let heard = perform(listener.accept().unwrap().0, &[Hear, Say("Content-Length: 3\n\nnow")], &signs);
    assert!(is_whole(&heard));
    assert_eq!(hear(&mut peer).1, b"now");
    server.stop();
}

#[test]
fn a_refusal_is_told_to_the_log_with_its_status() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&seen);
    let mut app = App::new();
    app.mount("/", Scgi::new("unix:/nowhere".parse().unwrap())).unwrap();
    app.on_error(502, move |error: &HttpError, _: Option<&Request<'_>>| {
        told.borrow_mut().push(error.status);
        error.detail.to_string()
    });
    // Nothing of the inside is shown to the peer.
    assert_eq!(MockClient::new(app).get("/").text(), "the application gave no answer that can be passed on");
    assert_eq!(*seen.borrow(), [Status::BAD_GATEWAY]);
}
