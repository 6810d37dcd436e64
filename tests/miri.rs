//! Small programs for Miri, which runs each with many schedules and lets loads return old values,
//! as weakly ordered machines do. They run without it too, and then prove little.
//!
//! Pointers pass through `Direct` as integers on purpose, so that strict provenance is not asked
//! for.
#![cfg(not(loom))]

mod support;

use queues::wait::Timeout;
use queues::{Error, Mpmc, Priority};
use std::sync::Arc;
use support::subject::{self, Disposed, Kind};

const KINDS: [(&str, Kind); 7] = [
    #[cfg(any(target_arch = "x86_64", miri))]
    ("direct", subject::direct),
    #[cfg(not(any(target_arch = "x86_64", miri)))]
    ("indirect", subject::indirect),
    ("indirect", subject::indirect),
    ("bytes", subject::indirect_bytes),
    ("spsc", subject::spsc_pointers),
    ("spsc bytes", subject::spsc_bytes),
    ("priority", subject::priority_equal),
    ("priority bytes", subject::priority_equal_bytes),
];

const ITEMS: u64 = 4;

/// One producer that closes, one consumer that drains; both sleep.
fn transfer(kind: Kind, capacity: usize) {
    let queue = kind(capacity, 0, Disposed::default());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for item in 1..=ITEMS {
                queue.put(item, Timeout::Never).unwrap();
            }
            queue.close();
        });
        for item in 1..=ITEMS {
            assert_eq!(queue.get(Timeout::Never), Ok(item));
        }
        assert_eq!(queue.get(Timeout::Never), Err(Error::Closed));
    });
}

#[test]
fn transfers() {
    for (_, kind) in KINDS {
        for capacity in [1, 3] {
            transfer(kind, capacity);
        }
    }
}

/// A close from a third thread: what was accepted is got or disposed of, and nothing else.
#[test]
fn close_races() {
    for (name, kind) in KINDS {
        let log = Disposed::default();
        let queue = kind(2, 0, log.clone());
        let (put, got) = std::thread::scope(|scope| {
            let producer =
                scope.spawn(|| (1..=3).take_while(|&i| queue.try_put(i).is_ok()).count());
            scope.spawn(|| queue.close());
            let consumer = scope.spawn(|| (0..2).filter_map(|_| queue.try_get().ok()).count());
            (producer.join().unwrap(), consumer.join().unwrap())
        });
        assert_eq!(queue.try_put(9), Err(Error::Closed));
        drop(queue);
        assert_eq!(put, got + log.lock().unwrap().len(), "{name}");
    }
}

/// Peeks beside puts and gets that reuse the cells.
#[test]
fn peeks() {
    for (_, kind) in KINDS.iter().filter(|(name, _)| !name.starts_with("spsc")) {
        let queue = kind(1, 0, Disposed::default());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for item in 1..=ITEMS {
                    _ = queue.try_put(item);
                    _ = queue.try_get();
                }
            });
            for _ in 0..ITEMS {
                if let Some(Ok(item)) = queue.peek() {
                    assert!((1..=ITEMS).contains(&item));
                }
            }
        });
    }
}

/// Values that own memory; two producers, two consumers, leftovers.
#[test]
fn boxes() {
    let queue = Arc::new(Mpmc::with_capacity(2).unwrap());
    let sum: u64 = std::thread::scope(|scope| {
        for producer in 0..2 {
            let queue = &queue;
            scope.spawn(move || queue.put(Box::new(producer + 1), Timeout::Never).unwrap());
        }
        let consumers = [0, 1].map(|_| scope.spawn(|| *queue.get(Timeout::Never).unwrap()));
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
            scope.spawn(move || queue.put(item, producer as f64, Timeout::Never).unwrap());
        }
        let consumers = [0, 1].map(|_| scope.spawn(|| *queue.get(Timeout::Never).unwrap().0));
        consumers.map(|consumer| consumer.join().unwrap()).iter().sum()
    });
    assert_eq!(sum, 3);
    queue.try_put(Box::new(7), 1.0).unwrap();
}
