//! Scripts that are started for a request: what they find, what they say, and what the peer gets of it.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ownhands::gateway::{Basin, Cgi, Launcher};
use ownhands::testing::MockClient;
use ownhands::{App, Config, HttpError, Limits, Request, Response};
use tempfile::TempDir;

use crate::running::{PATIENCE, Running, get, hear, say};

/// A directory of scripts.
struct Scripts(TempDir);

impl Scripts {
    fn new() -> Scripts {
        Scripts(tempfile::tempdir().unwrap())
    }

    /// With a script for `sh`.
    fn with(self, name: &str, text: &str) -> Scripts {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Written by somebody else: a program that is open for writing cannot be started, and what this process has
        // open another test's child may have for a moment, too.
        let write = "printf '#!/bin/sh\\n' > \"$0\"; cat >> \"$0\"; chmod 755 \"$0\"";
        let mut child = Command::new("sh").arg("-c").arg(write).arg(&path).stdin(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        self
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn cgi(&self) -> Cgi {
        Cgi::new(self.0.path()).unwrap()
    }

    fn client(&self) -> MockClient<App> {
        MockClient::new(app(self.cgi()))
    }

    /// What a script has written to a file, once it is there.
    fn written(&self, name: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match fs::read_to_string(self.path(name)) {
                Ok(text) if text.ends_with('\n') => return text,
                _ => assert!(Instant::now() < deadline, "{name} is not written"),
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// An app with the scripts, which shows what the log is told of a failure.
fn app(cgi: Cgi) -> App {
    let mut app = App::new();
    app.mount("/cgi-bin", cgi.start(Launcher::thread().unwrap()).unwrap()).unwrap();
    app.route("GET", "/other/(?<what>.*)", |request: &Request<'_>| {
        Response::text(format!("other {} {:?}", request.param("what").unwrap_or_default(), request.query))
    })
    .unwrap();
    for status in [403, 404, 500, 502, 503, 504] {
        app.on_error(status, |error: &HttpError, _: Option<&Request<'_>>| {
            error.source.as_ref().map(ToString::to_string).unwrap_or_default()
        });
    }
    app
}

/// Waits until there is no such process.
fn await_end(process: &str) {
    let deadline = Instant::now() + PATIENCE;
    while Path::new("/proc").join(process.trim()).exists() {
        assert!(Instant::now() < deadline, "{process} has not ended");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_a_script_says_and_what_the_peer_gets() {
    let cases = [
        ("an answer", "printf 'Content-Type: text/plain\\n\\nhello'", 200, "hello"),
        ("a status", "printf 'Status: 404 Not Here\\r\\nA: b\\r\\n\\r\\nno'", 404, "no"),
        ("bit by bit", "printf 'A: b\\n\\n'; for i in 1 2 3; do sleep 0.02; printf $i; done", 200, "123"),
        ("nothing in it", "printf 'Status: 200\\n\\n'", 200, ""),
        ("no content, and some all the same", "printf 'Status: 205 Again\\n\\nhello'", 205, ""),
        ("elsewhere", "printf 'Location: /other/place?a=b\\n\\n'", 200, "other place Some(\"a=b\")"),
        ("by the peer", "printf 'Location: http://a/b\\n\\n'", 302, ""),
        ("all it announced, and more time", "printf 'Content-Length: 2\\n\\nhi'; exec sleep 5", 200, "hi"),
        ("a failure behind a whole answer", "printf 'A: b\\n\\nhello'; exit 3", 200, "hello"),
        ("nothing", "exit 3", 502, "it ended without an answer: exit code 3"),
        ("half a head", "echo A: b; kill -9 $$", 502, "it ended within its head: signal 9 (SIGKILL)"),
        ("no head", "echo '<p>hello'; echo", 502, "a line of its head is no field: \"<p>hello\""),
        ("an empty line first", "echo; echo hello", 502, "its output begins with an empty line"),
        ("nothing, and is content", "", 502, "it ended without an answer: exit code 0"),
    ];
    for (name, text, status, expected) in cases {
        let scripts = Scripts::new().with("a", text);
        let answer = scripts.client().get("/cgi-bin/a");
        assert_eq!(answer.status(), status, "{name}: {}", answer.text());
        match status {
            502 => assert!(
                answer.text().starts_with(&format!("the script /cgi-bin/a: {expected}")),
                "{name}: {}",
                answer.text()
            ),
            302 => assert_eq!(answer.header("Location"), Some("http://a/b")),
            _ => assert_eq!(answer.text(), expected, "{name}"),
        }
    }
}

#[test]
fn a_part_of_an_answer_is_not_taken_for_the_whole() {
    let cases = [
        ("printf 'A: b\\n\\nhello'; kill -9 $$", "it was ended by signal 9 (SIGKILL)"),
        ("printf 'Content-Length: 9\\n\\nhello'", "it ended 4 bytes before the length it announced"),
        ("printf 'A: b\\n\\n'; sleep 0.1; kill -9 $$", "it was ended by signal 9 (SIGKILL)"),
    ];
    for (text, why) in cases {
        let scripts = Scripts::new().with("a", text);
        let mut client = scripts.client();
        client.deliver(get("/cgi-bin/a"), &[]);
        let deadline = Instant::now() + PATIENCE;
        // It depends on how much was there when it was looked at.
        let is_refused = loop {
            client.turn();
            match client.next_answer(false) {
                Some(answer) => {
                    assert_eq!(answer.text(), format!("the script /cgi-bin/a: {why}"));
                    break answer.status() == 502;
                }
                None if client.is_closed() => break client.received().starts_with(b"HTTP/1.1 200 OK\r\n"),
                None => assert!(Instant::now() < deadline, "{text}"),
            }
        };
        assert!(is_refused, "{text}: {}", client.received().escape_ascii());
    }
}

#[test]
fn what_cannot_be_started() {
    let scripts = Scripts::new();
    fs::write(scripts.path("a"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(scripts.path("a"), fs::Permissions::from_mode(0o755)).unwrap();
    let answer = scripts.client().get("/cgi-bin/a");
    assert_eq!(answer.status(), 502);
    assert!(answer.text().contains("there is no interpreter of the name in its first line"), "{}", answer.text());
}

#[test]
fn head_and_what_has_no_content() {
    let scripts = Scripts::new()
        .with("a", "printf 'Content-Type: text/plain\\nContent-Length: 5\\n\\nhello'")
        .with("b", "printf 'Status: 304\\nETag: \"x\"\\n\\nhello'");
    let mut client = scripts.client();
    let head = client.request("HEAD", "/cgi-bin/a").send();
    assert_eq!((head.header("Content-Length"), head.text().as_str()), (Some("5"), ""));
    let bare = client.get("/cgi-bin/b");
    assert_eq!((bare.status(), bare.header("ETag"), bare.text().as_str()), (304, Some("\"x\""), ""));
    // The connection goes on.
    assert_eq!(client.get("/cgi-bin/a").text(), "hello");
}

#[test]
fn a_status_has_the_phrase_that_is_registered_for_it() {
    let scripts = Scripts::new().with("a", "printf 'Status: 404 My Own Words\\n\\n'");
    let server = Running::start(Config::default(), move || app(scripts.cgi()));
    let mut peer = server.connect();
    say(&mut peer, "GET /cgi-bin/a HTTP/1.0\r\n\r\n");
    let mut received = String::new();
    peer.read_to_string(&mut received).unwrap();
    assert!(received.starts_with("HTTP/1.1 404 Not Found\r\n"), "{received}");
    server.stop();
}

#[test]
fn which_script_is_meant_and_what_is_left_of_the_path() {
    let told = "printf 'A: b\\n\\n%s|%s|%s' \"$SCRIPT_NAME\" \"$PATH_INFO\" \"$PATH_TRANSLATED\"";
    let scripts = Scripts::new()
        .with("a", told)
        .with("in/side", told)
        .with("with space", told)
        .with(".hidden", told)
        .with(".in/side", told)
        .with("nph-a", told)
        .with("nph-in/nph", told)
        .with("plain", told);
    fs::set_permissions(scripts.path("plain"), fs::Permissions::from_mode(0o644)).unwrap();
    let outside = Scripts::new().with("a", told);
    symlink(outside.path("a"), scripts.path("out")).unwrap();
    symlink(outside.path(""), scripts.path("away")).unwrap();
    symlink("in/side", scripts.path("link")).unwrap();
    symlink(".", scripts.path("self")).unwrap();
    symlink("loop", scripts.path("loop")).unwrap();
    let mut client = MockClient::new(app(scripts.cgi().with_document_root("/srv")));
    let deep = format!("/cgi-bin{}/a", "/self".repeat(40));
    let cases = [
        ("/cgi-bin/a", 200, "/cgi-bin/a||"),
        ("/cgi-bin/a/", 200, "/cgi-bin/a|/|/srv/"),
        ("/cgi-bin/a/b/c", 200, "/cgi-bin/a|/b/c|/srv/b/c"),
        ("/cgi-bin/a//b%20c", 200, "/cgi-bin/a|//b c|/srv//b c"),
        ("/cgi-bin/in/side/x", 200, "/cgi-bin/in/side|/x|/srv/x"),
        ("/cgi-bin/with%20space/.x", 200, "/cgi-bin/with space|/.x|/srv/.x"),
        ("/cgi-bin/link", 200, "/cgi-bin/link||"),
        ("/cgi-bin/self/self/a", 200, "/cgi-bin/self/self/a||"),
        ("/cgi-bin/nph-in/nph", 200, "/cgi-bin/nph-in/nph||"),
        ("/cgi-bin", 404, "this names no script"),
        ("/cgi-bin/", 404, "an empty name"),
        ("/cgi-bin/in", 404, "this is a directory, and no script in it is named"),
        ("/cgi-bin/in/", 404, "an empty name"),
        ("/cgi-bin//a", 404, "an empty name"),
        ("/cgi-bin/b", 404, "No such file or directory"),
        ("/cgi-bin/in/b/c", 404, "No such file or directory"),
        ("/cgi-bin/.hidden", 404, "names that begin with a dot"),
        ("/cgi-bin/.in/side", 404, "names that begin with a dot"),
        ("/cgi-bin/nph-a", 404, "writes to the connection itself"),
        ("/cgi-bin/plain", 403, "mode 0644 lets nobody start it"),
        ("/cgi-bin/out", 404, "a link leads out of the directory"),
        ("/cgi-bin/away/a", 404, "a link leads out of the directory"),
        ("/cgi-bin/loop", 404, "a link leads back to itself"),
        ("/cgi-bin/in%2Fside", 404, "was sent as %2F"),
        ("/cgi-bin/a/b%2fc", 404, "was sent as %2F"),
        (&deep, 404, "this is a directory"),
    ];
    for (target, status, expected) in cases {
        let answer = client.get(target);
        assert_eq!(answer.status(), status, "{target}: {}", answer.text());
        if status == 200 {
            assert_eq!(answer.text(), expected, "{target}");
        } else {
            assert!(answer.text().contains(expected), "{target}: {}", answer.text());
        }
    }
    // Ways out that are refused before anything is looked for.
    for target in ["/cgi-bin/../a", "/cgi-bin/a/../../b", "/cgi-bin/%2e%2e/a", "/cgi-bin/a%00"] {
        assert_eq!(client.get(target).status(), 400, "{target}");
    }
}

#[test]
fn what_stands_in_the_environment() {
    let scripts = Scripts::new().with("env", "printf 'A: b\\n\\n'; env -0 | tr '\\0\\n' '\\n ' | sort");
    let mut client = scripts.client();
    let environment = |answer: ownhands::testing::Answer| -> Vec<String> {
        // What a shell adds by itself.
        let own = ["PWD=", "OLDPWD=", "SHLVL=", "_="];
        answer.text().lines().filter(|line| !own.iter().any(|name| line.starts_with(name))).map(str::to_owned).collect()
    };
    let path = format!("PATH={}", std::env::var("PATH").unwrap());
    let request = client
        .request("POST", "/cgi-bin/env/x%0Ay?a=b%20c")
        .header("Host", "h:81")
        .header("Authorization", "Basic c2VjcmV0")
        .header("Proxy-Authorization", "Basic c2VjcmV0")
        .header("Proxy", "http://evil")
        .header("X_Sneaky", "yes")
        .header("Content-Type", "text/plain")
        .header("Cookie", "a=b")
        .body("hello");
    let expected = [
        "CONTENT_LENGTH=5",
        "CONTENT_TYPE=text/plain",
        "GATEWAY_INTERFACE=CGI/1.1",
        "HTTP_COOKIE=a=b",
        "HTTP_HOST=h:81",
        &path,
        "PATH_INFO=/x y",
        "QUERY_STRING=a=b%20c",
        "REMOTE_ADDR=192.0.2.1",
        "REMOTE_PORT=50000",
        "REQUEST_METHOD=POST",
        "REQUEST_URI=/cgi-bin/env/x%0Ay?a=b%20c",
        &format!("SCRIPT_FILENAME={}", fs::canonicalize(scripts.path("env")).unwrap().display()),
        "SCRIPT_NAME=/cgi-bin/env",
        "SERVER_NAME=h",
        "SERVER_PORT=81",
        "SERVER_PROTOCOL=HTTP/1.1",
        concat!("SERVER_SOFTWARE=ownhands/", env!("CARGO_PKG_VERSION")),
    ];
    assert_eq!(environment(request.send()), expected);
    let bare = environment(client.get("/cgi-bin/env"));
    assert!(bare.contains(&"QUERY_STRING=".to_owned()) && bare.contains(&"PATH_INFO=".to_owned()), "{bare:?}");
    assert!(!bare.iter().any(|line| line.starts_with("CONTENT_")), "{bare:?}");

    // Who asks for nothing more is told nothing more; `php-cgi` does.
    let scripts = scripts.with("in/a.php", "printf 'A: b\\n\\n%s %s' \"$REDIRECT_STATUS\" \"$SCRIPT_FILENAME\"");
    let script = fs::canonicalize(scripts.path("in/a.php")).unwrap();
    assert_eq!(client.get("/cgi-bin/in/a.php/b").text(), format!("200 {}", script.display()));
}

#[test]
fn a_query_that_is_a_search_stands_on_the_command_line() {
    let scripts = Scripts::new().with("a", "printf 'A: b\\n\\n%s:' $#; printf '[%s]' \"$@\"");
    let mut client = scripts.client();
    let cases = [
        ("", "0:[]"),
        ("?", "0:[]"),
        ("?one", "1:[one]"),
        ("?one+t%77o", "2:[one][two]"),
        ("?a%20b+%24%28c%29+*", "3:[a b][$(c)][*]"),
        ("?a%3Db", "1:[a=b]"),
        ("?a=b", "0:[]"),
        ("?a+b=c", "0:[]"),
        ("?-s", "0:[]"),
        ("?one+-s", "0:[]"),
        ("?%2Ds", "0:[]"),
        ("?a++b", "0:[]"),
        ("?a%00b", "0:[]"),
    ];
    for (query, expected) in cases {
        assert_eq!(client.get(&format!("/cgi-bin/a{query}")).text(), expected, "{query}");
    }
    assert_eq!(client.post("/cgi-bin/a?one").send().text(), "0:[]");
}

#[test]
fn the_body_is_what_it_reads() {
    let scripts = Scripts::new()
        .with("cat", "printf 'A: b\\n\\n%s:' \"$CONTENT_LENGTH\"; cat")
        .with("ignore", "printf 'A: b\\n\\nignored'");
    let limits = Limits { body: 1 << 24, ..Limits::default() };
    let mut client = scripts.client().with_limits(limits);
    let long: Vec<u8> = (0..3_000_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    // Nothing, what is kept in memory, the most of it, and what is kept in a file.
    for length in [0, 5, 64 * 1024, 3_000_000] {
        let body = &long[..length];
        let answer = client.request("PUT", "/cgi-bin/cat").body(body).send();
        assert!(answer.body() == [format!("{length}:").as_bytes(), body].concat(), "{length}");
        assert_eq!(client.post("/cgi-bin/ignore").body(body).send().text(), "ignored", "{length}");
    }
    assert_eq!(client.get("/cgi-bin/cat").text(), ":");
    let chunked = "POST /cgi-bin/cat HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert_eq!(client.send(chunked, &[]).text(), "3:abc");
}

#[test]
fn it_works_in_its_own_directory() {
    let scripts = Scripts::new().with("in/side", "printf 'A: b\\n\\n'; pwd -P");
    let directory = fs::canonicalize(scripts.path("in")).unwrap();
    assert_eq!(scripts.client().get("/cgi-bin/in/side").text(), format!("{}\n", directory.display()));
}

#[test]
fn who_takes_too_long_is_ended_with_all_that_it_has_started() {
    let scripts = Scripts::new()
        .with("silent", "echo $$ > pid; sleep 60 & echo $! > other; wait")
        .with("deaf", "trap '' TERM; printf 'A: b\\n\\n'; echo $$ > pid; while :; do sleep 0.05; done");
    let mut client = scripts.client();
    client.deliver(get("/cgi-bin/silent"), &[]);
    client.turn();
    let (pid, other) = (scripts.written("pid"), scripts.written("other"));
    client.sleep(29);
    client.turn();
    assert!(client.next_answer(false).is_none());
    client.sleep(1);
    client.turn();
    let answer = client.next_answer(false).unwrap();
    assert_eq!(
        (answer.status(), answer.text().as_str()),
        (504, "the script /cgi-bin/silent: it has not ended after 30s")
    );
    await_end(&pid);
    await_end(&other);

    // One that does not listen to SIGTERM is killed.
    fs::remove_file(scripts.path("pid")).unwrap();
    client.deliver(get("/cgi-bin/deaf"), &[]);
    client.turn();
    let pid = scripts.written("pid");
    client.turn();
    client.sleep(30);
    client.turn();
    client.turn();
    await_end(&pid);
    // The head has left before: the answer has no end.
    let received = client.take_received();
    assert!(client.is_closed() && received.ends_with(b"\r\nA: b\r\n\r\n"), "{}", received.escape_ascii());
}

#[test]
fn who_is_not_wanted_any_more_is_ended() {
    let scripts = Scripts::new().with("a", "echo $$ > pid; exec sleep 60");
    let mut client = scripts.client();
    client.deliver(get("/cgi-bin/a"), &[]);
    client.turn();
    let pid = scripts.written("pid");
    client.connect();
    client.turn();
    await_end(&pid);
}

#[test]
fn who_says_too_much_is_ended() {
    let scripts = Scripts::new().with("a", "echo $$ > pid; echo A: b; echo; exec cat /dev/zero");
    let cgi = scripts.cgi().with_output(100_000);
    let mut client = MockClient::new(app(cgi));
    client.deliver(get("/cgi-bin/a"), &[]);
    client.turn();
    let pid = scripts.written("pid");
    let deadline = Instant::now() + PATIENCE;
    while !client.is_closed() {
        assert!(Instant::now() < deadline, "the connection is not cut");
        thread::sleep(Duration::from_millis(1));
        client.turn();
    }
    await_end(&pid);
    assert!(client.received().len() <= 110_000);
}

#[test]
fn who_closes_its_output_and_goes_on_counts_until_it_ends() {
    let scripts = Scripts::new()
        .with("a", "printf 'Content-Length: 2\\n\\nhi'; exec >&-; echo $$ > pid; exec sleep 60")
        .with("b", "printf 'A: b\\n\\nhello'");
    let mut client = MockClient::new(app(scripts.cgi().with_processes(1)));
    assert_eq!(client.get("/cgi-bin/a").text(), "hi");
    let pid = scripts.written("pid");
    let answer = client.get("/cgi-bin/b");
    assert_eq!((answer.status(), answer.header("Retry-After")), (503, Some("1")));
    assert_eq!(answer.text(), "the script /cgi-bin/b: 1 scripts run already");
    client.sleep(30);
    client.turn();
    await_end(&pid);
    let deadline = Instant::now() + PATIENCE;
    while client.get("/cgi-bin/b").text() != "hello" {
        assert!(Instant::now() < deadline, "its place is not free");
    }
}

#[test]
fn a_daemon_that_holds_its_output_does_not_hold_up_the_answer() {
    let scripts = Scripts::new().with("a", "printf 'A: b\\n\\nhello'; setsid sh -c 'echo $$ > pid; exec sleep 5' &");
    let mut client = scripts.client();
    let began = Instant::now();
    assert_eq!(client.get("/cgi-bin/a").text(), "hello");
    assert!(began.elapsed() < Duration::from_secs(4), "the daemon was waited for");
}

#[test]
fn nothing_of_a_script_is_left() {
    let scripts = Scripts::new()
        .with("a", "printf 'A: b\\n\\n'; for i in 0 1 2; do readlink /proc/$$/fd/$i; done; echo $$")
        .with("b", "printf 'A: b\\n\\nhello'");
    let mut client = scripts.client();
    let answer = client.post("/cgi-bin/a").body("hello").send();
    let text = answer.text();
    let [stdin, stdout, stderr, pid] = *text.lines().collect::<Vec<_>>() else { panic!("{text}") };
    assert!(stdin.contains("body") && stdout.starts_with("pipe:") && stderr.starts_with("pipe:"), "{text}");
    await_end(pid);
    // The ends of its pipes are closed in the turn in which that is heard of.
    assert_eq!(client.get("/cgi-bin/b").text(), "hello");
    client.turn();
    let open: Vec<String> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .map(|link| link.display().to_string())
        .collect();
    for pipe in [stdout, stderr] {
        assert!(!open.iter().any(|other| other == pipe), "{pipe} is still open");
    }
}

#[test]
fn over_sockets_what_has_come_leaves_before_there_is_more() {
    let scripts = Scripts::new()
        .with("a", "printf 'A: b\\n\\nfirst'; while [ ! -e sign ]; do sleep 0.01; done; printf second")
        .with("b", "printf 'Content-Length: 5\\n\\nhello'");
    let cgi = scripts.cgi();
    let server = Running::start(Config::default(), move || app(cgi));
    let mut peer = server.connect();
    say(&mut peer, get("/cgi-bin/a"));
    let mut received = Vec::new();
    let mut hear_until = |end: &[u8]| {
        while !received.ends_with(end) {
            let mut byte = [0];
            peer.read_exact(&mut byte).unwrap();
            received.extend(byte);
        }
    };
    hear_until(b"5\r\nfirst\r\n");
    fs::write(scripts.path("sign"), "").unwrap();
    hear_until(b"6\r\nsecond\r\n0\r\n\r\n");
    for _ in 0..3 {
        say(&mut peer, get("/cgi-bin/b"));
        assert_eq!(hear(&mut peer).1, b"hello");
    }
    server.stop();
}

#[test]
fn a_peer_that_does_not_read_holds_up_the_script_and_not_its_clock() {
    let scripts =
        Scripts::new().with("a", "echo $$ > pid; printf 'A: b\\n\\n'; head -c 30000000 /dev/zero; echo done > end");
    // Where there is no basin for what it says.
    let cgi = scripts.cgi().with_timeout(Duration::from_millis(1500)).with_basin(Basin::default().with_bytes(0));
    let server = Running::start(Config::default(), move || app(cgi));
    let mut peer = server.connect();
    say(&mut peer, "GET /cgi-bin/a HTTP/1.0\r\n\r\n");
    scripts.written("pid");
    thread::sleep(Duration::from_secs(2));
    assert!(!scripts.path("end").exists(), "all was taken, and by whom?");
    let mut received = Vec::new();
    peer.read_to_end(&mut received).unwrap();
    assert!(received.len() > 30_000_000, "{} bytes came", received.len());
    scripts.written("end");
    server.stop();
}

#[test]
fn scripts_that_run_when_the_application_is_dropped_are_ended() {
    let scripts = Scripts::new().with("a", "echo $$ > pid; exec sleep 60");
    let mut client = scripts.client();
    client.deliver(get("/cgi-bin/a"), &[]);
    client.turn();
    let pid = scripts.written("pid");
    drop(client);
    // A process that ends now leaves nothing behind.
    assert!(!Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn a_directory_that_is_none_is_refused() {
    assert!(Cgi::new("/no/such/directory").is_err());
    assert!(Cgi::new("Cargo.toml").is_err());
}
