//! Futures lose no wake-up, in every interleaving and with every value that a weakly ordered
//! machine may read. The executor of a model is a thread that sleeps until its `Waker` is called,
//! so a lost wake-up is a deadlock, which loom reports. As for the bounds see `loom.rs`.
//!
//! Each of these mutants of `src/wait/wakers.rs` fails a model here:
//! - `Turn::check` without the second check, or with the `Waker` of the first poll for good;
//! - `Wakers::add` without the announcement; `note_empty` although others wait;
//! - `Wakers::remove` that passes nothing on; `with` that does not look at `pending` after the
//!   release;
//! - the waker (a thread), or the thread that releases the list, without its fence;
//!   `STORES_VISIBLE` read Relaxed.
#![cfg(loom)]

mod support;

use loom::sync::{Condvar, Mutex};
use loom::thread::{JoinHandle, spawn};
use queues::queue::{Get, Put};
use queues::sync::fence::withdrawal;
use queues::wait::{Blocking, Wait};
use queues::{Error, Result};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use support::flag::Flag;
use support::models::{explore, join};

type Queue = Arc<Blocking<Flag>>;

fn queue(capacity: usize) -> Queue {
    Arc::new(Blocking::new(Flag::new(capacity)))
}

fn try_get(queue: &Queue) -> Result<usize> {
    let mut item = std::ptr::null_mut();
    // SAFETY: any thread may get.
    unsafe { queue.queue().try_get(&mut item) }.map(|()| item.addr())
}

fn get(queue: &Queue) -> impl Future<Output = Result<usize>> {
    queue.get_by_async(|| try_get(queue))
}

fn get_blocking(queue: &Queue) -> Result<usize> {
    let mut item = std::ptr::null_mut();
    // SAFETY: any thread may get.
    unsafe { queue.get(&mut item, Wait::Forever) }.map(|()| item.addr())
}

fn put(queue: &Queue, item: usize) -> Result {
    // SAFETY: one thread of each model puts.
    unsafe { queue.try_put(&std::ptr::without_provenance_mut(item), ()) }
}

fn put_async(queue: &Queue, item: usize) -> impl Future<Output = Result> {
    queue.put_by_async(move || {
        // SAFETY: as in `put`.
        unsafe { queue.queue().try_put(&std::ptr::without_provenance_mut(item), ()) }
    })
}

/// A `Waker` that wakes the thread that runs the future.
struct Signal {
    woken: Mutex<bool>,
    sleeper: Condvar,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().unwrap() = true;
        self.sleeper.notify_one();
    }
}

impl Signal {
    fn new() -> Arc<Self> {
        Arc::new(Self { woken: Mutex::new(false), sleeper: Condvar::new() })
    }
    fn wait(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.sleeper.wait(woken).unwrap();
        }
        *woken = false;
    }
    fn poll<F: Future>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(self.clone())))
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let (signal, mut future) = (Signal::new(), pin!(future));
    loop {
        match signal.poll(future.as_mut()) {
            Poll::Ready(done) => return done,
            Poll::Pending => signal.wait(),
        }
    }
}

/// The result of a get, on a thread of its own.
fn getter(queue: &Queue) -> JoinHandle<Result<usize>> {
    let queue = queue.clone();
    spawn(move || block_on(get(&queue)))
}

/// A put or a close wakes the future that waits.
#[test]
fn a_future_wakes() {
    let model = |refused_after: Option<u32>, closes: bool| {
        move || {
            refused_after.into_iter().for_each(withdrawal::after);
            let queue = queue(1);
            let getter = getter(&queue);
            if closes {
                queue.close();
            } else {
                put(&queue, 1).unwrap();
            }
            let expected = if closes { Err(Error::Closed) } else { Ok(1) };
            assert_eq!(getter.join().unwrap(), expected);
        }
    };
    for closes in [false, true] {
        explore("a future", Some(3), model(None, closes));
        for calls in 0..=1 {
            explore("a future without membarrier", Some(2), model(Some(calls), closes));
        }
    }
}

/// Two futures and two puts; two futures and a put of two items; a future and a thread that sleeps.
#[test]
fn each_item_wakes_a_future() {
    type Start = fn(&Queue) -> JoinHandle<Result<usize>>;
    let asleep: Start = |queue| {
        let queue = queue.clone();
        spawn(move || get_blocking(&queue))
    };
    let cases = [
        (getter as Start, false, None),
        (getter, true, None),
        (asleep, false, None),
        (getter, false, Some(0)),
        (getter, false, Some(1)),
        (asleep, false, Some(0)),
        (asleep, false, Some(1)),
    ];
    for (other, at_once, refused_after) in cases {
        explore(&format!("two waiters {refused_after:?}"), Some(2), move || {
            refused_after.into_iter().for_each(withdrawal::after);
            let queue = queue(2);
            let getters = vec![getter(&queue), other(&queue)];
            if at_once {
                let items = [1, 2].map(std::ptr::without_provenance_mut);
                // SAFETY: the only thread that puts.
                let put = unsafe { queue.put_many(items.as_ptr(), 2, Wait::No) };
                assert_eq!(put, (2, Ok(())));
            } else {
                put(&queue, 1).unwrap();
                put(&queue, 2).unwrap();
            }
            let mut got: Vec<_> = join(getters).into_iter().map(Result::unwrap).collect();
            got.sort_unstable();
            assert_eq!(got, [1, 2]);
        });
    }
}

/// Two threads wake futures at once: no wake-up is left over.
#[test]
fn a_put_beside_a_close() {
    explore("a put beside a close", Some(2), || {
        let queue = queue(1);
        let getters = vec![getter(&queue), getter(&queue)];
        let putter = spawn({
            let queue = queue.clone();
            move || put(&queue, 1).is_ok()
        });
        queue.close();
        let was_put = putter.join().unwrap();
        let got = join(getters);
        let count = got.iter().filter(|got| **got == Ok(1)).count();
        // A put of a flag may end after a get has found it closed.
        assert!(count <= usize::from(was_put), "{got:?}");
    });
}

/// A future is dropped at any moment beside a put: either it has taken the item, or the other
/// future gets it, without another call.
#[test]
fn a_dropped_future_passes_its_wake_up_on() {
    explore("a dropped future", Some(2), || {
        let queue = queue(1);
        let dropped = spawn({
            let queue = queue.clone();
            move || match Signal::new().poll(pin!(get(&queue))) {
                Poll::Ready(got) => Some(got.unwrap()),
                Poll::Pending => None,
            }
        });
        let other = getter(&queue);
        // This thread only joins, so that the futures may come first without a preemption.
        let putter = spawn({
            let queue = queue.clone();
            move || put(&queue, 1).unwrap()
        });
        putter.join().unwrap();
        let taken = dropped.join().unwrap();
        if taken.is_some() {
            queue.close();
        }
        let expected = if taken.is_some() { Err(Error::Closed) } else { Ok(1) };
        assert_eq!(other.join().unwrap(), expected);
    });
}

/// A future that finds an item before it is woken for another item leaves that wake-up to the next
/// future.
#[test]
fn a_future_that_needs_no_wake_up_passes_it_on() {
    explore("a future polled twice", Some(2), || {
        let queue = queue(2);
        let polled = spawn({
            let queue = queue.clone();
            move || {
                let (signal, mut future) = (Signal::new(), pin!(get(&queue)));
                for _ in 0..2 {
                    if let Poll::Ready(got) = signal.poll(future.as_mut()) {
                        return Some(got.unwrap());
                    }
                }
                None
            }
        });
        let other = getter(&queue);
        put(&queue, 1).unwrap();
        put(&queue, 2).unwrap();
        let mut got = vec![other.join().unwrap().unwrap()];
        got.extend(polled.join().unwrap());
        got.extend(try_get(&queue));
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
    });
}

/// A future that moves to another task is woken there.
#[test]
fn a_future_is_woken_where_it_was_polled_last() {
    explore("two `Waker`s", Some(3), || {
        let queue = queue(1);
        let getter = spawn({
            let queue = queue.clone();
            move || {
                let mut future = pin!(get(&queue));
                match Signal::new().poll(future.as_mut()) {
                    Poll::Ready(got) => got,
                    Poll::Pending => block_on(future),
                }
            }
        });
        put(&queue, 1).unwrap();
        assert_eq!(getter.join().unwrap(), Ok(1));
    });
}

/// Room wakes a put, and its item then wakes a get.
#[test]
fn puts_and_gets() {
    explore("puts and gets", Some(2), || {
        let queue = queue(1);
        let getter = spawn({
            let queue = queue.clone();
            move || [(); 2].map(|()| block_on(get(&queue)).unwrap())
        });
        block_on(put_async(&queue, 1)).unwrap();
        block_on(put_async(&queue, 2)).unwrap();
        assert_eq!(getter.join().unwrap(), [1, 2]);
    });
}
