//! What an answer costs until it has left: `cargo bench --bench encode`.
//!
//! Sixteen requests of the shortest kind come at once, and are answered with one write: each figure is for all of them, reading
//! included, which is the same for each. What an answer with more fields or a body costs is the difference to `nothing`.
//! Nothing here is compared with a limit: figures are for people, on a machine that is otherwise quiet. What is held to a limit
//! is counted in instructions, by benches/guard/run.
#![allow(clippy::unwrap_used, missing_docs, reason = "a program for a person at a terminal")]

#[path = "guard/peer.rs"]
#[allow(dead_code, reason = "here no time passes")]
mod peer;

use std::io;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use ownhands::{Fragment, HeaderList, HttpError, Produced, Request, Response, Service, Source, Status};

use peer::Peer;

/// Requests that come at once.
const DEPTH: u32 = 16;

fn answers(criterion: &mut Criterion) {
    let mut fields = HeaderList::new();
    for number in 0..10 {
        fields.push(&format!("X-Field-{number}"), "twenty bytes of text");
    }
    let kept_ready = fields.clone().shared();
    let said = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(DEPTH as usize);
    let answers: [(&str, Answer); 7] = [
        ("nothing", Box::new(|| Response::new(Status::NO_CONTENT))),
        ("a text", Box::new(|| Response::text("Hello, world!"))),
        (
            "a text and two fields",
            Box::new(|| {
                Response::text("Hello, world!").with_header("Cache-Control", "no-cache").with_header("X-Name", "you")
            }),
        ),
        ("ten fields", Box::new(move || Response::new(Status::NO_CONTENT).with_headers(fields.clone()))),
        ("ten fields kept ready", Box::new(move || Response::new(Status::NO_CONTENT).with_headers(kept_ready.clone()))),
        ("1 KiB", Box::new(|| Response::bytes(&[b'x'; 1024][..]))),
        ("two chunks", Box::new(|| Response::stream(Slices(2)))),
    ];
    let mut group = criterion.benchmark_group("encode 16 times");
    group.throughput(Throughput::Elements(DEPTH.into()));
    for (name, answer) in answers {
        let mut peer = Peer::new(Fixed(answer));
        group.bench_function(name, |bencher| bencher.iter(|| peer.say(&said, usize::MAX)));
        assert_eq!(peer.heard().windows(9).filter(|bytes| bytes == b"HTTP/1.1 ").count(), DEPTH as usize);
    }
}

/// Gives the same answer to all.
struct Fixed(Answer);

/// Makes an answer.
type Answer = Box<dyn Fn() -> Response>;

impl Service for Fixed {
    fn call(&self, _: &Request<'_>) -> Response {
        (self.0)()
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        Response::new(error.status)
    }
}

/// So many slices of 1 KiB.
struct Slices(u32);

impl Source for Slices {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        out.extend_from_slice(&[b'x'; 1024]);
        self.0 = self.0.saturating_sub(1);
        Ok(if self.0 == 0 { Produced::All } else { Produced::More })
    }
}

criterion_group! {
    name = all;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = answers
}
criterion_main!(all);
