//! What service managers do: sockets that are bound already, and a socket that wants to know.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::super::command::PATIENCE;
use super::{House, get, until};

/// As the manager starts it: what was bound is descriptor 3, and the number of the process is known to it.
fn activated(house: &House, socket: impl Into<OwnedFd>, arguments: &[&str]) -> Command {
    let script = "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&0 0</dev/null";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_ownhands")]).args(arguments);
    command.args(["--pid-file", "server.pid", "--log", "log", "--access-log", "off"]);
    command.current_dir(house.folder.path()).env(super::MARK, house.folder.path());
    command.stdin(Stdio::from(socket.into())).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn a_socket_that_is_bound_already_is_served_and_survives_an_upgrade() {
    let house = House::new();
    let bound = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = bound.local_addr().unwrap().to_string();
    let mut child = activated(&house, bound, &[]).spawn().unwrap();
    // Who is here before the server waits, and is not refused.
    assert!(get(&address, "/").ends_with("the index\n"));
    assert_eq!(house.fact("addresses"), Some(format!("http://{address}/")));
    let before = house.pid();
    house.signal(Signal::USR2);
    assert!(child.wait().unwrap().success());
    until("the successor", || house.fact("pid").is_some_and(|pid| pid != before.to_string()));
    assert!(get(&address, "/").ends_with("the index\n"));
}

#[test]
fn a_socket_in_the_file_system_that_is_bound_already() {
    let house = House::new();
    let bound = UnixListener::bind(house.path("web")).unwrap();
    let mut child = activated(&house, bound, &[]).spawn().unwrap();
    until("the server", || house.fact("addresses").is_some_and(|place| place.ends_with("/web")));
    assert_eq!(house.say(&["stop"]).code, Some(0));
    assert!(child.wait().unwrap().success());
    assert!(house.path("web").exists(), "its name is the manager's");
}

#[test]
fn who_says_where_to_listen_is_obeyed() {
    let house = House::new();
    let bound = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = bound.local_addr().unwrap().to_string();
    let mut child = activated(&house, bound, &["--port", "0"]).spawn().unwrap();
    until("the server", || house.fact("state").is_some());
    assert_ne!(house.fact("addresses"), Some(format!("http://{address}/")));
    assert!(house.log().contains("the service manager's sockets are not used"));
    assert_eq!(house.say(&["stop"]).code, Some(0));
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_no_socket_is_refused() {
    let house = House::new();
    let file = fs::File::open(house.path("index.html")).unwrap();
    let output = activated(&house, file, &[]).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("socket 0 of LISTEN_FDS listens for no streams"));
    assert!(house.is_empty());
}

/// The manager's ear.
struct Ear(UnixDatagram);

impl Ear {
    fn at(house: &House) -> Ear {
        let ear = UnixDatagram::bind(house.path("notify")).unwrap();
        ear.set_read_timeout(Some(PATIENCE)).unwrap();
        Ear(ear)
    }

    /// The next message that is no sign of life, in lines.
    fn hear(&self) -> Vec<String> {
        loop {
            let message = self.hear_any();
            if message != ["WATCHDOG=1"] {
                return message;
            }
        }
    }

    fn hear_any(&self) -> Vec<String> {
        let mut text = [0; 4096];
        let count = self.0.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..count]).lines().map(str::to_owned).collect()
    }
}

#[test]
fn the_manager_is_told_what_it_wants_to_know() {
    let house = House::new();
    let ear = Ear::at(&house);
    let mut command = house.command(&["--port", "0", "--access-log", "off", "--log", "log"]);
    command.env("NOTIFY_SOCKET", house.path("notify")).env("WATCHDOG_USEC", "50000");
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    drop(command);
    let ready = ear.hear();
    assert_eq!(ready[..2], [format!("MAINPID={}", child.id()), "READY=1".to_owned()]);
    assert!(ready[2].starts_with("STATUS=http://127.0.0.1:"), "{ready:?}");
    for _ in 0..3 {
        assert_eq!(ear.hear_any(), ["WATCHDOG=1"]);
    }
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    let reloading = ear.hear();
    assert_eq!(reloading[0], "RELOADING=1");
    assert!(reloading[1].starts_with("MONOTONIC_USEC="), "{reloading:?}");
    assert_eq!(ear.hear(), ready);

    house.signal(Signal::USR2);
    let taken_over = ear.hear();
    assert!(child.wait().unwrap().success());
    assert_eq!(taken_over[..2], [format!("MAINPID={}", house.pid()), "READY=1".to_owned()]);
    assert_eq!(taken_over[2], ready[2]);
    for _ in 0..3 {
        assert_eq!(ear.hear_any(), ["WATCHDOG=1"], "of the successor");
    }
    house.signal(Signal::TERM);
    assert_eq!(ear.hear()[0], "STOPPING=1");
    until("the end", || house.is_empty());
}

#[test]
fn one_that_is_not_there_is_no_reason_not_to_serve() {
    let house = House::new();
    let mut command = house.command(&["start", "--port", "0", "--log", "log"]);
    let output = command.env("NOTIFY_SOCKET", house.path("nowhere")).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(house.log().contains("the service manager cannot be told anything"));
}
