//! How a connection stands, as the loop asks that has too many of them, or stops.

use crate::http::Tick;

use super::{Connection, State};

impl<T> Connection<T> {
    /// Bytes kept for this connection from turn to turn: what came and is not complete, what was
    /// answered and is not taken.
    pub(crate) fn kept_bytes(&self) -> usize {
        let kept = self.kept.as_ref().map_or(0, |kept| kept.bytes());
        match &self.state {
            State::Writing(writing) => kept.saturating_add(writing.bytes()),
            _ => kept,
        }
    }

    /// Since when nothing is owed on either side: it has waited for a request to begin, and none is known to have come;
    /// or the last answer is sent.
    pub(crate) fn idle_since(&self) -> Option<Tick> {
        let is_idle = self.is_listening() && self.kept.as_ref().is_none_or(|kept| kept.is_blank());
        (is_idle || self.is_lingering()).then_some(self.since)
    }

    /// Since when a head has been on its way, if nothing else is and no more of it is known to have come.
    pub(crate) fn head_since(&self) -> Option<Tick> {
        let has_begun = self.is_listening() && self.kept.as_ref().is_some_and(|kept| kept.is_input_alone());
        has_begun.then_some(self.since)
    }

    /// Since when no request has been under way, as far as what was read tells: another may have come.
    pub(crate) fn quiet_since(&self) -> Option<Tick> {
        let is_reading = matches!(self.state, State::Preamble | State::Reading(_));
        (is_reading && self.kept.as_ref().is_none_or(|kept| kept.is_blank())).then_some(self.since)
    }

    /// True if the last answer is sent, and the peer may still be sending.
    pub(crate) fn is_lingering(&self) -> bool {
        matches!(self.state, State::Lingering)
    }

    fn is_listening(&self) -> bool {
        matches!(self.state, State::Preamble | State::Reading(_)) && !self.is_readable
    }
}
