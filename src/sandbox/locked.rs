//! What has become of a process that locked itself in.

use std::fmt;
use std::path::PathBuf;

use super::kernel::Right;
use super::who::Who;

/// What has become of a process that locked itself in. As text it is a line for the log, without its end.
///
/// ```no_run
/// use ownhands::sandbox::{Sandbox, Strictness};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let locked = Sandbox::new(Strictness::BestEffort).with_user("www-data").reading("/srv/www").lock()?;
/// println!("{locked}"); // locked in: user www-data, group www-data, reads /srv/www, no core dumps, ...
/// if !locked.is_complete() {
///     println!("a newer kernel could also {}", locked.missing().join(", "));
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Locked {
    pub(super) who: Who,
    pub(super) root: Option<PathBuf>,
    pub(super) paths: Vec<(PathBuf, Right)>,
    pub(super) ports: Vec<u16>,
    pub(super) held: Vec<&'static str>,
    pub(super) missing: Vec<&'static str>,
    pub(super) is_off: bool,
    /// Without any, it may do with files what its user may.
    pub(super) has_rules: bool,
}

impl Locked {
    /// True if the kernel could do all of it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// What it could not do.
    #[must_use]
    pub fn missing(&self) -> &[&'static str] {
        &self.missing
    }

    fn paths(&self, word: &str, right: Right) -> Option<String> {
        let paths = self.paths.iter().filter(|(_, theirs)| *theirs == right);
        let paths: Vec<String> = paths.map(|(path, _)| path.display().to_string()).collect();
        (!paths.is_empty() && self.has_rules).then(|| format!("{word} {}", paths.join(" and ")))
    }
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = match &self.who.user {
            Some(user) => Some(format!("user {}", user.name)),
            None => rustix::process::geteuid().is_root().then(|| "still user root".to_owned()),
        };
        let group = self.who.group.as_ref().map(|group| format!("group {}", group.name));
        let root = self.root.as_ref().map(|root| format!("root {}", root.display()));
        let reads = self.paths("reads", Right::Read);
        let writes = self.paths("writes", Right::Write);
        let removes = self.paths("removes files in", Right::Remove);
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        let connects =
            (!ports.is_empty() && self.has_rules).then(|| format!("connects to port {}", ports.join(" and ")));
        let held = self.held.iter().map(|&what| what.to_owned());
        let parts = [user, group, root, reads, writes, removes, connects].into_iter().flatten().chain(held);
        let head = if self.is_off { "not locked in" } else { "locked in" };
        write!(f, "{head}: {}", parts.collect::<Vec<_>>().join(", "))?;
        if !self.missing.is_empty() {
            write!(f, "; the kernel could not: {}", self.missing.join(", "))?;
        }
        Ok(())
    }
}
