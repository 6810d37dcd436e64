//! Small programs have no undefined behavior and no data race under Miri, which runs each with many
//! schedules and lets loads return old values, as weakly ordered machines do. Without Miri they
//! prove little.
//!
//! Pointers pass through `Direct` as integers, so the tests do without strict provenance.
#![cfg(not(loom))]

mod support;

use futures_lite::future::{block_on, poll_once};
use queues::queue::batch::Limits;
use queues::queue::mpmc;
use queues::wait::{Blocking, Event, READABLE, Wait};
use queues::{Batcher, Error, Mpmc, Priority, growable_deque, spsc};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;
use support::items::{Blob, Dropped, Form, LARGEST_BLOB, blob, number_of_blob};
use support::list;
use support::subject::{FOREVER, Family, Kind, NO_WAIT, Subject, fill};

const KINDS: [Kind; 10] = [
    #[cfg(any(target_arch = "x86_64", miri))]
    list::mpmc_direct_plain(),
    #[cfg(not(any(target_arch = "x86_64", miri)))]
    list::mpmc_indirect_plain(),
    list::mpmc_indirect_plain(),
    list::mpmc_indirect_bytes(),
    list::mpmc_leased(),
    list::spsc_plain(),
    list::spsc_bytes(),
    list::priority_plain(),
    list::priority_large_bytes(),
    list::batch_plain(),
    list::batch_bytes(),
];

const ITEMS: u64 = 4;

/// One producer that closes, one consumer that drains; both sleep.
fn transfer(kind: Kind, capacity: usize) {
    let queue = kind.create(capacity);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for item in 1..=ITEMS {
                queue.put(item, FOREVER).unwrap();
            }
            queue.close();
        });
        for item in 1..=ITEMS {
            assert_eq!(queue.get(FOREVER), Ok(item));
        }
        assert_eq!(queue.get(FOREVER), Err(Error::Closed));
    });
}

/// The same with calls on many.
fn transfer_many(kind: Kind, capacity: usize) {
    let queue = kind.create(capacity);
    let items: Vec<u64> = (1..=ITEMS).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(queue.put_many(&items, FOREVER), (items.len(), Ok(())));
            queue.close();
        });
        let many = || queue.get_many(3, FOREVER);
        let got = std::iter::from_fn(|| Some(many()).filter(|got| got.1.is_ok()));
        assert_eq!(got.flat_map(|got| got.0).collect::<Vec<_>>(), items);
    });
}

/// Futures at both ends of a queue of boxes. Some are dropped after a poll, also while they wait.
#[test]
fn futures() {
    for capacity in [1, 3] {
        let queue = Mpmc::with_capacity(capacity).unwrap();
        let got = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for item in 1..=ITEMS {
                    let once = poll_once(queue.put_async(Box::new(item)));
                    if block_on(once).is_none() {
                        block_on(queue.put_async(Box::new(item))).unwrap();
                    }
                }
                queue.close();
            });
            scope.spawn(|| {
                while !queue.is_closed() {
                    got.lock().unwrap().extend(block_on(poll_once(queue.get_async())));
                    // Otherwise the interpreter runs this loop most of the time.
                    std::thread::yield_now();
                }
            });
            while let Ok(item) = block_on(queue.get_async()) {
                got.lock().unwrap().push(Ok(item));
            }
        });
        let mut got: Vec<_> = got.into_inner().unwrap().into_iter().flatten().collect();
        got.sort_unstable();
        assert!(got.into_iter().eq((1..=ITEMS).map(Box::new)));
    }
}

#[test]
fn transfers() {
    for kind in KINDS {
        for capacity in [1, 3] {
            transfer(kind, capacity);
            transfer_many(kind, capacity);
        }
    }
}

/// More slots than the prefetch looks ahead, one item at a time and many, over some laps.
#[test]
fn spsc_over_laps() {
    for kind in [list::spsc_plain(), list::spsc_bytes()] {
        let queue = kind.create_at(100, u64::MAX - 150).0;
        for items in [1..=90, 91..=180, 181..=280, 281..=300] {
            fill(&*queue, items.clone());
            items.for_each(|item| assert_eq!(queue.try_get(), Ok(item)));
        }
        let items: Vec<u64> = (1..=80).collect();
        for _ in 0..3 {
            assert_eq!(queue.put_many(&items, NO_WAIT), (80, Ok(())));
            assert_eq!(queue.get_many(80, NO_WAIT), (items.clone(), Ok(())));
        }
    }
}

/// A close from a third thread: what was accepted is got or disposed of, and nothing else.
#[test]
fn close_races() {
    for kind in KINDS {
        let (queue, dropped) = kind.create_at(2, 0);
        let (put, got) = std::thread::scope(|scope| {
            let producer =
                scope.spawn(|| (1..=3).take_while(|&i| queue.try_put(i).is_ok()).count());
            scope.spawn(|| queue.close());
            let consumer = scope.spawn(|| (0..2).filter_map(|_| queue.try_get().ok()).count());
            (producer.join().unwrap(), consumer.join().unwrap())
        });
        assert_eq!(queue.try_put(9), Err(Error::Closed));
        drop(queue);
        assert_eq!(put, got + dropped.take().len(), "{kind}");
    }
}

/// Peeks beside puts and gets that reuse the cells.
#[test]
fn peeks() {
    // A peek may read a cell that another thread writes, and discards that. Miri accepts it while
    // both are atomic, which a program's own writes to a reserved cell are not.
    let has_peek = |kind: &&Kind| !kind.is_single() && kind.name != "mpmc_leased";
    for kind in KINDS.iter().filter(has_peek) {
        let queue = kind.create(1);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for item in 1..=ITEMS {
                    _ = queue.try_put(item);
                    _ = queue.try_get();
                }
            });
            for _ in 0..if queue.has_peek() { ITEMS } else { 0 } {
                if let Ok(item) = queue.peek() {
                    assert!((1..=ITEMS).contains(&item));
                }
            }
        });
    }
}

/// Blobs in place, by every call that begins or ends a reservation or a lease; one lease is settled
/// twice.
#[test]
fn leases() {
    let dropped = Arc::<Dropped>::default();
    let payload = Blob::payload(LARGEST_BLOB, &dropped).unwrap();
    let queue = Blocking::new(mpmc::Indirect::with_spare(2, 2, payload).unwrap());
    let put = |item: u64| {
        let Ok(data) = queue.reserve(Wait::No) else { return };
        let bytes = blob(item);
        // SAFETY: reserved, with room for the longest blob.
        unsafe { data.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        if queue.commit(data, bytes.len()) == Err(Error::Full) {
            queue.cancel(data).unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| (1..=ITEMS).for_each(put));
        for _ in 0..2 {
            scope.spawn(|| {
                for turn in 0..ITEMS {
                    let Ok((data, len)) = queue.lease(Wait::No) else { continue };
                    // SAFETY: leased.
                    let bytes = unsafe { std::slice::from_raw_parts(data.cast(), len) };
                    let item = number_of_blob(bytes);
                    assert!((1..=ITEMS).contains(&item));
                    if turn % 2 == 0 || queue.put_back(data).is_err() {
                        queue.settle(data).unwrap();
                    }
                }
            });
        }
    });
    while let Ok((data, _)) = queue.lease(Wait::No) {
        let (queue, address) = (&queue, data.expose_provenance());
        let settle = move || queue.settle(std::ptr::with_exposed_provenance_mut(address));
        let rivals = std::thread::scope(|scope| {
            let other = scope.spawn(settle);
            [settle(), other.join().unwrap()]
        });
        assert_eq!(rivals.iter().filter(|done| done.is_ok()).count(), 1);
        assert_eq!(queue.settle(data), Err(Error::Misuse));
    }
    put(7);
    put(8);
    queue.lease(Wait::No).unwrap();
    queue.reserve(Wait::No).unwrap();
    drop(queue);
    assert_eq!(dropped.take(), [7, 8], "leased, then left");
}

/// Values that own memory; two producers, two consumers, leftovers.
#[test]
fn boxes() {
    let queue = Arc::new(Mpmc::with_capacity(2).unwrap());
    let sum: u64 = std::thread::scope(|scope| {
        for producer in 0..2 {
            let queue = &queue;
            scope.spawn(move || queue.put(Box::new(producer + 1), Wait::Forever).unwrap());
        }
        let consumers = [0, 1].map(|_| scope.spawn(|| *queue.get(Wait::Forever).unwrap()));
        consumers.map(|consumer| consumer.join().unwrap()).iter().sum()
    });
    assert_eq!(sum, 3);
    queue.try_put(Box::new(7)).unwrap();
}

/// The same, by priority; two producers, two consumers, leftovers.
#[test]
fn boxes_by_priority() {
    let queue = Priority::with_capacity(2).unwrap();
    let sum: u64 = std::thread::scope(|scope| {
        for producer in 0..2 {
            let queue = &queue;
            let item = Box::new(producer + 1);
            scope.spawn(move || queue.put(item, producer as f64, Wait::Forever).unwrap());
        }
        let consumers = [0, 1].map(|_| scope.spawn(|| *queue.get(Wait::Forever).unwrap().0));
        consumers.map(|consumer| consumer.join().unwrap()).iter().sum()
    });
    assert_eq!(sum, 3);
    queue.try_put(Box::new(7), 1.0).unwrap();
}

/// Two producers, the second of which closes, and two consumers that wait for whole batches.
#[test]
fn batches() {
    let limits = Limits { size: 2, age: None, weight: None };
    let kinds = [
        list::batch_plain().of_pairs(),
        list::batch_bytes().of_pairs(),
        list::batch_plain().limited(Limits { size: 3, weight: Some(3), ..limits }),
        list::batch_plain().limited(Limits { age: Some(Duration::from_micros(10)), ..limits }),
    ];
    for kind in kinds {
        let queue = kind.create_at(3, u64::MAX - 2).0;
        let mut items = std::thread::scope(|scope| {
            let queue = &*queue;
            let other = scope.spawn(move || {
                (1..=ITEMS).for_each(|item| queue.put(10 + item, FOREVER).unwrap());
            });
            scope.spawn(move || {
                (1..=ITEMS).for_each(|item| queue.put(20 + item, FOREVER).unwrap());
                other.join().unwrap();
                queue.close();
            });
            let consumers = [0, 1].map(|_| {
                scope.spawn(move || {
                    let batch = || queue.get_batch(FOREVER);
                    std::iter::from_fn(|| batch().ok()).flatten().collect::<Vec<u64>>()
                })
            });
            let consumed = consumers.map(|consumer| consumer.join().unwrap());
            consumed.concat().into_iter().filter(|&item| item != 0).collect::<Vec<u64>>()
        });
        items.sort_unstable();
        assert_eq!(items, [11, 12, 13, 14, 21, 22, 23, 24]);
    }
}

/// Values that own memory, in batches that come of age; leftovers.
#[test]
fn boxes_in_batches() {
    let age = Some(Duration::from_micros(1));
    let queue = Batcher::new(8, Limits { size: 3, age, weight: None }).unwrap();
    let batch = std::thread::scope(|scope| {
        let consumer = scope.spawn(|| queue.get_batch(Wait::Forever).unwrap());
        (1..=2).for_each(|item| queue.put(Box::new(item), Wait::Forever).unwrap());
        consumer.join().unwrap()
    });
    assert!([vec![Box::new(1)], vec![Box::new(1), Box::new(2)]].contains(&batch));
    queue.try_put(Box::new(7)).unwrap();
}

/// Steals an item; tries again after a lost race.
fn steal(queue: &dyn Subject) -> Option<u64> {
    loop {
        match queue.try_get() {
            Err(Error::Retry) => {}
            done => return done.ok(),
        }
    }
}

/// An owner that pushes and pops against two thieves: every item is taken once.
#[test]
fn steals() {
    let [plain, bytes] = [list::deque_plain(), list::deque_bytes()];
    for kind in [plain, bytes, plain.growable(true), bytes.growable(true)] {
        let deque = kind.create_at(2, u64::MAX - 2).0;
        let mut items = std::thread::scope(|scope| {
            let thieves = [0, 1].map(|_| {
                scope.spawn(|| (0..4).filter_map(|_| steal(&*deque)).collect::<Vec<u64>>())
            });
            let mut items = Vec::new();
            let mut refused = 0;
            for item in 1..=2 * ITEMS {
                refused += deque.try_put(item).is_err() as u64;
                if item % 3 == 0 {
                    items.extend(deque.pop());
                }
            }
            items.extend(thieves.into_iter().flat_map(|thief| thief.join().unwrap()));
            items.extend(std::iter::from_fn(|| deque.pop().ok()));
            assert_eq!(items.len() as u64, 2 * ITEMS - refused);
            items
        });
        items.sort_unstable();
        items.dedup();
        assert_eq!(items.len() as u64, deque.stats().dequeued);
    }
}

/// Values that own memory, stolen while the deque grows; leftovers.
#[test]
fn boxes_stolen() {
    let (mut worker, stealer) = growable_deque(1).unwrap();
    let (taken, left): (Vec<u64>, usize) = std::thread::scope(|scope| {
        let thieves = [stealer.clone(), stealer]
            .map(|thief| scope.spawn(move || (0..3).filter_map(|_| thief.steal().ok()).collect()));
        for item in 0..ITEMS {
            worker.push(Box::new(item)).unwrap();
        }
        let mut taken: Vec<Box<u64>> = worker.pop().into_iter().collect();
        for thief in thieves {
            let stolen: Vec<Box<u64>> = thief.join().unwrap();
            taken.extend(stolen);
        }
        (taken.into_iter().map(|item| *item).collect(), worker.len())
    });
    assert_eq!(taken.len() + left, ITEMS as usize);
}

/// Values that own memory, in bulk calls, peeks and iterators; the caller keeps refused ones.
#[test]
fn boxes_by_many() {
    let (mut producer, mut consumer) = spsc(2).unwrap();
    let queue = Mpmc::with_capacity(2).unwrap();
    let boxes = || (1..=3).map(Box::new).collect::<Vec<Box<u64>>>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            producer.put_many(&mut boxes(), Wait::Forever).unwrap();
            let mut items = boxes();
            queue.put_many(&mut items, Wait::No).unwrap_err();
            assert_eq!(items, [Box::new(3)]);
            queue.close();
            drop(producer);
        });
        let mut got = Vec::new();
        consumer.get_many(&mut got, 2, Wait::Forever).unwrap();
        if let Ok(front) = consumer.peek() {
            assert!((2..=3).contains(&**front));
        }
        got.extend(&mut consumer);
        assert_eq!(got, boxes());
        got.truncate(0);
        while queue.get_many(&mut got, 3, Wait::Forever).is_ok() {}
        assert_eq!(got, [Box::new(1), Box::new(2)]);
    });
    let (mut worker, stealer) = growable_deque(1).unwrap();
    let stolen = std::thread::scope(|scope| {
        let thief = scope.spawn(|| {
            let mut stolen = Vec::new();
            _ = stealer.steal_many(&mut stolen, 2);
            stolen
        });
        boxes().into_iter().for_each(|item| worker.push(item).unwrap());
        thief.join().unwrap()
    });
    assert_eq!(stolen.len() + worker.len(), 3);
}

/// The drop of the first of two values that own memory panics.
#[test]
fn boxes_that_panic() {
    struct Fragile(Box<u64>);
    impl Drop for Fragile {
        fn drop(&mut self) {
            if *self.0 == 0 {
                resume_unwind(self.0.clone());
            }
        }
    }
    let values = || [0, 1].map(|number| Fragile(Box::new(number)));
    fn check<Q>(queue: Q, drop: impl FnOnce(Q)) {
        let caught = catch_unwind(AssertUnwindSafe(|| drop(queue)));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&0_u64));
    }
    let mpmc = || {
        let queue = Mpmc::with_capacity(2).unwrap();
        values().into_iter().for_each(|value| queue.try_put(value).unwrap());
        queue
    };
    check(mpmc(), drop);
    check(mpmc(), |queue| _ = queue.clear());
    let (mut producer, consumer) = spsc(2).unwrap();
    values().into_iter().for_each(|value| producer.try_put(value).unwrap());
    check((producer, consumer), drop);
    let queue = Priority::with_capacity(2).unwrap();
    values().into_iter().for_each(|value| queue.try_put(value, 1.0).unwrap());
    check(queue, drop);
    let queue = Batcher::new(2, Limits { size: 1, age: None, weight: None }).unwrap();
    values().into_iter().for_each(|value| queue.try_put(value).unwrap());
    check(queue, drop);
    let (mut worker, stealer) = growable_deque(1).unwrap();
    values().into_iter().for_each(|value| worker.push(value).unwrap());
    check((worker, stealer), drop);
}

/// A thread polls, another puts; the poll sleeps on the word of the process.
#[test]
fn polls() {
    for kind in KINDS {
        let queue = kind.create(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                queue.put(1, FOREVER).unwrap();
                queue.close();
            });
            assert_eq!(queue.poll(READABLE, FOREVER), Ok(READABLE));
            assert_eq!(queue.try_get(), Ok(1));
            assert_eq!(queue.poll(READABLE, FOREVER), Ok(READABLE));
            assert_eq!(queue.try_get(), Err(Error::Closed));
        });
    }
}

/// An event loop with epoll: the descriptor hands the item over.
#[cfg(target_os = "linux")]
#[test]
fn event_loops() {
    /// Waits for one descriptor.
    struct Epoll(i32);
    impl Epoll {
        fn new(fd: i32) -> Self {
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
            // SAFETY: numbers, and an event that is read.
            unsafe {
                let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
                assert_eq!(libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &mut event), 0);
                Self(epoll)
            }
        }
        fn wait(&self) {
            let mut event = libc::epoll_event { events: 0, u64: 0 };
            // SAFETY: one place.
            assert_eq!(unsafe { libc::epoll_wait(self.0, &mut event, 1, -1) }, 1);
        }
    }
    impl Drop for Epoll {
        fn drop(&mut self) {
            // SAFETY: ours.
            unsafe { libc::close(self.0) };
        }
    }

    // Miri has no timers for the descriptors of batches.
    for kind in KINDS.into_iter().filter(|kind| kind.family != Family::Batch) {
        let queue = kind.create(1);
        let (readable, writable) = (queue.readable_fd().unwrap(), queue.writable_fd().unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let epoll = Epoll::new(writable);
                for item in 1..=2 {
                    while queue.try_put(item) == Err(Error::Full) {
                        epoll.wait();
                    }
                }
                queue.close();
            });
            let epoll = Epoll::new(readable);
            for item in 1..=2 {
                let got = loop {
                    match queue.try_get() {
                        Err(Error::Empty) => epoll.wait(),
                        got => break got,
                    }
                };
                assert_eq!(got, Ok(item));
            }
        });
    }
    let event = Event::new();
    let fd = event.readable_fd().unwrap();
    let mut place = 0_u64;
    let address = &raw mut place as usize;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // SAFETY: this thread alone uses it, until the event is set.
            unsafe { *(address as *mut u64) = 7 };
            event.set();
        });
        let epoll = Epoll::new(fd);
        while event.wait(Wait::No).is_err() {
            epoll.wait();
        }
        // SAFETY: the event was set after the write.
        assert_eq!(unsafe { *(address as *const u64) }, 7);
        event.reset();
        assert_eq!(event.wait(Wait::For(1_000)), Err(Error::Timeout));
    });
}
