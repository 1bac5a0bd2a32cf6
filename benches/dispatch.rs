//! What lies between a request and its handler: `cargo bench --bench dispatch`.
//!
//! Nothing here is compared with a limit: figures are for people, on a machine that is otherwise quiet. What is held to a
//! limit is counted in instructions, by benches/guard/run.
#![allow(clippy::unwrap_used, missing_docs, reason = "a program for a person at a terminal")]

mod heads;
mod measured;

use std::hint::black_box;
use std::time::UNIX_EPOCH;

use criterion::{Criterion, criterion_group, criterion_main};

use ownhands::{App, Request, Service};

use measured::inside;

/// What an application does with a request, the making of its answer included, which is 200 or 404.
fn routes(criterion: &mut Criterion) {
    for count in [1, 10, 100, 1000] {
        let last = count - 1;
        let mut group = criterion.benchmark_group(format!("dispatch among {count}"));
        for (name, app, path) in [
            ("plain routes, to the last", plain_routes(count), format!("/api/things{last}/list")),
            ("routes with a capture, to the first", captures(count), "/api/things0/items/4711".to_owned()),
            ("routes with a capture, to the last", captures(count), format!("/api/things{last}/items/4711")),
            ("routes with a capture, to none", captures(count), "/api/nothing".to_owned()),
        ] {
            group.bench_function(name, |bencher| {
                let wire = format!("GET {path} HTTP/1.1\r\n{}", heads::SMALL);
                inside(bencher, UNIX_EPOCH, wire, |request| _ = black_box(app.call(request)));
            });
        }
    }
}

/// What a handler asks of the request of a browser.
fn fields(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("in 14 fields");
    let steps: [(&str, Step); 5] = [
        ("a header, the first", |request| _ = black_box(request.header("host"))),
        ("a header, the last", |request| _ = black_box(request.header("if-none-match"))),
        ("a header that is missing", |request| _ = black_box(request.header("authorization"))),
        ("a cookie, the last of five", |request| _ = black_box(request.cookie("visitor"))),
        ("the environ", |request| _ = black_box(request.environ())),
    ];
    for (name, step) in steps {
        group.bench_function(name, |bencher| {
            let wire = format!("GET /articles/a%20b?from=front HTTP/1.1\r\n{}", heads::BROWSER);
            inside(bencher, UNIX_EPOCH, wire, step);
        });
    }
}

/// What is done with a request.
type Step = fn(&Request<'_>);

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

criterion_group! {
    name = all;
    config = measured::criterion();
    targets = routes, fields
}
criterion_main!(all);
