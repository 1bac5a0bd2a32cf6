//! Why a gateway could not be started.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a gateway could not be started.
///
/// ```
/// use ownhands::gateway::{GatewayError, Launcher, Wsgi};
///
/// # fn main() -> std::io::Result<()> {
/// let outcome = Wsgi::new("no_such_module:application").start(Launcher::thread()?);
/// let Err(GatewayError::Application { why, said }) = outcome else { unreachable!() };
/// # if !why.contains("No such file") { // where there is no Python
/// assert_eq!(why, "ModuleNotFoundError: No module named 'no_such_module'");
/// assert!(said.ends_with("No module named 'no_such_module'\n"));
/// # }
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum GatewayError {
    /// What the system said.
    System(io::Error),
    /// The application could not be loaded.
    Application {
        /// Why, in a line.
        why: String,
        /// What it said meanwhile on its stderr, such as a traceback: lines, each with its end.
        said: String,
    },
}

impl From<io::Error> for GatewayError {
    fn from(error: io::Error) -> Self {
        GatewayError::System(error)
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GatewayError::System(error) => write!(f, "no worker can be started: {error}"),
            GatewayError::Application { why, .. } => write!(f, "the application cannot be loaded: {why}"),
        }
    }
}

impl Error for GatewayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            GatewayError::System(error) => Some(error),
            GatewayError::Application { .. } => None,
        }
    }
}
