//! Before the first request of a connection from a trusted proxy: whom it speaks for.

use crate::http::{Progress, Proxied};
use crate::service::Service;

use super::{Connection, Context, Event, Share, State, Step, Transport};

impl<T: Transport> Connection<T> {
    /// One step in `State::Preamble`: read the header of the PROXY protocol, and be the client's connection from then
    /// on. What is no header is refused, and never taken for a request: nobody but a proxy comes from there.
    pub(super) fn read_preamble<S: Service + ?Sized>(&mut self, cx: &mut Context<'_, S>, share: &mut Share) -> Step {
        match Proxied::decode(cx.scratch.input.unread()) {
            Ok(None) => self.read_more(cx, share),
            Ok(Some((said, length))) => {
                cx.scratch.input.consume(length);
                self.narrator(cx).tell(&Event::Proxied(said));
                self.peer.is_now(said);
                self.state = State::Reading(Progress::default());
                self.since = cx.now.tick(); // the time for a request begins
                Step::On
            }
            Err(error) => {
                self.refuse(&error, cx);
                Step::On
            }
        }
    }
}
