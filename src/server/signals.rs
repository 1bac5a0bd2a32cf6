//! Signals, as events of the loop.

use std::io;

use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGINT, SIGTERM};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGINT, SIGTERM.
    Stop,
}

/// The signals that are watched.
pub(super) struct Signals(signal_hook_mio::v1_0::Signals);

impl Signals {
    pub(super) fn watch(registry: &Registry, token: Token) -> io::Result<Self> {
        let mut signals = signal_hook_mio::v1_0::Signals::new([SIGINT, SIGTERM])?;
        registry.register(&mut signals, token, Interest::READABLE)?;
        Ok(Signals(signals))
    }

    /// Those that came since the last call.
    pub(super) fn pending(&mut self) -> Vec<Signal> {
        self.0.pending().map(|_| Signal::Stop).collect()
    }
}
