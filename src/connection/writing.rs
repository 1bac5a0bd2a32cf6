//! The second half of the machine: from an answer to bytes the peer has taken.

use std::io;

use rustix::io::Errno;

use crate::http::{
    Body, Bytes, Coding, FileRange, Produced, Progress, Promise, Source, Tick, encode_chunk, encode_last_chunk,
};
use crate::service::Service;

use super::event::Narrator;
use super::share::Share;
use super::{Connection, Context, Event, State, Step, Transport};

/// An answer on its way. Its head is in the output; so is a small body.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) body: Outgoing,
    pub(super) next: Ask,
    /// True if another request may follow on this connection.
    pub(super) keep_alive: bool,
    /// True if the peer may still be sending: what was refused, or the next request of those it
    /// was promised an answer to.
    pub(super) may_have_more: bool,
}

/// What is still to be sent after the output.
#[derive(Debug)]
pub(super) enum Outgoing {
    Nothing,
    Memory { bytes: Bytes, sent: usize },
    File(FileRange),
    Stream { source: Box<dyn Source>, extent: Extent },
}

/// When the next slice of the body leaves, or is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    /// In a turn that is not long yet.
    Soon,
    /// Not before this time: the source has nothing to say.
    At(Tick),
    /// When its connection is called: whoever feeds the source does that.
    Called,
    /// When its connection goes on, however long the turn is then: it has been put off.
    Due,
}

/// How the peer is to know where the content of a source ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extent {
    /// After so many bytes more: what is left of Content-Length.
    Exactly(u64),
    /// At the last chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

impl Outgoing {
    pub(super) fn new(body: Body, promise: Promise) -> Self {
        match body {
            Body::Empty => Outgoing::Nothing,
            Body::Bytes(bytes) => Outgoing::Memory { bytes, sent: 0 },
            Body::File(range) => Outgoing::File(range),
            Body::Stream(source) => {
                let extent = match promise.length {
                    Some(length) => Extent::Exactly(length),
                    None if promise.coding == Coding::Chunked => Extent::Chunked,
                    None => Extent::UntilClose,
                };
                Outgoing::Stream { source, extent }
            }
            // Waited for in `State::Waiting`, and nowhere else; and followed by the service.
            Body::Later(_) | Body::Elsewhere(_) => Outgoing::Nothing,
        }
    }
}

impl Extent {
    /// Counts a slice of so many bytes, and says how what was made and the announced length differ, if they do.
    fn count(&mut self, made: usize, is_last: bool) -> Option<String> {
        let Extent::Exactly(left) = self else { return None };
        let made = made as u64;
        let surplus = made.saturating_sub(*left);
        *left = left.saturating_sub(made);
        match *left {
            _ if surplus > 0 => Some(format!("it made {surplus} bytes too many")),
            left if is_last && left > 0 => Some(format!("it made {left} bytes too few")),
            _ => None,
        }
    }
}

impl Writing {
    /// Bytes of memory that a body takes which was made for this answer alone.
    pub(super) fn bytes(&self) -> usize {
        match &self.body {
            Outgoing::Memory { bytes: Bytes::Owned(bytes), .. } => bytes.capacity(),
            _ => 0,
        }
    }

    /// When the source of the body wants to be asked again, if it sleeps.
    pub(super) fn resumes(&self) -> Option<Tick> {
        match self.next {
            Ask::At(resume) => Some(resume),
            Ask::Called => Some(Tick::NEVER),
            Ask::Soon | Ask::Due => None,
        }
    }

    /// The connection goes on: its source, if it waits for that, may have something.
    pub(super) fn call(&mut self) {
        if let Ask::Called = self.next {
            self.next = Ask::Soon;
        }
    }

    /// True if its source sleeps, or was put off.
    pub(super) fn is_resting(&self) -> bool {
        !matches!(self.next, Ask::Soon)
    }

    /// True if its source has nothing before somebody calls.
    pub(super) fn waits_for_call(&self) -> bool {
        matches!(self.next, Ask::Called)
    }
}

/// What became of the output.
pub(super) enum Flushed {
    All,
    /// The peer takes no more for now.
    Part,
    /// The state is `Closed`.
    Gone,
}

impl<T: Transport> Connection<T> {
    /// Sends the output, as far as the peer takes it.
    pub(super) fn flush<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>) -> Flushed {
        while !cx.scratch.output.is_empty() {
            if !self.is_writable {
                return Flushed::Part;
            }
            let unsent = cx.scratch.output.unsent();
            let asked = unsent.len();
            let result = self.transport.write(unsent);
            match self.took(result, asked, cx) {
                Some(count) => cx.scratch.output.was_sent(count),
                None => return Flushed::Gone,
            }
        }
        if matches!(self.state, State::Reading(_)) {
            self.owed = 0; // nothing is owed any more; the next answer is another matter
        }
        if !cx.scratch.ledger.is_empty() {
            cx.scratch.ledger.settle(cx.scratch.output.sent_position(), cx.service, cx.now);
        }
        Flushed::All
    }

    /// One step in `State::Writing`: send the output, then a slice of the body, then go on to what follows.
    pub(super) fn write<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>, share: &mut Share) -> Step {
        let State::Writing(writing) = &mut self.state else { return Step::On };
        if matches!(writing.body, Outgoing::Nothing) && writing.keep_alive {
            // The answer is whole in the output. Requests behind it are answered first: all leave with one write.
            self.state = State::Reading(Progress::default());
            self.since = cx.now.tick();
            return Step::On;
        }
        match self.flush(cx) {
            Flushed::All => {}
            Flushed::Part => return Step::Wait,
            Flushed::Gone => return Step::On,
        }
        let State::Writing(writing) = &mut self.state else { return Step::On };
        match (&writing.body, writing.next) {
            (Outgoing::Nothing, _) => return self.finish(cx),
            (_, Ask::At(resume)) if resume > cx.now.tick() => return Step::Wait,
            // Nobody reads it: who makes it should stop.
            (_, Ask::Called) if self.is_gone => {
                self.narrator(cx).tell(&Event::Gone(&io::ErrorKind::ConnectionReset.into()));
                self.state = State::Closed;
            }
            (_, Ask::Called) => return Step::Wait,
            (Outgoing::Memory { .. } | Outgoing::File(_), _) if !self.is_writable => {
                writing.next = Ask::Soon;
                return Step::Wait;
            }
            (_, Ask::Soon | Ask::At(_)) if share.is_used_up() || cx.now.is_long_turn() => {
                writing.next = Ask::Due;
                return Step::Yield;
            }
            (Outgoing::Stream { .. }, _) => self.produce(cx, share),
            (Outgoing::Memory { .. } | Outgoing::File(_), _) => self.send_slice(cx, share),
        }
        Step::On
    }

    /// Has the source make the next slice, which then is output like any other.
    fn produce<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>, share: &mut Share) {
        let State::Writing(writing) = &mut self.state else { return };
        let Writing { body: Outgoing::Stream { source, extent }, next, .. } = writing else { return };
        *next = Ask::Soon;
        // The peer has taken all there was: the time that the source takes is not counted against it.
        self.since = cx.now.tick();
        let out = cx.scratch.output.end();
        let start = out.len();
        let produced = source.produce(out);
        let made = out.len().saturating_sub(start);
        let broken = extent.count(made, matches!(produced, Ok(Produced::All)));
        if broken.is_some() {
            // Not one byte more than was announced: the peer would take it for the next answer.
            out.truncate(start);
        }
        let is_chunked = matches!(extent, Extent::Chunked);
        if is_chunked {
            encode_chunk(out, start);
        }
        let narrator = Narrator { peer: self.peer, tracer: cx.tracer };
        narrator.tell(&Event::Produced(out.get(start..).unwrap_or_default()));
        share.count_work(made);
        if let (Some(difference), Ok(_)) = (broken, &produced) {
            let error = io::Error::other(difference);
            return self.cut_short("its source did not keep to the length that was announced", &error, cx);
        }
        match produced {
            Ok(Produced::More) => {}
            Ok(Produced::Later(span)) => *next = Ask::At(cx.now.tick().plus(span)),
            Ok(Produced::Waiting) => *next = Ask::Called,
            Ok(Produced::All) => {
                if is_chunked {
                    encode_last_chunk(out);
                }
                self.end_body(cx);
            }
            Err(error) => self.cut_short("its source failed", &error, cx),
        }
    }

    /// Sends the next slice of a body that is in memory or in a file.
    fn send_slice<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>, share: &mut Share) {
        let State::Writing(writing) = &mut self.state else { return };
        writing.next = Ask::Soon;
        let (result, asked) = match &mut writing.body {
            Outgoing::Memory { bytes, sent } => {
                let rest = bytes.as_slice().get(*sent..).unwrap_or_default();
                let slice = rest.get(..share.left()).unwrap_or(rest);
                (self.transport.write(slice), slice.len())
            }
            Outgoing::File(range) => {
                let asked = usize::try_from(range.length).unwrap_or(usize::MAX).min(share.left_for_file());
                let result = match asked {
                    0 => Ok(0),
                    _ => self.transport.send_file(&range.file, range.offset, asked),
                };
                (result, asked)
            }
            Outgoing::Nothing | Outgoing::Stream { .. } => return,
        };
        if matches!(result, Ok(0)) && asked > 0 {
            let error = io::Error::from(io::ErrorKind::UnexpectedEof);
            return self.cut_short("the file is shorter than it was when its length was announced", &error, cx);
        }
        let is_file = matches!(writing.body, Outgoing::File(_));
        if let Err(error) = &result
            && is_file
            && is_of_the_disk(error)
        {
            return self.cut_short("the file cannot be read", error, cx);
        }
        let Some(count) = self.took(result, asked, cx) else { return };
        // A file may give less than was asked without the peer being slow; only would-block tells the two apart.
        self.is_writable |= is_file && count > 0;
        share.bytes = share.bytes.saturating_add(count);
        cx.scratch.output.was_sent_beside(count);
        let State::Writing(writing) = &mut self.state else { return };
        let is_done = match &mut writing.body {
            Outgoing::Memory { bytes, sent } => {
                *sent = sent.saturating_add(count);
                *sent >= bytes.as_slice().len()
            }
            Outgoing::File(range) => {
                range.offset = range.offset.saturating_add(count as u64);
                range.length = range.length.saturating_sub(count as u64);
                range.length == 0
            }
            Outgoing::Nothing | Outgoing::Stream { .. } => return,
        };
        if is_done {
            self.end_body(cx);
        }
    }

    /// The last byte of the body is sent or in the output.
    fn end_body<S: ?Sized>(&mut self, cx: &mut Context<'_, S>) {
        if let State::Writing(writing) = &mut self.state {
            writing.body = Outgoing::Nothing;
        }
        cx.scratch.ledger.close_body(cx.scratch.output.position());
    }

    /// The answer is sent, and it was the last one.
    fn finish<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>) -> Step {
        let State::Writing(writing) = &self.state else { return Step::On };
        // Closing a socket with bytes unread resets it, and the reset can overtake the answer (RFC 9112 section 9.6).
        let may_have_more = writing.may_have_more || !cx.scratch.input.is_empty() || self.is_readable;
        let may_have_more = may_have_more && !self.has_ended;
        self.state = if may_have_more && self.transport.shut_down_write().is_ok() {
            self.narrator(cx).tell(&Event::Lingering);
            self.since = cx.now.tick();
            State::Lingering
        } else {
            State::Closed
        };
        Step::On
    }

    /// A promise was broken: the connection must end short of the announced length, so that the peer knows.
    fn cut_short<S: ?Sized>(&mut self, why: &str, error: &io::Error, cx: &Context<'_, S>) {
        self.narrator(cx).tell(&Event::CutShort(why, error));
        self.state = State::Closed;
    }

    /// Sets the time that a peer has let us wait against what it has taken: at the slowest rate it comes out
    /// even, and below it the time of a write is used up in the end. A trickle renews nothing, and a slow
    /// line may go on for ever.
    fn charge<S: ?Sized>(&mut self, count: usize, cx: &Context<'_, S>) {
        let waited = cx.now.tick().since(self.since);
        if waited.is_zero() && self.owed == 0 {
            return; // the common case: it goes out in the turn in which it was made
        }
        let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let earned = (count as u64).saturating_mul(1000) / cx.timeouts.min_rate.max(1);
        let owed = u64::from(self.owed).saturating_add(waited).saturating_sub(earned);
        self.owed = u32::try_from(owed).unwrap_or(u32::MAX);
    }

    /// What a write says: the count taken, or `None` if the peer is gone. A short count means that
    /// it takes no more for now.
    fn took<S: ?Sized>(&mut self, result: io::Result<usize>, asked: usize, cx: &Context<'_, S>) -> Option<usize> {
        match result {
            Ok(count) => {
                self.narrator(cx).tell(&Event::Sent(count, asked));
                self.is_writable = count == asked;
                self.charge(count, cx);
                self.since = cx.now.tick();
                Some(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.is_writable = false;
                Some(0)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Some(0),
            Err(error) => {
                self.narrator(cx).tell(&Event::Gone(&error));
                self.state = State::Closed;
                None
            }
        }
    }
}

/// True for what reading a file says, and a socket never does.
fn is_of_the_disk(error: &io::Error) -> bool {
    Errno::from_io_error(error)
        .is_some_and(|errno| [Errno::IO, Errno::INVAL, Errno::ISDIR, Errno::STALE].contains(&errno))
}
