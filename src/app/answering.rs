//! The way of a request through an application: hooks, the route or the mount that answers it, and a
//! page where nothing does.

use std::net::{IpAddr, SocketAddr};

use super::allow::Allow;
use super::asker::Asker;
use super::mount::Mount;
use super::report::Shown;
use super::router::{Route, Spans};
use super::{App, UnknownMethods, elsewhere, guard, ids};
use crate::http::{Body, Headers, HttpError, Method, Now, Params, Request, Response, Status, Tick};
use crate::service::upstream::Upstream;
use crate::service::{Exchange, Fragment, Service};

/// What answers a request.
enum Found<'s> {
    Route(&'s Route),
    Mount(&'s Mount),
    /// Nobody wrote an answer to OPTIONS; these methods are it.
    Options(Allow<'s>),
}

impl App {
    fn answer(&self, request: &Request<'_>, spans: &mut Spans) -> Result<Response, HttpError> {
        if let Some(response) = self.hooks.call(request)? {
            return Ok(response);
        }
        match self.find(request, spans)? {
            Found::Route(route) => {
                let request = request.with_params(Params::new(request.path, route.names(), spans));
                guard::answer(|| route.call(&request))
            }
            Found::Mount(mount) => guard::answer(|| mount.answer(request)),
            Found::Options(allow) => Ok(Response::new(Status::NO_CONTENT).with_header("Allow", allow.to_string())),
        }
    }

    fn find(&self, request: &Request<'_>, spans: &mut Spans) -> Result<Found<'_>, HttpError> {
        if let Some(route) = self.router.find(request.method, request.path, spans) {
            return Ok(Found::Route(route));
        }
        let mount = self.mounts.find(request.path_bytes);
        if let Some(mount) = mount
            && mount.takes(request.method.as_str())
        {
            return Ok(Found::Mount(mount));
        }
        if let Method::Extension(method) = request.method
            && self.unknown_methods == UnknownMethods::NotImplemented
            && !self.router.methods().chain(self.mounts.methods()).any(|known| known == method)
        {
            let detail = format!("nothing here knows the method {}", Shown(method));
            return Err(HttpError::new(Status::NOT_IMPLEMENTED, detail));
        }
        let mut allow = Allow::default();
        if request.path == "*" {
            // The server as a whole (RFC 9110 section 9.3.7).
            allow.extend(self.router.methods());
            allow.extend(self.mounts.methods());
            allow.add("OPTIONS");
        } else {
            allow.extend(self.router.methods_at(request.path));
            allow.extend(mount.into_iter().flat_map(Mount::allow));
            if allow.is_empty() {
                return Err(HttpError::not_found(format!("there is no {} here", Shown(request.path))));
            }
            allow.add("OPTIONS");
        }
        match request.method {
            Method::Options => Ok(Found::Options(allow)),
            method => Err(allow.refusal(method.as_str())),
        }
    }

    /// An answer that points elsewhere is the one that is given there (RFC 3875 section 6.2.2).
    #[cold]
    fn follow(&self, request: &Request<'_>, outcome: Result<Response, HttpError>) -> Result<Response, HttpError> {
        let (mut outcome, mut spans) = (outcome, Spans::new());
        for _ in 0..elsewhere::MOST {
            match outcome {
                Ok(Response { body: Body::Elsewhere(target), .. }) => {
                    outcome = elsewhere::ask(request, &target, |request| self.answer(request, &mut spans));
                }
                other => return other,
            }
        }
        Err(elsewhere::too_many())
    }

    /// What leaves: a refusal becomes a page, and either gets its id.
    fn conclude(&self, outcome: Result<Response, HttpError>, asker: Asker<'_>) -> Response {
        match (outcome, asker) {
            // The one that comes in its place gets an id.
            (Ok(response), _) if matches!(response.body, Body::Later(_)) => response,
            (Ok(response), Asker::Request(request)) if matches!(response.body, Body::Elsewhere(_)) => {
                self.conclude(self.follow(request, Ok(response)), asker)
            }
            (Ok(response), _) => ids::stamp(response, self.id(asker).as_deref()),
            (Err(mut error), _) => {
                let page = error.page.take();
                self.page(&error, page, asker)
            }
        }
    }

    fn page(&self, error: &HttpError, own: Option<Box<Response>>, asker: Asker<'_>) -> Response {
        if let Some(fault) = guard::fault_of(error) {
            return self.page(&HttpError::internal(fault), None, asker);
        }
        let id = self.id(asker);
        self.reporter.refusal(error, asker, id.as_deref());
        ids::stamp(self.pages.answer(error, own, asker), id.as_deref())
    }

    fn id(&self, asker: Asker<'_>) -> Option<String> {
        self.ids.as_ref().map(|ids| ids.id(asker))
    }
}

impl Service for App {
    fn call(&self, request: &Request<'_>) -> Response {
        // A handler that calls its own app finds the room taken, and gets a new one.
        let mut spans = self.spans.take();
        let outcome = self.answer(request, &mut spans);
        self.spans.set(spans);
        self.conclude(outcome, Asker::Request(request))
    }

    fn finish(&self, request: &Request<'_>, outcome: Result<Response, HttpError>) -> Response {
        self.conclude(guard::answer(|| outcome), Asker::Request(request))
    }

    fn refuse(&self, error: &HttpError, fragment: &Fragment<'_>) -> Response {
        self.page(error, None, Asker::Fragment(fragment))
    }

    /// What a hook does not let pass, or nothing here answers, is refused before its body comes.
    fn admit(&self, request: &Request<'_>) -> Option<Response> {
        let outcome = match self.hooks.admit(request) {
            Ok(None) => {
                let mut spans = self.spans.take();
                let found = self.find(request, &mut spans).map(drop);
                self.spans.set(spans);
                Err(found.err()?)
            }
            Ok(Some(response)) => Ok(response),
            Err(error) => Err(error),
        };
        Some(self.conclude(outcome, Asker::Request(request)))
    }

    fn client(&self, headers: Headers<'_>, peer: Option<SocketAddr>) -> Option<IpAddr> {
        self.trust.client(headers, peer)
    }

    fn wants_exchanges(&self) -> bool {
        !self.observers.is_empty()
    }

    fn observe(&self, exchange: &Exchange) {
        for observer in &self.observers {
            guard::tell(|| observer.observe(exchange));
        }
    }

    fn begin_turn(&self, now: &Now) -> Tick {
        self.reporter.begin_turn(now);
        if let Some(ids) = &self.ids {
            ids.begin_turn(now);
        }
        self.jobs.run(now.tick())
    }

    fn end_turn(&self) {
        for observer in &self.observers {
            guard::tell(|| observer.end_turn());
        }
    }

    fn upstream(&self) -> Option<Box<dyn Upstream>> {
        self.mounts.upstream()
    }
}
