//! An owner pushes and pops at random, beside thieves. No item is lost, none comes twice, each
//! thief steals in order, and the statistics are exact.

use crate::support::list::{self, for_each_kind};
use crate::support::random::{Random, first_seed, with_seed};
use crate::support::subject::{Kind, Reference};
use crate::support::watchdog::watched;
use crate::{Report, items, not_both, read_stamp, stamp};
use queues::{Error, Stats};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::thread::{scope, yield_now};

/// One round: everything that its seed decides.
#[derive(Debug)]
struct Plan {
    seed: u64,
    capacity: usize,
    growable: bool,
    /// The first position, where it can be chosen.
    origin: u64,
    thieves: usize,
    items: u64,
    /// One of this many bursts of the owner pops.
    pops: u64,
    /// A thief leaves after this many items.
    leave_after: Option<u64>,
    /// No thread reads the statistics, and the thread that leaves last frees the deque.
    race_to_release: bool,
}

impl Plan {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let capacity = match random.below(8) {
            0 => random.within(8..=64),
            1 => random.within(65..=1100),
            _ => random.within(1..=7),
        } as usize;
        let items = random.within(1..=4000);
        Self {
            seed,
            capacity,
            growable: random.one_in(2),
            origin: random.next(),
            thieves: random.below(5) as usize,
            items,
            pops: random.within(1..=5),
            leave_after: random.one_in(3).then(|| random.below(items)),
            race_to_release: random.one_in(3),
        }
    }
}

/// What the owner and the thieves of a round share.
#[derive(Default)]
struct Round {
    over: AtomicBool,
    stealing: AtomicUsize,
}

struct Leaving<'a>(&'a Round);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Release);
    }
}

/// Pushes all the items; pops now and then, and when the deque is full.
fn own(owner: Reference, plan: &Plan, round: &Round, mut random: Random) -> Report {
    let _leaving = Leaving(round);
    let mut report = Report::default();
    while report.accepted < plan.items {
        for _ in 0..random.within(1..=9).min(plan.items - report.accepted) {
            match owner.try_put(stamp(0, report.accepted)) {
                Ok(()) => report.accepted += 1,
                Err(why) => {
                    assert_eq!((why, plan.growable), (Error::Full, false));
                    report.failed_puts += 1;
                    break;
                }
            }
        }
        let is_alone = round.stealing.load(Relaxed) == 0;
        let pops = if is_alone || random.one_in(plan.pops) { random.below(9) } else { 0 };
        for _ in 0..pops {
            match owner.pop() {
                Ok(number) => report.got.push(number),
                Err(why) => {
                    assert_eq!(why, Error::Empty);
                    report.failed_gets += 1;
                    break;
                }
            }
        }
    }
    report
}

fn steal(thief: Reference, plan: &Plan, round: &Round, mut random: Random) -> Report {
    let mut report = Report::default();
    let mut last = None;
    while plan.leave_after.is_none_or(|enough| (report.got.len() as u64) < enough) {
        let over = round.over.load(Acquire);
        let (got, why) = if thief.has_many() && random.one_in(3) {
            thief.get_many(random.within(1..=9) as usize, 0)
        } else {
            match thief.try_get() {
                Ok(number) => (vec![number], Ok(())),
                Err(why) => (vec![], Err(why)),
            }
        };
        for &number in &got {
            let (_, sequence) = read_stamp(number);
            assert!(last.is_none_or(|last| last < sequence), "{sequence} after {last:?}");
            last = Some(sequence);
        }
        report.got.extend(got);
        match why {
            Ok(()) | Err(Error::Retry) => {}
            Err(why) => {
                assert_eq!(why, Error::Empty);
                report.failed_gets += 1;
                if over {
                    break;
                }
                yield_now();
            }
        }
    }
    round.stealing.fetch_sub(1, Relaxed);
    report
}

/// Sizes and statistics are within their limits at every moment, and counts never decrease.
fn observe(thief: Reference, plan: &Plan, round: &Round) {
    let mut last = thief.stats();
    while !round.over.load(Acquire) {
        // The capacity may grow: read it after the length, which must be within it.
        let len = thief.len() as u64;
        let now = thief.stats();
        assert!(len <= now.capacity && now.current_size <= now.capacity, "{len}, {now:?}");
        assert!(plan.growable || now.capacity == plan.capacity as u64);
        assert!(
            now.enqueued >= last.enqueued && now.dequeued >= last.dequeued,
            "{last:?}, {now:?}"
        );
        assert!(now.stolen >= last.stolen && now.peak_size >= last.peak_size, "{last:?}, {now:?}");
        assert!(now.stolen <= now.dequeued && now.dequeued <= now.enqueued, "{now:?}");
        assert!(now.failed_dequeue >= last.failed_dequeue && now.capacity >= last.capacity);
        last = now;
        yield_now();
    }
}

fn play(kind: Kind, plan: &Plan) -> u64 {
    let mut random = Random::new(!plan.seed);
    let (owner, dropped) = kind.growable(plan.growable).create_at(plan.capacity, plan.origin);
    let thief = owner.clone();
    let mut witness = Some(thief.clone());
    let round = Round { stealing: AtomicUsize::new(plan.thieves), ..Round::default() };
    let (owned, stolen) = scope(|threads| {
        let round = &round;
        let thieves: Vec<_> = (0..plan.thieves)
            .map(|_| {
                let (thief, random) = (thief.clone(), random.split());
                threads.spawn(move || steal(thief, plan, round, random))
            })
            .collect();
        if plan.race_to_release {
            witness = None;
        } else {
            let thief = thief.clone();
            threads.spawn(move || observe(thief, plan, round));
        }
        drop(thief);
        let owned = own(owner, plan, round, random.split());
        let join = |thief: std::thread::ScopedJoinHandle<'_, Report>| {
            thief.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        (owned, thieves.into_iter().map(join).collect::<Vec<_>>())
    });

    let count = |reports: &[Report]| reports.iter().map(|report| report.got.len() as u64).sum();
    let taken: u64 = count(&stolen);
    let popped = owned.got.len() as u64;
    if let Some(thief) = witness {
        let stats = thief.stats();
        let expected = Stats {
            enqueued: plan.items,
            dequeued: popped + taken,
            failed_enqueue: owned.failed_puts,
            failed_dequeue: owned.failed_gets
                + stolen.iter().map(|report| report.failed_gets).sum::<u64>(),
            current_size: plan.items - popped - taken,
            capacity: stats.capacity,
            peak_size: stats.peak_size,
            stolen: taken,
            ..Stats::default()
        };
        assert_eq!(stats, expected);
        assert!((1..=stats.capacity).contains(&stats.peak_size));
        assert_eq!(thief.len() as u64, stats.current_size);
    }
    let dropped = dropped.take();
    if plan.leave_after.is_none() && plan.thieves > 0 {
        assert_eq!(dropped, [], "items were left in the deque");
    }
    assert!(dropped.is_sorted_by_key(|&number| read_stamp(number)), "drop callbacks");
    let mut all = owned.got;
    all.extend(stolen.into_iter().flat_map(|report| report.got).chain(dropped));
    all.sort_unstable_by_key(|&number| read_stamp(number));
    assert!(all.iter().copied().eq((0..plan.items).map(|s| stamp(0, s))), "{} items", all.len());
    plan.items
}

/// Rounds until enough items have passed.
fn stress(kind: Kind) {
    let (mut seed, mut left) = (first_seed(), items());
    while left > 0 {
        let plan = Plan::new(seed);
        let name = format!("{kind}, QUEUES_SEED={seed}: {plan:?}");
        println!("{name}");
        let passed = with_seed(kind, seed, || watched(&name, || play(kind, &plan)));
        left = left.saturating_sub(1 + passed);
        seed += 1;
    }
}

macro_rules! suites {
    (
        queues { $($queues:tt)* }
        deques { $($(#[$attribute:meta])* $name:ident: $family:ident, $face:ident, $make:expr;)* }
    ) => {
        $($(#[$attribute])* mod $name {
            use super::list::$name;
            #[test] fn stress() { super::stress($name()) }
            #[test] fn not_both_empty() { super::not_both_empty($name()) }
        })*
    };
}

for_each_kind!(suites);

/// Each of two owners pushes and then steals from the other: they cannot both have been first.
fn not_both_empty(kind: Kind) {
    not_both(
        kind.name,
        || {
            let owner = kind.create(1);
            let thief = owner.clone();
            (owner, thief)
        },
        |(mine, _), (_, other)| mine.try_put(1).and_then(|()| other.try_get().map(|_| ())),
        |_, (_, other)| assert_eq!(other.try_get(), Ok(1)),
        Error::Empty,
    );
}
