//! Many connections under faults, from a seed: the same scenario for the same number, on every machine.
//!
//! In a scenario a few peers share one service and one set of buffers, as they do in the loop. Each says a script of
//! requests, right and wrong, cut anywhere; its reads and writes block, it ends or vanishes in the middle, the clock
//! jumps, the server stops. Whatever happens, of each connection these hold:
//!
//! - its answers come in the order of its requests, each to the byte what that request must be answered;
//! - none is lost, unless the peer vanished, let a deadline pass that the machine had named, or was told
//!   `close`; none is invented;
//! - a wait has its end in the future, and the machine never runs without getting on;
//! - when all is answered nothing is kept but the connection itself;
//! - each answer that was begun is observed once, with the bytes that it had on the wire.
//!
//! A scenario that fails prints its seed: put it into [`FAILED`], so that it is played first from then on.
//! `SCENARIOS=1000000 cargo test simulation` plays that many.

mod answers;
mod dice;
mod peer;
mod script;
mod service;

use std::collections::VecDeque;
use std::time::{Duration, UNIX_EPOCH};

use ownhands::connection::{Context, Next, Phase, Scratch};
use ownhands::http::Recall;
use ownhands::testing::MockConnection;
use ownhands::{Limits, Now, Tick, Timeouts};

use dice::Dice;
use peer::{Met, Peer};
use script::{BODY_LIMIT, script};
use service::Numbers;

/// Scenarios in an ordinary run.
const SCENARIOS: u64 = 10_000;

/// Seeds of scenarios that failed once.
const FAILED: &[u64] = &[];

#[test]
fn every_scenario_ends_and_every_answer_is_the_right_one() {
    let scenarios = std::env::var("SCENARIOS").ok().and_then(|number| number.parse().ok());
    let service = Numbers::new();
    let mut scratch = Scratch::new();
    let mut met = Met::default();
    for seed in FAILED.iter().copied().chain(0..scenarios.unwrap_or(SCENARIOS)) {
        let named = Named(seed);
        let mut world = World::new(&service, &mut scratch, Dice::new(seed));
        world.play();
        world.check(&mut met);
        drop(named);
    }
    // A simulation in which nothing goes wrong, or nothing right, shows nothing.
    let Met { whole, interim, refused, overdue, lost } = met;
    let rare = [whole, interim, refused, overdue, lost].into_iter().min();
    assert!(rare > Some(50), "{met:?}");
}

/// Says which scenario failed.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the scenario with the seed {} has failed", self.0);
        }
    }
}

/// All peers, and what is lent to their connections.
struct World<'a> {
    service: &'a Numbers,
    scratch: &'a mut Scratch,
    dice: Dice,
    limits: Limits,
    timeouts: Timeouts,
    phase: Phase,
    elapsed: Duration,
    now: Now,
    peers: Vec<Peer>,
    /// Those whose share of the turn was used.
    again: VecDeque<usize>,
    /// Bytes that a segment has at most.
    longest: usize,
}

impl<'a> World<'a> {
    fn new(service: &'a Numbers, scratch: &'a mut Scratch, mut dice: Dice) -> Self {
        let now = Now::new(Tick::default(), UNIX_EPOCH);
        let second = Duration::from_secs(1);
        // A phase that inherits the time of the one before is found where the limits differ.
        let timeouts = dice.pick(&[[30, 30, 60, 30, 5], [100, 100, 100, 7, 3], [3, 200, 9, 50, 20]]);
        let [head, body, idle, write, linger] = timeouts.map(|seconds| second * seconds);
        let most = dice.pick(&[u64::MAX, u64::MAX, u64::MAX, 3]);
        let peers = (1..=1 + dice.below(4) as u64).map(|number| {
            let first = number * 1000 + dice.below(700) as u64;
            Peer::new(script(&mut dice, first, most), &now)
        });
        World {
            peers: peers.collect(),
            service,
            scratch,
            limits: Limits { body: BODY_LIMIT, requests: most, ..Limits::default() },
            timeouts: Timeouts { head, body, idle, write, linger, ..Timeouts::default() },
            phase: Phase::Open,
            elapsed: Duration::ZERO,
            now,
            again: VecDeque::new(),
            longest: dice.pick(&[3, 30, 300, 3000, 100_000]),
            dice,
        }
    }

    fn play(&mut self) {
        for index in 0..self.peers.len() {
            self.advance(index, false, false, false);
        }
        let steps = 5 + self.dice.below(40);
        for _ in 0..steps {
            let index = self.dice.below(self.peers.len());
            self.step(index);
            self.run_turns();
        }
        for index in 0..self.peers.len() {
            self.finish(index);
        }
    }

    /// Something happens to a peer.
    fn step(&mut self, index: usize) {
        match self.dice.below(100) {
            0..55 => self.deliver(index),
            55..67 => self.advance(index, false, true, false),
            67..70 => self.advance(index, true, true, true), // an event that means nothing
            70..82 => {
                let most = self.dice.pick(&[1, 20, 2000, 40_000]);
                let counts: Vec<usize> = (0..1 + self.dice.below(5)).map(|_| self.dice.below(most + 1)).collect();
                self.accept_writes(index, counts);
            }
            82..88 => self.accept_writes(index, vec![0; 6]),
            88..94 => {
                let span = self.dice.pick(&[1, 40, 400, 2000, 4000, 40_000]);
                self.sleep(Duration::from_millis(span));
            }
            94..96 => self.end(index),
            96..97 => {
                self.peers[index].has_vanished = true;
                self.script(index, MockConnection::reset);
                let [reads, writes, ends] = [70, 70, 50].map(|percent| self.dice.chance(percent));
                self.advance(index, reads, writes, ends);
            }
            97..98 if self.dice.chance(25) => self.drain(),
            _ => self.finish(index),
        }
    }

    /// The peer says what is left of its script, takes what it is sent, and ends.
    fn finish(&mut self, index: usize) {
        while self.peers[index].connection.is_some() && self.peers[index].sent < self.peers[index].wire.len() {
            self.deliver(index);
            self.advance(index, false, true, false);
            self.run_turns();
        }
        self.take_all(index);
        self.assert_idle(index);
        if self.dice.chance(50) {
            self.end(index);
            self.take_all(index);
        }
        for _ in 0..4 {
            let deadline = self.peers[index].deadline;
            if self.peers[index].connection.is_some() {
                self.sleep(deadline.since(self.now.tick()));
                self.take_all(index);
            }
        }
        assert!(self.peers[index].connection.is_none(), "the connection ends");
    }

    /// A peer that was answered, and has begun nothing new, costs its connection and no more;
    /// none, when the server stops.
    fn assert_idle(&self, index: usize) {
        let peer = &self.peers[index];
        let Some(connection) = &peer.connection else { return };
        if peer.has_vanished || peer.is_overdue || peer.has_ended {
            return;
        }
        // The script ends with a whole request: what is open now is between two requests, or lingers.
        let shown = format!("{connection:?}");
        assert!(shown.contains("kept: None"), "an idle connection keeps something: {shown}");
        let longest = self.timeouts.idle.max(self.timeouts.linger);
        assert!(peer.deadline.since(self.now.tick()) <= longest, "it waits for something else: {shown}");
        assert!(
            !peer.saw_drain || shown.contains("Lingering"),
            "an idle connection outlives the server's stop: {shown}"
        );
    }

    fn take_all(&mut self, index: usize) {
        for _ in 0..self.peers[index].takes + 2 {
            self.advance(index, true, true, false);
            self.run_turns();
        }
    }

    /// A segment comes, when the one before was read.
    fn deliver(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        let rest = peer.wire.len() - peer.sent;
        if let Some(connection) = &mut peer.connection
            && !connection.transport().is_readable()
            && rest > 0
        {
            let longest = self.longest.max(peer.wire.len() / 200); // else a long script takes too long
            let count = (1 + self.dice.below(longest)).min(rest);
            connection.transport_mut().push(&peer.wire[peer.sent..peer.sent + count]);
            peer.sent += count;
        }
        self.advance(index, true, false, false);
    }

    /// The peer says no more, wherever it is. Some systems announce the end, others let it be read.
    fn end(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        if peer.has_vanished {
            return; // nobody is there to say so
        }
        peer.has_ended = true;
        peer.wire.truncate(peer.sent);
        self.script(index, MockConnection::end);
        let is_announced = self.dice.chance(50);
        self.advance(index, true, false, is_announced);
    }

    fn drain(&mut self) {
        self.phase = Phase::Draining;
        for index in 0..self.peers.len() {
            self.peers[index].saw_drain = true;
            self.advance(index, true, false, false);
        }
    }

    fn accept_writes(&mut self, index: usize, counts: Vec<usize>) {
        self.peers[index].takes += counts.len();
        self.script(index, |mock| mock.accept_writes(counts));
    }

    fn script(&mut self, index: usize, script: impl FnOnce(&mut MockConnection)) {
        if let Some(connection) = &mut self.peers[index].connection {
            script(connection.transport_mut());
        }
    }

    /// Time passes, and wakes those whose deadline comes, as the loop does.
    fn sleep(&mut self, span: Duration) {
        self.elapsed += span;
        let until = Tick::after(self.elapsed);
        for index in 0..self.peers.len() {
            let peer = &mut self.peers[index];
            if peer.connection.is_some() && peer.deadline <= until {
                peer.is_overdue = true;
                self.advance(index, false, false, false);
            }
        }
    }

    /// Those whose share was used get their turns, one after another.
    fn run_turns(&mut self) {
        for _ in 0..10_000 {
            let Some(index) = self.again.pop_front() else { return };
            self.advance(index, false, false, false);
        }
        panic!("a connection goes on for ever");
    }

    fn advance(&mut self, index: usize, is_readable: bool, is_writable: bool, sees_end: bool) {
        let peer = &mut self.peers[index];
        let Some(connection) = &mut peer.connection else { return };
        connection.set_ready(is_readable, is_writable, sees_end);
        self.now.turn(Tick::after(self.elapsed), UNIX_EPOCH + self.elapsed);
        let mut context = Context {
            service: self.service,
            limits: &self.limits,
            timeouts: &self.timeouts,
            now: &self.now,
            scratch: self.scratch,
            phase: self.phase,
            tracer: None,
            recall: Recall::NOBODY,
        };
        let next = connection.advance(&mut context);
        peer.received.append(&mut connection.transport_mut().take_written());
        match next {
            Next::Again if self.again.contains(&index) => {}
            Next::Again => self.again.push_back(index),
            Next::Close => peer.connection = None,
            Next::Wait(deadline) => {
                assert!(deadline > self.now.tick(), "it waits for a time that is over");
                assert!(deadline.since(self.now.tick()) < Duration::from_secs(600), "it waits too long");
                peer.deadline = deadline;
            }
        }
    }

    /// All is over: was it as it must be?
    fn check(&self, met: &mut Met) {
        let mut observed = self.service.observed.take();
        assert_eq!(observed.len(), self.service.answers.take(), "each answer is observed once");
        for peer in &self.peers {
            peer.check(met, &mut |line: &[u8], wire_length| {
                let index =
                    observed.iter().position(|exchange| *exchange.line == *line && exchange.sent == wire_length);
                assert!(index.is_some(), "not observed: {} with {wire_length} bytes", line.escape_ascii());
                index.map(|index| observed.swap_remove(index));
            });
        }
    }
}
