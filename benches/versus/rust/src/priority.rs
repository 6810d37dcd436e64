//! Priority queues: the queue is filled to the case's capacity, then each thread puts an item of
//! random priority and gets the lowest one, in turn. A put and a get count as two items.

use crate::workloads::{TrialResult, check, timed};
use crate::{Case, Contestant, Describe};
use crossbeam_utils::{Backoff, CachePadded};
use parking_lot::Mutex;
use serde_json::json;
use std::cell::UnsafeCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::*};

/// A priority queue of words, first in first out among equals.
pub trait PriorityQueue: Sync {
    fn new(capacity: usize) -> Self;
    fn put(&self, thread: usize, priority: f64, word: usize);
    fn get(&self, thread: usize) -> Option<usize>;
}

/// SplitMix64 (Steele, Lea and Flood 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One of a million priorities.
fn priority(state: &mut u64) -> f64 {
    (random(state) % 1_000_000) as f64
}

pub fn run<Q: PriorityQueue>(case: &Case, items: usize) -> TrialResult {
    let threads = Case::number(&case.shape);
    let queue = Q::new(case.capacity + threads);
    let mut state = 1;
    let mut put = 0usize;
    for word in 0..case.capacity {
        queue.put(0, priority(&mut state), word);
        put = put.wrapping_add(word);
    }
    let got = AtomicUsize::new(0);
    let run = |each| {
        timed(threads, |thread| {
            let (mut state, mut sum) = (thread as u64, 0usize);
            for word in 0..each {
                queue.put(thread, priority(&mut state), word);
                sum = sum.wrapping_add(queue.get(thread).expect("as many puts as gets"));
            }
            got.fetch_add(sum, Relaxed);
        })
    };
    let each = items / threads / 2;
    run(each / 10);
    let time = run(each);
    for each in [each / 10, each] {
        put = put.wrapping_add((0..each).sum::<usize>().wrapping_mul(threads));
    }
    let mut left = 0;
    while let Some(word) = queue.get(0) {
        got.fetch_add(word, Relaxed);
        left += 1;
    }
    check("items left", left, case.capacity)?;
    check("sum of the items", got.into_inner(), put)?;
    Ok(json!({ "items": each * threads * 2, "seconds": time.as_secs_f64() }))
}

/// The key is the priority and, below it, a ticket: equal priorities are first in, first out.
type Heap = (BinaryHeap<Reverse<(u128, usize)>>, u64);

fn push((heap, ticket): &mut Heap, priority: f64, word: usize) {
    // The bits of positive floating-point numbers sort as the numbers do.
    heap.push(Reverse(((priority.to_bits() as u128) << 64 | *ticket as u128, word)));
    *ticket += 1;
}

fn pop((heap, _): &mut Heap) -> Option<usize> {
    heap.pop().map(|Reverse((_, word))| word)
}

/// A binary heap under a lock.
struct Locked(Mutex<Heap>);
impl PriorityQueue for Locked {
    fn new(capacity: usize) -> Self {
        Self(Mutex::new((BinaryHeap::with_capacity(capacity), 0)))
    }
    fn put(&self, _: usize, priority: f64, word: usize) {
        push(&mut self.0.lock(), priority, word);
    }
    fn get(&self, _: usize) -> Option<usize> {
        pop(&mut self.0.lock())
    }
}

/// Flat combining (Hendler, Incze, Shavit and Tzafrir 2010): each thread posts its request, and the
/// thread that gets the lock, the combiner, serves the requests of all.
struct Combining {
    heap: Mutex<Heap>,
    posts: Box<[CachePadded<Post>]>,
}

#[derive(Default)]
struct Post {
    /// [`IDLE`], [`PUT`] or [`GET`].
    request: AtomicU32,
    /// Written by the posting thread while `request` is idle, and otherwise by the combiner.
    item: UnsafeCell<(f64, Option<usize>)>,
}

const IDLE: u32 = 0;
const PUT: u32 = 1;
const GET: u32 = 2;

// SAFETY: `request` decides which thread may access `item`.
unsafe impl Sync for Post {}

impl Combining {
    fn post(&self, thread: usize, request: u32, item: (f64, Option<usize>)) -> Option<usize> {
        let post = &self.posts[thread];
        // SAFETY: idle, so only the posting thread accesses it.
        unsafe { *post.item.get() = item };
        post.request.store(request, Release);
        let backoff = Backoff::new();
        while post.request.load(Acquire) != IDLE {
            let Some(mut heap) = self.heap.try_lock() else {
                backoff.snooze();
                continue;
            };
            for other in &self.posts {
                let request = other.request.load(Acquire);
                if request == IDLE {
                    continue;
                }
                // SAFETY: the request is posted and this thread holds the lock, so it is the
                // combiner.
                let item = unsafe { &mut *other.item.get() };
                match request {
                    PUT => push(&mut heap, item.0, item.1.unwrap()),
                    _ => item.1 = pop(&mut heap),
                }
                other.request.store(IDLE, Release);
            }
        }
        // SAFETY: idle, so only the posting thread accesses it.
        unsafe { (*post.item.get()).1 }
    }
}

impl PriorityQueue for Combining {
    fn new(capacity: usize) -> Self {
        // One for each thread of the largest shape, x8.
        let posts = (0..8).map(|_| CachePadded::default()).collect();
        Self { heap: Mutex::new((BinaryHeap::with_capacity(capacity), 0)), posts }
    }
    fn put(&self, thread: usize, priority: f64, word: usize) {
        self.post(thread, PUT, (priority, Some(word)));
    }
    fn get(&self, thread: usize) -> Option<usize> {
        self.post(thread, GET, (0.0, None))
    }
}

pub fn contestants() -> Vec<Contestant> {
    let new = |name| Contestant::new(name).version_of("parking_lot");
    vec![
        new("parking_lot + BinaryHeap").runs("priority", run::<Locked>),
        new("flat combining + BinaryHeap").runs("priority", run::<Combining>),
    ]
}
