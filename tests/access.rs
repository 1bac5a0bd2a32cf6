//! The access log as JSON lines: valid whatever a peer sent, and with everything that is known.

use std::cell::RefCell;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use ownhands::app::{AccessLog, Observer};
use ownhands::http::Trust;
use ownhands::testing::MockClient;
use ownhands::{App, Exchange, Request, Status};
use proptest::prelude::*;
use serde_json::Value;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Sink(Rc<RefCell<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).expect("text")
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The line for an exchange, as JSON and as Combined.
fn lines(exchange: &Exchange) -> [String; 2] {
    [AccessLog::with_json, |log| log].map(|format: fn(AccessLog) -> AccessLog| {
        let sink = Sink::default();
        let log = format(AccessLog::new(sink.clone()));
        log.observe(exchange);
        log.end_turn();
        sink.text()
    })
}

/// The object without its time, which must be one (RFC 3339 section 5.6).
fn without_time(line: &str) -> Value {
    let mut object: Value = serde_json::from_str(line).expect(line);
    let time = object.as_object_mut().and_then(|object| object.remove("time")).expect("a time");
    let shape: String = time.as_str().expect("text").replace(|digit: char| digit.is_ascii_digit(), "0");
    assert_eq!(shape.replace('-', "+"), "0000+00+00T00:00:00+00:00", "{time}");
    object
}

fn object(json: &str) -> Value {
    serde_json::from_str(json).expect(json)
}

#[test]
fn json_lines() {
    let mut whole = Exchange::new(*b"GET /a?b=c HTTP/1.1", Status::OK);
    whole.client = "192.0.2.7".parse().ok();
    whole.peer = "[::ffff:10.0.0.1]:5000".parse().ok();
    whole.sent = 123;
    whole.referer = Some((*b"http://a/\"").into());
    whole.agent = Some("é".as_bytes().into());
    whole.id = Some((*b"7-1").into());
    whole.ended = UNIX_EPOCH + Duration::from_secs(1_795_201_200);
    whole.took = Duration::from_nanos(1_002_003_999);
    let mut direct = Exchange::new(*b"\x16\x03\xff", Status::BAD_REQUEST);
    direct.client = "2001:db8::1".parse().ok();
    direct.peer = "[2001:db8::1]:5000".parse().ok();
    let cases = [
        (
            whole,
            r#"{"client": "192.0.2.7", "peer": "10.0.0.1", "method": "GET", "target": "/a?b=c", "version": "HTTP/1.1",
                "status": 200, "bytes": 123, "seconds": 1.002003, "referer": "http://a/\"", "agent": "é", "id": "7-1"}"#,
        ),
        (direct, r#"{"client": "2001:db8::1", "line": "\u0016\u0003ÿ", "status": 400, "bytes": 0, "seconds": 0.0}"#),
        (Exchange::new(*b"", Status::REQUEST_TIMEOUT), r#"{"line": "", "status": 408, "bytes": 0, "seconds": 0.0}"#),
    ];
    for (exchange, want) in cases {
        let [line, _] = lines(&exchange);
        assert_eq!(without_time(line.strip_suffix('\n').unwrap()), object(want));
    }
}

proptest! {
    #[test]
    fn every_line_is_one_object_whatever_a_peer_sent(
        line in prop_oneof![proptest::collection::vec(any::<u8>(), 0..40), "[A-Z]{1,4} [ -~é]{0,9} HTTP/1.1".prop_map(String::into_bytes)],
        agent in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
        referer in proptest::option::of("\\PC{0,9}"),
        id in proptest::option::of("[ -~]{0,9}"),
        peer in any::<[u8; 16]>(),
    ) {
        let mut exchange = Exchange::new(line.clone(), Status::OK);
        exchange.agent = agent.clone().map(Into::into);
        exchange.referer = referer.clone().map(|text| text.into_bytes().into());
        exchange.id = id.clone().map(|text| text.into_bytes().into());
        exchange.peer = Some(SocketAddr::from((peer, 1)));
        let [json, combined] = lines(&exchange);
        for text in [&json, &combined] {
            let body = text.strip_suffix('\n').expect("a line");
            prop_assert!(!body.contains(char::is_control), "{body}");
        }
        let read = without_time(json.trim_end());
        prop_assert_eq!(read.get("referer").and_then(Value::as_str), referer.as_deref());
        prop_assert_eq!(read.get("id").and_then(Value::as_str), id.as_deref());
        let told = read.get("line").and_then(Value::as_str).map(str::to_owned).unwrap_or_else(|| {
            ["method", "target", "version"].map(|name| read[name].as_str().unwrap().to_owned()).join(" ")
        });
        if let Ok(text) = String::from_utf8(line.clone()) {
            prop_assert_eq!(told, text);
        } else {
            // Each byte that is no UTF-8 is one character, and no byte is lost.
            let count = line.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum::<usize>();
            prop_assert_eq!(told.chars().count(), count);
        }
        prop_assert_eq!(read.get("agent").is_some(), agent.is_some());
    }
}

#[test]
fn the_log_knows_the_client_behind_a_proxy_and_the_id_of_the_answer() {
    let sink = Sink::default();
    let mut app = App::new();
    app.trust(Trust::new(["10.0.0.0/8".parse().unwrap()])).add_request_ids();
    app.route("GET", "/", |_: &Request<'_>| "hello").unwrap();
    app.add_observer(AccessLog::new(sink.clone()).with_json());
    let mut client = MockClient::new(app).with_peer("10.0.0.1:5000".parse().unwrap());
    client.request("GET", "/").header("X-Forwarded-For", "192.0.2.7").header("X-Request-Id", "from-the-proxy").send();
    client.send("noise\r\n\r\n", &[]);
    let text = sink.text();
    let lines: Vec<Value> = text.lines().map(without_time).collect();
    let strings = |line: &Value, names: &[&str]| -> Vec<Option<String>> {
        names.iter().map(|name| line.get(name).and_then(Value::as_str).map(str::to_owned)).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    let names = ["client", "peer", "target", "line", "id"];
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(
        strings(&lines[0], &names),
        [some("192.0.2.7"), some("10.0.0.1"), some("/"), None, some("from-the-proxy")]
    );
    assert_eq!(strings(&lines[1], &names[..4]), [some("10.0.0.1"), None, None, some("noise")]);
    assert!(lines[1].get("id").is_some());
}
