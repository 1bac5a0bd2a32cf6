//! Upstreams that a gateway has opened, until the loop takes them in.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::service::upstream::Upstream;

/// A queue of them; copies share it, so that an upstream may open another.
#[derive(Clone, Default)]
pub(super) struct Opened(Rc<RefCell<VecDeque<Box<dyn Upstream>>>>);

impl Opened {
    pub(super) fn add(&self, upstream: impl Upstream + 'static) {
        self.add_boxed(Box::new(upstream));
    }

    pub(super) fn add_boxed(&self, upstream: Box<dyn Upstream>) {
        self.0.borrow_mut().push_back(upstream);
    }

    pub(super) fn next(&self) -> Option<Box<dyn Upstream>> {
        self.0.borrow_mut().pop_front()
    }
}
