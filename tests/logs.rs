//! The logs of the command, as a process: what a full disk, a lost directory and a crowd of refusals do to them.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use rustix::process::Signal;

use crate::command::{PATIENCE, Running, ask, command};

/// Exit code and stderr of a command that ends by itself.
fn fails(arguments: &[&str], directory: &Path) -> (Option<i32>, String) {
    let output = command(arguments, directory).output().expect("the binary was built with the tests");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_log_that_cannot_be_opened_is_said_before_anything_is_served() {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir(site.path().join("folder")).unwrap();
    for (option, name) in [("--access-log", "access log"), ("--log", "log")] {
        let table = [
            ("gone/a.log", "there is no directory gone: make it, or name another file"),
            ("folder", "it is a directory: name a file in it"),
            (".", "it is a directory: name a file in it"),
        ];
        for (path, why) in table {
            let want = format!("ownhands: the {name} {path} cannot be opened: {why}\n");
            assert_eq!(fails(&["-p", "0", option, path, "."], site.path()), (Some(1), want));
        }
    }
}

/// Requests do not know of it.
#[test]
fn a_full_disk_costs_lines_and_no_request() {
    if !Path::new("/dev/full").exists() {
        println!("SKIPPED: there is no /dev/full");
        return;
    }
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("a.txt"), "hello").unwrap();
    let server = Running::start(&["-p", "0", "--access-log", "/dev/full", "."], site.path());
    for _ in 0..10 {
        assert!(ask(server.address(), "/a.txt").ends_with("\r\n\r\nhello"));
    }
    let (status, _, stderr) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0));
    assert_eq!(stderr.matches("the access log cannot be written, lines are lost: ").count(), 1, "{stderr}");
    assert_eq!(stderr.matches("10 lines of the access log were lost\n").count(), 1, "{stderr}");

    let server = Running::start(&["-p", "0", "--log", "/dev/full", "--log-level", "trace", "."], site.path());
    assert!(ask(server.address(), "/a.txt").ends_with("\r\n\r\nhello"));
    let (status, stdout, stderr) = server.stop(Signal::TERM);
    assert_eq!((status.code(), stdout.lines().count(), stderr.as_str()), (Some(0), 1, ""));
}

#[test]
fn logs_go_where_they_are_led() {
    let site = tempfile::tempdir().unwrap();
    let options =
        ["-p", "0", "--log", "log", "--access-log", "access", "--access-log-format", "json", "--log-level", "debug"];
    let server = Running::start(&[&options[..], &["--trust", "127.0.0.1", "."]].concat(), site.path());
    assert!(ask(server.address(), "/nothing").starts_with("HTTP/1.1 404 "));
    let (_, stdout, stderr) = server.stop(Signal::TERM);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("", ""));
    assert!(fs::read_to_string(site.path().join("log")).unwrap().contains("[DEBUG] 127.0.0.1:"));
    let access = fs::read_to_string(site.path().join("access")).unwrap();
    let line: serde_json::Value = serde_json::from_str(&access).expect(&access);
    assert_eq!((line["client"].as_str(), line["target"].as_str()), (Some("127.0.0.1"), Some("/nothing")));
}

#[test]
fn times_are_of_the_time_zone() {
    let site = tempfile::tempdir().unwrap();
    let rule = "<+0530>-5:30";
    let mut cases = vec![("combined", rule, " +0530] "), ("json", rule, "+05:30\"")];
    // Behind the walls nobody can look it up any more.
    if Path::new("/usr/share/zoneinfo/Asia/Tokyo").exists() {
        cases.push(("combined", "Asia/Tokyo", " +0900] "));
    }
    for (format, zone, want) in cases {
        let options = ["-p", "0", "--access-log", "access", "--access-log-format", format, "."];
        let server = Running::of(command(&options, site.path()).env("TZ", zone));
        ask(server.address(), "/");
        server.stop(Signal::TERM);
        let line = fs::read_to_string(site.path().join("access")).unwrap();
        assert!(line.contains(want), "{line}");
        fs::remove_file(site.path().join("access")).unwrap();
    }
}

/// Those of the last second too.
#[test]
fn refusals_that_were_not_shown_are_counted() {
    let site = tempfile::tempdir().unwrap();
    let server = Running::start(&["-p", "0", "--access-log", "off", "."], site.path());
    let mut stream = TcpStream::connect(server.address()).expect("a server");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time above zero");
    let kept = "GET /.hidden HTTP/1.1\r\nHost: a\r\n\r\n".repeat(399);
    write!(stream, "{kept}GET /.hidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("a peer that reads");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).expect("text");
    assert_eq!(answers.matches("HTTP/1.1 404 ").count(), 400);
    let (_, _, stderr) = server.stop(Signal::TERM);
    let count = |line: &str| match line.split_once("[WARN] ") {
        Some((_, told)) => told.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0),
        None => u32::from(line.contains("\"GET /.hidden\" 404")),
    };
    assert_eq!(stderr.lines().map(count).sum::<u32>(), 400, "{stderr}");
    assert!(stderr.contains("more refusals"), "{stderr}");
}

#[test]
fn the_proxy_protocol_is_for_those_who_are_trusted() {
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("a.txt"), "hello").unwrap();
    let talk = |address: &str, header: &str| {
        let mut stream = TcpStream::connect(address).expect(address);
        write!(stream, "{header}GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .expect("a peer that reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let line = "PROXY TCP4 198.51.100.7 192.0.2.1 50000 80\r\n";
    for (trusted, plain, headed) in [("127.0.0.0/8", "400", "200"), ("10.0.0.0/8", "200", "400")] {
        let options = ["-p", "0", "--proxy-protocol", "--trust", trusted, "--access-log", "access", "."];
        let server = Running::start(&options, site.path());
        assert_eq!(talk(server.address(), ""), plain, "{trusted}");
        assert_eq!(talk(server.address(), line), headed, "{trusted}");
        server.stop(Signal::TERM);
    }
    let access = fs::read_to_string(site.path().join("access")).unwrap();
    let clients: Vec<&str> = access.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(clients, ["127.0.0.1", "198.51.100.7", "127.0.0.1", "127.0.0.1"], "{access}");
    let want = "ownhands: --proxy-protocol is for proxies that are trusted: name them by --trust\n";
    assert_eq!(fails(&["--proxy-protocol", "."], site.path()), (Some(2), want.to_owned()));
}
