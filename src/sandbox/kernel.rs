//! What the kernel keeps watch over: files by rules, and all else by having none.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, NetPort, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::fs::{FileType, Mode, OFlags};

use super::SandboxError;

/// The newest rights that this was tried with: a later kernel has more of them, and a rule that nobody has tried might
/// take away what a server needs.
const NEWEST: ABI = ABI::V6;

/// What may be done with something in the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Read,
    Write,
    Remove,
    Work,
    Clear,
}

/// A right, and what it is for.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) fd: OwnedFd,
    pub(super) is_directory: bool,
    pub(super) right: Right,
}

impl Grant {
    pub(super) fn open(path: &Path, right: Right) -> Result<Self, SandboxError> {
        let failed = |errno: rustix::io::Errno| SandboxError::Path(path.to_owned(), errno.into());
        let fd = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
        let facts = rustix::fs::fstat(&fd).map_err(failed)?;
        Ok(Grant { fd, is_directory: FileType::from_raw_mode(facts.st_mode).is_dir(), right })
    }

    /// Of a file, only what one can do with it alone: the kernel refuses a rule of more.
    fn access(&self) -> BitFlags<AccessFs> {
        let into = AccessFs::WriteFile | AccessFs::Truncate;
        match (self.right, self.is_directory) {
            (Right::Read, true) => AccessFs::ReadFile | AccessFs::ReadDir,
            (Right::Read, false) => AccessFs::ReadFile.into(),
            (Right::Write, true) => into | AccessFs::MakeReg,
            (Right::Write, false) => into,
            (Right::Remove, _) => AccessFs::RemoveFile.into(),
            // With a name, for a moment, where the file system knows no files without.
            (Right::Work, _) => into | AccessFs::ReadFile | AccessFs::MakeReg | AccessFs::RemoveFile,
            (Right::Clear, _) => AccessFs::RemoveDir.into(),
        }
    }
}

/// Restricts this thread to these; says what holds from now on, and what does not. True if there are rules for files.
pub(super) fn restrict(
    grants: impl Iterator<Item = Grant>,
    ports: &[u16],
    held: &mut Vec<&'static str>,
    missing: &mut Vec<&'static str>,
) -> Result<bool, SandboxError> {
    let refused = |error: RulesetError| SandboxError::Refused("Landlock", io::Error::other(error));
    let ruleset = Ruleset::default().handle_access(AccessFs::from_all(NEWEST)).map_err(refused)?;
    let ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST)).map_err(refused)?;
    let mut ruleset = ruleset.scope(Scope::from_all(NEWEST)).map_err(refused)?.create().map_err(refused)?;
    for grant in grants {
        let access = grant.access();
        ruleset = ruleset.add_rule(PathBeneath::new(grant.fd, access)).map_err(refused)?;
    }
    for &port in ports {
        ruleset = ruleset.add_rule(NetPort::new(port, AccessNet::ConnectTcp)).map_err(refused)?;
    }
    let status = ruleset.restrict_self().map_err(refused)?;
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if status.ruleset != RulesetStatus::NotEnforced => {
            effective_abi
        }
        _ => ABI::Unsupported,
    };
    let files = match status.landlock {
        LandlockStatus::NotEnabled => {
            "forbid files and programs (Landlock is switched off: boot with lsm=landlock,...)"
        }
        _ => "forbid files and programs (it has no Landlock)",
    };
    let connections = if ports.is_empty() { "no TCP connections out" } else { "no other TCP connections out" };
    let parts = [
        (status.no_new_privs, "no new privileges", "forbid new privileges"),
        (abi >= ABI::V1, "no other files, no programs", files),
        (abi >= ABI::V4, connections, "forbid TCP connections out"),
        (abi >= ABI::V6, "no signals out", "forbid signals to others"),
    ];
    held.extend(parts.iter().filter(|(holds, ..)| *holds).map(|(_, what, _)| *what));
    missing.extend(parts.iter().filter(|(holds, ..)| !holds).map(|(.., could_not)| *could_not));
    if abi >= ABI::V1 && abi < ABI::V3 {
        missing.push("keep files from being cut short");
    }
    Ok(abi >= ABI::V1)
}
