//! Priority queues: every thread puts an item of random priority and gets the lowest, in turn, in a
//! queue that holds so many all the time. Puts and gets both count as items.

use crate::contestants::{Contestant, Trial, ours, timed};
use crossbeam_utils::{Backoff, CachePadded};
use parking_lot::Mutex;
use std::cell::UnsafeCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::c_void;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering::*};

/// A priority queue of words, first in first out among equals.
trait Ranked: Sync {
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

/// A priority of which there are a million.
fn priority(state: &mut u64) -> f64 {
    (random(state) % 1_000_000) as f64
}

fn run<Q: Ranked, const ITEMS: usize, const THREADS: usize>(items: usize) -> Trial {
    let queue = Q::new(ITEMS + THREADS);
    let mut state = 1;
    for word in 0..ITEMS {
        queue.put(0, priority(&mut state), word);
    }
    let each = items / THREADS / 2;
    let time = timed(THREADS, |thread| {
        let mut state = thread as u64;
        for word in 0..each {
            queue.put(thread, priority(&mut state), word);
            black_box(queue.get(thread).expect("as many puts as gets"));
        }
    });
    assert_eq!((0..).take_while(|_| queue.get(0).is_some()).count(), ITEMS, "lost or doubled");
    Trial { items: each * THREADS * 2, time }
}

struct Ours(*mut c_void);
// SAFETY: handles may be used from any thread.
unsafe impl Sync for Ours {}

unsafe extern "C" {
    fn queues_priority_create(options: *const ours::Options, queue: *mut *mut c_void) -> i32;
    fn queues_priority_release(queue: *mut c_void);
    fn queues_priority_try_put(queue: *mut c_void, item: *mut c_void, priority: f64) -> i32;
    fn queues_priority_try_get(
        queue: *mut c_void,
        item: *mut *mut c_void,
        priority: *mut f64,
    ) -> i32;
}

impl Ranked for Ours {
    fn new(capacity: usize) -> Self {
        let mut queue = std::ptr::null_mut();
        let options = ours::Options { capacity, ..ours::Options::new() };
        // SAFETY: valid options and output.
        assert_eq!(unsafe { queues_priority_create(&options, &mut queue) }, 0);
        Self(queue)
    }
    fn put(&self, _: usize, priority: f64, word: usize) {
        // SAFETY: a live handle.
        assert_eq!(unsafe { queues_priority_try_put(self.0, word as *mut c_void, priority) }, 0);
    }
    fn get(&self, _: usize) -> Option<usize> {
        let (mut item, mut priority) = (std::ptr::null_mut(), 0.0);
        // SAFETY: a live handle and valid outputs.
        let status = unsafe { queues_priority_try_get(self.0, &mut item, &mut priority) };
        (status == 0).then_some(item as usize)
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        // SAFETY: the last reference.
        unsafe { queues_priority_release(self.0) }
    }
}

/// Ties go by the ticket in the lower half.
type Heap = (BinaryHeap<Reverse<(u128, usize)>>, u64);

fn push((heap, ticket): &mut Heap, priority: f64, word: usize) {
    // The bits of positive numbers are in their order.
    heap.push(Reverse(((priority.to_bits() as u128) << 64 | *ticket as u128, word)));
    *ticket += 1;
}

fn pop((heap, _): &mut Heap) -> Option<usize> {
    heap.pop().map(|Reverse((_, word))| word)
}

/// The plain way.
struct Locked(Mutex<Heap>);
impl Ranked for Locked {
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

/// Flat combining (Hendler, Incze, Shavit and Tzafrir 2010): each thread posts what it wants, and who
/// holds the lock does it for all.
struct Combining {
    heap: Mutex<Heap>,
    posts: Box<[CachePadded<Post>]>,
}

#[derive(Default)]
struct Post {
    /// [`IDLE`], [`PUT`] or [`GET`].
    wanted: AtomicU32,
    /// Changed by the poster while idle, and else by who combines.
    item: UnsafeCell<(f64, Option<usize>)>,
}

const IDLE: u32 = 0;
const PUT: u32 = 1;
const GET: u32 = 2;

// SAFETY: `wanted` says whose the item is.
unsafe impl Sync for Post {}

impl Combining {
    fn post(&self, thread: usize, wanted: u32, item: (f64, Option<usize>)) -> Option<usize> {
        let post = &self.posts[thread];
        // SAFETY: idle, so it is ours.
        unsafe { *post.item.get() = item };
        post.wanted.store(wanted, Release);
        let backoff = Backoff::new();
        while post.wanted.load(Acquire) != IDLE {
            let Some(mut heap) = self.heap.try_lock() else {
                backoff.snooze();
                continue;
            };
            for other in &self.posts {
                let wanted = other.wanted.load(Acquire);
                if wanted == IDLE {
                    continue;
                }
                // SAFETY: posted, and we hold the lock.
                let item = unsafe { &mut *other.item.get() };
                match wanted {
                    PUT => push(&mut heap, item.0, item.1.unwrap()),
                    _ => item.1 = pop(&mut heap),
                }
                other.wanted.store(IDLE, Release);
            }
        }
        // SAFETY: idle, so it is ours.
        unsafe { (*post.item.get()).1 }
    }
}

impl Ranked for Combining {
    fn new(capacity: usize) -> Self {
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

/// Queues of C++, behind a call that is not inlined, as ours are.
macro_rules! from_cpp {
    ($name:ident, $create:ident, $release:ident, $put:ident, $get:ident) => {
        #[cfg(tbb)]
        struct $name(*mut c_void);
        #[cfg(tbb)]
        // SAFETY: they may be used from any thread.
        unsafe impl Sync for $name {}
        #[cfg(tbb)]
        unsafe extern "C" {
            fn $create(capacity: usize) -> *mut c_void;
            fn $release(queue: *mut c_void);
            fn $put(queue: *mut c_void, priority: f64, word: usize);
            fn $get(queue: *mut c_void, word: *mut usize) -> bool;
        }
        #[cfg(tbb)]
        impl Ranked for $name {
            fn new(capacity: usize) -> Self {
                // SAFETY: nothing to keep.
                Self(unsafe { $create(capacity) })
            }
            fn put(&self, _: usize, priority: f64, word: usize) {
                // SAFETY: alive.
                unsafe { $put(self.0, priority, word) }
            }
            fn get(&self, _: usize) -> Option<usize> {
                let mut word = 0;
                // SAFETY: alive, and a valid output.
                unsafe { $get(self.0, &mut word) }.then_some(word)
            }
        }
        #[cfg(tbb)]
        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: nobody uses it any more.
                unsafe { $release(self.0) }
            }
        }
    };
}
from_cpp!(Tbb, tbb_create, tbb_release, tbb_put, tbb_get);
from_cpp!(Std, std_create, std_release, std_put, std_get);

/// Everybody, by scenario.
pub fn contestants() -> Vec<Contestant> {
    fn column<Q: Ranked>(name: &'static str, ours: bool) -> [Contestant; 8] {
        macro_rules! row {
            ($scenario:literal, $items:literal, $threads:literal) => {
                Contestant { scenario: $scenario, name, ours, run: run::<Q, $items, $threads> }
            };
        }
        [
            row!("priority 1k x1", 1_000, 1),
            row!("priority 1k x2", 1_000, 2),
            row!("priority 1k x4", 1_000, 4),
            row!("priority 1k x8", 1_000, 8),
            row!("priority 100k x1", 100_000, 1),
            row!("priority 100k x2", 100_000, 2),
            row!("priority 100k x4", 100_000, 4),
            row!("priority 100k x8", 100_000, 8),
        ]
    }
    let columns = [
        column::<Ours>("queues, libqueues.so", true),
        #[cfg(tbb)]
        column::<Tbb>("oneTBB concurrent_priority_queue", false),
        #[cfg(tbb)]
        column::<Std>("std::mutex + priority_queue", false),
        column::<Locked>("parking_lot + BinaryHeap", false),
        column::<Combining>("flat combining + BinaryHeap", false),
    ];
    let mut columns = columns.map(IntoIterator::into_iter);
    (0..8).flat_map(|_| columns.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect()
}
