//! From the grammar to requests: random ones are accepted and mean what was generated; and whatever is done to them
//! afterwards, they are refused, or mean the same whole and a byte at a time.

use ownhands::Limits;
use ownhands::http::{Progress, decode, slots};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::witness::{Conversation, Seen, converse};

/// A request: its bytes, what they mean, and whether another may follow.
#[derive(Clone, Debug)]
struct Meant {
    wire: Vec<u8>,
    seen: Seen,
    is_kept: bool,
}

const TCHAR: &[u8] = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PCHAR: &[u8] = b"abcXYZ019-._~!$&'()*+,;=:@";
const QUERY: &[u8] = b"abcXYZ019-._~!$&'()*+,;=:@/?%|\"";
const VALUE: &[u8] = b"abcXYZ019 \t!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x80\x85\xa0\xc3\xff";

fn text(alphabet: &'static [u8], length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    vec(select(alphabet), length).prop_map(|bytes| String::from_utf8(bytes).unwrap())
}

fn ows() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(" "), 1 => Just(""), 1 => Just("\t"), 1 => Just(" \t ")]
}

/// A path as sent, and the octets it stands for.
fn path() -> impl Strategy<Value = (String, Vec<u8>)> {
    let bare = select(PCHAR).prop_map(|byte| (char::from(byte).to_string(), byte));
    let escaped = (1..=u8::MAX, any::<bool>())
        .prop_map(|(byte, upper)| (if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") }, byte));
    let segment = vec(prop_oneof![4 => bare, 1 => escaped], 0..6);
    vec(segment, 1..4).prop_map(|segments| {
        let raw = segments.iter().map(|units| units.iter().map(|(raw, _)| raw.as_str()).collect::<String>());
        let octets = segments.iter().map(|units| units.iter().map(|&(_, octet)| octet).collect::<Vec<u8>>());
        let raw: String = raw.map(|segment| format!("/{segment}")).collect();
        let octets: Vec<u8> = octets.flat_map(|segment| [b"/", segment.as_slice()].concat()).collect();
        if has_dot_segment(&octets) { ("/dots".to_string(), b"/dots".to_vec()) } else { (raw, octets) }
    })
}

fn has_dot_segment(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').any(|segment| matches!(segment, b"." | b".."))
}

fn authority() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        text(b"abcXYZ019-._~!$&'()*+,;=", 1..8),
        select(vec!["localhost", "127.0.0.1", "[::1]", "[2001:db8::1.2.3.4]", "[v1.a:b]", "a%20b"])
            .prop_map(str::to_string),
    ];
    (host, prop_oneof![Just(String::new()), Just(":".to_string()), (0..=65_535u16).prop_map(|port| format!(":{port}"))])
        .prop_map(|(host, port)| host + &port)
}

/// A target, and what it means: authority, path, query.
#[derive(Clone, Debug)]
struct Targeted {
    raw: String,
    authority: Option<String>,
    path: Vec<u8>,
    query: Option<String>,
}

fn origin_form() -> impl Strategy<Value = Targeted> {
    (path(), prop::option::of(text(QUERY, 0..10))).prop_map(|((raw, path), query)| {
        let end = query.as_ref().map_or(String::new(), |query| format!("?{query}"));
        Targeted { raw: raw + &end, authority: None, path, query }
    })
}

fn absolute_form() -> impl Strategy<Value = Targeted> {
    let scheme = select(vec!["http://", "https://", "HTTP://"]);
    (scheme, authority(), any::<bool>(), origin_form()).prop_map(|(scheme, authority, has_path, rest)| {
        let after = if has_path { rest.raw.as_str() } else { rest.raw.find('?').map_or("", |at| &rest.raw[at..]) };
        let path = if has_path { rest.path } else { b"/".to_vec() };
        Targeted { raw: format!("{scheme}{authority}{after}"), authority: Some(authority), path, query: rest.query }
    })
}

/// A method with a target that goes with it.
fn method_and_target() -> impl Strategy<Value = (String, Targeted)> {
    let usual = select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "get"]).prop_map(str::to_string);
    let own = text(TCHAR, 1..10).prop_filter("not for proxies", |method| method != "CONNECT" && method != "OPTIONS");
    let asterisk = Targeted { raw: "*".to_string(), authority: None, path: b"*".to_vec(), query: None };
    prop_oneof![
        6 => (prop_oneof![3 => usual, 1 => own], prop_oneof![3 => origin_form(), 1 => absolute_form()]),
        1 => (Just("OPTIONS".to_string()), prop_oneof![Just(asterisk), origin_form()]),
    ]
}

/// A field: its line, and what it means.
type Field = (Vec<u8>, (String, Vec<u8>));

fn line(name: &str, before: &str, value: &[u8], after: &str) -> Field {
    ([format!("{name}:{before}").as_bytes(), value, after.as_bytes()].concat(), (name.to_string(), value.to_vec()))
}

fn any_field() -> impl Strategy<Value = Field> {
    let known = ["host", "content-length", "transfer-encoding", "connection", "expect"];
    let name = text(TCHAR, 1..12)
        .prop_filter("nothing the server obeys", move |name| !known.contains(&name.to_ascii_lowercase().as_str()));
    (name, ows(), vec(select(VALUE), 0..24), ows()).prop_map(|(name, before, value, after)| {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let start = value.iter().position(|byte| !blank(byte)).unwrap_or(value.len());
        let end = value.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
        line(&name, before, &value[start..end], after)
    })
}

/// A body: the field that announces it, if any, the bytes sent, and the content.
type Content = (Option<Field>, Vec<u8>, Vec<u8>);

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..40), Just(b"\r\n\r\n".to_vec()), Just(b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_vec())]
}

fn by_length() -> impl Strategy<Value = Content> {
    (octets(), 0..24usize, select(vec!["Content-Length", "content-length"]), ows()).prop_map(
        |(body, zeros, name, ows)| {
            let length = format!("{}{}", "0".repeat(zeros), body.len());
            (Some(line(name, ows, length.as_bytes(), ows)), body.clone(), body)
        },
    )
}

fn extension() -> impl Strategy<Value = String> {
    let bws = || select(vec!["", "", "", " ", "\t "]);
    let quoted = vec(select(vec!["a", " ", ";", "=", "\t", "#", "\\\"", "\\\\", "\\a"]), 0..5);
    let quoted = quoted.prop_map(|parts| format!("\"{}\"", parts.concat()));
    let value = prop::option::of((bws(), bws(), prop_oneof![text(TCHAR, 1..5), quoted]));
    (bws(), bws(), text(TCHAR, 1..6), value).prop_map(|(before, after, name, value)| {
        let value = value.map_or(String::new(), |(before, after, value)| format!("{before}={after}{value}"));
        format!("{before};{after}{name}{value}")
    })
}

fn by_chunks() -> impl Strategy<Value = Content> {
    let extensions = || vec(extension(), 0..2).prop_map(|all| all.concat());
    let chunk = (vec(any::<u8>(), 1..20), 0..4usize, any::<bool>(), extensions());
    (vec(chunk, 0..4), 1..4usize, extensions(), vec(any_field(), 0..3), select(vec!["chunked", "Chunked"]), ows())
        .prop_map(|(chunks, zeros, last, trailers, coding, ows)| {
            let mut wire = Vec::new();
            for (data, zeros, upper, extensions) in &chunks {
                let digits = if *upper { format!("{:X}", data.len()) } else { format!("{:x}", data.len()) };
                let size = format!("{}{digits}{extensions}\r\n", "0".repeat(*zeros));
                wire.extend([size.as_bytes(), data, b"\r\n"].concat());
            }
            wire.extend(format!("{}{last}\r\n", "0".repeat(zeros)).bytes());
            for (line, _) in &trailers {
                wire.extend([line.as_slice(), b"\r\n"].concat());
            }
            wire.extend(b"\r\n");
            let body = chunks.into_iter().flat_map(|(data, ..)| data).collect();
            (Some(line("Transfer-Encoding", ows, coding.as_bytes(), ows)), wire, body)
        })
}

/// The rest of a head: its version, and what is said of the connection, with what follows from it.
fn connection() -> impl Strategy<Value = (&'static str, Option<&'static str>, bool)> {
    let said = vec![
        None,
        None,
        None,
        Some("close"),
        Some("te, Close"),
        Some("Keep-Alive"),
        Some("keep-alive, close"),
        Some("te"),
    ];
    (select(vec!["1.1", "1.1", "1.1", "1.0", "1.2", "1.9"]), select(said)).prop_map(|(version, said)| {
        let has =
            |option: &str| said.is_some_and(|said| said.to_ascii_lowercase().split(", ").any(|one| one == option));
        (version, said, !has("close") && (version != "1.0" || has("keep-alive")))
    })
}

fn request() -> impl Strategy<Value = Meant> {
    let content = prop_oneof![3 => Just((None, Vec::new(), Vec::new())), 2 => by_length(), 2 => by_chunks()];
    let host = (authority(), select(vec!["Host", "hOST"]), ows());
    let expects = prop::option::weighted(0.1, Just("100-continue"));
    let ends = (0..3usize, vec(prop::bool::weighted(0.2), 1..6));
    (
        method_and_target(),
        connection(),
        host,
        vec((any_field(), any::<Index>()), 0..5),
        content,
        expects,
        ends,
        any::<[Index; 4]>(),
    )
        .prop_map(
            |((method, target), (version, said, is_kept), host, others, content, expects, (empty, ends), places)| {
                let (mut framing, body_wire, body) = content;
                let is_old = version == "1.0";
                // HTTP/1.0 has no chunks.
                let is_chunked = framing.as_ref().is_some_and(|(_, (name, _))| name == "Transfer-Encoding");
                let (body_wire, body) = if is_old && is_chunked { (Vec::new(), Vec::new()) } else { (body_wire, body) };
                if is_old && is_chunked {
                    framing = None;
                }
                let mut fields: Vec<Field> = Vec::new();
                let mut insert = |place: &Index, field: Option<Field>| {
                    if let Some(field) = field {
                        fields.insert(place.index(fields.len() + 1), field);
                    }
                };
                others.into_iter().for_each(|(field, place)| insert(&place, Some(field)));
                let (authority, host_name, host_ows) = host;
                let has_host = !is_old || places[0].index(2) == 0;
                insert(&places[0], has_host.then(|| line(host_name, host_ows, authority.as_bytes(), host_ows)));
                insert(&places[1], said.map(|said| line("Connection", " ", said.as_bytes(), "")));
                insert(&places[2], framing);
                insert(&places[3], expects.map(|expects| line("Expect", " ", expects.as_bytes(), "")));

                let mut ends = ends.into_iter().cycle().map(|is_bare| if is_bare { "\n" } else { "\r\n" });
                let mut wire: Vec<u8> = ends.by_ref().take(empty).collect::<String>().into_bytes();
                let first = format!("{method} {} HTTP/{version}", target.raw).into_bytes();
                for line in std::iter::once(&first).chain(fields.iter().map(|(line, _)| line)).chain([&Vec::new()]) {
                    wire.extend([line.as_slice(), ends.next().unwrap_or("\n").as_bytes()].concat());
                }
                wire.extend(body_wire);
                let seen = Seen {
                    method,
                    target: target.raw,
                    path: target.path,
                    query: target.query,
                    version: if is_old { "HTTP/1.0" } else { "HTTP/1.1" }.to_string(),
                    authority: target.authority.or(has_host.then_some(authority)),
                    fields: fields.into_iter().map(|(_, meant)| meant).collect(),
                    body,
                };
                Meant { wire, seen, is_kept }
            },
        )
}

/// Some bytes more, fewer, or others; some lines twice, elsewhere, or gone.
#[derive(Clone, Debug)]
enum Edit {
    Insert(Index, u8),
    Replace(Index, u8),
    Delete(Index, usize),
    Repeat(Index, Index),
    Swap(Index, Index),
    Drop(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let byte = || prop_oneof![4 => select(&b"\r\n\0 \t:\x80aA1,;#%/?*.\x7f\x0b\x0c\"\\[]@-+="[..]), 1 => any::<u8>()];
    let at = any::<Index>;
    prop_oneof![
        2 => (at(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        2 => (at(), byte()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        2 => (at(), 1..4usize).prop_map(|(at, length)| Edit::Delete(at, length)),
        1 => (at(), at()).prop_map(|(from, to)| Edit::Repeat(from, to)),
        1 => (at(), at()).prop_map(|(one, other)| Edit::Swap(one, other)),
        1 => at().prop_map(Edit::Drop),
    ]
}

fn apply(wire: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut wire = wire.to_vec();
    for edit in edits {
        let mut lines: Vec<Vec<u8>> = wire.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        let (length, count) = (wire.len(), lines.len());
        match *edit {
            Edit::Insert(at, byte) => wire.insert(at.index(length + 1), byte),
            _ if length == 0 => {}
            Edit::Replace(at, byte) => wire[at.index(length)] = byte,
            Edit::Delete(at, few) => drop(wire.drain(at.index(length)..(at.index(length) + few).min(length))),
            Edit::Repeat(from, to) => {
                lines.insert(to.index(count), lines[from.index(count)].clone());
                wire = lines.concat();
            }
            Edit::Swap(one, other) => {
                lines.swap(one.index(count), other.index(count));
                wire = lines.concat();
            }
            Edit::Drop(at) => {
                lines.remove(at.index(count));
                wire = lines.concat();
            }
        }
    }
    wire
}

/// What several requests in a row mean: nothing is read behind one that ends the connection.
fn meant(requests: &[Meant]) -> (Vec<u8>, Vec<Seen>, bool) {
    let wire = requests.iter().flat_map(|request| request.wire.clone()).collect();
    let last = requests.iter().position(|request| !request.is_kept);
    let read = &requests[..last.map_or(requests.len(), |last| last + 1)];
    (wire, read.iter().map(|request| request.seen.clone()).collect(), last.is_none())
}

fn every_byte(wire: &[u8]) -> Vec<usize> {
    (1..wire.len()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(600), failure_persistence: None, ..ProptestConfig::default() })]

    /// Valid requests are accepted and mean what was generated, in any cuts.
    #[test]
    fn valid_requests_mean_what_was_generated(requests in vec(request(), 1..4), cuts in vec(any::<Index>(), 0..6)) {
        let (wire, expected, is_kept) = meant(&requests);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len())).collect();
        cuts.sort_unstable();
        let sent = expected.len();
        let Conversation { seen, refusal, is_kept: kept, sent: answers } = converse(&wire, &cuts);
        prop_assert_eq!(refusal, None, "{}", wire.escape_ascii());
        prop_assert_eq!(&seen, &expected);
        prop_assert_eq!(kept, is_kept);
        let lines = answers.split(|&byte| byte == b'\n');
        prop_assert_eq!(lines.filter(|line| line.starts_with(b"HTTP/1.1 204 ")).count(), sent);
        prop_assert_eq!(converse(&wire, &every_byte(&wire)).seen, expected);

        // The decoder alone says the same of the first.
        let (mut slots, mut progress) = (slots(), Progress::default());
        let head = decode(&wire, &mut slots, &mut progress, &Limits::default()).unwrap().unwrap();
        let first = &requests[0].seen;
        prop_assert_eq!((head.method.as_str(), head.raw_target), (first.method.as_str(), first.target.as_str()));
        prop_assert_eq!(head.authority, first.authority.as_deref());
        let fields: Vec<_> = head.headers.iter().map(|(name, value)| (name.to_string(), value.to_vec())).collect();
        prop_assert_eq!(&fields, &first.fields);
    }

    /// Mutated requests are refused, or accepted with one meaning; and what stands before the first change keeps its
    /// own.
    #[test]
    fn mutated_requests_are_refused_or_mean_one_thing(requests in vec(request(), 1..4), edits in vec(edit(), 1..4)) {
        let (wire, expected, _) = meant(&requests);
        let mutated = apply(&wire, &edits);
        let whole = converse(&mutated, &[]);
        let bytewise = converse(&mutated, &every_byte(&mutated));
        prop_assert_eq!(&bytewise, &whole, "{}", mutated.escape_ascii());

        let untouched = wire.iter().zip(&mutated).take_while(|(one, other)| one == other).count();
        let mut end = 0;
        for (number, (request, expected)) in requests.iter().zip(&expected).enumerate() {
            end += request.wire.len();
            if end <= untouched {
                prop_assert_eq!(whole.seen.get(number), Some(expected));
            }
        }
        if let Some((status, sentence)) = &whole.refusal {
            prop_assert!(matches!(status, 400 | 405 | 413 | 417 | 501 | 505), "{status} {sentence}");
            prop_assert!(!sentence.is_empty());
        }
        for seen in &whole.seen {
            prop_assert!(!seen.method.is_empty() && seen.method.bytes().all(|byte| TCHAR.contains(&byte)), "{seen:?}");
            prop_assert!(seen.target.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b'#'), "{seen:?}");
            prop_assert!(seen.path.starts_with(b"/") || seen.path == b"*", "{seen:?}");
            prop_assert!(!has_dot_segment(&seen.path) && !seen.path.contains(&0), "{seen:?}");
            prop_assert!(seen.authority.is_some() || seen.version == "HTTP/1.0", "{seen:?}");
            for (name, value) in &seen.fields {
                prop_assert!(!name.is_empty() && name.bytes().all(|byte| TCHAR.contains(&byte)), "{seen:?}");
                prop_assert!(value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)), "{seen:?}");
            }
        }
    }
}

/// How many cases a property is tried on: the environment may ask for more.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}
