//! The machine turn by turn, as a loop turns it: its shares, its writes, and what it keeps from one turn to the next.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::{Duration, UNIX_EPOCH};

use ownhands::connection::{Connection, Context, Next, Phase, Scratch, Transport};
use ownhands::http::Recall;
use ownhands::testing::MockConnection;
use ownhands::{Limits, Now, Service, Tick, Timeouts};

use crate::samples::{BIG, CONTINUE, Echo, SAMPLES, big, client, text, upload};

/// A loop of one thread, without a poll: connections that share buffers, service and clock.
pub(crate) struct Bench {
    service: Echo,
    scratch: Scratch,
    now: Now,
    limits: Limits,
    timeouts: Timeouts,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Bench {
            service: Echo::default(),
            scratch: Scratch::new(),
            now: Now::new(Tick::default(), UNIX_EPOCH + Duration::from_secs(1_767_225_600)),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }

    pub(crate) fn connect(&self) -> Connection<MockConnection> {
        Connection::new(MockConnection::new(), None, &self.now)
    }

    /// Lets the clock go on, without a turn.
    pub(crate) fn sleep(&mut self, span: Duration) {
        let (tick, date) = (self.now.tick().plus(span), self.now.system_time() + span);
        self.now.turn(tick, date);
    }

    /// One turn for one connection.
    pub(crate) fn turn<T: Transport>(&mut self, connection: &mut Connection<T>) -> Next {
        connection.advance(&mut Context {
            service: &self.service as &dyn Service,
            limits: &self.limits,
            timeouts: &self.timeouts,
            now: &self.now,
            scratch: &mut self.scratch,
            phase: Phase::Open,
            tracer: None,
            recall: Recall::NOBODY,
        })
    }
}

#[test]
fn one_turn_sends_no_more_than_its_share() {
    let mut bench = Bench::new();
    for path in ["/big", "/stream-long"] {
        let mut connection = bench.connect();
        connection.transport_mut().push(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let mut turns = 1;
        while bench.turn(&mut connection) == Next::Again {
            let sent = connection.transport_mut().take_written().len();
            assert!(sent <= 300 * 1024, "{sent} bytes in one turn");
            turns += 1;
        }
        assert!(turns > 1, "{path}");
    }
}

#[test]
fn one_turn_answers_no_more_than_its_share() {
    let mut bench = Bench::new();
    let mut connection = bench.connect();
    connection.transport_mut().push("GET /a HTTP/1.1\r\nHost: a\r\n\r\n".repeat(200));
    assert_eq!(bench.turn(&mut connection), Next::Again);
    assert_eq!(bench.service.calls.get(), 64);
    while bench.turn(&mut connection) == Next::Again {}
    assert_eq!(bench.service.calls.get(), 200);
}

#[test]
fn one_turn_drains_no_more_than_its_share() {
    let mut bench = Bench::new();
    let mut connection = bench.connect();
    connection.transport_mut().push("GET /\r\n");
    assert!(matches!(bench.turn(&mut connection), Next::Wait(_)), "refused, and lingering");
    connection.transport_mut().push(vec![b'x'; 4 << 20]);
    connection.set_ready(true, false, false);
    let mut turns = 1;
    while bench.turn(&mut connection) == Next::Again {
        turns += 1;
    }
    assert!(turns > 4, "{turns}");
}

/// A transport that notes how much each write took.
#[derive(Debug, Default)]
struct Noting {
    mock: MockConnection,
    writes: Vec<usize>,
}

impl Read for Noting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.mock.read(buffer)
    }
}

impl Write for Noting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.mock.write(bytes)?;
        self.writes.push(count);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.mock.flush()
    }
}

impl Transport for Noting {
    /// All of it in one call, as a kernel does.
    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        let mut sent = 0;
        while sent < count {
            match self.mock.send_file(file, offset + sent as u64, count - sent)? {
                0 => break,
                more => sent += more,
            }
        }
        self.writes.push(sent);
        Ok(sent)
    }

    fn shut_down_write(&mut self) -> io::Result<()> {
        self.mock.shut_down_write()
    }
}

/// The writes in which a service's answers to these requests leave.
fn writes(service: Echo, wire: &str) -> Vec<usize> {
    let mut bench = Bench { service, ..Bench::new() };
    let mut connection = Connection::new(Noting::default(), None, &bench.now);
    connection.transport_mut().mock.push(wire);
    while bench.turn(&mut connection) == Next::Again {}
    std::mem::take(&mut connection.transport_mut().writes)
}

#[test]
fn small_answers_leave_in_one_write() {
    let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(writes(Echo::default(), get).len(), 1, "head and body together");
    assert_eq!(writes(Echo::default(), &get.repeat(50)).len(), 1, "a pipeline too");
}

#[test]
fn a_file_leaves_behind_its_head() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"content").unwrap();
    let writes = writes(Echo::with_file(file, 0, 7), "GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((writes.len(), writes.last()), (2, Some(&7)));
}

#[test]
fn a_long_file_leaves_in_slices_of_a_turn() {
    const LENGTH: usize = 1_300_000;
    const SLICE: usize = 512 * 1024;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![b'x'; LENGTH]).unwrap();
    let mut bench = Bench { service: Echo::with_file(file, 0, LENGTH as u64), ..Bench::new() };
    let mut connection = Connection::new(Noting::default(), None, &bench.now);
    let request = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";
    connection.transport_mut().mock.push(request);
    let first = SLICE - request.len(); // it was read in the same turn
    for (slice, next) in [(first, true), (SLICE, true), (LENGTH - SLICE - first, false)] {
        assert_eq!(bench.turn(&mut connection) == Next::Again, next);
        assert_eq!(connection.transport_mut().writes.pop(), Some(slice));
    }
}

#[test]
fn the_head_of_an_empty_file_leaves_alone() {
    let service = Echo::with_file(tempfile::tempfile().unwrap(), 0, 0);
    assert_eq!(writes(service, "GET /file HTTP/1.1\r\nHost: a\r\n\r\n").len(), 1);
}

/// The machine derives `Debug`, which shows what a connection keeps: the only way to see it from outside.
fn keeps_nothing(connection: &Connection<MockConnection>) -> bool {
    format!("{connection:?}").contains("kept: None")
}

#[test]
fn an_idle_connection_keeps_nothing() {
    let mut bench = Bench::new();
    let mut connection = bench.connect();
    assert!(matches!(bench.turn(&mut connection), Next::Wait(_)));
    assert!(keeps_nothing(&connection), "nothing was said yet");

    for wire in [
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        connection.transport_mut().push(wire);
        connection.set_ready(true, false, false);
        while bench.turn(&mut connection) == Next::Again {}
        assert!(keeps_nothing(&connection), "{wire}");
    }
    connection.transport_mut().push("GET");
    connection.set_ready(true, false, false);
    bench.turn(&mut connection);
    assert!(!keeps_nothing(&connection), "half a request is kept");
    connection.transport_mut().push(" /a HTTP/1.1\r\nHost: a\r\n\r\n");
    connection.set_ready(true, false, false);
    bench.turn(&mut connection);
    assert!(keeps_nothing(&connection), "and forgotten when it is answered");

    let long = [upload(BIG).into_bytes(), big()].concat();
    for part in long.chunks(50_000) {
        connection.transport_mut().push(part);
        connection.set_ready(true, false, false);
        while bench.turn(&mut connection) == Next::Again {}
    }
    assert!(keeps_nothing(&connection), "the buffer of a long body is given back");
}

/// Ten thousand idle connections are ten thousand of these, and nothing more of ours.
#[test]
fn a_connection_is_small() {
    let size = size_of::<Connection<mio::net::TcpStream>>();
    assert!(size <= SIZE_OF_CONNECTION, "{size} bytes");
}

/// Bytes. Raise it only for a field that every connection needs at every time.
const SIZE_OF_CONNECTION: usize = 200;

#[test]
fn connections_share_their_buffers_and_nothing_else() {
    let mut bench = Bench::new();
    let mut alone = Vec::new();
    for sample in SAMPLES {
        let mut client = client();
        client.deliver(sample.wire, &[]);
        alone.push(client.take_received());
    }
    // All at once: a few bytes of each in turn, by odd numbers, so that they drift apart.
    let mut connections: Vec<_> = SAMPLES.iter().map(|_| Some(bench.connect())).collect();
    let mut sent = vec![Vec::new(); SAMPLES.len()];
    let longest = SAMPLES.iter().map(|sample| sample.wire.len()).max().unwrap();
    for round in 0..longest {
        for (index, sample) in SAMPLES.iter().enumerate() {
            let step = 1 + index % 7;
            let part = sample.wire.chunks(step).nth(round).unwrap_or_default();
            let Some(connection) = &mut connections[index] else { continue };
            if !part.is_empty() {
                connection.transport_mut().push(part);
                connection.set_ready(true, true, false);
            }
            let next = bench.turn(connection);
            sent[index].extend(connection.transport_mut().take_written());
            if next == Next::Close {
                connections[index] = None;
            }
        }
    }
    for ((sample, sent), alone) in SAMPLES.iter().zip(&sent).zip(&alone) {
        let sent = text(sent).replace(&text(CONTINUE), "");
        assert_eq!(sent, text(alone), "{}", sample.name);
    }
}

#[test]
fn long_uploads_side_by_side_do_not_mix() {
    let mut bench = Bench::new();
    let bodies: Vec<Vec<u8>> = (0..5).map(|peer: u8| vec![b'a' + peer; 200_000 + usize::from(peer)]).collect();
    let mut connections: Vec<_> = bodies.iter().map(|_| bench.connect()).collect();
    let wires: Vec<Vec<u8>> = bodies
        .iter()
        .map(|body| {
            let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
            [head.as_bytes(), body, b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n"].concat()
        })
        .collect();
    for round in 0..210 {
        for (connection, wire) in connections.iter_mut().zip(&wires) {
            let part = wire.chunks(1000).nth(round).unwrap_or_default();
            connection.transport_mut().push(part);
            connection.set_ready(!part.is_empty(), true, false);
            while bench.turn(connection) == Next::Again {}
        }
    }
    for (connection, body) in connections.iter_mut().zip(&bodies) {
        let sent = connection.transport_mut().take_written();
        let echoed = [b"POST a / ", body.as_slice()].concat();
        assert!(sent.windows(echoed.len()).any(|window| window == echoed));
        assert!(sent.ends_with(b"GET a /after "));
        assert!(keeps_nothing(connection));
    }
}
