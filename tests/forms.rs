//! Queries, forms, text: what a request says, taken apart.

use ownhands::http::Pairs;
use ownhands::testing::{Answer, MockClient};
use ownhands::{App, Form, HttpError, Limits, Request};
use proptest::prelude::*;

type Names = &'static [(&'static str, &'static str)];

/// Texts and the pairs in them, as the WHATWG URL standard reads them (section 5.1).
const TEXTS: &[(&[u8], Names)] = &[
    (b"", &[]),
    (b"a=1", &[("a", "1")]),
    (b"a=1&b=2&a=3", &[("a", "1"), ("b", "2"), ("a", "3")]),
    (b"a", &[("a", "")]),
    (b"a=", &[("a", "")]),
    (b"=a", &[("", "a")]),
    (b"=", &[("", "")]),
    (b"&", &[]),
    (b"&&a&&b&&", &[("a", ""), ("b", "")]),
    (b"a=b=c", &[("a", "b=c")]),
    (b"a;b=c;d", &[("a;b", "c;d")]),
    (b"a+b=c+d", &[("a b", "c d")]),
    (b"a%2Bb=%2b", &[("a+b", "+")]),
    (b"%26=%3D", &[("&", "=")]),
    (b"a=%20+%20", &[("a", "   ")]),
    (b"a=%", &[("a", "%")]),
    (b"a=%4", &[("a", "%4")]),
    (b"a=%4&b", &[("a", "%4"), ("b", "")]),
    (b"a=%zz%41", &[("a", "%zzA")]),
    (b"a=%%41", &[("a", "%A")]),
    (b"a=%2541", &[("a", "%41")]),
    (b"a=%+1", &[("a", "% 1")]),
    (b"%u0041=1", &[("%u0041", "1")]),
    (b"a=%C3%BC", &[("a", "\u{fc}")]),
    (b"a=\xc3\xbc", &[("a", "\u{fc}")]),
    (b"a=\xc3%BC", &[("a", "\u{fc}")]),
    (b"a=%ff\xfe+", &[("a", "\u{fffd}\u{fffd} ")]),
    (b"a=%F0%9F%92", &[("a", "\u{fffd}")]),
    (b"a=%EF%BB%BFb", &[("a", "\u{feff}b")]),
    (b"a=%00%0d%0A", &[("a", "\0\r\n")]),
    (b"a[]=1&a[]=2", &[("a[]", "1"), ("a[]", "2")]),
];

fn show<'a>(pairs: impl Iterator<Item = (impl AsRef<str>, impl AsRef<str>)> + 'a) -> String {
    pairs.map(|(name, value)| format!("{:?}={:?} ", name.as_ref(), value.as_ref())).collect()
}

fn client() -> MockClient<App> {
    let mut app = App::new();
    app.route("GET", "/query", |request: &Request<'_>| show(request.query_pairs())).unwrap();
    app.route("GET", "/value", |request: &Request<'_>| request.query_value("a").map(|value| value.into_owned()))
        .unwrap();
    app.route("POST", "/form", |request: &Request<'_>| -> Result<String, HttpError> {
        Ok(show(request.form()?.iter()))
    })
    .unwrap();
    app.route("POST", "/type", |request: &Request<'_>| format!("{:?}", request.content_type())).unwrap();
    app.route("POST", "/text", |request: &Request<'_>| request.text().map(|text| text.into_owned())).unwrap();
    MockClient::new(app)
}

fn send_form(client: &mut MockClient<App>, content_type: &str, body: &[u8]) -> Answer {
    client.post("/form").header("Content-Type", content_type).body(body).send()
}

#[test]
fn pairs_are_read_as_browsers_write_them() {
    let mut client = client();
    for (text, pairs) in TEXTS {
        let want = show(pairs.iter().copied());
        let shown = text.escape_ascii();
        assert_eq!(show(Pairs::new(text)), want, "{shown}");
        let form = send_form(&mut client, Form::MEDIA_TYPE, text);
        assert_eq!((form.status(), form.text()), (200, want.clone()), "{shown}");
        if text.is_ascii() {
            let query = client.get(&format!("/query?{shown}"));
            assert_eq!((query.status(), query.text()), (200, want), "{shown}");
        }
    }
}

#[test]
fn a_query_may_be_missing_and_may_have_question_marks() {
    let mut client = client();
    let cases = [
        ("/query", ""),
        ("/query?", ""),
        ("/query??", "\"?\"=\"\" "),
        ("/query?a=b?c=d&e", "\"a\"=\"b?c=d\" \"e\"=\"\" "),
    ];
    for (target, want) in cases {
        assert_eq!(client.get(target).text(), want, "{target}");
    }
    for (target, status, want) in [("/value?b=1&a=2&a=3", 200, "2"), ("/value?%61", 200, ""), ("/value?A=1", 404, "")] {
        let answer = client.get(target);
        assert_eq!(answer.status(), status, "{target}");
        assert!(status == 404 || answer.text() == want, "{target}");
    }
}

#[test]
fn a_form_of_another_type_is_415() {
    let mut client = client();
    let cases = [
        ("application/x-www-form-urlencoded", 200),
        ("Application/X-WWW-Form-Urlencoded;charset=UTF-8", 200),
        (" application/x-www-form-urlencoded ; charset=x", 200),
        ("application/x-www-form-urlencoded, text/plain", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/plain", 415),
        ("", 415),
    ];
    for (content_type, status) in cases {
        let answer = send_form(&mut client, content_type, b"a=b");
        let accept = (status == 415).then_some(Form::MEDIA_TYPE);
        assert_eq!((answer.status(), answer.header("accept")), (status, accept), "{content_type:?}");
        assert!(client.is_open());
    }
    assert_eq!(client.post("/form").body("a=b").send().status(), 415);
}

#[test]
fn a_form_has_a_thousand_fields_at_the_most() {
    let mut client = client();
    for (fields, status) in [(Form::PAIRS, 200), (Form::PAIRS + 1, 413), (100_000, 413)] {
        let answer = send_form(&mut client, Form::MEDIA_TYPE, "&&a=b".repeat(fields).as_bytes());
        assert_eq!(answer.status(), status, "{fields}");
    }
    let refusal = send_form(&mut client, Form::MEDIA_TYPE, "a&".repeat(1001).as_bytes());
    assert_eq!(refusal.text(), "413 Content Too Large: the form has more than 1000 fields\n");
}

#[test]
fn what_is_taken_as_a_whole_is_bounded_where_bodies_may_be_long() {
    let mut client = client().with_limits(Limits { body: 16 << 20, ..Limits::default() });
    for (length, status) in [(Request::WHOLE_BODY, 200), (Request::WHOLE_BODY + 1, 413)] {
        let body = vec![b'a'; length];
        assert_eq!(client.post("/text").body(&body).send().status(), status, "{length}");
        assert_eq!(send_form(&mut client, Form::MEDIA_TYPE, &body).status(), status, "{length}");
    }
}

#[test]
fn media_types() {
    let cases: [(&[u8], &str); 11] = [
        (b"text/html", r#"Some("text/html")"#),
        (b"Text/HTML;charset=utf-8", r#"Some("text/html")"#),
        (b"text/html ; q", r#"Some("text/html")"#),
        (b"application/vnd.a+json", r#"Some("application/vnd.a+json")"#),
        (b"text", "None"),
        (b"/", "None"),
        (b"text/", "None"),
        (b"text/a/b", "None"),
        (b"text /html", "None"),
        (b";text/html", "None"),
        (b"text/\xfc", "None"),
    ];
    let mut client = client();
    for (value, want) in cases {
        let answer = client.post("/type").header("content-type", value).send();
        assert_eq!(answer.text(), want, "{}", value.escape_ascii());
    }
    assert_eq!(client.post("/type").send().text(), "None");
}

#[test]
fn text_is_utf_8() {
    let mut client = client();
    for body in ["", "a", "\u{fc}\u{1f600}\0"] {
        assert_eq!(client.post("/text").body(body).byte_by_byte().send().text(), body);
    }
    for (body, place) in [(&b"\xff"[..], 1), (b"ab\xc3", 3), (b"ab\xc3(", 3), (b"\xed\xa0\x80", 1)] {
        let answer = client.post("/text").body(body).send();
        let want = format!("400 Bad Request: the body is not UTF-8: byte {place} does not belong there\n");
        assert_eq!((answer.status(), answer.text()), (400, want));
    }
}

/// A body that was put into a file is read as one that stands in memory is.
#[test]
fn long_bodies_are_read_back() {
    let mut client = client().with_limits(Limits { memory: 16, ..Limits::default() });
    let long = "\u{fc}".repeat(1000);
    assert_eq!(client.post("/text").body(&long).byte_by_byte().send().text(), long);
    let form = client.post("/form").header("Content-Type", Form::MEDIA_TYPE).body(format!("a=1&b={long}"));
    assert_eq!(form.byte_by_byte().send().text(), format!("\"a\"=\"1\" \"b\"=\"{long}\" "));
    let wrong = client.post("/text").body([long.as_bytes(), b"\xff"].concat()).byte_by_byte().send();
    assert_eq!(wrong.text(), "400 Bad Request: the body is not UTF-8: byte 2001 does not belong there\n");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_pairs(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Pairs::new(&text).count() <= text.iter().filter(|&&byte| byte == b'&').count() + 1);
    }

    /// What the percent-encoding of everything that is not a letter writes is read back as it was.
    #[test]
    fn what_is_encoded_is_read_back(pairs in proptest::collection::vec((".{0,20}", ".{0,20}"), 0..20)) {
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let read: Vec<(String, String)> =
            Pairs::new(text.join("&").as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        prop_assert_eq!(read, pairs);
    }
}
