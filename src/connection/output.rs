//! Bytes encoded and not yet sent, and where they stand in all that this connection sends.

/// A buffer that is encoded into at its end and sent from its front.
///
/// Positions count the bytes of a turn's answers, those of files included; a position is never reused while
/// somebody may ask for it.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    sent: usize,
    /// The position of `bytes[0]`.
    base: u64,
}

/// Bytes from which on no further answer is added before the peer has taken some.
pub(crate) const HIGH_WATER: usize = 64 * 1024;

/// Memory that the shared buffer keeps from one turn to the next.
const KEEP: usize = 256 * 1024;

impl Output {
    pub(crate) fn new() -> Self {
        Output { bytes: Vec::with_capacity(HIGH_WATER), sent: 0, base: 0 }
    }

    /// To append to. Nothing else may be done with it.
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(crate) fn unsent(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// Bytes of memory that it takes.
    pub(crate) fn size(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() - self.sent >= HIGH_WATER
    }

    /// The kernel has taken `count` bytes from the front.
    pub(crate) fn was_sent(&mut self, count: usize) {
        self.sent = self.sent.saturating_add(count).min(self.bytes.len());
        if self.is_empty() {
            self.base = self.base.saturating_add(self.bytes.len() as u64);
            self.bytes.clear();
            self.sent = 0;
        }
    }

    /// The kernel has taken `count` bytes that never were in this buffer.
    pub(crate) fn was_sent_beside(&mut self, count: usize) {
        self.base = self.base.saturating_add(count as u64);
    }

    /// The position after the last byte encoded.
    pub(crate) fn position(&self) -> u64 {
        self.base.saturating_add(self.bytes.len() as u64)
    }

    /// The position after the last byte sent.
    pub(crate) fn sent_position(&self) -> u64 {
        self.base.saturating_add(self.sent as u64)
    }

    /// The unsent bytes as a buffer of just their size, positions unchanged.
    pub(crate) fn take_unsent(&mut self) -> Output {
        Output { bytes: self.unsent().to_vec(), sent: 0, base: self.sent_position() }
    }

    /// The reverse of [`take_unsent`](Self::take_unsent), into an empty buffer.
    pub(crate) fn append(&mut self, kept: Output) {
        self.base = kept.base;
        self.bytes.extend_from_slice(&kept.bytes);
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEEP);
        self.sent = 0;
        self.base = 0;
    }
}
