//! The bodies of answers: streams and files, and what becomes of those that break their promise.

use std::cell::RefCell;
use std::io::Write as _;
use std::net::SocketAddr;
use std::rc::Rc;

use ownhands::connection::{Event, Tracer};
use ownhands::testing::MockClient;

use crate::samples::{BIG, Echo, after_head, big, blocked, client, counted, statuses, text};

#[test]
fn a_stream_goes_in_chunks_to_1_1_and_until_the_end_to_1_0() {
    let mut client = client();
    let answer = client.get("/stream");
    assert_eq!((answer.header("transfer-encoding"), answer.header("content-length")), (Some("chunked"), None));
    assert_eq!(answer.text(), "1\n2\n3\n");
    assert!(
        answer.wire().ends_with(b"\r\n\r\n2\r\n1\n\r\n2\r\n2\n\r\n2\r\n3\n\r\n0\r\n\r\n"),
        "{}",
        text(answer.wire())
    );
    assert!(client.is_open());

    let answer = client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &[]);
    assert_eq!((answer.header("transfer-encoding"), answer.header("content-length")), (None, None));
    assert_eq!((answer.header("connection"), answer.text().as_str()), (Some("close"), "1\n2\n3\n"));
    assert!(!client.is_open());
}

#[test]
fn a_stream_that_fails_ends_without_its_end() {
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        let mut client = client();
        client.deliver(format!("GET /stream-fails {version}\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), &[]);
        assert!(client.is_closed(), "{version}");
        let received = client.take_received();
        let body = after_head(&received);
        let expected = if version == "HTTP/1.1" { &b"2\r\n1\n\r\n2\r\n2\n\r\n"[..] } else { b"1\n2\n" };
        assert_eq!(text(body), text(expected));
    }
}

#[test]
fn a_stream_that_knows_its_length_announces_it() {
    let mut client = client();
    let head = "Content-Length: 6\r\n\r\n";
    for (request, end, connection) in [
        ("GET /sized HTTP/1.1\r\nHost: a\r\n\r\n", "1\n2\n3\n", None),
        ("HEAD /sized HTTP/1.1\r\nHost: a\r\n\r\n", "", None),
        ("GET /sized HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "1\n2\n3\n", Some("keep-alive")),
        ("HEAD /sized HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "", Some("keep-alive")),
    ] {
        let answer = client.send(request, &[]);
        assert!(text(answer.wire()).ends_with(&format!("{head}{end}")), "{request}: {}", text(answer.wire()));
        assert_eq!((answer.header("transfer-encoding"), answer.header("connection")), (None, connection), "{request}");
        assert!(client.is_open(), "{request}");
    }
    assert!(client.get("/sized-long").body() == counted(50_000));
    let answer = client.get("/sized-nothing");
    assert_eq!((answer.header("content-length"), answer.body()), (Some("0"), &b""[..]));
    assert!(client.is_open(), "of nothing, nothing is made");
}

#[test]
fn a_stream_is_held_to_the_length_it_announced() {
    for (path, announced) in [("/sized-too-few", 7), ("/sized-too-many", 5), ("/sized-fails", 6)] {
        for version in ["HTTP/1.1", "HTTP/1.0\r\nConnection: keep-alive"] {
            let mut client = client();
            let next = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
            client.deliver(format!("GET {path} {version}\r\nHost: a\r\n\r\n{next}"), &[]);
            assert!(client.is_closed(), "{path} {version}");
            let received = client.take_received();
            assert!(text(&received).contains(&format!("\r\nContent-Length: {announced}\r\n")), "{path} {version}");
            assert_eq!(text(after_head(&received)), "1\n2\n", "{path} {version}: short of what was announced");
        }
    }
}

#[test]
fn a_broken_promise_of_a_length_is_told() {
    struct Told(Rc<RefCell<Vec<String>>>);
    impl Tracer for Told {
        fn trace(&self, _: Option<SocketAddr>, event: &Event<'_>) {
            if matches!(event, Event::CutShort(..)) {
                self.0.borrow_mut().push(event.to_string());
            }
        }
    }
    let told = Rc::new(RefCell::new(Vec::new()));
    let mut client = client().with_tracer(Told(Rc::clone(&told)));
    for path in ["/sized-too-few", "/sized-too-many", "/sized-fails"] {
        client.deliver(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"), &[]);
        client.connect();
    }
    let broken = "an answer was cut short: its source did not keep to the length that was announced: it made 1 bytes";
    assert_eq!(
        *told.borrow(),
        [
            format!("{broken} too few"),
            format!("{broken} too many"),
            "an answer was cut short: its source failed: the well is dry".to_owned()
        ]
    );
}

#[test]
fn a_stream_is_made_as_it_is_taken() {
    let mut client = blocked();
    client.deliver("GET /stream-long HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.transport_mut().unwrap().accept_writes([1000, 0]);
    client.unblock();
    let received = client.received().len();
    assert!(received < 2000, "{received}");
    client.unblock();
    assert!(client.next_answer(false).unwrap().body() == counted(50_000));
}

/// A client of `/file`: `content` on disk, of which `length` bytes from `offset` are announced.
fn file_client(content: &[u8], offset: u64, length: u64) -> MockClient<Echo> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    MockClient::new(Echo::with_file(file, offset, length))
}

#[test]
fn a_part_of_a_file_is_sent_exactly() {
    let content = big();
    let length = BIG as u64;
    for (offset, count) in [(0, 0), (0, 1), (0, length), (10, 5), (length - 1, 1), (1, 16_384), (100_000, 500_000)] {
        let mut client = file_client(&content, offset, count);
        for _ in 0..2 {
            let answer = client.get("/file");
            let (from, to) = (usize::try_from(offset).unwrap(), usize::try_from(offset + count).unwrap());
            assert!(answer.body() == &content[from..to], "{count} bytes from {offset}");
            assert_eq!(answer.header("content-length"), Some(count.to_string().as_str()));
        }
        let head = client.send("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
        assert_eq!(head.header("content-length"), Some(count.to_string().as_str()));
        assert!(client.is_open() && client.received().is_empty());
    }
}

#[test]
fn a_file_that_shrank_ends_the_connection_short() {
    for there in [0, 300, 20_000] {
        let mut client = file_client(&vec![b'x'; there], 0, 50_000);
        client.deliver("GET /file HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
        assert!(client.is_closed());
        let received = client.take_received();
        assert_eq!(statuses(&received), [200], "nothing follows what was cut short");
        assert!(text(&received).contains("Content-Length: 50000\r\n"));
        assert!(after_head(&received) == vec![b'x'; there]);
    }
}

#[test]
fn a_file_that_grew_is_sent_as_announced() {
    let mut client = file_client(&[b'x'; 60_000], 0, 50_000);
    client.deliver("GET /file HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    assert_eq!(client.next_answer(false).unwrap().body().len(), 50_000);
    assert_eq!(client.next_answer(false).unwrap().text(), "GET a /a ");
}

#[test]
fn a_file_may_leave_in_any_pieces() {
    let content = big();
    let mut client = file_client(&content, 0, BIG as u64);
    for takes in [&[1, 0][..], &[5000], &[20_000, 0, 3], &[0, 0, 16_384]] {
        client.connect();
        client.transport_mut().unwrap().accept_writes(takes.repeat(30));
        client.deliver("GET /file HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
        for _ in 0..200 {
            client.unblock();
        }
        assert!(client.next_answer(false).unwrap().body() == content, "{takes:?}");
    }
}
