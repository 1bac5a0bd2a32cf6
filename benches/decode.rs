//! What reading a head costs: `cargo bench --bench decode`.
//!
//! Nothing here is compared with a limit: figures are for people, on a machine that is otherwise quiet. What is held to a
//! limit is counted in instructions, by benches/guard/run.
#![allow(clippy::unwrap_used, missing_docs, reason = "a program for a person at a terminal")]

mod heads;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

use ownhands::Limits;
use ownhands::http::{Progress, decode, slots};

fn heads(criterion: &mut Criterion) {
    let limits = Limits::default();
    let small = format!("GET /1k.txt HTTP/1.1\r\n{}", heads::SMALL);
    let browser = format!("GET /articles/2026/a-server-in-the-hand.html?from=front HTTP/1.1\r\n{}", heads::BROWSER);
    let mut group = criterion.benchmark_group("decode");
    for (name, head) in [("small, as wrk sends it", &small), ("of a browser, 14 fields", &browser)] {
        group.bench_function(name, |bencher| bencher.iter(|| whole(black_box(head.as_bytes()), &limits)));
    }
    let name = "small, in as many reads as it has bytes";
    group.bench_function(name, |bencher| bencher.iter(|| by_bytes(black_box(small.as_bytes()), &limits)));
}

/// Decodes a head that came in one read.
fn whole(head: &[u8], limits: &Limits) {
    let mut slots = slots();
    let decoded = decode(head, &mut slots, &mut Progress::default(), limits).unwrap();
    assert_eq!(black_box(decoded).unwrap().framing.head, head.len());
}

/// Decodes a head that came a byte at a time: called once for each byte.
fn by_bytes(head: &[u8], limits: &Limits) {
    let mut progress = Progress::default();
    for end in 1..=head.len() {
        let mut slots = slots();
        let decoded = decode(head.get(..end).unwrap_or(head), &mut slots, &mut progress, limits).unwrap();
        assert_eq!(black_box(decoded).is_some(), end == head.len());
    }
}

criterion_group! {
    name = all;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = heads
}
criterion_main!(all);
