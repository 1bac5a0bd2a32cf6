//! The control socket, beside the pid file: where the verbs ask the server, and a successor its predecessor.
//!
//! A message is a request, a line of text; the answer is one message: `ok` or `no: why`, and lines. Who may open the
//! socket is decided by its mode, 0600: its owner, and root. Nobody who asks is waited for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, Stat};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, accept, bind, listen, socket};
use rustix::process::umask;
use slab::Slab;

use super::entry::{Entry, beside, is_left_over};
use super::wire::{Message, Wire};
use crate::cli::Failure;

/// Who may ask at one time. Each is a terminal, a script, or a successor.
const MOST_PEERS: usize = 16;

/// Where the control socket is that belongs to this pid file.
pub(super) fn path(pid_file: &Path) -> PathBuf {
    beside(pid_file, "sock")
}

/// What one more is told.
pub(super) const TOO_MANY: &str = "too many ask already";

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// What the server is about.
    Status,
    /// To stop.
    Stop,
    /// To read the configuration anew.
    Reload,
    /// To open the logs anew.
    Reopen,
    /// By a successor: the listening sockets, the pid file, the control socket.
    Sockets,
    /// By a successor: it takes over, the pid file included or not.
    Drain { takes_pid_file: bool },
    /// By a successor: why it does not.
    Failed(String),
    /// What nobody knows.
    Unknown,
}

impl Request {
    pub(super) fn text(&self) -> String {
        match self {
            Request::Status => "status".to_owned(),
            Request::Stop => "stop".to_owned(),
            Request::Reload => "reload".to_owned(),
            Request::Reopen => "reopen".to_owned(),
            Request::Sockets => "sockets".to_owned(),
            Request::Drain { takes_pid_file: true } => "drain, pid file too".to_owned(),
            Request::Drain { takes_pid_file: false } => "drain".to_owned(),
            Request::Failed(why) => format!("failed: {why}"),
            Request::Unknown => "?".to_owned(),
        }
    }

    fn parse(text: &str) -> Request {
        let plain = [
            Request::Status,
            Request::Stop,
            Request::Reload,
            Request::Reopen,
            Request::Sockets,
            Request::Drain { takes_pid_file: true },
            Request::Drain { takes_pid_file: false },
        ];
        match text.strip_prefix("failed: ") {
            Some(why) => Request::Failed(why.to_owned()),
            None => plain.into_iter().find(|request| request.text() == text).unwrap_or(Request::Unknown),
        }
    }
}

/// What is answered: lines, or why not.
pub(super) type Answer = Result<Vec<String>, String>;

pub(super) fn answer_text(answer: &Answer) -> String {
    match answer {
        Ok(lines) if lines.is_empty() => "ok".to_owned(),
        Ok(lines) => format!("ok\n{}", lines.join("\n")),
        Err(why) => format!("no: {why}"),
    }
}

pub(super) fn parse_answer(text: &str) -> Answer {
    let mut lines = text.split('\n').map(str::to_owned);
    match lines.next() {
        Some(first) if first == "ok" => Ok(lines.collect()),
        Some(first) => Err(first.strip_prefix("no: ").unwrap_or(&first).to_owned()),
        None => Err("it said nothing".to_owned()),
    }
}

/// The socket in the file system.
#[derive(Debug)]
pub(super) struct Door {
    socket: OwnedFd,
    entry: Entry,
    /// What was made: the name may be somebody else's by the time it is taken out.
    made: Stat,
    /// It belongs to a successor.
    is_given: bool,
}

impl Door {
    /// Opens it beside the pid file, whose lock this process has: a socket of a server that was killed is replaced.
    pub(super) fn open(pid_file: &Path) -> Result<Door, Failure> {
        let path = path(pid_file);
        let refused = |error: io::Error| {
            let path = path.display();
            Failure::Run(format!("the control socket {path} cannot be had: {error}: name another place by --pid-file"))
        };
        Door::bind(&path).map_err(refused)
    }

    fn bind(path: &Path) -> io::Result<Door> {
        let entry = Entry::new(path)?;
        match entry.facts() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(_) if is_left_over(path) => entry.remove()?,
            Ok(_) => return Err(io::Error::other("something else has that name")),
        }
        let address = SocketAddrUnix::new(path)?;
        let socket = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        // The mode is right from the first moment.
        let before = umask(Mode::from_raw_mode(0o177));
        let bound = bind(&socket, &address);
        umask(before);
        bound?;
        let made = entry.facts()?;
        let door = Door { socket, entry, made, is_given: false };
        listen(&door.socket, i32::try_from(MOST_PEERS).unwrap_or(i32::MAX))?;
        Ok(door)
    }

    /// Takes over the one that a predecessor has opened beside this pid file.
    pub(super) fn inherit(pid_file: &Path, socket: OwnedFd) -> Option<Door> {
        let entry = Entry::new(&path(pid_file)).ok()?;
        let made = entry.facts().ok()?;
        Some(Door { socket, entry, made, is_given: true })
    }

    /// From now on it is this process's own.
    pub(super) fn own(&mut self) {
        self.is_given = false;
    }

    /// From now on it is the successor's.
    pub(super) fn give(mut self) {
        self.is_given = true;
    }

    fn accept(&self) -> io::Result<Wire> {
        Wire::new(accept(&self.socket)?)
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if self.is_given || !self.entry.names_this(&self.made) {
            return;
        }
        if let Err(error) = self.entry.remove() {
            log::debug!("{} stays, and nobody listens there: {error}", self.entry.path().display());
        }
    }
}

/// Who asks.
#[derive(Debug, Default)]
pub(super) struct Peers(Slab<Wire>);

impl Peers {
    /// Lets in one who waits at the door: a key for him. `None`: nobody waits.
    pub(super) fn accept(&mut self, door: &Door) -> Option<usize> {
        loop {
            let wire = match door.accept() {
                Ok(wire) => wire,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    if error.kind() != io::ErrorKind::WouldBlock {
                        log::warn!("nobody is let in at the control socket: {error}");
                    }
                    return None;
                }
            };
            match self.admit(wire) {
                Ok(key) => return Some(key),
                Err(wire) => {
                    log::warn!("{MOST_PEERS} ask at the control socket already: one more is turned away");
                    // Who does not hear it sees the end of the wire.
                    let _ = wire.send(&answer_text(&Err(TOO_MANY.to_owned())), &[]);
                }
            }
        }
    }

    /// Takes in one who is connected, or gives him back if there are too many.
    pub(super) fn admit(&mut self, wire: Wire) -> Result<usize, Wire> {
        if self.0.len() < MOST_PEERS { Ok(self.0.insert(wire)) } else { Err(wire) }
    }

    pub(super) fn get(&self, key: usize) -> Option<&Wire> {
        self.0.get(key)
    }

    /// Lets this one go.
    pub(super) fn remove(&mut self, key: usize) {
        self.0.try_remove(key);
    }

    /// The next request of this peer. One who has gone, or makes no sense, is let go.
    pub(super) fn next(&mut self, key: usize) -> Option<Request> {
        match self.0.get(key)?.receive() {
            Ok(Some(Message { text, .. })) => return Some(Request::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Ok(None) => {}
            Err(error) => log::debug!("who asked at the control socket is let go: {error}"),
        }
        self.remove(key);
        None
    }

    /// Answers; who does not take it is let go. True if it was taken.
    pub(super) fn answer(&mut self, key: usize, answer: &Answer, descriptors: &[BorrowedFd<'_>]) -> bool {
        let Some(wire) = self.0.get(key) else { return false };
        let sent = wire.send(&answer_text(answer), descriptors);
        if let Err(error) = &sent {
            log::debug!("who asked at the control socket does not take the answer: {error}");
            self.remove(key);
        }
        sent.is_ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    #[test]
    fn requests_and_answers_are_what_they_were() {
        let requests = [
            Request::Status,
            Request::Drain { takes_pid_file: true },
            Request::Drain { takes_pid_file: false },
            Request::Failed("the port 80: in use".to_owned()),
            Request::Unknown,
        ];
        for request in requests {
            assert_eq!(Request::parse(&request.text()), request);
        }
        let answers: [Answer; 3] =
            [Ok(vec![]), Ok(vec!["a: b".to_owned(), "c".to_owned()]), Err("it is late".to_owned())];
        for answer in answers {
            assert_eq!(parse_answer(&answer_text(&answer)), answer);
        }
    }

    #[test]
    fn what_is_not_left_over_stays() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("a.pid");
        let path = folder.path().join("a.sock");
        let refusal = || Door::open(&pid_file).map_or_else(|failure| failure.why().to_owned(), |_| "none".to_owned());
        std::fs::write(&path, "precious").unwrap();
        assert!(refusal().contains("something else has that name"), "{}", refusal());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        std::fs::remove_file(&path).unwrap();
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(refusal().contains("something else has that name"), "{}", refusal());
        std::os::unix::net::UnixStream::connect(&path).unwrap();
        drop(listener);
        assert_eq!(refusal(), "none");
    }

    #[test]
    fn the_door_is_its_owners_and_takes_in_a_few() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("a.pid");
        let path = folder.path().join("a.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let door = Door::open(&pid_file).unwrap_or_else(|_| unreachable!());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut peers = Peers::default();
        assert_eq!(peers.accept(&door), None);
        let mut wires = Vec::new();
        for _ in 0..MOST_PEERS {
            wires.push(Wire::connect(&path, Duration::from_secs(1)).unwrap());
            assert!(peers.accept(&door).is_some());
        }
        let turned_away = Wire::connect(&path, Duration::from_secs(1)).unwrap();
        assert_eq!(peers.accept(&door), None);
        assert_eq!(turned_away.ask("status", Duration::ZERO).unwrap().unwrap().text, "no: too many ask already");
        assert!(turned_away.receive().unwrap().is_none());

        wires.get(3).unwrap().send("status", &[]).unwrap();
        assert_eq!((peers.next(3), peers.next(3), peers.next(99)), (Some(Request::Status), None, None));
        assert!(peers.answer(3, &Err("no".to_owned()), &[]));
        wires.remove(5);
        assert_eq!(peers.next(5), None);
        assert!(!peers.answer(5, &Ok(vec![]), &[]), "he has gone");
        drop(door);
        assert!(!path.exists());
    }
}
