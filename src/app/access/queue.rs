//! Lines on their way to a sink that may not take them: a full disk must neither stop the server nor fill its memory.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use super::AccessLog;

/// How often it is said, at the most, that lines are being lost: a pipe whose reader is too slow begins to lose lines,
/// and ends, many times a second.
const REMINDER: Duration = Duration::from_secs(60);

/// What was gathered, and what became of what could not be written.
pub(super) struct Queue {
    sink: Box<dyn Write>,
    /// Whole lines, behind the rest of one that the sink has taken in part.
    buffer: Vec<u8>,
    /// Bytes of that rest.
    rest: usize,
    /// The time of the newest line. There is no other clock here, and none is needed: without lines none is lost.
    now: SystemTime,
    /// Lines lost that were not told of yet.
    lost: u64,
    /// When it was last said that lines are being lost.
    told: Option<SystemTime>,
    /// It was said, and not yet that it is over.
    has_complained: bool,
}

impl Queue {
    pub(super) fn new(sink: Box<dyn Write>) -> Self {
        let now = SystemTime::UNIX_EPOCH;
        Queue { sink, buffer: Vec::new(), rest: 0, now, lost: 0, told: None, has_complained: false }
    }

    /// Adds a line.
    pub(super) fn push(&mut self, now: SystemTime, line: impl FnOnce(&mut Vec<u8>)) {
        self.now = now;
        line(&mut self.buffer);
        self.buffer.push(b'\n');
        if self.buffer.len() >= AccessLog::QUEUE {
            self.write_out();
        }
    }

    /// Writes what was gathered; at most the rest of a line is left of it.
    pub(super) fn write_out(&mut self) {
        if let Some(words) = self.try_write_out() {
            log::warn!("{words}");
        }
    }

    /// As `write_out`; what there is to say of it.
    fn try_write_out(&mut self) -> Option<String> {
        if self.buffer.is_empty() {
            return None;
        }
        let (written, outcome) = write_all(&mut *self.sink, &self.buffer);
        let is_torn = written < self.rest || written.checked_sub(1).is_some_and(|last| !self.ends_line(last));
        self.buffer.drain(..written.min(self.buffer.len()));
        let end = memchr::memchr(b'\n', &self.buffer).map_or(0, |end| end.saturating_add(1));
        self.rest = if is_torn { end } else { 0 };
        let lost = self.buffer.get(self.rest..).unwrap_or_default();
        self.lost = self.lost.saturating_add(memchr::memchr_iter(b'\n', lost).count() as u64);
        self.buffer.truncate(self.rest);
        match outcome {
            Ok(()) => self.relief(),
            Err(error) => self.complaint(&error),
        }
    }

    fn ends_line(&self, at: usize) -> bool {
        self.buffer.get(at) == Some(&b'\n')
    }

    fn complaint(&mut self, error: &io::Error) -> Option<String> {
        if !self.is_time() {
            return None;
        }
        self.told = Some(self.now);
        Some(if std::mem::replace(&mut self.has_complained, true) {
            format!("the access log still cannot be written, {} lines are lost: {error}", self.lost)
        } else {
            format!("the access log cannot be written, lines are lost: {error}")
        })
    }

    fn relief(&mut self) -> Option<String> {
        if !self.has_complained && (self.lost == 0 || !self.is_time()) {
            return None;
        }
        self.has_complained = false;
        Some(format!("the access log is written again; {} lines were lost", std::mem::take(&mut self.lost)))
    }

    /// True if nothing was said for a while. A clock that was set back does not silence it.
    fn is_time(&self) -> bool {
        self.told.is_none_or(|told| self.now.duration_since(told).map_or(true, |span| span >= REMINDER))
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

impl Drop for Queue {
    fn drop(&mut self) {
        self.write_out();
        let lost = self.lost.saturating_add(u64::from(self.rest > 0));
        if lost > 0 {
            log::warn!("{lost} lines of the access log were lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;

    use super::*;

    /// Takes so many bytes with each call, and fails where there is a zero; then it takes all.
    #[derive(Clone, Default)]
    struct Script {
        takes: Rc<RefCell<VecDeque<usize>>>,
        taken: Rc<RefCell<Vec<u8>>>,
        calls: Rc<RefCell<u32>>,
    }

    impl Script {
        fn queue(&self) -> Queue {
            Queue::new(Box::new(self.clone()))
        }

        fn will(&self, takes: &[usize]) {
            self.takes.borrow_mut().extend(takes);
        }

        fn text(&self) -> String {
            String::from_utf8_lossy(&self.taken.borrow()).into_owned()
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            *self.calls.borrow_mut() += 1;
            let count = self.takes.borrow_mut().pop_front().unwrap_or(usize::MAX).min(bytes.len());
            self.taken.borrow_mut().extend(bytes.iter().take(count));
            if count == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(count) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Pushes lines at this second and writes them out.
    fn turn(queue: &mut Queue, second: u64, lines: &[&str]) -> String {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        lines.iter().for_each(|line| queue.push(now, |out| out.extend_from_slice(line.as_bytes())));
        queue.try_write_out().unwrap_or_default()
    }

    #[test]
    fn lines_wait_for_the_end_of_the_turn() {
        let script = Script::default();
        let mut queue = script.queue();
        assert_eq!(turn(&mut queue, 0, &[]), "");
        queue.push(SystemTime::UNIX_EPOCH, |out| out.push(b'a'));
        assert_eq!(*script.calls.borrow(), 0);
        assert_eq!(turn(&mut queue, 0, &["b"]), "");
        assert_eq!((*script.calls.borrow(), script.text().as_str()), (1, "a\nb\n"));
    }

    #[test]
    fn a_full_disk_costs_lines_and_they_are_counted() {
        let script = Script::default();
        let mut queue = script.queue();
        script.will(&[0, 0, 0, 0]);
        let full = "no storage space";
        assert_eq!(
            turn(&mut queue, 0, &["a", "b"]),
            format!("the access log cannot be written, lines are lost: {full}")
        );
        assert_eq!(turn(&mut queue, 1, &["c"]), "");
        assert_eq!(turn(&mut queue, 59, &["d"]), "");
        let still = format!("the access log still cannot be written, 5 lines are lost: {full}");
        assert_eq!(turn(&mut queue, 60, &["e"]), still);
        assert_eq!(turn(&mut queue, 61, &["f"]), "the access log is written again; 5 lines were lost");
        assert_eq!(turn(&mut queue, 62, &["g"]), "");
        assert_eq!(script.text(), "f\ng\n");
    }

    #[test]
    fn a_line_written_in_part_is_completed() {
        // So many bytes of "first\nsecond\nthird\n" before the disk is full, and what of "last\n" stands behind it.
        let cases = [
            (0, "last\n", 3),
            (1, "first\nlast\n", 2),
            (5, "first\nlast\n", 2),
            (6, "first\nlast\n", 2),
            (7, "first\nsecond\nlast\n", 1),
            (13, "first\nsecond\nlast\n", 1),
            (18, "first\nsecond\nthird\nlast\n", 0),
        ];
        for (room, want, lost) in cases {
            let (script, takes) = (Script::default(), [room, 0]);
            let mut queue = script.queue();
            script.will(if room == 0 { &[0] } else { &takes });
            let _ = turn(&mut queue, 0, &["first", "second", "third"]);
            assert_eq!(
                turn(&mut queue, 1, &["last"]),
                format!("the access log is written again; {lost} lines were lost")
            );
            assert_eq!(script.text(), want, "{room}");
        }
    }

    #[test]
    fn a_line_may_be_completed_in_many_parts() {
        let script = Script::default();
        let mut queue = script.queue();
        script.will(&[2, 0, 2, 0, 0, 1, 0]);
        for (second, line) in ["first", "second", "third", "fourth"].iter().enumerate() {
            let _ = turn(&mut queue, second as u64, &[line]);
        }
        assert_eq!((script.text().as_str(), queue.rest, queue.buffer.len()), ("first", 1, 1));
        assert_eq!(turn(&mut queue, 9, &["last"]), "the access log is written again; 3 lines were lost");
        assert_eq!(script.text(), "first\nlast\n");
    }

    #[test]
    fn a_sink_that_fails_and_recovers_all_the_time_is_told_of_once_a_minute() {
        let script = Script::default();
        let mut queue = script.queue();
        let mut said = Vec::new();
        for second in 0..=120 {
            script.will(&[0]);
            said.push(turn(&mut queue, second, &["lost"]));
            said.push(turn(&mut queue, second, &["written"]));
        }
        said.retain(|words| !words.is_empty());
        let again = |lost| format!("the access log is written again; {lost} lines were lost");
        let (cannot, error) =
            ("the access log cannot be written, lines are lost: ", io::Error::from(io::ErrorKind::StorageFull));
        let cannot = format!("{cannot}{error}");
        assert_eq!(said, [cannot.clone(), again(1), cannot.clone(), again(60), cannot, again(60)]);
    }

    #[test]
    fn the_queue_is_bounded() {
        let script = Script::default();
        let mut queue = script.queue();
        script.will(&vec![0; 1000]);
        for _ in 0..100_000 {
            queue.push(SystemTime::UNIX_EPOCH, |out| out.extend_from_slice(b"a line that cannot be written"));
            assert!(queue.buffer.len() <= AccessLog::QUEUE);
        }
        let calls = *script.calls.borrow();
        assert!(calls < 50, "{calls} writes");
        script.takes.borrow_mut().clear();
        let lines_a_write = AccessLog::QUEUE.div_ceil("a line that cannot be written\n".len());
        let lost = 100_000 / lines_a_write * lines_a_write;
        assert_eq!(turn(&mut queue, 0, &[]), format!("the access log is written again; {lost} lines were lost"));
    }
}
