//! The queues of Rust values: what the compiler allows to be put, and what becomes of it.

use crate::watchdog::watched;
use queues::{Consumer, Error, Mpmc, Producer, Stats, Stealer, Timeout, Worker, deque, spsc};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{scope, spawn};

fn assert_send<T: Send>() {}
fn assert_sync<T: Sync>() {}

#[test]
fn may_go_to_other_threads() {
    // A Cell may be sent but not shared, which is all that a queue needs.
    type Item = std::cell::Cell<u8>;
    assert_send::<Mpmc<Item>>();
    assert_sync::<Mpmc<Item>>();
    assert_send::<Producer<Item>>();
    assert_send::<Consumer<Item>>();
    assert_send::<Worker<Item>>();
    assert_send::<Stealer<Item>>();
    assert_sync::<Stealer<Item>>();
}

#[test]
fn refused_items_come_back() {
    let queue = Mpmc::with_capacity(1).unwrap();
    queue.try_put(Box::new(1)).unwrap();
    let refused = queue.try_put(Box::new(2)).unwrap_err();
    assert_eq!((refused.error, *refused.item), (Error::Full, 2));
    let refused = queue.put(Box::new(3), Timeout::from_nanos(1)).unwrap_err();
    assert_eq!((refused.error, *refused.item), (Error::Timeout, 3));
    queue.close();
    let refused = queue.put(Box::new(4), Timeout::Never).unwrap_err();
    assert_eq!((refused.error, *refused.item), (Error::Closed, 4));
    assert_eq!(queue.try_get(), Ok(Box::new(1)));
    assert_eq!(queue.try_get(), Err(Error::Closed));

    let (mut producer, mut consumer) = spsc(1).unwrap();
    producer.try_put(String::from("first")).unwrap();
    let refused = producer.try_put(String::from("second")).unwrap_err();
    assert_eq!((refused.error, &*refused.item), (Error::Full, "second"));
    assert_eq!(consumer.try_get().as_deref(), Ok("first"));
    drop(consumer);
    let refused = producer.put(String::from("third"), Timeout::Never).unwrap_err();
    assert_eq!((refused.error, &*refused.item), (Error::Closed, "third"));

    let (mut worker, stealer) = deque(1).unwrap();
    worker.push(String::from("first")).unwrap();
    let refused = worker.push(String::from("second")).unwrap_err();
    assert_eq!((refused.error, &*refused.item), (Error::Full, "second"));
    assert_eq!(worker.stealer().steal().as_deref(), Ok("first"));
    assert_eq!((worker.pop(), stealer.steal()), (Err(Error::Empty), Err(Error::Empty)));
}

/// Counts how many were made and how many are left.
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
    assert_eq!(alive.load(Relaxed), 0, "leftovers go with the queue");

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

/// A value without a size, which counts all the same.
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

/// Larger steps than any cache line, and than a page.
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
        let get = spawn(move || (consumer.get(Timeout::Never), consumer.get(Timeout::Never)));
        producer.put(1, Timeout::Never).unwrap();
        drop(producer);
        assert_eq!(get.join().unwrap(), (Ok(1), Err(Error::Closed)));

        let (mut producer, consumer) = spsc(1).unwrap();
        producer.put(1, Timeout::Never).unwrap();
        let put = spawn(move || producer.put(2, Timeout::Never).map_err(|refused| refused.error));
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
                .map(|_| {
                    all.spawn(|| (1..=100).for_each(|i| queue.put(i, Timeout::Never).unwrap()))
                })
                .collect();
            for _ in 0..3 {
                all.spawn(|| {
                    while let Ok(i) = queue.get(Timeout::Never) {
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
         \"peak_size\":1,\"current_size\":1,\"capacity\":4,\"stolen\":0}"
    );
}

#[test]
fn a_priority_queue_owns_its_values() {
    use queues::Priority;
    use std::sync::Arc;

    let queue = Priority::with_capacity(5).unwrap();
    let value = Arc::new(());
    for priority in [3.0, 1.0, 2.0, 1.0, f64::INFINITY] {
        queue.try_put(value.clone(), priority).unwrap();
    }
    let refused = queue.try_put(value.clone(), 0.0).unwrap_err();
    assert_eq!(refused.error, Error::Full);
    drop(refused);
    let refused = queue.put(value.clone(), f64::NAN, Timeout::Never).unwrap_err();
    assert_eq!(refused.error, Error::Invalid);
    drop(refused);
    assert_eq!(Arc::strong_count(&value), 6);
    assert_eq!(queue.try_get().unwrap().1, 1.0);
    assert_eq!(Arc::strong_count(&value), 5);
    assert_eq!((queue.clear(), Arc::strong_count(&value)), (4, 1));
    assert_eq!(queue.get(Timeout::from_nanos(1)), Err(Error::Timeout));
    queue.put(value.clone(), -0.0, Timeout::Never).unwrap();
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
