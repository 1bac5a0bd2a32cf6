//! How a listing looks, and to whom: one address, a face for people, for terminals and for programs.

use crate::http::{HttpError, Request};

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Face {
    /// For browsers.
    Page,
    /// Lines of text.
    Plain,
    /// For programs.
    Json,
    /// The same lines with links, for a wget that mirrors: it finds none in text.
    Linked,
}

/// Only these may be loaded, and nothing that stands in the page runs: a name that slipped through the escaping would
/// still do nothing.
const PAGE: &[u8] = b"Content-Type: text/html; charset=utf-8\r\n\
    Cache-Control: no-cache\r\n\
    Vary: Accept, User-Agent\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'\r\n";

const PLAIN: &[u8] = b"Content-Type: text/plain; charset=utf-8\r\n\
    Cache-Control: no-cache\r\n\
    Vary: Accept, User-Agent\r\n\
    X-Content-Type-Options: nosniff\r\n";

const JSON: &[u8] = b"Content-Type: application/json\r\n\
    Cache-Control: no-cache\r\n\
    Vary: Accept, User-Agent\r\n\
    X-Content-Type-Options: nosniff\r\n";

const LINKED: &[u8] = b"Content-Type: text/html; charset=utf-8\r\n\
    Cache-Control: no-cache\r\n\
    Vary: Accept, User-Agent\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Content-Security-Policy: default-src 'none'\r\n";

/// What a 304 repeats of them (RFC 9110 section 15.4.5).
pub(super) const VALIDATED: &[u8] = b"Cache-Control: no-cache\r\nVary: Accept, User-Agent\r\n";

impl Face {
    /// The face that is asked for: by `?format=`, or by what the peer accepts.
    pub(super) fn asked(request: &Request<'_>) -> Result<Face, HttpError> {
        // XHTML is no offer of ours, but a way to ask for a page.
        const OFFERS: [&str; 4] = ["text/plain", "text/html", "application/json", "application/xhtml+xml"];
        match request.query_value("format").as_deref() {
            Some("html") => return Ok(Face::Page),
            Some("text") => return Ok(Face::Plain),
            Some("json") => return Ok(Face::Json),
            Some(_) => {
                return Err(HttpError::bad_request("a listing comes with ?format=html, ?format=text or ?format=json"));
            }
            None if is_mirroring(request) => return Ok(Face::Linked),
            None => {}
        }
        Ok(match request.prefers(&OFFERS) {
            Some(1 | 3) => Face::Page,
            Some(2) => Face::Json,
            _ => Face::Plain,
        })
    }

    /// The header fields.
    pub(super) fn headers(self) -> &'static [u8] {
        match self {
            Face::Page => PAGE,
            Face::Plain => PLAIN,
            Face::Json => JSON,
            Face::Linked => LINKED,
        }
    }
}

/// True for a wget, whatever it likes.
pub(super) fn is_wget(request: &Request<'_>) -> bool {
    request.headers.get("user-agent").is_some_and(|agent| agent.starts_with(b"Wget/"))
}

/// True for a wget that says nothing of what it likes.
fn is_mirroring(request: &Request<'_>) -> bool {
    let names = |field: &[u8]| {
        let field = field.to_ascii_lowercase();
        [&b"html"[..], b"json", b"text"].iter().any(|word| memchr::memmem::find(&field, word).is_some())
    };
    is_wget(request) && !request.headers.get_all("accept").any(names)
}
