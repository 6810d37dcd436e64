//! Requests to a model are served shortest first: three clients put them, the main thread serves
//! them.

use queues::{Priority, Wait};
use std::thread;

const PROMPTS: [&str; 5] =
    ["Write a poem about the sea", "Hello", "Why?", "Translate this letter", "Thanks"];

fn main() -> Result<(), queues::Error> {
    let queue = Priority::with_capacity(100)?;
    thread::scope(|clients| {
        for first in 0..3 {
            let queue = &queue;
            clients.spawn(move || {
                for prompt in PROMPTS.iter().skip(first).step_by(3) {
                    // The priority is any f64 except NaN, the lowest first; equal ones leave in
                    // order.
                    if queue.put(prompt, prompt.len() as f64, Wait::Forever).is_err() {
                        break; // closed
                    }
                }
            });
        }
    });
    queue.close(); // no more puts; gets return what is left
    while let Ok((prompt, priority)) = queue.get(Wait::Forever) {
        println!("{priority}: {prompt}");
    }
    Ok(())
}
