//! What is asked before a request finds its way: may this one be answered at all?

use std::cell::RefCell;

use super::{App, guard};
use crate::http::{Body, HttpError, Request, Response};

type Hook = Box<dyn Fn(&Request<'_>) -> Result<Option<Response>, HttpError>>;

impl App {
    /// Adds a hook that is asked before routes and mounts are: it answers itself, refuses, or lets the request pass
    /// with `Ok(None)`. Hooks run in the order in which they were added, until one does not let the request pass.
    ///
    /// A hook runs once for a request, and before the body is read: it sees the head, with an empty body. What it
    /// answers to a request with a body ends the connection, because the body is not read any more. It cannot
    /// [put its answer off](Request::defer). What could not be read as a request is shown to no hook.
    ///
    /// # Examples
    /// Only who knows the word gets in:
    /// ```
    /// use ownhands::{App, HttpError, Request, Response, testing::MockClient};
    ///
    /// fn authorize(request: &Request<'_>) -> Result<Option<Response>, HttpError> {
    ///     match request.header("Authorization") {
    ///         Some("Bearer open-sesame") => Ok(None),
    ///         _ => Err(HttpError::unauthorized("Bearer", "say the word")),
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.before(authorize).route("GET", "/cave", |_: &Request<'_>| "gold")?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.get("/cave").status(), 401);
    /// assert_eq!(client.request("GET", "/cave").header("Authorization", "Bearer open-sesame").send().text(), "gold");
    /// # Ok(()) }
    /// ```
    ///
    /// A switch for times of maintenance:
    /// ```
    /// use ownhands::{App, Request, Response, Status, testing::MockClient};
    /// use std::{cell::Cell, rc::Rc};
    ///
    /// let is_closed = Rc::new(Cell::new(true));
    /// let switch = Rc::clone(&is_closed);
    /// let mut app = App::new();
    /// app.before(move |_: &Request<'_>| {
    ///     let page = || Response::text("back at noon\n").with_status(Status::SERVICE_UNAVAILABLE);
    ///     Ok(switch.get().then(|| page().with_header("Retry-After", "3600")))
    /// });
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.get("/").header("Retry-After"), Some("3600"));
    /// is_closed.set(false);
    /// assert_eq!(client.get("/").status(), 404);
    /// ```
    pub fn before(&mut self, hook: impl Fn(&Request<'_>) -> Result<Option<Response>, HttpError> + 'static) -> &mut App {
        self.hooks.hooks.push(Box::new(hook));
        self
    }
}

/// The hooks, and what keeps them from running twice.
#[derive(Default)]
pub(super) struct Hooks {
    hooks: Vec<Hook>,
    /// The connections whose request was let pass when its head was complete, and whose body is on the way.
    ///
    /// A peer that goes away before its body is here leaves its ticket. Nobody gets past the hooks with it: the next
    /// request with a body under the same ticket is asked anew when its head is complete, and one without a body is
    /// always asked.
    admitted: RefCell<Vec<usize>>,
}

impl Hooks {
    /// Asks for a request whose body is still to come.
    pub(super) fn admit(&self, request: &Request<'_>) -> Result<Option<Response>, HttpError> {
        if self.hooks.is_empty() {
            return Ok(None);
        }
        self.take_admitted(request);
        let answer = self.ask(request)?;
        if answer.is_none() {
            self.admitted.borrow_mut().push(request.recall.ticket);
        }
        Ok(answer)
    }

    /// Asks for a complete request, unless that was done when its head was.
    pub(super) fn call(&self, request: &Request<'_>) -> Result<Option<Response>, HttpError> {
        if self.hooks.is_empty() || (self.take_admitted(request) && announces_body(request)) {
            return Ok(None);
        }
        self.ask(request)
    }

    fn ask(&self, request: &Request<'_>) -> Result<Option<Response>, HttpError> {
        for hook in &self.hooks {
            let Some(response) = guard::question(|| hook(request))? else { continue };
            return match response.body {
                Body::Later(_) => Err(HttpError::internal("a hook has put its answer off: only a handler can")),
                Body::Elsewhere(_) => Err(HttpError::internal("a hook has pointed elsewhere: only a handler can")),
                body => Ok(Some(Response { body, ..response })),
            };
        }
        Ok(None)
    }

    fn take_admitted(&self, request: &Request<'_>) -> bool {
        let mut admitted = self.admitted.borrow_mut();
        let place = admitted.iter().position(|&ticket| ticket == request.recall.ticket);
        place.map(|place| admitted.swap_remove(place)).is_some()
    }
}

/// True for a request that is shown to `admit` before it is shown to `call`.
fn announces_body(request: &Request<'_>) -> bool {
    let is_long = |length: &[u8]| length.iter().any(|&digit| digit != b'0');
    request.headers.get("transfer-encoding").is_some() || request.headers.get("content-length").is_some_and(is_long)
}
