//! Who asked for what: the last requests, kept by an observer and shown as a table.
//!
//! It holds a bounded number of rows of a bounded length, whatever is sent. Nothing is written to disk.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ownhands::app::{Observer, local_zone};
use ownhands::{Exchange, Response};

use super::pages::{self, Escaped};

/// Rows kept; the oldest goes when one more comes.
const ROWS: usize = 1000;

/// Characters kept of a path; a target may have thousands.
const PATH: usize = 200;

/// The last requests. A clone is another handle to the same ones.
#[derive(Clone)]
pub(super) struct Clients {
    log: Rc<RefCell<Log>>,
}

struct Log {
    zone: TimeZone,
    /// The oldest first.
    rows: VecDeque<Row>,
    /// Requests since the start.
    count: u64,
}

struct Row {
    number: u64,
    client: Option<IpAddr>,
    peer: Option<SocketAddr>,
    path: String,
    status: u16,
    ended: SystemTime,
}

impl Default for Clients {
    fn default() -> Self {
        let log = Log { zone: local_zone(), rows: VecDeque::new(), count: 0 };
        Clients { log: Rc::new(RefCell::new(log)) }
    }
}

impl Clients {
    /// The page with all of them.
    pub(super) fn page(&self) -> Response {
        let log = self.log.borrow();
        let words = format!(
            "<p>The last {} of {} requests since the server was started, the newest first. \
             This one will be in the next.</p>\n",
            log.rows.len(),
            log.count
        );
        pages::page("Who was here", &(words + &log.table(ROWS)))
    }

    /// The newest ones as a table, to be put into a page.
    pub(super) fn newest(&self, count: usize) -> String {
        self.log.borrow().table(count)
    }
}

impl Observer for Clients {
    fn observe(&self, exchange: &Exchange) {
        self.log.borrow_mut().push(exchange);
    }
}

impl Log {
    fn push(&mut self, exchange: &Exchange) {
        if self.rows.len() >= ROWS {
            self.rows.pop_front();
        }
        self.count = self.count.saturating_add(1);
        self.rows.push_back(Row {
            number: self.count,
            client: exchange.client,
            peer: exchange.peer,
            path: path(&exchange.line),
            status: exchange.status.code(),
            ended: exchange.ended,
        });
    }

    fn table(&self, count: usize) -> String {
        let mut out = String::from(HEAD);
        for row in self.rows.iter().rev().take(count) {
            let time = Timestamp::try_from(row.ended).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone());
            let (ip, port) = pages::address(row.client, row.peer);
            // Writing to memory does not fail.
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{ip}</td><td>{port}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                row.number,
                Escaped(&row.path),
                row.status,
                time.strftime("%Y-%m-%d %H:%M:%S")
            );
        }
        out.push_str("</tbody>\n</table>\n</div>\n");
        out
    }
}

const HEAD: &str = "<div class=\"rows\">\n<table>\n<thead>\n\
    <tr><th>Number</th><th>IP</th><th>Port</th><th>Path</th><th>Status</th><th>Time</th></tr>\n\
    </thead>\n<tbody>\n";

/// What stands between the first two spaces of a request line, with its query; `-` where there is no such thing. Of
/// noise any bytes may be in it: what a target cannot have shows as U+FFFD.
fn path(line: &[u8]) -> String {
    let Some(target) = line.split(|&byte| byte == b' ').nth(1).filter(|target| !target.is_empty()) else {
        return "-".to_owned();
    };
    let shown = |&byte: &u8| if byte.is_ascii_graphic() { char::from(byte) } else { char::REPLACEMENT_CHARACTER };
    let mut path: String = target.iter().take(PATH).map(shown).collect();
    if target.len() > PATH {
        path.push('…');
    }
    path
}

#[cfg(test)]
mod tests {
    use ownhands::Status;

    use super::*;

    #[test]
    fn paths() {
        let long = "/".repeat(PATH);
        let cases: [(&[u8], &str); 7] = [
            (b"GET /a?b=c HTTP/1.1", "/a?b=c"),
            (b"GET /old", "/old"),
            (b"GET  /two HTTP/1.1", "-"),
            (b"\x16\x03\x01", "-"),
            (b"", "-"),
            (b"G \xff\0\n T", "\u{fffd}\u{fffd}\u{fffd}"),
            (&[b"GET /", long.as_bytes()].concat(), &format!("{long}…")),
        ];
        for (line, want) in cases {
            assert_eq!(path(line), want);
        }
    }

    #[test]
    fn the_log_is_bounded_and_escaped_and_the_newest_is_first() {
        let clients = Clients::default();
        for number in 1..=2 * ROWS {
            let line = format!("GET /<script>?{number}& HTTP/1.1").into_bytes();
            clients.observe(&Exchange::new(line, Status::OK));
        }
        let table = clients.newest(usize::MAX);
        assert_eq!(table.matches("<tr><td>").count(), ROWS);
        assert!(!table.contains("<script>"));
        assert!(
            table.contains("<tbody>\n<tr><td>2000</td><td>-</td><td>-</td><td>/&lt;script&gt;?2000&amp;</td><td>200<")
        );
        assert!(table.contains("?1001&amp;") && !table.contains("?1000&amp;"));
        assert_eq!(clients.newest(3).matches("<tr><td>").count(), 3);
    }
}
