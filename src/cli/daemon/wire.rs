//! A conversation with another process of this program: messages of text, with descriptors.
//!
//! A wire as gateways have it, for text; and here one may wait. Nothing waits for ever, unless
//! that is asked for by name.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use ownhands::gateway;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, Shutdown, SocketAddrUnix, SocketType, connect, shutdown, socket, sockopt};

/// Bytes of a message: the longest tells where a server listens and why something went wrong.
const LONGEST: usize = 16 * 1024;

/// Descriptors of a message.
pub(super) const MOST_DESCRIPTORS: usize = gateway::Wire::MOST_DESCRIPTORS;

/// One end of it.
#[derive(Debug)]
pub(super) struct Wire(gateway::Wire);

/// What is said.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) descriptors: Vec<OwnedFd>,
}

impl Wire {
    /// Both ends.
    pub(super) fn pair() -> io::Result<(Wire, Wire)> {
        gateway::Wire::pair().map(|(one, other)| (Wire(one), Wire(other)))
    }

    /// The end of what listens at this path. Where many wait already, it waits with them, at most so long.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) if nobody was let in meanwhile.
    pub(super) fn connect(path: &Path, at_most: Duration) -> io::Result<Wire> {
        let socket = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(at_most))?;
        match connect(&socket, &SocketAddrUnix::new(path)?) {
            Err(rustix::io::Errno::AGAIN) => Err(silence()),
            other => other.map_err(io::Error::from).and_then(|()| Wire::new(socket)),
        }
    }

    /// The end that this process was given as its stdin.
    pub(super) fn stdin() -> io::Result<Wire> {
        Wire::new(io::stdin().as_fd().try_clone_to_owned()?)
    }

    /// True if it is one: stdin may be anything.
    pub(super) fn is_real(&self) -> bool {
        sockopt::socket_type(&self.0).is_ok_and(|kind| kind == SocketType::SEQPACKET)
    }

    /// No other program is to have it.
    pub(super) fn new(socket: OwnedFd) -> io::Result<Wire> {
        gateway::Wire::new(socket).map(Wire)
    }

    /// Says something, if the other end has room for it.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if it has none,
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if it has gone.
    pub(super) fn send(&self, text: &str, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.0.send(text.as_bytes(), descriptors)
    }

    /// What the other end has said; `None` if it has gone.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if it has said nothing.
    pub(super) fn receive(&self) -> io::Result<Option<Message>> {
        let mut text = [0; LONGEST];
        let Some(heard) = self.0.receive(&mut text)? else { return Ok(None) };
        if !heard.is_whole {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the message is too long, or there is no room for it",
            ));
        }
        let text = String::from_utf8_lossy(text.get(..heard.length).unwrap_or_default()).into_owned();
        Ok(Some(Message { text, descriptors: heard.descriptors }))
    }

    /// The same, and waits for it, at most so long.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) if nothing came.
    pub(super) fn wait(&self, at_most: Duration) -> io::Result<Option<Message>> {
        let start = Instant::now();
        loop {
            match self.receive() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The other end has closed with something unread; what it has said is there.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return self.receive(),
                other => return other,
            }
            let left = at_most.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(silence());
            }
            let left = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&left)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The same, for who has nothing else to do.
    pub(super) fn wait_for_ever(&self) -> io::Result<Option<Message>> {
        loop {
            match self.wait(Duration::from_secs(3600)) {
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                other => return other,
            }
        }
    }

    /// Says something, and waits for the answer. Who has closed already may have said why.
    ///
    /// # Errors
    /// As of [`send`](Self::send) and [`wait`](Self::wait).
    pub(super) fn ask(&self, text: &str, at_most: Duration) -> io::Result<Option<Message>> {
        match self.send(text, &[]) {
            Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {}
            other => other?,
        }
        self.wait(at_most)
    }

    /// The same, and if no answer came, none can come any more: the other end sees that it was not heard.
    pub(super) fn ask_once(&self, text: &str, at_most: Duration) -> io::Result<Option<Message>> {
        match self.ask(text, at_most) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                shutdown(&self.0, Shutdown::Read)?;
                // What was said before that counts.
                self.receive()?.map(Some).ok_or_else(silence)
            }
            other => other,
        }
    }

    pub(super) fn into_fd(self) -> OwnedFd {
        self.0.into()
    }
}

fn silence() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "nothing came")
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, Write};

    #[test]
    fn messages_are_whole_and_bring_descriptors() {
        let (one, other) = Wire::pair().unwrap();
        assert_eq!(other.receive().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"as it was left").unwrap();
        file.rewind().unwrap();
        one.send("first", &[file.as_fd(), one.as_fd()]).unwrap();
        one.send("second", &[]).unwrap();
        let first = other.receive().unwrap().unwrap();
        assert_eq!((first.text.as_str(), first.descriptors.len()), ("first", 2));
        let mut text = String::new();
        let received = first.descriptors.into_iter().next().unwrap();
        assert!(rustix::io::fcntl_getfd(&received).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
        std::fs::File::from(received).read_to_string(&mut text).unwrap();
        assert_eq!(text, "as it was left");
        assert_eq!(other.wait(Duration::ZERO).unwrap().unwrap().text, "second");
        drop(one);
        assert!(other.receive().unwrap().is_none());
        assert_eq!(other.send("too late", &[]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn who_does_not_listen_is_not_waited_for() {
        let (one, other) = Wire::pair().unwrap();
        let refusal = (0..1_000_000).find_map(|_| one.send("again", &[]).err()).unwrap();
        assert_eq!(refusal.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(one.wait(Duration::from_millis(1)).unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(other);
    }

    #[test]
    fn who_listens_and_does_not_let_in_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
        rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&listener, 1).unwrap();
        let knocks = (0..100).map(|_| Wire::connect(&path, Duration::from_millis(1)));
        let (inside, outside): (Vec<_>, Vec<_>) = knocks.partition(Result::is_ok);
        assert!(!inside.is_empty());
        assert_eq!(outside.first().unwrap().as_ref().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn who_closes_may_have_said_why() {
        let (one, other) = Wire::pair().unwrap();
        other.send("no", &[]).unwrap();
        drop(other);
        assert_eq!(one.ask("please", Duration::ZERO).unwrap().unwrap().text, "no");
        let (one, other) = Wire::pair().unwrap();
        one.send("please", &[]).unwrap();
        other.send("no", &[]).unwrap();
        drop(other); // with something unread
        assert_eq!(one.wait(Duration::ZERO).unwrap().unwrap().text, "no");
        assert!(one.wait(Duration::ZERO).unwrap().is_none());
    }

    #[test]
    fn an_answer_that_is_late_is_none_for_both() {
        let (one, other) = Wire::pair().unwrap();
        assert_eq!(one.ask_once("please", Duration::ZERO).unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(other.receive().unwrap().unwrap().text, "please");
        assert_eq!(other.send("yes", &[]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        one.send("then not", &[]).unwrap();
        assert_eq!(other.receive().unwrap().unwrap().text, "then not");
    }
}
