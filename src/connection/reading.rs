//! The first half of the machine: from bytes to a complete request.

use std::io;
use std::time::Duration;

use crate::http::{
    BodyLength, CONTINUE, ChunkDecoder, Content, DecodedPath, Framing, Head, HttpError, Limits, Method, Progress,
    Slots, Tick, decode, decode_path, slots,
};
use crate::service::Service;

use super::answering::Arrived;
use super::input::Input;
use super::spool::{Places, Spool};
use super::writing::Flushed;
use super::{Connection, Context, Event, Phase, Scratch, Share, State, Step, Transport};

/// When a peer that had to yield may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A request whose head is complete and whose body is on the way. The head stays in the input buffer, as numbers here;
/// the body gathers behind it, and goes on into a file when it gets long.
#[derive(Debug)]
pub(super) struct Incoming {
    framing: Framing,
    length: Arriving,
    /// Bytes of the decoded body that stand behind the head.
    here: usize,
    spool: Option<Spool>,
    /// When the request began; the time of its phases begins anew.
    began: Tick,
}

#[derive(Debug)]
enum Arriving {
    /// So many bytes have not come yet.
    Known(u64),
    Chunked(ChunkDecoder),
}

/// What a read has brought.
enum Filled {
    /// So many bytes.
    Some(usize),
    Nothing,
    End,
}

impl Incoming {
    /// `here` bytes of the request have come with its head.
    fn new(mut framing: Framing, began: Tick, here: usize) -> Self {
        // A peer that has begun to send its body does not wait to be asked for it (RFC 9110 section 10.1.1).
        framing.expects_continue &= here <= framing.head;
        let length = match framing.body {
            BodyLength::Known(length) => Arriving::Known(length),
            BodyLength::Chunked => Arriving::Chunked(ChunkDecoder::new()),
        };
        Incoming { framing, length, here: 0, spool: None, began }
    }

    /// Bytes of the decoded body so far.
    pub(super) fn received(&self) -> u64 {
        let spooled = self.spool.as_ref().map_or(0, |spool| spool.length);
        spooled.saturating_add(self.here as u64)
    }

    /// Takes in what has come, and says whether that is all.
    fn take_in(&mut self, input: &mut Input, places: &Places, limits: &Limits) -> Result<bool, HttpError> {
        let head = self.framing.head;
        let start = head.saturating_add(self.here);
        let is_complete = match &mut self.length {
            Arriving::Known(left) => {
                let fresh = input.unread().len().saturating_sub(start);
                let fresh = fresh.min(usize::try_from(*left).unwrap_or(usize::MAX));
                self.here = self.here.saturating_add(fresh);
                *left = left.saturating_sub(fresh as u64);
                *left == 0
            }
            Arriving::Chunked(decoder) => {
                let chunks = decoder.decode(input.unread_mut_from(start), limits)?;
                self.here = self.here.saturating_add(chunks.wrote);
                input.cut(start.saturating_add(chunks.wrote), chunks.read.saturating_sub(chunks.wrote));
                chunks.is_done
            }
        };
        let is_long = self.here > limits.memory && !is_complete;
        if is_long && self.spool.is_none() {
            self.spool = Some(Spool::new(places)?);
        }
        if let Some(spool) = &mut self.spool {
            spool.append(input.unread().get(head..head.saturating_add(self.here)).unwrap_or_default())?;
            input.cut(head, self.here);
            self.here = 0;
        }
        Ok(is_complete)
    }
}

impl<T: Transport> Connection<T> {
    /// One step in `State::Reading`: decode a head, or send what is waiting and read on.
    pub(super) fn read_head<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>, share: &mut Share) -> Step {
        let narrator = self.narrator(cx);
        let State::Reading(progress) = &mut self.state else { return Step::On };
        let has_room = !cx.scratch.output.is_full() && !share.is_used_up() && share.has_time_for_another(cx.now);
        if has_room && !cx.scratch.input.is_empty() {
            let limits = cx.limits;
            let (input, mut desk) = cx.desk(self.peer, self.since, self.requests.saturating_add(1));
            let mut slots = slots();
            let request = read_request(input.unread(), &mut slots, progress, limits);
            if let Ok(Some((head, path))) = &request {
                let (method, target) = (head.method, head.raw_target);
                narrator.tell(&Event::Parsed { method, target, path: &path.text });
            }
            let next = match request {
                Ok(None) => {
                    // A line end too many behind a body, or while waiting, begins no request that could be overdue.
                    input.consume(progress.leave_empty_lines());
                    None
                }
                Ok(Some((head, path))) if head.framing.body == BodyLength::Known(0) => {
                    let end = head.framing.head;
                    let next = desk.answer(&Arrived { head, path, body: Content::EMPTY, unread: input.unread(), end });
                    Some((next, end))
                }
                Ok(Some((head, path))) => Some(match desk.admit(input.unread(), &head, &path) {
                    None => (State::Parsed(Box::new(Incoming::new(head.framing, self.since, input.unread().len()))), 0),
                    Some(writing) => (State::Writing(writing), 0),
                }),
                Err(error) => {
                    let is_head = progress.asks_for_head(input.unread());
                    Some((State::Writing(desk.refuse(input.unread(), is_head, &error)), 0))
                }
            };
            if let Some((next, end)) = next {
                if let State::Writing(_) = next {
                    input.consume(end);
                }
                share.requests += 1;
                self.requests = self.requests.saturating_add(1);
                self.state = next;
                self.since = cx.now.tick(); // the time for the body begins, or for the answer
                return Step::On;
            }
        }
        share.bytes = share.bytes.saturating_add(cx.scratch.output.unsent().len());
        // Everything complete is answered. The peer gets it before more is read, and nothing is read
        // while it cannot take it.
        match self.flush(cx) {
            // With nothing left to answer it need not queue behind those who have much to do.
            Flushed::All if !has_room && !cx.scratch.input.is_empty() => Step::Yield,
            Flushed::All => self.read_more(cx, share),
            Flushed::Part => Step::Wait,
            Flushed::Gone => Step::On,
        }
    }

    /// One step in `State::Parsed`: answer if the body is complete, else read on.
    pub(super) fn read_body<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>, share: &mut Share) -> Step {
        let State::Parsed(incoming) = &mut self.state else { return Step::On };
        let limits = cx.limits;
        let Scratch { input, places, .. } = &mut *cx.scratch;
        match incoming.take_in(input, places, limits) {
            Ok(true) => {}
            Ok(false) => {
                self.ask_to_continue(cx);
                return match self.flush(cx) {
                    Flushed::All => self.read_more(cx, share),
                    Flushed::Part => Step::Wait,
                    Flushed::Gone => Step::On,
                };
            }
            Err(error) => {
                self.refuse(&error, cx);
                return Step::On;
            }
        }
        let State::Parsed(incoming) = std::mem::replace(&mut self.state, State::Closed) else { return Step::On };
        let Incoming { framing, here, spool, began, .. } = *incoming;
        let end = framing.head.saturating_add(here);
        let (input, mut desk) = cx.desk(self.peer, began, self.requests);
        self.state = match read_again(input.unread(), end, spool.as_ref(), &mut slots(), limits) {
            Ok(arrived) => desk.answer(&arrived),
            Err(error) => State::Writing(desk.refuse(input.unread(), false, &error)),
        };
        match &mut self.state {
            State::Waiting(waiting) => waiting.spool = spool,
            _ => input.consume(end),
        }
        self.since = cx.now.tick();
        Step::On
    }

    /// Refuses what was received so far; the connection closes after it.
    pub(super) fn refuse<S: Service + ?Sized>(&mut self, error: &HttpError, cx: &mut Context<'_, S>) {
        let unread = cx.scratch.input.unread();
        let (began, is_head) = match &self.state {
            State::Reading(progress) => (self.since, progress.asks_for_head(unread)),
            State::Parsed(incoming) => {
                let mut slots = slots();
                let head = decode(unread, &mut slots, &mut Progress::default(), cx.limits);
                (incoming.began, matches!(head, Ok(Some(head)) if head.method == Method::Head))
            }
            _ => (self.since, false),
        };
        let (input, mut desk) = cx.desk(self.peer, began, self.requests);
        self.state = State::Writing(desk.refuse(input.unread(), is_head, error));
        self.since = cx.now.tick();
    }

    /// A peer that waits for `100 Continue` gets it, once.
    fn ask_to_continue<S: ?Sized>(&mut self, cx: &mut Context<'_, S>) {
        let State::Parsed(incoming) = &mut self.state else { return };
        if std::mem::take(&mut incoming.framing.expects_continue) {
            cx.scratch.output.end().extend_from_slice(CONTINUE);
            self.narrator(cx).tell(&Event::Continued);
        }
    }

    /// Reads once; nothing is waiting to be sent.
    pub(super) fn read_more<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>, share: &mut Share) -> Step {
        let was_blank = cx.scratch.input.is_blank();
        match self.fill(cx) {
            Ok(Filled::Some(count)) => {
                if was_blank && !cx.scratch.input.begins_nothing() {
                    self.since = cx.now.tick(); // a request begins
                }
                // A peer as fast as the loop would keep it for as long as an upload lasts.
                share.bytes = share.bytes.saturating_add(count);
                if share.is_used_up() { Step::Yield } else { Step::On }
            }
            Ok(Filled::Nothing) if was_blank && matches!(cx.phase, Phase::Draining | Phase::Crowded) => {
                self.state = State::Closed;
                Step::On
            }
            Ok(Filled::Nothing) if was_blank => Step::Wait,
            // One that has just begun, or has said its head, is not slow.
            Ok(Filled::Nothing)
                if cx.phase == Phase::Crowded
                    && self.since < cx.now.tick()
                    && !matches!(self.state, State::Parsed(_)) =>
            {
                let why = "there are too many connections, and what this one has begun to say takes too long";
                self.refuse(&HttpError::service_unavailable(RETRY_AFTER, why), cx);
                Step::On
            }
            Ok(Filled::Nothing) => {
                let here = cx.scratch.input.unread().len();
                let is_head = !matches!(self.state, State::Parsed(_));
                let event = if is_head { Event::HeadIncomplete(here) } else { Event::BodyIncomplete(here) };
                self.narrator(cx).tell(&event);
                Step::Wait
            }
            Ok(Filled::End) if was_blank => {
                self.state = State::Closed;
                Step::On
            }
            Ok(Filled::End) => {
                // The peer may have closed one direction only: it is told what was missing.
                let part = if matches!(self.state, State::Parsed(_)) { "body" } else { "head" };
                let error = HttpError::bad_request(format!("the connection ended before the {part} was complete"));
                self.refuse(&error, cx);
                Step::On
            }
            Err(error) => {
                self.narrator(cx).tell(&Event::Gone(&error));
                self.state = State::Closed;
                Step::On
            }
        }
    }

    /// Reads into the input, if the transport is worth a read. One that brings less than there was
    /// room for has emptied it.
    fn fill<S: ?Sized>(&mut self, cx: &mut Context<'_, S>) -> io::Result<Filled> {
        while self.is_readable {
            let room = cx.scratch.input.room();
            let asked = room.len();
            match self.transport.read(room) {
                Ok(0) => {
                    self.has_ended = true;
                    self.narrator(cx).tell(&Event::Ended);
                    return Ok(Filled::End);
                }
                Ok(count) => {
                    let narrator = self.narrator(cx);
                    narrator.tell(&Event::Received(cx.scratch.input.received(count)));
                    // The end of the stream is no byte: it is found by a read of its own.
                    self.is_readable = self.sees_end || count == asked;
                    return Ok(Filled::Some(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_readable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Filled::Nothing)
    }

    /// One step in `State::Lingering`: throws away what still comes, until the peer ends or the time is over.
    pub(super) fn linger<S: ?Sized>(&mut self, cx: &mut Context<'_, S>, share: &mut Share) -> Step {
        cx.scratch.input.clear();
        match self.fill(cx) {
            Ok(Filled::Some(count)) => {
                share.bytes = share.bytes.saturating_add(count);
                if share.is_used_up() { Step::Yield } else { Step::On }
            }
            Ok(Filled::Nothing) => Step::Wait,
            Ok(Filled::End) | Err(_) => {
                self.state = State::Closed;
                Step::On
            }
        }
    }
}

/// Reads a complete request again, whose head was read when it came: its views are made anew, because the
/// buffer may have moved since.
pub(super) fn read_again<'a, 'b: 'a>(
    unread: &'b [u8],
    end: usize,
    spool: Option<&'a Spool>,
    slots: &'a mut Slots<'b>,
    limits: &Limits,
) -> Result<Arrived<'a>, HttpError> {
    match read_request(unread, slots, &mut Progress::default(), limits)? {
        Some((head, path)) => {
            let body = match spool {
                Some(spool) => Content::Spooled(&spool.file, spool.length),
                None => Content::Memory(unread.get(head.framing.head..end).unwrap_or_default()),
            };
            Ok(Arrived { head, path, body, unread, end })
        }
        None => Err(HttpError::internal("a head was lost while its request was answered")),
    }
}

/// Decodes a head and its path.
fn read_request<'a, 'b: 'a>(
    input: &'b [u8],
    slots: &'a mut Slots<'b>,
    progress: &mut Progress,
    limits: &Limits,
) -> Result<Option<(Head<'a>, DecodedPath<'a>)>, HttpError> {
    match decode(input, slots, progress, limits)? {
        Some(head) => Ok(Some((head, decode_path(head.target.path)?))),
        None => Ok(None),
    }
}
