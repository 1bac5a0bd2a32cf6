//! Where options come from: the command line before the environment before a file before what holds by itself.
//!
//! What stands in the lower places is made into arguments, each is checked alone, so that a bad one is blamed on its
//! place, and then all are read together, by the one table of [`flags`](super::flags). A list from a higher place
//! stands in the place of the one below. Nothing here keeps anything: asked again, it reads again.

mod environment;
mod file;
mod nearest;
mod needs;
mod origin;
mod paths;
mod print;
mod rivals;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

use self::origin::Origin;
pub(super) use self::origin::Origins;
pub(super) use self::print::print;
use super::flags::{self, CommandLine, Verb};
use super::{Failure, paper};

/// What was said for an option in one place.
#[derive(Clone, Debug)]
struct Setting {
    /// The name of the option.
    name: String,
    origin: Origin,
    /// Each value with its place: those of a list may stand on lines of their own.
    values: Vec<(OsString, Origin)>,
}

/// What holds, and where it comes from.
pub(super) struct Gathered {
    pub(super) line: CommandLine,
    pub(super) verb: Option<Verb>,
    /// What to serve under `/`: at least one, or an application is there.
    pub(super) paths: Vec<PathBuf>,
    /// The file that was read.
    pub(super) file: Option<PathBuf>,
    /// What could be said.
    table: Command,
    matches: ArgMatches,
    pub(super) origins: Origins,
}

/// What comes of reading.
pub(super) enum Outcome {
    Gathered(Box<Gathered>),
    /// The help, the version, or a paper: nothing else was looked at.
    Text(String),
}

/// How the file of options is opened: who is locked in has it done.
pub(super) type Open<'a> = &'a dyn Fn(&Path) -> io::Result<File>;

/// The name of the argument that is no option.
const PATHS: &str = "paths";

/// Reads the arguments, the environment, and the file that one of them names.
pub(super) fn gather(
    arguments: &[OsString],
    environment: impl Iterator<Item = (OsString, OsString)>,
    open: Open<'_>,
) -> Result<Outcome, Failure> {
    // Made for this alone, and gone before the next one is made: what is freed meanwhile is what that is made of.
    let matches = match flags::with_verbs(flags::table(), arguments).try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return Ok(Outcome::Text(paper::help(arguments, &error)));
        }
        Err(error) if error.kind() == ErrorKind::DisplayVersion => return Ok(Outcome::Text(error.to_string())),
        Err(error) => return Err(Failure::Usage(shortened(&error.to_string()))),
    };
    if let Some(verb) = matches.subcommand_name()
        && matches.value_source(PATHS) == Some(ValueSource::CommandLine)
    {
        return Err(Failure::Usage(format!("a verb goes before all paths: ownhands {verb}; see ownhands --help")));
    }
    if let Some(text) = paper::asked_for(&matches) {
        return Ok(Outcome::Text(text?));
    }
    let table = flags::table();
    let mut settings = environment::read(&table, environment)?;
    settings.iter().try_for_each(|setting| check(&table, setting))?;
    let of_environment = settings.iter().find(|setting| setting.name == "config");
    let of_environment = of_environment.and_then(|setting| setting.values.first()).map(|(path, _)| PathBuf::from(path));
    let file = matches.get_one::<PathBuf>("config").cloned().or(of_environment);
    if let Some(path) = &file {
        let below = file::read(&table, path, open)?;
        below.iter().try_for_each(|setting| check(&table, setting))?;
        settings.extend(below);
    }
    let mut chosen = of_command_line(&table, &matches);
    for setting in settings {
        if !chosen.iter().any(|higher| higher.name == setting.name) {
            chosen.push(setting);
        }
    }
    rivals::settle(&mut chosen)?;
    joined(table, arguments, matches, file, &chosen)
}

/// What the command line says, each with its values as they were given.
fn of_command_line(table: &Command, matches: &ArgMatches) -> Vec<Setting> {
    let said = |arg: &Arg| {
        let (matches, id) = innermost(matches, arg);
        let is_said = matches.try_get_raw(id).is_ok() && matches.value_source(id) == Some(ValueSource::CommandLine);
        let values = matches.try_get_raw(id).ok().flatten().filter(|_| is_said)?;
        let name = name(arg);
        let origin = Origin::Flag(name.clone());
        Some(Setting { values: values.map(|value| (value.to_owned(), origin.clone())).collect(), name, origin })
    };
    table.get_arguments().filter_map(said).collect()
}

/// Where the matches of an argument are: an option is known to all verbs, but the paths to the one that was said.
fn innermost<'m, 'a>(matches: &'m ArgMatches, arg: &'a Arg) -> (&'m ArgMatches, &'a str) {
    match matches.subcommand() {
        Some(("demo", own)) if arg.is_positional() => (own, "root"),
        Some((_, own)) if arg.is_positional() && matches!(own.try_get_raw(PATHS), Ok(Some(_))) => (own, PATHS),
        _ => (matches, arg.get_id().as_str()),
    }
}

/// Reads all that was chosen together. Of the paths, which have no name to be given by, the values are the end of it.
fn joined(
    table: Command,
    arguments: &[OsString],
    read: ArgMatches,
    file: Option<PathBuf>,
    chosen: &[Setting],
) -> Result<Outcome, Failure> {
    let (own_name, said) = arguments.split_at(arguments.len().min(1));
    let lower = chosen.iter().filter(|setting| !matches!(setting.origin, Origin::Flag(_)) && setting.name != PATHS);
    let lower = lower.flat_map(|setting| setting.values.iter().map(|(value, _)| argument(&setting.name, value)));
    let all: Vec<OsString> = own_name.iter().cloned().chain(lower).chain(said.iter().cloned()).collect();
    let wrong = |error: clap::Error| Failure::Usage(shortened(&error.to_string()));
    let matches = match all.len() == arguments.len() {
        true => read, // nothing was added to what was read already
        false => flags::with_verbs(table.clone(), arguments).try_get_matches_from(all).map_err(wrong)?,
    };
    let line = CommandLine::from_arg_matches(&matches).map_err(wrong)?;
    let verb = matches.subcommand().map(|_| Verb::from_arg_matches(&matches)).transpose().map_err(wrong)?;
    let paths = chosen.iter().find(|setting| setting.name == PATHS && !setting.values.is_empty());
    let paths = match (paths, &verb) {
        (Some(setting), _) => setting.values.iter().map(|(path, _)| PathBuf::from(path)).collect(),
        (None, Some(Verb::Demo { root, .. })) => vec![root.clone()],
        // Where nothing is named it is the application alone that is served, and not its sources.
        (None, _) if line.options.applications.fills_the_root() => Vec::new(),
        (None, _) => line.paths.clone(),
    };
    if paths.len() > 1 && matches!(verb, Some(Verb::Demo { .. })) {
        return Err(Failure::Usage("the demo serves one directory: say ownhands demo ROOT".to_owned()));
    }
    let origins = chosen.iter().map(|setting| (setting.name.clone(), setting.origin.clone())).collect();
    Ok(Outcome::Gathered(Box::new(Gathered { line, verb, paths, file, table, matches, origins })))
}

/// Checks each value alone.
fn check(table: &Command, setting: &Setting) -> Result<(), Failure> {
    for (value, origin) in &setting.values {
        if setting.name == PATHS {
            if value.is_empty() {
                return Err(origin.blame(&setting.name, "give a path"));
            }
            continue;
        }
        let alone = [OsString::from("ownhands"), argument(&setting.name, value)];
        if let Err(error) = table.clone().try_get_matches_from(alone) {
            return Err(origin.blame(&setting.name, &reason(&error)));
        }
    }
    Ok(())
}

fn argument(name: &str, value: &OsStr) -> OsString {
    let mut argument = OsString::from(format!("--{name}="));
    argument.push(value);
    argument
}

/// What is wrong with a value, without the words of the command line.
fn reason(error: &clap::Error) -> String {
    match (error.kind(), std::error::Error::source(error)) {
        (_, Some(source)) => source.to_string(),
        (ErrorKind::InvalidUtf8, _) => "this is not UTF-8".to_owned(),
        (ErrorKind::InvalidValue, _) => "give a value".to_owned(),
        _ => shortened(&error.to_string()),
    }
}

/// The name by which an option is known everywhere.
fn name(arg: &Arg) -> String {
    arg.get_long().unwrap_or(arg.get_id().as_str()).to_owned()
}

/// How much an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Take {
    /// True or false.
    Truth,
    /// One value.
    One,
    /// Any number of values.
    List,
}

impl Take {
    fn of(arg: &Arg) -> Take {
        match arg.get_action() {
            ArgAction::Append => Take::List,
            ArgAction::Set if arg.get_value_names().is_some_and(|names| names == ["true|false"]) => Take::Truth,
            _ => Take::One,
        }
    }
}

/// What clap says on several lines, without the usage it repeats.
fn shortened(said: &str) -> String {
    let lines = said.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let said = lines.map(|line| line.strip_prefix("error: ").unwrap_or(line)).collect::<Vec<_>>().join("; ");
    format!("{said}; see ownhands --help")
}

#[cfg(test)]
mod tests;
