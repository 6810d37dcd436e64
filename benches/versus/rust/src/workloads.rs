//! The traits that queues implement, and the workloads of first-in-first-out queues: each is
//! written once, generic over the queue, so that all contestants are measured by the same code.
//! Times are taken by the threads themselves.

use crate::Case;
use crossbeam_utils::{Backoff, CachePadded};
use hdrhistogram::Histogram;
use processors::pin;
pub use protocol::TrialResult;
use serde_json::{Value, json};
use std::cell::UnsafeCell;
use std::hint::{black_box, spin_loop};
use std::sync::Barrier;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::*};
use std::time::{Duration, Instant};

// --- what a queue offers

pub trait Queue: Sync {
    fn new(capacity: usize) -> Self;
}

/// Calls that return at once: `false` and `None` on a full and an empty queue.
pub trait NonBlocking<T>: Queue {
    fn try_put(&self, item: T) -> bool;
    fn try_get(&self) -> Option<T>;

    /// Tries until it succeeds. All queues get the same backoff: spinning, then yielding.
    fn put(&self, item: T)
    where
        T: Copy,
    {
        let backoff = Backoff::new();
        while !self.try_put(item) {
            backoff.snooze();
        }
    }
    fn get(&self) -> T {
        let backoff = Backoff::new();
        loop {
            match self.try_get() {
                Some(item) => return item,
                None => backoff.snooze(),
            }
        }
    }
}

/// Calls that block; how they wait is up to the library.
pub trait Blocking: Queue {
    fn blocking_put(&self, word: usize);
    fn blocking_get(&self) -> usize;
}

/// Calls that move as many words as fit or are there, without blocking, and return how many.
pub trait Bulk: Queue {
    fn put_bulk(&self, words: &[usize]) -> usize;
    fn get_bulk(&self, words: &mut [usize]) -> usize;
}

/// The end of a queue that one thread uses, on a cache line of its own.
pub struct End<T>(CachePadded<UnsafeCell<T>>);
// SAFETY: only one thread at a time calls `get`, which demands that.
unsafe impl<T> Sync for End<T> {}
impl<T> End<T> {
    pub fn new(end: T) -> Self {
        Self(CachePadded::new(UnsafeCell::new(end)))
    }
    /// # Safety
    /// Only one thread at a time calls this, and it holds no other borrow of the end.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn get(&self) -> &mut T {
        // SAFETY: the caller promises it.
        unsafe { &mut *self.0.get() }
    }
}

/// What is put into a queue: a word, or a blob of `N` words. Each carries a number, which the
/// consumers add up.
pub trait Item: Copy + Send + 'static {
    const WORD: bool = false;
    fn from_number(number: usize) -> Self;
    /// The number that the item carries. A torn blob yields a number that no producer puts.
    fn number(&self) -> usize;
}

impl Item for usize {
    const WORD: bool = true;
    fn from_number(number: usize) -> Self {
        number
    }
    fn number(&self) -> usize {
        *self
    }
}

impl<const N: usize> Item for [u64; N] {
    fn from_number(number: usize) -> Self {
        [number as u64; N]
    }
    fn number(&self) -> usize {
        if self[0] == self[N - 1] { self[0] as usize } else { usize::MAX / 3 }
    }
}

// --- threads and time

/// Runs `work` on `threads` threads and returns the time from the first start to the last end.
/// Threads are pinned if there are at least as many processors.
pub fn timed(threads: usize, work: impl Fn(usize) + Sync) -> Duration {
    let processors = processors::allowed();
    let ready = Barrier::new(threads);
    let run = &|thread| {
        if threads <= processors.len() {
            pin(processors[thread]);
        }
        ready.wait();
        let start = Instant::now();
        work(thread);
        (start, Instant::now())
    };
    let times: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let start = times.iter().map(|(start, _)| *start).min().unwrap();
    let end = times.iter().map(|(_, end)| *end).max().unwrap();
    end - start
}

/// Nanoseconds on the monotonic clock.
fn now() -> usize {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid output.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as usize * 1_000_000_000 + time.tv_nsec as usize
}

fn throughput(items: usize, time: Duration) -> TrialResult {
    Ok(json!({ "items": items, "seconds": time.as_secs_f64() }))
}

pub fn percentiles(histogram: &Histogram<u64>) -> Value {
    json!({
        "p50": histogram.value_at_quantile(0.5),
        "p99": histogram.value_at_quantile(0.99),
        "p99.9": histogram.value_at_quantile(0.999),
        "max": histogram.max(),
    })
}

pub fn check(what: &str, got: usize, wanted: usize) -> Result<(), String> {
    if got == wanted { Ok(()) } else { Err(format!("{what}: {got} instead of {wanted}")) }
}

/// The sum of 1 to n.
pub fn sum_up_to(n: usize) -> usize {
    n * (n + 1) / 2
}

/// Warms up with a tenth of the items, then measures.
fn warmed_up(items: usize, run: impl Fn(usize) -> TrialResult) -> TrialResult {
    run(items / 10)?;
    run(items)
}

// --- throughput

/// The numbers of producers and of consumers.
pub fn sides(case: &Case) -> (usize, usize) {
    let consumers = case.shape.split_once('P').map_or("", |(_, consumers)| consumers);
    (Case::number(&case.shape), Case::number(consumers))
}

/// Producers and consumers: `put(n)` puts the numbers 1 to n, `get(n)` gets n items and returns
/// their sum. Even threads produce and odd ones consume, as far as there are pairs.
fn flow(
    case: &Case,
    items: usize,
    put: impl Fn(usize) + Sync,
    get: impl Fn(usize) -> usize + Sync,
) -> TrialResult {
    let (producers, consumers) = sides(case);
    let pairs = producers.min(consumers);
    let items = items - items % producers.max(consumers);
    let each = items / producers;
    let got = AtomicUsize::new(0);
    let time = timed(producers + consumers, |thread| {
        let produces = if thread < 2 * pairs { thread % 2 == 0 } else { producers > consumers };
        if produces {
            put(each);
        } else {
            got.fetch_add(get(items / consumers), Relaxed);
        }
    });
    check("sum of the items", got.into_inner(), producers.wrapping_mul(sum_up_to(each)))?;
    throughput(items, time)
}

/// Two threads, each of which puts and gets in turn.
fn pair(items: usize, put: impl Fn(usize) + Sync, get: impl Fn() -> usize + Sync) -> TrialResult {
    let each = items / 2;
    let got = AtomicUsize::new(0);
    let time = timed(2, |_| {
        let mut mine = 0usize;
        for i in 1..=each {
            put(i);
            mine = mine.wrapping_add(get());
        }
        got.fetch_add(mine, Relaxed);
    });
    check("sum of the items", got.into_inner(), 2 * sum_up_to(each))?;
    throughput(each * 2, time)
}

pub fn single<Q: NonBlocking<T>, T: Item>(case: &Case, items: usize) -> TrialResult {
    let queue = &Q::new(case.capacity);
    let put = |n| (1..=n).for_each(|i| queue.put(T::from_number(i)));
    let get = |n| (0..n).fold(0, |sum: usize, _| sum.wrapping_add(queue.get().number()));
    warmed_up(items, |items| match &*case.shape {
        "pair" => pair(items, |i| queue.put(T::from_number(i)), || queue.get().number()),
        _ => flow(case, items, put, get),
    })
}

pub fn blocking<Q: Blocking>(case: &Case, items: usize) -> TrialResult {
    let queue = &Q::new(case.capacity);
    let put = |n| (1..=n).for_each(|i| queue.blocking_put(i));
    let get = |n| (0..n).fold(0, |sum: usize, _| sum.wrapping_add(queue.blocking_get()));
    warmed_up(items, |items| match &*case.shape {
        "pair" => pair(items, |i| queue.blocking_put(i), || queue.blocking_get()),
        _ => flow(case, items, put, get),
    })
}

pub fn bulk<Q: Bulk>(case: &Case, items: usize) -> TrialResult {
    let queue = &Q::new(case.capacity);
    let most = Case::number(&case.mode);
    let put = |n: usize| {
        let mut words = Vec::with_capacity(most);
        let mut next = 1;
        while next <= n {
            words.clear();
            words.extend(next..=n.min(next + most - 1));
            next += words.len();
            let mut rest = &words[..];
            let backoff = Backoff::new();
            while !rest.is_empty() {
                match queue.put_bulk(rest) {
                    0 => backoff.snooze(),
                    done => {
                        rest = &rest[done..];
                        backoff.reset();
                    }
                }
            }
        }
    };
    let get = |n: usize| {
        let mut words = vec![0; most];
        let (mut left, mut sum) = (n, 0usize);
        let backoff = Backoff::new();
        while left > 0 {
            match queue.get_bulk(&mut words[..most.min(left)]) {
                0 => backoff.snooze(),
                done => {
                    sum = words[..done].iter().fold(sum, |sum, word| sum.wrapping_add(*word));
                    left -= done;
                    backoff.reset();
                }
            }
        }
        sum
    };
    warmed_up(items, |items| flow(case, items, put, get))
}

// --- latency

fn pingpong<Q: Sync>(
    [there, back]: [&Q; 2],
    trips: usize,
    put: impl Fn(&Q, usize) + Sync,
    get: impl Fn(&Q) -> usize + Sync,
) -> TrialResult {
    let wrong = AtomicUsize::new(0);
    let time = timed(2, |thread| {
        for i in 1..=trips {
            if thread == 0 {
                put(there, i);
                if get(back) != i {
                    wrong.fetch_add(1, Relaxed);
                }
            } else {
                put(back, get(there));
            }
        }
    });
    check("wrong tokens", wrong.into_inner(), 0)?;
    throughput(trips, time)
}

pub fn pingpong_spin<Q: NonBlocking<usize>>(case: &Case, trips: usize) -> TrialResult {
    let queues = [&Q::new(case.capacity), &Q::new(case.capacity)];
    // No backoff: a yield takes longer than the round trip that is measured.
    let put = |queue: &Q, word| {
        while !queue.try_put(word) {
            spin_loop();
        }
    };
    let get = |queue: &Q| {
        loop {
            match queue.try_get() {
                Some(word) => return word,
                None => spin_loop(),
            }
        }
    };
    warmed_up(trips, |trips| pingpong(queues, trips, put, get))
}

pub fn pingpong_blocking<Q: Blocking>(case: &Case, trips: usize) -> TrialResult {
    let queues = [&Q::new(case.capacity), &Q::new(case.capacity)];
    warmed_up(trips, |trips| pingpong(queues, trips, Q::blocking_put, Q::blocking_get))
}

/// Items per second of all producers together: a pace with which every queue keeps up, so that the
/// latency is not that of a full queue.
const RATE: usize = 100_000;

pub fn latency<Q: Blocking>(case: &Case, items: usize) -> TrialResult {
    let queue = &Q::new(case.capacity);
    let pairs = Case::number(&case.shape);
    let each = items / pairs;
    let crowded = 2 * pairs > processors::allowed().len();
    let start = now() + 1_000_000;
    let sum = AtomicUsize::new(0);
    let latencies = std::sync::Mutex::new(Histogram::<u64>::new(3).unwrap());
    let due = |producer, i| start + (i * pairs + producer) * (1_000_000_000 / RATE);
    let time = timed(2 * pairs, |thread| {
        if thread % 2 == 0 {
            for i in 0..each {
                let due = due(thread / 2, i);
                while now() < due {
                    if crowded { std::thread::yield_now() } else { spin_loop() }
                }
                queue.blocking_put(due);
            }
            return;
        }
        let (mut mine, mut histogram) = (0usize, Histogram::<u64>::new(3).unwrap());
        for i in 0..each {
            let due = queue.blocking_get();
            let late = now().saturating_sub(due);
            mine = mine.wrapping_add(due);
            if i >= each / 10 {
                histogram.record(late as u64).unwrap();
            }
        }
        sum.fetch_add(mine, Relaxed);
        latencies.lock().unwrap().add(histogram).unwrap();
    });
    let wanted = (0..each).flat_map(|i| (0..pairs).map(move |producer| (producer, i)));
    let wanted = wanted.fold(0usize, |sum, (producer, i)| sum.wrapping_add(due(producer, i)));
    check("sum of the times", sum.into_inner(), wanted)?;
    let mut line = throughput(each * pairs, time)?;
    line["latency_ns"] = percentiles(&latencies.into_inner().unwrap());
    Ok(line)
}

// --- fairness

pub fn fairness<Q: NonBlocking<usize>>(case: &Case, items: usize) -> TrialResult {
    // Items that a producer claims at a time, so that the claim costs little.
    const SHARE: usize = 64;
    let queue = Q::new(case.capacity);
    let pairs = Case::number(&case.shape);
    let run = |items: usize| {
        let items = items / SHARE * SHARE;
        let left = CachePadded::new(AtomicIsize::new(items as isize));
        let producing = CachePadded::new(AtomicUsize::new(pairs));
        let counts: Vec<_> =
            (0..2 * pairs).map(|_| CachePadded::new(AtomicUsize::new(0))).collect();
        let starvation = AtomicUsize::new(0);
        let sum = AtomicUsize::new(0);
        let time = timed(2 * pairs, |thread| {
            let (mut count, mut mine, mut longest, mut last) = (0, 0usize, 0, now());
            let mut progress = || {
                let time = now();
                longest = longest.max(time - last);
                last = time;
                count += 1;
            };
            if thread % 2 == 0 {
                while left.fetch_sub(SHARE as isize, Relaxed) > 0 {
                    for i in 1..=SHARE {
                        queue.put(i);
                        progress();
                    }
                }
                producing.fetch_sub(1, AcqRel);
            } else {
                let backoff = Backoff::new();
                loop {
                    // Loaded before the get: if all producers had finished by then, an empty queue
                    // stays empty.
                    let finished = producing.load(Acquire) == 0;
                    match queue.try_get() {
                        Some(i) => {
                            mine = mine.wrapping_add(i);
                            progress();
                            backoff.reset();
                        }
                        None if finished => break,
                        None => backoff.snooze(),
                    }
                }
                sum.fetch_add(mine, Relaxed);
            }
            let place = if thread % 2 == 0 { thread / 2 } else { pairs + thread / 2 };
            counts[place].store(count, Relaxed);
            starvation.fetch_max(longest, Relaxed);
        });
        check(
            "sum of the items",
            sum.into_inner(),
            items / SHARE * crate::workloads::sum_up_to(SHARE),
        )?;
        let mut line = throughput(items, time)?;
        line["shares"] = counts.iter().map(|count| count.load(Relaxed)).collect();
        line["longest_starvation_ns"] = starvation.into_inner().into();
        Ok(line)
    };
    warmed_up(items, run)
}

// --- memory

/// Bytes that this process has allocated on the heap.
fn allocated() -> usize {
    // SAFETY: no arguments.
    let heap = unsafe { libc::mallinfo2() };
    heap.uordblks + heap.hblkhd
}

pub fn memory<Q: Queue>(case: &Case, _: usize) -> TrialResult {
    // The first queue may allocate what all queues share, which is not part of one.
    drop(Q::new(1));
    let before = allocated();
    let start = Instant::now();
    let queue = black_box(Q::new(case.capacity));
    let time = start.elapsed();
    let bytes = (allocated() - before) + size_of::<Q>();
    drop(queue);
    let mut line = throughput(1, time)?;
    line["bytes"] = bytes.into();
    Ok(line)
}
