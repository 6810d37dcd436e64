//! The deques: what one thread sees at both ends, and what becomes of items that no thread takes.
//! Fixed and growable ones, of every kind of the list.

use crate::support::list::{self, for_each_kind};
use crate::support::subject::{Face, Kind, drain, fill};
use crate::{capacities, numbers};
use queues::{Error, Result, Stats};
use std::sync::Arc;

/// Takes until the deque is empty.
fn take_all(mut take: impl FnMut() -> Result<u64>) -> Vec<u64> {
    let taken = core::iter::from_fn(|| match take() {
        Ok(number) => Some(number),
        Err(why) => {
            assert_eq!(why, Error::Empty);
            None
        }
    });
    taken.collect()
}

/// Fills the deque and empties it at either end, each time from another cell.
fn check_laps(kind: Kind, capacity: usize, origin: u64) {
    let (owner, dropped) = kind.create_at(capacity, origin);
    let thief = owner.clone();
    let what = format!("{kind} of {capacity} from {origin}");
    let capacity = capacity as u64;
    for lap in 0..4 {
        for len in 0..capacity {
            assert_eq!(thief.len() as u64, len, "{what}, lap {lap}");
            owner.try_put(len).unwrap();
        }
        if !kind.is_growable() {
            assert_eq!(owner.try_put(u64::MAX), Err(Error::Full), "{what}, lap {lap}");
        }
        let stats = thief.stats();
        assert_eq!((stats.peak_size, stats.capacity), (capacity, capacity), "{what}");
        let half = capacity / 2;
        let stolen: Vec<_> = (0..half).map(|_| thief.try_get().unwrap()).collect();
        assert_eq!(stolen, numbers(0..half), "{what}, lap {lap}");
        if lap % 2 == 0 {
            let popped = take_all(|| owner.pop());
            assert_eq!(popped, numbers((half..capacity).rev()), "{what}, lap {lap}");
        } else {
            let stolen = drain(&*thief);
            assert_eq!(stolen, (numbers(half..capacity), Error::Empty), "{what}, lap {lap}");
        }
        // The next lap begins one cell further.
        owner.try_put(7).unwrap();
        assert_eq!(thief.try_get(), Ok(7));
    }
    let count = 4 * (capacity + 1);
    let stats = Stats {
        enqueued: count,
        dequeued: count,
        failed_enqueue: if kind.is_growable() { 0 } else { 4 },
        failed_dequeue: 4,
        peak_size: capacity,
        current_size: 0,
        capacity,
        stolen: 4 * (capacity / 2 + 1) + 2 * (capacity - capacity / 2),
        ..Stats::default()
    };
    assert_eq!(thief.stats(), stats, "{what}");
    drop((owner, thief));
    assert_eq!(dropped.take(), []);
}

fn capacity_is_exact(kind: Kind) {
    for growable in [false, true] {
        let kind = kind.growable(growable);
        for capacity in capacities() {
            check_laps(kind, capacity, 0);
        }
        let create = |capacity| kind.try_create(capacity, 0, &Arc::default());
        assert_eq!(create(usize::MAX).err(), Some(Error::Invalid));
        if kind.face != Face::C {
            assert_eq!(create(0).err(), Some(Error::Invalid)); // the default of C
        }
    }
}

/// Positions and counts may begin anywhere, and above all just before they wrap.
fn positions_wrap(kind: Kind) {
    if !kind.has_origin() {
        return;
    }
    for bits in [1, 2, 31, 32, 61, 62, 63, 64] {
        let end = 1u64.checked_shl(bits).unwrap_or(0);
        for capacity in 1..=9 {
            for before in [0, 1, 2, 3, 2 * capacity as u64] {
                let origin = end.wrapping_sub(before);
                check_laps(kind, capacity, origin);
                check_laps(kind.growable(true), capacity, origin);
                check_growth(kind, capacity, origin, 40);
            }
        }
    }
}

/// Pushes `count` items, some stolen in between, and finds all of them in order.
fn check_growth(kind: Kind, first_capacity: usize, origin: u64, count: u64) {
    let (owner, dropped) = kind.growable(true).create_at(first_capacity, origin);
    let thief = owner.clone();
    let what = format!("{kind} of {first_capacity} from {origin}");
    let (mut stolen, mut capacity, mut len) = (0, first_capacity as u64, 0);
    for number in 0..count {
        owner.try_put(number).unwrap();
        len += 1;
        if len > capacity {
            capacity *= 2;
        }
        if number % 3 == 2 {
            assert_eq!(thief.try_get(), Ok(stolen), "{what}");
            stolen += 1;
            len -= 1;
        }
        let sizes = (thief.len() as u64, thief.capacity() as u64, thief.stats().capacity);
        assert_eq!(sizes, (len, capacity, capacity), "{what}");
    }
    for _ in 0..len / 2 {
        assert_eq!(thief.try_get(), Ok(stolen), "{what}");
        stolen += 1;
    }
    assert_eq!(take_all(|| owner.pop()), numbers((stolen..count).rev()), "{what}");
    // The grown ring holds leftovers, too.
    fill(&*owner, 0..capacity);
    drop((owner, thief));
    assert_eq!(dropped.take(), numbers(0..capacity), "{what}");
}

fn it_grows(kind: Kind) {
    for capacity in 1..=17 {
        check_growth(kind, capacity, 0, 500);
    }
    check_growth(kind, 1, 0, 5000);
}

fn many_are_stolen(kind: Kind) {
    for capacity in 1..=9 {
        let owner = kind.create(capacity);
        let thief = owner.clone();
        for max in 1..=capacity + 1 {
            fill(&*owner, 0..capacity as u64);
            assert_eq!(thief.get_many(0, 0), (vec![], Ok(())));
            let mut stolen = Vec::new();
            while stolen.len() < capacity {
                let (got, why) = thief.get_many(max, 0);
                assert_eq!((got.len(), why), (max.min(capacity - stolen.len()), Ok(())));
                stolen.extend(got);
            }
            assert_eq!(stolen, numbers(0..capacity as u64));
            assert_eq!(thief.get_many(max, 0), (vec![], Err(Error::Empty)));
        }
        if thief.has_many() {
            // Once a turn, when the deque was empty.
            assert_eq!(thief.stats().failed_dequeue, capacity as u64 + 1);
        }
    }
}

fn leftovers_are_disposed_of(kind: Kind) {
    for growable in [false, true] {
        for (popped, stolen) in [(0, 0), (1, 0), (0, 1), (2, 1), (1, 2), (3, 2), (5, 0), (0, 5)] {
            let capacity = if growable { 1 } else { 5 };
            let (owner, dropped) = kind.growable(growable).create_at(capacity, 0);
            let thief = owner.clone();
            fill(&*owner, 0..5);
            (0..popped).for_each(|i| assert_eq!(owner.pop(), Ok(4 - i)));
            (0..stolen).for_each(|i| assert_eq!(thief.try_get(), Ok(i)));
            drop(owner);
            assert_eq!(dropped.take(), [], "a thief still has the deque");
            let other = thief.clone();
            drop(thief);
            assert_eq!(dropped.take(), []);
            drop(other);
            assert_eq!(dropped.take(), numbers(stolen..5 - popped));
        }
    }
}

macro_rules! suites {
    (
        queues { $($queues:tt)* }
        deques { $($(#[$attribute:meta])* $name:ident: $family:ident, $face:ident, $make:expr;)* }
    ) => {
        $($(#[$attribute])* crate::tests_of! {
            $name:
            capacity_is_exact,
            positions_wrap,
            it_grows,
            many_are_stolen,
            leftovers_are_disposed_of,
        })*
    };
}

for_each_kind!(suites);
