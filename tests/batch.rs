//! Batches through the C ABI: random lists of calls by one thread against a sequential model, and
//! threads that put and take at random.

#![cfg(not(any(loom, miri)))]

#[path = "support/c_abi.rs"]
mod c_abi;
#[path = "support/random.rs"]
mod random;
#[path = "support/watchdog.rs"]
mod watchdog;

use c_abi::result;
use core::ffi::c_void;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use queues::ffi::batch::*;
use queues::{Error, Result, Stats};
use random::{Random, setting};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use watchdog::watched;

/// What a queue is created with.
#[derive(Debug, Clone, Copy)]
struct Shape {
    max_pending: usize,
    size: usize,
    /// Below 0: for ever.
    age: i64,
    /// 0: no limit.
    weight: u64,
    /// 0: pointers.
    item_size: usize,
}

struct Batcher(*mut queues_batch_t);

// SAFETY: the library's promise.
unsafe impl Send for Batcher {}
// SAFETY: as above.
unsafe impl Sync for Batcher {}

impl Drop for Batcher {
    fn drop(&mut self) {
        // SAFETY: gives up the only reference.
        unsafe { queues_batch_release(self.0) }
    }
}

unsafe extern "C-unwind" fn note(seen: *mut c_void, item: *mut c_void) {
    // SAFETY: the context given at creation.
    unsafe { &*seen.cast::<Mutex<Vec<usize>>>() }.lock().unwrap().push(item.addr());
}

/// A blob that tells its number by its length and bytes.
fn blob(number: usize, item_size: usize) -> Vec<u8> {
    vec![number as u8; number % (item_size + 1)]
}

const UNTOUCHED: usize = 0x5EED_5EED;

#[allow(clippy::undocumented_unsafe_blocks)] // the handle is alive, and outputs are as large as said
impl Batcher {
    fn new(shape: Shape, dropped: &Mutex<Vec<usize>>) -> Result<Self> {
        let options = queues_batch_options_t {
            struct_size: size_of::<queues_batch_options_t>(),
            max_pending: shape.max_pending,
            item_size: shape.item_size,
            flags: 0,
            drop: if shape.item_size == 0 { Some(note) } else { None },
            drop_ctx: core::ptr::from_ref(dropped).cast_mut().cast(),
            batch_size: shape.size,
            batch_timeout_ns: shape.age,
            batch_weight: shape.weight,
            drop_bytes: None,
        };
        let mut queue = core::ptr::null_mut();
        result(unsafe { queues_batch_create(&options, &mut queue) }, 0).map(|()| Self(queue))
    }
    fn put(&self, item: usize, weight: u64, timeout: i64) -> Result {
        let item = core::ptr::without_provenance_mut(item);
        result(unsafe { queues_batch_put_weighted(self.0, item, weight, timeout) }, 0)
    }
    fn put_blob(&self, blob: &[u8], weight: u64, timeout: i64) -> Result {
        let data = if blob.is_empty() { core::ptr::null() } else { blob.as_ptr().cast() };
        let (queue, len) = (self.0, blob.len());
        result(unsafe { queues_batch_put_weighted_bytes(queue, data, len, weight, timeout) }, 0)
    }
    /// `None` for the timeout: what is due.
    fn take(&self, max: usize, timeout: Option<i64>) -> Result<Vec<usize>> {
        let (mut items, mut n) = (vec![core::ptr::null_mut(); max], UNTOUCHED);
        let place = items.as_mut_ptr();
        let status = unsafe {
            match timeout {
                Some(timeout) => queues_batch_get_batch(self.0, place, max, &mut n, timeout),
                None => queues_batch_get_due(self.0, place, max, &mut n),
            }
        };
        let answer = result(status, 0);
        assert_eq!(answer.is_err(), n == UNTOUCHED);
        answer.map(|()| items[..n].iter().map(|item| item.addr()).collect())
    }
    fn take_blobs(&self, room: usize, max: usize, timeout: Option<i64>) -> Result<Vec<Vec<u8>>> {
        let mut blobs = vec![queues_batch_blob_t { offset: 0, length: 0 }; max];
        let (mut buffer, mut len, mut n) = (vec![0u8; room], UNTOUCHED, UNTOUCHED);
        let at: *mut c_void =
            if room == 0 { core::ptr::null_mut() } else { buffer.as_mut_ptr().cast() };
        let (queue, places) = (self.0, blobs.as_mut_ptr());
        let status = unsafe {
            match timeout {
                Some(timeout) => queues_batch_get_batch_bytes(
                    queue, at, room, &mut len, places, max, &mut n, timeout,
                ),
                None => queues_batch_get_due_bytes(queue, at, room, &mut len, places, max, &mut n),
            }
        };
        let answer = result(status, len);
        assert_eq!(answer.is_err(), n == UNTOUCHED);
        assert_eq!(len == UNTOUCHED, !matches!(answer, Ok(()) | Err(Error::TooSmall { .. })));
        answer?;
        let mut end = 0;
        let cut = |blob: &queues_batch_blob_t| {
            assert_eq!(blob.offset, end, "blobs are contiguous");
            end += blob.length;
            buffer[blob.offset..end].to_vec()
        };
        let cut: Vec<_> = blobs[..n].iter().map(cut).collect();
        assert_eq!(end, len);
        Ok(cut)
    }
    fn flush(&self) {
        result(unsafe { queues_batch_flush(self.0) }, 0).unwrap();
    }
    fn close(&self) {
        result(unsafe { queues_batch_close(self.0) }, 0).unwrap();
    }
    fn clear(&self) -> usize {
        let mut count = UNTOUCHED;
        result(unsafe { queues_batch_clear(self.0, &mut count) }, 0).unwrap();
        count
    }
    fn pending_count(&self) -> usize {
        unsafe { queues_batch_pending_count(self.0) }
    }
    fn stats(&self) -> Stats {
        c_abi::told(|stats| unsafe { queues_batch_stats(self.0, stats) })
    }
}

#[derive(Debug, Clone)]
enum Op {
    /// A number, its weight, and whether to wait a moment.
    Put(usize, u64, bool),
    /// Of at most so many, into a buffer for so many bytes; `None`: what is due.
    Take(usize, usize, Option<bool>),
    Flush,
    Clear,
    Close,
}

/// What the header says, in one thread.
struct Model {
    shape: Shape,
    items: VecDeque<(usize, u64)>,
    flushed: usize,
    closed: bool,
    stats: Stats,
}

impl Model {
    fn put(&mut self, item: usize, weight: u64, waits: bool) -> Result {
        if self.closed {
            return Err(Error::Closed);
        }
        if self.items.len() == self.shape.max_pending {
            self.stats.failed_enqueue += 1;
            return Err(if waits { Error::Timeout } else { Error::Full });
        }
        self.items.push_back((item, weight));
        self.stats.enqueued += 1;
        self.stats.peak_size = self.stats.peak_size.max(self.items.len() as u64);
        Ok(())
    }
    fn limit(&self) -> u64 {
        if self.shape.weight == 0 { u64::MAX } else { self.shape.weight }
    }
    fn is_due(&self) -> bool {
        self.items.len() >= self.shape.size
            || self.flushed > 0
            || self.closed
            || self.shape.weight > 0 && self.weight() >= self.shape.weight
    }
    fn weight(&self) -> u64 {
        self.items.iter().fold(0, |sum, item| sum.saturating_add(item.1))
    }
    fn batch(&self, max: usize) -> usize {
        let mut sum = 0u64;
        let light = self.items.iter().take_while(|item| {
            sum = sum.saturating_add(item.1);
            sum <= self.limit()
        });
        let all = self.items.len().min(self.shape.size);
        light.count().max(1).min(all).min(max)
    }
    fn take(&mut self, max: usize, room: usize, waits: Option<bool>) -> Result<Vec<usize>> {
        if max == 0 {
            return Ok(vec![]);
        }
        if self.items.is_empty() && self.closed {
            return Err(Error::Closed);
        }
        if self.items.is_empty() || waits.is_none() && !self.is_due() {
            // What is there and not due was no failure.
            self.stats.failed_dequeue += u64::from(self.items.is_empty());
            return Err(if waits == Some(true) { Error::Timeout } else { Error::Empty });
        }
        let count = self.batch(max);
        let item_size = self.shape.item_size;
        let length = |&(item, _): &(usize, u64)| blob(item, item_size).len();
        let needed = self.items.iter().take(count).map(length).sum();
        if item_size > 0 && needed > room {
            return Err(Error::TooSmall { needed });
        }
        self.flushed = self.flushed.saturating_sub(count);
        self.stats.dequeued += count as u64;
        Ok(self.items.drain(..count).map(|(item, _)| item).collect())
    }
    fn clear(&mut self) -> Vec<usize> {
        self.flushed = 0;
        self.stats.dequeued += self.items.len() as u64;
        self.items.drain(..).map(|(item, _)| item).collect()
    }
}

/// Does the same calls on the library and on the model.
fn compare(shape: Shape, ops: &[Op]) {
    let dropped = Mutex::new(Vec::new());
    let queue = Batcher::new(shape, &dropped).unwrap();
    let stats = Stats { capacity: shape.max_pending as u64, ..Stats::default() };
    let mut model = Model { shape, items: VecDeque::new(), flushed: 0, closed: false, stats };
    let timeout = |waits| if waits { 1 } else { 0 };
    for op in ops {
        match *op {
            Op::Put(item, weight, waits) => {
                let done = match shape.item_size {
                    0 => queue.put(item, weight, timeout(waits)),
                    size => queue.put_blob(&blob(item, size), weight, timeout(waits)),
                };
                assert_eq!(done, model.put(item, weight, waits), "{op:?}");
            }
            Op::Take(max, room, waits) => {
                let expected = model.take(max, room, waits);
                let waits = waits.map(timeout);
                match shape.item_size {
                    0 => assert_eq!(queue.take(max, waits), expected, "{op:?}"),
                    size => {
                        let blobs = |items: Vec<usize>| {
                            items.into_iter().map(|item| blob(item, size)).collect::<Vec<_>>()
                        };
                        assert_eq!(
                            queue.take_blobs(room, max, waits),
                            expected.map(blobs),
                            "{op:?}"
                        );
                    }
                }
            }
            Op::Flush => {
                queue.flush();
                model.flushed = model.items.len();
            }
            Op::Clear => {
                let items = model.clear();
                assert_eq!(queue.clear(), items.len());
                if shape.item_size == 0 {
                    assert_eq!(std::mem::take(&mut *dropped.lock().unwrap()), items);
                }
            }
            Op::Close => {
                queue.close();
                model.closed = true;
            }
        }
        assert_eq!(queue.pending_count(), model.items.len());
        model.stats.current_size = model.items.len() as u64;
        assert_eq!(queue.stats(), model.stats, "{op:?}");
    }
    drop(queue);
    if shape.item_size == 0 {
        assert_eq!(*dropped.lock().unwrap(), model.clear());
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let weight = prop_oneof![Just(0), 1..12u64, Just(1u64 << 40)];
    (1..9usize, 1..9usize, weight, prop_oneof![Just(0usize), 1..20usize]).prop_map(
        |(a, b, weight, item_size)| {
            let (max_pending, size) = (a.max(b), a.min(b));
            Shape { max_pending, size, age: -1, weight, item_size }
        },
    )
}

fn ops() -> impl Strategy<Value = Op> {
    let weight = prop_oneof![6 => 0..8u64, 1 => Just(u64::MAX)];
    prop_oneof![
        12 => (0..40usize, weight, any::<bool>())
            .prop_map(|(item, weight, waits)| Op::Put(item, weight, waits)),
        8 => (0..12usize, 0..60usize, proptest::option::of(any::<bool>()))
            .prop_map(|(max, room, waits)| Op::Take(max, room, waits)),
        2 => Just(Op::Flush),
        1 => Just(Op::Clear),
        1 => Just(Op::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]
    #[test]
    fn is_the_model(shape in shapes(), ops in proptest::collection::vec(ops(), 0..60)) {
        compare(shape, &ops);
    }
}

/// No batch is broken off before its time: a call that waits for ever takes fewer than `size` items
/// only if the first is old enough.
#[test]
fn an_item_waits_for_others_and_no_longer_than_it_may() {
    watched("ages", || {
        let age = Duration::from_millis(20);
        let shape = Shape {
            max_pending: 100,
            size: 3,
            age: age.as_nanos() as i64,
            weight: 0,
            item_size: 0,
        };
        let queue = Batcher::new(shape, &Mutex::default()).unwrap();
        // The age counts from the arrival, not from the call.
        let arrival = Instant::now();
        queue.put(1, 1, -1).unwrap();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(queue.take(9, Some(-1)), Ok(vec![1]));
        assert!(arrival.elapsed() >= age, "{:?}", arrival.elapsed());
        // What a partial take leaves behind counts from its own arrival.
        queue.put(2, 1, -1).unwrap();
        std::thread::sleep(Duration::from_millis(10));
        let arrival = Instant::now();
        queue.put(3, 1, -1).unwrap();
        assert_eq!(queue.take(1, Some(1)), Ok(vec![2]));
        assert_eq!(queue.take(9, Some(-1)), Ok(vec![3]));
        assert!(arrival.elapsed() >= age, "{:?}", arrival.elapsed());
        // The call's own time is over first.
        queue.put(4, 1, -1).unwrap();
        assert_eq!(queue.take(9, Some(1)), Ok(vec![4]));
        assert_eq!(queue.take(9, Some(1)), Err(Error::Timeout));
        // A sleeper that found nothing wakes in time for what comes.
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| queue.take(9, Some(-1)));
            std::thread::sleep(Duration::from_millis(5));
            queue.put(5, 1, -1).unwrap();
            assert_eq!(sleeper.join().unwrap(), Ok(vec![5]));
        });
    });
}

/// One round of threads: everything that its seed decides.
#[derive(Debug)]
struct Plan {
    shape: Shape,
    producers: usize,
    consumers: usize,
    items: u64,
    flushes: bool,
    /// Consumers ask for what is due, or wait, or wait shortly.
    style: u64,
}

impl Plan {
    fn new(random: &mut Random) -> Self {
        let size = 1 + random.below(8) as usize;
        let max_pending = size + random.below(8) as usize;
        let age = [-1, 1, 100_000][random.below(3) as usize];
        let weight = [0, 5][random.below(2) as usize];
        Self {
            shape: Shape { max_pending, size, age, weight, item_size: 0 },
            producers: 1 + random.below(3) as usize,
            consumers: 1 + random.below(3) as usize,
            items: 1 + random.below(2000),
            flushes: random.below(2) == 0,
            style: random.below(3),
        }
    }
}

/// Producer and sequence in one number.
fn stamp(producer: usize, sequence: u64) -> usize {
    producer << 32 | sequence as usize
}

fn weight(sequence: u64) -> u64 {
    sequence % 4
}

/// Consumes until the end: checks each batch, returns what it got.
fn consume(queue: &Batcher, plan: &Plan, is_closing: &AtomicU64) -> Vec<usize> {
    let Plan { shape, flushes, style, .. } = *plan;
    let mut got = Vec::new();
    loop {
        let timeout = [None, Some(-1), Some(1000)][style as usize];
        match queue.take(shape.size + 1, timeout) {
            Ok(batch) => {
                assert!((1..=shape.size).contains(&batch.len()));
                let weights = batch.iter().map(|item| weight(*item as u64 & 0xFFFF_FFFF));
                let weighs: u64 = weights.sum();
                assert!(shape.weight == 0 || weighs <= shape.weight || batch.len() == 1);
                if shape.age < 0 && shape.weight == 0 && !flushes && style < 2 {
                    let closing = is_closing.load(Relaxed) != 0;
                    assert!(batch.len() == shape.size || closing, "not due: {batch:?}");
                }
                // Batches do not interleave: in each, a producer's items have no gaps.
                for (i, &item) in batch.iter().enumerate() {
                    let last = batch[..i].iter().rev().find(|other| *other >> 32 == item >> 32);
                    assert!(last.is_none_or(|last| last + 1 == item), "a gap in {batch:?}");
                }
                got.extend(batch);
            }
            Err(Error::Closed) => return got,
            Err(Error::Empty | Error::Timeout) if style != 1 => std::thread::yield_now(),
            Err(why) => panic!("{why}"),
        }
    }
}

fn round(seed: u64) -> u64 {
    let plan = Plan::new(&mut Random(seed));
    let dropped = Mutex::default();
    let queue = Batcher::new(plan.shape, &dropped).unwrap();
    let (left, is_closing) = (AtomicU64::new(plan.producers as u64), AtomicU64::new(0));
    let mut got: Vec<Vec<usize>> = std::thread::scope(|scope| {
        let (queue, plan, left, is_closing) = (&queue, &plan, &left, &is_closing);
        for producer in 0..plan.producers {
            let mut random = Random(seed ^ (producer as u64) << 40);
            scope.spawn(move || {
                for sequence in 0..plan.items {
                    queue.put(stamp(producer, sequence), weight(sequence), -1).unwrap();
                    if plan.flushes && random.below(16) == 0 {
                        queue.flush();
                    }
                    if random.below(64) == 0 {
                        std::thread::yield_now();
                    }
                }
                if left.fetch_sub(1, Relaxed) == 1 {
                    is_closing.store(1, Relaxed);
                    queue.close();
                }
            });
        }
        let consumers: Vec<_> =
            (0..plan.consumers).map(|_| scope.spawn(|| consume(queue, plan, is_closing))).collect();
        consumers.into_iter().map(|consumer| consumer.join().unwrap()).collect()
    });
    for items in &got {
        let mut last = vec![None; plan.producers];
        for item in items {
            let last = &mut last[item >> 32];
            assert!(*last < Some(*item), "out of order: {last:?}, {item}");
            *last = Some(*item);
        }
    }
    let mut all = got.drain(..).flatten().collect::<Vec<_>>();
    all.sort_unstable();
    let sent = (0..plan.producers).flat_map(|p| (0..plan.items).map(move |i| stamp(p, i)));
    assert!(all.iter().copied().eq(sent), "lost or doubled");
    let stats = queue.stats();
    assert_eq!((stats.enqueued, stats.dequeued), (all.len() as u64, all.len() as u64));
    assert!(stats.peak_size <= plan.shape.max_pending as u64);
    drop(queue);
    assert_eq!(*dropped.lock().unwrap(), []);
    all.len() as u64
}

/// Nothing is lost or doubled, batches are whole, in order and not broken off, whoever sleeps.
#[test]
fn threads() {
    let (items, first) = (setting("QUEUES_ITEMS", 200_000), setting("QUEUES_SEED", 1));
    let (mut passed, mut seed) = (0, first);
    while passed < items {
        watched(&format!("batches, QUEUES_SEED={seed}"), || passed += round(seed));
        seed += 1;
    }
    println!("{passed} items in {} rounds", seed - first);
}
