//! The deques: what one thread sees at both ends, and what becomes of items that nobody takes.

use super::{capacities, numbers};
use crate::deque_subject::*;
use crate::subject::{Blob, Boxed, Dropped};
use queues::{Error, Stats};
use std::sync::Arc;

fn new<E: Ends>(shape: Shape) -> (E::Owner, E::Thief, Arc<Dropped>) {
    let dropped = Arc::new(Dropped::default());
    let (owner, thief) = E::create(shape, &dropped).unwrap();
    (owner, thief, dropped)
}

fn fixed(capacity: usize) -> Shape {
    Shape { capacity, growable: false, origin: 0 }
}

fn fill<E: Ends>(owner: &mut E::Owner, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        E::push(owner, number).unwrap();
    }
}

/// Takes until there is nothing.
fn drain(mut take: impl FnMut() -> queues::Result<u64>) -> Vec<u64> {
    let got = core::iter::from_fn(|| match take() {
        Ok(number) => Some(number),
        Err(why) => {
            assert_eq!(why, Error::Empty);
            None
        }
    });
    got.collect()
}

/// Fills the deque and empties it at either end, each time from another cell.
fn check_laps<E: Ends>(shape: Shape) {
    let (mut owner, thief, dropped) = new::<E>(shape);
    let capacity = shape.capacity as u64;
    for lap in 0..4 {
        for len in 0..capacity {
            assert_eq!(E::len(&thief) as u64, len, "{shape:?}, lap {lap}");
            E::push(&mut owner, len).unwrap();
        }
        if !shape.growable {
            assert_eq!(E::push(&mut owner, u64::MAX), Err(Error::Full), "{shape:?}, lap {lap}");
        }
        let stats = E::stats(&thief);
        assert_eq!((stats.peak_size, stats.capacity), (capacity, capacity), "{shape:?}");
        let half = capacity / 2;
        let stolen: Vec<_> = (0..half).map(|_| E::steal(&thief).unwrap()).collect();
        assert_eq!(stolen, numbers(0..half), "{shape:?}, lap {lap}");
        if lap % 2 == 0 {
            let popped = drain(|| E::pop(&mut owner));
            assert_eq!(popped, numbers((half..capacity).rev()), "{shape:?}, lap {lap}");
        } else {
            assert_eq!(drain(|| E::steal(&thief)), numbers(half..capacity), "{shape:?}");
        }
        // The next lap begins one cell further.
        E::push(&mut owner, 7).unwrap();
        assert_eq!(E::steal(&thief), Ok(7));
    }
    let count = 4 * (capacity + 1);
    let stats = Stats {
        enqueued: count,
        dequeued: count,
        failed_enqueue: if shape.growable { 0 } else { 4 },
        failed_dequeue: 4,
        peak_size: capacity,
        current_size: 0,
        capacity,
        stolen: 4 * (capacity / 2 + 1) + 2 * (capacity - capacity / 2),
    };
    assert_eq!(E::stats(&thief), stats, "{shape:?}");
    drop((owner, thief));
    assert_eq!(dropped.take(), []);
}

fn capacity_is_exact<E: Ends>() {
    for capacity in capacities() {
        check_laps::<E>(fixed(capacity));
        check_laps::<E>(Shape { growable: true, ..fixed(capacity) });
    }
    let (none, huge) = (fixed(0), fixed(usize::MAX));
    for growable in [false, true] {
        let create = |shape| E::create(Shape { growable, ..shape }, &Arc::default());
        assert_eq!(create(huge).err(), Some(Error::Invalid));
        if !E::name().starts_with('C') {
            assert_eq!(create(none).err(), Some(Error::Invalid)); // the default of C
        }
    }
}

/// Positions and counts may begin anywhere, and above all just before they wrap.
fn positions_wrap<E: Ends>() {
    for bits in [1, 2, 31, 32, 61, 62, 63, 64] {
        let end = 1u64.checked_shl(bits).unwrap_or(0);
        for capacity in 1..=9 {
            for before in [0, 1, 2, 3, 2 * capacity as u64] {
                for growable in [false, true] {
                    let origin = end.wrapping_sub(before);
                    check_laps::<E>(Shape { growable, origin, ..fixed(capacity) });
                    check_growth::<E>(Shape { growable: true, origin, ..fixed(capacity) }, 40);
                }
            }
        }
    }
}

/// Pushes so many, stealing some in between, and finds them all in order.
fn check_growth<E: Ends>(shape: Shape, count: u64) {
    let (mut owner, thief, dropped) = new::<E>(shape);
    let (mut stolen, mut capacity, mut len) = (0, shape.capacity as u64, 0);
    for number in 0..count {
        E::push(&mut owner, number).unwrap();
        len += 1;
        if len > capacity {
            capacity *= 2;
        }
        if number % 3 == 2 {
            assert_eq!(E::steal(&thief), Ok(stolen), "{shape:?}");
            stolen += 1;
            len -= 1;
        }
        assert_eq!(
            (E::len(&thief) as u64, E::stats(&thief).capacity),
            (len, capacity),
            "{shape:?}"
        );
    }
    for _ in 0..len / 2 {
        assert_eq!(E::steal(&thief), Ok(stolen), "{shape:?}");
        stolen += 1;
    }
    assert_eq!(drain(|| E::pop(&mut owner)), numbers((stolen..count).rev()), "{shape:?}");
    // The grown ring holds leftovers, too.
    fill::<E>(&mut owner, 0..capacity);
    drop((owner, thief));
    assert_eq!(dropped.take(), numbers(0..capacity), "{shape:?}");
}

fn it_grows<E: Ends>() {
    for capacity in 1..=17 {
        check_growth::<E>(Shape { growable: true, ..fixed(capacity) }, 500);
    }
    check_growth::<E>(Shape { growable: true, ..fixed(1) }, 5000);
}

fn many_are_stolen<E: Ends>() {
    for capacity in 1..=9 {
        let (mut owner, thief, _dropped) = new::<E>(fixed(capacity));
        for max in 1..=capacity + 1 {
            fill::<E>(&mut owner, 0..capacity as u64);
            assert_eq!(E::steal_many(&thief, 0), (vec![], Ok(())));
            let mut stolen = Vec::new();
            while stolen.len() < capacity {
                let (got, why) = E::steal_many(&thief, max);
                assert_eq!((got.len(), why), (max.min(capacity - stolen.len()), Ok(())));
                stolen.extend(got);
            }
            assert_eq!(stolen, numbers(0..capacity as u64));
            assert_eq!(E::steal_many(&thief, max), (vec![], Err(Error::Empty)));
        }
        if E::MANY {
            // Once a turn, when there was nothing.
            assert_eq!(E::stats(&thief).failed_dequeue, capacity as u64 + 1);
        }
    }
}

fn leftovers_are_disposed_of<E: Ends>() {
    for growable in [false, true] {
        for (popped, stolen) in [(0, 0), (1, 0), (0, 1), (2, 1), (1, 2), (3, 2), (5, 0), (0, 5)] {
            let capacity = if growable { 1 } else { 5 };
            let (mut owner, thief, dropped) = new::<E>(Shape { growable, ..fixed(capacity) });
            fill::<E>(&mut owner, 0..5);
            (0..popped).for_each(|i| assert_eq!(E::pop(&mut owner), Ok(4 - i)));
            (0..stolen).for_each(|i| assert_eq!(E::steal(&thief), Ok(i)));
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

macro_rules! suite {
    ($($name:ident: $ends:ty,)*) => {$(
        mod $name {
            use super::*;
            #[test] fn capacity_is_exact() { super::capacity_is_exact::<$ends>() }
            #[test] fn it_grows() { super::it_grows::<$ends>() }
            #[test] fn many_are_stolen() { super::many_are_stolen::<$ends>() }
            #[test] fn leftovers_are_disposed_of() { super::leftovers_are_disposed_of::<$ends>() }
        }
    )*};
}

suite! {
    values: Values,
    core_boxed: Core<Boxed>,
    core_bytes: Core<Blob>,
    c_pointers: OfPointers,
    c_bytes: OfBytes,
}

/// Where the origin can be chosen.
#[test]
fn positions_of_the_core_wrap() {
    positions_wrap::<Core<Boxed>>();
    positions_wrap::<Core<Blob>>();
}
