//! From one server to the next, under load: nobody is refused.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use rustix::process::Signal;

use super::load::Load;
use super::{House, connect, get, until};

#[test]
fn a_restart_loses_no_request() {
    let house = House::new();
    let address = house.start(&["--log", "log"]);
    let load = Load::on(&address);
    load.go_on();
    let mut before = house.pid();
    for _ in 0..3 {
        let restarted = house.say(&["restart", "--port", "0", "--log", "log", "."]);
        assert_eq!(restarted.code, Some(0), "{} {}", restarted.stderr, house.log());
        assert_eq!(restarted.address(), address, "it keeps its port");
        let now = house.pid();
        assert_ne!(now, before);
        before = now;
        load.go_on();
    }
    load.end();
    assert_eq!(fs::read_to_string(house.path("server.pid")).unwrap(), format!("{before}\n"));
    assert_eq!(house.say(&["stop"]).code, Some(0));
    until("the end of all of them", || house.is_empty());
}

#[test]
fn an_upgrade_in_place_loses_no_request_locked_in_or_not() {
    for sandbox in ["--sandbox=best-effort", "--sandbox=off"] {
        let house = House::new();
        let address = house.start(&["--log", "log", sandbox]);
        let load = Load::on(&address);
        for _ in 0..3 {
            load.go_on();
            let before = house.pid();
            house.signal(Signal::USR2);
            until("the successor", || house.fact("pid").is_some_and(|pid| pid != before.to_string()));
        }
        load.go_on();
        load.end();
        assert_eq!(house.fact("addresses"), Some(format!("http://{address}/")));
        assert_eq!(house.say(&["stop"]).code, Some(0));
        until("the end of all of them", || house.is_empty());
    }
}

#[test]
fn an_upgrade_starts_the_file_that_has_the_name_now() {
    let house = House::new();
    // The name is a link, and the upgrade turns it: here to a program that only leaves a word.
    let link = house.path("program");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ownhands"), &link).unwrap();
    let mut command = std::process::Command::new(&link);
    command.args(["start", "--port", "0", "--pid-file", "server.pid", "--log", "log"]);
    command.current_dir(house.folder.path()).env(super::MARK, house.folder.path());
    let said = super::Said::from(command.output().unwrap());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    fs::remove_file(&link).unwrap();
    // By another process: one of ours that is being started meanwhile would hold it open, and nobody could run it.
    let script = "printf '#!/bin/sh\\necho \"$OWNHANDS_ROLE $*\" > called\\n' > program && chmod +x program";
    let mut writer = std::process::Command::new("sh");
    assert!(writer.args(["-c", script]).current_dir(house.folder.path()).status().unwrap().success());
    let pid = house.pid();
    house.signal(Signal::USR2);
    let expected = "successor start --port 0 --pid-file server.pid --log log\n";
    until("the call", || fs::read_to_string(house.path("called")).is_ok_and(|text| text == expected));
    until("the word about it", || house.log().contains("no successor took over, this server goes on"));
    assert_eq!(house.pid(), pid);
    assert!(get(&said.address(), "/").ends_with("the index\n"));
}

#[test]
fn a_successor_that_fails_changes_nothing() {
    let house = House::new();
    let address = house.start(&["--log", "log"]);
    let pid = house.pid();
    let processes = house.living().len();
    let load = Load::on(&address);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["restart", "--port", &port, "."], 1, "is in use"),
        (&["restart", "--port", "0", "nowhere"], 2, "there is no nowhere"),
        (&["restart", "--port", "0", "--access-log", "nowhere/log", "."], 1, "nowhere/log"),
    ];
    let unsaid = house.say(&["restart", "--port", "0"]);
    assert_eq!(unsaid.code, Some(2));
    assert!(unsaid.stderr.contains("say what to serve"), "{}", unsaid.stderr);
    for (arguments, code, why) in cases {
        let refused = house.say(arguments);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(*code), ""), "{arguments:?}");
        assert!(refused.stderr.contains(why), "{arguments:?}: {}", refused.stderr);
        until("the word about it", || {
            let words = house.log();
            words.lines().any(|line| line.contains("no successor took over") && line.contains(why))
        });
        load.go_on();
    }
    load.end();
    assert_eq!(house.pid(), pid);
    until("the end of those who failed", || house.living().len() == processes);
}

#[test]
fn a_restart_has_its_own_options() {
    let house = House::new();
    let first = house.start(&[]);
    fs::create_dir(house.path("other")).unwrap();
    fs::write(house.path("other/index.html"), "the other\n").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let restarted = house.say(&["restart", "--port", &other, "other"]);
    assert_eq!(restarted.code, Some(0), "{}", restarted.stderr);
    assert_eq!(restarted.address(), format!("127.0.0.1:{other}"));
    assert!(get(&restarted.address(), "/").ends_with("the other\n"));
    until("the end of the first", || std::net::TcpStream::connect(&first).is_err());
}

#[test]
fn without_a_server_a_restart_is_a_start() {
    let house = House::new();
    let restarted = house.say(&["restart", "--port", "0", "."]);
    assert_eq!(restarted.code, Some(0), "{}", restarted.stderr);
    assert!(get(&restarted.address(), "/").ends_with("the index\n"));
}

#[test]
fn the_one_before_finishes_what_it_has_begun() {
    let house = House::new();
    let size = 32 << 20;
    fs::File::create(house.path("long")).unwrap().set_len(size).unwrap();
    let address = house.start(&[]);
    let mut download = connect(&address);
    write!(download, "GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut first = [0; 16];
    download.read_exact(&mut first).unwrap();
    let before = house.pid();
    assert_eq!(house.say(&["restart", "--port", "0", "."]).code, Some(0));
    assert_ne!(house.pid(), before);
    let mut rest = Vec::new();
    download.read_to_end(&mut rest).unwrap();
    assert!(first.len() + rest.len() > size as usize, "{}", rest.len());
    until("its end", || !house.living().contains(&before.as_raw_nonzero().get()));
    assert!(get(&address, "/").ends_with("the index\n"));
}

#[test]
fn a_socket_in_the_file_system_keeps_its_name_as_long_as_somebody_listens() {
    let house = House::new();
    let name = house.path("web.sock");
    let ask = || {
        let mut stream = std::os::unix::net::UnixStream::connect(&name).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("the index\n"), "{answer}");
    };
    let place = ["--bind", "unix:web.sock", "--log", "log"];
    assert_eq!(house.say(&[&["start"][..], &place].concat()).code, Some(0));
    ask();
    assert_eq!(house.say(&[&["restart"][..], &place, &["nowhere"]].concat()).code, Some(2));
    ask();
    for _ in 0..2 {
        let before = house.pid();
        house.signal(Signal::USR2);
        until("the successor", || house.fact("pid").is_some_and(|pid| pid != before.to_string()));
        until("the end of the one before", || !house.living().contains(&before.as_raw_nonzero().get()));
        ask();
    }
    assert_eq!(house.say(&["stop"]).code, Some(0));
    assert!(!name.exists());
}

#[test]
fn a_socket_in_the_file_system_that_is_not_wanted_any_more_loses_its_name() {
    let house = House::new();
    let (one, two) = (house.path("one"), house.path("two"));
    assert_eq!(house.say(&["start", "--bind", "unix:one", "--log", "log"]).code, Some(0));
    assert!(one.exists());
    let restarted = house.say(&["restart", "--bind", "unix:two", "--log", "log", "."]);
    assert_eq!(restarted.code, Some(0), "{}", restarted.stderr);
    assert!(!one.exists() && two.exists());
    assert_eq!(house.say(&["restart", "--port", "0", "--log", "log", "."]).code, Some(0));
    assert!(!two.exists());
    // What somebody else has put in its place is his.
    assert_eq!(house.say(&["restart", "--bind", "unix:one", "--log", "log", "."]).code, Some(0));
    fs::remove_file(&one).unwrap();
    let other = std::os::unix::net::UnixListener::bind(&one).unwrap();
    assert_eq!(house.say(&["restart", "--port", "0", "--log", "log", "."]).code, Some(0));
    assert!(std::os::unix::net::UnixStream::connect(&one).is_ok());
    drop(other);
}

#[test]
fn more_sockets_than_can_be_handed_over_are_refused_in_words() {
    let house = House::new();
    let places: Vec<String> = (0..254).map(|number| format!("--bind=127.0.1.{number}")).collect();
    let arguments: Vec<&str> = places.iter().map(String::as_str).chain(["--log", "log"]).collect();
    let address = house.start(&arguments);
    let refused = house.say(&["restart", "--port", "0", "."]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("more sockets than one message takes"), "{}", refused.stderr);
    assert!(get(&address, "/").ends_with("the index\n"));
}

#[test]
fn a_successor_that_has_failed_is_buried() {
    let house = House::new();
    fs::write(house.path("options.toml"), "port = 0\n").unwrap();
    house.start(&["--config", "options.toml", "--log", "log", "--sandbox", "off"]);
    fs::write(house.path("options.toml"), "port = false\n").unwrap();
    let pid = house.pid().as_raw_nonzero();
    house.signal(Signal::USR2);
    until("the word about it", || house.log().contains("no successor took over"));
    let children = || fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    until("its burial", || children().is_empty());
}

#[test]
fn a_program_that_cannot_be_started_is_said_to_be_so() {
    for sandbox in ["--sandbox=best-effort", "--sandbox=off"] {
        let house = House::new();
        let link = house.path("program");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ownhands"), &link).unwrap();
        let mut command = std::process::Command::new(&link);
        command.args(["start", "--port", "0", "--pid-file", "server.pid", "--log", "log", sandbox]);
        command.current_dir(house.folder.path()).env(super::MARK, house.folder.path());
        assert_eq!(super::Said::from(command.output().unwrap()).code, Some(0));
        fs::remove_file(&link).unwrap();
        house.signal(Signal::USR2);
        until("the reason", || {
            let words = house.log();
            words.lines().any(|line| line.contains("no successor") && line.contains("No such file"))
        });
    }
}
