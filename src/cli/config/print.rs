//! The whole configuration as it is in effect, as a file of options, with where each comes from.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;

use clap::Arg;

use super::{Gathered, Origin, PATHS, Take, name, paths};
use crate::cli::flags;

/// The file. Paths are absolute in it, so that it means the same wherever it lies.
pub(in crate::cli) fn print(gathered: &Gathered) -> String {
    let mut text = String::new();
    let mut heading = None;
    for arg in gathered.table.get_arguments() {
        if name(arg) == "config" || flags::FOR_ONCE.contains(&name(arg).as_str()) {
            continue;
        }
        if arg.get_help_heading() != heading {
            heading = arg.get_help_heading();
            // Writing to memory does not fail.
            let _ = writeln!(text, "\n# {}", heading.unwrap_or_default());
        }
        let _ = writeln!(text, "{}", line(gathered, arg));
    }
    text
}

fn line(gathered: &Gathered, arg: &Arg) -> String {
    let name = name(arg);
    let origin = gathered.origins.of(&name);
    let values = values(gathered, arg);
    let take = Take::of(arg);
    let said = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let said = said.split_once("[default: ").and_then(|(_, rest)| rest.split_once(']')).map(|(said, _)| said);
    if values.iter().any(|value| value.to_str().is_none()) {
        return format!("# {name} = ...  # {origin}: not UTF-8, which a file cannot have in it");
    }
    let words: Vec<String> = values.iter().map(|value| word(take, &value.to_string_lossy())).collect();
    match (take, &words[..]) {
        (Take::List, []) if *origin == Origin::Default && said.is_some() => absent(&name, said),
        (Take::List, _) => format!("{name} = [{}]  # {origin}", words.join(", ")),
        (_, [word]) => format!("{name} = {word}  # {origin}"),
        _ => absent(&name, said),
    }
}

/// An option that nobody gave, and that has no value of its own.
fn absent(name: &str, said: Option<&str>) -> String {
    format!("# {name} = ...  # default: {}", said.unwrap_or("none"))
}

fn values(gathered: &Gathered, arg: &Arg) -> Vec<OsString> {
    let id = arg.get_id().as_str();
    let values: Vec<OsString> = match id {
        PATHS => gathered.paths.iter().map(OsString::from).collect(),
        _ => gathered.matches.get_raw(id).into_iter().flatten().map(ToOwned::to_owned).collect(),
    };
    match env::current_dir() {
        Ok(here) => values.iter().map(|value| paths::rebased(arg, value, &here)).collect(),
        Err(_) => values,
    }
}

/// A value as TOML has it.
fn word(take: Take, value: &str) -> String {
    // Digits that would read as another number, or as none, are a text.
    let is_number = value.parse::<i64>().is_ok_and(|number| number.to_string() == value)
        || value
            .parse::<f64>()
            .is_ok_and(|number| number.is_finite() && number.to_string() == value && value.contains('.'));
    if take == Take::Truth || (take == Take::One && is_number) { value.to_owned() } else { quoted(value) }
}

/// A basic string (TOML 1.0).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // Control characters have no place of their own in one.
            control if control.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
