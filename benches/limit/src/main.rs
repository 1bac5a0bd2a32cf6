//! What the kernel alone costs: the limit for `benches/compare`, below which no server of this kind can get.
//!
//! ```text
//! limit ADDRESS:PORT BYTES           answers every request with a body of so many bytes, from memory
//! limit ADDRESS:PORT BYTES PATH      the same, and sends the body from this file
//! limit ADDRESS:PORT BYTES close     the same from memory, and closes after each answer
//! ```
//!
//! One thread and one epoll: a read, a write, and nothing between them but counting the ends of heads, for pipelines. It
//! parses nothing, looks up nothing, limits nothing and frees a closed connection late. Never put it on a network.

use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fs::sendfile;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, accept_with, listen, recv, send, sockopt};

/// What everybody gets.
struct Answer {
    /// The head, and the body where it is small, many times over for pipelines.
    bytes: Vec<u8>,
    /// The length of one of them.
    length: usize,
    /// What follows from a file, and how much of it.
    file: Option<(File, usize)>,
    closes: bool,
}

/// A connection.
struct Peer {
    socket: TcpStream,
    /// Bytes still owed of answers in memory.
    owed: usize,
    /// Bytes still owed of the file.
    owed_of_file: usize,
}

const LISTENER: u64 = u64::MAX;
/// Answers in one write, at most.
const PIPELINE: usize = 64;
/// Bytes sent in one turn, so that a download does not hold the loop.
const SHARE: usize = 256 * 1024;

impl Answer {
    fn new(length: usize, more: Option<&str>) -> io::Result<Answer> {
        let closes = more == Some("close");
        let file = more.filter(|_| !closes).map(File::open).transpose()?.map(|file| (file, length));
        let connection = if closes { "Connection: close\r\n" } else { "" };
        let mut one = format!(
            "HTTP/1.1 200 OK\r\nServer: limit\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\nContent-Type: text/plain\r\n\
             Last-Modified: Sat, 21 Nov 2026 10:00:00 GMT\r\nETag: \"12345678-400\"\r\nContent-Length: {length}\r\n{connection}\r\n"
        )
        .into_bytes();
        if file.is_none() {
            one.resize(one.len() + length, b'x');
        }
        let copies = if file.is_none() && one.len() < 16 * 1024 { PIPELINE } else { 1 };
        Ok(Answer { length: one.len(), bytes: one.repeat(copies), file, closes })
    }
}

impl Peer {
    /// Reads what has come, and answers as far as the peer takes it. False when it is over.
    fn advance(&mut self, answer: &Answer, scratch: &mut Vec<u8>) -> Result<bool, Errno> {
        loop {
            if !self.send(answer)? {
                return Ok(true); // an event tells when it takes more
            }
            scratch.clear();
            let room = scratch.capacity();
            let count = match recv(&self.socket, spare_capacity(scratch), RecvFlags::empty()) {
                Ok((0, _)) => return Ok(false),
                Ok((count, _)) => count,
                Err(Errno::AGAIN) => return Ok(true),
                Err(error) => return Err(error),
            };
            let heads = memchr::memmem::find_iter(scratch, b"\r\n\r\n").count();
            self.owed = heads * answer.length;
            self.owed_of_file = answer.file.as_ref().map_or(0, |(_, length)| *length);
            if count < room {
                let all = self.send(answer)?;
                return Ok(!(all && answer.closes));
            }
        }
    }

    /// Sends what is owed. False if the peer takes no more for now.
    fn send(&mut self, answer: &Answer) -> Result<bool, Errno> {
        // No MSG_MORE before a file: a head that goes alone costs less than one that is joined to the pages behind it.
        while self.owed > 0 {
            let start = (answer.length - self.owed % answer.length) % answer.length;
            let slice = &answer.bytes[start..answer.bytes.len().min(start + self.owed)];
            match send(&self.socket, slice, SendFlags::NOSIGNAL) {
                Ok(count) => self.owed -= count,
                Err(Errno::AGAIN) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        while let (Some((file, length)), 1..) = (&answer.file, self.owed_of_file) {
            let mut offset = (length - self.owed_of_file) as u64;
            match sendfile(&self.socket, file, Some(&mut offset), self.owed_of_file.min(SHARE)) {
                Ok(count) => self.owed_of_file -= count,
                Err(Errno::AGAIN) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn main() -> io::Result<()> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let [address, length, more @ ..] = arguments.as_slice() else {
        return Err(io::Error::other("usage: limit ADDRESS:PORT BYTES [PATH | close]"));
    };
    let length = length.parse().map_err(io::Error::other)?;
    serve(TcpListener::bind(address)?, &Answer::new(length, more.first().map(String::as_str))?)
}

fn serve(listener: TcpListener, answer: &Answer) -> io::Result<()> {
    listen(&listener, 4096)?;
    listener.set_nonblocking(true)?;
    sockopt::set_tcp_nodelay(&listener, true)?; // inherited
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut peers = Vec::<Option<Peer>>::new();
    let mut events = Vec::with_capacity(256);
    let mut scratch = Vec::with_capacity(64 * 1024);
    loop {
        events.clear();
        match epoll::wait(&poll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            if event.data.u64() == LISTENER {
                accept(&listener, &poll, &mut peers)?;
                continue;
            }
            let place = &mut peers[event.data.u64() as usize];
            let goes_on = place.as_mut().is_some_and(|peer| peer.advance(answer, &mut scratch).unwrap_or(false));
            if !goes_on {
                *place = None;
            }
        }
    }
}

/// Takes in who waits; each is registered once, for both directions.
fn accept(listener: &TcpListener, poll: impl AsFd, peers: &mut Vec<Option<Peer>>) -> io::Result<()> {
    for _ in 0..128 {
        let socket = match accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            Ok(socket) => TcpStream::from(socket),
            Err(Errno::AGAIN) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let place = socket.as_raw_fd() as usize;
        if peers.len() <= place {
            peers.resize_with(place + 1, || None);
        }
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&poll, &socket, EventData::new_u64(place as u64), flags)?;
        peers[place] = Some(Peer { socket, owed: 0, owed_of_file: 0 });
    }
    Ok(())
}
