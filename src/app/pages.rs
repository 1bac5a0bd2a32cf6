//! From an error to the page a peer sees: the handler for its status, then the one for its class, then the page it
//! brings itself, then the built-in page.
//!
//! The built-in page holds the status and the one sentence of the error, as a small HTML page for who asks for one,
//! else as a line of text. It cannot fail, so it is also what stands behind error handlers that do.

use std::borrow::Cow;

use super::asker::Asker;
use super::guard;
use crate::http::{Body, Bytes, HeaderList, HttpError, Request, Response, Status};

/// What makes a page for errors. There is no request where the bytes could not be read as one.
pub(super) type ErrorHandler = Box<dyn Fn(&HttpError, Option<&Request<'_>>) -> Result<Response, HttpError>>;

/// The error handlers.
#[derive(Default)]
pub(super) struct Pages {
    by_status: Vec<(u16, ErrorHandler)>,
    by_class: Vec<(u16, ErrorHandler)>,
}

impl Pages {
    pub(super) fn set_status(&mut self, status: u16, handler: ErrorHandler) {
        set(&mut self.by_status, status, handler);
    }

    pub(super) fn set_class(&mut self, class: u16, handler: ErrorHandler) {
        set(&mut self.by_class, class, handler);
    }

    pub(super) fn answer(&self, error: &HttpError, own: Option<Box<Response>>, asker: Asker<'_>) -> Response {
        let handler = get(&self.by_status, error.status.code()).or_else(|| get(&self.by_class, error.status.class()));
        let handled = handler.and_then(|handler| {
            let outcome = guard::answer(|| handler(error, asker.request()));
            sound(outcome, "error handler", error)
        });
        let brought = || own.and_then(|page| sound(guard::answer(|| fitted(*page, error)), "page brought", error));
        let mut response = handled.or_else(brought).unwrap_or_else(|| built_in(error, asker));
        if response.status == Status::OK {
            response.status = error.status;
        }
        add_missing(&mut response.headers, &error.headers);
        response
    }
}

/// The answer; if there is none to be sent, the log says why.
fn sound(outcome: Result<Response, HttpError>, whose: &str, error: &HttpError) -> Option<Response> {
    let failure = match outcome {
        Ok(response) => return Some(response),
        Err(failure) => failure,
    };
    let source = failure.source.as_deref().map(ToString::to_string).unwrap_or_default();
    log::error!("the {whose} for {} failed: {failure} {}", error.status, source.escape_debug());
    None
}

/// The page that an error brings, with the status of the error. It must be there: who would be waited for has answered.
fn fitted(page: Response, error: &HttpError) -> Result<Response, HttpError> {
    match page.body {
        Body::Later(_) | Body::Elsewhere(_) => Err(HttpError::internal("a page must be there")),
        body => Ok(Response { status: error.status, body, ..page }),
    }
}

fn set(handlers: &mut Vec<(u16, ErrorHandler)>, key: u16, handler: ErrorHandler) {
    handlers.retain(|(other, _)| *other != key);
    handlers.push((key, handler));
}

fn get(handlers: &[(u16, ErrorHandler)], key: u16) -> Option<&ErrorHandler> {
    handlers.iter().find(|(other, _)| *other == key).map(|(_, handler)| handler)
}

/// Adds the fields whose names the page has not set itself; one name may come several times.
fn add_missing(headers: &mut HeaderList, more: &HeaderList) {
    let missing = more.iter().filter(|(name, _)| headers.get(name).is_none());
    let missing: Vec<(&str, &[u8])> = missing.collect();
    for (name, value) in missing {
        headers.push(name, value);
    }
}

fn built_in(error: &HttpError, asker: Asker<'_>) -> Response {
    let (fields, text) = if asker.wants_html() { (HTML_FIELDS, html(error)) } else { (TEXT_FIELDS, line(error)) };
    Response::new(error.status)
        .with_headers(HeaderList::from_static(fields))
        .with_body(Body::Bytes(Bytes::Owned(text.into_bytes())))
}

const TEXT_FIELDS: &[u8] =
    b"Content-Type: text/plain; charset=utf-8\r\nVary: Accept\r\nX-Content-Type-Options: nosniff\r\n";

/// Nothing may be loaded, run, framed or sent; the style is the page's own, and can fetch nothing.
const HTML_FIELDS: &[u8] =
    b"Content-Type: text/html; charset=utf-8\r\nVary: Accept\r\nX-Content-Type-Options: nosniff\r\n\
    Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'\r\n";

/// `404 Not Found: there is nothing here`. Put together piece by piece, as a format would in five times the time: a
/// scanner asks for nothing else.
fn line(error: &HttpError) -> String {
    let mut code = [0; 3];
    [error.status.digits(&mut code), " ", error.status.reason(), ": ", &error.detail, "\n"].concat()
}

fn html(error: &HttpError) -> String {
    let mut code = [0; 3];
    let (code, reason) = (error.status.digits(&mut code), error.status.reason());
    let detail = escape(&error.detail);
    [
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>",
        code,
        " ",
        reason,
        "</title>\n<style>\n",
        STYLE,
        "</style>\n<main>\n<p class=\"code\">",
        code,
        "</p>\n<h1>",
        reason,
        "</h1>\n<p class=\"detail\">",
        &detail,
        ".</p>\n</main>\n",
    ]
    .concat()
}

const STYLE: &str = "\
:root { color-scheme: light dark; --ink: #24292f; --soft: #57606a; --ground: #fbfbf9; --mark: #0b6e6e }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e4df; --soft: #a3a29d; --ground: #17191c; --mark: #5cc8c0 } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink);
  font: 1rem/1.6 system-ui, sans-serif }
main { max-width: 34rem; padding: 2rem; overflow-wrap: anywhere }
.code { margin: 0; font-size: 3.5rem; line-height: 1; color: var(--mark) }
h1 { margin: .3rem 0 1rem; font-size: 1.3rem }
.detail { margin: 0; color: var(--soft) }
.detail::first-letter { text-transform: uppercase }
";

/// Text as it may stand in HTML, between tags and in quoted attributes.
fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_what_the_error_says() {
        let error = HttpError::not_found("there is no <b> here");
        assert_eq!(line(&error), format!("{error}\n"));
    }

    #[test]
    fn the_page_is_small_and_escaped() {
        let page = html(&HttpError::not_found("there is no /<script>\"'& here"));
        assert!(page.contains("there is no /&lt;script&gt;&quot;&#39;&amp; here."), "{page}");
        assert!(page.len() < 1500, "{} bytes", page.len());
    }
}
