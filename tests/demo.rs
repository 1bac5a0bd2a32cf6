//! The demonstration application, as a process: every route over a socket.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;

use ownhands::Route;
use rustix::process::Signal;

use super::command::{PATIENCE, Running, command};

/// The demo serving its own site. Nobody reads what it prints, so it is told to print nothing.
fn demo(more: &[&str]) -> Running {
    let arguments = ["demo", "-p", "0", "--access-log", "off", "--log-level", "off"];
    Running::start(&[&arguments[..], more].concat(), Path::new(env!("CARGO_MANIFEST_DIR")))
}

fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends these bytes, which ask for the connection to be closed, and reads all there is; head and body.
fn exchange(server: &Running, wire: impl AsRef<[u8]>) -> (String, Vec<u8>) {
    let mut stream = connect(server);
    stream.write_all(wire.as_ref()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    (String::from_utf8(answer[..end + 2].to_vec()).unwrap(), answer[end + 4..].to_vec())
}

fn request(server: &Running, method: &str, target: &str, fields: &str, body: &str) -> (String, String) {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let wire = format!("{method} {target} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{fields}{length}\r\n{body}");
    let (head, body) = exchange(server, wire);
    (head, String::from_utf8(body).unwrap())
}

fn get(server: &Running, target: &str) -> (String, String) {
    request(server, "GET", target, "", "")
}

/// The content of chunks that no line end stands in the middle of.
fn unchunked(body: &str) -> String {
    let mut lines = body.split("\r\n");
    let mut out = String::new();
    while let (Some(size), Some(chunk)) = (lines.next(), lines.next()) {
        assert_eq!(usize::from_str_radix(size, 16).unwrap(), chunk.len());
        out.push_str(chunk);
    }
    out
}

#[test]
fn routes_that_answer_at_once() {
    let server = demo(&[]);
    let own = |target: &str| fs::read_to_string(Path::new("static").join(target)).unwrap();
    let text = "text/plain; charset=utf-8";
    let html = "text/html; charset=utf-8";
    let cases: [(&str, u16, &str, String); 14] = [
        ("/", 200, "text/html", own("index.html")),
        ("/events.js", 200, "text/javascript", own("events.js")),
        ("/hello/J%C3%BCrgen", 200, text, "Hello, Jürgen!".into()),
        ("/pic", 200, "image/svg+xml", own("icon.svg")),
        ("/time.php", 200, html, "\n<hr />\nHost: here\n".into()),
        ("/time.asp", 200, html, "\n<hr />\nHost: here\n".into()),
        ("/time.html", 200, html, "\n<hr />\nHost: here\n".into()),
        ("/time.htm", 404, html, "<p>There is nothing here.</p>".into()),
        ("/my.aspx", 200, html, "<li><b>Address</b> 127.0.0.1</li>\n<li><b>Port</b> ".into()),
        ("/my.aspx", 200, html, "<li><b>Host</b> here</li>".into()),
        ("/server/samples/poem.txt", 200, "text/plain", own("samples/poem.txt")),
        ("/server/", 200, text, "events.js".into()),
        ("/environ?a=%20b", 200, text, "\nQUERY_STRING=a=%20b\n".into()),
        ("/slow?ms=1", 200, text, "1 ms later\n".into()),
    ];
    for (target, status, media, part) in cases {
        let (head, body) = get(&server, target);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {head}");
        assert!(head.contains(&format!("\r\nContent-Type: {media}")), "{target}: {head}");
        assert!(body.contains(&part), "{target}: {body}");
    }
    let wrong = ["/slow?ms=10001", "/slow?ms=-1", "/slow?ms=soon", "/slow?ms=", "/cookie?set=x", "/cookie?set=a%20b=c"];
    for target in wrong {
        assert!(get(&server, target).0.starts_with("HTTP/1.1 400 "), "{target}");
    }
}

#[test]
fn what_was_sent_comes_back() {
    let server = demo(&[]);
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW", "x", Route::ANY_METHOD] {
        let fields = "X-B: 1\r\nx-A: <2>\r\nX-B: 3\r\n";
        let (head, body) = request(&server, method, "/headers", fields, "");
        assert!(head.starts_with("HTTP/1.1 200 "), "{method}: {head}");
        assert_eq!(body, "Host: here\nConnection: close\nX-B: 1\nx-A: <2>\nX-B: 3\n", "{method}");
        let (head, body) = request(&server, method, "/echo", "Content-Type: text/html\r\n", "<b>you</b>\n");
        assert!(head.contains("\r\nContent-Type: application/octet-stream\r\n"), "{method}: {head}");
        assert_eq!(body, "<b>you</b>\n", "{method}");
    }
    let (head, body) = request(&server, "HEAD", "/echo", "", "unseen");
    assert!(head.contains("\r\nContent-Length: 6\r\n") && body.is_empty(), "{head}");
    let (_, body) = request(&server, "GET", "/environ", "X-A: 1\r\nX-A: 2\r\nX_A: 3\r\nProxy: evil\r\n", "");
    assert!(body.contains("\nHTTP_X_A=1, 2\n") && !body.contains("evil"), "{body}");
    let port = server.address().rsplit(':').next().unwrap();
    assert!(body.contains(&format!("\nSERVER_PORT={port}\n")), "not that of Host, which names none: {body}");
    let (head, body) = request(&server, "GET", "/cookie?set=c=d&set=e=f=g", "Cookie: a=b; c=\"x\"\r\n", "");
    assert_eq!(body, "a=b\nc=\"x\"\n");
    assert!(head.contains("\r\nSet-Cookie: c=d; Path=/\r\nSet-Cookie: e=f=g; Path=/\r\n"), "{head}");
}

#[test]
fn the_form_shows_what_was_filled_in() {
    let server = demo(&[]);
    let (_, body) = get(&server, "/form");
    assert!(body.contains("<form action=\"/form\" method=\"post\">") && !body.contains("What came"), "{body}");
    let want = "<li><b>name</b> <span>&lt;script&gt;</span></li>\n<li><b>with</b> <span>a b</span></li>\n\
                <li><b>with</b> <span>ü</span></li>\n";
    let pairs = "name=%3Cscript%3E&with=a+b&with=%C3%BC";
    let (_, body) = get(&server, &format!("/form?{pairs}"));
    assert!(body.contains(want), "{body}");
    let fields = "Content-Type: application/x-www-form-urlencoded\r\n";
    let (_, body) = request(&server, "POST", "/form", fields, pairs);
    assert!(body.contains(want), "{body}");
    assert!(request(&server, "POST", "/form", "", pairs).0.starts_with("HTTP/1.1 415 "));
}

#[test]
fn error_pages_show_the_log_and_a_crash_ends_nothing() {
    let server = demo(&[]);
    assert!(get(&server, "/crash").0.starts_with("HTTP/1.1 500 "));
    assert!(get(&server, "/<script>?'\"&").0.starts_with("HTTP/1.1 404 "));
    let row = "</td><td>/&lt;script&gt;?&#39;&quot;&amp;</td><td>404</td><td>";
    let (head, body) = request(&server, "DELETE", "/form", "", "");
    assert!(head.starts_with("HTTP/1.1 405 ") && head.contains("\r\nAllow: GET, HEAD, POST, OPTIONS\r\n"), "{head}");
    for body in [body, get(&server, "/%3Cscript%3E").1, get(&server, "/clients.html").1] {
        assert!(body.contains(row) && !body.contains("<script>"), "{body}");
        assert!(body.contains("<td>1</td><td>127.0.0.1</td><td>") && body.contains("</td><td>/crash</td><td>500</td>"));
    }
}

#[test]
fn the_log_keeps_a_thousand_requests() {
    let server = demo(&[]);
    let mut stream = connect(&server);
    let mut reader = stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let one = |number| format!("GET /hello/{number} HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all((1..=2000).map(one).collect::<String>().as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    });
    let mut answers = String::new();
    reader.read_to_string(&mut answers).unwrap();
    sender.join().unwrap();
    assert_eq!(answers.matches("Hello, ").count(), 2000);
    let (_, page) = get(&server, "/clients.html");
    assert_eq!(page.matches("<tr><td>").count(), 1000);
    assert!(page.contains("<tbody>\n<tr><td>2000</td>") && page.contains("</td><td>/hello/1001</td>"), "{page}");
    assert!(!page.contains("/hello/1000<"));
}

#[test]
fn slow_answers_and_streams_hold_nobody() {
    let server = demo(&[]);
    let ask = |target: &str, end: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n{end}\r\n");
    let peers: Vec<(usize, TcpStream)> = (0..200).map(|number| (number, connect(&server))).collect();
    for (number, mut peer) in peers.iter().map(|(number, peer)| (number, peer)) {
        let first = if number % 2 == 0 { "/slow?ms=50" } else { "/stream" };
        let wire = ask(first, "") + &ask(&format!("/hello/after-{number}"), "Connection: close\r\n");
        peer.write_all(wire.as_bytes()).unwrap();
    }
    // Somebody else, a pipeline: every answer, and in order.
    let names: Vec<String> = (0..100).map(|number| format!("Hello, x{number}!")).collect();
    let wire: String = (0..100).map(|number| ask(&format!("/hello/x{number}"), "")).collect();
    let (_, body) = exchange(&server, wire + &ask("/hello/last", "Connection: close\r\n"));
    let body = String::from_utf8(body).unwrap();
    let places: Vec<usize> = names.iter().map(|name| body.find(name.as_str()).expect(name)).collect();
    assert!(places.is_sorted() && body.ends_with("Hello, last!"));
    for (number, mut peer) in peers {
        let mut answers = String::new();
        peer.read_to_string(&mut answers).unwrap();
        let second = answers.rfind("HTTP/1.1 200 OK").unwrap();
        assert!(answers.ends_with(&format!("Hello, after-{number}!")), "{answers}");
        let first = answers[..second].split_once("\r\n\r\n").unwrap().1;
        if number % 2 == 0 {
            assert_eq!(first, "50 ms later\n");
        } else {
            let lines: String = (1..=10).map(|line| format!("line {line} of 10\n")).collect();
            assert_eq!(unchunked(first), lines);
        }
    }
}

#[test]
fn events_come_while_somebody_listens() {
    let server = demo(&[]);
    let mut peer = connect(&server);
    peer.write_all(b"GET /events HTTP/1.0\r\n\r\n").unwrap();
    let mut seen = Vec::new();
    while !seen.windows(8).any(|eight| eight == b"\n\nid: 2\n") {
        let mut piece = [0; 512];
        let count = peer.read(&mut piece).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&piece[..count]);
    }
    let text = String::from_utf8(seen).unwrap();
    assert!(text.contains("\r\nContent-Type: text/event-stream\r\n"), "{text}");
    assert!(text.contains("\r\n\r\nid: 1\ndata: "), "{text}");
}

/// Kilobytes of memory that a process holds.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the most it ever held");
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_long_upload_comes_back_and_costs_no_memory() {
    const LENGTH: usize = 64 << 20;
    let server = demo(&["--max-body", "1073741824"]);
    let body: Vec<u8> =
        (0..LENGTH / 8).flat_map(|word| (word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect();
    let head = format!("PUT /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {LENGTH}\r\n\r\n");
    let (head, echoed) = exchange(&server, [head.as_bytes(), &body].concat());
    assert!(head.contains(&format!("\r\nContent-Length: {LENGTH}\r\n")), "{head}");
    assert!(echoed == body, "{} bytes", echoed.len());
    if cfg!(target_os = "linux") {
        let kib = resident(server.child.id());
        assert!(kib < 32 * 1024, "{kib} KiB");
    }
    assert_eq!(server.stop(Signal::TERM).0.code(), Some(0));
}

#[test]
fn the_table_of_routes_is_printed() {
    let output = command(&["demo", "--routes"], Path::new(env!("CARGO_MANIFEST_DIR"))).output().unwrap();
    assert!(output.status.success());
    let table = String::from_utf8(output.stdout).unwrap();
    for line in ["GET       /hello/(?<name>[^/]+)", r"GET       /time\.(php|asp|html)", "*         /echo"] {
        assert!(table.lines().any(|other| other == line), "{table}");
    }
    assert!(table.ends_with("GET, HEAD /server/...\nGET, HEAD /...\n"), "{table}");
}
