//! Files and listings: what a directory on disk looks like from outside.

use std::ffi::OsStr;
use std::fs::{self, File, FileTimes};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use ownhands::testing::{Answer, MockClient};
use ownhands::{App, Files};
use tempfile::TempDir;

/// A directory, and a client of an application that serves it under a prefix.
pub(crate) struct Site {
    pub(crate) directory: TempDir,
    pub(crate) client: MockClient<App>,
    prefix: &'static str,
}

/// Long after every file of these tests was made: their times are settled, and the cache keeps what it may.
pub(crate) const LATER: u64 = 20 * 365 * 86_400;

/// Sun, 06 Nov 1994 08:49:37 GMT.
pub(crate) const NOVEMBER_1994: Duration = Duration::from_secs(784_111_777);

impl Site {
    pub(crate) fn new() -> Site {
        Site::with("/", |files| files)
    }

    pub(crate) fn with(prefix: &'static str, change: impl FnOnce(Files) -> Files) -> Site {
        let directory = tempfile::tempdir().unwrap();
        let files = change(Files::new(directory.path()).unwrap());
        let mut app = App::new();
        app.mount(prefix, files).unwrap();
        let mut client = MockClient::new(app);
        client.sleep(LATER);
        Site { directory, client, prefix }
    }

    /// A site whose files were all made a moment ago, or even in the future: nothing of them is kept from turn to turn.
    pub(crate) fn of_today() -> Site {
        let directory = tempfile::tempdir().unwrap();
        let mut app = App::new();
        app.mount("/", Files::new(directory.path()).unwrap()).unwrap();
        Site { directory, client: MockClient::new(app), prefix: "/" }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target, "")
    }

    /// `fields` are lines, each ended by CR LF.
    pub(crate) fn ask(&mut self, method: &str, target: &str, fields: &str) -> Answer {
        let prefix = self.prefix.trim_end_matches('/');
        self.client.send(format!("{method} {prefix}{target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"), &[])
    }

    pub(crate) fn page(&mut self, target: &str) -> Answer {
        self.ask("GET", target, "Accept: text/html,*/*;q=0.8\r\n")
    }
}

/// Waits until the file system's clock has ticked: before Linux 6.13 all changes within some milliseconds get the same
/// time, and the dates of these tests lie so far ahead that every time is taken for settled.
pub(crate) fn tick() {
    std::thread::sleep(Duration::from_millis(20));
}

pub(crate) fn set_modified(path: &Path, time: Duration) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(UNIX_EPOCH + time)).unwrap();
}

pub(crate) fn name_of(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

// ---- resolve

/// A tree with something of everything, and a secret beside the root.
pub(crate) fn furnish(root: &Path) {
    fs::write(root.join("plain.txt"), "plain").unwrap();
    fs::write(root.join(".env"), "secret").unwrap();
    fs::create_dir_all(root.join("docs/deep")).unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::write(root.join(".git/config"), "secret").unwrap();
    fs::write(root.join("docs/index.html"), "<p>docs").unwrap();
    fs::write(root.join("docs/deep/file"), "deep").unwrap();
    fs::create_dir_all(root.join("index-is-a-directory/index.html")).unwrap();
    fs::create_dir_all(root.join("a:b")).unwrap();
    fs::create_dir_all(root.join("with space")).unwrap();
    fs::create_dir_all(root.join("..twodots")).unwrap();
    fs::write(root.join("percent%41.txt"), "percent").unwrap();
    fs::write(root.join(name_of(b"latin\xe9.txt")), "latin").unwrap();
    fs::write(root.join("plus+and space?#.txt"), "odd").unwrap();
    symlink("plain.txt", root.join("link-in")).unwrap();
    symlink("../plain.txt", root.join("docs/link-up")).unwrap();
    symlink("docs", root.join("link-to-directory")).unwrap();
    symlink("/etc/passwd", root.join("link-out")).unwrap();
    symlink("..", root.join("link-to-parent")).unwrap();
    symlink(root.join("plain.txt"), root.join("link-absolute")).unwrap();
    symlink(root.join("docs"), root.join("link-absolute-to-directory")).unwrap();
    symlink(root, root.join("link-to-root")).unwrap();
    symlink(root.join(".."), root.join("docs/link-above-root")).unwrap();
    let itself = Path::new("..").join(root.file_name().unwrap());
    symlink(itself.join("plain.txt"), root.join("link-out-and-in")).unwrap();
    symlink("/dev/null", root.join("link-to-device")).unwrap();
    symlink("nowhere", root.join("link-dangling")).unwrap();
    symlink("link-loop", root.join("link-loop")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
}

const BY_PATH: &[(&str, u16, &str)] = &[
    ("/plain.txt", 200, "plain"),
    ("/plain%2Etxt", 200, "plain"),
    ("/docs/", 200, "<p>docs"),
    ("/docs/index.html", 200, "<p>docs"),
    ("/docs/deep/file", 200, "deep"),
    ("/percent%2541.txt", 200, "percent"),
    ("/latin%E9.txt", 200, "latin"),
    ("/plus+and%20space%3F%23.txt", 200, "odd"),
    ("/link-in", 200, "plain"),
    ("/docs/link-up", 200, "plain"),
    ("/link-to-directory/", 200, "<p>docs"),
    ("/link-to-directory/deep/file", 200, "deep"),
    ("/link-absolute", 200, "plain"),
    ("/link-absolute-to-directory/", 200, "<p>docs"),
    ("/link-absolute-to-directory/deep/file", 200, "deep"),
    ("/link-absolute-to-directory", 301, "link-absolute-to-directory/"),
    ("/link-to-root/plain.txt", 200, "plain"),
    ("/link-to-root/", 200, ""),
    ("/link-out-and-in", 200, "plain"),
    ("/docs/link-above-root/", 404, ""),
    ("/link-absolute/", 404, ""),
    ("/index-is-a-directory/", 200, ""),
    ("/docs", 301, "docs/"),
    ("/docs?a=b&c", 301, "docs/?a=b&c"),
    ("/docs/deep", 301, "deep/"),
    ("/a:b", 301, "./a:b/"),
    ("/with%20space", 301, "with%20space/"),
    ("/link-to-directory", 301, "link-to-directory/"),
    ("/missing", 404, ""),
    ("/missing/", 404, ""),
    ("/plain.txt/", 404, ""),
    ("/plain.txt/more", 404, ""),
    ("/.env", 404, ""),
    ("/%2Eenv", 404, ""),
    ("/.git/", 404, ""),
    ("/.git", 404, ""),
    ("/.git/config", 404, ""),
    ("/..twodots/", 404, ""),
    ("/docs%2Findex.html", 404, ""),
    ("/docs%2findex.html", 404, ""),
    ("/docs%2F", 404, ""),
    ("//plain.txt", 404, ""),
    ("/docs//index.html", 404, ""),
    ("//example.org/", 404, ""),
    ("//docs", 404, ""),
    ("/link-out", 404, ""),
    ("/link-to-parent/", 404, ""),
    ("/link-to-parent", 404, ""),
    ("/link-to-device", 404, ""),
    ("/link-dangling", 404, ""),
    ("/link-loop", 404, ""),
    ("/pipe", 404, ""),
    ("/socket", 404, ""),
    ("/..", 400, ""),
    ("/docs/../plain.txt", 400, ""),
    ("/%2e%2e/x", 400, ""),
    ("/a%00b", 400, ""),
    ("/a%zz", 400, ""),
];

fn check_by_path(site: &mut Site) {
    furnish(site.directory.path());
    // Twice: from the disk, and from the cache.
    for (target, status, wanted) in BY_PATH.iter().chain(BY_PATH) {
        let answer = site.get(target);
        assert_eq!(answer.status(), *status, "{target}");
        match status {
            200 if !wanted.is_empty() => assert_eq!(answer.text(), *wanted, "{target}"),
            301 => assert_eq!(answer.header("location"), Some(*wanted), "{target}"),
            404 => assert!(!answer.text().contains("secret") && !answer.text().contains("dot"), "{target}"),
            _ => {}
        }
    }
    for length in [255, 256, 4096, 7000] {
        let target = format!("/{}", "n".repeat(length));
        assert_eq!(site.get(&target).status(), 404, "a name of {length} bytes");
    }
}

#[test]
fn every_path_has_its_status() {
    check_by_path(&mut Site::new());
}

#[test]
fn every_path_has_its_status_under_a_prefix() {
    check_by_path(&mut Site::with("/a/b", |files| files));
}

#[test]
fn every_path_has_its_status_without_openat2() {
    check_by_path(&mut Site::with("/", Files::by_canonical_paths));
}

#[test]
fn a_mount_without_its_slash_redirects() {
    let mut site = Site::with("/files", |files| files);
    site.write("a.txt", "a");
    let answer = site.get("?q");
    assert_eq!((answer.status(), answer.header("location")), (301, Some("files/?q")));
}

#[test]
fn what_is_missing_and_what_is_withheld_look_the_same() {
    let mut site = Site::new();
    furnish(site.directory.path());
    let missing = site.get("/missing").text().replace("missing", "");
    for name in [".env", "link-out", "pipe", "link-to-device"] {
        assert_eq!(site.get(&format!("/{name}")).text().replace(name, ""), missing, "{name}");
    }
}

#[test]
fn hidden_files_are_served_on_demand() {
    let mut site = Site::with("/", Files::with_hidden);
    furnish(site.directory.path());
    assert_eq!(site.get("/.env").text(), "secret");
    assert!(site.get("/").text().contains("  .git/\n"));
    assert!(!site.get("/").text().contains("../"));
}

#[test]
fn a_directory_without_index_and_listing_is_missing() {
    let mut site = Site::with("/", |files| files.without_listing().with_index("start.txt"));
    site.write("index.html", "not this one");
    assert_eq!(site.get("/").status(), 404);
    site.write("start.txt", "start");
    let answer = site.get("/");
    assert_eq!((answer.text().as_str(), answer.header("content-type")), ("start", Some("text/plain; charset=utf-8")));
}

#[test]
fn only_get_and_head_are_allowed() {
    let mut site = Site::new();
    site.write("a.txt", "content");
    let answer = site.ask("DELETE", "/a.txt", "");
    assert_eq!(answer.status(), 405);
    assert!(answer.header("allow").unwrap().starts_with("GET, HEAD"));
    let answer = site.ask("HEAD", "/a.txt", "");
    assert_eq!((answer.status(), answer.header("content-length"), answer.body()), (200, Some("7"), &b""[..]));
}

#[test]
fn what_the_server_may_not_read_is_forbidden() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        return; // Nothing is forbidden to root.
    }
    let mut site = Site::new();
    site.write("locked.txt", "x");
    site.write("closed/in.txt", "x");
    fs::set_permissions(site.path("locked.txt"), fs::Permissions::from_mode(0o0)).unwrap();
    fs::set_permissions(site.path("closed"), fs::Permissions::from_mode(0o0)).unwrap();
    assert_eq!(site.get("/locked.txt").status(), 403);
    assert_eq!(site.get("/closed/in.txt").status(), 403);
    assert!(site.get("/").text().contains("locked.txt  (no permission)"));
    fs::set_permissions(site.path("closed"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_root_that_cannot_be_served_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    furnish(directory.path());
    for path in ["pipe", "socket", "missing"].map(|name| directory.path().join(name)) {
        let error = Files::new(&path).unwrap_err().to_string();
        assert!(error.starts_with(path.to_str().unwrap()), "{error}");
    }
}

// ---- what goes with a file

#[test]
fn media_types_go_by_the_name() {
    let mut site = Site::new();
    for (name, wanted) in [
        ("a.html", "text/html; charset=utf-8"),
        ("a.HTM", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.xhtml", "application/xhtml+xml"),
        ("a.wasm", "application/wasm"),
        ("a.woff", "font/woff"),
        ("a.woff2", "font/woff2"),
        ("a.webp", "image/webp"),
        ("a.avif", "image/avif"),
        ("a.mp4", "video/mp4"),
        ("a.ts", "text/plain; charset=utf-8"),
        ("a.rs", "text/plain; charset=utf-8"),
        ("a.md", "text/plain; charset=utf-8"),
        ("a.toml", "text/plain; charset=utf-8"),
        ("a.log", "text/plain; charset=utf-8"),
        ("README", "text/plain; charset=utf-8"),
        ("Makefile", "text/plain; charset=utf-8"),
        ("a.tar.gz", "application/gzip"),
        ("unknown", "application/octet-stream"),
        ("a.strange", "application/octet-stream"),
    ] {
        site.write(name, "x");
        assert_eq!(site.get(&format!("/{name}")).header("content-type"), Some(wanted), "{name}");
    }
}

#[test]
fn a_file_goes_out_with_its_validators() {
    let mut site = Site::new();
    site.write("a.txt", "content");
    set_modified(&site.path("a.txt"), NOVEMBER_1994);
    let answer = site.get("/a.txt");
    for (name, wanted) in [
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("accept-ranges", "bytes"),
        ("cache-control", "no-cache"),
        ("x-content-type-options", "nosniff"),
        ("content-length", "7"),
    ] {
        assert_eq!(answer.header(name), Some(wanted), "{name}");
    }
    let tag = answer.header("etag").unwrap();
    assert!(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
}

#[test]
fn a_time_in_the_future_is_sent_as_now() {
    let mut site = Site::new();
    site.write("a.txt", "content");
    set_modified(&site.path("a.txt"), Duration::from_secs(200 * 365 * 86_400));
    let answer = site.get("/a.txt");
    assert_eq!(answer.header("last-modified"), answer.header("date"));
}

#[test]
fn files_of_every_length_arrive_whole() {
    let mut site = Site::new();
    for length in [0, 1, 1024, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 1_000_003] {
        let content: Vec<u8> = (0..length).map(|at: u32| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
        site.write("a.bin", &content);
        assert!(site.get("/a.bin").body() == content, "{length} bytes");
        assert!(site.get("/a.bin").body() == content, "{length} bytes, again");
    }
}

// ---- conditional

#[test]
fn conditions_are_weighed_in_order() {
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    let mut site = Site::new();
    site.write("a.txt", "content");
    set_modified(&site.path("a.txt"), NOVEMBER_1994);
    let tag = site.get("/a.txt").header("etag").unwrap().to_owned();
    for (fields, wanted) in [
        (format!("If-None-Match: {tag}\r\n"), 304),
        (format!("If-None-Match: W/{tag}\r\n"), 304),
        (format!("If-None-Match: \"a\", W/\"b,c\" ,{tag}\r\n"), 304),
        (format!("If-None-Match: \"a\"\r\nIf-None-Match: {tag}\r\n"), 304),
        ("If-None-Match: *\r\n".to_owned(), 304),
        ("If-None-Match: \"a\"\r\n".to_owned(), 200),
        (format!("If-None-Match: {}\r\n", tag.trim_matches('"')), 200),
        (format!("If-Modified-Since: {DATE}\r\n"), 304),
        ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n".to_owned(), 304),
        (format!("If-Modified-Since: {BEFORE}\r\n"), 200),
        ("If-Modified-Since: yesterday\r\n".to_owned(), 200),
        (format!("If-None-Match: \"a\"\r\nIf-Modified-Since: {DATE}\r\n"), 200),
        (format!("If-None-Match: {tag}\r\nIf-Modified-Since: {BEFORE}\r\n"), 304),
        (format!("If-Match: {tag}\r\n"), 200),
        ("If-Match: *\r\n".to_owned(), 200),
        (format!("If-Match: W/{tag}\r\n"), 412),
        ("If-Match: \"a\"\r\n".to_owned(), 412),
        (format!("If-Unmodified-Since: {DATE}\r\n"), 200),
        (format!("If-Unmodified-Since: {BEFORE}\r\n"), 412),
        (format!("If-Match: {tag}\r\nIf-Unmodified-Since: {BEFORE}\r\n"), 200),
        (format!("If-Match: {tag}\r\nIf-None-Match: {tag}\r\n"), 304),
        (format!("If-Match: \"a\"\r\nIf-None-Match: {tag}\r\n"), 412),
        (format!("If-None-Match: {tag}\r\nRange: bytes=0-1\r\n"), 304),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = site.ask(method, "/a.txt", &fields);
            assert_eq!(answer.status(), wanted, "{method} {fields}");
            if wanted == 304 {
                assert_eq!(answer.header("etag"), Some(tag.as_str()));
                assert_eq!(answer.header("last-modified"), Some(DATE));
                assert_eq!(answer.header("cache-control"), Some("no-cache"));
                assert!(answer.header("date").is_some());
                assert_eq!(answer.body(), b"");
            }
        }
    }
}

// ---- freshness

#[test]
fn the_next_request_sees_every_change() {
    for (padding, is_settled) in [(0, true), (40_000, true), (0, false), (40_000, false)] {
        let mut site = if is_settled { Site::new() } else { Site::of_today() };
        let content = |text: &str| format!("{text}{}", " ".repeat(padding));
        let mut tags = Vec::new();
        let mut check = |site: &mut Site, wanted: &str, why: &str| {
            for _ in 0..2 {
                let answer = site.get("/a.txt");
                assert_eq!(answer.text().trim_end(), wanted, "{why}, padding {padding}, settled {is_settled}");
                tags.push(answer.header("etag").unwrap().to_owned());
            }
        };
        assert_eq!(site.get("/a.txt").status(), 404);
        tick();
        site.write("a.txt", content("created"));
        check(&mut site, "created", "created between two requests");
        site.write("a.txt", content("rewritten in place"));
        check(&mut site, "rewritten in place", "rewritten");
        site.write("b.txt", content("replaced by another"));
        fs::rename(site.path("b.txt"), site.path("a.txt")).unwrap();
        check(&mut site, "replaced by another", "replaced");
        site.write("b.txt", content("replaced, same length"));
        let modified = fs::metadata(site.path("a.txt")).unwrap().modified().unwrap();
        set_modified(&site.path("b.txt"), modified.duration_since(UNIX_EPOCH).unwrap());
        fs::rename(site.path("b.txt"), site.path("a.txt")).unwrap();
        check(&mut site, "replaced, same length", "replaced by one of the same time");
        tags.dedup();
        assert_eq!(tags.len(), 4, "every version has a tag of its own: {tags:?}");

        fs::remove_file(site.path("a.txt")).unwrap();
        assert_eq!(site.get("/a.txt").status(), 404, "deleted");
        fs::create_dir(site.path("a.txt")).unwrap();
        assert_eq!(site.get("/a.txt").status(), 301, "now a directory");
    }
}

#[test]
fn an_index_page_that_comes_or_goes_is_seen_at_once() {
    let mut site = Site::new();
    site.write("docs/a.txt", "a");
    for _ in 0..2 {
        assert!(site.get("/docs/").text().contains("a.txt"));
    }
    tick();
    site.write("docs/index.html", "index");
    assert_eq!(site.get("/docs/").text(), "index");
    assert_eq!(site.get("/docs/").text(), "index");
    fs::remove_file(site.path("docs/index.html")).unwrap();
    for _ in 0..2 {
        assert!(site.get("/docs/").text().contains("a.txt"));
    }
    // Nothing of the directory changes when what a link leads to comes.
    symlink("../there.html", site.path("docs/index.html")).unwrap();
    for _ in 0..2 {
        assert!(site.get("/docs/").text().contains("dangling link"));
    }
    site.write("there.html", "linked");
    assert_eq!(site.get("/docs/").text(), "linked");
}

#[test]
fn what_was_missing_is_found_by_the_next_turn() {
    for is_settled in [true, false] {
        let mut site = if is_settled { Site::new() } else { Site::of_today() };
        fs::create_dir(site.path("docs")).unwrap();
        symlink("../there.txt", site.path("docs/link.txt")).unwrap();
        let lacks = |site: &mut Site, target: &str| {
            for _ in 0..3 {
                assert_eq!(site.get(target).text(), "404 Not Found: there is nothing here\n", "{target}");
            }
            tick();
        };
        lacks(&mut site, "/docs/a.txt");
        site.write("docs/a.txt", "a");
        assert_eq!(site.get("/docs/a.txt").text(), "a", "settled {is_settled}");
        lacks(&mut site, "/docs/page");
        site.write("docs/page.html", "page");
        assert_eq!(site.get("/docs/page").text(), "page", "settled {is_settled}");
        lacks(&mut site, "/docs/link.txt");
        site.write("there.txt", "linked");
        assert_eq!(site.get("/docs/link.txt").text(), "linked", "settled {is_settled}");
        lacks(&mut site, "/new/deep/a.txt");
        site.write("new/deep/a.txt", "deep");
        assert_eq!(site.get("/new/deep/a.txt").text(), "deep", "settled {is_settled}");
        // Another directory of the same name.
        lacks(&mut site, "/new/deep/b.txt");
        site.write("newer/deep/b.txt", "newer");
        fs::rename(site.path("new"), site.path("old")).unwrap();
        fs::rename(site.path("newer"), site.path("new")).unwrap();
        assert_eq!(site.get("/new/deep/b.txt").text(), "newer", "settled {is_settled}");
        lacks(&mut site, "/x");
        site.write("404.html", "lost");
        assert_eq!(site.get("/x").text(), "lost", "settled {is_settled}");
    }
}

#[test]
fn many_that_are_missing_are_found_when_they_come() {
    let mut site = Site::new();
    for round in 0..2 {
        for number in 0..20 {
            assert_eq!(site.get(&format!("/{number}")).status(), 404, "{round}");
        }
    }
    tick();
    for number in 0..20 {
        site.write(&number.to_string(), "here");
        assert_eq!(site.get(&format!("/{number}")).text(), "here");
    }
}

#[test]
fn one_turn_asks_the_disk_once_for_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let (path, mut app) = (directory.path().join("a.txt"), App::new());
    app.route("GET", "/make", move |_: &ownhands::Request<'_>| fs::write(&path, "a").map(|()| "made")).unwrap();
    app.mount("/", Files::new(directory.path()).unwrap()).unwrap();
    let mut client = MockClient::new(app);
    let asked = ["/a.txt", "/make", "/a.txt"].map(|target| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
    client.deliver(asked.concat(), &[]);
    let statuses: Vec<_> =
        asked.iter().filter_map(|_| client.next_answer(false)).map(|answer| answer.status()).collect();
    assert_eq!(statuses, [404, 200, 404]);
    assert_eq!(client.get("/a.txt").text(), "a");
}

#[test]
fn a_kept_file_that_becomes_a_link_out_is_refused() {
    let mut site = Site::new();
    let outside = tempfile::tempdir().unwrap();
    site.write("a/b.txt", "inside");
    fs::write(outside.path().join("b.txt"), "outside").unwrap();
    assert_eq!(site.get("/a/b.txt").text(), "inside");
    fs::rename(site.path("a"), site.path("c")).unwrap();
    symlink(outside.path(), site.path("a")).unwrap();
    assert_eq!(site.get("/a/b.txt").status(), 404);
}

#[test]
fn more_files_than_the_cache_holds_are_all_served() {
    let mut site = Site::new();
    for number in 0..1500 {
        site.write(&format!("{number}.txt"), number.to_string());
    }
    for _ in 0..2 {
        for number in 0..1500 {
            assert_eq!(site.get(&format!("/{number}.txt")).text(), number.to_string());
        }
    }
}

#[test]
fn more_long_files_than_descriptors_kept_are_all_served() {
    let mut site = Site::new();
    for number in 0..300 {
        site.write(&format!("{number}.bin"), format!("{number:>40000}"));
    }
    for number in (0..300).chain(0..300) {
        assert_eq!(site.get(&format!("/{number}.bin")).text().trim_start(), number.to_string());
    }
    let open = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    assert!(open < 300 + 256, "{open} descriptors are open");
}
