//! What a relative path in a file is relative to: the directory of the file, wherever the server is started.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Arg, ValueHint};

/// The value of an option with the path in it taken from this directory; as it is, if there is none in it.
///
/// Whether there is, the option's hint says, and its value's name where in it: `PATH=DIR` and `unix:PATH` have
/// something in front, `PATH=HOST|unix:PATH` has both, `-|FILE|off` is one of three.
pub(super) fn rebased(arg: &Arg, value: &OsStr, directory: &Path) -> OsString {
    let is_path = match arg.get_value_hint() {
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath => true,
        // A lone name is looked for where programs are.
        ValueHint::ExecutablePath => value.as_encoded_bytes().contains(&b'/'),
        _ => false,
    };
    let form = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    let from = |path: &OsStr| directory.join(path).components().collect::<std::path::PathBuf>().into_os_string();
    let behind = |mark: &str| {
        let (front, path) = value.to_str()?.split_once(mark)?;
        let path = from(OsStr::new(path)).into_string().ok()?;
        Some(OsString::from(format!("{front}{mark}{path}")))
    };
    match form {
        _ if !is_path || value.is_empty() => value.to_owned(),
        _ if form.contains("unix:") => match value.to_str().and_then(|text| text.split_once("unix:")) {
            Some((front, path)) if !path.is_empty() && (front.is_empty() || front.ends_with('=')) => {
                behind("unix:").unwrap_or_else(|| value.to_owned())
            }
            _ => value.to_owned(),
        },
        _ if form.contains('=') => behind("=").unwrap_or_else(|| value.to_owned()),
        _ if form.split('|').any(|word| value == word) => value.to_owned(),
        _ => from(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::config::name;
    use crate::cli::flags;

    #[test]
    fn a_path_is_taken_from_the_directory_and_nothing_else_is() {
        let cases = [
            ("paths", "site", "/etc/site"),
            ("paths", ".", "/etc"),
            ("paths", "../srv", "/etc/../srv"),
            ("paths", "/srv", "/srv"),
            ("pid-file", "a.pid", "/etc/a.pid"),
            ("listing-css", "off", "/etc/off"),
            ("access-log", "off", "off"),
            ("access-log", "-", "-"),
            ("access-log", "./off", "/etc/off"),
            ("log", "a=b.log", "/etc/a=b.log"),
            ("mount", "/a=b=c", "/a=/etc/b=c"),
            ("mount", "/a=/b", "/a=/b"),
            ("mount", "/a", "/a"),
            ("bind", "unix:a.sock", "unix:/etc/a.sock"),
            ("bind", "unix:", "unix:"),
            ("bind", "::1", "::1"),
            ("scgi", "/a=unix:a.sock", "/a=unix:/etc/a.sock"),
            ("scgi", "/a=unix:/a=unix:b", "/a=unix:/a=unix:b"),
            ("scgi", "/a=unix:", "/a=unix:"),
            ("scgi", "/a=localhost:4000", "/a=localhost:4000"),
            ("cgi", "/a=b", "/a=/etc/b"),
            ("chdir", "b", "/etc/b"),
            ("python", "python3.11", "python3.11"),
            ("python", "venv/bin/python", "/etc/venv/bin/python"),
            ("index", "a.html", "a.html"),
            ("hide", "a", "a"),
            ("chroot", "", ""),
        ];
        let table = flags::table();
        for (option, value, want) in cases {
            let arg = table.get_arguments().find(|arg| name(arg) == option);
            let made = arg.map(|arg| rebased(arg, OsStr::new(value), Path::new("/etc")));
            assert_eq!(made.as_deref(), Some(OsStr::new(want)), "{option} = {value}");
        }
    }
}
