//! A peer that costs next to nothing: one connection over a slice to be read and a buffer to be written, driven turn by turn as
//! the loop does it, so that what is counted is the machine's own work. Beside what it drives it allocates nothing.
//!
//! It has no socket: what the kernel costs, benches/compare measures. Its clock stands still until it is moved.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ownhands::connection::{Connection, Context, Next, Phase, Scratch, Transport};
use ownhands::http::Recall;
use ownhands::{Limits, Now, Service, Tick, Timeouts};

/// 2100-01-01, in seconds since 1970: any file was changed long before, and so is kept ready.
const BEGINNING: u64 = 4_102_444_800;

/// Room for what is written in a round, so that it is not made in one.
const ROOM: usize = 256 * 1024;

/// Where the peer is: an address reserved for documentation (RFC 5737).
const ADDRESS: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 50_000));

/// What the peer says, and what it has heard.
#[derive(Default)]
struct Tape<'a> {
    unread: &'a [u8],
    written: Vec<u8>,
    /// Bytes of files: to send them is the kernel's work, and none is done here.
    sent: usize,
    is_write_shut: bool,
}

impl Read for Tape<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.unread.read(buffer)? {
            0 if !self.is_write_shut => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Tape<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Tape<'_> {
    fn send_file(&mut self, _: &File, _: u64, count: usize) -> io::Result<usize> {
        self.sent += count;
        Ok(count)
    }

    fn shut_down_write(&mut self) -> io::Result<()> {
        self.is_write_shut = true;
        Ok(())
    }
}

/// The peer, and the server that it talks to.
pub(crate) struct Peer<'a, S> {
    service: S,
    limits: Limits,
    timeouts: Timeouts,
    scratch: Scratch,
    now: Now,
    elapsed: Duration,
    connection: Connection<Tape<'a>>,
}

impl<'a, S: Service> Peer<'a, S> {
    pub(crate) fn new(service: S) -> Self {
        let now = Now::new(Tick::default(), date(Duration::ZERO));
        let tape = Tape { written: Vec::with_capacity(ROOM), ..Tape::default() };
        Peer {
            service,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            scratch: Scratch::new(),
            connection: Connection::new(tape, Some(ADDRESS), &now),
            now,
            elapsed: Duration::ZERO,
        }
    }

    /// Says this in segments of so many bytes, each in a turn of its own, and hears the server out. The number of bytes that it
    /// has sent is the answer; where it has ended the connection, there is a new one.
    pub(crate) fn say(&mut self, bytes: &'a [u8], segment: usize) -> usize {
        let tape = self.connection.transport_mut();
        tape.written.clear();
        tape.sent = 0;
        for segment in bytes.chunks(segment) {
            self.connection.transport_mut().unread = segment;
            self.connection.set_ready(true, true, false);
            self.turn_until_quiet();
        }
        let tape = self.connection.transport();
        assert!(tape.unread.is_empty(), "the server has not read all");
        tape.written.len() + tape.sent
    }

    /// What the server has written since the peer last spoke, without the content of files that the kernel would send.
    pub(crate) fn heard(&self) -> &[u8] {
        &self.connection.transport().written
    }

    /// Lets time pass.
    pub(crate) fn sleep(&mut self, span: Duration) {
        self.elapsed += span;
        self.now.turn(Tick::after(self.elapsed), date(self.elapsed));
    }

    fn turn_until_quiet(&mut self) {
        loop {
            self.now.next_turn();
            self.service.begin_turn(&self.now);
            let mut context = Context {
                service: &self.service,
                limits: &self.limits,
                timeouts: &self.timeouts,
                now: &self.now,
                scratch: &mut self.scratch,
                phase: Phase::Open,
                tracer: None,
                recall: Recall::NOBODY,
            };
            let next = self.connection.advance(&mut context);
            self.service.end_turn();
            match next {
                Next::Again => {}
                Next::Wait(_) if self.connection.transport().is_write_shut => {
                    self.connection.set_ready(true, false, true)
                }
                Next::Wait(_) => return,
                Next::Close => {
                    let tape = std::mem::take(self.connection.transport_mut());
                    let tape = Tape { is_write_shut: false, ..tape };
                    self.connection = Connection::new(tape, Some(ADDRESS), &self.now);
                    return;
                }
            }
        }
    }
}

fn date(elapsed: Duration) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(BEGINNING) + elapsed
}
