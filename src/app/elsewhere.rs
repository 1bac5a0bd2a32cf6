//! Answers that another path gives: an internal redirect, of which the peer learns nothing (RFC 3875 section 6.2.2).
//!
//! Hooks are asked anew: who must not see the other path does not see it through this one.

use crate::http::{Content, HttpError, Method, Request, Response, Target, decode_path};

/// How often one answer may point to another: a circle ends.
pub(super) const MOST: usize = 8;

/// Asks for this path and query in place of the request: with GET, or HEAD if that was asked, and without its body.
pub(super) fn ask(
    request: &Request<'_>,
    target: &str,
    answer: impl FnOnce(&Request<'_>) -> Result<Response, HttpError>,
) -> Result<Response, HttpError> {
    let wrong = |error: HttpError| {
        HttpError::internal(format!("an answer points to {target:?}, which is no path: {}", error.detail))
    };
    let method = if request.method == Method::Head { Method::Head } else { Method::Get };
    if !target.starts_with('/') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(HttpError::bad_request("it must begin with / and be visible ASCII")));
    }
    let Target { path: raw_path, query, .. } = Target::parse(method, target).map_err(wrong)?;
    let path = decode_path(raw_path).map_err(wrong)?;
    let (path, path_bytes) = (&*path.text, &*path.octets);
    answer(&Request { method, target, path, path_bytes, raw_path, query, body: Content::EMPTY, ..*request })
}

pub(super) fn too_many() -> HttpError {
    HttpError::internal(format!("one answer pointed to another {MOST} times in a row"))
}
