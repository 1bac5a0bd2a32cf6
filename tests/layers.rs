//! The layers: a file may use its own folder and any layer below, never one beside or above.
//!
//! A small reader of sources: it looks at every path that begins at the crate's root, by `crate::` or by enough
//! `super::`, outside comments, strings and unit tests. A name re-exported by `lib.rs` counts as what it stands for.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms and their layers. Two rooms of one layer do not know each other.
const LAYERS: &[(&str, u32)] = &[
    ("http", 1),
    ("service", 2),
    ("connection", 3),
    ("app", 3),
    ("files", 3),
    ("gateway", 4),
    ("sandbox", 4),
    ("server", 4),
    ("testing", 4),
    ("build", 5),
    ("cli", 5),
    ("main", 5),
];

/// Lines from which on a file is two rooms in one.
const MOST_LINES: usize = 450;

fn layer(room: &str) -> Option<u32> {
    LAYERS.iter().find(|(name, _)| *name == room).map(|(_, layer)| *layer)
}

/// The names that `lib.rs` re-exports at the root, each with its room.
fn reexports(lib: &str) -> HashMap<String, String> {
    let code = code(lib);
    let uses = code.split("pub use ").skip(1).filter_map(|after| after.split(';').next());
    let pairs = uses.flat_map(|path| {
        let (room, names) = path.split_once("::").unwrap_or((path, ""));
        let names = names.split(['{', '}', ',']).map(str::trim).filter(|name| !name.is_empty());
        names.map(|name| (name.to_string(), room.trim().to_string())).collect::<Vec<_>>()
    });
    pairs.collect()
}

/// A source without comments, without the text of strings, and without its unit tests. Lines stay where they are.
fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let bytes: Vec<char> = source.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest {
            ['/', '/', ..] => rest.iter().position(|&char| char == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => rest.windows(2).position(|pair| pair == ['*', '/']).map_or(rest.len(), |end| end + 2),
            ['\'', '"', '\'', ..] => 3,
            ['\'', '\\', _, '\'', ..] => 4,
            ['"', ..] => string_length(rest),
            [char, ..] => {
                out.push(*char);
                at += 1;
                continue;
            }
            [] => break,
        };
        out.extend(rest[..length].iter().filter(|&&char| char == '\n'));
        at += length;
    }
    out
}

fn string_length(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The rooms that a file uses, each with the line: what follows `crate::` or as many `super::` as lead to the root.
fn rooms_used(module: &[&str], source: &str) -> Vec<(usize, String)> {
    let to_root = "super::".repeat(module.len());
    let mut used = Vec::new();
    for (number, line) in code(source).lines().enumerate() {
        for start in ["crate::", &to_root] {
            for (at, _) in line.match_indices(start) {
                let before = &line[..at];
                if start.is_empty()
                    || before.ends_with(|char: char| char.is_alphanumeric() || char == '_' || char == ':')
                {
                    continue;
                }
                let after = &line[at + start.len()..];
                let names = after.strip_prefix('{').map_or(vec![after], |group| group.split(", ").collect());
                let head = |name: &str| {
                    name.split(|char: char| !char.is_alphanumeric() && char != '_').next().map(str::to_string)
                };
                used.extend(names.into_iter().filter_map(head).map(|name| (number + 1, name)));
            }
        }
    }
    used
}

/// What is wrong with a file: a line for each use of what is not below it.
fn faults(path: &str, source: &str, reexports: &HashMap<String, String>) -> Vec<String> {
    let module: Vec<&str> = path.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect();
    let Some(own) = module.first().and_then(|room| layer(room)) else {
        return vec![format!("{path}: it stands in no layer; give it one")];
    };
    let wrong = |(line, name): (usize, String)| {
        let room = reexports.get(&name).unwrap_or(&name);
        match layer(room) {
            _ if module.first() == Some(&room.as_str()) => None,
            Some(theirs) if theirs < own => None,
            Some(theirs) => {
                Some(format!("{path}:{line}: uses {room} of layer {theirs}; it stands in layer {own} itself"))
            }
            None => Some(format!("{path}:{line}: uses {name}, which is in no layer")),
        }
    };
    rooms_used(&module, source).into_iter().filter_map(wrong).collect()
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All sources, by their path below `src`.
fn sources() -> Vec<(String, String)> {
    let mut folders = vec![source_folder()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(source_folder()).unwrap().to_str().unwrap().to_string();
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn no_file_uses_what_is_beside_or_above_it() {
    let sources = sources();
    assert!(sources.len() > 30, "the sources were not found");
    let lib = &sources.iter().find(|(path, _)| path == "lib.rs").unwrap().1;
    let reexports = reexports(lib);
    assert_eq!(reexports.get("Request").map(String::as_str), Some("http"));
    let below = sources.iter().filter(|(path, _)| path != "lib.rs");
    let faults: Vec<String> = below.flat_map(|(path, source)| faults(path, source, &reexports)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_file_is_longer_than_a_room_should_be() {
    for (path, source) in sources() {
        let lines = source.lines().count();
        assert!(lines <= MOST_LINES, "{path} has {lines} lines: two things live in one room");
    }
}

#[test]
fn the_root_has_no_code() {
    let lib = fs::read_to_string(source_folder().join("lib.rs")).unwrap();
    let code = code(&lib);
    for word in ["fn ", "struct ", "enum ", "impl ", "trait ", "static "] {
        assert!(!code.contains(word), "lib.rs has a {word:?}");
    }
}

// The reader itself.

fn found(path: &str, source: &str) -> Vec<String> {
    let reexports = reexports("pub use app::App;\npub use http::{\n    Method, Request,\n    Response,\n};\n");
    faults(path, source, &reexports)
}

#[test]
fn an_upward_use_is_found() {
    let upward = [
        ("http/method.rs", "use crate::service::Service;\n"),
        ("http/method.rs", "use crate::app::App;\n"),
        ("http/method.rs", "use crate::App;\n"),
        ("http/method.rs", "fn f() -> crate::server::Server {}\n"),
        ("http/method.rs", "use super::super::service::Service;\n"),
        ("http/mod.rs", "use super::connection::Connection;\n"),
        ("service.rs", "use crate::connection::Phase;\n"),
        ("connection/mod.rs", "use crate::{http::Method, app::App};\n"),
        ("server/mod.rs", "use crate::testing::MockClient;\n"),
        ("app/router.rs", "use crate::files::Files;\n"),
        ("files/listing/mod.rs", "use super::super::app::App;\n"),
        ("files/listing/page.rs", "use super::super::super::app::App;\n"),
        ("files/mod.rs", "const TEXT: &str = \"// no comment\"; use crate::app::App;\n"),
        ("http/method.rs", "use crate::utils::all;\n"),
        ("utils.rs", ""),
    ];
    for (path, source) in upward {
        assert_eq!(found(path, source).len(), 1, "{path}: {source}");
    }
    assert_eq!(
        found("http/method.rs", "//! Methods.\n\nuse crate::app::App;\n"),
        ["http/method.rs:3: uses app of layer 3; it stands in layer 1 itself"]
    );
    assert_eq!(found("http/a.rs", "use crate::app::App;\nuse crate::files::Files;\n").len(), 2);
}

#[test]
fn a_downward_use_is_no_fault() {
    let downward = [
        ("http/method.rs", "use crate::http::Status;\nuse super::Status;\n"),
        ("service.rs", "use crate::http::{Request, Response};\n"),
        ("connection/mod.rs", "use crate::service::Service;\nuse crate::Request;\nuse super::http::Method;\n"),
        ("connection/mod.rs", "use crate::{http::Method, service::Service};\n"),
        ("server/mod.rs", "use crate::connection::{Connection, Phase};\n"),
        ("files/listing/page.rs", "use super::super::resolve::Found;\nuse crate::files::root::Root;\n"),
        ("cli/site.rs", "use crate::cli::options::Options;\n"),
        ("http/status.rs", "use my_crate::app::App;\n"),
        // Comments, examples, strings and unit tests are read by people, or are a layer of their own.
        (
            "http/method.rs",
            "//! As [`App`](crate::App) has it.\n/// use crate::server::Server;\n// crate::app\n/* crate::app */\n",
        ),
        (
            "http/method.rs",
            "const A: &str = \"crate::app\";\nconst B: char = '\"';\nconst C: &str = \"\\\"crate::app\";\n",
        ),
        (
            "app/router.rs",
            "use crate::http::Method;\n\n#[cfg(test)]\nmod tests {\n    use crate::testing::MockClient;\n}\n",
        ),
    ];
    for (path, source) in downward {
        assert_eq!(found(path, source), [""; 0], "{path}: {source}");
    }
}
