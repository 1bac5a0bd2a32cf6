//! The conversations that are counted, in instructions by benches/guard/run and in allocations by tests/allocations.rs: what
//! most requests to a server of files and routes look like. Each is the same to the byte in every run.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use ownhands::{App, Files, Request};
use tempfile::TempDir;

use crate::heads::{BROWSER, SMALL};
use crate::peer::Peer;

/// When the files were last written, in seconds since 1970: 2026-01-01.
const WRITTEN: u64 = 1_767_225_600;

/// The length of a pipeline.
const DEPTH: usize = 16;

/// One request, or a pipeline of them, and what must come of it.
pub(crate) struct Conversation {
    pub(crate) name: &'static str,
    /// What the peer says in each round.
    said: Vec<u8>,
    /// Requests in it.
    pub(crate) requests: usize,
    /// Bytes that come with each read.
    segment: usize,
    /// What the answer begins with.
    status: &'static str,
    /// How the answer ends, where that is known.
    end: &'static str,
    /// Time that passes before each round.
    pause: Duration,
}

impl Conversation {
    fn new(name: &'static str, said: impl Into<Vec<u8>>, status: &'static str, end: &'static str) -> Self {
        Conversation { name, said: said.into(), requests: 1, segment: usize::MAX, status, end, pause: Duration::ZERO }
    }

    /// A peer that has had this conversation a few times, so that all is warm that can be; and the length of an answer.
    pub(crate) fn begin(&self, site: &Site) -> (Peer<'_, App>, usize) {
        let mut peer = Peer::new(site.app());
        let mut length = 0;
        for _ in 0..4 {
            peer.sleep(self.pause);
            length = peer.say(&self.said, self.segment);
        }
        let heard = String::from_utf8_lossy(peer.heard());
        let status = heard.get(..12).unwrap_or_default();
        assert_eq!(status.strip_prefix("HTTP/1.1 "), Some(self.status), "{}: {heard}", self.name);
        assert!(heard.ends_with(self.end), "{}: {heard}", self.name);
        assert_eq!(heard.matches("HTTP/1.1 ").count(), self.requests, "{}: {heard}", self.name);
        (peer, length)
    }

    /// One more round, with an answer of that length.
    pub(crate) fn go_on<'a>(&'a self, peer: &mut Peer<'a, App>, length: usize) {
        if !self.pause.is_zero() {
            peer.sleep(self.pause);
        }
        assert_eq!(peer.say(&self.said, self.segment), length, "{}: another answer", self.name);
    }
}

/// A directory to be served, which is deleted when this is dropped.
pub(crate) struct Site {
    root: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        let root = TempDir::new().unwrap();
        write(&root.path().join("1k.txt"), 1024);
        write(&root.path().join("100k.bin"), 100 * 1024);
        let many = root.path().join("many");
        fs::create_dir(&many).unwrap();
        for number in 0..100 {
            // In an order that is neither that of the names nor its reverse, in whichever direction the system reads it.
            let number = number * 37 % 100;
            write(&many.join(format!("entry-{number:02}.txt")), number * 100);
        }
        Site { root }
    }

    fn app(&self) -> App {
        let mut app = App::new();
        app.route("GET", "/plain", |_: &Request<'_>| "Hello, world!").unwrap();
        app.route("GET", "/hello/(?<name>[^/]+)", |request: &Request<'_>| {
            format!("Hello, {}!", request.param("name").unwrap_or_default())
        })
        .unwrap();
        app.route("POST", "/length", |request: &Request<'_>| {
            assert_eq!(request.body.bytes().unwrap().len(), 26);
            "26"
        })
        .unwrap();
        app.mount("/", Files::new(self.root.path()).unwrap()).unwrap();
        app
    }

    /// The entity tag of the small file, as a client learns it.
    fn tag(&self) -> String {
        let mut peer = Peer::new(self.app());
        peer.say(b"GET /1k.txt HTTP/1.1\r\nHost: a\r\n\r\n", usize::MAX);
        let heard = String::from_utf8_lossy(peer.heard());
        heard.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap().to_owned()
    }

    /// All that is counted.
    pub(crate) fn conversations(&self) -> Vec<Conversation> {
        let get = |target: &str, fields: &str| format!("GET {target} HTTP/1.1\r\n{fields}");
        let known = format!("If-None-Match: {}\r\n{SMALL}", self.tag());
        let last = format!("Connection: close\r\n{SMALL}");
        let chunked = format!(
            "POST /length HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{SMALL}a\r\n0123456789\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"
        );
        vec![
            Conversation::new("file", get("/1k.txt", SMALL), "200", "xxx"),
            Conversation::new("file-browser", get("/1k.txt", BROWSER), "200", "xxx"),
            Conversation { segment: 1, ..Conversation::new("file-bytewise", get("/1k.txt", SMALL), "200", "xxx") },
            Conversation::new("file-100k", get("/100k.bin", SMALL), "200", "\r\n\r\n"),
            Conversation::new("file-known", get("/1k.txt", &known), "304", "\r\n\r\n"),
            Conversation::new("file-missing", get("/missing.txt", SMALL), "404", "\n"),
            Conversation::new("listing", get("/many/", BROWSER), "200", "tar</a>\n"),
            Conversation {
                pause: Duration::from_secs(2),
                ..Conversation::new("listing-anew", get("/many/", BROWSER), "200", "tar</a>\n")
            },
            Conversation::new("route", get("/plain", SMALL), "200", "Hello, world!"),
            Conversation::new("route-browser", get("/plain", BROWSER), "200", "Hello, world!"),
            Conversation::new("route-capture", get("/hello/world", SMALL), "200", "Hello, world!"),
            Conversation {
                requests: DEPTH,
                ..Conversation::new("route-pipeline", get("/plain", SMALL).repeat(DEPTH), "200", "Hello, world!")
            },
            Conversation::new("route-chunked", chunked, "200", "26"),
            Conversation::new("route-close", get("/plain", &last), "200", "Hello, world!"),
        ]
    }
}

/// A file of that many bytes, written on a fixed day.
fn write(path: &Path, length: usize) {
    fs::write(path, "x".repeat(length)).unwrap();
    let written = UNIX_EPOCH + Duration::from_secs(WRITTEN);
    File::options().write(true).open(path).unwrap().set_modified(written).unwrap();
}
