//! Signals, as a terminal, a log rotation or a person sends them.

use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags, open};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{House, connect, get, look, until};

/// A download that has begun, and goes on only as it is read.
fn begin_download(house: &House, address: &str) -> TcpStream {
    fs::File::create(house.path("long")).unwrap().set_len(64 << 20).unwrap();
    let mut download = connect(address);
    write!(download, "GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    download.read_exact(&mut [0; 16]).unwrap();
    download
}

#[test]
fn a_server_that_stops_finishes_a_download_and_takes_nobody_in() {
    let house = House::new();
    let address = house.start(&[]);
    let mut download = begin_download(&house, &address);
    house.signal(Signal::TERM);
    until("closed doors", || TcpStream::connect(&address).is_err());
    assert_eq!(house.fact("state").as_deref(), Some("stopping"));
    assert_eq!(house.say(&["reload"]).code, Some(1), "it would be in vain");
    let refused = house.say(&["start", "--port", "0"]);
    assert!(refused.stderr.contains("is running already"), "{}", refused.stderr);
    let mut rest = Vec::new();
    download.read_to_end(&mut rest).unwrap();
    assert!(rest.len() > (64 << 20), "{}", rest.len());
    until("the end", || house.is_empty());
}

#[test]
fn a_server_that_was_asked_to_stop_hands_over_to_nobody() {
    let house = House::new();
    house.start(&[]);
    let pid = house.pid();
    let wire = house.wire();
    let mut answer = [0; 1024];
    let mut hear = || {
        let (_, count) = recv(&wire, &mut answer[..], RecvFlags::empty()).unwrap();
        String::from_utf8_lossy(&answer[..count]).into_owned()
    };
    send(&wire, b"status", SendFlags::empty()).unwrap();
    assert!(hear().starts_with("ok\n"));
    // Both come in one turn of the loop.
    let facts = format!("/proc/{}/stat", pid.as_raw_nonzero());
    let is_in_state = |state: &str| fs::read_to_string(&facts).unwrap().contains(&format!(") {state} "));
    until("the end of the turn", || is_in_state("S"));
    kill_process(pid, Signal::STOP).unwrap();
    until("a standstill", || is_in_state("T"));
    send(&wire, b"drain", SendFlags::empty()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    assert_eq!(hear(), "no: the server is stopping");
    until("the end", || house.is_empty());
}

#[test]
fn a_second_one_ends_it_at_once() {
    let house = House::new();
    let address = house.start(&[]);
    let mut download = begin_download(&house, &address);
    house.signal(Signal::TERM);
    until("closed doors", || TcpStream::connect(&address).is_err());
    house.signal(Signal::TERM);
    until("the end", || house.is_empty());
    let mut rest = Vec::new();
    let _ = download.read_to_end(&mut rest); // cut short, with or without a reset
    assert!(rest.len() < (64 << 20));
}

#[test]
fn hup_reads_anew_and_usr1_does_not() {
    let house = House::new();
    fs::remove_file(house.path("index.html")).unwrap();
    fs::write(house.path("style.css"), "p { color: red }").unwrap();
    let address = house.start(&["--listing-css", "style.css", "--log", "log"]);
    let mut kept = BufReader::new(connect(&address));
    let mut ask = || {
        write!(kept.get_mut(), "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut lines = kept.by_ref().lines().map(Result::unwrap);
        let first = lines.next().unwrap();
        lines.find(String::is_empty).unwrap();
        first
    };
    assert_eq!(ask(), "HTTP/1.1 200 OK");
    fs::write(house.path("style.css"), "p { color: blue }").unwrap();
    house.signal(Signal::USR1);
    until("new logs", || house.log().contains("the logs were opened anew"));
    assert!(look(&address).contains("color: red"));
    house.signal(Signal::HUP);
    until("a new configuration", || house.log().contains("the configuration was read anew"));
    assert!(look(&address).contains("color: blue"));
    fs::remove_file(house.path("style.css")).unwrap();
    house.signal(Signal::HUP);
    until("a refusal", || house.log().contains("the configuration stays as it was: the style sheet style.css"));
    assert!(look(&address).contains("color: blue"));
    assert_eq!(ask(), "HTTP/1.1 200 OK", "connections stay");
}

#[test]
fn a_server_at_a_terminal_ends_with_it() {
    let house = House::new();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let end = || {
        let end = open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
        Stdio::from(end.unwrap())
    };
    let mut command = house.command(&["--port", "0", "--log", "log"]);
    let mut child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
    drop(command);
    until("a server", || house.fact("state").as_deref() == Some("serving"));
    // With a terminal it asks for what it asks for everywhere.
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    until("a new configuration", || house.log().contains("the configuration was read anew"));
    // What the kernel does when a terminal is closed.
    let own = fs::File::from(open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap());
    drop(terminal);
    // A process that is being started by another test may hold it a moment longer.
    until("a hang-up", || !own.is_terminal());
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    until("the end", || house.is_empty());
    assert!(child.wait().unwrap().success());
}

#[test]
fn without_a_pid_file_a_server_in_the_foreground_is_upgraded_too() {
    let house = House::new();
    let mut command = super::command(&["--port", "0", "--access-log", "off", "--log", "log"], house.folder.path());
    let mut child = command.env(super::MARK, house.folder.path()).spawn().unwrap();
    drop(command);
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = stdout.next().unwrap();
    kill_process(Pid::from_child(&child), Signal::USR2).unwrap();
    // The successor writes where its predecessor wrote.
    assert_eq!(stdout.next(), Some(first.clone()));
    assert!(child.wait().unwrap().success());
    let address = first.strip_prefix("http://").unwrap().split('/').next().unwrap();
    assert!(get(address, "/").ends_with("the index\n"));
}

/// As `pkill -HUP ownhands` sends it: to the server and to its herald.
#[test]
fn a_signal_to_all_processes_of_the_name_leaves_upgrades_possible() {
    let house = House::new();
    house.start(&["--log", "log"]);
    let server = house.pid();
    for signal in [Signal::HUP, Signal::USR1] {
        for process in house.living() {
            kill_process(Pid::from_raw(process).unwrap(), signal).unwrap();
        }
    }
    until("the configuration and the logs anew", || house.log().contains("the logs were opened anew"));
    house.signal(Signal::USR2);
    until("a successor", || house.fact("pid").is_some_and(|pid| pid != server.as_raw_nonzero().to_string()));
    assert_eq!(house.say(&["stop"]).code, Some(0));
}
