//! What is in a directory: read, measured, sorted and written a slice at a time, so that no directory holds the loop.
//!
//! A small directory is done in the first few slices and goes out with its length; a large one streams, its heading
//! first. Every entry that exists is shown: those that cannot be had are greyed and say why. Only what is hidden is
//! left out. Who asks for the same within a second shares the work; nothing asked for is ever older.

mod chunks;
mod copy;
mod desk;
mod digits;
mod entries;
mod face;
mod json;
mod kept;
mod order;
mod page;
mod plain;
mod sheets;
mod survey;
mod weight;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use self::copy::Copy;
use self::entries::{Row, Shape};
use self::face::Face;
use self::survey::Survey;
use crate::http::{Produced, Source};

pub(super) use self::desk::Desk;

/// Bytes written in one slice.
const RENDER_SLICE: usize = 16 * 1024;

/// All but the unreserved characters (RFC 3986 section 2.3). A colon is encoded too: `a:b` would be an absolute
/// reference.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A listing being written: its place in what all who ask for this directory share.
struct Listing {
    survey: Arc<Mutex<Survey>>,
    face: Face,
    state: State,
    /// Written, and not yet handed out.
    begun: Vec<u8>,
    /// What is handed out, for those who ask for the same in a moment.
    copy: Option<Copy>,
}

/// Where the work stands. Each state is left when its part is done for the whole directory.
enum State {
    /// What is in the directory is not known yet.
    Surveying,
    /// The number of the next row.
    Rendering(usize),
    Done,
}

impl Listing {
    /// One slice of work, and the state it leads to.
    fn step(&self, survey: &mut Survey, out: &mut Vec<u8>) -> io::Result<State> {
        let from = match self.state {
            State::Surveying if survey.step()? != Produced::All => return Ok(State::Surveying),
            State::Surveying => {
                if self.face == Face::Page {
                    page::begin_rows(&survey.entries.summary, !survey.directory.is_empty(), out);
                }
                0
            }
            State::Rendering(from) => from,
            State::Done => return Ok(State::Done),
        };
        let next = self.render(survey, from, out);
        if survey.entries.row(next).is_some() {
            return Ok(State::Rendering(next));
        }
        let summary = &survey.entries.summary;
        match self.face {
            Face::Page => page::end_rows(survey, out),
            Face::Plain => plain::end_rows(summary, out),
            Face::Linked => plain::end_links(summary, out),
            Face::Json => json::end_rows(summary, next == 0, out),
        }
        Ok(State::Done)
    }

    /// Writes rows until the slice is full; says which is the next.
    fn render(&self, survey: &Survey, from: usize, out: &mut Vec<u8>) -> usize {
        let full = out.len() + RENDER_SLICE;
        let entries = &survey.entries;
        let size_width = entries.summary.largest.to_string().len();
        let mut next = from;
        while let Some(row) = entries.row(next).filter(|_| out.len() < full) {
            let name = entries.name(row);
            match self.face {
                Face::Page => page::row(name, row, out),
                Face::Plain => plain::row(name, row, size_width, out),
                Face::Linked => plain::link(name, row, size_width, out),
                Face::Json => json::row(name, row, next == 0, out),
            }
            next += 1;
        }
        next
    }
}

impl Source for Listing {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        let start = out.len();
        out.append(&mut self.begun);
        let survey = Arc::clone(&self.survey);
        // One that panicked in the middle has left nothing worse than a stage without its data.
        let mut survey = survey.lock().unwrap_or_else(PoisonError::into_inner);
        self.state = self.step(&mut survey, out)?;
        self.copy = self.copy.take().and_then(|copy| copy.with(out.get(start..).unwrap_or_default()));
        if !matches!(self.state, State::Done) {
            return Ok(Produced::More);
        }
        if let Some(copy) = self.copy.take() {
            copy.complete(survey.last_change());
        }
        Ok(Produced::All)
    }
}

/// Writes the link to an entry, relative to its directory. True if the name is in it as it is, as most are: it needs no
/// escaping in a page either.
fn href(name: &[u8], row: &Row, out: &mut Vec<u8>) -> bool {
    let is_plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'));
    if is_plain {
        out.extend_from_slice(name);
    } else {
        percent_encode(name, ENCODED).for_each(|part| out.extend_from_slice(part.as_bytes()));
    }
    slash(row, out);
    is_plain
}

/// What the name of a directory ends with.
fn slash(row: &Row, out: &mut Vec<u8>) {
    if row.shape == Shape::Directory {
        out.push(b'/');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plain_in_a_link_is_so_in_a_page() {
        let row = Row::of(0, None);
        for byte in 0..=u8::MAX {
            let (mut link, mut text) = (Vec::new(), Vec::new());
            let is_plain = href(&[byte], &row, &mut link);
            page::escape(&[byte], &mut text);
            assert_eq!(link, percent_encode(&[byte], ENCODED).to_string().into_bytes());
            assert_eq!(is_plain, link == [byte] && text == [byte], "{}", byte.escape_ascii());
        }
    }
}
