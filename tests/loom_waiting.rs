//! Descriptors, polls and events lose no wake-up, in every interleaving and with every value that a
//! weakly ordered machine may read. An event loop of a model sleeps in the wait of the descriptor,
//! so a lost wake-up is a deadlock, which loom reports. As for the bounds and the clock see
//! `loom.rs`.
//!
//! Each of these mutants of `src/wait` fails a model here, with one preemption:
//! - `EventCount::arm` without the second attempt, without the fence, without the timer, or whose
//!   success does not signal;
//! - `EventCount::signal` that does nothing, or signals before it clears `ARMED`;
//! - `EventCount::wake_at` that sets no timer;
//! - `Poll` without the announcement, the fence or the second look, or that reads an epoch after
//!   that look; a waker that wakes no thread or only one at the word of its queue or of the
//!   process, or starts no new epoch there;
//! - `EventCount::fence_for_good` that does not wait for the stores when membarrier is refused;
//! - `Blocking::watch` that wakes no waiter, with two preemptions.
//!
//! The announcement of `arm` matters only where its thread stops: `stall.rs` fails without it.
#![cfg(loom)]

mod support;

use loom::sync::atomic::AtomicU64;
use loom::thread::{JoinHandle, spawn};
use queues::payload::{Disposer, Pointer};
use queues::queue::batch::{Batch, Limits, ToPointers};
use queues::queue::{Get, Put, Queue, deque::Deque, mpmc, spsc::Spsc};
use queues::sync::descriptor::Descriptor;
use queues::sync::fence::withdrawal;
use queues::wait::{Blocking, Event, Polled, READABLE, Stealing, WRITABLE, Wait, Wanted, poll};
use queues::{Error, Result};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use support::flag::Flag;
use support::models::{explore, join};

type Item = *mut c_void;

/// A queue of numbers.
trait Numbers: Put<Item = Item, With = ()> + Get<Out = Item, With = ()> + 'static {}
impl<Q: Put<Item = Item, With = ()> + Get<Out = Item, With = ()> + 'static> Numbers for Q {}

/// A queue with the descriptors of both ends.
fn watched<Q: Queue>(queue: Q) -> Arc<Blocking<Q>> {
    let queue = Arc::new(Blocking::new(queue));
    queue.readable_fd().unwrap();
    queue.writable_fd().unwrap();
    queue
}

fn readable<Q: Queue>(queue: &Blocking<Q>) -> &Descriptor {
    queue.descriptors()[0].expect("requested")
}

fn writable<Q: Queue>(queue: &Blocking<Q>) -> &Descriptor {
    queue.descriptors()[1].expect("requested")
}

fn put<Q: Numbers>(queue: &Blocking<Q>, number: usize, wait: Wait) -> Result {
    // SAFETY: the models keep the rule about threads.
    unsafe { queue.put(&std::ptr::without_provenance_mut(number), (), wait) }
}

fn get<Q: Numbers>(queue: &Blocking<Q>, wait: Wait) -> Result<usize> {
    let mut item = std::ptr::null_mut();
    // SAFETY: as above.
    unsafe { queue.get(&mut item, wait)? };
    Ok(item.addr())
}

/// An event loop: gets until it has `count` items or the queue is closed.
fn loop_of_gets<Q: Numbers>(queue: &Blocking<Q>, count: usize) -> Vec<usize> {
    let mut got = Vec::new();
    while got.len() < count {
        match get(queue, Wait::No) {
            Ok(item) => got.push(item),
            Err(Error::Empty) => readable(queue).wait(),
            Err(why) => {
                assert_eq!(why, Error::Closed);
                break;
            }
        }
    }
    got
}

/// An event loop: puts `numbers`, until the queue is closed.
fn loop_of_puts<Q: Numbers>(queue: &Blocking<Q>, numbers: std::ops::Range<usize>) {
    for number in numbers {
        loop {
            match put(queue, number, Wait::No) {
                Ok(()) => break,
                Err(Error::Full) => writable(queue).wait(),
                Err(why) => return assert_eq!(why, Error::Closed),
            }
        }
    }
}

/// Runs a program with a queue on a thread.
fn on<Q: Queue + 'static, R: 'static>(
    queue: &Arc<Blocking<Q>>,
    program: impl FnOnce(&Blocking<Q>) -> R + 'static,
) -> JoinHandle<R> {
    let queue = queue.clone();
    spawn(move || program(&queue))
}

fn sorted(got: Vec<Vec<usize>>) -> Vec<usize> {
    let mut got = got.concat();
    got.sort_unstable();
    got
}

/// Explores a model with a queue of each kind that `make` makes.
fn with_flag(what: &str, bound: usize, capacity: usize, model: fn(Arc<Blocking<Flag>>)) {
    explore(&format!("flag of {capacity}: {what}"), Some(bound), move || {
        model(watched(Flag::new(capacity)));
    });
}

/// The end of a model: what is in the queue, or the end of the queue, is shown.
fn is_shown<Q: Numbers>(queue: &Blocking<Q>) {
    let is_empty = queue.queue().is_empty() && !queue.queue().is_closed();
    assert!(is_empty || readable(queue).is_readable(), "an item, and the descriptor is unreadable");
    let is_full = queue.queue().is_full() && !queue.queue().is_closed();
    assert!(is_full || writable(queue).is_readable(), "room, and the descriptor is unreadable");
    if is_empty {
        assert_eq!(get(queue, Wait::No), Err(Error::Empty));
        assert!(!readable(queue).is_readable(), "empty, and the descriptor is readable");
    }
}

/// Arming against puts and gets: both ends are event loops, or one is and the other waits in calls.
#[test]
fn loops() {
    with_flag("loop | loop", 2, 1, |queue| {
        let gets = on(&queue, |queue| loop_of_gets(queue, 2));
        loop_of_puts(&queue, 1..3);
        assert_eq!(gets.join().unwrap(), [1, 2]);
        is_shown(&queue);
    });
    with_flag("put | loop", 3, 1, |queue| {
        let gets = on(&queue, |queue| loop_of_gets(queue, 1));
        let puts = on(&queue, |queue| put(queue, 1, Wait::No).unwrap());
        puts.join().unwrap();
        assert_eq!(gets.join().unwrap(), [1]);
        is_shown(&queue);
    });
    with_flag("loop | get", 3, 1, |queue| {
        put(&queue, 1, Wait::No).unwrap();
        let puts = on(&queue, |queue| loop_of_puts(queue, 2..3));
        assert_eq!(get(&queue, Wait::Forever), Ok(1));
        puts.join().unwrap();
        assert_eq!(get(&queue, Wait::Forever), Ok(2));
    });
    explore("spsc: loop | loop", Some(2), || {
        let queue = watched(Spsc::try_new(1, pointers()).unwrap());
        let gets = on(&queue, |queue| loop_of_gets(queue, 2));
        loop_of_puts(&queue, 1..3);
        assert_eq!(gets.join().unwrap(), [1, 2]);
    });
    explore("mpmc: loop | loop", Some(2), || {
        let queue = watched(mpmc::Indirect::try_new(1, pointers()).unwrap());
        let gets = on(&queue, |queue| loop_of_gets(queue, 1));
        loop_of_puts(&queue, 1..2);
        assert_eq!(gets.join().unwrap(), [1]);
    });
}

fn pointers() -> Pointer {
    Pointer::new(Disposer::default())
}

/// Close makes both ends readable for good.
#[test]
fn close() {
    with_flag("close | loop", 3, 1, |queue| {
        let gets = on(&queue, |queue| loop_of_gets(queue, 1));
        on(&queue, Blocking::close).join().unwrap();
        assert_eq!(gets.join().unwrap(), []);
        for _ in 0..2 {
            assert_eq!(get(&queue, Wait::No), Err(Error::Closed));
            assert!(readable(&queue).is_readable() && writable(&queue).is_readable());
        }
    });
    with_flag("close | loop of puts", 3, 1, |queue| {
        put(&queue, 1, Wait::No).unwrap();
        let puts = on(&queue, |queue| loop_of_puts(queue, 2..3));
        queue.close();
        puts.join().unwrap();
        is_shown(&queue);
    });
    with_flag("close | request", 3, 1, |queue| {
        // A thread that arms while the queue is closed.
        let closes = on(&queue, Blocking::close);
        _ = get(&queue, Wait::No);
        closes.join().unwrap();
        is_shown(&queue);
    });
}

/// Two threads that arm one descriptor, and both sleep there.
#[test]
fn two_loops() {
    explore("put, put, close | loop | loop", Some(1), || {
        let queue = watched(mpmc::Indirect::try_new(2, pointers()).unwrap());
        let gets = [(); 2].map(|()| on(&queue, |queue| loop_of_gets(queue, 2)));
        put(&queue, 1, Wait::No).unwrap();
        put(&queue, 2, Wait::No).unwrap();
        queue.close();
        assert_eq!(sorted(join(gets.into())), [1, 2]);
    });
    // This thread only joins, so that any other may come first without a preemption.
    with_flag("put | get | loop", 2, 1, |queue| {
        let puts = on(&queue, |queue| put(queue, 1, Wait::No).unwrap());
        let gets = on(&queue, |queue| loop_of_gets(queue, 1));
        let arms = on(&queue, |queue| get(queue, Wait::No));
        puts.join().unwrap();
        if arms.join().unwrap().is_ok() {
            // What the loop's reset discarded was for the item that the get took.
            put(&queue, 2, Wait::No).unwrap();
        }
        gets.join().unwrap();
    });
}

/// Two puts that signal, while the loop arms between them.
#[test]
fn two_puts() {
    explore("put | put | loop", Some(2), || {
        let queue = watched(Spsc::try_new(2, pointers()).unwrap());
        let event = Arc::new(Event::new());
        event.readable_fd().unwrap();
        let setter = event.clone();
        let sets = spawn(move || setter.set());
        put(&queue, 1, Wait::No).unwrap();
        assert_eq!(loop_of_gets(&queue, 1), [1]);
        event.descriptor().unwrap().wait();
        sets.join().unwrap();
    });
    explore("mpmc: put | put | loop", Some(2), || {
        let queue = watched(mpmc::Indirect::try_new(2, pointers()).unwrap());
        let puts = on(&queue, |queue| put(queue, 1, Wait::No).unwrap());
        let gets = on(&queue, |queue| loop_of_gets(queue, 2));
        put(&queue, 2, Wait::No).unwrap();
        puts.join().unwrap();
        assert_eq!(sorted(vec![gets.join().unwrap()]), [1, 2]);
    });
}

/// A thread that sleeps in a get beside an event loop: an item wakes both, and one of them takes
/// it.
#[test]
fn a_loop_beside_a_sleeper() {
    with_flag("put, put, close | get | loop", 2, 2, |queue| {
        let gets = on(&queue, |queue| loop_of_gets(queue, 2));
        let sleeper = on(&queue, |queue| match get(queue, Wait::Forever) {
            Ok(number) => vec![number],
            Err(why) => {
                assert_eq!(why, Error::Closed);
                vec![]
            }
        });
        put(&queue, 1, Wait::No).unwrap();
        put(&queue, 2, Wait::No).unwrap();
        queue.close();
        let mut got = sorted(vec![gets.join().unwrap(), sleeper.join().unwrap()]);
        while let Ok(number) = get(&queue, Wait::No) {
            got.push(number);
        }
        assert_eq!(got.len(), 2, "{got:?}");
    });
    with_flag("put | get", 3, 1, |queue| {
        // The loop takes nothing.
        let sleeper = on(&queue, |queue| get(queue, Wait::Forever));
        let woken = on(&queue, |queue| readable(queue).wait());
        put(&queue, 1, Wait::No).unwrap();
        assert_eq!(sleeper.join().unwrap(), Ok(1));
        woken.join().unwrap();
    });
}

/// A clear makes room for an event loop that puts.
#[test]
fn clear() {
    explore("clear | loop of puts", Some(2), || {
        let queue = watched(mpmc::Indirect::try_new(1, pointers()).unwrap());
        put(&queue, 1, Wait::No).unwrap();
        let puts = on(&queue, |queue| loop_of_puts(queue, 2..3));
        // SAFETY: any thread may get.
        unsafe { queue.clear() };
        puts.join().unwrap();
    });
}

/// Runs a program beside the first request of a descriptor.
fn request_beside(what: &str, refused: Option<u32>, other: fn(&Blocking<Flag>)) {
    let refusal = refused.map_or(String::new(), |calls| format!(", refused after {calls}"));
    explore(&format!("request | {what}{refusal}"), Some(3), move || {
        if let Some(calls) = refused {
            withdrawal::after(calls);
        }
        let queue = Arc::new(Blocking::new(Flag::new(1)));
        let others = on(&queue, other);
        queue.readable_fd().unwrap();
        others.join().unwrap();
        if queue.queue().is_empty() {
            put(&queue, 1, Wait::No).unwrap();
        }
        assert!(readable(&queue).is_readable(), "an item, and the descriptor is unreadable");
        assert_eq!(loop_of_gets(&queue, 1), [1]);
        assert_eq!(get(&queue, Wait::No), Err(Error::Empty));
        assert!(!readable(&queue).is_readable());
    });
}

/// The first request of a descriptor beside a put, another request, and a get.
fn requests_beside_others(refused: Option<u32>) {
    request_beside("put", refused, |queue| put(queue, 1, Wait::No).unwrap());
    request_beside("request", refused, |queue| _ = queue.readable_fd().unwrap());
    request_beside("get", refused, |queue| _ = get(queue, Wait::No));
}

#[test]
fn requests() {
    requests_beside_others(None);
}

/// A deque's thieves sleep at its descriptor, and one of them takes the item unless its owner does.
#[test]
fn deque() {
    let deque = || {
        let deque = Arc::new(Stealing::new(Deque::try_new(2, false, pointers()).unwrap()));
        deque.stealable_fd().unwrap();
        deque
    };
    let push = |deque: &Stealing<Pointer>, number| {
        // SAFETY: this thread is the owner.
        unsafe { deque.push(&std::ptr::without_provenance_mut(number)).unwrap() }
    };
    fn thief(deque: Arc<Stealing<Pointer>>) -> JoinHandle<usize> {
        spawn(move || {
            loop {
                let mut item = std::ptr::null_mut();
                // SAFETY: any thread may steal.
                match unsafe { deque.steal(&mut item) } {
                    Ok(()) => return item.addr(),
                    Err(Error::Empty) => deque.descriptor().unwrap().wait(),
                    Err(Error::Retry) => {}
                    Err(why) => panic!("{why}"),
                }
            }
        })
    }
    explore("push | thief", Some(3), move || {
        let deque = deque();
        let thief = thief(deque.clone());
        push(&deque, 1);
        assert_eq!(thief.join().unwrap(), 1);
    });
    explore("push, pop, push | thief", Some(2), move || {
        let deque = deque();
        let thief = thief(deque.clone());
        push(&deque, 1);
        let mut item = std::ptr::null_mut();
        // SAFETY: this thread is the owner.
        let popped = unsafe { deque.deque().pop(&mut item) };
        if popped.is_ok() {
            push(&deque, 2);
        }
        assert_eq!(thief.join().unwrap(), if popped.is_ok() { 2 } else { 1 });
    });
    explore("push, push | thief | thief", Some(1), move || {
        let deque = deque();
        let thieves = [thief(deque.clone()), thief(deque.clone())];
        push(&deque, 1);
        push(&deque, 2);
        let mut got = join(thieves.into());
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
    });
}

// --- polls

/// The number of idle queues that a poll has beside others. Without idle queues a poll sleeps on
/// the words of all its queues; with them on the word of the process, because three words are too
/// many in a model. The portable build always sleeps on the word of the process.
const IDLE: [usize; 2] = [0, 2];

/// Explores a model with each number of idle queues.
fn with_idle(what: &str, bound: usize, model: fn(usize)) {
    for idle in IDLE {
        explore(&format!("{what}, {idle} idle"), Some(bound), move || model(idle));
    }
}

/// Polls until it has an item of each queue.
fn polls(queues: &[Arc<Blocking<Flag>>], idle: usize) -> Vec<usize> {
    let mut got = vec![0; queues.len()];
    let idle = flags(idle);
    while got.contains(&0) {
        let mut polled: Vec<_> = queues
            .iter()
            .zip(&got)
            .map(|(queue, &got)| queue.polled(if got == 0 { READABLE } else { 0 }).unwrap())
            .chain(idle.iter().map(|queue| queue.polled(READABLE).unwrap()))
            .collect();
        let count = poll(&mut polled, Wait::Forever).unwrap();
        let ready: Vec<_> = polled.iter().map(|polled| polled.ready() != 0).collect();
        assert_eq!(ready.iter().filter(|&&ready| ready).count(), count);
        for (i, queue) in queues.iter().enumerate().filter(|&(i, _)| ready[i]) {
            got[i] = get(queue, Wait::No).unwrap();
        }
    }
    got
}

/// Polls a queue or an event once.
fn poll_one(polled: Polled<'_>, idle: usize, wait: Wait) -> Result<usize> {
    let idle = flags(idle);
    let idle = idle.iter().map(|queue| queue.polled(READABLE).unwrap());
    let mut polled: Vec<_> = std::iter::once(polled).chain(idle).collect();
    let count = poll(&mut polled, wait)?;
    assert!(polled[0].ready() != 0 && count == 1);
    Ok(count)
}

fn flags(count: usize) -> Vec<Arc<Blocking<Flag>>> {
    (0..count).map(|_| Arc::new(Blocking::new(Flag::new(1)))).collect()
}

/// A poller wakes for each of its queues.
#[test]
fn polls_several() {
    with_idle("put a, put b | poll", 3, |idle| {
        let queues = flags(2);
        let poller = queues.clone();
        let poller = spawn(move || polls(&poller, idle));
        put(&queues[0], 1, Wait::No).unwrap();
        put(&queues[1], 2, Wait::No).unwrap();
        assert_eq!(poller.join().unwrap(), [1, 2]);
    });
    with_idle("put a | put b | poll", 2, |idle| {
        let queues = flags(2);
        let poller = queues.clone();
        let poller = spawn(move || polls(&poller, idle));
        let puts = on(&queues[0], |queue| put(queue, 1, Wait::No).unwrap());
        put(&queues[1], 2, Wait::No).unwrap();
        puts.join().unwrap();
        assert_eq!(poller.join().unwrap(), [1, 2]);
    });
    with_idle("close | poll", 3, |idle| {
        let queues = flags(2 + idle);
        let closes = on(&queues[1], Blocking::close);
        let mut polled: Vec<_> =
            queues.iter().map(|queue| queue.polled(READABLE).unwrap()).collect();
        assert_eq!(poll(&mut polled, Wait::Forever), Ok(1));
        assert_eq!([0, 1].map(|i: usize| polled[i].ready()), [0, READABLE]);
        closes.join().unwrap();
    });
    with_idle("get | poll for room", 3, |idle| {
        let queues = flags(1);
        put(&queues[0], 1, Wait::No).unwrap();
        let gets = on(&queues[0], |queue| get(queue, Wait::No).unwrap());
        let polled = queues[0].polled(WRITABLE).unwrap();
        assert_eq!(poll_one(polled, idle, Wait::Forever), Ok(1));
        put(&queues[0], 2, Wait::No).unwrap();
        assert_eq!(gets.join().unwrap(), 1);
    });
    with_idle("set | poll", 3, |idle| {
        let event = Arc::new(Event::new());
        let setter = event.clone();
        let sets = spawn(move || setter.set());
        assert_eq!(poll_one(event.polled(READABLE).unwrap(), idle, Wait::Forever), Ok(1));
        assert!(event.is_set());
        sets.join().unwrap();
    });
}

/// Two pollers of one queue both wake for one item, wherever they sleep; and two pollers of two
/// queues, which may sleep on one word.
#[test]
fn two_pollers() {
    for (first, second) in [(0, 0), (2, 2), (0, 2)] {
        let what = format!("put | poll, {first} idle | poll, {second} idle");
        explore(&what, Some(2), move || {
            let queues = flags(1);
            let pollers = [first, second].map(|idle| {
                on(&queues[0], move |queue| {
                    poll_one(queue.polled(READABLE).unwrap(), idle, Wait::Forever)
                })
            });
            // This thread only joins, so that both may sleep before the put without a preemption.
            let puts = on(&queues[0], |queue| put(queue, 1, Wait::No).unwrap());
            assert_eq!(join(pollers.into()), [Ok(1), Ok(1)]);
            puts.join().unwrap();
        });
    }
    with_idle("put, put | poll a | poll b", 2, |idle| {
        let queues = flags(2);
        let pollers = [0, 1].map(|i: usize| {
            let queues = vec![queues[i].clone()];
            spawn(move || polls(&queues, idle))
        });
        put(&queues[0], 1, Wait::No).unwrap();
        put(&queues[1], 2, Wait::No).unwrap();
        assert_eq!(join(pollers.into()), [[1], [2]]);
    });
}

/// A poll uses up no wake-up: not one that takes nothing, and not one that is over before the item.
#[test]
fn a_poll_beside_others() {
    for (what, wait) in [("poll", Wait::Forever), ("interrupted poll", Wait::For(10))] {
        for idle in IDLE {
            explore(&format!("put | {what} | get, {idle} idle"), Some(2), move || {
                let queues = flags(1);
                let sleeper = on(&queues[0], |queue| get(queue, Wait::Forever));
                let poller = on(&queues[0], move |queue| {
                    poll_one(queue.polled(READABLE).unwrap(), idle, wait)
                });
                put(&queues[0], 1, Wait::No).unwrap();
                assert_eq!(sleeper.join().unwrap(), Ok(1));
                // The sleeper may have taken the item before the poller could see it.
                queues[0].close();
                assert!(matches!(poller.join().unwrap(), Ok(1) | Err(Error::Timeout)));
            });
        }
        explore(&format!("put | {what} | loop"), Some(2), move || {
            let queue = watched(Flag::new(1));
            let gets = on(&queue, |queue| loop_of_gets(queue, 1));
            let poller =
                on(&queue, move |queue| poll_one(queue.polled(READABLE).unwrap(), 0, wait));
            put(&queue, 1, Wait::No).unwrap();
            assert_eq!(gets.join().unwrap(), [1]);
            queue.close();
            assert!(matches!(poller.join().unwrap(), Ok(1) | Err(Error::Timeout)));
        });
    }
}

// --- events

/// Set and reset of an event against its descriptor. In the end the descriptor shows that the event
/// is set; that it is not, after a wait that has found it so.
#[test]
fn event() {
    let model = |what: &str, bound, programs: &'static [&'static str]| {
        explore(&format!("event: {what}"), Some(bound), move || {
            let event = Arc::new(Event::new());
            event.readable_fd().unwrap();
            let run = |event: Arc<Event>, word: &str| {
                for letter in word.chars() {
                    match letter {
                        's' => event.set(),
                        'r' => event.reset(),
                        'w' => event.wait(Wait::Forever).unwrap(),
                        // An event loop.
                        'l' => {
                            while event.wait(Wait::No).is_err() {
                                event.descriptor().unwrap().wait();
                            }
                        }
                        other => panic!("no call {other:?}"),
                    }
                }
            };
            let others = programs[1..].iter().map(|word| {
                let event = event.clone();
                spawn(move || run(event, word))
            });
            let others = others.collect();
            run(event.clone(), programs[0]);
            join(others);
            let is_readable = || event.descriptor().unwrap().is_readable();
            assert!(is_readable() || !event.is_set(), "set, and the descriptor is unreadable");
            let is_set = event.wait(Wait::No) == Ok(());
            assert_eq!(is_readable(), is_set);
        });
    };
    model("set | wait", 3, &["s", "w"]);
    model("set | loop", 3, &["s", "l"]);
    model("set | wait | loop", 2, &["s", "w", "l"]);
    model("set | reset", 3, &["s", "r"]);
    model("set, reset | set", 3, &["sr", "s"]);
    model("set | reset | reset", 2, &["s", "r", "r"]);
    model("set, reset, set | loop", 2, &["srs", "l"]);
    model("reset, set | set | loop", 2, &["rs", "s", "l"]);
}

/// What each of two threads did before it set the event happens before what follows a wait.
#[test]
fn every_set_publishes() {
    explore("event: set | set | look", Some(3), || {
        let event = Arc::new(Event::new());
        let place = Arc::new(loom::cell::UnsafeCell::new(0));
        let done = Arc::new(AtomicU64::new(0));
        let first = {
            let (event, place, done) = (event.clone(), place.clone(), done.clone());
            spawn(move || {
                // SAFETY: loom checks it.
                place.with_mut(|place| unsafe { *place = 1 });
                event.set();
                done.store(1, Relaxed);
            })
        };
        let setter = event.clone();
        let second = spawn(move || setter.set());
        if done.load(Relaxed) == 1 && event.is_set() {
            // SAFETY: loom checks it.
            assert_eq!(place.with(|place| unsafe { *place }), 1);
        }
        first.join().unwrap();
        second.join().unwrap();
    });
}

// --- membarrier

/// An event loop that requests its descriptor first: the request arms with the fence that the
/// kernel may refuse, and every later arm relies on it.
fn request_and_loop(queue: &Blocking<Flag>) -> Vec<usize> {
    queue.readable_fd().unwrap();
    loop_of_gets(queue, 1)
}

/// The kernel refuses membarrier when a thread arms or polls, while a waker is at its load.
#[test]
fn without_membarrier() {
    for calls in 0..=3 {
        requests_beside_others(Some(calls));
        explore(&format!("put | request, loop, refused after {calls}"), Some(3), move || {
            withdrawal::after(calls);
            let queue = Arc::new(Blocking::new(Flag::new(1)));
            let gets = on(&queue, request_and_loop);
            put(&queue, 1, Wait::No).unwrap();
            assert_eq!(gets.join().unwrap(), [1]);
        });
        explore(&format!("close | request, loop, refused after {calls}"), Some(3), move || {
            withdrawal::after(calls);
            let queue = Arc::new(Blocking::new(Flag::new(1)));
            let gets = on(&queue, request_and_loop);
            queue.close();
            assert_eq!(gets.join().unwrap(), []);
        });
        explore(&format!("put | request, loop | get, refused after {calls}"), Some(1), move || {
            withdrawal::after(calls);
            let queue = Arc::new(Blocking::new(Flag::new(2)));
            let gets = on(&queue, request_and_loop);
            let sleeper = on(&queue, |queue| get(queue, Wait::Forever).unwrap());
            put(&queue, 1, Wait::No).unwrap();
            put(&queue, 2, Wait::No).unwrap();
            let got = sorted(vec![gets.join().unwrap(), vec![sleeper.join().unwrap()]]);
            assert_eq!(got, [1, 2]);
        });
        for idle in IDLE {
            let what = format!("put, put | poll, {idle} idle, refused after {calls}");
            explore(&what, Some(2), move || {
                withdrawal::after(calls);
                let queues = flags(2);
                let poller = queues.clone();
                let poller = spawn(move || polls(&poller, idle));
                put(&queues[0], 1, Wait::No).unwrap();
                put(&queues[1], 2, Wait::No).unwrap();
                assert_eq!(poller.join().unwrap(), [1, 2]);
            });
        }
    }
}

// --- batches

type Batches = Blocking<Batch<Pointer>>;

/// Batches of three, for which an item waits 10 µs.
fn ageing() -> Arc<Batches> {
    let limits = Limits { size: 3, age: Some(Duration::from_micros(10)), weight: None };
    let queue = watched(Batch::try_new(3, limits, pointers()).unwrap());
    queue
}

fn put_one(queue: &Batches, number: usize) {
    // SAFETY: any thread may put.
    unsafe { queue.put(&std::ptr::without_provenance_mut(number), 0, Wait::No).unwrap() }
}

fn take(queue: &Batches, wanted: Wanted) -> Result<usize> {
    let mut items = [std::ptr::null_mut(); 3];
    // SAFETY: three places.
    queue.get_batch(unsafe { ToPointers::new(items.as_mut_ptr(), 3) }, wanted)
}

/// An event loop: takes batches that are due until it has `count` items or the queue is closed.
fn loop_of_batches(queue: &Batches, count: usize) -> usize {
    let mut got = 0;
    while got < count {
        match take(queue, Wanted::Due) {
            Ok(more) => got += more,
            Err(Error::Empty) => readable(queue).wait(),
            Err(why) => {
                assert_eq!(why, Error::Closed);
                break;
            }
        }
    }
    got
}

/// The descriptor of a batch is readable once a batch is due by its age, whichever thread is there
/// to watch the time, and whichever leaves.
#[test]
fn batches() {
    explore("batch: put | loop", Some(3), || {
        let queue = ageing();
        let gets = on(&queue, |queue| loop_of_batches(queue, 1));
        put_one(&queue, 1);
        assert_eq!(gets.join().unwrap(), 1);
    });
    explore("batch: put, put, put | loop", Some(2), || {
        let queue = ageing();
        let gets = on(&queue, |queue| loop_of_batches(queue, 3));
        (1..=3).for_each(|number| put_one(&queue, number));
        assert_eq!(gets.join().unwrap(), 3);
    });
    explore("batch: put | put | loop", Some(2), || {
        let queue = ageing();
        let gets = on(&queue, |queue| loop_of_batches(queue, 2));
        let puts = on(&queue, |queue| put_one(queue, 1));
        put_one(&queue, 2);
        puts.join().unwrap();
        assert_eq!(gets.join().unwrap(), 2);
    });
    explore("batch: put, flush | loop", Some(2), || {
        let limits = Limits { size: 3, age: None, weight: None };
        let queue = watched(Batch::try_new(3, limits, pointers()).unwrap());
        let gets = on(&queue, |queue| loop_of_batches(queue, 1));
        put_one(&queue, 1);
        queue.flush();
        assert_eq!(gets.join().unwrap(), 1);
    });
    explore("batch: close | loop", Some(3), || {
        let queue = ageing();
        let gets = on(&queue, |queue| loop_of_batches(queue, 1));
        queue.close();
        assert_eq!(gets.join().unwrap(), 0);
    });
}

/// The same where other threads watch the time, and leave.
#[test]
fn batches_beside_others() {
    explore("batch: put | interrupted poll | loop", Some(2), || {
        let queue = ageing();
        let gets = on(&queue, |queue| loop_of_batches(queue, 1));
        let poller = on(&queue, |queue| poll(&mut [queue.polled(READABLE).unwrap()], Wait::For(1)));
        put_one(&queue, 1);
        _ = poller.join().unwrap();
        assert_eq!(gets.join().unwrap(), 1);
    });
    explore("batch: put | get | loop", Some(2), || {
        let queue = ageing();
        let gets = on(&queue, |queue| loop_of_batches(queue, 1));
        let sleeper = on(&queue, |queue| take(queue, Wanted::Within(Wait::Forever)));
        put_one(&queue, 1);
        let woken = on(&queue, |queue| {
            while !queue.queue().is_empty() {
                loom::thread::yield_now();
            }
            queue.close();
        });
        woken.join().unwrap();
        let slept = sleeper.join().unwrap().unwrap_or(0);
        assert_eq!(gets.join().unwrap() + slept, 1);
    });
    explore("batch: put | interrupted poll | get", Some(2), || {
        let queue = ageing();
        let sleeper = on(&queue, |queue| take(queue, Wanted::Within(Wait::Forever)));
        let poller = on(&queue, |queue| poll(&mut [queue.polled(READABLE).unwrap()], Wait::For(1)));
        put_one(&queue, 1);
        _ = poller.join().unwrap();
        assert_eq!(sleeper.join().unwrap(), Ok(1));
    });
}

/// An item that is put while the queue is cleared wakes a waiter of any kind.
#[test]
fn batch_put_beside_a_clear() {
    let model = |what: &str, wait: fn(&Batches) -> usize| {
        explore(&format!("batch of 1: put | clear | {what}"), Some(2), move || {
            let queue = ageing();
            put_one(&queue, 1);
            let waits = on(&queue, wait);
            let clears = on(&queue, |queue| {
                // SAFETY: any thread may get.
                unsafe { queue.clear() }
            });
            put_one(&queue, 2);
            if clears.join().unwrap() == 2 {
                queue.close();
            }
            waits.join().unwrap();
        });
    };
    model("get", |queue| take(queue, Wanted::Within(Wait::Forever)).unwrap_or(0));
    model("loop", |queue| loop_of_batches(queue, 1));
}
