//! Requests to a model, served in batches: of four at most, of 1024 tokens at most, and so that none
//! waits for others for longer than 2 ms.

use queues::{Batcher, Limits, Wait};
use std::time::Duration;

const REQUESTS: [u64; 9] = [512, 16, 2048, 16, 64, 1024, 64, 128, 32];

fn main() -> Result<(), queues::Error> {
    let limits = Limits { size: 4, age: Some(Duration::from_millis(2)), weight: Some(1024) };
    let queue = Batcher::new(100, limits)?;
    for tokens in REQUESTS {
        // Any thread; waits for room.
        queue.put_weighted(tokens, tokens, Wait::Forever).map_err(|refused| refused.error)?;
    }
    let mut served = 0;
    while served < REQUESTS.len() {
        // Waits until a batch is due: the last one, which is not full, until it is old enough.
        let batch = queue.get_batch(Wait::Forever)?;
        println!("batch of {}: {} tokens", batch.len(), batch.iter().sum::<u64>());
        served += batch.len();
    }
    queue.close(); // no more puts; get_batch would drain the rest, then answer Closed
    Ok(())
}
