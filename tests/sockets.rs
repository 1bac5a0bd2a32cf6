//! What only a kernel can say: real connections to a server in a thread, on ports the system picks.
//!
//! Nothing is asserted of how long anything takes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use ownhands::http::Trust;
use ownhands::{Config, Server};

use crate::running::{PATIENCE, Running, connect, get, hear, hear_all, is_silent, say};
use crate::samples::{BIG, Echo, big, counted, statuses};

#[test]
fn a_request_gets_its_answer() {
    let server = Running::echo();
    let mut peer = server.connect();
    for number in 0..3 {
        say(&mut peer, get(&format!("/n{number}")));
        let (head, body) = hear(&mut peer);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert_eq!(body, format!("GET a /n{number} ").into_bytes());
    }
    drop(peer);
    server.stop();
}

#[test]
fn a_request_may_be_typed() {
    let server = Running::echo();
    let mut peer = server.connect();
    peer.set_nodelay(true).unwrap();
    for byte in b"\nGET /typed HTTP/1.1\nHost: a\n\n" {
        say(&mut peer, [*byte]);
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(hear(&mut peer).1, b"GET a /typed ");
}

/// Length of the file that `with_long_file` sends: more than both socket buffers hold.
const LONG: usize = 3 << 20;

fn long_content() -> Vec<u8> {
    big().into_iter().cycle().take(LONG).collect()
}

fn with_long_file() -> Echo {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&long_content()).unwrap();
    Echo::with_file(file, 0, LONG as u64)
}

#[test]
fn a_long_file_arrives_whole_at_a_slow_reader() {
    let server = Running::start(Config::default(), with_long_file);
    let mut peer = server.connect();
    say(&mut peer, get("/file") + &get("/after"));
    // Slow is: not at once, and in small reads.
    thread::sleep(Duration::from_millis(50));
    let (head, body) = hear_slowly(&mut peer);
    assert!(head.contains(&format!("Content-Length: {LONG}\r\n")));
    assert!(body == long_content());
    assert_eq!(hear(&mut peer).1, b"GET a /after ");
}

fn hear_slowly(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut received = Vec::new();
    let mut buffer = [0; 3001];
    let end = loop {
        if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let count = stream.read(&mut buffer[..1]).unwrap();
        received.extend_from_slice(&buffer[..count]);
    };
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let mut body = Vec::new();
    while body.len() < LONG {
        let most = buffer.len().min(LONG - body.len());
        let count = stream.read(&mut buffer[..most]).unwrap();
        assert!(count > 0, "the file ended after {} bytes", body.len());
        body.extend_from_slice(&buffer[..count]);
        if body.len() % 97 == 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    (head, body)
}

#[test]
fn an_empty_file_is_an_empty_answer() {
    let server = Running::start(Config::default(), || Echo::with_file(tempfile::tempfile().unwrap(), 0, 0));
    let mut peer = server.connect();
    say(&mut peer, get("/file"));
    let (head, body) = hear(&mut peer);
    assert!(head.contains("Content-Length: 0\r\n") && body.is_empty());
}

#[test]
fn a_file_that_shrank_ends_the_connection_short() {
    let server = Running::start(Config::default(), || {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'x'; 1000]).unwrap();
        Echo::with_file(file, 0, 5000)
    });
    let mut peer = server.connect();
    say(&mut peer, get("/file"));
    let received = hear_all(&mut peer);
    assert!(String::from_utf8_lossy(&received).contains("Content-Length: 5000\r\n"));
    assert!(received.ends_with(&[b'x'; 1000]) && received.len() < 1500);
}

#[test]
fn long_answers_from_memory_and_from_a_source_arrive_whole() {
    let server = Running::echo();
    let mut peer = server.connect();
    say(&mut peer, get("/big"));
    thread::sleep(Duration::from_millis(50));
    assert!(hear(&mut peer).1 == big());
    say(&mut peer, "GET /stream-long HTTP/1.0\r\n\r\n");
    let received = hear_all(&mut peer);
    assert!(received.ends_with(&counted(50_000)));
}

#[test]
fn two_hundred_requests_in_one_write_get_two_hundred_answers() {
    let server = Running::echo();
    let mut peer = server.connect();
    say(&mut peer, (0..200).map(|number| get(&format!("/n{number}"))).collect::<String>());
    for number in 0..200 {
        assert_eq!(hear(&mut peer).1, format!("GET a /n{number} ").into_bytes());
    }
    assert!(is_silent(&mut peer));
}

#[test]
fn a_pipeline_that_is_read_late_is_answered_in_full() {
    let server = Running::echo();
    let mut peer = server.connect();
    let mut writer = peer.try_clone().unwrap();
    // 40 MB of answers: far more than fits between the two.
    let writing = thread::spawn(move || say(&mut writer, get("/big").repeat(60)));
    thread::sleep(Duration::from_millis(50));
    let expected = big();
    for _ in 0..60 {
        assert!(hear(&mut peer).1 == expected);
    }
    writing.join().unwrap();
}

#[test]
fn a_peer_that_has_said_all_still_gets_its_answers() {
    let server = Running::echo();
    let mut peer = server.connect();
    say(&mut peer, get("/a") + &get("/big") + &get("/b"));
    peer.shutdown(Shutdown::Write).unwrap();
    let received = hear_all(&mut peer);
    assert_eq!(statuses(&received), [200, 200, 200]);
    assert!(received.len() > BIG && received.ends_with(b"GET a /b "));
}

#[test]
fn a_refused_upload_still_reads_its_answer() {
    let server = Running::echo();
    for _ in 0..5 {
        let mut peer = server.connect();
        say(&mut peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n");
        let body = vec![b'x'; 2 << 20];
        for part in body.chunks(8192) {
            say(&mut peer, part); // a reset would end this, and take the answer along
        }
        peer.shutdown(Shutdown::Write).unwrap();
        let received = hear_all(&mut peer);
        assert_eq!(statuses(&received), [413]);
        assert!(String::from_utf8_lossy(&received).contains("the body is longer than 1048576 bytes"));
    }
}

#[test]
fn noise_is_answered_and_let_go() {
    let server = Running::echo();
    for noise in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"hello\r\n",
    ] {
        let mut peer = server.connect();
        say(&mut peer, noise);
        assert_eq!(statuses(&hear_all(&mut peer)), [400], "{}", noise.escape_ascii());
    }
}

#[test]
fn those_who_say_nothing_hold_nobody_up() {
    let server = Running::echo();
    let silent: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
    let mut half = server.connect();
    say(&mut half, "GET /half HTTP/1.1\r\n");
    let mut deaf = server.connect();
    say(&mut deaf, get("/big").repeat(50)); // and never reads
    for _ in 0..10 {
        let mut peer = server.connect();
        say(&mut peer, get("/a"));
        assert_eq!(hear(&mut peer).1, b"GET a /a ");
    }
    say(&mut half, "Host: a\r\n\r\n");
    assert_eq!(hear(&mut half).1, b"GET a /half ");
    drop((silent, deaf));
}

#[test]
fn peers_that_vanish_leave_the_server_standing() {
    let server = Running::echo();
    for wire in
        ["", "GET", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"]
    {
        for _ in 0..10 {
            say(&mut server.connect(), wire);
        }
    }
    for _ in 0..5 {
        // Unread bytes in its buffer make the peer's system reset the connection.
        let mut peer = server.connect();
        say(&mut peer, get("/big"));
        peer.read_exact(&mut [0]).unwrap();
    }
    let mut peer = server.connect();
    say(&mut peer, get("/a"));
    assert_eq!(hear(&mut peer).1, b"GET a /a ");
}

#[test]
fn many_peers_are_served_at_once() {
    let server = Running::echo();
    let mut peers: Vec<TcpStream> = (0..200).map(|_| server.connect()).collect();
    for _ in 0..3 {
        for (number, peer) in peers.iter_mut().enumerate() {
            say(peer, get(&format!("/n{number}")));
        }
        for (number, peer) in peers.iter_mut().enumerate() {
            assert_eq!(hear(peer).1, format!("GET a /n{number} ").into_bytes());
        }
    }
}

#[test]
fn several_addresses_are_served_by_one_server() {
    let mut addresses: Vec<SocketAddr> = vec!["127.0.0.1:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()];
    if TcpListener::bind("[::1]:0").is_ok() {
        addresses.push("[::1]:0".parse().unwrap());
    } else {
        eprintln!("there is no IPv6 here: [::1] is left out");
    }
    let server = Running::bind(&addresses, Config::default(), Echo::default);
    assert_eq!(server.addresses.len(), addresses.len());
    for &address in &server.addresses {
        assert_ne!(address.port(), 0);
        let mut peer = connect(address);
        say(&mut peer, get("/a"));
        assert_eq!(hear(&mut peer).1, b"GET a /a ", "{address}");
    }
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let free = "127.0.0.1:0".parse().unwrap();
    let error = Server::bind(&[free, address], Config::default(), Echo::default()).err().expect("all or none");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn in_a_full_house_the_longest_idle_yields() {
    let server = Running::start(Config { max_connections: 2, ..Config::default() }, Echo::default);
    let mut first = server.connect();
    let mut second = server.connect();
    for is_first in [true, false, true] {
        let peer = if is_first { &mut first } else { &mut second };
        say(peer, get("/in"));
        assert_eq!(hear(peer).1, b"GET a /in ");
    }
    let mut third = server.connect();
    say(&mut third, get("/new"));
    assert_eq!(hear(&mut third).1, b"GET a /new ");
    assert_eq!(second.read(&mut [0; 10]).unwrap(), 0, "it was idle for longer than the first");
    say(&mut first, get("/still-in"));
    assert_eq!(hear(&mut first).1, b"GET a /still-in ");
}

#[test]
fn in_a_full_house_of_busy_peers_the_next_one_is_told_so() {
    let server = Running::start(Config { max_connections: 2, ..Config::default() }, Echo::default);
    let mut busy = [server.connect(), server.connect()];
    for peer in &mut busy {
        say(peer, "GET /half HTTP/1.1\r\n");
        assert!(is_silent(peer));
    }
    let mut third = server.connect();
    let (head, body) = hear(&mut third);
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("\r\nRetry-After: 1\r\n") && head.contains("\r\nConnection: close\r\n"), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("2 connections are open and busy"), "{body:?}");
    assert_eq!(third.read(&mut [0; 10]).unwrap(), 0);
    for peer in &mut busy {
        say(peer, "Host: a\r\n\r\n");
        assert_eq!(hear(peer).1, b"GET a /half ");
    }
}

/// Half of a line end is no beginning of a request, and a head that does not come to its end holds no place for long.
#[test]
fn in_a_full_house_who_only_holds_his_place_yields() {
    let server = Running::start(Config { max_connections: 2, ..Config::default() }, Echo::default);
    for holds in ["\r", "GET /half HTTP/1.1\r\nX: "] {
        let mut holders = [server.connect(), server.connect()];
        for peer in &mut holders {
            say(peer, holds);
            assert!(is_silent(peer));
        }
        let start = Instant::now();
        loop {
            let mut newcomer = server.connect();
            say(&mut newcomer, get("/new"));
            let (head, body) = hear(&mut newcomer);
            if head.starts_with("HTTP/1.1 200 ") {
                assert_eq!(body, b"GET a /new ");
                break;
            }
            assert!(head.starts_with("HTTP/1.1 503 ") && start.elapsed() < PATIENCE * 2, "{holds:?}: {head}");
            thread::sleep(Duration::from_millis(50));
        }
        if holds != "\r" {
            let (head, body) = hear(&mut holders[0]);
            assert!(head.starts_with("HTTP/1.1 503 "), "the slowest yields, and is told: {head}");
            assert!(String::from_utf8_lossy(&body).contains("takes too long"), "{body:?}");
        }
    }
}

#[test]
fn one_address_may_hold_so_many_connections() {
    let server = Running::start(Config { max_per_address: Some(2), ..Config::default() }, Echo::default);
    let mut guests = [server.connect(), server.connect()];
    for peer in &mut guests {
        say(peer, get("/in"));
        assert_eq!(hear(peer).1, b"GET a /in ");
    }
    let (head, body) = hear(&mut server.connect());
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(String::from_utf8_lossy(&body).contains("2 connections from your address"), "{body:?}");
    drop(guests);
    // A newcomer may be seen before the end of the last guest.
    let start = Instant::now();
    while hear_next(&server) != b"GET a /next " {
        assert!(start.elapsed() < PATIENCE, "who has left is still counted");
    }
}

/// Many come from the address of a proxy; and a connection that goes by its client's address is not counted as his
/// either, since whoever sends so many is the proxy.
#[test]
fn a_trusted_proxy_may_hold_as_many_as_it_likes() {
    let proxies = || Trust::new(["127.0.0.0/8".parse().unwrap()]);
    let most = Config { max_per_address: Some(2), proxies: proxies(), ..Config::default() };
    for wants_proxy_protocol in [false, true] {
        let server = Running::start(Config { wants_proxy_protocol, ..most.clone() }, Echo::default);
        let header = if wants_proxy_protocol { "PROXY TCP4 192.0.2.7 192.0.2.1 50000 80\r\n" } else { "" };
        for _ in 0..3 {
            let mut peers: Vec<_> = (0..5).map(|_| server.connect()).collect();
            for peer in &mut peers {
                say(peer, header);
                say(peer, get("/in"));
                assert_eq!(hear(peer).1, b"GET a /in ");
            }
        }
    }
}

fn hear_next(server: &Running) -> Vec<u8> {
    let mut next = server.connect();
    say(&mut next, get("/next"));
    hear(&mut next).1
}

#[test]
fn who_wants_more_kept_than_there_may_be_is_let_go() {
    let server = Running::start(Config { max_kept: 40_000, ..Config::default() }, Echo::default);
    let mut peers: Vec<_> = (0..6).map(|_| server.connect()).collect();
    for peer in &mut peers {
        say(peer, format!("GET /half HTTP/1.1\r\nX: {}", "x".repeat(10_000)));
    }
    let is_left = |peer: &mut TcpStream| !is_silent(peer);
    let left = peers.iter_mut().map(is_left).collect::<Vec<_>>();
    assert_eq!(left.iter().filter(|&&left| left).count(), 3, "three times ten thousand fit, and their room: {left:?}");
}

#[test]
fn a_stopping_server_finishes_a_download_and_lets_idle_peers_go() {
    let server = Running::start(Config::default(), with_long_file);
    let mut idle = server.connect();
    say(&mut idle, get("/a"));
    hear(&mut idle);
    let mut never = server.connect();
    let mut reader = server.connect();
    say(&mut reader, get("/file"));
    let mut first = [0; 1];
    reader.read_exact(&mut first).unwrap();
    let address = server.addresses[0];
    let stopped = thread::spawn(move || server.stop());
    assert_eq!(hear_all(&mut idle), b"", "an idle connection ends without a word");
    assert_eq!(hear_all(&mut never), b"");
    assert!(TcpStream::connect_timeout(&address, PATIENCE).is_err(), "nobody else is let in");
    let received = [&first[..], &hear_all(&mut reader)].concat();
    assert_eq!(received.len(), received.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4 + LONG);
    assert!(received.ends_with(&long_content()));
    stopped.join().unwrap();
}

#[test]
fn a_stopping_server_answers_those_who_have_asked() {
    let server = Running::echo();
    let mut begun = server.connect();
    say(&mut begun, "GET /begun HTTP/1.1\r\nHo");
    let mut other = server.connect();
    say(&mut other, get("/a"));
    hear(&mut other); // so the server has read what was said before
    let stopped = thread::spawn(move || server.stop());
    assert_eq!(hear_all(&mut other), b"");
    say(&mut begun, "st: a\r\n\r\n");
    let received = String::from_utf8(hear_all(&mut begun)).unwrap();
    assert!(received.contains("\r\nConnection: close\r\n") && received.ends_with("GET a /begun "), "{received}");
    stopped.join().unwrap();
}

#[test]
fn a_stopping_server_waits_no_longer_than_its_grace() {
    let config = Config { grace: Duration::from_millis(100), ..Config::default() };
    let server = Running::start(config, Echo::default);
    let mut deaf = server.connect();
    say(&mut deaf, get("/big").repeat(50));
    let mut half = server.connect();
    say(&mut half, "GET /half");
    let mut other = server.connect();
    say(&mut other, get("/a"));
    hear(&mut other);
    server.stop();
}

#[test]
fn a_server_that_is_stopped_at_once_waits_for_nobody() {
    let server = Running::start(Config { grace: PATIENCE * 100, ..Config::default() }, Echo::default);
    let mut deaf = server.connect();
    say(&mut deaf, get("/big").repeat(50));
    let mut other = server.connect();
    say(&mut other, get("/a"));
    hear(&mut other);
    server.stop_now();
}

#[test]
fn a_server_may_be_stopped_before_it_runs() {
    let mut server = Server::bind(&["127.0.0.1:0".parse().unwrap()], Config::default(), Echo::default()).unwrap();
    server.handle().stop().unwrap();
    server.run().unwrap();
}

#[test]
fn time_limits_end_real_connections() {
    let limit = Duration::from_millis(100);
    let mut config = Config::default();
    config.timeouts.idle = limit;
    config.timeouts.head = limit;
    config.timeouts.linger = limit;
    let server = Running::start(config, Echo::default);
    let mut idle = server.connect();
    let mut slow = server.connect();
    say(&mut slow, "GET / HT");
    assert_eq!(hear_all(&mut idle), b"");
    assert_eq!(statuses(&hear_all(&mut slow)), [408]);
    let mut kept = server.connect();
    say(&mut kept, get("/a"));
    hear(&mut kept);
    assert_eq!(hear_all(&mut kept), b"");
}

#[test]
fn an_upload_as_fast_as_the_loop_does_not_hold_it() {
    let server = Running::echo();
    let mut hog = server.connect();
    let chunk = "0000000000000001\r\nX\r\n".repeat(200_000);
    let request = format!("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n");
    let mut answers = hog.try_clone().unwrap();
    let sender = thread::spawn(move || {
        for _ in 0..3 {
            say(&mut hog, &request);
        }
    });
    // The order in which answers come is not asserted, only that a neighbour is answered at all while the upload runs.
    let mut other = server.connect();
    for _ in 0..20 {
        say(&mut other, get("/a"));
        hear(&mut other);
    }
    sender.join().unwrap();
    for _ in 0..3 {
        hear(&mut answers);
    }
}
