//! One peer: what it has said and what it has received, held against each other when all is over.

use ownhands::connection::Connection;
use ownhands::testing::MockConnection;
use ownhands::{Now, Tick};

use super::answers;
use super::script::{Answer, Expected, Item};

/// What the peers got, in numbers.
#[derive(Debug, Default)]
pub(crate) struct Met {
    pub(crate) whole: usize,
    pub(crate) interim: usize,
    pub(crate) refused: usize,
    pub(crate) overdue: usize,
    pub(crate) lost: usize,
}

/// One peer, and the connection that serves it.
pub(crate) struct Peer {
    /// `None`: the server has dropped it.
    pub(crate) connection: Option<Connection<MockConnection>>,
    pub(crate) items: Vec<Item>,
    pub(crate) wire: Vec<u8>,
    pub(crate) sent: usize,
    pub(crate) received: Vec<u8>,
    /// Writes that are scripted, at most.
    pub(crate) takes: usize,
    pub(crate) deadline: Tick,
    pub(crate) has_ended: bool,
    pub(crate) has_vanished: bool,
    pub(crate) is_overdue: bool,
    pub(crate) saw_drain: bool,
}

impl Peer {
    pub(crate) fn new(items: Vec<Item>, now: &Now) -> Self {
        Peer {
            connection: Some(Connection::new(MockConnection::new(), None, now)),
            wire: items.iter().flat_map(|item| item.wire.iter().copied()).collect(),
            items,
            sent: 0,
            received: Vec::new(),
            takes: 0,
            deadline: Tick::NEVER,
            has_ended: false,
            has_vanished: false,
            is_overdue: false,
            saw_drain: false,
        }
    }

    /// True if an answer may be missing, or end anywhere.
    pub(crate) fn may_lose(&self) -> bool {
        self.has_vanished || self.is_overdue || self.saw_drain
    }

    /// Holds what was received against the script.
    pub(crate) fn check(&self, met: &mut Met, observe: &mut impl FnMut(&[u8], u64)) {
        let mut rest = self.received.as_slice();
        let mut start = 0;
        let mut is_over = false;
        met.overdue += usize::from(self.is_overdue);
        for item in &self.items {
            let place = start..start + item.wire.len();
            start = place.end;
            if is_over || place.start >= self.sent {
                break;
            }
            is_over = match &item.expected {
                Expected::Nothing => false,
                Expected::Answer(answer) if self.sent >= place.start + answer.needs => {
                    self.check_answer(answer, &mut rest, met, &mut |wire_length| {
                        let line = item.wire.split(|&byte| byte == b'\n').next().unwrap();
                        observe(line.strip_suffix(b"\r").unwrap_or(line), wire_length);
                    })
                }
                _ => self.check_refusal(item.wire.trim_ascii_start().starts_with(b"HEAD "), &mut rest, met),
            };
        }
        assert!(rest.is_empty(), "an answer that nobody asked for: {}", rest.escape_ascii());
    }

    /// True if no other answer can follow.
    fn check_answer(&self, answer: &Answer, rest: &mut &[u8], met: &mut Met, observe: &mut impl FnMut(u64)) -> bool {
        assert!(!self.skip_interim(rest, met) || answer.may_continue, "a request to go on that nobody waits for");
        let Some(received) = answers::read(rest, answer.is_head) else {
            assert!(self.may_lose(), "an answer is lost: {answer:?}");
            met.lost += 1;
            *rest = &[];
            return true;
        };
        if received.status == 408 {
            return self.check_refusal(answer.is_head, rest, met);
        }
        *rest = received.rest;
        assert_eq!(received.status, answer.status);
        let is_whole = received.is_whole || received.ends_with_connection && received.body.len() == answer.body.len();
        if is_whole && !answer.breaks_off {
            assert!(received.body == answer.body, "another body: {answer:?}, {received:?}");
            met.whole += 1;
            observe(received.wire_length as u64);
        } else {
            assert!(answer.breaks_off || self.may_lose(), "an answer is cut short: {answer:?}");
            assert!(answer.body.starts_with(&received.body), "another body: {answer:?}, {received:?}");
            assert!(self.may_lose() || received.body.len() == answer.body.len(), "cut shorter than it had to be");
        }
        let closes = received.says_close || answer.breaks_off || !is_whole;
        assert!(closes || !answer.closes, "it should have said close: {answer:?}");
        assert!(answer.closes || self.saw_drain || !received.says_close, "it should not have said close: {answer:?}");
        closes
    }

    /// What is wrong, ended too early, or came too slowly. True: nothing can follow.
    fn check_refusal(&self, is_head: bool, rest: &mut &[u8], met: &mut Met) -> bool {
        self.skip_interim(rest, met);
        let Some(received) = answers::read(rest, false) else {
            assert!(self.may_lose(), "a refusal is lost, or half a request was answered");
            *rest = &[];
            return true;
        };
        *rest = received.rest;
        assert!(received.status >= 400 && received.says_close, "not refused: {received:?}");
        assert!(received.status != 408 || self.is_overdue, "a peer that is not late is told so");
        // That it was HEAD is known only if so much was read.
        let is_whole = received.is_whole || is_head && received.body.is_empty();
        assert!(is_whole || self.may_lose(), "a refusal is cut short");
        met.refused += 1;
        true
    }

    /// Passes over `100 Continue`. True: there was one.
    fn skip_interim(&self, rest: &mut &[u8], met: &mut Met) -> bool {
        match answers::read(rest, true) {
            Some(received) if received.status == 100 => {
                met.interim += 1;
                *rest = received.rest;
                true
            }
            _ => false,
        }
    }
}
