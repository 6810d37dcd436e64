//! Calls that are documented as lock-free are: while one thread is parked at any atomic step of any
//! call, the others finish their operations. When it continues, each item has been got once.
//!
//! Built with `--cfg queues_sites`, which makes every atomic access a place to park. A Vyukov ring,
//! which claims a slot before it fills it, has to fail the same test.
#![cfg(queues_sites)]

mod support;

use queues::queue::batch::Limits;
use queues::sync::sites;
use queues::wait::{Event, READABLE, Wait};
use queues::{Batcher, Error, Mpmc, Result, Stats};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::os::fd::AsRawFd;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use support::descriptors::readable_within;
use support::items::Dropped;
use support::list;
use support::subject::{FOREVER, Face, Family, Kind, NO_WAIT, Options, Reference, Subject};
use support::watchdog::watched;

/// Operations that each of the others has to do while one is parked.
const OPERATIONS: usize = 10_000;
/// An operation that fails this many times in a row will never succeed.
const MAX_FAILURES: usize = 20_000;
const CAPACITY: usize = 5;

/// A call that is parked in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Put,
    Get,
    Pop,
    Batch,
    Flush,
    PutBack,
    Abandon,
    Peek,
    Clear,
    Close,
    IsClosed,
    Len,
    Stats,
}

const CALLS: [Call; 8] = [
    Call::Put,
    Call::Get,
    Call::Peek,
    Call::Clear,
    Call::Close,
    Call::IsClosed,
    Call::Len,
    Call::Stats,
];

/// The items that were put and those that were got, which must be equal in the end.
#[derive(Default)]
struct Ledger {
    put: Vec<u64>,
    got: Vec<u64>,
}

impl Ledger {
    fn try_put(&mut self, queue: &dyn Subject, item: u64) -> Result {
        queue.try_put(item).inspect(|()| self.put.push(item))
    }
    fn try_get(&mut self, queue: &dyn Subject) -> Result {
        queue.try_get().map(|item| self.got.push(item))
    }
    fn pop(&mut self, queue: &dyn Subject) {
        self.got.extend(queue.pop());
    }
    fn batch(&mut self, queue: &dyn Subject) -> Result {
        let items = queue.get_batch(NO_WAIT)?;
        self.got.extend(items.into_iter().filter(|&item| item != 0));
        Ok(())
    }
    fn call(&mut self, call: Call, queue: &dyn Subject, item: u64) {
        match call {
            Call::Put => _ = self.try_put(queue, item),
            Call::Get => _ = self.try_get(queue),
            Call::Pop => self.pop(queue),
            Call::Batch => _ = self.batch(queue),
            Call::Flush => queue.flush(),
            Call::PutBack => self.got.extend(queue.put_back().ok().flatten()),
            Call::Abandon => _ = queue.abandon(),
            Call::Peek => _ = queue.peek(),
            Call::Clear => _ = queue.clear(),
            Call::Close => queue.close(),
            Call::IsClosed => _ = queue.is_closed(),
            Call::Len => _ = queue.len(),
            Call::Stats => _ = queue.stats(),
        }
    }
    fn add(&mut self, other: Self) {
        self.put.extend(other.put);
        self.got.extend(other.got);
    }
}

/// The state of the queue when the call begins.
#[derive(Debug, Clone, Copy)]
struct Start {
    items: usize,
    closed: bool,
}

const STARTS: [Start; 4] = [
    Start { items: 0, closed: false },
    Start { items: 2, closed: false },
    Start { items: CAPACITY, closed: false },
    Start { items: 2, closed: true },
];

fn begin(kind: Kind, start: Start) -> (Reference, Arc<Dropped>, Ledger) {
    let (queue, dropped) = kind.create_at(CAPACITY, 0);
    let mut ledger = Ledger::default();
    // The ring is past its first position. With two items, the cached indexes show the first item
    // and the room behind the second, so that the next call takes the fast path.
    for item in 1..=3 {
        ledger.try_put(&*queue, item).unwrap();
    }
    for _ in 1..=2 {
        ledger.try_get(&*queue).unwrap();
    }
    if start.items == 0 {
        ledger.try_get(&*queue).unwrap();
    }
    for item in 1..start.items {
        ledger.try_put(&*queue, 10 + item as u64).unwrap();
    }
    if start.closed {
        queue.close();
    }
    (queue, dropped, ledger)
}

/// The number of atomic steps of the call when no other thread runs.
fn steps(kind: Kind, start: Start, call: Call) -> usize {
    let (queue, _, mut ledger) = begin(kind, start);
    let count = Rc::new(Cell::new(0));
    let counter = count.clone();
    sites::set_hook(Some(Box::new(move |_| counter.set(counter.get() + 1))));
    ledger.call(call, &*queue, 100);
    sites::set_hook(None);
    count.get()
}

/// The threads beside the parked call.
#[derive(Clone, Copy)]
enum Others {
    /// Two threads that both put and get, and must succeed.
    Both,
    /// One producer and one consumer, without the one that is parked; their calls must return.
    Sides { producer: bool, consumer: bool },
}

/// Puts and gets until [`OPERATIONS`] of them succeeded; `Err` if neither succeeds any more.
fn both(queue: &dyn Subject, thread: u64) -> std::result::Result<Ledger, String> {
    let mut ledger = Ledger::default();
    let (mut done, mut failures, mut putting) = (0, 0, true);
    while done < OPERATIONS {
        let item = 1000 + thread * 1_000_000 + done as u64;
        let outcome = if putting { ledger.try_put(queue, item) } else { ledger.try_get(queue) };
        putting = !putting;
        match outcome {
            // A closed queue stays closed.
            Ok(()) | Err(Error::Closed) => (done, failures) = (done + 1, 0),
            Err(_) if failures == MAX_FAILURES => {
                return Err(format!("after {done} operations neither put nor get succeeds"));
            }
            Err(_) => failures += 1,
        }
        if done % 64 == 0 {
            assert!(queue.len() <= CAPACITY);
            if queue.has_peek() {
                _ = queue.peek();
            }
        }
    }
    Ok(ledger)
}

fn produce(queue: &dyn Subject, pops: bool) -> Ledger {
    let mut ledger = Ledger::default();
    for item in 0..OPERATIONS as u64 {
        _ = ledger.try_put(queue, 1000 + item);
        if pops && item % 3 == 0 {
            ledger.pop(queue);
        }
    }
    ledger
}

fn consume(queue: &dyn Subject) -> Ledger {
    let mut ledger = Ledger::default();
    for _ in 0..OPERATIONS {
        _ = ledger.try_get(queue);
    }
    ledger
}

/// Parks the call at its `step`th access, lets the others work, lets it continue, and compares what
/// was put with what was got.
fn park_at(
    kind: Kind,
    start: Start,
    call: Call,
    step: usize,
    others: Others,
) -> std::result::Result<(), String> {
    let (queue, dropped, mut ledger) = begin(kind, start);
    let place = Arc::new(Mutex::new(""));
    let (at_place, go) = (mpsc::channel(), mpsc::channel::<()>());

    let verdict = std::thread::scope(|scope| {
        let queue = &*queue;
        let name = place.clone();
        let (parked, let_go) = (at_place.0, go.1);
        let stopped = scope.spawn(move || {
            let mut ledger = Ledger::default();
            let mut passed = 0;
            sites::set_hook(Some(Box::new(move |site| {
                if passed == step {
                    *name.lock().unwrap() = site;
                    parked.send(()).unwrap();
                    let_go.recv().unwrap();
                }
                passed += 1;
            })));
            ledger.call(call, queue, 100);
            sites::set_hook(None);
            ledger
        });
        at_place.1.recv().expect("the call ended before it was parked");

        let mut verdict = Ok(());
        match others {
            Others::Both => {
                let threads = [1, 2].map(|thread| scope.spawn(move || both(queue, thread)));
                for thread in threads {
                    match thread.join().unwrap() {
                        Ok(done) => ledger.add(done),
                        Err(why) => verdict = Err(why),
                    }
                }
            }
            Others::Sides { producer, consumer } => {
                let producer = producer
                    .then(|| scope.spawn(move || produce(queue, kind.family == Family::Deque)));
                let consumer = consumer.then(|| scope.spawn(|| consume(queue)));
                for side in [producer, consumer].into_iter().flatten() {
                    ledger.add(side.join().unwrap());
                }
            }
        }
        go.0.send(()).unwrap();
        ledger.add(stopped.join().unwrap());
        verdict
    });
    verdict.map_err(|why| {
        format!("{call:?} parked before {} from {start:?}: {why}", place.lock().unwrap())
    })?;

    while ledger.try_get(&*queue).is_ok() {}
    drop(queue);
    ledger.got.extend(dropped.take());
    ledger.put.sort_unstable();
    ledger.got.sort_unstable();
    assert_eq!(
        ledger.put,
        ledger.got,
        "{call:?} parked before {} from {start:?}: items were lost or doubled",
        place.lock().unwrap()
    );
    Ok(())
}

/// Parks every call from every state at every step; returns the number of places.
fn everywhere(
    kind: Kind,
    (calls, starts): (&[Call], &[Start]),
    others: impl Fn(Call) -> Others,
) -> std::result::Result<usize, String> {
    let mut places = 0;
    for &call in calls {
        for &start in starts {
            for step in 0..steps(kind, start, call) {
                let what = format!("{kind}: {call:?} from {start:?} at step {step}");
                watched(&what, || park_at(kind, start, call, step, others(call)))?;
                places += 1;
            }
        }
    }
    println!("{kind}: parked at {places} places");
    Ok(places)
}

fn is_lock_free(kind: Kind, calls: &[Call]) {
    let places = everywhere(kind, (calls, &STARTS), |_| Others::Both).unwrap();
    assert!(places > 50, "too few places: are the sites compiled in?");
}

/// A parked put or get stops its own side only, and another parked call stops no side.
fn is_wait_free(kind: Kind) {
    let others = |call| Others::Sides {
        producer: call != Call::Put,
        consumer: !matches!(call, Call::Get | Call::Peek | Call::Clear),
    };
    let places = everywhere(kind, (&CALLS, &STARTS), others).unwrap();
    assert!(places > 50, "too few places: are the sites compiled in?");
}

/// A parked owner does not stop thieves, nor a parked thief the owner and the other thief.
fn is_stealable(kind: Kind) {
    let others =
        |call| Others::Sides { producer: !matches!(call, Call::Put | Call::Pop), consumer: true };
    let calls = [Call::Put, Call::Pop, Call::Get, Call::Len, Call::Stats];
    let places = everywhere(kind, (&calls, &STARTS[..3]), others).unwrap();
    assert!(places > 50, "too few places: are the sites compiled in?");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn direct() {
    is_lock_free(list::mpmc_direct_plain(), &CALLS);
}

#[test]
fn indirect() {
    is_lock_free(list::mpmc_indirect_plain(), &CALLS);
}

#[test]
fn indirect_bytes() {
    is_lock_free(list::mpmc_indirect_bytes(), &CALLS);
}

/// Reserve and commit, lease and settle, lease and return, reserve and cancel.
#[test]
fn leased() {
    let calls = [&CALLS[..], &[Call::PutBack, Call::Abandon]].concat();
    is_lock_free(list::mpmc_leased(), &calls);
    let seen = sites::seen();
    for place in ["mpmc.lease.mark", "mpmc.lease.load", "mpmc.lease.claim"] {
        assert!(seen.contains(&place), "no call was parked before {place}");
    }
}

#[test]
fn spsc_pointers() {
    is_wait_free(list::spsc_plain());
    let seen = sites::seen();
    let fast = ["spsc.recheck.stage.fast", "spsc.put.publish.fast", "spsc.get.release.fast"];
    for place in [&fast[..], &["spsc.lap.fast", "spsc.prefetch.load"]].concat() {
        assert!(seen.contains(&place), "no call was parked before {place}");
    }
}

#[test]
fn spsc_bytes() {
    is_wait_free(list::spsc_bytes());
}

/// A parked put stops no call, and no parked call stops puts. Taking holds a lock.
fn has_lock_free_puts(kind: Kind) {
    let takes = |call| matches!(call, Call::Get | Call::Batch | Call::Flush | Call::Clear);
    let others = |call| match call {
        call if takes(call) => Others::Sides { producer: true, consumer: false },
        _ => Others::Both,
    };
    let calls = [&CALLS[..2], &[Call::Batch, Call::Flush], &CALLS[3..]].concat();
    let places = everywhere(kind, (&calls, &STARTS), others).unwrap();
    assert!(places > 50, "too few places: are the sites compiled in?");
}

#[test]
fn batch() {
    has_lock_free_puts(list::batch_plain().of_pairs());
    has_lock_free_puts(list::batch_bytes().of_pairs());
    let by_weight = Limits { size: 3, age: None, weight: Some(3) };
    has_lock_free_puts(list::batch_plain().limited(by_weight));
}

#[test]
fn deque() {
    is_stealable(list::deque_plain());
    is_stealable(list::deque_bytes());
    is_stealable(list::deque_plain().growable(true));
}

// --- descriptors, polls and events

fn becomes_readable(fd: impl AsRawFd) -> bool {
    readable_within(fd, 10_000)
}

/// Parks `call` on a thread of its own before its `step`th access, runs `others` with the name of
/// that access, and lets the call end; returns what it returned, and the name. None if the call has
/// fewer accesses.
fn parked<R: Send>(
    step: usize,
    call: impl FnOnce() -> R + Send,
    others: impl FnOnce(&'static str),
) -> Option<(R, &'static str)> {
    let (at_place, go) = (mpsc::channel(), mpsc::channel::<()>());
    std::thread::scope(|scope| {
        let (parked, let_go) = (at_place.0, go.1);
        let stopped = scope.spawn(move || {
            let mut passed = 0;
            let parks = move |site| {
                if passed == step {
                    parked.send(site).unwrap();
                    _ = let_go.recv();
                }
                passed += 1;
            };
            sites::set_hook(Some(Box::new(parks)));
            let result = call();
            sites::set_hook(None);
            result
        });
        let site = at_place.1.recv().ok();
        if let Some(site) = site {
            others(site);
        }
        drop(go.0);
        let result = stopped.join().unwrap();
        site.map(|site| (result, site))
    })
}

/// Parks a call at each of its accesses; returns the names of these.
fn at_each_step(mut park: impl FnMut(usize) -> Option<&'static str>) -> BTreeSet<&'static str> {
    let names: BTreeSet<_> = (0..).map_while(&mut park).collect();
    println!("parked before {names:?}");
    names
}

/// Parks `call` at each of its accesses to what `begin` made, and runs `others` beside it; returns the
/// names of the accesses.
fn stops<Q: Sync, R: Send>(
    begin: impl Fn() -> Q,
    call: impl Fn(&Q) -> R + Sync,
    others: impl Fn(&Q, &'static str),
) -> BTreeSet<&'static str> {
    at_each_step(|step| {
        let begun = begin();
        let (_, name) = parked(step, || call(&begun), |name| others(&begun, name))?;
        Some(name)
    })
}

const LOCK_FREE: [fn() -> Kind; 3] =
    [list::mpmc_indirect_plain, list::mpmc_indirect_bytes, list::batch_plain];

/// The sites of a put between the reset of `ARMED` and the end of its signal.
const SIGNALING: [&str; 3] = ["event.signal.disarm", "event.descriptor.load", "event.signal.leave"];

/// A put that stops anywhere while it wakes an event loop: the next put wakes the loop.
#[test]
fn a_put_stops_beside_a_descriptor() {
    for kind in LOCK_FREE {
        let kind = kind();
        let begin = || {
            let queue = kind.create(CAPACITY);
            let fd = queue.readable_fd().unwrap();
            assert_eq!(queue.try_get(), Err(Error::Empty));
            (queue, fd)
        };
        let names = stops(
            begin,
            |(queue, _)| queue.try_put(1).unwrap(),
            |(queue, fd), name| {
                queue.try_put(2).unwrap();
                assert!(becomes_readable(*fd), "{kind}: a put stopped before {name}");
                queue.try_get().unwrap();
            },
        );
        assert!(SIGNALING.iter().all(|name| names.contains(name)), "{names:?}");
    }
}

/// The same for a put that makes a batch due and has begun to signal, beside a put that makes none
/// due. A put that stops earlier, after it has claimed the wake-up, leaves the wake-up to the put
/// of the next batch.
#[test]
fn the_put_of_a_due_batch_stops_beside_a_descriptor() {
    let begin = || {
        let limits = Limits { size: 2, age: None, weight: None };
        let queue = Batcher::new(4, limits).unwrap();
        let fd = queue.readable_fd().unwrap().as_raw_fd();
        queue.try_put(1).unwrap();
        assert_eq!(queue.get_due(), Err(Error::Empty));
        (queue, fd)
    };
    let names = stops(
        begin,
        |(queue, _)| queue.try_put(2).unwrap(),
        |(queue, fd), name| {
            queue.try_put(3).unwrap();
            if !SIGNALING.contains(&name) {
                queue.try_put(4).unwrap();
            }
            assert!(becomes_readable(*fd), "a put stopped before {name}");
            queue.get_due().unwrap();
        },
    );
    assert!(SIGNALING.iter().all(|name| names.contains(name)), "{names:?}");
}

/// A get that stops anywhere while it arms the descriptor: the next put makes it readable.
#[test]
fn a_get_stops_while_it_arms() {
    for kind in [LOCK_FREE[0], LOCK_FREE[1], list::spsc_plain] {
        let kind = kind();
        for ready_before in [false, true] {
            let names = at_each_step(|step| {
                let queue = kind.create(CAPACITY);
                let fd = queue.readable_fd().unwrap();
                if ready_before {
                    // The descriptor is still readable, and is reset.
                    queue.try_put(1).unwrap();
                    queue.try_get().unwrap();
                }
                let stopped = queue.clone();
                let get = move || stopped.try_get();
                let (got, name) = parked(step, get, |name| {
                    queue.try_put(2).unwrap();
                    assert!(becomes_readable(fd), "{kind}: a get stopped before {name}");
                })?;
                if got.is_err() {
                    assert_eq!(queue.try_get(), Ok(2));
                }
                assert_eq!(queue.try_get(), Err(Error::Empty));
                queue.try_put(3).unwrap();
                assert!(becomes_readable(fd), "{kind}: after a stop before {name}");
                Some(name)
            });
            assert!(names.contains("event.arm.set") && names.contains("event.arm.leave"));
        }
    }
}

/// A get that frees a place and stops while it wakes an event loop that puts; and a put that stops
/// while it arms that end.
#[test]
fn calls_stop_at_the_writable_end() {
    for kind in LOCK_FREE {
        let kind = kind();
        let full = || {
            let queue = kind.create(2);
            let fd = queue.writable_fd().unwrap();
            queue.try_put(1).unwrap();
            queue.try_put(2).unwrap();
            (queue, fd)
        };
        // A batch is taken under a lock.
        if kind.family != Family::Batch {
            let waited = || {
                let (queue, fd) = full();
                assert_eq!(queue.try_put(3), Err(Error::Full));
                (queue, fd)
            };
            stops(
                waited,
                |(queue, _)| queue.try_get(),
                |(queue, fd), name| {
                    queue.try_get().unwrap();
                    assert!(becomes_readable(*fd), "{kind}: a get stopped before {name}");
                },
            );
        }
        stops(
            full,
            |(queue, _)| queue.try_put(3),
            |(queue, fd), name| {
                queue.try_get().unwrap();
                assert!(becomes_readable(*fd), "{kind}: a put stopped before {name}");
            },
        );
    }
}

/// A poll that stops anywhere holds up no other call: no put, no get, no other poll and no event
/// loop.
#[test]
fn a_poll_stops() {
    for kind in [LOCK_FREE[0], LOCK_FREE[1], list::spsc_plain] {
        let kind = kind();
        let names = at_each_step(|step| {
            let queue = kind.create(CAPACITY);
            let fd = queue.readable_fd().unwrap();
            let stopped = queue.clone();
            let poll = move || stopped.poll(READABLE, 1_000_000);
            let (polled, name) = parked(step, poll, |name| {
                for number in 0..100 {
                    assert_eq!(queue.try_get(), Err(Error::Empty));
                    queue.try_put(number).unwrap();
                    assert!(becomes_readable(fd), "{kind}: a poll stopped before {name}");
                    assert_eq!(queue.poll(READABLE, FOREVER), Ok(READABLE));
                    queue.try_get().unwrap();
                }
                let waiting = queue.clone();
                let other = std::thread::spawn(move || waiting.poll(READABLE, FOREVER));
                queue.try_put(7).unwrap();
                assert_eq!(other.join().unwrap(), Ok(READABLE));
            })?;
            // A poll that looked before the put has slept.
            assert!(matches!(polled, Ok(READABLE) | Err(Error::Timeout)), "{polled:?}");
            Some(name)
        });
        assert!(names.contains("event.poll.announce") && names.contains("event.poll.leave"));
    }
}

/// A put finds no free cell in two searches, because the only item is always in the cell at which it
/// looks. There is room all the time, so it searches again, and does not fail.
#[test]
fn a_put_is_not_refused_because_other_puts_took_each_cell_just_before() {
    const SPARE: usize = 64;
    let queue = Rc::new(Batcher::new(2, Limits { size: 1, age: None, weight: None }).unwrap());
    let looks = Rc::new(Cell::new(0));
    let cells = 2 + SPARE + 2;
    let (others, counter) = (queue.clone(), looks.clone());
    sites::set_hook(Some(Box::new(move |site| {
        if site == "batch.cell.look" && counter.get() < 2 * cells {
            counter.set(counter.get() + 1);
            _ = others.get_due();
            others.try_put(counter.get()).unwrap();
        }
    })));
    let done = queue.try_put(1000).map_err(|refused| refused.error);
    sites::set_hook(None);
    assert_eq!((done, looks.get()), (Ok(()), 2 * cells));
    assert_eq!(queue.get_due(), Ok(vec![2 * cells]));
    assert_eq!(queue.get_due(), Ok(vec![1000]));
}

/// A put that another one overtakes before its push finds the queue full, and gives its cell back.
#[test]
fn a_put_that_another_one_overtakes_gives_its_cell_back() {
    let queue = Rc::new(Batcher::new(1, Limits { size: 1, age: None, weight: None }).unwrap());
    for item in 0..200 {
        let (other, mut is_first) = (queue.clone(), true);
        sites::set_hook(Some(Box::new(move |site| {
            if site == "ring.slot.publish" && core::mem::take(&mut is_first) {
                other.try_put(item).unwrap();
            }
        })));
        let done = queue.try_put(1000).map_err(|refused| refused.error);
        sites::set_hook(None);
        assert_eq!(done, Err(Error::Full));
        assert_eq!(queue.get_due(), Ok(vec![item]));
    }
}

/// A put that stops while it wakes a poll: the next put wakes it.
#[test]
fn a_put_stops_beside_a_poll() {
    for kind in LOCK_FREE {
        let kind = kind();
        let names = at_each_step(|step| {
            let queue = kind.create(CAPACITY);
            let polls = queue.clone();
            let (announces, announced) = mpsc::channel();
            let poller = std::thread::spawn(move || {
                sites::set_hook(Some(Box::new(move |site| {
                    if site == "event.poll.covered" {
                        _ = announces.send(());
                    }
                })));
                let polled = polls.poll(READABLE, FOREVER);
                sites::set_hook(None);
                polled
            });
            announced.recv().unwrap();
            let stopped = queue.clone();
            let put = move || stopped.try_put(1).unwrap();
            let ((), name) = parked(step, put, |name| {
                queue.try_put(2).unwrap();
                let what = format!("{kind}: the poll beside a put that stopped before {name}");
                watched(&what, || assert_eq!(poller.join().unwrap(), Ok(READABLE)));
            })?;
            Some(name)
        });
        assert!(names.contains("event.wake.polls"), "{names:?}");
    }
}

/// A set or a reset that stops: the next set makes the descriptor readable and wakes all that wait.
#[test]
fn a_set_or_a_reset_stops() {
    for sets in [true, false] {
        for set_before in [false, true] {
            at_each_step(|step| {
                let event = Event::new();
                let fd = event.readable_fd().unwrap();
                if set_before {
                    event.set();
                }
                let call = || if sets { event.set() } else { event.reset() };
                let ((), name) = parked(step, call, |name| {
                    event.set();
                    assert!(becomes_readable(fd), "set, beside a call that stopped before {name}");
                    assert_eq!(event.wait(Wait::Forever), Ok(()));
                })?;
                event.set();
                assert!(becomes_readable(fd));
                event.reset();
                assert_eq!(event.wait(Wait::No), Err(Error::Empty));
                Some(name)
            });
        }
    }
}

/// The first put of a batch stops before it sets the timer: a put that comes after the deadline
/// makes the descriptor readable.
#[test]
fn the_first_put_of_a_batch_stops() {
    let begin = || {
        let limits = Limits { size: 4, age: Some(Duration::from_millis(1)), weight: None };
        let queue = list::batch_plain().limited(limits).create(CAPACITY);
        let fd = queue.readable_fd().unwrap();
        assert_eq!(queue.get_due(), Err(Error::Empty));
        (queue, fd)
    };
    let names = stops(
        begin,
        |(queue, _)| queue.try_put(1).unwrap(),
        |(queue, fd), name| {
            std::thread::sleep(Duration::from_millis(3));
            queue.try_put(2).unwrap();
            assert!(becomes_readable(*fd), "a put stopped before {name}");
        },
    );
    assert!(names.contains("event.wake.at"), "{names:?}");
}

/// The usual bounded ring (Vyukov 2010), instrumented like ours.
struct Ring {
    slots: Vec<(AtomicU64, AtomicU64)>,
    tail: AtomicU64,
    head: AtomicU64,
}

// --- futures

/// Counts how often it was called.
struct Woken(AtomicU64);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future is parked while it begins to wait, waits on or is dropped, or a put while it wakes
/// futures: puts and gets go on, though futures wait. Afterwards no future sleeps beside an item.
#[test]
fn a_future_or_a_put_that_stops_holds_up_no_put() {
    for puts in [false, true] {
        let names = at_each_step(|step| {
            let queue = Mpmc::with_capacity(CAPACITY).unwrap();
            let woken = [(); 3].map(|()| Arc::new(Woken(AtomicU64::new(0))));
            let mut futures = [(); 3].map(|()| Box::pin(queue.get_async()));
            let mut poll = |i: usize| {
                let waker = Waker::from(woken[i].clone());
                futures[i].as_mut().poll(&mut Context::from_waker(&waker))
            };
            assert!((0..3).all(|i| poll(i).is_pending()));
            let call = || {
                if puts {
                    return queue.try_put(0).map(|()| None).unwrap();
                }
                let mut context = Context::from_waker(Waker::noop());
                let mut future = pin!(queue.get_async());
                match future.as_mut().poll(&mut context) {
                    Poll::Pending => match future.poll(&mut context) {
                        Poll::Pending => None,
                        Poll::Ready(item) => item.ok(),
                    },
                    Poll::Ready(item) => item.ok(),
                }
            };
            let others = |_| {
                queue.try_put(1).unwrap();
                for item in 2..2000 {
                    queue.try_put(item).unwrap();
                    queue.try_get().unwrap();
                }
            };
            let (taken, site) = watched("futures", || parked(step, call, others))?;
            if taken.is_none() {
                assert!(!queue.is_empty(), "{site}");
                assert!(woken.iter().all(|it| it.0.load(Ordering::SeqCst) > 0), "{site}");
                assert!(poll(2).is_ready(), "{site}");
            }
            Some(site)
        });
        let own =
            [if puts { "wakers.serve" } else { "wakers.announce" }, "lock.take", "lock.release"];
        assert!(own.iter().all(|site| names.contains(site)), "{names:?}");
    }
}

#[derive(Clone)]
struct Vyukov(Arc<Ring>);

const VYUKOV: Kind = Kind::new("vyukov", Family::Mpmc, Face::Core, Vyukov::make);

impl Vyukov {
    /// A power of two that is not smaller than [`CAPACITY`].
    const SLOTS: u64 = 8;

    fn make(_options: &Options, _dropped: &Arc<Dropped>) -> Result<Reference> {
        let slot = |i| (AtomicU64::new(i), AtomicU64::new(0));
        let slots = (0..Self::SLOTS).map(slot).collect();
        let ring = Ring { slots, tail: AtomicU64::new(0), head: AtomicU64::new(0) };
        Ok(Box::new(Self(Arc::new(ring))))
    }

    fn at(&self, name: &'static str) -> Ordering {
        sites::visit(name, Ordering::SeqCst)
    }

    /// Claims the next position of one end, whose slot must have come to `position + ready`.
    fn claim(&self, end: &AtomicU64, ready: u64) -> Option<u64> {
        loop {
            let position = end.load(self.at("vyukov.end"));
            let slot = &self.0.slots[(position % Self::SLOTS) as usize];
            let sequence = slot.0.load(self.at("vyukov.sequence"));
            if sequence < position + ready {
                return None;
            }
            let order = self.at("vyukov.claim");
            if end.compare_exchange(position, position + 1, order, order).is_ok() {
                return Some(position);
            }
        }
    }
}

impl Subject for Vyukov {
    fn share(&self) -> Reference {
        Box::new(self.clone())
    }
    fn put(&self, item: u64, _timeout: i64) -> Result {
        let position = self.claim(&self.0.tail, 0).ok_or(Error::Full)?;
        let slot = &self.0.slots[(position % Self::SLOTS) as usize];
        slot.1.store(item, self.at("vyukov.write"));
        slot.0.store(position + 1, self.at("vyukov.publish"));
        Ok(())
    }
    fn get(&self, _timeout: i64) -> Result<u64> {
        let position = self.claim(&self.0.head, 1).ok_or(Error::Empty)?;
        let slot = &self.0.slots[(position % Self::SLOTS) as usize];
        let item = slot.1.load(self.at("vyukov.read"));
        slot.0.store(position + Self::SLOTS, self.at("vyukov.free"));
        Ok(item)
    }
    fn len(&self) -> usize {
        0
    }
    fn capacity(&self) -> usize {
        Self::SLOTS as usize
    }
    fn stats(&self) -> Stats {
        Stats::default()
    }
}

#[test]
fn a_ring_that_is_not_lock_free_fails() {
    let mut failures: BTreeMap<&str, String> = BTreeMap::new();
    for call in [Call::Put, Call::Get] {
        let start = STARTS[1];
        for step in 0..steps(VYUKOV, start, call) {
            if let Err(why) = park_at(VYUKOV, start, call, step, Others::Both) {
                failures.insert(if call == Call::Put { "put" } else { "get" }, why);
            }
        }
    }
    println!("{failures:#?}");
    assert_eq!(failures.len(), 2, "a Vyukov ring passed for lock-free: {failures:?}");
}
