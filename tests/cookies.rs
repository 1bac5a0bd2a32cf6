//! Cookies: those a request brings, and those a response sets.

use std::time::Duration;

use ownhands::testing::MockClient;
use ownhands::{App, Cookie, Request, Response, SameSite};
use proptest::prelude::*;

fn cookies(fields: &[&[u8]]) -> String {
    let mut app = App::new();
    app.route("GET", "/", |request: &Request<'_>| {
        request.cookies().map(|(name, value)| format!("[{name}|{value}]")).collect::<String>()
    })
    .unwrap();
    let mut client = MockClient::new(app);
    let request = client.request("GET", "/");
    fields.iter().fold(request, |request, value| request.header("Cookie", value)).send().text()
}

#[test]
fn cookies_of_a_request() {
    let cases: [(&[&[u8]], &str); 17] = [
        (&[], ""),
        (&[b""], ""),
        (&[b"a=1"], "[a|1]"),
        (&[b"a=1; b=2; a=3"], "[a|1][b|2][a|3]"),
        (&[b"a=1;b=2"], "[a|1][b|2]"),
        (&[b" a\t=  1 ;; ;b=2;"], "[a|1][b|2]"),
        (&[b"a=1", b"b=2"], "[a|1][b|2]"),
        (&[b"a="], "[a|]"),
        (&[b"a=b=c=="], "[a|b=c==]"),
        (&[b"a=\"1 2\""], "[a|\"1 2\"]"),
        (&[b"a=\"1;2\""], "[a|\"1]"),
        (&[b"a=%20+"], "[a|%20+]"),
        (&[b"a=1,b=2"], "[a|1,b=2]"),
        (&[b"noise; =x; a=1"], "[a|1]"),
        (&[b"$Version=1; a=1"], "[$Version|1][a|1]"),
        (&[b"a=\xc3\xbc\xff"], "[a|\u{fc}\u{fffd}]"),
        (&[b"\xff=1"], "[\u{fffd}|1]"),
    ];
    for (fields, want) in cases {
        assert_eq!(cookies(fields), want, "{fields:?}");
    }
}

#[test]
fn the_first_cookie_of_a_name_counts() {
    let mut app = App::new();
    app.route("GET", "/", |request: &Request<'_>| request.cookie("id").map(|value| value.into_owned())).unwrap();
    let mut client = MockClient::new(app);
    for (value, want) in [("id=1; id=2", Some("1")), ("ID=0; xid=0; id=1", Some("1")), ("ID=0", None), ("id", None)] {
        let answer = client.request("GET", "/").header("cookie", value).send();
        assert_eq!((answer.status() == 200).then(|| answer.text()).as_deref(), want, "{value}");
    }
    assert_eq!(client.get("/").status(), 404);
}

fn set_cookie(cookie: Cookie) -> Result<String, String> {
    let response = Response::text("").with_cookie(cookie);
    match response.headers.refusal() {
        Some(why) => Err(why.to_owned()),
        None => Ok(String::from_utf8(response.headers.get("set-cookie").unwrap().to_vec()).unwrap()),
    }
}

#[test]
fn cookies_of_a_response() {
    let a = || Cookie::new("a", "1");
    let cases = [
        (a(), "a=1"),
        (Cookie::new("a", ""), "a="),
        (Cookie::new("__Host-id!", "\"x=y/[z]\""), "__Host-id!=\"x=y/[z]\""),
        (a().with_path("/b c/%C3%BC"), "a=1; Path=/b c/%C3%BC"),
        (a().with_domain("example.org"), "a=1; Domain=example.org"),
        (a().with_max_age(Duration::from_millis(90_999)), "a=1; Max-Age=90"),
        (a().with_secure().with_http_only(), "a=1; Secure; HttpOnly"),
        (a().with_same_site(SameSite::Strict), "a=1; SameSite=Strict"),
        (a().with_same_site(SameSite::Lax), "a=1; SameSite=Lax"),
        (a().with_same_site(SameSite::None), "a=1; SameSite=None; Secure"),
        (Cookie::removal("a").with_path("/"), "a=; Max-Age=0; Path=/"),
    ];
    for (cookie, want) in cases {
        assert_eq!(set_cookie(cookie).as_deref(), Ok(want));
    }
}

#[test]
fn what_is_no_cookie_is_refused() {
    let long = "x".repeat(4096);
    let a = || Cookie::new("a", "1");
    let cases = [
        (Cookie::new("", "1"), r#""" is no name of a cookie: it is letters, digits and !#$%&'*+-.^_`|~"#),
        (Cookie::new("a b", "1"), r#""a b" is no name of a cookie: it is letters, digits and !#$%&'*+-.^_`|~"#),
        (Cookie::new("a=b", "1"), r#""a=b" is no name of a cookie: it is letters, digits and !#$%&'*+-.^_`|~"#),
        (Cookie::new("a", "1;2"), "the cookie a has the character ; in its value, against RFC 6265 4.1.1"),
        (Cookie::new("a", "1\r\nX: y"), r"the cookie a has the character \r in its value, against RFC 6265 4.1.1"),
        (Cookie::new("a", "ü"), r"the cookie a has the character \xc3 in its value, against RFC 6265 4.1.1"),
        (Cookie::new("a", "\""), r#"the cookie a has the character \" in its value, against RFC 6265 4.1.1"#),
        (Cookie::new("a", "\"b\"c\""), r#"the cookie a has the character \" in its value, against RFC 6265 4.1.1"#),
        (Cookie::new("a", &long), "the cookie a is longer than the 4096 bytes that browsers keep"),
        (a().with_path("b"), r#"the cookie a cannot have the attribute "Path=b" (RFC 6265 4.1.1)"#),
        (a().with_path("/;Secure"), r#"the cookie a cannot have the attribute "Path=/;Secure" (RFC 6265 4.1.1)"#),
        (a().with_path("/\n"), r#"the cookie a cannot have the attribute "Path=/\n" (RFC 6265 4.1.1)"#),
        (a().with_domain(""), r#"the cookie a cannot have the attribute "Domain=" (RFC 6265 4.1.1)"#),
        (a().with_domain("a;b"), r#"the cookie a cannot have the attribute "Domain=a;b" (RFC 6265 4.1.1)"#),
        // The first reason stays.
        (
            a().with_domain("a;b").with_path("c"),
            r#"the cookie a cannot have the attribute "Domain=a;b" (RFC 6265 4.1.1)"#,
        ),
    ];
    for (cookie, why) in cases {
        assert_eq!(set_cookie(cookie), Err(why.to_owned()));
    }
}

#[test]
fn cookies_are_added_and_a_wrong_one_is_a_500() {
    let mut app = App::new();
    app.route("GET", "/two", |_: &Request<'_>| {
        Response::text("").with_cookie(Cookie::new("a", "1")).with_cookie(Cookie::new("a", "2").with_path("/b"))
    })
    .unwrap();
    app.route("GET", "/wrong", |_: &Request<'_>| {
        Response::text("secret").with_cookie(Cookie::new("a", "\n")).with_cookie(Cookie::new("b", "1"))
    })
    .unwrap();
    let mut client = MockClient::new(app);
    let answer = client.get("/two");
    let set: Vec<&[u8]> = answer.headers().filter(|(name, _)| *name == "Set-Cookie").map(|(_, value)| value).collect();
    assert_eq!(set, [&b"a=1"[..], b"a=2; Path=/b"]);
    let answer = client.get("/wrong");
    assert_eq!((answer.status(), answer.header("set-cookie")), (500, None));
    assert!(!answer.text().contains("secret") && client.is_open());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a handler passes, nothing but one attribute a call gets into the field.
    #[test]
    fn no_cookie_says_more_than_it_was_told(name in ".{0,8}", value in ".{0,8}", path in "/.{0,8}", domain in ".{0,8}") {
        let cookie = Cookie::new(&name, &value).with_path(&path).with_domain(&domain);
        if let Ok(field) = set_cookie(cookie) {
            prop_assert_eq!(field.matches(';').count(), 2);
            prop_assert!(field.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
