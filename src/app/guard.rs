//! The wall between the server and what others wrote for it: hooks, handlers, error handlers, observers.
//!
//! A panic stops here and becomes an error. So does an answer that cannot be sent. What a handler shares with others
//! must bear a panic half-way, as everywhere in Rust that a panic is caught: a `RefCell` does, it is free again.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::http::{Body, HttpError, Produced, Response, Source};

/// Calls what makes an answer. A panic, and an answer that cannot be sent, is a 500 whose source says why.
pub(super) fn answer(make: impl FnOnce() -> Result<Response, HttpError>) -> Result<Response, HttpError> {
    sendable(calm(make)?)
}

/// Calls what makes an answer or none, likewise.
pub(super) fn question(
    make: impl FnOnce() -> Result<Option<Response>, HttpError>,
) -> Result<Option<Response>, HttpError> {
    calm(make)?.map(sendable).transpose()
}

fn calm<T>(make: impl FnOnce() -> Result<T, HttpError>) -> Result<T, HttpError> {
    caught(make).map_err(|message| HttpError::internal(format!("the handler panicked: {message}")))?
}

fn sendable(response: Response) -> Result<Response, HttpError> {
    match fault(&response) {
        Some(why) => Err(HttpError::internal(why)),
        None => Ok(Response { body: calmed(response.body)?, ..response }),
    }
}

/// A source is called when its handler is long done; its panic ends its answer and nothing else.
fn calmed(body: Body) -> Result<Body, HttpError> {
    let Body::Stream(source) = body else { return Ok(body) };
    match caught(|| source.length()) {
        Ok(length) => Ok(Body::Stream(Box::new(Calm { source, length }))),
        Err(message) => Err(HttpError::internal(format!("the length of a source panicked: {message}"))),
    }
}

struct Calm {
    source: Box<dyn Source>,
    length: Option<u64>,
}

impl Source for Calm {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        caught(|| self.source.produce(out)).map_err(|message| io::Error::other(format!("it panicked: {message}")))?
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}

/// Calls what answers nothing: an observer, a job. A panic is logged.
pub(super) fn tell(call: impl FnOnce()) {
    if let Err(message) = caught(call) {
        log::error!("an observer or a job panicked: {message}");
    }
}

/// Why this error cannot be answered as it is.
pub(super) fn fault_of(error: &HttpError) -> Option<String> {
    match error.headers.refusal() {
        Some(why) => Some(format!("a handler's error cannot be sent: {why}")),
        None if !error.status.is_error() => Some(format!("a handler's error has the status {}", error.status)),
        None => None,
    }
}

fn fault(response: &Response) -> Option<String> {
    match response.headers.refusal() {
        Some(why) => Some(format!("the handler's answer cannot be sent: {why}")),
        // The peer would go on waiting for the final answer (RFC 9110 section 15.2).
        None if response.status.class() == 1 => {
            Some(format!("the handler answered {}, which is no final answer", response.status))
        }
        None => None,
    }
}

/// The one `catch_unwind`. Where it happened stands on stderr: the process's panic hook said it.
fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| message_of(&*payload))
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    message.unwrap_or("no message").to_owned()
}
