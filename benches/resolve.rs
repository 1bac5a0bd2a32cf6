//! From a path to a file, or to the reason why not: `cargo bench --bench resolve`.
//!
//! The files lie in the page cache: what is measured is the way to them, with the system calls that it takes. Nothing here is
//! compared with a limit: figures are for people, on a machine that is otherwise quiet.
#![allow(clippy::unwrap_used, missing_docs, reason = "a program for a person at a terminal")]

mod heads;
mod measured;

use std::fs;
use std::hint::black_box;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, criterion_group, criterion_main};

use ownhands::http::decode_path;
use ownhands::{Files, Now, Resource, Tick};

use measured::inside;

fn paths(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode a path");
    for (name, path) in [
        ("plain", "/articles/2026/a-server-in-the-hand.html"),
        ("with escapes", "/articles/2026/a%20server%20in%20the%20h%C3%A4nd.html"),
        ("with dot segments", "/articles/./2026/./a-server-in-the-hand.html"),
    ] {
        group.bench_function(name, |bencher| bencher.iter(|| decode_path(black_box(path)).unwrap()));
    }
}

/// What a directory on disk makes of a request, in a turn of its own, or where another has asked for it in the same turn.
fn files(criterion: &mut Criterion) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("a/b/c")).unwrap();
    for path in ["1k.txt", "a/b/c/1k.txt", ".hidden"] {
        fs::write(root.path().join(path), "x".repeat(1024)).unwrap();
    }
    let today = SystemTime::now();
    // What was just written is not kept ready yet.
    let later = today + Duration::from_secs(3600);
    let mut group = criterion.benchmark_group("resolve");
    for (name, path, fields, date) in [
        ("a file kept ready", "/1k.txt", heads::SMALL, later),
        ("a file kept ready, for a browser", "/1k.txt", heads::BROWSER, later),
        ("a file kept ready, three directories deep", "/a/b/c/1k.txt", heads::SMALL, later),
        ("a file that was just written", "/1k.txt", heads::SMALL, today),
        ("a directory without its slash", "/a/b", heads::SMALL, later),
        ("what is missing", "/missing.txt", heads::SMALL, later),
        ("what is hidden", "/.hidden", heads::SMALL, later),
    ] {
        let wire = format!("GET {path} HTTP/1.1\r\n{fields}");
        let files = Files::new(root.path()).unwrap();
        group.bench_function(name, |bencher| {
            let mut now = Now::new(Tick::default(), date);
            inside(bencher, date, wire.clone(), |request| {
                now.next_turn();
                let mut request = *request;
                request.now = &now;
                _ = black_box(files.answer(&request));
            });
        });
        if date == later {
            group.bench_function(format!("{name}, again in the turn"), |bencher| {
                inside(bencher, date, wire.clone(), |request| _ = black_box(files.answer(request)));
            });
        }
    }
}

criterion_group! {
    name = all;
    config = measured::criterion();
    targets = paths, files
}
criterion_main!(all);
