//! Batches through the C ABI: random lists of calls by one thread against a sequential model, and
//! threads that put and take at random. No item is lost, none comes twice, and no batch is taken
//! before it is due.

#![cfg(not(any(loom, miri)))]

mod support;

use core::ffi::c_void;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use queues::{Error, Result, Stats};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use support::c_abi::{Batch, BatchSettings, Handle, Settings};
use support::random::{Random, setting, with_seed};
use support::watchdog::watched;

/// What a queue is created with.
#[derive(Debug, Clone, Copy)]
struct Shape {
    max_pending: usize,
    size: usize,
    /// In nanoseconds; below 0 without end.
    age: i64,
    /// 0: no limit.
    weight: u64,
    /// 0: pointers.
    item_size: usize,
}

unsafe extern "C-unwind" fn note(seen: *mut c_void, item: *mut c_void) {
    // SAFETY: the context given at creation.
    unsafe { &*seen.cast::<Mutex<Vec<usize>>>() }.lock().unwrap().push(item.addr());
}

/// A blob whose length and bytes follow from the number.
fn blob(number: usize, item_size: usize) -> Vec<u8> {
    vec![number as u8; number % (item_size + 1)]
}

fn create(shape: Shape, dropped: &Mutex<Vec<usize>>) -> Handle<Batch> {
    let Shape { max_pending, size, age, weight, item_size } = shape;
    let batch = BatchSettings { size, age, weight };
    let settings = Settings { batch, ..Settings::new(max_pending, item_size) };
    let context = core::ptr::from_ref(dropped).cast_mut().cast();
    let note = if item_size == 0 { Some(note as _) } else { None };
    Handle::create(settings.with_drop(note, context)).unwrap()
}

#[derive(Debug, Clone)]
enum Op {
    /// A number, its weight, and whether to wait a moment.
    Put(usize, u64, bool),
    /// The most items, the room in the buffer, and whether to wait; `None`: a batch that is due.
    Take(usize, usize, Option<bool>),
    Flush,
    Clear,
    Close,
}

/// The header's promises, for one thread.
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
            // Items that are not due are not a failure.
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

/// Makes the same calls on the library and on the model.
fn compare(shape: Shape, ops: &[Op]) {
    let dropped = Mutex::new(Vec::new());
    let queue = create(shape, &dropped);
    let stats = Stats { capacity: shape.max_pending as u64, ..Stats::default() };
    let mut model = Model { shape, items: VecDeque::new(), flushed: 0, closed: false, stats };
    let timeout = |waits| if waits { 1 } else { 0 };
    for op in ops {
        match *op {
            Op::Put(item, weight, waits) => {
                let done = match shape.item_size {
                    0 => queue.put_weighted(item, weight, timeout(waits)),
                    size => queue.put_weighted_bytes(&blob(item, size), weight, timeout(waits)),
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
                queue.flush().unwrap();
                model.flushed = model.items.len();
            }
            Op::Clear => {
                let items = model.clear();
                assert_eq!(queue.clear(), Ok(items.len()));
                if shape.item_size == 0 {
                    assert_eq!(std::mem::take(&mut *dropped.lock().unwrap()), items);
                }
            }
            Op::Close => {
                queue.close().unwrap();
                model.closed = true;
            }
        }
        assert_eq!(queue.len(), model.items.len());
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
    fn batches_match_the_model(shape in shapes(), ops in proptest::collection::vec(ops(), 0..60)) {
        compare(shape, &ops);
    }
}

/// No batch is taken before it is due: a call that waits without end takes fewer than `size` items
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
        let dropped = Mutex::default();
        let queue = create(shape, &dropped);
        // The age counts from the arrival, not from the call.
        let arrival = Instant::now();
        queue.put_weighted(1, 1, -1).unwrap();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(queue.take(9, Some(-1)), Ok(vec![1]));
        assert!(arrival.elapsed() >= age, "{:?}", arrival.elapsed());
        // The age of an item that a partial take leaves counts from its own arrival.
        queue.put_weighted(2, 1, -1).unwrap();
        std::thread::sleep(Duration::from_millis(10));
        let arrival = Instant::now();
        queue.put_weighted(3, 1, -1).unwrap();
        assert_eq!(queue.take(1, Some(1)), Ok(vec![2]));
        assert_eq!(queue.take(9, Some(-1)), Ok(vec![3]));
        assert!(arrival.elapsed() >= age, "{:?}", arrival.elapsed());
        // The call's own timeout ends first.
        queue.put_weighted(4, 1, -1).unwrap();
        assert_eq!(queue.take(9, Some(1)), Ok(vec![4]));
        assert_eq!(queue.take(9, Some(1)), Err(Error::Timeout));
        // A sleeper that found the queue empty wakes in time for an item that arrives.
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| queue.take(9, Some(-1)));
            std::thread::sleep(Duration::from_millis(5));
            queue.put_weighted(5, 1, -1).unwrap();
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
    /// Consumers take due batches only, or wait without end, or wait for a microsecond.
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

/// Takes batches until the queue is closed and drained. Checks each batch; returns all items.
fn consume(queue: &Handle<Batch>, plan: &Plan, is_closing: &AtomicU64) -> Vec<usize> {
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
    let plan = Plan::new(&mut Random::new(seed));
    let dropped = Mutex::default();
    let queue = create(plan.shape, &dropped);
    let (left, is_closing) = (AtomicU64::new(plan.producers as u64), AtomicU64::new(0));
    let mut got: Vec<Vec<usize>> = std::thread::scope(|scope| {
        let (queue, plan, left, is_closing) = (&queue, &plan, &left, &is_closing);
        for producer in 0..plan.producers {
            let mut random = Random::new(seed ^ (producer as u64) << 40);
            scope.spawn(move || {
                for sequence in 0..plan.items {
                    let (item, weight) = (stamp(producer, sequence), weight(sequence));
                    queue.put_weighted(item, weight, -1).unwrap();
                    if plan.flushes && random.below(16) == 0 {
                        queue.flush().unwrap();
                    }
                    if random.below(64) == 0 {
                        std::thread::yield_now();
                    }
                }
                if left.fetch_sub(1, Relaxed) == 1 {
                    is_closing.store(1, Relaxed);
                    queue.close().unwrap();
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

/// No item is lost or doubled; batches are whole and in order, however the consumers wait.
#[test]
fn threads() {
    let (items, first) = (setting("QUEUES_ITEMS", 200_000), setting("QUEUES_SEED", 1));
    let (mut passed, mut seed) = (0, first);
    while passed < items {
        let name = format!("batches, QUEUES_SEED={seed}");
        with_seed("batches", seed, || watched(&name, || passed += round(seed)));
        seed += 1;
    }
    println!("{passed} items in {} rounds", seed - first);
}
