//! The middle of the machine: a complete request goes to the service, and its answer to the output.

use crate::http::{
    Body, Coding, DecodedPath, Delivery, Head, HttpError, Now, Params, Request, Response, Status, Tick, encode,
};
use crate::service::{Exchange, Fragment, Service};

use super::event::{Event, Narrator};
use super::input::Input;
use super::ledger::Ledger;
use super::output::Output;
use super::peer::Peer;
use super::writing::{Outgoing, Writing};
use super::{Context, Phase, Scratch};

/// Where answers are written out: the output, the ledger, and what an answer must know of its connection.
pub(super) struct Desk<'a, S: ?Sized> {
    output: &'a mut Output,
    ledger: &'a mut Ledger,
    pub(super) service: &'a S,
    now: &'a Now,
    /// True if another request may follow, as far as the server is concerned.
    takes_more: bool,
    narrator: Narrator<'a>,
    /// When the request began.
    began: Tick,
}

impl<S: ?Sized> Context<'_, S> {
    /// The input beside a desk for what is in it.
    pub(super) fn desk(&mut self, peer: Peer, began: Tick, requests: u64) -> (&mut Input, Desk<'_, S>) {
        let Scratch { input, output, ledger, .. } = &mut *self.scratch;
        let narrator = Narrator { peer, tracer: self.tracer };
        let takes_more = self.phase == Phase::Open && requests < self.limits.requests;
        (input, Desk { output, ledger, service: self.service, now: self.now, takes_more, narrator, began })
    }
}

/// Content up to this size is copied behind its head and leaves with it in one write; longer content is written from where it is.
const SMALL: usize = 16 * 1024;

/// Bytes of a refused request that are shown to the log.
const EXCERPT: usize = 256;

impl<S: Service + ?Sized> Desk<'_, S> {
    /// Answers a complete request.
    pub(super) fn answer(&mut self, unread: &[u8], head: &Head<'_>, path: &DecodedPath<'_>, body: &[u8]) -> Writing {
        let request = view(head, path, body, self.narrator.peer, self.now);
        let response = self.service.call(&request);
        let keep_alive = head.framing.keep_alive && self.takes_more;
        let delivery = Delivery::new(head.method, head.framing.version, keep_alive);
        let line = unread.get(..head.framing.head).unwrap_or_default();
        self.send(response, delivery, line, Some(head))
    }

    /// Refuses what cannot be read to its end.
    pub(super) fn refuse(&mut self, unread: &[u8], error: &HttpError) -> Writing {
        let received = unread.trim_ascii_start();
        let response = self.service.refuse(error, &Fragment::new(self.narrator.peer.0, received));
        // Even of what could not be read as a request, the method may be plain to see.
        let delivery = Delivery { is_head: received.starts_with(b"HEAD "), ..Delivery::REFUSAL };
        let writing = self.send(response, delivery, unread, None);
        Writing { is_refusal: true, ..writing }
    }

    /// Sends an answer that was given before the body was read.
    pub(super) fn turn_away(&mut self, response: Response, unread: &[u8], head: &Head<'_>) -> Writing {
        let delivery = Delivery::new(head.method, head.framing.version, false);
        let writing = self.send(response, delivery, unread, Some(head));
        Writing { is_refusal: true, ..writing }
    }

    fn send(&mut self, response: Response, delivery: Delivery, line: &[u8], head: Option<&Head<'_>>) -> Writing {
        let response = self.checked(response, line);
        let start = self.output.end().len();
        let promise = encode(&response, delivery, self.now, self.output.end());
        let status = response.status;
        let head_end = self.output.end().len();
        if self.service.wants_exchanges() {
            let exchange = exchange(self.narrator.peer, line, head, &response);
            self.ledger.open(exchange, self.began, self.output.position());
        }
        let body = match (promise.coding, response.body) {
            (Coding::Absent, _) => Outgoing::Nothing,
            (_, Body::Bytes(bytes)) if bytes.as_slice().len() <= SMALL => {
                self.output.end().extend_from_slice(bytes.as_slice());
                Outgoing::Nothing
            }
            (coding, body) => Outgoing::new(body, coding),
        };
        if matches!(body, Outgoing::Nothing) {
            self.ledger.close_body(self.output.position());
        }
        let written = self.output.end().get(start..).unwrap_or_default();
        let (head, body_written) = written.split_at_checked(head_end - start).unwrap_or_default();
        self.narrator.tell(&Event::Answered { status, head, body: body_written, is_kept: promise.keep_alive });
        Writing { body, keep_alive: promise.keep_alive, is_refusal: false }
    }

    /// The response, or a 500 in place of one that cannot be sent: with what is no header, or an interim status, after which a
    /// peer would go on waiting (RFC 9110 section 15.2).
    fn checked(&self, response: Response, received: &[u8]) -> Response {
        let fault = match response.headers.refusal() {
            Some(why) => why.to_owned(),
            None if response.status.class() == 1 => format!("{} is no final answer", response.status),
            None => return response,
        };
        let refusal = self.service.refuse(&HttpError::internal(fault), &Fragment::new(self.narrator.peer.0, received));
        let is_sound = refusal.headers.refusal().is_none() && refusal.status.class() != 1;
        if is_sound { refusal } else { Response::new(Status::INTERNAL_SERVER_ERROR) }
    }
}

/// The request as a handler sees it.
pub(super) fn view<'a>(
    head: &Head<'a>,
    path: &'a DecodedPath<'a>,
    body: &'a [u8],
    peer: Peer,
    now: &'a Now,
) -> Request<'a> {
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
        peer: peer.0,
        now,
        mount: "",
        params: Params::default(),
    }
}

/// What an observer is told of an answer, owned: the request's bytes are gone when the answer is over.
fn exchange(peer: Peer, received: &[u8], head: Option<&Head<'_>>, response: &Response) -> Exchange {
    let line = received.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // A request line that was read is shown whole; of what was not, a beginning is enough.
    let shown = if head.is_some() { line } else { line.get(..EXCERPT).unwrap_or(line) };
    let field = |name| head.and_then(|head| head.headers.get(name)).map(Box::from);
    Exchange {
        peer: peer.0,
        referer: field("referer"),
        agent: field("user-agent"),
        ..Exchange::new(shown, response.status)
    }
}
