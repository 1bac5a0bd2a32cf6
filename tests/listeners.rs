//! The kinds of sockets a server can listen on.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use ownhands::{App, Config, Handle, Listener, Request, Server};

/// A server in a thread of its own, stopped and waited for when the test ends.
struct Running {
    handle: Handle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    fn start(listeners: Vec<Listener>) -> Self {
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut app = App::new();
            app.route("GET", "/", |request: &Request<'_>| format!("{:?}\n", request.peer.map(|peer| peer.ip())))
                .unwrap();
            let mut server = Server::new(listeners, Config::default(), app).unwrap();
            sender.send(server.handle()).unwrap();
            server.run().unwrap();
        });
        Running { handle: receiver.recv().unwrap(), thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.handle.stop();
        if let Some(Err(panic)) = self.thread.take().map(std::thread::JoinHandle::join)
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

fn ask(mut stream: impl Read + Write) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.rsplit("\r\n").next().unwrap_or_default().to_owned()
}

fn dial_unix(path: &std::path::Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn dial_tcp(address: std::net::SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

#[test]
fn a_socket_in_the_file_system_and_an_address_side_by_side() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let tcp = Listener::tcp("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = tcp.local_addr().unwrap();
    let unix = Listener::unix(&path).unwrap();
    assert_eq!(unix.local_addr(), None);
    let running = Running::start(vec![unix, tcp]);
    for _ in 0..3 {
        assert_eq!(ask(dial_unix(&path)), "None\n");
        assert_eq!(ask(dial_tcp(address)), "Some(127.0.0.1)\n");
    }
    drop(running);
    assert!(!path.exists(), "its name is gone with it");
}

#[test]
fn only_a_socket_that_was_left_behind_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let refused = |path: &std::path::Path| Listener::unix(path).unwrap_err().kind();

    let alive = UnixListener::bind(&path).unwrap();
    assert_eq!(refused(&path), io::ErrorKind::AddrInUse);
    drop(alive); // the name stays
    let running = Running::start(vec![Listener::unix(&path).unwrap()]);
    assert_eq!(ask(dial_unix(&path)), "None\n");
    assert_eq!(refused(&path), io::ErrorKind::AddrInUse);
    drop(running);

    std::fs::write(&path, "precious").unwrap();
    assert_eq!(refused(&path), io::ErrorKind::AddrInUse);
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

#[test]
fn a_listening_socket_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let unix = UnixListener::bind(&path).unwrap();
    // Somebody who came before the server did is served too.
    let early = dial_tcp(address);
    let listeners = [OwnedFd::from(tcp), OwnedFd::from(unix)].map(|socket| Listener::from_fd(socket).unwrap());
    let _running = Running::start(listeners.into());
    assert_eq!(ask(early), "Some(127.0.0.1)\n");
    assert_eq!(ask(dial_unix(&path)), "None\n");
}

#[test]
fn what_does_not_listen_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = dial_tcp(listener.local_addr().unwrap());
    assert_eq!(Listener::from_fd(stream.into()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert!(Listener::from_fd(tempfile::tempfile().unwrap().into()).is_err());
}

#[test]
fn a_socket_in_the_file_system_is_open_to_all_and_goes_only_while_it_is_its_own() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let (path, other) = (directory.path().join("socket"), directory.path().join("other"));
    let first = Listener::unix(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    let second = Listener::unix(&other).unwrap();
    std::fs::rename(&other, &path).unwrap();
    drop(first);
    assert!(path.exists(), "the name is another's now");
    drop(second);
    assert!(path.exists(), "and that one was bound elsewhere");
}
