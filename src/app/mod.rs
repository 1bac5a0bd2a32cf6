//! Layer 3: what to answer. An [`App`] is hooks, routes, mounted resources, error pages and observers.
//!
//! A request that the hooks let pass takes the first way that answers its method: a route whose pattern matches the
//! whole path, then the resource mounted under the longest prefix of it. Whatever goes wrong on the way becomes an
//! [`HttpError`] and leaves as a page. Nothing here knows of sockets, and nothing a handler does ends the server: a
//! panic is a 500.

mod access;
mod allow;
mod answering;
mod asker;
mod before;
mod elsewhere;
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
use std::time::Duration;

use self::before::Hooks;
use self::ids::RequestIds;
use self::jobs::Jobs;
use self::mount::Mounts;
use self::pages::Pages;
use self::report::Reporter;
use self::router::{Router, Spans};
use crate::http::{HttpError, IntoResponse, Request, Trust};
use crate::service::Resource;

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
    /// It is not called `observe`: where [`Service`](crate::Service) is in scope, its method of that
    /// name would be found first.
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
}
