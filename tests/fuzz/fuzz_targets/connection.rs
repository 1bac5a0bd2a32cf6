//! A whole connection under faults: cuts, would-blocks, partial writes, resets, jumps of the
//! clock, a server that stops.
//!
//! The same bytes are first sent in one piece to a peer that takes everything. However they come, the answers are the
//! same bytes; where the peer vanished or was too slow, they are the beginning of them.
#![no_main]

mod dice;

use std::cell::Cell;
use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use ownhands::connection::{Connection, Context, Next, Phase, Scratch};
use ownhands::http::Recall;
use ownhands::testing::MockConnection;
use ownhands::{
    Exchange, FileRange, Fragment, HttpError, Limits, Method, Now, Produced, Request, Response, Service, Source,
    Status, Tick, Timeouts,
};

use dice::Dice;

fuzz_target!(|input: &[u8]| {
    let (mut dice, wire) = Dice::split(input);
    let (smooth, _) = Conversation::new().run(wire, &mut Dice::split(&[]).0);
    let (rough, faults) = Conversation::new().run(wire, &mut dice);
    let (smooth, rough) = (without_interim(&smooth), without_interim(&rough));
    match faults {
        Faults { has_drained: true, .. } => {} // its answers say close: only that it ends is checked
        Faults { has_vanished: false, has_slept: false, .. } => assert_same(&rough, &smooth),
        Faults { has_slept, .. } => {
            let refusal = find(&rough, b"HTTP/1.1 408 ").filter(|_| has_slept);
            let rough = &rough[..refusal.unwrap_or(rough.len())];
            assert_same(rough, &smooth[..rough.len().min(smooth.len())]);
        }
    }
});

fn assert_same(met: &[u8], expected: &[u8]) {
    assert!(met == expected, "met: {}\nexpected: {}", met.escape_ascii(), expected.escape_ascii());
}

/// The request to go on depends on whether the body was there already; the rest does not.
fn without_interim(answers: &[u8]) -> Vec<u8> {
    const INTERIM: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut kept = Vec::new();
    let mut rest = answers;
    while let Some(at) = find(rest, INTERIM) {
        kept.extend_from_slice(&rest[..at]);
        rest = &rest[at + INTERIM.len()..];
    }
    kept.extend_from_slice(rest);
    kept
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window[0] == wanted[0] && window == wanted)
}

/// What went wrong on the way.
#[derive(Default)]
struct Faults {
    has_vanished: bool,
    has_slept: bool,
    has_drained: bool,
}

/// Answers with a digest of the request, in one of the ways in which an answer can go out.
#[derive(Default)]
struct Digest {
    answers: Cell<u32>,
    observed: Cell<u32>,
}

impl Service for Digest {
    fn call(&self, request: &Request<'_>) -> Response {
        self.answers.set(self.answers.get() + 1);
        let mut hasher = DefaultHasher::new();
        (request.method, request.target, request.path_bytes, request.query, request.authority).hash(&mut hasher);
        (request.version, request.body.bytes().unwrap()).hash(&mut hasher);
        request.headers.iter().for_each(|field| field.hash(&mut hasher));
        let digest = hasher.finish();
        match request.path.as_bytes() {
            [b'/', b'm', ..] => Response::bytes(digest.to_string().repeat(digest as usize % 2_000)),
            [b'/', b'M', ..] => Response::bytes(digest.to_string().repeat(digest as usize % 20_000)),
            [b'/', b's', ..] => Response::stream(Slices(digest % 40)),
            [b'/', b'f', ..] => {
                let (offset, length) = (digest % 7, digest % 40_000);
                Response::file(FileRange { file: Arc::clone(&ZEROS), offset, length })
            }
            [b'/', b'n', ..] => Response::new(Status::NO_CONTENT),
            _ => Response::text(format!("{digest}\n")),
        }
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        self.answers.set(self.answers.get() + 1);
        Response::text(error.to_string()).with_status(error.status)
    }

    fn admit(&self, request: &Request<'_>) -> Option<Response> {
        let is_turned_away = request.method == Method::Put;
        self.answers.set(self.answers.get() + u32::from(is_turned_away));
        is_turned_away.then(|| Response::text("no\n").with_status(Status::METHOD_NOT_ALLOWED))
    }

    fn wants_exchanges(&self) -> bool {
        true
    }

    fn observe(&self, _: &Exchange) {
        self.observed.set(self.observed.get() + 1);
    }
}

/// As long as anybody wants.
static ZEROS: LazyLock<Arc<File>> = LazyLock::new(|| Arc::new(File::open("/dev/zero").expect("/dev/zero")));

/// Counts down; now and then a slice is empty, or long.
struct Slices(u64);

impl Source for Slices {
    fn produce(&mut self, out: &mut Vec<u8>) -> std::io::Result<Produced> {
        if self.0 % 5 != 1 {
            out.extend_from_slice(self.0.to_string().repeat(self.0 as usize * 9).as_bytes());
        }
        self.0 = self.0.saturating_sub(1);
        Ok(if self.0 == 0 { Produced::All } else { Produced::More })
    }
}

thread_local! {
    /// Lent from one connection to the next, as in the loop.
    static SCRATCH: Cell<Scratch> = Cell::new(Scratch::new());
}

/// One connection and the loop around it.
struct Conversation {
    service: Digest,
    limits: Limits,
    timeouts: Timeouts,
    scratch: Scratch,
    phase: Phase,
    elapsed: Duration,
    now: Now,
    connection: Option<Connection<MockConnection>>,
    answers: Vec<u8>,
}

impl Conversation {
    fn new() -> Self {
        let now = Now::new(Tick::default(), UNIX_EPOCH);
        Conversation {
            service: Digest::default(),
            limits: Limits {
                head: 1024,
                target: 256,
                fields: 16,
                body: 4096,
                memory: 512,
                trailers: 64,
                requests: 100,
            },
            // One that is shorter than the head's, so that a phase which forgets to begin anew is found.
            timeouts: Timeouts { write: Duration::from_secs(10), ..Timeouts::default() },
            scratch: SCRATCH.take(),
            phase: Phase::Open,
            elapsed: Duration::ZERO,
            connection: Some(Connection::new(MockConnection::new(), None, &now)),
            now,
            answers: Vec::new(),
        }
    }

    fn run(mut self, wire: &[u8], dice: &mut Dice<'_>) -> (Vec<u8>, Faults) {
        let mut faults = Faults::default();
        let mut rest = wire;
        while dice.has_more() && self.connection.is_some() {
            match dice.byte() {
                0..=127 => {
                    let count = (1 + dice.number() * dice.number() / 16).min(rest.len());
                    let (segment, after) = rest.split_at(count);
                    self.push(segment);
                    rest = after;
                    self.advance(true, false);
                }
                128..=159 => {
                    let count = dice.number();
                    let counts: Vec<usize> = (0..count % 8).map(|_| dice.number() * dice.number()).collect();
                    self.transport(|mock| mock.accept_writes(counts));
                }
                160..=175 => self.transport(|mock| mock.accept_writes([0; 8])),
                176..=207 => self.advance(false, true),
                208..=219 => self.advance(true, true),
                220..=227 => self.advance(false, false),
                228..=239 => {
                    let seconds = dice.number();
                    self.sleep(Duration::from_millis(seconds as u64 * 250));
                    faults.has_slept |= seconds > 0;
                }
                240..=243 => {
                    self.transport(MockConnection::reset);
                    self.advance(true, true);
                    faults.has_vanished = true;
                    break;
                }
                244 => {
                    self.phase = Phase::Draining;
                    faults.has_drained = true;
                    self.advance(true, false);
                }
                _ => {
                    // An end of the stream is announced that is not there.
                    if let Some(connection) = &mut self.connection {
                        connection.set_ready(false, false, true);
                    }
                }
            }
        }
        self.push(rest);
        self.transport(MockConnection::end);
        for _ in 0..10_000 {
            if self.connection.is_none() {
                break;
            }
            self.advance(true, true);
        }
        assert!(self.connection.is_none(), "the peer has ended and takes everything, and the connection has not ended");
        assert_eq!(self.service.observed, self.service.answers, "each answer is observed once");
        SCRATCH.set(self.scratch);
        (self.answers, faults)
    }

    fn push(&mut self, segment: &[u8]) {
        if !segment.is_empty() {
            self.transport(|mock| mock.push(segment));
        }
    }

    fn transport(&mut self, script: impl FnOnce(&mut MockConnection)) {
        if let Some(connection) = &mut self.connection {
            script(connection.transport_mut());
        }
    }

    /// Sleeps as the loop does: no longer than the machine wants to be woken.
    fn sleep(&mut self, span: Duration) {
        self.elapsed += span;
        self.advance(false, false);
    }

    fn advance(&mut self, is_readable: bool, is_writable: bool) {
        if let Some(connection) = &mut self.connection {
            connection.set_ready(is_readable, is_writable, false);
        }
        for _ in 0..10_000 {
            self.now.turn(Tick::after(self.elapsed), UNIX_EPOCH);
            let Some(connection) = &mut self.connection else { return };
            let mut context = Context {
                service: &self.service,
                limits: &self.limits,
                timeouts: &self.timeouts,
                now: &self.now,
                scratch: &mut self.scratch,
                phase: self.phase,
                tracer: None,
                recall: Recall::NOBODY,
            };
            let next = connection.advance(&mut context);
            self.answers.append(&mut connection.transport_mut().take_written());
            match next {
                Next::Again => {}
                Next::Wait(deadline) => {
                    assert!(deadline > self.now.tick(), "it waits for a time that is over");
                    return;
                }
                Next::Close => self.connection = None,
            }
        }
        panic!("it goes on for ever");
    }
}
