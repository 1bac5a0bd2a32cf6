//! A copy of a listing that is streamed, taken while it is written: who asks for it again within its second gets it
//! from memory, as he would a small one.

use std::sync::{Arc, Mutex, PoisonError};

use super::super::facts::Moment;

/// The most bytes of a copy: some twenty thousand entries. A longer listing is written anew for each who asks.
const MAX_COPY: usize = 2 * 1024 * 1024;

/// Where a copy is left for the desk: the listing may be written when the desk is not at hand.
type Place = Arc<Mutex<Option<Whole>>>;

/// All of a listing.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) content: Vec<u8>,
    /// The last change of what is shown, if that can be told.
    pub(super) change: Option<Moment>,
}

/// What has been written so far.
#[derive(Debug, Default)]
pub(super) struct Copy {
    content: Vec<u8>,
    place: Place,
}

/// The other end of a copy.
#[derive(Debug)]
pub(super) struct Awaited(Place);

/// What has become of a copy.
pub(super) enum Outcome {
    Pending,
    Whole(Whole),
    /// The listing was too long, or its reader left.
    Gone,
}

impl Copy {
    pub(super) fn begin() -> (Copy, Awaited) {
        let copy = Copy::default();
        let awaited = Awaited(Arc::clone(&copy.place));
        (copy, awaited)
    }

    /// Adds what was written; without a copy from there on if it gets too long.
    pub(super) fn with(mut self, written: &[u8]) -> Option<Copy> {
        let fits = self.content.len().saturating_add(written.len()) <= MAX_COPY;
        fits.then(|| {
            self.content.extend_from_slice(written);
            self
        })
    }

    /// That was all.
    pub(super) fn complete(self, change: Option<Moment>) {
        let whole = Whole { content: self.content, change };
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(whole);
    }
}

impl Awaited {
    pub(super) fn take(&self) -> Outcome {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(whole) => Outcome::Whole(whole),
            None if Arc::strong_count(&self.0) == 1 => Outcome::Gone,
            None => Outcome::Pending,
        }
    }
}
