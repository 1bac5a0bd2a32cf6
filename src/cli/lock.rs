//! What the command leaves itself when it is locked in: what it serves to be read, its logs to be written, no more.

use std::io;
use std::path::{Path, PathBuf};

use ownhands::connection::Bodies;
use ownhands::files::Links;
use ownhands::sandbox::{Locked, Sandbox, SandboxError, Strictness as Kernel};
use rustix::fs::{Access, Mode, OFlags};
use rustix::io::Errno;

use super::Failure;
use super::logs::Logs;
use super::options::{Addresses, Options, Sink};
use super::values::{Place, ScgiPlace, Strictness};

/// What is read now and then by whoever runs: the time zone, and the names of users, for a log one can read.
const KNOWLEDGE: [&str; 2] = ["/etc/localtime", "/etc/passwd"];

/// A directory of this name is the server's own: what is put there may be read at the next reload.
const OWN_DIRECTORY: &str = "ownhands";

/// Says what is wrong with the user, the group and the root, before anything is bound.
pub(super) fn check(options: &Options) -> Result<(), Failure> {
    Inside::of(options)?;
    identity(options).check().map_err(|error| failure(&error))
}

/// Says from where paths are relative: in a new root nobody could tell any more, when a reload reads them again.
pub(super) fn anchor(options: &mut Options, directory: &Path) {
    let Some(root) = &mut options.chroot else { return };
    let mounts = options.mounts.iter_mut().map(|(_, path)| path);
    let sockets = options.applications.scgi.iter_mut().filter_map(|(_, place)| place.path_mut());
    for path in options.paths.iter_mut().chain(mounts).chain(&mut options.listing_css).chain(sockets).chain([root]) {
        // Without the dots in it, which a comparison would stumble over.
        *path = directory.join(&*path).components().collect();
    }
}

/// Locks the process in, but for connections to these ports. From then on the paths of the options are what they are
/// inside of the new root, and long bodies lie in a directory of their own.
pub(super) fn lock(options: &mut Options, logs: &Logs, ports: &[u16]) -> Result<Option<Locked>, Failure> {
    if !is_wanted(options) {
        return Ok(None);
    }
    let inside = Inside::of(options)?;
    warn_of_logs(options);
    warn_of_the_root(options);
    let bodies = Bodies::private().unwrap_or_else(|error| {
        let place = std::env::temp_dir();
        log::warn!("long bodies are refused, as {} cannot be written: {error}: set TMPDIR", place.display());
        Bodies::default()
    });
    let failed = |error: io::Error| Failure::Run(format!("the process cannot be locked in: {error}"));
    let mut sandbox = logs.made_by_root().map_err(failed)?.into_iter().fold(sandbox(options), Sandbox::giving);
    sandbox = ports.iter().copied().fold(sandbox, Sandbox::connecting);
    if let Some(directory) = bodies.directory() {
        sandbox = sandbox.working_in(directory.try_clone_to_owned().map_err(failed)?);
    }
    if let Some(above) = bodies.above() {
        sandbox = sandbox.clearing(above.try_clone_to_owned().map_err(failed)?);
    }
    let locked = sandbox.lock().map_err(|error| failure(&error))?;
    options.config.bodies = bodies;
    inside.settle(options);
    Ok(Some(locked))
}

/// Fits what a reload has read to the process as it is: its paths are those from outside, and
/// what is locked stays locked.
pub(super) fn stay(old: &Options, new: &mut Options) -> Result<(), Failure> {
    if (&old.user, &old.group, &old.chroot, old.sandbox) != (&new.user, &new.group, &new.chroot, new.sandbox) {
        let why = "the user, the group, the root and the sandbox of a running server cannot be changed: restart it";
        return Err(Failure::Usage(why.to_owned()));
    }
    new.config.bodies = old.config.bodies.clone();
    if let Some(root) = old.chroot.clone() {
        Inside::by(new, |path| match path.strip_prefix(&root) {
            Ok(inside) => Ok(Path::new("/").join(inside)),
            Err(_) => Err(outside(path, &root)),
        })?
        .settle(new);
    }
    if old.sandbox == Strictness::Off {
        return Ok(());
    }
    let programs = new.applications.cgi.iter().map(|(_, directory)| directory.as_path());
    match served(new).chain(programs).find(|path| is_out_of_reach(path)) {
        Some(path) => {
            let shown = path.display();
            Err(Failure::Usage(format!("{shown} is new, or not the one it was, and out of reach: restart the server")))
        }
        None => Ok(()),
    }
}

/// True if its mode lets it be read, which is all that access(2) looks at, and the lock does not.
fn is_out_of_reach(path: &Path) -> bool {
    // Not to wait where it is a pipe.
    let opened = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
    opened.is_err_and(|error| error == Errno::ACCESS) && rustix::fs::access(path, Access::READ_OK).is_ok()
}

/// True if the process will be locked in, and cannot start another then.
pub(super) fn is_wanted(options: &Options) -> bool {
    options.sandbox != Strictness::Off || options.user.is_some() || options.group.is_some() || options.chroot.is_some()
}

fn failure(error: &SandboxError) -> Failure {
    let text = match error {
        SandboxError::UnknownUser(_) | SandboxError::NoGroup(_) => format!("--user: {error}"),
        SandboxError::UnknownGroup(_) => format!("--group: {error}"),
        SandboxError::NotRoot => format!("--user, --group and --chroot: {error}"),
        SandboxError::Kernel(_) => format!("--sandbox required: {error} (--sandbox best-effort)"),
        _ => error.to_string(),
    };
    if error.is_usage() { Failure::Usage(text) } else { Failure::Run(text) }
}

/// As whom, and where.
fn identity(options: &Options) -> Sandbox {
    let mut sandbox = Sandbox::new(match options.sandbox {
        Strictness::Off => Kernel::Off,
        Strictness::BestEffort => Kernel::BestEffort,
        Strictness::Required => Kernel::Required,
    });
    if let Some(user) = &options.user {
        sandbox = sandbox.with_user(user);
    }
    if let Some(group) = &options.group {
        sandbox = sandbox.with_group(group);
    }
    if let Some(root) = &options.chroot {
        sandbox = sandbox.with_chroot(root);
    }
    sandbox
}

/// And with what.
fn sandbox(options: &Options) -> Sandbox {
    let mut sandbox = identity(options);
    if options.sandbox == Strictness::Off {
        return sandbox;
    }
    sandbox = readable(options).into_iter().fold(sandbox, Sandbox::reading);
    sandbox = logs(options).map(written).fold(sandbox, Sandbox::writing);
    names(options).map(directory_of).fold(sandbox, Sandbox::removing)
}

/// What is taken out again at the end: the pid file and what stands beside it, and sockets in the file system.
fn names(options: &Options) -> impl Iterator<Item = &Path> {
    let places = match &options.addresses {
        Addresses::These(places) => places.as_slice(),
        Addresses::Lan => &[],
    };
    let sockets = places.iter().filter_map(|place| match place {
        Place::Unix(path) => Some(path.as_path()),
        Place::Ip(_) => None,
    });
    options.pid_file.as_deref().into_iter().chain(sockets)
}

/// What must be read, now and at a reload.
fn readable(options: &Options) -> Vec<PathBuf> {
    // Nobody knows where links will lead; who follows all of them wants all of it.
    if options.links == Links::Followed {
        return vec![options.chroot.clone().unwrap_or(PathBuf::from("/"))];
    }
    let mut paths: Vec<PathBuf> = served(options).map(held).collect();
    // Programs are looked for here, and started elsewhere; what has no body has this to read.
    paths.extend(options.applications.cgi.iter().map(|(_, directory)| directory.clone()));
    if !options.applications.cgi.is_empty() {
        paths.push(PathBuf::from("/dev/null"));
    }
    // The file of options is none of them: the herald opens it.
    paths.extend(options.listing_css.iter().map(|path| {
        let directory = directory_of(path);
        let is_own = directory.canonicalize().is_ok_and(|real| real.ends_with(OWN_DIRECTORY));
        if is_own { directory } else { path.clone() }
    }));
    // In a root of its own it would not find them.
    if options.chroot.is_none() {
        paths.extend(KNOWLEDGE.iter().map(PathBuf::from).filter(|path| path.exists()));
    }
    paths
}

/// What is served as files.
pub(super) fn served(options: &Options) -> impl Iterator<Item = &Path> {
    options.paths.iter().chain(options.mounts.iter().map(|(_, path)| path)).map(PathBuf::as_path)
}

/// Of a file that is served, the directory: the next edition is another file of the same name. Of a directory, itself.
fn held(path: &Path) -> PathBuf {
    match path.canonicalize() {
        Ok(real) if real.is_file() => directory_of(&real),
        _ => path.to_owned(),
    }
}

fn logs(options: &Options) -> impl Iterator<Item = &Path> {
    [&options.access_log, &options.log].into_iter().filter_map(|sink| match sink {
        Sink::File(path) => Some(path.as_path()),
        Sink::Standard | Sink::Off => None,
    })
}

/// Of a log, the directory, where the next file is created when it is reopened; a device or a pipe is itself again.
fn written(path: &Path) -> PathBuf {
    let is_special = std::fs::metadata(path).is_ok_and(|facts| !facts.is_file() && !facts.is_dir());
    if is_special { path.to_owned() } else { directory_of(path) }
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => path.to_owned(),
    }
}

/// Without the kernel's rules, a directory that is open is a way out of the root.
fn warn_of_the_root(options: &Options) {
    if options.chroot.is_some() && options.sandbox == Strictness::Off {
        log::warn!(
            "the directories of logs and of long bodies stay open, and are a way out of --chroot that only the sandbox \
             closes: leave out --sandbox off"
        );
    }
}

/// The kernel's rules hold for all below a directory: one for logs that holds the pages as well opens them to be
/// written. And a log that lies in what is served is served.
fn warn_of_logs(options: &Options) {
    for log in logs(options).filter_map(|path| path.canonicalize().ok()) {
        if let Some(path) = served(options).find(|path| path.canonicalize().is_ok_and(|path| log.starts_with(&path))) {
            log::warn!(
                "{} lies in {}, and is served: give logs a directory of their own",
                log.display(),
                path.display()
            );
        }
    }
    if options.sandbox == Strictness::Off {
        return;
    }
    for log in logs(options).map(written).filter_map(|directory| directory.canonicalize().ok()) {
        if let Some(path) = served(options).find(|path| path.canonicalize().is_ok_and(|path| path.starts_with(&log))) {
            log::warn!(
                "logs are written to {}, so {} in it can be written too: give logs a directory of their own",
                log.display(),
                path.display()
            );
        }
    }
}

/// The paths as they are inside of the new root.
struct Inside {
    paths: Vec<PathBuf>,
    mounts: Vec<(String, PathBuf)>,
    scgi: Vec<(String, ScgiPlace)>,
    listing_css: Option<PathBuf>,
}

impl Inside {
    fn of(options: &Options) -> Result<Self, Failure> {
        let Some(root) = &options.chroot else { return Inside::by(options, |path| Ok(path.to_owned())) };
        let wrong = |error| Failure::Usage(format!("--chroot {}: {error}: create it, or name another", root.display()));
        let real_root = root.canonicalize().map_err(wrong)?;
        Inside::by(options, |path| match path.canonicalize() {
            Ok(real) => match real.strip_prefix(&real_root) {
                Ok(inside) => Ok(Path::new("/").join(inside)),
                Err(_) => Err(outside(path, root)),
            },
            Err(error) => Err(Failure::Usage(format!("{} cannot be served: {error}", path.display()))),
        })
    }

    fn by(options: &Options, inside: impl Fn(&Path) -> Result<PathBuf, Failure>) -> Result<Self, Failure> {
        let mount = |(prefix, path): &(String, PathBuf)| Ok((prefix.clone(), inside(path)?));
        // Who listens at a socket may not have made it yet.
        let socket = |path: &Path| Ok(inside(&directory_of(path))?.join(path.file_name().unwrap_or_default()));
        let server = |(prefix, place): &(String, ScgiPlace)| {
            let place = match place {
                ScgiPlace::Unix(path) => ScgiPlace::Unix(socket(path)?),
                ScgiPlace::Host(_) => place.clone(),
            };
            Ok((prefix.clone(), place))
        };
        Ok(Inside {
            paths: options.paths.iter().map(|path| inside(path)).collect::<Result<_, _>>()?,
            mounts: options.mounts.iter().map(mount).collect::<Result<_, Failure>>()?,
            scgi: options.applications.scgi.iter().map(server).collect::<Result<_, Failure>>()?,
            listing_css: options.listing_css.as_deref().map(&inside).transpose()?,
        })
    }

    fn settle(self, options: &mut Options) {
        options.paths = self.paths;
        options.mounts = self.mounts;
        options.applications.scgi = self.scgi;
        options.listing_css = self.listing_css;
    }
}

fn outside(path: &Path, root: &Path) -> Failure {
    let (path, root) = (path.display(), root.display());
    Failure::Usage(format!("{path} is not in the --chroot {root}: move it there, or name a root that both are in"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::super::options::{Asked, read};
    use super::*;

    fn options(arguments: &[&str]) -> Box<Options> {
        match read(["ownhands"].iter().chain(arguments).map(Into::into), std::iter::empty()) {
            Ok(Asked::Serve(options)) => options,
            _ => panic!("{arguments:?}"),
        }
    }

    fn said(failure: Result<impl Sized, Failure>) -> String {
        match failure {
            Err(Failure::Usage(text)) => text,
            Err(Failure::Run(text)) => format!("run: {text}"),
            Ok(_) => "ok".to_owned(),
        }
    }

    #[test]
    fn what_is_read_is_what_is_served() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        let (www, own) = (base.join("www"), base.join("ownhands"));
        for directory in [&www, &own] {
            std::fs::create_dir(directory).unwrap();
        }
        let (page, css, theirs) = (www.join("page.txt"), own.join("look.css"), base.join("look.css"));
        for file in [&page, &css, &theirs] {
            std::fs::write(file, "").unwrap();
        }
        let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
        let mount = format!("/more={}", base.display());
        let cases: [(&[&str], &[&PathBuf]); 6] = [
            (&[&text(&www)], &[&www]),
            (&[&text(&www), "--mount", &mount], &[&www, &base]),
            (&[&text(&page)], &[&www]),
            (&[&text(&www), "--listing-css", &text(&theirs)], &[&www, &theirs]),
            (&[&text(&www), "--listing-css", &text(&css)], &[&www, &own]),
            (&[&text(&www), "--follow-links"], &[&PathBuf::from("/")]),
        ];
        for (arguments, expected) in cases {
            let mut paths = readable(&options(arguments));
            paths.retain(|path| !KNOWLEDGE.iter().any(|known| path == Path::new(known)));
            assert_eq!(paths.iter().collect::<Vec<_>>(), expected, "{arguments:?}");
        }
    }

    #[test]
    fn logs_are_written_where_they_are() {
        for (log, expected) in [("/var/log/a.log", "/var/log"), ("a.log", "."), ("/dev/null", "/dev/null")] {
            assert_eq!(written(Path::new(log)), PathBuf::from(expected), "{log}");
        }
        assert_eq!(logs(&options(&["--access-log", "off"])).count(), 0);
        assert_eq!(logs(&options(&["--access-log", "a", "--log", "b"])).count(), 2);
    }

    #[test]
    fn in_a_new_root_paths_begin_there() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(base.join("site/pages")).unwrap();
        let root = base.join("site");
        let (root, pages) = (root.to_str().unwrap(), base.join("site/pages"));
        let mut inner = options(&[pages.to_str().unwrap(), root, "--chroot", root]);
        let found = Inside::of(&inner).map(|inside| inside.settle(&mut inner));
        assert_eq!(said(found), "ok");
        assert_eq!(inner.paths, [Path::new("/pages"), Path::new("/")]);

        let outer = said(Inside::of(&options(&[base.to_str().unwrap(), "--chroot", root])));
        assert!(outer.contains(" is not in the --chroot "), "{outer}");
        let none = said(Inside::of(&options(&[root, "--chroot", "/no/such"])));
        assert!(none.starts_with("--chroot /no/such: "), "{none}");
    }

    #[test]
    fn a_reload_stays_inside() {
        let mut old = options(&["/srv/site", "--chroot", "/srv", "--user", "nobody"]);
        old.config.bodies = Bodies::private().unwrap();
        let mut new = options(&["/srv/other", "--chroot", "/srv", "--user", "nobody"]);
        assert_eq!(said(stay(&old, &mut new)), "ok");
        assert_eq!(new.paths, [Path::new("/other")]);
        assert!(new.config.bodies == old.config.bodies);

        let mut outer = options(&["/home/site", "--chroot", "/srv", "--user", "nobody"]);
        assert!(said(stay(&old, &mut outer)).starts_with("/home/site is not in the --chroot /srv: "));
        for other in [&["/srv", "--chroot", "/srv"][..], &["/srv"], &["/srv", "--sandbox", "off"]] {
            assert!(said(stay(&old, &mut options(other))).contains("cannot be changed"), "{other:?}");
        }
    }
}
