//! Layer 3: what to answer. An [`App`] is hooks, routes, mounted resources, error pages and observers.
//!
//! A request that the hooks let pass takes the first way that answers its method: a route whose pattern matches the
//! whole path, then the resource mounted under the longest prefix of it. Whatever goes wrong on the way becomes an
//! [`HttpError`] and leaves as a page. Nothing here knows of sockets, and nothing a handler does ends the server: a
//! panic is a 500.

mod access;
mod allow;
mod asker;
mod before;
mod environ;
mod guard;
mod ids;
mod jobs;
mod mount;
mod observer;
mod pages;
mod pattern;
mod redirect;
mod report;
mod router;
mod table;
mod trust;

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use self::allow::Allow;
use self::asker::Asker;
use self::before::Hooks;
use self::ids::RequestIds;
use self::jobs::Jobs;
use self::mount::{Mount, Mounts};
use self::pages::Pages;
use self::report::{Reporter, Shown};
use self::router::{Router, Spans};
use crate::http::{
    Body, Headers, HttpError, IntoResponse, Method, Now, Params, Request, Response, Status, Tick, Trust,
};
use crate::service::{Exchange, Fragment, Resource, Service};

pub use self::access::{AccessLog, local_zone};
pub use self::environ::Environ;
pub use self::observer::Observer;
pub use self::redirect::Redirect;
pub use self::router::{Route, RouteError};
pub use self::table::Entry;

/// An application: it finds what answers a request, and makes a page of what nothing answers.
///
/// ```
/// use ownhands::{App, Request, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/hello/(?<name>[^/]+)", |request: &Request<'_>| {
///     format!("Hello, {}!", request.param("name").unwrap_or("world"))
/// })?;
///
/// let mut client = MockClient::new(app);
/// assert_eq!(client.get("/hello/you").text(), "Hello, you!");
/// assert_eq!(client.get("/goodbye").text(), "404 Not Found: there is no /goodbye here\n");
/// # Ok(()) }
/// ```
#[derive(Default)]
pub struct App {
    hooks: Hooks,
    router: Router,
    mounts: Mounts,
    pages: Pages,
    observers: Vec<Box<dyn Observer>>,
    reporter: Reporter,
    jobs: Jobs,
    ids: Option<RequestIds>,
    trust: Trust,
    unknown_methods: UnknownMethods,
    /// Taken out while a request is answered, so that an answer allocates no room for captures.
    spans: Cell<Spans>,
}

/// What a method is answered with that no route and no mount knows.
///
/// An example stands at [`App::set_unknown_methods`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownMethods {
    /// As any other method that a resource does not have: 405 with Allow, or 404 where there is nothing.
    #[default]
    NotAllowed,
    /// 501, wherever it is sent (RFC 9110 section 9.1).
    NotImplemented,
}

/// What answers a request.
enum Found<'s> {
    Route(&'s Route),
    Mount(&'s Mount),
    /// Nobody wrote an answer to OPTIONS; these methods are it.
    Options(Allow<'s>),
}

impl App {
    /// An application that answers 404 to everything.
    #[must_use]
    pub fn new() -> Self {
        App::default()
    }

    /// Adds a route; short for [`add`](App::add) with [`Route::new`].
    ///
    /// # Errors
    /// As [`Route::new`] and [`add`](App::add).
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, Request};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", |_: &Request<'_>| "home")?
    ///     .route("POST", "/", |request: &Request<'_>| request.text().map(|text| text.into_owned()))?;
    ///
    /// let error = app.route("GET", "/(", |_: &Request<'_>| "").err().unwrap();
    /// assert_eq!(error.to_string(), r#"the pattern "/(" is no regular expression: unclosed group"#);
    /// # Ok(()) }
    /// ```
    pub fn route<R: IntoResponse>(
        &mut self,
        method: &str,
        pattern: &str,
        handler: impl Fn(&Request<'_>) -> R + 'static,
    ) -> Result<&mut App, RouteError> {
        self.add(Route::new(method, pattern, handler)?)
    }

    /// Adds a route. Of several that match a path and a method, the one that was added first answers.
    ///
    /// # Errors
    /// If there is a route with this method and this pattern.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, Request, Route, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.add(Route::new("GET", "/me", |_: &Request<'_>| "you")?)?;
    /// app.add(Route::new("GET", "/(?<name>[a-z]+)", |request: &Request<'_>| request.param("name").map(str::to_owned))?)?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!((client.get("/me").text(), client.get("/him").text()), ("you".to_owned(), "him".to_owned()));
    /// # Ok(()) }
    /// ```
    pub fn add(&mut self, route: Route) -> Result<&mut App, RouteError> {
        self.router.add(route)?;
        Ok(self)
    }

    /// Puts a resource under a prefix: `/files` covers `/files` and `/files/a`, not `/filesystem`; `/` covers
    /// everything.
    ///
    /// Routes go first; of several mounts that cover a path, the one with the longest prefix answers. The prefix is
    /// plain text, compared with the decoded path; a final slash makes no difference.
    ///
    /// # Errors
    /// If the prefix does not begin with `/`, or something is mounted there.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, HttpError, Request, Resource, Response, testing::MockClient};
    ///
    /// struct Below;
    ///
    /// impl Resource for Below {
    ///     fn allow(&self) -> &str {
    ///         "GET, HEAD"
    ///     }
    ///     fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
    ///         Ok(Response::bytes(request.path_below_mount()))
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.mount("/below", Below)?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.get("/below/a/b").text(), "/a/b");
    /// assert_eq!(client.get("/belowstairs").status(), 404);
    /// # Ok(()) }
    /// ```
    pub fn mount(&mut self, prefix: &str, resource: impl Resource + 'static) -> Result<&mut App, RouteError> {
        self.mounts.add(prefix, Box::new(resource))?;
        Ok(self)
    }

    /// Sets what answers for errors with this status, 400 to 599. It goes before the one for the class.
    ///
    /// There is no request where the bytes could not be read as one. An answer with status 200 gets the error's status,
    /// any other is kept; fields that go with the error, such as `Allow`, are added. If the handler fails, the error's
    /// [own page](HttpError::with_page) or the built-in one answers, and the log says why.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, HttpError, Request, testing::MockClient};
    ///
    /// let mut app = App::new();
    /// app.on_error(404, |error: &HttpError, _: Option<&Request<'_>>| format!("Sorry, {}.", error.detail));
    ///
    /// let answer = MockClient::new(app).get("/cake");
    /// assert_eq!((answer.status(), answer.text().as_str()), (404, "Sorry, there is no /cake here."));
    /// ```
    pub fn on_error<R: IntoResponse>(
        &mut self,
        status: u16,
        handler: impl Fn(&HttpError, Option<&Request<'_>>) -> R + 'static,
    ) -> &mut App {
        self.pages.set_status(status, Box::new(move |error, request| handler(error, request).into_response()));
        self
    }

    /// Sets what answers for errors of this class, 4 or 5, that have no handler for their status.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, HttpError, Request, testing::MockClient};
    ///
    /// let mut app = App::new();
    /// app.on_error_class(4, |error: &HttpError, request: Option<&Request<'_>>| {
    ///     format!("{} at {}\n", error.status.code(), request.map_or("no request", |request| request.path))
    /// });
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.get("/cake").text(), "404 at /cake\n");
    /// assert_eq!(client.send("noise\r\n\r\n", &[]).text(), "400 at no request\n");
    /// ```
    pub fn on_error_class<R: IntoResponse>(
        &mut self,
        class: u16,
        handler: impl Fn(&HttpError, Option<&Request<'_>>) -> R + 'static,
    ) -> &mut App {
        self.pages.set_class(class, Box::new(move |error, request| handler(error, request).into_response()));
        self
    }

    /// Says what a method is answered with that nothing here knows.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, Request, app::UnknownMethods, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", |_: &Request<'_>| "home")?.set_unknown_methods(UnknownMethods::NotImplemented);
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.send("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", &[]).status(), 501);
    /// assert_eq!(client.send("PUT / HTTP/1.1\r\nHost: a\r\n\r\n", &[]).status(), 405);
    /// # Ok(()) }
    /// ```
    pub fn set_unknown_methods(&mut self, answer: UnknownMethods) -> &mut App {
        self.unknown_methods = answer;
        self
    }

    /// Runs a small job on the loop every so often, the first time after one such span. It must be short: everybody
    /// waits for it.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, testing::MockClient};
    /// use std::{cell::Cell, rc::Rc, time::Duration};
    ///
    /// let beats = Rc::new(Cell::new(0));
    /// let heart = Rc::clone(&beats);
    /// let mut app = App::new();
    /// app.every(Duration::from_secs(1), move || heart.set(heart.get() + 1));
    ///
    /// let mut client = MockClient::new(app);
    /// client.connect();
    /// client.sleep(3);
    /// assert_eq!(beats.get(), 3);
    /// ```
    pub fn every(&mut self, span: Duration, job: impl Fn() + 'static) -> &mut App {
        self.jobs.add(span, Box::new(job));
        self
    }

    /// Adds an observer, which is told of each exchange when its answer is over: an [`AccessLog`], or a closure.
    ///
    /// It is not called `observe`: where [`Service`] is in scope, its method of that name would be found first.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, app::AccessLog};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("access.log");
    /// let mut app = App::new();
    /// app.add_observer(AccessLog::new(std::fs::File::create(path)?));
    /// # Ok(()) }
    /// ```
    pub fn add_observer(&mut self, observer: impl Observer + 'static) -> &mut App {
        self.observers.push(Box::new(observer));
        self
    }

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
            && mount.allow().any(|method| method == request.method.as_str())
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
            _ => Err(HttpError::method_not_allowed(&allow.to_string())),
        }
    }

    /// What leaves: a refusal becomes a page, and either gets its id.
    fn conclude(&self, outcome: Result<Response, HttpError>, asker: Asker<'_>) -> Response {
        match outcome {
            // The one that comes in its place gets an id.
            Ok(response) if matches!(response.body, Body::Later(_)) => response,
            Ok(response) => ids::stamp(response, self.id(asker).as_deref()),
            Err(mut error) => {
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
}
