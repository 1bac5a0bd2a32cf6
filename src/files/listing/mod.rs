//! What is in a directory: read, measured, sorted and written a slice at a time, so that no directory holds the loop.
//!
//! A small directory is done in the first few slices and goes out with its length; a large one streams, its heading
//! first. Every entry that exists is shown: those that cannot be had are greyed and say why. Only dot-files are left
//! out.

mod entries;
mod order;
mod page;
mod plain;

use std::io;
use std::sync::Arc;

use self::entries::{Entries, Row};
use self::order::Sorter;
use super::directory::Directory;
use super::policy::Policy;
use super::resolve::{self, Ground};
use super::root::Root;
use super::why;
use crate::http::{Body, Bytes, HeaderList, HttpError, Produced, Request, Response, Source, Status};

/// Names read in one slice: a few calls of getdents.
const READ_SLICE: usize = 1024;

/// Entries looked at in one slice: a microsecond or two each.
const MEASURE_SLICE: usize = 256;

/// Bytes written in one slice.
const RENDER_SLICE: usize = 16 * 1024;

/// Slices done before the answer begins: enough for some 250 entries, and a fraction of what a turn may take. What is
/// done by then goes out in one piece; the rest is streamed.
const EAGER_SLICES: usize = 6;

/// A listing being made.
pub(super) struct Listing {
    root: Arc<Root>,
    /// Path of the directory below the root: empty, or ends in `/`.
    directory: Vec<u8>,
    policy: Arc<Policy>,
    entries: Entries,
    face: Face,
    state: State,
    /// Written before the answer began.
    begun: Vec<u8>,
}

/// Where the work stands. Each state is left when its part is done for the whole directory.
enum State {
    Reading(Directory),
    Measuring(Directory, usize),
    Sorting(Sorter),
    Rendering(Vec<Row>, usize),
    Done,
}

/// How it looks.
enum Face {
    Page,
    Plain,
}

impl Listing {
    pub(super) fn open(ground: &Ground, directory: Vec<u8>, request: &Request<'_>) -> Result<Self, HttpError> {
        let path = resolve::c_path(&directory)?;
        let names = ground.root.directory(&path).map_err(|errno| why::refuse(&ground.root, &path, errno))?;
        let mut begun = Vec::new();
        let face = if request.wants_html() {
            page::begin(request, &mut begun);
            Face::Page
        } else {
            plain::begin(request, &mut begun);
            Face::Plain
        };
        let (entries, state) = (Entries::default(), State::Reading(names));
        let (root, policy) = (Arc::clone(&ground.root), Arc::clone(&ground.policy));
        Ok(Listing { root, policy, directory, entries, face, state, begun })
    }

    /// The answer: complete if the directory is small, a stream otherwise.
    pub(super) fn into_response(mut self) -> Result<Response, HttpError> {
        let headers = HeaderList::from_static(match self.face {
            Face::Page => page::HEADERS,
            Face::Plain => plain::HEADERS,
        });
        let mut out = Vec::new();
        let mut produced = Produced::More;
        for _ in 0..EAGER_SLICES {
            if produced == Produced::More {
                produced = self.produce(&mut out)?;
            }
        }
        let body = match produced {
            Produced::All => Body::Bytes(Bytes::Owned(out)),
            _ => {
                self.begun = out;
                Body::Stream(Box::new(self))
            }
        };
        Ok(Response::new(Status::OK).with_headers(headers).with_body(body))
    }

    /// One slice of work, and the state it leads to.
    fn step(&mut self, state: State, out: &mut Vec<u8>) -> io::Result<State> {
        Ok(match state {
            State::Reading(mut names) => {
                match self.entries.read(&mut names, &self.root, &self.policy, &self.directory, READ_SLICE)? {
                    Produced::All => State::Measuring(names, 0),
                    _ => State::Reading(names),
                }
            }
            State::Measuring(names, from) => {
                match self.entries.measure(&names, &self.root, &self.directory, from, MEASURE_SLICE) {
                    Some(next) => State::Measuring(names, next),
                    None => State::Sorting(Sorter::new(self.entries.take_rows())),
                }
            }
            State::Sorting(mut sorter) => match sorter.step(|a, b| self.entries.compare(a, b)) {
                Produced::All => {
                    if let Face::Page = self.face {
                        page::begin_rows(&self.entries.summary, !self.directory.is_empty(), out);
                    }
                    State::Rendering(sorter.into_rows(), 0)
                }
                _ => State::Sorting(sorter),
            },
            State::Rendering(rows, from) => {
                let next = self.render(&rows, from, out);
                if next < rows.len() {
                    State::Rendering(rows, next)
                } else {
                    match self.face {
                        Face::Page => page::end_rows(out),
                        Face::Plain => plain::end_rows(&self.entries.summary, out),
                    }
                    State::Done
                }
            }
            State::Done => State::Done,
        })
    }

    /// Writes rows until the slice is full; says which is the next.
    fn render(&self, rows: &[Row], from: usize, out: &mut Vec<u8>) -> usize {
        let full = out.len() + RENDER_SLICE;
        let size_width = self.entries.summary.largest.to_string().len();
        let mut next = from;
        for row in rows.iter().skip(from) {
            if out.len() >= full {
                break;
            }
            let name = self.entries.name(row);
            match self.face {
                Face::Page => page::row(name, row, out),
                Face::Plain => plain::row(name, row, size_width, out),
            }
            next += 1;
        }
        next
    }
}

impl Source for Listing {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        out.append(&mut self.begun);
        let state = std::mem::replace(&mut self.state, State::Done);
        self.state = self.step(state, out)?;
        Ok(if matches!(self.state, State::Done) { Produced::All } else { Produced::More })
    }
}

/// `2026-11-20 19:00`, in UTC; nothing for a time that no calendar has.
fn date(seconds: i64) -> String {
    let Ok(timestamp) = jiff::Timestamp::from_second(seconds) else { return String::new() };
    let date = jiff::tz::Offset::UTC.to_datetime(timestamp);
    format!("{:04}-{:02}-{:02} {:02}:{:02}", date.year(), date.month(), date.day(), date.hour(), date.minute())
}
