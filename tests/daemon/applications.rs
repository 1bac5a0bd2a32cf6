//! Applications, as processes: who starts them, and what becomes of them when a server is reloaded, replaced and
//! stopped. What stands in Python's place here says that it is ready, and nothing else: what it would answer is
//! not the daemon's business.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::{House, connect, get, until};

/// A worker that is ready, and waits for the end of its socket.
const READY: &str = "printf '5:ready,' >&0\nwhile read -r line; do :; done\n";

/// One that cannot load its application.
const FAILED: &str = "echo 'Traceback (most recent call last):' >&2\necho 'ImportError: no' >&2\nexit 1\n";

/// One that is ready and does not want to end.
const STUBBORN: &str = "trap '' TERM\nprintf '5:ready,' >&0\nwhile :; do sleep 1; done\n";

impl House {
    /// Makes a program in this house: its name.
    fn write_program(&self, name: &str, script: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        format!("./{name}")
    }

    /// Those processes of this house that this one has started.
    fn children(&self, parent: Pid) -> Vec<Pid> {
        let is_child = |number: &i32| {
            let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
            let of = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)).map(str::to_owned);
            of == Some(parent.to_string())
        };
        self.living().into_iter().filter(is_child).map(|number| Pid::from_raw(number).unwrap()).collect()
    }

    /// The launcher of the server that runs.
    fn launcher(&self) -> Pid {
        let is_one = |pid: &Pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|variable| variable == b"OWNHANDS_ROLE=launcher")
        };
        self.children(self.pid()).into_iter().find(is_one).expect("there is a launcher")
    }
}

/// The arguments of a server with files and with an application, which this program is in Python's place for.
fn beside_files(python: &str) -> [&str; 7] {
    ["--wsgi", "a:b", "--try-files", "--python", python, "--log=log", "."]
}

#[test]
fn an_application_that_cannot_be_loaded_is_said_and_nothing_is_left() {
    let house = House::new();
    house.write_program("python", FAILED);
    for arguments in [&["--port", "0"][..], &["start", "--port", "0"]] {
        let said = house.say(&[arguments, &["--wsgi", "a:b", "--python", "./python"]].concat());
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(said.stderr.contains("Traceback (most recent call last):\nImportError: no\n"), "{}", said.stderr);
        let last = said.stderr.lines().next_back().unwrap_or_default();
        assert!(last.starts_with("ownhands: --wsgi a:b: "), "{}", said.stderr);
        until("the end of the launcher", || house.is_empty());
    }
}

#[test]
fn where_nothing_is_named_no_file_is_served() {
    let house = House::new();
    house.write_program("python", READY);
    let said = house.say(&["start", "--port=0", "--wsgi=a:b", "--wsgi-path=/app", "--python=./python"]);
    assert!(said.stdout.ends_with(" serves a:b at /app\n"), "{}", said.stdout);
    assert!(get(&said.address(), "/index.html").starts_with("HTTP/1.1 404 "));
    assert!(get(&said.address(), "/").starts_with("HTTP/1.1 404 "));
}

#[test]
fn workers_are_the_launchers_and_are_ready_before_the_server_is() {
    let house = House::new();
    let address = house.start(&beside_files(&house.write_program("venv/bin/python", READY)));
    assert!(get(&address, "/index.html").ends_with("the index\n"));
    let launcher = house.launcher();
    assert_eq!(house.children(launcher).len(), 2);
    // Each leads a group of its own, as the launcher does: what a terminal sends is the server's business.
    for process in house.children(launcher).into_iter().chain([launcher]) {
        assert_eq!(rustix::process::getpgid(Some(process)).ok(), Some(process));
    }
    assert!(house.fact("locked in").is_some_and(|walls| walls.ends_with("; but not what applications start")));
    let facts = fs::read_to_string(format!("/proc/{launcher}/status")).unwrap();
    assert!(facts.contains("NoNewPrivs:\t1\n"), "{facts}");
    assert_eq!(house.say(&["stop"]).code, Some(0));
    until("the end of all", || house.is_empty());
}

#[test]
fn a_launcher_sleeps_and_survives_signals() {
    let house = House::new();
    house.start(&beside_files(&house.write_program("python", READY)));
    let launcher = house.launcher();
    for signal in [Signal::HUP, Signal::INT, Signal::TERM, Signal::USR1, Signal::USR2] {
        kill_process(launcher, signal).unwrap();
    }
    let path = format!("/proc/{launcher}/status");
    let wakes = || {
        let facts = fs::read_to_string(&path).unwrap();
        facts.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap().trim().to_owned()
    };
    let is_asleep = || fs::read_to_string(&path).is_ok_and(|facts| facts.contains("State:\tS"));
    until("sleep", is_asleep);
    let before = wakes();
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(wakes(), before);
    assert_eq!(house.children(launcher).len(), 2);
}

#[test]
fn a_reload_loads_the_application_anew_with_the_options_it_was_started_with() {
    let house = House::new();
    house.write_program("python", READY);
    let options = "wsgi = \"a:b\"\ntry-files = true\npython = \"./python\"\npaths = \".\"\nlog = \"log\"\n";
    fs::write(house.path("o.toml"), options).unwrap();
    let address = house.start(&["--config", "o.toml"]);
    let launcher = house.launcher();
    let before = house.children(launcher);
    fs::write(house.path("o.toml"), format!("{options}wsgi-workers = 3\nindex = \"other.html\"\n")).unwrap();
    fs::write(house.path("other.html"), "another\n").unwrap();
    let said = house.say(&["reload"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(said.stderr, "ownhands: warning: wsgi-workers has changed: it takes effect with ownhands restart\n");
    assert!(get(&address, "/").ends_with("another\n"));
    until("other workers", || {
        let now = house.children(launcher);
        now.len() == 2 && now.iter().all(|worker| !before.contains(worker))
    });
    // Whether there is one is not changed, and then nothing is.
    for other in
        [options.replace("try-files = true", "wsgi-path = \"/a\""), "paths = \".\"\nlog = \"log\"\n".to_owned()]
    {
        fs::write(house.path("o.toml"), other).unwrap();
        let said = house.say(&["reload"]);
        assert!(said.code == Some(1) && said.stderr.contains("a running server does not change"), "{}", said.stderr);
        assert!(get(&address, "/").ends_with("another\n"));
    }
}

#[test]
fn a_successor_has_workers_of_its_own() {
    let house = House::new();
    let address = house.start(&beside_files(&house.write_program("python", READY)));
    let (before, launcher) = (house.pid(), house.launcher());
    house.signal(Signal::USR2);
    until("a successor", || house.fact("pid").is_some_and(|pid| pid != before.to_string()));
    until("the end of its predecessor's", || !house.living().contains(&launcher.as_raw_nonzero().get()));
    assert_eq!(house.children(house.launcher()).len(), 2);
    assert!(get(&address, "/").ends_with("the index\n"));
    // One that cannot load its application changes nothing.
    let (before, launcher) = (house.pid(), house.launcher());
    house.write_program("failed", FAILED);
    let said = house.say(&[&["restart", "--port", "0"], &beside_files("./failed")[..]].concat());
    assert!(said.code == Some(1) && said.stderr.contains("\nImportError: no\n"), "{}", said.stderr);
    assert_eq!((house.pid(), house.children(launcher).len()), (before, 2));
    assert_eq!(house.say(&["stop"]).code, Some(0));
    until("the end of all", || house.is_empty());
}

#[test]
fn who_does_not_want_to_end_holds_nothing_up() {
    let house = House::new();
    house.start(&beside_files(&house.write_program("python", STUBBORN)));
    let workers = house.children(house.launcher());
    assert_eq!(workers.len(), 2);
    assert_eq!(house.say(&["stop"]).code, Some(0));
    // The launcher stays until it has killed them.
    until("the end of all", || house.is_empty());
    assert!(workers.iter().all(|&worker| rustix::process::test_kill_process(worker).is_err()));
}

#[test]
fn without_its_launcher_a_server_goes_on() {
    let house = House::new();
    let address = house.start(&beside_files(&house.write_program("python", READY)));
    let (pid, launcher) = (house.pid(), house.launcher());
    let workers = house.children(launcher);
    kill_process(launcher, Signal::KILL).unwrap();
    until("a word", || house.log().contains("what starts programs for applications has ended: say ownhands restart"));
    // It is buried.
    until("the end", || !fs::exists(format!("/proc/{launcher}")).unwrap());
    assert!(get(&address, "/").ends_with("the index\n"));
    // Nobody waits for a worker that never comes.
    workers.iter().for_each(|&worker| kill_process(worker, Signal::KILL).unwrap());
    until("a refusal", || get(&address, "/application").starts_with("HTTP/1.1 503 "));
    let said = house.say(&[&["restart", "--port", "0"], &beside_files("./python")[..]].concat());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_ne!(house.pid(), pid);
    assert_eq!(house.children(house.launcher()).len(), 2);
}

/// What a script says is behind this head.
const HEAD: &str = "echo 'Content-Type: text/plain'\necho\n";

/// The lines that a script has said.
fn said_by_script(address: &str, target: &str) -> Vec<String> {
    let mut answer = String::new();
    let mut stream = connect(address);
    write!(stream, "GET {target} HTTP/1.0\r\n\r\n").unwrap(); // no chunks
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect(&answer);
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    body.lines().map(str::to_owned).collect()
}

#[test]
fn a_script_is_started_outside_of_the_walls_with_little() {
    let house = House::new();
    let script =
        format!("{HEAD}echo $$\necho \"$OWNHANDS_ROLE$TEST_HOUSE\"\necho \"$PATH_INFO\"\ncat o.toml\nexec sleep 3600");
    house.write_program("cgi/facts", &script);
    fs::write(house.path("cgi/o.toml"), "beside it\n").unwrap();
    let address = house.start(&["--cgi", "/cgi-bin=cgi", "--log=log", "index.html"]);
    let launcher = house.launcher();
    let mut stream = connect(&address);
    write!(stream, "GET /cgi-bin/facts/more HTTP/1.0\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let number = lines.by_ref().find(|line| line.parse::<i32>().is_ok_and(|number| number > 99)).unwrap();
    assert_eq!(lines.next().as_deref(), Some(""), "a script knows what is none of its business");
    assert_eq!((lines.next().as_deref(), lines.next().as_deref()), (Some("/more"), Some("beside it")));

    // Until then it is a shell, which has its script open.
    until("sleep", || fs::read_to_string(format!("/proc/{number}/comm")).unwrap() == "sleep\n");
    let facts = fs::read_to_string(format!("/proc/{number}/status")).unwrap();
    assert!(facts.contains("NoNewPrivs:\t1\n") && facts.contains(&format!("PPid:\t{launcher}\n")), "{facts}");
    let signals = |name: &str| {
        let mask = facts.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        u64::from_str_radix(mask, 16).unwrap()
    };
    let usual = [Signal::HUP, Signal::INT, Signal::USR1, Signal::USR2, Signal::PIPE, Signal::TERM];
    let usual = usual.iter().fold(0, |mask, signal| mask | 1_u64 << (signal.as_raw() - 1));
    assert_eq!((signals("SigBlk:"), signals("SigIgn:") & usual), (0, 0));
    let mut descriptors: Vec<String> = fs::read_dir(format!("/proc/{number}/fd"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    descriptors.sort();
    assert_eq!(descriptors, ["0", "1", "2"]);
    // With the server it ends. Two signals that come together are one.
    house.signal(Signal::INT);
    until("the first word", || house.log().contains("stopping"));
    house.signal(Signal::INT);
    until("the end of all", || house.is_empty() && !fs::exists(format!("/proc/{number}")).unwrap());
}

#[test]
fn scripts_leave_nothing_behind() {
    let house = House::new();
    // What it starts is in its group, and the last one is not: both lose their parent.
    let script = format!("{HEAD}echo begun\nsleep 3600 >&- 2>&- &\nsetsid sleep 0.1 >&- 2>&- &\nexit 0\n");
    house.write_program("cgi/parent", &script);
    let address = house.start(&["--cgi", "/cgi-bin=cgi", "--log=log", "index.html"]);
    let launcher = house.launcher();
    let open = || fs::read_dir(format!("/proc/{launcher}/fd")).unwrap().count();
    let before = open();
    for _ in 0..20 {
        assert_eq!(said_by_script(&address, "/cgi-bin/parent"), ["begun"]);
    }
    let children = || fs::read_to_string(format!("/proc/{launcher}/task/{launcher}/children")).unwrap_or_default();
    until("a burial", || children().is_empty());
    until("closed descriptors", || open() == before);
}

#[test]
fn a_reload_lets_scripts_finish() {
    let house = House::new();
    house.write_program("cgi/slow", &format!("{HEAD}echo begun\nread -r line < pipe\necho \"$line\"\n"));
    rustix::fs::mkfifoat(rustix::fs::CWD, house.path("cgi/pipe"), rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    let address = house.start(&["--cgi", "/cgi-bin=cgi", "--log=log", "index.html"]);
    let asked = thread::spawn({
        let address = address.clone();
        move || said_by_script(&address, "/cgi-bin/slow")
    });
    let launcher = house.launcher();
    let children = || fs::read_to_string(format!("/proc/{launcher}/task/{launcher}/children")).unwrap_or_default();
    until("a script", || !children().is_empty());
    let said = house.say(&["reload", "--cgi", "/cgi-bin=cgi", "--log=log", "index.html"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    house.write_program("cgi/quick", &format!("{HEAD}echo quick\n"));
    assert_eq!(said_by_script(&address, "/cgi-bin/quick"), ["quick"]);
    fs::write(house.path("cgi/pipe"), "finished\n").unwrap();
    assert_eq!(asked.join().unwrap(), ["begun", "finished"]);
    until("a burial", || children().is_empty());
}

#[test]
fn a_reload_asks_only_servers_that_are_in_reach() {
    let house = House::new();
    let known = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (sandbox, code) in [("best-effort", 1), ("off", 0)] {
        let options = format!("paths = \".\"\nlog = \"log\"\nsandbox = \"{sandbox}\"\n[scgi]\n\"/a\" = \"{known}\"\n");
        fs::write(house.path("o.toml"), &options).unwrap();
        let address = house.start(&["--config", "o.toml"]);
        assert!(get(&address, "/a/").starts_with("HTTP/1.1 502 "), "nobody listens there");
        fs::write(house.path("o.toml"), format!("{options}\"/b\" = \"{known}\"\n\"/c\" = \"unix:nobody\"\n")).unwrap();
        assert_eq!(house.say(&["reload"]).code, Some(0));
        assert!(get(&address, "/b").starts_with("HTTP/1.1 502 ") && get(&address, "/c").starts_with("HTTP/1.1 502 "));
        fs::write(house.path("o.toml"), format!("{options}\"/d\" = \"127.0.0.1:9\"\n")).unwrap();
        let said = house.say(&["reload"]);
        assert_eq!(said.code, Some(code), "{sandbox}: {}", said.stderr);
        assert_eq!(said.stderr.contains("127.0.0.1:9 is new, and out of reach: restart the server"), code == 1);
        assert_eq!(house.say(&["stop"]).code, Some(0));
    }
}

#[test]
fn a_unit_for_an_application_lets_it_be_what_it_is() {
    let house = House::new();
    let unit = |arguments: &[&str]| house.say(&[&["unit"], arguments].concat()).stdout;
    let (files, application) =
        (unit(&["www"]), unit(&["--wsgi", "a:b", "--python", "/home/me/venv", "--try-files", "www"]));
    assert!(files.contains("\nMemoryDenyWriteExecute=yes\n"), "{files}");
    assert!(!application.contains("MemoryDenyWriteExecute"), "{application}");
    for line in ["Description=ownhands serves www a:b", "ProtectHome=read-only", "NoNewPrivileges=yes"] {
        assert!(application.lines().any(|found| found == line), "no {line} in\n{application}");
    }
}

#[test]
fn nobody_is_a_launcher_by_a_word() {
    let house = House::new();
    let output = house.command(&[]).env("OWNHANDS_ROLE", "launcher").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("OWNHANDS_ROLE is for this program alone"));
}
