//! Python applications behind the loop, asked without a socket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ownhands::gateway::{GatewayError, Launcher, RunningWsgi, Wsgi};
use ownhands::testing::MockClient;
use ownhands::{App, Config, HttpError, Limits, Request, Server};

/// True if there is a Python; where there is none, these tests say so and pass.
fn has_python() -> bool {
    let has = Command::new("python3").arg("--version").output().is_ok();
    if !has {
        eprintln!("SKIPPED: there is no python3 here");
    }
    has
}

/// What the tests ask, each for one thing.
const APPLICATION: &str = r#"
import atexit, os, sys, time

with open("pid", "w") as pid:
    pid.write(str(os.getpid()))

@atexit.register
def linger():
    open("leaving", "w").close()
    for _ in range(10_000):
        if os.path.exists("lingers"):
            time.sleep(0.002)

def application(environ, start_response):
    path, headers = environ["PATH_INFO"], [("Content-Type", "text/plain")]
    if path == "/hello":
        start_response("200 OK", headers)
        return [b"hello\n"]
    if path == "/echo":
        start_response("200 OK", headers)
        return [environ["wsgi.input"].read()]
    if path == "/length":
        body, total = environ["wsgi.input"], 0
        while block := body.read(100_000):
            total += len(block)
        start_response("200 OK", headers)
        return [b"%d" % total]
    if path == "/doses":
        for n in range(3):
            environ["wsgi.input"].read(100_000)
            open("dose%d" % n, "w").close()
            while not os.path.exists("next%d" % n):
                time.sleep(0.002)
        start_response("200 OK", headers)
        return [b"taken"]
    if path == "/ignores":
        start_response("200 OK", headers)
        return [b"ignored"]
    if path == "/stream":
        start_response("200 OK", headers)
        def slowly():
            for n in range(3):
                yield b"%d," % n
                time.sleep(0.05)
        return slowly()
    if path == "/big":
        start_response("200 OK", headers)
        return (b"x" * 70_000 for _ in range(20))
    if path == "/huge":
        start_response("200 OK", headers)
        return (b"x" * 100_000 for _ in range(100))
    if path == "/pid":
        start_response("200 OK", headers)
        return [b"%d" % os.getpid()]
    if path == "/die":
        os._exit(3)
    if path == "/die-half-way":
        def half():
            yield b"half"
            time.sleep(0.1)
            os._exit(3)
        start_response("200 OK", headers)
        return half()
    if path == "/fail-late":
        # Nothing of this answer has been sent when it fails.
        def late():
            raise ValueError("on purpose")
            yield b""
        start_response("200 OK", headers + [("Content-Length", "10")])
        return late()
    if path == "/fail":
        raise ValueError("on purpose")
    if path == "/fail-half-way":
        def half():
            yield b"half"
            time.sleep(0.1)
            raise ValueError("on purpose")
        start_response("200 OK", headers)
        return half()
    if path == "/sleep":
        time.sleep(60)
    if path == "/short":
        start_response("200 OK", headers + [("Content-Length", "10")])
        return [b"short"]
    if path == "/location":
        start_response("302 Found", headers + [("Location", "/hello")])
        return [b""]
    if path == "/inject":
        start_response("200 OK", [("X-Evil", "a\r\nSet-Cookie: b")])
        return [b""]
    if path == "/endless":
        class Endless:
            def __iter__(self):
                return self
            def __next__(self):
                time.sleep(0.01)
                return b"more"
            def close(self):
                open("closed", "w").close()
        start_response("200 OK", headers)
        return Endless()
    if path == "/note":
        open("noted", "w").close()
    if path == "/order":
        with open("order", "a") as order:
            order.write(environ["QUERY_STRING"])
        time.sleep(0.1)
    if path == "/reset":
        start_response("205 Reset Content", headers)
        return [b"content"]
    if path == "/empty":
        start_response("204 No Content", [])
        return []
    start_response("404 Not Found", headers)
    return [("%(SCRIPT_NAME)s%(PATH_INFO)s?%(QUERY_STRING)s" % environ).encode("latin-1")]
"#;

fn start(directory: &Path) -> Wsgi {
    std::fs::write(directory.join("app.py"), APPLICATION).unwrap();
    Wsgi::new("app:application").with_directory(directory)
}

fn client(wsgi: Wsgi) -> MockClient<App> {
    mounted(wsgi.start(Launcher::thread().unwrap()).unwrap())
}

fn mounted(running: RunningWsgi) -> MockClient<App> {
    let mut app = App::new();
    app.mount("/app", running).unwrap();
    app.on_error_class(5, |error: &HttpError, _: Option<&Request<'_>>| {
        error.source.as_ref().map_or(error.to_string(), |source| source.to_string())
    });
    MockClient::new(app)
}

#[test]
fn answers_whole_and_in_pieces() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut client = client(start(directory.path()).with_workers(1));
    let cases = [
        ("GET", "/app/hello", "", 200, Some("6"), "hello\n"),
        ("HEAD", "/app/hello", "", 200, None, ""),
        ("POST", "/app/echo", "what was said", 200, Some("13"), "what was said"),
        ("PUT", "/app/echo", "", 200, Some("0"), ""),
        ("BREW", "/app/hello", "", 200, Some("6"), "hello\n"),
        ("GET", "/app/stream", "", 200, None, "0,1,2,"),
        ("GET", "/app/a%20b?c=d%20e", "", 404, Some("16"), "/app/a b?c=d%20e"),
        ("GET", "/app", "", 404, Some("5"), "/app?"),
        ("GET", "/app/location", "", 302, Some("0"), ""),
        ("GET", "/app/empty", "", 204, None, ""),
        ("GET", "/app/reset", "", 205, Some("0"), ""),
    ];
    for (method, target, body, status, length, expected) in cases {
        let answer = client.request(method, target).body(body).send();
        let told = (answer.status(), answer.header("Content-Length"), answer.text());
        assert_eq!(told, (status, length, expected.to_owned()), "{method} {target}");
    }
}

/// What is wrong with an answer is told with its status, and the next request finds a worker.
#[test]
fn what_goes_wrong_has_a_status_and_takes_one_request_along() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut client = client(start(directory.path()).with_workers(1));
    let cases = [
        ("/app/fail", 500, "worker 1 of app:application: ValueError: on purpose"),
        ("/app/fail-late", 500, "worker 1 of app:application: ValueError: on purpose"),
        (
            "/app/inject",
            500,
            "worker 1 of app:application: AssertionError: the value of X-Evil must be a str without control",
        ),
        ("/app/die", 502, "worker 1 of app:application: it has ended"),
        ("/app/short", 502, "lacks 5 of the 10 bytes"),
    ];
    for (target, status, why) in cases {
        let answer = client.get(target);
        let told = (answer.status(), answer.text());
        assert!(told.0 == status && told.1.contains(why), "{target}: {told:?}");
        assert_eq!(client.get("/app/hello").text(), "hello\n", "after {target}");
    }
}

#[test]
fn an_answer_that_has_begun_is_cut_short() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut client = client(start(directory.path()).with_workers(1));
    for target in ["/app/die-half-way", "/app/fail-half-way"] {
        client.deliver(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"), &[]);
        for _ in 0..5000 {
            client.turn();
            if client.is_closed() {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let received = String::from_utf8_lossy(&client.take_received()).into_owned();
        assert!(received.starts_with("HTTP/1.1 200 OK\r\n"), "{received}");
        assert!(received.ends_with("\r\n4\r\nhalf\r\n"), "{received}");
        assert_eq!(client.get("/app/hello").text(), "hello\n", "after {target}");
    }
}

#[test]
fn long_bodies_pass_in_both_directions() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path()).with_workers(1).start(Launcher::thread().unwrap()).unwrap();
    let mut client = mounted(running).with_limits(Limits { body: 20_000_000, ..Limits::default() });
    let long = vec![b'a'; 10_000_000];
    for (length, target, expected) in [
        (10_000_000, "/app/length", "10000000"),
        (65_537, "/app/length", "65537"),
        (10_000_000, "/app/ignores", "ignored"),
        (1, "/app/length", "1"),
    ] {
        let answer = client.request("POST", target).body(&long[..length]).send();
        assert_eq!(answer.text(), expected, "{length} to {target}");
    }
    assert_eq!(client.request("POST", "/app/echo").body(&long[..300_000]).send().body(), &long[..300_000]);
    assert_eq!(client.get("/app/big").body(), "x".repeat(1_400_000).as_bytes());
}

#[test]
fn workers_are_renewed_without_losing_a_request() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path()).with_workers(2).start(Launcher::thread().unwrap()).unwrap();
    let mut client = mounted(running.clone());
    let before: Vec<String> = (0..4).map(|_| client.get("/app/pid").text()).collect();
    running.renew();
    let mut rounds = 0;
    while before.contains(&client.get("/app/pid").text()) {
        rounds += 1;
        assert!(rounds < 5000, "the workers are the old ones");
        std::thread::sleep(Duration::from_millis(2));
    }

    // One that cannot be loaded changes nothing.
    std::fs::write(directory.path().join("app.py"), "this is no python").unwrap();
    running.renew();
    for _ in 0..100 {
        assert_eq!(client.get("/app/hello").text(), "hello\n");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// It has a thread of its own that goes on, for which Python waits before it ends.
#[test]
fn a_worker_that_does_not_end_after_it_was_replaced_is_killed() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let text = "import os, threading\nopen(f'worker-{os.getpid()}', 'w').close()\n\
                threading.Thread(target=threading.Event().wait).start()\n\
                def application(environ, start_response): pass\n";
    std::fs::write(place.join("stays.py"), text).unwrap();
    let wsgi = Wsgi::new("stays").with_directory(place).with_workers(1).with_timeout(Duration::from_millis(50));
    let running = wsgi.start(Launcher::thread().unwrap()).unwrap();
    let workers = || {
        let names = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter_map(|name| Some(name.strip_prefix("worker-")?.to_owned())).collect::<Vec<_>>()
    };
    let first = workers().remove(0);
    let is_there = || Command::new("kill").args(["-0", &first]).output().unwrap().status.success();
    let mut client = mounted(running.clone());
    running.renew();
    for rounds in 0.. {
        client.turn();
        if workers().len() > 1 && !is_there() {
            break;
        }
        assert!(rounds < 5000, "it is there still");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_cannot_be_loaded_says_why() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    std::fs::write(place.join("broken.py"), "import no_such_module\n").unwrap();
    let cases = [
        (start(place), "ok"),
        (Wsgi::new("broken:application"), "ModuleNotFoundError: No module named 'no_such_module'"),
        (Wsgi::new("app:missing"), "missing"),
        (start(place).with_python("/no/such/python"), "No such file or directory"),
    ];
    for (wsgi, expected) in cases {
        let outcome = wsgi.with_directory(place).start(Launcher::thread().unwrap());
        let (why, said) = match outcome {
            Ok(_) => ("ok".to_owned(), String::new()),
            Err(GatewayError::Application { why, said }) => (why, said),
            Err(other) => (other.to_string(), String::new()),
        };
        assert!(why.contains(expected), "{expected}: {why}");
        assert!(!expected.contains("no_such") || said.contains("broken.py\", line 1"), "{expected}: {said}");
    }
}

#[test]
fn a_full_queue_is_503() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path()).with_workers(1).with_queue(0).start(Launcher::thread().unwrap()).unwrap();
    let (mut first, mut second) = (mounted(running.clone()), mounted(running));
    first.deliver("GET /app/sleep HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    let answer = second.get("/app/hello");
    assert_eq!((answer.status(), answer.header("Retry-After")), (503, Some("1")));
    assert_eq!(answer.text(), "app:application: 0 requests wait already, with 0 bytes");
}

#[test]
fn who_has_left_keeps_no_place_in_the_queue() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path()).with_workers(1).with_queue(1).start(Launcher::thread().unwrap()).unwrap();
    let mut clients = [(); 4].map(|()| mounted(running.clone()));
    let [first, second, third, fourth] = &mut clients;
    first.deliver("GET /app/sleep HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    second.deliver("GET /app/hello HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    second.connect();
    third.deliver("GET /app/hello HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    assert_eq!(third.next_answer(false).map(|answer| answer.status()), None);
    assert_eq!(fourth.get("/app/hello").status(), 503);
}

#[test]
fn a_worker_that_hangs_is_ended_and_says_where_it_was() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut client = client(start(directory.path()).with_workers(1).with_timeout(Duration::from_secs(20)));
    client.deliver("GET /app/sleep HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    client.sleep(19);
    assert_eq!(client.next_answer(false), None);
    client.sleep(2);
    let answer = client.next_answer(false).unwrap();
    let told = (answer.status(), answer.text());
    assert_eq!(told, (504, "worker 1 of app:application: it said nothing for 20s".to_owned()));
    assert_eq!(client.get("/app/hello").text(), "hello\n");
}

#[test]
fn a_worker_that_reads_slowly_is_not_silent() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut client = client(start(directory.path()).with_workers(1).with_timeout(Duration::from_secs(20)));
    let head = "POST /app/doses HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n";
    client.deliver([head.as_bytes(), &[b'a'; 900_000]].concat(), &[]);
    for dose in 0..3 {
        let mut rounds = 0;
        while !directory.path().join(format!("dose{dose}")).exists() {
            rounds += 1;
            assert!(rounds < 5000, "dose {dose} was not taken");
            std::thread::sleep(Duration::from_millis(2));
            client.turn();
        }
        client.turn();
        client.sleep(15);
        std::fs::write(directory.path().join(format!("next{dose}")), "").unwrap();
    }
    let answer = (0..5000).find_map(|_| {
        std::thread::sleep(Duration::from_millis(2));
        client.turn();
        client.next_answer(false)
    });
    let answer = answer.unwrap();
    assert_eq!((answer.status(), answer.text().as_str()), (200, "taken"));
}

#[test]
fn a_peer_that_leaves_has_its_iterable_closed_and_its_place_in_the_queue_given_up() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path()).with_workers(1).start(Launcher::thread().unwrap()).unwrap();
    let (mut first, mut second) = (mounted(running.clone()), mounted(running));
    first.deliver("GET /app/endless HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    while !first.received().ends_with(b"more\r\n") {
        std::thread::sleep(Duration::from_millis(2));
        first.turn();
    }
    // Its request waits for the worker, and is never begun.
    second.deliver("GET /app/note HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    second.connect();
    first.connect();
    let answer = first.get("/app/hello");
    assert_eq!(answer.text(), "hello\n");
    assert!(directory.path().join("closed").exists() && !directory.path().join("noted").exists());
}

/// The one worker has to go on though one peer has asked for ten million bytes and takes none of them; and
/// then they are all there.
#[test]
fn a_peer_that_reads_slowly_keeps_no_worker() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_owned();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let serving = std::thread::spawn(move || {
        let running = start(&place).with_workers(1).start(Launcher::thread().unwrap()).unwrap();
        let mut app = App::new();
        app.mount("/app", running).unwrap();
        let mut server = Server::bind(&["127.0.0.1:0".parse().unwrap()], Config::default(), app).unwrap();
        ready.send((server.local_addrs()[0], server.handle())).unwrap();
        server.run().unwrap();
    });
    let (address, handle) = is_ready.recv().unwrap();
    let ask = |target: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET /app/{target} HTTP/1.0\r\n\r\n").unwrap();
        stream
    };
    let heard = |mut stream: TcpStream| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    };
    let slow = ask("huge");
    for _ in 0..3 {
        assert!(heard(ask("hello")).ends_with(b"\r\n\r\nhello\n"));
    }
    let all = heard(slow);
    let body = all.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert!(all[body..].len() == 10_000_000 && all[body..].iter().all(|&byte| byte == b'x'));
    handle.stop().unwrap();
    serving.join().unwrap();
}

#[test]
fn who_may_be_gone_waits_for_those_who_are_surely_there() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path()).with_workers(1).with_queue(3).start(Launcher::thread().unwrap()).unwrap();
    let mut clients: Vec<MockClient<App>> = (0..6).map(|_| mounted(running.clone())).collect();
    for (client, name) in clients.iter_mut().zip("abcdef".chars()) {
        client.deliver(format!("GET /app/order?{name} HTTP/1.1\r\nHost: a\r\n\r\n"), &[]);
        if "bc".contains(name) {
            client.end(); // as a client does that closes, and one that asks through a pipe
        }
    }
    // The queue has three places: b gives its own up for e, and c for f.
    // The first of them has taken in the worker, and lets it go on.
    let mut statuses = [0; 6];
    for _ in 0..2000 {
        for (client, status) in clients.iter_mut().zip(&mut statuses) {
            client.turn();
            *status = client.next_answer(false).map_or(*status, |answer| answer.status());
        }
        if !statuses.contains(&0) {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(statuses, [404, 503, 503, 404, 404, 404]);
    assert_eq!(std::fs::read_to_string(directory.path().join("order")).unwrap(), "adef");
}

#[test]
fn a_worker_that_is_killed_before_its_first_request_has_nobody_refused() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut client = client(start(directory.path()).with_workers(1));
    client.connect();
    let worker = std::fs::read_to_string(directory.path().join("pid")).unwrap();
    Command::new("kill").args(["-9", &worker]).status().unwrap();
    for _ in 0..20 {
        client.turn();
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(client.get("/app/hello").text(), "hello\n");
}

/// It was told to end by somebody else, and is not done yet: it reads nothing any more, and
/// nobody has heard of its end.
#[test]
fn what_a_worker_has_not_read_is_for_another_one() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("lingers"), "").unwrap();
    let mut client = client(start(directory.path()).with_workers(2));
    let first = client.get("/app/pid").text();
    Command::new("kill").args(["-TERM", &first]).status().unwrap();
    for rounds in 0.. {
        assert!(rounds < 5000, "it does not end");
        if directory.path().join("leaving").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let answer = client.get("/app/pid");
    assert_eq!((answer.status(), answer.text() == first), (200, false), "{}", answer.text());
    std::fs::remove_file(directory.path().join("lingers")).unwrap();
}

/// It waits until it is told to, and then it says that its sources have changed, and never stops: for a request that
/// was given to it, too.
#[test]
fn a_worker_that_talks_without_end_is_replaced_once() {
    if !has_python() {
        return;
    }
    for is_asked in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path();
        // The first one is not what it should be.
        let python = "#!/bin/sh\necho >> starts\n[ -e flood.py ] || exec python3 \"$@\"\n\
                      mv flood.py flooding.py; exec python3 flooding.py\n";
        let flood = "import os, time\nos.write(0, b'5:ready,')\nwhile not os.path.exists('begin'): time.sleep(0.002)\n\
                     while True: os.write(0, b'5:stale,' * 1000)\n";
        for (name, text) in [("python", python), ("flood.py", flood)] {
            std::fs::write(place.join(name), text).unwrap();
        }
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(place.join("python"), mode).unwrap();
        let mut client = client(start(place).with_workers(1).with_python(place.join("python")));
        if is_asked {
            client.deliver("GET /app/hello HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
            client.turn();
        }
        std::fs::write(place.join("begin"), "").unwrap();
        let starts = || std::fs::read_to_string(place.join("starts")).unwrap().len();
        let mut answer = None;
        for _ in 0..5000 {
            client.turn();
            answer = answer.or_else(|| client.next_answer(false));
            if starts() > 1 && answer.is_some() == is_asked {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(answer.map(|answer| answer.status()), is_asked.then_some(502));
        for _ in 0..50 {
            std::thread::sleep(Duration::from_millis(2));
            assert_eq!(client.get("/app/hello").text(), "hello\n");
        }
        // One for what it said first, and perhaps one for what it said while that one was loading.
        assert!((2..=3).contains(&starts()), "{} were started", starts());
    }
}

#[test]
fn one_that_ends_as_soon_as_it_is_ready_cannot_be_started() {
    if !has_python() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let text =
        "import os, threading\nthreading.Timer(0.05, os._exit, [3]).start()\ndef application(environ, start): pass\n";
    std::fs::write(directory.path().join("brief.py"), text).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let place = directory.path().to_owned();
    std::thread::spawn(move || {
        let outcome = Wsgi::new("brief").with_directory(place).with_workers(3).start(Launcher::thread().unwrap());
        tell.send(outcome.err().map(|error| error.to_string())).unwrap();
    });
    let why = told.recv_timeout(Duration::from_secs(20)).expect("it is still being waited for").unwrap();
    assert!(why.contains("it ended before its first request"), "{why}");
}
