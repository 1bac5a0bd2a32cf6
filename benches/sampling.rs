//! How the benches here measure: the median of several samples, each long against the clock and short against the machine's
//! other business.

use std::time::{Duration, Instant};

/// Samples taken; the median is told.
const SAMPLES: usize = 21;

/// Time of one sample, roughly: long against the clock, short against the machine's other business.
const SAMPLE: Duration = Duration::from_millis(20);

/// Nanoseconds for one call, the median of the samples.
pub(crate) fn median(call: impl Fn()) -> f64 {
    let mut calls: u32 = 1;
    while time(&call, calls) < SAMPLE {
        calls = calls.saturating_mul(2);
    }
    let mut samples = [(); SAMPLES].map(|()| time(&call, calls).as_secs_f64() * 1e9 / f64::from(calls));
    samples.sort_by(f64::total_cmp);
    samples.get(SAMPLES / 2).copied().unwrap_or_default()
}

fn time(call: &impl Fn(), calls: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed()
}
