//! Two threads and a queue: one puts and closes, the other gets until it is closed and empty.

use queues::{Mpmc, Wait};
use std::thread;

fn main() -> Result<(), queues::Error> {
    let queue = Mpmc::with_capacity(2)?; // any number of threads at both ends
    thread::scope(|scope| {
        scope.spawn(|| {
            for word in ["queues", "carry", "things", "between", "threads"] {
                if queue.put(word, Wait::Forever).is_err() {
                    break; // closed
                }
            }
            queue.close(); // no more puts; what is inside can still be got
        });
        while let Ok(word) = queue.get(Wait::Forever) {
            println!("{word}");
        }
    });
    Ok(())
}
