//! Batching: producers put items one by one, and consumers get them in batches. A batch is due when
//! it has 32 items or when its oldest item has waited for the timeout; until then a consumer sleeps.

use crate::workloads::{TrialResult, check, percentiles, sides, sum_up_to, timed};
use crate::{Case, Contestant, Describe};
use hdrhistogram::Histogram;
use parking_lot::{Condvar, Mutex};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Items of a full batch.
pub const SIZE: usize = 32;

/// A queue of words that a consumer gets in batches. `get` blocks until a batch is due: it is full,
/// or its oldest word was put `timeout` ago.
pub trait BatchQueue: Sync + Sized {
    fn new(capacity: usize, timeout: Duration) -> Self;
    fn put(&self, word: usize);
    fn get(&self, batch: &mut Vec<usize>);
}

fn throughput<Q: BatchQueue>(case: &Case, items: usize) -> TrialResult {
    let queue = Q::new(case.capacity, Duration::from_millis(10));
    let (producers, consumers) = sides(case);
    let run = |items| {
        let each = items / producers;
        let (left, got) = (AtomicUsize::new(producers * each), AtomicUsize::new(0));
        let time = timed(producers + consumers, |thread| {
            if thread < producers {
                return (1..=each).for_each(|word| queue.put(word));
            }
            let (mut batch, mut mine) = (Vec::with_capacity(SIZE), 0);
            while left.load(Ordering::Relaxed) > 0 {
                queue.get(&mut batch);
                let count = batch.iter().filter(|&&word| word != 0).count();
                left.fetch_sub(count, Ordering::Relaxed);
                mine += batch.drain(..).sum::<usize>();
            }
            got.fetch_add(mine, Ordering::Relaxed);
            // Another consumer that waits gets a batch of zeros, and ends.
            if consumers > 1 {
                (0..SIZE).for_each(|_| queue.put(0));
            }
        });
        check("sum of the items", got.into_inner(), producers * sum_up_to(each))?;
        Ok(json!({ "items": each * producers, "seconds": time.as_secs_f64() }))
    };
    run(items / 10)?;
    run(items)
}

/// The time from when a batch became due by its timeout until the consumer had it. A batch has one
/// item.
fn lateness<Q: BatchQueue>(case: &Case, items: usize) -> TrialResult {
    const TIMEOUT: Duration = Duration::from_millis(1);
    let queue = &Q::new(case.capacity, TIMEOUT);
    let (arrived, arrivals) = mpsc::channel();
    let mut late = Histogram::<u64>::new(3).unwrap();
    let mut wrong = 0;
    let start = Instant::now();
    std::thread::scope(|scope| {
        let (taken, next) = mpsc::channel();
        scope.spawn(move || {
            for word in 0..items {
                // After 300 µs the consumer is most likely asleep.
                std::thread::sleep(Duration::from_micros(300));
                arrived.send(Instant::now()).unwrap();
                queue.put(word);
                next.recv().unwrap();
            }
        });
        let mut batch = Vec::with_capacity(SIZE);
        for word in 0..items {
            queue.get(&mut batch);
            let now = Instant::now();
            wrong += (batch != [word]) as usize;
            batch.clear();
            taken.send(()).unwrap();
            let due = arrivals.recv().unwrap() + TIMEOUT;
            late.record(now.saturating_duration_since(due).as_nanos() as u64).unwrap();
        }
    });
    check("batches with other items than the one that was put", wrong, 0)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(json!({ "items": items, "seconds": seconds, "latency_ns": percentiles(&late) }))
}

pub fn cases<Q: BatchQueue>(contestant: Contestant) -> Contestant {
    ["2P1C", "4P1C", "4P2C"]
        .iter()
        .fold(contestant, |entry, shape| entry.runs(format!("batch/{shape}"), throughput::<Q>))
        .runs("batch/lateness", lateness::<Q>)
}

/// What a program without a queue library would write: a lock, and a condition variable for each
/// side. A producer wakes the consumer when the queue gets its first item or a full batch.
struct Locked {
    items: Mutex<VecDeque<(usize, Instant)>>,
    not_empty: Condvar,
    not_full: Condvar,
    capacity: usize,
    timeout: Duration,
}

impl BatchQueue for Locked {
    fn new(capacity: usize, timeout: Duration) -> Self {
        let items = Mutex::new(VecDeque::with_capacity(capacity));
        Self { items, not_empty: Condvar::new(), not_full: Condvar::new(), capacity, timeout }
    }
    fn put(&self, word: usize) {
        let now = Instant::now();
        let mut items = self.items.lock();
        while items.len() == self.capacity {
            self.not_full.wait(&mut items);
        }
        items.push_back((word, now));
        if items.len() == 1 || items.len() == SIZE {
            self.not_empty.notify_one();
        }
    }
    fn get(&self, batch: &mut Vec<usize>) {
        let mut items = self.items.lock();
        while items.len() < SIZE {
            match items.front() {
                None => self.not_empty.wait(&mut items),
                Some(&(_, arrival)) => {
                    let due = arrival + self.timeout;
                    if self.not_empty.wait_until(&mut items, due).timed_out() {
                        break;
                    }
                }
            }
        }
        let n = SIZE.min(items.len());
        batch.extend(items.drain(..n).map(|(word, _)| word));
        self.not_full.notify_all();
    }
}

/// A bounded channel whose consumer collects a batch until it is due.
struct Channel {
    sender: crossbeam_channel::Sender<(usize, Instant)>,
    receiver: crossbeam_channel::Receiver<(usize, Instant)>,
    timeout: Duration,
}

impl BatchQueue for Channel {
    fn new(capacity: usize, timeout: Duration) -> Self {
        let (sender, receiver) = crossbeam_channel::bounded(capacity);
        Self { sender, receiver, timeout }
    }
    fn put(&self, word: usize) {
        self.sender.send((word, Instant::now())).unwrap();
    }
    fn get(&self, batch: &mut Vec<usize>) {
        let (word, arrival) = self.receiver.recv().unwrap();
        batch.push(word);
        while batch.len() < SIZE
            && let Ok((word, _)) = self.receiver.recv_deadline(arrival + self.timeout)
        {
            batch.push(word);
        }
    }
}

pub fn contestants() -> Vec<Contestant> {
    vec![
        cases::<Locked>(
            Contestant::new("parking_lot mutex and conditions").version_of("parking_lot"),
        ),
        cases::<Channel>(
            Contestant::new("crossbeam-channel, collected").version_of("crossbeam-channel"),
        ),
    ]
}
