//! Responses: what may be said in them, and the exact bytes in which they leave.

use ownhands::testing::{Answer, MockClient};
use ownhands::{App, Body, Bytes, Fragment, HeaderList, HttpError, IntoResponse, Request, Response, Service, Status};

/// Answers everything with what this function makes.
struct Always(Make);

impl Service for Always {
    fn call(&self, _: &Request<'_>) -> Response {
        self.0()
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        Response::new(error.status)
    }
}

type Make = fn() -> Response;

fn answer(make: Make) -> Answer {
    MockClient::new(Always(make)).get("/")
}

fn wire(make: Make) -> String {
    String::from_utf8_lossy(answer(make).wire()).into_owned()
}

#[test]
fn an_answer_leaves_in_these_bytes() {
    assert_eq!(
        wire(|| Response::text("hi").with_header("X-A", "1").with_header("x-b", " two \t")),
        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 2\r\n\
         Content-Type: text/plain; charset=utf-8\r\nX-A: 1\r\nx-b: two\r\n\r\nhi"
    );
    assert_eq!(
        wire(|| Response::redirect(Status::PERMANENT_REDIRECT, "/b/")),
        "HTTP/1.1 308 Permanent Redirect\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 0\r\nLocation: /b/\r\n\r\n"
    );
    assert_eq!(
        wire(|| Response::new(Status::NO_CONTENT)),
        "HTTP/1.1 204 No Content\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n"
    );
    assert_eq!(
        wire(|| Response::new(Status::new(299).unwrap())),
        "HTTP/1.1 299 Success\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn the_date_is_that_of_the_turn() {
    let mut client = MockClient::new(Always(|| Response::new(Status::OK)));
    for (seconds, date) in [
        (0, "Thu, 01 Jan 2026 00:00:00 GMT"),
        (1, "Thu, 01 Jan 2026 00:00:01 GMT"),
        (86_399, "Fri, 02 Jan 2026 00:00:00 GMT"),
        (58 * 86_400, "Sun, 01 Mar 2026 00:00:00 GMT"),
    ] {
        client.sleep(seconds);
        assert_eq!(client.get("/").header("date"), Some(date));
    }
}

#[test]
fn each_constructor_has_its_type() {
    let table: [(Make, Option<&str>); 5] = [
        (|| Response::new(Status::OK), None),
        (|| Response::text("a"), Some("text/plain; charset=utf-8")),
        (|| Response::html("a".to_string()), Some("text/html; charset=utf-8")),
        (|| Response::bytes(*b"a"), Some("application/octet-stream")),
        (|| Response::text("a").with_header("content-type", "text/css"), Some("text/css")),
    ];
    for (make, content_type) in table {
        let answer = answer(make);
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(
            answer.headers().filter(|(name, _)| name.eq_ignore_ascii_case("content-type")).count(),
            content_type.iter().count()
        );
    }
}

#[test]
fn bytes_of_each_kind_and_of_any_length_are_sent_whole() {
    let table: [Make; 7] = [
        || Response::new(Status::OK).with_body(Body::Bytes(Bytes::Static(b""))),
        || Response::new(Status::OK).with_body(Body::Bytes(Bytes::Static(b"x"))),
        || Response::bytes(vec![b'x'; 16 * 1024]),
        || Response::bytes(vec![b'x'; 16 * 1024 + 1]),
        || Response::new(Status::OK).with_body(Body::Bytes(Bytes::Shared(vec![b'x'; 65_536].into()))),
        || Response::bytes(vec![b'x'; 256 * 1024]),
        || Response::bytes(vec![b'x'; 5_000_001]),
    ];
    for make in table {
        let length = usize::try_from(make().body.len().unwrap()).unwrap();
        let answer = answer(make);
        assert_eq!(answer.header("content-length"), Some(length.to_string().as_str()));
        assert!(answer.body().len() == length && answer.body().iter().all(|&byte| byte == b'x'));
    }
}

/// Fields that cannot be sent, with the reason.
const NO_FIELDS: &[(&str, &[u8], &str)] = &[
    ("X", b"a\r\nSet-Cookie: b", "the value of the header X has the control character \\r in it"),
    ("X", b"a\nSet-Cookie: b", "the value of the header X has the control character \\n in it"),
    ("X", b"a\0b", "the value of the header X has the control character \\x00 in it"),
    ("X", b"a\x7fb", "the value of the header X has the control character \\x7f in it"),
    ("X", b"a\r\n", "the value of the header X has the control character \\r in it"),
    ("", b"a", "\"\" is no header name"),
    ("X Y", b"a", "\"X Y\" is no header name"),
    ("X:", b"a", "\"X:\" is no header name"),
    ("X\r\nY", b"a", "\"X\\r\\nY\" is no header name"),
    ("\u{e4}", b"a", "\"\u{e4}\" is no header name"),
    ("Connection", b"close", "the header Connection is the server's own"),
    ("content-length", b"5", "the header content-length is the server's own"),
    ("DATE", b"today", "the header DATE is the server's own"),
    ("Keep-Alive", b"5", "the header Keep-Alive is the server's own"),
    ("Trailer", b"X", "the header Trailer is the server's own"),
    ("Transfer-Encoding", b"chunked", "the header Transfer-Encoding is the server's own"),
    ("Upgrade", b"h2c", "the header Upgrade is the server's own"),
];

#[test]
fn what_is_no_field_is_kept_out_of_a_list() {
    for &(name, value, why) in NO_FIELDS {
        let mut list = HeaderList::new();
        list.push("Before", "1");
        list.push(name, value);
        list.push("After", "2");
        let refusal = list.refusal().unwrap_or_else(|| panic!("{name:?} was accepted"));
        assert!(refusal.contains(why), "{refusal:?} does not say {why:?}");
        assert_eq!(list.iter().count(), 0, "a list with such a field is none");
    }
}

#[test]
fn a_field_may_be_any_token_and_any_visible_text() {
    let mut list = HeaderList::new();
    for (name, value) in
        [("!#$%&'*+-.^_`|~09azAZ", &b"a\tb c"[..]), ("X", b""), ("Y", b"\x80\xff"), ("Set-Cookie", b"a=\"b\"; c")]
    {
        list.push(name, value);
        assert_eq!((list.refusal(), list.get(name)), (None, Some(value)));
    }
    assert_eq!(list.iter().count(), 4);
}

#[test]
fn a_list_is_set_added_to_and_taken_from_without_regard_to_case() {
    let mut list = HeaderList::new();
    list.push("Set-Cookie", "a");
    list.push("X", "1");
    list.push("set-cookie", "b");
    assert_eq!(list.iter().collect::<Vec<_>>(), [("Set-Cookie", &b"a"[..]), ("X", b"1"), ("set-cookie", b"b")]);
    let shared = list.clone().shared();
    list.set("SET-COOKIE", "c");
    assert_eq!(list.iter().collect::<Vec<_>>(), [("X", &b"1"[..]), ("SET-COOKIE", b"c")]);
    list.remove("x");
    list.remove("no such field");
    assert_eq!(list.iter().collect::<Vec<_>>(), [("SET-COOKIE", &b"c"[..])]);
    assert_eq!(shared.iter().count(), 3, "a shared list is not changed by what becomes of its clone");
    let mut changed = shared.clone();
    changed.push("Y", "2");
    assert_eq!((shared.iter().count(), changed.iter().count()), (3, 4));
}

#[test]
fn a_field_that_cannot_be_sent_splits_no_answer() {
    let mut app = App::new();
    app.route("GET", "/", |_: &Request<'_>| Response::text("a").with_header("X", "b\r\n\r\nHTTP/1.1 200 OK")).unwrap();
    app.route("GET", "/ok", |_: &Request<'_>| "fine").unwrap();
    let mut client = MockClient::new(app);
    let answer = client.get("/");
    assert_eq!(answer.status(), 500);
    assert!(client.received().is_empty());
    assert!(!String::from_utf8_lossy(answer.wire()).contains("HTTP/1.1 200"));
    assert_eq!(client.get("/ok").text(), "fine");
}

#[test]
fn a_service_of_ones_own_cannot_split_an_answer_either() {
    for &(name, value, _) in NO_FIELDS {
        let mut list = HeaderList::new();
        list.push(name, value);
        assert_eq!(list.iter().count(), 0);
    }
    let answer = answer(|| Response::text("a").with_header("X", "b\r\nSet-Cookie: c"));
    assert!(answer.header("set-cookie").is_none() && answer.header("x").is_none());
}

#[test]
fn what_a_handler_returns_becomes_a_response() {
    let table: [(Result<Response, HttpError>, u16, &str); 8] = [
        ("a".into_response(), 200, "a"),
        ("a".to_string().into_response(), 200, "a"),
        (b"a".to_vec().into_response(), 200, "a"),
        ((Status::CREATED, "a").into_response(), 201, "a"),
        (Some("a").into_response(), 200, "a"),
        (Ok::<_, HttpError>("a").into_response(), 200, "a"),
        ((Status::GONE, Some("a")).into_response(), 410, "a"),
        (Response::text("a").with_status(Status::FOUND).into_response(), 302, "a"),
    ];
    for (response, status, body) in table {
        let response = response.unwrap();
        let Body::Bytes(bytes) = response.body else { panic!("{:?}", response.body) };
        assert_eq!((response.status.code(), bytes.as_slice()), (status, body.as_bytes()));
    }
    assert_eq!(None::<&str>.into_response().unwrap_err().status, Status::NOT_FOUND);
    let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
    assert_eq!(Err::<&str, _>(missing).into_response().unwrap_err().status, Status::NOT_FOUND);
}

#[test]
fn statuses_know_their_class() {
    assert!(Status::new(99).is_none() && Status::new(600).is_none());
    for code in 100..=599 {
        let status = Status::new(code).unwrap();
        assert_eq!(status.class(), code / 100);
        assert_eq!(status.is_error(), code >= 400);
        assert_eq!(status.is_bodiless(), code < 200 || code == 204 || code == 304);
        assert!(!status.reason().is_empty());
        assert_eq!(status.to_string(), format!("{code} {}", status.reason()));
    }
}

#[test]
fn a_service_cannot_send_what_is_no_answer() {
    for made in [
        || Response::text("a").with_header("X", "b\r\nSet-Cookie: c"),
        || Response::text("a").with_status(Status::CONTINUE),
    ] {
        let mut client = MockClient::new(Made(made));
        let answer = client.get("/");
        assert_eq!(answer.status(), 500, "{:?}", answer.text());
        assert!(!answer.wire().windows(10).any(|window| window == b"Set-Cookie"));
        assert_eq!(client.get("/").status(), 500, "the connection goes on");
    }
}

/// Answers with what is made.
struct Made(fn() -> Response);

impl Service for Made {
    fn call(&self, _: &Request<'_>) -> Response {
        (self.0)()
    }
    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        Response::text(error.to_string()).with_status(error.status)
    }
}

#[test]
fn json_has_its_type_and_no_charset() {
    let answer = answer(|| Response::json("{}"));
    assert_eq!((answer.header("content-type"), answer.body()), (Some("application/json"), &b"{}"[..]));
}

#[test]
fn an_attachment_may_have_any_name() {
    let cases = [
        ("report.pdf", r#"attachment; filename="report.pdf""#),
        ("a b (1);c=d.txt", r#"attachment; filename="a b (1);c=d.txt""#),
        ("", "attachment"),
        ("grüße.txt", r#"attachment; filename="gr__e.txt"; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt"#),
        (r#"a"b.txt"#, r#"attachment; filename="a_b.txt"; filename*=UTF-8''a%22b.txt"#),
        // Some programs decode what looks like an escape even in the quoted string.
        ("100%25.txt", r#"attachment; filename="100_25.txt"; filename*=UTF-8''100%2525.txt"#),
        ("../../etc/passwd", r#"attachment; filename=".._.._etc_passwd""#),
        (r"C:\a.txt", r#"attachment; filename="C:_a.txt""#),
        ("a\r\nSet-Cookie: b\0", r#"attachment; filename="a__Set-Cookie: b_""#),
        ("it's*", r#"attachment; filename="it's*""#),
        ("it's* ü", r#"attachment; filename="it's* _"; filename*=UTF-8''it%27s%2A%20%C3%BC"#),
    ];
    for (name, value) in cases {
        let response = Response::bytes(*b"").with_attachment(name);
        assert_eq!(response.headers.refusal(), None, "{name:?}");
        assert_eq!(response.headers.get("content-disposition"), Some(value.as_bytes()), "{name:?}");
    }
}

#[test]
fn an_impossible_status_cannot_be_made() {
    for code in [0, 1, 99, 600, 799, 1000, u16::MAX] {
        assert_eq!(Status::new(code), None, "{code}");
    }
    let mut app = App::new();
    let find = |request: &Request<'_>| request.param("code").and_then(|code| code.parse().ok()).and_then(Status::new);
    app.route("GET", "/(?<code>[0-9]+)", move |request: &Request<'_>| find(request).map(|status| (status, "made")))
        .unwrap();
    let mut client = MockClient::new(app);
    for (target, status) in [("/200", 200), ("/599", 599), ("/600", 404), ("/0", 404), ("/65536", 404), ("/100", 500)] {
        assert_eq!(client.get(target).status(), status, "{target}");
    }
}
