//! What an observer is told of each exchange, and when.

use std::time::Duration;

use ownhands::testing::{MockClient, MockConnection};

use crate::samples::{BIG, Echo, after_head, blocked, text};

#[test]
fn each_exchange_is_told_of_when_it_is_over() {
    let mut client = MockClient::new(Echo::observed());
    client.get("/a?b");
    client.send(b"HEAD /big HTTP/1.1\nHost: a\nReferer: r\nUser-Agent: \xff\n\n", &[]);
    client.get("/big");
    client.get("/stream");
    client.get("/204");
    client.send("POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nUser-Agent: u\r\n\r\n", &[]);
    client.send("\r\nGET /x\r\n", &[]);
    let exchanges = client.service().exchanges.as_ref().unwrap().borrow();
    let seen: Vec<(String, u16, u64)> =
        exchanges.iter().map(|exchange| (text(&exchange.line), exchange.status.code(), exchange.sent)).collect();
    let expected = [
        ("GET /a?b HTTP/1.1", 200, 17),
        ("HEAD /big HTTP/1.1", 200, 0),
        ("GET /big HTTP/1.1", 200, BIG as u64),
        ("GET /stream HTTP/1.1", 200, 3 * 7 + 5),
        ("GET /204 HTTP/1.1", 204, 0),
        ("POST /refused HTTP/1.1", 403, 22),
    ];
    let expected = expected.map(|(line, status, sent)| (line.to_string(), status, sent));
    assert_eq!(seen[..6], expected);
    assert_eq!((seen[6].0.as_str(), seen[6].1), ("GET /x", 400));
    assert_eq!(seen.len(), 7);
    assert_eq!(exchanges[1].referer.as_deref(), Some(&b"r"[..]));
    assert_eq!(exchanges[1].agent.as_deref(), Some(&b"\xff"[..]));
    assert_eq!(exchanges[5].agent.as_deref(), Some(&b"u"[..]));
    assert!(exchanges.iter().all(|exchange| exchange.peer.is_some()));
}

#[test]
fn an_aborted_exchange_tells_what_was_really_sent() {
    for (path, after) in [("/a", 5), ("/big", 123_456), ("/stream-long", 23_456)] {
        let mut client = MockClient::new(Echo::observed());
        let wire = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let whole = client.send(&wire, &[]).wire().to_vec();
        let head = whole.len() - after_head(&whole).len();
        // A small body leaves with its head, a large one behind it: the peer takes a part, and no more.
        client.transport_mut().unwrap().accept_writes([head, after, 0]);
        client.deliver(&wire, &[]);
        if client.received().len() == head {
            client.unblock();
        }
        let taken = client.received().len();
        assert!(taken > head && taken < whole.len(), "{path}: {taken}");
        client.transport_mut().map(MockConnection::reset);
        client.unblock();
        assert!(client.is_closed());
        let exchanges = client.service().exchanges.as_ref().unwrap().borrow();
        assert_eq!((exchanges.len(), exchanges[1].sent), (2, (taken - head) as u64), "{path}");
    }
}

#[test]
fn the_time_taken_is_from_the_first_byte_to_the_last() {
    let mut client = blocked();
    client.deliver("GET /a HTTP/1.1\r\n", &[]);
    client.sleep(3);
    client.deliver("Host: a\r\n\r\n", &[]);
    client.sleep(4);
    assert!(client.service().exchanges.as_ref().unwrap().borrow().is_empty(), "it is not over");
    client.unblock();
    let exchanges = client.service().exchanges.as_ref().unwrap().borrow();
    assert_eq!(exchanges[0].took, Duration::from_secs(7));
    drop(exchanges);

    client.sleep(50); // nobody was waiting
    client.deliver("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", &[]);
    client.sleep(2);
    client.deliver("x", &[]);
    let exchanges = client.service().exchanges.as_ref().unwrap().borrow();
    assert_eq!(exchanges[1].took, Duration::from_secs(2));
}
