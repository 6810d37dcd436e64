//! Requests to a model are served in batches of at most four requests and 1024 tokens. No request
//! waits longer than 2 ms for others to join its batch.

use queues::{Batcher, Limits, Wait};
use std::time::Duration;

const REQUESTS: [u64; 9] = [512, 16, 2048, 16, 64, 1024, 64, 128, 32];

fn main() -> Result<(), queues::Error> {
    let limits = Limits { size: 4, age: Some(Duration::from_millis(2)), weight: Some(1024) };
    let queue = Batcher::new(100, limits)?;
    for tokens in REQUESTS {
        // Any thread may put; this waits for room.
        queue.put_weighted(tokens, tokens, Wait::Forever).map_err(|refused| refused.error)?;
    }
    let mut served = 0;
    while served < REQUESTS.len() {
        // Waits until a batch is due. The last one is not full: it is due after 2 ms.
        let batch = queue.get_batch(Wait::Forever)?;
        println!("batch of {}: {} tokens", batch.len(), batch.iter().sum::<u64>());
        served += batch.len();
    }
    queue.close(); // no more puts; get_batch would return Closed now
    Ok(())
}
