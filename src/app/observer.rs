//! Who is told of each exchange.

use crate::service::Exchange;

/// Is told of each exchange when its answer is over. A closure over `&Exchange` is one, an
/// [`AccessLog`](super::AccessLog) another.
///
/// It runs on the loop's one thread: what it waits for, every peer waits for.
///
/// ```
/// use ownhands::{App, Exchange, testing::MockClient};
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// let missed = Rc::new(Cell::new(0));
/// let count = Rc::clone(&missed);
/// let mut app = App::new();
/// app.add_observer(move |exchange: &Exchange| count.set(count.get() + u32::from(exchange.status.code() == 404)));
///
/// MockClient::new(app).get("/nowhere");
/// assert_eq!(missed.get(), 1);
/// ```
pub trait Observer {
    /// Takes note of one exchange.
    fn observe(&self, exchange: &Exchange);

    /// Called at the end of each turn of the loop: the time to write out what was gathered.
    fn end_turn(&self) {}
}

impl<F: Fn(&Exchange)> Observer for F {
    fn observe(&self, exchange: &Exchange) {
        self(exchange);
    }
}
