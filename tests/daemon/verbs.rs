//! start, stop, status, reload, and what stands in their way.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use super::{House, Said, get, look, until};

#[test]
fn a_server_in_the_background_is_there_when_start_returns_and_gone_when_stop_does() {
    let house = House::new();
    let before = house.say(&["status"]);
    assert_eq!((before.code, before.stdout.as_str()), (Some(3), "not running\n"));
    let address = house.start(&[]);
    assert!(get(&address, "/").ends_with("the index\n"));
    let status = house.say(&["status"]);
    assert_eq!(status.code, Some(0));
    let pid = fs::read_to_string(house.path("server.pid")).unwrap();
    for fact in [
        format!("pid: {pid}"),
        "state: serving\n".to_owned(),
        "uptime: ".to_owned(),
        format!("addresses: http://{address}/\n"),
        "connections: 0\n".to_owned(),
        "requests: 1\n".to_owned(),
        "turns of the loop: ".to_owned(),
        format!("version: {}\n", env!("CARGO_PKG_VERSION")),
        "configuration: no file\n".to_owned(),
        "locked in: ".to_owned(),
        "memory: ".to_owned(),
    ] {
        assert!(status.stdout.contains(&fact), "{fact:?} in {}", status.stdout);
    }
    let stopped = house.say(&["stop"]);
    assert_eq!((stopped.code, stopped.stdout.as_str(), stopped.stderr.as_str()), (Some(0), "", ""));
    until("the end of the herald", || house.is_empty());
    let again = house.say(&["stop"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), "no server is running\n"));
    assert_eq!(house.say(&["reload"]).code, Some(1));
}

#[test]
fn a_second_start_is_refused_and_changes_nothing() {
    let house = House::new();
    let address = house.start(&[]);
    let pid = house.pid();
    let second = house.say(&["start", "--port", "0"]);
    assert_eq!((second.code, second.stdout.as_str()), (Some(1), ""));
    assert!(second.stderr.contains(&format!("with the pid {pid} is running already")), "{}", second.stderr);
    assert_eq!(house.pid(), pid);
    // In the foreground, too: the lock is one.
    let third = house.say(&["--port", "0"]);
    assert_eq!(third.code, Some(1));
    assert!(third.stderr.contains("is running already"), "{}", third.stderr);
    assert!(get(&address, "/").ends_with("the index\n"));
}

#[test]
fn of_many_starts_at_once_one_succeeds() {
    let house = House::new();
    let starts: Vec<_> = (0..6).map(|_| house.command(&["start", "--port", "0"]).spawn().unwrap()).collect();
    let said: Vec<Said> = starts.into_iter().map(|start| Said::from(start.wait_with_output().unwrap())).collect();
    assert_eq!(said.iter().filter(|said| said.code == Some(0)).count(), 1, "{said:?}");
    let refused = |said: &&Said| said.code == Some(1) && said.stderr.contains("is running already");
    assert_eq!(said.iter().filter(refused).count(), 5, "{said:?}");
    assert_eq!(house.say(&["status"]).code, Some(0));
}

#[test]
fn a_pid_file_that_was_left_behind_is_nobodys() {
    let house = House::new();
    // The number is of somebody who lives: this test.
    fs::write(house.path("server.pid"), format!("{}\n", std::process::id())).unwrap();
    assert_eq!(house.say(&["status"]).code, Some(3));
    house.start(&[]);
    house.signal(Signal::KILL);
    until("the end", || house.living().is_empty());
    assert!(house.path("server.pid").exists() && house.path("server.sock").exists(), "it had no time to clean up");
    assert_eq!(house.say(&["status"]).code, Some(3));
    assert_eq!(house.say(&["stop"]).code, Some(0));
    let address = house.start(&[]);
    assert!(get(&address, "/").ends_with("the index\n"));
    assert_eq!(house.say(&["stop"]).code, Some(0));
    until("the end", || house.is_empty());
}

#[test]
fn what_fails_to_start_says_why_and_leaves_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let long = format!("{}/server.pid", "a".repeat(120));
    let cases: &[(&[&str], i32, &str)] = &[
        (&["start", "--port", &port], 1, "is in use: name another by --port"),
        (&["start", "--port", "0", "nowhere"], 2, "there is no nowhere"),
        (&["start", "--port", "0", "--pid-file", "nowhere/server.pid"], 1, "make its directory"),
        (&["start", "--port", "0", "--pid-file", "/proc/version"], 1, "the pid file /proc/version cannot be had"),
        (&["start", "--port", "0", "--pid-file", "."], 1, "the pid file . cannot be had"),
        (&["start", "--port", "0", "--pid-file", &long], 1, "cannot be"),
        (&["start", "--port", "0", "--access-log", "nowhere/log"], 1, "nowhere/log"),
        (&["start", "--port", "x"], 2, "--port"),
    ];
    for (arguments, code, why) in cases {
        let house = House::new();
        let said = if arguments.contains(&"--pid-file") {
            let mut command = super::command(arguments, house.folder.path());
            Said::from(command.env(super::MARK, house.folder.path()).output().unwrap())
        } else {
            house.say(arguments)
        };
        assert_eq!((said.code, said.stdout.as_str()), (Some(*code), ""), "{arguments:?}: {}", said.stderr);
        assert!(said.stderr.starts_with("ownhands: ") && said.stderr.contains(why), "{arguments:?}: {}", said.stderr);
        assert_eq!(said.stderr.lines().count(), 1, "{arguments:?}: {}", said.stderr);
        until("the end", || house.is_empty());
    }
}

#[test]
fn a_server_that_nobody_waits_for_does_not_start() {
    let house = House::new();
    let mut command = house.command(&["start", "--port", "0"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader); // who called start was killed
    let child = command.env("OWNHANDS_ROLE", "server").stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    drop(command);
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("whoever started the server has gone"), "{}", said.stderr);
    until("the end", || house.is_empty());
}

#[test]
fn the_variable_for_its_own_processes_is_not_for_others() {
    let house = House::new();
    let said = Said::from(house.command(&["status"]).env("OWNHANDS_ROLE", "king").output().unwrap());
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("OWNHANDS_ROLE"), "{}", said.stderr);
    // A successor without a predecessor, and a herald without a server.
    let said = Said::from(house.command(&["--port", "0"]).env("OWNHANDS_ROLE", "successor").output().unwrap());
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("the predecessor does not hand over"), "{}", said.stderr);
    let said = Said::from(house.command(&[]).env("OWNHANDS_ROLE", "herald").output().unwrap());
    assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""));
    assert!(said.stderr.contains("OWNHANDS_ROLE"), "{}", said.stderr);
    assert!(house.is_empty());
}

#[test]
fn a_server_needs_no_working_directory() {
    let house = House::new();
    fs::create_dir(house.path("gone")).unwrap();
    let script = "cd gone && rmdir ../gone && exec \"$0\" \"$@\"";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_ownhands"), "start", "--port", "0", "--log"]);
    command.arg(house.path("log")).arg("--pid-file").arg(house.path("server.pid")).arg(house.folder.path());
    command.current_dir(house.folder.path()).env(super::MARK, house.folder.path());
    let said = Said::from(command.output().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let pid = house.pid();
    house.signal(Signal::USR2);
    until("the successor", || house.fact("pid").is_some_and(|now| now != pid.to_string()));
    assert!(get(&said.address(), "/").ends_with("the index\n"));
}

#[test]
fn who_asks_a_server_that_is_full_hears_so() {
    let house = House::new();
    house.start(&[]);
    let peers: Vec<OwnedFd> = (0..16).map(|_| house.wire()).collect();
    let status = house.say(&["status"]);
    assert_eq!((status.code, status.stdout.as_str()), (Some(4), ""));
    assert!(status.stderr.contains("too many ask already"), "{}", status.stderr);
    drop(peers);
    until("room", || house.say(&["status"]).code == Some(0));
}

#[test]
fn what_a_reload_cannot_change_is_said_and_nothing_else() {
    let house = House::new();
    fs::write(house.path("options.toml"), "port = 0\n").unwrap();
    let say = |verb: &str| {
        let mut command = super::command(&[verb, "--config", "options.toml", "--log", "log"], house.folder.path());
        let command = command.env(super::MARK, house.folder.path()).env("OWNHANDS_PID_FILE", "server.pid");
        Said::from(command.output().unwrap())
    };
    let started = say("start");
    assert_eq!(started.code, Some(0), "{}", started.stderr);
    assert_eq!((say("reload").code, say("reload").stderr.as_str()), (Some(0), ""));
    fs::write(house.path("options.toml"), "port = 0\ntrace = \"/\"\n").unwrap();
    let warned = say("reload");
    assert_eq!(warned.code, Some(0), "{}", warned.stderr);
    assert!(warned.stderr.contains("trace has changed: it takes effect with ownhands restart"), "{}", warned.stderr);
}

#[test]
fn a_herald_that_has_ended_is_named() {
    let house = House::new();
    fs::write(house.path("options.toml"), "port = 0\n").unwrap();
    let said = house.say(&["start", "--config", "options.toml", "--log", "log", "--sandbox", "best-effort"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let server = house.pid().as_raw_nonzero().get();
    let herald = house.living().into_iter().find(|&number| number != server).expect("it is locked in");
    kill_process(Pid::from_raw(herald).unwrap(), Signal::KILL).unwrap();
    until("its end", || house.living() == [server]);
    for _ in 0..2 {
        let refused = house.say(&["reload", "--config", "options.toml"]);
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains("the herald has ended: say ownhands restart"), "{}", refused.stderr);
    }
    house.signal(Signal::USR2);
    until("the word about it", || house.log().contains("no successor can be started: the herald has ended"));
    assert!(get(&said.address(), "/").ends_with("the index\n"));
}

#[test]
fn reload_reads_anew_or_says_why_it_cannot() {
    let house = House::new();
    fs::remove_file(house.path("index.html")).unwrap();
    fs::write(house.path("style.css"), "p { color: red }").unwrap();
    let address = house.start(&["--listing-css", "style.css", "--log", "log"]);
    let pid = house.pid();
    assert!(look(&address).contains("color: red"));
    fs::write(house.path("style.css"), "p { color: blue }").unwrap();
    assert!(look(&address).contains("color: red"), "nobody asked for it yet");
    let reloaded = house.say(&["reload"]);
    assert_eq!((reloaded.code, reloaded.stdout.as_str(), reloaded.stderr.as_str()), (Some(0), "", ""));
    assert!(look(&address).contains("color: blue"));

    fs::remove_file(house.path("style.css")).unwrap();
    let refused = house.say(&["reload"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("the style sheet style.css cannot be read"), "{}", refused.stderr);
    assert!(look(&address).contains("color: blue"), "it goes on as it was");
    assert_eq!(house.pid(), pid);
}

#[test]
fn a_unit_for_systemd_says_what_was_said() {
    let house = House::new();
    let mut command =
        super::command(&["unit", "--port", "80", "--header", "X-Cost: 5$ 10%", "a b"], house.folder.path());
    let said = Said::from(command.output().unwrap());
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    let program = env!("CARGO_BIN_EXE_ownhands");
    let start = format!(
        "ExecStart={program} --pid-file=%t/ownhands/ownhands.pid --port 80 --header \"X-Cost: 5$$ 10%%\" \"a b\"\n"
    );
    for line in [
        start.as_str(),
        &format!("ExecReload={program} reload --pid-file=%t/ownhands/ownhands.pid\n"),
        "Type=notify\n",
        "TimeoutStopSec=40\n",
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n",
        "ProtectSystem=strict\n",
    ] {
        assert!(said.stdout.contains(line), "{line:?} in {}", said.stdout);
    }
    // What is served must not be hidden from who serves it.
    let in_tmp =
        ["/tmp", "/var/tmp"].iter().any(|place| house.folder.path().starts_with(place) || program.starts_with(place));
    let line = if in_tmp { "PrivateTmp=no\n" } else { "PrivateTmp=yes\n" };
    assert!(said.stdout.contains(line), "{line:?} in {}", said.stdout);
}
