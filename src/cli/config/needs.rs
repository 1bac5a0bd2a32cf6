//! Options that say how something is to be done, where nobody says what: they would be good for nothing, in silence.

use super::Gathered;
use crate::cli::Failure;

/// What must be said, the options that are about it, and what it is.
const NEEDS: &[(&str, &[&str], &str)] = &[
    ("trust", &["proxy-protocol"], "proxies that are trusted: name them by --trust"),
    (
        "wsgi",
        &["wsgi-path", "python", "chdir", "wsgi-reload", "wsgi-workers", "wsgi-timeout", "wsgi-queue"],
        "an application by WSGI: name it by --wsgi",
    ),
    ("scgi", &["scgi-timeout"], "a server of applications: name it by --scgi"),
    ("cgi", &["cgi-timeout", "cgi-processes", "cgi-output"], "programs: name their directory by --cgi"),
];

impl Gathered {
    /// Says what is missing.
    pub(in crate::cli) fn check_needs(&self) -> Result<(), Failure> {
        // A printed configuration has all options in it: those that are as they are by themselves are not said.
        let is_said = |option: &str| {
            let mut arguments = self.table.get_arguments().filter(|arg| arg.get_long() == Some(option));
            arguments.any(|arg| {
                let values = self.matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
                !values.eq(arg.get_default_values().iter().map(|value| value.as_os_str()))
            })
        };
        for (_, options, what) in NEEDS.iter().filter(|(needed, ..)| !is_said(needed)) {
            if let Some(option) = options.iter().find(|option| is_said(option)) {
                return Err(self.origins.blame(option, format!("--{option} is for {what}")));
            }
        }
        Ok(())
    }
}
