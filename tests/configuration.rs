//! The configuration, as a process meets it: what is checked and printed, and what is served by it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::command::{Running, command};

/// The exit code, stdout and stderr.
fn run(arguments: &[&str], variables: &[(&str, &str)], directory: &Path) -> (Option<i32>, String, String) {
    let output = command(arguments, directory).envs(variables.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A directory with two others, a style sheet, and a file of options.
fn site(options: &str) -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    for (directory, text) in [("www", "the root\n"), ("more", "more of it\n")] {
        fs::create_dir(site.path().join(directory)).unwrap();
        fs::write(site.path().join(directory).join("a.txt"), text).unwrap();
        fs::write(site.path().join(directory).join("a.bak"), text).unwrap();
    }
    fs::write(site.path().join("own.css"), "p {}\n").unwrap();
    fs::write(site.path().join("o.toml"), options).unwrap();
    site
}

const GOOD: &str = r#"
paths = ["www"]
port = 0
hide = ["*.bak"]
listing-css = "own.css"
log-level = "error"
[header]
X-From = "the file"
[mount]
"/more" = "more"
"/more/style" = "own.css"
[redirect]
"/old/(.*)" = "/new/$1"
"308 /out" = "https://example.org/"
"/more/b.txt" = "/more/a.txt"
"#;

#[test]
fn a_file_says_what_is_served() {
    let site = site(GOOD);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = site.path().join("o.toml");
    let server = Running::start(&["--config", file.to_str().unwrap()], elsewhere.path());
    let cases = [
        ("/a.txt", "HTTP/1.1 200 OK\r\n", "\r\nX-From: the file\r\n", "\r\n\r\nthe root\n"),
        ("/a.bak", "HTTP/1.1 404 ", "", ""),
        ("/more/a.txt", "HTTP/1.1 200 OK\r\n", "\r\nX-From: the file\r\n", "\r\n\r\nmore of it\n"),
        ("/more/a.bak", "HTTP/1.1 404 ", "", ""),
        ("/more/", "HTTP/1.1 200 OK\r\n", "a.txt", ""),
        ("/more/style", "HTTP/1.1 200 OK\r\n", "\r\nContent-Type: text/css", "\r\n\r\np {}\n"),
        ("/more/style/", "HTTP/1.1 404 ", "", ""),
        ("/more/style/own.css", "HTTP/1.1 404 ", "", ""),
        ("/more/b.txt", "HTTP/1.1 307 Temporary Redirect\r\n", "\r\nLocation: /more/a.txt\r\n", ""),
        ("/old/a%20b?c", "HTTP/1.1 307 Temporary Redirect\r\n", "\r\nLocation: /new/a%20b?c\r\n", ""),
        ("/out", "HTTP/1.1 308 Permanent Redirect\r\n", "\r\nLocation: https://example.org/\r\n", ""),
        ("/old//evil.org", "HTTP/1.1 307 ", "\r\nLocation: /new//evil.org\r\n", ""),
    ];
    for (target, start, middle, end) in cases {
        let answer = server.ask(target);
        assert!(answer.starts_with(start) && answer.contains(middle) && answer.ends_with(end), "{target}: {answer}");
    }
}

#[test]
fn the_environment_and_flags_go_before_the_file() {
    let site = site(GOOD);
    let arguments = ["--config", "o.toml", "--header", "X-From: the flag", "--hide", "nothing", "www"];
    let mut command = command(&arguments, site.path());
    command.env("OWNHANDS_PATHS", "nowhere").env("OWNHANDS_HEADER", "X-From: the environment");
    let server = Running::of(&mut command);
    let answer = server.ask("/a.bak");
    assert!(answer.contains("\r\nX-From: the flag\r\n") && answer.ends_with("\r\n\r\nthe root\n"), "{answer}");
}

#[test]
fn what_is_good_is_said_and_nothing_is_started() {
    let site = site(GOOD);
    // A log that cannot be written is not opened, and a port that is taken is not bound.
    let (code, stdout, stderr) = run(&["--config", "o.toml", "--check", "--access-log", "x.log"], &[], site.path());
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "the configuration is good\n", ""));
    assert!(!site.path().join("x.log").exists());
    let files = fs::read_dir(site.path()).unwrap().count();
    assert_eq!(files, 4, "something was left");
    // What only a start would meet is looked for as well.
    for (option, value, why) in [
        ("--user", "nobody of this name", "nobody of this name"),
        ("--group", "4294967295", "group"), // the number that means no change
        ("--log", "nowhere/a.log", "there is no directory nowhere"),
        ("--access-log", "www", "it is a directory"),
        ("--bind", "unix:nowhere/socket", "nowhere/socket cannot be made"),
        ("--pid-file", "nowhere/pid", "nowhere/pid cannot be made"),
    ] {
        let (code, stdout, stderr) = run(&["--check", option, value], &[], site.path());
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{option} {value}: {stderr}");
        assert!(stderr.contains(why), "{option} {value}: {stderr}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    /// A file, arguments, variables, and what is said.
    type Case<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 14] = [
        ("header = \"ETag: x\"", &[], &[], "o.toml:1: header: --header cannot be ETag: "),
        ("port = 99999", &[], &[], "o.toml:1: port: give a number from 0 to 65535"),
        ("\nprot = 1", &[], &[], "o.toml:2: there is no option prot; did you mean port?"),
        ("port = 1\n[mount]\n\"/\" = \"more\"", &[], &[], "o.toml:2: mount: there is something mounted under \"/\""),
        (
            "[mount]\n\"/a\" = \"nowhere\"",
            &[],
            &[],
            "o.toml:1: mount: there is no nowhere: name a directory or a file: ",
        ),
        (
            "redirect = [\"/a=/b\", \"/a=/c\"]",
            &[],
            &[],
            "o.toml:1: redirect: there is a route for * with the pattern \"/a\"",
        ),
        (
            "listing-css = \"nowhere.css\"",
            &[],
            &[],
            "o.toml:1: listing-css: the style sheet nowhere.css cannot be read: ",
        ),
        ("paths = \"nowhere\"", &[], &[], "o.toml:1: paths: there is no nowhere: name a directory or a file: "),
        ("", &[], &[("OWNHANDS_PROT", "1")], "there is no variable OWNHANDS_PROT; did you mean OWNHANDS_PORT?"),
        ("", &[], &[("OWNHANDS_PORT", "x")], "OWNHANDS_PORT: give a number from 0 to 65535"),
        ("", &["--redirect", "/a=b"], &[], "give REGEX=TARGET, such as "),
        ("", &["--redirect", "/(.*)=https://a$1"], &[], "no group may stand in the host"),
        ("", &["--mount", "a=b"], &[], "give PATH=DIR, such as /photos=/srv/photos"),
        ("lan = true\nbind = \"::1\"", &[], &[], "o.toml:1: lan and bind exclude each other: leave one of them out"),
    ];
    for (options, arguments, variables, want) in cases {
        let site = site(options);
        for more in [&["--check"][..], &["-p", "0"]] {
            let arguments = [&["--config", "o.toml"], arguments, more].concat();
            if more.contains(&"-p") && options.contains("port") && !options.contains("mount") {
                continue;
            }
            let (code, stdout, stderr) = run(&arguments, variables, site.path());
            assert_eq!((code, stdout.as_str()), (Some(2), ""), "{options}{arguments:?}: {stderr}");
            assert!(stderr.starts_with("ownhands: ") && stderr.contains(want), "{options}{arguments:?}: {stderr}");
            assert_eq!(stderr.lines().count(), 1, "{stderr}");
        }
    }
}

/// The names of all options, from the help.
fn names() -> BTreeSet<String> {
    let (_, help, _) = run(&["--help"], &[], Path::new("/"));
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let names = lines.filter_map(|line| {
        let (_, name) = line.split_once("--")?;
        Some(name.split([' ', '[', '<']).next()?.to_owned())
    });
    names.collect()
}

#[test]
fn each_option_refuses_what_it_cannot_have() {
    let site = site("");
    for name in names().into_iter().filter(|name| name != "help" && name != "version") {
        // What no option can be: nothing at all, or a word that is no number, no address, no pattern, no truth.
        let (value, wanted) = match name.as_str() {
            "access-log" | "log" | "listing-css" | "pid-file" | "chroot" | "user" | "group" | "index" | "python"
            | "chdir" => ("", "value"),
            "config" => ("/nowhere", "/nowhere: it cannot be read"),
            _ => ("(", name.as_str()),
        };
        let value = if name == "hide" { "[" } else { value };
        let (code, stdout, stderr) = run(&[&format!("--{name}={value}"), "-p", "0"], &[], site.path());
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "--{name}={value}: {stderr}");
        assert!(stderr.starts_with("ownhands: ") && stderr.contains(wanted), "--{name}={value}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    assert_eq!(fs::read_dir(site.path()).unwrap().count(), 4, "something was left");
}

#[test]
fn what_is_printed_says_where_it_comes_from_and_can_be_used() {
    let site = site(GOOD);
    let variables = [("OWNHANDS_MAX_HEAD", "1000")];
    let (code, printed, stderr) =
        run(&["--config", "o.toml", "--idle-timeout", "7", "--print-config"], &variables, site.path());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for line in [
        "port = 0  # o.toml:3",
        "max-head = 1000  # OWNHANDS_MAX_HEAD",
        "idle-timeout = 7  # --idle-timeout",
        "max-target = 8192  # default",
        "# user = ...  # default: none",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "no {line} in\n{printed}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("p.toml"), &printed).unwrap();
    let (_, again, _) = run(&["--config", "p.toml", "--print-config"], &[], elsewhere.path());
    let values =
        |text: &str| text.lines().map(|line| line.split("  # ").next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(values(&again), values(&printed));
    let server = Running::start(&["--config", "p.toml"], elsewhere.path());
    assert!(server.ask("/more/a.txt").ends_with("\r\n\r\nmore of it\n"));
}

#[test]
fn papers_have_all_options() {
    let (code, page, _) = run(&["man"], &[], Path::new("/"));
    assert_eq!(code, Some(0));
    let page = page.replace("\\-", "-");
    let names = names();
    assert!(names.len() > 40, "{names:?}");
    for name in &names {
        assert!(page.contains(&format!("--{name}")), "the manual has no --{name}");
    }
    for word in ["ownhands start", "ownhands completions", "SIGNALS", "EXIT STATUS", "OWNHANDS_MAX_HEAD", "USR2"] {
        assert!(page.contains(word), "the manual has no {word}");
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, script, _) = run(&["completions", shell], &[], Path::new("/"));
        assert_eq!(code, Some(0));
        for name in &names {
            assert!(script.contains(name.as_str()), "{shell} has no {name}");
        }
    }
    let (code, _, stderr) = run(&["completions", "cmd"], &[], Path::new("/"));
    assert!(code == Some(2) && stderr.contains("bash"), "{stderr}");
}
