//! How far apart the cores are just now.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const ROUND_TRIPS: u32 = 20_000;

/// Keeps the calling thread on one processor, if there are enough.
pub fn pin(core: usize) {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    // SAFETY: a zeroed set is valid, and outlives the call.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core % cores, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}

/// The time of a cache line from one core to another and back, on average.
pub fn round_trip() -> Duration {
    let line = AtomicU32::new(0);
    let wait_for = |value| {
        while line.load(Ordering::Acquire) != value {
            spin_loop();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            for i in 0..ROUND_TRIPS {
                wait_for(2 * i + 1);
                line.store(2 * i + 2, Ordering::Release);
            }
        });
        let timer = scope.spawn(|| {
            pin(0);
            let start = Instant::now();
            for i in 0..ROUND_TRIPS {
                line.store(2 * i + 1, Ordering::Release);
                wait_for(2 * i + 2);
            }
            start.elapsed() / ROUND_TRIPS
        });
        timer.join().unwrap()
    })
}
