//! A server and the program that runs it: what is handed out between turns, and what may be changed there.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use ownhands::{App, Call, Config, Exchange, Figures, Listener, Request, Server};

use crate::running::{PATIENCE, connect, get, hear, say};

fn app(text: &'static str) -> App {
    let mut app = App::new();
    app.route("GET", "/", move |_: &Request<'_>| text).unwrap();
    app
}

fn server(text: &'static str) -> Server<App> {
    Server::bind(&["127.0.0.1:0".parse().unwrap()], Config::default(), app(text)).unwrap()
}

/// Serves until something else than the time is told.
fn attend(server: &mut Server<App>) -> Option<Call> {
    loop {
        match server.attend(Some(Duration::from_millis(5))).unwrap() {
            Some(Call::Time) => {}
            call => return call,
        }
    }
}

#[test]
fn the_time_is_told() {
    let mut server = server("");
    assert_eq!(server.attend(Some(Duration::ZERO)).unwrap(), Some(Call::Time));
    assert_eq!(server.attend(Some(Duration::from_millis(5))).unwrap(), Some(Call::Time));
}

#[test]
fn what_is_watched_is_told_by_its_key() {
    let mut server = server("");
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    server.watch(7, &ours).unwrap();
    assert_eq!(server.attend(Some(Duration::from_millis(5))).unwrap(), Some(Call::Time));
    for _ in 0..3 {
        theirs.write_all(b"x").unwrap();
        assert_eq!(attend(&mut server), Some(Call::Ready(7)));
        assert_eq!(ours.read(&mut [0; 8]).unwrap(), 1);
        assert_eq!(ours.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    server.unwatch(&ours).unwrap();
    theirs.write_all(b"x").unwrap();
    assert_eq!(server.attend(Some(Duration::from_millis(5))).unwrap(), Some(Call::Time));
    assert_eq!(server.watch(4096, &ours).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn another_application_answers_on_the_connections_that_are_there() {
    let mut server = server("one");
    let address = server.local_addrs()[0];
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    server.watch(0, &ours).unwrap();
    let peer = thread::spawn(move || {
        let mut peer = connect(address);
        say(&mut peer, get("/"));
        let first = hear(&mut peer).1;
        // Half a request is there while the application changes.
        say(&mut peer, "GET / HTTP/1.1\r\n");
        theirs.write_all(b"x").unwrap();
        theirs.set_read_timeout(Some(PATIENCE)).unwrap();
        theirs.read_exact(&mut [0]).unwrap();
        say(&mut peer, "Host: a\r\n\r\n");
        let second = hear(&mut peer).1;
        drop(theirs);
        (first, second)
    });
    assert_eq!(attend(&mut server), Some(Call::Ready(0)));
    server.replace(app("two"), Config { max_connections: 10, ..Config::default() });
    assert_eq!(ours.read(&mut [0; 8]).unwrap(), 1);
    ours.write_all(b"x").unwrap();
    assert_eq!(attend(&mut server), Some(Call::Ready(0)), "the end");
    assert_eq!(peer.join().unwrap(), (b"one".to_vec(), b"two".to_vec()));
    let figures = server.figures();
    assert_eq!((figures.accepted, figures.requests), (1, 2));
}

#[test]
fn a_successor_has_the_sockets_and_nobody_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listeners = vec![Listener::tcp("127.0.0.1:0".parse().unwrap()).unwrap(), Listener::unix(&path).unwrap()];
    let mut old = Server::new(listeners, Config::default(), app("old")).unwrap();
    let address = old.local_addrs()[0];
    let mut peer = connect(address);
    say(&mut peer, get("/"));
    while old.figures().requests == 0 {
        old.attend(Some(Duration::from_millis(1))).unwrap();
    }
    let handed: Vec<_> = old.listeners().map(|one| one.as_fd().try_clone_to_owned().unwrap()).collect();
    let listeners = handed.into_iter().map(|one| Listener::from_fd(one).unwrap()).collect();
    let mut new = Server::new(listeners, Config::default(), app("new")).unwrap();
    assert_eq!(new.local_addrs(), [address]);
    // They knock while there are two, and are let in when there is one.
    let mut knocking = [connect(address), connect(address)];
    let mut local = UnixStream::connect(&path).unwrap();
    old.hand_over();
    for one in &mut knocking {
        say(one, get("/"));
    }
    local.write_all(get("/").as_bytes()).unwrap();
    assert_eq!(old.attend(None).unwrap(), None, "its idle connection ends, and so does it");
    assert_eq!(old.listeners().count(), 0);
    drop(old);
    assert!(path.exists(), "the name is the successor's");
    assert_eq!(hear(&mut peer).1, b"old");
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    while new.figures().requests < 3 {
        new.attend(Some(Duration::from_millis(1))).unwrap();
    }
    for one in &mut knocking {
        assert_eq!(hear(one).1, b"new");
    }
    assert!(TcpStream::connect(address).is_ok());
}

/// An end at this moment might meet the next request of somebody who has just been answered.
#[test]
fn who_is_busy_at_a_hand_over_is_answered_once_more_and_told() {
    let mut server = server("text");
    let address = server.local_addrs()[0];
    let mut peer = connect(address);
    for is_handed_over in [false, true] {
        if is_handed_over {
            server.hand_over();
        }
        say(&mut peer, get("/"));
        let asked = server.figures().requests;
        while server.figures().requests == asked {
            assert!(server.attend(Some(Duration::from_millis(1))).unwrap().is_some(), "it has ended");
        }
        let (head, body) = hear(&mut peer);
        assert_eq!(body, b"text");
        assert_eq!(head.contains("\r\nConnection: close\r\n"), is_handed_over, "{head}");
    }
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    drop(peer);
    assert_eq!(server.attend(None).unwrap(), None);
}

#[test]
fn what_is_cut_off_at_the_end_is_told_to_observers() {
    let sent = Rc::new(Cell::new(None));
    let told = Rc::clone(&sent);
    let mut app = App::new();
    app.route("GET", "/long", |_: &Request<'_>| "x".repeat(LONG)).unwrap();
    app.add_observer(move |exchange: &Exchange| told.set(Some(exchange.sent)));
    let config = Config { grace: Duration::from_millis(20), ..Config::default() };
    let mut server = Server::bind(&["127.0.0.1:0".parse().unwrap()], config, app).unwrap();
    let mut peer = connect(server.local_addrs()[0]);
    say(&mut peer, get("/long"));
    while server.figures().requests == 0 {
        server.attend(Some(Duration::from_millis(1))).unwrap();
    }
    server.handle().stop().unwrap();
    assert_eq!(server.attend(None).unwrap(), None);
    assert!((1..LONG as u64).contains(&sent.get().expect("it is told")), "{sent:?}");
    assert_eq!(server.figures().connections, 0);
}

/// Longer than what the kernel takes on for a peer that does not read.
const LONG: usize = 16 << 20;

/// The figures of a server that runs in this thread until its peers, who speak in another, have said all.
fn figures_after(config: Config, speak: impl FnOnce(std::net::SocketAddr) + Send + 'static) -> (Figures, Figures) {
    let mut app = app("text");
    app.route("GET", "/long", |_: &Request<'_>| "x".repeat(8 << 20)).unwrap();
    let mut server = Server::bind(&["127.0.0.1:0".parse().unwrap()], config, app).unwrap();
    let address = server.local_addrs()[0];
    let peers = thread::spawn(move || speak(address));
    let mut most = server.figures();
    while !peers.is_finished() || server.figures().connections > 0 {
        server.attend(Some(Duration::from_millis(1))).unwrap();
        if server.figures().kept > most.kept {
            most = server.figures();
        }
    }
    peers.join().unwrap();
    (most, server.figures())
}

#[test]
fn what_was_kept_is_given_back() {
    let (most, end) = figures_after(Config::default(), |address| {
        let said: [&[u8]; 6] = [
            b"GET / HTTP/1.1\r\nX: y",
            b"\r",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
            b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /long HTTP/1.1\r\nHost: a\r\n\r\nGET / HT",
            b"no request\r\n\r\n",
        ];
        let peers = said.map(|said| {
            let mut peer = connect(address);
            say(&mut peer, said);
            peer
        });
        thread::sleep(Duration::from_millis(50));
        drop(peers);
    });
    assert!(most.kept > 1 << 20, "a long answer that nobody reads is kept: {most:?}");
    assert_eq!((end.kept, end.connections, end.let_go, end.turned_away), (0, 0, 0, 0), "{end:?}");
}

#[test]
fn who_yields_and_who_is_turned_away_is_counted() {
    let small = Config { max_connections: 2, ..Config::default() };
    let (_, end) = figures_after(small, |address| {
        let mut idle = [connect(address), connect(address)];
        for peer in &mut idle {
            say(peer, get("/"));
            hear(peer);
        }
        let mut busy = [connect(address), connect(address)];
        for peer in &mut busy {
            say(peer, "GET / HTTP/1.1\r\n");
            thread::sleep(Duration::from_millis(20));
        }
        let mut late = connect(address);
        assert!(hear(&mut late).0.starts_with("HTTP/1.1 503 "));
    });
    assert_eq!((end.accepted, end.yielded, end.turned_away, end.kept), (5, 2, 1, 0), "{end:?}");
}
