//! One thread puts an item and closes the queue; another gets items until it is closed and drained.

use queues::{Mpmc, Wait};

fn main() -> Result<(), queues::Error> {
    let queue = Mpmc::with_capacity(100)?; // any number of threads may put and get
    std::thread::scope(|scope| {
        scope.spawn(|| {
            queue.put("hello", Wait::Forever).expect("no thread has closed it"); // waits for room
            queue.close(); // later puts fail; gets return what is left
        });
        while let Ok(item) = queue.get(Wait::Forever) {
            println!("{item}");
        }
    });
    Ok(())
}
