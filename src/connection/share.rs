//! What a connection may have of one turn of the loop, so that none starves the others: requests, bytes, and time.

use crate::http::Now;

/// How much of its share of the turn a connection has used.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) requests: u32,
    pub(super) bytes: usize,
}

impl Share {
    /// True if another request may be answered in this turn. One always may; those behind it wait for the next turn
    /// once there were many, or once this turn has taken long: what they ask for may be dear. The clock is not looked
    /// at before each, because most requests take no longer than the look.
    pub(super) fn has_time_for_another(&self, now: &Now) -> bool {
        match self.requests {
            0 => true,
            REQUESTS_A_TURN.. => false,
            requests => requests % REQUESTS_A_LOOK != 1 || !now.is_long_turn(),
        }
    }

    /// Counts a call to a source that made so many bytes.
    pub(super) fn count_work(&mut self, made: usize) {
        self.bytes = self.bytes.saturating_add(made.max(WORK));
    }

    /// How many bytes of something in memory may be sent now.
    pub(super) fn left(&self) -> usize {
        BYTES_A_TURN.saturating_sub(self.bytes)
    }

    /// How many bytes of a file may be sent now.
    pub(super) fn left_for_file(&self) -> usize {
        FILE_BYTES_A_TURN.saturating_sub(self.bytes)
    }

    /// True if no more bytes may be sent or read in this turn.
    pub(super) fn is_used_up(&self) -> bool {
        self.bytes >= BYTES_A_TURN
    }
}

/// Requests answered for one connection in one turn: a deep pipeline leaves with one write, and the
/// next peer is not kept long.
const REQUESTS_A_TURN: u32 = 64;

/// Requests answered for one connection from one look at the clock to the next; the first comes
/// before the second request.
const REQUESTS_A_LOOK: u32 = 4;

/// Bytes sent to, or read from, one connection in one turn. A peer on loopback takes them as fast as they come:
/// would-block alone is no fairness.
const BYTES_A_TURN: usize = 256 * 1024;

/// The same of a file, which costs less: its bytes are not copied here. A long one leaves for a tenth less than in
/// slices half as long, and not for less in longer ones.
const FILE_BYTES_A_TURN: usize = 2 * BYTES_A_TURN;

/// What a call to a source counts at least, in bytes: work costs time even where nothing comes of it yet.
const WORK: usize = BYTES_A_TURN / 4;
