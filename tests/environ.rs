//! A request as CGI and WSGI know it.

use ownhands::testing::MockClient;
use ownhands::{App, HttpError, Request, Resource, Response};

/// Answers with the environ, a line for each variable, its bytes escaped.
struct Show;

impl Resource for Show {
    fn allow(&self) -> &str {
        "GET, HEAD, POST, OPTIONS"
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        Ok(Response::text(show(request)))
    }
}

fn show(request: &Request<'_>) -> String {
    request.environ().iter().map(|(name, value)| format!("{name}={}\n", value.escape_ascii())).collect()
}

/// The environ of a request to an app with a route and two mounts.
fn environ(wire: &[u8]) -> Vec<String> {
    let mut app = App::new();
    app.route("GET", "/route", show).unwrap();
    app.mount("/", Show).unwrap().mount("/cgi/deep/", Show).unwrap();
    let answer = MockClient::new(app).send(wire, &[]);
    assert_eq!(answer.status(), 200, "{}", answer.text());
    answer.text().lines().map(str::to_owned).collect()
}

/// The variables of those names, for a request with these lines.
fn some(wire: &[u8], names: &[&str]) -> Vec<String> {
    let has_name = |line: &String| line.split_once('=').is_some_and(|(name, _)| names.contains(&name));
    environ(wire).into_iter().filter(has_name).collect()
}

/// The variables of header fields, for a GET with these lines.
fn of_fields(lines: &[u8]) -> Vec<String> {
    let wire = [b"GET / HTTP/1.1\r\nHost: a\r\n", lines, b"\r\n"].concat();
    let is_other =
        |line: &String| line.starts_with("HTTP_") && !line.starts_with("HTTP_HOST=") || line.starts_with("CONT");
    environ(&wire).into_iter().filter(is_other).collect()
}

#[test]
fn the_whole_of_one_request() {
    let wire = b"POST /cgi/deep/a%20b/%FFc?q=%20&r HTTP/1.1\r\nHost: example.org:8080\r\nAccept: */*\r\n\
        Content-Type: text/plain;charset=utf-8\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello";
    let software = format!("SERVER_SOFTWARE=ownhands/{}", env!("CARGO_PKG_VERSION"));
    let want = [
        "GATEWAY_INTERFACE=CGI/1.1",
        &software,
        "SERVER_PROTOCOL=HTTP/1.1",
        "SERVER_NAME=example.org",
        "SERVER_PORT=8080",
        "REQUEST_METHOD=POST",
        "REQUEST_URI=/cgi/deep/a%20b/%FFc?q=%20&r",
        "SCRIPT_NAME=/cgi/deep",
        r"PATH_INFO=/a b/\xffc",
        "QUERY_STRING=q=%20&r",
        "REMOTE_ADDR=192.0.2.1",
        "REMOTE_PORT=50000",
        "CONTENT_LENGTH=5",
        "HTTP_HOST=example.org:8080",
        "HTTP_ACCEPT=*/*",
        "CONTENT_TYPE=text/plain;charset=utf-8",
        "HTTP_X_A=1",
    ];
    assert_eq!(environ(wire), want);
}

#[test]
fn paths() {
    let cases = [
        ("GET /", "", "/", ""),
        ("GET /?", "", "/", ""),
        ("GET /route?a", "", "/route", "a"),
        ("GET /x%2Fy", "", "/x/y", ""),
        ("GET /cgi/deep", "/cgi/deep", "", ""),
        ("GET /cgi/deep/", "/cgi/deep", "/", ""),
        ("GET /cgi/%64eep/a?b?c", "/cgi/deep", "/a", "b?c"),
        ("GET http://b/cgi/deep/a", "/cgi/deep", "/a", ""),
    ];
    for (line, script, info, query) in cases {
        let wire = format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n");
        let want = [format!("SCRIPT_NAME={script}"), format!("PATH_INFO={info}"), format!("QUERY_STRING={query}")];
        assert_eq!(some(wire.as_bytes(), &["SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"]), want, "{line}");
    }
}

#[test]
fn options_of_the_server_has_no_path() {
    let mut app = App::new();
    app.route("OPTIONS", r"\*", show).unwrap();
    let text = MockClient::new(app).send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &[]).text();
    assert!(text.contains("\nREQUEST_URI=*\nSCRIPT_NAME=\nPATH_INFO=\n"), "{text}");
}

#[test]
fn a_target_that_names_a_host_is_believed_and_not_the_field() {
    for (line, host) in [("/", "a:81"), ("http://b:82/", "b:82"), ("http://b/", "b")] {
        let wire = format!("GET {line} HTTP/1.1\r\nHost: a:81\r\n\r\n");
        assert_eq!(some(wire.as_bytes(), &["HTTP_HOST"]), [format!("HTTP_HOST={host}")], "{line}");
    }
}

#[test]
fn who_is_asked() {
    let cases: [(&[u8], &str, &str, &str); 6] = [
        (b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "HTTP/1.1", "example.org", "80"),
        (b"GET / HTTP/1.1\r\nHost: example.org:\r\n\r\n", "HTTP/1.1", "example.org", "80"),
        (b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:81\r\n\r\n", "HTTP/1.1", "[2001:db8::1]", "81"),
        (b"GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n", "HTTP/1.1", "[2001:db8::1]", "80"),
        (b"GET http://b:82/ HTTP/1.1\r\nHost: a:81\r\n\r\n", "HTTP/1.1", "b", "82"),
        (b"GET / HTTP/1.0\r\n\r\n", "HTTP/1.0", "localhost", "80"),
    ];
    for (wire, version, name, port) in cases {
        let want = [format!("SERVER_PROTOCOL={version}"), format!("SERVER_NAME={name}"), format!("SERVER_PORT={port}")];
        assert_eq!(some(wire, &["SERVER_PROTOCOL", "SERVER_NAME", "SERVER_PORT"]), want);
    }
}

#[test]
fn fields_become_variables() {
    let cases: [(&[u8], &[&str]); 12] = [
        (b"", &[]),
        (b"x-some-thing: a b \r\n", &["HTTP_X_SOME_THING=a b"]),
        (b"Empty:\r\n", &["HTTP_EMPTY="]),
        (b"A: 1\r\nB: 2\r\na: 3\r\n", &["HTTP_A=1, 3", "HTTP_B=2"]),
        (b"A: 1\r\nA:\r\nA: 2\r\n", &["HTTP_A=1, , 2"]),
        (b"Cookie: a=1\r\nCookie: b=2\r\n", &["HTTP_COOKIE=a=1; b=2"]),
        (b"X: \xff\xfc\t1\r\n", &[r"HTTP_X=\xff\xfc\t1"]),
        // A name with an underscore shadows nothing, before or after the one with a dash.
        (b"X_User: root\r\nX-User: me\r\n", &["HTTP_X_USER=me"]),
        (b"X-User: me\r\nX_User: root\r\n", &["HTTP_X_USER=me"]),
        (b"Content_Length: 9\r\nContent_Type: a/b\r\n_: 1\r\n", &[]),
        // httpoxy.
        (b"Proxy: http://evil.example/\r\npROXY: x\r\n", &[]),
        (b"Proxy-Authorization: x\r\nAuthorization: y\r\n", &["HTTP_PROXY_AUTHORIZATION=x", "HTTP_AUTHORIZATION=y"]),
    ];
    for (lines, want) in cases {
        assert_eq!(of_fields(lines), want, "{}", lines.escape_ascii());
    }
}

#[test]
fn the_length_is_what_was_received() {
    let cases: [(&[u8], &[&str]); 4] = [
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", &[]),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", &["CONTENT_LENGTH=0"]),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 002\r\n\r\nab", &["CONTENT_LENGTH=2"]),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            &["CONTENT_LENGTH=5"],
        ),
    ];
    let names = ["CONTENT_LENGTH", "HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"];
    for (wire, want) in cases {
        assert_eq!(some(wire, &names), want, "{}", wire.escape_ascii());
    }
}

#[test]
fn each_name_is_there_once() {
    let fields = (0..90).map(|n| format!("x-{}: {n}\r\n", n % 30)).collect::<String>();
    let lines = environ(format!("GET /?a HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes());
    let mut names: Vec<&str> = lines.iter().map(|line| line.split_once('=').unwrap().0).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(lines.contains(&"HTTP_X_7=7, 37, 67".to_owned()));
}
