//! How far apart the processors are just now.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::time::{Duration, Instant};

const ROUND_TRIPS: u32 = 200;
const SAMPLES: usize = 51;
/// On a busy machine both threads seldom run at once; then fewer samples have to do.
const LIMIT: Duration = Duration::from_millis(50);

/// Those that this process may use.
fn processors() -> Vec<usize> {
    // SAFETY: a zeroed set is valid, and outlives the call.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of_val(&set), &mut set);
        (0..libc::CPU_SETSIZE as usize).filter(|&cpu| libc::CPU_ISSET(cpu, &set)).collect()
    }
}

fn pin(processor: usize) {
    // SAFETY: a zeroed set is valid, and outlives the call.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}

/// The time in ns of a cache line from the first processor to the second and back: the median of some
/// samples, so that a thread that loses its processor for a while does not count. None where there is
/// only one.
pub fn round_trip() -> Option<f64> {
    let processors = processors();
    if processors.len() < 2 {
        return None;
    }
    let (line, over) = (AtomicU32::new(0), AtomicBool::new(false));
    let wait_for = |value| {
        while line.load(Acquire) != value && !over.load(Relaxed) {
            spin_loop();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pin(processors[1]);
            for i in 0.. {
                wait_for(2 * i + 1);
                if over.load(Relaxed) {
                    break;
                }
                line.store(2 * i + 2, Release);
            }
        });
        let timer = scope.spawn(|| {
            pin(processors[0]);
            let (begin, mut i) = (Instant::now(), 0);
            let mut samples = Vec::with_capacity(SAMPLES);
            while samples.len() < SAMPLES && (samples.is_empty() || begin.elapsed() < LIMIT) {
                let start = Instant::now();
                for _ in 0..ROUND_TRIPS {
                    line.store(2 * i + 1, Release);
                    wait_for(2 * i + 2);
                    i += 1;
                }
                samples.push(start.elapsed().as_nanos() as f64 / ROUND_TRIPS as f64);
            }
            over.store(true, Relaxed);
            samples.sort_by(f64::total_cmp);
            samples[samples.len() / 2]
        });
        timer.join().ok()
    })
}
