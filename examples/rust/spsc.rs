//! A pipeline of three threads: one makes samples, one smooths them, one prints them. Between two
//! threads there is a queue for one producer and one consumer; dropping either end closes the
//! queue.

use queues::{Wait, spsc};
use std::thread;

fn main() -> Result<(), queues::Error> {
    let (mut samples, mut raw) = spsc(16)?;
    let (mut means, mut smooth) = spsc(16)?;

    thread::spawn(move || {
        for i in 0..10 {
            let sample = f64::from(i * i);
            if samples.put(sample, Wait::Forever).is_err() {
                break; // closed: the consumer is gone
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
