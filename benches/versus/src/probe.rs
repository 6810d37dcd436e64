//! The round trip of a cache line between the first two processors, which shows whether they are near
//! or far. The topology that a virtual machine sees does not show it: the host moves virtual processors
//! between cores while a run goes on, and the topology stays the same.

use processors::pin;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::time::{Duration, Instant};

/// Round trips per sample: at 50 to 400 ns each, 10 to 80 µs, far above the resolution of the
/// clock.
const ROUND_TRIPS: u32 = 200;
/// Samples per probe, of which the median counts.
const SAMPLES: usize = 51;
/// Time after which a probe takes no further sample. It only matters on a busy machine, where the
/// two threads seldom run at the same time.
const LIMIT: Duration = Duration::from_millis(50);

/// The time in ns that a cache line takes from the first processor to the second and back. A
/// median, so that samples in which a thread was preempted do not count. `None` if the process may
/// use one processor only.
pub fn round_trip() -> Option<f64> {
    let processors = processors::allowed();
    if processors.len() < 2 {
        return None;
    }
    let (line, finished) = (AtomicU32::new(0), AtomicBool::new(false));
    let wait_for = |value| {
        while line.load(Acquire) != value && !finished.load(Relaxed) {
            spin_loop();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pin(processors[1]);
            for i in 0.. {
                wait_for(2 * i + 1);
                if finished.load(Relaxed) {
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
            finished.store(true, Relaxed);
            samples.sort_by(f64::total_cmp);
            samples[samples.len() / 2]
        });
        timer.join().ok()
    })
}
