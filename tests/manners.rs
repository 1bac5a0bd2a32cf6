//! What people expect of a server for web sites: pages without endings, a page for 404, encoded
//! forms, headers of one's own.

use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use ownhands::testing::{Answer, MockClient};
use ownhands::{App, Files};
use tempfile::TempDir;

use crate::files::tick;

const LATER: u64 = 20 * 365 * 86_400;

struct Site {
    directory: TempDir,
    client: MockClient<App>,
}

impl Site {
    fn with(files: &[(&str, &str)], change: impl FnOnce(Files) -> Files) -> Site {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let mut app = App::new();
        app.mount("/", change(Files::new(directory.path()).unwrap())).unwrap();
        let mut client = MockClient::new(app);
        client.sleep(LATER);
        Site { directory, client }
    }

    fn new(files: &[(&str, &str)]) -> Site {
        Site::with(files, |files| files)
    }

    fn ask(&mut self, target: &str, fields: &str) -> Answer {
        self.client.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"), &[])
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }
}

fn set_modified(path: &Path, seconds: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(seconds))).unwrap();
}

#[test]
fn a_page_is_found_without_its_ending() {
    let pages = [
        ("about.html", "about"),
        ("docs/index.html", "docs"),
        ("docs.html", "other"),
        ("docs/a.html", "a"),
        (".b.html", "b"),
    ];
    let mut site = Site::new(&pages);
    for (target, status, text) in [
        ("/about", 200, "about"),
        ("/about?query", 200, "about"),
        ("/about.html", 200, "about"),
        ("/docs/a", 200, "a"),
        ("/docs", 301, ""), // what is there goes first
        ("/about/", 404, ""),
        ("/abou", 404, ""),
        ("/.b", 404, ""),
    ] {
        for _ in 0..2 {
            let answer = site.client.get(target);
            assert_eq!(answer.status(), status, "{target}");
            assert!(status != 200 || answer.text() == text, "{target}");
        }
    }
    assert_eq!(site.client.get("/about").header("Content-Type"), Some("text/html; charset=utf-8"));
    // What has the very name goes first, from the next request on; and so does its encoded form.
    assert_eq!(site.ask("/about", "Accept-Encoding: gzip\r\n").text(), "about");
    tick();
    fs::write(site.path("about.html.gz"), "page in gz").unwrap();
    assert_eq!(site.ask("/about", "Accept-Encoding: gzip\r\n").text(), "page in gz");
    fs::write(site.path("about"), "itself").unwrap();
    fs::write(site.path("about.gz"), "itself in gz").unwrap();
    assert_eq!(site.client.get("/about").text(), "itself");
    assert_eq!(site.ask("/about", "Accept-Encoding: gzip\r\n").text(), "itself in gz");
    fs::remove_file(site.path("about")).unwrap();
    assert_eq!(site.client.get("/about").text(), "about");
    fs::create_dir(site.path("about")).unwrap();
    assert_eq!(site.client.get("/about").status(), 301);
}

#[test]
fn a_page_of_its_own_is_shown_for_what_is_missing() {
    let mut site = Site::new(&[("404.html", "<h1>lost</h1>"), ("docs/404.html", "not this one")]);
    for target in ["/x", "/docs/x", "/.env", "/a/b/c"] {
        let answer = site.client.get(target);
        assert_eq!((answer.status(), answer.text().as_str()), (404, "<h1>lost</h1>"), "{target}");
        assert_eq!(answer.header("Content-Type"), Some("text/html; charset=utf-8"));
        assert_eq!((answer.header("ETag"), answer.header("Cache-Control")), (None, None));
    }
    let answer = site.client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    assert_eq!((answer.status(), answer.header("Content-Length"), answer.body()), (404, Some("13"), &b""[..]));
    assert_eq!(site.ask("/x", "Range: bytes=0-1\r\nIf-None-Match: *\r\n").status(), 404);
    assert_eq!(site.client.get("/404.html").status(), 200);
    fs::remove_file(site.path("404.html")).unwrap();
    assert_eq!(site.client.get("/x").text(), "404 Not Found: there is nothing here\n");
    tick();
    fs::write(site.path("404.html"), "again").unwrap();
    assert_eq!(site.client.get("/x").text(), "again");
}

#[test]
fn an_application_of_one_page_answers_for_its_places() {
    let files = [("index.html", "app"), ("main.js", "js"), ("404.html", "lost"), ("docs/index.html", "docs")];
    let mut site = Site::with(&files, Files::with_application);
    const HTML: &str = "Accept: text/html,*/*;q=0.8\r\n";
    for (target, fields, status, text) in [
        ("/", "", 200, "app"),
        ("/users", "", 200, "app"),
        ("/users/7/edit?x", HTML, 200, "app"),
        ("/john.doe", HTML, 200, "app"),
        ("/john.doe", "", 404, "lost"),
        ("/old.js", "Accept: */*\r\n", 404, "lost"),
        ("/main.js", HTML, 200, "js"),
        ("/docs/", "", 200, "docs"),
        ("/docs/nothing", "", 200, "app"),
    ] {
        let answer = site.ask(target, fields);
        assert_eq!((answer.status(), answer.text().as_str()), (status, text), "{target}");
    }
    assert_eq!(site.ask("/users", "").header("Vary"), Some("Accept"));
    let tag = site.ask("/users", "").header("ETag").unwrap().to_owned();
    assert_eq!(site.ask("/users", &format!("If-None-Match: {tag}\r\n")).status(), 304);
    let without_index = &mut Site::with(&[("a.txt", "a")], Files::with_application);
    assert_eq!(without_index.ask("/users", "").status(), 404);
}

#[test]
fn an_encoded_form_beside_the_file_is_sent_to_who_takes_it() {
    let forms =
        [("app.js", "plain"), ("app.js.br", "BR"), ("app.js.gz", "GZ"), ("app.js.zst", "ZST"), ("alone.js", "alone")];
    let mut site = Site::new(&forms);
    for (accept, coding, text) in [
        ("", None, "plain"),
        ("Accept-Encoding: identity\r\n", None, "plain"),
        ("Accept-Encoding: gzip, deflate, br, zstd\r\n", Some("br"), "BR"),
        ("Accept-Encoding: gzip, zstd\r\n", Some("zstd"), "ZST"),
        ("Accept-Encoding: x-gzip\r\n", Some("gzip"), "GZ"),
        ("Accept-Encoding: br;q=0, *\r\n", Some("zstd"), "ZST"),
        ("Accept-Encoding: gzip;q=0.5, identity\r\n", None, "plain"),
        ("Accept-Encoding: deflate\r\n", None, "plain"),
    ] {
        for _ in 0..2 {
            let answer = site.ask("/app.js", accept);
            assert_eq!((answer.header("Content-Encoding"), answer.text().as_str()), (coding, text), "{accept}");
            assert_eq!(answer.header("Content-Type"), Some("text/javascript; charset=utf-8"), "{accept}");
            assert_eq!(answer.header("Vary"), Some("Accept-Encoding"), "{accept}");
            // Each form has a tag of its own, and is asked for by it.
            let tag = answer.header("ETag").unwrap().to_owned();
            let again = site.ask("/app.js", &format!("{accept}If-None-Match: {tag}\r\n"));
            assert_eq!((again.status(), again.header("Vary")), (304, Some("Accept-Encoding")), "{accept}");
        }
    }
    const GZIP: &str = "Accept-Encoding: gzip\r\n";
    let part = site.ask("/app.js", &format!("{GZIP}Range: bytes=1-\r\n"));
    assert_eq!((part.status(), part.text().as_str(), part.header("Content-Range")), (206, "Z", Some("bytes 1-1/2")));
    // Asked for by its own name it is what it is.
    let own = site.ask("/app.js.gz", GZIP);
    assert_eq!((own.header("Content-Encoding"), own.header("Content-Type")), (None, Some("application/gzip")));
    let alone = site.ask("/alone.js", GZIP);
    assert_eq!((alone.text().as_str(), alone.header("Vary")), ("alone", None));
}

#[test]
fn an_encoded_form_comes_and_goes_by_the_next_request() {
    let mut site = Site::new(&[("app.js", "plain")]);
    const GZIP: &str = "Accept-Encoding: gzip\r\n";
    set_modified(&site.path("app.js"), 1_000_000);
    for _ in 0..2 {
        assert_eq!(site.ask("/app.js", GZIP).text(), "plain");
    }
    tick();
    fs::write(site.path("app.js.gz"), "GZ").unwrap();
    assert_eq!(site.ask("/app.js", GZIP).text(), "GZ");
    // Older than the file, it was made of something else.
    set_modified(&site.path("app.js.gz"), 999_999);
    assert_eq!(site.ask("/app.js", GZIP).text(), "plain");
    set_modified(&site.path("app.js.gz"), 1_000_000);
    assert_eq!(site.ask("/app.js", GZIP).text(), "GZ");
    fs::write(site.path("app.js.gz"), "ZG").unwrap();
    assert_eq!(site.ask("/app.js", GZIP).text(), "ZG");
    fs::remove_file(site.path("app.js.gz")).unwrap();
    assert_eq!(site.ask("/app.js", GZIP).text(), "plain");
    fs::create_dir(site.path("app.js.gz")).unwrap();
    assert_eq!(site.ask("/app.js", GZIP).text(), "plain");
}

#[test]
fn a_hidden_form_is_not_sent() {
    let mut site = Site::with(&[("a.js", "plain"), ("a.js.gz", "GZ")], |files| files.without("*.gz").unwrap());
    assert_eq!(site.ask("/a.js", "Accept-Encoding: gzip\r\n").text(), "plain");
}

#[test]
fn headers_of_ones_own_go_with_what_is_served() {
    let files = [("a.txt", "abc"), ("docs/b.txt", "b")];
    let mut site = Site::with(&files, |files| {
        let files = files.with_cache(Duration::from_secs(60)).with_header("Access-Control-Allow-Origin", "*").unwrap();
        files.with_header("Link", "</a>").unwrap().with_header("Link", "</b>").unwrap()
    });
    let tag = site.client.get("/a.txt").header("ETag").unwrap().to_owned();
    for (target, fields, status, cache) in [
        ("/a.txt", "", 200, Some("max-age=60")),
        ("/a.txt", "Range: bytes=1-1\r\n", 206, Some("max-age=60")),
        ("/a.txt", &*format!("If-None-Match: {tag}\r\n"), 304, Some("max-age=60")),
        ("/docs/", "", 200, Some("no-cache")),
        ("/docs", "", 301, Some("no-cache")),
    ] {
        let answer = site.ask(target, fields);
        assert_eq!((answer.status(), answer.header("Cache-Control")), (status, cache), "{target} {fields}");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"), "{target} {fields}");
        let links = answer.headers().filter(|(name, _)| *name == "Link").count();
        assert_eq!(links, 2, "{target} {fields}");
    }
    assert_eq!(site.client.get("/x").header("Access-Control-Allow-Origin"), None);
    let mut own = Site::with(&files, |files| {
        let files = files.with_header("Cache-Control", "private").unwrap();
        files.with_header("x-content-type-options", "off").unwrap()
    });
    let answer = own.client.get("/a.txt");
    let count = |name: &str| answer.headers().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count();
    assert_eq!((answer.header("Cache-Control"), count("cache-control")), (Some("private"), 1));
    assert_eq!((answer.header("X-Content-Type-Options"), count("x-content-type-options")), (Some("off"), 1));
}

#[test]
fn a_header_that_cannot_be_is_refused_when_it_is_set() {
    let directory = tempfile::tempdir().unwrap();
    for (name, value, why) in [
        ("ETag", "x", "follows from the file"),
        ("content-type", "x", "follows from the file"),
        ("Vary", "x", "follows from the file"),
        ("Content-Length", "x", "the server's own"),
        ("a b", "x", "no header name"),
        ("", "x", "no header name"),
        ("X", "a\r\nb", "control character"),
    ] {
        let error = Files::new(directory.path()).unwrap().with_header(name, value).unwrap_err().to_string();
        assert!(error.contains(why), "{name}: {error}");
    }
}
