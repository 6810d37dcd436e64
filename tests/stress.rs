//! Threads put and get at random, in queues of random capacity that are closed at random times. No
//! item is lost, none comes twice, each producer's order is kept, and the statistics are exact.
//!
//! `QUEUES_SEED=n` begins with the round of that seed; each kind of queue passes `QUEUES_ITEMS=n`
//! items.

#![cfg(not(any(loom, miri)))]

mod support;

mod stress {
    mod deque;
}

use queues::{Error, Result, Stats};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*};
use std::thread::{panicking, scope, yield_now};
use support::c_abi::{Handle, Settings, Spsc};
use support::items::lost_places;
use support::list::{self, for_each_kind};
use support::random::{Random, first_seed, setting, with_seed};
use support::subject::{Kind, Reference, fill};
use support::watchdog::watched;

/// The number of items that a test of one kind of queue passes.
fn items() -> u64 {
    setting("QUEUES_ITEMS", 100_000)
}

const SEQUENCES: u64 = 1 << 40;

/// Producer, checksum, sequence.
fn stamp(producer: usize, sequence: u64) -> u64 {
    let plain = (producer as u64) << 56 | sequence;
    plain | (Random::new(plain).next() >> 48) << 40
}

fn read_stamp(number: u64) -> (usize, u64) {
    let (producer, sequence) = ((number >> 56) as usize, number % SEQUENCES);
    assert_eq!(stamp(producer, sequence), number, "a damaged item");
    (producer, sequence)
}

/// How the threads of a round call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    /// Never sleeping.
    Try,
    /// Always sleeping: a lost wake-up is a hang.
    Wait,
    Mixed,
}

/// One round: everything that its seed decides.
#[derive(Debug)]
struct Plan {
    seed: u64,
    capacity: usize,
    producers: usize,
    consumers: usize,
    /// Items of each producer.
    items: u64,
    style: Style,
    /// A producer closes the queue after this many accepted items; otherwise the last producer that
    /// leaves closes it.
    close_after: Option<u64>,
    /// A consumer leaves after this many items; the last to leave closes the queue.
    leave_after: Option<u64>,
    clears: bool,
    peeks: bool,
    /// No thread reads the statistics, and the thread that leaves last frees the queue.
    race_to_release: bool,
}

impl Plan {
    fn new(seed: u64, single: bool) -> Self {
        let mut random = Random::new(seed);
        let capacity = match random.below(8) {
            0 => random.within(8..=64),
            1 => random.within(65..=1100),
            _ => random.within(1..=7),
        };
        let threads = |random: &mut Random| if single { 1 } else { random.within(1..=4) as usize };
        let (producers, consumers) = (threads(&mut random), threads(&mut random));
        let items = random.within(1..=2000);
        let style = match random.below(4) {
            0 => Style::Try,
            1 => Style::Mixed,
            _ => Style::Wait,
        };
        let some = |random: &mut Random| {
            random.one_in(3).then(|| random.below(items * producers as u64 + 1))
        };
        let (close_after, leave_after) = (some(&mut random), some(&mut random));
        Self {
            seed,
            capacity: capacity as usize,
            producers,
            consumers,
            items,
            style,
            close_after,
            leave_after,
            clears: random.one_in(4),
            peeks: random.one_in(3),
            race_to_release: random.one_in(3),
        }
    }
}

/// What a thread did.
#[derive(Default)]
struct Report {
    accepted: u64,
    got: Vec<u64>,
    cleared: u64,
    failed_puts: u64,
    failed_gets: u64,
}

/// What the threads of a round share.
struct Round<'a> {
    plan: &'a Plan,
    /// One thread on each side.
    single: bool,
    accepted: AtomicU64,
    producing: AtomicUsize,
    consuming: AtomicUsize,
}

/// A thread's reference. Closes the queue if the thread fails, so that no other waits for it.
struct Guarded(Reference);

impl Drop for Guarded {
    fn drop(&mut self) {
        if panicking() {
            self.0.close();
        }
    }
}

/// A timeout that is a try, never, or up to 20 µs.
fn timeout(style: Style, random: &mut Random) -> i64 {
    match (style, random.below(4)) {
        (Style::Try, _) | (Style::Mixed, 0) => 0,
        (Style::Wait, _) | (Style::Mixed, 1) => -1 - random.below(2) as i64,
        (Style::Mixed, _) => random.within(1..=20_000) as i64,
    }
}

fn produce(queue: Reference, producer: usize, round: &Round, mut random: Random) -> Report {
    let queue = Guarded(queue);
    let Plan { style, items, close_after, .. } = *round.plan;
    let mut report = Report::default();
    while report.accepted < items {
        let timeout = timeout(style, &mut random);
        let many = if queue.0.has_many() && random.one_in(4) { random.within(1..=9) } else { 1 };
        let end = (report.accepted + many).min(items);
        let (done, why) = if many > 1 {
            let stamps: Vec<_> = (report.accepted..end).map(|s| stamp(producer, s)).collect();
            queue.0.put_many(&stamps, timeout)
        } else {
            let number = stamp(producer, report.accepted);
            let put = match timeout {
                0 if random.one_in(2) => queue.0.try_put(number),
                _ => queue.0.put(number, timeout),
            };
            (usize::from(put.is_ok()), put)
        };
        report.accepted += done as u64;
        let all = round.accepted.fetch_add(done as u64, Relaxed) + done as u64;
        if close_after.is_some_and(|enough| all >= enough) {
            queue.0.close();
        }
        match why {
            Ok(()) => assert_eq!(report.accepted, end),
            Err(Error::Closed) => break,
            Err(why) => {
                assert_eq!(why, if timeout == 0 { Error::Full } else { Error::Timeout });
                assert!(timeout >= 0, "a put without a deadline gave up");
                report.failed_puts += 1;
                yield_now();
            }
        }
    }
    if round.producing.fetch_sub(1, Relaxed) == 1 {
        queue.0.close();
    }
    report.failed_puts += lost_places();
    report
}

fn consume(queue: Reference, round: &Round, mut random: Random) -> Report {
    let queue = Guarded(queue);
    let Plan { style, leave_after, clears, peeks, .. } = *round.plan;
    let mut report = Report::default();
    while leave_after.is_none_or(|enough| (report.got.len() as u64) < enough) {
        if round.single && clears && random.one_in(50) {
            report.cleared += queue.0.clear() as u64;
        }
        let seen = if round.single && peeks && queue.0.can_read_peeked() {
            queue.0.peek().ok()
        } else {
            None
        };
        let timeout = timeout(style, &mut random);
        let why = if queue.0.has_many() && random.one_in(4) {
            let (got, why) = queue.0.get_many(random.within(1..=9) as usize, timeout);
            assert_eq!(got.is_empty(), why.is_err());
            assert!(seen.is_none_or(|seen| got[0] == seen), "only the consumer takes");
            report.got.extend(got);
            why
        } else {
            let get = match timeout {
                0 if random.one_in(2) => queue.0.try_get(),
                _ => queue.0.get(timeout),
            };
            assert!(seen.is_none_or(|seen| get == Ok(seen)), "only the consumer takes");
            get.map(|number| report.got.push(number))
        };
        match why {
            Ok(()) => {}
            Err(Error::Closed) => {
                assert_eq!(queue.0.try_get(), Err(Error::Closed), "a get succeeded after the end");
                break;
            }
            Err(why) => {
                assert_eq!(why, if timeout == 0 { Error::Empty } else { Error::Timeout });
                assert!(timeout >= 0, "a get without a deadline gave up");
                report.failed_gets += 1;
                yield_now();
            }
        }
    }
    if round.consuming.fetch_sub(1, Relaxed) == 1 {
        queue.0.close();
    }
    report
}

/// Each producer's items appear in its order.
fn assert_in_order(numbers: impl IntoIterator<Item = u64>, equal: bool, reader: &str) {
    let mut last = HashMap::new();
    for number in numbers {
        let (producer, sequence) = read_stamp(number);
        if let Some(before) = last.insert(producer, sequence) {
            let right = sequence > before || equal && sequence == before;
            assert!(right, "{reader}: item {sequence} of producer {producer} after {before}");
        }
    }
}

/// Peeks until the queue is closed and drained.
fn peek_on(queue: Reference, round: &Round) {
    let mut seen = Vec::new();
    loop {
        match queue.peek() {
            Ok(number) => seen.push(number),
            Err(Error::Empty) => yield_now(),
            Err(why) => {
                assert_eq!(why, Error::Closed);
                break;
            }
        }
        if round.consuming.load(Relaxed) == 0 {
            break; // and items may be left
        }
        yield_now();
    }
    assert_in_order(seen, true, "a peeker");
}

/// Clears the queue now and then.
fn clear_on(queue: Reference, round: &Round, mut random: Random) -> Report {
    let mut report = Report::default();
    while round.consuming.load(Relaxed) > 0 {
        if random.one_in(20) {
            report.cleared += queue.clear() as u64;
        }
        yield_now();
    }
    report
}

/// Sizes and statistics are within their limits at every moment, and counts never decrease.
fn observe(queue: Reference, round: &Round) {
    let capacity = round.plan.capacity as u64;
    let mut last = queue.stats();
    while round.consuming.load(Relaxed) > 0 {
        assert!(queue.len() as u64 <= capacity);
        let now = queue.stats();
        assert!(now.current_size <= capacity && now.peak_size <= capacity, "{now:?}");
        let Stats { enqueued, dequeued, failed_enqueue, failed_dequeue, peak_size, .. } = now;
        assert!(enqueued >= last.enqueued && dequeued >= last.dequeued, "{last:?}, then {now:?}");
        assert!(peak_size >= last.peak_size, "{last:?}, then {now:?}");
        assert!(failed_enqueue >= last.failed_enqueue && failed_dequeue >= last.failed_dequeue);
        last = now;
        yield_now();
    }
}

fn play(kind: Kind, plan: &Plan) -> u64 {
    let mut random = Random::new(!plan.seed);
    let (queue, dropped) = kind.create_at(plan.capacity, random.next());
    let mut queue = Some(queue);
    let round = Round {
        plan,
        single: kind.is_single(),
        accepted: AtomicU64::new(0),
        producing: AtomicUsize::new(plan.producers),
        consuming: AtomicUsize::new(plan.consumers),
    };
    let (producers, consumers, helpers) = scope(|threads| {
        let round = &round;
        let queue_ = queue.clone().unwrap();
        let mut producers = Vec::new();
        let mut consumers = Vec::new();
        for producer in 0..plan.producers {
            let (queue, random) = (queue_.clone(), random.split());
            producers.push(threads.spawn(move || produce(queue, producer, round, random)));
        }
        for _ in 0..plan.consumers {
            let (queue, random) = (queue_.clone(), random.split());
            consumers.push(threads.spawn(move || consume(queue, round, random)));
        }
        let mut helpers = Vec::new();
        if plan.clears && !round.single {
            let (queue, random) = (queue_.clone(), random.split());
            helpers.push(threads.spawn(move || clear_on(queue, round, random)));
        }
        if plan.peeks && queue_.can_read_peeked() && !round.single {
            let queue = queue_.clone();
            threads.spawn(move || peek_on(queue, round));
        }
        if plan.race_to_release {
            queue = None;
        } else {
            let queue = queue_.clone();
            threads.spawn(move || observe(queue, round));
        }
        drop(queue_);
        let join = |threads: Vec<std::thread::ScopedJoinHandle<'_, Report>>| -> Vec<Report> {
            let end = |thread: std::thread::ScopedJoinHandle<'_, Report>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(end).collect()
        };
        (join(producers), join(consumers), join(helpers))
    });

    let accepted: u64 = producers.iter().map(|report| report.accepted).sum();
    let got: u64 = consumers.iter().map(|report| report.got.len() as u64).sum();
    let cleared: u64 = consumers.iter().chain(&helpers).map(|report| report.cleared).sum();
    if let Some(queue) = queue {
        let stats = queue.stats();
        let expected = Stats {
            enqueued: accepted,
            dequeued: got + cleared,
            failed_enqueue: producers.iter().map(|report| report.failed_puts).sum(),
            failed_dequeue: consumers.iter().map(|report| report.failed_gets).sum(),
            current_size: accepted - got - cleared,
            capacity: plan.capacity as u64,
            peak_size: stats.peak_size,
            ..Stats::default()
        };
        assert_eq!(stats, expected);
        assert_eq!(queue.len() as u64, stats.current_size);
        assert!((u64::from(accepted > 0)..=stats.capacity).contains(&stats.peak_size));
    }
    let dropped = dropped.take();
    if plan.leave_after.is_none() {
        assert_eq!(dropped.len() as u64, cleared, "items were left in the queue");
    }
    assert_in_order(dropped.iter().copied(), false, "drop callbacks");
    for report in &consumers {
        assert_in_order(report.got.iter().copied(), false, "a consumer");
    }
    let mut all: Vec<_> =
        consumers.into_iter().flat_map(|report| report.got).chain(dropped).collect();
    all.sort_unstable_by_key(|&number| read_stamp(number));
    let truth = producers.iter().enumerate();
    let truth = truth.flat_map(|(p, report)| (0..report.accepted).map(move |s| stamp(p, s)));
    assert!(all.iter().copied().eq(truth), "{} items of {accepted} accepted", all.len());
    accepted
}

/// Rounds until enough items have passed.
fn stress(kind: Kind) {
    let (mut seed, mut left) = (first_seed(), items());
    while left > 0 {
        let plan = Plan::new(seed, kind.is_single());
        let name = format!("{kind}, QUEUES_SEED={seed}: {plan:?}");
        println!("{name}");
        let passed = with_seed(kind, seed, || watched(&name, || play(kind, &plan)));
        left = left.saturating_sub(1 + passed);
        seed += 1;
    }
}

/// Each of n threads gets one of n + 1 items and puts it again: the queue is never empty and never
/// full.
fn never_empty_never_full(kind: Kind) {
    if kind.is_single() {
        return;
    }
    for threads in 1..=3u64 {
        watched(kind.name, || {
            let queue = kind.create(threads as usize + 1);
            fill(&*queue, 0..=threads);
            scope(|all| {
                for _ in 0..threads {
                    all.spawn(|| {
                        for _ in 0..items() / 10 {
                            let number = queue.try_get().expect("an item is there");
                            queue.try_put(number).expect("there is room");
                        }
                    });
                }
            });
            assert_eq!(queue.stats().failed_enqueue + queue.stats().failed_dequeue, 0);
        });
    }
}

/// Set at the end of a thread, however it ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Release);
    }
}

/// Two threads meet again and again.
#[derive(Default)]
struct Meeting {
    visits: AtomicU64,
    over: AtomicBool,
}

impl Meeting {
    /// Returns when both have met for the `n`th time, or when one has ended.
    fn meet(&self, n: u64) {
        self.visits.fetch_add(1, AcqRel);
        spin_until(|| self.visits.load(Acquire) >= 2 * n || self.over.load(Acquire));
    }
}

/// Checks again at once, to hit short moments; yields after a while.
fn spin_until(done: impl Fn() -> bool) {
    for spins in 0.. {
        if done() {
            break;
        }
        if spins < 1000 { std::hint::spin_loop() } else { yield_now() }
    }
}

/// Each of two threads acts on its own queue and then on the other's. They cannot both have been
/// first.
fn not_both<Q: Sync>(
    name: &str,
    create: impl Fn() -> Q,
    act: fn(&Q, &Q) -> Result,
    undo: fn(&Q, &Q),
    failure: Error,
) {
    watched(name, || {
        let (a, b) = (create(), create());
        let (meeting, rounds) = (Meeting::default(), items() / 40);
        let run = |mine: &Q, other: &Q| -> Vec<bool> {
            let _over = Over(&meeting.over);
            let round = |n| {
                meeting.meet(3 * n + 1);
                let done = act(mine, other);
                meeting.meet(3 * n + 2);
                if done.is_err() {
                    assert_eq!(done, Err(failure));
                    undo(mine, other);
                }
                meeting.meet(3 * n + 3);
                done.is_err()
            };
            (0..rounds).map(round).collect()
        };
        let (first, second) = scope(|all| {
            let second = all.spawn(|| run(&b, &a));
            (run(&a, &b), second.join().unwrap())
        });
        let both = first.iter().zip(&second).filter(|(a, b)| **a && **b).count();
        assert_eq!(both, 0, "both failed with {failure:?} in {both} of {rounds} rounds");
    });
}

fn not_both_empty(kind: Kind) {
    not_both(
        kind.name,
        || kind.create(1),
        |mine, other| mine.try_put(1).and_then(|()| other.try_get().map(|_| ())),
        |_, other| assert_eq!(other.try_get(), Ok(1)),
        Error::Empty,
    );
}

fn not_both_full(kind: Kind) {
    let filled = || {
        let queue = kind.create(1);
        queue.try_put(0).unwrap();
        queue
    };
    not_both(
        kind.name,
        filled,
        |mine, other| mine.try_get().and_then(|_| other.try_put(1)),
        |_, other| assert_eq!(other.try_put(1), Ok(())),
        Error::Full,
    );
}

/// When `is_full` is false the producer's next put succeeds; when `is_empty` is false, the
/// consumer's next get.
#[test]
fn spsc_sides_rely_on_not_full_and_not_empty() {
    watched("not full, not empty", || {
        let queue = Handle::<Spsc>::create(Settings::new(2, 0)).unwrap();
        let over = AtomicBool::new(false);
        scope(|all| {
            all.spawn(|| {
                let _over = Over(&over);
                for item in 0..items() as usize {
                    spin_until(|| !queue.is_full());
                    queue.try_put(item).expect("the queue was not full");
                }
            });
            all.spawn(|| {
                let mut expected = 0..;
                loop {
                    spin_until(|| !queue.is_empty() || over.load(Acquire));
                    if queue.is_empty() {
                        break;
                    }
                    let item = queue.try_get().expect("the queue was not empty");
                    assert_eq!(Some(item), expected.next());
                }
            });
        });
        assert_eq!((queue.stats().enqueued, queue.stats().dequeued), (items(), items()));
    });
}

macro_rules! suites {
    (
        queues { $($(#[$attribute:meta])* $name:ident: $family:ident, $face:ident, $make:expr;)* }
        $($deques:tt)*
    ) => {
        $($(#[$attribute])* mod $name {
            use super::list::$name;
            #[test] fn stress() { super::stress($name()) }
            #[test] fn never_empty_never_full() { super::never_empty_never_full($name()) }
            #[test] fn not_both_empty() { super::not_both_empty($name()) }
            #[test] fn not_both_full() { super::not_both_full($name()) }
        })*
    };
}

for_each_kind!(suites);
