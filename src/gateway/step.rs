//! What a step of an upstream's machine leads to.

use crate::http::Tick;

pub(super) enum Step {
    /// The next.
    On,
    /// None before there is an event, or before this time.
    Wait(Tick),
    /// None before the peer has taken what there is, or before this time.
    WaitForPeer(Tick),
    /// Others are to go on first.
    Yield,
    /// It is over.
    End,
}
