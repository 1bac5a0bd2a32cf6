//! Which answers are still on their way, for those who want to be told when one is over.
//!
//! Several answers may leave with one write, and one may take minutes: an entry is settled when the last
//! byte of its answer was sent, or when the connection ends. Where nobody wants to be told, the ledger stays
//! empty and costs nothing.

use std::collections::VecDeque;

use crate::http::{Now, Tick};
use crate::service::{Exchange, Service};

/// The answers on their way, in order.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: VecDeque<Entry>,
}

#[derive(Debug)]
struct Entry {
    exchange: Exchange,
    began: Tick,
    /// Position of the first byte of the body.
    body_start: u64,
    /// Position after its last byte; `None` while the body is being made.
    body_end: Option<u64>,
}

impl Ledger {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of memory that it takes.
    pub(crate) fn size(&self) -> usize {
        let texts = |entry: &Entry| {
            let Exchange { line, referer, agent, .. } = &entry.exchange;
            [Some(line), referer.as_ref(), agent.as_ref()].into_iter().flatten().map(|text| text.len()).sum::<usize>()
        };
        let texts = self.entries.iter().map(texts).sum::<usize>();
        texts.saturating_add(self.entries.capacity().saturating_mul(size_of::<Entry>()))
    }

    /// An answer's head was encoded; its body begins at this position.
    pub(crate) fn open(&mut self, exchange: Exchange, began: Tick, body_start: u64) {
        self.entries.push_back(Entry { exchange, began, body_start, body_end: None });
    }

    /// The body of the newest answer ends at this position.
    pub(crate) fn close_body(&mut self, position: u64) {
        if let Some(entry) = self.entries.back_mut() {
            entry.body_end.get_or_insert(position);
        }
    }

    /// Tells of the answers whose last byte lies before `sent`.
    pub(crate) fn settle<S: Service + ?Sized>(&mut self, sent: u64, service: &S, now: &Now) {
        let is_over = |entry: &Entry| entry.body_end.is_some_and(|end| end <= sent);
        while self.entries.front().is_some_and(is_over)
            && let Some(entry) = self.entries.pop_front()
        {
            tell(entry, sent, service, now);
        }
    }

    /// The connection has ended: tells of the rest, with what was sent of each.
    pub(crate) fn settle_all<S: Service + ?Sized>(&mut self, sent: u64, service: &S, now: &Now) {
        for entry in self.entries.drain(..) {
            tell(entry, sent, service, now);
        }
    }
}

fn tell<S: Service + ?Sized>(entry: Entry, sent: u64, service: &S, now: &Now) {
    let Entry { mut exchange, began, body_start, body_end } = entry;
    exchange.sent = sent.min(body_end.unwrap_or(sent)).saturating_sub(body_start);
    exchange.ended = now.system_time();
    exchange.took = now.measured().since(began);
    service.observe(&exchange);
}
