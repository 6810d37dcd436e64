//! Every queue is linearizable: the results of concurrent calls are those of a queue that makes one
//! call after another. And a queue that is never empty or never full never reports that it is.
//!
//! `QUEUES_SEED` is the first seed, `QUEUES_HISTORIES` the number of histories of each kind of
//! queue.
#![cfg(not(loom))]

mod support;

use queues::queue::batch::Limits;
use queues::{Error, Result};
use std::sync::Barrier;
use support::history::{Done, Event, History, Lane, Promise, Recorder};
use support::list;
use support::random::{Random, setting, with_seed};
use support::subject::{Kind, NO_WAIT, Subject, fill, rank, weight};

const MPMC: [Kind; 4] = [
    #[cfg(target_arch = "x86_64")]
    list::mpmc_direct_plain(),
    #[cfg(not(target_arch = "x86_64"))]
    list::mpmc_indirect_plain(),
    list::mpmc_indirect_plain(),
    list::mpmc_indirect_bytes(),
    list::mpmc_leased(),
];
const SPSC: [Kind; 2] = [list::spsc_plain(), list::spsc_bytes()];
const PRIORITY: [Kind; 2] =
    [list::priority_plain().ranked(), list::priority_large_bytes().ranked()];
const DEQUE: [Kind; 2] = [list::deque_plain(), list::deque_bytes()];
const BATCH: [Kind; 2] = [list::batch_plain().of_pairs(), list::batch_bytes().of_pairs()];

/// The most that a batch weighs.
const HEAVY: u64 = 3;
const BY_WEIGHT: Kind =
    list::batch_plain().limited(Limits { size: 3, age: None, weight: Some(HEAVY) });

/// First positions: 0, and shortly before 2^32, 2^62 and 2^64.
const ORIGINS: [u64; 4] = [0, (1 << 32) - 3, (1 << 62) - 3, u64::MAX - 3];

/// No item goes before another that was put earlier.
const FIFO: Promise = Promise::FIFO;

/// The calls that a thread makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Any,
    Producer,
    Consumer,
    /// Of a deque.
    Owner,
    Thief,
    /// Of a batcher.
    Batcher,
}

/// One call, chosen at random among those of the role.
fn call(random: &mut Random, role: Role, queue: &dyn Subject, lane: &mut Lane, item: u64) {
    let put = |lane: &mut Lane| _ = lane.call(|| Done::Put(item, queue.try_put(item)));
    let get = |lane: &mut Lane| _ = lane.call(|| Done::Get(queue.try_get()));
    let peek = |lane: &mut Lane| _ = lane.call(|| Done::Peek(queue.peek()));
    let is_closed = |lane: &mut Lane| _ = lane.call(|| Done::IsClosed(queue.is_closed()));
    let close = |lane: &mut Lane| {
        _ = lane.call(|| {
            queue.close();
            Done::Close
        });
    };
    match (random.below(32), role) {
        (_, Role::Thief) => get(lane),
        (0..=17, Role::Owner) => put(lane),
        (_, Role::Owner) => _ = lane.call(|| Done::Pop(queue.pop())),
        (5..=20, Role::Batcher) => put(lane),
        (21..=24, Role::Batcher) => _ = lane.call(|| Done::Due(queue.get_due())),
        (25..=28, Role::Batcher) => {
            _ = lane.call(|| Done::Batch(queue.get_batch(NO_WAIT)));
        }
        (2..=4, Role::Batcher) => {
            _ = lane.call(|| {
                queue.flush();
                Done::Flush
            });
        }
        (0, _) => close(lane),
        (1, _) => is_closed(lane),
        (2..=4, Role::Any | Role::Consumer) => peek(lane),
        (_, Role::Producer) => put(lane),
        (_, Role::Consumer) => get(lane),
        (5..=17, Role::Any) => put(lane),
        (_, Role::Any | Role::Batcher) => get(lane),
    }
}

/// Runs one history of the kind and checks it.
fn history(kind: Kind, promise: Promise, roles: &[Role], seed: u64) {
    let mut random = Random::new(seed);
    let capacity = 1 + random.below(5) as usize;
    let origin = ORIGINS[random.below(4) as usize];
    let queue = kind.create_at(capacity, origin).0;
    let initial: Vec<u64> = (1..=random.below(capacity as u64 + 1)).collect();
    fill(&*queue, initial.iter().copied());
    let recorder = Recorder::new(roles.len(), true);
    let calls = 12 / roles.len() as u64 + 2;
    let ready = Barrier::new(roles.len());
    let lanes = std::thread::scope(|scope| {
        let threads: Vec<_> = roles
            .iter()
            .enumerate()
            .map(|(thread, &role)| {
                let (queue, ready, mut lane) = (&*queue, &ready, recorder.lane(thread));
                let mut random = random.split();
                scope.spawn(move || -> Vec<Event> {
                    ready.wait();
                    for i in 0..calls {
                        let item = 100 * (thread as u64 + 1) + i;
                        call(&mut random, role, queue, &mut lane, item);
                        for _ in 0..random.below(40) {
                            std::hint::spin_loop();
                        }
                    }
                    lane.finish()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let rest = std::iter::from_fn(|| queue.try_get().ok()).collect();
    let promise = Promise { size: promise.size.min(capacity), ..promise };
    let history = History { capacity, promise, initial, lanes, rest };
    history.check().unwrap_or_else(|why| panic!("{why}"));
}

fn histories(kind: Kind, promise: Promise, roles: &[&[Role]]) {
    let count = setting("QUEUES_HISTORIES", 10_000);
    let first = setting("QUEUES_SEED", 1);
    for seed in first..first + count {
        let roles = roles[seed as usize % roles.len()];
        with_seed(kind, seed, || history(kind, promise, roles, seed));
    }
    println!("{kind}: {count} histories");
}

#[test]
fn mpmc() {
    let any = [Role::Any; 4];
    for kind in MPMC {
        histories(kind, FIFO, &[&any[..2], &any[..3], &any]);
    }
}

#[test]
fn priority() {
    let any = [Role::Any; 4];
    for kind in PRIORITY {
        let ranked = Promise { rank, ..FIFO };
        histories(kind, ranked, &[&any[..2], &any[..3], &any]);
    }
}

#[test]
fn spsc() {
    for kind in SPSC {
        histories(kind, FIFO, &[&[Role::Producer, Role::Consumer]]);
    }
}

#[test]
fn batch() {
    let roles = [Role::Batcher; 4];
    let roles = [&roles[..2], &roles[..3], &roles];
    for kind in BATCH {
        histories(kind, Promise { size: 2, ..FIFO }, &roles);
    }
    let heavy = Promise { size: 3, weight: (HEAVY, weight), ..FIFO };
    histories(BY_WEIGHT, heavy, &roles);
}

#[test]
fn deque() {
    use Role::{Owner, Thief};
    let roles: [&[Role]; 2] = [&[Owner, Thief], &[Owner, Thief, Thief]];
    for kind in DEQUE {
        histories(kind, FIFO, &roles);
        histories(kind.growable(true), Promise { grows: true, ..FIFO }, &roles);
    }
}

/// The checker refuses histories that no queue has.
#[test]
fn the_checker_refuses_wrong_histories() {
    let check = |promise: Promise, capacity, initial: &[u64], lanes: &[&[Done]], rest: &[u64]| {
        let lane = |(thread, events): (usize, &&[Done])| {
            let seen = |i| (0..lanes.len()).map(|t| if t == thread { i } else { 0 }).collect();
            events.iter().enumerate().map(|(i, &done)| Event { done, seen: seen(i) }).collect()
        };
        let lanes = lanes.iter().enumerate().map(lane).collect();
        let (initial, rest) = (initial.to_vec(), rest.to_vec());
        History { capacity, promise, initial, lanes, rest }.check().is_ok()
    };
    let (ok, full, empty): (Result, Result, Result<u64>) =
        (Ok(()), Err(Error::Full), Err(Error::Empty));
    let (put, get) = (|item| Done::Put(item, ok), |item| Done::Get(Ok(item)));

    assert!(check(FIFO, 2, &[1], &[&[put(2)], &[get(1)]], &[2]));
    assert!(!check(FIFO, 2, &[1], &[&[put(2)], &[get(2)]], &[1]), "reordered");
    assert!(!check(FIFO, 2, &[1], &[&[get(1)], &[get(1)]], &[]), "doubled");
    assert!(!check(FIFO, 2, &[1], &[&[put(2)]], &[1]), "lost");
    assert!(!check(FIFO, 1, &[1], &[&[put(2)]], &[1, 2]), "over the capacity");
    assert!(!check(FIFO, 2, &[1], &[&[Done::Put(2, full)]], &[1]), "full while it is not");
    assert!(!check(FIFO, 2, &[1], &[&[Done::Get(empty)]], &[1]), "empty while it is not");
    // Each side reads the other's index before its own store has left the store buffer.
    let store_buffer = [&[put(2), Done::Put(3, full)][..], &[get(1), Done::Get(empty)][..]];
    assert!(!check(FIFO, 2, &[1], &store_buffer, &[2]), "store buffering");
    assert!(!check(FIFO, 2, &[], &[&[Done::Close, put(1)]], &[1]), "put after close");
    let ranks = Promise { rank, ..FIFO };
    assert!(check(ranks, 3, &[2, 4], &[&[put(3), get(3)]], &[4, 2]));
    assert!(!check(ranks, 3, &[2, 4], &[&[put(3), get(4)]], &[3, 2]), "a higher priority first");
    assert!(!check(ranks, 3, &[1, 4], &[&[get(4)]], &[1]), "reordered among equals");
    let (pop, retry) = (|item| Done::Pop(Ok(item)), Done::Get(Err(Error::Retry)));
    assert!(check(FIFO, 3, &[1, 2], &[&[pop(2), pop(1)], &[retry]], &[]));
    assert!(!check(FIFO, 3, &[1, 2], &[&[pop(1)]], &[2]), "popped at the wrong end");
    assert!(!check(FIFO, 3, &[1], &[&[pop(1)], &[get(1)]], &[]), "popped and stolen");
    assert!(!check(FIFO, 3, &[1], &[&[retry]], &[1]), "a race without a winner");
    assert!(!check(FIFO, 3, &[1], &[&[Done::Pop(empty)]], &[1]), "popped empty while it is not");
    let (pairs, batch, due) =
        (Promise { size: 2, ..FIFO }, |few| Done::Batch(Ok(few)), |few| Done::Due(Ok(few)));
    assert!(check(pairs, 3, &[1, 2, 3], &[&[due([1, 2, 0]), batch([3, 0, 0])]], &[]));
    assert!(!check(pairs, 3, &[1, 2, 3], &[&[batch([1, 2, 3])]], &[]), "a batch too large");
    assert!(!check(pairs, 3, &[1, 2], &[&[batch([1, 0, 0])]], &[2]), "not all of a batch");
    assert!(!check(pairs, 3, &[1, 2, 3, 4], &[&[due([1, 3, 0])]], &[2, 4]), "batches interleaved");
    assert!(!check(pairs, 3, &[1], &[&[due([1, 0, 0])]], &[]), "due too early");
    assert!(
        !check(pairs, 3, &[1, 2], &[&[Done::Due(Err(Error::Empty))]], &[1, 2]),
        "due, but empty"
    );
    assert!(check(pairs, 3, &[1], &[&[Done::Flush, due([1, 0, 0])]], &[]));
    assert!(!check(pairs, 3, &[], &[&[Done::Flush, put(1), due([1, 0, 0])]], &[]), "put later");
    let heavy = Promise { size: 3, weight: (3, |item| item), ..FIFO };
    assert!(check(heavy, 3, &[1, 2], &[&[due([1, 2, 0])]], &[]));
    assert!(check(heavy, 3, &[9, 1], &[&[due([9, 0, 0])]], &[1]));
    assert!(!check(heavy, 3, &[1, 3], &[&[due([1, 3, 0])]], &[]), "a batch too heavy");
    let late = [&[Done::Close, Done::Get(Err(Error::Closed))][..], &[put(1)][..]];
    assert!(!check(FIFO, 2, &[], &late, &[1]), "closed before the last item");
}

/// Three threads hold at most one item each, of four: a get never finds the queue empty.
#[test]
fn never_empty() {
    for kind in MPMC.into_iter().chain(PRIORITY) {
        for capacity in [4, 5, 7, 17] {
            let queue = kind.create_at(capacity, u64::MAX - 3).0;
            fill(&*queue, 0..4);
            busy(3, |_| {
                let item = queue.try_get();
                let item = item.unwrap_or_else(|e| panic!("{kind} of {capacity}: {e}"));
                queue.try_put(item).unwrap();
            });
        }
    }
}

/// Three threads put at most one item each, with room for four: a put never finds the queue full.
#[test]
fn never_full() {
    for kind in MPMC.into_iter().chain(PRIORITY) {
        for capacity in [4, 5, 7, 17] {
            let queue = kind.create_at(capacity, (1 << 62) - 3).0;
            fill(&*queue, 4..capacity as u64);
            busy(3, |thread| {
                let put = queue.try_put(100 + thread);
                put.unwrap_or_else(|e| panic!("{kind} of {capacity}: {e}"));
                queue.try_get().unwrap();
            });
        }
    }
}

fn busy(threads: u64, work: impl Fn(u64) + Sync) {
    let rounds = setting("QUEUES_HISTORIES", 10_000) * 5;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let work = &work;
            scope.spawn(move || (0..rounds).for_each(|_| work(thread)));
        }
    });
}

/// Every capacity up to 17, filled and drained past the positions that wrap. Leftovers are disposed
/// of once.
#[test]
fn wraps_and_leftovers() {
    for kind in MPMC.iter().chain(&SPSC) {
        for capacity in 1..=17 {
            for origin in ORIGINS {
                let (queue, dropped) = kind.create_at(capacity, origin);
                let mut next_put = 0..;
                let mut next_get = 0..;
                for round in 0..10 {
                    while queue.len() < capacity {
                        queue.try_put(next_put.next().unwrap()).unwrap();
                    }
                    assert_eq!(queue.try_put(9999), Err(Error::Full), "{kind} of {capacity}");
                    for _ in 0..=round % capacity {
                        assert_eq!(queue.try_get(), Ok(next_get.next().unwrap()), "{kind}");
                    }
                }
                let stats = queue.stats();
                assert_eq!(stats.enqueued, next_put.start, "{kind} of {capacity} from {origin}");
                assert_eq!(stats.dequeued, next_get.start, "{kind} of {capacity} from {origin}");
                assert_eq!(stats.peak_size, capacity as u64, "{kind} of {capacity}");
                drop(queue);
                let left: Vec<u64> = (next_get.start..next_put.start).collect();
                assert_eq!(dropped.take(), left, "{kind} of {capacity} from {origin}");
            }
        }
    }
}
