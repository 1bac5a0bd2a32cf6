//! The command among peers that mean no good, or have bad luck: it serves the others all the while, and nothing of them
//! stays behind.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use crate::command::{PATIENCE, Running, ask};

/// Longer than what the kernel takes on for a peer that does not read.
const LONG: usize = 16 << 20;

fn site() -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("small.txt"), "small\n").unwrap();
    fs::write(site.path().join("long.bin"), vec![b'x'; LONG]).unwrap();
    site
}

/// A server whose descriptors can be counted: one that is locked in shows them to root alone.
fn start(options: &[&str], site: &Path) -> Running {
    Running::start(&[&["--port", "0", "--access-log", "off", "--sandbox", "off"], options, &["."]].concat(), site)
}

/// One that may have so many descriptors.
fn start_with(descriptors: u32, options: &[&str], site: &Path) -> Running {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {descriptors} && exec \"$@\""), "sh", env!("CARGO_BIN_EXE_ownhands")]);
    command.args(["--port", "0", "--access-log", "off"]).args(options).arg(".").current_dir(site);
    Running::of(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
}

fn serves(server: &Running) {
    let answer = ask(server.address(), "/small.txt");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nsmall\n"), "{answer}");
}

fn connect(server: &Running) -> TcpStream {
    let peer = TcpStream::connect(server.address()).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    peer
}

fn descriptors(server: &Running) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count()
}

/// Waits until the server has no more descriptors than it had.
fn gives_back(server: &Running, had: usize) {
    let start = Instant::now();
    while descriptors(server) > had {
        assert!(start.elapsed() < PATIENCE, "{} descriptors are left, {had} at the beginning", descriptors(server));
        thread::sleep(Duration::from_millis(20));
    }
}

/// Raises this process' limit on open files, and says how many connections of `wanted` it can hold.
fn room_for(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let room = getrlimit(Resource::Nofile).current.map_or(wanted, |room| usize::try_from(room).unwrap());
    let room = wanted.min(room.saturating_sub(500));
    if room < wanted {
        println!("SKIPPED in part: the limit on open files allows {room} connections, not {wanted}");
    }
    room
}

#[test]
fn ten_thousand_idle_connections_are_no_burden() {
    let site = site();
    let count = room_for(10_000);
    let server = start(&["--max-connections", "10100"], site.path());
    let mut idle: Vec<_> = (0..count).map(|_| connect(&server)).collect();
    serves(&server);
    // The first and the last are still who they were.
    for index in [0, count - 1] {
        idle[index].write_all(b"GET /small.txt HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut status = [0; 15];
        idle[index].read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 200 OK");
    }
    drop(idle);
    serves(&server);
    let (status, _, stderr) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0), "{stderr}");
}

#[test]
fn with_64_descriptors_it_still_serves() {
    let site = site();
    let server = start_with(64, &[], site.path());
    // Idle ones yield, to one another and to who asks.
    let idle: Vec<_> = (0..200).map(|_| connect(&server)).collect();
    for _ in 0..20 {
        serves(&server);
        assert!(ask(server.address(), "/").contains("small.txt"));
    }
    drop(idle);
    // Busy ones do not: the next is told so, and those who were let in are served.
    let mut busy: Vec<_> = (0..100).map(|_| connect(&server)).collect();
    let mut served = 0;
    for peer in &mut busy {
        // Who was told already that there are too many may find the connection closed.
        let _ = peer.write_all(b"GET /small.txt HTTP/1.1\r\n");
    }
    for peer in &mut busy {
        let _ = peer.write_all(b"Host: a\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        let is_told = peer.read_to_string(&mut answer).is_ok();
        // One that had not begun to speak has yielded without a word.
        let is_fair = answer.is_empty() || ["HTTP/1.1 200", "HTTP/1.1 503"].iter().any(|way| answer.starts_with(way));
        assert!(!is_told || is_fair, "{answer}");
        served += usize::from(answer.starts_with("HTTP/1.1 200"));
    }
    // Who waited in the system's queue comes in when others have gone.
    assert!(served >= 20, "{served} of 100 were served");
    drop(busy);
    serves(&server);
    let (status, _, stderr) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(!stderr.contains("[ERROR]"), "{stderr}");
}

/// Each is sent a file of his own, and reads nothing of it.
#[test]
fn who_takes_all_descriptors_does_not_close_the_door() {
    let site = site();
    for number in 0..100 {
        fs::File::create(site.path().join(format!("{number}.bin"))).unwrap().set_len(LONG as u64).unwrap();
    }
    let server = start_with(128, &[], site.path());
    let mut readers: Vec<_> = (0..100).map(|_| connect(&server)).collect();
    for (number, peer) in readers.iter_mut().enumerate() {
        // Who was told already that there are too many may find the connection closed.
        let _ = peer.write_all(format!("GET /{number}.bin HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
    }
    for _ in 0..10 {
        let answer = ask(server.address(), "/small.txt");
        assert!(["HTTP/1.1 200", "HTTP/1.1 503"].iter().any(|way| answer.starts_with(way)), "{answer}");
    }
    drop(readers);
    let start = Instant::now();
    while !ask(server.address(), "/small.txt").starts_with("HTTP/1.1 200") {
        assert!(start.elapsed() < PATIENCE, "those who have left take up room");
    }
    let (status, _, stderr) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(!stderr.contains("no peer is accepted") && !stderr.contains("[ERROR]"), "{stderr}");
}

/// True of a refusal as it should be, where an application has not said "hi".
fn is_put_off(answer: &str) -> bool {
    if answer.ends_with("\r\n\r\nhi") {
        return false;
    }
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n"), "{answer}");
    assert!(answer.contains("cannot open another file just now"), "{answer}");
    true
}

/// A long body takes a file, a place in the file for whoever sends it on, and a connection to the application.
/// Whichever it is that there is no descriptor for, the peer may come again, and the log knows what ran out.
#[test]
fn a_body_that_no_descriptor_is_left_for_may_come_again() {
    for idle in 0..3 {
        let site = site();
        let listener = UnixListener::bind(site.path().join("app")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let server = start_with(64, &["--scgi", "/app=unix:app"], site.path());
        serves(&server);
        // Each of them has its connection; one more or less, and it is another descriptor that is missing.
        let mut peers: Vec<_> = (0..18 + idle).map(|_| connect(&server)).collect();
        let mut held = Vec::new();
        for peer in &mut peers[idle..] {
            // More than a socket takes in that nobody reads. Who is refused need not be heard out.
            let _ = peer.write_all(b"POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
            let _ = peer.write_all(&[b'x'; 1_000_000]);
            let start = Instant::now();
            loop {
                assert!(start.elapsed() < PATIENCE, "neither asked nor answered");
                thread::sleep(Duration::from_millis(1));
                if let Ok((connection, _)) = listener.accept() {
                    held.push(connection);
                    break;
                }
                peer.set_nonblocking(true).unwrap();
                let is_answered = peer.peek(&mut [0]).is_ok();
                peer.set_nonblocking(false).unwrap();
                if is_answered {
                    break;
                }
            }
        }
        for mut connection in held {
            // Where there was no descriptor for the body, nobody is there any more.
            let _ = connection.write_all(b"Content-Length: 2\r\n\r\nhi");
        }
        let mut refused = 0;
        for mut peer in peers.split_off(idle) {
            peer.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            peer.read_to_string(&mut answer).unwrap();
            refused += usize::from(is_put_off(&answer));
        }
        assert!(refused > 0, "there were enough");
        let (status, _, stderr) = server.stop(Signal::TERM);
        assert_eq!(status.code(), Some(0), "{stderr}");
        assert!(stderr.contains("Too many open files") && !stderr.contains("[ERROR]"), "{stderr}");
    }
}

/// A script takes two pipes, as long as it runs, and a file for what it reads.
#[test]
fn a_script_that_no_descriptor_is_left_for_may_be_asked_again() {
    for idle in 0..3 {
        let site = site();
        fs::create_dir(site.path().join("scripts")).unwrap();
        let text = "#!/bin/sh\nprintf 'Content-Length: 2\\n\\nhi'\nwhile [ -e script ]; do sleep 0.02; done\n";
        // Written by another process: one that is open for writing cannot be started.
        let write = "cd scripts && printf '%s' \"$1\" > script && chmod 755 script";
        Command::new("sh").args(["-c", write, "sh", text]).current_dir(site.path()).status().unwrap();
        let options = ["--cgi", "/cgi=scripts", "--cgi-processes", "64"];
        let server = start_with(64, &options, site.path());
        serves(&server);
        let mut peers: Vec<_> = (0..18 + idle).map(|_| connect(&server)).collect();
        let mut refused = 0;
        for peer in &mut peers[idle..] {
            peer.write_all(b"POST /cgi/script HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi")
                .unwrap();
            let (mut answer, mut block) = (String::new(), [0; 4096]);
            while !answer.contains("\r\n\r\nhi") && !answer.contains("just now") {
                let count = peer.read(&mut block).unwrap();
                assert!(count > 0, "{answer}");
                answer.push_str(std::str::from_utf8(&block[..count]).unwrap());
            }
            refused += usize::from(is_put_off(answer.trim_end()));
        }
        assert!(refused > 0, "there were enough");
        fs::remove_file(site.path().join("scripts/script")).unwrap();
        let (status, _, stderr) = server.stop(Signal::TERM);
        assert_eq!(status.code(), Some(0), "{stderr}");
        assert!(stderr.contains("Too many open files") && !stderr.contains("[ERROR]"), "{stderr}");
    }
}

#[test]
fn slow_senders_get_408_and_nobody_waits_for_them() {
    let site = site();
    let server = start(&["--header-timeout", "1", "--body-timeout", "1"], site.path());
    let had = descriptors(&server);
    let mut slow: Vec<_> = (0..300).map(|_| connect(&server)).collect();
    for (index, peer) in slow.iter_mut().enumerate() {
        peer.write_all(b"GET /small.txt HT").unwrap();
        if index % 10 == 0 {
            serves(&server);
        }
    }
    for peer in &mut slow {
        let mut answer = String::new();
        peer.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert!(answer.contains("the head was not complete after 1s"), "{answer}");
    }
    drop(slow);
    gives_back(&server, had);
}

#[test]
fn slow_readers_are_let_go_and_nobody_waits_for_them() {
    let site = site();
    let server = start(&["--write-timeout", "1"], site.path());
    serves(&server);
    let had = descriptors(&server);
    let mut slow: Vec<_> = (0..50).map(|_| connect(&server)).collect();
    for peer in &mut slow {
        peer.write_all(b"GET /long.bin HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        serves(&server);
    }
    // Of each the connection, and of all together the file.
    gives_back(&server, had + 1);
    for peer in &mut slow {
        // What the kernel had taken on may still be read; the whole was not sent.
        let mut received = Vec::new();
        let _ = peer.read_to_end(&mut received);
        assert!(received.len() < LONG, "{} bytes", received.len());
    }
    serves(&server);
}

#[test]
fn a_storm_of_resets_leaves_no_descriptor_behind() {
    let site = site();
    let server = start(&[], site.path());
    serves(&server);
    ask_for_part(&server);
    let had = descriptors(&server);
    for round in 0..1000 {
        let mut peer = connect(&server);
        let said: &[u8] = match round % 5 {
            0 => b"",
            1 => b"GET /small.txt HT",
            2 => b"GET /small.txt HTTP/1.1\r\nHost: a\r\n\r\n",
            3 => b"GET /long.bin HTTP/1.1\r\nHost: a\r\n\r\n",
            _ => b"POST /small.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nxxx",
        };
        peer.write_all(said).unwrap();
        if round % 3 == 0 {
            let _ = peer.set_read_timeout(Some(Duration::from_millis(1)));
            let _ = peer.read(&mut [0; 100]);
        }
        // The end is a reset, whatever is on its way.
        set_socket_linger(&peer, Some(Duration::ZERO)).unwrap();
    }
    serves(&server);
    // The long file stays open for a while, once it has lain there for some seconds.
    gives_back(&server, had + 1);
    let (status, _, stderr) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(!stderr.contains("[ERROR]") && !stderr.contains("[WARN]"), "a leaving peer is no trouble: {stderr}");
}

fn ask_for_part(server: &Running) {
    let mut peer = connect(server);
    peer.write_all(b"GET /long.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9\r\nConnection: close\r\n\r\n").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(b"\r\n\r\nxxxxxxxxxx"));
}
