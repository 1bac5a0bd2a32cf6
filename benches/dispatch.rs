//! What lies between a request and its handler: `cargo bench --bench dispatch`.
//!
//! Prints nanoseconds for each step, the median of several samples. A request cannot be made by hand, so the measuring is
//! done where one is at hand: inside a service that a mock client asks. Nothing here is compared with a limit: figures are
//! for people, on a machine that is otherwise quiet.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for a person at a terminal")]

mod sampling;

use std::hint::black_box;

use ownhands::testing::MockClient;
use ownhands::{App, Fragment, HttpError, Request, Response, Service};

use sampling::median;

/// What a browser sends behind the request line: 14 fields, 650 bytes.
const FIELDS: &str = "Host: www.example.org\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://www.example.org/articles/?page=2\r\n\
    Connection: keep-alive\r\n\
    Cookie: session=3f1c9a6e0d2b48f7a51e; theme=dark; seen=front,about,articles; width=1280; visitor=b7d0c44e19f2a35588e6d1037ac9b2f4b7d0c4\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Priority: u=0, i\r\n\
    If-None-Match: \"3e8-6560a1b2c3d40\"\r\n\r\n";

fn main() {
    println!("{:<56} {:>10}", "from a request to its answer, 200 or 404", "ns");
    for count in [1, 10, 100, 1000] {
        let last = count - 1;
        dispatch(&format!("{count} plain routes, the last"), plain_routes(count), &format!("/api/things{last}/list"));
        dispatch(&format!("{count} routes with a capture, the first"), captures(count), "/api/things0/items/4711");
        let last = format!("/api/things{last}/items/4711");
        dispatch(&format!("{count} routes with a capture, the last"), captures(count), &last);
        dispatch(&format!("{count} routes with a capture, none of them"), captures(count), "/api/nothing");
    }
    println!("\n{:<56} {:>10}", "in the request of a browser, 14 fields", "ns");
    inside("a header, the first", "/", |request| _ = black_box(request.header("host")));
    inside("a header, the last", "/", |request| _ = black_box(request.header("if-none-match")));
    inside("a header that is missing", "/", |request| _ = black_box(request.header("authorization")));
    inside("a cookie, the last of five", "/", |request| _ = black_box(request.cookie("visitor")));
    inside("the environ", "/articles/a%20b?from=front", |request| _ = black_box(request.environ()));
}

fn plain_routes(count: usize) -> App {
    let mut app = App::new();
    for number in 0..count {
        app.route("GET", &format!("/api/things{number}/list"), |_: &Request<'_>| "ok").unwrap();
    }
    app
}

fn captures(count: usize) -> App {
    let mut app = App::new();
    for number in 0..count {
        let pattern = format!("/api/things{number}/items/(?<id>[0-9]+)");
        let handler = |request: &Request<'_>| {
            black_box(request.param("id"));
            "ok"
        };
        app.route("GET", &pattern, handler).unwrap();
    }
    app
}

/// Measures what an application does with a request for this path, the making of its response included.
fn dispatch(name: &str, app: App, path: &str) {
    inside(name, path, move |request| _ = black_box(app.call(request)));
}

/// Measures what is done with the request of a browser for this target.
fn inside(name: &str, target: &str, step: impl Fn(&Request<'_>)) {
    let wire = format!("GET {target} HTTP/1.1\r\n{FIELDS}");
    let nanoseconds = MockClient::new(Measured(step)).send(wire, &[]).text();
    println!("{name:<56} {nanoseconds:>10}");
}

/// Answers with the nanoseconds that the step takes.
struct Measured<F>(F);

impl<F: Fn(&Request<'_>)> Service for Measured<F> {
    fn call(&self, request: &Request<'_>) -> Response {
        Response::text(format!("{:.0}", median(|| (self.0)(request))))
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        Response::text(error.to_string())
    }
}
