//! Parts of files: which are asked for, and how one and several of them go out (RFC 9110 section 14).

use std::fs::File;

use ownhands::files::{ByteRanges, Span};
use ownhands::testing::Answer;
use proptest::prelude::*;

use crate::files::{NOVEMBER_1994, Site, set_modified};
use crate::samples::{after_head, big, text};

fn span(&(start, end): &(u64, u64)) -> Span {
    Span { offset: start, length: end - start }
}

/// What a table says of a field: the whole, 416, or spans, each by its first byte and the one behind its last.
#[derive(Debug)]
enum Want {
    Whole,
    Beyond,
    Spans(&'static [(u64, u64)]),
}

use Want::{Beyond, Spans, Whole};

/// Fields, the length of the content, and what they ask of it.
const FIELDS: &[(&str, u64, Want)] = &[
    // One.
    ("bytes=0-3", 10, Spans(&[(0, 4)])),
    ("bytes=4-", 10, Spans(&[(4, 10)])),
    ("bytes=-3", 10, Spans(&[(7, 10)])),
    ("bytes=-30", 10, Spans(&[(0, 10)])),
    ("bytes=8-99", 10, Spans(&[(8, 10)])),
    ("BYTES=0-0", 10, Spans(&[(0, 1)])),
    ("bytes= 0-1 ", 10, Spans(&[(0, 2)])),
    ("bytes=0-1,", 10, Spans(&[(0, 2)])),
    ("bytes=,, 0-1 ,\t,", 10, Spans(&[(0, 2)])),
    ("bytes=00000000000000000000000000001-2", 10, Spans(&[(1, 3)])),
    ("bytes=9-99999999999999999999999", 10, Spans(&[(9, 10)])),
    ("bytes=-99999999999999999999999", 10, Spans(&[(0, 10)])),
    // None.
    ("bytes=10-", 10, Beyond),
    ("bytes=10-20", 10, Beyond),
    ("bytes=-0", 10, Beyond),
    ("bytes=99999999999999999999999-", 10, Beyond),
    ("bytes=10-, 20-30, -0", 10, Beyond),
    ("bytes=0-", 0, Beyond),
    ("bytes=0-0, 5-", 0, Beyond),
    // Of nothing, the last bytes are nothing.
    ("bytes=-1", 0, Whole),
    ("bytes=0-, -1", 0, Whole),
    // What is no field like it is ignored, and all of it.
    ("", 10, Whole),
    ("bytes", 10, Whole),
    ("bytes=", 10, Whole),
    ("bytes=,,", 10, Whole),
    ("bytes=-", 10, Whole),
    ("bytes=3-2", 10, Whole),
    ("bytes=30-20", 10, Whole),
    ("bytes=a-b", 10, Whole),
    ("bytes=--1", 10, Whole),
    ("bytes=1--2", 10, Whole),
    ("bytes=1-2-3", 10, Whole),
    ("bytes=+1-2", 10, Whole),
    ("bytes=1 -2", 10, Whole),
    ("bytes=1-2 3-4", 10, Whole),
    ("bytes 0-1", 10, Whole),
    ("bytes =0-1", 10, Whole),
    (" bytes=0-1", 10, Whole),
    ("lines=0-1", 10, Whole),
    ("bytes=0-1, x", 10, Whole),
    ("bytes=x, 0-1", 10, Whole),
    ("bytes=0-1, 3-2", 10, Whole),
    ("bytes=0-1; 4-5", 10, Whole),
    ("bytes=20-30, 3-2", 10, Whole),
    // Several, in the order in which they are asked for.
    ("bytes=0-0,9999-9999", 10_000, Spans(&[(0, 1), (9_999, 10_000)])),
    ("bytes=-1, 0-0", 10_000, Spans(&[(9_999, 10_000), (0, 1)])),
    ("bytes=5000-5009,0-9,9000-", 10_000, Spans(&[(5_000, 5_010), (0, 10), (9_000, 10_000)])),
    ("bytes=0-9, 20000-, 5000-5009", 10_000, Spans(&[(0, 10), (5_000, 5_010)])),
    ("bytes=20000-, 5000-5009, -0", 10_000, Spans(&[(5_000, 5_010)])),
    // What overlaps or touches is joined, at the place of the first.
    ("bytes=0-9,5-14", 10_000, Spans(&[(0, 15)])),
    ("bytes=5-14,0-9", 10_000, Spans(&[(0, 15)])),
    ("bytes=0-9,10-19", 10_000, Spans(&[(0, 20)])),
    ("bytes=0-99,0-99,0-99,50-60", 10_000, Spans(&[(0, 100)])),
    ("bytes=0-,0-,0-,-1,5000-", 10_000, Spans(&[(0, 10_000)])),
    ("bytes=9000-9009,0-9,9005-9100,5-20", 10_000, Spans(&[(9_000, 9_101), (0, 21)])),
    ("bytes=0-9,9000-,5000-5009,-6000", 10_000, Spans(&[(0, 10), (4_000, 10_000)])),
    ("bytes=5000-5009,0-9,9000-9009,9-9000", 10_000, Spans(&[(0, 9_010)])),
    // And so is what a head of its own would make dearer.
    ("bytes=0-9,266-", 10_000, Spans(&[(0, 10_000)])),
    ("bytes=0-9,267-", 10_000, Spans(&[(0, 10), (267, 10_000)])),
    ("bytes=267-,0-9", 10_000, Spans(&[(267, 10_000), (0, 10)])),
    ("bytes=0-9,500-509,250-259", 10_000, Spans(&[(0, 510)])),
    // Beyond 32 bits, and up to the last byte there can be.
    ("bytes=4294967296-4294967299,0-3", 5 << 30, Spans(&[(4_294_967_296, 4_294_967_300), (0, 4)])),
    ("bytes=0-0,-1", u64::MAX, Spans(&[(0, 1), (u64::MAX - 1, u64::MAX)])),
    ("bytes=18446744073709551614-, 0-", u64::MAX, Spans(&[(0, u64::MAX)])),
    ("bytes=18446744073709551615-", u64::MAX, Beyond),
];

fn wanted(want: &Want) -> ByteRanges {
    match want {
        Whole => ByteRanges::Whole,
        Beyond => ByteRanges::Unsatisfiable,
        Spans([only]) => ByteRanges::One(span(only)),
        Spans(several) => ByteRanges::Several(several.iter().map(span).collect()),
    }
}

#[test]
fn a_field_says_which_parts() {
    for (field, length, want) in FIELDS {
        assert_eq!(ByteRanges::parse(field.as_bytes(), *length), wanted(want), "{field} of {length}");
    }
}

#[test]
fn ranges_are_counted() {
    let many =
        |count: u64| format!("bytes={}", (0..count).map(|at| format!("{0}-{0},", at * 1000)).collect::<String>());
    let spans = (0..64).map(|at| Span { offset: at * 1000, length: 1 }).collect();
    assert_eq!(ByteRanges::ELEMENTS, 64);
    assert_eq!(ByteRanges::parse(many(64).as_bytes(), 1 << 20), ByteRanges::Several(spans));
    assert_eq!(ByteRanges::parse(many(65).as_bytes(), 1 << 20), ByteRanges::Whole);
    assert_eq!(ByteRanges::parse(format!("bytes={}", "0-,".repeat(65)).as_bytes(), 9), ByteRanges::Whole);
    // Empty elements are none.
    assert_eq!(ByteRanges::parse(format!("bytes={}0-", ",".repeat(1000)).as_bytes(), 9), wanted(&Spans(&[(0, 9)])));
}

/// The parts of an answer, each with its Content-Range, as a client takes them apart by the boundary.
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    assert_eq!((answer.status(), answer.header("content-range")), (206, None));
    assert_eq!(answer.header("content-length"), Some(answer.body().len().to_string().as_str()));
    let content_type = answer.header("content-type").unwrap();
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
    assert!((1..=70).contains(&boundary.len()), "{boundary}");
    assert!(boundary.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{boundary}");

    let opening = format!("--{boundary}\r\n").into_bytes();
    let between = [b"\r\n", &opening[..]].concat();
    let body = answer.body().strip_prefix(&opening[..]).unwrap();
    let body = body.strip_suffix(format!("\r\n--{boundary}--\r\n").as_bytes()).expect("the end of the last part");
    let mut parts = Vec::new();
    let mut rest = Some(body);
    while let Some(from) = rest {
        let end = from.windows(between.len()).position(|window| window == between);
        let part = &from[..end.unwrap_or(from.len())];
        rest = end.map(|end| &from[end + between.len()..]);
        let (head, content) = part.split_at(part.len() - after_head(part).len());
        let head = text(head);
        let range = head.strip_prefix("Content-Type: text/plain; charset=utf-8\r\nContent-Range: ").unwrap();
        parts.push((range.trim_end().to_owned(), content.to_vec()));
    }
    parts
}

/// What [`parts`] should be.
fn expected(content: &[u8], spans: &[(u64, u64)]) -> Vec<(String, Vec<u8>)> {
    let part = |&(start, end): &(u64, u64)| {
        let (start, end) = (usize::try_from(start).unwrap(), usize::try_from(end).unwrap());
        (format!("bytes {start}-{}/{}", end - 1, content.len()), content[start..end].to_vec())
    };
    spans.iter().map(part).collect()
}

#[test]
fn what_is_asked_for_is_answered() {
    // Kept in memory, sent from a descriptor, and too fresh to be kept.
    for mut site in [Site::new(), Site::of_today()] {
        for length in [10, 10_000, 200_000] {
            let content = &big()[..length];
            site.write("a.txt", content);
            // White space around a field is no part of it.
            let fields = FIELDS.iter().filter(|(field, of, _)| *of == length as u64 && field.trim() == *field);
            for (field, of, want) in fields {
                let answer = site.ask("GET", "/a.txt", &format!("Range: {field}\r\n"));
                let content_range = answer.header("content-range");
                match want {
                    Whole => {
                        assert_eq!((answer.status(), answer.body(), content_range), (200, content, None), "{field}")
                    }
                    Beyond => {
                        let wanted = format!("bytes */{of}");
                        assert_eq!((answer.status(), content_range), (416, Some(wanted.as_str())), "{field}");
                    }
                    Spans(spans @ [_]) => {
                        let (wanted, part) = expected(content, spans).remove(0);
                        assert_eq!((answer.status(), content_range), (206, Some(wanted.as_str())), "{field}");
                        assert!(
                            answer.body() == part && answer.header("content-type") == Some("text/plain; charset=utf-8")
                        );
                    }
                    Spans(spans) => assert!(parts(&answer) == expected(content, spans), "{field}"),
                }
                let has_tag = answer.header("etag").is_some() && answer.header("accept-ranges") == Some("bytes");
                assert_eq!(has_tag, answer.status() != 416, "{field}");
            }
            let long = [(0, 1), (50_000, 150_000), (length as u64 - 3, length as u64)];
            if length > 150_000 {
                let answer = site.ask("GET", "/a.txt", "Range: bytes=0-0,50000-149999,-3\r\n");
                assert!(parts(&answer) == expected(content, &long));
            }
            assert!(site.client.is_open());
        }
    }
}

#[test]
fn an_empty_file_has_no_parts() {
    let mut site = Site::new();
    site.write("empty", "");
    for (field, status) in [("bytes=0-", 416), ("bytes=0-0,5-6", 416), ("bytes=-1", 200), ("bytes=-0", 416)] {
        assert_eq!(site.ask("GET", "/empty", &format!("Range: {field}\r\n")).status(), status, "{field}");
    }
}

#[test]
fn ranges_are_for_get_and_in_one_field() {
    let mut site = Site::new();
    site.write("a.txt", &big()[..10_000]);
    for range in ["bytes=0-3", "bytes=0-3,5000-5003"] {
        let head = site.ask("HEAD", "/a.txt", &format!("Range: {range}\r\n"));
        assert_eq!((head.status(), head.header("content-length")), (200, Some("10000")));
        assert_eq!(head.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    assert_eq!(site.ask("GET", "/a.txt", "Range: bytes=0-3\r\nRange: bytes=5-6\r\n").status(), 200);
}

#[test]
fn several_parts_leave_a_1_0_connection_open() {
    let mut site = Site::new();
    site.write("a.txt", &big()[..10_000]);
    let wire = "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\nRange: bytes=0-3,5000-5003\r\n\r\n";
    let answer = site.client.send(wire, &[]);
    assert_eq!(parts(&answer), expected(&big()[..10_000], &[(0, 4), (5_000, 5_004)]));
    assert_eq!(answer.header("connection"), Some("keep-alive"));
    assert!(site.client.is_open());
}

#[test]
fn a_range_holds_only_for_the_file_it_was_begun_with() {
    let mut site = Site::new();
    site.write("a.txt", &big()[..10_000]);
    set_modified(&site.path("a.txt"), NOVEMBER_1994);
    let tag = site.get("/a.txt").header("etag").unwrap().to_owned();
    for (validator, wanted) in [
        (tag.as_str(), 206),
        (&format!("W/{tag}"), 200),
        ("\"other\"", 200),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 206),
        ("Sun, 06 Nov 1994 08:49:38 GMT", 200),
        ("yesterday", 200),
    ] {
        for range in ["0-3", "0-3,5000-5003", "20000-"] {
            let answer = site.ask("GET", "/a.txt", &format!("Range: bytes={range}\r\nIf-Range: {validator}\r\n"));
            let wanted = if range == "20000-" && wanted == 206 { 416 } else { wanted };
            assert_eq!(answer.status(), wanted, "{validator} {range}");
        }
    }
}

/// A file with holes: it has a length and takes no room.
#[test]
fn parts_may_lie_beyond_four_gib() {
    const LENGTH: u64 = (5 << 30) + 7;
    let mut site = Site::new();
    site.write("holes.txt", "begin");
    let file = File::options().write(true).open(site.path("holes.txt")).unwrap();
    file.set_len(LENGTH).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"end", LENGTH - 3).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"middle", 1 << 32).unwrap();
    let answer = site.ask("GET", "/holes.txt", "Range: bytes=4294967296-4294967301\r\n");
    assert_eq!((answer.status(), answer.text().as_str()), (206, "middle"));
    assert_eq!(answer.header("content-range"), Some("bytes 4294967296-4294967301/5368709127"));
    let answer = site.ask("GET", "/holes.txt", "Range: bytes=-3, 4294967296-4294967301, 0-4\r\n");
    let wanted = [
        ("bytes 5368709124-5368709126/5368709127", "end"),
        ("bytes 4294967296-4294967301/5368709127", "middle"),
        ("bytes 0-4/5368709127", "begin"),
    ];
    assert_eq!(parts(&answer), wanted.map(|(range, content)| (range.to_owned(), content.as_bytes().to_vec())));
}

#[test]
fn a_file_that_shrinks_ends_the_connection_short_of_its_parts() {
    let mut site = Site::new();
    site.write("a.txt", big());
    site.client.connect();
    site.client.transport_mut().unwrap().accept_writes([100, 0]);
    site.client.deliver("GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-199999,400000-600000\r\n\r\n", &[]);
    let file = File::options().write(true).open(site.path("a.txt")).unwrap();
    file.set_len(500_000).unwrap();
    while !site.client.is_closed() && site.client.received().len() < 500_000 {
        site.client.unblock();
    }
    assert!(site.client.is_closed());
    let received = site.client.take_received();
    let head = text(&received[..received.len() - after_head(&received).len()]);
    let announced =
        head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse::<usize>().unwrap();
    assert!(announced > 400_000 && after_head(&received).len() < announced, "{head}");
}

#[test]
fn an_answer_saved_over_its_file_is_still_taken_apart() {
    let mut site = Site::of_today();
    site.write("a.txt", &big()[..10_000]);
    let ranges = "Range: bytes=0-3000,4000-5000\r\n";
    let first = site.ask("GET", "/a.txt", ranges);
    assert_eq!(site.ask("GET", "/a.txt", ranges).wire(), first.wire(), "the same question has the same answer");
    site.write("a.txt", [first.body(), first.body(), first.body()].concat());
    let content = std::fs::read(site.path("a.txt")).unwrap();
    assert_eq!(parts(&site.ask("GET", "/a.txt", ranges)), expected(&content, &[(0, 3_001), (4_000, 5_001)]));
}

/// Which bytes a field asks for, told one by one; `None` if it is to be ignored. As the RFC says it, on text.
fn told(field: &str, length: u64) -> Option<Vec<bool>> {
    let set = field.get(6..).filter(|_| field[..6].eq_ignore_ascii_case("bytes="))?;
    let elements: Vec<&str> = set.split(',').map(str::trim).filter(|element| !element.is_empty()).collect();
    if elements.is_empty() || elements.len() > 64 {
        return None;
    }
    let mut told = vec![false; usize::try_from(length).unwrap()];
    for element in elements {
        let (first, last) = element.split_once('-')?;
        let number = |digits: &str| match digits {
            "" => Some(None),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(Some(digits.parse().unwrap_or(u64::MAX)))
            }
            _ => None,
        };
        let (first, end) = match (number(first)?, number(last)?) {
            (None, None) => return None,
            (Some(first), Some(last)) if last < first => return None,
            (Some(first), last) => (first, last.map_or(length, |last| last.saturating_add(1).min(length))),
            (None, Some(count)) => (length.saturating_sub(count), length),
        };
        (first..end).for_each(|at| told[usize::try_from(at).unwrap()] = true);
    }
    Some(told)
}

/// Fields that are nearly right, for content of some thousand bytes.
fn fields() -> impl Strategy<Value = String> {
    let element = prop_oneof![
        8 => (0..4000_u64, 0..600_u64).prop_map(|(first, more)| format!("{first}-{}", first + more)),
        2 => (0..4000_u64).prop_map(|first| format!("{first}-")),
        2 => (0..4000_u64).prop_map(|count| format!("-{count}")),
        1 => "[0-9, -]{0,6}",
    ];
    prop::collection::vec(element, 0..70).prop_map(|elements| format!("bytes={}", elements.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_hold_what_is_asked_for_and_cost_no_more_than_the_file(field in fields(), length in 1..4000_u64) {
        let spans = match (ByteRanges::parse(field.as_bytes(), length), told(&field, length)) {
            (ByteRanges::Whole, None) => return Ok(()),
            (ByteRanges::Unsatisfiable, Some(told)) => {
                prop_assert!(!told.contains(&true));
                return Ok(());
            }
            (ByteRanges::One(span), Some(_)) => vec![span],
            (ByteRanges::Several(spans), Some(_)) => spans,
            (ranges, told) => return Err(TestCaseError::fail(format!("{ranges:?} and {told:?}"))),
        };
        let mut sent = vec![false; usize::try_from(length).unwrap()];
        for span in &spans {
            prop_assert!(span.length > 0 && span.last() < length, "{:?}", span);
            for at in span.offset..=span.last() {
                let byte = &mut sent[usize::try_from(at).unwrap()];
                prop_assert!(!std::mem::replace(byte, true), "{} twice", at);
            }
        }
        // All that was asked for, and more only where less is between two spans than a head costs.
        let told = told(&field, length).unwrap();
        prop_assert!(told.iter().zip(&sent).all(|(told, sent)| *sent || !told));
        let gap = usize::try_from(ByteRanges::PART_HEAD).unwrap();
        let surplus = told.iter().zip(&sent).map(|(told, sent)| *sent && !told).collect::<Vec<_>>();
        prop_assert!(surplus.split(|surplus| !surplus).all(|run| run.len() <= gap));
        let cost = spans.iter().map(|span| span.length + ByteRanges::PART_HEAD).sum::<u64>();
        prop_assert!(spans.len() == 1 || cost <= length + ByteRanges::PART_HEAD, "{} for {}", cost, length);
    }

    #[test]
    fn noise_is_no_panic(header in prop::collection::vec(any::<u8>(), 0..40), length in any::<u64>()) {
        for header in [header.clone(), [b"bytes=", &header[..]].concat()] {
            match ByteRanges::parse(&header, length) {
                ByteRanges::One(span) => prop_assert!(span.length > 0 && span.last() < length),
                ByteRanges::Several(spans) => prop_assert!(spans.iter().all(|span| span.length > 0 && span.last() < length)),
                ByteRanges::Whole | ByteRanges::Unsatisfiable => {}
            }
        }
    }

    #[test]
    fn a_range_within_the_file_is_granted(length in 1..=u64::MAX, a in any::<u64>(), b in any::<u64>()) {
        let (first, last) = ((a % length).min(b % length), (a % length).max(b % length));
        let wanted = ByteRanges::One(Span { offset: first, length: (last - first).saturating_add(1) });
        prop_assert_eq!(ByteRanges::parse(format!("bytes={first}-{last}").as_bytes(), length), wanted);
    }
}

#[test]
fn any_ranges_of_a_real_file_cost_no_more_than_the_file_and_a_head() {
    let mut site = Site::new();
    let longest_type = "application/vnd.openxmlformats-officedocument.presentationml.slideshow";
    let cases: Vec<String> = (1..=64)
        .map(|count: u64| {
            let step = 20_000 / count;
            (0..count)
                .map(|at| format!("{}-{},", at * step, (at + 1) * step - 1 - ByteRanges::PART_HEAD.min(step - 1) - 1))
                .collect()
        })
        .collect();
    site.write("a.ppsx", &big()[..20_000]);
    assert_eq!(site.get("/a.ppsx").header("content-type"), Some(longest_type));
    let mut most = 0;
    for ranges in cases {
        let answer = site.ask("GET", "/a.ppsx", &format!("Range: bytes={ranges}\r\n"));
        assert!(answer.body().len() <= 20_000 + 300, "{} bytes for {ranges}", answer.body().len());
        let is_several = answer.header("content-type").is_some_and(|kind| kind.starts_with("multipart/"));
        most = most.max(if is_several { ranges.matches(',').count() } else { 0 });
    }
    assert!(most > 50, "parts of {most} ranges");
}
