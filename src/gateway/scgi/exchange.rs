//! One request and its answer, over a connection of its own.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{getpeername, sockopt};

use crate::http::{Status, Tick};
use crate::service::upstream::{Next, Readiness, Shift, Upstream};

use super::super::address::{Address, Begun};
use super::super::letter::{Letter, Written};
use super::super::relay::{Relay, Room};
use super::super::step::Step;
use super::Place;

/// Bytes that one exchange moves in a turn.
const SHARE: usize = 256 * 1024;

/// Bytes that one read takes.
const BLOCK: usize = 16 * 1024;

/// How long one waits for a place in the queue of a socket in the file system, until the next try.
const KNOCK_AGAIN: Duration = Duration::from_millis(10);

pub(super) struct Exchange {
    line: Line,
    stage: Stage,
    address: Rc<Address>,
    /// What is still to be sent.
    letter: Option<Letter>,
    relay: Relay,
    timeout: Duration,
    /// When something has moved; `None` before the first turn.
    since: Option<Tick>,
    _place: Place,
}

/// How far it has come.
#[derive(Clone, Copy)]
enum Stage {
    /// There was no place in the queue.
    Knocking,
    /// Nobody has answered yet.
    Connecting,
    /// The request goes there, and the answer comes.
    Talking,
}

impl Exchange {
    pub(super) fn new(
        begun: Begun,
        address: Rc<Address>,
        letter: Letter,
        relay: Relay,
        timeout: Duration,
        place: Place,
    ) -> Self {
        let (socket, stage) = match begun {
            Begun::Connecting(socket) => (socket, Stage::Connecting),
            Begun::Full(socket) => (socket, Stage::Knocking),
        };
        let line = Line { socket: socket.into(), moved: 0 };
        Exchange { line, stage, address, letter: Some(letter), relay, timeout, since: None, _place: place }
    }

    fn step(&mut self, ready: &mut Readiness, now: Tick, began: u64) -> io::Result<Step> {
        match self.stage {
            Stage::Knocking => self.knock(now),
            Stage::Connecting => self.look(ready),
            Stage::Talking => self.talk(ready, now, began),
        }
    }

    fn knock(&mut self, now: Tick) -> io::Result<Step> {
        if self.address.connect_again(self.line.socket.as_fd())? {
            self.stage = Stage::Connecting;
            return Ok(Step::On);
        }
        Ok(Step::Wait(now.plus(KNOCK_AGAIN)))
    }

    /// Whether there is a connection is known when it can be written to, and an event is no more than a hint.
    fn look(&mut self, ready: &mut Readiness) -> io::Result<Step> {
        sockopt::socket_error(&self.line.socket)??;
        match getpeername(&self.line.socket) {
            Ok(_) => {
                self.stage = Stage::Talking;
                Ok(Step::On)
            }
            Err(Errno::NOTCONN) => {
                ready.is_writable = false;
                Ok(Step::Wait(Tick::NEVER))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sends what is taken, and takes in what is said: an application may answer before it has read everything.
    fn talk(&mut self, ready: &mut Readiness, now: Tick, began: u64) -> io::Result<Step> {
        let left =
            |line: &Line| SHARE.saturating_sub(usize::try_from(line.moved.saturating_sub(began)).unwrap_or(SHARE));
        if let Some(letter) = self.letter.as_mut().filter(|_| ready.is_writable) {
            let left = left(&self.line);
            match letter.write(&mut self.line, left) {
                Ok(Written::All) => self.letter = None,
                Ok(Written::Part) => ready.is_writable = false,
                Ok(Written::Share) => return Ok(Step::Yield),
                // It reads no more of the request; that does not mean that it has said all.
                Err(error) if has_hung_up(&error) => self.letter = None,
                Err(error) => return Err(error),
            }
        }
        let room = match self.relay.room(now) {
            Room::NoneBefore(until) => return Ok(Step::WaitForPeer(until)),
            Room::For(room) => room.min(left(&self.line)).min(BLOCK),
        };
        if room == 0 {
            return Ok(Step::Yield);
        }
        if !ready.is_readable {
            return Ok(Step::Wait(Tick::NEVER));
        }
        let mut block = [0; BLOCK];
        match self.line.read(block.get_mut(..room).unwrap_or_default()) {
            Ok(0) => Ok(Step::End),
            Ok(count) => {
                self.relay.take(block.get(..count).unwrap_or_default());
                Ok(if self.relay.has_all() { Step::End } else { Step::On })
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                ready.is_readable = false;
                Ok(Step::Wait(Tick::NEVER))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Step::On),
            // Who closes before it has read the whole request resets the connection: no more is said by that. Whether
            // the answer is complete has to be seen from what has come.
            Err(error) if has_hung_up(&error) => Ok(Step::End),
            Err(error) => Err(error),
        }
    }

    /// Until when, if nothing moves; `None`: so long nothing has.
    fn wait(&mut self, until: Tick, now: Tick) -> Option<Tick> {
        let deadline = self.since.get_or_insert(now).plus(self.timeout);
        (now < deadline).then(|| deadline.min(until))
    }
}

fn has_hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl Upstream for Exchange {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.line.socket.as_fd()
    }

    fn advance(&mut self, shift: &mut Shift<'_>) -> Next {
        let (now, began) = (shift.now.tick(), self.line.moved);
        if self.since.is_none() {
            self.relay.set_upstream(shift.recall.summons());
        }
        // Who has been answered is not there to leave: what is said for nobody goes on for its time, and no longer.
        if self.relay.is_silent() && self.wait(Tick::NEVER, now).is_none() {
            return Next::Close;
        }
        while self.relay.is_wanted() {
            let moved = self.line.moved;
            let step = self.step(shift.ready, now, began);
            if self.line.moved > moved && !self.relay.is_silent() {
                self.since = Some(now);
            }
            match step {
                Ok(Step::On) => {}
                Ok(Step::Yield) => return Next::Again,
                Ok(Step::Wait(until)) => {
                    self.relay.send();
                    match self.wait(until, now) {
                        Some(until) => return Next::Wait(until),
                        None => {
                            let why = format!("nothing has moved there for {:?}", self.timeout);
                            self.relay.fail(Status::GATEWAY_TIMEOUT, &why);
                        }
                    }
                }
                Ok(Step::WaitForPeer(until)) => {
                    self.since = Some(now);
                    return Next::Wait(until);
                }
                Ok(Step::End) => self.relay.end(),
                Err(error) => self.relay.fail(Status::BAD_GATEWAY, &error.to_string()),
            }
        }
        Next::Close
    }
}

/// The connection, and how many bytes have moved on it.
struct Line {
    /// Of either kind: what is called for reading and writing is the same.
    socket: UnixStream,
    moved: u64,
}

impl Line {
    fn count(&mut self, result: io::Result<usize>) -> io::Result<usize> {
        let count = result?;
        self.moved = self.moved.saturating_add(count as u64);
        Ok(count)
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.socket.read(buffer);
        self.count(result)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.socket.write(bytes);
        self.count(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a socket keeps nothing back
    }
}
