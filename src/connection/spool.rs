//! Where a long body goes while it comes: a temporary file without a name, so that an upload costs no memory.
//!
//! Writing to it is writing to the page cache, which takes no longer than the reading of the socket did; where a disk
//! is so slow that it does, uploads belong behind a smaller [`Limits::body`](crate::http::Limits::body).

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use super::bodies::Bodies;
use crate::http::{HttpError, Status, is_out_of_descriptors};

/// Bodies in files at one time, in one loop. Each holds a descriptor: those kept back besides the connections' own are
/// for the files that are served, too.
const MOST: usize = 192;

/// When a peer that found no place may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The places for bodies in files: as many as [`MOST`] are given away.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) bodies: Bodies,
    taken: Arc<()>,
}

/// A body on its way into a file.
#[derive(Debug)]
pub(super) struct Spool {
    pub(super) file: File,
    pub(super) length: u64,
    /// Counted by the reference alone; free again when the spool is dropped.
    _place: Arc<()>,
}

impl Spool {
    pub(super) fn new(places: &Places) -> Result<Self, HttpError> {
        if Arc::strong_count(&places.taken) > MOST {
            let detail = format!("{MOST} long bodies are on their way already; try again in a moment");
            return Err(HttpError::service_unavailable(RETRY_AFTER, detail));
        }
        let file = places.bodies.create().map_err(refusal)?;
        Ok(Spool { file, length: 0, _place: Arc::clone(&places.taken) })
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), HttpError> {
        self.file.write_all(bytes).map_err(refusal)?;
        self.length = self.length.saturating_add(bytes.len() as u64);
        Ok(())
    }
}

/// The disk is full, or there is none to write on: the peer may come again when there is. A
/// descriptor is there again at once.
fn refusal(error: io::Error) -> HttpError {
    if is_out_of_descriptors(&error) {
        return error.into();
    }
    let status = Status::new(507).unwrap_or(Status::INTERNAL_SERVER_ERROR);
    HttpError::new(status, "there is no room here for a body of this length").with_source(error)
}
