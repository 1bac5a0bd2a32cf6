//! The places that a value can come from, and how they are named to people.

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
