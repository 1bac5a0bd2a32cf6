//! The access log: a line for each exchange, in the Combined format with the time taken at its end.
//!
//! Lines are gathered in memory and written once a turn of the loop. What cannot be written is lost, counted and
//! complained of once: a full disk must neither stop the server nor fill its memory.

use std::cell::RefCell;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Observer;
use crate::service::Exchange;

/// Bytes gathered before they are written without waiting for the end of the turn: about five hundred lines, and a size
/// at which a write costs no more for each byte.
const BUFFER: usize = 64 * 1024;

/// Writes a line for each exchange:
///
/// ```text
/// 127.0.0.1 - - [20/Nov/2026:19:00:00 +0100] "GET /a HTTP/1.1" 200 123 "http://127.0.0.1/" "curl/8.5" 0.000123
/// ```
///
/// Who, when (the answer's end, in the local time zone), the request line, the status, the bytes of the body that were
/// sent, the Referer and User-Agent fields, and the seconds from the first byte of the request to the last of the answer.
/// Bytes that are not printable ASCII, quotes and backslashes are written `\xHH`; what was not sent is `-`.
///
/// The sink is written to on the loop's thread: one that blocks holds every peer.
///
/// ```
/// use ownhands::{Exchange, Status, app::{AccessLog, Observer}};
///
/// let log = AccessLog::new(std::io::stdout());
/// log.observe(&Exchange::new(*b"GET / HTTP/1.1", Status::OK));
/// log.end_turn(); // - - - [01/Jan/1970:00:00:00 +0000] "GET / HTTP/1.1" 200 0 "-" "-" 0.000000
/// ```
pub struct AccessLog {
    state: RefCell<State>,
}

struct State {
    sink: Box<dyn Write>,
    buffer: Vec<u8>,
    clock: Clock,
    has_complained: bool,
    lost: u64,
}

impl AccessLog {
    /// An access log that writes to `sink`: a file, stdout.
    pub fn new(sink: impl Write + 'static) -> Self {
        let clock = Clock { second: None, text: String::new() };
        let state = State { sink: Box::new(sink), buffer: Vec::new(), clock, has_complained: false, lost: 0 };
        AccessLog { state: RefCell::new(state) }
    }
}

impl Observer for AccessLog {
    fn observe(&self, exchange: &Exchange) {
        // Taken only if the sink itself were served by this server.
        if let Ok(mut state) = self.state.try_borrow_mut() {
            state.push(exchange);
        }
    }

    fn end_turn(&self) {
        if let Ok(mut state) = self.state.try_borrow_mut() {
            state.write_out();
        }
    }
}

impl State {
    fn push(&mut self, exchange: &Exchange) {
        let out = &mut self.buffer;
        // Writing to memory does not fail.
        let _ = match exchange.peer {
            Some(peer) => write!(out, "{}", peer.ip().to_canonical()),
            None => write!(out, "-"),
        };
        let _ = write!(out, " - - [{}] \"", self.clock.show(exchange.ended));
        push_escaped(if exchange.line.is_empty() { b"-" } else { &exchange.line }, out);
        let _ = write!(out, "\" {} {} \"", exchange.status.code(), exchange.sent);
        push_escaped(exchange.referer.as_deref().unwrap_or(b"-"), out);
        out.extend_from_slice(b"\" \"");
        push_escaped(exchange.agent.as_deref().unwrap_or(b"-"), out);
        let _ = writeln!(out, "\" {}.{:06}", exchange.took.as_secs(), exchange.took.subsec_micros());
        if self.buffer.len() >= BUFFER {
            self.write_out();
        }
    }

    /// Writes what was gathered; in any case nothing is left of it.
    fn write_out(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let (written, outcome) = write_all(&mut *self.sink, &self.buffer);
        if let Err(error) = outcome {
            if !self.has_complained {
                self.has_complained = true;
                log::warn!("the access log cannot be written, lines are lost: {error}");
            }
            let left = self.buffer.get(written..).unwrap_or_default();
            self.lost += memchr::memchr_iter(b'\n', left).count() as u64;
        }
        self.buffer.clear();
    }
}

/// As `Write::write_all` with a flush, but it tells how far it came.
fn write_all(sink: &mut dyn Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match sink.write(rest) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, sink.flush())
}

impl Drop for State {
    fn drop(&mut self) {
        self.write_out();
        if self.lost > 0 {
            log::warn!("{} lines of the access log were lost", self.lost);
        }
    }
}

/// The second last shown, as text: a busy server asks for the same one a hundred thousand times.
struct Clock {
    second: Option<u64>,
    text: String,
}

impl Clock {
    fn show(&mut self, time: SystemTime) -> &str {
        let second = time.duration_since(UNIX_EPOCH).map_or(0, |span| span.as_secs());
        if self.second != Some(second) {
            self.second = Some(second);
            // A clock beyond what a date can name is shown as 1970.
            let time = i64::try_from(second).ok().and_then(|second| Timestamp::from_second(second).ok());
            let time = time.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::system());
            self.text = time.strftime("%d/%b/%Y:%H:%M:%S %z").to_string();
        }
        &self.text
    }
}

/// Nothing that a peer sent can end the line, leave its quotes, or speak to a terminal.
fn push_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | ..=0x1f | 0x7f.. => {
                let _ = write!(out, "\\x{byte:02X}");
            }
            plain => out.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;
    use crate::http::Status;

    #[test]
    fn escapes() {
        let cases: [(&[u8], &str); 3] = [
            (b"GET /a b HTTP/1.1", "GET /a b HTTP/1.1"),
            (b"\x16\x03\x01\"\\\x7f\xff", r"\x16\x03\x01\x22\x5C\x7F\xFF"),
            (b"\x1b[31m\r\n", r"\x1B[31m\x0D\x0A"),
        ];
        for (bytes, want) in cases {
            let mut out = Vec::new();
            push_escaped(bytes, &mut out);
            assert_eq!(out, want.as_bytes());
        }
    }

    /// Takes `room` bytes, then fails, and counts the calls.
    struct Small {
        room: usize,
        calls: Rc<Cell<u32>>,
    }

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls.set(self.calls.get() + 1);
            let taken = bytes.len().min(self.room);
            self.room -= taken;
            if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_sink_that_fails_costs_lines_and_no_memory() {
        let calls = Rc::new(Cell::new(0));
        let log = AccessLog::new(Small { room: 100, calls: Rc::clone(&calls) });
        for _ in 0..10_000 {
            log.observe(&Exchange::new(*b"GET / HTTP/1.1", Status::OK));
            assert!(log.state.borrow().buffer.len() <= BUFFER);
        }
        log.end_turn();
        // Of the first lines one and a part went out.
        assert_eq!(log.state.borrow().lost, 9_999);
        assert!(log.state.borrow().buffer.is_empty());
        assert!(calls.get() < 20, "{} writes", calls.get());
    }

    #[test]
    fn lines_wait_for_the_end_of_the_turn() {
        let calls = Rc::new(Cell::new(0));
        let log = AccessLog::new(Small { room: usize::MAX, calls: Rc::clone(&calls) });
        log.end_turn();
        log.observe(&Exchange::new(*b"", Status::OK));
        log.observe(&Exchange::new(*b"", Status::OK));
        assert_eq!(calls.get(), 0);
        log.end_turn();
        assert_eq!(calls.get(), 1);
    }
}
