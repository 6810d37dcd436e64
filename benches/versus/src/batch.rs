//! Batching: two producers, one consumer that takes 32 items at a time, or fewer when the oldest has
//! waited for long enough. All wait by sleeping.

use crate::contestants::{CAPACITY, Contestant, Trial, ours, timed};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const SIZE: usize = 32;
const PRODUCERS: usize = 2;

/// A queue of words whose items are taken in batches, `age` after the oldest came at the latest.
trait Batching: Sync + Sized {
    fn new(age: Duration) -> Self;
    fn put(&self, word: usize);
    fn get(&self, batch: &mut Vec<usize>);
}

fn throughput<Q: Batching>(items: usize) -> Trial {
    let queue = Q::new(Duration::from_millis(10));
    let each = items / PRODUCERS;
    let sum = AtomicUsize::new(0);
    let time = timed(PRODUCERS + 1, |thread| {
        if thread < PRODUCERS {
            return (1..=each).for_each(|word| queue.put(word));
        }
        let (mut batch, mut count, mut mine) = (Vec::with_capacity(SIZE), 0, 0);
        while count < PRODUCERS * each {
            queue.get(&mut batch);
            count += batch.len();
            mine += batch.drain(..).sum::<usize>();
        }
        sum.store(mine, Ordering::Relaxed);
    });
    assert_eq!(sum.into_inner(), PRODUCERS * (each * (each + 1) / 2), "items were lost or doubled");
    Trial { items: each * PRODUCERS, time }
}

/// How many microseconds later than it was due a batch came that only its age made due.
fn lateness<Q: Batching>() -> Vec<f64> {
    const ROUNDS: usize = 200;
    let queue = &Q::new(AGE);
    let (arrived, arrivals) = mpsc::channel();
    let (taken, next) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for word in 0..ROUNDS {
                // By now the consumer sleeps, most likely.
                std::thread::sleep(Duration::from_micros(300));
                arrived.send(Instant::now()).unwrap();
                queue.put(word);
                next.recv().unwrap();
            }
        });
        let mut batch = Vec::with_capacity(SIZE);
        let mut round = || {
            queue.get(&mut batch);
            let now = Instant::now();
            assert_eq!(batch.drain(..).count(), 1);
            taken.send(()).unwrap();
            now.duration_since(arrivals.recv().unwrap() + AGE).as_secs_f64() * 1e6
        };
        (0..ROUNDS).map(|_| round()).collect()
    })
}

const AGE: Duration = Duration::from_millis(1);

/// Tells the lateness of all, which take turns.
pub fn tell_lateness() {
    let mut all: [(&str, fn() -> Vec<f64>, Vec<f64>); _] = [
        (OURS, lateness::<Ours>, vec![]),
        (LOCKED, lateness::<Locked>, vec![]),
        (CHANNEL, lateness::<Channel>, vec![]),
    ];
    for _ in 0..20 {
        all.iter_mut().for_each(|(_, run, late)| late.extend(run()));
    }
    println!(
        "microseconds from when a batch was due to when it was there, after an age of {AGE:?}"
    );
    println!("{:<34} {:>8} {:>8} {:>8} {:>8}", "queue", "min", "median", "p99", "max");
    for (name, _, late) in &mut all {
        late.sort_by(f64::total_cmp);
        let at = |percent| late[(late.len() - 1) * percent / 100];
        println!("{name:<34} {:>8.0} {:>8.0} {:>8.0} {:>8.0}", at(0), at(50), at(99), at(100));
    }
}

struct Ours(*mut c_void);
// SAFETY: handles may be used from any thread.
unsafe impl Sync for Ours {}

#[repr(C)]
struct Options {
    common: ours::Options,
    batch_size: usize,
    batch_timeout_ns: i64,
    batch_weight: u64,
}

unsafe extern "C" {
    fn queues_batch_create(options: *const Options, queue: *mut *mut c_void) -> i32;
    fn queues_batch_release(queue: *mut c_void);
    fn queues_batch_put(queue: *mut c_void, item: *mut c_void, timeout: i64) -> i32;
    fn queues_batch_get_batch(
        queue: *mut c_void,
        items: *mut *mut c_void,
        max: usize,
        n: *mut usize,
        timeout: i64,
    ) -> i32;
}

impl Batching for Ours {
    fn new(age: Duration) -> Self {
        let mut common = ours::Options::new();
        common.struct_size = size_of::<Options>();
        let batch_timeout_ns = age.as_nanos() as i64;
        let options = Options { common, batch_size: SIZE, batch_timeout_ns, batch_weight: 0 };
        let mut queue = std::ptr::null_mut();
        // SAFETY: valid options and output.
        assert_eq!(unsafe { queues_batch_create(&options, &mut queue) }, 0);
        Self(queue)
    }
    fn put(&self, word: usize) {
        // SAFETY: a live handle.
        assert_eq!(unsafe { queues_batch_put(self.0, word as *mut c_void, -1) }, 0);
    }
    fn get(&self, batch: &mut Vec<usize>) {
        let mut items = [std::ptr::null_mut(); SIZE];
        let mut n = 0;
        // SAFETY: a live handle and valid outputs.
        let status =
            unsafe { queues_batch_get_batch(self.0, items.as_mut_ptr(), SIZE, &mut n, -1) };
        assert_eq!(status, 0);
        batch.extend(items[..n].iter().map(|&item| item as usize));
    }
}
impl Drop for Ours {
    fn drop(&mut self) {
        // SAFETY: the last reference.
        unsafe { queues_batch_release(self.0) }
    }
}

/// As one writes it oneself: a lock, and a condition for each side. Who puts wakes the consumer when
/// it waits for what is there now.
struct Locked {
    items: Mutex<VecDeque<(usize, Instant)>>,
    not_empty: Condvar,
    not_full: Condvar,
    age: Duration,
}

impl Batching for Locked {
    fn new(age: Duration) -> Self {
        let items = Mutex::new(VecDeque::with_capacity(CAPACITY));
        Self { items, not_empty: Condvar::new(), not_full: Condvar::new(), age }
    }
    fn put(&self, word: usize) {
        let now = Instant::now();
        let mut items = self.items.lock();
        while items.len() == CAPACITY {
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
                    let due = arrival + self.age;
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

/// Another usual way: the consumer collects what a channel gives until the first item is old enough.
struct Channel {
    sender: crossbeam_channel::Sender<(usize, Instant)>,
    receiver: crossbeam_channel::Receiver<(usize, Instant)>,
    age: Duration,
}

impl Batching for Channel {
    fn new(age: Duration) -> Self {
        let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
        Self { sender, receiver, age }
    }
    fn put(&self, word: usize) {
        self.sender.send((word, Instant::now())).unwrap();
    }
    fn get(&self, batch: &mut Vec<usize>) {
        let (word, arrival) = self.receiver.recv().unwrap();
        batch.push(word);
        while batch.len() < SIZE
            && let Ok((word, _)) = self.receiver.recv_deadline(arrival + self.age)
        {
            batch.push(word);
        }
    }
}

const OURS: &str = "queues, libqueues.so";
const LOCKED: &str = "lock and conditions";
const CHANNEL: &str = "crossbeam-channel, collected";

pub fn contestants() -> Vec<Contestant> {
    let scenario = "batch 2P1C";
    vec![
        Contestant { scenario, name: OURS, ours: true, run: throughput::<Ours> },
        Contestant { scenario, name: LOCKED, ours: false, run: throughput::<Locked> },
        Contestant { scenario, name: CHANNEL, ours: false, run: throughput::<Channel> },
    ]
}
