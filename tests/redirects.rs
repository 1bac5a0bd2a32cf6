//! Paths that lead elsewhere: where to, how it is written, and what nobody can make of it.

use ownhands::app::Redirect;
use ownhands::testing::{Answer, MockClient};
use ownhands::{App, Request, Status};

fn app(pattern: &str, target: &str) -> MockClient<App> {
    let mut app = App::new();
    app.redirect(pattern, target).unwrap();
    MockClient::new(app)
}

fn location(answer: &Answer) -> &str {
    answer.header("Location").unwrap_or_default()
}

#[test]
fn a_path_leads_where_its_target_says() {
    let cases = [
        ("/old", "/new", "/old", "/new"),
        ("/old/(.*)", "/new/$1", "/old/a/b", "/new/a/b"),
        ("/old/(.*)", "/new/${1}.html", "/old/a", "/new/a.html"),
        ("/(?<year>[0-9]+)/(?<name>.+)", "/${name}-${year}", "/2026/a", "/a-2026"),
        ("/(a)?b", "/[$1]", "/b", "/[]"),
        ("/price/(.*)", "/$$$1", "/price/7", "/$7"),
        ("/out", "https://example.org", "/out", "https://example.org"),
        ("/out(/.*)?", "http://example.org:81/in/", "/out/a", "http://example.org:81/in/"),
        ("/out/(.*)", "https://[::1]:8000/$1", "/out/a", "https://[::1]:8000/a"),
        // The query goes along, before the fragment, unless the target has one of its own.
        ("/old", "/new", "/old?a=b&c=%20", "/new?a=b&c=%20"),
        ("/old", "/new", "/old?", "/new?"),
        ("/old", "/new#end", "/old?a", "/new?a#end"),
        ("/old", "/new?c=d", "/old?a=b", "/new?c=d"),
        ("/old", "/new?", "/old?a=b", "/new?"),
        ("/old", "https://example.org?x", "/old?a", "https://example.org?x"),
        ("(?s)/old/(.*)", "/new/$1", "/old/%0Aa%0D", "/new/%0Aa%0D"),
        // What was decoded is encoded again, as the place needs it.
        ("/old/(.*)", "/new/$1", "/old/a%20b", "/new/a%20b"),
        ("/old/(.*)", "/new/$1", "/old/100%25", "/new/100%25"),
        ("/old/(.*)", "/new/$1", "/old/%3Fa=b%23c", "/new/%3Fa=b%23c"),
        ("/old/(.*)", "/new/$1", "/old/%22%3C%5C%5E%7C%7D", "/new/%22%3C%5C%5E%7C%7D"),
        ("/old/(.*)", "/new/$1", "/old/a:b@c!$&'()*+,;=-._~", "/new/a:b@c!$&'()*+,;=-._~"),
        ("/old/(.*)", "/new?q=$1&r", "/old/a&b=c+d%20e/f", "/new?q=a%26b%3Dc%2Bd%20e/f&r"),
        ("/old/(.*)", "/new#$1", "/old/a%23b", "/new#a%23b"),
        ("/alt/(.*)", "/grüße/$1", "/alt/%C3%BC", "/gr%C3%BC%C3%9Fe/%C3%BC"),
        ("/old/(.*)", "/new/$1", "/old/caf%E9", "/new/caf%E9"),
        ("/old/.(.)(.*)", "/$1/$2", "/old/%E9%F0%90a%FFb", "/%F0%90/a%FFb"),
    ];
    for (pattern, target, asked, want) in cases {
        let answer = app(pattern, target).get(asked);
        assert_eq!((answer.status(), location(&answer)), (307, want), "{pattern}={target}: {asked}");
        assert_eq!(answer.text(), format!("this is at {want}\n"));
    }
}

#[test]
fn nobody_is_led_to_a_host_that_the_target_does_not_name() {
    let cases = [
        ("/old/?(.*)", "/$1", "/old//evil.org", "/evil.org"),
        ("/old(.*)", "/$1", "/old//evil.org/a//b", "/evil.org/a//b"),
        ("/old(.*)", "/$1", "/old/%5Cevil.org", "/%5Cevil.org"),
        ("/old(.*)", "/$1", "/old%5Cevil.org", "/%5Cevil.org"),
        ("/old(.*)", "/$1", "/old%09/evil.org", "/%09/evil.org"),
        ("/old/(.*)", "/$1/evil.org", "/old/", "/evil.org"),
        ("/old/(.*)", "/$1", "/old/https://evil.org", "/https://evil.org"),
        ("/old(.*)", r"/\$1", "/old/evil.org", "/%5C/evil.org"),
        ("/old(.*)", "https://example.org/$1", "/old@evil.org", "https://example.org/@evil.org"),
        // A field has one line.
        ("/old/(.*)", "/new/$1", "/old/%0D%0ASet-Cookie:%20a=b", "/new/%0D%0ASet-Cookie:%20a=b"),
        ("/old/((?s).*)", "/new?$1", "/old/%0D%0ASet-Cookie:%20a=b", "/new?%0D%0ASet-Cookie%3A%20a%3Db"),
        ("/old", "/new\r\nSet-Cookie: a=b", "/old", "/new%0D%0ASet-Cookie:%20a=b"),
    ];
    for (pattern, target, asked, want) in cases {
        let pattern = pattern.replace(".*", r"[\s\S]*");
        let answer = app(&pattern, target).get(asked);
        assert_eq!((answer.status(), location(&answer)), (307, want), "{pattern}={target}: {asked}");
        assert_eq!(answer.header("Set-Cookie"), None);
    }
}

#[test]
fn what_leads_nowhere_is_refused() {
    let cases = [
        ("/old", "new", r#"the target "new" is wrong: it begins with /, http:// or https://"#),
        ("/old", "", r#"the target "" is wrong: it begins with /, http:// or https://"#),
        ("/old", "$0", r#"the target "$0" is wrong: it begins with /, http:// or https://"#),
        (
            "/old",
            "javascript:alert(1)",
            r#"the target "javascript:alert(1)" is wrong: it begins with /, http:// or https://"#,
        ),
        (
            "/old",
            "//example.org",
            r#"the target "//example.org" is wrong: two slashes begin a host, which is better named with https:// before it"#,
        ),
        ("/old", "https:///new", r#"the target "https:///new" is wrong: the host in it is none"#),
        ("/old", "https://a@b/", r#"the target "https://a@b/" is wrong: the host in it is none"#),
        ("/old", "https://a b/", r#"the target "https://a b/" is wrong: the host in it is none"#),
        (
            "/old/(.*)",
            "https://a$1/",
            r#"the target "https://a$1/" is wrong: no group may stand in the host, so put a / before it"#,
        ),
        ("/old/(.*)", "/new/$2", r#"the target "/new/$2" is wrong: the pattern has no group 2"#),
        ("/old/(.*)", "/new?${name}", r#"the target "/new?${name}" is wrong: the pattern has no group name"#),
        ("/old/(.*)", "/new#${}", r#"the target "/new#${}" is wrong: the pattern has no group "#),
        (
            "/old/(.*)",
            "/new/$name",
            r#"the target "/new/$name" is wrong: after a $ comes a number, or a name as in ${name}; $$ is a dollar"#,
        ),
        (
            "/old/(.*)",
            "/new/${1",
            r#"the target "/new/${1" is wrong: after a $ comes a number, or a name as in ${name}; $$ is a dollar"#,
        ),
        ("/(a|b)", "/a", r#"the target "/a" is wrong: "/(a|b)" matches it too, and leads there without end"#),
        ("/a b", "/a%20b?c", r#"the target "/a%20b?c" is wrong: "/a b" matches it too, and leads there without end"#),
        ("/(", "/new", r#"the pattern "/(" is no regular expression: unclosed group"#),
        ("old", "/new", r#""old" matches no path: a path begins with /"#),
    ];
    for (pattern, target, want) in cases {
        let error = App::new().redirect(pattern, target).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(want), "{pattern}={target}");
    }
    for status in [200, 300, 303, 304, 404] {
        let redirect = Redirect::new("/old", "/new").unwrap();
        assert!(redirect.with_status(Status::new(status).unwrap()).is_err(), "{status}");
    }
}

#[test]
fn every_method_is_led_and_each_status_kept() {
    for status in [301, 302, 307, 308] {
        let mut app = App::new();
        let redirect = Redirect::new("/old", "/new").unwrap().with_status(Status::new(status).unwrap()).unwrap();
        app.add_redirect(redirect).unwrap();
        let mut client = MockClient::new(app);
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
            let answer = client.request(method, "/old").send();
            assert_eq!((answer.status(), location(&answer)), (status, "/new"), "{method}");
        }
        let answer = client.post("/old").body("what was sent").send();
        assert_eq!((answer.status(), location(&answer)), (status, "/new"));
    }
}

#[test]
fn a_redirect_has_its_place_among_the_routes() {
    let mut app = App::new();
    app.route("GET", "/first", |_: &Request<'_>| "a route").unwrap();
    app.redirect("/(first|second)", "/third").unwrap().route("GET", "/second", |_: &Request<'_>| "never").unwrap();
    assert!(app.redirect("/(first|second)", "/fourth").is_err());
    let mut client = MockClient::new(app);
    assert_eq!(client.get("/first").text(), "a route");
    assert_eq!(location(&client.get("/second")), "/third");
    assert_eq!(client.get("/third").status(), 404);
    assert_eq!(client.get("/first/more").status(), 404);
}
