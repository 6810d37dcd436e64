//! Futures of queues, on two independent executors: each item arrives once and in order, whatever
//! is dropped meanwhile; one `Waker` is called for an item; no wake-up is lost.

#![cfg(not(loom))]

mod support;

use futures_lite::future::{block_on, or, poll_fn, yield_now};
use queues::{
    Batcher, Error, Event, Limits, Mpmc, Priority, Wait, deque, growable_deque, poll, spsc,
};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::{Future, ready};
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{scope, sleep, spawn};
use std::time::{Duration, Instant};
use support::random::{Random, first_seed, setting, with_seed};
use support::watchdog::watched;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

fn task(future: impl Future<Output = ()> + Send + 'static) -> Task {
    Box::pin(future)
}

/// Runs tasks to their end on two threads.
type Executor = fn(Vec<Task>);

const EXECUTORS: [(&str, Executor); 2] = [("tokio", on_tokio), ("async-executor", on_smol)];

fn on_tokio(tasks: Vec<Task>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_time().build().unwrap().block_on(async {
        let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

fn on_smol(tasks: Vec<Task>) {
    let executor = async_executor::Executor::new();
    let tasks: Vec<_> = tasks.into_iter().map(|task| executor.spawn(task)).collect();
    let over = Event::new();
    scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| block_on(executor.run(over.wait_async())));
        }
        block_on(async {
            for task in tasks {
                task.await;
            }
        });
        over.set();
    });
}

/// A `Waker` that counts its calls, and notes their order among several.
struct Counting {
    calls: AtomicUsize,
    name: usize,
    order: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.calls.fetch_add(1, SeqCst);
        self.order.lock().unwrap().push(self.name);
    }
}

/// Futures that the test polls itself, each with a `Waker` of its own.
struct Hand<F> {
    futures: Vec<Option<Pin<Box<F>>>>,
    wakers: Vec<Arc<Counting>>,
    order: Arc<Mutex<Vec<usize>>>,
}

impl<F: Future> Hand<F> {
    fn new(futures: impl IntoIterator<Item = F>) -> Self {
        let futures: Vec<_> = futures.into_iter().map(|future| Some(Box::pin(future))).collect();
        let order = Arc::<Mutex<Vec<usize>>>::default();
        let waker =
            |name| Arc::new(Counting { calls: AtomicUsize::new(0), name, order: order.clone() });
        Self { wakers: (0..futures.len()).map(waker).collect(), futures, order }
    }
    fn poll(&mut self, i: usize) -> Poll<F::Output> {
        let waker = Waker::from(self.wakers[i].clone());
        let polled =
            self.futures[i].as_mut().unwrap().as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            self.futures[i] = None;
        }
        polled
    }
    /// Polls all that are left, in order; all must wait.
    fn all_wait(&mut self) {
        for i in 0..self.futures.len() {
            if self.futures[i].is_some() {
                assert!(self.poll(i).is_pending(), "future {i}");
            }
        }
    }
    fn drop_future(&mut self, i: usize) {
        self.futures[i] = None;
    }
    /// The futures that were woken since the last call, in that order.
    fn woken(&self) -> Vec<usize> {
        std::mem::take(&mut self.order.lock().unwrap())
    }
}

/// Whether a future is pending after a poll with a `Waker` that does nothing.
fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn is_send<T: Send>(future: T) -> T {
    future
}

/// An item that is `Send` and no more.
type OnlySend = Cell<u8>;

#[test]
fn futures_may_go_to_other_threads() {
    let item = || OnlySend::new(0);
    let queue = Mpmc::with_capacity(1).unwrap();
    let mut items = Vec::new();
    drop(is_send(queue.put_async(item())));
    drop(is_send(queue.get_async()));
    drop(is_send(queue.put_many_async(&mut items)));
    drop(is_send(queue.get_many_async(&mut items, 1)));
    let (mut producer, mut consumer) = spsc(1).unwrap();
    drop(is_send(producer.put_async(item())));
    drop(is_send(consumer.get_async()));
    let queue = Priority::with_capacity(1).unwrap();
    drop(is_send(queue.put_async(item(), 1.0)));
    drop(is_send(queue.get_async()));
    let queue = Batcher::new(1, Limits { size: 1, age: None, weight: None }).unwrap();
    drop(is_send(queue.put_async(item())));
    drop(is_send(queue.get_batch_async(ready)));
    let (_worker, stealer) = deque::<OnlySend>(1).unwrap();
    drop(is_send(stealer.steal_async()));
    drop(is_send(Event::new().wait_async()));
}

#[test]
fn an_item_wakes_one_future_first_come_first_served() {
    let queue = Mpmc::with_capacity(8).unwrap();
    let mut hand = Hand::new((0..4).map(|_| queue.get_async()));
    hand.all_wait();
    queue.try_put(1).unwrap();
    assert_eq!(hand.woken(), [0]);
    assert_eq!(queue.put_many(&mut vec![2, 3], Wait::No), Ok(()));
    assert_eq!(hand.woken(), [1, 2]);
    assert_eq!([0, 1, 2].map(|i| hand.poll(i)), [1, 2, 3].map(|item| Poll::Ready(Ok(item))));
    // A poll without a wake-up keeps the place; so does a poll of a future that lost its item.
    assert!(hand.poll(3).is_pending());
    queue.try_put(4).unwrap();
    assert_eq!(queue.try_get(), Ok(4), "another call is faster");
    assert_eq!(hand.woken(), [3]);
    assert!(hand.poll(3).is_pending());
    queue.try_put(5).unwrap();
    queue.try_put(6).unwrap();
    assert_eq!(hand.woken(), [3], "one future waits");
    assert_eq!(hand.poll(3), Poll::Ready(Ok(5)));
    queue.try_put(7).unwrap();
    assert_eq!(hand.woken(), [0; 0], "none waits");
}

#[test]
fn a_place_wakes_one_put() {
    let queue = Mpmc::with_capacity(2).unwrap();
    queue.put_many(&mut vec![1, 2], Wait::No).unwrap();
    let mut hand = Hand::new((3..6).map(|item| queue.put_async(item)));
    hand.all_wait();
    assert_eq!(queue.try_get(), Ok(1));
    assert_eq!(hand.woken(), [0]);
    assert_eq!(hand.poll(0), Poll::Ready(Ok(())));
    assert_eq!(queue.get_many(&mut Vec::new(), 2, Wait::No), Ok(2));
    assert_eq!(hand.woken(), [1, 2]);
    hand.drop_future(1);
    assert_eq!(hand.poll(2), Poll::Ready(Ok(())));
    assert_eq!(queue.try_iter().collect::<Vec<_>>(), [5], "the item of a dropped put");
}

#[test]
fn a_dropped_future_passes_its_wake_up_on() {
    let queue = Mpmc::with_capacity(8).unwrap();
    let mut hand = Hand::new((0..4).map(|_| queue.get_async()));
    hand.all_wait();
    queue.try_put(1).unwrap();
    assert_eq!(hand.woken(), [0]);
    hand.drop_future(0);
    assert_eq!(hand.woken(), [1]);
    hand.drop_future(2);
    assert_eq!(hand.woken(), [0; 0], "it had none");
    hand.drop_future(1);
    assert_eq!(hand.woken(), [3]);
    assert_eq!(hand.poll(3), Poll::Ready(Ok(1)));
}

#[test]
fn a_future_is_woken_where_it_was_polled_last() {
    let queue = Mpmc::<u8>::with_capacity(1).unwrap();
    let mut future = pin!(queue.get_async());
    let mut hand = Hand::new([ready(()), ready(())]);
    for waker in &hand.wakers {
        let waker = Waker::from(waker.clone());
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    queue.try_put(1).unwrap();
    assert_eq!(hand.woken(), [1]);
    assert_eq!(poll_once(future), Poll::Ready(Ok(1)));
    assert!(hand.poll(0).is_ready());
    assert_eq!(Arc::strong_count(&hand.wakers[1]), 1, "no `Waker` is left in the queue");
}

#[test]
fn close_wakes_all_futures_of_both_ends() {
    // More than are woken at once.
    let queue = Mpmc::<u8>::with_capacity(1).unwrap();
    let mut gets = Hand::new((0..100).map(|_| queue.get_async()));
    gets.all_wait();
    let full = Mpmc::with_capacity(1).unwrap();
    full.try_put(0).unwrap();
    let mut puts = Hand::new((0..100).map(|item| full.put_async(item)));
    puts.all_wait();
    queue.close();
    full.close();
    assert_eq!(gets.woken(), (0..100).collect::<Vec<_>>());
    assert_eq!(puts.woken(), (0..100).collect::<Vec<_>>());
    for i in 0..100 {
        assert_eq!(gets.poll(i), Poll::Ready(Err(Error::Closed)));
        let Poll::Ready(Err(refused)) = puts.poll(i) else { panic!("put {i}") };
        assert_eq!((refused.error, refused.item), (Error::Closed, i), "the item comes back");
    }
    assert_eq!(block_on(full.get_async()), Ok(0), "what was in the queue");
    assert_eq!(block_on(full.get_async()), Err(Error::Closed));
}

#[test]
fn a_put_that_is_dropped_drops_its_item_once() {
    let token = Arc::new(());
    let queue = Mpmc::with_capacity(1).unwrap();
    queue.try_put(token.clone()).unwrap();
    let mut put = Box::pin(queue.put_async(token.clone()));
    assert!(poll_once(put.as_mut()).is_pending());
    assert_eq!(Arc::strong_count(&token), 3);
    drop(put);
    assert_eq!(Arc::strong_count(&token), 2);
    assert_eq!(queue.clear(), 1);
    block_on(queue.put_async(token.clone())).unwrap();
    assert_eq!(Arc::strong_count(&token), 2);
    drop(queue);
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn a_put_of_many_keeps_what_it_did_not_put() {
    let queue = Mpmc::with_capacity(2).unwrap();
    let mut items = vec![1, 2, 3, 4, 5];
    {
        let mut put = pin!(queue.put_many_async(&mut items));
        assert!(poll_once(put.as_mut()).is_pending());
        assert_eq!(queue.try_get(), Ok(1));
        assert!(poll_once(put.as_mut()).is_pending());
    }
    assert_eq!(items, [4, 5]);
    let mut got = Vec::new();
    assert_eq!(block_on(queue.get_many_async(&mut got, 9)), Ok(2));
    assert_eq!(block_on(queue.get_many_async(&mut got, 0)), Ok(0));
    assert_eq!(got, [2, 3]);
    block_on(queue.put_many_async(&mut items)).unwrap();
    assert_eq!(queue.try_iter().collect::<Vec<_>>(), [4, 5]);
    assert!(items.is_empty());
}

/// Panics when called.
struct Panicking;

impl Wake for Panicking {
    fn wake(self: Arc<Self>) {
        panic!("a `Waker`");
    }
}

#[test]
fn a_waker_that_panics_stops_neither_the_put_nor_other_wake_ups() {
    let queue = Mpmc::with_capacity(4).unwrap();
    let mut first = Box::pin(queue.get_async());
    let waker = Waker::from(Arc::new(Panicking));
    assert!(first.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let mut hand = Hand::new((0..2).map(|_| queue.get_async()));
    hand.all_wait();
    assert_eq!(queue.put_many(&mut vec![1, 2, 3], Wait::No), Ok(()));
    assert_eq!(hand.woken(), [0, 1]);
    assert_eq!(hand.poll(0), Poll::Ready(Ok(1)));
    assert_eq!(hand.poll(1), Poll::Ready(Ok(2)));
    assert_eq!(poll_once(first.as_mut()), Poll::Ready(Ok(3)));
}

#[test]
fn an_event_wakes_all_futures_until_it_is_reset() {
    let event = Event::new();
    let mut hand = Hand::new((0..3).map(|_| event.wait_async()));
    hand.all_wait();
    event.clone().set();
    assert_eq!(hand.woken(), [0, 1, 2]);
    assert!(hand.poll(0).is_ready());
    event.reset();
    assert!(hand.poll(1).is_pending(), "it was reset before the future looked");
    event.set();
    assert_eq!(hand.woken(), [1], "the other one was woken already");
    assert!(hand.poll(1).is_ready() && hand.poll(2).is_ready());
    block_on(event.wait_async());
}

#[test]
fn a_push_wakes_one_thief() {
    let (mut worker, stealer) = deque(4).unwrap();
    let mut hand = Hand::new((0..2).map(|_| stealer.steal_async()));
    hand.all_wait();
    worker.push(1).unwrap();
    assert_eq!(hand.woken(), [0]);
    worker.push(2).unwrap();
    assert_eq!(hand.woken(), [1]);
    assert_eq!((hand.poll(1), hand.poll(0)), (Poll::Ready(1), Poll::Ready(2)));
}

#[test]
fn a_queue_with_a_descriptor_wakes_futures_too() {
    let queue = Mpmc::with_capacity(1).unwrap();
    queue.readable_fd().unwrap();
    let mut hand = Hand::new([queue.get_async()]);
    for item in 1..3 {
        hand.futures[0] = Some(Box::pin(queue.get_async()));
        hand.all_wait();
        queue.try_put(item).unwrap();
        assert_eq!(hand.woken(), [0]);
        assert_eq!(hand.poll(0), Poll::Ready(Ok(item)));
        assert_eq!(queue.try_get(), Err(Error::Empty));
    }
}

// --- batches

#[test]
fn a_batch_is_due_by_its_number_its_age_a_flush_and_a_close() {
    let age = Some(Duration::from_secs(3600));
    let queue = Batcher::new(9, Limits { size: 2, age, weight: None }).unwrap();
    let made = AtomicUsize::new(0);
    let never = |left: Duration| {
        assert!(left > Duration::from_secs(3000), "{left:?}");
        made.fetch_add(1, SeqCst);
        std::future::pending::<()>()
    };
    let mut hand = Hand::new([queue.get_batch_async(never)]);
    hand.all_wait();
    assert_eq!(made.load(SeqCst), 0, "nothing is pending, so no timer");
    queue.try_put(1).unwrap();
    assert_eq!(hand.woken(), [0], "to set its timer");
    hand.all_wait();
    assert_eq!(made.load(SeqCst), 1);
    queue.try_put(2).unwrap();
    assert_eq!(hand.woken(), [0]);
    assert_eq!(hand.poll(0), Poll::Ready(Ok(vec![1, 2])));
    for close in [false, true] {
        let mut hand = Hand::new([queue.get_batch_async(|_| std::future::pending::<()>())]);
        queue.try_put(3).unwrap();
        hand.all_wait();
        if close {
            queue.close()
        } else {
            queue.flush()
        }
        assert_eq!(hand.woken(), [0]);
        assert_eq!(hand.poll(0), Poll::Ready(Ok(vec![3])));
    }
    assert_eq!(block_on(queue.get_batch_async(|_| ready(()))), Err(Error::Closed));
}

#[test]
fn a_batch_ages_on_every_timer() {
    let limits = Limits { size: 9, age: Some(Duration::from_millis(20)), weight: None };
    let queue = Batcher::new(9, limits).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let begin = Instant::now();
    queue.try_put(1).unwrap();
    assert_eq!(runtime.block_on(queue.get_batch_async(tokio::time::sleep)), Ok(vec![1]));
    assert!(begin.elapsed() >= Duration::from_millis(20));
    // A timer that ends far too early.
    queue.try_put(2).unwrap();
    assert_eq!(block_on(queue.get_batch_async(|left| async move { sleep(left / 2) })), Ok(vec![2]));
    assert!(begin.elapsed() >= Duration::from_millis(40));
}

/// When the future that is responsible for a batch is dropped, another waiter becomes responsible.
#[test]
fn a_dropped_future_leaves_its_batch_to_another_waiter() {
    watched("a dropped future leaves its batch", || {
        let limits = Limits { size: 9, age: Some(Duration::from_millis(30)), weight: None };
        let queue = Arc::new(Batcher::new(9, limits).unwrap());
        let never = |_| std::future::pending::<()>();
        let mut hand = Hand::new([queue.get_batch_async(never)]);
        hand.all_wait();
        queue.try_put(1).unwrap();
        hand.all_wait();
        let thread = spawn({
            let queue = queue.clone();
            move || queue.get_batch(Wait::Forever)
        });
        sleep(Duration::from_millis(5));
        hand.drop_future(0);
        assert_eq!(thread.join().unwrap(), Ok(vec![1]));
        // To a future.
        let mut hand = Hand::new((0..2).map(|_| queue.get_batch_async(never)));
        hand.all_wait();
        queue.try_put(2).unwrap();
        assert_eq!(hand.woken(), [0]);
        assert!(hand.poll(0).is_pending());
        hand.drop_future(0);
        assert_eq!(hand.woken(), [1]);
    });
}

// --- storms

/// Ends with `None` after a number of polls that found the future waiting; with `u64::MAX` polls, it
/// waits by the wake-ups of the future alone.
async fn patient<F: Future>(future: F, mut polls: u64) -> Option<F::Output> {
    if polls == u64::MAX {
        return Some(future.await);
    }
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if polls == 0 => Poll::Ready(None),
        Poll::Pending => {
            polls -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// How often a future of a storm is polled before it is dropped; mostly as long as it takes.
fn patience(random: &mut Random) -> u64 {
    if random.one_in(3) { random.below(3) } else { u64::MAX }
}

/// Waits until `future` ends: either by its wake-ups alone, or it is dropped after some polls and
/// made anew.
async fn insist<F: Future>(random: &mut Random, mut future: impl FnMut() -> F) -> F::Output {
    loop {
        let polls = patience(random);
        if let Some(done) = patient(future(), polls).await {
            return done;
        }
    }
}

const PRODUCERS: u64 = 3;
const CONSUMERS: u64 = 3;

fn items() -> u64 {
    setting("QUEUES_ITEMS", if cfg!(miri) { 10 } else { 20_000 })
}

/// An item has its producer in the upper half.
fn item(producer: u64, number: u64) -> u64 {
    producer << 32 | number
}

/// Every item arrived once; and each consumer got the items of each producer in their order if
/// `in_order`.
fn check(got: &[Vec<u64>], producers: u64, in_order: bool) {
    let all: BTreeSet<u64> = got.iter().flatten().copied().collect();
    assert_eq!(all.len(), got.iter().map(Vec::len).sum(), "an item arrived twice");
    let expected = (0..producers).flat_map(|p| (0..items()).map(move |n| item(p, n)));
    assert!(all.into_iter().eq(expected), "an item is missing");
    for list in got.iter().filter(|_| in_order) {
        for producer in 0..producers {
            let own = list.iter().filter(|&&item| item >> 32 == producer);
            assert!(own.is_sorted(), "the items of producer {producer}");
        }
    }
}

/// The lists of several consumers.
type Got = Arc<Mutex<Vec<Vec<u64>>>>;

/// Runs `test` with the name of each executor; what fails or hangs names its seed.
fn on_executors(what: &str, test: impl Fn(&str, Executor, &mut Random)) {
    for (name, run) in EXECUTORS {
        let (what, seed) = (format!("{what} on {name}"), first_seed());
        with_seed(&what, seed, || {
            watched(&format!("{what}, seed {seed}"), || test(name, run, &mut Random::new(seed)));
        });
    }
}

/// A storm on each executor: what the tasks are, and what must hold in the end.
fn storm(
    what: &str,
    tasks: impl Fn(&str, &mut Random, &Got) -> Vec<Task>,
    producers: u64,
    in_order: bool,
) {
    on_executors(what, |executor, run, random| {
        let got = Got::default();
        run(tasks(executor, random, &got));
        check(&got.lock().unwrap(), producers, in_order);
    });
}

/// Closes when the last of several producers is done.
struct Closing<Q>(Arc<Q>, fn(&Q));

impl<Q> Drop for Closing<Q> {
    fn drop(&mut self) {
        (self.1)(&self.0);
    }
}

#[test]
fn storm_of_mpmc() {
    for capacity in [1, 4, 100] {
        let tasks = |_: &str, random: &mut Random, got: &Got| {
            let queue = Arc::new(Mpmc::with_capacity(capacity).unwrap());
            let closing = Arc::new(Closing(queue.clone(), Mpmc::close));
            let producers = (0..PRODUCERS).map(|producer| {
                let (queue, closing, mut random) = (queue.clone(), closing.clone(), random.split());
                task(async move {
                    let mut number = 0;
                    while number < items() {
                        if random.one_in(8) {
                            let end = (number + random.within(1..=5)).min(items());
                            let mut many: Vec<_> =
                                (number..end).map(|number| item(producer, number)).collect();
                            // Dropped in the middle, it keeps the rest.
                            while !many.is_empty() {
                                let polls = patience(&mut random);
                                let put = queue.put_many_async(&mut many);
                                _ = patient(put, polls).await;
                            }
                            number = end;
                        } else {
                            let put = || queue.put_async(item(producer, number));
                            insist(&mut random, put).await.unwrap();
                            number += 1;
                        }
                    }
                    drop(closing);
                })
            });
            let producers: Vec<_> = producers.collect();
            let consumers = (0..CONSUMERS).map(|_| {
                let (queue, got, mut random) = (queue.clone(), got.clone(), random.split());
                task(async move {
                    let mut list = Vec::new();
                    loop {
                        if random.one_in(8) {
                            let polls = patience(&mut random);
                            let get = queue.get_many_async(&mut list, 3);
                            if let Some(Err(why)) = patient(get, polls).await {
                                assert_eq!(why, Error::Closed);
                                break;
                            }
                        } else {
                            match insist(&mut random, || queue.get_async()).await {
                                Ok(item) => list.push(item),
                                Err(why) => {
                                    assert_eq!(why, Error::Closed);
                                    break;
                                }
                            }
                        }
                    }
                    got.lock().unwrap().push(list);
                })
            });
            let mut tasks = producers;
            tasks.extend(consumers);
            tasks
        };
        storm(&format!("mpmc of {capacity}"), tasks, PRODUCERS, true);
    }
}

#[test]
fn storm_of_spsc() {
    for capacity in [1, 50] {
        let tasks = |_: &str, random: &mut Random, got: &Got| {
            let (mut producer, mut consumer) = spsc(capacity).unwrap();
            let (got, mut at_producer, mut at_consumer) =
                (got.clone(), random.split(), random.split());
            let puts = async move {
                for number in 0..items() {
                    loop {
                        let polls = patience(&mut at_producer);
                        match patient(producer.put_async(item(0, number)), polls).await {
                            Some(put) => break put.unwrap(),
                            None => continue,
                        }
                    }
                }
            };
            let gets = async move {
                let mut list = Vec::new();
                loop {
                    let polls = patience(&mut at_consumer);
                    match patient(consumer.get_async(), polls).await {
                        Some(Ok(item)) => list.push(item),
                        Some(Err(why)) => break assert_eq!(why, Error::Closed),
                        None => {}
                    }
                }
                got.lock().unwrap().push(list);
            };
            vec![task(puts), task(gets)]
        };
        storm(&format!("spsc of {capacity}"), tasks, 1, true);
    }
}

#[test]
fn storm_of_priority() {
    let tasks = |_: &str, random: &mut Random, got: &Got| {
        let queue = Arc::new(Priority::with_capacity(3).unwrap());
        let closing = Arc::new(Closing(queue.clone(), Priority::close));
        let producers = (0..PRODUCERS).map(|producer| {
            let (queue, closing, mut random) = (queue.clone(), closing.clone(), random.split());
            task(async move {
                for number in 0..items() {
                    let rank = random.below(4) as f64;
                    let put = || queue.put_async(item(producer, number), rank);
                    insist(&mut random, put).await.unwrap();
                }
                drop(closing);
            })
        });
        let mut tasks: Vec<_> = producers.collect();
        for _ in 0..CONSUMERS {
            let (queue, got, mut random) = (queue.clone(), got.clone(), random.split());
            tasks.push(task(async move {
                let mut list = Vec::new();
                while let Ok((item, _)) = insist(&mut random, || queue.get_async()).await {
                    list.push(item);
                }
                got.lock().unwrap().push(list);
            }));
        }
        tasks
    };
    storm("priority", tasks, PRODUCERS, false);
}

#[test]
fn storm_of_thieves() {
    let tasks = |_: &str, random: &mut Random, got: &Got| {
        let (mut worker, stealer) = growable_deque(1).unwrap();
        let stop = Event::new();
        let (mut at_worker, done, own) = (random.split(), stop.clone(), got.clone());
        let pushes = async move {
            let mut list = Vec::new();
            for number in 0..items() {
                worker.push(item(0, number)).unwrap();
                if at_worker.one_in(3) {
                    list.extend(worker.pop());
                }
                if at_worker.one_in(10) {
                    yield_now().await;
                }
            }
            list.extend(worker.try_iter());
            own.lock().unwrap().push(list);
            done.set();
        };
        let thefts = (0..CONSUMERS).map(|_| {
            let (stealer, stop, got, mut random) =
                (stealer.clone(), stop.clone(), got.clone(), random.split());
            task(async move {
                let mut list = Vec::new();
                loop {
                    let steal = async { Some(insist(&mut random, || stealer.steal_async()).await) };
                    let stopped = async {
                        stop.wait_async().await;
                        None
                    };
                    match or(steal, stopped).await {
                        Some(item) => list.push(item),
                        None => break,
                    }
                }
                got.lock().unwrap().push(list);
            })
        });
        thefts.chain([task(pushes)]).collect()
    };
    storm("deque", tasks, 1, false);
}

#[test]
fn storm_of_batches() {
    let tasks = |executor: &str, random: &mut Random, got: &Got| {
        // The age on tokio's timer; on the other executor without.
        let age = (executor == "tokio").then_some(Duration::from_micros(200));
        let limits = Limits { size: 4, age, weight: Some(6) };
        let queue = Arc::new(Batcher::new(8, limits).unwrap());
        let closing = Arc::new(Closing(queue.clone(), Batcher::close));
        let producers = (0..PRODUCERS).map(|producer| {
            let (queue, closing, mut random) = (queue.clone(), closing.clone(), random.split());
            task(async move {
                for number in 0..items() {
                    let weight = random.within(1..=3);
                    let put = || queue.put_weighted_async(item(producer, number), weight);
                    insist(&mut random, put).await.unwrap();
                    if random.one_in(100) {
                        queue.flush();
                    }
                }
                drop(closing);
            })
        });
        let mut tasks: Vec<_> = producers.collect();
        for _ in 0..CONSUMERS {
            let (queue, got, mut random) = (queue.clone(), got.clone(), random.split());
            tasks.push(task(async move {
                let mut list = Vec::new();
                let get = || queue.get_batch_async(tokio::time::sleep);
                while let Ok(batch) = insist(&mut random, get).await {
                    assert!((1..=4).contains(&batch.len()));
                    list.extend(batch);
                }
                got.lock().unwrap().push(list);
            }));
        }
        tasks
    };
    storm("batches", tasks, PRODUCERS, true);
}

/// Futures and threads that block, at both ends of one queue.
#[test]
fn storm_of_futures_and_threads() {
    on_executors("futures and threads", |_, run, random| {
        let got = Got::default();
        let queue = Arc::new(Mpmc::with_capacity(2).unwrap());
        let closing = Arc::new(Closing(queue.clone(), Mpmc::close));
        scope(|scope| {
            let mut tasks = Vec::new();
            for producer in 0..4 {
                let (queue, closing, mut random) = (queue.clone(), closing.clone(), random.split());
                if producer % 2 == 0 {
                    tasks.push(task(async move {
                        for number in 0..items() {
                            let put = || queue.put_async(item(producer, number));
                            insist(&mut random, put).await.unwrap();
                        }
                        drop(closing);
                    }));
                } else {
                    scope.spawn(move || {
                        for number in 0..items() {
                            queue.put(item(producer, number), Wait::Forever).unwrap();
                        }
                        drop(closing);
                    });
                }
            }
            drop(closing);
            for consumer in 0..4 {
                let (queue, got, mut random) = (queue.clone(), got.clone(), random.split());
                if consumer % 2 == 0 {
                    tasks.push(task(async move {
                        let mut list = Vec::new();
                        while let Ok(item) = insist(&mut random, || queue.get_async()).await {
                            list.push(item);
                        }
                        got.lock().unwrap().push(list);
                    }));
                } else {
                    scope.spawn(move || {
                        let list = queue.iter().collect();
                        got.lock().unwrap().push(list);
                    });
                }
            }
            run(tasks);
        });
        check(&got.lock().unwrap(), 4, true);
    });
}

/// A future that waits for one item each time, from a thread that puts at any moment of its wait: a
/// wake-up that is lost hangs. `QUEUES_PINGS=n` sets the number of waits.
#[test]
fn no_wake_up_is_lost() {
    let rounds = setting("QUEUES_PINGS", if cfg!(miri) { 20 } else { 20_000 });
    on_executors("ping and pong", |_, run, random| {
        let (there, back) = (Mpmc::with_capacity(1).unwrap(), Mpmc::with_capacity(1).unwrap());
        let queues = Arc::new((there, back));
        let mut random = random.split();
        let echo = spawn({
            let queues = queues.clone();
            move || {
                for item in queues.0.iter() {
                    for _ in 0..random.below(500) {
                        std::hint::spin_loop();
                    }
                    queues.1.put(item, Wait::Forever).unwrap();
                }
            }
        });
        let pings = task(async move {
            for item in 0..rounds {
                queues.0.put_async(item).await.unwrap();
                assert_eq!(queues.1.get_async().await, Ok(item));
            }
            queues.0.close();
        });
        run(vec![pings]);
        echo.join().unwrap();
    });
}

/// Very many futures wait, and each gets one item.
#[test]
fn ten_thousand_futures_wait() {
    let count = if cfg!(miri) { 50 } else { 10_000 };
    for (name, run) in EXECUTORS {
        watched(&format!("many futures on {name}"), || {
            let queue = Arc::new(Mpmc::with_capacity(16).unwrap());
            let got = Arc::new(Mutex::new(BTreeSet::new()));
            let gets = (0..count).map(|_| {
                let (queue, got) = (queue.clone(), got.clone());
                task(async move {
                    let item = queue.get_async().await.unwrap();
                    assert!(got.lock().unwrap().insert(item), "{item} arrived twice");
                })
            });
            let mut tasks: Vec<_> = gets.collect();
            let puts = queue.clone();
            tasks.push(task(async move {
                for item in 0..count {
                    puts.put_async(item).await.unwrap();
                }
            }));
            run(tasks);
            assert!(got.lock().unwrap().iter().copied().eq(0..count));
        });
    }
}

// --- several queues

#[test]
fn a_poll_finds_what_is_ready() {
    let queue = Mpmc::with_capacity(1).unwrap();
    let ranked = Priority::<u8>::with_capacity(1).unwrap();
    let batches = Batcher::new(2, Limits { size: 2, age: None, weight: None }).unwrap();
    let (mut producer, mut consumer) = spsc(1).unwrap();
    let (mut worker, stealer) = deque(1).unwrap();
    let event = Event::new();
    let ready = |queues: &mut [queues::Polled<'_>]| {
        let count = poll(queues, Wait::No);
        let ready: Vec<_> = queues.iter().map(|it| (it.is_readable(), it.is_writable())).collect();
        assert_eq!(count.unwrap_or(0), ready.iter().filter(|it| it.0 || it.1).count());
        ready.iter().map(|it| u8::from(it.0) + 2 * u8::from(it.1)).collect::<Vec<_>>()
    };
    let mut polls = [
        queue.readable(),
        queue.writable(),
        ranked.readable(),
        ranked.writable(),
        batches.readable(),
        batches.writable(),
        event.readable(),
        stealer.stealable(),
    ];
    assert_eq!(ready(&mut polls), [0, 2, 0, 2, 0, 2, 0, 0]);
    queue.try_put(1).unwrap();
    ranked.try_put(1, 1.0).unwrap();
    batches.try_put(1).unwrap();
    event.set();
    worker.push(1).unwrap();
    assert_eq!(ready(&mut polls), [1, 0, 1, 0, 0, 2, 1, 1]);
    batches.try_put(2).unwrap();
    ranked.close();
    assert_eq!(ready(&mut polls), [1, 0, 1, 2, 1, 0, 1, 1]);
    assert_eq!(ready(&mut [producer.writable(), consumer.readable()]), [2, 0]);
    producer.try_put(1).unwrap();
    assert_eq!(ready(&mut [producer.writable(), consumer.readable()]), [0, 1]);
    consumer.try_get().unwrap();
    assert_eq!(ready(&mut [worker.stealable()]), [1]);
    let wait = Wait::from(Duration::from_millis(1));
    assert_eq!(poll(&mut [consumer.readable()], wait), Err(Error::Timeout));
    assert_eq!(poll(&mut [], Wait::No), Err(Error::Empty));
    assert_eq!(format!("{:?}", queue.readable()), "Polled { events: 1, ready: 0, .. }");
}

#[test]
fn an_event_is_a_latch() {
    let event = Event::new();
    assert_eq!(format!("{event:?}"), "Event { is_set: false, .. }");
    assert_eq!(event.wait(Wait::from(Duration::from_millis(1))), Err(Error::Timeout));
    watched("event", || {
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let event = event.clone();
                spawn(move || event.wait(Wait::Forever))
            })
            .collect();
        sleep(Duration::from_millis(5));
        event.set();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), Ok(()));
        }
    });
    assert_eq!((event.is_set(), event.wait(Wait::No)), (true, Ok(())));
    event.reset();
    assert_eq!((event.is_set(), event.wait(Wait::No)), (false, Err(Error::Empty)));
}

/// Each descriptor is readable exactly while its end is ready.
#[test]
#[cfg(not(miri))]
fn descriptors_follow_their_ends() {
    use support::descriptors::is_readable;

    let queue = Mpmc::with_capacity(1).unwrap();
    let ends =
        || (is_readable(queue.readable_fd().unwrap()), is_readable(queue.writable_fd().unwrap()));
    assert_eq!(ends(), (false, true));
    queue.try_put(1).unwrap();
    assert_eq!(queue.try_put(2).unwrap_err().error, Error::Full);
    assert_eq!(ends(), (true, false));
    assert_eq!((queue.try_get(), queue.try_get()), (Ok(1), Err(Error::Empty)));
    assert_eq!(ends(), (false, true));

    let ranked = Priority::with_capacity(1).unwrap();
    assert!(!is_readable(ranked.readable_fd().unwrap()));
    ranked.try_put(1, 1.0).unwrap();
    assert!(is_readable(ranked.readable_fd().unwrap()));
    assert!(!is_readable(ranked.writable_fd().unwrap()));
    ranked.close();
    assert!(is_readable(ranked.writable_fd().unwrap()));

    let (mut producer, consumer) = spsc(1).unwrap();
    assert!(is_readable(producer.writable_fd().unwrap()));
    assert!(!is_readable(consumer.readable_fd().unwrap()));
    producer.try_put(1).unwrap();
    assert!(is_readable(consumer.readable_fd().unwrap()));

    let (mut worker, stealer) = deque(1).unwrap();
    assert!(!is_readable(stealer.stealable_fd().unwrap()));
    assert!(!is_readable(worker.stealable_fd().unwrap()));
    worker.push(1).unwrap();
    assert!(is_readable(stealer.stealable_fd().unwrap()));

    let event = Event::new();
    assert!(!is_readable(event.readable_fd().unwrap()));
    event.set();
    assert!(is_readable(event.readable_fd().unwrap()));
    event.reset();
    assert!(!is_readable(event.readable_fd().unwrap()));

    let limits = Limits { size: 2, age: Some(Duration::from_millis(5)), weight: None };
    let batches = Batcher::new(2, limits).unwrap();
    if !cfg!(target_os = "linux") {
        assert_eq!(batches.readable_fd().unwrap_err(), Error::Invalid);
        return;
    }
    assert!(!is_readable(batches.readable_fd().unwrap()));
    batches.try_put(1).unwrap();
    watched("the age of a batch", || {
        while !is_readable(batches.readable_fd().unwrap()) {
            sleep(Duration::from_millis(1));
        }
    });
    assert_eq!(batches.next_due(), Some(Duration::ZERO));
    assert_eq!(batches.get_due(), Ok(vec![1]));
    assert_eq!(batches.next_due(), None);
    assert!(is_readable(batches.writable_fd().unwrap()));
}
