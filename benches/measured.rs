//! A request cannot be made by hand, so what is done with one is measured where one is at hand: inside a service.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use criterion::{Bencher, Criterion};

use ownhands::testing::MockClient;
use ownhands::{Fragment, HttpError, Request, Response, Service};

/// Long enough for figures that a second run repeats, short enough to be waited for.
pub(crate) fn criterion() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1))
}

/// Measures a step that is taken with this request, on this date.
pub(crate) fn inside(bencher: &mut Bencher<'_>, date: SystemTime, wire: String, step: impl FnMut(&Request<'_>)) {
    let answer = MockClient::new(Measured(RefCell::new((bencher, step)))).with_date(date).send(wire, &[]);
    assert_eq!(answer.status(), 204, "the request was refused");
}

/// Takes the step many times when it is called.
struct Measured<'b, 'm, F>(RefCell<(&'b mut Bencher<'m>, F)>);

impl<F: FnMut(&Request<'_>)> Service for Measured<'_, '_, F> {
    fn call(&self, request: &Request<'_>) -> Response {
        let (bencher, step) = &mut *self.0.borrow_mut();
        bencher.iter(|| step(request));
        Response::new(ownhands::Status::NO_CONTENT)
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        Response::new(error.status)
    }
}
