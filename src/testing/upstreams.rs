//! Those whom a service asks, where there is no loop: their descriptors are real, and so is the time that they are given.

use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::http::{Now, Recall, Wake};
use crate::service::Service;
use crate::service::upstream::{Next, Readiness, Shift, Upstream};

/// All that were taken in.
#[derive(Default)]
pub(super) struct Upstreams(Vec<(Box<dyn Upstream>, Next)>);

impl Upstreams {
    /// True if there are any.
    pub(super) fn are_there(&self) -> bool {
        !self.0.is_empty()
    }

    /// Takes in those whom the service has begun to ask.
    pub(super) fn take_in<S: Service + ?Sized>(&mut self, service: &S) {
        while let Some(upstream) = service.upstream() {
            self.0.push((upstream, Next::Again));
        }
    }

    /// Lets each of them go on: a try costs nothing here, so each is called for everything.
    pub(super) fn go_on(&mut self, now: &Now, wake: &Arc<dyn Wake>) {
        for (upstream, next) in &mut self.0 {
            let recall = Recall { wake: Some(wake), ticket: 0 };
            *next = upstream.advance(&mut Shift::new(&mut Readiness::ALL.clone(), now, recall));
        }
        self.0.retain(|(_, next)| *next != Next::Close);
    }

    /// Waits until one of them may have something to read, in real time.
    pub(super) fn wait(&self, at_most: Duration) {
        let mut descriptors: Vec<PollFd<'_>> =
            self.0.iter().map(|(upstream, _)| PollFd::from_borrowed_fd(upstream.descriptor(), PollFlags::IN)).collect();
        let at_most = Timespec::try_from(at_most).ok();
        // Interrupted or not: they are asked again.
        let _ = poll(&mut descriptors, at_most.as_ref());
    }
}
