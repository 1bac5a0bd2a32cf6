//! Bytes received and not yet consumed.

/// A buffer that is read into at its end and consumed from its front.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// Initialised over its whole length; the bytes received stand in `start..end`.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

/// True for nothing, and for the first half of a line end.
pub(super) fn is_blank(unread: &[u8]) -> bool {
    matches!(unread, b"" | b"\r")
}

/// Bytes asked for in one read, at least. A pipeline of a hundred small requests fits.
pub(crate) const READ_STEP: usize = 16 * 1024;

/// Length at which the shared buffer begins: a head at its limit and a few reads more.
const FIRST_LENGTH: usize = 64 * 1024;

impl Input {
    pub(crate) fn new() -> Self {
        Input { bytes: vec![0; FIRST_LENGTH], start: 0, end: 0 }
    }

    /// Bytes of memory that it takes.
    pub(crate) fn size(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// True if nothing was said: at most the first half of a line end too many.
    pub(crate) fn is_blank(&self) -> bool {
        is_blank(self.unread())
    }

    /// True if no request has begun: there are line ends at most (RFC 9112 section 2.2).
    pub(crate) fn begins_nothing(&self) -> bool {
        self.unread().iter().all(|byte| b"\r\n".contains(byte))
    }

    /// What was received and not consumed.
    pub(crate) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The same from `offset` on, to be decoded in place.
    pub(crate) fn unread_mut_from(&mut self, offset: usize) -> &mut [u8] {
        self.bytes.get_mut(self.start.saturating_add(offset)..self.end).unwrap_or_default()
    }

    /// Takes `count` bytes off the front.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.is_empty() {
            self.clear();
        }
    }

    /// Takes `count` bytes out, from `offset` on; what lies behind moves up.
    pub(crate) fn cut(&mut self, offset: usize, count: usize) {
        let from = self.start.saturating_add(offset).min(self.end);
        let to = from.saturating_add(count).min(self.end);
        self.bytes.copy_within(to..self.end, from);
        self.end -= to - from;
    }

    /// Room for at least [`READ_STEP`] bytes; tell [`received`](Self::received) how many came.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.bytes.len() - self.end < READ_STEP {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.bytes.len() - self.end < READ_STEP {
                // Doubling: a long body is moved a few times, not once for every read.
                self.bytes.resize((self.end * 2).max(self.end + READ_STEP).max(FIRST_LENGTH), 0);
            }
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// So many bytes came into the room; they are handed back.
    pub(crate) fn received(&mut self, count: usize) -> &[u8] {
        let start = self.end;
        self.end = self.end.saturating_add(count).min(self.bytes.len());
        self.bytes.get(start..self.end).unwrap_or_default()
    }

    pub(crate) fn append(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.room();
            let count = bytes.len().min(room.len());
            let (now, later) = bytes.split_at(count);
            if let Some(room) = room.get_mut(..count) {
                room.copy_from_slice(now);
            }
            self.received(count);
            bytes = later;
        }
    }

    /// Forgets what was received. The memory stays, for the next turn.
    pub(crate) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }
}
