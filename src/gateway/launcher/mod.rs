//! Programs are started by somebody who stands outside of the loop, and of the sandbox's walls.
//!
//! A process that is locked in hands its walls down to all that it starts, and starting one can take a while: so a
//! server asks a launcher to do it, over a [`Wire`], and hears from it what became of them. The launcher is a thread,
//! or a process of its own that was started before the walls went up; what it does is the same.
//!
//! What is started gets three descriptors and no others, and a process group of its own, all of which ends with its
//! first process. Who leaves that group, as a daemon does, is on its own. Nothing here knows what the programs are for.

mod attendant;
mod message;
mod orphans;
mod program;
mod ward;
mod wire;

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use attendant::{Attendant, GRACE};
use message::{LONGEST_NOTE, Order};

pub use attendant::attend;
pub(super) use message::{Ending, Note, ending};
pub(super) use program::{Environment, Program};
pub use wire::{Heard, Wire};

/// Who starts programs for a server, and ends them. When it is dropped, all that was started through it is told to end,
/// by SIGTERM, and is killed five seconds later. Where a [thread](Self::thread) of this process does that, the last one
/// to be dropped waits for it: a process that ends takes its threads along.
///
/// ```
/// use ownhands::gateway::Launcher;
///
/// # fn main() -> std::io::Result<()> {
/// let launcher = Launcher::thread()?;
/// let _for_another_gateway = launcher.another()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Launcher {
    wire: Wire,
    /// How many programs it was asked for.
    asked: Cell<u64>,
    /// Dropped behind the wire: who starts programs has heard by then that nobody asks any more.
    thread: Option<Arc<Started>>,
}

/// A thread that starts programs, and says when it is done by dropping its end.
#[derive(Debug)]
struct Started(Mutex<Receiver<()>>);

impl Drop for Started {
    fn drop(&mut self) {
        let end = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        // What even SIGKILL does not end is left: one cannot wait for it.
        let _ = end.recv_timeout(GRACE.saturating_mul(2));
    }
}

impl Launcher {
    /// A thread of this process. A process that locks itself in starts it before, and does not take it along: who
    /// starts programs must not be locked in.
    ///
    /// # Errors
    /// What the system says.
    pub fn thread() -> io::Result<Launcher> {
        let (launcher, its) = Launcher::pair()?;
        let attendant = Attendant::new(Wire::new(its)?, None);
        let (working, done) = channel();
        let run = move || {
            let _working: Sender<()> = working;
            if let Err(error) = attendant.run() {
                log::error!("no program can be started any more: {error}");
            }
        };
        thread::Builder::new().name("launcher".to_owned()).spawn(run)?;
        Ok(Launcher { thread: Some(Arc::new(Started(Mutex::new(done)))), ..launcher })
    }

    /// Another process, which [attends](attend) to the other end.
    ///
    /// # Errors
    /// What the system says.
    pub fn over(wire: OwnedFd) -> io::Result<Launcher> {
        Ok(Launcher { wire: Wire::new(wire)?, asked: Cell::new(0), thread: None })
    }

    /// Both ends, for who starts such a process.
    ///
    /// # Errors
    /// What the system says.
    pub fn pair() -> io::Result<(Launcher, OwnedFd)> {
        let (own, its) = Wire::pair()?;
        Ok((Launcher { wire: own, asked: Cell::new(0), thread: None }, its.into()))
    }

    /// The same launcher, for another gateway: each hears what became of its own programs.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the launcher does not keep up,
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if it has gone.
    pub fn another(&self) -> io::Result<Launcher> {
        let (launcher, its) = Launcher::pair()?;
        self.wire.send(&Order::Another.write()?, &[its.as_fd()])?;
        Ok(Launcher { thread: self.thread.clone(), ..launcher })
    }

    /// Asks for a program with these as stdin, stdout and stderr: the number by which it is spoken of. Whether it was
    /// started is said by a [note](Self::hear).
    ///
    /// # Errors
    /// As of [`another`](Self::another); and [`InvalidInput`](io::ErrorKind::InvalidInput) if there is a zero byte in
    /// what it is started with, or that is too long.
    pub(super) fn start(&self, program: &Program, stdio: [BorrowedFd<'_>; 3]) -> io::Result<u64> {
        let number = self.asked.get().saturating_add(1);
        self.wire.send(&Order::Start(number, program.anchored()).write()?, &stdio)?;
        self.asked.set(number);
        Ok(number)
    }

    /// Ends a program with all of its group. One that has ended is not looked for.
    ///
    /// # Errors
    /// As of [`another`](Self::another).
    pub(super) fn end(&self, number: u64, how: Ending, grace: Duration) -> io::Result<()> {
        self.wire.send(&Order::End(number, how, grace).write()?, &[])
    }

    /// What has become of a program; `None`: nothing, by now.
    ///
    /// # Errors
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if the launcher has gone.
    pub(super) fn hear(&self) -> io::Result<Option<Note>> {
        let mut buffer = [0; LONGEST_NOTE];
        loop {
            match self.wire.receive(&mut buffer) {
                Ok(Some(heard)) => {
                    let note = buffer.get(..heard.length).and_then(Note::read);
                    return note.map(Some).ok_or(io::Error::new(io::ErrorKind::InvalidData, "this is no launcher"));
                }
                Ok(None) => return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the launcher has gone")),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(None),
                    // What it has said before it went is there; the end comes after it.
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionReset => {}
                    _ => return Err(error),
                },
            }
        }
    }
}

impl AsFd for Launcher {
    /// Readable when there is a note.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wire.as_fd()
    }
}

#[cfg(test)]
mod tests;
