//! What fuzzers and the simulation have found, mended, and kept as a test each.
//!
//! To add one: take the next number, name the test by what must hold, say in its comment who found it and what
//! happened, and make the input as small as it gets. A finding of a fuzz target is an input below `artifacts/`, one of
//! the simulation a seed; the test here stands for itself and needs neither.

use std::cell::RefCell;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use ownhands::connection::{Connection, Context, Next, Phase, Scratch};
use ownhands::http::{FIELD_SLOTS, Progress, Recall, decode, slots};
use ownhands::testing::{MockClient, MockConnection};
use ownhands::{
    Exchange, Fragment, HttpError, Limits, Now, Produced, Request, Response, Service, Source, Tick, Timeouts,
};

/// Answers with the request's body; `/stream` with a source that is long about it.
#[derive(Default)]
struct Plain {
    exchanges: RefCell<Vec<Exchange>>,
}

impl Service for Plain {
    fn call(&self, request: &Request<'_>) -> Response {
        match request.path {
            "/stream" => Response::stream(Slow(40)),
            _ => Response::bytes(request.body.bytes().unwrap()),
        }
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        Response::text(error.to_string()).with_status(error.status)
    }

    fn wants_exchanges(&self) -> bool {
        true
    }

    fn observe(&self, exchange: &Exchange) {
        self.exchanges.borrow_mut().push(exchange.clone());
    }
}

/// Has nothing to show for so many calls, then one word.
struct Slow(u32);

impl Source for Slow {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        self.0 -= 1;
        if self.0 > 0 {
            return Ok(Produced::More);
        }
        out.extend_from_slice(b"done");
        Ok(Produced::All)
    }
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Found by `decode`: the careful reader made room for as many fields as the limit said. "No limit" ended the process.
#[test]
fn r1_a_limit_of_fields_beyond_all_bounds_is_the_room_there_is() {
    let limits = Limits { fields: usize::MAX, head: usize::MAX, target: usize::MAX, ..Limits::default() };
    let read = |wire: &str| {
        decode(wire.as_bytes(), &mut slots(), &mut Progress::default(), &limits)
            .map(|head| head.map(|head| head.headers.len()))
            .map_err(|error| error.status.code())
    };
    assert_eq!(read(&format!("\r\n{GET}")), Ok(Some(1)));
    let with_fields = |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count - 1));
    for empty_lines in ["", "\n"] {
        assert_eq!(read(&format!("{empty_lines}{}", with_fields(FIELD_SLOTS))), Ok(Some(FIELD_SLOTS)));
        assert_eq!(read(&format!("{empty_lines}{}", with_fields(FIELD_SLOTS + 1))), Err(431));
    }
}

/// Found by `connection`: the time of the answer was counted from the first byte of the head. One that was typed for
/// longer than the limit for writing, and whose answer could not leave at once, was over before it began.
#[test]
fn r2_the_time_of_an_answer_begins_with_the_answer() {
    let seconds = Duration::from_secs;
    let timeouts = Timeouts { head: seconds(100), body: seconds(100), write: seconds(10), ..Timeouts::default() };
    let (upload, body) = ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n", "x".repeat(40_000));
    for (first, second) in [("GET / HT", "TP/1.0\r\n\r\n"), (upload, body.as_str()), ("GET / HT", "\r\n")] {
        let mut client = MockClient::new(Plain::default()).with_timeouts(timeouts.clone());
        client.deliver(first, &[]);
        client.sleep(50);
        client.transport_mut().unwrap().accept_writes([0, 0, 0, 7, 0]);
        client.deliver(second, &[]);
        client.sleep(9);
        for _ in 0..5 {
            client.unblock();
        }
        assert!(client.next_answer(false).is_some(), "after {first}");
    }
}

/// Found by reading for the simulation: a source that had nothing yet let the limit for writing pass, and its peer, who
/// waited for it, was taken for one that takes nothing.
#[test]
fn r3_a_peer_is_not_late_while_the_source_is() {
    let service = Plain::default();
    let (limits, timeouts) = (Limits::default(), Timeouts::default());
    let mut now = Now::new(Tick::default(), UNIX_EPOCH);
    let mut scratch = Scratch::new();
    let mut connection = Connection::new(MockConnection::new(), None, &now);
    connection.transport_mut().push(GET.replace("/ ", "/stream "));
    let mut turns = 0;
    while turns == 0 || !connection.transport_mut().take_written().ends_with(b"4\r\ndone\r\n0\r\n\r\n") {
        let elapsed = Duration::from_secs(9 * turns);
        now.turn(Tick::after(elapsed), UNIX_EPOCH + elapsed);
        let mut context = Context {
            service: &service,
            limits: &limits,
            timeouts: &timeouts,
            now: &now,
            scratch: &mut scratch,
            phase: Phase::Open,
            tracer: None,
            recall: Recall::NOBODY,
        };
        assert_ne!(connection.advance(&mut context), Next::Close, "after {turns} turns");
        turns += 1;
    }
    assert!(turns > 8, "it took long enough to be late: {turns}");
}

/// Found by the simulation, with seed 10: an empty line behind a request, as some clients send it, was taken for the
/// beginning of the next. The idle peer got a 408, which it would have read as the answer to what it asked next.
#[test]
fn r4_empty_lines_begin_no_request() {
    for empty in ["\r\n", "\n", "\r\n\n\r\n"] {
        let connected = || {
            let mut client = MockClient::new(Plain::default());
            client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi{empty}"), &[]);
            client
        };
        let mut client = connected();
        client.sleep(59);
        assert!(client.is_open() && client.received().is_empty());
        assert_eq!(client.get("/").status(), 200);
        let ends: [fn(&mut MockClient<Plain>); 3] = [MockClient::end, MockClient::drain, |client| client.sleep(60)];
        for end in ends {
            let mut client = connected();
            end(&mut client);
            assert!(client.is_closed() && client.received().is_empty());
        }
    }
    // There may not be any number of them, in one piece or in many.
    for cuts in [vec![], (1..40).collect()] {
        let mut client = MockClient::new(Plain::default());
        assert_eq!(client.send(format!("{}{GET}", "\r\n".repeat(17)), &cuts).status(), 400);
    }
}

/// Follows from r4: empty lines count no longer as a part of the head, so they must not anywhere, however they came.
#[test]
fn r5_the_limit_of_a_head_does_not_count_the_empty_lines_before_it() {
    for (head, status) in [(GET.len(), 200), (GET.len() - 1, 431)] {
        let limits = Limits { head, ..Limits::default() };
        let wire = format!("\r\n\n\r\n{GET}");
        for cuts in [vec![], vec![2], vec![7], (1..wire.len()).collect()] {
            let mut client = MockClient::new(Plain::default()).with_limits(limits.clone());
            assert_eq!(client.send(&wire, &cuts).status(), status, "cut at {cuts:?}");
        }
    }
}

/// Found by reading for the simulation: of a request with a body, the log told the time since its head was complete, or
/// since `100 Continue` was sent.
#[test]
fn r6_a_request_takes_as_long_as_from_its_first_byte() {
    let mut client = MockClient::new(Plain::default());
    for part in ["POST / HT", "TP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "h"] {
        client.deliver(part, &[]);
        client.sleep(10);
    }
    client.deliver("i", &[]);
    assert_eq!(client.next_answer(false).unwrap().body(), b"hi");
    assert_eq!(client.service().exchanges.borrow()[0].took, Duration::from_secs(30));
}
