//! The other end of a launcher: what starts programs, watches them, and buries them.
//!
//! It sleeps until somebody says something, a program ends, or a grace is over. Whoever is at a wire is believed
//! nothing but what it asks for, and there is an end to what it may ask for: who floods it waits for himself.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::message::{Ending, LONGEST, Note, Order};
use super::orphans::Orphans;
use super::program::Program;
use super::ward::Ward;
use super::wire::Wire;

/// How long a program may take to end when the wire that it was started through has been closed.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// Orders of one wire that are heard before the others are looked after.
const SHARE: usize = 16;

/// Programs that run at one time: far more than a server wants, and fewer than a system bears.
const MOST_WARDS: usize = 1024;

/// Wires at one time: one for each gateway of a server, and of the one that a reload has just replaced.
const MOST_WIRES: usize = 256;

/// How often programs are looked after where the system does not say that one has ended.
const BEAT: Duration = Duration::from_millis(50);

/// The other end of a [`Launcher`](super::Launcher): starts what it is asked for, until all wires are
/// closed and all that it has started has ended. It is all that its process does: whatever becomes a child
/// of this process is buried here.
///
/// ```no_run
/// use std::os::fd::AsFd;
///
/// use ownhands::gateway;
///
/// # fn main() -> std::io::Result<()> {
/// // In a process that was started with the end of a wire as its stdin.
/// gateway::attend(std::io::stdin().as_fd().try_clone_to_owned()?)
/// # }
/// ```
///
/// # Errors
/// What the system says of the wire. What goes wrong with a program is told over it.
pub fn attend(wire: OwnedFd) -> io::Result<()> {
    let orphans = Orphans::take_in()?;
    Attendant::new(Wire::new(wire)?, Some(orphans)).run()
}

#[derive(Debug)]
pub(super) struct Attendant {
    posts: Vec<Post>,
    /// `None`: this process has children of its own.
    orphans: Option<Orphans>,
    buffer: Vec<u8>,
}

/// A wire, and what was started through it.
#[derive(Debug)]
struct Post {
    /// `None`: it has been closed.
    wire: Option<Wire>,
    wards: Vec<Ward>,
    /// What there was no room for. Until there is, nothing more is heard.
    unsaid: VecDeque<Note>,
}

impl Attendant {
    pub(super) fn new(wire: Wire, orphans: Option<Orphans>) -> Attendant {
        Attendant { posts: vec![Post::new(wire)], orphans, buffer: vec![0; LONGEST] }
    }

    pub(super) fn run(mut self) -> io::Result<()> {
        while !self.posts.is_empty() {
            self.sleep()?;
            self.turn(Instant::now());
        }
        Ok(())
    }

    /// Until there is something to do.
    fn sleep(&self) -> io::Result<()> {
        let wires = self.posts.iter().filter_map(|post| {
            let wanted = if post.unsaid.is_empty() { PollFlags::IN } else { PollFlags::OUT };
            post.wire.as_ref().map(|wire| (wire.as_fd(), wanted))
        });
        let ends = self.wards().filter_map(Ward::end).map(|end| (end, PollFlags::IN));
        let bell = self.orphans.iter().map(|orphans| (orphans.bell(), PollFlags::IN));
        let watched = wires.chain(ends).chain(bell);
        let mut watched: Vec<PollFd<'_>> = watched.map(|(fd, wanted)| PollFd::from_borrowed_fd(fd, wanted)).collect();
        let timeout = self.at_most().map(|time| Timespec::try_from(time).unwrap_or_default());
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn wards(&self) -> impl Iterator<Item = &Ward> {
        self.posts.iter().flat_map(|post| &post.wards)
    }

    /// How long nothing is to be done, unless something happens.
    fn at_most(&self) -> Option<Duration> {
        let deadline = self.wards().filter_map(Ward::deadline).min();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let is_blind = self.wards().any(|ward| ward.end().is_none());
        if is_blind { Some(left.map_or(BEAT, |left| left.min(BEAT))) } else { left }
    }

    /// Whatever it was that happened, all are looked after: there are few.
    fn turn(&mut self, now: Instant) {
        let mut running = self.wards().count();
        let mut others = Vec::new();
        for post in &mut self.posts {
            post.listen(&mut self.buffer, &mut running, &mut others, now);
        }
        for wire in others {
            // One too many is closed, and so hears that it is.
            if self.posts.len() < MOST_WIRES {
                self.posts.push(Post::new(wire));
            }
        }
        let posts = &mut self.posts;
        posts.iter_mut().for_each(|post| post.bury(now));
        if let Some(orphans) = &self.orphans {
            orphans.bury(|process, status| {
                let wards = posts.iter_mut().flat_map(|post| &mut post.wards);
                wards.for_each(|ward| ward.was_buried(process, status));
            });
            posts.iter_mut().for_each(|post| post.bury(now));
        }
        posts.iter_mut().for_each(Post::speak);
        posts.retain(|post| post.wire.is_some() || !post.wards.is_empty());
    }
}

impl Post {
    fn new(wire: Wire) -> Post {
        Post { wire: Some(wire), wards: Vec::new(), unsaid: VecDeque::new() }
    }

    /// Does what it is asked for.
    fn listen(&mut self, buffer: &mut [u8], running: &mut usize, others: &mut Vec<Wire>, now: Instant) {
        for _ in 0..SHARE {
            let Some(wire) = self.wire.as_ref().filter(|_| self.unsaid.is_empty()) else { return };
            let heard = match wire.receive(buffer) {
                Ok(Some(heard)) => heard,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => return,
                Ok(None) | Err(_) => return self.close(now),
            };
            match buffer.get(..heard.length).and_then(Order::read) {
                Some(Order::Start(number, program)) => match start(number, &program, heard.descriptors, *running) {
                    Ok(ward) => {
                        *running = running.saturating_add(1);
                        self.wards.push(ward);
                    }
                    Err(why) => self.say(Note::Failed { number, why }),
                },
                Some(Order::End(number, how, grace)) => {
                    // It may have ended meanwhile.
                    let ward = self.wards.iter_mut().find(|ward| ward.number() == number);
                    ward.into_iter().for_each(|ward| ward.tell(how, grace, now));
                }
                Some(Order::Another) => {
                    others.extend(heard.descriptors.into_iter().filter_map(|wire| Wire::new(wire).ok()));
                }
                // Who speaks another language has nothing to say here.
                None => return self.close(now),
            }
        }
    }

    /// Nobody is there any more: what it has started is not wanted either.
    fn close(&mut self, now: Instant) {
        self.wire = None;
        self.unsaid.clear();
        self.wards.iter_mut().for_each(|ward| ward.tell(Ending::Terminate, GRACE, now));
    }

    fn bury(&mut self, now: Instant) {
        let mut notes = Vec::new();
        self.wards.retain_mut(|ward| {
            let note = ward.bury();
            let is_running = note.is_none();
            notes.extend(note);
            is_running
        });
        self.wards.iter_mut().for_each(|ward| ward.hurry(now));
        notes.into_iter().for_each(|note| self.say(note));
    }

    fn say(&mut self, note: Note) {
        if self.wire.is_some() {
            self.unsaid.push_back(note);
            self.speak();
        }
    }

    /// Says what there is room for. Who has gone is heard of by the end of the wire.
    fn speak(&mut self) {
        let Some(wire) = &self.wire else { return };
        while let Some(note) = self.unsaid.front() {
            match wire.send(&note.write(), &[]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                _ => self.unsaid.pop_front(),
            };
        }
    }
}

fn start(number: u64, program: &Program, descriptors: Vec<OwnedFd>, running: usize) -> Result<Ward, String> {
    if running >= MOST_WARDS {
        return Err(format!("{} is not started: {running} programs are running", program.path.display()));
    }
    let stdio = <[OwnedFd; 3]>::try_from(descriptors).map_err(|got| {
        let shown = program.path.display();
        format!("{shown} is not started: {} of its descriptors came, there may be no room for more", got.len())
    })?;
    program.start(stdio).map(|child| Ward::new(number, child))
}
