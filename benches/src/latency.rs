//! Latencies of concurrent requests: the median and the 99th percentile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The median and the 99th percentile.
#[derive(Clone, Copy, Default)]
pub struct Latency {
    pub median: Duration,
    pub p99: Duration,
}

/// Measures the latency of the requests of `work`, on any threads.
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, Latency) {
    MEASURING.store(true, Relaxed);
    let result = work();
    MEASURING.store(false, Relaxed);
    let counts: Vec<u64> = BUCKETS.iter().map(|bucket| bucket.swap(0, Relaxed)).collect();
    (result, Latency { median: quantile(&counts, 0.5), p99: quantile(&counts, 0.99) })
}

/// One request's timer, which runs only while [`measured`] does: reading the clock costs time.
pub struct Watch(Option<Instant>);

impl Watch {
    pub fn start() -> Self {
        Self(MEASURING.load(Relaxed).then(Instant::now))
    }

    pub fn stop(self) {
        if let Some(start) = self.0 {
            let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            BUCKETS[place(nanoseconds)].fetch_add(1, Relaxed);
        }
    }
}

static MEASURING: AtomicBool = AtomicBool::new(false);

/// 32 buckets for each doubling, so that a figure is accurate to 3 %.
const FINE: u32 = 5;
const COUNT: usize = (64 - FINE as usize + 1) << FINE;
static BUCKETS: [AtomicU64; COUNT] = [const { AtomicU64::new(0) }; COUNT];

fn place(value: u64) -> usize {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(FINE + 1);
    ((shift as usize) << FINE) + (value >> shift) as usize
}

/// The smallest value of a bucket.
fn value(place: usize) -> u64 {
    let shift = (place >> FINE).saturating_sub(1);
    ((place - (shift << FINE)) as u64) << shift
}

fn quantile(counts: &[u64], part: f64) -> Duration {
    let wanted = (counts.iter().sum::<u64>() as f64 * part).ceil() as u64;
    let mut below = 0;
    let found = counts.iter().position(|count| {
        below += count;
        below >= wanted.max(1)
    });
    Duration::from_nanos(found.map_or(0, value))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{COUNT, place, quantile, value};

    #[test]
    fn buckets_are_narrow() {
        for nanoseconds in
            (0..60).map(|power| 1_u64 << power).chain([0, 31, 33, 63, 65, 999, 123_456_789])
        {
            let low = value(place(nanoseconds));
            assert!(
                low <= nanoseconds && nanoseconds - low <= nanoseconds / 32,
                "{nanoseconds}: {low}"
            );
        }
        assert!(place(u64::MAX) < COUNT);
    }

    #[test]
    fn quantiles_count_from_below() {
        let mut counts = vec![0; COUNT];
        (counts[place(10)], counts[place(20)]) = (98, 2);
        assert_eq!(quantile(&counts, 0.5), Duration::from_nanos(10));
        assert_eq!(quantile(&counts, 0.99), Duration::from_nanos(20));
        assert_eq!(quantile(&[0, 0], 0.5), Duration::ZERO);
    }
}
