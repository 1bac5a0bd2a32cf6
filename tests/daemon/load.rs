//! Clients that ask without end, and count what they were not given.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use super::super::command::PATIENCE;
use super::until;

/// Two clients: one connects for each request, the other keeps its connection.
pub(super) struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<io::Result<()>>>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    anew: AtomicUsize,
    kept: AtomicUsize,
}

impl Load {
    pub(super) fn on(address: &str) -> Load {
        let shared = Arc::new(Shared::default());
        let client = |ask: fn(&str, &Shared) -> io::Result<()>| {
            let (address, shared) = (address.to_owned(), Arc::clone(&shared));
            thread::spawn(move || ask(&address, &shared))
        };
        let clients = vec![client(ask_anew), client(ask_on)];
        Load { shared, clients }
    }

    /// Waits until each client has been answered some more.
    pub(super) fn go_on(&self) {
        for count in [&self.shared.anew, &self.shared.kept] {
            let before = count.load(Ordering::SeqCst);
            until("more answers", || {
                let has_failed = self.clients.iter().any(JoinHandle::is_finished);
                has_failed || count.load(Ordering::SeqCst) >= before + 20
            });
        }
    }

    /// Every request was answered.
    pub(super) fn end(self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.join().unwrap().unwrap();
        }
    }
}

fn connect(address: &str) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

fn ask_anew(address: &str, shared: &Shared) -> io::Result<()> {
    while !shared.is_over.load(Ordering::SeqCst) {
        let mut stream = connect(address)?;
        ask(&mut stream)?.ok_or(io::Error::other("a new connection was closed without an answer"))?;
        shared.anew.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

/// A connection that was idle may be closed; then the request is repeated on another (RFC 9112, 9.3.1).
fn ask_on(address: &str, shared: &Shared) -> io::Result<()> {
    let mut stream = connect(address)?;
    let mut is_new = true;
    while !shared.is_over.load(Ordering::SeqCst) {
        match ask(&mut stream)? {
            Some(answer) => {
                shared.kept.fetch_add(1, Ordering::SeqCst);
                is_new = answer == Answer::Last;
                if is_new {
                    stream = connect(address)?;
                }
            }
            None if is_new => return Err(io::Error::other("a new connection was closed without an answer")),
            None => {
                stream = connect(address)?;
                is_new = true;
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Kept,
    /// The server closes after it.
    Last,
}

/// Asks; `None` if the connection was closed before a byte of the answer came.
fn ask(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Answer>> {
    let is_gone =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe);
    let mut line = String::new();
    let asked = stream.get_mut().write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    match asked.and_then(|()| stream.read_line(&mut line)) {
        Ok(0) => return Ok(None),
        Err(error) if is_gone(&error) && line.is_empty() => return Ok(None),
        other => other?,
    };
    let mut answer = Answer::Kept;
    let mut length = None;
    if line != "HTTP/1.1 200 OK\r\n" {
        return Err(io::Error::other(format!("it said {line}")));
    }
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.split_once(": ") {
            Some(("Connection", "close\r\n")) => answer = Answer::Last,
            Some(("Content-Length", count)) => length = count.trim().parse().ok(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length.ok_or(io::Error::other("an answer without a length"))?];
    stream.read_exact(&mut body)?;
    if body != b"the index\n" {
        return Err(io::Error::other("another body"));
    }
    Ok(Some(answer))
}
