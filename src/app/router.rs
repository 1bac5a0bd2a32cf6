//! Which route a request takes.
//!
//! A pattern is a regular expression that must match the whole decoded path. A pattern without any expression in it is
//! found by a hash map, whatever the number of routes; the others are tried in the order in which they were added. What
//! wins is decided by that order alone: the hash map holds only routes that no earlier pattern takes away, not even for
//! one of their methods.

use std::cell::Cell;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use foldhash::fast::RandomState;
use regex::{CaptureLocations, Regex};

use super::pattern;
use crate::http::{HttpError, IntoResponse, Method, Request, Response, Status, is_token};
use crate::service::Handler;

/// Where in the path the named groups of a pattern matched.
pub(super) type Spans = Vec<Option<(usize, usize)>>;

/// A method, a pattern and what answers there.
///
/// The pattern is a regular expression, in the syntax of the `regex` crate, which must match the whole path:
/// percent-decoded, without the query. What its named groups catch is [`Request::param`]; `(?<name>[^/]+)` is one
/// segment of the path. A dot is any character; `/robots\.txt` means the dot itself.
///
/// A route for GET also answers HEAD, unless a route for HEAD matches; the body is left out on the way. A route for
/// [`ANY_METHOD`](Route::ANY_METHOD) answers every method.
pub struct Route {
    method: Box<str>,
    pattern: Box<str>,
    shape: Shape,
    handler: Handler,
}

/// What stands in `Allow` for "any": the methods of RFC 9110 section 9 and PATCH (RFC 5789), without CONNECT, which is
/// for proxies, and TRACE, which is better left unused. No list can name all tokens.
pub(super) const COMMON_METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

pub(super) enum Shape {
    /// This very path.
    Literal(Box<str>),
    Expression(Expression),
}

pub(super) struct Expression {
    /// How every path begins that it matches: most routes are told apart by that alone.
    prefix: Box<str>,
    /// What comes behind it is one segment, and the group that is named: no expression need be run.
    ends_in_segment: bool,
    regex: Regex,
    names: Box<[Box<str>]>,
    /// `groups[i]` is the number of the group called `names[i]`.
    groups: Box<[usize]>,
    /// Room for a match, taken out while one runs.
    room: Cell<Option<CaptureLocations>>,
}

impl Route {
    /// In place of a method: all of them, OPTIONS and those that nobody has heard of included.
    ///
    /// A route for one method that is to answer at the same path must be added before. HEAD goes to a route for HEAD
    /// if there is one before, and else to where GET goes.
    ///
    /// ```
    /// use ownhands::{App, Request, Route, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("PUT", "/what", |_: &Request<'_>| "a PUT, and nothing else")?;
    /// app.route(Route::ANY_METHOD, "/what", |request: &Request<'_>| format!("some {}", request.method))?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.request("PUT", "/what").send().text(), "a PUT, and nothing else");
    /// assert_eq!(client.request("BREW", "/what").send().text(), "some BREW");
    /// # Ok(()) }
    /// ```
    pub const ANY_METHOD: &'static str = "*";

    /// A route. The method is compared with regard to case, as all are (RFC 9110 section 9.1).
    ///
    /// # Errors
    /// If the method is no token, the pattern is no regular expression, or it is a plain text that does not begin with
    /// `/` and so could never match.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, HttpError, Request, Route, Status, testing::MockClient};
    ///
    /// fn square(request: &Request<'_>) -> Result<String, HttpError> {
    ///     let number = request.param("number").and_then(|text| text.parse::<u32>().ok());
    ///     let number = number.ok_or(HttpError::not_found("there is no number so big"))?;
    ///     Ok((u64::from(number) * u64::from(number)).to_string())
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.add(Route::new("GET", "/square/(?<number>[0-9]+)", square)?)?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.get("/square/12").text(), "144");
    /// assert_eq!(client.get("/square/99999999999").status(), 404);
    /// # Ok(()) }
    /// ```
    pub fn new<R: IntoResponse>(
        method: &str,
        pattern: &str,
        handler: impl Fn(&Request<'_>) -> R + 'static,
    ) -> Result<Self, RouteError> {
        // It will stand in an `Allow` field (RFC 9110 section 9.1).
        if !is_token(method.as_bytes()) {
            return Err(RouteError::Method { method: method.into() });
        }
        Ok(Route {
            method: method.into(),
            pattern: pattern.into(),
            shape: Shape::new(pattern)?,
            handler: Box::new(move |request| handler(request).into_response()),
        })
    }

    /// The names of the pattern's groups, in its order.
    pub(super) fn names(&self) -> &[Box<str>] {
        match &self.shape {
            Shape::Literal(_) => &[],
            Shape::Expression(expression) => &expression.names,
        }
    }

    pub(super) fn call(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        (self.handler)(request)
    }

    fn is_for_any_method(&self) -> bool {
        *self.method == *Route::ANY_METHOD
    }

    /// True if it answers this method by that name.
    fn takes(&self, method: &str) -> bool {
        *self.method == *method || self.is_for_any_method()
    }

    fn matches(&self, path: &str, spans: &mut Spans) -> bool {
        match &self.shape {
            Shape::Literal(literal) => **literal == *path,
            Shape::Expression(expression) => expression.matches(path, spans),
        }
    }

    /// The methods that this route answers, as `Allow` lists them.
    fn methods(&self) -> impl Iterator<Item = &str> {
        let (own, more): (_, &[&str]) = match &*self.method {
            "GET" => (Some("GET"), &["HEAD"]),
            Route::ANY_METHOD => (None, COMMON_METHODS),
            own => (Some(own), &[]),
        };
        own.into_iter().chain(more.iter().copied())
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({} {:?})", self.method, self.pattern)
    }
}

impl Shape {
    pub(super) fn new(pattern: &str) -> Result<Self, RouteError> {
        match pattern::literal(pattern) {
            Some(path) if path.starts_with('/') || path == "*" => Ok(Shape::Literal(path.into())),
            Some(_) => Err(RouteError::NoPath { pattern: pattern.into() }),
            None => Expression::new(pattern).map(Shape::Expression),
        }
    }
}

impl Expression {
    /// A regular expression that matches whole paths.
    pub(super) fn compile(pattern: &str) -> Result<Regex, RouteError> {
        let refused = |source: regex::Error| RouteError::Pattern { pattern: pattern.into(), source: source.into() };
        // First alone, so that an error speaks of what was written, and `a)|(b` does not get
        // out of the group around it.
        Regex::new(pattern).map_err(refused)?;
        Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(refused)
    }

    fn new(pattern: &str) -> Result<Self, RouteError> {
        let regex = Expression::compile(pattern)?;
        let named = || regex.capture_names().enumerate().filter_map(|(group, name)| Some((group, name?)));
        Ok(Expression {
            names: named().map(|(_, name)| name.into()).collect(),
            groups: named().map(|(group, _)| group).collect(),
            room: Cell::new(None),
            prefix: pattern::prefix(pattern).into(),
            ends_in_segment: pattern::ends_in_segment(pattern),
            regex,
        })
    }

    fn matches(&self, path: &str, spans: &mut Spans) -> bool {
        let Some(rest) = path.strip_prefix(&*self.prefix) else { return false };
        if self.ends_in_segment {
            spans.clear();
            spans.push(Some((self.prefix.len(), path.len())));
            return pattern::is_segment(rest);
        }
        if self.groups.is_empty() {
            return self.regex.is_match(path);
        }
        let mut room = self.room.take().unwrap_or_else(|| self.regex.capture_locations());
        let is_match = self.regex.captures_read(&mut room, path).is_some();
        if is_match {
            spans.clear();
            spans.extend(self.groups.iter().map(|&group| room.get(group)));
        }
        self.room.set(Some(room));
        is_match
    }
}

/// All routes.
#[derive(Default)]
pub(super) struct Router {
    /// In the order in which they were added.
    routes: Vec<Route>,
    /// From a path to the places in `routes` of what answers there, a method each.
    literals: HashMap<Box<str>, Vec<usize>, RandomState>,
    /// The places in `routes` of those that are tried in their order: with an expression, or for any method behind one.
    ordered: Vec<usize>,
}

impl Router {
    pub(super) fn add(&mut self, route: Route) -> Result<(), RouteError> {
        let place = self.routes.len();
        if self.routes.iter().any(|other| other.method == route.method && other.pattern == route.pattern) {
            return Err(RouteError::Duplicate { method: route.method, pattern: route.pattern });
        }
        match &route.shape {
            Shape::Literal(path) => match self.find_exact(&route.method, path, &mut Spans::new()) {
                // Two ways to write one path end here too.
                Some(first) => log::warn!("{route:?} is never reached: {first:?} was added before it"),
                // Some of its methods, and only some, are taken away.
                None if route.is_for_any_method() && self.is_tried_before(path) => self.ordered.push(place),
                None => self.literals.entry(path.clone()).or_default().push(place),
            },
            Shape::Expression(_) => self.ordered.push(place),
        }
        self.routes.push(route);
        Ok(())
    }

    /// The route that answers; its groups' matches go into `spans`.
    pub(super) fn find(&self, method: Method<'_>, path: &str, spans: &mut Spans) -> Option<&Route> {
        let route = self.find_exact(method.as_str(), path, spans);
        match method {
            // One for any method stands behind one for GET that was added before it.
            Method::Head => {
                route.filter(|route| !route.is_for_any_method()).or_else(|| self.find_exact("GET", path, spans))
            }
            _ => route,
        }
    }

    /// True if one of the routes that are tried in order matches this path.
    fn is_tried_before(&self, path: &str) -> bool {
        let mut ordered = self.ordered.iter().filter_map(|&place| self.routes.get(place));
        ordered.any(|route| route.matches(path, &mut Spans::new()))
    }

    fn find_exact(&self, method: &str, path: &str, spans: &mut Spans) -> Option<&Route> {
        let literals = self.literals.get(path).into_iter().flatten();
        let mut literals = literals.filter_map(|&place| self.routes.get(place));
        literals.find(|route| route.takes(method)).or_else(|| {
            let mut ordered = self.ordered.iter().filter_map(|&place| self.routes.get(place));
            ordered.find(|route| route.takes(method) && route.matches(path, spans))
        })
    }

    /// The methods of the routes that match this path.
    pub(super) fn methods_at(&self, path: &str) -> impl Iterator<Item = &str> {
        let mut spans = Spans::new();
        self.routes.iter().filter(move |route| route.matches(path, &mut spans)).flat_map(Route::methods)
    }

    /// Methods and patterns, in the order in which they were added.
    pub(super) fn table(&self) -> impl Iterator<Item = (&str, Box<str>)> {
        self.routes.iter().map(|route| (&*route.method, route.pattern.clone()))
    }

    /// The methods of all routes.
    pub(super) fn methods(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().flat_map(Route::methods)
    }
}

/// Why a route, a redirect or a mount was not taken.
///
/// ```
/// use ownhands::{App, Request, app::RouteError};
///
/// let mut app = App::new();
/// let mut add = |pattern: &str| app.route("GET", pattern, |_: &Request<'_>| "").map(drop);
/// assert!(add("/a").is_ok());
/// let Err(error @ RouteError::Duplicate { .. }) = add("/a") else { unreachable!() };
/// assert_eq!(error.to_string(), r#"there is a route for GET with the pattern "/a""#);
/// assert_eq!(add("a").unwrap_err().to_string(), r#""a" matches no path: a path begins with /"#);
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum RouteError {
    /// The method is no token (RFC 9110 section 5.6.2).
    Method {
        /// As given.
        method: Box<str>,
    },
    /// The pattern is no regular expression.
    Pattern {
        /// As given.
        pattern: Box<str>,
        /// What the `regex` crate says, with the place, on several lines.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The pattern or prefix is a text that does not begin with `/`: no path would ever match.
    NoPath {
        /// As given.
        pattern: Box<str>,
    },
    /// There is a route with this method and this pattern.
    Duplicate {
        /// As given.
        method: Box<str>,
        /// As given.
        pattern: Box<str>,
    },
    /// The target of a redirect is none.
    Target {
        /// As given.
        target: Box<str>,
        /// What is wrong with it.
        why: Box<str>,
    },
    /// The status of a redirect is none of its kind.
    Status {
        /// As given.
        status: Status,
    },
    /// There is something mounted under this prefix.
    Mounted {
        /// With a final slash.
        prefix: Box<str>,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RouteError::Method { method } => write!(f, "{method:?} is no method: a method is a token such as GET"),
            RouteError::Pattern { pattern, source } => {
                // The last line says what is wrong; those before it draw the pattern with a mark.
                let said = source.to_string();
                let said = said.lines().next_back().unwrap_or_default();
                let said = said.strip_prefix("error: ").unwrap_or(said);
                write!(f, "the pattern {pattern:?} is no regular expression: {said}")
            }
            RouteError::NoPath { pattern } => write!(f, "{pattern:?} matches no path: a path begins with /"),
            RouteError::Duplicate { method, pattern } => {
                write!(f, "there is a route for {method} with the pattern {pattern:?}")
            }
            RouteError::Target { target, why } => write!(f, "the target {target:?} is wrong: {why}"),
            RouteError::Status { status } => {
                write!(f, "{} leads nowhere: a redirect is 301, 302, 307 or 308", status.code())
            }
            RouteError::Mounted { prefix } => write!(f, "there is something mounted under {prefix:?}"),
        }
    }
}

impl Error for RouteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            RouteError::Pattern { source, .. } => Some(&**source),
            _ => None,
        }
    }
}
