//! The random numbers of the tests: the same seed, the same numbers. A test that fails under
//! [`with_seed`] prints the seed that repeats it.
//!
//! `QUEUES_SEED=n` sets the first seed, `QUEUES_ITEMS=n` and `QUEUES_HISTORIES=n` how much a test
//! does.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::{SystemTime, UNIX_EPOCH};

/// SplitMix64 (Steele, Lea and Flood 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.below(range.end() - range.start() + 1)
    }
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    /// A generator for one of several threads.
    pub fn split(&mut self) -> Self {
        Self(self.next())
    }
}

/// A number from the environment.
pub fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text:?}")))
}

/// A number from the environment, or its default.
pub fn setting(name: &str, default: u64) -> u64 {
    variable(name).unwrap_or(default)
}

/// The first seed of a test that repeats nothing: `QUEUES_SEED`, or the time.
pub fn first_seed() -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    variable("QUEUES_SEED").unwrap_or_else(now)
}

/// Runs `test`; if it panics, prints the seed.
pub fn with_seed<R>(what: impl Display, seed: u64, test: impl FnOnce() -> R) -> R {
    struct Failed<D: Display>(D, u64);
    impl<D: Display> Drop for Failed<D> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("{} failed with QUEUES_SEED={}", self.0, self.1);
            }
        }
    }
    let _failed = Failed(what, seed);
    test()
}
