//! Layer 4: locking the process in, once it listens: as whom it runs, what it sees, and what it may still do.
//!
//! A server that has bound its sockets and opened its logs needs little: to read what it serves, and to write what is
//! open already. Whoever takes it over should get no more. What the kernel cannot do is said, never passed over in
//! silence. Nothing here knows what HTTP is; and nothing here can be undone.
//!
//! On the files, [Landlock](https://docs.kernel.org/userspace-api/landlock.html) keeps watch, which needs no root.
//! What it means in practice:
//!
//! - It holds for the thread that locks and for those which this one starts from then on. So it comes before any thread
//!   is started, and [`lock`](Sandbox::lock) refuses where there is more than one, unless it is told that
//!   [others](Sandbox::beside_others) are known.
//! - A rule belongs to the file or directory that was there when it was made. Another one that is put in its
//!   place later, under the same name, is not to be had: a release that is switched by a link needs its
//!   parent as root, or a restart.
//! - A rule holds for a directory with all below it, and no other takes back what it gives. Logs in a directory of
//!   their own are the way to keep the rest from being written.
//! - What was open before stays open; a directory among it is a way out of a root that was changed, which these rules
//!   close and nothing else does.
//! - Size, time and mode of a file (stat) are not kept secret; datagrams (UDP) are not held back, and neither
//!   are connections to sockets in the file system: who has the right to write to one may still speak to it.
//!   Another user has fewer of them.

mod error;
mod kernel;
mod locked;
mod who;

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::process::{DumpableBehavior, Resource, Rlimit};

use kernel::{Grant, Right};
use who::Who;

pub use error::SandboxError;
pub use locked::Locked;

/// How much of the lock there must be.
///
/// ```
/// use ownhands::sandbox::{Sandbox, Strictness};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// Sandbox::new(Strictness::Required).reading("/").check()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// No lock: only the user, the group and the root that were asked for.
    Off,
    /// As much as this kernel can; the rest is told.
    BestEffort,
    /// All of it, or an error.
    Required,
}

/// What is left to a process that has locked itself in: without a word more, to go on with what it has open.
///
/// ```no_run
/// use ownhands::sandbox::{Sandbox, Strictness};
/// use ownhands::{App, Config, Files, Listener, Server, connection::Bodies};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listeners = vec![Listener::tcp("0.0.0.0:80".parse()?)?]; // while this is root
/// let bodies = Bodies::private()?;
///
/// let mut sandbox = Sandbox::new(Strictness::BestEffort).with_user("nobody").reading("/srv/www");
/// if let Some(directory) = bodies.directory() {
///     sandbox = sandbox.working_in(directory.try_clone_to_owned()?);
/// }
/// if let Some(above) = bodies.above() {
///     sandbox = sandbox.clearing(above.try_clone_to_owned()?);
/// }
/// println!("{}", sandbox.lock()?);
///
/// let mut app = App::new();
/// app.mount("/", Files::new("/srv/www")?)?;
/// Server::new(listeners, Config { bodies, ..Config::default() }, app)?.run()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Sandbox {
    strictness: Strictness,
    user: Option<String>,
    group: Option<String>,
    root: Option<PathBuf>,
    paths: Vec<(PathBuf, Right)>,
    rooms: Vec<(OwnedFd, Right)>,
    ports: Vec<u16>,
    gifts: Vec<OwnedFd>,
    is_alone: bool,
}

impl Sandbox {
    /// With nothing left to do yet.
    #[must_use]
    pub fn new(strictness: Strictness) -> Self {
        Sandbox {
            strictness,
            user: None,
            group: None,
            root: None,
            paths: Vec::new(),
            rooms: Vec::new(),
            ports: Vec::new(),
            gifts: Vec::new(),
            is_alone: true,
        }
    }

    /// Becomes this user, given by name or number, and its group. Other groups of the user are left behind: membership
    /// meant for a person, say in the group that reads all logs, is none of a server's business. Needs root.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Hands this file, which root has opened, to the user and the group: so that they may open it again later.
    #[must_use]
    pub fn giving(mut self, file: OwnedFd) -> Self {
        self.gifts.push(file);
        self
    }

    /// Becomes a member of this group alone, given by name or number, and not of the user's. Needs root.
    #[must_use]
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Sees this directory as `/`, and nothing above it. The paths given here are still those from before. Needs root;
    /// and should not be left with it, who can get out of such a place.
    #[must_use]
    pub fn with_chroot(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// May read this file, or this directory with all below it. Never executes what is there.
    #[must_use]
    pub fn reading(self, path: impl Into<PathBuf>) -> Self {
        self.granting(path.into(), Right::Read)
    }

    /// May create files in this directory, or below, and write to those there; or may write to this file.
    #[must_use]
    pub fn writing(self, path: impl Into<PathBuf>) -> Self {
        self.granting(path.into(), Right::Write)
    }

    /// May remove files from this directory, or below: sockets and other files that end with the process.
    #[must_use]
    pub fn removing(self, directory: impl Into<PathBuf>) -> Self {
        self.granting(directory.into(), Right::Remove)
    }

    /// May create, write, read and remove files in this directory, which becomes the user's; such as that of
    /// [`Bodies`](crate::connection::Bodies).
    #[must_use]
    pub fn working_in(mut self, directory: OwnedFd) -> Self {
        self.rooms.push((directory, Right::Work));
        self
    }

    /// May remove empty directories from this one, or below: the one that was worked in, at the end.
    #[must_use]
    pub fn clearing(mut self, directory: OwnedFd) -> Self {
        self.rooms.push((directory, Right::Clear));
        self
    }

    /// May connect to this TCP port, of this machine and of any other: the kernel's rules know no hosts.
    #[must_use]
    pub fn connecting(mut self, port: u16) -> Self {
        if !self.ports.contains(&port) {
            self.ports.push(port);
        }
        self
    }

    /// Locks in this thread and those that it starts from then on, and leaves out the others that are running:
    /// what they can do, whoever takes over this one may be able to make them do. For a process with threads of
    /// no choice, such as a test.
    #[must_use]
    pub fn beside_others(mut self) -> Self {
        self.is_alone = false;
        self
    }

    fn granting(mut self, path: PathBuf, right: Right) -> Self {
        if !self.paths.iter().any(|(other, theirs)| *other == path && *theirs == right) {
            self.paths.push((path, right));
        }
        self
    }

    /// Says what [`lock`](Self::lock) would say of what it was told, and does nothing: for a start that should fail
    /// before it binds anything.
    ///
    /// # Errors
    /// A user, a group or a path that is not there, or too few rights.
    ///
    /// # Examples
    /// ```
    /// use ownhands::sandbox::{Sandbox, Strictness};
    ///
    /// let error = Sandbox::new(Strictness::Off).with_user("nobody-at-all").check().unwrap_err();
    /// assert_eq!(error.to_string(), "there is no user nobody-at-all: name one that is in /etc/passwd, or give a number");
    /// ```
    pub fn check(&self) -> Result<(), SandboxError> {
        self.find_who()?;
        self.open_root()?;
        self.open_grants().map(drop)
    }

    /// Locks the process in, for good: its user and its groups in the whole process, the rest in this thread and in
    /// those it starts from now on. In this order: who is found out by name, the paths are opened, the root is changed,
    /// the groups and the user; no core dumps, no new privileges, Landlock.
    ///
    /// # Errors
    /// What could not be done. The process may be halfway in by then, and should end.
    pub fn lock(self) -> Result<Locked, SandboxError> {
        let who = self.find_who()?;
        let root = self.open_root()?;
        let mut missing = Vec::new();
        if self.strictness != Strictness::Off && self.is_alone {
            missing.extend(alone()?);
        }
        let grants = self.open_grants()?;
        for (room, _) in self.rooms.iter().filter(|(_, right)| *right == Right::Work) {
            who.own(room)?;
        }
        for gift in &self.gifts {
            who.own(gift)?;
        }
        if let Some(root) = root {
            enter(&root)?;
        }
        who.appear()?;
        let mut held = Vec::new();
        let mut has_rules = false;
        if self.strictness != Strictness::Off {
            forbid_dumps()?;
            held.push("no core dumps");
            let rooms =
                self.rooms.into_iter().map(|(directory, right)| Grant { fd: directory, is_directory: true, right });
            let grants = grants.into_iter().chain(rooms);
            has_rules = kernel::restrict(grants, &self.ports, &mut held, &mut missing)?;
        }
        if self.strictness == Strictness::Required && !missing.is_empty() {
            return Err(SandboxError::Kernel(missing));
        }
        Ok(Locked {
            who,
            root: self.root,
            paths: self.paths,
            ports: self.ports,
            held,
            missing,
            is_off: self.strictness == Strictness::Off,
            has_rules,
        })
    }

    fn find_who(&self) -> Result<Who, SandboxError> {
        let is_root = rustix::process::geteuid().is_root();
        if !is_root && (self.user.is_some() || self.group.is_some() || self.root.is_some()) {
            return Err(SandboxError::NotRoot);
        }
        Who::find(self.user.as_deref(), self.group.as_deref())
    }

    fn open_root(&self) -> Result<Option<OwnedFd>, SandboxError> {
        let Some(path) = &self.root else { return Ok(None) };
        let root = rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        root.map(Some).map_err(|errno| SandboxError::Path(path.clone(), errno.into()))
    }

    /// Opened from outside, before the root is changed: a rule is about what was opened, whatever its path is then.
    fn open_grants(&self) -> Result<Vec<Grant>, SandboxError> {
        self.paths.iter().map(|(path, right)| Grant::open(path, *right)).collect()
    }
}

/// Refuses where other threads would stay outside; says what could not be found out.
fn alone() -> Result<Option<&'static str>, SandboxError> {
    match fs::read_dir("/proc/self/task") {
        Ok(threads) => match threads.count() {
            0 | 1 => Ok(None),
            threads => Err(SandboxError::Threads(threads)),
        },
        Err(_) => Ok(Some("count the threads, for there is no /proc")),
    }
}

/// Makes this directory the root. The working directory goes along: one that is left outside is the way out.
fn enter(root: &OwnedFd) -> Result<(), SandboxError> {
    let refused = |errno| SandboxError::refused("the root cannot be changed", errno);
    rustix::process::fchdir(root).map_err(refused)?;
    rustix::process::chroot(".").map_err(refused)?;
    rustix::process::chdir(Path::new("/")).map_err(refused)
}

/// What is in memory is not for the disk, and not for another process of the same user.
fn forbid_dumps() -> Result<(), SandboxError> {
    let refused = |errno| SandboxError::refused("core dumps cannot be switched off", errno);
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).map_err(refused)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(refused)
}
