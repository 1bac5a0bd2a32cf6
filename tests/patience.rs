//! Time: how long a peer may take to say something, and to take its answer.

use std::time::Duration;

use ownhands::Timeouts;
use ownhands::connection::Next;
use ownhands::testing::MockClient;

use crate::samples::{CONTINUE, Echo, blocked, client, statuses, upload};
use crate::turns::Bench;

#[test]
fn an_idle_connection_closes_without_a_word() {
    let mut client = client();
    client.connect();
    client.sleep(59);
    assert!(!client.is_closed());
    client.sleep(1);
    assert!(client.is_closed() && client.received().is_empty());

    client.get("/");
    client.sleep(59);
    assert!(!client.is_closed(), "the time begins with the last answer");
    client.sleep(1);
    assert!(client.is_closed() && client.received().is_empty());
}

#[test]
fn a_slow_head_gets_408_and_time_to_read_it() {
    let mut client = client();
    client.connect();
    client.sleep(40); // being idle takes nothing from the time for a head
    client.deliver("GET / HTTP/1.1\r\nX: ", &[]);
    for _ in 0..29 {
        client.sleep(1);
        client.deliver("x", &[]); // a byte a second renews nothing
    }
    assert!(client.received().is_empty());
    client.sleep(1);
    let answer = client.next_answer(false).unwrap();
    assert_eq!((answer.status(), answer.header("connection")), (408, Some("close")));
    assert!(answer.text().contains("the head was not complete after 30s"), "{}", answer.text());
    assert!(!client.is_open() && !client.is_closed(), "the direction is ended, the connection is not");
    client.deliver("\r\nHost: a\r\n\r\n", &[]);
    client.sleep(4);
    assert!(!client.is_closed());
    client.sleep(1);
    assert!(client.is_closed() && client.received().is_empty());
    assert_eq!(client.service().calls.get(), 0);
}

#[test]
fn the_head_behind_a_pipelined_request_has_a_time_of_its_own() {
    let mut client = client();
    client.deliver("GET / HTTP/1.1\r\n", &[]);
    client.sleep(29);
    client.deliver("Host: a\r\n\r\nGET / HT", &[]);
    assert_eq!(client.next_answer(false).unwrap().status(), 200);
    client.sleep(29);
    assert!(client.received().is_empty());
    client.sleep(1);
    assert_eq!(client.next_answer(false).unwrap().status(), 408);
}

#[test]
fn a_slow_body_gets_408() {
    let mut client = client();
    client.deliver(upload(10_000), &[]);
    client.sleep(29);
    client.deliver("x", &[]);
    client.sleep(1);
    let answer = client.next_answer(false).unwrap();
    assert_eq!((answer.status(), answer.header("connection")), (408, Some("close")));
    assert!(answer.text().contains("the body was not complete after 30s"), "{}", answer.text());
    assert!(!client.is_open() && !client.is_closed());
    assert_eq!(client.service().calls.get(), 0);
}

#[test]
fn a_steady_body_may_take_as_long_as_it_needs() {
    let mut client = client();
    client.deliver(upload(100_000), &[]);
    for _ in 0..100 {
        assert!(client.received().is_empty());
        client.sleep(1);
        client.deliver([b'x'; 1000], &[]);
    }
    assert_eq!(client.next_answer(false).unwrap().text(), "100000");

    // So may one in chunks: what counts is what was decoded.
    client.deliver("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", &[]);
    for _ in 0..100 {
        client.sleep(1);
        client.deliver([&b"3e8\r\n"[..], &[b'x'; 1000], b"\r\n"].concat(), &[]);
    }
    client.deliver("0\r\n\r\n", &[]);
    assert_eq!(client.next_answer(false).unwrap().text(), "100000");
}

#[test]
fn a_body_below_the_least_rate_gets_408() {
    let mut client = client();
    client.deliver(upload(100_000), &[]);
    let mut seconds = 0;
    while client.received().is_empty() {
        client.sleep(1);
        client.deliver([b'x'; 100], &[]);
        seconds += 1;
        assert!(seconds < 60, "100 bytes a second went on for ever");
    }
    assert_eq!(client.next_answer(false).unwrap().status(), 408);
    assert!(seconds > 30, "what has come is worth some time: {seconds}");
}

#[test]
fn time_limits_are_options() {
    let second = Duration::from_secs(1);
    let timeouts = Timeouts {
        head: second,
        body: second,
        idle: second,
        answer: second,
        write: second,
        linger: second,
        ..Timeouts::default()
    };
    let mut client = MockClient::new(Echo::default()).with_timeouts(timeouts);
    client.connect();
    client.sleep(1);
    assert!(client.is_closed());
    for wire in ["GET", &upload(1)] {
        client.deliver(wire, &[]);
        client.sleep(1);
        assert_eq!(client.next_answer(false).unwrap().status(), 408);
        client.sleep(1);
        assert!(client.is_closed());
    }
}

// Peers that do not read.

#[test]
fn a_peer_that_does_not_read_is_left_after_the_write_time() {
    for path in ["/a", "/big", "/stream-long"] {
        let mut client = blocked();
        client.transport_mut().unwrap().stall();
        client.deliver(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"), &[]);
        client.sleep(29);
        assert!(!client.is_closed());
        client.sleep(1);
        assert!(client.is_closed() && client.received().is_empty(), "{path}");
        assert_eq!(client.service().exchanges.as_ref().unwrap().borrow().len(), 1);
    }
}

#[test]
fn a_stream_may_sleep_for_longer_than_its_peer_may() {
    let mut client = client();
    client.deliver("GET /sleepy HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.sleep(120);
    assert!(client.take_received().ends_with(b"4\r\nzzz\n\r\n4\r\nzzz\n\r\n4\r\nzzz\n\r\n"));
    assert!(!client.is_closed());
    // Its sleep is no excuse for a peer that does not take what it said before.
    client.transport_mut().unwrap().stall();
    client.sleep(60 + 29);
    assert!(!client.is_closed());
    client.sleep(1);
    assert!(client.is_closed());
}

#[test]
fn a_stream_that_was_put_off_does_not_wait_for_its_peer() {
    let mut bench = Bench::new();
    let mut connection = bench.connect();
    connection.transport_mut().push("GET /stream-long HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(bench.turn(&mut connection), Next::Again);
    bench.sleep(Duration::from_secs(60));
    while bench.turn(&mut connection) == Next::Again {}
    assert!(connection.transport_mut().take_written().ends_with(b"50000\n\r\n0\r\n\r\n"));
}

/// Lets the peer take so many bytes once in so many seconds, and says when it was left, within an hour.
fn left_when_it_takes(bytes: usize, every: u64) -> Option<u64> {
    let mut client = blocked();
    client.deliver("GET /big HTTP/1.1\r\nHost: a\r\n\r\n".repeat(20), &[]);
    for second in (0..3600).step_by(every as usize) {
        let Some(transport) = client.transport_mut() else { return Some(second) };
        transport.stall();
        transport.accept_writes([bytes]);
        client.unblock();
        client.sleep(every);
    }
    None
}

#[test]
fn a_trickle_renews_nothing_and_a_slow_line_may_go_on_for_ever() {
    let left = [(1, 1), (1, 29), (100, 1), (400, 1), (490, 1)].map(|(bytes, every)| left_when_it_takes(bytes, every));
    // Of 400 bytes a second, each second costs a fifth of one: 29 and one more are gone after 146.
    assert_eq!(left, [Some(31), Some(58), Some(38), Some(146), Some(1430)]);
    for (bytes, every) in [(500, 1), (2000, 1)] {
        assert_eq!(left_when_it_takes(bytes, every), None, "{bytes} bytes in {every} s");
    }
}

#[test]
fn a_slow_peer_of_whom_the_socket_says_nothing_is_asked_at_the_end_of_its_time() {
    let mut client = blocked();
    client.deliver("GET /big HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.transport_mut().unwrap().stall();
    client.transport_mut().unwrap().accept_writes([1000, 20_000, 10_000]); // the head alone goes with the first
    client.sleep(60 + 29 - 10);
    assert!(!client.is_closed());
    client.sleep(1);
    assert!(client.is_closed(), "the last 10,000 bytes were worth 20 seconds");
    assert!((30_000..31_000).contains(&client.received().len()), "{}", client.received().len());
}

#[test]
fn nothing_is_read_while_nothing_can_be_sent() {
    let mut client = blocked();
    for number in 0..3 {
        client.deliver(format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n"), &[]);
        assert_eq!(client.service().calls.get(), 1);
    }
    assert!(client.transport_mut().unwrap().is_readable(), "the others wait where they are");
    client.unblock();
    for number in 0..3 {
        assert_eq!(client.next_answer(false).unwrap().text(), format!("GET a /{number} "));
    }
}

#[test]
fn a_pipeline_that_nobody_reads_is_not_answered_ahead() {
    let mut client = blocked();
    client.deliver("GET /a HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5000), &[]);
    let ahead = client.service().calls.get();
    assert!((1..=64).contains(&ahead), "{ahead}");
    client.unblock();
    assert_eq!(client.service().calls.get(), 5000);
    for _ in 0..5000 {
        assert_eq!(client.next_answer(false).unwrap().text(), "GET a /a ");
    }

    let mut client = blocked();
    client.deliver("GET /big HTTP/1.1\r\nHost: a\r\n\r\n".repeat(4), &[]);
    assert_eq!(client.service().calls.get(), 1, "large answers are made one at a time");
    client.unblock();
    assert_eq!(client.service().calls.get(), 4);
}

#[test]
fn no_interim_answer_is_made_for_a_peer_that_does_not_read() {
    let mut client = blocked();
    client.deliver("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.deliver("POST /b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", &[]);
    client.unblock();
    let received = client.take_received();
    assert_eq!(statuses(&received), [200]);
    assert!(received.ends_with(CONTINUE));
}

#[test]
fn empty_lines_alone_are_no_request() {
    let mut client = MockClient::new(Echo::default());
    client.get("/a");
    client.deliver("\r\n", &[]);
    client.sleep(Timeouts::IDLE.as_secs() + 1);
    assert!(client.is_closed() && client.received().is_empty(), "{:?}", client.received());

    client.connect();
    client.deliver("\r\n\n", &[]);
    client.end();
    assert!(client.is_closed() && client.received().is_empty(), "{:?}", client.received());
}

#[test]
fn line_ends_keep_no_connection() {
    for noise in ["\r\n", "\n", "\n\r"] {
        let mut client = MockClient::new(Echo::default());
        client.get("/a");
        for _ in 0..2 {
            client.sleep(Timeouts::IDLE.as_secs() / 2 - 1);
            client.deliver(noise, &[]);
            assert!(!client.is_closed(), "{noise:?}");
        }
        client.sleep(3);
        assert!(client.is_closed() && client.received().is_empty(), "{noise:?}: {:?}", client.received());
    }
}

#[test]
fn a_request_that_came_while_the_loop_was_held_up_is_answered() {
    let mut bench = crate::turns::Bench::new();
    let mut connection = bench.connect();
    bench.turn(&mut connection);
    connection.transport_mut().push("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    connection.set_ready(true, false, false);
    bench.sleep(Timeouts::IDLE * 2);
    bench.turn(&mut connection);
    assert!(connection.transport_mut().take_written().ends_with(b"GET a /late "));

    connection.set_ready(true, false, false);
    bench.sleep(Timeouts::IDLE * 2);
    assert_eq!(bench.turn(&mut connection), ownhands::connection::Next::Close, "an event that brought nothing");
}
