//! What an application answers: routes, mounts, error pages, panics, the access log.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use ownhands::app::{AccessLog, Observer, RouteError};
use ownhands::testing::{Answer, MockClient};
use ownhands::{App, Exchange, HttpError, Produced, Request, Resource, Response, Route, Service, Source, Status};

/// A resource that answers with its name, the method and the path below its mount.
struct Named {
    name: &'static str,
    allow: &'static str,
}

impl Resource for Named {
    fn allow(&self) -> &str {
        self.allow
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let below = String::from_utf8_lossy(request.path_below_mount());
        Ok(Response::text(format!("{} {} {:?} {below}", self.name, request.method, request.mount)))
    }
}

fn ask(client: &mut MockClient<App>, method: &str, target: &str) -> Answer {
    client.send(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n"), &[])
}

fn ask_for_html(client: &mut MockClient<App>, target: &str) -> Answer {
    client.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\nAccept: text/html,*/*;q=0.8\r\n\r\n"), &[])
}

fn routed() -> Result<App, RouteError> {
    let mut app = App::new();
    app.route("GET", "/", |_: &Request<'_>| "root")?
        .route("GET", "/item/(?<id>[0-9]+)", |request: &Request<'_>| format!("item {:?}", request.param("id")))?
        .route("GET", "/item/7", |_: &Request<'_>| "never: the pattern was first")?
        .route("GET", "/item/new", |_: &Request<'_>| "new")?
        .route("GET", "/item/(?<name>.+)", |request: &Request<'_>| format!("named {:?}", request.param("name")))?
        .route("POST", "/item/new", |request: &Request<'_>| {
            (Status::CREATED, request.body.bytes().unwrap().into_owned())
        })?
        .route("GET", r"/robots\.txt", |_: &Request<'_>| "robots")?
        .route("GET", "/a|/b", |_: &Request<'_>| "a or b")?
        .route("GET", "(?i)/shout", |_: &Request<'_>| "shout")?
        .route("GET", "/pair/(?<left>a)?(?<right>b)?", |request: &Request<'_>| {
            format!("{:?} {:?} {:?}", request.param("left"), request.param("right"), request.param("middle"))
        })?
        .route("GET", "/grüße", |_: &Request<'_>| "hello")?
        .route("HEAD", "/head", |_: &Request<'_>| Response::new(Status::OK).with_header("X-By", "HEAD"))?
        .route("GET", "/head", |_: &Request<'_>| Response::new(Status::OK).with_header("X-By", "GET"))?
        .route("DELETE", "/only", |_: &Request<'_>| "deleted")?
        .route("OPTIONS", "/own", |_: &Request<'_>| "options")?
        .route("PURGE", "/own", |_: &Request<'_>| "purged")?;
    Ok(app)
}

#[test]
fn routes() {
    let cases = [
        ("GET", "/", 200, "root"),
        ("GET", "/?a=b", 200, "root"),
        ("GET", "/item/7", 200, "item Some(\"7\")"),
        ("GET", "/item/%37", 200, "item Some(\"7\")"),
        ("GET", "/item/new", 200, "new"),
        ("GET", "/item/ne", 200, "named Some(\"ne\")"),
        ("GET", "/item/a%2Fb", 200, "named Some(\"a/b\")"),
        ("GET", "/item/x%0A", 404, "404 Not Found: there is no /item/x\\n here\n"),
        ("GET", "/item/", 404, "404 Not Found: there is no /item/ here\n"),
        ("GET", "/robots.txt", 200, "robots"),
        ("GET", "/robotsxtxt", 404, "404 Not Found: there is no /robotsxtxt here\n"),
        ("GET", "/a", 200, "a or b"),
        ("GET", "/b", 200, "a or b"),
        ("GET", "/ab", 404, "404 Not Found: there is no /ab here\n"),
        ("GET", "/b\u{0}", 400, ""),
        ("GET", "/SHOUT", 200, "shout"),
        ("GET", "/pair/", 200, "None None None"),
        ("GET", "/pair/b", 200, "None Some(\"b\") None"),
        ("GET", "/pair/ab", 200, "Some(\"a\") Some(\"b\") None"),
        ("GET", "/gr%C3%BC%C3%9Fe", 200, "hello"),
        ("PURGE", "/own", 200, "purged"),
        ("OPTIONS", "/own", 200, "options"),
    ];
    let mut client = MockClient::new(routed().unwrap());
    for (method, target, status, text) in cases {
        let answer = ask(&mut client, method, target);
        assert_eq!(answer.status(), status, "{method} {target}: {}", answer.text());
        if !text.is_empty() {
            assert_eq!(answer.text(), text, "{method} {target}");
        }
    }
    let made = client.send("POST /item/new HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nmade", &[]);
    assert_eq!((made.status(), made.body()), (201, &b"made"[..]));
}

#[test]
fn methods_and_allow() {
    let item = "GET, HEAD, POST, OPTIONS";
    let cases = [
        ("PUT", "/item/new", 405, Some(item)),
        ("put", "/item/new", 405, Some(item)),
        ("TRACE", "/item/new", 405, Some(item)),
        ("BREW", "/only", 405, Some("DELETE, OPTIONS")),
        ("GET", "/only", 405, Some("DELETE, OPTIONS")),
        ("HEAD", "/only", 405, Some("DELETE, OPTIONS")),
        ("GET", "/own", 405, Some("OPTIONS, PURGE")),
        ("OPTIONS", "/item/new", 204, Some(item)),
        ("OPTIONS", "/only", 204, Some("DELETE, OPTIONS")),
        ("OPTIONS", "*", 204, Some("GET, HEAD, POST, DELETE, OPTIONS, PURGE")),
        ("OPTIONS", "/nowhere", 404, None),
        ("BREW", "/nowhere", 404, None),
        ("HEAD", "/nowhere", 404, None),
        ("HEAD", "/item/1", 200, None),
    ];
    let mut client = MockClient::new(routed().unwrap());
    for (method, target, status, allow) in cases {
        let answer = ask(&mut client, method, target);
        assert_eq!((answer.status(), answer.header("allow")), (status, allow), "{method} {target}");
    }
}

#[test]
fn who_writes_a_method_in_small_letters_is_told_so() {
    let plain = "405 Method Not Allowed: this resource answers to GET, HEAD, POST, OPTIONS only";
    let small = format!("{plain}; methods are written in capitals (RFC 9110 9.1)\n");
    let other = format!("{plain}\n");
    let cases = [
        ("get", &small),
        ("Get", &small),
        ("options", &small),
        ("put", &other), // in capitals it would not be allowed either
        ("PUT", &other),
    ];
    let mut client = MockClient::new(routed().unwrap());
    for (method, text) in cases {
        let answer = ask(&mut client, method, "/item/new");
        assert_eq!(
            (answer.text(), answer.header("allow")),
            (text.to_owned(), Some("GET, HEAD, POST, OPTIONS")),
            "{method}"
        );
    }
}

#[test]
fn a_route_for_any_method() {
    let any = Route::ANY_METHOD;
    let mut app = App::new();
    app.route("GET", "/(?<name>own|also)", |_: &Request<'_>| "GET by an expression").unwrap();
    app.route("PUT", "/own", |_: &Request<'_>| "PUT by name").unwrap();
    app.route(any, "/own", |request: &Request<'_>| format!("any {}", request.method)).unwrap();
    app.route("POST", "/own", |_: &Request<'_>| "never: any was first").unwrap();
    app.route(any, "/plain", |request: &Request<'_>| format!("plain {}", request.method)).unwrap();
    app.route("GET", "/plain|/other", |_: &Request<'_>| "GET, behind any").unwrap();
    app.route(any, "/any/(?<name>.+)", |request: &Request<'_>| format!("{:?}", request.param("name"))).unwrap();
    app.mount("/plain", Named { name: "mount", allow: "GET" }).unwrap();
    let cases = [
        ("GET", "/own", "GET by an expression"),
        ("PUT", "/own", "PUT by name"),
        ("POST", "/own", "any POST"),
        ("OPTIONS", "/own", "any OPTIONS"),
        ("get", "/own", "any get"),
        ("*", "/own", "any *"),
        ("GET", "/plain", "plain GET"),
        ("TRACE", "/plain", "plain TRACE"),
        ("GET", "/other", "GET, behind any"),
        ("GET", "/plain/x", "mount GET \"/plain\" /x"),
        ("BREW", "/any/tea", "Some(\"tea\")"),
    ];
    let mut client = MockClient::new(app);
    for (method, target, text) in cases {
        let answer = ask(&mut client, method, target);
        assert_eq!((answer.status(), answer.text().as_str()), (200, text), "{method} {target}");
    }
    // HEAD goes where GET goes.
    for (target, length) in [("/own", 20), ("/plain", 10)] {
        let length = Some(length.to_string());
        let answer = ask(&mut client, "HEAD", target);
        assert_eq!(answer.header("content-length").map(str::to_owned), length, "{target}");
    }
    let whole = ask(&mut client, "OPTIONS", "*");
    assert_eq!(whole.header("allow"), Some("GET, HEAD, PUT, POST, DELETE, OPTIONS, PATCH"));
    assert_eq!(ask(&mut client, "BREW", "/other").header("allow"), Some("GET, HEAD, OPTIONS"));
    let table: Vec<String> = client.service().routes().map(|entry| entry.to_string()).collect();
    assert_eq!(table.get(2).map(String::as_str), Some("*         /own"));
}

#[test]
fn head_is_answered_by_get_without_the_body() {
    let mut client = MockClient::new(routed().unwrap());
    let answer = ask(&mut client, "HEAD", "/item/123");
    assert_eq!((answer.status(), answer.header("content-length"), answer.body()), (200, Some("16"), &b""[..]));
    assert_eq!(ask(&mut client, "HEAD", "/head").header("x-by"), Some("HEAD"));
    assert_eq!(ask(&mut client, "GET", "/head").header("x-by"), Some("GET"));
}

#[test]
fn options_of_an_empty_app() {
    let answer = ask(&mut MockClient::new(App::new()), "OPTIONS", "*");
    assert_eq!((answer.status(), answer.header("allow")), (204, Some("OPTIONS")));
}

#[test]
fn what_nothing_answers_is_refused_before_its_body_is_read() {
    let cases = [("/item/new", "PUT", 405), ("/nowhere", "POST", 404)];
    for (target, method, status) in cases {
        let mut client = MockClient::new(routed().unwrap());
        let head = format!("{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
        assert_eq!(client.send(head, &[]).status(), status, "{method} {target}");
    }
}

#[test]
fn registration_errors_name_the_pattern() {
    let cases = [
        ("GET", "/(", r#"the pattern "/(" is no regular expression: unclosed group"#),
        ("GET", "/a)|(/b", r#"the pattern "/a)|(/b" is no regular expression: unopened group"#),
        (
            "GET",
            "/(?<a>x)(?<a>y)",
            r#"the pattern "/(?<a>x)(?<a>y)" is no regular expression: duplicate capture group name"#,
        ),
        ("GET", "hello", r#""hello" matches no path: a path begins with /"#),
        ("GET", "", r#""" matches no path: a path begins with /"#),
        ("GET", "/", r#"there is a route for GET with the pattern "/""#),
        ("GET", "/item/(?<id>[0-9]+)", r#"there is a route for GET with the pattern "/item/(?<id>[0-9]+)""#),
        ("G T", "/x", r#""G T" is no method: a method is a token such as GET"#),
        ("", "/x", r#""" is no method: a method is a token such as GET"#),
    ];
    let mut app = routed().unwrap();
    for (method, pattern, message) in cases {
        let error = app.route(method, pattern, |_: &Request<'_>| "").err().expect(pattern);
        assert_eq!(error.to_string(), message);
    }
    // The same pattern for another method is another route.
    app.route("POST", "/", |_: &Request<'_>| "").unwrap();

    app.mount("/a/", Named { name: "a", allow: "GET" }).unwrap();
    let error = app.mount("/a", Named { name: "a", allow: "GET" }).err().unwrap();
    assert_eq!(error.to_string(), r#"there is something mounted under "/a/""#);
    let error = app.mount("a", Named { name: "a", allow: "GET" }).err().unwrap();
    assert_eq!(error.to_string(), r#""a" matches no path: a path begins with /"#);
}

#[test]
fn mounts() {
    let mut app = App::new();
    app.route("GET", "/server/route", |_: &Request<'_>| "route").unwrap();
    app.route("POST", "/server/form", |_: &Request<'_>| "form").unwrap();
    app.mount("/server", Named { name: "server", allow: "GET, HEAD" }).unwrap();
    app.mount("/server/deep/", Named { name: "deep", allow: "GET, OPTIONS, REPORT" }).unwrap();
    app.mount("/", Named { name: "root", allow: "GET" }).unwrap();
    let mut client = MockClient::new(app);
    let get_head = Some("GET, HEAD, OPTIONS");
    let cases = [
        ("GET", "/server", 200, None, r#"server GET "/server" "#),
        ("GET", "/server/", 200, None, r#"server GET "/server" /"#),
        ("HEAD", "/server/x", 200, None, ""),
        ("GET", "/server/x/y", 200, None, r#"server GET "/server" /x/y"#),
        ("GET", "/%73erver/%FF", 200, None, "server GET \"/server\" /\u{FFFD}"),
        ("GET", "/serverx", 200, None, r#"root GET "" /serverx"#),
        ("GET", "/server/deep/x", 200, None, r#"deep GET "/server/deep" /x"#),
        ("GET", "/server/deeper", 200, None, r#"server GET "/server" /deeper"#),
        ("REPORT", "/server/deep", 200, None, r#"deep REPORT "/server/deep" "#),
        ("OPTIONS", "/server/deep", 200, None, r#"deep OPTIONS "/server/deep" "#),
        ("GET", "/server/route", 200, None, "route"),
        ("GET", "/", 200, None, r#"root GET "" /"#),
        // A route for another method does not hide the resource.
        ("GET", "/server/form", 200, None, r#"server GET "/server" /form"#),
        ("POST", "/server/form", 200, None, "form"),
        ("PUT", "/server/form", 405, Some("POST, GET, HEAD, OPTIONS"), ""),
        ("POST", "/server/x", 405, get_head, ""),
        ("OPTIONS", "/server/x", 204, get_head, ""),
        ("OPTIONS", "*", 204, Some("GET, HEAD, POST, OPTIONS, REPORT"), ""),
    ];
    for (method, target, status, allow, text) in cases {
        let answer = ask(&mut client, method, target);
        assert_eq!((answer.status(), answer.header("allow")), (status, allow), "{method} {target}");
        if !text.is_empty() {
            assert_eq!(answer.text(), text, "{method} {target}");
        }
    }
}

#[test]
fn the_built_in_page() {
    let mut client = MockClient::new(routed().unwrap());
    let page = ask_for_html(&mut client, "/%3Cscript%3E%22&'%1B");
    assert_eq!((page.status(), page.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("there is no /&lt;script&gt;&quot;&amp;&#39;\\u{1b} here."), "{}", page.text());
    assert!(page.text().len() < 1500 && !page.text().contains("<script"));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'; "));
    assert_eq!(page.header("vary"), Some("Accept"));

    let long = ask_for_html(&mut client, &format!("/{}", "%1B".repeat(2000)));
    assert!(long.text().len() < 3000, "{}", long.text().len());

    let text = ask(&mut client, "GET", "/%1B[31m");
    assert_eq!(text.text(), "404 Not Found: there is no /\\u{1b}[31m here\n");
    assert_eq!(text.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(text.header("x-content-type-options"), Some("nosniff"));

    let noise = client.send("what is this?\r\n\r\n", &[]);
    assert_eq!((noise.status(), noise.header("content-type")), (400, Some("text/plain; charset=utf-8")));
    assert!(noise.text().starts_with("400 Bad Request: "), "{}", noise.text());
}

#[test]
fn error_handlers() {
    let mut app = routed().unwrap();
    app.route("GET", "/fail/(?<status>[0-9]+)", |request: &Request<'_>| {
        let status = request.param("status").and_then(|text| text.parse().ok()).and_then(Status::new);
        let error = HttpError::new(status.unwrap_or(Status::OK), "as you wish").with_source("secret");
        Err::<String, _>(error.with_header("X-Once", "1").with_header("X-Two", "a").with_header("X-Two", "b"))
    })
    .unwrap();
    app.on_error(404, |error: &HttpError, request: Option<&Request<'_>>| {
        format!("{} for {:?}", error.status, request.map(|request| request.path.to_owned()))
    });
    app.on_error(405, |_: &HttpError, _: Option<&Request<'_>>| {
        Response::html("<p>no</p>").with_header("X-Once", "mine")
    });
    app.on_error(401, |_: &HttpError, _: Option<&Request<'_>>| Response::redirect(Status::SEE_OTHER, "/login"));
    app.on_error(410, |_: &HttpError, _: Option<&Request<'_>>| Err::<String, _>(HttpError::forbidden("failed")));
    app.on_error(409, |_: &HttpError, _: Option<&Request<'_>>| -> String { panic!("on purpose, in an error handler") });
    app.on_error(403, |_: &HttpError, _: Option<&Request<'_>>| Response::text("x").with_header("X", "a\r\nb"));
    app.on_error_class(4, |error: &HttpError, request: Option<&Request<'_>>| {
        format!("class 4: {} {}", error.status.code(), request.is_some())
    });
    let mut client = MockClient::new(app);
    let cases = [
        ("GET", "/nowhere", 404, "404 Not Found for Some(\"/nowhere\")"),
        ("PUT", "/", 405, "<p>no</p>"),
        ("GET", "/fail/401", 303, ""),
        ("GET", "/fail/410", 410, "410 Gone: as you wish\n"),
        ("GET", "/fail/409", 409, "409 Conflict: as you wish\n"),
        ("GET", "/fail/403", 403, "403 Forbidden: as you wish\n"),
        ("GET", "/fail/418", 418, "class 4: 418 true"),
        ("GET", "/fail/503", 503, "503 Service Unavailable: as you wish\n"),
        // What is no error status is the server's fault.
        ("GET", "/fail/204", 500, "500 Internal Server Error: the server failed to answer this request\n"),
        ("GET", "/%zz", 400, "class 4: 400 false"),
    ];
    for (method, target, status, text) in cases {
        let answer = ask(&mut client, method, target);
        assert_eq!((answer.status(), answer.text().as_str()), (status, text), "{method} {target}");
    }
    let answer = ask(&mut client, "PUT", "/");
    assert_eq!((answer.header("allow"), answer.header("x-once")), (Some("GET, HEAD, OPTIONS"), Some("mine")));
    let answer = ask(&mut client, "GET", "/fail/418");
    let two: Vec<&[u8]> = answer.headers().filter(|(name, _)| *name == "X-Two").map(|(_, value)| value).collect();
    assert_eq!((answer.header("x-once"), two), (Some("1"), vec![&b"a"[..], b"b"]));
    assert_eq!(ask(&mut client, "GET", "/fail/401").header("location"), Some("/login"));
}

#[test]
fn a_handler_cannot_break_the_server() {
    let broken = "500 Internal Server Error: the server failed to answer this request\n";
    let mut app = App::new();
    app.route("GET", "/panic/(?<name>.*)", |request: &Request<'_>| -> String {
        panic!("on purpose, for {:?}", request.param("name"))
    })
    .unwrap();
    app.route("GET", "/split", |_: &Request<'_>| Response::text("x").with_header("X", "a\r\nSet-Cookie: stolen=1"))
        .unwrap();
    app.route("GET", "/own", |_: &Request<'_>| Response::text("x").with_header("Content-Length", "99")).unwrap();
    app.route("GET", "/interim", |_: &Request<'_>| (Status::CONTINUE, "x")).unwrap();
    app.route("GET", "/error", |_: &Request<'_>| {
        Err::<String, _>(HttpError::not_found("x").with_header("Location", "\r\nSet-Cookie: stolen=1"))
    })
    .unwrap();
    app.route("GET", "/secret", |_: &Request<'_>| Err::<String, _>(io::Error::other("the password is 1234"))).unwrap();
    app.route("GET", "/fine/(?<name>.*)", |request: &Request<'_>| request.param("name").unwrap_or("none").to_owned())
        .unwrap();
    app.add_observer(|_: &Exchange| panic!("on purpose, in an observer"));
    let mut client = MockClient::new(app);
    for target in ["/panic/a", "/split", "/own", "/interim", "/error", "/secret", "/panic/b"] {
        let answer = ask(&mut client, "GET", target);
        assert_eq!((answer.status(), answer.text().as_str()), (500, broken), "{target}");
        assert!(answer.header("set-cookie").is_none());
        assert!(client.is_open(), "{target} ended the connection");
        assert_eq!(ask(&mut client, "GET", "/fine/you").text(), "you");
    }
}

#[test]
fn an_app_may_be_asked_by_its_own_handler() {
    struct Again(Rc<RefCell<Option<Rc<App>>>>);
    impl Resource for Again {
        fn allow(&self) -> &str {
            "GET"
        }
        fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
            let app = self.0.borrow().clone().unwrap();
            let mut inner = *request;
            (inner.path, inner.path_bytes) = ("/item/5", b"/item/5");
            Ok(app.call(&inner))
        }
    }
    struct Shared(Rc<App>);
    impl Service for Shared {
        fn call(&self, request: &Request<'_>) -> Response {
            self.0.call(request)
        }
        fn refuse(&self, error: &HttpError, fragment: &ownhands::Fragment<'_>) -> Response {
            self.0.refuse(error, fragment)
        }
    }
    let own = Rc::default();
    let mut app = routed().unwrap();
    app.mount("/again", Again(Rc::clone(&own))).unwrap();
    let app = Rc::new(app);
    *own.borrow_mut() = Some(Rc::clone(&app));
    let mut client = MockClient::new(Shared(app));
    assert_eq!(client.get("/again").text(), "item Some(\"5\")");
    assert_eq!(client.get("/item/6").text(), "item Some(\"6\")");
    own.borrow_mut().take();
}

/// A sink that can be read after it was given away.
#[derive(Clone, Default)]
struct Sink(Rc<RefCell<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The line with the date taken out, which depends on the time zone of the machine.
fn without_date(line: &str) -> String {
    let (before, rest) = line.split_once('[').expect(line);
    let (date, after) = rest.split_once(']').expect(line);
    let shape: String =
        date.chars().map(|character| if character.is_ascii_digit() { '0' } else { character }).collect();
    let shape = shape.replace(" -", " +");
    assert!(shape.starts_with("00/") && shape.ends_with("/0000:00:00:00 +0000") && shape.len() == 26, "{date}");
    format!("{before}[]{after}")
}

#[test]
fn access_lines() {
    let mut plain = Exchange::new(*b"GET /a?b=c HTTP/1.1", Status::OK);
    plain.client = "192.0.2.7".parse().ok();
    plain.sent = 123;
    plain.referer = Some((*b"http://a/").into());
    plain.agent = Some((*b"curl/8").into());
    plain.ended = UNIX_EPOCH + Duration::from_secs(1_795_201_200);
    plain.took = Duration::from_nanos(1_002_003_999);
    let mut hostile = Exchange::new(*b"\x16\x03\x01 \"\\\r\n\xff", Status::BAD_REQUEST);
    hostile.client = "2001:db8::1".parse().ok();
    hostile.peer = "192.0.2.7:5000".parse().ok();
    hostile.agent = Some((*b"\" 200 0 \"\x1b[2J").into());
    hostile.referer = Some((*b"").into());
    let empty = Exchange::new(*b"", Status::REQUEST_TIMEOUT);
    let cases = [
        (plain, r#"192.0.2.7 - - [] "GET /a?b=c HTTP/1.1" 200 123 "http://a/" "curl/8" 1.002003"#),
        (
            hostile,
            r#"2001:db8::1 - - [] "\x16\x03\x01 \x22\x5C\x0D\x0A\xFF" 400 0 "" "\x22 200 0 \x22\x1B[2J" 0.000000"#,
        ),
        (empty, r#"- - - [] "-" 408 0 "-" "-" 0.000000"#),
    ];
    for (exchange, want) in cases {
        let sink = Sink::default();
        let log = AccessLog::new(sink.clone());
        log.observe(&exchange);
        assert_eq!(sink.text(), "");
        log.end_turn();
        assert_eq!(without_date(sink.text().strip_suffix('\n').unwrap()), want);
    }
}

#[test]
fn the_access_log_of_a_conversation() {
    let sink = Sink::default();
    let mut app = routed().unwrap();
    app.add_observer(AccessLog::new(sink.clone()));
    let mut client = MockClient::new(app);
    client.send("GET /item/new HTTP/1.1\r\nHost: a\r\nReferer: http://a/\r\nUser-Agent: me\r\n\r\n", &[]);
    client.send("HEAD /item/new HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.send("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.send("noise\r\n\r\n", &[]);
    let lines: Vec<String> = sink.text().lines().map(without_date).collect();
    let want = [
        r#"192.0.2.1 - - [] "GET /item/new HTTP/1.1" 200 3 "http://a/" "me" 0.000000"#,
        r#"192.0.2.1 - - [] "HEAD /item/new HTTP/1.1" 200 0 "-" "-" 0.000000"#,
        r#"192.0.2.1 - - [] "GET /nowhere HTTP/1.1" 404 41 "-" "-" 0.000000"#,
        r#"192.0.2.1 - - [] "noise" 400"#,
    ];
    assert_eq!(lines.len(), want.len(), "{lines:?}");
    for (line, want) in lines.iter().zip(want) {
        assert!(line.starts_with(want), "{line}\n{want}");
    }
}

/// Says one word, and then falls over.
struct Falls(bool);

impl Source for Falls {
    fn produce(&mut self, out: &mut Vec<u8>) -> std::io::Result<Produced> {
        assert!(!self.0, "it fell over");
        self.0 = true;
        out.extend_from_slice(b"word");
        Ok(Produced::More)
    }
}

#[test]
fn a_source_that_panics_ends_its_answer_and_nothing_else() {
    let mut app = App::new();
    app.route("GET", "/falls", |_: &Request<'_>| Response::stream(Falls(false))).unwrap();
    app.route("GET", "/", |_: &Request<'_>| "up").unwrap();
    let mut client = MockClient::new(app);
    client.deliver("GET /falls HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    let received = String::from_utf8(client.take_received()).unwrap();
    assert!(received.ends_with("\r\n4\r\nword\r\n"), "no end mark: {received}");
    assert!(client.is_closed());
    assert_eq!(client.get("/").text(), "up");
}

/// Knows its length, or panics over the question.
struct Sized(Option<u64>);

impl Source for Sized {
    fn produce(&mut self, out: &mut Vec<u8>) -> std::io::Result<Produced> {
        out.extend_from_slice(b"word");
        Ok(Produced::All)
    }

    fn length(&self) -> Option<u64> {
        Some(self.0.expect("on purpose, over a length"))
    }
}

#[test]
fn a_source_is_asked_for_its_length() {
    let mut app = App::new();
    app.route("GET", "/knows", |_: &Request<'_>| Response::stream(Sized(Some(4)))).unwrap();
    app.route("GET", "/panics", |_: &Request<'_>| Response::stream(Sized(None))).unwrap();
    let mut client = MockClient::new(app);
    let answer = client.get("/knows");
    assert_eq!((answer.header("Content-Length"), answer.text().as_str()), (Some("4"), "word"));
    assert_eq!(client.get("/panics").status(), 500);
    assert!(client.is_open());
}
