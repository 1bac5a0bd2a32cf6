//! Options from the environment: `OWNHANDS_MAX_HEAD` is `--max-head`.
//!
//! A list is one value as it stands, or several as an array of TOML: `["127.0.0.1", "::1"]`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::Command;
use toml::de::DeValue;

use super::{Failure, Origin, Setting, Take, name, nearest};
use crate::cli::daemon::ROLE;
use crate::cli::flags;
use crate::cli::options::one_line;

/// What all variables begin with that are about this program.
const PREFIX: &str = "OWNHANDS_";

/// The variable of an option.
pub(super) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// What the environment says, in the order of the names.
pub(super) fn read(
    table: &Command,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<Setting>, Failure> {
    let is_ours = |name: &OsStr| name.as_bytes().starts_with(PREFIX.as_bytes()) && name != ROLE; // which is no option
    let mut ours: Vec<(OsString, OsString)> = environment.filter(|(name, _)| is_ours(name)).collect();
    ours.sort();
    ours.into_iter().map(|(variable, value)| setting(table, &variable.to_string_lossy(), value)).collect()
}

fn setting(table: &Command, said: &str, value: OsString) -> Result<Setting, Failure> {
    let Some(arg) = table.get_arguments().find(|arg| variable(&name(arg)) == said) else {
        let known = table.get_arguments().map(name).filter(|name| !flags::FOR_ONCE.contains(&name.as_str()));
        let hint = nearest::hint(said, known.map(|name| variable(&name)));
        return Err(Failure::Usage(format!("there is no variable {}{hint}", one_line(said))));
    };
    let (name, origin) = (name(arg), Origin::Variable(said.to_owned()));
    if flags::FOR_ONCE.contains(&name.as_str()) {
        return Err(origin.blame(&name, &format!("say --{name} on the command line: it is about one call")));
    }
    let values = match Take::of(arg) {
        Take::List => list(&value).map_err(|why| origin.blame(&name, why))?,
        Take::One | Take::Truth => vec![value],
    };
    Ok(Setting { values: values.into_iter().map(|value| (value, origin.clone())).collect(), name, origin })
}

/// The values of a list. A pattern may begin with a bracket as well: what is no array of strings stands for itself,
/// unless a quote behind the bracket shows what was meant.
fn list(value: &OsStr) -> Result<Vec<OsString>, &'static str> {
    let one = || Ok(vec![value.to_owned()]);
    let Some(inside) = value.to_str().and_then(|text| text.trim().strip_prefix('[')) else { return one() };
    let array = value.to_str().map(str::trim).map(DeValue::parse);
    let strings = array.and_then(Result::ok).and_then(|value| {
        let strings = value.get_ref().as_array()?.iter().map(|element| element.get_ref().as_str().map(OsString::from));
        strings.collect::<Option<Vec<_>>>()
    });
    match strings {
        Some(strings) => Ok(strings),
        None if inside.trim_start().starts_with(['"', '\'']) => Err("write several values as [\"one\", \"two\"]"),
        None => one(),
    }
}
