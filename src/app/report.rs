//! What the log is told of a refusal: who asked for what, the answer, and what lies behind it.
//!
//! Nothing that a peer sent reaches the log or a plain-text page unescaped: a terminal obeys control characters.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Write as _};

use log::Level;

use super::asker::Asker;
use crate::http::{HttpError, Now, Status};

/// Characters of a peer's text that are shown; a target may have thousands.
const SHOWN: usize = 160;

/// Text of a peer, with what is not printable escaped, and cut where it gets long.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(SHOWN) {
            match character {
                '"' | '\'' => f.write_char(character)?,
                other => write!(f, "{}", other.escape_debug())?,
            }
        }
        if characters.next().is_some() { f.write_str("...") } else { Ok(()) }
    }
}

/// Refusals written in one second, at the level info, and as many at the level warn: a scanner makes thousands
/// of the ones, a crowd at the door of the others, and each costs a write. What is wrong with the server
/// itself is always written.
const LINES_A_SECOND: u32 = 20;

/// Writes refusals to the log, so many a second; the others are counted.
#[derive(Default)]
pub(super) struct Reporter {
    second: Cell<u64>,
    info: Ration,
    warn: Ration,
}

/// The lines of one level in one second.
#[derive(Default)]
struct Ration {
    written: Cell<u32>,
    passed_over: Cell<u32>,
}

impl Reporter {
    /// The count is for a second of the clock. How many lines were left out is said when the next second begins.
    pub(super) fn begin_turn(&self, now: &Now) {
        if self.second.replace(now.unix_seconds()) == now.unix_seconds() {
            return;
        }
        for ration in [&self.info, &self.warn] {
            ration.begin_anew();
        }
    }

    /// Writes a refusal.
    pub(super) fn refusal(&self, error: &HttpError, asker: Asker<'_>, id: Option<&str>) {
        let level = level(error);
        let is_written = match level {
            _ if level > log::max_level() => false,
            Level::Info => self.info.takes_line(),
            Level::Warn => self.warn.takes_line(),
            _ => true,
        };
        if is_written {
            log::log!(level, "{}", Refusal { error, asker, id });
        }
    }
}

impl Ration {
    fn begin_anew(&self) {
        self.written.set(0);
        let passed_over = self.passed_over.replace(0);
        if passed_over > 0 {
            log::warn!("{passed_over} more refusals, in one second, are not shown here");
        }
    }

    /// Counts a line, as written or as passed over.
    fn takes_line(&self) -> bool {
        let is_room = self.written.get() < LINES_A_SECOND;
        let count = if is_room { &self.written } else { &self.passed_over };
        count.set(count.get().saturating_add(1));
        is_room
    }
}

/// What is wrong with the server or its disk is for its keeper to see, and so is why a file is not to be had; what
/// peers ask in vain of an application is everyday.
fn level(error: &HttpError) -> Level {
    match error.status {
        Status::SERVICE_UNAVAILABLE => Level::Warn,
        // A peer asks for what is not spoken here; that is its affair, and it could do so all day.
        Status::NOT_IMPLEMENTED | Status::VERSION_NOT_SUPPORTED => Level::Debug,
        status if status.class() == 5 => Level::Error,
        _ if error.source.is_some() => Level::Info,
        _ => Level::Debug,
    }
}

/// The last second has no next one.
impl Drop for Ration {
    fn drop(&mut self) {
        self.begin_anew();
    }
}

struct Refusal<'a> {
    error: &'a HttpError,
    asker: Asker<'a>,
    id: Option<&'a str>,
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.asker.name())?;
        if let Some(id) = self.id {
            write!(f, "{id} ")?;
        }
        match self.asker {
            Asker::Request(request) => {
                write!(f, "\"{} {}\" ", Shown(request.method.as_str()), Shown(request.target))?;
            }
            Asker::Fragment(fragment) => {
                let line = fragment.received.split(|byte| b"\r\n".contains(byte)).next().unwrap_or_default();
                write!(f, "\"{}\" ", Shown(&String::from_utf8_lossy(line)))?;
            }
        }
        write!(f, "{}", self.error.status)?;
        let mut cause = self.error.source.as_deref().map(|source| source as &dyn Error);
        // Where the peer was told the reason itself, once is enough.
        if cause.is_none_or(|cause| cause.to_string() != self.error.detail) {
            write!(f, ": {}", Shown(&self.error.detail))?;
        }
        while let Some(error) = cause {
            write!(f, ": {}", OneLine(error))?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Characters of an error of the server's own side: it may name a path that a peer has made up.
const REASON: usize = 1000;

/// An error of the server's own side, on one line.
struct OneLine<'a>(&'a dyn Error);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        for character in text.chars().take(REASON) {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Fragment;

    #[test]
    fn a_refusal_is_one_line_without_control_characters() {
        let error = HttpError::internal("cannot read\n\u{1b}[31mit");
        let fragment = Fragment::new(None, b"GET /\x07 HT\r\n");
        let line = Refusal { error: &error, asker: Asker::Fragment(&fragment), id: Some("a-1") }.to_string();
        let want = "- a-1 \"GET /\\u{7} HT\" 500 Internal Server Error: the server failed to answer this request: cannot read\\n\\u{1b}[31mit";
        assert_eq!(line, want);
    }

    #[test]
    fn a_reason_that_the_peer_was_told_stands_there_once() {
        let error = HttpError::not_found("/srv/x: no").with_source("/srv/x: no");
        let fragment = Fragment::new(None, b"GET /x");
        let line = Refusal { error: &error, asker: Asker::Fragment(&fragment), id: None }.to_string();
        assert_eq!(line, "- \"GET /x\" 404 Not Found: /srv/x: no");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(Shown(&"a".repeat(SHOWN)).to_string(), "a".repeat(SHOWN));
        assert_eq!(Shown(&"a".repeat(SHOWN + 1)).to_string(), "a".repeat(SHOWN) + "...");
    }

    #[test]
    fn a_second_has_so_many_lines() {
        use crate::http::Tick;
        use std::time::{Duration, UNIX_EPOCH};

        let reporter = Reporter::default();
        let mut now = Now::new(Tick::default(), UNIX_EPOCH + Duration::from_secs(7));
        reporter.begin_turn(&now);
        let written = (0..100).filter(|_| reporter.info.takes_line()).count();
        assert_eq!((written, reporter.info.passed_over.get()), (20, 80));
        assert!(reporter.warn.takes_line(), "the one does not silence the other");
        now.turn(Tick::default(), UNIX_EPOCH + Duration::from_millis(7999));
        reporter.begin_turn(&now);
        assert!(!reporter.info.takes_line(), "the same second");
        now.turn(Tick::default(), UNIX_EPOCH + Duration::from_secs(8));
        reporter.begin_turn(&now);
        assert!(reporter.info.takes_line());
        assert_eq!(reporter.info.passed_over.get(), 0);
    }

    #[test]
    fn levels() {
        assert_eq!(level(&HttpError::internal("x")), Level::Error);
        assert_eq!(level(&HttpError::new(Status::SERVICE_UNAVAILABLE, "x")), Level::Warn);
        assert_eq!(level(&HttpError::forbidden("x").with_source("0700")), Level::Info);
        assert_eq!(level(&HttpError::new(Status::VERSION_NOT_SUPPORTED, "x")), Level::Debug);
        assert_eq!(level(&HttpError::not_found("x").with_source("no such file")), Level::Info);
        assert_eq!(level(&HttpError::not_found("x")), Level::Debug);
        assert_eq!(level(&HttpError::bad_request("x")), Level::Debug);
    }
}
