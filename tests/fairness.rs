//! How peers share the turns of one loop. Nothing is asserted of how long anything takes: a source that sleeps for
//! longer than a turn may be makes the turn long on any machine, and a clock that stands makes none.

use std::io;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use ownhands::connection::{Connection, Context, Next, Phase, Scratch};
use ownhands::http::Recall;
use ownhands::testing::MockConnection;
use ownhands::{
    Config, Fragment, HttpError, Limits, Now, Produced, Request, Response, Service, Source, Tick, Timeouts,
};

use crate::running::{Running, get, hear, hear_all, say};
use crate::samples::after_head;

/// Longer than a turn may be before it is a long one.
const DEAR: Duration = Duration::from_millis(3);

/// Slices of each stream.
const SLICES: usize = 12;

/// What happened in a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Turn,
    /// The source of this peer was asked.
    Asked(u8),
    /// A small request was answered.
    Small,
}

type Marks = Arc<Mutex<Vec<Mark>>>;

/// Answers `/0` to `/9` with a stream of which each slice takes that long, `/hold` when the test has come to the
/// barrier for the second time, and everything else at once.
struct Studio {
    marks: Marks,
    effort: Duration,
    barrier: Arc<Barrier>,
}

struct Painter {
    id: u8,
    left: usize,
    marks: Marks,
    effort: Duration,
}

impl Source for Painter {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        self.marks.lock().unwrap().push(Mark::Asked(self.id));
        thread::sleep(self.effort);
        out.push(b'.');
        self.left -= 1;
        Ok(if self.left > 0 { Produced::More } else { Produced::All })
    }

    fn length(&self) -> Option<u64> {
        Some(self.left as u64)
    }
}

impl Service for Studio {
    fn call(&self, request: &Request<'_>) -> Response {
        let (marks, effort) = (Arc::clone(&self.marks), self.effort);
        match request.path.as_bytes() {
            [b'/', digit @ b'0'..=b'9'] => Response::stream(Painter { id: digit - b'0', left: SLICES, marks, effort }),
            b"/hold" => {
                self.barrier.wait(); // the loop is held
                self.barrier.wait(); // and goes on
                Response::text("held")
            }
            _ => {
                marks.lock().unwrap().push(Mark::Small);
                Response::text("small")
            }
        }
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        Response::text(error.to_string()).with_status(error.status)
    }

    fn begin_turn(&self, _: &Now) -> Tick {
        self.marks.lock().unwrap().push(Mark::Turn);
        Tick::NEVER
    }
}

/// One turn of a connection; how often a source was asked in it, or a small request answered.
fn turn(connection: &mut Connection<MockConnection>, service: &Studio, now: &Now) -> (usize, Next) {
    service.marks.lock().unwrap().clear();
    let next = connection.advance(&mut Context {
        service,
        limits: &Limits::default(),
        timeouts: &Timeouts::default(),
        now,
        scratch: &mut Scratch::new(),
        phase: Phase::Open,
        tracer: None,
        recall: Recall::NOBODY,
    });
    let asked = service.marks.lock().unwrap().len();
    (asked, next)
}

fn begin(now: &Now, effort: Duration) -> (Connection<MockConnection>, Studio) {
    let mut connection = Connection::new(MockConnection::new(), None, now);
    connection.transport_mut().push(get("/0"));
    (connection, Studio { marks: Marks::default(), effort, barrier: Arc::new(Barrier::new(1)) })
}

#[test]
fn a_source_is_asked_several_times_in_a_short_turn() {
    let now = Now::new(Tick::default(), UNIX_EPOCH);
    let (mut connection, service) = begin(&now, Duration::ZERO);
    let asked: Vec<usize> = (0..3).map(|_| turn(&mut connection, &service, &now).0).collect();
    assert_eq!(asked, [4, 4, 4], "of {SLICES} slices");
}

#[test]
fn a_source_is_asked_once_in_a_turn_that_gets_long_by_it() {
    let mut now = Now::running();
    let (mut connection, service) = begin(&now, DEAR);
    // A machine that is held up here makes the turn long before the source is asked: then it is not.
    let (mut sum, mut next) = turn(&mut connection, &service, &now);
    assert!(sum <= 1, "asked {sum} times");
    while next == Next::Again {
        now.next_turn();
        let (asked, then) = turn(&mut connection, &service, &now);
        assert_eq!(asked, 1, "after {sum}");
        (sum, next) = (sum + asked, then);
    }
    assert_eq!(sum, SLICES);
    assert_eq!(after_head(&connection.transport_mut().take_written()), [b'.'; SLICES]);
}

#[test]
fn a_source_that_begins_in_a_long_turn_waits_for_the_next() {
    let now = Now::running();
    let (mut connection, service) = begin(&now, Duration::ZERO);
    thread::sleep(DEAR);
    assert_eq!(turn(&mut connection, &service, &now), (0, Next::Again));
    let written = connection.transport_mut().take_written();
    assert!(written.ends_with(b"\r\n\r\n"), "the head is sent: it is made");
    for _ in 0..2 {
        assert_eq!(
            turn(&mut connection, &service, &now),
            (1, Next::Again),
            "once it has waited, it goes on in any turn"
        );
    }
}

#[test]
fn who_has_got_all_its_answers_does_not_queue() {
    let now = Now::running();
    let (_, service) = begin(&now, Duration::ZERO);
    thread::sleep(DEAR);
    let small = get("/small");
    for (wire, answers, rest) in [(small.clone(), 1, 0), (small.repeat(3), 1, 2)] {
        let mut connection = Connection::new(MockConnection::new(), None, &now);
        connection.transport_mut().push(wire);
        let (answered, next) = turn(&mut connection, &service, &now);
        assert_eq!((answered, next == Next::Again), (answers, rest > 0));
    }
}

#[test]
fn peers_with_much_to_do_take_turns_and_small_requests_go_between() {
    let peers = b"012345";
    let marks = Marks::default();
    let barrier = Arc::new(Barrier::new(2));
    let service = Studio { marks: Arc::clone(&marks), effort: DEAR, barrier: Arc::clone(&barrier) };
    let server = Running::start(Config::default(), || service);
    let mut small = server.connect();
    say(&mut small, get("/hold"));
    barrier.wait();
    let mut streams: Vec<_> = peers.iter().map(|_| server.connect()).collect();
    for (stream, digit) in streams.iter_mut().zip(peers) {
        say(stream, format!("GET /{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", char::from(*digit)));
    }
    barrier.wait(); // all begin at one time
    assert_eq!(hear(&mut small).1, b"held");
    for _ in 0..20 {
        say(&mut small, get("/small"));
        assert_eq!(hear(&mut small).1, b"small");
    }
    for stream in &mut streams {
        assert_eq!(after_head(&hear_all(stream)), [b'.'; SLICES]);
    }
    drop(small);
    server.stop();

    let marks = std::mem::take(&mut *marks.lock().unwrap());
    let asked = |turn: &[Mark]| turn.iter().filter(|mark| matches!(mark, Mark::Asked(_))).count();
    let most = marks.split(|&mark| mark == Mark::Turn).map(asked).max();
    // One that begins while the turn is short, and one of those who wait.
    assert!(most <= Some(2), "asked {most:?} times in one turn");
    assert_eq!(asked(&marks), peers.len() * SLICES);
    assert_eq!(marks.iter().filter(|&&mark| mark == Mark::Small).count(), 20);

    // Once all have begun, and before one ends, they take turns in one order.
    let order: Vec<u8> =
        marks.iter().filter_map(|mark| if let Mark::Asked(id) = mark { Some(*id) } else { None }).collect();
    let position_of = |nth: usize| {
        let places = (0..10).filter_map(|id| order.iter().enumerate().filter(|&(_, &one)| one == id).nth(nth));
        places.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let all_begun = position_of(0).into_iter().max().unwrap();
    let first_end = position_of(SLICES - 1).into_iter().min().unwrap();
    let between = &order[all_begun..=first_end];
    for round in between.windows(peers.len()) {
        let mut round = round.to_vec();
        round.sort_unstable();
        assert!(round.iter().eq(&[0, 1, 2, 3, 4, 5]), "{round:?} in {order:?}");
    }
}

/// A turn that is long already lets in a few; but when the doors close, all who have knocked. The loop is held in the
/// turn that lets somebody in, and in one that has yet to hear that anybody knocks.
#[test]
fn who_has_knocked_is_let_in_by_a_server_that_stops_in_a_long_turn() {
    for is_let_in_before in [false, true] {
        let barrier = Arc::new(Barrier::new(2));
        let (marks, at_door) = (Marks::default(), Arc::clone(&barrier));
        let server = Running::start(Config::default(), || Studio { marks, effort: DEAR, barrier: at_door });
        let mut holder = server.connect();
        if is_let_in_before {
            say(&mut holder, get("/small"));
            assert_eq!(hear(&mut holder).1, b"small");
        }
        say(&mut holder, get("/hold"));
        barrier.wait();
        let mut crowd: Vec<_> = (0..600).map(|_| server.connect()).collect();
        for peer in &mut crowd {
            say(peer, get("/small"));
        }
        server.begin_to_stop();
        barrier.wait();
        assert_eq!(hear(&mut holder).1, b"held");
        for (number, peer) in crowd.iter_mut().enumerate() {
            assert_eq!(hear(peer).1, b"small", "peer {number}, {is_let_in_before}");
        }
    }
}
