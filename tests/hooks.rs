//! What is asked before a request finds its way, ids of requests, and the table of an application.

use std::cell::RefCell;
use std::rc::Rc;

use ownhands::testing::MockClient;
use ownhands::{App, Fragment, HttpError, Request, Response, Service, Status};

/// What hooks and handlers were called, in order.
type Calls = Rc<RefCell<Vec<String>>>;

/// Two hooks, and routes for GET and POST. The first hook takes its orders from the field `Do`.
fn app() -> (App, Calls) {
    let calls = Calls::default();
    let [first, second, handler] = [(); 3].map(|()| Rc::clone(&calls));
    let mut app = App::new();
    app.before(move |request: &Request<'_>| {
        first.borrow_mut().push(format!("first {} {} {}", request.method, request.path, request.body.len()));
        match request.header("Do") {
            Some("answer") => Ok(Some(Response::text("answered"))),
            Some("refuse") => Err(HttpError::forbidden("not you")),
            Some("defer") => Ok(Some(request.defer().1)),
            Some("panic") => panic!("on purpose, in a hook"),
            Some("split") => Ok(Some(Response::text("x").with_header("X", "a\r\nb"))),
            _ => Ok(None),
        }
    });
    app.before(move |request: &Request<'_>| {
        second.borrow_mut().push("second".to_owned());
        if request.path == "/missing" { Ok(Some(Response::text("found by a hook"))) } else { Ok(None) }
    });
    let handle = move |request: &Request<'_>| {
        handler.borrow_mut().push("handler".to_owned());
        format!("{} bytes", request.body.len())
    };
    app.route("GET", "/", handle.clone()).unwrap().route("POST", "/", handle).unwrap();
    (app, calls)
}

fn took(calls: &Calls) -> Vec<String> {
    std::mem::take(&mut *calls.borrow_mut())
}

const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

#[test]
fn hooks_run_in_order_once_and_before_the_handler() {
    let (app, calls) = app();
    let mut client = MockClient::new(app);
    let cases = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "first GET / 0", "0 bytes"),
        ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", "first POST / 0", "0 bytes"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n", "first POST / 0", "0 bytes"),
        (POST, "first POST / 0", "5 bytes"),
        (CHUNKED, "first POST / 0", "5 bytes"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "first POST / 0", "0 bytes"),
    ];
    for (wire, first, text) in cases {
        for cuts in [Vec::new(), (1..wire.len()).collect()] {
            assert_eq!(client.send(wire, &cuts).text(), text, "{wire}");
            assert_eq!(took(&calls), [first, "second", "handler"], "{wire}");
        }
    }
}

#[test]
fn hooks_go_before_routes() {
    let (app, calls) = app();
    let mut client = MockClient::new(app);
    assert_eq!(client.get("/missing").text(), "found by a hook");
    assert_eq!(client.post("/missing").body("x").send().text(), "found by a hook");
    assert_eq!(client.get("/elsewhere").status(), 404);
    assert_eq!(client.post("/elsewhere").body("x").send().status(), 404);
    assert_eq!(took(&calls).len(), 8);
    // What could not be read as a request is shown to none.
    assert_eq!(client.send("noise\r\n\r\n", &[]).status(), 400);
    assert_eq!(client.get("/%zz").status(), 400);
    assert!(took(&calls).is_empty());
}

#[test]
fn a_hook_answers_instead_of_the_handler_and_before_the_body() {
    let cases = [
        ("answer", 200, "answered"),
        ("refuse", 403, "403 Forbidden: not you\n"),
        ("defer", 500, "500 Internal Server Error: the server failed to answer this request\n"),
        ("panic", 500, "500 Internal Server Error: the server failed to answer this request\n"),
        ("split", 500, "500 Internal Server Error: the server failed to answer this request\n"),
    ];
    let (app, calls) = app();
    let mut client = MockClient::new(app);
    for (order, status, text) in cases {
        let answer = client.request("GET", "/").header("Do", order).send();
        assert_eq!((answer.status(), answer.text().as_str()), (status, text), "{order}");
        assert_eq!(took(&calls), ["first GET / 0"], "{order}");
        assert!(client.is_open(), "{order}");

        // Not one byte of the body is here when it answers.
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nDo: {order}\r\nContent-Length: 1000\r\n\r\n");
        let answer = client.send(head, &[]);
        assert_eq!((answer.status(), answer.text().as_str()), (status, text), "{order}");
        assert_eq!(answer.header("connection"), Some("close"), "{order}");
        assert_eq!(took(&calls), ["first POST / 0"], "{order}");
        client.connect();
    }
    assert_eq!(client.get("/").text(), "0 bytes");
}

/// Mock connections all have the same ticket.
#[test]
fn nobody_passes_with_what_was_let_pass_for_another() {
    let (app, calls) = app();
    let mut client = MockClient::new(app);
    let refused = |client: &mut MockClient<App>, body: &str| {
        client.request("POST", "/").header("Do", "refuse").body(body).send().status() == 403
    };
    for body in ["", "hello"] {
        // Let pass, and gone before the body was here.
        client.deliver("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel", &[]);
        assert_eq!(took(&calls), ["first POST / 0", "second"]);
        client.connect();
        assert!(refused(&mut client, body), "{body:?}");
        client.connect();
        assert_eq!(client.request("GET", "/").header("Do", "refuse").send().status(), 403);
        took(&calls);
    }
}

/// A service around an app that forgets to pass `admit` on.
struct Around(App);

impl Service for Around {
    fn call(&self, request: &Request<'_>) -> Response {
        self.0.call(request)
    }

    fn refuse(&self, error: &HttpError, fragment: &Fragment<'_>) -> Response {
        self.0.refuse(error, fragment)
    }
}

#[test]
fn hooks_run_even_where_nobody_asked_before_the_body() {
    let (app, calls) = app();
    let mut client = MockClient::new(Around(app));
    assert_eq!(client.send(POST, &[]).text(), "5 bytes");
    assert_eq!(took(&calls), ["first POST / 5", "second", "handler"]);
    assert_eq!(client.post("/").header("Do", "refuse").body("x").send().status(), 403);
}

fn id(answer: &ownhands::testing::Answer) -> String {
    let ids: Vec<&[u8]> =
        answer.headers().filter(|(name, _)| name.eq_ignore_ascii_case("x-request-id")).map(|(_, id)| id).collect();
    assert_eq!(ids.len(), 1, "{}", String::from_utf8_lossy(answer.wire()));
    String::from_utf8(ids[0].to_vec()).unwrap()
}

#[test]
fn every_answer_has_an_id_of_its_own() {
    let (mut app, _) = app();
    app.add_request_ids();
    app.route("GET", "/later", |request: &Request<'_>| {
        let (deferred, response) = request.defer();
        deferred.answer("late");
        response
    })
    .unwrap();
    app.route("GET", "/own", |_: &Request<'_>| Response::text("").with_header("x-request-id", "mine")).unwrap();
    app.on_error(404, |_: &HttpError, _: Option<&Request<'_>>| "mine");
    let mut client = MockClient::new(app);
    let wires = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        POST,
        "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /later HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nDo: refuse\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
        "noise\r\n\r\n",
    ];
    let ids: Vec<String> = wires.map(|wire| id(&client.send(wire, &[]))).into();
    let want: Vec<String> = (1..=wires.len()).map(|number| format!("6474846204000-{number}")).collect();
    assert_eq!(ids, want);
    assert_eq!(id(&client.get("/own")), "mine");
}

#[test]
fn an_id_from_a_proxy_is_taken_over_if_it_is_sane() {
    let (mut app, _) = app();
    app.add_request_ids();
    let mut client = MockClient::new(app);
    let (long, longer) = ("a".repeat(64), "a".repeat(65));
    for sane in ["a", "0b7e3c1e-8f3d-4e6a-9a55-3d7f2a6c1b2d", "A_b.C", &long] {
        assert_eq!(id(&client.request("GET", "/").header("X-Request-ID", sane).send()), sane);
        assert_eq!(id(&client.request("GET", "/nowhere").header("X-Request-ID", sane).send()), sane);
        assert_eq!(id(&client.post("/nowhere").header("x-request-id", sane).body("x").send()), sane);
    }
    for other in ["", "a b", "a\tb", "a\"", "a,b", "<b>", "ü", &longer] {
        let got = id(&client.request("GET", "/").header("X-Request-ID", other).send());
        assert!(got.starts_with("6474846204000-"), "{other:?} became {got:?}");
    }
}

#[test]
fn the_table_of_an_application() {
    let (mut app, _) = app();
    app.mount("/a", ownhands::Files::new("static").unwrap()).unwrap();
    app.mount("/a/b/", ownhands::Files::new("static").unwrap()).unwrap();
    app.route("PUT", r"/late\.(txt|html)", |_: &Request<'_>| Status::new(200).map(|_| "")).unwrap();
    let table: Vec<(String, String, bool)> =
        app.routes().map(|entry| (entry.methods.to_owned(), entry.pattern.to_string(), entry.is_mount)).collect();
    let want = [
        ("GET", "/", false),
        ("POST", "/", false),
        ("PUT", r"/late\.(txt|html)", false),
        ("GET, HEAD", "/a/b/", true),
        ("GET, HEAD", "/a/", true),
    ];
    assert_eq!(table, want.map(|(methods, pattern, is_mount)| (methods.to_owned(), pattern.to_owned(), is_mount)));
    assert_eq!(App::new().routes().count(), 0);
}
