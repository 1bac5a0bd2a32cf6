//! Listings: the faces of a directory, what they cost, and how long they hold.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;

use ownhands::Files;
use ownhands::testing::Answer;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use crate::files::{NOVEMBER_1994, Site, furnish, name_of, set_modified, tick};

/// Links and texts of the rows of a page.
fn rows(page: &str) -> Vec<(Option<Vec<u8>>, String)> {
    page.lines()
        .filter(|line| line.starts_with("<tr") && line.contains("<time"))
        .map(|line| {
            let cell = line.split_once("<td>").unwrap().1.split("<td").next().unwrap();
            let text = cell.split_once("<a href=").map_or(cell, |(_, link)| link.split_once('>').unwrap().1);
            let text = text.replace("</a>", "").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            (link(line).map(|href| percent_decode_str(&href).collect()), text.replace("&amp;", "&"))
        })
        .collect()
}

/// The links of a JSON face.
fn hrefs(json: &str) -> Vec<String> {
    json.split("\"href\":\"").skip(1).map(|rest| rest.split_once('"').unwrap().0.to_owned()).collect()
}

/// The link of a row, as it stands there.
fn link(line: &str) -> Option<String> {
    let (_, link) = line.split_once("<a href=")?;
    Some(link.split_once('>').unwrap().0.trim_matches('"').to_owned())
}

#[test]
fn a_listing_is_complete_escaped_and_its_links_work() {
    let names: &[&[u8]] = &[
        b"a <b>&amp;\"quoted\"'.txt",
        b"100%.txt",
        b"%41.txt",
        b"what?#hash.txt",
        b"c:colon.txt",
        b"http:",
        b"back\\slash",
        b"two  spaces ",
        b"new\nline",
        b"latin\xe9",
        "été.txt".as_bytes(),
        "日本語.txt".as_bytes(),
        b"~tilde",
        b"-dash",
        b"plus+",
        &[b'n'; 255],
    ];
    let mut site = Site::with("/files", |files| files);
    for name in names {
        fs::write(site.directory.path().join(name_of(name)), name).unwrap();
    }
    site.write(".hidden", "");
    let page = site.page("/").text();
    let listed: BTreeMap<Vec<u8>, String> =
        rows(&page).into_iter().map(|(href, text)| (href.expect("a link"), text)).collect();
    assert_eq!(listed.keys().map(Vec::as_slice).collect::<Vec<_>>(), {
        let mut sorted = names.to_vec();
        sorted.sort_unstable();
        sorted
    });
    for (name, text) in &listed {
        let shown = String::from_utf8_lossy(name).replace('\n', "\u{240a}");
        assert_eq!(*text, shown);
    }
    assert!(!page.contains("<b>") && !page.contains("hidden"));
    // Every link, exactly as it stands in the page, leads to its file.
    for href in page.lines().filter(|line| line.starts_with("<tr")).filter_map(link) {
        let name: Vec<u8> = percent_decode_str(&href).collect();
        assert_eq!(site.get(&format!("/{href}")).body(), name, "{href}");
    }
}

#[test]
fn a_listing_is_in_the_order_people_count() {
    let mut site = Site::new();
    for name in
        ["photo10", "photo2", "Photo3", "a", "B", "c", "photo2b", "photo02", "zeta/x", "Alpha/x", "beta10/x", "beta9/x"]
    {
        site.write(name, "x");
    }
    let shown: Vec<String> = rows(&site.page("/").text()).into_iter().map(|row| row.1).collect();
    assert_eq!(
        shown,
        ["Alpha/", "beta9/", "beta10/", "zeta/", "a", "B", "c", "photo02", "photo2", "photo2b", "Photo3", "photo10"]
    );
}

#[test]
fn entries_that_cannot_be_had_are_shown_and_say_why() {
    for canonical in [false, true] {
        let mut site = Site::with("/", |files| if canonical { files.by_canonical_paths() } else { files });
        furnish(site.directory.path());
        let rows = rows(&site.page("/").text());
        for (name, why) in [
            ("link-dangling", "dangling link"),
            ("link-loop", "dangling link"),
            ("link-out", "link out of the root"),
            ("link-to-device", "link out of the root"),
            ("link-to-parent", "link out of the root"),
            ("pipe", "pipe"),
            ("socket", "socket"),
        ] {
            let wanted = (None, format!("{name} <i>{why}</i>"));
            assert!(rows.contains(&wanted), "{name}: {rows:?}");
        }
        assert!(rows.contains(&(Some(b"link-to-directory/".to_vec()), "link-to-directory/".to_owned())));
        assert!(rows.contains(&(Some(b"link-in".to_vec()), "link-in".to_owned())));
    }
}

#[test]
fn the_page_and_the_lines_say_the_same() {
    let mut site = Site::new();
    site.write("a.txt", vec![b'x'; 12_345]);
    site.write("docs/b.txt", "x");
    set_modified(&site.path("a.txt"), NOVEMBER_1994);

    let page = site.page("/");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none';"));
    let text = page.text();
    assert!(
        text.contains("<caption>1 directory, 1 file, <span title=\"12345 bytes\">12 kB</span></caption>"),
        "{text}"
    );
    assert!(
        text.contains(
            "<tr title=12345B><td><a href=a.txt>a.txt</a><td>12 kB\
             <td><time datetime=1994-11-06T08:49Z>1994-11-06 08:49</time>\n"
        ),
        "{text}"
    );

    let plain = site.get("/");
    assert_eq!(plain.header("content-type"), Some("text/plain; charset=utf-8"));
    let lines: Vec<String> = plain.text().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "/");
    assert!(lines[2].starts_with("d      -  ") && lines[2].ends_with("  docs/"), "{lines:?}");
    assert_eq!(lines[3], "-  12345  1994-11-06 08:49  a.txt");
    assert_eq!(lines[5], "1 directory, 1 file, 12345 bytes; times in UTC");

    for answer in [&page, &plain] {
        assert_eq!(answer.header("vary"), Some("Accept, User-Agent"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("content-length"), Some(answer.body().len().to_string().as_str()));
    }
    let head = site.ask("HEAD", "/", "");
    assert_eq!(head.header("content-length"), plain.header("content-length"));
}

#[test]
fn a_name_cannot_command_a_terminal() {
    let mut site = Site::new();
    site.write("\x1b[2Jx\r\u{9b}y", "");
    let text = site.get("/").text();
    assert!(text.contains("?[2Jx??y"), "{text:?}");
}

#[test]
fn the_way_up_ends_at_the_mount() {
    let mut site = Site::with("/pub/files", |files| files);
    site.write("a <b>/c/x.txt", "x");
    let top = site.page("/").text();
    assert!(top.contains("<h1>/pub/files/<wbr></h1>") && !top.contains("../"), "{top}");
    assert!(top.contains("<link rel=stylesheet href=\"_ownhands/listing."), "{top}");
    let deep = site.page("/a%20%3Cb%3E/c/").text();
    let crumbs = "<h1><a href=\"../../\">/pub/files/</a><wbr><a href=\"../\">a &lt;b&gt;/</a><wbr>c/<wbr></h1>";
    assert!(deep.contains(crumbs), "{deep}");
    assert!(deep.contains("<tr><td><a href=\"../\">../</a>"));
}

#[test]
fn an_empty_directory_says_so() {
    let mut site = Site::new();
    assert!(site.page("/").text().contains("<caption>empty</caption>"));
    assert_eq!(site.get("/").text(), "/\n\nempty; times in UTC\n");
}

#[test]
fn a_large_directory_is_streamed_complete_and_sorted() {
    let mut site = Site::new();
    // Several runs of the sort, an odd number of them, and many slices of every state.
    let count = 5300;
    for number in 0..count {
        File::create(site.path(&format!("{}", number * 7919 % count))).unwrap();
    }
    for _ in 0..2 {
        site.client.sleep(1);
        let answer = site.page("/");
        assert_eq!((answer.header("content-length"), answer.header("transfer-encoding")), (None, Some("chunked")));
        let shown: Vec<usize> = rows(&answer.text()).into_iter().map(|row| row.1.parse().unwrap()).collect();
        assert!(shown.iter().copied().eq(0..count), "{} rows", shown.len());
    }
    site.client.sleep(1);
    let head = site.ask("HEAD", "/", "Accept: text/html\r\n");
    assert_eq!((head.header("transfer-encoding"), head.body()), (Some("chunked"), &b""[..]));
    assert!(site.get("/").text().ends_with("\n5300 files, 0 bytes; times in UTC\n"));
}

#[test]
fn who_asks_again_for_a_large_listing_gets_a_copy_while_it_holds() {
    let mut site = Site::new();
    for number in 0..2000 {
        File::create(site.path(&number.to_string())).unwrap();
    }
    let is_copy = |answer: &Answer| answer.header("content-length").is_some() && answer.header("etag").is_some();
    for (fields, what) in [("Accept: text/html\r\n", "a page"), ("", "plain"), ("Accept: application/json\r\n", "JSON")]
    {
        // One who only wants the head takes no copy, and leaves none behind.
        assert!(!is_copy(&site.ask("HEAD", "/", fields)), "{what}");
        let first = site.ask("GET", "/", fields);
        let second = site.ask("GET", "/", fields);
        assert_eq!((is_copy(&first), is_copy(&second)), (false, true), "{what}");
        assert!(first.body() == second.body(), "{what}: the same bytes");
        let known = format!("{fields}If-None-Match: {}\r\n", second.header("etag").unwrap());
        assert_eq!(site.ask("GET", "/", &known).status(), 304, "{what}");
    }
    tick();
    site.write("one more", "");
    let changed = site.get("/");
    assert!(!is_copy(&changed) && changed.text().contains("one more"));
    assert!(is_copy(&site.get("/")));
    site.client.sleep(1);
    assert!(!is_copy(&site.get("/")), "a second is all it lasts");
}

#[test]
fn a_reader_that_leaves_takes_the_copy_along() {
    let mut site = Site::new();
    for number in 0..3000 {
        File::create(site.path(&number.to_string())).unwrap();
    }
    for _ in 0..10 {
        site.client.connect();
        site.client.transport_mut().unwrap().accept_writes([100, 0]);
        site.client.transport_mut().unwrap().stall();
        site.client.deliver("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
        site.client.transport_mut().unwrap().reset();
        site.client.turn();
    }
    site.client.connect();
    assert_eq!(site.get("/").header("etag"), None);
    assert!(site.get("/").header("etag").is_some(), "there is room for a copy yet");
}

#[test]
fn a_page_is_small() {
    let mut site = Site::new();
    let empty = site.page("/").body().len();
    assert!(empty < 4096, "{empty} bytes for an empty directory");
    for number in 0..100 {
        site.write(&format!("picture {number}.jpg"), "");
    }
    let full = site.page("/").body().len();
    let each = (full - empty) / 100;
    // Besides the two copies of the name, one of them with a blank as %20.
    assert!(each < 100 + 2 * 14 + 2, "{each} bytes an entry");
}

// ---- faces

const FACES: &[(&str, &str)] = &[
    ("page", "Accept: text/html\r\n"),
    ("plain", ""),
    ("json", "Accept: application/json\r\n"),
    ("linked", "User-Agent: Wget/1.25\r\nAccept: */*\r\n"),
];

fn face(answer: &Answer) -> &'static str {
    match (answer.header("content-type").unwrap(), answer.text().contains("<pre>")) {
        ("text/plain; charset=utf-8", _) => "plain",
        ("application/json", _) => "json",
        ("text/html; charset=utf-8", true) => "linked",
        ("text/html; charset=utf-8", false) => "page",
        (other, _) => panic!("{other}"),
    }
}

#[test]
fn every_peer_gets_the_face_it_asks_for() {
    let mut site = Site::new();
    site.write("a.txt", "a");
    let browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";
    let table = [
        ("/", "", "plain"),
        ("/", "Accept: */*\r\n", "plain"),
        ("/", browser, "page"),
        ("/", "Accept: application/xhtml+xml, */*;q=0.1\r\n", "page"),
        ("/", "Accept: application/json, text/plain, */*\r\n", "json"),
        ("/", "Accept: text/html;q=0.5, application/json\r\n", "json"),
        ("/", "Accept: image/png\r\n", "plain"),
        ("/", "User-Agent: Wget/1.25\r\nAccept: */*\r\n", "linked"),
        ("/", "User-Agent: Wget/1.25\r\n", "linked"),
        ("/", "User-Agent: Wget/1.25\r\nAccept: application/json\r\n", "json"),
        ("/", "User-Agent: Wget/1.25\r\nAccept: TEXT/plain\r\n", "plain"),
        ("/?format=text", "User-Agent: Wget/1.25\r\n", "plain"),
        ("/?format=html", "", "page"),
        ("/?format=json", browser, "json"),
        ("/?format=text", browser, "plain"),
    ];
    for (target, fields, wanted) in table {
        let answer = site.ask("GET", target, fields);
        assert_eq!(face(&answer), wanted, "{target} {fields:?}");
        assert_eq!(answer.header("vary"), Some("Accept, User-Agent"), "{target} {fields:?}");
        assert!(answer.text().contains("a.txt"), "{target} {fields:?}");
    }
    let refused = site.get("/?format=xml");
    assert_eq!(refused.status(), 400);
    assert!(refused.text().contains("?format=html, ?format=text or ?format=json"), "{}", refused.text());
}

#[test]
fn the_lines_of_json_are_exact() {
    let mut site = Site::new();
    assert_eq!(site.get("/?format=json").text(), "[]\n");
    site.write("docs/x", "");
    for (name, content) in [(&b"a \"b\"\\\n.txt"[..], "123"), (b"latin\xe9", "")] {
        fs::write(site.directory.path().join(name_of(name)), content).unwrap();
        set_modified(&site.directory.path().join(name_of(name)), NOVEMBER_1994);
    }
    symlink("nowhere", site.path("z")).unwrap();
    let text = site.get("/?format=json").text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[5]), ("[", "]"), "{text}");
    assert!(lines[1].starts_with("{\"name\":\"docs\",\"type\":\"directory\",\"mtime\":\"2"), "{text}");
    assert!(lines[1].ends_with("Z\",\"href\":\"docs/\"},"), "{text}");
    let wanted = "{\"name\":\"a \\\"b\\\"\\\\\\u000a.txt\",\"type\":\"file\",\"size\":3,\
                  \"mtime\":\"1994-11-06T08:49:37Z\",\"href\":\"a%20%22b%22%5C%0A.txt\"},";
    assert_eq!(lines[2], wanted);
    assert!(lines[3].starts_with("{\"name\":\"latin\u{fffd}\",") && lines[3].contains("\"latin%E9\""), "{text}");
    assert!(lines[4].contains("\"type\":\"other\"") && lines[4].ends_with("\"note\":\"dangling link\"}"), "{text}");
}

#[test]
fn a_mirror_finds_links_to_the_entries_and_to_nothing_else() {
    let mut site = Site::new();
    site.write("a <b>.txt", "x");
    site.write("docs/deep/y", "x");
    let answer = site.ask("GET", "/docs/", FACES[3].1);
    let text = answer.text();
    assert_eq!(text.matches("<a href=").count(), 1, "{text}");
    assert!(text.contains("<a href=\"deep/\">deep/</a>"), "{text}");
    let text = site.ask("GET", "/", FACES[3].1).text();
    assert!(text.contains("<a href=\"a%20%3Cb%3E.txt\">a &lt;b&gt;.txt</a>"), "{text}");
    assert!(!text.contains('?') && !text.contains("script") && !text.contains("<link"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the bytes of a name, every face that has links leads to the file.
    #[test]
    fn links_lead_to_files_of_any_name(
        names in prop::collection::btree_set(prop::collection::vec(1_u8..=255, 1..40), 1..8),
    ) {
        let mut site = Site::new();
        let is_name = |name: &&Vec<u8>| !name.contains(&b'/') && name[0] != b'.' && *name != b"index.html";
        let names: Vec<&Vec<u8>> = names.iter().filter(is_name).collect();
        for name in &names {
            fs::write(site.directory.path().join(name_of(name)), name).unwrap();
        }
        for (face, fields) in FACES {
            let text = site.ask("GET", "/", fields).text();
            let links = match *face {
                "plain" => continue,
                "json" => hrefs(&text),
                _ => text.lines().filter(|line| !line.starts_with("<p>")).filter_map(link).collect(),
            };
            prop_assert_eq!(links.len(), names.len(), "{}: {}", face, text);
            let mut found: Vec<Vec<u8>> = Vec::new();
            for href in links {
                let answer = site.get(&format!("/{href}"));
                prop_assert_eq!(answer.status(), 200, "{}", href);
                found.push(answer.body().to_vec());
            }
            found.sort();
            prop_assert!(found.iter().eq(names.iter().copied()), "{}: {:?}", face, found);
        }
    }
}

// ---- what the page loads

#[test]
fn style_and_script_are_found_from_every_depth_and_kept_for_ever() {
    let mut site = Site::with("/pub", |files| files.with_listing_css("b{}"));
    site.write("a/b/x", "");
    for (place, up) in [("/", ""), ("/a/", "../"), ("/a/b/", "../../")] {
        let page = site.page(place);
        let csp = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; \
                   form-action 'none'; frame-ancestors 'none'";
        assert_eq!(page.header("content-security-policy"), Some(csp));
        let text = page.text();
        assert!(!text.contains("<style") && !text.contains("style=") && text.matches("<script").count() == 1, "{text}");
        let found: Vec<&str> = text.split('"').filter(|piece| piece.contains("_ownhands/")).collect();
        assert_eq!(found.len(), 3, "{text}");
        let wanted = [
            ("text/css; charset=utf-8", include_str!("../static/listing.css")),
            ("text/css; charset=utf-8", "b{}"),
            ("text/javascript; charset=utf-8", include_str!("../static/listing.js")),
        ];
        for (path, (kind, content)) in found.into_iter().zip(wanted) {
            let below = path.strip_prefix(up).unwrap();
            assert!(below.starts_with("_ownhands/"), "{path}");
            let answer = site.get(&format!("/{below}"));
            assert_eq!((answer.status(), answer.text().as_str()), (200, content));
            assert_eq!(answer.header("content-type"), Some(kind));
            assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
    }
    assert_eq!(site.get("/_ownhands/listing.0000000000000000.css").status(), 404);
    let mut silent = Site::with("/", Files::without_listing);
    let below = site.page("/").text().split('"').find(|piece| piece.contains("_ownhands/")).unwrap().to_owned();
    assert_eq!(silent.get(&format!("/{below}")).status(), 404);
    assert!(include_str!("../static/listing.js").len() < 3 * 1024);
}

#[test]
fn a_readme_is_shown_as_text() {
    let mut site = Site::new();
    site.write("readme.MD", "# <b>Hello</b>\r\n\tthere \x07");
    site.write("README.txt", "second choice");
    let text = site.page("/").text();
    assert!(
        text.contains(
            "<h2><a href=readme.MD>readme.MD</a></h2>\n<pre>\n# &lt;b&gt;Hello&lt;/b&gt;\n\tthere \u{2407}</pre>"
        ),
        "{text}"
    );
    assert!(!text.contains("second choice"));
    // Of a long one the beginning, of a directory or a link out nothing.
    site.write("long/README", vec![b'y'; 100_000]);
    let long = site.page("/long/").text();
    assert!(long.contains(&format!("\n{}\n[...]</pre>", "y".repeat(64 * 1024))), "{}", long.len());
    site.write("other/README/x", "");
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "the secret").unwrap();
    symlink(outside.path().join("secret"), site.path("other/README.md")).unwrap();
    let other = site.page("/other/").text();
    assert!(!other.contains("<h2>") && !other.contains("the secret"), "{other}");
}

// ---- validators, and how long a listing holds

#[test]
fn a_whole_listing_has_validators_that_are_true() {
    for (face, fields) in FACES {
        let mut site = Site::new();
        site.write("a.txt", "a");
        let answer = site.ask("GET", "/", fields);
        let tag = answer.header("etag").unwrap().to_owned();
        let date = answer.header("last-modified").unwrap().to_owned();
        let conditions = [
            (format!("If-None-Match: {tag}\r\n"), 304),
            (format!("If-None-Match: \"x\", W/{tag}\r\n"), 304),
            ("If-None-Match: *\r\n".to_owned(), 304),
            (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}\r\n"), 200),
            (format!("If-Modified-Since: {date}\r\n"), 304),
            ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(), 200),
            (format!("If-Match: {tag}\r\n"), 200),
            (format!("If-Unmodified-Since: {date}\r\n"), 200),
        ];
        for (condition, status) in &conditions {
            let again = site.ask("GET", "/", &format!("{fields}{condition}"));
            assert_eq!(again.status(), *status, "{face} {condition:?}");
            for name in ["etag", "last-modified", "vary", "cache-control"] {
                assert_eq!(again.header(name), answer.header(name), "{face} {condition:?} {name}");
            }
        }
        for condition in ["If-Match: \"x\"\r\n", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"] {
            assert_eq!(site.ask("GET", "/", &format!("{fields}{condition}")).status(), 412, "{face} {condition:?}");
        }
        // A name that comes changes both at once, with no time between.
        site.write("b.txt", "b");
        let changed = site.ask("GET", "/", &format!("{fields}If-None-Match: {tag}\r\n"));
        assert_eq!(changed.status(), 200, "{face}");
        assert!(changed.text().contains("b.txt"), "{face}");
        // What a link leads to changes without a trace in the directory.
        symlink("a.txt", site.path("link")).unwrap();
        let linked = site.ask("GET", "/", fields);
        assert!(linked.header("last-modified").is_none() && linked.header("etag").is_some(), "{face}");
    }
    // What changed just now may change again within the same second.
    let mut today = Site::of_today();
    today.write("a.txt", "a");
    assert!(today.get("/").header("last-modified").is_none());
}

#[test]
fn what_was_found_holds_for_a_second_unless_the_directory_changes() {
    let mut site = Site::new();
    site.write("a.txt", "a");
    assert!(site.get("/").text().contains("1 file, 1 bytes"));
    // Nothing of the directory itself changes when a file grows.
    site.write("a.txt", "grown");
    assert!(site.get("/").text().contains("1 file, 1 bytes"));
    site.client.sleep(1);
    assert!(site.get("/").text().contains("1 file, 5 bytes"));
    site.write("new.txt", "");
    assert!(site.get("/").text().contains("new.txt"));
    fs::remove_file(site.path("a.txt")).unwrap();
    assert!(!site.get("/").text().contains("a.txt"));
    // Of what was changed just now nothing is kept: the next change may have the same time.
    let mut today = Site::of_today();
    today.write("a.txt", "a");
    assert!(today.get("/").text().contains("1 bytes"));
    today.write("a.txt", "grown");
    assert!(today.get("/").text().contains("5 bytes"));
}

#[test]
fn many_directories_are_listed_within_a_second() {
    let mut site = Site::new();
    for number in 0..150 {
        site.write(&format!("d{number}/only {number}"), "");
    }
    for _ in 0..2 {
        for number in 0..150 {
            assert!(site.get(&format!("/d{number}/")).text().contains(&format!("only {number}\n")), "{number}");
        }
    }
}

#[test]
fn every_face_of_a_large_directory_is_whole() {
    let mut site = Site::new();
    let count = 2500;
    for number in 0..count {
        File::create(site.path(&format!("n{number}"))).unwrap();
    }
    for (face, fields) in FACES {
        let answer = site.ask("GET", "/", fields);
        assert_eq!((answer.header("transfer-encoding"), answer.header("etag")), (Some("chunked"), None), "{face}");
        let text = answer.text();
        let names: Vec<String> = match *face {
            "page" | "linked" => text.lines().filter_map(link).filter(|link| link.starts_with('n')).collect(),
            "json" => hrefs(&text),
            _ => text.lines().filter_map(|line| Some(format!("n{}", line.rsplit_once("  n")?.1))).collect(),
        };
        assert!(names.into_iter().eq((0..count).map(|number| format!("n{number}"))), "{face}");
    }
}

#[test]
fn accented_capitals_stand_beside_their_letters() {
    let mut site = Site::new();
    for name in ["\u{c9}b", "\u{e9}a", "\u{e9}c", "z"] {
        site.write(name, "");
    }
    let shown: Vec<String> = rows(&site.page("/").text()).into_iter().map(|row| row.1).collect();
    assert_eq!(shown, ["z", "\u{e9}a", "\u{c9}b", "\u{e9}c"]);
}
