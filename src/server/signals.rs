//! Signals, as events of the loop.

use std::io;

use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

/// What a signal asks for.
///
/// ```no_run
/// use ownhands::{App, Call, Config, Server, Signal};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = Server::bind(&["127.0.0.1:8000".parse()?], Config::default(), App::new())?;
/// server.heed_signals()?;
/// while let Some(call) = server.attend(None)? {
///     if call == Call::Signal(Signal::Reload) {
///         server.replace(App::new(), Config::default()); // with what its files say now
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, SIGTERM: to stop. The server does so itself.
    Stop,
    /// SIGHUP: to read the configuration anew.
    Reload,
    /// SIGUSR1: to open the logs anew.
    Reopen,
    /// SIGUSR2: to hand over to a successor.
    Upgrade,
}

/// Those by which a server is stopped.
pub(super) const STOPPING: [i32; 2] = [SIGINT, SIGTERM];

/// All that have a meaning here.
pub(super) const ALL: [i32; 5] = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2];

/// The signals that are watched.
pub(super) struct Signals(signal_hook_mio::v1_0::Signals);

impl Signals {
    pub(super) fn watch(signals: &[i32], registry: &Registry, token: Token) -> io::Result<Self> {
        let mut signals = signal_hook_mio::v1_0::Signals::new(signals)?;
        registry.register(&mut signals, token, Interest::READABLE)?;
        Ok(Signals(signals))
    }

    /// Those that came since the last call.
    pub(super) fn pending(&mut self) -> Vec<Signal> {
        let meaning = |number| match number {
            SIGHUP => Signal::Reload,
            SIGUSR1 => Signal::Reopen,
            SIGUSR2 => Signal::Upgrade,
            _ => Signal::Stop,
        };
        self.0.pending().map(meaning).collect()
    }
}
