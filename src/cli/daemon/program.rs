//! This program, to be started once more: by the verbs, for an upgrade, and as its own herald or launcher.
//!
//! A process that is started by another of this program learns from one variable what it is meant to be. Its arguments
//! are those of the first one, word by word: what they mean is decided in one place.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that says what a process is meant to be. It is for this program alone.
pub(in crate::cli) const ROLE: &str = "OWNHANDS_ROLE";

/// What a process of this program is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Role {
    /// What its arguments say.
    Asked,
    /// A server that leaves the terminal once it listens.
    Server,
    /// A server that takes over from the one at the other end of its stdin.
    Successor,
    /// What starts a successor for a server that cannot any more.
    Herald,
    /// What starts the programs of applications.
    Launcher,
}

impl Role {
    const WORDS: [(&str, Role); 4] = [
        ("server", Role::Server),
        ("successor", Role::Successor),
        ("herald", Role::Herald),
        ("launcher", Role::Launcher),
    ];

    /// What this process is meant to be; `None` if the variable says what nobody knows.
    pub(in crate::cli) fn own() -> Option<Role> {
        let Some(word) = env::var_os(ROLE).filter(|word| !word.is_empty()) else { return Some(Role::Asked) };
        Role::WORDS.iter().find(|(name, _)| *name == word).map(|&(_, role)| role)
    }

    fn word(self) -> &'static str {
        Role::WORDS.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| word)
    }
}

/// The file of this program, and the arguments it was started with.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    /// To be asked early: the system gives the file that is running, and once it was replaced that has no name any
    /// more. Where it does not (without `/proc`), the name that it was called by must do.
    pub(in crate::cli) fn own() -> Program {
        Program::of(env::args_os().collect(), env::current_exe().ok())
    }

    fn of(arguments: Vec<OsString>, running: Option<PathBuf>) -> Program {
        let name = arguments.first();
        let path = match running {
            Some(running) => name.and_then(|name| called(name, &running)).unwrap_or(running),
            // A lone name is looked for in PATH whenever it is started.
            None => name.map(|name| anchored(name)).unwrap_or_default(),
        };
        Program { path, arguments }
    }

    /// The same for a process that was started by [`again`](Self::again): it need not ask, and the name may have been
    /// given to another file since.
    pub(super) fn as_started() -> Option<Program> {
        let arguments: Vec<OsString> = env::args_os().collect();
        let path = arguments.first().map(PathBuf::from).filter(|path| path.is_absolute())?;
        Some(Program { path, arguments })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// To start it again as this.
    pub(super) fn again(&self, role: Role) -> Command {
        let mut command = Command::new(&self.path);
        command.arg0(&self.path).args(self.arguments.iter().skip(1)).env(ROLE, role.word());
        command
    }
}

fn anchored(name: &OsStr) -> PathBuf {
    let path = PathBuf::from(name);
    if has_slash(name) { std::path::absolute(&path).unwrap_or(path) } else { path }
}

fn has_slash(name: &OsStr) -> bool {
    name.as_encoded_bytes().contains(&b'/')
}

/// The name that the program was called by, if it is a name of what is running: an upgrade may turn a link to another
/// file, and who asks the system alone would start the old one for ever.
fn called(name: &OsStr, running: &Path) -> Option<PathBuf> {
    let is_running = |path: &PathBuf| path.canonicalize().is_ok_and(|path| path == running);
    if has_slash(name) {
        return std::path::absolute(name).ok().filter(is_running);
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path).filter_map(|folder| std::path::absolute(folder.join(name)).ok()).find(is_running)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn where_the_system_does_not_say_its_name_must_do() {
        let path = |name: &str| Program::of(vec![name.into(), "start".into()], None).path;
        assert_eq!(path("/usr/bin/ownhands"), Path::new("/usr/bin/ownhands"));
        assert_eq!(path("bin/ownhands"), env::current_dir().unwrap().join("bin/ownhands"));
        assert_eq!(path("ownhands"), Path::new("ownhands"));
    }

    #[test]
    fn it_is_known_by_the_link_it_was_called_by() {
        let running = env::current_exe().unwrap().canonicalize().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&running, &link).unwrap();
        assert_eq!(called(link.as_os_str(), &running), Some(link));
        assert_eq!(called(OsStr::new("/bin/sh"), &running), None);
        assert_eq!(called(OsStr::new("no program has this name"), &running), None);
    }
}
