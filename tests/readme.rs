//! The README says what the code says: options, limits, dependencies. Its examples run as doc tests.

use ownhands::files::ByteRanges;
use ownhands::gateway::{Cgi, Scgi, Wsgi};
use ownhands::{Config, Limits, Timeouts};

const README: &str = include_str!("../README.md");
const MANIFEST: &str = include_str!("../Cargo.toml");

/// The rows of the table under a heading, each as its cells, without the head and the rule below it.
fn table(heading: &str) -> Vec<Vec<String>> {
    let section = README.split("\n## ").find(|section| section.starts_with(heading)).unwrap_or_default();
    let rows: Vec<Vec<String>> = section.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    assert!(rows.len() > 2, "the README has no table under {heading}");
    rows.into_iter().skip(2).collect()
}

/// The cells of a row; `\|` is a bar inside one.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim_matches('|').replace("\\|", "\0");
    row.split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[cfg(feature = "command")]
#[test]
fn options_are_those_of_the_help() -> Result<(), Box<dyn std::error::Error>> {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ownhands")).arg("--help").output()?;
    let help = String::from_utf8(output.stdout)?;
    // `-p, --port <PORT>  Listen on this port [default: 8000]`: what stands before the two spaces, and the default.
    // What is wrapped goes on below the text, far to the right.
    let help = help.replace(&format!("\n{}", " ".repeat(14)), "\0");
    let help: Vec<String> =
        help.lines().map(|line| line.split('\0').map(str::trim).collect::<Vec<_>>().join(" ")).collect();
    let lines = help.iter().map(|line| line.trim_start()).filter(|line| line.starts_with('-'));
    let of_help = lines.map(|line| {
        let option = line.split("  ").next().unwrap_or_default().replace(['<', '>'], "");
        let default = line.split_once("[default: ").map_or("", |(_, rest)| rest.trim_end_matches(']'));
        format!("{option} [{default}]")
    });
    let of_readme = table("Options").into_iter().map(|cells| {
        let cell = |index: usize| cells.get(index).map(|cell| cell.replace('`', "")).unwrap_or_default();
        format!("{} [{}]", cell(0), cell(2))
    });
    assert_eq!(sorted(of_readme.collect()), sorted(of_help.collect()));
    Ok(())
}

#[test]
fn limits_are_those_of_the_code() {
    let kib = |bytes: usize| format!("{} KiB", bytes / 1024);
    let seconds = |time: std::time::Duration| format!("{} s", time.as_secs());
    let body = seconds(Timeouts::BODY);
    let want = [
        ("request target", kib(Limits::TARGET), "414"),
        ("head of a request", kib(Limits::HEAD), "431"),
        ("headers of a request", Limits::FIELDS.to_string(), "431"),
        ("body of a request", format!("{} MiB", Limits::BODY >> 20), "413"),
        ("body kept in memory while it comes", kib(Limits::MEMORY), "goes to a temporary file"),
        ("time for an answer that a handler has put off", seconds(Timeouts::ANSWER), "503"),
        ("ranges of a file in one request", ByteRanges::ELEMENTS.to_string(), "the whole file"),
        ("trailers of a chunked body", kib(Limits::TRAILERS), "431"),
        ("time for a head", seconds(Timeouts::HEAD), "408"),
        ("time for a body", format!("{body}, and 1 s more for every {} bytes", Timeouts::MIN_RATE), "408"),
        ("time between two requests", seconds(Timeouts::IDLE), "closed"),
        ("time without the client taking a byte", seconds(Timeouts::WRITE), "closed"),
        (
            "connections at one time",
            Config::MAX_CONNECTIONS.to_string(),
            "the longest idle is closed; where all are busy, 503",
        ),
        (
            "memory for requests that are not complete",
            format!("{} MiB", Config::MAX_KEPT >> 20),
            "who wants more is closed",
        ),
        ("a client that takes its answer slowly", format!("{} bytes a second", Timeouts::MIN_RATE), "closed"),
        ("requests that wait for a WSGI application", Wsgi::QUEUE.to_string(), "503"),
        ("connections to a server of `--scgi`", Scgi::CONNECTIONS.to_string(), "503"),
        ("programs of `--cgi` at one time", Cgi::PROCESSES.to_string(), "503"),
    ];
    let rows = table("Limits");
    for (what, bound, beyond) in want {
        let row = rows.iter().find(|row| row.first().is_some_and(|cell| cell.starts_with(what)));
        let cell =
            |index: usize| row.and_then(|row| row.get(index)).map(|cell| cell.replace(',', "")).unwrap_or_default();
        assert!(cell(1).starts_with(&bound.replace(',', "")), "{what}: {bound} in the code, {} in the README", cell(1));
        assert_eq!(cell(2), beyond.replace(',', ""), "{what}");
    }
}

#[test]
fn dependencies_are_those_of_the_manifest() {
    let mut names = Vec::new();
    let mut section = "";
    for line in MANIFEST.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]")
            && let Some((name, _)) = line.split_once(" =")
            && !name.starts_with('#')
        {
            names.push(name.to_owned());
        }
    }
    // One that the tests want more of stands in two sections.
    names.sort();
    names.dedup();
    let link = |name: &str| format!("[{name}](https://crates.io/crates/{name})");
    let of_readme = table("Dependencies").into_iter().filter_map(|cells| cells.into_iter().next());
    assert_eq!(sorted(of_readme.collect()), sorted(names.iter().map(|name| link(name)).collect()));
}
