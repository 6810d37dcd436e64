//! Every queue keeps the same promises, with every payload, in Rust and through the C ABI: results,
//! waiting, closing, statistics, and the disposal of items that no thread gets. Each test runs for
//! each kind of the list; the rules of a single language are in `conformance/`.

#![cfg(not(loom))]

mod support;

mod conformance {
    mod c_rules;
    mod deque;
    mod typed;
    mod typed_panics;
    mod waiting;
}

use queues::{Error, Result, Stats};
use std::sync::Arc;
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};
use support::items::Dropped;
use support::list::{self, for_each_kind};
use support::random::Random;
use support::subject::{Kind, Reference, drain, fill};
use support::watchdog::watched;

/// Sanitizers refuse absurd sizes as an allocator does, instead of ending the program.
#[unsafe(no_mangle)]
extern "C" fn __tsan_default_options() -> *const core::ffi::c_char {
    c"allocator_may_return_null=1".as_ptr()
}

/// Tiny ones, which most bugs need, and those next to a power of two.
fn capacities() -> impl Iterator<Item = usize> {
    (1..=17).chain([1000, 1024, 1025])
}

fn numbers(range: impl Iterator<Item = u64>) -> Vec<u64> {
    range.collect()
}

/// Fills and empties the queue lap by lap, each time from another slot.
fn check_laps(kind: Kind, capacity: usize, origin: u64) {
    let (queue, dropped) = kind.create_at(capacity, origin);
    assert_eq!(queue.capacity(), capacity);
    let mut next = 0;
    for lap in 0..4 {
        for len in 0..capacity {
            assert_eq!(queue.len(), len, "capacity {capacity}, lap {lap}");
            queue.try_put(next + len as u64).unwrap();
        }
        assert_eq!(queue.len(), capacity);
        assert_eq!(queue.try_put(u64::MAX), Err(Error::Full), "capacity {capacity}, lap {lap}");
        assert_eq!(queue.stats().peak_size, capacity as u64);
        let end = next + capacity as u64;
        assert_eq!(drain(&*queue), (numbers(next..end), Error::Empty), "capacity {capacity}");
        // The next lap begins one slot further.
        queue.try_put(end).unwrap();
        assert_eq!(queue.try_get(), Ok(end));
        next = end + 1;
    }
    let stats = queue.stats();
    assert_eq!((stats.enqueued, stats.dequeued), (next, next), "origin {origin}");
    assert_eq!((stats.failed_enqueue, stats.failed_dequeue), (4, 4));
    drop(queue);
    assert_eq!(dropped.take(), []);
}

fn capacity_is_exact(kind: Kind) {
    for capacity in capacities() {
        check_laps(kind, capacity, 0);
    }
}

/// Positions and counts may begin anywhere, and above all just before they wrap.
fn positions_wrap(kind: Kind) {
    if !kind.has_origin() {
        return;
    }
    for bits in [1, 2, 31, 32, 61, 62, 63, 64] {
        let end = 1u64.checked_shl(bits).unwrap_or(0);
        for capacity in 1..=17 {
            for before in [0, 1, 2, 3, 2 * capacity as u64] {
                check_laps(kind, capacity, end.wrapping_sub(before));
            }
        }
    }
    // Closing, disposing and peak know the wrap too.
    for origin in [u64::MAX - 3, (1 << 63) - 3, (1 << 62) - 3] {
        let (queue, dropped) = kind.create_at(5, origin);
        fill(&*queue, 0..5);
        assert_eq!(queue.try_get(), Ok(0));
        queue.close();
        assert_eq!(queue.try_put(5), Err(Error::Closed));
        assert_eq!(queue.try_get(), Ok(1));
        assert_eq!((queue.len(), queue.stats().peak_size), (3, 5));
        drop(queue);
        assert_eq!(dropped.take(), [2, 3, 4]);
    }
}

/// Any mixture of puts and gets by one thread keeps the order and an exact size.
fn first_in_first_out(kind: Kind) {
    for capacity in capacities() {
        let queue = kind.create(capacity);
        let (mut put, mut got) = (0u64, 0u64);
        let (mut peak, mut random) = (0, Random::new(capacity as u64));
        for _ in 0..200 {
            for _ in 0..random.below(capacity as u64 + 2) {
                let full = put - got == capacity as u64;
                let expected = if full { Err(Error::Full) } else { Ok(()) };
                assert_eq!(queue.try_put(put), expected);
                put += u64::from(!full);
                peak = peak.max(put - got);
                assert_eq!(queue.stats().peak_size, peak);
            }
            for _ in 0..random.below(capacity as u64 + 2) {
                let expected = if put == got { Err(Error::Empty) } else { Ok(got) };
                assert_eq!(queue.try_get(), expected);
                got += u64::from(expected.is_ok());
            }
            assert_eq!(queue.len() as u64, put - got);
        }
    }
}

fn peek_leaves_the_item(kind: Kind) {
    let (queue, dropped) = kind.create_at(3, 0);
    if !queue.has_peek() {
        return;
    }
    assert_eq!(queue.peek(), Err(Error::Empty));
    fill(&*queue, 7..10);
    if queue.can_read_peeked() {
        assert_eq!((queue.peek(), queue.peek()), (Ok(7), Ok(7)));
        assert_eq!(queue.try_get(), Ok(7));
        assert_eq!(queue.peek(), Ok(8));
    }
    queue.close();
    if queue.can_read_peeked() {
        assert_eq!(drain(&*queue).1, Error::Closed);
    } else {
        assert_eq!(drain(&*queue), (numbers(7..10), Error::Closed));
    }
    assert_eq!(queue.peek(), Err(Error::Closed));
    // A peek is neither a get nor a failed get.
    let stats = queue.stats();
    assert_eq!((stats.dequeued, stats.failed_dequeue), (3, 0));
    drop(queue);
    assert_eq!(dropped.take(), []);
}

fn close_drains(kind: Kind) {
    for capacity in 1..=5 {
        for len in 0..=capacity {
            let (queue, dropped) = kind.create_at(capacity, 0);
            fill(&*queue, 0..len as u64);
            assert!(!queue.is_closed());
            for _ in 0..2 {
                queue.close();
                assert!(queue.is_closed());
                assert_eq!(queue.try_put(9), Err(Error::Closed), "{len} in {capacity}");
                assert_eq!(queue.put(9, -1), Err(Error::Closed));
                assert_eq!(queue.put(9, 1), Err(Error::Closed));
            }
            assert_eq!(queue.len(), len);
            assert_eq!(drain(&*queue), (numbers(0..len as u64), Error::Closed));
            assert_eq!(queue.get(-1), Err(Error::Closed));
            assert_eq!(queue.get(1), Err(Error::Closed));
            assert_eq!(queue.try_put(9), Err(Error::Closed));
            assert!(queue.is_closed());
            let stats = queue.stats();
            // A closed queue is not a failure that counts.
            assert_eq!((stats.failed_enqueue, stats.failed_dequeue), (0, 0));
            drop(queue);
            assert_eq!(dropped.take(), []);
        }
    }
}

fn clear_disposes_in_order(kind: Kind) {
    for capacity in 1..=5 {
        let (queue, dropped) = kind.create_at(capacity, 0);
        assert_eq!(queue.clear(), 0);
        for len in 0..=capacity {
            fill(&*queue, 0..len as u64);
            assert_eq!(queue.clear(), len);
            assert_eq!(dropped.take(), numbers(0..len as u64));
            assert_eq!((queue.len(), queue.try_get()), (0, Err(Error::Empty)));
        }
        fill(&*queue, 0..capacity as u64);
        let stats = queue.stats();
        assert_eq!(stats.dequeued, stats.enqueued - capacity as u64);
        queue.close();
        assert_eq!(queue.clear(), capacity);
        assert_eq!(dropped.take(), numbers(0..capacity as u64));
        assert_eq!(queue.try_get(), Err(Error::Closed));
        drop(queue);
        assert_eq!(dropped.take(), []);
    }
}

fn leftovers_are_dropped_once(kind: Kind) {
    for capacity in 1..=9 {
        for got in 0..=capacity as u64 {
            for close in [false, true] {
                let (queue, dropped) = kind.create_at(capacity, 0);
                let end = got + capacity as u64;
                fill(&*queue, 0..got);
                assert_eq!(drain(&*queue).0, numbers(0..got));
                fill(&*queue, got..end);
                if close {
                    queue.close();
                }
                let other = queue.clone();
                drop(queue);
                assert_eq!(dropped.take(), [], "a reference is left");
                drop(other);
                assert_eq!(dropped.take(), numbers(got..end));
            }
        }
    }
}

fn statistics_are_exact(kind: Kind) {
    let queue = kind.create(2);
    let mut expected = Stats { capacity: 2, ..Stats::default() };
    assert_eq!(queue.stats(), expected);
    for _ in 0..3 {
        fill(&*queue, 0..2);
        assert_eq!(queue.try_put(2), Err(Error::Full));
        assert_eq!(queue.put(2, 0), Err(Error::Full));
        assert_eq!(queue.put(2, 1), Err(Error::Timeout));
        expected.enqueued += 2;
        expected.failed_enqueue += 3;
        expected.peak_size = 2;
        expected.current_size = 2;
        assert_eq!(queue.stats(), expected);
        queue.try_get().unwrap();
        assert_eq!(queue.clear(), 1);
        assert_eq!(queue.try_get(), Err(Error::Empty));
        assert_eq!(queue.get(0), Err(Error::Empty));
        assert_eq!(queue.get(1), Err(Error::Timeout));
        expected.dequeued += 2;
        expected.failed_dequeue += 3;
        expected.current_size = 0;
        assert_eq!(queue.stats(), expected);
    }
}

fn many_at_once(kind: Kind) {
    let (queue, dropped) = kind.create_at(5, 0);
    if !queue.has_many() {
        return;
    }
    assert_eq!(queue.put_many(&[], 0), (0, Ok(())));
    assert_eq!(queue.get_many(0, 0), (vec![], Ok(())));
    assert_eq!(queue.get_many(3, 0), (vec![], Err(Error::Empty)));
    assert_eq!(queue.get_many(3, 1), (vec![], Err(Error::Timeout)));
    assert_eq!(queue.put_many(&[0, 1, 2], 0), (3, Ok(())));
    assert_eq!(queue.put_many(&[3, 4, 5, 6], 0), (2, Err(Error::Full)));
    assert_eq!(queue.put_many(&[5, 6], 1), (0, Err(Error::Timeout)));
    assert_eq!(queue.put_many(&[5, 6], 0), (0, Err(Error::Full)));
    assert_eq!(queue.get_many(2, -1), (vec![0, 1], Ok(())));
    assert_eq!(queue.put_many(&[5, 6, 7], 1), (2, Err(Error::Timeout)));
    assert_eq!(queue.get_many(9, 1), (vec![2, 3, 4, 5, 6], Ok(())));
    assert_eq!(queue.put_many(&[7, 8, 9], -1), (3, Ok(())));
    queue.close();
    assert_eq!(queue.put_many(&[10, 11], -1), (0, Err(Error::Closed)));
    assert_eq!(queue.put_many(&[], -1), (0, Ok(())));
    assert_eq!(queue.get_many(2, 1), (vec![7, 8], Ok(())));
    let stats = queue.stats();
    assert_eq!((stats.enqueued, stats.dequeued), (10, 9));
    assert_eq!((stats.failed_enqueue, stats.failed_dequeue), (4, 2));
    assert_eq!(queue.get_many(2, -1), (vec![9], Ok(())));
    assert_eq!(queue.get_many(2, -1), (vec![], Err(Error::Closed)));
    drop(queue);
    assert_eq!(dropped.take(), []);
}

const MILLISECOND: i64 = 1_000_000;

/// A call that times out has waited for its whole timeout, and changed nothing.
fn timeouts_run_out(kind: Kind) {
    watched(kind.name, || {
        let queue = kind.create(1);
        for timeout in [1, 999, MILLISECOND, 7 * MILLISECOND] {
            let least = Duration::from_nanos(timeout as u64);
            let start = Instant::now();
            assert_eq!(queue.get(timeout), Err(Error::Timeout));
            assert!(start.elapsed() >= least, "a get returned before {least:?}");
            queue.try_put(0).unwrap();
            let start = Instant::now();
            assert_eq!(queue.put(1, timeout), Err(Error::Timeout));
            assert!(start.elapsed() >= least, "a put returned before {least:?}");
            assert_eq!(queue.try_get(), Ok(0));
        }
    });
}

/// A call that need not wait succeeds with every timeout.
fn timeouts_do_not_matter_when_ready(kind: Kind) {
    watched(kind.name, || {
        let queue = kind.create(1);
        for timeout in [0, 1, -1, i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
            assert_eq!(queue.put(3, timeout), Ok(()));
            assert_eq!(queue.get(timeout), Ok(3));
        }
    });
}

/// Runs `call` in another thread, and leaves it time to fall asleep.
fn asleep<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let waiter = spawn(call);
    std::thread::sleep(Duration::from_millis(5));
    waiter
}

/// Timeouts that do not end while a test runs.
const LONG: [i64; 4] = [-1, i64::MIN, i64::MAX, 3_600_000 * MILLISECOND];

fn puts_wake_gets(kind: Kind) {
    watched(kind.name, || {
        for timeout in LONG {
            let queue = kind.create(2);
            let waiting = queue.clone();
            let get = asleep(move || waiting.get(timeout));
            queue.try_put(5).unwrap();
            assert_eq!(get.join().unwrap(), Ok(5));
        }
    });
}

fn gets_wake_puts(kind: Kind) {
    watched(kind.name, || {
        for timeout in LONG {
            let queue = kind.create(1);
            queue.try_put(0).unwrap();
            let waiting = queue.clone();
            let put = asleep(move || waiting.put(1, timeout));
            assert_eq!(queue.try_get(), Ok(0));
            assert_eq!(put.join().unwrap(), Ok(()));
            assert_eq!(queue.try_get(), Ok(1));
        }
    });
}

fn clear_wakes_puts(kind: Kind) {
    watched(kind.name, || {
        let (queue, dropped) = kind.create_at(1, 0);
        queue.try_put(0).unwrap();
        let waiting = queue.clone();
        let put = asleep(move || waiting.put(1, -1));
        assert_eq!(queue.clear(), 1);
        assert_eq!(put.join().unwrap(), Ok(()));
        assert_eq!((dropped.take(), queue.try_get()), (vec![0], Ok(1)));
    });
}

fn many_wake_each_other(kind: Kind) {
    let queue = kind.create(2);
    if !queue.has_many() {
        return;
    }
    watched(kind.name, || {
        let putting = queue.clone();
        let put = asleep(move || putting.put_many(&numbers(0..7), -1));
        let mut got = Vec::new();
        while got.len() < 7 {
            let (numbers, why) = queue.get_many(3, -1);
            why.unwrap();
            assert!((1..=3).contains(&numbers.len()));
            got.extend(numbers);
        }
        assert_eq!((put.join().unwrap(), got), ((7, Ok(())), numbers(0..7)));
        // Closed half-way: accepted items stay in the queue, the caller keeps the others.
        let putting = queue.clone();
        let put = spawn(move || putting.put_many(&[0, 1, 2], -1));
        while queue.len() < 2 {
            std::thread::yield_now();
        }
        queue.close();
        assert_eq!(put.join().unwrap(), (2, Err(Error::Closed)));
        assert_eq!(queue.get_many(3, -1), (vec![0, 1], Ok(())));
    });
}

/// Close wakes every waiter at both ends.
fn close_wakes_all(kind: Kind) {
    let waiters = if kind.is_single() { 1 } else { 3 };
    type Call = fn(&Reference, i64) -> Result<u64>;
    let ends: [(bool, Call); 2] = [
        (false, |queue, time| queue.get(time)),
        (true, |queue, time| queue.put(1, time).map(|()| 1)),
    ];
    watched(kind.name, || {
        for timeout in LONG {
            for (full, call) in ends {
                let queue = kind.create(1);
                if full {
                    queue.try_put(0).unwrap();
                }
                let calls: Vec<_> = (0..waiters)
                    .map(|_| {
                        let waiting = queue.clone();
                        asleep(move || call(&waiting, timeout))
                    })
                    .collect();
                queue.close();
                for call in calls {
                    assert_eq!(call.join().unwrap(), Err(Error::Closed));
                }
                let left = if full { vec![0] } else { vec![] };
                assert_eq!(drain(&*queue), (left, Error::Closed));
            }
        }
    });
}

fn impossible_sizes_are_refused(kind: Kind) {
    let dropped = Arc::new(Dropped::default());
    for capacity in [usize::MAX, usize::MAX / 2, usize::MAX / 16, 1 << 60, 1 << 57] {
        match kind.try_create(capacity, 0, &dropped) {
            Err(Error::Invalid | Error::NoMemory) => {}
            Err(other) => panic!("{capacity} items: {other:?}"),
            Ok(_) => panic!("{capacity} items do not fit the memory"),
        }
    }
}

/// The tests of one kind.
macro_rules! tests_of {
    ($name:ident: $($test:ident,)*) => {
        mod $name {
            $(#[test] fn $test() { super::$test(super::list::$name()) })*
        }
    };
}

use tests_of;

macro_rules! suites {
    (
        queues { $($(#[$attribute:meta])* $name:ident: $family:ident, $face:ident, $make:expr;)* }
        $($deques:tt)*
    ) => {
        $($(#[$attribute])* tests_of! {
            $name:
            capacity_is_exact,
            positions_wrap,
            first_in_first_out,
            peek_leaves_the_item,
            close_drains,
            clear_disposes_in_order,
            leftovers_are_dropped_once,
            statistics_are_exact,
            many_at_once,
            timeouts_run_out,
            timeouts_do_not_matter_when_ready,
            puts_wake_gets,
            gets_wake_puts,
            clear_wakes_puts,
            many_wake_each_other,
            close_wakes_all,
            impossible_sizes_are_refused,
        })*
    };
}

for_each_kind!(suites);
