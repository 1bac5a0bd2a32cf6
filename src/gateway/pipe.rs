//! A bounded pipe from an upstream to the answer that is being sent.
//!
//! The upstream feeds it, and stops reading where it is full; the answer's source drains it, and waits where it is
//! empty. Each end is called when the other has made room, has something, or is gone: nothing is asked in vain, and a
//! peer that reads slowly slows down its own upstream only.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::http::{Produced, Source, Summons};

use super::basin::{Basin, Pond};

/// Bytes in a pipe: what a peer takes in one go, and not more than a socket's own buffer holds.
pub(super) const CAPACITY: usize = 64 * 1024;

/// The upstream's end.
#[derive(Debug)]
pub(super) struct Feed(Arc<Shared>);

/// The answer's end.
#[derive(Debug)]
pub(super) struct Drain {
    shared: Arc<Shared>,
    /// What the answer announces.
    length: Option<u64>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Calls who feeds.
    feeder: Summons,
    /// Calls who drains.
    drainer: Summons,
}

#[derive(Debug)]
struct State {
    /// What comes out first.
    bytes: Vec<u8>,
    /// What comes out behind it, where the peer is slow.
    pond: Option<Pond>,
    end: End,
    /// The drain has found nothing, and waits.
    is_awaited: bool,
    /// The feed has found no room, and waits.
    is_full: bool,
    /// The answer is over, or its peer has left.
    is_abandoned: bool,
}

/// How the content ends.
#[derive(Debug)]
enum End {
    /// It goes on.
    Open,
    /// It is complete.
    Whole,
    /// It is not, and this is why.
    Broken(String),
}

/// A pipe with these bytes in it.
pub(super) fn pipe(bytes: Vec<u8>, length: Option<u64>, feeder: Summons, drainer: Summons) -> (Feed, Drain) {
    let state = State { bytes, pond: None, end: End::Open, is_awaited: false, is_full: false, is_abandoned: false };
    let shared = Arc::new(Shared { state: Mutex::new(state), feeder, drainer });
    (Feed(Arc::clone(&shared)), Drain { shared, length })
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic left behind is bytes, or an end: nothing half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What waits in memory; with what lies in the basin it is more than there is room for.
    fn len(&self) -> usize {
        if self.pond.as_ref().is_some_and(|pond| !pond.is_empty()) { CAPACITY } else { self.bytes.len() }
    }

    /// Nothing more is to come of it: it was given up at one of its ends, or between them.
    fn is_over(&self) -> bool {
        self.is_abandoned || matches!(self.end, End::Broken(_))
    }

    fn take(&mut self, bytes: &[u8]) {
        let is_full = self.len() >= CAPACITY;
        let Some(pond) = self.pond.as_mut().filter(|_| is_full) else { return self.bytes.extend_from_slice(bytes) };
        if let Err(error) = pond.append(bytes) {
            self.end = End::Broken(format!("it cannot be kept for a slow client: {error}"));
        }
    }

    /// Moves what comes next into `out`; true if there is more.
    fn give(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let Some(pond) = self.pond.as_mut().filter(|pond| !pond.is_empty()) else {
            out.append(&mut self.bytes);
            return Ok(false);
        };
        if self.bytes.is_empty() {
            pond.take(out, CAPACITY)?;
        } else {
            out.append(&mut self.bytes);
        }
        Ok(!pond.is_empty())
    }
}

impl Feed {
    /// Bytes that there is room for. Where there is none, the feeder is called when there is some.
    pub(super) fn room(&self) -> usize {
        let mut state = self.0.state();
        let room = match &state.pond {
            Some(pond) if pond.has_room() => CAPACITY,
            _ => CAPACITY.saturating_sub(state.len()),
        };
        state.is_full = room == 0;
        room
    }

    /// The peer is slow: from now on what there is no room for lies in the basin. False if there is none there either.
    pub(super) fn overflow(&self, basin: &Basin) -> bool {
        let mut state = self.0.state();
        if state.pond.is_none() {
            state.pond = basin.open();
        }
        state.pond.as_ref().is_some_and(Pond::has_room)
    }

    pub(super) fn push(&self, bytes: &[u8]) {
        let mut state = self.0.state();
        if state.is_over() || bytes.is_empty() {
            return;
        }
        state.take(bytes);
        self.call_drainer(&mut state);
    }

    /// False once the answer is over, or its peer has left.
    pub(super) fn is_wanted(&self) -> bool {
        !self.0.state().is_over()
    }

    /// That was all.
    pub(super) fn end(self) {
        self.close(End::Whole);
    }

    /// There is more, but it will not come: the peer is to know that it got a part only.
    pub(super) fn fail(self, why: String) {
        self.close(End::Broken(why));
    }

    fn close(&self, end: End) {
        let mut state = self.0.state();
        if matches!(state.end, End::Open) {
            state.end = end;
            self.call_drainer(&mut state);
        }
    }

    fn call_drainer(&self, state: &mut State) {
        if std::mem::take(&mut state.is_awaited) {
            self.0.drainer.send();
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.close(End::Broken("it was given up half-way".to_owned()));
    }
}

impl Source for Drain {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        let mut state = self.shared.state();
        let has_more = state.give(out)?;
        if std::mem::take(&mut state.is_full) {
            self.shared.feeder.send();
        }
        if has_more {
            return Ok(Produced::More);
        }
        match std::mem::replace(&mut state.end, End::Open) {
            End::Whole => Ok(Produced::All),
            End::Broken(why) => Err(io::Error::other(why)),
            End::Open => {
                state.is_awaited = true;
                Ok(Produced::Waiting)
            }
        }
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.is_abandoned = true;
        // What lies there is nobody's any more, however long the upstream goes on.
        state.bytes = Vec::new();
        state.pond = None;
        drop(state);
        self.shared.feeder.send();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn drained(drain: &mut Drain) -> (Vec<u8>, io::Result<Produced>) {
        let mut out = Vec::new();
        let produced = drain.produce(&mut out);
        (out, produced)
    }

    #[test]
    fn what_is_fed_is_drained_in_order_to_its_end() {
        let (feed, mut drain) = pipe(b"first, ".to_vec(), None, Summons::default(), Summons::default());
        feed.push(b"second");
        assert_eq!(drained(&mut drain).0, b"first, second");
        assert_eq!(drained(&mut drain).1.unwrap(), Produced::Waiting);
        feed.push(b", third");
        feed.end();
        let (bytes, end) = drained(&mut drain);
        assert_eq!((&bytes[..], end.unwrap()), (&b", third"[..], Produced::All));
    }

    #[test]
    fn an_end_that_is_none_is_an_error() {
        for give_up in [|feed: Feed| feed.fail("it fell over".to_owned()), drop] {
            let (feed, mut drain) = pipe(Vec::new(), None, Summons::default(), Summons::default());
            feed.push(b"a part");
            give_up(feed);
            let (bytes, end) = drained(&mut drain);
            assert_eq!(bytes, b"a part");
            assert!(end.is_err());
        }
    }

    #[test]
    fn there_is_room_for_so_much_and_for_nobody_who_has_left() {
        let (feed, mut drain) = pipe(Vec::new(), None, Summons::default(), Summons::default());
        feed.push(&[b'a'; CAPACITY]);
        assert_eq!(feed.room(), 0);
        assert_eq!(drained(&mut drain).0.len(), CAPACITY);
        assert_eq!(feed.room(), CAPACITY);

        // For a slow peer, what there is no room for lies elsewhere, and comes out in its turn.
        let basin = Basin::default().with_bytes(100);
        feed.push(&[b'b'; CAPACITY]);
        assert!(feed.room() == 0 && feed.overflow(&basin));
        assert_eq!(feed.room(), CAPACITY);
        feed.push(&[b'c'; CAPACITY + 1]);
        assert_eq!(feed.room(), 0);
        let (first, then) = drained(&mut drain);
        assert!(first == [b'b'; CAPACITY] && matches!(then, Ok(Produced::More)));
        let (second, then) = drained(&mut drain);
        assert!(second == [b'c'; CAPACITY] && matches!(then, Ok(Produced::More)));
        let (third, then) = drained(&mut drain);
        assert!(third == b"c" && matches!(then, Ok(Produced::Waiting)));
        feed.push(b"and so on");
        assert_eq!(drained(&mut drain).0, b"and so on");

        drop(drain);
        assert!(!feed.is_wanted());
        feed.push(b"nobody reads this");
        assert_eq!(feed.room(), CAPACITY);
    }
}
