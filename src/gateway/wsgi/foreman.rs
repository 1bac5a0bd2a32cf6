//! The foreman: the pool's ear at the launcher, and its clock. It hears who has ended, and starts whom there should be.

use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use crate::service::upstream::{Next, Shift, Upstream};

use super::pool::Pool;

pub(super) struct Foreman {
    pub(super) pool: Rc<Pool>,
}

impl Upstream for Foreman {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.pool.launcher.as_fd()
    }

    fn advance(&mut self, shift: &mut Shift<'_>) -> Next {
        self.pool.set_foreman(shift.recall.summons());
        loop {
            match self.pool.launcher.hear() {
                Ok(Some(note)) => self.pool.take_note(note),
                Ok(None) => break,
                Err(error) => {
                    log::error!("workers cannot be replaced any more: {error}");
                    self.pool.abandon();
                    return Next::Close;
                }
            }
        }
        shift.ready.is_readable = false;
        self.pool.tend(shift.now.tick()).map_or(Next::Close, Next::Wait)
    }
}
