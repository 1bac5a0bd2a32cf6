//! An answer on its way from an upstream to a peer: first its head, then content, then the end.
//!
//! An answer that is complete before the upstream has to wait leaves as a whole, with its length; any other is
//! streamed. The upstream need not know which: it says what has come, and when it waits.

use std::time::Duration;

use crate::http::{Body, Bytes, Deferred, HttpError, Produced, Response, Source, Status, Summons, Tick};

use super::basin::Basin;
use super::head::{self, Head};
use super::pipe::{CAPACITY, Feed, pipe};

/// An answer that is owed.
#[derive(Debug)]
pub(super) struct Relay {
    state: State,
    /// Who answers, as the log and the refusal call it: `the script /cgi-bin/time`.
    who: Box<str>,
    is_head: bool,
    /// Calls the upstream.
    upstream: Summons,
    /// Where it lies if the peer is slow.
    basin: Basin,
    /// Since when there is no room.
    full_since: Option<Tick>,
}

/// What an upstream may do with what it has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Say so many bytes.
    For(usize),
    /// Wait: for a call, when the peer has taken something, or until this time.
    NoneBefore(Tick),
}

/// How long a peer may take nothing until it is taken for slow: the others go through memory alone.
const SLOW: Duration = Duration::from_millis(20);

#[derive(Debug)]
enum State {
    /// Nothing but a part of the head has come.
    Head(Deferred, Vec<u8>),
    /// The head has come and some content; the answer may yet be complete before anybody waits.
    Gathering(Deferred, Response, Content, Vec<u8>),
    /// It is being sent.
    Sending(Feed, Content),
    /// The peer has all it needs, which is a head; the upstream may end in peace.
    Silent,
    /// The peer needs no more; what still comes is thrown away.
    Over,
}

/// What was announced of the content, and is still to come.
#[derive(Debug)]
struct Content {
    left: Option<u64>,
}

impl Content {
    /// The part of these bytes that was announced.
    fn take<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(left) = &mut self.left else { return bytes };
        let taken = bytes.get(..usize::try_from(*left).unwrap_or(usize::MAX)).unwrap_or(bytes);
        *left = left.saturating_sub(taken.len() as u64);
        taken
    }

    /// Why the content is not complete, if it is not.
    fn fault(&self) -> Option<String> {
        self.left.filter(|&left| left > 0).map(|left| format!("it ended {left} bytes before the length it announced"))
    }
}

impl Relay {
    /// To this peer, which asked with HEAD or not.
    pub(super) fn new(deferred: Deferred, who: impl Into<Box<str>>, is_head: bool, basin: &Basin) -> Self {
        let (state, who) = (State::Head(deferred, Vec::new()), who.into());
        Relay { state, who, is_head, upstream: Summons::default(), basin: basin.clone(), full_since: None }
    }

    /// Whom to call from now on: an upstream learns how it is called when it is first let go on.
    pub(super) fn set_upstream(&mut self, upstream: Summons) {
        if let State::Head(deferred, _) | State::Gathering(deferred, ..) = &self.state {
            deferred.set_worker(upstream.clone());
        }
        self.upstream = upstream;
    }

    /// False once nobody waits for more.
    pub(super) fn is_wanted(&self) -> bool {
        match &self.state {
            State::Head(deferred, _) | State::Gathering(deferred, ..) => deferred.is_wanted(),
            State::Sending(feed, _) => feed.is_wanted(),
            State::Silent => true,
            State::Over => false,
        }
    }

    /// True once the peer has its answer, though more may be said: for nobody.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.state, State::Silent)
    }

    /// What is missing of the head, as long as it has not come.
    pub(super) fn fault_of_head(&self) -> Option<&'static str> {
        match &self.state {
            State::Head(_, gathered) if gathered.is_empty() => Some("it ended without an answer"),
            State::Head(..) => Some("it ended within its head"),
            _ => None,
        }
    }

    /// True once all has come that was announced: there is no need to wait for an end.
    pub(super) fn has_all(&self) -> bool {
        match &self.state {
            State::Gathering(_, _, content, _) | State::Sending(_, content) => content.left == Some(0),
            State::Head(..) | State::Silent | State::Over => false,
        }
    }

    /// What may be taken in now.
    pub(super) fn room(&mut self, now: Tick) -> Room {
        let room = match &self.state {
            State::Sending(feed, _) if feed.is_wanted() => feed.room(),
            _ => CAPACITY,
        };
        let State::Sending(feed, _) = &self.state else { return Room::For(room) };
        if room > 0 {
            self.full_since = None;
            return Room::For(room);
        }
        let slow = self.full_since.get_or_insert(now).plus(SLOW);
        match now < slow {
            true => Room::NoneBefore(slow),
            false if feed.overflow(&self.basin) => Room::For(CAPACITY),
            false => Room::NoneBefore(Tick::NEVER),
        }
    }

    /// Takes in what the upstream has said: head and content, one behind the other.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        let State::Head(_, gathered) = &mut self.state else { return self.take_content(bytes) };
        gathered.extend_from_slice(bytes);
        match head::read(gathered) {
            Ok(None) => {}
            Ok(Some((head, end))) => {
                let content = gathered.split_off(end.min(gathered.len()));
                self.begin(head);
                self.take_content(&content);
            }
            Err(why) => self.fail(Status::BAD_GATEWAY, &why),
        }
    }

    /// Takes in a head that stands by itself.
    pub(super) fn take_head(&mut self, bytes: &[u8]) {
        match head::read(bytes) {
            Ok(Some((head, _))) => self.begin(head),
            Ok(None) => self.fail(Status::BAD_GATEWAY, "its head has no end"),
            Err(why) => self.fail(Status::BAD_GATEWAY, &why),
        }
    }

    fn begin(&mut self, head: Head) {
        let State::Head(deferred, _) = std::mem::replace(&mut self.state, State::Over) else { return };
        let Head { status, headers, mut length, elsewhere } = head;
        if status == Status::RESET_CONTENT {
            // It has content, of which there is none (RFC 9110 section 15.3.6): what comes is thrown away.
            length = Some(0);
        }
        if let Some(path) = elsewhere {
            self.state = State::Silent;
            return deferred.answer(Response::elsewhere(path));
        }
        let response = Response::new(status).with_headers(headers);
        if self.is_head || status.is_bodiless() {
            self.state = State::Silent;
            return deferred.answer(response.with_body(Body::Stream(Box::new(Silence(length)))));
        }
        self.state = State::Gathering(deferred, response, Content { left: length }, Vec::new());
    }

    pub(super) fn take_content(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Gathering(_, _, content, gathered) => {
                gathered.extend_from_slice(content.take(bytes));
                if gathered.len() >= CAPACITY / 2 {
                    self.send();
                }
            }
            State::Sending(feed, content) => feed.push(content.take(bytes)),
            State::Head(..) | State::Silent | State::Over => {}
        }
    }

    /// The upstream waits: the peer gets what there is.
    pub(super) fn send(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Gathering(deferred, response, content, gathered) => {
                let length = content.left.map(|left| left.saturating_add(gathered.len() as u64));
                let (feed, drain) = pipe(gathered, length, self.upstream.clone(), deferred.summons());
                deferred.answer(response.with_body(Body::Stream(Box::new(drain))));
                State::Sending(feed, content)
            }
            other => other,
        };
    }

    /// That was all.
    pub(super) fn end(&mut self) {
        if let Some(why) = self.fault_of_head() {
            return self.fail(Status::BAD_GATEWAY, why);
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Gathering(deferred, response, content, gathered) => match content.fault() {
                None => deferred.answer(response.with_body(Body::Bytes(Bytes::Owned(gathered)))),
                Some(why) => deferred.answer(refusal::<Response>(Status::BAD_GATEWAY, &self.who, &why)),
            },
            State::Sending(feed, content) => match content.fault() {
                None => feed.end(),
                Some(why) => feed.fail(format!("{}: {why}", self.who)),
            },
            State::Head(..) | State::Silent | State::Over => {}
        }
    }

    /// It will not be complete: a refusal with this status where nothing was sent, else the connection is cut short.
    pub(super) fn fail(&mut self, status: Status, why: &str) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Head(deferred, _) | State::Gathering(deferred, ..) => {
                deferred.answer(refusal::<Response>(status, &self.who, why));
            }
            State::Sending(feed, _) => feed.fail(format!("{}: {why}", self.who)),
            State::Silent | State::Over => {}
        }
    }
}

/// The peer is told whose fault it is, and the log what happened.
pub(super) fn refusal<T>(status: Status, who: &str, why: &str) -> Result<T, HttpError> {
    let detail = match status {
        Status::INTERNAL_SERVER_ERROR => "the application has failed",
        Status::GATEWAY_TIMEOUT => "the application took too long to answer",
        Status::SERVICE_UNAVAILABLE => "the application cannot answer now",
        _ => "the application gave no answer that can be passed on",
    };
    Err(HttpError::new(status, detail).with_source(std::io::Error::other(format!("{who}: {why}"))))
}

/// How soon a peer may try again where as much is done as may be done at one time.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// The refusal where as much is done as may be done at one time.
pub(super) fn busy(who: &str, why: &str) -> HttpError {
    let error = HttpError::service_unavailable(COME_AGAIN, "the application has too much to do now");
    error.with_source(std::io::Error::other(format!("{who}: {why}")))
}

/// Content that is announced and not sent: the answer to HEAD.
struct Silence(Option<u64>);

impl Source for Silence {
    fn produce(&mut self, _: &mut Vec<u8>) -> std::io::Result<Produced> {
        Ok(Produced::All)
    }

    fn length(&self) -> Option<u64> {
        self.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use crate::http::Recall;

    use super::*;

    /// What the peer is answered when the upstream says this without a pause, and ends.
    fn told(said: &[&str], is_head: bool) -> String {
        let (deferred, pending) = Deferred::new(Recall::NOBODY);
        let mut relay = Relay::new(deferred, "it", is_head, &Basin::default());
        said.iter().for_each(|said| relay.take(said.as_bytes()));
        relay.end();
        match pending.take().unwrap() {
            Ok(Response { status, body: Body::Bytes(bytes), .. }) => {
                format!("{} {}", status.code(), String::from_utf8_lossy(bytes.as_slice()))
            }
            Ok(Response { status, body: Body::Stream(_), .. }) => format!("{} and no more", status.code()),
            Ok(Response { body, .. }) => panic!("{body:?}"),
            Err(error) => format!("{}: {}", error.status.code(), error.source.unwrap()),
        }
    }

    #[test]
    fn what_is_complete_before_anybody_waits_leaves_as_a_whole() {
        let cases: [(&[&str], &str); 10] = [
            (&["A: b\n\nhello"], "200 hello"),
            (&["Status: 404 ", "Not Found\r\n", "\r\nhel", "lo"], "404 hello"),
            (&["Content-Length: 5\n\nhello"], "200 hello"),
            (&["Content-Length: 4\n\nhel", "lo"], "200 hell"),
            (&["Content-Length: 9\n\nhel", "lo"], "502: it: it ended 4 bytes before the length it announced"),
            (&["Status: 205 Reset\n\nhel", "lo"], "205 "),
            (&["Status: 205 Reset\nContent-Length: 5\n\nhello"], "205 "),
            (&["A: b\n"], "502: it: it ended within its head"),
            (&[], "502: it: it ended without an answer"),
            (&["hello\n\n"], "502: it: a line of its head is no field: \"hello\""),
        ];
        for (said, expected) in cases {
            assert_eq!(told(said, false), expected, "{said:?}");
        }
        assert_eq!(told(&["Content-Length: 5\n\nhello"], true), "200 and no more");
    }
}
