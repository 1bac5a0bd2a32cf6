//! What is to be started: a program, with what it is told, where, and in what surroundings.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// What is to be started. A path without a slash is a name, to be looked for in `PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gateway) struct Program {
    pub(in crate::gateway) path: PathBuf,
    pub(in crate::gateway) arguments: Vec<OsString>,
    /// `None`: where whoever starts it is.
    pub(in crate::gateway) directory: Option<PathBuf>,
    pub(in crate::gateway) environment: Environment,
}

/// The variables that it finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Environment {
    /// These, and no others: RFC 3875, section 4.1, has its own.
    Own(Vec<(OsString, OsString)>),
    /// These, and those of whoever starts it; less what is between this program and its service manager.
    Added(Vec<(OsString, OsString)>),
}

/// What is not for programs that a server starts: its own variables, and what the service manager tells it alone.
const OWN: &[u8] = b"OWNHANDS_";
const OF_THE_MANAGER: [&str; 7] =
    ["NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "WATCHDOG_USEC", "WATCHDOG_PID"];

impl Program {
    /// The same for who stands elsewhere: relative paths begin where this process is.
    pub(super) fn anchored(&self) -> Program {
        let anchored = |path: &Path| std::path::absolute(path).unwrap_or(path.to_owned());
        let mut program = self.clone();
        if has_slash(&program.path) {
            program.path = anchored(&program.path);
        }
        program.directory = program.directory.as_deref().map(anchored);
        program
    }

    /// Starts it, in a process group of its own. No signal is blocked in it, and SIGPIPE ends it as it ends others; a
    /// signal that this process ignores, as `nohup` has it, is ignored by it too.
    ///
    /// # Errors
    /// What the system says, in a sentence.
    pub(super) fn start(&self, stdio: [OwnedFd; 3]) -> Result<Child, String> {
        let [stdin, stdout, stderr] = stdio;
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).stdin(stdin).stdout(stdout).stderr(stderr).process_group(0);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        let variables = match &self.environment {
            Environment::Own(variables) => {
                command.env_clear();
                variables
            }
            Environment::Added(variables) => {
                for (name, _) in env::vars_os().filter(|(name, _)| is_private(name)) {
                    command.env_remove(name);
                }
                variables
            }
        };
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.spawn().map_err(|error| self.why(&error))
    }

    /// The system says "no such file" of several.
    fn why(&self, error: &io::Error) -> String {
        let shown = self.path.display();
        if let Some(directory) = self.directory.as_deref().filter(|directory| !directory.is_dir()) {
            return format!("{shown} cannot be started: {} is no directory to start it in", directory.display());
        }
        if error.kind() == io::ErrorKind::NotFound && has_slash(&self.path) && self.path.exists() {
            return format!("{shown} cannot be started: there is no interpreter of the name in its first line");
        }
        format!("{shown} cannot be started: {error}")
    }
}

fn has_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().contains(&b'/')
}

fn is_private(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(OWN) || OF_THE_MANAGER.iter().any(|private| name == *private)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_the_server_and_its_manager_is_for_nobody_else() {
        for name in ["OWNHANDS_ROLE", "OWNHANDS_PORT", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] {
            assert!(is_private(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "HOME", "MY_OWNHANDS_", "OWNHANDS", "LISTEN", "PYTHONPATH"] {
            assert!(!is_private(OsStr::new(name)), "{name}");
        }
    }
}
