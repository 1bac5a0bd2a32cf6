//! What reading a head costs: `cargo bench --bench decode`.
//!
//! Prints nanoseconds for each head, the median of several samples. Nothing here is compared with a limit: figures are for
//! people, on a machine that is otherwise quiet.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a program for a person at a terminal")]

mod sampling;

use std::hint::black_box;

use ownhands::Limits;
use ownhands::http::{Progress, decode, slots};

use sampling::median;

/// What wrk sends.
const SMALL: &str = "GET /1k.txt HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n";

/// What a browser sends: 14 fields, 700 bytes.
const BROWSER: &str = "GET /articles/2026/a-server-in-the-hand.html?from=front HTTP/1.1\r\n\
    Host: www.example.org\r\n\
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
    let limits = Limits::default();
    println!("{:<44} {:>6} {:>10}", "head", "bytes", "ns a head");
    for (name, head) in [("small, as wrk sends it", SMALL), ("of a browser, 14 fields", BROWSER)] {
        let nanoseconds = median(|| whole(black_box(head.as_bytes()), &limits));
        println!("{name:<44} {:>6} {nanoseconds:>10.0}", head.len());
    }
    let nanoseconds = median(|| by_bytes(black_box(SMALL.as_bytes()), &limits));
    println!("{:<44} {:>6} {nanoseconds:>10.0}", "small, in as many reads as it has bytes", SMALL.len());
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
