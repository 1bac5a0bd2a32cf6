//! What a peer likes best: Accept and Accept-Encoding, read as RFC 9110 section 12.5 has them.

use ownhands::testing::MockClient;
use ownhands::{App, Request};
use proptest::prelude::*;

const OFFERS: [&str; 3] = ["text/plain", "text/html", "application/json"];

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

/// Accept fields, and the offer that wins.
const TYPES: &[(&[&str], Option<&str>)] = &[
    // Nothing is said.
    (&[], Some("text/plain")),
    (&[""], Some("text/plain")),
    (&[" , ,"], Some("text/plain")),
    (&["noise"], Some("text/plain")),
    // What clients send.
    (&["*/*"], Some("text/plain")),
    (&[BROWSER], Some("text/html")),
    (&["application/json, text/plain, */*"], Some("application/json")),
    (&["application/json"], Some("application/json")),
    (&["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"], Some("text/html")),
    (&["image/gif, image/jpeg, *; q=.2"], Some("text/plain")),
    // Quality, then the place in the field, then the order of the offers.
    (&["text/html;q=0.5, application/json;q=0.7, text/plain;q=0.6"], Some("application/json")),
    (&["text/html;q=0.5, application/json;q=0.5"], Some("text/html")),
    (&["application/json;q=0.5, text/html;q=0.5"], Some("application/json")),
    (&["application/json;q=0.001"], Some("application/json")),
    (&["text/*, application/json"], Some("text/plain")),
    (&["application/*, text/*"], Some("application/json")),
    (&["text/html;q=0.999, application/json;q=1.000"], Some("application/json")),
    (&["text/html;q=0.12, application/json;q=0.2"], Some("application/json")),
    (&["text/html;q=0., application/json;q=1."], Some("application/json")),
    // The range that says most decides, wherever it stands.
    (&["text/html, text/*;q=0.1, */*;q=0.9"], Some("text/html")),
    (&["*/*, text/*;q=0.1"], Some("application/json")),
    (&["text/*, text/plain;q=0.2, application/json;q=0.5"], Some("text/html")),
    (&["text/html;q=0, */*;q=0.1"], Some("text/plain")),
    (&["*/*;q=0.1, text/html;q=0, text/plain;q=0"], Some("application/json")),
    (&["text/*;q=0, text/html;q=0.1"], Some("text/html")),
    (&["text/html;q=0.1, text/html;q=0.9, text/plain;q=0.5"], Some("text/plain")), // of the same, the first
    // Refused.
    (&["image/png"], None),
    (&["text/html;q=0"], None),
    (&["text/html;q=0.000"], None),
    (&["*/*;q=0"], None),
    (&["text/*;q=0, application/json;q=0"], None),
    // Case, white space, several fields, empty elements.
    (&["TEXT/HTML"], Some("text/html")),
    (&["Application/Json;Q=0.5 , text/plain ;q=0.4"], Some("application/json")),
    (&["text/html ; q=0.1\t;,, text/plain; q=0.2"], Some("text/plain")),
    (&["image/png", "text/html"], Some("text/html")),
    (&["text/html;q=0.1", "application/json;q=0.2"], Some("application/json")),
    // Other parameters: an offer without them is not meant.
    (&["text/html;level=1"], None),
    (&["text/html;level=1, text/plain;q=0.1"], Some("text/plain")),
    (&["text/html;level=1;q=0.9, */*;q=0.1"], Some("text/plain")),
    (&["text/html;q=0.9;level=1, text/plain;q=0.1"], Some("text/plain")), // q is the weight wherever it stands
    (&["text/plain;a=\"x,y;q=0\", text/html;q=0.5"], Some("text/html")),
    (&["image/png;a=\"\\\",text/plain,\", text/html"], Some("text/html")),
    // What is malformed is ignored, and nothing else is.
    (&["text/plain;q=2, text/html;q=0.1"], Some("text/html")),
    (&["text/plain;q=1.001, text/html;q=0.1"], Some("text/html")),
    (&["text/plain;q=-1, text/html;q=0.1"], Some("text/html")),
    (&["text/plain;q=0.5000, text/html;q=0.1"], Some("text/html")),
    (&["text/plain;q=, text/html;q=0.1"], Some("text/html")),
    (&["text/plain;q=., text/html;q=0.1"], Some("text/html")),
    (&["text/plain;q, text/html;q=0.1"], Some("text/html")),
    (&["text/plain;q=0.9;q=0.8, text/html;q=0.1"], Some("text/html")),
    (&["text/plain;q=high, text/html;q=0.1"], Some("text/html")),
    (&["text/plain;=, text/html;q=0.1"], Some("text/html")),
    (&["text/plain;a=\"x\"y, text/html;q=0.1"], Some("text/html")),
    (&["text, /plain, text/, text/pl/ain, te xt/plain, text/html;q=0.1"], Some("text/html")),
    (&["*/plain, text/html;q=0.1"], Some("text/html")),
    (&["text/html;q=0.1, text/plain;a=\"never closed, application/json"], Some("text/html")),
];

/// What a request with these fields is answered by a handler.
fn ask(name: &str, values: &[&str], handler: impl Fn(&Request<'_>) -> String + 'static) -> String {
    let mut app = App::new();
    app.route("GET", "/", handler).unwrap();
    let mut client = MockClient::new(app);
    let request = values.iter().fold(client.request("GET", "/"), |request, value| request.header(name, value));
    let answer = request.send();
    assert_eq!(answer.status(), 200, "{values:?}: {}", answer.text());
    answer.text()
}

fn preferred(values: &[&str], offers: &'static [&'static str]) -> String {
    ask("Accept", values, |request| request.prefers(offers).map_or("none", |index| offers[index]).to_owned())
}

#[test]
fn the_type_that_is_liked_best_wins() {
    for (values, want) in TYPES {
        assert_eq!(preferred(values, &OFFERS), want.unwrap_or("none"), "{values:?}");
    }
}

#[test]
fn an_offer_may_have_parameters() {
    const LEVELS: &[&str] = &["text/html", "text/html;level=1", "text/html;level=2;x=y"];
    for (value, want) in [
        ("text/html", "text/html"),
        ("text/html;level=1", "text/html;level=1"),
        ("text/html; LEVEL=\"1\"", "text/html;level=1"),
        ("text/html;level=\"\\1\"", "text/html;level=1"),
        ("text/html;q=0.5, text/html;level=2", "text/html;level=2;x=y"),
        ("text/html;level=2;q=0.1, text/html;x=Y;level=2;q=0.7, text/html;q=0.5", "text/html;level=2;x=y"),
        ("text/html;x=y;q=0, text/html;level=2, text/html;level=1;q=0.1", "text/html;level=1"),
        ("text/html;level=3", "none"),
        // The table of RFC 9110 section 12.5.1.
        (
            "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/html;level=2;q=0.4, */*;q=0.5",
            "text/html;level=2;x=y",
        ),
    ] {
        assert_eq!(preferred(&[value], LEVELS), want, "{value}");
    }
    assert_eq!(
        preferred(&["text/plain, */*;q=0.1"], &["image/png", "text/plain; charset=utf-8"]),
        "text/plain; charset=utf-8"
    );
    assert_eq!(preferred(&["*/*"], &[]), "none");
    assert_eq!(preferred(&[], &[]), "none");
}

#[test]
fn elements_are_counted() {
    let padding = |count: usize| ["image/png,"; 100][..count].concat();
    for (count, want) in [(63, "text/html"), (64, "none"), (100, "none")] {
        assert_eq!(preferred(&[&format!("{}text/html", padding(count))], &OFFERS), want, "behind {count}");
        assert_eq!(preferred(&[&padding(count), "text/html"], &OFFERS), want, "behind {count} in another field");
    }
}

#[test]
fn a_page_is_for_who_names_it() {
    for (values, want) in [
        (&[][..], false),
        (&["*/*"], false),
        (&["text/*"], false),
        (&["text/html"], true),
        (&["TEXT/HTML; charset=utf-8"], true),
        (&["text/plain", "text/html;q=0.001"], true),
        (&["text/html;q=0"], false),
        (&["text/html;q=0, */*"], false),
        (&["application/xhtml+xml"], true),
        (&["text/htmlx"], false),
        (&["text/plain;a=\"text/html\""], false),
        (&["text/plain;a=\", text/html, \""], false),
        (&[BROWSER], true),
    ] {
        assert_eq!(ask("Accept", values, |request| request.wants_html().to_string()), want.to_string(), "{values:?}");
    }
}

/// Accept-Encoding fields, and the codings that may be sent of `br zstd gzip`, the best first.
const CODINGS: &[(&[&str], &str)] = &[
    (&[], ""),
    (&[""], ""),
    (&["gzip"], "gzip"),
    (&["gzip, deflate, br, zstd"], "br zstd gzip"),
    (&["gzip;q=1.0, zstd;q=0.5, br;q=0.8"], "gzip br zstd"),
    (&["deflate"], ""),
    (&["identity"], ""),
    (&["*"], "br zstd gzip"),
    (&["*;q=0"], ""),
    (&["gzip, *;q=0"], "gzip"),
    (&["br;q=0, *"], "zstd gzip"),
    (&["gzip, *;q=0.1"], "gzip br zstd"),
    (&["gzip;q=0"], ""),
    (&["gzip;q=0, gzip"], ""), // the first
    (&["x-gzip"], "gzip"),
    (&["X-GZIP;q=0.3, BR;Q=0.2"], "gzip br"),
    (&["identity;q=1, gzip;q=0.5"], ""),
    (&["identity;q=0.5, gzip;q=0.5, br;q=0.4"], "gzip"),
    (&["identity;q=0, gzip;q=0.001"], "gzip"),
    (&["gzip;q=0.001"], "gzip"), // not named, identity is what remains
    (&["identity, *;q=0.5"], ""),
    (&["br", "gzip"], "br gzip"),
    (&[" ,gzip ; q=0.5, , br;q=0.4"], "gzip br"),
    (&["gzip;q=2, br;q=x, zstd;level=3"], ""), // malformed
    (&["\"gzip\", gz ip, zstd"], "zstd"),
];

#[test]
fn the_codings_that_may_be_sent_are_ranked() {
    for (values, want) in CODINGS {
        let codings = |request: &Request<'_>| request.codings(&["br", "zstd", "gzip"]).join(" ");
        assert_eq!(ask("Accept-Encoding", values, codings), *want, "{values:?}");
    }
}

/// Pieces of which such fields are made, in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "text/", "html", "*", "/", ",", ";", " ", "q=", "0", ".", "5", "1", "\"", "\\", "=", "a", "gzip", "br",
        "identity",
    ]);
    prop_oneof![
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes()),
        prop::collection::vec(prop_oneof![Just(b'\t'), 0x20_u8..0x7f, 0x80_u8..], 0..60),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_changes_nothing_that_was_said_before_it(accept in pieces(), encoding in pieces()) {
        let mut app = App::new();
        app.route("GET", "/", |request: &Request<'_>| {
            let (liked, codings) = (request.prefers(&OFFERS), request.codings(&["br", "gzip"]));
            assert!(liked.is_some_and(|index| index != 1), "{liked:?}");
            assert!(!codings.contains(&"br"), "{codings:?}");
            "fine"
        }).unwrap();
        let head = |name: &str, value: &[u8]| [name.as_bytes(), b": ", value, b"\r\n"].concat();
        let wire = [
            b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec(),
            head("Accept", &[b"text/html;q=0, text/plain;q=0.5, ", &accept[..]].concat()),
            head("Accept-Encoding", &[b"br;q=0, ", &encoding[..]].concat()),
            b"\r\n".to_vec(),
        ].concat();
        prop_assert_eq!(MockClient::new(app).send(wire, &[]).status(), 200);
    }
}
