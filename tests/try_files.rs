//! Static first: what is a file is a file, and all else is the application's.

use std::fs;

use ownhands::gateway::TryFiles;
use ownhands::testing::MockClient;
use ownhands::{App, Files, HttpError, Request, Resource, Response};

/// An application that says what it was asked for.
struct Echo;

impl Resource for Echo {
    fn allow(&self) -> &str {
        "*"
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let path = String::from_utf8_lossy(request.path_below_mount());
        Ok(Response::text(format!("application {} {path}", request.method)))
    }
}

/// A client of a directory with files before an application, at this path.
fn client(mount: &str, set_up: impl FnOnce(Files) -> Files) -> (tempfile::TempDir, MockClient<App>) {
    let site = tempfile::tempdir().unwrap();
    for directory in ["with-index", "without", "deep/er"] {
        fs::create_dir_all(site.path().join(directory)).unwrap();
    }
    for file in ["a.txt", "with-index/index.html", "deep/er/b.txt", ".hidden"] {
        fs::write(site.path().join(file), format!("file {file}")).unwrap();
    }
    let mut app = App::new();
    app.mount(mount, TryFiles::new(set_up(Files::new(site.path()).unwrap()), Echo)).unwrap();
    (site, MockClient::new(app))
}

#[test]
fn a_file_goes_first_and_all_else_is_the_applications() {
    let (site, mut client) = client("/", |files| files);
    let cases = [
        ("GET", "/a.txt", "file a.txt"),
        ("GET", "/a.txt?query", "file a.txt"),
        ("GET", "/deep/er/b.txt", "file deep/er/b.txt"),
        ("GET", "/with-index/", "file with-index/index.html"),
        ("GET", "/", "application GET /"),
        ("GET", "/without", "application GET /without"),
        ("GET", "/deep/er", "application GET /deep/er"),
        ("POST", "/with-index", "application POST /with-index"),
        ("GET", "/without/", "application GET /without/"),
        ("GET", "/without/?json", "application GET /without/"),
        ("GET", "/?tar", "application GET /"),
        ("GET", "/nothing", "application GET /nothing"),
        ("GET", "/a.txt/more", "application GET /a.txt/more"),
        ("GET", "/.hidden", "application GET /.hidden"),
        ("GET", "/deep%2Fer/b.txt", "application GET /deep/er/b.txt"),
        ("POST", "/a.txt", "application POST /a.txt"),
        ("PUT", "/with-index/", "application PUT /with-index/"),
        ("DELETE", "/nothing", "application DELETE /nothing"),
        ("PROPFIND", "/a.txt", "application PROPFIND /a.txt"),
    ];
    for (method, target, expected) in cases {
        let answer = client.request(method, target).send();
        assert_eq!((answer.status(), answer.text().as_str()), (200, expected), "{method} {target}");
    }
    // The address of an index page ends in a slash, and relative links in it count on that.
    let answer = client.get("/with-index?a");
    assert_eq!((answer.status(), answer.header("Location")), (301, Some("with-index/?a")));
    fs::remove_file(site.path().join("with-index/index.html")).unwrap();
    assert_eq!(client.get("/with-index?a").text(), "application GET /with-index");
    // Each is looked at anew.
    fs::write(site.path().join("nothing"), "file nothing").unwrap();
    fs::remove_file(site.path().join("a.txt")).unwrap();
    client.sleep(1);
    assert_eq!(client.get("/nothing").text(), "file nothing");
    assert_eq!(client.get("/a.txt").text(), "application GET /a.txt");
}

#[test]
fn a_file_is_served_as_files_are() {
    let (_site, mut client) = client("/", |files| files.with_header("X-From", "a file").unwrap());
    let whole = client.get("/a.txt");
    assert_eq!(whole.header("X-From"), Some("a file"));
    let tag = whole.header("ETag").unwrap().to_owned();
    assert_eq!(client.request("GET", "/a.txt").header("If-None-Match", &tag).send().status(), 304);
    let part = client.request("GET", "/a.txt").header("Range", "bytes=5-").send();
    assert_eq!((part.status(), part.text().as_str()), (206, "a.txt"));
    let head = client.request("HEAD", "/a.txt").send();
    assert_eq!((head.header("Content-Length"), head.text().as_str()), (Some("10"), ""));
    assert_eq!(client.get("/nothing").header("X-From"), None);
}

#[test]
fn below_a_path_both_see_what_is_below_it() {
    let (_site, mut client) = client("/app", Files::with_hidden);
    assert_eq!(client.get("/app/a.txt").text(), "file a.txt");
    assert_eq!(client.get("/app/.hidden").text(), "file .hidden");
    assert_eq!(client.get("/app/other").text(), "application GET /other");
    assert_eq!(client.get("/app").text(), "application GET ");
    assert_eq!(client.get("/a.txt").status(), 404);
}
