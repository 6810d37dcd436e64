//! The queues of Rust values accept every `Send` type, and keep its ownership, alignment and
//! lifetime right: each value is dropped once. Bulk calls, iterators and closing keep their
//! promises.

use crate::support::watchdog::watched;
use queues::{
    Batcher, Consumer, Error, Event, Iter, Limits, Mpmc, Priority, Producer, Stats, Stealer,
    TryIter, Wait, Worker, deque, growable_deque, spsc,
};
use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread::{scope, spawn};

/// Batches of one.
const SINGLES: Limits = Limits { size: 1, age: None, weight: None };

fn may_be_sent<T: Send + UnwindSafe>() {}
fn may_be_shared<T: Sync + RefUnwindSafe>() {}

/// An item that is `Send` and no more.
type OnlySend = (Cell<u8>, Option<Box<dyn Fn() + Send>>);

#[test]
fn may_go_to_other_threads_and_through_unwinding() {
    may_be_sent::<Mpmc<OnlySend>>();
    may_be_sent::<Producer<OnlySend>>();
    may_be_sent::<Consumer<OnlySend>>();
    may_be_sent::<Priority<OnlySend>>();
    may_be_sent::<Batcher<OnlySend>>();
    may_be_sent::<Worker<OnlySend>>();
    may_be_sent::<Stealer<OnlySend>>();
    may_be_sent::<Event>();
    may_be_sent::<Iter<&Mpmc<OnlySend>>>();
    may_be_sent::<Iter<Consumer<OnlySend>>>();
    may_be_sent::<TryIter<&Stealer<OnlySend>>>();
    // Calls of the only producer, consumer or owner take `&mut self`, so ends may be shared too.
    may_be_shared::<Mpmc<OnlySend>>();
    may_be_shared::<Producer<OnlySend>>();
    may_be_shared::<Consumer<OnlySend>>();
    may_be_shared::<Priority<OnlySend>>();
    may_be_shared::<Batcher<OnlySend>>();
    may_be_shared::<Worker<OnlySend>>();
    may_be_shared::<Stealer<OnlySend>>();
    may_be_shared::<Event>();
}

#[test]
fn debug_output_shows_no_values() {
    let value = || -> OnlySend { (Cell::new(0), None) };
    let queue = Mpmc::with_capacity(2).unwrap();
    queue.try_put(value()).unwrap();
    assert_eq!(format!("{queue:?}"), "Mpmc { len: 1, capacity: 2, is_closed: false, .. }");
    assert_eq!(format!("{:?}", queue.iter()), format!("Iter({queue:?})"));
    assert_eq!(format!("{:?}", queue.try_iter()), format!("TryIter({queue:?})"));
    let (producer, consumer) = spsc::<OnlySend>(3).unwrap();
    producer.close();
    assert_eq!(format!("{producer:?}"), "Producer { len: 0, capacity: 3, is_closed: true, .. }");
    assert_eq!(format!("{consumer:?}"), "Consumer { len: 0, capacity: 3, is_closed: true, .. }");
    let queue = Priority::<OnlySend>::with_capacity(4).unwrap();
    assert_eq!(format!("{queue:?}"), "Priority { len: 0, capacity: 4, is_closed: false, .. }");
    let queue = Batcher::<OnlySend>::new(5, SINGLES).unwrap();
    assert_eq!(format!("{queue:?}"), "Batcher { len: 0, capacity: 5, is_closed: false, .. }");
    let (mut worker, stealer) = growable_deque(1).unwrap();
    (0..2).for_each(|_| worker.push(value()).unwrap());
    assert_eq!(format!("{worker:?}"), "Worker { len: 2, capacity: 2, .. }");
    assert_eq!(format!("{stealer:?}"), "Stealer { len: 2, capacity: 2, .. }");
}

#[test]
fn a_put_error_is_an_error_for_every_item() {
    let queue = Mpmc::<OnlySend>::with_capacity(1).unwrap();
    queue.close();
    let refused = queue.try_put((Cell::new(7), None)).unwrap_err();
    assert_eq!(format!("{refused:?}"), "PutError { error: Closed, .. }");
    assert_eq!(refused.to_string(), "the item was not put: the queue is closed");
    let refused: Box<dyn std::error::Error + Send> = Box::new(refused);
    let refused = refused.downcast::<queues::PutError<OnlySend>>().unwrap();
    assert_eq!(refused.into_inner().0.get(), 7);
    // Also with an item that borrows.
    fn is_error(_: impl std::error::Error) {}
    let local = Cell::new(1);
    is_error(queues::PutError { error: Error::Full, item: std::slice::from_ref(&local) });
}

#[test]
fn refused_items_are_returned() {
    let queue = Mpmc::with_capacity(1).unwrap();
    queue.try_put(Box::new(1)).unwrap();
    let refused = queue.try_put(Box::new(2)).unwrap_err();
    assert_eq!((refused.error, *refused.item), (Error::Full, 2));
    let refused = queue.put(Box::new(3), Wait::from_nanos(1)).unwrap_err();
    assert_eq!((refused.error, *refused.item), (Error::Timeout, 3));
    queue.close();
    let refused = queue.put(Box::new(4), Wait::Forever).unwrap_err();
    assert_eq!((refused.error, *refused.item), (Error::Closed, 4));
    assert_eq!(queue.try_get(), Ok(Box::new(1)));
    assert_eq!(queue.try_get(), Err(Error::Closed));

    let (mut producer, mut consumer) = spsc(1).unwrap();
    producer.try_put(String::from("first")).unwrap();
    let refused = producer.try_put(String::from("second")).unwrap_err();
    assert_eq!((refused.error, &*refused.item), (Error::Full, "second"));
    assert_eq!(consumer.try_get().as_deref(), Ok("first"));
    drop(consumer);
    let refused = producer.put(String::from("third"), Wait::Forever).unwrap_err();
    assert_eq!((refused.error, &*refused.item), (Error::Closed, "third"));

    let (mut worker, stealer) = deque(1).unwrap();
    worker.push(String::from("first")).unwrap();
    let refused = worker.push(String::from("second")).unwrap_err();
    assert_eq!((refused.error, &*refused.item), (Error::Full, "second"));
    assert_eq!(worker.stealer().steal().as_deref(), Ok("first"));
    assert_eq!((worker.pop(), stealer.steal()), (Err(Error::Empty), Err(Error::Empty)));
}

/// Counts the values that are alive.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(alive: &'a AtomicUsize) -> Self {
        alive.fetch_add(1, Relaxed);
        Self(alive)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[test]
fn every_value_is_dropped_once() {
    let alive = AtomicUsize::new(0);
    let queue = Mpmc::with_capacity(3).unwrap();
    for _ in 0..3 {
        assert!(queue.try_put(Counted::new(&alive)).is_ok());
    }
    drop(queue.try_put(Counted::new(&alive)));
    assert_eq!(alive.load(Relaxed), 3, "a refused value is the caller's");
    drop(queue.try_get());
    assert_eq!(alive.load(Relaxed), 2);
    assert_eq!(queue.clear(), 2);
    assert_eq!(alive.load(Relaxed), 0);
    assert!(queue.try_put(Counted::new(&alive)).is_ok());
    drop(queue);
    assert_eq!(alive.load(Relaxed), 0, "leftovers are dropped with the queue");

    let (mut producer, consumer) = spsc(3).unwrap();
    for _ in 0..3 {
        assert!(producer.try_put(Counted::new(&alive)).is_ok());
    }
    drop(consumer);
    assert_eq!(alive.load(Relaxed), 3, "the producer still holds the queue");
    drop(producer);
    assert_eq!(alive.load(Relaxed), 0);

    let (mut worker, stealer) = deque(3).unwrap();
    for _ in 0..3 {
        assert!(worker.push(Counted::new(&alive)).is_ok());
    }
    drop(worker.push(Counted::new(&alive)));
    assert_eq!(alive.load(Relaxed), 3, "a refused value is the caller's");
    drop((worker.pop(), stealer.steal()));
    drop(worker);
    assert_eq!(alive.load(Relaxed), 1, "a stealer still holds the deque");
    drop(stealer);
    assert_eq!(alive.load(Relaxed), 0);
}

/// A value without a size, whose drops are counted.
struct Nothing;

static NOTHINGS: AtomicUsize = AtomicUsize::new(0);

impl Drop for Nothing {
    fn drop(&mut self) {
        NOTHINGS.fetch_add(1, Relaxed);
    }
}

#[test]
fn values_without_a_size_are_counted() {
    let queue = Mpmc::with_capacity(3).unwrap();
    let (mut producer, mut consumer) = spsc(3).unwrap();
    for _ in 0..3 {
        assert!(queue.try_put(Nothing).is_ok());
        assert!(producer.try_put(Nothing).is_ok());
    }
    let refused = [queue.try_put(Nothing), producer.try_put(Nothing)];
    assert!(refused.iter().all(|refused| matches!(refused, Err(e) if e.error == Error::Full)));
    drop(refused);
    assert_eq!(NOTHINGS.load(Relaxed), 2);
    drop((queue.try_get(), consumer.try_get()));
    assert_eq!(NOTHINGS.load(Relaxed), 4);
    drop((queue, producer, consumer));
    assert_eq!(NOTHINGS.load(Relaxed), 8);
}

/// Aligned to more than a cache line, and to more than a page.
#[repr(align(256))]
struct Aligned(u64);
#[repr(align(8192))]
struct VeryAligned(u64);

fn check_alignment<T: Send>(make: fn(u64) -> T, read: fn(&T) -> u64) {
    let queue = Mpmc::with_capacity(5).unwrap();
    let (mut producer, mut consumer) = spsc(5).unwrap();
    let (mut worker, stealer) = deque(5).unwrap();
    for i in 0..20 {
        assert!(queue.try_put(make(i)).is_ok() && producer.try_put(make(i)).is_ok());
        assert!(worker.push(make(i)).is_ok());
        let (a, b) = (queue.try_get().unwrap(), consumer.try_get().unwrap());
        assert_eq!((read(&a), read(&b), read(&stealer.steal().ok().unwrap())), (i, i, i));
    }
}

#[test]
fn values_keep_their_alignment() {
    check_alignment(Aligned, |value| {
        assert!(core::ptr::from_ref(value).is_aligned());
        value.0
    });
    check_alignment(VeryAligned, |value| {
        assert!(core::ptr::from_ref(value).is_aligned());
        value.0
    });
    // Smaller than a word, and no multiple of one.
    check_alignment(|i| [i as u8; 3], |value| u64::from(value[2]));
    check_alignment(|i| (i as u8, i as u16, i), |value| value.2);
}

#[test]
fn a_dropped_end_closes_the_queue() {
    watched("a dropped end", || {
        let (mut producer, mut consumer) = spsc(2).unwrap();
        let get = spawn(move || (consumer.get(Wait::Forever), consumer.get(Wait::Forever)));
        producer.put(1, Wait::Forever).unwrap();
        drop(producer);
        assert_eq!(get.join().unwrap(), (Ok(1), Err(Error::Closed)));

        let (mut producer, consumer) = spsc(1).unwrap();
        producer.put(1, Wait::Forever).unwrap();
        let put = spawn(move || producer.put(2, Wait::Forever).map_err(|refused| refused.error));
        drop(consumer);
        assert_eq!(put.join().unwrap(), Err(Error::Closed));
    });
}

#[test]
fn many_threads_share_a_queue() {
    watched("many threads", || {
        let queue = Mpmc::with_capacity(3).unwrap();
        let sum = AtomicUsize::new(0);
        scope(|all| {
            let producers: Vec<_> = (0..3)
                .map(|_| all.spawn(|| (1..=100).for_each(|i| queue.put(i, Wait::Forever).unwrap())))
                .collect();
            for _ in 0..3 {
                all.spawn(|| {
                    while let Ok(i) = queue.get(Wait::Forever) {
                        sum.fetch_add(i, Relaxed);
                    }
                });
            }
            producers.into_iter().for_each(|producer| producer.join().unwrap());
            queue.close();
        });
        assert_eq!(sum.into_inner(), 3 * 5050);
        let Stats { enqueued, dequeued, current_size, .. } = queue.stats();
        assert_eq!((enqueued, dequeued, current_size), (300, 300, 0));
        assert!(queue.is_closed() && queue.is_empty());
        assert_eq!((queue.len(), queue.capacity()), (0, 3));
    });
}

#[test]
fn no_capacity_is_an_error() {
    assert_eq!(Mpmc::<u8>::with_capacity(0).unwrap_err(), Error::Invalid);
    assert_eq!(spsc::<u8>(0).unwrap_err(), Error::Invalid);
    assert_eq!(deque::<u8>(0).unwrap_err(), Error::Invalid);
    assert_eq!(deque::<u8>(usize::MAX).unwrap_err(), Error::Invalid);
    assert_eq!(Mpmc::<[u8; 4096]>::with_capacity(usize::MAX / 4096).unwrap_err(), Error::Invalid);
    assert_eq!(spsc::<[u8; 4096]>(usize::MAX / 4096).unwrap_err(), Error::Invalid);
}

#[test]
fn statistics_as_json() {
    let queue = Mpmc::with_capacity(4).unwrap();
    queue.try_put(0).unwrap();
    let mut json = String::new();
    queue.stats().write_json(&mut json).unwrap();
    assert_eq!(
        json,
        "{\"enqueued\":1,\"dequeued\":0,\"failed_enqueue\":0,\"failed_dequeue\":0,\
         \"peak_size\":1,\"current_size\":1,\"capacity\":4,\"stolen\":0,\
         \"attached\":0,\"recovered\":0}"
    );
}

#[test]
fn a_priority_queue_owns_its_values() {
    use std::sync::Arc;

    let queue = Priority::with_capacity(5).unwrap();
    let value = Arc::new(());
    for priority in [3.0, 1.0, 2.0, 1.0, f64::INFINITY] {
        queue.try_put(value.clone(), priority).unwrap();
    }
    let refused = queue.try_put(value.clone(), 0.0).unwrap_err();
    assert_eq!(refused.error, Error::Full);
    drop(refused);
    let refused = queue.put(value.clone(), f64::NAN, Wait::Forever).unwrap_err();
    assert_eq!(refused.error, Error::Invalid);
    drop(refused);
    assert_eq!(Arc::strong_count(&value), 6);
    assert_eq!(queue.try_get().unwrap().1, 1.0);
    assert_eq!(Arc::strong_count(&value), 5);
    assert_eq!((queue.clear(), Arc::strong_count(&value)), (4, 1));
    assert_eq!(queue.get(Wait::from_nanos(1)), Err(Error::Timeout));
    queue.put(value.clone(), -0.0, Wait::Forever).unwrap();
    queue.close();
    assert_eq!(queue.try_put(value.clone(), 0.0).unwrap_err().error, Error::Closed);
    drop(queue);
    assert_eq!(Arc::strong_count(&value), 1);
    assert_eq!(Priority::<u8>::with_capacity(0).unwrap_err(), Error::Invalid);
    assert_eq!(
        Priority::<[u8; 4096]>::with_capacity(usize::MAX / 4096).unwrap_err(),
        Error::Invalid
    );
}

fn counted(alive: &AtomicUsize, count: usize) -> Vec<Counted<'_>> {
    (0..count).map(|_| Counted::new(alive)).collect()
}

#[test]
fn what_is_not_put_of_many_stays() {
    let alive = AtomicUsize::new(0);
    let queue = Mpmc::with_capacity(3).unwrap();
    let (mut producer, mut consumer) = spsc(3).unwrap();
    for (refused, left) in [(Error::Full, 2), (Error::Timeout, 2), (Error::Closed, 5)] {
        let timeout = if refused == Error::Full { Wait::No } else { Wait::from_nanos(1) };
        let mut items = counted(&alive, 5);
        assert_eq!(queue.put_many(&mut items, timeout), Err(refused));
        assert_eq!((items.len(), alive.load(Relaxed)), (left, 5));
        assert_eq!(queue.clear(), 5 - left);

        let mut others = counted(&alive, 5);
        assert_eq!(producer.put_many(&mut others, timeout), Err(refused));
        assert_eq!(others.len(), left);
        assert_eq!(consumer.clear(), 5 - left);
        drop((items, others));
        assert_eq!(alive.load(Relaxed), 0, "each was dropped once");
        if refused == Error::Timeout {
            queue.close();
            consumer.close();
        }
    }
}

#[test]
fn many_come_in_order() {
    let queue = Mpmc::with_capacity(5).unwrap();
    let (mut producer, mut consumer) = spsc(5).unwrap();
    for count in 0..=5 {
        let mut items: Vec<String> = (0..count).map(|i| i.to_string()).collect();
        let (expected, mut others) = (items.clone(), items.clone());
        assert_eq!(queue.put_many(&mut items, Wait::No), Ok(()));
        assert_eq!(producer.put_many(&mut others, Wait::No), Ok(()));
        assert!(items.is_empty() && others.is_empty());
        // Appends to what is there, and no more items than the maximum.
        let first = count.min(2);
        for (out, rest) in [(&mut items, 0), (&mut others, 1)] {
            out.push(String::from("before"));
            let mut get = |max, timeout| match rest {
                0 => queue.get_many(out, max, timeout),
                _ => consumer.get_many(out, max, timeout),
            };
            assert_eq!(get(0, Wait::Forever), Ok(0));
            let empty = |count, why| if count == 0 { Err(why) } else { Ok(count) };
            assert_eq!(get(2, Wait::No), empty(first, Error::Empty));
            let left = empty(count - first, Error::Timeout);
            assert_eq!(get(usize::MAX, Wait::from_nanos(1)), left);
            assert_eq!((out.remove(0).as_str(), &*out), ("before", &expected));
        }
    }
    queue.close();
    drop(producer);
    let mut none = Vec::new();
    assert_eq!(queue.get_many(&mut none, 0, Wait::Forever), Ok(0));
    assert_eq!(queue.get_many(&mut none, 1, Wait::Forever), Err(Error::Closed));
    assert_eq!(consumer.get_many(&mut none, 1, Wait::Forever), Err(Error::Closed));
}

#[test]
fn many_without_a_size() {
    let (mut producer, mut consumer) = spsc(3).unwrap();
    let queue = Mpmc::with_capacity(3).unwrap();
    let (mut items, mut others) = (vec![(); 4], vec![(); 4]);
    assert_eq!(producer.put_many(&mut items, Wait::No), Err(Error::Full));
    assert_eq!(queue.put_many(&mut others, Wait::No), Err(Error::Full));
    assert_eq!((items.len(), others.len()), (1, 1));
    assert_eq!(consumer.get_many(&mut items, 2, Wait::No), Ok(2));
    assert_eq!(queue.get_many(&mut others, 9, Wait::No), Ok(3));
    assert_eq!((items.len(), others.len()), (3, 4));
}

#[test]
fn many_wait_for_each_other() {
    const COUNT: u64 = 1000;
    watched("many values", || {
        let (mut producer, mut consumer) = spsc(7).unwrap();
        let queue = Mpmc::with_capacity(7).unwrap();
        scope(|all| {
            all.spawn(move || {
                let mut items: Vec<_> = (0..COUNT).map(Box::new).collect();
                producer.put_many(&mut items, Wait::Forever).unwrap();
            });
            let got = all.spawn(move || {
                let mut got = Vec::new();
                while consumer.get_many(&mut got, 5, Wait::Forever).is_ok() {}
                got
            });
            assert!(got.join().unwrap().into_iter().map(|item| *item).eq(0..COUNT));

            let producers = [0, 1].map(|part| {
                let queue = &queue;
                all.spawn(move || {
                    let mut items: Vec<_> = (part * COUNT..).take(COUNT as usize).collect();
                    queue.put_many(&mut items, Wait::Forever).unwrap();
                })
            });
            let consumers = [0, 1].map(|_| {
                all.spawn(|| {
                    let mut got = Vec::new();
                    while queue.get_many(&mut got, 5, Wait::Forever).is_ok() {}
                    got
                })
            });
            producers.into_iter().for_each(|producer| producer.join().unwrap());
            queue.close();
            let mut got = consumers.map(|consumer| consumer.join().unwrap()).concat();
            got.sort_unstable();
            assert!(got.into_iter().eq(0..2 * COUNT));
        });
    });
}

#[test]
fn many_are_stolen_once() {
    const COUNT: u64 = 1000;
    watched("thefts of many", || {
        let (mut worker, stealer) = growable_deque(1).unwrap();
        let over = AtomicBool::new(false);
        let mut taken = scope(|all| {
            let thieves = [0, 1].map(|_| {
                all.spawn(|| {
                    let mut stolen = Vec::new();
                    loop {
                        let ends = over.load(Acquire);
                        let before = stolen.len();
                        match stealer.steal_many(&mut stolen, 3) {
                            Ok(count) => assert!((1..=3).contains(&count)),
                            Err(Error::Empty) if ends => return stolen,
                            Err(Error::Empty | Error::Retry) => {
                                assert_eq!(stolen.len(), before);
                                std::thread::yield_now();
                            }
                            Err(why) => panic!("{why}"),
                        }
                    }
                })
            });
            let mut taken = Vec::new();
            for item in 0..COUNT {
                worker.push(item).unwrap();
                if item % 3 == 0 {
                    taken.extend(worker.pop());
                }
            }
            over.store(true, Release);
            taken.extend(worker.try_iter());
            taken.extend(thieves.into_iter().flat_map(|thief| thief.join().unwrap()));
            taken
        });
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..COUNT));
        assert_eq!(stealer.steal_many(&mut Vec::new(), 0), Ok(0));
    });
}

#[test]
fn all_ends_report_their_state() {
    let (mut producer, mut consumer) = spsc(2).unwrap();
    assert!(producer.is_empty() && consumer.is_empty());
    producer.try_put(1).unwrap();
    assert!(!(producer.is_empty() || consumer.is_empty()));
    assert!(!(producer.is_full() || consumer.is_full()));
    producer.try_put(2).unwrap();
    assert!(producer.is_full() && consumer.is_full());
    assert_eq!((producer.len(), consumer.len()), (2, 2));
    assert_eq!((producer.capacity(), consumer.capacity()), (2, 2));
    assert!(!(producer.is_closed() || consumer.is_closed()));
    consumer.close();
    assert!(producer.is_closed() && consumer.is_closed());
    consumer.try_get().unwrap();
    assert_eq!(producer.try_put(3).unwrap_err().error, Error::Closed);
    assert_eq!((consumer.try_get(), consumer.try_get()), (Ok(2), Err(Error::Closed)));

    let (mut worker, stealer) = growable_deque(2).unwrap();
    (0..2).for_each(|item| worker.push(item).unwrap());
    assert!(worker.is_full() && stealer.is_full());
    worker.push(2).unwrap();
    assert!(!(worker.is_full() || stealer.is_full()));
    assert_eq!((worker.capacity(), stealer.capacity(), stealer.len()), (4, 4, 3));

    let queue = Mpmc::with_capacity(1).unwrap();
    assert!(queue.is_empty() && !queue.is_full());
    queue.try_put(1).unwrap();
    assert!(queue.is_full() && !queue.is_empty());
    let queue = Priority::with_capacity(1).unwrap();
    assert!(queue.is_empty() && !queue.is_full());
    queue.try_put(1, 1.0).unwrap();
    assert!(queue.is_full() && !queue.is_empty());
    let queue = Batcher::new(1, SINGLES).unwrap();
    assert!(queue.is_empty() && !queue.is_full());
    queue.try_put(1).unwrap();
    assert!(queue.is_full() && !queue.is_empty());
    assert_eq!((queue.len(), queue.capacity()), (queue.pending_count(), queue.max_pending()));
    assert_eq!((queue.len(), queue.capacity()), (1, 1));
}

#[test]
fn the_front_value_is_looked_at_in_place() {
    watched("a look at the front", || {
        let (mut producer, mut consumer) = spsc(3).unwrap();
        assert_eq!(consumer.peek(), Err(Error::Empty));
        assert_eq!(consumer.stats().failed_dequeue, 0);
        scope(|all| {
            all.spawn(|| {
                (0..200).for_each(|i: u32| producer.put(i.to_string(), Wait::Forever).unwrap());
                producer.close();
            });
            for i in 0..200_u32 {
                let front = loop {
                    match consumer.peek() {
                        Ok(front) => break std::ptr::from_ref(front),
                        Err(why) => assert_eq!(why, Error::Empty),
                    }
                    std::thread::yield_now();
                };
                assert_eq!(
                    consumer.peek().map(std::ptr::from_ref),
                    Ok(front),
                    "the item was moved"
                );
                assert_eq!(consumer.peek(), Ok(&i.to_string()));
                assert_eq!(consumer.get(Wait::Forever), Ok(i.to_string()));
            }
            assert_eq!(consumer.get(Wait::Forever), Err(Error::Closed));
            assert_eq!(consumer.peek(), Err(Error::Closed));
        });
    });

    // Large values are copied outside of the lock, small ones inside.
    let queue = Priority::with_capacity(2).unwrap();
    queue.try_put([2_u64; 50], 2.0).unwrap();
    queue.try_put([1_u64; 50], f64::NEG_INFINITY).unwrap();
    assert_eq!(queue.peek(), Ok(([1; 50], f64::NEG_INFINITY)));
    assert_eq!(queue.peek_priority(), Ok(f64::NEG_INFINITY));
    assert_eq!(queue.try_get(), queue.peek().map(|_| ([1; 50], f64::NEG_INFINITY)));
    assert_eq!((queue.peek(), queue.len()), (Ok(([2; 50], 2.0)), 1));
    queue.close();
    queue.clear();
    assert_eq!((queue.peek(), queue.peek_priority()), (Err(Error::Closed), Err(Error::Closed)));
    assert_eq!(queue.stats().failed_dequeue, 0);
}

#[test]
fn iterators_end_when_the_queue_is_closed_and_drained() {
    watched("iterators", || {
        let queue = Mpmc::with_capacity(2).unwrap();
        let by_priority = Priority::with_capacity(2).unwrap();
        let batches = Batcher::new(2, Limits { size: 2, ..SINGLES }).unwrap();
        let (mut producer, mut consumer) = spsc(2).unwrap();
        scope(|all| {
            let taken = all.spawn(|| {
                let (mut items, mut ranked, mut pairs, mut streamed) =
                    <(Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
                for item in &queue {
                    items.push(item);
                }
                for (item, priority) in &by_priority {
                    assert_eq!(priority, f64::from(item));
                    ranked.push(item);
                }
                for batch in &batches {
                    pairs.extend(batch);
                }
                for item in &mut consumer {
                    streamed.push(item);
                }
                assert_eq!(consumer.iter().next(), None, "an iterator at its end returned an item");
                (items, ranked, pairs, streamed)
            });
            let items = 0..9;
            items.clone().for_each(|item| queue.put(item, Wait::Forever).unwrap());
            queue.close();
            items
                .clone()
                .for_each(|item| by_priority.put(item, item.into(), Wait::Forever).unwrap());
            by_priority.close();
            items.clone().for_each(|item| batches.put(item, Wait::Forever).unwrap());
            batches.close();
            items.clone().for_each(|item| producer.put(item, Wait::Forever).unwrap());
            drop(producer);
            let items: Vec<i32> = items.collect();
            let taken = taken.join().unwrap();
            assert_eq!(taken, (items.clone(), items.clone(), items.clone(), items));
        });
    });
}

#[test]
fn iterators_that_do_not_wait_end_when_there_is_nothing() {
    let queue = Mpmc::with_capacity(3).unwrap();
    let mut there = queue.try_iter();
    assert_eq!(there.next(), None);
    queue.try_put(1).unwrap();
    assert_eq!((there.next(), there.next()), (Some(1), None), "an item that was put later");
    queue.put_many(&mut vec![2, 3], Wait::No).unwrap();
    assert_eq!(queue.into_iter().collect::<Vec<_>>(), [2, 3]);

    let (mut producer, mut consumer) = spsc(3).unwrap();
    assert_eq!(consumer.try_iter().next(), None);
    producer.put_many(&mut vec![1, 2], Wait::No).unwrap();
    assert_eq!(consumer.try_iter().collect::<Vec<_>>(), [1, 2]);

    let queue = Priority::with_capacity(3).unwrap();
    [3.0, 1.0, 2.0].iter().for_each(|&priority| queue.try_put((), priority).unwrap());
    assert_eq!(queue.try_iter().next(), Some(((), 1.0)));
    assert_eq!(queue.into_iter().collect::<Vec<_>>(), [((), 2.0), ((), 3.0)]);

    let queue = Batcher::new(9, Limits { size: 2, ..SINGLES }).unwrap();
    (1..=5).for_each(|item| queue.try_put(item).unwrap());
    assert_eq!(queue.try_iter().take(1).collect::<Vec<_>>(), [[1, 2]]);
    assert_eq!(queue.into_iter().collect::<Vec<_>>(), [vec![3, 4], vec![5]], "due or not");
}

#[test]
fn a_consumer_that_is_iterated_closes_its_queue_at_the_end() {
    let alive = AtomicUsize::new(0);
    let (mut producer, consumer) = spsc(3).unwrap();
    producer.put_many(&mut counted(&alive, 3), Wait::No).unwrap();
    let mut items = consumer.into_iter();
    drop(items.next());
    assert_eq!((alive.load(Relaxed), producer.is_closed()), (2, false));
    drop(items);
    assert!(producer.is_closed());
    drop(producer);
    assert_eq!(alive.load(Relaxed), 0);
}
