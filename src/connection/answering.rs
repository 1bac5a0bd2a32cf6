//! The middle of the machine: a complete request goes to the service, and its answer to the output.

use std::num::NonZeroU16;

use crate::http::{
    Body, Coding, Content, DecodedPath, Delivery, Head, HttpError, Now, Params, Recall, Request, Response, Status,
    Tick, encode,
};
use crate::service::{Exchange, Fragment, REQUEST_ID, Service};

use super::event::{Event, Narrator};
use super::input::Input;
use super::ledger::Ledger;
use super::output::Output;
use super::peer::{Peer, Voice};
use super::waiting::Waiting;
use super::writing::{Ask, Outgoing, Writing};
use super::{Context, Phase, Scratch, State};

/// Where answers are written out: the output, the ledger, and what an answer must know of its connection.
pub(super) struct Desk<'a, S: ?Sized> {
    output: &'a mut Output,
    ledger: &'a mut Ledger,
    service: &'a S,
    now: &'a Now,
    /// True if another request may follow, as far as the server is concerned.
    takes_more: bool,
    narrator: Narrator<'a>,
    recall: Recall<'a>,
    /// When the request began.
    began: Tick,
}

impl<S: ?Sized> Context<'_, S> {
    /// The input beside a desk for what is in it.
    pub(super) fn desk(&mut self, peer: Peer, began: Tick, requests: u64) -> (&mut Input, Desk<'_, S>) {
        let Scratch { input, output, ledger, .. } = &mut *self.scratch;
        let narrator = Narrator { peer, tracer: self.tracer };
        let takes_more = self.phase == Phase::Open && requests < self.limits.requests;
        let (service, now, recall) = (self.service, self.now, self.recall);
        (input, Desk { output, ledger, service, now, takes_more, narrator, recall, began })
    }
}

/// Content up to this size is copied behind its head and leaves with it in one write, which costs less than a second
/// write would; longer content is written from where it is.
const SMALL: usize = 32 * 1024;

/// How often one answer may be put off: a script may point to another, but not in a circle.
const MOST_TIMES: usize = 8;

/// Bytes of a refused request that are shown to the log.
const EXCERPT: usize = 256;

/// A complete request, as it stands in the input.
pub(super) struct Arrived<'a> {
    pub(super) head: Head<'a>,
    pub(super) path: DecodedPath<'a>,
    pub(super) body: Content<'a>,
    /// Its bytes and those behind it.
    pub(super) unread: &'a [u8],
    /// Where it ends.
    pub(super) end: usize,
}

impl<'a, S: Service + ?Sized> Desk<'a, S> {
    /// Asks whether the body of a request may come; an answer given instead is sent.
    pub(super) fn admit(&mut self, unread: &[u8], head: &Head<'_>, path: &DecodedPath<'_>) -> Option<Writing> {
        let request = self.view(head, path, Content::EMPTY);
        let response = self.service.admit(&request)?;
        let delivery = Delivery::new(head.method, head.framing.version, false);
        let writing = self.send(response, delivery, unread, Some(&request));
        Some(Writing { may_have_more: true, ..writing })
    }

    /// Answers a complete request, or waits until it can be answered.
    pub(super) fn answer(&mut self, arrived: &Arrived<'_>) -> State {
        let request = self.view(&arrived.head, &arrived.path, arrived.body);
        let response = self.service.call(&request);
        if !is_deferred(&response) {
            return State::Writing(self.deliver(response, arrived, &request));
        }
        self.settle(response, arrived, &request, 0)
    }

    /// Answers a request whose answer was put off, for so many times now; or waits once more, for
    /// an answer from elsewhere.
    pub(super) fn finish(
        &mut self,
        arrived: &Arrived<'_>,
        outcome: Result<Response, HttpError>,
        put_off: usize,
    ) -> State {
        let request = self.view(&arrived.head, &arrived.path, arrived.body);
        let response = self.service.finish(&request, outcome);
        self.settle(response, arrived, &request, put_off)
    }

    fn settle(&mut self, response: Response, arrived: &Arrived<'_>, request: &Request<'_>, put_off: usize) -> State {
        match response.body {
            Body::Later(pending) if put_off < MOST_TIMES => {
                self.narrator.tell(&Event::Deferred);
                let put_off = put_off.saturating_add(1);
                State::Waiting(Waiting { end: arrived.end, began: self.began, pending, put_off, spool: None })
            }
            body => State::Writing(self.deliver(Response { body, ..response }, arrived, request)),
        }
    }

    fn deliver(&mut self, response: Response, arrived: &Arrived<'_>, request: &Request<'_>) -> Writing {
        let Arrived { head, unread, .. } = arrived;
        let keep_alive = head.framing.keep_alive && self.takes_more;
        let delivery = Delivery::new(head.method, head.framing.version, keep_alive);
        let writing = self.send(response, delivery, unread, Some(request));
        // The close is news to a peer that wanted to go on: its next request may be on its way.
        Writing { may_have_more: head.framing.keep_alive && !writing.keep_alive, ..writing }
    }

    /// Refuses what cannot be read to its end.
    pub(super) fn refuse(&mut self, unread: &[u8], is_head: bool, error: &HttpError) -> Writing {
        let received = unread.trim_ascii_start();
        let response = self.service.refuse(error, &Fragment::new(self.narrator.peer.address, received));
        let writing = self.send(response, Delivery { is_head, ..Delivery::REFUSAL }, unread, None);
        Writing { may_have_more: true, ..writing }
    }

    fn send(
        &mut self,
        response: Response,
        delivery: Delivery,
        received: &[u8],
        request: Option<&Request<'_>>,
    ) -> Writing {
        let response = self.checked(response, received);
        let start = self.output.end().len();
        let promise = encode(&response, delivery, self.now, self.output.end());
        let status = response.status;
        let head_end = self.output.end().len();
        if self.service.wants_exchanges() {
            let exchange = exchange(self.narrator.peer, received, request, &response);
            self.ledger.open(exchange, self.began, self.output.position());
        }
        let body = match (promise.coding, response.body) {
            (Coding::Absent, _) => Outgoing::Nothing,
            (_, Body::Bytes(bytes)) if bytes.as_slice().len() <= SMALL => {
                self.output.end().extend_from_slice(bytes.as_slice());
                Outgoing::Nothing
            }
            (_, body) => Outgoing::new(body, promise),
        };
        if matches!(body, Outgoing::Nothing) {
            self.ledger.close_body(self.output.position());
        }
        let written = self.output.end().get(start..).unwrap_or_default();
        let (head, body_written) = written.split_at_checked(head_end - start).unwrap_or_default();
        self.narrator.tell(&Event::Answered { status, head, body: body_written, is_kept: promise.keep_alive });
        Writing { body, next: Ask::Soon, keep_alive: promise.keep_alive, may_have_more: false }
    }

    /// The response, or a 500 in place of one that cannot be sent: with what is no header, an interim status, after
    /// which a peer would go on waiting (RFC 9110 section 15.2), or put off where nobody waits for it.
    fn checked(&self, response: Response, received: &[u8]) -> Response {
        let fault = match response.headers.refusal() {
            Some(why) => why.to_owned(),
            None if response.status.class() == 1 => format!("{} is no final answer", response.status),
            None if is_deferred(&response) => "an answer was put off that cannot be waited for".to_owned(),
            None if matches!(response.body, Body::Elsewhere(_)) => "an answer points where nobody looks".to_owned(),
            None => return response,
        };
        let refusal =
            self.service.refuse(&HttpError::internal(fault), &Fragment::new(self.narrator.peer.address, received));
        let is_there = !matches!(refusal.body, Body::Later(_) | Body::Elsewhere(_));
        let is_sound = refusal.headers.refusal().is_none() && refusal.status.class() != 1 && is_there;
        if is_sound { refusal } else { Response::new(Status::INTERNAL_SERVER_ERROR) }
    }

    /// The request as a handler sees it.
    fn view<'r>(&self, head: &Head<'r>, path: &'r DecodedPath<'r>, body: Content<'r>) -> Request<'r>
    where
        'a: 'r,
    {
        Request {
            method: head.method,
            target: head.raw_target,
            path: &path.text,
            path_bytes: &path.octets,
            raw_path: head.target.path,
            query: head.target.query,
            version: head.framing.version,
            authority: head.authority,
            headers: head.headers,
            body,
            client: match self.narrator.peer.voice {
                Voice::Own => self.service.client(head.headers, self.narrator.peer.address),
                Voice::Strange => self.narrator.peer.address.map(|peer| peer.ip().to_canonical()),
            },
            peer: self.narrator.peer.address,
            local_port: self.narrator.peer.local_port.map(NonZeroU16::get),
            now: self.now,
            mount: "",
            params: Params::default(),
            recall: self.recall,
        }
    }
}

fn is_deferred(response: &Response) -> bool {
    matches!(response.body, Body::Later(_))
}

/// What an observer is told of an answer, owned: the request's bytes are gone when the answer is over.
fn exchange(peer: Peer, received: &[u8], request: Option<&Request<'_>>, response: &Response) -> Exchange {
    let line = received.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // A request line that was read is shown whole; of what was not, a beginning is enough.
    let shown = if request.is_some() { line } else { line.get(..EXCERPT).unwrap_or(line) };
    let field = |name| request.and_then(|request| request.headers.get(name)).map(Box::from);
    let connected = peer.address.map(|peer| peer.ip().to_canonical());
    Exchange {
        client: request.map_or(connected, |request| request.client),
        peer: peer.address,
        referer: field("referer"),
        agent: field("user-agent"),
        id: response.headers.get(REQUEST_ID).map(Box::from),
        ..Exchange::new(shown, response.status)
    }
}
