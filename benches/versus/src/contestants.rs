//! Who runs, and in what.

use crate::probe::pin;
use crossbeam_utils::Backoff;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const CAPACITY: usize = 1024;

/// What a trial took.
pub struct Trial {
    pub items: usize,
    pub time: Duration,
}

/// A queue in a scenario.
pub struct Contestant {
    pub scenario: &'static str,
    pub name: &'static str,
    pub ours: bool,
    pub run: fn(usize) -> Trial,
}

/// A queue of words.
trait Words: Sync {
    fn new() -> Self;
    fn try_put(&self, word: usize) -> bool;
    fn try_get(&self) -> Option<usize>;

    /// Tries until it is done, backing off as a program would: the same way for all.
    fn put(&self, word: usize) {
        let backoff = Backoff::new();
        while !self.try_put(word) {
            backoff.snooze();
        }
    }
    fn get(&self) -> usize {
        let backoff = Backoff::new();
        loop {
            match self.try_get() {
                Some(word) => return word,
                None => backoff.snooze(),
            }
        }
    }
}

/// `pairs` producers and consumers; checks the sum of what came through.
fn flow<Q: Words, const PAIRS: usize>(items: usize) -> Trial {
    let queue = Q::new();
    let each = items / PAIRS;
    let sum = AtomicUsize::new(0);
    let time = timed(2 * PAIRS, |thread| {
        if thread % 2 == 0 {
            for i in 1..=each {
                queue.put(i);
            }
        } else {
            let mut mine = 0;
            for _ in 0..each {
                mine += queue.get();
            }
            sum.fetch_add(mine, Ordering::Relaxed);
        }
    });
    assert_eq!(sum.into_inner(), PAIRS * (each * (each + 1) / 2), "items were lost or doubled");
    Trial { items: each * PAIRS, time }
}

/// Two threads that put and get in turn.
fn pair<Q: Words>(items: usize) -> Trial {
    let queue = Q::new();
    let each = items / 2;
    let time = timed(2, |_| {
        for i in 1..=each {
            queue.put(i);
            black_box(queue.get());
        }
    });
    Trial { items: each * 2, time }
}

/// One thread that puts and gets in turn: for what is first in, last out, the latest word.
fn alone<Q: Words>(items: usize) -> Trial {
    let queue = Q::new();
    let time = timed(1, |_| {
        for i in 1..=items {
            queue.put(i);
            assert_eq!(queue.get(), i);
        }
    });
    Trial { items, time }
}

/// Runs `work` on so many pinned threads at once: from the first start to the last end.
pub fn timed(threads: usize, work: impl Fn(usize) + Sync) -> Duration {
    let ready = Barrier::new(threads);
    let run = &|thread| {
        pin(thread);
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

pub mod ours {
    use super::*;

    #[repr(C)]
    pub struct Options {
        pub struct_size: usize,
        pub capacity: usize,
        pub item_size: usize,
        pub flags: u64,
        pub drop: Option<extern "C" fn(*mut c_void, *mut c_void)>,
        pub drop_ctx: *mut c_void,
    }

    impl Options {
        pub fn new() -> Self {
            Self {
                struct_size: size_of::<Self>(),
                capacity: CAPACITY,
                item_size: 0,
                flags: 0,
                drop: None,
                drop_ctx: std::ptr::null_mut(),
            }
        }
    }

    unsafe extern "C" {
        fn queues_mpmc_create(options: *const Options, queue: *mut *mut c_void) -> i32;
        fn queues_mpmc_release(queue: *mut c_void);
        fn queues_mpmc_try_put(queue: *mut c_void, item: *mut c_void) -> i32;
        fn queues_mpmc_try_get(queue: *mut c_void, item: *mut *mut c_void) -> i32;
        fn queues_deque_create(options: *const Options, deque: *mut *mut c_void) -> i32;
        fn queues_deque_release(deque: *mut c_void);
        fn queues_deque_push(deque: *mut c_void, item: *mut c_void) -> i32;
        fn queues_deque_pop(deque: *mut c_void, item: *mut *mut c_void) -> i32;
        fn queues_spsc_create(options: *const Options, queue: *mut *mut c_void) -> i32;
        fn queues_spsc_release(queue: *mut c_void);
        fn queues_spsc_try_put(queue: *mut c_void, item: *mut c_void) -> i32;
        fn queues_spsc_try_get(queue: *mut c_void, item: *mut *mut c_void) -> i32;
    }

    macro_rules! family {
        ($name:ident, $create:ident, $release:ident, $put:ident, $get:ident) => {
            pub struct $name(*mut c_void);
            // SAFETY: handles may be used from any thread.
            unsafe impl Sync for $name {}
            impl Words for $name {
                fn new() -> Self {
                    let mut queue = std::ptr::null_mut();
                    // SAFETY: valid options and output.
                    assert_eq!(unsafe { $create(&Options::new(), &mut queue) }, 0);
                    Self(queue)
                }
                fn try_put(&self, word: usize) -> bool {
                    // SAFETY: a live handle.
                    unsafe { $put(self.0, word as *mut c_void) == 0 }
                }
                fn try_get(&self) -> Option<usize> {
                    let mut item = std::ptr::null_mut();
                    // SAFETY: a live handle and a valid output.
                    (unsafe { $get(self.0, &mut item) } == 0).then_some(item as usize)
                }
            }
            impl Drop for $name {
                fn drop(&mut self) {
                    // SAFETY: the last reference.
                    unsafe { $release(self.0) }
                }
            }
        };
    }
    family!(
        Mpmc,
        queues_mpmc_create,
        queues_mpmc_release,
        queues_mpmc_try_put,
        queues_mpmc_try_get
    );
    family!(Deque, queues_deque_create, queues_deque_release, queues_deque_push, queues_deque_pop);
    family!(
        Spsc,
        queues_spsc_create,
        queues_spsc_release,
        queues_spsc_try_put,
        queues_spsc_try_get
    );
}

impl Words for crossbeam_queue::ArrayQueue<usize> {
    fn new() -> Self {
        Self::new(CAPACITY)
    }
    fn try_put(&self, word: usize) -> bool {
        self.push(word).is_ok()
    }
    fn try_get(&self) -> Option<usize> {
        self.pop()
    }
}

struct Channel(crossbeam_channel::Sender<usize>, crossbeam_channel::Receiver<usize>);
impl Words for Channel {
    fn new() -> Self {
        let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
        Self(sender, receiver)
    }
    fn try_put(&self, word: usize) -> bool {
        self.0.try_send(word).is_ok()
    }
    fn try_get(&self) -> Option<usize> {
        self.1.try_recv().ok()
    }
}

struct Rtrb(UnsafeCell<rtrb::Producer<usize>>, UnsafeCell<rtrb::Consumer<usize>>);
// SAFETY: the scenarios use each end from one thread.
unsafe impl Sync for Rtrb {}
impl Words for Rtrb {
    fn new() -> Self {
        let (producer, consumer) = rtrb::RingBuffer::new(CAPACITY);
        Self(UnsafeCell::new(producer), UnsafeCell::new(consumer))
    }
    fn try_put(&self, word: usize) -> bool {
        // SAFETY: one producer thread.
        unsafe { &mut *self.0.get() }.push(word).is_ok()
    }
    fn try_get(&self) -> Option<usize> {
        // SAFETY: one consumer thread.
        unsafe { &mut *self.1.get() }.pop().ok()
    }
}

struct Worker(UnsafeCell<crossbeam_deque::Worker<usize>>);
// SAFETY: the scenario uses it from one thread.
unsafe impl Sync for Worker {}
impl Words for Worker {
    fn new() -> Self {
        Self(UnsafeCell::new(crossbeam_deque::Worker::new_lifo()))
    }
    fn try_put(&self, word: usize) -> bool {
        // SAFETY: one thread.
        unsafe { &*self.0.get() }.push(word);
        true
    }
    fn try_get(&self) -> Option<usize> {
        // SAFETY: one thread.
        unsafe { &*self.0.get() }.pop()
    }
}

/// Vyukov's bounded queue (1024cores.net, 2010) with exponential back-off: the usual design, fast and
/// not lock-free.
struct Vyukov {
    slots: Box<[(AtomicUsize, UnsafeCell<usize>)]>,
    tail: crossbeam_utils::CachePadded<AtomicUsize>,
    head: crossbeam_utils::CachePadded<AtomicUsize>,
}
// SAFETY: a slot's sequence says whose it is.
unsafe impl Sync for Vyukov {}
impl Vyukov {
    /// Claims the position whose slot has reached `position + ready`; its slot.
    fn claim(
        &self,
        end: &AtomicUsize,
        ready: usize,
    ) -> Option<(usize, &(AtomicUsize, UnsafeCell<usize>))> {
        let mut pauses = 8;
        let mut position = end.load(Ordering::Relaxed);
        loop {
            let slot = &self.slots[position & (CAPACITY - 1)];
            match slot.0.load(Ordering::Acquire).wrapping_sub(position + ready) as isize {
                0 => {
                    let (o, r) = (position, Ordering::Relaxed);
                    match end.compare_exchange_weak(o, o + 1, r, r) {
                        Ok(_) => return Some((position, slot)),
                        Err(now) => position = now,
                    }
                    (0..pauses).for_each(|_| std::hint::spin_loop());
                    pauses = (pauses * 2).min(256);
                }
                ..0 => return None,
                _ => position = end.load(Ordering::Relaxed),
            }
        }
    }
}
impl Words for Vyukov {
    fn new() -> Self {
        let slot = |i| (AtomicUsize::new(i), UnsafeCell::new(0));
        Self {
            slots: (0..CAPACITY).map(slot).collect(),
            tail: AtomicUsize::new(0).into(),
            head: AtomicUsize::new(0).into(),
        }
    }
    fn try_put(&self, word: usize) -> bool {
        let Some((position, slot)) = self.claim(&self.tail, 0) else { return false };
        // SAFETY: claimed.
        unsafe { *slot.1.get() = word };
        slot.0.store(position + 1, Ordering::Release);
        true
    }
    fn try_get(&self) -> Option<usize> {
        let (position, slot) = self.claim(&self.head, 1)?;
        // SAFETY: claimed.
        let word = unsafe { *slot.1.get() };
        slot.0.store(position + CAPACITY, Ordering::Release);
        Some(word)
    }
}

/// Everybody, by scenario.
pub fn contestants() -> Vec<Contestant> {
    fn spsc<Q: Words>(name: &'static str, ours: bool) -> Contestant {
        Contestant { scenario: "spsc", name, ours, run: flow::<Q, 1> }
    }
    fn mpmc<Q: Words>(name: &'static str, ours: bool) -> [Contestant; 4] {
        [
            Contestant { scenario: "mpmc 1P1C", name, ours, run: flow::<Q, 1> },
            Contestant { scenario: "mpmc pair", name, ours, run: pair::<Q> },
            Contestant { scenario: "mpmc 2P2C", name, ours, run: flow::<Q, 2> },
            Contestant { scenario: "mpmc 4P4C", name, ours, run: flow::<Q, 4> },
        ]
    }
    fn owner<Q: Words>(name: &'static str, ours: bool) -> Contestant {
        Contestant { scenario: "deque owner", name, ours, run: alone::<Q> }
    }
    let mut all = vec![
        spsc::<ours::Spsc>("queues, libqueues.so", true),
        spsc::<Rtrb>("rtrb", false),
        owner::<ours::Deque>("queues, libqueues.so", true),
        owner::<Worker>("crossbeam-deque, LIFO", false),
    ];
    let mut columns = [
        mpmc::<ours::Mpmc>("queues, libqueues.so", true),
        mpmc::<Vyukov>("Vyukov ring, back-off", false),
        mpmc::<crossbeam_queue::ArrayQueue<usize>>("crossbeam ArrayQueue", false),
        mpmc::<Channel>("crossbeam-channel", false),
    ]
    .map(|column| column.into_iter());
    for _ in 0..4 {
        all.extend(columns.iter_mut().filter_map(Iterator::next));
    }
    all.extend(crate::priority::contestants());
    all
}
