//! One thread puts words and closes the queue; the other gets words until the queue is closed and
//! empty.

use queues::{Mpmc, Wait};
use std::thread;

fn main() -> Result<(), queues::Error> {
    let queue = Mpmc::with_capacity(2)?; // any number of threads may put and get
    thread::scope(|scope| {
        scope.spawn(|| {
            for word in ["queues", "carry", "things", "between", "threads"] {
                if queue.put(word, Wait::Forever).is_err() {
                    break; // closed
                }
            }
            queue.close(); // no more puts; gets return what is left
        });
        while let Ok(word) = queue.get(Wait::Forever) {
            println!("{word}");
        }
    });
    Ok(())
}
