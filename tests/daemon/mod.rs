//! The daemon, as processes: each test in a directory of its own, with nothing left behind.

mod applications;
mod load;
mod manager;
mod signals;
mod succession;
mod verbs;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, socket};
use rustix::process::{Pid, Signal, kill_process};

use super::command::{PATIENCE, command};

/// By this variable all processes of a test are known, whoever started them.
const MARK: &str = "TEST_HOUSE";

/// A directory with a page to serve, and the servers that are started in it.
pub(super) struct House {
    folder: tempfile::TempDir,
}

impl House {
    pub(super) fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index.html"), "the index\n").unwrap();
        House { folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with these arguments, a pid file in this house, and no word about requests.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments, self.folder.path());
        command.args(["--pid-file", "server.pid"]).env(MARK, self.folder.path());
        command
    }

    pub(super) fn say(&self, arguments: &[&str]) -> Said {
        Said::from(self.command(arguments).output().unwrap())
    }

    /// Starts a server in the background, on a port that is free: its address.
    pub(super) fn start(&self, arguments: &[&str]) -> String {
        let said = self.say(&[&["start", "--port", "0"], arguments].concat());
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        said.address()
    }

    /// What the server says of itself.
    pub(super) fn fact(&self, name: &str) -> Option<String> {
        let said = self.say(&["status"]);
        said.stdout.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
    }

    pub(super) fn pid(&self) -> Pid {
        Pid::from_raw(self.fact("pid").expect("it runs").parse().unwrap()).unwrap()
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// A connection to its control socket, by which nothing has been said.
    pub(super) fn wire(&self) -> OwnedFd {
        let socket = socket(AddressFamily::UNIX, SocketType::SEQPACKET, None).unwrap();
        rustix::net::connect(&socket, &SocketAddrUnix::new(self.path("server.sock")).unwrap()).unwrap();
        socket
    }

    /// The processes of this house that have not ended.
    pub(super) fn living(&self) -> Vec<i32> {
        let mark = format!("{MARK}={}", self.folder.path().display());
        let is_marked = |path: &Path| {
            let environment = fs::read(path.join("environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|variable| variable == mark.as_bytes())
        };
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok().map(|entry| entry.path()));
        let number = |path: &Path| path.file_name()?.to_str()?.parse().ok();
        processes.filter(|path| is_marked(path)).filter_map(|path| number(&path)).collect()
    }

    /// Nothing runs, and no file is left that was not there.
    pub(super) fn is_empty(&self) -> bool {
        let names = ["server.pid", "server.sock"];
        self.living().is_empty() && names.iter().all(|name| fs::symlink_metadata(self.path(name)).is_err())
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // A server may start another while it ends.
        while !self.living().is_empty() {
            for number in self.living() {
                let _ = kill_process(Pid::from_raw(number).unwrap(), Signal::KILL);
            }
        }
    }
}

/// What a verb said, and how it ended.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Said {
    /// The address in the first line.
    pub(super) fn address(&self) -> String {
        let url = self.stdout.split(' ').next().unwrap_or_default();
        url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).expect(&self.stdout).to_owned()
    }
}

/// Waits until this is so; a test that waits for nothing must fail.
pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect(address);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The whole answer to a request on a connection of its own.
pub(super) fn get(address: &str, target: &str) -> String {
    let mut stream = connect(address);
    write!(stream, "GET {target} HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The style sheet of its own that the listing of the root names.
pub(super) fn look(address: &str) -> String {
    let page = get(address, "/");
    let end = page.find("added.").expect(&page);
    let start = page[..end].rfind('"').unwrap() + 1;
    let path = page[start..].split('"').next().unwrap();
    get(address, &format!("/{path}"))
}
