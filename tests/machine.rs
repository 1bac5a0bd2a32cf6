//! The machine of one connection: what it keeps open, in which order it answers, what it
//! refuses to do, and how it ends.

use std::time::{Duration, UNIX_EPOCH};

use ownhands::connection::{Connection, Context, Next, Phase, Scratch};
use ownhands::http::Recall;
use ownhands::testing::{Answer, MockClient, MockConnection};
use ownhands::{App, Limits, Now, Request, Tick, Timeouts};

use crate::samples::{BIG, CONTINUE, Echo, big, blocked, client, counted, statuses, text, upload};

// Keep-alive, pipelines and ends.

#[test]
fn a_connection_is_kept_as_version_and_connection_field_say() {
    let table: [(&str, bool, Option<&str>); 9] = [
        ("GET / HTTP/1.1\r\nHost: a\r\n", true, None),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", false, Some("close")),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n", true, None),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: te, Close\r\n", false, Some("close")),
        ("GET / HTTP/1.0\r\n", false, Some("close")),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n", true, Some("keep-alive")),
        ("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n", true, Some("keep-alive")),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n", false, Some("close")),
        ("GET / HTTP/1.7\r\nHost: a\r\n", true, None),
    ];
    for (head, is_kept, field) in table {
        let mut client = client();
        let answer = client.send(format!("{head}\r\n"), &[]);
        assert_eq!((answer.status(), answer.header("connection")), (200, field), "{head}");
        assert_eq!(client.is_open(), is_kept, "{head}");
        assert!(answer.wire().starts_with(b"HTTP/1.1 200 OK\r\n"), "the version is the server's own: {head}");
    }
}

#[test]
fn a_kept_connection_serves_again_and_again() {
    let mut client = client();
    for number in 0..1000 {
        assert_eq!(client.get(&format!("/n{number}")).text(), format!("GET localhost /n{number} "));
        client.sleep(59);
    }
}

#[test]
fn a_connection_serves_as_many_requests_as_its_limit() {
    let mut client = MockClient::new(Echo::default()).with_limits(Limits { requests: 3, ..Limits::default() });
    client.deliver("GET /a HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5), &[]);
    let fields: Vec<_> =
        (0..3).map(|_| client.next_answer(false).unwrap().header("connection").map(str::to_string)).collect();
    assert_eq!(fields, [None, None, Some("close".to_string())]);
    assert!(client.received().is_empty() && !client.is_open());
    assert_eq!(client.service().calls.get(), 3);
}

#[test]
fn a_pipeline_is_answered_in_order() {
    let mut client = client();
    let request = |number: u32| match number % 4 {
        0 => format!("GET /n{number} HTTP/1.1\r\nHost: a\r\n\r\n"),
        1 => format!("POST /n{number} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
        2 => format!("HEAD /n{number} HTTP/1.1\r\nHost: a\r\n\r\n"),
        _ => format!(
            "PUT /n{number} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n2\r\nyz\r\n0\r\n\r\n"
        ),
    };
    client.deliver((0..400).map(request).collect::<String>(), &[]);
    for number in 0..400 {
        let expected = match number % 4 {
            0 => format!("GET a /n{number} "),
            1 => format!("POST a /n{number} abc"),
            2 => String::new(),
            _ => format!("PUT a /n{number} xyz"),
        };
        let answer = client.next_answer(number % 4 == 2).expect("an answer for each request");
        assert_eq!((answer.status(), answer.text()), (200, expected));
    }
    assert!(client.is_open() && client.received().is_empty());
}

#[test]
fn large_answers_do_not_overtake_each_other() {
    let mut client = client();
    let paths = ["/big", "/a", "/stream-long", "/b", "/big-shared"];
    client.deliver(paths.map(|path| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).concat(), &[]);
    let bodies: Vec<Vec<u8>> = paths.iter().map(|_| client.next_answer(false).unwrap().body().to_vec()).collect();
    assert!(bodies == [big(), b"GET a /a ".to_vec(), counted(50_000), b"GET a /b ".to_vec(), big()]);
}

#[test]
fn head_says_what_get_would_and_sends_no_body() {
    for path in ["/a", "/big", "/stream", "/empty"] {
        let mut client = client();
        let get = client.get(path);
        let head = client.send(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"), &[]);
        assert!(client.received().is_empty(), "{path}");
        assert_eq!(head.status(), 200);
        let framing = |answer: &Answer| {
            (answer.header("content-length").map(str::len), answer.header("transfer-encoding").map(str::to_string))
        };
        assert_eq!(framing(&head), framing(&get), "{path}");
    }
}

#[test]
fn some_statuses_have_no_body_and_no_length() {
    let mut client = client();
    for status in [204, 304] {
        client.deliver(format!("GET /{status} HTTP/1.1\r\nHost: a\r\n\r\n"), &[]);
        let received = text(&client.take_received());
        assert!(received.starts_with(&format!("HTTP/1.1 {status} ")) && received.ends_with("\r\n\r\n"), "{received}");
        assert!(!received.to_ascii_lowercase().contains("content-length"), "{received}");
        assert!(!received.contains("never sent"), "{received}");
    }
    assert_eq!(client.get("/empty").header("content-length"), Some("0"));
    assert!(client.is_open());
}

#[test]
fn a_peer_that_has_said_all_still_gets_its_answers() {
    let mut client = client();
    client.connect();
    client.transport_mut().unwrap().accept_writes([7]);
    client.deliver(
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
        &[],
    );
    client.end();
    client.unblock();
    assert_eq!(client.next_answer(false).unwrap().text(), "GET a /a ");
    assert!(client.next_answer(false).unwrap().body() == big());
    assert_eq!(client.next_answer(false).unwrap().text(), "GET a /b ");
    assert!(client.is_closed());
}

#[test]
fn a_peer_that_ends_too_early_is_told_what_was_missing() {
    for (wire, part) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n", "the head"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", "the body"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", "the body"),
    ] {
        let mut client = client();
        client.deliver(wire, &[]);
        client.end();
        let answer = client.next_answer(false).unwrap();
        assert_eq!(answer.status(), 400);
        assert!(
            answer.text().contains(&format!("the connection ended before {part} was complete")),
            "{}",
            answer.text()
        );
        assert!(client.is_closed() && client.service().calls.get() == 0);
    }
}

// Refusals, and what comes after them.

#[test]
fn a_refused_upload_is_read_away_and_its_answer_kept() {
    let mut client = client();
    client.deliver(upload(usize::try_from(Limits::BODY).unwrap() + 1), &[]);
    for _ in 0..100 {
        client.deliver([b'x'; 10_000], &[]);
        assert!(!client.transport_mut().unwrap().is_readable(), "it is read away");
    }
    assert!(!client.is_open() && !client.is_closed());
    let answer = client.next_answer(false).unwrap();
    assert_eq!((answer.status(), answer.header("connection")), (413, Some("close")));
    client.end();
    assert!(client.is_closed() && client.received().is_empty());
    assert_eq!(client.service().calls.get(), 0);
}

#[test]
fn a_refused_peer_that_never_ends_is_left_in_the_end() {
    let mut client = client();
    client.deliver(upload(usize::MAX), &[]);
    for _ in 0..4 {
        client.sleep(1);
        client.deliver("x", &[]);
    }
    assert!(!client.is_closed());
    client.sleep(1);
    assert!(client.is_closed());
}

#[test]
fn nothing_behind_a_refusal_is_taken_for_a_request() {
    let mut client = client();
    client.deliver("GET / HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.deliver("GET /b HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    assert_eq!(statuses(client.received()), [400]);
    assert_eq!(client.service().calls.get(), 0);
}

#[test]
fn an_upload_that_is_not_admitted_is_refused_before_it_comes() {
    for framing in ["Content-Length: 500000", "Transfer-Encoding: chunked", "Expect: 100-continue\r\nContent-Length: 5"]
    {
        let mut client = client();
        client.deliver(format!("POST /refused HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n"), &[]);
        assert!(client.received().starts_with(b"HTTP/1.1 403 "), "{framing}: {}", text(client.received()));
        let answer = client.next_answer(false).unwrap();
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.text(), "nothing is taken here\n");
        assert!(!client.is_open() && client.service().calls.get() == 0);
    }
    // Without a body there is nothing to be spared.
    assert_eq!(client().get("/refused").status(), 200);
}

#[test]
fn a_refused_head_request_gets_no_body() {
    let mut client = client();
    client.deliver("HEAD /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", &[]);
    let received = client.take_received();
    assert_eq!(statuses(&received), [403]);
    assert!(received.ends_with(b"\r\n\r\n"), "{}", text(&received));
}

#[test]
fn a_body_may_be_as_long_as_the_limit() {
    let limits = Limits { body: 100_000, ..Limits::default() };
    let mut client = MockClient::new(Echo::default()).with_limits(limits);
    let body = vec![b'x'; 100_000];
    assert_eq!(client.send([upload(100_000).as_bytes(), &body].concat(), &[]).text(), "100000");
    assert_eq!(client.send(upload(100_001), &[]).status(), 413);
}

#[test]
fn a_body_comes_whole_however_it_comes() {
    let mut client = client();
    let body = big();
    let wire = [format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {BIG}\r\n\r\n").as_bytes(), &body].concat();
    for step in [997, 16_384, 65_536, 300_000, BIG] {
        let cuts: Vec<usize> = (step..wire.len()).step_by(step).collect();
        let answer = client.send(&wire, &cuts);
        assert!(answer.body() == [b"POST a /echo ", body.as_slice()].concat(), "steps of {step}");
    }
}

// Expectations.

const EXPECTING: &str = "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";

#[test]
fn a_peer_that_waits_is_asked_for_its_body_once() {
    for (framing, parts) in [
        ("Content-Length: 4", ["ab", "cd", ""]),
        ("Transfer-Encoding: chunked", ["2\r\nab\r\n", "2\r\ncd\r\n", "0\r\n\r\n"]),
    ] {
        let mut client = client();
        client.deliver(format!("{EXPECTING}{framing}\r\n\r\n"), &[]);
        assert_eq!(text(client.received()), text(CONTINUE));
        for part in parts {
            client.deliver(part, &[]);
        }
        let received = client.take_received();
        assert!(received.starts_with(CONTINUE) && received.ends_with(b"POST a /a abcd"), "{}", text(&received));
        assert_eq!(received.windows(CONTINUE.len()).filter(|window| *window == CONTINUE).count(), 1);
    }
}

#[test]
fn a_body_that_is_coming_is_not_asked_for() {
    for (rest, more) in [
        ("Content-Length: 2\r\n\r\nhi", ""),
        ("Content-Length: 2\r\n\r\nh", "i"),
        ("Transfer-Encoding: chunked\r\n\r\n2\r\nh", "i\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n\r\n2\r\n", "hi\r\n0\r\n\r\n"),
    ] {
        let mut client = client();
        client.deliver(format!("{EXPECTING}{rest}"), &[]);
        client.deliver(more, &[]);
        assert_eq!(statuses(client.received()), [200]);
        assert!(client.received().starts_with(b"HTTP/1.1 200 "), "{}", text(client.received()));
    }
}

#[test]
fn a_body_that_will_not_be_read_is_not_asked_for() {
    for (framing, status) in [
        ("Content-Length: 1048577", 413),
        ("Content-Length: x", 400),
        ("Transfer-Encoding: gzip, chunked", 501),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        ("Content-Length: 0", 200),
        ("Expect: tea\r\nContent-Length: 1", 417),
    ] {
        let mut client = client();
        client.deliver(format!("{EXPECTING}{framing}\r\n\r\n"), &[]);
        assert!(client.received().starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{framing}");
    }
}

#[test]
fn an_expectation_of_1_0_is_not_met() {
    let mut client = client();
    client.deliver("POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", &[]);
    assert!(client.received().is_empty());
    client.deliver("hi", &[]);
    assert_eq!(client.next_answer(false).unwrap().text(), "POST - /a hi");
}

// Resets.

#[test]
fn a_reset_ends_a_connection_in_any_state() {
    let not_admitted = "POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"; // the body follows
    let states: [(&str, &[usize], &str, usize); 9] = [
        ("idle", &[], "", 0),
        ("inside a head", &[], "GET / HT", 0),
        ("inside a body", &[], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe", 0),
        ("inside chunks", &[], "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nh", 0),
        ("answering", &[0], "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", 1),
        ("sending from memory", &[200, 1000, 0], "GET /big HTTP/1.1\r\nHost: a\r\n\r\n", 1),
        ("sending a stream", &[200, 100, 0], "GET /stream-long HTTP/1.1\r\nHost: a\r\n\r\n", 1),
        ("refusing", &[0], not_admitted, 1),
        ("lingering", &[], not_admitted, 1),
    ];
    for (name, takes, wire, exchanges) in states {
        let mut client = MockClient::new(Echo::observed());
        client.connect();
        client.transport_mut().unwrap().accept_writes(takes.iter().copied());
        client.deliver(wire, &[]);
        assert!(!client.is_closed(), "{name}");
        let received = client.received().len();
        client.transport_mut().unwrap().reset();
        client.deliver("x", &[]);
        client.unblock();
        assert!(client.is_closed(), "{name}");
        assert_eq!(client.received().len(), received, "{name}");
        assert_eq!(client.service().exchanges.as_ref().unwrap().borrow().len(), exchanges, "{name}");
    }
}

// The end of the server.

#[test]
fn a_stopping_server_lets_idle_connections_go_at_once() {
    let mut client = client();
    client.connect();
    client.drain();
    assert!(client.is_closed() && client.received().is_empty());
}

#[test]
fn a_stopping_server_finishes_what_has_begun() {
    for (before, after) in
        [("GET /a HT", "TP/1.1\r\nHost: a\r\n\r\n"), ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh", "i")]
    {
        let mut client = client();
        client.deliver(before, &[]);
        client.drain();
        assert!(!client.is_closed());
        client.deliver(after, &[]);
        let answer = client.next_answer(false).unwrap();
        assert_eq!((answer.status(), answer.header("connection")), (200, Some("close")));
        client.end();
        assert!(client.is_closed());
    }
    let mut client = blocked();
    client.deliver("GET /big HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.drain();
    assert!(!client.is_closed());
    client.unblock();
    assert!(client.next_answer(false).unwrap().body() == big());
    assert!(client.is_closed());
}

#[test]
fn a_request_that_waits_unread_is_answered_before_the_server_stops() {
    let mut client = blocked();
    client.deliver("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.deliver("GET /b HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.drain();
    client.unblock();
    assert_eq!(client.next_answer(false).unwrap().header("connection"), None, "it was made before");
    let last = client.next_answer(false).unwrap();
    assert_eq!((last.text().as_str(), last.header("connection")), ("GET a /b ", Some("close")));
}

#[test]
fn a_close_that_is_news_to_the_peer_leaves_it_time_to_read() {
    let mut client = MockClient::new(Echo::default()).with_limits(Limits { requests: 1, ..Limits::default() });
    client.deliver("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    assert!(!client.is_open() && !client.is_closed(), "it has ended, and waits for the peer to end");
    client.deliver("GET /b HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.end();
    assert!(client.is_closed());
    assert_eq!(client.next_answer(false).unwrap().text(), "GET a /a ");
    assert_eq!(client.service().calls.get(), 1, "what came after the close is not answered");

    client.connect();
    client.deliver("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &[]);
    assert!(client.is_closed(), "a peer that said so itself is not waited for");
}

#[test]
fn a_refusal_of_head_has_no_body_once_it_is_known_to_be_head() {
    for (wire, has_body) in [
        ("HEAD / HTTP/1.1\r\n\r\n", false),
        ("HEAD / HTTP/1.1\r\nHost : a\r\n\r\n", false),
        ("\r\nHEAD /../x HTTP/1.1\r\nHost: a\r\n\r\n", false),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n", false),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx", false),
        ("HEAD / HTTP/3.0\r\nHost: a\r\n\r\n", true),
        ("\r\r\rHEAD / HTTP/1.1\r\n\r\n", true),
        ("GET / HTTP/1.1\r\n\r\n", true),
    ] {
        let cuts: Vec<usize> = (1..wire.len()).collect();
        for cuts in [&[][..], &cuts] {
            let mut client = client();
            client.deliver(wire, cuts);
            let received = text(&client.take_received());
            assert!(received.starts_with("HTTP/1.1 4") || received.starts_with("HTTP/1.1 5"), "{received}");
            assert_eq!(!received.ends_with("\r\n\r\n"), has_body, "{wire:?} in {} reads: {received}", cuts.len() + 1);
        }
    }
}

/// What a connection says when it is asked for its place, having said this before and this at the last moment.
fn crowded(before: &str, at_last: &str) -> (String, Next) {
    let (mut service, limits, timeouts) = (App::new(), Limits::default(), Timeouts::default());
    service.route("POST", "/", |_: &Request<'_>| "taken").unwrap();
    let mut scratch = Scratch::new();
    let mut transport = MockConnection::new();
    transport.push(before);
    let mut now = Now::new(Tick::default(), UNIX_EPOCH);
    let mut connection = Connection::new(transport, None, &now);
    let mut next = Next::Again;
    for (phase, second) in [(Phase::Open, 0), (Phase::Crowded, 10)] {
        now.turn(Tick::after(Duration::from_secs(second)), UNIX_EPOCH);
        if phase == Phase::Crowded {
            connection.transport_mut().push(at_last);
            connection.set_ready(true, false, false);
        }
        let (service, limits, timeouts, now, scratch) = (&service, &limits, &timeouts, &now, &mut scratch);
        let (tracer, recall) = (None, Recall::NOBODY);
        next = connection.advance(&mut Context { service, limits, timeouts, now, scratch, phase, tracer, recall });
    }
    (String::from_utf8(connection.transport_mut().take_written()).unwrap().chars().take(12).collect(), next)
}

#[test]
fn in_a_full_house_only_who_is_slow_is_refused() {
    let whole = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"; // the body follows
    for (before, at_last, said, ends) in [
        ("", "", "", true),
        ("\r", "", "", true),
        ("GET / HT", "", "HTTP/1.1 503", false),
        ("GET / HT", "TP/1.1\r\nHost: a\r\n", "HTTP/1.1 503", false),
        ("GET / HT", "TP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405", false),
        ("", whole, "HTTP/1.1 405", false),
        ("", "GET / HT", "", false), // it has just begun
        ("", post, "", false),
    ] {
        let (answer, next) = crowded(before, at_last);
        assert_eq!((answer.as_str(), next == Next::Close), (said, ends), "{before:?}, then {at_last:?}");
    }
}
