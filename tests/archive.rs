//! A directory as one archive, and as a list of addresses: what is in them is what is on disk, and what may be had.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, FileTimes, Permissions};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use ownhands::files::Links;
use ownhands::testing::{Answer, MockClient};
use ownhands::{App, Files, Fragment, HttpError, Request, Response, Service};
use tar::EntryType;
use tempfile::TempDir;

/// A client of these files, mounted under a prefix.
fn client(prefix: &str, files: Files) -> MockClient<App> {
    let mut app = App::new();
    app.mount(prefix, files).unwrap();
    MockClient::new(app)
}

/// A client of a directory.
fn serve(directory: &TempDir) -> MockClient<App> {
    client("/", Files::new(directory.path()).unwrap())
}

fn write(directory: &TempDir, name: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    let path = directory.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// What an entry is: its kind, its content or its target, its mode, and its time.
type Kept = (EntryType, Vec<u8>, u32, u64);

/// The entries of an archive, by name, in bytes.
fn unpack(archive: &[u8]) -> BTreeMap<Vec<u8>, Kept> {
    assert_eq!(archive.len() % 512, 0);
    assert!(archive.ends_with(&[0; 1024]), "there is no end");
    let mut entries = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!((header.username_bytes(), header.groupname_bytes()), (Some(&b""[..]), Some(&b""[..])));
        let (kind, mode, time) = (header.entry_type(), header.mode().unwrap(), header.mtime().unwrap());
        let name = entry.path_bytes().into_owned();
        let mut content = entry.link_name_bytes().map(|target| target.into_owned()).unwrap_or_default();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!(entries.insert(name, (kind, content, mode, time)), None, "an entry is there twice");
    }
    entries
}

/// What an archive of a directory should have in it, below `top`.
fn expected(directory: &Path, top: &[u8]) -> BTreeMap<Vec<u8>, Kept> {
    let mut entries = BTreeMap::new();
    let mut rest = vec![(PathBuf::from(directory), top.to_vec())];
    while let Some((path, mut name)) = rest.pop() {
        let facts = fs::symlink_metadata(&path).unwrap();
        let (kind, content) = if facts.is_dir() {
            name.push(b'/');
            for entry in fs::read_dir(&path).unwrap().map(Result::unwrap) {
                rest.push((entry.path(), [name.as_slice(), entry.file_name().as_bytes()].concat()));
            }
            (EntryType::Directory, Vec::new())
        } else if facts.is_symlink() {
            (EntryType::Symlink, fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec())
        } else {
            (EntryType::Regular, fs::read(&path).unwrap())
        };
        let time = facts.modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs();
        entries.insert(name, (kind, content, facts.permissions().mode() & 0o7777, time));
    }
    entries
}

/// The names in an archive, as text.
fn names(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status(), 200, "{}", answer.text());
    unpack(answer.body()).keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

fn lines(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let mut lines: Vec<String> = answer.text().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Names that are long, that lie deep, or that are no text.
fn hard_tree() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let long = "n".repeat(255);
    let (deep, deeper) = (vec!["deep"; 30].join("/"), vec!["deeper-still"; 60].join("/"));
    let exact = |length: usize| "e".repeat(length - "files/".len());
    for name in
        ["plain", "a space", "100%", "line\nbreak", "back\\slash", "C:", "\u{fc}\u{e4}", "dots..", "one/two/three"]
    {
        write(&directory, name, name);
    }
    for name in [long.clone(), format!("{long}/{long}/{long}"), deep + "/file", deeper + "/file"] {
        let name = if name == long { format!("x/{name}") } else { name };
        write(&directory, &name, &name);
    }
    for length in [99, 100, 101] {
        write(&directory, exact(length), length.to_string());
    }
    let raw = OsStr::from_bytes(b"\xff\xfe");
    write(&directory, raw, "no text");
    write(&directory, OsStr::from_bytes(&[0xe9; 255]), "no text, and long");
    write(&directory, Path::new(OsStr::from_bytes(&[0xe9; 120])).join(raw), "no text on the way");
    for size in [0, 1, 511, 512, 513, 65_536, 200_000] {
        write(&directory, format!("sizes/{size}"), vec![b's'; size]);
    }
    fs::create_dir_all(directory.path().join("empty/within")).unwrap();
    let up = vec!["../deep"; 40].join("/");
    for (target, name) in [
        ("plain", "relative"),
        ("/etc/hostname", "absolute"),
        ("nowhere", "dangling"),
        ("one", "to a directory"),
        (".", "circle"),
        ("a//b/./../c/", "as it is"),
        (up.as_str(), "far"),
        (&"t".repeat(100), "exact"),
    ] {
        symlink(target, directory.path().join(name)).unwrap();
    }
    symlink(OsStr::from_bytes(&[0xfe; 130]), directory.path().join(OsStr::from_bytes(b"raw\xff"))).unwrap();
    directory
}

#[test]
fn an_archive_has_in_it_what_the_directory_has() {
    let directory = hard_tree();
    let path = |name: &str| directory.path().join(name);
    for (name, mode, seconds) in
        [("plain", 0o755, 0), ("a space", 0o600, 1_000_000_000), ("empty", 0o2700, 5_000_000_000)]
    {
        fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        File::open(path(name)).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
    }
    let answer = serve(&directory).get("/?tar");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("Content-Type"), Some("application/x-tar"));
    assert_eq!(answer.header("Cache-Control"), Some("no-cache"));
    assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
    let (got, wanted) = (unpack(answer.body()), expected(directory.path(), b"files"));
    let shown =
        |entries: &BTreeMap<Vec<u8>, Kept>| entries.keys().map(|name| name.escape_ascii().to_string()).collect();
    let (got_names, wanted_names): (Vec<String>, Vec<String>) = (shown(&got), shown(&wanted));
    assert_eq!(got_names, wanted_names);
    for (name, kept) in &wanted {
        assert!(got[name] == *kept, "{}: {:?}", name.escape_ascii(), (got[name].0, got[name].2, got[name].3));
    }
    assert!(wanted.len() > 130, "the tree is smaller than it was meant to be: {}", wanted.len());
}

#[test]
fn a_wide_directory_is_gone_back_into_where_it_was_left() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..1500 {
        write(&directory, format!("{number}/file"), number.to_string());
        write(&directory, format!("file {number}"), "");
    }
    let mut client = serve(&directory);
    assert!(unpack(client.get("/?tar").body()) == expected(directory.path(), b"files"));
    assert_eq!(client.get("/?urls").text().lines().count(), 3000);
}

#[test]
fn a_directory_that_goes_away_in_the_midst_is_not_passed_off_as_whole() {
    for replaced in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        write(&directory, "top/within/large", "");
        let large = directory.path().join("top/within/large");
        File::options().write(true).open(large).unwrap().set_len(8_000_000).unwrap();
        let mut client = stalled(&directory, "/?tar", 30_000);
        fs::rename(directory.path().join("top"), directory.path().join("moved")).unwrap();
        if replaced {
            write(&directory, "top/other", "");
        }
        client.transport_mut().unwrap().accept_writes([usize::MAX; 100]);
        read_on(&mut client);
        assert!(client.received().len() > 7_900_000, "the file is open, and is sent but for the last slice");
        assert!(!client.is_open() && client.next_answer(false).is_none(), "{replaced}");
    }
}

#[test]
fn an_archive_is_called_as_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a/b c/\u{fc}/file", "file"] {
        write(&directory, name, "");
    }
    for (prefix, target, top, attachment) in [
        ("/", "/?tar", "files/", "attachment; filename=\"files.tar\""),
        ("/m", "/m/?tar", "m/", "attachment; filename=\"m.tar\""),
        ("/m/n", "/m/n/?tar", "n/", "attachment; filename=\"n.tar\""),
        ("/m", "/m/a/?x=y&tar", "a/", "attachment; filename=\"a.tar\""),
        ("/", "/a/b%20c/?tar", "b c/", "attachment; filename=\"b c.tar\""),
        ("/", "/a/./?tar=", "a/", "attachment; filename=\"a.tar\""),
        ("/", "/a/b%20c/%c3%bc/?tar", "\u{fc}/", "attachment; filename=\"_.tar\"; filename*=UTF-8''%C3%BC.tar"),
    ] {
        let mut client = client(prefix, Files::new(directory.path()).unwrap());
        let answer = client.get(target);
        assert_eq!(answer.header("Content-Disposition"), Some(attachment), "{target}");
        let names = names(&answer);
        assert_eq!(names.first().map(String::as_str), Some(top), "{target}");
        assert!(names.iter().all(|name| name.starts_with(top)), "{target}: {names:?}");
        let head = client.request("HEAD", target).send();
        assert_eq!((head.status(), head.header("Content-Disposition")), (200, Some(attachment)), "{target}");
    }
}

#[test]
fn what_is_not_shown_is_in_neither() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a", ".dot", ".git/config", "x.log", "tmp/y", "sub/x.log", "sub/tmp/z", "sub/.env"] {
        write(&directory, name, name);
    }
    symlink("a", directory.path().join("link")).unwrap();
    let _socket = UnixListener::bind(directory.path().join("socket")).unwrap();
    let new = || Files::new(directory.path()).unwrap();
    let strict = new().without("*.log").unwrap().without("/tmp").unwrap();
    let cases: [(&str, Files, &[&str]); 4] = [
        ("as it is", new(), &["a", "link", "sub/", "sub/tmp/", "sub/tmp/z", "sub/x.log", "tmp/", "tmp/y", "x.log"]),
        ("patterns", strict, &["a", "link", "sub/", "sub/tmp/", "sub/tmp/z"]),
        (
            "hidden",
            new().with_hidden().without("*.log").unwrap().without("tmp").unwrap(),
            &[".dot", ".git/", ".git/config", "a", "link", "sub/", "sub/.env"],
        ),
        (
            "no links",
            new().with_links(Links::Refused),
            &["a", "sub/", "sub/tmp/", "sub/tmp/z", "sub/x.log", "tmp/", "tmp/y", "x.log"],
        ),
    ];
    for (case, files, wanted) in cases {
        let mut client = client("/", files);
        let got = names(&client.get("/?tar"));
        let got: Vec<&str> = got.iter().map(|name| name.strip_prefix("files/").unwrap()).collect();
        assert_eq!(got[1..], *wanted, "{case}");
        let urls = lines(&client.get("/?urls"));
        let files: Vec<String> =
            wanted.iter().filter(|name| !name.ends_with('/')).map(|name| format!("http://localhost/{name}")).collect();
        assert_eq!(urls, files, "{case}");
    }
}

#[test]
fn shares_lie_at_the_top() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["photos/cat/tom", "photos/dog", "report", "diary", "more/last"] {
        write(&directory, name, name);
    }
    let paths = ["report", "photos", "more"].map(|name| directory.path().join(name));
    let mut client = client("/", Files::share(paths).unwrap());
    let wanted = ["more/", "more/last", "photos/", "photos/cat/", "photos/cat/tom", "photos/dog", "report"];
    assert_eq!(names(&client.get("/?tar")), wanted.map(|name| format!("files/{name}")));
    assert_eq!(names(&client.get("/photos/?tar")), ["photos/", "photos/cat/", "photos/cat/tom", "photos/dog"]);
    let wanted = ["more/last", "photos/cat/tom", "photos/dog", "report"];
    assert_eq!(lines(&client.get("/?urls")), wanted.map(|name| format!("http://localhost/{name}")));
}

#[test]
fn each_address_leads_to_its_file() {
    let directory = hard_tree();
    symlink("/etc/hostname", directory.path().join("outside")).unwrap();
    for (prefix, target) in
        [("/", "/?urls"), ("/a%20mount", "/a%20mount/?urls"), ("/m", "/m/./?urls"), ("/m", "/%6d/?urls")]
    {
        let mount = if prefix == "/a%20mount" { "/a mount" } else { prefix };
        let mut client = client(mount, Files::new(directory.path()).unwrap());
        let answer = client.get(target);
        assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("Cache-Control"), Some("no-cache"));
        let raw = format!("http://localhost{}", target.strip_suffix("?urls").unwrap());
        let mut found = BTreeMap::new();
        for url in answer.text().lines() {
            let below = url.strip_prefix(&raw).unwrap_or_else(|| panic!("{url} does not begin with {raw}"));
            let file = client.get(url.strip_prefix("http://localhost").unwrap());
            assert_eq!(file.status(), 200, "{url}");
            let name: Vec<u8> = percent_encoding::percent_decode_str(below).collect();
            found.insert(name, file.body().to_vec());
        }
        let mut wanted: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for (name, (kind, content, ..)) in expected(directory.path(), b"") {
            if kind == EntryType::Regular {
                wanted.insert(name[1..].to_vec(), content);
            }
        }
        wanted.insert(b"relative".to_vec(), b"plain".to_vec());
        assert!(
            found == wanted,
            "{target}: {:?}",
            found.keys().map(|name| name.escape_ascii().to_string()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn addresses_need_a_host() {
    let directory = tempfile::tempdir().unwrap();
    write(&directory, "a/b", "");
    let mut client = serve(&directory);
    for (wire, status, text) in [
        ("GET /a/?urls HTTP/1.0\r\n\r\n", 400, "no Host"),
        ("GET /a/?urls HTTP/1.0\r\nHost: h:81\r\n\r\n", 200, "http://h:81/a/b\n"),
        ("GET http://i/a/?urls HTTP/1.1\r\nHost: h\r\n\r\n", 200, "http://i/a/b\n"),
        ("GET /a/?tar HTTP/1.0\r\n\r\n", 200, "a/b"),
    ] {
        client.connect();
        let answer = client.send(wire, &[]);
        assert_eq!(answer.status(), status, "{wire}");
        assert!(answer.text().contains(text), "{wire}: {}", answer.text());
    }
}

#[test]
fn only_what_would_be_listed_is_packed() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["site/index.html", "site/a", "plain/b"] {
        write(&directory, name, name);
    }
    let new = || Files::new(directory.path()).unwrap();
    for query in ["tar", "urls"] {
        let mut client = client("/", new());
        assert_eq!(client.get(&format!("/site/?{query}")).text(), "site/index.html", "{query}");
        assert_eq!(client.get(&format!("/plain/b?{query}")).text(), "plain/b", "{query}");
        assert_eq!(client.get(&format!("/none/?{query}")).status(), 404, "{query}");
        let redirect = client.get(&format!("/plain?{query}"));
        assert_eq!((redirect.status(), redirect.header("Location")), (301, Some(&*format!("plain/?{query}"))));
        assert_eq!(client.get(&format!("/plain/?{query}=no")).header("Content-Disposition"), None);
        assert!(client.get(&format!("/plain/?{query}=no")).text().contains("1 file"), "{query}");
        let answer = self::client("/", new().without_listing()).get(&format!("/plain/?{query}"));
        assert_eq!(answer.status(), 404, "{query}");
    }
}

#[test]
fn answers_have_the_fields_set_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    let mut client = client("/", Files::new(directory.path()).unwrap().with_header("X-By", "hand").unwrap());
    for target in ["/?tar", "/?urls"] {
        assert_eq!(client.get(target).header("X-By"), Some("hand"), "{target}");
    }
}

/// A client that has asked for a target and takes so many bytes of the answer.
fn stalled(directory: &TempDir, target: &str, takes: usize) -> MockClient<App> {
    let mut client = serve(directory);
    stall(&mut client, target, takes);
    client
}

fn stall<S: Service>(client: &mut MockClient<S>, target: &str, takes: usize) {
    client.connect();
    client.transport_mut().unwrap().accept_writes([takes, takes].into_iter().chain([0; 50]));
    client.deliver(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"), &[]);
}

/// Takes what comes, to its end. How much goes out in a turn is for the clock to say.
fn read_on(client: &mut MockClient<App>) {
    for _ in 0..10_000 {
        if client.is_open() && !client.received().ends_with(b"\r\n0\r\n\r\n") {
            client.unblock();
        }
    }
}

#[test]
fn a_file_of_nine_gibibytes_is_announced_and_begun() {
    const LENGTH: u64 = 9 << 30;
    let directory = tempfile::tempdir().unwrap();
    File::create(directory.path().join("sparse")).unwrap().set_len(LENGTH).unwrap();
    let client = stalled(&directory, "/?tar", 20_000);
    let received = client.received();
    // The directory comes first, then the file.
    let name = received.windows(12).position(|window| window == b"files/sparse").unwrap();
    let header = tar::Header::from_byte_slice(&received[name..name + 512]);
    assert_eq!(header.size().unwrap(), LENGTH);
    assert_eq!(header.entry_type(), EntryType::Regular);
}

#[test]
fn what_changes_on_the_way_is_sent_as_announced_or_not_to_its_end() {
    const LENGTH: u64 = 8_000_000;
    for (length, is_whole) in [(LENGTH, true), (LENGTH * 2, true), (LENGTH - 1, false), (500_000, false)] {
        let directory = tempfile::tempdir().unwrap();
        let file = File::create(directory.path().join("file")).unwrap();
        file.set_len(LENGTH).unwrap();
        let mut client = stalled(&directory, "/?tar", 30_000);
        file.set_len(length).unwrap();
        client.transport_mut().unwrap().accept_writes([usize::MAX; 100]);
        read_on(&mut client);
        assert_eq!(client.received().ends_with(b"\r\n0\r\n\r\n"), is_whole, "{length}");
        assert_eq!(client.is_open(), is_whole, "{length}");
        match client.next_answer(false) {
            Some(answer) => assert_eq!(unpack(answer.body())[&b"files/file"[..]].1.len() as u64, LENGTH),
            None => assert!(!is_whole, "{length}"),
        }
    }
}

/// One application for several clients.
#[derive(Clone)]
struct Shared(Rc<App>);

impl Service for Shared {
    fn call(&self, request: &Request<'_>) -> Response {
        self.0.call(request)
    }

    fn refuse(&self, error: &HttpError, fragment: &Fragment<'_>) -> Response {
        self.0.refuse(error, fragment)
    }
}

#[test]
fn so_many_at_a_time_and_no_more() {
    const MOST: usize = 64;
    let directory = tempfile::tempdir().unwrap();
    File::create(directory.path().join("large")).unwrap().set_len(1 << 30).unwrap();
    write(&directory, "small/file", "");
    let mut app = App::new();
    app.mount("/", Files::new(directory.path()).unwrap()).unwrap();
    let shared = Shared(Rc::new(app));
    let mut clients: Vec<_> = (0..MOST).map(|_| MockClient::new(shared.clone())).collect();
    for client in &mut clients {
        stall(client, "/?tar", 2000);
        assert!(client.received().starts_with(b"HTTP/1.1 200 "));
    }
    let mut late = MockClient::new(shared);
    for target in ["/small/?tar", "/small/?urls"] {
        let refusal = late.get(target);
        assert_eq!((refusal.status(), refusal.header("Retry-After")), (503, Some("1")), "{target}");
        assert!(refusal.text().contains("too many archives"), "{target}: {}", refusal.text());
    }
    assert_eq!(late.get("/small/").status(), 200, "listings have nothing to do with it");
    // One leaves: there is room for one again, as often as it ends.
    clients.pop();
    for _ in 0..3 {
        assert_eq!(late.get("/small/?tar").status(), 200);
        assert_eq!(late.request("HEAD", "/small/?urls").send().status(), 200);
    }
}
