//! Answers that come later, and streams that have nothing to say for a while.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use ownhands::testing::MockClient;
use ownhands::{App, Config, Deferred, HttpError, Produced, Request, Response, Server, Source, Status, Timeouts};

/// The handles of requests to `/later`, for a test to answer when it likes.
type Owed = Rc<RefCell<Vec<Deferred>>>;

fn app() -> (App, Owed) {
    let owed = Owed::default();
    let keep = Rc::clone(&owed);
    let mut app = App::new();
    app.route("GET", "/now", |_: &Request<'_>| "now\n").unwrap();
    app.route("GET", "/later", move |request: &Request<'_>| {
        let (deferred, response) = request.defer();
        keep.borrow_mut().push(deferred);
        response
    })
    .unwrap();
    app.route("GET", "/thread/(?<n>[0-9]+)", |request: &Request<'_>| {
        let (deferred, response) = request.defer();
        let text = format!("thread {}\n", request.param("n").unwrap_or_default());
        std::thread::spawn(move || deferred.answer(text));
        response
    })
    .unwrap();
    app.route("GET", "/ticks", |_: &Request<'_>| Response::stream(Ticks(0))).unwrap();
    (app, owed)
}

/// Three lines, one every 200 ms.
struct Ticks(u32);

impl Source for Ticks {
    fn produce(&mut self, out: &mut Vec<u8>) -> std::io::Result<Produced> {
        self.0 += 1;
        out.extend_from_slice(format!("tick {}\n", self.0).as_bytes());
        Ok(if self.0 < 3 { Produced::Later(Duration::from_millis(200)) } else { Produced::All })
    }
}

const LATER: &str = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
const NOW: &str = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn an_answer_from_another_thread() {
    let mut client = MockClient::new(app().0);
    for n in 0..20 {
        assert_eq!(client.get(&format!("/thread/{n}")).text(), format!("thread {n}\n"));
    }
}

#[test]
fn requests_behind_a_deferred_one_wait_for_it() {
    let (app, owed) = app();
    let mut client = MockClient::new(app);
    client.deliver([NOW, LATER, NOW, LATER, NOW].concat(), &[]);
    assert_eq!(client.next_answer(false).unwrap().text(), "now\n", "what was answered before is not held back");
    assert!(client.next_answer(false).is_none());
    for text in ["first\n", "second\n"] {
        assert_eq!(owed.borrow().len(), 1, "the next request is not looked at before");
        owed.borrow_mut().pop().unwrap().answer(text);
        client.turn();
        assert_eq!(client.next_answer(false).unwrap().text(), text);
        assert_eq!(client.next_answer(false).unwrap().text(), "now\n");
    }
    assert!(client.received().is_empty());
}

#[test]
fn a_handle_may_answer_at_once_or_with_an_error_or_not_at_all() {
    let (app, owed) = app();
    let mut client = MockClient::new(app);
    let mut outcome = |finish: &dyn Fn(Deferred)| {
        client.deliver(LATER, &[]);
        finish(owed.borrow_mut().pop().unwrap());
        client.turn();
        let answer = client.next_answer(false).unwrap();
        (answer.status(), answer.text(), answer.header("Connection").map(str::to_owned))
    };
    assert_eq!(outcome(&|deferred| deferred.answer((Status::CREATED, "made\n"))), (201, "made\n".into(), None));
    let refused = "410 Gone: it went\n".to_owned();
    assert_eq!(outcome(&|deferred| deferred.answer(gone())), (410, refused, None));
    let dropped = "500 Internal Server Error: the server failed to answer this request\n".to_owned();
    assert_eq!(outcome(&|deferred| drop(deferred)), (500, dropped, None));
    let (status, ..) = outcome(&|deferred| deferred.answer(Response::text("x").with_header("X-A", "\r\n")));
    assert_eq!(status, 500);
}

fn gone() -> Result<&'static str, HttpError> {
    Err(HttpError::new(Status::new(410).unwrap(), "it went"))
}

#[test]
fn an_answer_that_does_not_come_is_503_and_its_handle_knows() {
    let (app, owed) = app();
    let mut client = MockClient::new(app);
    client.deliver(LATER, &[]);
    client.sleep(Timeouts::ANSWER.as_secs() - 1);
    assert!(owed.borrow()[0].is_wanted());
    assert!(client.next_answer(false).is_none());
    client.sleep(1);
    assert_eq!(client.next_answer(false).unwrap().status(), 503);
    assert!(!owed.borrow()[0].is_wanted());
    owed.borrow_mut().clear();
    assert_eq!(client.get("/now").text(), "now\n", "the connection goes on");
}

#[test]
fn a_peer_that_ends_its_direction_still_gets_its_answer() {
    let (app, owed) = app();
    let mut client = MockClient::new(app);
    client.deliver(LATER, &[]);
    client.end();
    assert!(owed.borrow()[0].is_wanted());
    owed.borrow_mut().pop().unwrap().answer("late\n");
    client.turn();
    assert_eq!(client.next_answer(false).unwrap().text(), "late\n");
    assert!(client.is_closed());
}

#[test]
fn a_stream_sleeps_between_its_slices() {
    let mut client = MockClient::new(app().0);
    client.deliver("GET /ticks HTTP/1.0\r\n\r\n", &[]);
    let shown = |client: &MockClient<App>| String::from_utf8_lossy(client.received()).matches("tick").count();
    assert_eq!(shown(&client), 1);
    client.turn();
    assert_eq!(shown(&client), 1, "it is not asked before its time");
    client.sleep(1);
    assert!(client.next_answer(false).unwrap().text().ends_with("tick 1\ntick 2\ntick 3\n"));
}

/// Stops the server when the test ends, however it ends.
struct Stop(ownhands::Handle);

impl Drop for Stop {
    fn drop(&mut self) {
        let _ = self.0.stop();
    }
}

#[test]
fn deferred_answers_and_streams_over_sockets() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let mut server = Server::bind(&["127.0.0.1:0".parse().unwrap()], Config::default(), app().0).unwrap();
        sender.send((server.local_addrs()[0], Stop(server.handle()))).unwrap();
        server.run().unwrap();
    });
    let (address, stop) = receiver.recv().unwrap();
    let peers: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(address).unwrap()).collect();
    for (n, mut peer) in peers.iter().enumerate() {
        peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let requests =
            [format!("/thread/{n}"), "/ticks".into(), "/now".into(), format!("/thread/{}", n + 1)].map(|target| {
                let end = if target == format!("/thread/{}", n + 1) { "Connection: close\r\n" } else { "" };
                format!("GET {target} HTTP/1.1\r\nHost: a\r\n{end}\r\n")
            });
        peer.write_all(requests.concat().as_bytes()).unwrap();
    }
    for (n, mut peer) in peers.iter().enumerate() {
        let mut text = String::new();
        peer.read_to_string(&mut text).unwrap();
        let places: Vec<usize> =
            [&format!("thread {n}\n"), "tick 1\n", "tick 2\n", "tick 3\n", "now\n", &format!("thread {}\n", n + 1)]
                .map(|part| text.find(part).unwrap_or_else(|| panic!("no {part:?} in {text}")))
                .into();
        assert!(places.is_sorted(), "{places:?} in {text}");
    }
    drop(stop);
    server.join().unwrap();
}

#[test]
fn a_peer_that_resets_is_told_to_the_handle() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let (told, tell) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let mut app = App::new();
        app.route("GET", "/", move |request: &Request<'_>| {
            let (deferred, response) = request.defer();
            told.send(deferred).unwrap();
            response
        })
        .unwrap();
        let mut server = Server::bind(&["127.0.0.1:0".parse().unwrap()], Config::default(), app).unwrap();
        sender.send((server.local_addrs()[0], Stop(server.handle()))).unwrap();
        server.run().unwrap();
    });
    let (address, stop) = receiver.recv().unwrap();
    let mut peer = TcpStream::connect(address).unwrap();
    peer.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let deferred = tell.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(deferred.is_wanted());
    rustix::net::sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).unwrap();
    drop(peer); // a reset, as from a program that was killed
    for _ in 0..1000 {
        if !deferred.is_wanted() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!deferred.is_wanted());
    drop((deferred, stop));
    server.join().unwrap();
}
