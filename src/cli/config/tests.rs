//! Every option, well and badly said, in every place.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;

use tempfile::TempDir;

use super::{PATHS, Take, environment, name};
use crate::cli::Failure;
use crate::cli::flags;
use crate::cli::options::{self, Asked};

/// What a call comes to: the options as the debugger shows them, a text, or what is complained about.
fn read(arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
    let arguments = ["ownhands"].iter().chain(arguments).map(Into::into);
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    match options::read(arguments, variables) {
        Ok(Asked::Text(text)) => Ok(text),
        Ok(Asked::Serve(options) | Asked::Routes(options) | Asked::Check(options) | Asked::Errand(_, options)) => {
            Ok(format!("{options:?}"))
        }
        Err(Failure::Usage(why)) => Err(why),
        Err(Failure::Run(why)) => panic!("{why}"),
    }
}

/// A directory with a file of options in it.
struct Page(TempDir);

impl Page {
    fn new(text: &str) -> Page {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("o.toml"), text).unwrap();
        Page(directory)
    }

    fn path(&self) -> String {
        self.0.path().join("o.toml").to_str().unwrap().to_owned()
    }

    /// What a call comes to that has this file, with the directory left out of what is said.
    fn read(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
        let path = self.path();
        let arguments = [&["--config", &path], arguments].concat();
        let short = |text: String| text.replace(&format!("{}/", self.0.path().display()), "");
        read(&arguments, variables).map(short).map_err(short)
    }
}

/// A value for each option, other than its default, and one that it cannot have.
const CASES: &[(&str, &[&str], &str)] = &[
    ("paths", &["/srv", "/tmp"], ""),
    ("port", &["80"], "65536"),
    ("bind", &["::1", "unix:/run/a.sock"], "localhost"),
    ("lan", &["true"], "yes"),
    ("index", &["a.html"], "a/b"),
    ("no-listing", &["true"], "1"),
    ("listing-css", &["/a.css"], ""),
    ("hidden", &["true"], "on"),
    ("hide", &["*.log", "/tmp"], "["),
    ("follow-links", &["true"], ""),
    ("no-links", &["true"], "no"),
    ("spa", &["true"], "TRUE"),
    ("mount", &["/a=/b", "/c=/d=e"], "/a"),
    ("redirect", &["/a/(.*)=/b/$1", "301 /c=https://example.org"], "/a=b"),
    ("header", &["A: b", "C: \"d\\"], "a"),
    ("cache", &["60"], "-1"),
    ("wsgi", &["a.b:c()"], "a.b:"),
    ("wsgi-path", &["/a"], "a"),
    ("python", &["/a/python"], ""),
    ("chdir", &["/srv"], ""),
    ("wsgi-workers", &["7"], "0"),
    ("wsgi-timeout", &["0.5"], "0"),
    ("wsgi-queue", &["7"], "0"),
    ("wsgi-reload", &["true"], "often"),
    ("scgi", &["/a=unix:/run/b.sock", "/c=localhost:4000"], "/a=4000"),
    ("scgi-timeout", &["7"], "-1"),
    ("cgi", &["/a=/b", "/c=/d=e"], "a=/b"),
    ("cgi-timeout", &["7"], "x"),
    ("cgi-processes", &["7"], "0"),
    ("cgi-output", &["7"], "0"),
    ("try-files", &["true"], "first"),
    ("explain", &["true"], "0"),
    ("max-connections", &["7"], "0"),
    ("max-per-address", &["7"], "0"),
    ("max-head", &["7"], "1.5"),
    ("max-target", &["7"], "0"),
    ("max-fields", &["256"], "257"),
    ("max-body", &["0"], "-1"),
    ("max-requests", &["7"], "0"),
    ("max-kept", &["7"], "1e9"),
    ("min-rate", &["7"], "0"),
    ("header-timeout", &["0.5"], "0"),
    ("body-timeout", &["7"], "-1"),
    ("idle-timeout", &["7"], "nan"),
    ("write-timeout", &["7"], "inf"),
    ("answer-timeout", &["7"], "1e99"),
    ("grace", &["7"], "soon"),
    ("access-log", &["/a.log"], ""),
    ("access-log-format", &["json"], "xml"),
    ("log", &["off"], ""),
    ("log-level", &["debug"], "loud"),
    ("trace", &["/a.*"], "("),
    ("trust", &["10.0.0.0/8", "::1", "unix"], "10.0.0.0/33"),
    ("proxy-protocol", &["true"], "2"),
    ("user", &["nobody"], ""),
    ("group", &["1000"], "a:b"),
    ("chroot", &["/srv"], ""),
    ("sandbox", &["required"], "maybe"),
    ("pid-file", &["/a.pid"], ""),
    ("config", &[], ""),
    ("check", &[], "x"),
    ("print-config", &[], "x"),
];

#[test]
fn every_option_has_its_case() {
    let of_table: Vec<String> = flags::table().get_arguments().map(name).collect();
    let mut of_cases: Vec<&str> = CASES.iter().map(|(name, ..)| *name).collect();
    let mut all: Vec<&str> = of_table.iter().map(String::as_str).collect();
    of_cases.sort_unstable();
    all.sort_unstable();
    assert_eq!(of_cases, all);
}

fn take(option: &str) -> Take {
    Take::of(flags::table().get_arguments().find(|arg| name(arg) == option).unwrap())
}

fn as_flags(option: &str, values: &[&str]) -> Vec<String> {
    let flag = |value: &&str| if option == PATHS { (*value).to_owned() } else { format!("--{option}={value}") };
    values.iter().map(flag).collect()
}

fn as_toml(option: &str, values: &[&str]) -> String {
    let strings: Vec<String> =
        values.iter().map(|value| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    match take(option) {
        Take::Truth => format!("{option} = {}\n", values.concat()),
        Take::One => format!("{option} = {}\n", strings.concat()),
        Take::List => format!("{option} = [{}]\n", strings.join(", ")),
    }
}

/// What an option cannot be without.
fn needed(option: &str) -> &'static [(&'static str, &'static str)] {
    match option {
        "proxy-protocol" => &[("trust", "::1")],
        "try-files" => &[("paths", "/srv"), ("scgi", "/=unix:/a")],
        "scgi" | "cgi" | "wsgi" => &[],
        "python" | "chdir" => &[("wsgi", "a:b")],
        _ if option.starts_with("wsgi-") => &[("wsgi", "a:b")],
        _ if option.starts_with("scgi-") => &[("scgi", "/a=unix:/b")],
        _ if option.starts_with("cgi-") => &[("cgi", "/a=/b")],
        _ => &[],
    }
}

#[test]
fn what_is_about_something_that_nobody_asks_for_is_said_in_every_place() {
    for (option, values, _) in CASES {
        let Some((needed, _)) = needed(option).first() else { continue };
        if *option == "try-files" {
            continue; // of which more is said elsewhere
        }
        let variable = environment::variable(option);
        let page = Page::new(&as_toml(option, values));
        let (empty, said) = (Page::new(""), as_flags(option, values));
        for (why, place) in [
            (empty.read(&[&said[0]], &[]), String::new()),
            (empty.read(&[], &[(&variable, values[0])]), format!("{variable}: ")),
            (page.read(&[], &[]), format!("o.toml:1: {option}: ")),
        ] {
            let why = why.unwrap_err();
            assert!(why.starts_with(&format!("{place}--{option} is for ")) && !why.contains('\n'), "{why}");
            assert!(why.contains(" by --") && why.ends_with(needed), "{why}");
        }
    }
    // One of several places is enough, and to say what holds by itself is no harm.
    let page = Page::new("python = \"venv\"\ncgi-output = \"7\"\n[cgi]\n\"/a\" = \"/b\"\n");
    assert!(page.read(&["--wsgi", "a:b", "--wsgi-path", "/c"], &[("OWNHANDS_CHDIR", "/srv")]).is_ok());
    assert!(
        read(&["--wsgi-reload=false", "--python", "python3", "--wsgi-path", "/", "--cgi-timeout", "30"], &[]).is_ok()
    );
    let why = read(&["--scgi-timeout", "7"], &[("OWNHANDS_SCGI", "[]")]).unwrap_err();
    assert!(why.ends_with("by --scgi"), "{why}");
}

#[test]
fn an_option_means_the_same_in_every_place() {
    for (option, values, _) in CASES.iter().filter(|(_, values, _)| !values.is_empty()) {
        let rest: String = needed(option).iter().map(|(option, value)| as_toml(option, &[value])).collect();
        let empty = Page::new(&rest);
        let default = empty.read(&[], &[]);
        let said = as_flags(option, values);
        let by_flags = empty.read(&said.iter().map(String::as_str).collect::<Vec<_>>(), &[]).unwrap();
        assert_ne!(Ok(&by_flags), default.as_ref(), "{option} is good for nothing");

        let page = Page::new(&format!("{rest}{}", as_toml(option, values)));
        assert_eq!(page.read(&[], &[]), Ok(by_flags.clone()), "{option} in a file");

        let toml = as_toml(option, values);
        let array = toml.split_once(" = ").unwrap().1.trim();
        let value = if take(option) == Take::List { array } else { values[0] };
        let by_variable = empty.read(&[], &[(&environment::variable(option), value)]);
        assert_eq!(by_variable, Ok(by_flags), "{option} in the environment");
    }
}

#[test]
fn a_bad_value_is_blamed_on_its_place() {
    let empty = Page::new("");
    for (option, _, bad) in CASES {
        let said = as_flags(option, &[bad]);
        let why = empty.read(&[&said[0]], &[]).unwrap_err();
        let shown = if *option == PATHS { "[PATH]" } else { &format!("--{option}") };
        assert!(why.contains(shown) && !why.contains('\n'), "{option}: {why}");

        let variable = environment::variable(option);
        let why = empty.read(&[], &[(&variable, bad)]).unwrap_err();
        assert!(why.starts_with(&format!("{variable}: ")) && !why.contains('\n'), "{option}: {why}");

        let page = Page::new(&format!("# Options\n{option} = \"{bad}\"\n"));
        let why = page.read(&[], &[]).unwrap_err();
        assert!(why.starts_with(&format!("o.toml:2: {option}: ")) && !why.contains('\n'), "{option}: {why}");
    }
}

#[test]
fn what_is_printed_can_be_read_and_is_the_same() {
    for (option, values, _) in CASES {
        if values.is_empty() {
            continue;
        }
        let needed = needed(option).iter().flat_map(|(option, value)| as_flags(option, &[value]));
        let said: Vec<String> = as_flags(option, values).into_iter().chain(needed).collect();
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        let printed = read(&[&said[..], &["--print-config"]].concat(), &[]).unwrap();
        let origin = if *option == PATHS { "PATH".to_owned() } else { format!("--{option}") };
        assert!(printed.lines().any(|line| line.starts_with(&format!("{option} = "))), "{option}:\n{printed}");
        assert!(printed.lines().any(|line| line.ends_with(&format!("  # {origin}"))), "{option}:\n{printed}");

        let page = Page::new(&printed);
        // The one path that is not said is made absolute by being printed.
        let here = std::env::current_dir().unwrap();
        let is_here = printed.lines().next().is_some_and(|line| line == format!("paths = [{here:?}]  # default"));
        let paths: &[&str] = if is_here { &[here.to_str().unwrap()] } else { &[] };
        let want = page.read(&[&said[..], paths].concat(), &[]).unwrap();
        let without_it = Page::new("").read(&[&said[..], paths].concat(), &[]).unwrap();
        assert_eq!(page.read(&[], &[]).unwrap(), want, "{option}:\n{printed}");
        assert_eq!(want, without_it, "{option}:\n{printed}");
    }
}

#[test]
fn a_higher_place_goes_before_a_lower_one() {
    let file = "port = 1\nhide = [\"a\", \"b\"]\nhidden = true\nlan = true\nfollow-links = true\npaths = \"f\"\n";
    let page = Page::new(file);
    let both = &[("OWNHANDS_PORT", "2"), ("OWNHANDS_HIDE", "c"), ("OWNHANDS_PATHS", "e")][..];
    // Arguments, variables, and lines of what is printed.
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 12] = [
        (&[], &[], &["port = 1  # o.toml:1", "hide = [\"a\", \"b\"]  # o.toml:2", "hidden = true  # o.toml:3"]),
        (&[], both, &["port = 2  # OWNHANDS_PORT", "hide = [\"c\"]  # OWNHANDS_HIDE"]),
        (&["-p", "3", "--hide", "d"], both, &["port = 3  # --port", "hide = [\"d\"]  # --hide"]),
        (&["start", "-p", "3"], both, &["port = 3  # --port"]),
        (&["-p", "3", "start"], both, &["port = 3  # --port"]),
        (&["--hidden=false"], &[], &["hidden = false  # --hidden"]),
        (&[], &[("OWNHANDS_HIDDEN", "false")], &["hidden = false  # OWNHANDS_HIDDEN"]),
        (&[], &[("OWNHANDS_HIDE", "[]")], &["hide = []  # OWNHANDS_HIDE"]),
        (&[], &[("OWNHANDS_HIDE", "[ab]")], &["hide = [\"[ab]\"]  # OWNHANDS_HIDE"]),
        // One of two that exclude each other goes before the other, too.
        (&["-b", "::1"], &[], &["lan = false  # default", "bind = [\"::1\"]  # --bind"]),
        (
            &[],
            &[("OWNHANDS_NO_LINKS", "true")],
            &["follow-links = false  # default", "no-links = true  # OWNHANDS_NO_LINKS"],
        ),
        (&["--no-links=false"], &[], &["follow-links = true  # o.toml:5", "no-links = false  # --no-links"]),
    ];
    for (arguments, variables, lines) in cases {
        let printed = page.read(&[arguments, &["--print-config"]].concat(), variables).unwrap();
        for line in lines {
            assert!(
                printed.lines().any(|printed| printed == *line),
                "{arguments:?} {variables:?}: no {line} in\n{printed}"
            );
        }
    }
    let here = std::env::current_dir().unwrap();
    let here = here.display();
    for (arguments, variables, line) in [
        (&[][..], &[][..], "paths = [\"f\"]  # o.toml:6".to_owned()),
        (&[], both, format!("paths = [\"{here}/e\"]  # OWNHANDS_PATHS")),
        (&["g"], both, format!("paths = [\"{here}/g\"]  # PATH")),
        (&["start", "g", "h"], both, format!("paths = [\"{here}/g\", \"{here}/h\"]  # PATH")),
        (&["start"], both, format!("paths = [\"{here}/e\"]  # OWNHANDS_PATHS")),
        (&["demo", "g"], both, format!("paths = [\"{here}/g\"]  # PATH")),
        (&["demo"], both, format!("paths = [\"{here}/e\"]  # OWNHANDS_PATHS")),
    ] {
        let printed = page.read(&[arguments, &["--print-config"]].concat(), variables).unwrap();
        assert_eq!(printed.lines().next(), Some(line.as_str()), "{arguments:?}");
    }
    let printed = read(&["demo", "--print-config"], &[]).unwrap();
    assert_eq!(printed.lines().next(), Some(format!("paths = [\"{here}/static\"]  # default").as_str()));
}

#[test]
fn tables_mean_the_same_as_lists() {
    let table = "[scgi]\n\"/s\" = \"unix:a\"\n[cgi]\n\"/c\" = \"d\"\n[redirect]\n\"/z/(.*)\" = \"/b/$1\"\n\"301 /a\" = \"/c\"\n[mount]\n\"/a\" = \"b\"\n[header]\nX-A = \"b\"\nAge = 5\n";
    let list = "scgi = [\"/s=unix:a\"]\ncgi = [\"/c=d\"]\nredirect = [\"/z/(.*)=/b/$1\", \"301 /a=/c\"]\nmount = [\"/a=b\"]\nheader = [\"X-A: b\", \"Age: 5\"]\n";
    let (table, list) = (Page::new(table), Page::new(list));
    assert_eq!(table.read(&[], &[]), list.read(&[], &[]));
    let printed = table.read(&["--print-config"], &[]).unwrap();
    for line in [
        "scgi = [\"/s=unix:a\"]  # o.toml:1",
        "cgi = [\"/c=d\"]  # o.toml:3",
        "redirect = [\"/z/(.*)=/b/$1\", \"301 /a=/c\"]  # o.toml:5",
        "mount = [\"/a=b\"]  # o.toml:8",
        "header = [\"X-A: b\", \"Age: 5\"]  # o.toml:10",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "no {line} in\n{printed}");
    }
}

#[test]
fn a_file_that_is_none_is_said_with_its_line() {
    let cases = [
        ("prot = 1", "o.toml:1: there is no option prot; did you mean port?"),
        ("\nmax_head = 1", "o.toml:2: there is no option max_head; did you mean max-head?"),
        ("zzzzz = 1", "o.toml:1: there is no option zzzzz"),
        ("\"a\\nb\" = 1", "o.toml:1: there is no option a\\nb"),
        ("start = true", "o.toml:1: there is no option start"),
        ("[limits]\nmax-head = 1", "o.toml:1: there is no option limits"),
        ("port = 1\nport = 2", "o.toml:2: port: this is here for the second time"),
        ("port = 1\nport 2", "o.toml:2: "),
        ("port = [1]", "o.toml:1: port: give a value, not a list"),
        ("port = true", "o.toml:1: port: give a value, not true or false"),
        ("port = 2026-01-01", "o.toml:1: port: give a value, not a date"),
        ("[port]\na = 1", "o.toml:1: port: give a value, not a table"),
        ("lan = \"true\"", "o.toml:1: lan: give true or false, without quotes"),
        ("lan = [true]", "o.toml:1: lan: give true or false, without quotes"),
        ("[hide]\na = \"b\"", "o.toml:1: hide: give a list of values, not a table"),
        ("hide = [\n  \"a\",\n  [\"b\"],\n]", "o.toml:3: hide: give a value, not a list"),
        ("hide = [\n  \"a\",\n  \"[\",\n]", "o.toml:3: hide: this is no pattern: "),
        ("[mount]\n\"/a\" = \"b\"\nc = \"d\"", "o.toml:3: mount: give PATH=DIR, such as /photos=/srv/photos"),
        ("[redirect]\n\"/a\" = \"/a\"", "o.toml:2: redirect: the target \"/a\" is wrong: "),
        ("config = \"a\"", "o.toml:1: config: a file cannot name another one"),
        ("check = true", "o.toml:1: check: say --check on the command line: it is about one call"),
        ("lan = true\nbind = \"::1\"", "o.toml:1: lan and bind exclude each other: leave one of them out"),
    ];
    for (text, want) in cases {
        let why = Page::new(text).read(&[], &[]).unwrap_err();
        assert!(why.starts_with(want) && !why.contains('\n'), "{text}: {why}");
    }
    let why = Page::new("\nproxy-protocol = true").read(&[], &[]).unwrap_err();
    assert!(why.starts_with("o.toml:2: proxy-protocol: "), "{why}");
    let why = read(&["--config", "/nowhere/o.toml"], &[]).unwrap_err();
    assert!(why.starts_with("/nowhere/o.toml: it cannot be read: "), "{why}");
    let page = Page::new("");
    fs::write(page.path(), b"port = 1\nhide = \"\xff\"").unwrap();
    assert_eq!(page.read(&[], &[]), Err("o.toml:2: this is not UTF-8".to_owned()));
    fs::write(page.path(), vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert_eq!(page.read(&[], &[]), Err("o.toml: this is too long for a file of options".to_owned()));
}

#[test]
fn an_environment_that_is_none_is_said_with_its_variable() {
    let cases = [
        ("OWNHANDS_PROT", "1", "there is no variable OWNHANDS_PROT; did you mean OWNHANDS_PORT?"),
        ("OWNHANDS_port", "1", "there is no variable OWNHANDS_port"),
        ("OWNHANDS_", "1", "there is no variable OWNHANDS_"),
        ("OWNHANDS_PORT", "", "OWNHANDS_PORT: give a number from 0 to 65535"),
        ("OWNHANDS_CHECK", "true", "OWNHANDS_CHECK: say --check on the command line"),
        ("OWNHANDS_PRINT_CONFIG", "true", "OWNHANDS_PRINT_CONFIG: say --print-config on the command line"),
        ("OWNHANDS_BIND", "[\"::1\"", "OWNHANDS_BIND: write several values as [\"one\", \"two\"]"),
        ("OWNHANDS_BIND", "[\"::1\", 1]", "OWNHANDS_BIND: write several values as [\"one\", \"two\"]"),
        ("OWNHANDS_BIND", "[\"::1\", \"a\"]", "OWNHANDS_BIND: give an IP address"),
    ];
    for (variable, value, want) in cases {
        let why = read(&[], &[(variable, value)]).unwrap_err();
        assert!(why.starts_with(want), "{variable}={value}: {why}");
    }
    let rivals = [("OWNHANDS_LAN", "true"), ("OWNHANDS_BIND", "::1")];
    let why = read(&[], &rivals).unwrap_err();
    assert_eq!(why, "OWNHANDS_LAN and OWNHANDS_BIND exclude each other: leave one of them out");
    // What is not ours, and what is not for us, and an address in the brackets that are no array.
    for (variable, value) in [("OWNHAND_PORT", "x"), ("PORT", "x"), ("OWNHANDS_ROLE", "x"), ("OWNHANDS_BIND", "[::1]")]
    {
        assert!(read(&[], &[(variable, value)]).is_ok(), "{variable}");
    }
    // The help is there even so.
    for arguments in [&["--help"][..], &["-h"], &["--version"], &["man"], &["completions", "bash"]] {
        assert!(read(arguments, &[("OWNHANDS_PROT", "1")]).is_ok(), "{arguments:?}");
    }
}

#[test]
fn the_environment_can_name_the_file() {
    let page = Page::new("port = 7\n");
    let printed = read(&["--print-config"], &[("OWNHANDS_CONFIG", &page.path())]).unwrap();
    assert!(printed.contains(&format!("port = 7  # {}:1", page.path())), "{printed}");
}

#[test]
fn a_redirect_is_split_where_its_target_begins() {
    let cases = [
        ("/a=/b", "/a", "/b"),
        ("/a=b=/c", "/a=b", "/c"),
        ("/a=/b=/c", "/a", "/b=/c"),
        ("/[=/]x=/c", "/[=/]x", "/c"),
        ("/a(=/b)?=https://example.org/?c=/d", "/a(=/b)?", "https://example.org/?c=/d"),
        ("301 /a b=/c", "/a b", "/c"),
        ("/a 301 b=/c", "/a 301 b", "/c"),
    ];
    for (text, pattern, target) in cases {
        let printed = format!("{:?}", crate::cli::values::redirect(text).unwrap());
        let want = ownhands::app::Redirect::new(pattern, target).unwrap();
        let status = if text.starts_with("301 ") {
            ownhands::Status::MOVED_PERMANENTLY
        } else {
            ownhands::Status::TEMPORARY_REDIRECT
        };
        assert_eq!(printed, format!("{:?}", want.with_status(status).unwrap()), "{text}");
    }
    for text in ["", "/a", "=/b", "/a=", "/a=b", "301 /a", "999 /a=/b", "200 /a=/b", "30 /a=/b", "/(=/b", "a=/b"] {
        assert!(crate::cli::values::redirect(text).is_err(), "{text}");
    }
}
