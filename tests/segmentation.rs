//! Every way to cut a conversation into reads, and its answers into writes, gives the same bytes.

use ownhands::Service;
use ownhands::testing::MockClient;

use crate::samples::{CONTINUE, Echo, SAMPLES, Sample, statuses};

/// All that a server sends to a peer that says this, cut so, and then ends its direction.
fn talk(client: &mut MockClient<Echo>, wire: &[u8], cuts: &[usize]) -> Vec<u8> {
    client.connect();
    client.deliver(wire, cuts);
    finish(client)
}

/// Ends the client's direction and takes what was sent.
fn finish(client: &mut MockClient<Echo>) -> Vec<u8> {
    client.end();
    unblock(client);
    assert!(client.is_closed(), "a peer that has ended is let go when its last answer is sent");
    without_continue(client.take_received())
}

/// Whether the body is asked for depends on whether it is there: the interim answer may come and go with the cuts.
fn without_continue(mut sent: Vec<u8>) -> Vec<u8> {
    while let Some(at) = sent.windows(CONTINUE.len()).position(|window| window == CONTINUE) {
        sent.drain(at..at + CONTINUE.len());
    }
    sent
}

fn uncut(sample: &Sample) -> Vec<u8> {
    talk(&mut MockClient::new(Echo::default()), sample.wire, &[])
}

#[test]
fn samples_are_answered_with_their_statuses() {
    for sample in SAMPLES {
        let sent = uncut(sample);
        assert_eq!(statuses(&sent), sample.statuses, "{}: {}", sample.name, String::from_utf8_lossy(&sent));
    }
}

#[test]
fn a_conversation_may_be_cut_at_any_byte() {
    let mut client = MockClient::new(Echo::default());
    for sample in SAMPLES {
        let expected = uncut(sample);
        for cut in 0..=sample.wire.len() {
            let sent = talk(&mut client, sample.wire, &[cut]);
            assert_eq!(sent, expected, "{}, cut at {cut}: {}", sample.name, String::from_utf8_lossy(&sent));
        }
    }
}

#[test]
fn a_conversation_may_come_in_steps_of_any_length() {
    let mut client = MockClient::new(Echo::default());
    for sample in SAMPLES {
        let expected = uncut(sample);
        for step in 1..=40 {
            let cuts: Vec<usize> = (0..sample.wire.len()).step_by(step).collect();
            assert_eq!(talk(&mut client, sample.wire, &cuts), expected, "{}, {step} bytes at a time", sample.name);
        }
    }
}

#[test]
fn pairs_of_conversations_may_be_cut_at_any_byte() {
    let mut client = MockClient::new(Echo::default());
    // Every sample behind a request of its own, so that each begins in the middle of a buffer.
    let first = b"POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    for sample in SAMPLES {
        let wire = [&first[..], sample.wire].concat();
        let expected = [talk(&mut client, first, &[]), uncut(sample)].concat();
        for cut in 0..=wire.len() {
            let sent = talk(&mut client, &wire, &[cut]);
            assert_eq!(sent, expected, "{}, cut at {cut}: {}", sample.name, String::from_utf8_lossy(&sent));
        }
    }
}

/// Lets a peer that took nothing take all, until nothing more comes.
fn unblock<S: Service>(client: &mut MockClient<S>) {
    let mut quiet = 0;
    while quiet < 3 {
        let before = client.received().len();
        client.unblock();
        quiet = if client.received().len() == before { quiet + 1 } else { 0 };
    }
}

/// As `talk`, with writes that take so many bytes each; zero is a peer that takes nothing for a while.
fn talk_in_writes(client: &mut MockClient<Echo>, wire: &[u8], takes: &[usize]) -> Vec<u8> {
    client.connect();
    client.transport_mut().unwrap().accept_writes(takes.iter().copied());
    client.deliver(wire, &[]);
    unblock(client);
    finish(client)
}

#[test]
fn answers_may_be_cut_at_any_byte() {
    let mut client = MockClient::new(Echo::default());
    for sample in SAMPLES {
        let expected = uncut(sample);
        for cut in 0..=expected.len() {
            let sent = talk_in_writes(&mut client, sample.wire, &[cut, 0]);
            assert_eq!(sent, expected, "{}, answer cut at {cut}", sample.name);
        }
    }
}

#[test]
fn answers_may_leave_in_steps_of_any_length() {
    let mut client = MockClient::new(Echo::default());
    for sample in SAMPLES {
        let expected = uncut(sample);
        for step in [1, 2, 3, 5, 7, 16, 61, 64, 127, 128, 200] {
            let mut takes = vec![step; expected.len() / step + 2];
            assert_eq!(talk_in_writes(&mut client, sample.wire, &takes), expected, "{}, steps of {step}", sample.name);
            takes = takes.iter().flat_map(|&take| [take, 0]).collect();
            assert_eq!(
                talk_in_writes(&mut client, sample.wire, &takes),
                expected,
                "{}, pauses after {step}",
                sample.name
            );
        }
    }
}

#[test]
fn both_directions_may_be_cut_at_once() {
    let mut client = MockClient::new(Echo::default());
    for sample in SAMPLES {
        let expected = uncut(sample);
        client.connect();
        client.transport_mut().unwrap().accept_writes([1, 0].repeat(expected.len()));
        let mut rest = sample.wire;
        while let Some((byte, later)) = rest.split_first() {
            if client.is_closed() {
                break;
            }
            client.deliver([*byte], &[]);
            client.unblock();
            rest = later;
        }
        unblock(&mut client);
        assert_eq!(finish(&mut client), expected, "{}, a byte at a time", sample.name);
    }
}

#[test]
fn large_bodies_may_leave_in_any_pieces() {
    let mut client = MockClient::new(Echo::default());
    for path in ["/big", "/big-static", "/big-shared", "/stream-long"] {
        let wire = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
        let expected = talk(&mut client, &wire, &[]);
        assert_eq!(statuses(&expected), [200, 200]);
        for takes in
            [&[1, 0][..], &[100, 0], &[170, 0, 1, 0], &[16384, 0], &[65536, 1, 0], &[262_144, 0], &[99_999, 7, 0, 0]]
        {
            let sent = talk_in_writes(&mut client, &wire, &takes.repeat(20));
            assert!(sent == expected, "{path} in writes of {takes:?}: {} of {} bytes", sent.len(), expected.len());
        }
    }
}

/// Beside the parsed answers the bytes are compared with what was asked: an uncut conversation could be wrong too.
#[test]
fn an_uncut_conversation_says_what_was_asked() {
    let mut client = MockClient::new(Echo::default());
    client.deliver(SAMPLES.iter().find(|sample| sample.name == "one of each").unwrap().wire, &[]);
    let mut bodies = Vec::new();
    for asks_head in [false, true, false, false, false, false, false] {
        bodies.push(client.next_answer(asks_head).unwrap().text());
    }
    assert_eq!(bodies, ["GET a /a ", "", "POST a /c abc", "1\n2\n3\n", "", "GET - /d ", "GET a /e "]);
    assert!(client.received().is_empty());
}
