//! Locked in, seen from inside: handlers that try what must not work, and what must go on working.
//!
//! A lock is for ever, and holds from the thread that calls it: so this binary starts itself again, for the
//! one test `inside`, which serves until its stdin is closed. Every table is run without a lock, too: there
//! the same handlers succeed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use ownhands::connection::Bodies;
use ownhands::sandbox::{Sandbox, SandboxError, Strictness};
use ownhands::{App, Config, Content, Files, Listener, Request, Server};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, test_kill_process};

/// What the child is told: the directory of the test, and how it is locked.
const BASE: &str = "OWNHANDS_TEST_SANDBOX";
const LOCK: &str = "OWNHANDS_TEST_LOCK";

/// The test that is the other side, and the thread that it runs in: beside that of the test harness, which only waits.
const THREAD: &str = "sandbox::inside";

/// The user that everybody has.
const NOBODY: &str = "nobody";

/// How the child is locked in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lock {
    /// Not at all.
    None,
    /// As the one that runs the tests.
    Files,
    /// As nobody.
    User,
    /// As nobody, in a root of its own.
    Root,
}

const LOCKS: [(Lock, &str); 4] =
    [(Lock::None, "none"), (Lock::Files, "files"), (Lock::User, "user"), (Lock::Root, "root")];

/// What a handler found.
fn outcome<T>(result: io::Result<T>) -> String {
    match result {
        Ok(_) => "done\n".to_owned(),
        Err(error) => format!("{error}\n"),
    }
}

/// Everything that is tried, by paths as they are inside.
fn attempts(base: &Path, knock: u16, own: u16, directory: OwnedFd) -> App {
    let mut app = App::new();
    let secret = base.join("secret");
    let page = base.join("www/page.txt");
    let new = base.join("www/new.txt");
    let parent = std::os::unix::process::parent_id();
    let mut add = |path: &'static str, attempt: Box<dyn Fn() -> String>| {
        app.route("GET", path, move |_: &Request<'_>| attempt()).unwrap();
    };
    let path = secret.clone();
    add("/read-outside", Box::new(move || outcome(File::open(&path))));
    add("/shadow", Box::new(|| outcome(File::open("/etc/shadow"))));
    add("/list-outside", Box::new(|| outcome(fs::read_dir("/usr"))));
    let path = page.clone();
    add("/read", Box::new(move || outcome(File::open(&path))));
    let path = secret.clone();
    // One that is started later is no way out.
    add(
        "/thread",
        Box::new(move || {
            let path = path.clone();
            outcome(std::thread::spawn(move || File::open(path)).join().unwrap())
        }),
    );
    add("/write", Box::new(move || outcome(fs::write(&new, "new"))));
    let path = page.clone();
    add("/append", Box::new(move || outcome(OpenOptions::new().append(true).open(&path))));
    let path = page.clone();
    add("/mode", Box::new(move || outcome(OpenOptions::new().write(true).truncate(true).open(&path))));
    let path = base.join("www/old.txt");
    add("/remove", Box::new(move || outcome(fs::remove_file(&path))));
    let path = base.join("www/directory");
    add("/make", Box::new(move || outcome(fs::create_dir(&path))));
    add("/exec", Box::new(|| outcome(Command::new("/bin/sh").args(["-c", ":"]).status())));
    add("/connect", Box::new(move || outcome(TcpStream::connect(("127.0.0.1", knock)))));
    add("/connect-there", Box::new(move || outcome(TcpStream::connect(("127.0.0.1", own)))));
    add("/bind", Box::new(|| outcome(TcpListener::bind("127.0.0.1:0"))));
    add(
        "/signal",
        Box::new(move || {
            let parent = i32::try_from(parent).ok().and_then(Pid::from_raw).unwrap();
            outcome(test_kill_process(parent).map_err(io::Error::from))
        }),
    );
    add("/tmpfile", Box::new(|| outcome(tempfile::tempfile())));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::CLOEXEC;
    add(
        "/reopen",
        Box::new(move || {
            let log = rustix::fs::openat(&directory, "access.log", flags, Mode::from_raw_mode(0o644));
            outcome(log.map_err(io::Error::from).and_then(|log| File::from(log).write_all(b"a line\n")))
        }),
    );
    let path = base.join("www");
    add("/replaced", Box::new(move || outcome(Files::new(&path).and_then(|_| File::open(path.join("page.txt"))))));
    app.route("POST", "/upload", |request: &Request<'_>| match request.body {
        Content::Memory(bytes) => format!("memory {}\n", bytes.len()),
        Content::Spooled(_, length) => format!("file {length} {}\n", request.body.bytes().unwrap().len()),
    })
    .unwrap();
    app
}

/// The other side: locks itself in and serves, until whoever started it is gone.
#[test]
#[ignore = "started by the others, in a process of its own"]
fn inside() {
    let Some(base) = std::env::var_os(BASE).map(PathBuf::from) else { return };
    let word = std::env::var(LOCK).unwrap();
    let lock = LOCKS.iter().find(|(_, name)| *name == word).unwrap().0;
    let knock: u16 = std::env::var("OWNHANDS_TEST_KNOCK").unwrap().parse().unwrap();
    let listener = Listener::tcp("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let logs = OwnedFd::from(File::open(base.join("logs")).unwrap());
    let mut config = Config::default();
    let mut inside = base.clone();
    let mut line = String::new();
    if lock != Lock::None {
        config.bodies = Bodies::private().unwrap();
        let mut sandbox = Sandbox::new(Strictness::BestEffort)
            .reading(base.join("www"))
            .writing(base.join("logs"))
            .connecting(address.port())
            .beside_others();
        if let Some(directory) = config.bodies.directory() {
            sandbox = sandbox.working_in(directory.try_clone_to_owned().unwrap());
        }
        if let Some(above) = config.bodies.above() {
            sandbox = sandbox.clearing(above.try_clone_to_owned().unwrap());
        }
        if lock != Lock::Files {
            sandbox = sandbox.with_user(NOBODY);
        }
        if lock == Lock::Root {
            sandbox = sandbox.with_chroot(&base);
            inside = PathBuf::from("/");
        }
        sandbox.check().unwrap();
        line = sandbox.lock().unwrap().to_string();
    }
    let mut app = attempts(&inside, knock, address.port(), logs);
    app.mount("/files", Files::new(inside.join("www")).unwrap()).unwrap();
    let mut server = Server::new(vec![listener], config, app).unwrap();
    let handle = server.handle();
    std::thread::spawn(move || {
        let _ = io::stdin().read(&mut [0]);
        handle.stop()
    });
    println!("\nlistening {address}\n{line}");
    server.run().unwrap();
}

/// A child that is locked in, and the directory that it has.
struct Inmate {
    child: Child,
    /// Whoever closed it would end the child's own account of its test.
    _stdout: BufReader<ChildStdout>,
    address: String,
    /// What it says of its lock.
    line: String,
    base: tempfile::TempDir,
    temporary: tempfile::TempDir,
    _knock: TcpListener,
}

impl Inmate {
    fn start(lock: Lock) -> Self {
        let base = open_directory();
        for directory in ["www", "logs"] {
            fs::create_dir(base.path().join(directory)).unwrap();
            fs::set_permissions(base.path().join(directory), fs::Permissions::from_mode(0o777)).unwrap();
        }
        for file in ["secret", "www/page.txt", "www/old.txt", "logs/access.log"] {
            fs::write(base.path().join(file), "text\n").unwrap();
            fs::set_permissions(base.path().join(file), fs::Permissions::from_mode(0o666)).unwrap();
        }
        let temporary = open_directory();
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        let knock = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", THREAD, "--ignored", "--nocapture"])
            .env(BASE, base.path())
            .env(LOCK, LOCKS.iter().find(|(other, _)| *other == lock).unwrap().1)
            .env("OWNHANDS_TEST_KNOCK", knock.local_addr().unwrap().port().to_string())
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut lines = stdout.by_ref().lines().map(Result::unwrap);
        let address = lines.find_map(|line| line.strip_prefix("listening ").map(str::to_owned)).expect("it listens");
        let line = lines.next().unwrap();
        Inmate { child, _stdout: stdout, address, line, base, temporary, _knock: knock }
    }

    fn send(&self, wire: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(wire).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{text}");
        body.to_owned()
    }

    fn ask(&self, path: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
    }

    fn upload(&self) -> String {
        let head = "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\nConnection: close\r\n\r\n";
        self.send(&[head.as_bytes(), &[b'x'; 900_000]].concat())
    }

    /// A line of what the system says about the thread that is locked in.
    fn fact(&self, file: &str, name: &str) -> String {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let mut threads = threads.map(|thread| thread.unwrap().path());
        let is_it = |thread: &PathBuf| fs::read_to_string(thread.join("comm")).unwrap().trim_end() == THREAD;
        let facts = fs::read_to_string(threads.find(is_it).unwrap().join(file)).unwrap();
        let line = facts.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Ends it in peace; what it has left in the temporary directory.
    fn stop(mut self) -> usize {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
        fs::read_dir(self.temporary.path()).unwrap().count()
    }
}

impl Drop for Inmate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One that nobody may enter as well.
fn open_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What the kernel keeps watch over, as the lock says it.
const FILES: &str = "no other files, no programs";
const NETWORK: &str = "no other TCP connections out";
const SIGNALS: &str = "no signals out";

/// What works without a lock and not with one, and who sees to it.
const FORBIDDEN: [(&str, &str); 13] = [
    ("/read-outside", FILES),
    ("/list-outside", FILES),
    ("/thread", FILES),
    ("/write", FILES),
    ("/append", FILES),
    ("/mode", FILES),
    ("/remove", FILES),
    ("/make", FILES),
    ("/exec", FILES),
    ("/tmpfile", FILES),
    ("/connect", NETWORK),
    ("/bind", NETWORK),
    ("/signal", SIGNALS),
];

/// What must go on working.
fn works(inmate: &Inmate) {
    assert_eq!(inmate.ask("/read"), "done\n");
    assert_eq!(inmate.ask("/connect-there"), "done\n");
    assert_eq!(inmate.ask("/files/page.txt"), "text\n");
    assert_eq!(inmate.upload(), "file 900000 900000\n");
    let log = inmate.base.path().join("logs/access.log");
    fs::rename(&log, log.with_extension("1")).unwrap();
    assert_eq!(inmate.ask("/reopen"), "done\n");
    assert_eq!(fs::read_to_string(&log).unwrap(), "a line\n");
}

/// What this kernel can see to, asked of itself and not of what is tested here.
fn kernel_can(watch: &str) -> bool {
    use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};

    let rules = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let rules = match watch {
        FILES => rules().handle_access(AccessFs::from_all(ABI::V1)),
        NETWORK => rules().handle_access(AccessNet::from_all(ABI::V4)),
        _ => rules().scope(Scope::from_all(ABI::V6)),
    };
    rules.and_then(Ruleset::create).is_ok()
}

/// What must not, as far as this kernel can see to it. Without rules for files, there is nothing to be shown.
fn fails(inmate: &Inmate) {
    for (path, watch) in FORBIDDEN {
        let said = inmate.ask(path);
        assert_eq!(inmate.line.contains(watch), kernel_can(watch), "{watch}: {}", inmate.line);
        // The kernel says "denied" of files and connections, and "not permitted" of processes.
        let code = if watch == SIGNALS { "(os error 1)" } else { "(os error 13)" };
        if inmate.line.contains(watch) {
            assert!(said.contains(code), "{path}: {said}");
        } else {
            println!("SKIPPED {path}: {}", inmate.line);
        }
    }
    let base = inmate.base.path();
    if inmate.line.contains(FILES) {
        assert!(inmate.ask("/shadow").contains("(os error 13)"));
        assert_eq!(fs::read_to_string(base.join("www/page.txt")).unwrap(), "text\n");
        assert!(base.join("www/old.txt").exists() && !base.join("www/new.txt").exists());
    }
}

/// The same name, another directory: what was served is served on, and nobody has asked for the other.
fn replaces(inmate: &Inmate, reopened: &str) {
    let root = inmate.base.path().join("www");
    fs::rename(&root, inmate.base.path().join("www-before")).unwrap();
    fs::create_dir(&root).unwrap();
    fs::write(root.join("page.txt"), "another\n").unwrap();
    assert_eq!(inmate.ask("/files/page.txt"), "text\n");
    assert!(inmate.ask("/replaced").contains(reopened));
}

#[test]
fn without_a_lock_all_of_it_succeeds() {
    let inmate = Inmate::start(Lock::None);
    works(&inmate);
    for (path, _) in FORBIDDEN {
        assert_eq!(inmate.ask(path), "done\n", "{path}");
    }
    if is_root() {
        assert_eq!(inmate.ask("/shadow"), "done\n");
    }
    fs::write(inmate.base.path().join("www/page.txt"), "text\n").unwrap();
    replaces(&inmate, "done");
    assert_eq!(inmate.fact("status", "NoNewPrivs:"), "0");
    assert_eq!(inmate.stop(), 0);
}

#[test]
fn locked_in_a_handler_reads_what_is_served_and_does_nothing_else() {
    let inmate = Inmate::start(Lock::Files);
    let base = inmate.base.path().display();
    if !inmate.line.contains("the kernel could not") {
        let user = if is_root() { "still user root, " } else { "" };
        let held = format!("no core dumps, no new privileges, {FILES}, {NETWORK}, {SIGNALS}");
        let port = inmate.address.rsplit(':').next().unwrap();
        let paths = format!("reads {base}/www, writes {base}/logs, connects to port {port}");
        assert_eq!(inmate.line, format!("locked in: {user}{paths}, {held}"));
    }
    works(&inmate);
    fails(&inmate);
    if inmate.line.contains(FILES) {
        replaces(&inmate, "(os error 13)");
    }
    assert_eq!(inmate.fact("status", "NoNewPrivs:"), "1");
    assert_eq!(inmate.fact("limits", "Max core file size"), "0 0 bytes");
    assert_eq!(inmate.stop(), 0);
}

#[test]
fn root_becomes_nobody_for_good() {
    if !is_root() {
        return println!("SKIPPED root_becomes_nobody_for_good: only root can become somebody else");
    }
    let inmate = Inmate::start(Lock::User);
    assert!(inmate.line.starts_with("locked in: user nobody, group "), "{}", inmate.line);
    let id = fs::read_to_string("/etc/passwd").unwrap();
    let id = id.lines().find(|line| line.starts_with("nobody:")).and_then(|line| line.split(':').nth(2)).unwrap();
    assert_eq!(inmate.fact("status", "Uid:"), [id; 4].join(" "));
    assert_ne!(inmate.fact("status", "Gid:"), "0 0 0 0");
    assert_eq!(inmate.fact("status", "Groups:"), "");
    assert_eq!(inmate.fact("status", "CapEff:"), "0000000000000000");
    // One that cannot be dumped belongs to root, whoever runs it: others of the same user cannot look into it.
    let process = fs::metadata(format!("/proc/{}/limits", inmate.child.id())).unwrap();
    assert_eq!(process.uid(), 0);
    assert_eq!(inmate.fact("limits", "Max core file size"), "0 0 bytes");
    works(&inmate);
    fails(&inmate);
    assert_eq!(inmate.stop(), 0);
}

#[test]
fn in_a_root_of_its_own_there_is_nothing_else() {
    if !is_root() {
        return println!("SKIPPED in_a_root_of_its_own_there_is_nothing_else: only root can change it");
    }
    let inmate = Inmate::start(Lock::Root);
    assert!(inmate.line.contains(&format!("root {}", inmate.base.path().display())));
    for gone in ["/shadow", "/exec", "/list-outside", "/tmpfile"] {
        let said = inmate.ask(gone);
        assert!(said.contains("(os error 2)"), "{gone}: {said}");
    }
    works(&inmate);
    for path in ["/read-outside", "/thread", "/write", "/append", "/remove", "/make"] {
        let is_open = inmate.ask(path) == "done\n";
        assert_eq!(is_open, !inmate.line.contains(FILES), "{path}");
    }
    assert_eq!(inmate.stop(), 0);
}

#[test]
fn beside_other_threads_nobody_is_locked_in() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || receiver.recv());
    let refused = Sandbox::new(Strictness::BestEffort).lock();
    assert!(matches!(refused, Err(SandboxError::Threads(count)) if count > 1));
    drop(sender);
    let _ = other.join();
}

#[test]
fn what_is_not_there_is_said_before_anything_is_done() {
    let best = || Sandbox::new(Strictness::BestEffort);
    let said = |sandbox: Sandbox| sandbox.check().unwrap_err().to_string();
    assert!(said(best().reading("/no/such")).starts_with("/no/such cannot be kept in reach: "));
    assert!(best().reading("/").writing("/").check().is_ok());
    if !is_root() {
        assert!(said(best().with_user(NOBODY)).starts_with("only root can change the user"));
        return;
    }
    let cases = [
        (best().with_user("nobody-at-all"), "there is no user nobody-at-all: "),
        (best().with_group("no-such-group"), "there is no group no-such-group: "),
        (best().with_user("-1"), "there is no user -1: "),
        (best().with_user(""), "there is no user : "),
        (best().with_user("987654321"), "the system does not know user 987654321, nor its group: "),
        (best().with_user(NOBODY).with_chroot("/no/such"), "/no/such cannot be kept in reach: "),
        (best().with_user(NOBODY).with_chroot("/etc/passwd"), "/etc/passwd cannot be kept in reach: "),
    ];
    for (sandbox, start) in cases {
        let said = said(sandbox);
        assert!(said.starts_with(start), "{said}");
    }
    assert!(best().with_user("987654321").with_group("987654321").check().is_ok());
    assert!(best().with_user("0").check().is_ok());
}
