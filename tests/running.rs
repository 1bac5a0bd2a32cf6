//! A server in a thread, and peers of it: for what only a kernel can say. Every wait has an end.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ownhands::{Config, Handle, Server, Service};

use crate::samples::Echo;

/// The longest wait for anything that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long is listened for what must not come.
const SILENCE: Duration = Duration::from_millis(150);

/// A server in a thread; dropping it stops it.
pub(crate) struct Running {
    pub(crate) addresses: Vec<SocketAddr>,
    handle: Handle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    pub(crate) fn start<S: Service>(config: Config, service: impl FnOnce() -> S + Send + 'static) -> Running {
        Running::bind(&["127.0.0.1:0".parse().unwrap()], config, service)
    }

    pub(crate) fn echo() -> Running {
        Running::start(Config::default(), Echo::default)
    }

    /// The server is made where it runs: connections stay on their thread.
    pub(crate) fn bind<S: Service>(
        addresses: &[SocketAddr],
        config: Config,
        service: impl FnOnce() -> S + Send + 'static,
    ) -> Running {
        let addresses = addresses.to_vec();
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut server = Server::bind(&addresses, config, service())?;
            tell.send((server.local_addrs().to_vec(), server.handle())).unwrap();
            server.run()
        });
        let (addresses, handle) = told.recv_timeout(PATIENCE).expect("the server is bound");
        Running { addresses, handle, thread: Some(thread) }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.addresses[0])
    }

    /// Has the server stop at once, and waits until it has.
    pub(crate) fn stop_now(mut self) {
        self.handle.stop_now().unwrap();
        self.thread.take().unwrap().join().unwrap().unwrap();
    }

    /// Asks the server to stop, and goes on.
    pub(crate) fn begin_to_stop(&self) {
        self.handle.stop().unwrap();
    }

    /// Asks the server to stop, and waits until it has.
    pub(crate) fn stop(mut self) {
        self.handle.stop().unwrap();
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.handle.stop();
        // A test that failed must not wait for connections it still holds.
        if let Some(thread) = self.thread.take().filter(|_| !thread::panicking()) {
            thread.join().unwrap().unwrap();
        }
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(crate) fn say(stream: &mut TcpStream, wire: impl AsRef<[u8]>) {
    stream.write_all(wire.as_ref()).unwrap();
}

/// All that comes until the server ends.
pub(crate) fn hear_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    stream.read_to_end(&mut received).expect("the server ends the connection, and does not reset it");
    received
}

/// One answer: a head, and as much as its Content-Length says.
pub(crate) fn hear(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a complete head");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length").parse();
    let mut body = vec![0; length.unwrap()];
    stream.read_exact(&mut body).expect("a complete body");
    (head, body)
}

/// True if nothing comes for a while.
pub(crate) fn is_silent(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let result = stream.read(&mut [0]);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    matches!(result, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}
