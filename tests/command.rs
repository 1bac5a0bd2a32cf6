//! The command, as a process: what it prints, what it serves, how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything here takes on the slowest machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn command(arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ownhands"));
    command.args(arguments).current_dir(directory).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A server that is ended with the test.
pub(super) struct Running {
    pub(super) child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    /// The first line on stdout, without its end.
    line: String,
}

impl Running {
    pub(super) fn start(arguments: &[&str], directory: &Path) -> Running {
        Running::of(&mut command(arguments, directory))
    }

    /// The server that this command starts, its outputs piped.
    pub(super) fn of(command: &mut Command) -> Running {
        let mut child = command.spawn().expect("the binary was built with the tests");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line of text");
        Running { child, stdout: Some(stdout), line: line.trim_end_matches('\n').to_owned() }
    }

    /// The address in the first line.
    pub(super) fn address(&self) -> &str {
        let url = self.line.split(' ').next().unwrap_or_default();
        url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).expect(&self.line)
    }

    pub(super) fn ask(&self, target: &str) -> String {
        ask(self.address(), target)
    }

    /// Ends it as a terminal or a supervisor does; the exit status, the rest of stdout, all of stderr.
    pub(super) fn stop(mut self, signal: Signal) -> (ExitStatus, String, String) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
        let status = wait(&mut self.child);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.take().expect("nobody closed it").read_to_string(&mut stdout).expect("text");
        self.child.stderr.take().expect("it is piped").read_to_string(&mut stderr).expect("text");
        (status, stdout, stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return status;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    panic!("the command did not end");
}

pub(super) fn ask(address: &str, target: &str) -> String {
    let mut stream = TcpStream::connect(address).expect(address);
    stream.set_read_timeout(Some(PATIENCE)).expect("a time above zero");
    write!(stream, "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("a peer that reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}

/// A directory with an index page, another directory and a dot-file.
fn site() -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("index.html"), "the index\n").unwrap();
    fs::write(site.path().join("start.html"), "the start\n").unwrap();
    fs::write(site.path().join(".hidden"), "hidden\n").unwrap();
    fs::create_dir(site.path().join("sub")).unwrap();
    fs::write(site.path().join("sub/listed.txt"), "listed\n").unwrap();
    site
}

#[test]
fn it_says_where_serves_and_stops() {
    let site = site();
    for signal in [Signal::TERM, Signal::INT] {
        let server = Running::start(&["-p", "0", "."], site.path());
        assert!(server.line.starts_with("http://127.0.0.1:") && server.line.ends_with("/ serves ."), "{}", server.line);
        let answer = server.ask("/");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nthe index\n"), "{answer}");
        assert!(server.ask("/sub/").contains("listed.txt"));
        assert!(server.ask("/.hidden").starts_with("HTTP/1.1 404 "));
        let (status, stdout, _) = server.stop(signal);
        assert_eq!(status.code(), Some(0));
        let lines: Vec<&str> = stdout.lines().collect();
        assert_eq!(lines.len(), 3, "{stdout}");
        assert!(
            lines[0].starts_with("127.0.0.1 - - [") && lines[0].contains("] \"GET / HTTP/1.1\" 200 10 \"-\" \"-\" ")
        );
    }
}

#[test]
fn options_change_what_is_served() {
    let site = site();
    let log = site.path().join("access.log");
    let arguments = ["--port=0", "--hidden", "--no-listing", "--index", "start.html", "--log-level", "debug"];
    let server = Running::start(&[&arguments[..], &["--access-log", log.to_str().unwrap()]].concat(), site.path());
    assert!(server.ask("/").ends_with("the start\n"));
    assert!(server.ask("/.hidden").ends_with("hidden\n"));
    assert!(server.ask("/sub/").starts_with("HTTP/1.1 404 "));
    let (status, stdout, stderr) = server.stop(Signal::TERM);
    assert_eq!((status.code(), stdout.as_str()), (Some(0), ""));
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 3);
    // `2026-11-20 19:00:00,123 [INFO] message`
    let first = stderr.lines().next().expect("the life of a connection at debug");
    let shape: String = first.chars().take(25).map(|one| if one.is_ascii_digit() { '0' } else { one }).collect();
    assert_eq!(shape, "0000-00-00 00:00:00,000 [", "{first}");
}

#[test]
fn the_demo_greets() {
    let site = site();
    let root = site.path().to_str().unwrap();
    for arguments in [["demo", "-p", "0", root], ["-p", "0", "demo", root]] {
        let server = Running::start(&arguments, site.path());
        assert_eq!(server.line.split_once(' ').unwrap().1, format!("serves the demo and {root}"));
        assert!(server.ask("/hello/you").ends_with("\r\n\r\nHello, you!"));
        assert!(server.ask("/hello/J%C3%BCrgen").ends_with("Hello, Jürgen!"));
        assert!(server.ask("/").ends_with("the index\n"));
        assert_eq!(server.stop(Signal::TERM).0.code(), Some(0));
    }
}

#[test]
fn a_directory_named_demo_is_a_directory() {
    let site = site();
    fs::create_dir(site.path().join("demo")).unwrap();
    fs::write(site.path().join("demo/index.html"), "not the demo\n").unwrap();
    let server = Running::start(&["-p", "0", "./demo"], site.path());
    assert!(server.ask("/").ends_with("not the demo\n"));
    assert!(server.ask("/hello/you").starts_with("HTTP/1.1 404 "));
}

#[test]
fn several_addresses_share_a_port() {
    if TcpListener::bind("127.0.0.2:0").is_err() {
        return; // a system with one loopback address
    }
    let site = site();
    let mut server = Running::start(&["-p", "0", "-b", "127.0.0.1", "-b", "127.0.0.2", "-b", "127.0.0.1"], site.path());
    let mut second = String::new();
    server.stdout.as_mut().unwrap().read_line(&mut second).unwrap();
    let port = server.address().strip_prefix("127.0.0.1:").unwrap();
    assert_eq!(second, format!("http://127.0.0.2:{port}/ serves .\n"));
    assert!(ask(&format!("127.0.0.2:{port}"), "/").ends_with("the index\n"));
}

#[test]
fn ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        return; // a machine without it
    }
    let site = site();
    for address in ["::1", "[::1]"] {
        let server = Running::start(&["-p", "0", "-b", address], site.path());
        assert!(server.line.starts_with("http://[::1]:"), "{}", server.line);
        assert!(server.ask("/").ends_with("the index\n"));
    }
}

#[test]
fn all_interfaces() {
    let site = site();
    let server = Running::start(&["-p", "0", "--lan"], site.path());
    assert!(server.line.starts_with("http://127.0.0.1:"), "{}", server.line);
    assert!(server.ask("/").ends_with("the index\n"));
}

#[test]
fn without_anybody_who_reads_stdout_it_goes_on() {
    let site = site();
    let mut server = Running::start(&["-p", "0"], site.path());
    drop(server.stdout.take());
    for _ in 0..3 {
        assert!(server.ask("/").ends_with("the index\n"));
    }
    assert!(server.child.try_wait().unwrap().is_none());
}

#[test]
fn what_cannot_be_done_is_one_line_and_an_exit_code() {
    let site = site();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases: [(&[&str], i32, &str); 29] = [
        (&[".", "-p", "0", "start"], 2, "a verb goes before all paths: ownhands start; see "),
        (&["nowhere"], 2, "there is no nowhere: name a directory or a file: ownhands PATH"),
        (&["no\nwhere"], 2, "there is no no\\nwhere: "),
        (&["/dev/null"], 2, "/dev/null is neither a directory nor a file: "),
        (&["index.html", "./index.html"], 2, "./index.html: another one of this name is shared already"),
        (&["--hide", "["], 2, "this is no pattern: unclosed character class; missing ']'"),
        (&["--header", "ETag: x"], 2, "--header cannot be ETag: the header ETag follows from the file that is served"),
        (&["--header", "X-Y"], 2, "give a header as 'Name: value'"),
        (
            &["--no-links", "--follow-links"],
            2,
            "--follow-links and --no-links exclude each other: leave one of them out",
        ),
        (&["--listing-css", "nowhere.css"], 2, "the style sheet nowhere.css cannot be read: "),
        (&["demo"], 2, "there is no static: go to the directory of the sources, or name another one: "),
        (&["index.html", "b"], 2, "there is no b: name a directory or a file: ownhands PATH"),
        (
            &[".", "--prot", "1"],
            2,
            "unexpected argument '--prot' found; tip: a similar argument exists: '--port'; see ",
        ),
        (&["--bad\nnews"], 2, "unexpected argument"),
        (&["-p"], 2, "a value is required for '--port <PORT>'"),
        (&["-p", "65536"], 2, "invalid value '65536' for '--port <PORT>'"),
        (&["-p", "http"], 2, "invalid value 'http' for '--port <PORT>'"),
        (&["-b", "localhost:80"], 2, "give an IP address such as 127.0.0.1 or ::1, and the port by --port"),
        (&["-b", "::1", "--lan"], 2, "--lan and --bind exclude each other: leave one of them out"),
        (&["--index", "a/b"], 2, "give the name of a file, without a directory"),
        (&["--max-connections", "0"], 2, "give a whole number above 0"),
        (&["--idle-timeout", "0"], 2, "give a number of seconds above 0"),
        (&["--write-timeout", "NaN"], 2, "give a number of seconds above 0"),
        (&["--header-timeout", "1e99"], 2, "give a number of seconds above 0"),
        (&["--log-level", "loud"], 2, "give error, warn, info, debug, trace or off"),
        (&["-p", "0", "--access-log", "no/such/log"], 1, "the access log no/such/log cannot be opened: "),
        (&["-p", &port], 1, "is in use: name another by --port, or let --port 0 pick one"),
        (&["-p", "0", "-b", "192.0.2.1"], 1, "cannot listen on 192.0.2.1:0: "),
        (&["--no-listing=yes"], 2, "see ownhands --help"),
    ];
    for (arguments, code, said) in cases {
        let mut child = command(arguments, site.path()).spawn().unwrap();
        let status = wait(&mut child);
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
        assert!(
            stderr.starts_with("ownhands: ") && stderr.find('\n') == Some(stderr.len() - 1),
            "{arguments:?}: {stderr}"
        );
        let mut stdout = String::new();
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        assert_eq!(stdout, "", "{arguments:?}");
    }
}

#[test]
fn the_default_port_gives_way() {
    // Whether or not somebody else has port 8000: two servers that ask for none get two.
    let site = site();
    let first = Running::start(&[], site.path());
    let second = Running::start(&[], site.path());
    assert_ne!(first.address(), second.address());
    for server in [&first, &second] {
        let port: u16 = server.address().rsplit(':').next().unwrap().parse().unwrap();
        assert!((8000..=8100).contains(&port), "{port}");
        assert!(server.ask("/").ends_with("the index\n"));
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    for (argument, said) in
        [("--help", "--max-connections <N>"), ("--version", concat!("ownhands ", env!("CARGO_PKG_VERSION"), "\n"))]
    {
        let output = command(&[argument], Path::new(".")).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains(said));
        assert_eq!(output.stderr, b"");
    }
}

#[test]
fn outputs_that_nobody_reads_hold_nothing_up() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.txt"), "small").unwrap();
    // Every request leaves a line on stdout and, by the log level, several on stderr; both pipes are
    // full long before the end.
    let server = Running::start(&["-p", "0", "--log-level", "trace"], directory.path());
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answers = stream.try_clone().unwrap();
    const COUNT: usize = 5000;
    let sender = thread::spawn(move || {
        stream.write_all("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n".repeat(COUNT).as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut text = String::new();
    answers.read_to_string(&mut text).unwrap();
    sender.join().unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), COUNT);
    let (status, ..) = server.stop(Signal::TERM);
    assert!(status.success());
}
