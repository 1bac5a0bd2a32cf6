//! What a script says, until it has ended: its stdout as the answer, its time, and what is done when that is over.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::rc::Rc;
use std::time::Duration;

use crate::http::{Status, Tick};
use crate::service::upstream::{Next, Readiness, Shift, Upstream};

use super::super::launcher::{Note, ending};
use super::super::relay::{Relay, Room};
use super::super::step::Step;
use super::office::{Office, Run};

/// Bytes that are read in one turn.
const SHARE: usize = 256 * 1024;

/// Bytes that one read takes.
const BLOCK: usize = 16 * 1024;

/// How long the end of the answer waits for the end of the script: one that is killed has not said all, and its stdout
/// ends like any other. Who closes it so long before it ends is believed to have said all.
const LAG: Duration = Duration::from_secs(1);

/// How soon a launcher that does not keep up is told again.
const TELL_AGAIN: Duration = Duration::from_millis(100);

pub(super) struct Output {
    pipe: File,
    stage: Stage,
    /// Until it is given, or nobody wants it.
    answer: Option<Relay>,
    who: Rc<str>,
    run: Rc<Run>,
    office: Rc<Office>,
    limits: Limits,
    /// Bytes that it has said.
    said: u64,
    /// When its time is over; `None` before the first turn.
    deadline: Option<Tick>,
    /// Since when it waits for the peer, which is not its own time.
    held_up: Option<Tick>,
}

/// What one script may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) time: Duration,
    /// Bytes.
    pub(super) output: u64,
}

/// How far it has come.
enum Stage {
    /// It speaks.
    Speaking,
    /// It can say no more since then.
    Silent(Tick),
    /// It is to end, and has to be told.
    Unwanted,
    /// It was told to end.
    Dismissed,
}

impl Output {
    pub(super) fn new(
        pipe: File,
        answer: Relay,
        who: Rc<str>,
        run: Rc<Run>,
        office: Rc<Office>,
        limits: Limits,
    ) -> Self {
        let (stage, answer) = (Stage::Speaking, Some(answer));
        Output { pipe, stage, answer, who, run, office, limits, said: 0, deadline: None, held_up: None }
    }

    fn step(&mut self, ready: &mut Readiness, now: Tick, share: &mut usize) -> Step {
        match self.stage {
            Stage::Speaking => self.listen(ready, now, share),
            Stage::Silent(since) => self.conclude(since, now),
            Stage::Unwanted => self.tell_to_end(now),
            Stage::Dismissed if self.run.fate().is_some() => Step::End,
            Stage::Dismissed => Step::Wait(Tick::NEVER),
        }
    }

    /// Takes in what it says. What is said behind the end of the answer is read too, and thrown away.
    fn listen(&mut self, ready: &mut Readiness, now: Tick, share: &mut usize) -> Step {
        let room = match self.answer.as_mut().map_or(Room::For(BLOCK), |answer| answer.room(now)) {
            Room::NoneBefore(until) => return Step::WaitForPeer(until),
            Room::For(room) => room.min(BLOCK),
        };
        if *share == 0 {
            return Step::Yield;
        }
        // Whoever holds the other end once the script has ended, as a daemon may, is not the script.
        let has_ended = self.run.fate().is_some();
        if !ready.is_readable && !has_ended {
            return Step::Wait(Tick::NEVER);
        }
        let mut block = [0; BLOCK];
        match self.pipe.read(block.get_mut(..room).unwrap_or_default()) {
            Ok(0) => self.stage = Stage::Silent(now),
            Ok(count) => {
                *share = share.saturating_sub(count);
                self.take(block.get(..count).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && !has_ended => {
                ready.is_readable = false;
                return Step::Wait(Tick::NEVER);
            }
            Err(_) => self.stage = Stage::Silent(now),
        }
        Step::On
    }

    fn take(&mut self, bytes: &[u8]) {
        self.said = self.said.saturating_add(bytes.len() as u64);
        if self.said > self.limits.output {
            let why = format!("it has said more than the {} bytes that it may", self.limits.output);
            return self.give_up(Status::BAD_GATEWAY, &why);
        }
        let Some(answer) = &mut self.answer else { return };
        answer.take(bytes);
        if answer.has_all() {
            answer.end();
            self.answer = None;
        } else if !answer.is_wanted() {
            self.stage = Stage::Unwanted;
        }
    }

    /// Gives the end of the answer, as the script has ended, and waits until it has.
    fn conclude(&mut self, since: Tick, now: Tick) -> Step {
        let Some(fate) = self.run.fate() else {
            let Some(answer) = &mut self.answer else { return Step::Wait(Tick::NEVER) };
            let until = since.plus(LAG);
            if now < until {
                return Step::Wait(until);
            }
            answer.end();
            self.answer = None;
            return Step::On;
        };
        let answer = self.answer.take();
        match fate {
            Note::Failed { why, .. } => {
                answer.into_iter().for_each(|mut answer| answer.fail(Status::BAD_GATEWAY, &why));
            }
            Note::Ended { status, .. } => match answer {
                Some(mut answer) if answer.fault_of_head().is_some() => {
                    let fault = answer.fault_of_head().unwrap_or_default();
                    answer.fail(Status::BAD_GATEWAY, &format!("{fault}: {}", ending(status)));
                }
                Some(mut answer) if status.is_some_and(|status| status.signal().is_some()) => {
                    answer.fail(Status::BAD_GATEWAY, &format!("it was ended by {}", ending(status)));
                }
                answer => {
                    answer.into_iter().for_each(|mut answer| answer.end());
                    if !status.is_some_and(|status| status.success()) {
                        log::warn!("{}: it has ended: {}", self.who, ending(status));
                    }
                }
            },
        }
        Step::End
    }

    fn tell_to_end(&mut self, now: Tick) -> Step {
        self.answer = None;
        self.deadline = Some(Tick::NEVER);
        match self.office.end(&self.run) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Step::Wait(now.plus(TELL_AGAIN)),
            // It has gone, and takes with it what it has started.
            Err(_) => self.stage = Stage::Silent(now),
            Ok(()) => self.stage = Stage::Dismissed,
        }
        Step::On
    }

    fn give_up(&mut self, status: Status, why: &str) {
        match self.answer.take() {
            Some(mut answer) => answer.fail(status, why),
            None => log::warn!("{}: {why}", self.who),
        }
        self.stage = Stage::Unwanted;
    }

    /// Looks at whom it is for, and at the clock.
    fn look_up(&mut self, now: Tick) {
        let held_up = self.held_up.take().map_or(Duration::ZERO, |since| now.since(since));
        let deadline = self.deadline.map_or_else(|| now.plus(self.limits.time), |deadline| deadline.plus(held_up));
        self.deadline = Some(deadline);
        if self.answer.as_ref().is_some_and(|answer| !answer.is_wanted()) {
            self.stage = Stage::Unwanted;
        } else if now >= deadline && self.run.fate().is_none() {
            self.give_up(Status::GATEWAY_TIMEOUT, &format!("it has not ended after {:?}", self.limits.time));
        }
    }
}

impl Upstream for Output {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    fn advance(&mut self, shift: &mut Shift<'_>) -> Next {
        let now = shift.now.tick();
        if self.deadline.is_none() {
            *self.run.reader.borrow_mut() = shift.recall.summons();
            self.answer.iter_mut().for_each(|answer| answer.set_upstream(shift.recall.summons()));
        }
        self.look_up(now);
        let mut share = SHARE;
        loop {
            match self.step(shift.ready, now, &mut share) {
                Step::On => {}
                Step::Yield => return Next::Again,
                Step::End => return Next::Close,
                Step::WaitForPeer(until) => {
                    self.held_up = Some(now);
                    return Next::Wait(until);
                }
                Step::Wait(until) => {
                    // Where no more can come, the answer may yet leave as a whole.
                    if matches!(self.stage, Stage::Speaking) {
                        self.answer.iter_mut().for_each(Relay::send);
                    }
                    return Next::Wait(self.deadline.map_or(until, |deadline| deadline.min(until)));
                }
            }
        }
    }
}
