//! Why something is not to be had: the component and the reason, for the log and for peers on this machine.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use ownhands::files::Links;
use ownhands::testing::MockClient;
use ownhands::{App, Files};

fn furnish(root: &Path) {
    fs::create_dir_all(root.join("docs/deep")).unwrap();
    fs::write(root.join("docs/a.txt"), "a").unwrap();
    fs::write(root.join("app.log"), "log").unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink("/etc/hostname", root.join("out")).unwrap();
    symlink("docs", root.join("in")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
}

fn client(root: &Path, change: impl FnOnce(Files) -> Files, peer: &str) -> MockClient<App> {
    let mut app = App::new();
    app.mount("/", change(Files::new(root).unwrap().without("*.log").unwrap().with_reasons())).unwrap();
    MockClient::new(app).with_peer(peer.parse().unwrap())
}

/// ROOT stands for the directory. What follows `404 Not Found: `.
const REASONS: &[(&str, &str)] = &[
    ("/x", "no such file in ROOT: x"),
    ("/docs/b.txt", "no such file in ROOT/docs: b.txt"),
    ("/nothing/b.txt", "no such directory in ROOT: nothing"),
    ("/docs/deep/er/b.txt", "no such directory in ROOT/docs/deep: er"),
    ("/docs/a.txt/more", "ROOT/docs/a.txt is no directory"),
    ("/docs/a.txt/", "ROOT/docs/a.txt is no directory"),
    ("//etc/passwd", "ROOT/./etc/passwd: the path has an empty segment, and one file has one address"),
    ("/.env", "ROOT/.env: dot-files are not served (--hidden)"),
    ("/app.log", "ROOT/app.log: hidden by a pattern (--hide)"),
    ("/dangling", "ROOT/dangling is a link to what is not there"),
    ("/loop", "ROOT/loop is a link that leads back to itself"),
    ("/out", "ROOT/out is a link that leads out of the root (--follow-links)"),
    ("/pipe", "ROOT/pipe: this is a device, a pipe or a socket; only files and directories are served"),
    ("/docs//a.txt", "ROOT/docs//a.txt: the path has an empty segment, and one file has one address"),
    ("/docs%2Fa.txt", "ROOT/docs/a.txt: a slash in the path was sent as %2F, and no name has a slash in it"),
];

#[test]
fn every_reason_is_named_to_a_peer_on_this_machine_alone() {
    let directory = tempfile::tempdir().unwrap();
    furnish(directory.path());
    let root = directory.path().display().to_string();
    for peer in ["127.0.0.1:5000", "[::1]:5000", "[::ffff:127.0.0.1]:5000"] {
        let mut client = client(directory.path(), |files| files, peer);
        for (target, reason) in REASONS {
            let text = client.get(target).text();
            let wanted = format!("404 Not Found: {}\n", reason.replace("ROOT", &root));
            assert_eq!(text, wanted, "{target}");
        }
    }
    let mut stranger = client(directory.path(), |files| files, "192.0.2.7:5000");
    let mut local = client(directory.path(), |files| files, "127.0.0.1:5000");
    for (target, _) in REASONS {
        assert_eq!(stranger.get(target).text(), "404 Not Found: there is nothing here\n", "{target}");
        // A proxy on this machine speaks for a stranger.
        for field in ["Forwarded: for=192.0.2.7", "X-Forwarded-For: 192.0.2.7", "Via: 1.1 a", "X-Real-IP: 192.0.2.7"] {
            let answer = local.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n"), &[]);
            assert_eq!(answer.text(), "404 Not Found: there is nothing here\n", "{target} {field}");
        }
    }
}

#[test]
fn a_peer_that_is_told_the_reason_sees_no_page_in_its_place() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("404.html"), "lost").unwrap();
    let mut local = client(directory.path(), |files| files, "127.0.0.1:5000");
    assert!(local.get("/x").text().contains("no such file in "));
    let mut stranger = client(directory.path(), |files| files, "192.0.2.7:5000");
    assert_eq!(stranger.get("/x").text(), "lost");
}

#[test]
fn without_the_option_nobody_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut app = App::new();
    app.mount("/", Files::new(directory.path()).unwrap()).unwrap();
    let mut client = MockClient::new(app).with_peer("127.0.0.1:5000".parse().unwrap());
    assert_eq!(client.get("/.env").text(), "404 Not Found: there is nothing here\n");
}

#[test]
fn a_link_that_is_not_followed_says_so() {
    let directory = tempfile::tempdir().unwrap();
    furnish(directory.path());
    let mut client = client(directory.path(), |files| files.with_links(Links::Refused), "127.0.0.1:5000");
    let root = directory.path().display();
    for (target, name) in [("/in/a.txt", "in"), ("/dangling", "dangling"), ("/out", "out")] {
        let wanted = format!("404 Not Found: {root}/{name} is a link, and links are not served (--no-links)\n");
        assert_eq!(client.get(target).text(), wanted, "{target}");
    }
}

#[test]
fn what_the_server_may_not_read_names_mode_and_owner() {
    if rustix::process::geteuid().is_root() {
        // Root reads everything; tests/as_nobody in .ci/run covers this as another user.
        eprintln!("SKIPPED: permissions mean nothing to root");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    furnish(directory.path());
    fs::set_permissions(directory.path().join("docs/a.txt"), Permissions::from_mode(0o200)).unwrap();
    fs::set_permissions(directory.path().join("docs/deep"), Permissions::from_mode(0o600)).unwrap();
    let mut client = client(directory.path(), |files| files, "127.0.0.1:5000");
    for (target, what, letter) in
        [("/docs/a.txt", "docs/a.txt is mode 0200", "r"), ("/docs/deep/x", "docs/deep is mode 0600", "x")]
    {
        let text = client.get(target).text();
        assert!(text.starts_with("403 Forbidden: ") && text.contains(what), "{text}");
        assert!(text.ends_with(&format!("and needs {letter} on it\n")), "{text}");
    }
}
