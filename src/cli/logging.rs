//! Log records: a line each, `2026-11-20 19:00:00,123 [INFO] message`, and what becomes of
//! those that cannot be written.

use std::fmt;
use std::io::{self, Write};

use env_logger::{Builder, Target};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use log::{Level, LevelFilter};
use ownhands::app::local_zone;

use super::sink::Outlet;

/// Starts logging. The level comes from the options alone, not from the environment.
pub(super) fn start(level: LevelFilter, outlet: Outlet) {
    let zone = local_zone();
    let mut builder = Builder::new();
    let records = Records { sink: outlet, zone: zone.clone(), rest: Vec::new(), lost: 0 };
    builder.filter_level(LevelFilter::Trace).target(Target::Pipe(Box::new(records)));
    builder.format(move |line, record| writeln!(line, "{} {}", Stamp(&zone, record.level()), record.args()));
    // A panic in a handler is caught and answered; the place where it happened is known here alone.
    std::panic::set_hook(Box::new(|panic| {
        let said: Vec<String> = panic.to_string().lines().map(|line| line.escape_debug().to_string()).collect();
        log::error!("{}", said.join(" "));
    }));
    // It fails only if logging was started before, which a second call in one process would be.
    let _ = log::set_boxed_logger(Box::new(builder.build()));
    set_level(level);
}

/// Says how much is told from now on.
pub(super) fn set_level(level: LevelFilter) {
    log::set_max_level(level);
}

/// What a record begins with.
struct Stamp<'a>(&'a TimeZone, Level);

impl fmt::Display for Stamp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = Timestamp::now().to_zoned(self.0.clone());
        let millisecond = now.subsec_nanosecond() / 1_000_000;
        write!(f, "{},{millisecond:03} [{}]", now.strftime("%Y-%m-%d %H:%M:%S"), self.1)
    }
}

/// Takes records, one with each write, and never fails: what the sink does not take is lost, counted, and told of when
/// it takes something again. A record that was written in part is completed first.
struct Records<W> {
    sink: W,
    zone: TimeZone,
    /// What is missing of a record that the sink has taken in part.
    rest: Vec<u8>,
    lost: u64,
}

impl<W: Write> Records<W> {
    /// Writes a record, behind what must stand before it. False if it is lost.
    fn deliver(&mut self, record: &[u8]) -> bool {
        let written = put(&mut self.sink, &self.rest);
        self.rest.drain(..written);
        if self.rest.is_empty() && self.lost > 0 {
            let told = format!("{} {} lines of this log were lost\n", Stamp(&self.zone, Level::Warn), self.lost);
            if self.begin(told.as_bytes()) {
                self.lost = 0;
            }
        }
        self.rest.is_empty() && self.lost == 0 && self.begin(record)
    }

    /// Writes a line; false if nothing of it could be written. What is missing otherwise is kept.
    fn begin(&mut self, line: &[u8]) -> bool {
        let written = put(&mut self.sink, line);
        if written > 0 {
            self.rest.extend_from_slice(line.get(written..).unwrap_or_default());
        }
        written > 0
    }
}

/// Writes as much as the sink takes.
fn put(sink: &mut impl Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match sink.write(rest) {
            Ok(0) => break,
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    written
}

impl<W: Write> Write for Records<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        if !self.deliver(record) {
            self.lost = self.lost.saturating_add(1);
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // nothing is kept back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has room for so many bytes.
    struct Disk {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room);
            self.room -= count;
            self.taken.extend(bytes.iter().take(count));
            if count == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(count) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn records_lost_to_a_full_disk_are_told_of() {
        // For each room the disk has before it is full: what stands there at last, without the
        // time, and how many were lost.
        let cases = [
            (0, "lost 3|last|"),
            (1, "first|lost 2|last|"),
            (6, "first|lost 2|last|"),
            (7, "first|second|lost 1|last|"),
            (13, "first|second|lost 1|last|"),
            (14, "first|second|third|last|"),
            (19, "first|second|third|last|"),
        ];
        for (room, want) in cases {
            let sink = Disk { taken: Vec::new(), room };
            let mut records = Records { sink, zone: TimeZone::UTC, rest: Vec::new(), lost: 0 };
            for record in ["first\n", "second\n", "third\n"] {
                assert_eq!(records.write(record.as_bytes()).ok(), Some(record.len()));
            }
            records.sink.room = usize::MAX;
            assert!(records.write_all(b"last\n").is_ok());
            let text = String::from_utf8_lossy(&records.sink.taken).into_owned();
            let shown = |line: &str| match line.split_once("[WARN] ") {
                Some((_, told)) => format!("lost {}|", told.trim_end_matches(" lines of this log were lost")),
                None => format!("{line}|"),
            };
            assert_eq!(text.lines().map(shown).collect::<String>(), want, "{room}");
        }
    }

    #[test]
    fn what_tells_of_lost_records_may_be_cut_too() {
        let sink = Disk { taken: Vec::new(), room: 0 };
        let mut records = Records { sink, zone: TimeZone::UTC, rest: Vec::new(), lost: 0 };
        for _ in 0..100 {
            let _ = records.write(b"record\n");
            records.sink.room = 1;
        }
        records.sink.room = usize::MAX;
        let _ = records.write(b"last\n");
        let text = String::from_utf8_lossy(&records.sink.taken).into_owned();
        let count = |line: &str| match line.split_once("[WARN] ") {
            Some((_, told)) => told.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0),
            None => u32::from(line == "record" || line == "last"),
        };
        assert_eq!(text.lines().map(count).sum::<u32>(), 101, "{text}");
    }
}
