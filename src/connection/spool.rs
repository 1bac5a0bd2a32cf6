//! Where a long body goes while it comes: a temporary file without a name, so that an upload costs no memory.
//!
//! Writing to it is writing to the page cache, which takes no longer than the reading of the socket did; where a disk is so
//! slow that it does, uploads belong behind a smaller [`Limits::body`](crate::http::Limits::body).

use std::fs::File;
use std::io::{self, Write};

use crate::http::{HttpError, Status};

/// A body on its way into a file.
#[derive(Debug)]
pub(super) struct Spool {
    pub(super) file: File,
    pub(super) length: u64,
}

impl Spool {
    pub(super) fn new() -> Result<Self, HttpError> {
        tempfile::tempfile().map(|file| Spool { file, length: 0 }).map_err(refusal)
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), HttpError> {
        self.file.write_all(bytes).map_err(refusal)?;
        self.length = self.length.saturating_add(bytes.len() as u64);
        Ok(())
    }
}

/// The disk is full, or there is none to write on: the peer may come again when there is.
fn refusal(error: io::Error) -> HttpError {
    let status = Status::new(507).unwrap_or(Status::INTERNAL_SERVER_ERROR);
    HttpError::new(status, "there is no room here for a body of this length").with_source(error)
}
