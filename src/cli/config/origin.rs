//! The places that a value can come from, and how they are named to people.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use super::Failure;
use crate::cli::options::one_line;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Origin {
    /// It holds if nobody says anything.
    Default,
    /// The command line, by this name.
    Flag(String),
    /// This variable of the environment.
    Variable(String),
    /// This line of a file, counted from 1.
    Line(PathBuf, usize),
}

impl Origin {
    /// What is wrong with an option, said of its place.
    pub(super) fn blame(&self, name: &str, why: &str) -> Failure {
        Failure::Usage(match self {
            Origin::Line(..) => format!("{self}: {name}: {why}"),
            _ => format!("{self}: {why}"),
        })
    }

    /// The option as this place calls it.
    pub(super) fn names(&self, name: &str) -> String {
        match self {
            Origin::Flag(_) if name != super::PATHS => format!("--{name}"),
            Origin::Variable(_) => super::environment::variable(name),
            _ => name.to_owned(),
        }
    }

    /// What goes before: the lower the better.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Origin::Flag(_) => 0,
            Origin::Variable(_) => 1,
            Origin::Line(..) => 2,
            Origin::Default => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Flag(name) if name == super::PATHS => f.write_str("PATH"),
            Origin::Flag(name) => write!(f, "--{name}"),
            Origin::Variable(name) => f.write_str(name),
            Origin::Line(file, line) => write!(f, "{}:{line}", one_line(&file.display().to_string())),
        }
    }
}

/// Where each option comes from that is said anywhere.
#[derive(Default)]
pub(in crate::cli) struct Origins(HashMap<String, Origin>);

impl Origins {
    pub(super) fn of(&self, name: &str) -> &Origin {
        self.0.get(name).unwrap_or(&Origin::Default)
    }

    /// True if it is said anywhere.
    pub(in crate::cli) fn says(&self, name: &str) -> bool {
        *self.of(name) != Origin::Default
    }

    /// What turns out later to be wrong with an option. Of the command line, everybody knows where it is.
    pub(in crate::cli) fn blame(&self, name: &str, why: String) -> Failure {
        match self.of(name) {
            Origin::Default | Origin::Flag(_) => Failure::Usage(why),
            origin => origin.blame(name, &why),
        }
    }
}

impl FromIterator<(String, Origin)> for Origins {
    fn from_iter<T: IntoIterator<Item = (String, Origin)>>(pairs: T) -> Self {
        Origins(pairs.into_iter().collect())
    }
}

impl fmt::Debug for Origins {
    /// Options that mean the same are shown the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origins").finish_non_exhaustive()
    }
}
