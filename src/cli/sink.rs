//! Where a log goes: stdout or stderr, or a file that can be opened again after it was renamed.
//!
//! It is never waited for, and it keeps nothing back. What it does not take is for its writer to count.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{FileType, Mode, OFlags};

use super::patient::Patient;

/// A log's way out. A clone is another handle to the same one: whoever writes need not know
/// that it leads elsewhere now.
#[derive(Clone)]
pub(super) struct Outlet(Arc<Mutex<State>>);

struct State {
    target: Target,
    /// The last line is there in part.
    is_torn: bool,
    /// Its rest, which comes next, belongs to a file that is left: it is thrown away up to the line's end.
    skips_rest: bool,
}

/// What an outlet leads to.
pub(super) enum Target {
    Nowhere,
    Standard(Box<dyn Write + Send>),
    File(LogFile),
}

impl Outlet {
    pub(super) fn new(target: Target) -> Self {
        Outlet(Arc::new(Mutex::new(State { target, is_torn: false, skips_rest: false })))
    }

    /// Leads elsewhere from the next write on.
    pub(super) fn lead_to(&self, target: Target) {
        let mut state = self.lock();
        state.target = target;
        state.begin_anew();
    }

    /// Opens the file anew, under the name that it was opened by.
    ///
    /// # Errors
    /// Why that cannot be; it goes on with the file that it has.
    pub(super) fn reopen(&self) -> Result<(), String> {
        let mut state = self.lock();
        if let Target::File(file) = &mut state.target {
            file.reopen().map_err(|error| format!("{} cannot be opened again: {error}", file.path.display()))?;
            state.begin_anew();
        }
        Ok(())
    }

    /// The file that it leads to, if it is one of root's; not a device, and not one that has another name elsewhere.
    pub(super) fn made_by_root(&self) -> Option<io::Result<OwnedFd>> {
        let state = self.lock();
        let Target::File(file) = &state.target else { return None };
        let facts = rustix::fs::fstat(&file.file).ok()?;
        let is_file = FileType::from_raw_mode(facts.st_mode) == FileType::RegularFile;
        (is_file && facts.st_uid == 0 && facts.st_nlink == 1).then(|| file.file.try_clone())
    }

    /// True if it leads to the file that was named so.
    pub(super) fn is_file(&self, path: &Path) -> bool {
        matches!(&self.lock().target, Target::File(file) if file.path == path)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin_anew(&mut self) {
        self.skips_rest |= std::mem::take(&mut self.is_torn);
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.lock();
        if state.skips_rest {
            let end = bytes.iter().position(|&byte| byte == b'\n');
            state.skips_rest = end.is_none();
            return Ok(end.map_or(bytes.len(), |end| end.saturating_add(1)));
        }
        let count = match &mut state.target {
            Target::Nowhere => bytes.len(),
            Target::Standard(output) => output.write(bytes)?,
            Target::File(file) => rustix::io::write(&file.file, bytes)?,
        };
        if let Some(last) = count.checked_sub(1) {
            state.is_torn = bytes.get(last) != Some(&b'\n');
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // nothing is kept back
    }
}

impl Target {
    pub(super) fn stdout() -> Self {
        Target::Standard(Box::new(Patient::new(io::stdout())))
    }

    pub(super) fn stderr() -> Self {
        Target::Standard(Box::new(Patient::new(io::stderr())))
    }
}

/// A file, and the way back to it. The directory is held open: a process that was locked in or has another root no
/// longer finds it by its path.
pub(super) struct LogFile {
    path: PathBuf,
    directory: OwnedFd,
    name: OsString,
    file: OwnedFd,
}

/// Who may read a log that was made here: the server's user and group.
const MODE: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP);

impl LogFile {
    /// Opens the file to write at its end; one that is not there is made.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?.to_owned();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // To find names in, not to list them: where the process is locked in it has no right to.
        let directory = rustix::fs::open(parent, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let file = open_at(&directory, &name)?;
        Ok(LogFile { path: path.to_owned(), directory, name, file })
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.file = open_at(&self.directory, &self.name)?;
        Ok(())
    }
}

/// Not to wait, neither now nor later, where it is a pipe that nobody reads; and not to be ruled by it where it is a
/// terminal. Root follows no link out of a directory that somebody else can write: it would write wherever he likes.
fn open_at(directory: &OwnedFd, name: &OsString) -> io::Result<OwnedFd> {
    let how = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let facts = rustix::fs::fstat(directory)?;
    let others = Mode::from_raw_mode(facts.st_mode).intersects(Mode::WGRP | Mode::WOTH);
    let is_strange = rustix::process::geteuid().is_root() && (facts.st_uid != 0 || others);
    let how = if is_strange { how | OFlags::NOFOLLOW } else { how };
    Ok(rustix::fs::openat(directory, name, how, MODE)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(path: &Path) -> Outlet {
        Outlet::new(Target::File(LogFile::open(path).unwrap()))
    }

    #[test]
    fn a_file_that_was_renamed_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        fs::write(&path, "before\n").unwrap();
        let mut outlet = file(&path);
        outlet.write_all(b"one\n").unwrap();
        fs::rename(&path, directory.path().join("a.log.1")).unwrap();
        outlet.write_all(b"two\n").unwrap();
        outlet.clone().reopen().unwrap();
        outlet.write_all(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(directory.path().join("a.log.1")).unwrap(), "before\none\ntwo\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
    }

    #[test]
    fn where_it_cannot_be_opened_again_the_old_one_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let mut outlet = file(&path);
        fs::rename(&path, directory.path().join("old")).unwrap();
        fs::create_dir(&path).unwrap();
        let why = outlet.reopen().unwrap_err();
        assert!(why.starts_with(path.to_str().unwrap()) && why.contains("directory"), "{why}");
        outlet.write_all(b"one\n").unwrap();
        assert_eq!(fs::read_to_string(directory.path().join("old")).unwrap(), "one\n");
    }

    #[test]
    fn a_line_is_not_continued_in_another_file() {
        let directory = tempfile::tempdir().unwrap();
        let [first, second] = ["a", "b"].map(|name| directory.path().join(name));
        let mut outlet = file(&first);
        outlet.write_all(b"whole\nto").unwrap();
        outlet.lead_to(Target::File(LogFile::open(&second).unwrap()));
        assert_eq!(outlet.write(b"r").unwrap(), 1);
        assert_eq!(outlet.write(b"n\nnext\n").unwrap(), 2);
        outlet.write_all(b"next\n").unwrap();
        assert_eq!(fs::read_to_string(&first).unwrap(), "whole\nto");
        assert_eq!(fs::read_to_string(&second).unwrap(), "next\n");
        assert!(outlet.is_file(&second) && !outlet.is_file(&first));
    }

    #[test]
    fn what_is_no_file_to_write_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for path in [directory.path(), &directory.path().join("no/a.log"), Path::new("/"), &directory.path().join("..")]
        {
            assert!(LogFile::open(path).is_err(), "{}", path.display());
        }
    }
}
