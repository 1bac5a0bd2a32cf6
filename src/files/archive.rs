//! A directory and all below it as one stream: a tar, in the GNU format, which every tar reads.
//!
//! It is made while it is sent, a slice at a time: no more than a slice of it is ever in memory, however much there is.
//! Names are the bytes that they are on disk, links stay links, and each name of a file with several is a file of its
//! own. Users and groups are left out: they are this machine's own business. So are times before 1970.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tar::{EntryType, Header};

use super::facts::Facts;
use super::walk::{self, Entry, Step, Walk, What};
use crate::http::{Body, Produced, Request, Response, Source, Status};

/// Bytes made at a time.
pub(super) const SLICE: usize = 64 * 1024;

/// How long a slice may take, whose steps may be quick or slow: to go back into a directory of a million names is.
pub(super) const TIME_SLICE: Duration = Duration::from_millis(1);

/// All in a tar begins at a multiple of this.
const BLOCK: usize = 512;

/// The name of what is served where no path gives it one.
const NAME_OF_ROOT: &[u8] = b"files";

/// An archive being made.
pub(super) struct Archive {
    walk: Walk,
    /// Of the directory that all entries lie below, with a slash at its end.
    name: Vec<u8>,
    state: State,
}

enum State {
    /// With the directory itself.
    Beginning,
    Walking,
    /// In the midst of a file.
    Copying(Copying),
}

struct Copying {
    /// From the root.
    path: Vec<u8>,
    file: File,
    offset: u64,
    /// As the header has it.
    size: u64,
}

impl Archive {
    /// The answer for a directory, called as it is in the path of the request.
    pub(super) fn into_response(walk: Walk, request: &Request<'_>) -> Response {
        let path = request.path_bytes.strip_suffix(b"/").unwrap_or(request.path_bytes);
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let name = if name.is_empty() { NAME_OF_ROOT } else { name };
        let attachment = format!("{}.tar", String::from_utf8_lossy(name));
        let archive = Archive { walk, name: [name, b"/"].concat(), state: State::Beginning };
        Response::new(Status::OK)
            .with_header("Content-Type", "application/x-tar")
            .with_header("Cache-Control", "no-cache")
            .with_header("X-Content-Type-Options", "nosniff")
            .with_attachment(&attachment)
            .with_body(Body::Stream(Box::new(archive)))
    }

    /// Writes the head of what was found, and says how to go on.
    fn begin(&self, entry: Entry, out: &mut Vec<u8>) -> io::Result<State> {
        let name = [&self.name, self.walk.below(&entry)].concat();
        match entry.what {
            What::Directory => head(EntryType::Directory, &name, b"", &entry.facts, 0, out),
            What::Link(target) => head(EntryType::Symlink, &name, target.as_bytes(), &entry.facts, 0, out),
            What::File => {
                let root = &self.walk.root;
                match walk::c_path(&entry.path).and_then(|path| root.read(&path)) {
                    Ok((file, facts)) => {
                        head(EntryType::Regular, &name, b"", &facts, facts.size, out);
                        return Ok(State::Copying(Copying { path: entry.path, file, offset: 0, size: facts.size }));
                    }
                    Err(errno) => walk::pass_over(root, &entry.path, errno)?,
                }
            }
        }
        Ok(State::Walking)
    }
}

impl Source for Archive {
    /// # Errors
    /// If a file turns out shorter than its head says, and whatever ends the [`Walk`].
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        let full = out.len().saturating_add(SLICE);
        let begun = Instant::now();
        while out.len() < full && begun.elapsed() < TIME_SLICE {
            self.state = match std::mem::replace(&mut self.state, State::Walking) {
                State::Beginning => {
                    // Where several are shared, nothing on disk has them in it.
                    if self.walk.facts != Facts::SHARES {
                        head(EntryType::Directory, &self.name, b"", &self.walk.facts, 0, out);
                    }
                    State::Walking
                }
                State::Walking => match self.walk.step()? {
                    Step::Found(entry) => self.begin(entry, out)?,
                    Step::Passed => State::Walking,
                    Step::Done => {
                        out.extend_from_slice(&[0; 2 * BLOCK]);
                        return Ok(Produced::All);
                    }
                },
                State::Copying(mut copying) => {
                    let most = full.saturating_sub(out.len());
                    copying.go_on(most, out).map_err(|errno| match errno {
                        Some(errno) => walk::told(&self.walk.root, &copying.path, errno),
                        None => copying.shrunk(),
                    })?;
                    if copying.offset < copying.size { State::Copying(copying) } else { State::Walking }
                }
            };
        }
        Ok(Produced::More)
    }
}

impl Copying {
    /// Appends what comes next of the file, up to so many bytes, and after the last of them what fills its block.
    ///
    /// # Errors
    /// What the disk says; `None` if the file ends too early.
    fn go_on(&mut self, most: usize, out: &mut Vec<u8>) -> Result<(), Option<Errno>> {
        let rest = self.size.saturating_sub(self.offset);
        let count = usize::try_from(rest).unwrap_or(usize::MAX).min(most);
        let start = out.len();
        out.resize(start.saturating_add(count), 0);
        let slice = out.get_mut(start..).unwrap_or_default();
        self.file.read_exact_at(slice, self.offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => None,
            _ => Some(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        })?;
        self.offset = self.offset.saturating_add(count as u64);
        if self.offset == self.size {
            fill(self.size, out);
        }
        Ok(())
    }

    fn shrunk(&self) -> io::Error {
        let why = format!("{}: the file is shorter than it was", String::from_utf8_lossy(&self.path));
        io::Error::new(io::ErrorKind::UnexpectedEof, why)
    }
}

/// The blocks before the content. A name or a target that is too long for its field goes before, as content of an entry
/// of its own; the tar crate writes those too, but takes names that are text for granted there.
fn head(kind: EntryType, name: &[u8], target: &[u8], facts: &Facts, size: u64, out: &mut Vec<u8>) {
    let mut header = Header::new_gnu();
    put_name(&mut header.as_old_mut().name, EntryType::GNULongName, name, out);
    put_name(&mut header.as_old_mut().linkname, EntryType::GNULongLink, target, out);
    header.set_entry_type(kind);
    header.set_mode(facts.mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(facts.modified.unix_seconds());
    header.set_size(size);
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
}

/// Puts as much of a name into its field as it takes.
fn put_name(field: &mut [u8], long: EntryType, name: &[u8], out: &mut Vec<u8>) {
    for (place, &byte) in field.iter_mut().zip(name) {
        *place = byte;
    }
    if name.len() <= field.len() {
        return;
    }
    // With a NUL at its end.
    let size = (name.len() as u64).saturating_add(1);
    let mut header = Header::new_gnu();
    put_name(&mut header.as_old_mut().name, long, b"././@LongLink", out);
    header.set_entry_type(long);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(name);
    out.push(0);
    fill(size, out);
}

/// Fills the block in which content of this size ends.
fn fill(size: u64, out: &mut Vec<u8>) {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    if over > 0 {
        out.resize(out.len().saturating_add(BLOCK - over), 0);
    }
}
