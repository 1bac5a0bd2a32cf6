//! Paths that lead elsewhere: a pattern for the path that was asked for, and where the client finds it now.
//!
//! What a group catches comes out of a decoded path, and is encoded again for the place where it goes. It can choose no
//! host: whoever writes the path of a link must not thereby write where the link leads (an open redirect).

use std::ops::Range;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use regex::{Captures, Regex};

use super::App;
use super::router::{Expression, Route, RouteError, Shape};
use crate::http::{Request, Response, Status, decode_path, is_authority};

/// All but what stands in a path for itself: `pchar` of RFC 3986 section 3.3, and the slashes between segments.
const IN_PATH: &AsciiSet = &IN_QUERY
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// All but the unreserved characters (RFC 3986 section 2.3), and slashes: in a query, `&`, `=` and `+` part what a form
/// sends.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What no URI has in it, wherever it stands.
const NOT_IN_URI: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// A pattern for paths, and the target that those who ask for one are led to; it answers every method.
///
/// The pattern is that of a [`Route`]: it must match the whole path, decoded, without the query. A `.` matches no line
/// end, which a path may have as `%0A`; `(?s)` before the pattern changes that. The target begins with `/`, or with
/// `http://` or `https://` and a host. In its path, its query and its fragment `$1`, `${1}` and `${name}` stand for
/// what a group caught, percent-encoded as the place needs it; `$$` is a dollar. No group may stand in the host, and
/// where the target begins with `/`, the location has one slash at its front whatever was caught: nobody is led to a
/// host that the target does not name. The query of the request goes along, unless the target has a `?`.
///
/// The status is 307: the client asks in the same way there, with the same method and content (RFC 9110
/// section 15.4.8), and asks here again the next time. A 308 or a 301 may be remembered by a browser for
/// ever, mistakes included.
///
/// ```
/// use ownhands::{App, Status, app::Redirect, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.redirect("/blog/([0-9]{4})/(?<name>.*)", "/posts/$1-${name}")?;
/// app.add_redirect(Redirect::new("/old(/.*)?", "https://example.org/new")?.with_status(Status::MOVED_PERMANENTLY)?)?;
///
/// let mut client = MockClient::new(app);
/// let answer = client.get("/blog/2026/a%20b?page=2");
/// assert_eq!((answer.status(), answer.header("Location")), (307, Some("/posts/2026-a%20b?page=2")));
/// assert_eq!(client.get("/old/").header("Location"), Some("https://example.org/new"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Redirect {
    pattern: Box<str>,
    regex: Regex,
    status: Status,
    /// The scheme and the host; empty for a place on the same host.
    host: Box<str>,
    path: Vec<Piece>,
    /// `None`: that of the request.
    query: Option<Vec<Piece>>,
    fragment: Option<Vec<Piece>>,
}

/// A piece of a target.
#[derive(Clone, Debug)]
enum Piece {
    /// As it goes out.
    Text(Box<str>),
    /// What the group of this number caught, with these characters encoded.
    Group(usize, &'static AsciiSet),
}

impl Redirect {
    /// A redirect with status 307.
    ///
    /// # Errors
    /// As [`Route::new`]; and if the target begins with neither `/` nor `http://` nor `https://`, names no host where
    /// it should, has a group in the host or one that the pattern does not have, or is matched by the pattern itself.
    ///
    /// # Examples
    /// ```
    /// use ownhands::app::Redirect;
    ///
    /// let error = Redirect::new("/old/(.*)", "https://example.org$1").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     r#"the target "https://example.org$1" is wrong: no group may stand in the host, so put a / before it"#,
    /// );
    /// ```
    pub fn new(pattern: &str, target: &str) -> Result<Self, RouteError> {
        let refused = |why: String| RouteError::Target { target: target.into(), why: why.into() };
        Shape::new(pattern)?;
        let regex = Expression::compile(pattern)?;
        let (host, rest) = split_host(target).map_err(|why| refused(why.to_owned()))?;
        let (rest, fragment) = split_off(rest, '#');
        let (path, query) = split_off(rest, '?');
        let pieces = |text: &str, encoded| pieces(text, &regex, encoded).map_err(refused);
        let redirect = Redirect {
            pattern: pattern.into(),
            status: Status::TEMPORARY_REDIRECT,
            host: host.into(),
            path: pieces(path, IN_PATH)?,
            query: query.map(|query| pieces(query, IN_QUERY)).transpose()?,
            fragment: fragment.map(|fragment| pieces(fragment, IN_QUERY)).transpose()?,
            regex,
        };
        if redirect.leads_to_itself() {
            return Err(refused(format!("{pattern:?} matches it too, and leads there without end")));
        }
        Ok(redirect)
    }

    /// The same with another status: 301, 302, 307 or 308.
    ///
    /// # Errors
    /// If it is none of them.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{Status, app::Redirect};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let redirect = Redirect::new("/old", "/new")?;
    /// assert!(redirect.clone().with_status(Status::PERMANENT_REDIRECT).is_ok());
    /// let error = redirect.with_status(Status::OK).unwrap_err();
    /// assert_eq!(error.to_string(), "200 leads nowhere: a redirect is 301, 302, 307 or 308");
    /// # Ok(()) }
    /// ```
    pub fn with_status(self, status: Status) -> Result<Self, RouteError> {
        match status {
            Status::MOVED_PERMANENTLY | Status::FOUND | Status::TEMPORARY_REDIRECT | Status::PERMANENT_REDIRECT => {
                Ok(Redirect { status, ..self })
            }
            _ => Err(RouteError::Status { status }),
        }
    }

    fn answer(&self, request: &Request<'_>) -> Option<Response> {
        let caught = self.regex.captures(request.path)?;
        let location = self.location(&caught, request.path_bytes, request.query);
        let note = format!("this is at {location}\n");
        Some(Response::text(note).with_status(self.status).with_header("Location", location))
    }

    fn location(&self, caught: &Captures<'_>, octets: &[u8], asked: Option<&str>) -> String {
        let made = |pieces: &[Piece]| pieces.iter().map(|piece| piece.made(caught, octets)).collect::<String>();
        let mut location = self.host.to_string();
        match made(&self.path) {
            // Two slashes at the front, or a slash and nothing else before another, would begin a host
            // (RFC 3986 section 4.2). A backslash, which browsers take for a slash, never comes out.
            path if self.host.is_empty() => {
                location.push('/');
                location.push_str(path.trim_start_matches('/'));
            }
            path => location.push_str(&path),
        }
        let query = self.query.as_deref().map(made);
        // As it came: the decoder let visible ASCII pass, and no #.
        let query = query.or_else(|| asked.map(str::to_owned));
        for (mark, part) in [('?', query), ('#', self.fragment.as_deref().map(made))] {
            if let Some(part) = part {
                location.push(mark);
                location.push_str(&part);
            }
        }
        location
    }

    /// True if what it leads to is sure to be led there again. What depends on a group is not looked at.
    fn leads_to_itself(&self) -> bool {
        let [Piece::Text(path)] = &self.path[..] else { return false };
        self.host.is_empty() && decode_path(path).is_ok_and(|path| self.regex.is_match(&path.text))
    }
}

impl Piece {
    fn made(&self, caught: &Captures<'_>, octets: &[u8]) -> String {
        match self {
            Piece::Text(text) => text.to_string(),
            Piece::Group(number, encoded) => match caught.get(*number) {
                Some(part) => percent_encode(&octets_of(octets, &part.range()), encoded).to_string(),
                None => String::new(),
            },
        }
    }
}

/// The octets that a stretch of the path as text stands for: what is no UTF-8 was one U+FFFD there, and is
/// to go out as it came in.
fn octets_of(path: &[u8], stretch: &Range<usize>) -> Vec<u8> {
    let mut octets = Vec::with_capacity(stretch.len());
    let mut at: usize = 0;
    for chunk in path.utf8_chunks() {
        for &byte in chunk.valid().as_bytes() {
            if stretch.contains(&at) {
                octets.push(byte);
            }
            at = at.saturating_add(1);
        }
        if !chunk.invalid().is_empty() {
            if stretch.contains(&at) {
                octets.extend_from_slice(chunk.invalid());
            }
            at = at.saturating_add(char::REPLACEMENT_CHARACTER.len_utf8());
        }
    }
    octets
}

/// The scheme with the host, and what follows; no host if the target begins with a slash.
fn split_host(target: &str) -> Result<(&str, &str), &'static str> {
    if target.starts_with("//") {
        return Err("two slashes begin a host, which is better named with https:// before it");
    }
    if target.starts_with('/') {
        return Ok(("", target));
    }
    let after = target.strip_prefix("http://").or_else(|| target.strip_prefix("https://"));
    let after = after.ok_or("it begins with /, http:// or https://")?;
    let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    if authority.contains('$') {
        return Err("no group may stand in the host, so put a / before it");
    }
    if !is_authority(authority) {
        return Err("the host in it is none");
    }
    Ok((target.strip_suffix(rest).unwrap_or(target), rest))
}

/// The text up to a mark, and what follows it.
fn split_off(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// A part of a target: text, with groups in it.
fn pieces(text: &str, regex: &Regex, encoded: &'static AsciiSet) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            plain.push('$');
            rest = after;
            continue;
        }
        let digits = after.find(|character: char| !character.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = match after.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
            Some(split) => split,
            None if digits > 0 => after.split_at(digits),
            None => return Err("after a $ comes a number, or a name as in ${name}; $$ is a dollar".to_owned()),
        };
        pieces.push(text_piece(&mut plain));
        pieces.push(Piece::Group(group(name, regex)?, encoded));
        rest = after;
    }
    plain.push_str(rest);
    pieces.push(text_piece(&mut plain));
    pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
    Ok(pieces)
}

fn text_piece(plain: &mut String) -> Piece {
    Piece::Text(utf8_percent_encode(&std::mem::take(plain), NOT_IN_URI).to_string().into())
}

/// The number of a group.
fn group(name: &str, regex: &Regex) -> Result<usize, String> {
    let number = match name.parse::<usize>() {
        Ok(number) => Some(number).filter(|&number| number < regex.captures_len()),
        Err(_) => regex.capture_names().position(|other| other == Some(name)),
    };
    number.ok_or_else(|| format!("the pattern has no group {name}"))
}

impl App {
    /// Leads those who ask for a path elsewhere; short for [`add_redirect`](App::add_redirect) with [`Redirect::new`],
    /// where an example stands.
    ///
    /// # Errors
    /// As [`Redirect::new`] and [`add_redirect`](App::add_redirect).
    pub fn redirect(&mut self, pattern: &str, target: &str) -> Result<&mut App, RouteError> {
        self.add_redirect(Redirect::new(pattern, target)?)
    }

    /// Adds a redirect. It has its place among the routes: before those that are added later,
    /// and before what is mounted.
    ///
    /// # Errors
    /// If there is a redirect, or a route for any method, with this pattern.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, app::Redirect, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.add_redirect(Redirect::new("/search/(.*)", "/find?words=$1")?)?;
    /// assert_eq!(MockClient::new(app).get("/search/a&b").header("Location"), Some("/find?words=a%26b"));
    /// # Ok(()) }
    /// ```
    pub fn add_redirect(&mut self, redirect: Redirect) -> Result<&mut App, RouteError> {
        let pattern = redirect.pattern.clone();
        self.add(Route::new(Route::ANY_METHOD, &pattern, move |request: &Request<'_>| redirect.answer(request))?)
    }
}
