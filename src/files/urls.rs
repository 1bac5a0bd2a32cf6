//! A directory and all below it as a list of addresses, one a line, for `wget -i` and its like.
//!
//! It has every file that a request for it would be given, those that links stand for included; it goes into no
//! directory by a link, where the same files might be for the second time, or without end.

use std::io;
use std::time::Instant;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rustix::fs::Access;

use super::archive::{SLICE, TIME_SLICE};
use super::facts::{Facts, Kind};
use super::walk::{self, Entry, Step, Walk, What};
use crate::http::{Body, HttpError, Produced, Request, Response, Source, Status};

/// All but the unreserved characters (RFC 3986 section 2.3), and the slashes between names.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A list being made.
pub(super) struct Urls {
    walk: Walk,
    /// The address of the directory, up to its final slash.
    base: String,
}

impl Urls {
    /// The answer for a directory, at the address by which it was asked for.
    ///
    /// # Errors
    /// 400 if the request does not say which host it is for, as one of HTTP/1.0 need not.
    pub(super) fn into_response(walk: Walk, request: &Request<'_>) -> Result<Response, HttpError> {
        let Some(authority) = request.authority else {
            return Err(HttpError::bad_request("the list has whole addresses in it, and the request names no Host"));
        };
        let base = format!("http://{authority}{}", request.raw_path);
        Ok(Response::new(Status::OK)
            .with_header("Content-Type", "text/plain; charset=utf-8")
            .with_header("Cache-Control", "no-cache")
            .with_header("X-Content-Type-Options", "nosniff")
            .with_body(Body::Stream(Box::new(Urls { walk, base }))))
    }

    fn is_file(&self, entry: &Entry) -> io::Result<bool> {
        let root = &self.walk.root;
        let path = walk::c_path(&entry.path)?;
        let facts = match entry.what {
            What::Directory => return Ok(false),
            What::File => entry.facts,
            // Under guard: what it leads to outside is nothing here.
            What::Link(_) => match root.look(&path) {
                Ok(facts @ Facts { kind: Kind::File, .. }) => facts,
                _ => return Ok(false),
            },
        };
        // Asks the system only if the mode leaves it open.
        Ok(facts.mode & 0o444 == 0o444 || root.allows(&path, Access::READ_OK))
    }
}

impl Source for Urls {
    /// # Errors
    /// Whatever ends the [`Walk`].
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        let full = out.len().saturating_add(SLICE);
        let begun = Instant::now();
        while out.len() < full && begun.elapsed() < TIME_SLICE {
            match self.walk.step()? {
                Step::Found(entry) => {
                    if self.is_file(&entry)? {
                        out.extend_from_slice(self.base.as_bytes());
                        percent_encode(self.walk.below(&entry), ENCODED).for_each(|part| out.extend(part.bytes()));
                        out.push(b'\n');
                    }
                }
                Step::Passed => {}
                Step::Done => return Ok(Produced::All),
            }
        }
        Ok(Produced::More)
    }
}
