//! Applications beside the files, as the options have them: what goes together, what must be there, and what to warn
//! of. Who runs them is the [staff](super::staff).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::config::Origins;
use super::flags::Applications;
use super::options::Options;
use super::{Failure, lock};

impl Applications {
    /// True if programs have to be started.
    pub(super) fn want_programs(&self) -> bool {
        self.wsgi.is_some() || !self.cgi.is_empty()
    }

    /// True if what is served where nothing is named is no directory: the working directory holds the application's
    /// sources, or `/` is another's.
    pub(super) fn fills_the_root(&self) -> bool {
        self.wsgi.is_some() || self.at_the_root().is_some()
    }

    /// The option by which there is an application at `/`.
    fn at_the_root(&self) -> Option<&'static str> {
        if self.wsgi.is_some() && is_root(&self.wsgi_path) {
            return Some("wsgi");
        }
        self.scgi.iter().any(|(prefix, _)| is_root(prefix)).then_some("scgi")
    }

    /// The Python that is meant: a directory that is a virtual environment has one.
    pub(super) fn interpreter(&self) -> PathBuf {
        let inside = self.python.join("bin/python");
        if self.python.is_dir() && inside.exists() { inside } else { self.python.clone() }
    }
}

/// Says what does not go together.
pub(super) fn check(
    applications: &Applications,
    paths: &[PathBuf],
    is_demo: bool,
    has_root: bool,
    origins: &Origins,
) -> Result<(), Failure> {
    if has_root && applications.want_programs() {
        let name = if applications.wsgi.is_some() { "wsgi" } else { "cgi" };
        let why = format!("--{name} starts programs, which would stand outside of --chroot: leave out one of them");
        return Err(origins.blame(name, why));
    }
    let (name, why) = match (applications.at_the_root(), !paths.is_empty(), applications.try_files) {
        (Some(_), true, true) if is_demo => {
            ("try-files", "the demo answers at / itself: leave out --try-files".to_owned())
        }
        (Some(name), true, false) => {
            let way = if name == "wsgi" { "--wsgi-path /app" } else { "--scgi /app=..." };
            let why = format!(
                "--{name} and what is to be served are both at /: say --try-files, and a file goes first where there is one, \
                 or give one of them a path of its own, by {way} or --mount /static=DIR"
            );
            (name, why)
        }
        (Some(_), false, true) => ("try-files", "--try-files is for files: name their directory".to_owned()),
        (None, _, true) => {
            ("try-files", "--try-files is for an application at /: name one by --wsgi or --scgi".to_owned())
        }
        _ => return Ok(()),
    };
    Err(origins.blame(name, why))
}

/// Says what is not there that should be.
pub(super) fn check_places(options: &Options) -> Result<(), Failure> {
    let applications = &options.applications;
    let blame = |name: &str, why: String| Err(options.origins.blame(name, why));
    if let Some(application) = &applications.wsgi {
        if let Some((file, module, callable)) = file_for_module(application, applications.chdir.as_deref()) {
            return blame("wsgi", format!("{file} is a file: name the module, by --wsgi {module}:{callable}"));
        }
        if let Some(why) = applications.chdir.as_deref().and_then(no_directory) {
            return blame("chdir", format!("{why}: name another one by --chdir"));
        }
        let python = applications.interpreter();
        let is_path = python.as_os_str().as_encoded_bytes().contains(&b'/');
        if python.is_dir() {
            let why = "is a directory, and no virtual environment: there is no bin/python in it";
            return blame("python", format!("{} {why}", python.display()));
        }
        if is_path && !python.exists() {
            return blame("python", format!("there is no {}: name another one by --python", python.display()));
        }
    }
    for (prefix, directory) in &applications.cgi {
        if let Some(why) = no_directory(directory) {
            return blame("cgi", format!("{why}: name another one by --cgi {prefix}=DIR"));
        }
    }
    Ok(())
}

/// The file, the module and what is in it, where a file is named: Python would take its end for a name in a package.
fn file_for_module<'a>(application: &'a str, directory: Option<&Path>) -> Option<(&'a str, &'a str, &'a str)> {
    let (file, callable) = application.split_once(':').unwrap_or((application, "application"));
    let module = file.strip_suffix(".py")?;
    directory.unwrap_or(Path::new(".")).join(file).is_file().then_some((file, module, callable))
}

fn no_directory(path: &Path) -> Option<String> {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => None,
        Ok(_) => Some(format!("{shown} is no directory")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(format!("there is no {shown}")),
        Err(error) => Some(format!("{shown} cannot be used: {error}")),
    }
}

/// Warns of what can be read by everybody and was not meant to be.
pub(super) fn warn_of_sources(options: &Options) {
    for (sources, path) in served_sources(options) {
        log::warn!(
            "{} lies in {}, and is served: whoever asks can read the sources of the application",
            sources.display(),
            path.display()
        );
    }
}

/// The directories of applications that lie in what is served, each with that.
fn served_sources(options: &Options) -> Vec<(PathBuf, &Path)> {
    let applications = &options.applications;
    let here = || applications.chdir.clone().unwrap_or(PathBuf::from("."));
    let own = applications.wsgi.iter().map(|_| here());
    let programs = applications.cgi.iter().map(|(_, directory)| directory.clone());
    let holding = |sources: PathBuf| {
        let holds = |path: &&Path| path.canonicalize().is_ok_and(|path| sources.starts_with(path));
        let path = lock::served(options).find(holds)?;
        Some((sources, path))
    };
    own.chain(programs).filter_map(|directory| directory.canonicalize().ok()).filter_map(holding).collect()
}

/// Where they are, as far as that is in the file system.
pub(super) fn places(applications: &Applications) -> impl Iterator<Item = &Path> {
    let own = [&applications.python].into_iter().chain(&applications.chdir).filter(|_| applications.wsgi.is_some());
    own.chain(applications.cgi.iter().map(|(_, directory)| directory)).map(PathBuf::as_path)
}

/// What is said to be served beside files, and where, if that is not `/`.
pub(super) fn shown(applications: &Applications) -> impl Iterator<Item = String> {
    let at = |prefix: &str, what: &str| if is_root(prefix) { what.to_owned() } else { format!("{what} at {prefix}") };
    let wsgi = applications.wsgi.as_ref().map(|name| at(&applications.wsgi_path, name));
    let scgi = applications.scgi.iter().map(move |(prefix, place)| at(prefix, &place.to_string()));
    let cgi = applications.cgi.iter().map(move |(prefix, directory)| at(prefix, &directory.display().to_string()));
    wsgi.into_iter().chain(scgi).chain(cgi)
}

/// True of the path that files have where no other was said.
pub(super) fn is_root(prefix: &str) -> bool {
    prefix.trim_end_matches('/').is_empty()
}

/// Refuses what a reload has read and cannot have: an application by WSGI that comes, goes or moves.
pub(super) fn stay(old: &Applications, new: &Applications) -> Result<(), Failure> {
    if old.wsgi.is_some() != new.wsgi.is_some() || (old.wsgi.is_some() && old.wsgi_path != new.wsgi_path) {
        let why = "whether there is an application by --wsgi, and where, a running server does not change: restart it";
        return Err(Failure::Usage(why.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::cli::options::{Asked, read};

    fn asked(arguments: &[&str]) -> Result<Box<Options>, String> {
        match read(["ownhands"].iter().chain(arguments).map(Into::into), std::iter::empty()) {
            Ok(Asked::Serve(options)) => Ok(options),
            Ok(_) => panic!("{arguments:?}"),
            Err(Failure::Usage(why) | Failure::Run(why)) => Err(why),
        }
    }

    #[test]
    fn where_nothing_is_named_an_application_hides_its_sources() {
        let cases: [(&[&str], &[&str]); 9] = [
            (&[], &["."]),
            (&["--wsgi", "a:b"], &[]),
            (&["--wsgi", "a:b", "--wsgi-path", "/a"], &[]),
            (&["--wsgi", "a:b", "--wsgi-path", "/a", "."], &["."]),
            (&["--wsgi", "a:b", "--try-files", "www"], &["www"]),
            (&["--scgi", "/=unix:a"], &[]),
            (&["--scgi", "/a=unix:a"], &["."]),
            (&["--scgi", "/=localhost:1", "--try-files", "www", "page"], &["www", "page"]),
            (&["--cgi", "/a=b"], &["."]),
        ];
        for (arguments, paths) in cases {
            let found = asked(arguments).map(|options| options.paths);
            assert_eq!(found, Ok(paths.iter().map(PathBuf::from).collect()), "{arguments:?}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_said() {
        let cases: [(&[&str], &str); 10] = [
            (&["--wsgi", "a:b", "."], "--wsgi and what is to be served are both at /: say --try-files, "),
            (&["--wsgi", "a:b", "--wsgi-path", "//", "."], "--wsgi and what is to be served are both at /: "),
            (&["demo", "--wsgi", "a:b"], "--wsgi and what is to be served are both at /: "),
            (&["--scgi", "/=unix:a", "."], "--scgi and what is to be served are both at /: "),
            (&["demo", "--wsgi", "a:b", "--try-files"], "the demo answers at / itself"),
            (&["--wsgi", "a:b", "--try-files"], "--try-files is for files: "),
            (&["--wsgi", "a:b", "--wsgi-path", "/a", "--try-files", "."], "--try-files is for an application at /: "),
            (&["--cgi", "/=a", "--try-files", "."], "--try-files is for an application at /: "),
            (&["--wsgi", "a:b", "--chroot", "/"], "--wsgi starts programs, "),
            (&["--cgi", "/a=b", "--chroot", "/"], "--cgi starts programs, "),
        ];
        for (arguments, why) in cases {
            let said = asked(arguments).map(|_| ()).unwrap_err();
            assert!(said.starts_with(why), "{arguments:?}: {said}");
        }
        assert!(asked(&["--scgi", "/a=unix:/b", "--chroot", "/"]).is_ok());
    }

    #[test]
    fn what_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        for (directory, file) in [("venv/bin", "venv/bin/python"), ("empty", "file"), ("package", "app.py")] {
            fs::create_dir_all(path(directory)).unwrap();
            fs::write(path(file), "").unwrap();
        }
        let said = |option: &str, value: String| {
            let options = asked(&["--wsgi", "a:b", option, &value]).unwrap();
            match check_places(&options) {
                Err(Failure::Usage(why)) => why.replace(&path(""), ""),
                Err(Failure::Run(why)) => panic!("{why}"),
                Ok(()) => options.applications.interpreter().display().to_string().replace(&path(""), ""),
            }
        };
        assert_eq!(said("--python", "python3".to_owned()), "python3");
        assert_eq!(said("--python", path("venv")), "venv/bin/python");
        assert_eq!(said("--python", path("venv/bin/python")), "venv/bin/python");
        assert_eq!(said("--python", path("none")), "there is no none: name another one by --python");
        assert!(said("--python", path("empty")).starts_with("empty is a directory, and no virtual environment: "));
        assert_eq!(said("--chdir", path("empty")), "python3");
        assert_eq!(said("--chdir", path("file")), "file is no directory: name another one by --chdir");
        assert_eq!(said("--chdir", path("none")), "there is no none: name another one by --chdir");
        let cgi = format!("/a={}", path("none"));
        assert_eq!(said("--cgi", cgi), "there is no none: name another one by --cgi /a=DIR");
        for (application, wanted) in [
            ("app.py:a", Some("app.py is a file: name the module, by --wsgi app:a")),
            ("app.py", Some("app.py is a file: name the module, by --wsgi app:application")),
            ("app:a", None),
            ("package.py:a", None), // a package may have a module of that name
        ] {
            let options = asked(&["--chdir", &path(""), "--wsgi", application]).unwrap();
            let said = check_places(&options).err().map(|failure| match failure {
                Failure::Usage(why) | Failure::Run(why) => why,
            });
            assert_eq!(said.as_deref(), wanted, "{application}");
        }
    }

    #[test]
    fn sources_that_are_served_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        for directory in ["app/static", "app/cgi", "other"] {
            fs::create_dir_all(path(directory)).unwrap();
        }
        let chdir = path("app");
        let cgi = format!("/a={}", path("app/cgi"));
        let cases: [(&[&str], &[&str]); 6] = [
            (&["--wsgi", "a:b", "--chdir", &chdir], &[]),
            (&["--wsgi", "a:b", "--chdir", &chdir, "--try-files", &path("app/static")], &[]),
            (&["--wsgi", "a:b", "--chdir", &chdir, "--try-files", &path("app")], &["app"]),
            (&["--wsgi", "a:b", "--chdir", &chdir, "--mount", &format!("/x={}", path(""))], &["app"]),
            (&["--cgi", &cgi, &path("app")], &["app/cgi"]),
            (&["--cgi", &cgi, &path("other")], &[]),
        ];
        for (arguments, expected) in cases {
            let options = asked(arguments).unwrap();
            let found: Vec<PathBuf> = served_sources(&options).into_iter().map(|(sources, _)| sources).collect();
            let expected: Vec<PathBuf> =
                expected.iter().map(|name| folder.path().join(name).canonicalize().unwrap()).collect();
            assert_eq!(found, expected, "{arguments:?}");
        }
    }
}
