//! The buffers of a turn, lent to one connection after another; and what a connection keeps when its turn is over.
//!
//! In the common case a request is read, answered and sent within one turn, and nothing is kept: an idle
//! connection owns no buffer at all.

use super::bodies::Bodies;
use super::input::{Input, is_blank};
use super::ledger::Ledger;
use super::output::Output;
use super::spool::Places;

/// What is lent for a turn. One is enough for all connections.
///
/// Its use is shown at [`Connection`](super::Connection).
#[derive(Debug)]
pub struct Scratch {
    pub(crate) input: Input,
    pub(crate) output: Output,
    pub(crate) ledger: Ledger,
    pub(super) places: Places,
    /// The scratch's own input buffer, while a connection with a long body works on its own.
    aside: Option<Input>,
}

/// What could not be finished in a turn.
#[derive(Debug)]
pub(crate) struct Kept {
    input: KeptInput,
    output: Output,
    ledger: Ledger,
}

/// A short remainder is copied out of the scratch, to a buffer of just its size; a long one keeps the buffer it is in,
/// so that a body that comes in many reads is not copied once for each.
#[derive(Debug)]
enum KeptInput {
    Short(Box<[u8]>),
    Long(Input),
}

impl Kept {
    /// True if nothing was said and nothing is owed.
    pub(super) fn is_blank(&self) -> bool {
        self.is_input_alone() && matches!(&self.input, KeptInput::Short(bytes) if is_blank(bytes))
    }

    /// True if nothing is owed to the peer, and nothing left to tell of it.
    pub(super) fn is_input_alone(&self) -> bool {
        self.output.is_empty() && self.ledger.is_empty()
    }

    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        let input = match &self.input {
            KeptInput::Short(bytes) => bytes.len(),
            KeptInput::Long(input) => input.size(),
        };
        input.saturating_add(self.output.size()).saturating_add(self.ledger.size())
    }
}

/// Bytes up to which a remainder is copied in and out: a head always is.
const SHORT: usize = 32 * 1024;

impl Scratch {
    /// The buffers for one loop.
    #[must_use]
    pub fn new() -> Self {
        Scratch {
            input: Input::new(),
            output: Output::new(),
            ledger: Ledger::default(),
            places: Places::default(),
            aside: None,
        }
    }

    /// Long bodies lie here.
    #[must_use]
    pub fn with_bodies(mut self, bodies: Bodies) -> Self {
        self.places.bodies = bodies;
        self
    }

    /// Lays out what a connection kept.
    pub(crate) fn load(&mut self, kept: Option<Box<Kept>>) {
        let Some(kept) = kept else { return };
        let Kept { input, output, ledger } = *kept;
        match input {
            KeptInput::Short(bytes) => self.input.append(&bytes),
            KeptInput::Long(input) => self.aside = Some(std::mem::replace(&mut self.input, input)),
        }
        self.output.append(output);
        self.ledger = ledger;
    }

    /// Clears the desk; what must outlive the turn is handed back.
    pub(crate) fn unload(&mut self) -> Option<Box<Kept>> {
        let has_rest = !self.input.is_empty() || !self.output.is_empty() || !self.ledger.is_empty();
        let own = self.aside.take();
        let kept = has_rest.then(|| {
            let input = match self.input.unread() {
                unread if unread.len() <= SHORT => KeptInput::Short(unread.into()),
                _ => KeptInput::Long(std::mem::take(&mut self.input)),
            };
            Box::new(Kept { input, output: self.output.take_unsent(), ledger: std::mem::take(&mut self.ledger) })
        });
        if let Some(own) = own {
            self.input = own;
        }
        self.input.clear();
        self.output.clear();
        kept
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch::new()
    }
}
