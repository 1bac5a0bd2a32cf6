//! A unit for systemd that runs a server with these options, and lets it have nothing that it does not need.
//!
//! What the command line says stands there word by word; what the service manager does better is left to it: the user,
//! the log, the restart after a crash, the walls around the process. The working directory is this one, so that
//! relative paths mean what they mean here.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf, absolute};

use super::program::{Program, ROLE};
use crate::cli::options::{self, Addresses, Asked, Options, Sink};
use crate::cli::values::Place;
use crate::cli::{Failure, applications, lock};

/// Seconds beyond the grace before systemd kills a server that stops.
const AFTER_GRACE: u64 = 10;

/// Descriptors beside the connections: files being sent, logs, sockets.
const BESIDE_CONNECTIONS: usize = 1024;

/// Where services have their own directories.
const LOGS: &str = "/var/log";

/// The whole unit.
pub(super) fn text(options: &Options, program: &Program) -> Result<String, Failure> {
    let executable = quoted(program.path().as_os_str())?;
    let pid_file = match &options.pid_file {
        Some(path) => quoted(whole(path)?.as_os_str())?.replace('$', "$$"),
        None => "%t/ownhands/ownhands.pid".to_owned(),
    };
    let mut command = vec![executable.clone()];
    if options.pid_file.is_none() {
        // First, since behind a lone -- it would be a path.
        command.push(format!("--pid-file={pid_file}"));
    }
    for argument in arguments()? {
        command.push(quoted(&argument)?.replace('$', "$$"));
    }
    let served = options.paths.iter().map(|path| path.display().to_string());
    let served = served.chain(applications::shown(&options.applications)).collect::<Vec<_>>().join(" ");
    let served = line(&options::one_line(&served));

    let mut unit = String::new();
    // Writing to memory does not fail, here and below.
    let _ = write!(unit, "[Unit]\nDescription=ownhands serves {served}\n");
    unit.push_str(
        "Wants=network-online.target\nAfter=network-online.target\n\n[Service]\nType=notify\nNotifyAccess=all\n",
    );
    let _ = writeln!(unit, "ExecStart={}", command.join(" "));
    let _ = writeln!(unit, "ExecReload={executable} reload --pid-file={pid_file}");
    let _ = writeln!(unit, "WorkingDirectory={}", line(utf8(whole(Path::new("."))?.as_os_str())?));
    for (name, value) in environment() {
        let _ = writeln!(unit, "Environment={}", quoted(&pair(&name, &value))?);
    }
    unit.push_str("Restart=on-failure\nWatchdogSec=30\nKillMode=mixed\n");
    let grace = options.config.grace.as_secs_f64().ceil();
    let _ = writeln!(unit, "TimeoutStopSec={}", grace + AFTER_GRACE as f64);
    let _ = writeln!(unit, "LimitNOFILE={}", options.config.max_connections.saturating_add(BESIDE_CONNECTIONS));
    unit.push_str("LimitCORE=0\n\n");
    unit.push_str(&who(options));
    unit.push_str(&places(options, program)?);
    unit.push_str(WALLS);
    if !options.applications.want_programs() {
        unit.push_str(NO_CODE_AT_RUN_TIME);
    }
    unit.push_str(&calls(options));
    unit.push_str("\n[Install]\nWantedBy=multi-user.target\n");
    Ok(unit)
}

/// What every server can do without.
const WALLS: &str = "\
NoNewPrivileges=yes
ProtectSystem=strict
PrivateDevices=yes
DevicePolicy=closed
PrivateMounts=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
KeyringMode=private
RemoveIPC=yes
UMask=0027
";

/// What programs of others may not: some make code while they run.
const NO_CODE_AT_RUN_TIME: &str = "MemoryDenyWriteExecute=yes\n";

/// Who it is, and what that one may do.
fn who(options: &Options) -> String {
    let mut may: Vec<&str> = Vec::new();
    if options.port.is_some_and(|port| (1..1024).contains(&port)) {
        may.push("CAP_NET_BIND_SERVICE");
    }
    if options.chroot.is_some() {
        may.push("CAP_SYS_CHROOT");
    }
    let becomes_another = options.user.is_some() || options.group.is_some();
    if becomes_another || options.chroot.is_some() {
        // It drops what it has by itself, and must have it before.
        may.extend(["CAP_SETUID", "CAP_SETGID"]);
        return format!("CapabilityBoundingSet={}\n", may.join(" "));
    }
    let may = may.join(" ");
    // In a user namespace of its own it could not bind a port below 1024.
    let namespace = if may.is_empty() { "PrivateUsers=yes\n" } else { "" };
    format!("DynamicUser=yes\n{namespace}CapabilityBoundingSet={may}\nAmbientCapabilities={may}\n")
}

/// What it sees of the disk, and where it writes.
fn places(options: &Options, program: &Program) -> Result<String, Failure> {
    let mut text = String::new();
    if options.pid_file.is_none() {
        text.push_str("RuntimeDirectory=ownhands\n");
        // A successor has it already while this process ends.
        text.push_str("RuntimeDirectoryPreserve=restart\n");
    }
    let mut written: Vec<PathBuf> = options.pid_file.iter().cloned().collect();
    for sink in [&options.log, &options.access_log] {
        if let Sink::File(path) = sink {
            written.push(path.clone());
        }
    }
    if let Addresses::These(places) = &options.addresses {
        written.extend(places.iter().filter_map(|place| match place {
            Place::Unix(path) => Some(path.clone()),
            Place::Ip(_) => None,
        }));
    }
    for path in written {
        let path = whole(&path)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let _ = match folder.strip_prefix(LOGS) {
            Ok(below) if !below.as_os_str().is_empty() => {
                writeln!(text, "LogsDirectory={}", quoted(below.as_os_str())?)
            }
            _ => writeln!(text, "ReadWritePaths={}", quoted(folder.as_os_str())?),
        };
    }
    let mut seen = vec![whole(Path::new("."))?, program.path().to_owned()];
    let served = lock::served(options).chain(applications::places(&options.applications));
    for path in served.chain(options.config_file.as_deref()) {
        seen.push(whole(path)?);
    }
    // What would be hidden from the server, and is what it is made of or serves, stays in its sight.
    let is_in = |places: &[&str]| seen.iter().any(|path| places.iter().any(|place| path.starts_with(place)));
    text.push_str(if is_in(&["/home", "/root", "/run/user"]) {
        "ProtectHome=read-only\n"
    } else {
        "ProtectHome=yes\n"
    });
    text.push_str(if is_in(&["/tmp", "/var/tmp"]) { "PrivateTmp=no\n" } else { "PrivateTmp=yes\n" });
    Ok(text)
}

/// What it may ask of the system: what services ask, and to lock itself in.
fn calls(options: &Options) -> String {
    let chroot = if options.chroot.is_some() { " chroot" } else { "" };
    format!(
        "SystemCallArchitectures=native\nSystemCallErrorNumber=EPERM\nSystemCallFilter=@system-service \
         landlock_create_ruleset landlock_add_rule landlock_restrict_self{chroot}\n"
    )
}

/// The arguments without the word that asks for the unit: what is left must ask for a server.
fn arguments() -> Result<Vec<OsString>, Failure> {
    let all: Vec<OsString> = env::args_os().collect();
    let positions = all.iter().enumerate().skip(1).filter(|(_, word)| *word == "unit").map(|(index, _)| index);
    let without = |position: usize| {
        let mut rest = all.clone();
        rest.remove(position);
        rest
    };
    let found = positions
        .map(without)
        .find(|rest| matches!(options::read(rest.iter().cloned(), env::vars_os()), Ok(Asked::Serve(_))));
    let found = found.ok_or_else(|| Failure::Usage("say ./unit for a directory of that name".to_owned()))?;
    Ok(found.into_iter().skip(1).collect())
}

/// The options that came from the environment.
fn environment() -> Vec<(OsString, OsString)> {
    let is_ours = |name: &OsStr| name.as_encoded_bytes().starts_with(b"OWNHANDS_") && name != ROLE;
    let mut ours: Vec<_> = env::vars_os().filter(|(name, _)| is_ours(name)).collect();
    ours.sort();
    ours
}

fn pair(name: &OsStr, value: &OsStr) -> OsString {
    let mut pair = name.to_owned();
    pair.push("=");
    pair.push(value);
    pair
}

fn whole(path: &Path) -> Result<PathBuf, Failure> {
    let path = absolute(path).map_err(|error| Failure::Run(format!("where {} is: {error}", path.display())))?;
    Ok(path.components().collect())
}

fn utf8(text: &OsStr) -> Result<&str, Failure> {
    text.to_str().ok_or_else(|| Failure::Usage(format!("a unit is text, and {} is none", text.display())))
}

/// Text that stands alone on its line: only specifiers are special (systemd.unit(5)).
fn line(text: &str) -> String {
    text.replace('%', "%%")
}

/// A word of a line (systemd.syntax(7), systemd.service(5)).
fn quoted(word: &OsStr) -> Result<String, Failure> {
    let word = line(utf8(word)?);
    let is_plain = |character: char| character.is_alphanumeric() || "%/_.,:=+-@".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return Ok(word);
    }
    let mut text = String::from("\"");
    for character in word.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            character if character.is_control() => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    let _ = write!(text, "\\x{byte:02x}");
                }
            }
            character => text.push(character),
        }
    }
    text.push('"');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_systemd_reads_them() {
        let cases = [
            ("/srv/www", "/srv/www"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("100%", "100%%"),
            ("say \"hi\" \\", "\"say \\\"hi\\\" \\\\\""),
            (";", "\";\""),
            ("it's", "\"it's\""),
            ("two\nlines\u{1}", "\"two\\nlines\\x01\""),
        ];
        for (word, text) in cases {
            assert_eq!(quoted(OsStr::new(word)).ok().as_deref(), Some(text), "{word:?}");
        }
    }
}
