//! What is served of what is there: files and directories by name, patterns that hide, links by choice.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use ownhands::files::Links;
use ownhands::testing::MockClient;
use ownhands::{App, Files};
use proptest::prelude::*;
use tempfile::TempDir;

/// A tree with files beside those that are shared.
fn tree() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for name in [
        "photos/cat.jpg",
        "photos/2026/dog.jpg",
        "photos/.thumbs/cat",
        "report.pdf",
        "diary.txt",
        ".plan",
        "photos/a.log",
    ] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    symlink("diary.txt", root.join("linked.txt")).unwrap();
    symlink("../diary.txt", root.join("photos/way-out")).unwrap();
    directory
}

fn client(files: Files) -> MockClient<App> {
    let mut app = App::new();
    app.mount("/", files).unwrap();
    MockClient::new(app)
}

fn check(client: &mut MockClient<App>, cases: &[(&str, u16, &str)]) {
    // Twice: from the disk, and from the cache.
    for (target, status, text) in cases.iter().chain(cases) {
        let answer = client.get(target);
        assert_eq!(answer.status(), *status, "{target}: {}", answer.text());
        match status {
            200 if !text.is_empty() => assert_eq!(answer.text(), *text, "{target}"),
            301 => assert_eq!(answer.header("location"), Some(*text), "{target}"),
            _ => {}
        }
    }
}

#[test]
fn several_are_served_by_their_names_and_nothing_else() {
    let directory = tree();
    let of = |name: &str| directory.path().join(name);
    let shared = [of("report.pdf"), of("photos/"), of(".plan"), of("linked.txt"), of("photos/2026/../a.log")];
    check(
        &mut client(Files::share(shared).unwrap()),
        &[
            ("/report.pdf", 200, "report.pdf"),
            ("/photos", 301, "photos/"),
            ("/photos/", 200, ""),
            ("/photos/cat.jpg", 200, "photos/cat.jpg"),
            ("/photos/2026", 301, "2026/"),
            ("/photos/2026/dog.jpg", 200, "photos/2026/dog.jpg"),
            // Who named it by hand wants it served; below a share, dots are dots.
            ("/.plan", 200, ".plan"),
            ("/photos/.thumbs/cat", 404, ""),
            ("/linked.txt", 200, "diary.txt"),
            ("/a.log", 200, "photos/a.log"),
            ("/", 200, ""),
            ("/diary.txt", 404, ""),
            ("/report.pdf/", 404, ""),
            ("/report.pdf/x", 404, ""),
            ("/photos/way-out", 404, ""),
            ("/photos/../diary.txt", 400, ""),
            ("/nothing/", 404, ""),
            ("/photos//cat.jpg", 404, ""),
        ],
    );
}

#[test]
fn the_listing_of_shares_has_them_all_and_nothing_else() {
    let directory = tree();
    let of = |name: &str| directory.path().join(name);
    let mut client = client(Files::share([of("report.pdf"), of("photos"), of(".plan")]).unwrap());
    let text = client.get("/").text();
    for name in ["report.pdf", "photos/", ".plan", "1 directory, 2 files"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(!text.contains("diary"), "{text}");
}

#[test]
fn one_file_is_the_root_and_its_own_name() {
    let directory = tree();
    let mut client = client(Files::new(directory.path().join("report.pdf")).unwrap());
    check(
        &mut client,
        &[
            ("/", 200, "report.pdf"),
            ("/report.pdf", 200, "report.pdf"),
            ("/diary.txt", 404, ""),
            ("/index.html", 404, ""),
        ],
    );
    assert_eq!(client.get("/").header("Content-Type"), Some("application/pdf"));
    // Replaced by another of its name, that one is served.
    fs::write(directory.path().join("new"), "second edition").unwrap();
    fs::rename(directory.path().join("new"), directory.path().join("report.pdf")).unwrap();
    assert_eq!(client.get("/").text(), "second edition");
}

#[test]
fn a_link_in_the_place_of_a_shared_file_leads_nowhere() {
    let directory = tree();
    let report = directory.path().join("report.pdf");
    for (links, wanted) in [(Links::Inside, 404), (Links::Refused, 404), (Links::Followed, 200)] {
        let _ = fs::remove_file(&report);
        fs::write(&report, "report").unwrap();
        let mut client = client(Files::share([&report]).unwrap().with_links(links));
        assert_eq!(client.get("/report.pdf").text(), "report");
        fs::remove_file(&report).unwrap();
        symlink("diary.txt", &report).unwrap();
        assert_eq!(client.get("/report.pdf").status(), wanted, "{links:?}");
    }
    let _ = fs::remove_file(&report);
    fs::write(&report, "report").unwrap();
    let mut client = client(Files::share([&report]).unwrap());
    fs::remove_file(&report).unwrap();
    symlink(".plan", &report).unwrap();
    assert_eq!(client.get("/report.pdf").status(), 404);
}

#[test]
fn a_path_of_many_names_is_not_looked_for() {
    let directory = tree();
    let mut client = client(Files::new(directory.path()).unwrap().without("**/x/*/y").unwrap());
    let deep = "a/".repeat(200);
    fs::create_dir_all(directory.path().join(&deep)).unwrap();
    assert_eq!(client.get(&format!("/{deep}")).status(), 200);
    let deeper = "a/".repeat(300);
    fs::create_dir_all(directory.path().join(&deeper)).unwrap();
    assert_eq!(client.get(&format!("/{deeper}")).status(), 404);
}

#[test]
fn what_cannot_be_shared_is_an_error_that_names_it() {
    let directory = tree();
    let of = |name: &str| directory.path().join(name);
    for (paths, wanted) in [
        (vec![of("missing")], "missing: No such file"),
        (vec![of("diary.txt"), of("photos/../diary.txt")], "diary.txt: another one of this name is shared already"),
        (vec![Path::new("/").to_owned(), of("diary.txt")], "/: this has no name"),
    ] {
        let error = Files::share(paths).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn patterns_hide_what_they_match_and_all_below() {
    // (pattern, what is hidden, what is not)
    let cases: [(&str, &[&str], &[&str]); 8] = [
        ("*.log", &["/photos/a.log"], &["/photos/cat.jpg", "/diary.txt"]),
        ("photos", &["/photos/", "/photos/cat.jpg", "/photos/2026/dog.jpg"], &["/diary.txt"]),
        ("photos/", &["/photos/cat.jpg"], &["/diary.txt"]),
        ("/photos/*.jpg", &["/photos/cat.jpg"], &["/photos/2026/dog.jpg", "/photos/a.log"]),
        ("photos/**/*.jpg", &["/photos/cat.jpg", "/photos/2026/dog.jpg"], &["/photos/a.log"]),
        ("2026", &["/photos/2026/", "/photos/2026", "/photos/2026/dog.jpg"], &["/photos/cat.jpg"]),
        ("/2026", &[], &["/photos/2026/dog.jpg"]),
        ("[cd]*.???", &["/photos/cat.jpg", "/diary.txt", "/photos/2026/dog.jpg"], &["/report.pdf"]),
    ];
    for (pattern, hidden, shown) in cases {
        let directory = tree();
        let mut client = client(Files::new(directory.path()).unwrap().without(pattern).unwrap());
        for target in hidden.iter().chain(shown) {
            let wanted = if hidden.contains(target) { 404 } else { 200 };
            assert_eq!(client.get(target).status(), wanted, "{pattern}: {target}");
            let (parent, name) = target.trim_end_matches('/').rsplit_once('/').unwrap();
            let listing = client.get(&format!("{parent}/"));
            if listing.status() == 200 {
                let is_listed =
                    listing.text().lines().any(|line| line.trim_end_matches('/').ends_with(&format!(" {name}")));
                assert_eq!(is_listed, wanted == 200, "{pattern}: {target} in\n{}", listing.text());
            }
        }
    }
}

#[test]
fn an_index_page_that_is_hidden_is_none() {
    let directory = tree();
    fs::write(directory.path().join("index.html"), "index").unwrap();
    let mut client = client(Files::new(directory.path()).unwrap().without("index.*").unwrap());
    let text = client.get("/").text();
    assert!(text.contains("diary.txt") && !text.contains("index"), "{text}");
}

#[test]
fn links_go_where_they_may() {
    for canonical in [false, true] {
        for (links, inside, through, outside) in
            [(Links::Inside, 200, 200, 404), (Links::Refused, 404, 404, 404), (Links::Followed, 200, 200, 200)]
        {
            let directory = tree();
            let root = directory.path().join("photos");
            symlink("cat.jpg", root.join("inside")).unwrap();
            symlink("2026", root.join("through")).unwrap();
            let files = Files::new(&root).unwrap().with_links(links);
            let mut client = client(if canonical { files.by_canonical_paths() } else { files });
            for (target, wanted) in [
                ("/inside", inside),
                ("/through/dog.jpg", through),
                ("/way-out", outside),
                ("/cat.jpg", 200),
                ("/2026/", 200),
                ("/2026/dog.jpg", 200),
            ] {
                let status = client.get(target).status();
                assert_eq!(status, wanted, "{links:?} {target}, canonical {canonical}");
            }
        }
    }
}

/// What a path is made of by one who wants out.
const PIECES: &[&str] = &[
    "photos",
    "2026",
    "dog.jpg",
    "cat.jpg",
    "way-out",
    "up",
    "root",
    "here",
    "..",
    ".",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "%2f",
    "%5c",
    "\\",
    "..\\",
    "%00",
    "%252e%252e",
    "%c0%ae%c0%ae",
    "%ff",
    "etc",
    "passwd",
    "diary.txt",
    "",
    "a",
    ";",
    "%2f..%2f",
    "...",
    "~",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever the path, the guard and what was asked for: nothing of what lies outside comes out.
    #[test]
    fn a_path_never_leaves_the_root(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..8),
        noise in "[a-z./%0-9~;\\\\]{0,6}",
        is_directory: bool,
        query in proptest::sample::select(&["", "?tar", "?urls", "?format=json", "?format=html"][..]),
    ) {
        CLIENTS.with_borrow_mut(|(_, clients)| {
            for client in clients {
                let slash = if is_directory { "/" } else { "" };
                let target = format!("/{}{noise}{slash}{query}", pieces.join("/"));
                let answer = client.get(&target);
                // What an error page says is the request itself.
                if answer.status() == 200 {
                    assert!(!answer.text().contains("SECRET"), "{target}: {}", answer.text());
                    assert!(!answer.text().contains("neighbour"), "{target}: {}", answer.text());
                } else {
                    assert!([301, 400, 404, 414].contains(&answer.status()), "{target}: {}", answer.status());
                }
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}

thread_local! {
    /// One tree with ways out, served by both guards and as a share.
    static CLIENTS: std::cell::RefCell<(TempDir, Vec<MockClient<App>>)> = {
        let directory = tree();
        let root = directory.path().join("photos");
        fs::write(directory.path().join("diary.txt"), "SECRET").unwrap();
        fs::write(directory.path().join("neighbour"), "SECRET").unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("/", root.join("root")).unwrap();
        symlink(".", root.join("here")).unwrap();
        symlink("../../diary.txt", root.join("2026/out")).unwrap();
        let files = || Files::new(&root).unwrap();
        let all = vec![client(files()), client(files().by_canonical_paths()), client(Files::share([&root]).unwrap())];
        std::cell::RefCell::new((directory, all))
    };
}
