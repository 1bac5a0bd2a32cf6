//! Answers that are made while they are sent, with pauses. They need no thread: a source says when it wants to be asked
//! again, and the loop sleeps until then.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use ownhands::app::local_zone;
use ownhands::{Produced, Response, Source};

/// Ten lines, one every 200 ms.
pub(super) fn lines() -> Response {
    // Without the second field, browsers wait for more bytes to guess what they are.
    Response::stream(Lines(0))
        .with_header("Content-Type", "text/plain; charset=utf-8")
        .with_header("X-Content-Type-Options", "nosniff")
}

/// The time, once a second, as server-sent events (HTML standard, section 9.2).
pub(super) fn events() -> Response {
    Response::stream(Events(0))
        .with_header("Content-Type", "text/event-stream")
        .with_header("Cache-Control", "no-cache")
}

/// The number of lines that were made.
struct Lines(u32);

const LINES: u32 = 10;
const BETWEEN_LINES: Duration = Duration::from_millis(200);

impl Source for Lines {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        self.0 = self.0.saturating_add(1);
        out.extend_from_slice(format!("line {} of {LINES}\n", self.0).as_bytes());
        Ok(if self.0 < LINES { Produced::Later(BETWEEN_LINES) } else { Produced::All })
    }
}

/// The number of events that were made.
struct Events(u32);

/// An hour. A browser that still looks then comes back by itself.
const EVENTS: u32 = 3600;
const BETWEEN_EVENTS: Duration = Duration::from_secs(1);

impl Source for Events {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        self.0 = self.0.saturating_add(1);
        let time = Timestamp::now().to_zoned(local_zone()).strftime("%H:%M:%S").to_string();
        out.extend_from_slice(format!("id: {}\ndata: {time}\n\n", self.0).as_bytes());
        Ok(if self.0 < EVENTS { Produced::Later(BETWEEN_EVENTS) } else { Produced::All })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_end() {
        let ends = |source: &mut dyn Source| {
            let mut out = Vec::new();
            let more = (1..).find(|_| matches!(source.produce(&mut out), Ok(Produced::All)));
            (more, String::from_utf8_lossy(&out).into_owned())
        };
        let (count, lines) = ends(&mut Lines(0));
        assert_eq!((count, lines.lines().next_back()), (Some(10), Some("line 10 of 10")));
        let (count, events) = ends(&mut Events(0));
        assert_eq!((count, events.matches("\n\n").count()), (Some(3600), 3600));
    }
}
