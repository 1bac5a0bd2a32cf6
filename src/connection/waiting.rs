//! Between request and answer, where a handler has put the answer off.
//!
//! The request stays in the input, so that the answer can still be made with it in view, and the requests behind it
//! wait: answers keep the order of their requests.

use crate::http::{HttpError, Pending, Response, Status, Tick, slots};
use crate::service::Service;

use super::reading::read_again;
use super::spool::Spool;
use super::writing::Flushed;
use super::{Connection, Context, Event, State, Step, Transport};

/// An answer that is owed.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Where the request ends in the input.
    pub(super) end: usize,
    /// When the request began.
    pub(super) began: Tick,
    pub(super) pending: Pending,
    /// How often the answer was put off.
    pub(super) put_off: usize,
    /// Its body, if that is in a file.
    pub(super) spool: Option<Spool>,
}

impl<T: Transport> Connection<T> {
    /// One step in `State::Waiting`: send what was answered before, and see whether the answer is there.
    pub(super) fn wait_for_answer<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>) -> Step {
        if self.is_gone {
            self.narrator(cx).tell(&Event::Gone(&std::io::ErrorKind::ConnectionReset.into()));
            self.state = State::Closed;
            return Step::On;
        }
        match self.flush(cx) {
            Flushed::All => {}
            Flushed::Part => return Step::Wait,
            Flushed::Gone => return Step::On,
        }
        let State::Waiting(waiting) = &self.state else { return Step::On };
        if self.sees_end || self.has_ended {
            waiting.pending.doubt();
        }
        match waiting.pending.take() {
            Some(outcome) => {
                self.conclude(outcome, cx);
                Step::On
            }
            None => Step::Wait,
        }
    }

    /// The answer has not come in time.
    pub(super) fn give_up_waiting<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>) {
        let detail = format!("the answer was not ready after {:?}", cx.timeouts.answer);
        self.conclude(Err(HttpError::new(Status::SERVICE_UNAVAILABLE, detail)), cx);
    }

    /// Sends the answer that was owed, or waits for the one that comes in its place.
    fn conclude<S: Service + ?Sized>(&mut self, outcome: Result<Response, HttpError>, cx: &mut Context<'_, S>) {
        let State::Waiting(waiting) = std::mem::replace(&mut self.state, State::Closed) else { return };
        let (Waiting { end, began, put_off, spool, .. }, limits) = (waiting, cx.limits);
        let (input, mut desk) = cx.desk(self.peer, began, self.requests);
        self.state = match read_again(input.unread(), end, spool.as_ref(), &mut slots(), limits) {
            Ok(arrived) => desk.finish(&arrived, outcome, put_off),
            Err(error) => State::Writing(desk.refuse(input.unread(), false, &error)),
        };
        match &mut self.state {
            State::Waiting(waiting) => waiting.spool = spool,
            _ => input.consume(end),
        }
        self.since = cx.now.tick();
    }
}
