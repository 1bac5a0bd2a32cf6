//! The access log: a line for each exchange, gathered in memory and written once a turn of the loop.

mod clock;
mod combined;
mod json;
mod queue;
mod zone;

use std::cell::RefCell;
use std::io::Write;

use self::clock::Clock;
use self::queue::Queue;
use super::Observer;
use crate::service::Exchange;

pub use self::zone::local_zone;

/// Writes a line for each exchange, when its answer is over:
///
/// ```text
/// 127.0.0.1 - - [20/Nov/2026:19:00:00 +0100] "GET /a HTTP/1.1" 200 123 "http://127.0.0.1/" "curl/8.5" 0.000123
/// ```
///
/// That is the Combined format: the [client](crate::Request::client), when (the answer's end, in the local time
/// zone), the request line, the status, the bytes of the body that were sent, the Referer and User-Agent fields;
/// and behind it the seconds from the first byte of the request to the last of the answer. Bytes that are not
/// printable ASCII, quotes and backslashes are written `\xHH`; what was not sent is `-`.
/// [`with_json`](AccessLog::with_json) has another format.
///
/// The sink is written to on the loop's thread: one that blocks holds every peer. What it does not take is lost, and
/// counted: the log says so when it begins, once a minute while it goes on, and when lines are written again. A line
/// that was written in part is completed first.
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
    queue: Queue,
    encode: Encode,
    clock: Clock,
}

/// Puts an exchange into words, without a line end.
type Encode = fn(&Exchange, &mut Clock, &mut Vec<u8>);

impl AccessLog {
    /// Bytes gathered before they are written without waiting for the end of the turn: about five hundred lines, and a
    /// size at which a write costs no more for each byte.
    pub const QUEUE: usize = 64 * 1024;

    /// An access log that writes to `sink`: a file, stdout. The time zone is that of now, whatever
    /// becomes of the system's.
    pub fn new(sink: impl Write + 'static) -> Self {
        let state =
            State { queue: Queue::new(Box::new(sink)), encode: combined::push, clock: Clock::new(combined::TIME) };
        AccessLog { state: RefCell::new(state) }
    }

    /// The same log in JSON (RFC 8259), an object a line:
    ///
    /// ```text
    /// {"time":"2026-11-20T19:00:00+01:00","client":"127.0.0.1","method":"GET","target":"/a","version":"HTTP/1.1",
    ///  "status":200,"bytes":123,"seconds":0.000123,"referer":"http://127.0.0.1/","agent":"curl/8.5","id":"6474846204000-1"}
    /// ```
    ///
    /// What is not there is left out. `peer` is who was connected, if that is not the client. Where the request line
    /// is none, it stands as `line`. Text is UTF-8 with control characters escaped; a byte that is no UTF-8 becomes
    /// the character of that number, `\u0080` to `\u00ff`: so nothing of what noise was made of is lost, and the
    /// line is valid for any bytes.
    ///
    /// ```
    /// use ownhands::{Exchange, Status, app::{AccessLog, Observer}};
    ///
    /// let log = AccessLog::new(std::io::stdout()).with_json();
    /// log.observe(&Exchange::new(*b"\x16\xff", Status::BAD_REQUEST));
    /// log.end_turn(); // {"time":"1970-01-01T00:00:00+00:00","line":"\u0016\u00ff","status":400,"bytes":0,"seconds":0.000000}
    /// ```
    #[must_use]
    pub fn with_json(self) -> Self {
        let mut state = self.state.into_inner();
        state.encode = json::push;
        state.clock = state.clock.with_format(json::TIME);
        AccessLog { state: RefCell::new(state) }
    }
}

impl Observer for AccessLog {
    fn observe(&self, exchange: &Exchange) {
        // Taken only if the sink itself were served by this server.
        if let Ok(mut state) = self.state.try_borrow_mut() {
            let State { queue, encode, clock } = &mut *state;
            queue.push(exchange.ended, |line| encode(exchange, clock, line));
        }
    }

    fn end_turn(&self) {
        if let Ok(mut state) = self.state.try_borrow_mut() {
            state.queue.write_out();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Status;

    /// The hostile bytes of a peer: no control byte in either format, no line end but the last, and all of them told.
    #[test]
    fn no_byte_of_a_peer_is_obeyed() {
        for encode in [combined::push as Encode, json::push] {
            let mut clock = Clock::new(combined::TIME);
            for byte in 0..=u8::MAX {
                let mut exchange = Exchange::new([b'a', byte, b'b'], Status::OK);
                exchange.agent = Some(Box::from([byte]));
                let mut line = Vec::new();
                encode(&exchange, &mut clock, &mut line);
                let text = std::str::from_utf8(&line).unwrap_or("\0");
                assert!(!text.contains(char::is_control), "{}", line.escape_ascii());
            }
        }
    }
}
