//! The server's side of a worker: the upstream that gives it requests, one at a time, and takes its answers.
//!
//! ```text
//! Starting ──ready──► Idle ──a request──► Busy ──the outcome──► Idle ─ ... ─► gone
//! ```
//!
//! What is said is netstrings (see `worker.py`). A worker that breaks the rules, is silent for too long, or ends, is
//! given up: its request is refused, or cut short where it had begun, and the pool starts another one.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use crate::http::{Status, Tick};
use crate::service::upstream::{Next, Shift, Upstream};

use super::super::letter::{Letter, Written};
use super::super::relay::{Relay, Room};
use super::netstrings::{Netstrings, Piece};
use super::pool::Pool;
use super::seat::{Job, Seat, Stage};

/// How long an application may take to load.
pub(super) const START: Duration = Duration::from_secs(60);

/// Bytes read at once, and bytes read and written in one turn.
const READ: usize = 64 * 1024;
const SHARE: usize = 256 * 1024;

/// How often a worker may repeat itself: once a second for as long as another one may take to load. One that talks
/// without end takes no request.
const MOST_REPEATED: u32 = 100;

/// Bytes of a message that is not content: the longest is the head of an answer.
const MESSAGE: usize = 128 * 1024;

pub(super) struct Worker {
    socket: UnixStream,
    control: File,
    seat: Rc<Seat>,
    pool: Rc<Pool>,
    netstrings: Netstrings,
    /// A message that is not complete.
    message: Vec<u8>,
    buffer: Box<[u8]>,
    /// Requests that it was given.
    requests: u64,
    /// How often it has said that its sources have changed where that was known.
    repeated: u32,
    state: State,
}

#[expect(clippy::large_enum_variant, reason = "there are few workers, and they are busy")]
enum State {
    Starting { deadline: Option<Tick> },
    Idle,
    Busy(Task),
}

/// A request and its answer.
struct Task {
    /// What is left to be sent.
    letter: Option<Letter>,
    relay: Relay,
    part: Part,
    /// When it last made progress.
    moved: Tick,
    /// It waited for the peer, and so is not to blame.
    is_held_up: bool,
    /// It was told that nobody waits any more.
    is_cancelled: bool,
}

/// The part of the answer that comes next.
#[derive(Clone, Copy)]
enum Part {
    Head,
    Content,
    Outcome,
    /// Nothing, but the worker must still be told where the request ends.
    Nothing,
}

/// What a step leads to.
enum Step {
    On,
    Wait(Tick),
    /// It is given up, and this is why.
    Leave(String),
    /// It has been asked to go.
    Retire,
}

impl Worker {
    pub(super) fn new(socket: UnixStream, control: File, seat: Rc<Seat>, pool: Rc<Pool>) -> Self {
        Worker {
            socket,
            control,
            seat,
            pool,
            netstrings: Netstrings::default(),
            message: Vec::new(),
            buffer: vec![0; READ].into(),
            requests: 0,
            repeated: 0,
            state: State::Starting { deadline: None },
        }
    }

    /// Sees whether there is a request to be taken.
    fn look_for_work(&mut self, shift: &Shift<'_>) -> Step {
        let Some(mut job) = self.pool.next_job(&self.seat) else {
            return if self.seat.is_retired.get() { Step::Retire } else { Step::Wait(Tick::NEVER) };
        };
        // A worker that has ended since, or reads no more, has seen nothing of it: another one gets it. Once the socket
        // has taken a byte nobody can say whether it was read, and whether to ask twice is not for a server to decide.
        if let Err(error) = job.letter.write(&mut self.socket, SHARE)
            && is_gone(&error)
            && job.letter.gone() == 0
        {
            *self.seat.job.borrow_mut() = Some(job);
            return Step::Leave("it has ended".to_owned());
        }
        let Job { letter, deferred, is_head } = job;
        self.requests = self.requests.saturating_add(1);
        self.seat.stage.set(Stage::Busy);
        let mut relay = Relay::new(deferred, &*self.seat.name, is_head, &self.pool.settings.basin);
        relay.set_upstream(shift.recall.summons());
        self.state = State::Busy(Task {
            letter: Some(letter),
            relay,
            part: Part::Head,
            moved: shift.now.tick(),
            is_held_up: false,
            is_cancelled: false,
        });
        Step::On
    }

    /// Sends what is left of the request, and tells the worker if nobody waits for the answer.
    fn send(&mut self, shift: &mut Shift<'_>, share: &mut usize) -> Result<(), String> {
        let State::Busy(task) = &mut self.state else { return Ok(()) };
        if !task.is_cancelled && !task.relay.is_wanted() {
            task.is_cancelled = true;
            // A full pipe is one that nobody reads: then the time limit ends it.
            let _ = self.control.write_all(format!("{}\n", self.requests).as_bytes());
            if let Some(letter) = &mut task.letter {
                letter.cut_short();
            }
        }
        let Some(letter) = &mut task.letter else { return Ok(()) };
        if !shift.ready.is_writable {
            return Ok(());
        }
        let gone = letter.gone();
        let written = letter.write(&mut self.socket, *share);
        if letter.gone() > gone {
            task.moved = shift.now.tick();
        }
        match written {
            Ok(Written::All) => {
                task.letter = None;
                if matches!(task.part, Part::Nothing) {
                    self.finish();
                }
            }
            Ok(Written::Part) => shift.ready.is_writable = false,
            Ok(Written::Share) => *share = 0,
            // Why it does not read, its end will tell.
            Err(error) if is_gone(&error) => shift.ready.is_writable = false,
            Err(error) => return Err(format!("the request could not be passed on: {error}")),
        }
        Ok(())
    }

    /// Reads once, and takes in what has come.
    fn receive(&mut self, shift: &mut Shift<'_>, share: &mut usize) -> Step {
        let room = match &mut self.state {
            State::Busy(task) => task.relay.room(shift.now.tick()),
            _ => Room::For(READ),
        };
        let room = match (room, &mut self.state) {
            (Room::For(room), _) => self.buffer.len().min(room),
            (Room::NoneBefore(until), State::Busy(task)) => {
                task.is_held_up = true;
                return Step::Wait(until);
            }
            (Room::NoneBefore(until), _) => return Step::Wait(until),
        };
        let read = match self.buffer.get_mut(..room) {
            Some(room) if shift.ready.is_readable => self.socket.read(room),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        };
        match read {
            Ok(0) => self.end(),
            Ok(count) => {
                shift.ready.is_readable = count == room;
                *share = share.saturating_sub(count);
                let buffer = std::mem::take(&mut self.buffer);
                let heard = self.hear_all(buffer.get(..count).unwrap_or_default());
                self.buffer = buffer;
                if let State::Busy(task) = &mut self.state
                    && !task.is_cancelled
                {
                    task.moved = shift.now.tick();
                }
                heard.map_or_else(Step::Leave, |()| Step::On)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                shift.ready.is_readable = false;
                self.rest()
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Step::On,
            Err(_) => self.end(),
        }
    }

    /// It has ended.
    fn end(&self) -> Step {
        match self.state {
            State::Starting { deadline } => self.wait_to_begin(deadline),
            _ => Step::Leave("it has ended".to_owned()),
        }
    }

    /// Why it never began, the launcher knows where it has not said so itself.
    fn wait_to_begin(&self, deadline: Option<Tick>) -> Step {
        match &*self.seat.fate.borrow() {
            Some(how) => Step::Leave(how.clone()),
            None => Step::Wait(deadline.unwrap_or(Tick::NEVER)),
        }
    }

    /// There is nothing to read: what has come goes on to the peer, and the worker is waited for.
    fn rest(&mut self) -> Step {
        match &mut self.state {
            &mut State::Starting { deadline } => self.wait_to_begin(deadline),
            State::Idle => Step::On, // nothing was said: it may be given work
            State::Busy(task) => {
                task.relay.send();
                Step::Wait(task.moved.plus(self.pool.settings.timeout))
            }
        }
    }

    fn hear_all(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while let Some(piece) =
            self.netstrings.next(&mut bytes).map_err(|_| "what it says is not what a worker says".to_owned())?
        {
            self.hear(&piece)?;
        }
        Ok(())
    }

    fn hear(&mut self, piece: &Piece<'_>) -> Result<(), String> {
        if let State::Busy(Task { relay, part: part @ Part::Content, .. }) = &mut self.state {
            relay.take_content(piece.bytes);
            if piece.bytes.is_empty() && piece.is_first && piece.is_last {
                *part = Part::Outcome;
            }
            return Ok(());
        }
        if self.message.len().saturating_add(piece.bytes.len()) > MESSAGE {
            return Err(format!("it says more than {MESSAGE} bytes where a head should be"));
        }
        self.message.extend_from_slice(piece.bytes);
        if !piece.is_last {
            return Ok(());
        }
        let message = std::mem::take(&mut self.message);
        self.heed(&message)
    }

    /// A message is complete.
    fn heed(&mut self, message: &[u8]) -> Result<(), String> {
        match (&mut self.state, message) {
            (State::Starting { .. }, b"ready") => {
                self.state = State::Idle;
                self.pool.note_ready(&self.seat);
            }
            (State::Starting { .. }, _) => {
                let why = String::from_utf8_lossy(message);
                return Err(why.strip_prefix("failed ").unwrap_or(&why).to_owned());
            }
            (State::Idle | State::Busy(Task { part: Part::Head, .. }), b"stale") => {
                self.repeated = if self.pool.note_stale(&self.seat) { 0 } else { self.repeated.saturating_add(1) };
                if self.repeated > MOST_REPEATED {
                    return Err("it says over and over that its sources have changed".to_owned());
                }
            }
            (State::Idle | State::Busy(Task { part: Part::Nothing, .. }), _) => {
                return Err("it answers what nobody asked".to_owned());
            }
            (State::Busy(task), head) if matches!(task.part, Part::Head) => {
                match head.strip_prefix(b"failed ") {
                    Some(why) => task.relay.fail(Status::INTERNAL_SERVER_ERROR, &String::from_utf8_lossy(why)),
                    None => task.relay.take_head(head),
                }
                task.part = Part::Content;
            }
            (State::Busy(task), outcome) => {
                match outcome {
                    b"" => task.relay.end(),
                    why => task.relay.fail(Status::BAD_GATEWAY, &String::from_utf8_lossy(why)),
                }
                task.part = Part::Nothing;
                match &mut task.letter {
                    Some(letter) => letter.cut_short(),
                    None => self.finish(),
                }
            }
        }
        Ok(())
    }

    /// Request and answer are over.
    fn finish(&mut self) {
        self.state = State::Idle;
        self.seat.stage.set(Stage::Idle);
    }

    /// True if it has been silent for too long. Where the peer is slow, the worker is not to blame.
    fn is_overdue(&mut self, now: Tick) -> bool {
        let timeout = self.pool.settings.timeout;
        match &mut self.state {
            State::Starting { deadline } => *deadline.get_or_insert(now.plus(START)) <= now,
            State::Idle => false,
            State::Busy(task) => {
                if std::mem::take(&mut task.is_held_up) {
                    task.moved = now;
                }
                now.since(task.moved) >= timeout
            }
        }
    }

    fn leave(&mut self, why: &str, status: Status) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Starting { .. } => {
                if self.seat.fate.borrow().is_none() {
                    self.pool.expect_end(&self.seat);
                }
                self.pool.could_not_start(&self.seat, why);
            }
            State::Busy(mut task) => task.relay.fail(status, why),
            State::Idle if self.requests == 0 => self.pool.ended_early(),
            State::Idle => {}
        }
        self.pool.leave(&self.seat);
    }

    fn overrun(&mut self) {
        let why = match &self.state {
            State::Starting { .. } => format!("it was not ready after {START:?}"),
            _ => format!("it said nothing for {:?}", self.pool.settings.timeout),
        };
        log::error!("{} is ended: {why}", self.seat.name);
        self.pool.abort(&self.seat);
        self.pool.expect_end(&self.seat);
        self.leave(&why, Status::GATEWAY_TIMEOUT);
    }
}

impl Upstream for Worker {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn advance(&mut self, shift: &mut Shift<'_>) -> Next {
        self.seat.set_summons(shift.recall);
        if self.is_overdue(shift.now.tick()) {
            self.overrun();
            return Next::Close;
        }
        let mut share = SHARE;
        loop {
            let step = match &self.state {
                State::Idle if !shift.ready.is_readable => self.look_for_work(shift),
                // A worker that has ended, or has something to say, is heard before it is given a request.
                State::Idle | State::Starting { .. } => self.receive(shift, &mut share),
                State::Busy(_) => match self.send(shift, &mut share) {
                    Ok(()) => self.receive(shift, &mut share),
                    Err(why) => Step::Leave(why),
                },
            };
            match step {
                Step::On if share == 0 => return Next::Again,
                Step::On => {}
                Step::Wait(_) if share == 0 => return Next::Again,
                Step::Wait(until) => return Next::Wait(until),
                Step::Leave(why) => {
                    self.leave(&why, Status::BAD_GATEWAY);
                    return Next::Close;
                }
                Step::Retire => {
                    self.pool.expect_end(&self.seat);
                    self.pool.leave(&self.seat);
                    return Next::Close;
                }
            }
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}
