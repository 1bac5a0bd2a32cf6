//! Upstreams where there is no loop: in a test, and before the loop begins. Their descriptors are real, and so is the
//! time that they are given.

use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::http::{Now, Recall, Tick, Wake};

use super::Service;
use super::upstream::{Next, Readiness, Shift, Upstream};

/// All that were taken in.
#[derive(Default)]
pub(crate) struct Crew(Vec<(Box<dyn Upstream>, Next)>);

impl Crew {
    /// True if there are any.
    pub(crate) fn are_there(&self) -> bool {
        !self.0.is_empty()
    }

    /// Takes in those whom the service has begun to ask.
    pub(crate) fn take_in<S: Service + ?Sized>(&mut self, service: &S) {
        std::iter::from_fn(|| service.upstream()).for_each(|upstream| self.add(upstream));
    }

    /// Takes in one.
    pub(crate) fn add(&mut self, upstream: Box<dyn Upstream>) {
        self.0.push((upstream, Next::Again));
    }

    /// Gives them all to somebody else.
    pub(crate) fn into_members(self) -> impl Iterator<Item = Box<dyn Upstream>> {
        self.0.into_iter().map(|(upstream, _)| upstream)
    }

    /// Lets each of them go on: a try costs nothing here, so each is called for everything.
    pub(crate) fn go_on(&mut self, now: &Now, wake: &Arc<dyn Wake>) {
        for (upstream, next) in &mut self.0 {
            let recall = Recall { wake: Some(wake), ticket: 0 };
            *next = upstream.advance(&mut Shift::new(&mut Readiness::ALL.clone(), now, recall));
        }
        self.0.retain(|(_, next)| *next != Next::Close);
    }

    /// When the next of them wants to go on, by the clock that they are shown.
    pub(crate) fn next(&self) -> Tick {
        let wanted = self.0.iter().filter_map(|(_, next)| match next {
            Next::Wait(deadline) => Some(*deadline),
            Next::Again | Next::Close => None,
        });
        wanted.min().unwrap_or(Tick::NEVER)
    }

    /// Waits until one of them may have something to read, in real time.
    pub(crate) fn wait(&self, at_most: Duration) {
        let mut descriptors: Vec<PollFd<'_>> =
            self.0.iter().map(|(upstream, _)| PollFd::from_borrowed_fd(upstream.descriptor(), PollFlags::IN)).collect();
        let at_most = Timespec::try_from(at_most).ok();
        // Interrupted or not: they are asked again.
        let _ = poll(&mut descriptors, at_most.as_ref());
    }
}
