//! Long bodies go into a file while they come, and are the same there.

use std::cell::RefCell;
use std::io::Read;
use std::rc::Rc;

use ownhands::testing::MockClient;
use ownhands::{App, Content, Deferred, Limits, Request, Response};

/// Bytes that differ wherever they stand.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8 ^ (index / 251) as u8).collect()
}

/// A checksum that depends on the order.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(17, |sum, &byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

/// Says how a body came: where it is, its length, and its checksum.
fn describe(request: &Request<'_>) -> String {
    let place = match request.body {
        Content::Memory(_) => "memory",
        Content::Spooled(..) => "file",
    };
    let mut read = Vec::new();
    request.body.reader().read_to_end(&mut read).unwrap();
    assert!(request.body.bytes().unwrap() == read);
    format!("{place} {} {:x}\n", request.body.len(), sum(&read))
}

fn client() -> MockClient<App> {
    let mut app = App::new();
    app.route("POST", "/", describe).unwrap().route("GET", "/", |_: &Request<'_>| "next\n").unwrap();
    MockClient::new(app).with_limits(Limits { body: 1 << 30, ..Limits::default() })
}

fn known(body: &[u8]) -> Vec<u8> {
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut wire = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(size) {
        wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        wire.extend_from_slice(chunk);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}

const NEXT: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn bodies_are_whole_on_both_sides_of_the_threshold() {
    let lengths = [1, 1000, Limits::MEMORY - 1, Limits::MEMORY, Limits::MEMORY + 1, 200_000, 3_000_000];
    for length in lengths {
        let body = content(length);
        let end = format!("{length} {:x}\n", sum(&body));
        for wire in [known(&body), chunked(&body, 5000), chunked(&body, 100_000)] {
            for step in [7777, 65_536, 1 << 20] {
                let mut client = client();
                let cuts: Vec<usize> = (1..).map(|cut| cut * step).take_while(|&cut| cut < wire.len()).collect();
                client.deliver([&wire[..], NEXT].concat(), &cuts);
                let text = client.next_answer(false).unwrap().text();
                assert!(text.ends_with(&end), "{length} in steps of {step}: {text}");
                assert!(length > Limits::MEMORY || text.starts_with("memory "), "{length}: {text}");
                assert!(length < 200_000 || text.starts_with("file "), "{length}: {text}");
                assert_eq!(client.next_answer(false).unwrap().text(), "next\n");
            }
        }
    }
}

#[test]
fn a_spooled_body_is_there_when_its_answer_comes_later() {
    let owed: Rc<RefCell<Vec<Deferred>>> = Rc::default();
    let keep = Rc::clone(&owed);
    let mut app = App::new();
    app.route("POST", "/", move |request: &Request<'_>| -> Response {
        let (deferred, response) = request.defer();
        keep.borrow_mut().push(deferred);
        response
    })
    .unwrap()
    .route("GET", "/", |_: &Request<'_>| "next\n")
    .unwrap();
    let mut client = MockClient::new(app);
    client.deliver([known(&content(300_000)), NEXT.to_vec()].concat(), &[100, 200_000]);
    assert!(client.received().is_empty());
    owed.borrow_mut().pop().unwrap().answer("took it\n");
    client.turn();
    assert_eq!(client.next_answer(false).unwrap().text(), "took it\n");
    assert_eq!(client.next_answer(false).unwrap().text(), "next\n");
}

#[test]
fn a_long_body_has_the_time_that_its_bytes_earn() {
    let mut client = client();
    let body = content(1_000_000);
    let wire = known(&body);
    let (first, rest) = wire.split_at(500_000);
    client.deliver(first, &[]);
    client.sleep(900); // 500 bytes a second are allowed: these have earned a thousand seconds
    client.deliver(rest, &[]);
    assert!(client.next_answer(false).unwrap().text().starts_with("file 1000000 "));
}

#[test]
fn long_bodies_leave_descriptors_for_others() {
    let mut bench = crate::turns::Bench::new();
    let begun = [b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", &content(90_000)[..]].concat();
    let mut connections: Vec<_> = (0..193)
        .map(|_| {
            let mut connection = bench.connect();
            connection.transport_mut().push(&begun[..]);
            while connection.transport().is_readable() {
                connection.set_ready(true, false, false);
                bench.turn(&mut connection);
            }
            connection
        })
        .collect();
    let mut refused = connections.pop().unwrap();
    let answer = String::from_utf8(refused.transport_mut().take_written()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n"), "{answer}");

    // Those who have a place finish, and leave it to the next.
    for mut connection in connections {
        assert!(connection.transport_mut().take_written().is_empty());
        connection.transport_mut().push(&content(100_000)[90_000..]);
        connection.set_ready(true, false, false);
        bench.turn(&mut connection);
        assert!(connection.transport_mut().take_written().ends_with(b"\r\n\r\n100000"));
    }
    let mut next = bench.connect();
    next.transport_mut().push(&begun[..]);
    while next.transport().is_readable() {
        next.set_ready(true, false, false);
        bench.turn(&mut next);
    }
    assert!(next.transport_mut().take_written().is_empty());
}
