//! Faults around the library cost no item and leak no memory: failing allocations, callbacks that
//! panic or call the queue, signals, fork, cancellation and tiny stacks. Each gives its documented
//! result.

#![cfg(not(any(loom, miri)))]

mod support;

use core::ffi::c_void;
use queues::ffi::{deque::*, mpmc::*, spsc::QUEUES_SPSC_CHECKED, status::*};
use queues::payload::{Bytes, Dense, Disposer, Pointer, Received};
use queues::queue::{Fast, Get, Peek, Put, Queue, deque, mpmc, spsc};
use queues::wait::Blocking;
use queues::{Error, Result, Wait};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::thread::{Builder, scope, spawn, yield_now};
use std::time::{Duration, Instant};
use support::c_abi::{Deque, Family, Handle, Mpmc, Settings, Spsc, no_stats};
use support::watchdog::watched;

thread_local! {
    /// The number of allocations of this thread that will succeed.
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
    /// The number of allocations so far.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    /// The number of allocations that are not freed.
    static HELD: Cell<i64> = const { Cell::new(0) };
}

/// The allocator of the system, with faults.
struct Faulty;

#[global_allocator]
static FAULTY: Faulty = Faulty;

// SAFETY: passes on to the allocator of the system, or fails.
unsafe impl GlobalAlloc for Faulty {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(left) = LEFT.get().checked_sub(1) else { return null_mut() };
        LEFT.set(left);
        TAKEN.set(TAKEN.get() + 1);
        HELD.set(HELD.get() + 1);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - 1);
        // SAFETY: passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Fails the first, the second, … allocation of `create`, until it needs no more.
fn without_memory<T>(what: &str, create: impl Fn() -> Result<T>) {
    for n in 0.. {
        let held = HELD.get();
        LEFT.set(n);
        let created = create();
        LEFT.set(u64::MAX);
        match created {
            Ok(created) => {
                assert!(n > 0, "{what} without memory");
                drop(created);
                assert_eq!(HELD.get(), held, "{what} leaks");
                return;
            }
            Err(why) => {
                assert_eq!(why, Error::NoMemory, "{what}");
                assert_eq!(HELD.get(), held, "{what} leaks when allocation {n} fails");
            }
        }
    }
}

#[test]
fn creation_without_memory() {
    for item_size in [0, 1, 100] {
        let settings = Settings::new(10, item_size);
        without_memory("mpmc", || Handle::<Mpmc>::create(settings));
        without_memory("spsc", || Handle::<Spsc>::create(settings));
        let settings = Settings { flags: QUEUES_SPSC_CHECKED, ..settings };
        without_memory("checked spsc", || Handle::<Spsc>::create(settings));
        let settings = Settings { flags: QUEUES_DEQUE_GROWABLE, ..settings };
        without_memory("deque", || Deque::create(settings));
    }
    let bytes = || Bytes::try_new(9, Disposer::default());
    without_memory("Mpmc", || queues::Mpmc::<String>::with_capacity(3));
    without_memory("Deque of pointers", || deque::Deque::try_new(3, true, Pointer::default()));
    without_memory("Deque of bytes", || deque::Deque::try_new(3, true, bytes()?));
    without_memory("Indirect pointers", || mpmc::Indirect::try_new(3, Pointer::default()));
    without_memory("Indirect bytes", || mpmc::Indirect::try_new(3, bytes()?));
    without_memory("SPSC of pointers", || spsc::Spsc::try_new(3, Pointer::default()));
    without_memory("SPSC of bytes", || spsc::Spsc::try_new(3, Dense::new(bytes()?)));
    #[cfg(target_arch = "x86_64")]
    without_memory("Direct", || mpmc::Direct::try_new(3, Pointer::default()));
}

/// A deque that fails to grow loses no item and leaks no memory, and grows when memory is there.
#[test]
fn growth_without_memory() {
    for capacity in 1..=5 {
        let flags = QUEUES_DEQUE_GROWABLE;
        let deque = Deque::create(Settings { flags, ..Settings::new(capacity, 0) }).unwrap();
        let mut expected = Vec::new();
        for item in 0..8 * capacity {
            let held = HELD.get();
            for n in 0.. {
                LEFT.set(n);
                let pushed = deque.push(item);
                LEFT.set(u64::MAX);
                if pushed.is_ok() {
                    assert_eq!(
                        n > 0,
                        [1, 2, 4].contains(&(item / capacity)) && item % capacity == 0
                    );
                    break;
                }
                assert_eq!((pushed, HELD.get()), (Err(Error::NoMemory), held));
                assert_eq!((deque.len(), deque.capacity()), (item, item));
            }
            expected.push(item);
        }
        let half = expected.split_off(4 * capacity);
        assert_eq!(deque.steal_many(4 * capacity), (expected, Ok(())));
        half.into_iter().rev().for_each(|item| assert_eq!(deque.pop(), Ok(item)));
    }
}

/// Every call after creation, on a queue of two.
fn calls_of_pointers<F: Family>(queue: &Handle<F>) {
    let c = F::C;
    let queue = queue.raw();
    let (mut items, mut count) = ([null_mut(); 3], 0);
    let mut stats = no_stats();
    // SAFETY: outputs are locals.
    let statuses = unsafe {
        [
            (c.get)(queue, &mut items[0], 1),
            (c.try_get)(queue, &mut items[0]),
            (c.put_many)(queue, items.as_ptr(), 3, 1, &mut count),
            (c.put)(queue, null_mut(), 1),
            (c.peek)(queue, &mut items[0]),
            (c.get_many)(queue, items.as_mut_ptr(), 3, 1, &mut count),
            (c.try_put)(queue, null_mut()),
            (c.stats)(queue, &mut stats),
            (c.clear)(queue, &mut count),
            (c.put)(queue, null_mut(), -1),
            (c.close)(queue),
            (c.put)(queue, null_mut(), -1),
        ]
    };
    let timeout = QUEUES_TIMEOUT;
    let ok = QUEUES_OK;
    let expected =
        [timeout, QUEUES_EMPTY, timeout, timeout, ok, ok, ok, ok, ok, ok, ok, QUEUES_CLOSED];
    assert_eq!(statuses, expected);
}

fn calls_of_bytes<F: Family>(queue: &Handle<F>) {
    let c = F::C;
    let queue = queue.raw();
    let (mut buffer, mut len) = ([0u8; 8], 0);
    let at = buffer.as_mut_ptr().cast::<c_void>();
    // SAFETY: outputs are locals.
    let statuses = unsafe {
        [
            (c.get_bytes)(queue, at, 8, &mut len, 1),
            (c.put_bytes)(queue, at, 8, -1),
            (c.try_put_bytes)(queue, at, 3),
            (c.put_bytes)(queue, at, 1, 1),
            (c.peek_bytes)(queue, at, 8, &mut len),
            (c.get_bytes)(queue, at, 2, &mut len, 1),
            (c.try_get_bytes)(queue, at, 8, &mut len),
        ]
    };
    let ok = QUEUES_OK;
    assert_eq!(statuses, [QUEUES_TIMEOUT, ok, ok, QUEUES_TIMEOUT, ok, QUEUES_TOO_SMALL, ok]);
}

/// Runs one test of this program in a process of its own, where nothing has been called before.
fn alone(test: &str) -> bool {
    const INSIDE: &str = "QUEUES_TEST_ALONE";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let program = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new(program);
    let status = command.args(["--exact", test, "--nocapture"]).env(INSIDE, "").status().unwrap();
    assert!(status.success(), "{test}, alone: {status}");
    false
}

/// Not portable: parking_lot_core allocates for each thread that sleeps.
#[cfg(not(queues_portable))]
#[test]
fn calls_need_no_memory() {
    if !alone("calls_need_no_memory") {
        return;
    }
    fn check<F: Family>() {
        let pointers = Handle::<F>::create(Settings::new(2, 0)).unwrap();
        let bytes = Handle::<F>::create(Settings::new(2, 8)).unwrap();
        let before = TAKEN.get();
        calls_of_pointers(&pointers);
        calls_of_bytes(&bytes);
        drop((pointers.clone(), bytes.clone()));
        assert_eq!(TAKEN.get() - before, 0, "allocations after creation, {}", F::NAME);
    }
    check::<Mpmc>();
    check::<Spsc>();

    let bytes = Handle::<Mpmc>::create(Settings { spare: 1, ..Settings::new(1, 8) }).unwrap();
    let before = TAKEN.get();
    calls_in_place(bytes.raw());
    assert_eq!(TAKEN.get() - before, 0, "allocations after creation, in place");
}

/// The calls in place, on a queue with two cells and room for one item.
fn calls_in_place(queue: *mut queues_mpmc_t) {
    let (mut first, mut second, mut none, mut len) = (null_mut(), null_mut(), null_mut(), 0);
    // SAFETY: outputs are locals, or were given out.
    let statuses = unsafe {
        [
            queues_mpmc_lease(queue, &mut none, &mut len, 1),
            queues_mpmc_reserve(queue, &mut first, -1),
            queues_mpmc_reserve(queue, &mut second, -1),
            queues_mpmc_reserve(queue, &mut none, 1),
            queues_mpmc_commit(queue, first, 8),
            queues_mpmc_commit(queue, second, 8),
            queues_mpmc_cancel(queue, second),
            queues_mpmc_lease(queue, &mut first, &mut len, -1),
            queues_mpmc_return(queue, first),
            queues_mpmc_lease(queue, &mut first, &mut len, -1),
            queues_mpmc_settle(queue, first),
            queues_mpmc_settle(queue, first),
        ]
    };
    let (timeout, full, misuse) = (QUEUES_TIMEOUT, QUEUES_FULL, QUEUES_MISUSE);
    let ok = QUEUES_OK;
    assert_eq!(statuses, [timeout, ok, ok, timeout, ok, full, ok, ok, ok, ok, ok, misuse]);
}

/// A drop callback: what it does, and the items that it was called with.
struct Callback<'a> {
    act: &'a dyn Fn(usize),
    items: RefCell<Vec<usize>>,
}

impl<'a> Callback<'a> {
    fn new(act: &'a dyn Fn(usize)) -> Self {
        Self { act, items: RefCell::default() }
    }
    fn on(&self, settings: Settings) -> Settings {
        settings.with_drop(Some(call_back), core::ptr::from_ref(self).cast_mut().cast())
    }
    /// With `lengths`, by a callback that takes the length of a blob.
    fn on_either(&self, settings: Settings, lengths: bool) -> Settings {
        if lengths {
            let context = core::ptr::from_ref(self).cast_mut().cast();
            settings.with_drop_bytes(Some(call_back_with_length), context)
        } else {
            self.on(settings)
        }
    }
}

/// As [`call_back`], of a blob of one byte.
unsafe extern "C-unwind" fn call_back_with_length(
    context: *mut c_void,
    data: *mut c_void,
    len: usize,
) {
    assert_eq!(len, 1);
    // SAFETY: as there.
    unsafe { call_back(context, data) }
}

/// An item size, and whether the callback takes the length.
const PAYLOADS: [(usize, bool); 3] = [(0, false), (1, false), (1, true)];

/// Records an item, or the first byte of a blob, and then acts.
unsafe extern "C-unwind" fn call_back(context: *mut c_void, item: *mut c_void) {
    // SAFETY: the context given at creation, in one thread.
    let callback = unsafe { &*context.cast::<Callback>() };
    let item = if item.addr() < 256 {
        item.addr()
    } else {
        // SAFETY: the items here are smaller than an address, so this is the address of a blob.
        unsafe { item.cast::<u8>().read() }.into()
    };
    callback.items.borrow_mut().push(item);
    (callback.act)(item);
}

/// Puts a small number, as a pointer or as a blob.
fn put<F: Family>(queue: &Handle<F>, item_size: usize, item: usize) -> Result {
    if item_size == 0 { queue.try_put(item) } else { queue.try_put_bytes(&[item as u8]) }
}

fn get<F: Family>(queue: &Handle<F>, item_size: usize) -> Result<usize> {
    if item_size == 0 { queue.try_get() } else { queue.try_get_bytes(1).map(|blob| blob[0].into()) }
}

/// A payload of a panic whose drop panics.
struct PanicsAgain;

impl Drop for PanicsAgain {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("again"))
    }
}

fn panicking_callbacks<F: Family>((item_size, lengths): (usize, bool)) {
    // Not panic!, which would print.
    let panic = |item| match item {
        2 => std::panic::resume_unwind(Box::new("on purpose")),
        4 => std::panic::resume_unwind(Box::new(PanicsAgain)),
        _ => {}
    };
    let callback = Callback::new(&panic);
    let settings = callback.on_either(Settings::new(5, item_size), lengths);
    let queue = Handle::<F>::create(settings).unwrap();
    (1..=5).for_each(|item| put(&queue, item_size, item).unwrap());
    assert_eq!(queue.clear(), Err(Error::Panic));
    assert_eq!(callback.items.take(), [1, 2, 3, 4, 5], "each of them, once");
    assert_eq!((queue.len(), queue.stats().dequeued), (0, 5));
    // A panic is reported once, and the queue works as before.
    assert_eq!(queue.clear(), Ok(0));
    put(&queue, item_size, 1).unwrap();
    assert_eq!(queue.clear(), Ok(1));
    (2..=6).for_each(|item| put(&queue, item_size, item).unwrap());
    assert_eq!(put(&queue, item_size, 7), Err(Error::Full));
    callback.items.take();
    drop(queue);
    assert_eq!(callback.items.take(), [2, 3, 4, 5, 6], "leftovers, though some panicked");
}

#[test]
fn callbacks_may_panic() {
    for payload in PAYLOADS {
        panicking_callbacks::<Mpmc>(payload);
        panicking_callbacks::<Spsc>(payload);
    }
}

#[test]
fn callbacks_of_a_deque_may_panic() {
    for (item_size, lengths) in PAYLOADS {
        let panic = |_| std::panic::resume_unwind(Box::new("on purpose"));
        let callback = Callback::new(&panic);
        let settings = callback.on_either(Settings::new(5, item_size), lengths);
        let deque = Deque::create(settings).unwrap();
        for item in 1..=5 {
            let pushed =
                if item_size == 0 { deque.push(item) } else { deque.push_bytes(&[item as u8]) };
            pushed.unwrap();
        }
        drop(deque);
        assert_eq!(callback.items.take(), [1, 2, 3, 4, 5], "each of them, once");
    }
}

#[test]
fn drops_of_values_may_panic() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if DROPPED.fetch_add(1, Relaxed) % 2 == 0 {
                std::panic::resume_unwind(Box::new("on purpose"));
            }
        }
    }
    let queue = queues::Mpmc::with_capacity(4).unwrap();
    // More often than there are spare cells: none may be lost.
    for _ in 0..100 {
        (0..4).for_each(|_| assert!(queue.try_put(Bomb).is_ok()));
        let cleared = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| queue.clear()));
        assert!(cleared.is_err(), "clear resumed no panic");
    }
    assert_eq!(DROPPED.swap(0, Relaxed), 400);
    (0..4).for_each(|_| assert!(queue.try_put(Bomb).is_ok()));
    drop_that_panics(queue);
    assert_eq!(DROPPED.swap(0, Relaxed), 4);
    let (mut producer, consumer) = queues::spsc(4).unwrap();
    (0..4).for_each(|_| assert!(producer.try_put(Bomb).is_ok()));
    drop_that_panics((producer, consumer));
    assert_eq!(DROPPED.swap(0, Relaxed), 4);
    let (mut worker, stealer) = queues::growable_deque(1).unwrap();
    (0..4).for_each(|_| assert!(worker.push(Bomb).is_ok()));
    drop_that_panics((worker, stealer));
    assert_eq!(DROPPED.swap(0, Relaxed), 4);
}

/// Drops a queue of values that panic: the first panic is resumed when all are dropped.
fn drop_that_panics<T>(queue: T) {
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(queue)));
    assert!(dropped.is_err(), "drop resumed no panic");
}

/// The drop of a value is a cancellation point, on a thread that was canceled: the request waits.
#[test]
fn drops_of_values_are_not_canceled() {
    unsafe extern "C" {
        fn pthread_cancel(thread: libc::pthread_t) -> i32;
        fn pthread_setcancelstate(state: i32, before: *mut i32) -> i32;
    }
    const ENABLED: i32 = if cfg!(target_vendor = "apple") { 1 } else { 0 };
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct File;
    impl Drop for File {
        fn drop(&mut self) {
            // SAFETY: a cancellation point, and otherwise an error.
            unsafe { libc::close(-1) };
            DROPPED.fetch_add(1, Relaxed);
        }
    }
    let thread = spawn(|| {
        // SAFETY: pending, until this thread's next cancellation point.
        unsafe { pthread_cancel(libc::pthread_self()) };
        let queue = queues::Mpmc::with_capacity(4).unwrap();
        (0..4).for_each(|_| assert!(queue.try_put(File).is_ok()));
        assert_eq!(queue.clear(), 4);
        (0..4).for_each(|_| assert!(queue.try_put(File).is_ok()));
        drop(queue);
        // Rust's own end of the thread must not be canceled either.
        let mut before = -1;
        // SAFETY: a state that the system knows, and an output for the former one.
        unsafe { pthread_setcancelstate(1 - ENABLED, &mut before) };
        assert_eq!(before, ENABLED);
    });
    thread.join().unwrap();
    assert_eq!(DROPPED.load(Relaxed), 8);
}

/// A callback of clear takes from the same queue, puts into it and clears it.
fn callbacks_that_call_the_queue<F: Family>(item_size: usize, capacity: usize) {
    let queue: RefCell<Option<Handle<F>>> = RefCell::default();
    let (got, put_back) = (RefCell::new(Vec::new()), Cell::new(0));
    let act = |item: usize| {
        let queue = queue.borrow().clone().unwrap();
        match item % 4 {
            _ if item >= 200 => {}
            0 => got.borrow_mut().extend(get(&queue, item_size)),
            1 => drop(queue.clear().unwrap()),
            2 => {
                let room = queue.len() < capacity;
                let done = put(&queue, item_size, 200 + item);
                assert_eq!(done, if room { Ok(()) } else { Err(Error::Full) });
                put_back.set(put_back.get() + usize::from(done.is_ok()));
            }
            _ => assert!(queue.len() <= capacity && queue.stats().peak_size <= capacity as u64),
        }
    };
    let callback = Callback::new(&act);
    let settings = callback.on(Settings::new(capacity, item_size));
    *queue.borrow_mut() = Some(Handle::create(settings).unwrap());
    let handle = queue.borrow().clone().unwrap();
    let mut expected = Vec::new();
    for first in 0..4 {
        let items = first..first + capacity;
        for item in items.clone() {
            if put(&handle, item_size, item).is_ok() {
                expected.push(item);
            }
        }
        handle.clear().unwrap();
    }
    while handle.clear().unwrap() > 0 {}
    // Each item that was put went to one get or one callback.
    let mut out = callback.items.take();
    out.extend(got.take());
    let (back, mut out): (Vec<_>, Vec<_>) = out.into_iter().partition(|&item| item >= 200);
    assert_eq!(back.len(), put_back.get());
    out.sort_unstable();
    expected.sort_unstable();
    assert_eq!(out, expected, "{} of {capacity}", F::NAME);
    let stats = handle.stats();
    assert_eq!((stats.enqueued, stats.current_size), (stats.dequeued, 0));
    assert_eq!(stats.dequeued as usize, out.len() + back.len());
    queue.take();
}

#[test]
fn callbacks_may_call_the_queue() {
    watched("callbacks that come back", || {
        for item_size in [0, 1] {
            for capacity in 1..=9 {
                callbacks_that_call_the_queue::<Mpmc>(item_size, capacity);
                callbacks_that_call_the_queue::<Spsc>(item_size, capacity);
            }
        }
    });
}

/// Clear frees a place between two callbacks: a put that sleeps for it returns before the next
/// callback ends.
fn callbacks_wait_for_a_put<F: Family>(item_size: usize) {
    let (started, through) = (Cell::new(0), std::sync::mpsc::channel());
    let wait = |item: usize| {
        started.set(started.get() + 1);
        if started.get() == 2 {
            assert_eq!(item, 2);
            through.1.recv().unwrap();
        }
    };
    let callback = Callback::new(&wait);
    let queue = Handle::<F>::create(callback.on(Settings::new(2, item_size))).unwrap();
    put(&queue, item_size, 1).unwrap();
    put(&queue, item_size, 2).unwrap();
    let begun = std::sync::mpsc::channel();
    let sleeper = std::thread::spawn({
        let (queue, through) = (queue.clone(), through.0.clone());
        move || {
            begun.0.send(()).unwrap();
            let done = match item_size {
                0 => queue.put(3, -1),
                _ => queue.put_bytes(&[3], -1),
            };
            through.send(()).unwrap();
            done
        }
    });
    begun.1.recv().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(queue.clear(), Ok(2));
    assert_eq!(sleeper.join().unwrap(), Ok(()));
    assert_eq!(get(&queue, item_size), Ok(3));
    assert_eq!(callback.items.take(), [1, 2]);
}

#[test]
fn callbacks_may_wait_for_a_put() {
    watched("callbacks that wait for a put", || {
        for item_size in [0, 1] {
            callbacks_wait_for_a_put::<Mpmc>(item_size);
            callbacks_wait_for_a_put::<Spsc>(item_size);
        }
    });
}

/// A callback of the last release cannot use the queue that is freed, but may use others.
fn callbacks_of_the_last_release<F: Family>() {
    let dying: Cell<*mut F::Queue> = Cell::new(null_mut());
    let act = |_| {
        let mut item = null_mut();
        // SAFETY: the memory of the handle is there until its items are gone.
        unsafe {
            assert_eq!((F::C.try_get)(dying.get(), &mut item), QUEUES_INVALID);
            assert!((F::C.retain)(dying.get()).is_null());
            (F::C.release)(dying.get());
        }
        let other = Handle::<F>::create(Settings::new(1, 0)).unwrap();
        other.try_put(1).unwrap();
        assert_eq!(other.try_get(), Ok(1));
    };
    let callback = Callback::new(&act);
    let queue = Handle::<F>::create(callback.on(Settings::new(3, 0))).unwrap();
    dying.set(queue.raw());
    (1..=3).for_each(|item| queue.try_put(item).unwrap());
    drop(queue);
    assert_eq!(callback.items.take(), [1, 2, 3]);
}

#[test]
fn callbacks_of_the_last_release_may_use_others() {
    callbacks_of_the_last_release::<Mpmc>();
    callbacks_of_the_last_release::<Spsc>();
}

#[test]
fn callbacks_of_the_last_release_cannot_use_the_deque() {
    let dying = Cell::new(null_mut());
    let act = |_| {
        let mut item = null_mut();
        // SAFETY: the memory of the handle is there until its items are gone.
        unsafe {
            assert_eq!(queues_deque_steal(dying.get(), &mut item), QUEUES_INVALID);
            assert_eq!(queues_deque_push(dying.get(), item), QUEUES_INVALID);
            assert!(queues_deque_retain(dying.get()).is_null());
            queues_deque_release(dying.get());
        }
        let other = Deque::create(Settings::new(1, 0)).unwrap();
        other.push(1).unwrap();
        assert_eq!(other.steal(), Ok(1));
    };
    let callback = Callback::new(&act);
    let deque = Deque::create(callback.on(Settings::new(3, 0))).unwrap();
    dying.set(deque.raw());
    (1..=3).for_each(|item| deque.push(item).unwrap());
    drop(deque);
    assert_eq!(callback.items.take(), [1, 2, 3]);
}

/// Passes an item to a sleeping thread, through new queues.
fn items_reach_a_sleeper() -> bool {
    let (mut producer, mut consumer) = queues::spsc(1).unwrap();
    let queue = queues::Mpmc::with_capacity(1).unwrap();
    let got = scope(|all| {
        let get = all.spawn(|| (consumer.get(Wait::Forever), queue.get(Wait::Forever)));
        std::thread::sleep(Duration::from_millis(5));
        producer.put(1, Wait::Forever).unwrap();
        queue.put(2, Wait::Forever).unwrap();
        get.join().unwrap()
    });
    got == (Ok(1), Ok(2))
}

/// Closes a queue at the end of a scope, so that the threads in it end.
struct Close<'a>(&'a queues::Mpmc<i32>);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A sanitizer would end a child that starts threads.
#[unsafe(no_mangle)]
extern "C" fn __tsan_default_options() -> *const core::ffi::c_char {
    c"die_after_fork=0".as_ptr()
}

/// A process that forked while others of its threads were in calls can create and use queues.
#[test]
fn fork() {
    watched("fork", || {
        let busy = queues::Mpmc::with_capacity(2).unwrap();
        let quiet = Handle::<Mpmc>::create(Settings::new(2, 0)).unwrap();
        quiet.try_put(7).unwrap();
        scope(|all| {
            let _end = Close(&busy);
            all.spawn(|| while busy.put(1, Wait::Forever).is_ok() {});
            all.spawn(|| while busy.get(Wait::Forever).is_ok() {});
            for _ in 0..10 {
                // SAFETY: the child does only what works after a fork on Linux, and ends by _exit.
                let child = unsafe { libc::fork() };
                if child == 0 {
                    // SAFETY: plain system calls; the alarm ends a child that hangs.
                    unsafe {
                        libc::alarm(60);
                        let done = std::panic::catch_unwind(|| {
                            // The copy of a queue that no thread was using works, too.
                            items_reach_a_sleeper() && quiet.get(-1) == Ok(7)
                        });
                        libc::_exit(if let Ok(true) = done { 0 } else { 1 });
                    }
                }
                let mut status = -1;
                // SAFETY: our own child, and a local.
                assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
                assert_eq!(status, 0, "how the child ended");
            }
        });
        assert_eq!(quiet.try_get(), Ok(7), "the child changed the queue of the parent");
    });
}

/// Blobs of any size are copied without the stack.
#[test]
fn tiny_stacks() {
    const LARGE: usize = 16 << 20;
    fn check<F: Family>() {
        let queue = Handle::<F>::create(Settings::new(1, LARGE)).unwrap();
        let blob: Vec<u8> = (0..LARGE).map(|i| (i % 251) as u8).collect();
        queue.put_bytes(&blob, -1).unwrap();
        assert!(queue.peek_bytes(LARGE).unwrap() == blob);
        assert!(queue.get_bytes(LARGE, -1).unwrap() == blob);
        assert_eq!(queue.get_bytes(LARGE, 1), Err(Error::Timeout));
    }
    let both = || {
        check::<Mpmc>();
        check::<Spsc>();
    };
    Builder::new().stack_size(64 << 10).spawn(both).unwrap().join().unwrap();
}

extern "C" fn ignore(_: libc::c_int) {}

/// Signals with a handler without SA_RESTART neither end a wait nor prolong it.
#[test]
fn signal_storms() {
    watched("a signal storm", || {
        // SAFETY: a valid action; the handler does nothing.
        unsafe {
            let mut action: libc::sigaction = core::mem::zeroed();
            action.sa_sigaction = ignore as *const () as usize;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &action, null_mut()), 0);
        }
        let queue = Handle::<Mpmc>::create(Settings::new(1, 0)).unwrap();
        let (thread, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        scope(|all| {
            let waiter = all.spawn(|| {
                // SAFETY: names this thread.
                thread.store(unsafe { libc::pthread_self() } as usize, Release);
                let least = Duration::from_millis(20);
                let start = Instant::now();
                assert_eq!(queue.get(least.as_nanos() as i64), Err(Error::Timeout));
                assert!(start.elapsed() >= least, "a get returned before {least:?}");
                assert_eq!(queue.get(-1), Ok(1));
                queue.put(2, -1).unwrap();
                let start = Instant::now();
                assert_eq!(queue.put(3, least.as_nanos() as i64), Err(Error::Timeout));
                assert!(start.elapsed() >= least, "a put returned before {least:?}");
                while !over.load(Acquire) {
                    yield_now(); // signals need a thread that exists
                }
            });
            while thread.load(Acquire) == 0 {
                yield_now();
            }
            let storm = || {
                // SAFETY: the thread has not ended.
                unsafe {
                    libc::pthread_kill(thread.load(Acquire) as libc::pthread_t, libc::SIGUSR1)
                };
                yield_now();
            };
            while queue.stats().failed_dequeue == 0 {
                storm();
            }
            (0..100).for_each(|_| storm());
            queue.try_put(1).unwrap();
            while queue.stats().failed_enqueue == 0 {
                storm();
            }
            over.store(true, Release);
            waiter.join().unwrap();
        });
        assert_eq!(queue.try_get(), Ok(2));
    });
}

/// Close ends the sleep of every thread, also when the last other reference is gone.
#[test]
fn sleepers_do_not_outlive_close() {
    watched("sleepers", || {
        let queue = Handle::<Mpmc>::create(Settings::new(1, 0)).unwrap();
        let sleepers: Vec<_> = (0..4)
            .map(|_| {
                let queue = queue.clone();
                spawn(move || queue.get(-1))
            })
            .collect();
        queue.close().unwrap();
        drop(queue);
        for sleeper in sleepers {
            assert_eq!(sleeper.join().unwrap(), Err(Error::Closed));
        }
    });
}

/// Blobs of all lengths, after some that are as long as the item size, by every kind of call; also
/// where positions wrap, and where the queue begins half of all positions before. `clear` hands out the
/// last ones.
#[test]
fn spsc_lengths_begin_with_the_first_short_blob() {
    for (capacity, origin) in [(1, 0), (3, u64::MAX - 4), (4, u64::MAX / 2), (8, 1 << 63)] {
        for first_short in [0, 1, 4, 11, usize::MAX] {
            for size in [1, 8, 9, 24] {
                blobs_of_all_lengths(capacity, origin, first_short, size);
            }
        }
    }
}

fn blobs_of_all_lengths(capacity: usize, origin: u64, first_short: usize, size: usize) {
    unsafe extern "C-unwind" fn keep(dropped: *mut c_void, data: *mut c_void, len: usize) {
        // SAFETY: the context of the queue below, and the bytes of a blob.
        unsafe {
            let blob = std::slice::from_raw_parts(data.cast::<u8>(), len);
            (*dropped.cast::<Vec<Vec<u8>>>()).push(blob.to_vec());
        }
    }
    let mut dropped: Vec<Vec<u8>> = Vec::new();
    let at = (&raw mut dropped).cast();
    // SAFETY: the vector outlives the queue, and one thread uses both.
    let disposer = unsafe { Disposer::with_length(keep, at) };
    let blobs = Dense::new(Bytes::try_new(size, disposer).unwrap());
    let ring = spsc::Spsc::try_new_at(capacity, blobs, origin).unwrap();
    let blob = |i: usize| {
        let len = i.checked_sub(first_short).map_or(size, |i| (i + size - 1) % (size + 1));
        vec![i as u8; len]
    };
    let mut buffer = vec![0; size];
    for i in 0..60 {
        let sent = blob(i);
        // SAFETY: the only thread; the blob fits.
        unsafe {
            match i % 3 {
                0 => ring.try_put(&sent, ()).unwrap(),
                1 => match ring.put_fast(&sent, ()) {
                    Fast::Slow => ring.try_put(&sent, ()).unwrap(),
                    done => assert!(matches!(done, Fast::Done)),
                },
                _ => {
                    ring.reserve().unwrap().copy_from(sent.as_ptr(), sent.len());
                    ring.commit(sent.len()).unwrap();
                }
            }
        }
        // The queue stays full, but for one place.
        let Some(i) = i.checked_sub(capacity - 1) else { continue };
        let expected = blob(i);
        // SAFETY: the only thread; the buffer has room.
        unsafe {
            let (data, len) = ring.front().unwrap();
            assert_eq!(core::slice::from_raw_parts(data, len), expected);
            if let Some(room) = len.checked_sub(1) {
                let mut small = Received::new(buffer.as_mut_ptr(), room);
                assert_eq!(ring.try_get(&mut small), Err(Error::TooSmall { needed: len }));
            }
            let mut out = Received::new(buffer.as_mut_ptr(), size);
            ring.peek(&mut out).unwrap();
            assert_eq!(buffer[..out.len()], expected);
            buffer.fill(0);
            let mut out = Received::new(buffer.as_mut_ptr(), size);
            match i % 3 {
                0 => {
                    ring.consume().unwrap();
                    continue;
                }
                1 if ring.get_fast(&mut out).is_some() => {}
                _ => ring.try_get(&mut out).unwrap(),
            }
            assert_eq!(buffer[..out.len()], expected);
        }
    }
    // SAFETY: the only thread.
    unsafe { ring.clear_to(ring.end(), |_| ()) };
    let left: Vec<_> = (60 - (capacity - 1)..60).map(blob).collect();
    assert_eq!(dropped, left);
}

/// A commit of no bytes where the mark of a reservation wraps, and more places than the memory
/// holds.
#[test]
fn spsc_at_the_ends_of_ranges() {
    let blobs = Dense::new(Bytes::try_new(8, Disposer::default()).unwrap());
    let ring = spsc::Spsc::try_new_at(3, blobs, u64::MAX).unwrap();
    // SAFETY: the only producer.
    unsafe {
        assert_eq!(ring.commit(0), Err(Error::Misuse));
        ring.reserve().unwrap();
        assert_eq!(ring.commit(0), Ok(()));
        assert_eq!(ring.commit(0), Err(Error::Misuse));
    }

    let ring = spsc::Spsc::try_new(3, Pointer::default()).unwrap();
    let queue = Blocking::new(ring);
    let mut places: [*mut c_void; 8] = [null_mut(); 8];
    let start = places.as_mut_ptr();
    // SAFETY: the only consumer, and a queue of three fills no more places.
    let get = || unsafe { queue.get_many(start, usize::MAX, Wait::No) };
    assert_eq!(get(), (0, Err(Error::Empty)));
    for item in 1..=2 {
        // SAFETY: the only producer.
        unsafe { queue.try_put(&core::ptr::without_provenance_mut(item), ()).unwrap() };
    }
    assert_eq!(get(), (2, Ok(())));
    assert_eq!(places.map(<*mut c_void>::addr), [1, 2, 0, 0, 0, 0, 0, 0]);
}
