//! What a request costs in allocations: none, on the paths that most requests take.
//!
//! A binary of its own, for who counts is the allocator of the whole program. It counts by thread. What the peer here
//! does allocates nothing, so that all that is counted is the server's.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

#[path = "../benches/guard/conversations.rs"]
mod conversations;
#[path = "../benches/heads.rs"]
mod heads;
#[path = "../benches/guard/peer.rs"]
mod peer;

use allocation_counter::measure;

use conversations::Site;

/// Those that look on the disk for what is not kept ready. Without openat2 they take another way
/// to it, by absolute paths.
const BY_OPENAT2: [&str; 3] = ["file-missing", "listing", "listing-anew"];

/// Rounds that are counted together: a buffer that grows by and by would show.
const ROUNDS: usize = 50;

/// Allocations for each request. Fewer are welcome, and this is the place to hold them; more need a
/// reason that stands here.
const KNOWN: &[(&str, u64)] = &[
    ("file", 0),
    ("file-browser", 0),
    // What has been said of the head is kept from turn to turn, in two pieces.
    ("file-bytewise", 91),
    ("file-100k", 0),
    ("file-known", 0),
    // The reason why there is nothing, and the page that says it.
    ("file-missing", 2),
    ("listing", 0),
    // What is found in the directory, as it grows; the page, and its header fields.
    ("listing-anew", 62),
    ("route", 0),
    ("route-browser", 0),
    // The text that the handler makes.
    ("route-capture", 1),
    ("route-pipeline", 0),
    // What is known of a body while it comes.
    ("route-chunked", 1),
    ("route-close", 0),
];

#[test]
fn a_request_allocates_no_more_than_is_known() {
    let site = Site::new();
    let has_openat2 = has_openat2();
    let is_known = |name: &str| has_openat2 || !BY_OPENAT2.contains(&name);
    let conversations = site.conversations();
    let counted = conversations.iter().map(|conversation| {
        let (mut peer, length) = conversation.begin(&site);
        let counted = measure(|| (0..ROUNDS).for_each(|_| conversation.go_on(&mut peer, length)));
        let requests = (ROUNDS * conversation.requests) as u64;
        // Rounded up: half an allocation for each request is one too many.
        (conversation.name, counted.count_total.div_ceil(requests))
    });
    let counted: Vec<_> = counted.filter(|(name, _)| is_known(name)).collect();
    let known: Vec<_> = KNOWN.iter().copied().filter(|(name, _)| is_known(name)).collect();
    assert_eq!(counted, known);
}

/// True where the kernel has openat2, and lets us call it.
fn has_openat2() -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
        rustix::fs::openat2(CWD, ".", OFlags::PATH, Mode::empty(), ResolveFlags::BENEATH).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    false
}

#[test]
fn what_is_allocated_is_counted() {
    let counted = measure(|| drop(std::hint::black_box(vec![0_u8; 10])));
    assert_eq!((counted.count_total, counted.bytes_total), (1, 10));
}
