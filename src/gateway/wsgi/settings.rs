//! What a pool of workers is told once.

use std::path::PathBuf;
use std::time::Duration;

use super::super::basin::Basin;

/// How the application is run.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// `package.module:callable`.
    pub(super) application: String,
    pub(super) python: PathBuf,
    pub(super) directory: Option<PathBuf>,
    pub(super) workers: usize,
    /// How long a worker may be silent while it has a request.
    pub(super) timeout: Duration,
    /// Requests that may wait for a worker.
    pub(super) queue: usize,
    /// Where answers lie that are taken slowly.
    pub(super) basin: Basin,
    /// Its sources are watched.
    pub(super) watches: bool,
}
