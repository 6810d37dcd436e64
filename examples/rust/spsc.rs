//! A stream from one thread to the next: samples are made, smoothed and printed, each step on a thread
//! of its own. An end that is dropped closes its queue.

use queues::{Wait, spsc};
use std::thread;

fn main() -> Result<(), queues::Error> {
    let (mut samples, mut raw) = spsc(16)?;
    let (mut means, mut smooth) = spsc(16)?;

    thread::spawn(move || {
        for i in 0..10 {
            let sample = f64::from(i * i);
            if samples.put(sample, Wait::Forever).is_err() {
                break; // nobody gets them any more
            }
        }
    });
    thread::spawn(move || {
        let mut last = 0.0;
        while let Ok(sample) = raw.get(Wait::Forever) {
            if means.put((last + sample) / 2.0, Wait::Forever).is_err() {
                break;
            }
            last = sample;
        }
    });
    while let Ok(mean) = smooth.get(Wait::Forever) {
        println!("{mean}");
    }
    Ok(())
}
