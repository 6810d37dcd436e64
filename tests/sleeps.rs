//! No wake-up is lost: a thread sleeps again and again for items of every family, at descriptors in
//! epoll, in `queues_poll` and beside threads that sleep in gets, and after a random delay another
//! thread puts one item. It puts the next only when that one has arrived, so that nothing makes up
//! for a wake-up that was lost.
//!
//! `QUEUES_SLEEPS=n` is the number of sleeps of each test; `QUEUES_SEED=n` chooses the delays.

#![cfg(not(any(loom, miri)))]

mod support;

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use queues::ffi::{
    batch::*, deque::*, event::*, mpmc::*, poll::*, priority::*, spsc::*, status::*,
};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use support::random::{Random, first_seed, setting};

/// An item that has not arrived after this time is lost. Not tuned.
const LOST: Duration = Duration::from_secs(30);

fn sleeps() -> u64 {
    setting("QUEUES_SLEEPS", 20_000)
}

/// A queue or an event that a thread waits for.
#[derive(Clone, Copy)]
struct Source {
    family: Family,
    handle: *mut c_void,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Family {
    Mpmc,
    Spsc,
    Priority,
    Deque,
    Batch,
    Event,
}

use Family::{Batch, Deque, Event, Mpmc, Priority, Spsc};

const FAMILIES: [Family; 6] = [Mpmc, Spsc, Priority, Deque, Batch, Event];

// SAFETY: handles of the C ABI; one thread puts, and one takes from each spsc queue.
unsafe impl Send for Source {}
// SAFETY: as above.
unsafe impl Sync for Source {}

fn ok(status: queues_status_t) {
    assert_eq!(status, QUEUES_OK);
}

// SAFETY of every call below: live handles and valid outputs; see `Source`.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Source {
    fn create(family: Family) -> Self {
        /// Options with a size and zeros.
        macro_rules! create {
            ($options:ident, $create:ident, $($field:ident: $value:expr),*) => {{
                let mut options: $options = unsafe { core::mem::zeroed() };
                options.struct_size = size_of::<$options>();
                $(options.$field = $value;)*
                let mut queue = null_mut();
                ok(unsafe { $create(&options, &mut queue) });
                queue.cast()
            }};
        }
        let handle = match family {
            Mpmc => create!(queues_mpmc_options_t, queues_mpmc_create, capacity: 2),
            Spsc => create!(queues_spsc_options_t, queues_spsc_create, capacity: 2),
            Priority => create!(queues_priority_options_t, queues_priority_create, capacity: 2),
            Deque => create!(queues_deque_options_t, queues_deque_create, capacity: 2),
            // Due by number, or by an age of 20 µs.
            Batch => create!(
                queues_batch_options_t, queues_batch_create,
                max_pending: 4, batch_size: 2, batch_timeout_ns: 20_000
            ),
            Event => {
                let mut event = null_mut();
                ok(unsafe { queues_event_create(&mut event) });
                event.cast()
            }
        };
        Self { family, handle }
    }

    /// Makes it readable. A batch becomes so by its second item, or in time.
    fn put(self, random: &mut Random) {
        let at = self.handle;
        unsafe {
            match self.family {
                Mpmc => ok(queues_mpmc_try_put(at.cast(), null_mut())),
                Spsc => ok(queues_spsc_try_put(at.cast(), null_mut())),
                Priority => ok(queues_priority_try_put(at.cast(), null_mut(), 1.0)),
                Deque => ok(queues_deque_push(at.cast(), null_mut())),
                Batch => {
                    for _ in 0..1 + random.below(2) {
                        ok(queues_batch_try_put(at.cast(), null_mut()));
                    }
                }
                Event => ok(queues_event_set(at.cast())),
            }
        }
    }

    /// Whether there was something to take, which is taken.
    fn take(self) -> bool {
        let (at, mut item, mut n, mut priority) = (self.handle, [null_mut(); 2], 0, 0.0);
        let status = unsafe {
            match self.family {
                Mpmc => queues_mpmc_try_get(at.cast(), &mut item[0]),
                Spsc => queues_spsc_try_get(at.cast(), &mut item[0]),
                Priority => queues_priority_try_get(at.cast(), &mut item[0], &mut priority),
                Deque => queues_deque_steal(at.cast(), &mut item[0]),
                Batch => queues_batch_get_due(at.cast(), item.as_mut_ptr(), 2, &mut n),
                Event => match queues_event_wait(at.cast(), 0) {
                    QUEUES_OK => queues_event_reset(at.cast()),
                    empty => empty,
                },
            }
        };
        // CLOSED: the test is over.
        let expected = [QUEUES_OK, QUEUES_EMPTY, QUEUES_RETRY, QUEUES_CLOSED];
        assert!(expected.contains(&status), "{status:?}");
        status == QUEUES_OK
    }

    /// Sleeps in a call of its own until there is something, and takes it; false at the end.
    fn wait(self) -> bool {
        let (at, mut item, mut n, mut priority) = (self.handle, [null_mut(); 2], 0, 0.0);
        let status = unsafe {
            match self.family {
                Mpmc => queues_mpmc_get(at.cast(), &mut item[0], -1),
                Priority => queues_priority_get(at.cast(), &mut item[0], &mut priority, -1),
                Batch => queues_batch_get_batch(at.cast(), item.as_mut_ptr(), 2, &mut n, -1),
                other => panic!("{other:?} has one consumer, or no waiting call"),
            }
        };
        assert!([QUEUES_OK, QUEUES_CLOSED].contains(&status), "{status:?}");
        status == QUEUES_OK
    }

    /// Of an event: makes its descriptor unreadable unless it is set.
    fn look(self) {
        unsafe { queues_event_wait(self.handle.cast(), 0) };
    }

    fn close(self) {
        let at = self.handle;
        unsafe {
            match self.family {
                Mpmc => ok(queues_mpmc_close(at.cast())),
                Priority => ok(queues_priority_close(at.cast())),
                Batch => ok(queues_batch_close(at.cast())),
                _ => {}
            }
        }
    }

    fn fd(self) -> c_int {
        let (at, mut fd) = (self.handle, -1);
        ok(unsafe {
            match self.family {
                Mpmc => queues_mpmc_readable_fd(at.cast(), &mut fd),
                Spsc => queues_spsc_readable_fd(at.cast(), &mut fd),
                Priority => queues_priority_readable_fd(at.cast(), &mut fd),
                Deque => queues_deque_stealable_fd(at.cast(), &mut fd),
                Batch => queues_batch_readable_fd(at.cast(), &mut fd),
                Event => queues_event_readable_fd(at.cast(), &mut fd),
            }
        });
        fd
    }

    fn release(self) {
        let at = self.handle;
        unsafe {
            match self.family {
                Mpmc => queues_mpmc_release(at.cast()),
                Spsc => queues_spsc_release(at.cast()),
                Priority => queues_priority_release(at.cast()),
                Deque => queues_deque_release(at.cast()),
                Batch => queues_batch_release(at.cast()),
                Event => queues_event_release(at.cast()),
            }
        }
    }
}

/// How a thread sleeps until one of the sources may be ready.
trait Sleeper {
    fn sleep(&mut self);
}

struct Epoll(c_int);

#[allow(clippy::undocumented_unsafe_blocks)] // numbers, and places for events
impl Epoll {
    fn new(sources: &[Source]) -> Self {
        let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        for source in sources {
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
            let fd = source.fd();
            let added = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &mut event) };
            assert_eq!(added, 0);
        }
        Self(epoll)
    }
}

#[allow(clippy::undocumented_unsafe_blocks)] // as above
impl Sleeper for Epoll {
    fn sleep(&mut self) {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // Not forever, so that the thread ends if a wake-up is lost.
        unsafe { libc::epoll_wait(self.0, &mut event, 1, 60_000) };
    }
}

#[allow(clippy::undocumented_unsafe_blocks)] // ours
impl Drop for Epoll {
    fn drop(&mut self) {
        unsafe { libc::close(self.0) };
    }
}

struct Poll(Vec<queues_poll_t>);

impl Poll {
    fn new(sources: &[Source]) -> Self {
        let entry = |source: &Source| queues_poll_t {
            queue: source.handle,
            events: QUEUES_READABLE,
            ready: 0,
        };
        Self(sources.iter().map(entry).collect())
    }
}

#[allow(clippy::undocumented_unsafe_blocks)] // live handles
impl Sleeper for Poll {
    fn sleep(&mut self) {
        let mut count = 0;
        let (entries, n) = (self.0.as_mut_ptr(), self.0.len());
        unsafe { queues_poll(entries, n, 60_000_000_000, &mut count) };
    }
}

/// A random delay: mostly none or some hundred nanoseconds, so that the put meets the thread on its
/// way to sleep; sometimes long enough for it to sleep.
fn delay(random: &mut Random) {
    let nanos = match random.below(8) {
        0..=2 => 0,
        3..=5 => random.below(3_000),
        6 => random.below(20_000),
        _ => random.below(60_000),
    };
    let end = Instant::now() + Duration::from_nanos(nanos);
    while Instant::now() < end {
        core::hint::spin_loop();
    }
}

/// Threads that sleep in what `make` returns, and `getters` threads that sleep in gets of each
/// source that has such calls, beside a thread that puts.
fn run<S: Sleeper>(what: &str, loops: usize, getters: usize, make: impl Fn(&[Source]) -> S + Sync) {
    let families: Vec<_> = FAMILIES
        .into_iter()
        // One consumer only; and a set that two threads reset is one wake-up.
        .filter(|family| loops == 1 || ![Spsc, Event].contains(family))
        .collect();
    let sources: Vec<_> = families.into_iter().map(Source::create).collect();
    let (arrived, slept) = (AtomicU64::new(0), AtomicU64::new(0));
    let over = AtomicBool::new(false);
    let stop = Source::create(Event);
    let with_stop: Vec<_> = sources.iter().copied().chain([stop]).collect();
    std::thread::scope(|scope| {
        for _ in 0..loops {
            scope.spawn(|| {
                let mut sleeper = make(&with_stop);
                while !over.load(SeqCst) {
                    for source in &sources {
                        while source.take() {
                            arrived.fetch_add(1, SeqCst);
                        }
                    }
                    stop.look();
                    slept.fetch_add(1, SeqCst);
                    sleeper.sleep();
                }
            });
        }
        for source in &sources {
            for _ in 0..if [Mpmc, Priority, Batch].contains(&source.family) { getters } else { 0 } {
                scope.spawn(|| {
                    while source.wait() {
                        arrived.fetch_add(1, SeqCst);
                    }
                });
            }
        }
        let seed = first_seed();
        let mut random = Random::new(seed);
        let mut lost = None;
        for round in 0..sleeps() {
            let source = sources[random.below(sources.len() as u64) as usize];
            let before = arrived.load(SeqCst);
            source.put(&mut random);
            let begin = Instant::now();
            let is_there = || arrived.load(SeqCst) > before && is_empty(source);
            while !is_there() && lost.is_none() {
                std::thread::yield_now();
                if begin.elapsed() > LOST {
                    lost = Some((round, source.family));
                }
            }
            if lost.is_some() {
                break;
            }
            delay(&mut random);
        }
        over.store(true, SeqCst);
        stop.put(&mut random);
        sources.iter().for_each(|source| source.close());
        assert_eq!(lost, None, "{what}: a lost wake-up; QUEUES_SEED={seed}");
    });
    println!("{what}: {} sleeps of {loops} loops", slept.load(SeqCst));
    with_stop.into_iter().for_each(Source::release);
}

/// Whether nothing is left: a batch of one may be taken before the put of its second item.
#[allow(clippy::undocumented_unsafe_blocks)] // live handles
fn is_empty(source: Source) -> bool {
    source.family != Batch || unsafe { queues_batch_pending_count(source.handle.cast()) } == 0
}

#[test]
fn descriptors() {
    run("epoll", 1, 0, Epoll::new);
}

#[test]
fn polls() {
    run("poll", 1, 0, Poll::new);
}

#[test]
fn descriptors_beside_getters() {
    run("epoll beside getters", 1, 1, Epoll::new);
}

#[test]
fn polls_beside_getters() {
    run("poll beside getters", 1, 1, Poll::new);
}

/// Several threads sleep for the same queues, half of them each way.
#[test]
fn several_of_each() {
    enum Either {
        Epoll(Epoll),
        Poll(Poll),
    }
    impl Sleeper for Either {
        fn sleep(&mut self) {
            match self {
                Self::Epoll(epoll) => epoll.sleep(),
                Self::Poll(poll) => poll.sleep(),
            }
        }
    }
    let made = AtomicU64::new(0);
    run("epoll and poll beside getters", 4, 1, |sources| {
        if made.fetch_add(1, SeqCst) % 2 == 0 {
            Either::Epoll(Epoll::new(sources))
        } else {
            Either::Poll(Poll::new(sources))
        }
    });
}

/// The other end: a thread that puts sleeps until a get makes room.
#[test]
#[allow(clippy::undocumented_unsafe_blocks)] // live handles
fn room() {
    let queues: Vec<_> = [Mpmc, Spsc].into_iter().map(Source::create).collect();
    let room_of = |source: Source| {
        let mut fd = -1;
        ok(unsafe {
            match source.family {
                Mpmc => queues_mpmc_writable_fd(source.handle.cast(), &mut fd),
                _ => queues_spsc_writable_fd(source.handle.cast(), &mut fd),
            }
        });
        fd
    };
    let count = sleeps();
    for (polls, source) in
        [(false, queues[0]), (false, queues[1]), (true, queues[0]), (true, queues[1])]
    {
        let put = AtomicU64::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut entry =
                    libc::pollfd { fd: room_of(source), events: libc::POLLIN, revents: 0 };
                for _ in 0..count + 2 {
                    loop {
                        let status = unsafe {
                            match source.family {
                                Mpmc => queues_mpmc_try_put(source.handle.cast(), null_mut()),
                                _ => queues_spsc_try_put(source.handle.cast(), null_mut()),
                            }
                        };
                        if status == QUEUES_OK {
                            break;
                        }
                        assert_eq!(status, QUEUES_FULL);
                        if polls {
                            let queue = source.handle;
                            let mut entry =
                                queues_poll_t { queue, events: QUEUES_WRITABLE, ready: 0 };
                            unsafe { queues_poll(&mut entry, 1, 60_000_000_000, &mut 0) };
                        } else {
                            unsafe { libc::poll(&mut entry, 1, 60_000) };
                        }
                    }
                    put.fetch_add(1, SeqCst);
                }
            });
            let mut random = Random::new(first_seed());
            for round in 0..count {
                let begin = Instant::now();
                while put.load(SeqCst) < round + 2 {
                    assert!(begin.elapsed() < LOST, "{:?}: a lost wake-up", source.family);
                    std::thread::yield_now();
                }
                delay(&mut random);
                assert!(source.take());
            }
            while put.load(SeqCst) < count + 2 {
                std::thread::yield_now();
            }
            assert!(source.take() && source.take());
        });
    }
    queues.into_iter().for_each(Source::release);
}
