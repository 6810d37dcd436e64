//! Short programs of two or three threads are linearizable and lose no wake-up, in every
//! interleaving and with every value that a weakly ordered machine may read. Loom runs them all; a
//! lost wake-up shows as a deadlock.
//!
//! Each model states its bound: a number of preemptions (switches away from a thread that could go
//! on), which loom's authors found to be small in real bugs. Unbounded means all.
//! `LOOM_MAX_PREEMPTIONS` replaces the bounds.
//!
//! Under loom a queue of pairs packs sequence and item into 64 bits, an indirect queue has 3 spare
//! cells, a waiter does not spin, and a sleep to a deadline ends at once: the clock jumps there.
#![cfg(loom)]

mod support;

use loom::thread::{JoinHandle, spawn};
use queues::payload::{Bytes, Dense, Disposer, Received};
use queues::queue::batch::Limits;
use queues::queue::{Get, Put, Queue, mpmc, spsc};
use queues::sync::fence::withdrawal;
use queues::sync::lock::Lock;
use queues::wait::{Blocking, Wait};
use queues::{Error, Result};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::flag::FLAG;
use support::history::{Closing, Done, History, Lane, Promise, Recorder};
use support::items::Dropped;
use support::list;
use support::models::{UNBOUNDED, explore, join, runs_of};
use support::subject::{FOREVER, Kind, NO_WAIT, Reference, Subject, fill, rank, weight};

/// What several threads do to one queue: a word for each, a letter for each call.
#[derive(Clone)]
struct Model {
    kind: Kind,
    promise: Promise,
    capacity: usize,
    /// Items put before the threads begin.
    initial: u64,
    words: Vec<String>,
    /// Whether the order between calls of two threads counts, and not only that within each thread.
    /// That multiplies the number of runs.
    watching: bool,
    /// The number of membarrier calls that succeed before the kernel refuses them.
    refused_after: Option<u32>,
}

impl Model {
    fn watching(self) -> Self {
        Self { watching: true, ..self }
    }

    fn refused_after(self, calls: u32) -> Self {
        Self { refused_after: Some(calls), ..self }
    }

    fn what(&self) -> String {
        let Self { kind, capacity, initial, words, .. } = self;
        let refused = self.refused_after.map_or(String::new(), |n| format!(", refused after {n}"));
        let words = words.join(" | ");
        format!("{kind} of {capacity} with {initial}: {words} w {}{refused}", self.watching)
    }

    fn explore(self, bound: Option<usize>) {
        explore(&self.what(), bound, move || self.run());
    }

    fn run(&self) {
        if let Some(calls) = self.refused_after {
            withdrawal::after(calls);
        }
        let (queue, dropped) = self.kind.create_at(self.capacity, 0);
        let initial: Vec<u64> = (1..=self.initial).collect();
        fill(&*queue, initial.iter().copied());
        let recorder = Recorder::new(self.words.len(), self.watching);
        let program = |thread: usize| {
            let (queue, dropped, mut lane) =
                (queue.clone(), dropped.clone(), recorder.lane(thread));
            let (word, first) = (self.words[thread].clone(), 10 * (thread as u64 + 1));
            move || {
                for (letter, item) in word.chars().zip(first..) {
                    call(letter, item, &*queue, &mut lane, &dropped);
                }
                lane.finish()
            }
        };
        let others: Vec<_> = (1..self.words.len()).map(|thread| spawn(program(thread))).collect();
        let mut lanes = vec![program(0)()];
        lanes.extend(join(others));
        let rest = std::iter::from_fn(|| queue.try_get().ok()).collect();
        let (capacity, promise) = (self.capacity, self.promise);
        let history = History { capacity, promise, initial, lanes, rest };
        history.check().unwrap_or_else(|why| panic!("{why}"));
    }
}

/// Makes the call of the letter. A capital waits.
fn call(letter: char, item: u64, queue: &dyn Subject, lane: &mut Lane, dropped: &Dropped) {
    let done = match letter {
        'p' => lane.call(|| Done::Put(item, queue.try_put(item))),
        'P' => lane.call(|| Done::Put(item, queue.put(item, FOREVER))),
        'g' => lane.call(|| Done::Get(queue.try_get())),
        'G' => lane.call(|| Done::Get(queue.get(FOREVER))),
        'o' => lane.call(|| Done::Pop(queue.pop())),
        'b' => lane.call(|| Done::Batch(queue.get_batch(NO_WAIT))),
        'd' => lane.call(|| Done::Due(queue.get_due())),
        'D' => lane.call(|| Done::Due(queue.get_batch(FOREVER))),
        'f' => lane.call(|| {
            queue.flush();
            Done::Flush
        }),
        'k' => lane.call(|| Done::Peek(queue.peek())),
        'i' => lane.call(|| Done::IsClosed(queue.is_closed())),
        'c' => lane.call(|| {
            queue.close();
            Done::Close
        }),
        'm' => {
            return lane.several(|| {
                let items = [item, item + 5];
                let (done, why) = queue.put_many(&items, NO_WAIT);
                let put = items.iter().take(done).map(|&item| Done::Put(item, Ok(())));
                put.chain(why.err().map(|why| Done::Put(items[done], Err(why)))).collect()
            });
        }
        'n' => {
            return lane.several(|| {
                let (items, why) = queue.get_many(2, NO_WAIT);
                let got = items.into_iter().map(|item| Done::Get(Ok(item)));
                got.chain(why.err().map(|why| Done::Get(Err(why)))).collect()
            });
        }
        'x' => {
            // No model clears on two threads, so the record is of this clear.
            lane.clear(|| {
                queue.clear();
                dropped.take()
            });
            return;
        }
        other => panic!("no call {other:?}"),
    };
    assert_ne!(done, Done::Put(item, Err(Error::Timeout)));
}

/// All words of a length.
fn words(letters: &str, length: usize) -> Vec<String> {
    let longer = |words: Vec<String>| {
        let append = |word: String| letters.chars().map(move |letter| format!("{word}{letter}"));
        words.into_iter().flat_map(append).collect()
    };
    (0..length).fold(vec![String::new()], |words, _| longer(words))
}

/// All pairs of words, each once.
fn pairs(words: &[String]) -> impl Iterator<Item = Vec<String>> {
    words
        .iter()
        .enumerate()
        .flat_map(|(i, word)| words[i..].iter().map(move |other| vec![word.clone(), other.clone()]))
}

const DRAINING: Promise = Promise { closing: Closing::Draining, ..Promise::FIFO };

const MPMC: [Kind; 2] = [list::mpmc_direct_plain(), list::mpmc_indirect_plain()];

fn model(
    kind: Kind,
    promise: Promise,
    capacity: usize,
    initial: u64,
    words: &[impl ToString],
) -> Model {
    let words = words.iter().map(ToString::to_string).collect();
    Model { kind, promise, capacity, initial, words, watching: false, refused_after: None }
}

fn mpmc(kind: Kind, capacity: usize, initial: u64, words: &[impl ToString]) -> Model {
    model(kind, Promise::FIFO, capacity, initial, words)
}

fn spsc(capacity: usize, initial: u64, words: &[impl ToString]) -> Model {
    model(list::spsc_plain(), Promise::FIFO, capacity, initial, words)
}

/// Calls on many, beside those on one, a close and a clear.
#[test]
fn spsc_many() {
    for capacity in 1..=3 {
        for producer in ["mm", "mp", "pm"] {
            for consumer in ["nn", "gn", "ng", "xn"] {
                spsc(capacity, 1, &[producer, consumer]).explore(Some(3));
            }
        }
        spsc(capacity, 0, &["mp", "nn"]).watching().explore(Some(2));
        spsc(capacity, 0, &["m", "n", "c"]).explore(Some(2));
    }
}

// --- mpmc

/// Every three calls of two threads, of which each thread has puts and gets.
#[test]
fn mpmc_three_calls_each() {
    let mixed: Vec<_> = words("pg", 3)
        .into_iter()
        .filter(|word| word.contains("p") && word.contains("g"))
        .collect();
    for kind in MPMC {
        for capacity in 1..=3 {
            for pair in pairs(&mixed) {
                mpmc(kind, capacity, 0, &pair).explore(Some(2));
            }
        }
    }
}

/// The richest of these pairs, with more preemptions.
#[test]
fn mpmc_three_calls_each_in_depth() {
    mpmc(MPMC[0], 1, 0, &["ppg", "ggp"]).explore(Some(3));
    mpmc(MPMC[0], 2, 0, &["ppg", "pgp"]).explore(Some(3));
    mpmc(MPMC[1], 1, 0, &["pgp", "gpg"]).explore(Some(3));
}

/// Two calls each, and with the order between the calls of different threads.
#[test]
fn mpmc_two_calls_each() {
    for kind in MPMC {
        for (capacity, initial) in [(1, 0), (2, 1), (3, 1)] {
            for pair in pairs(&words("pg", 2)) {
                mpmc(kind, capacity, initial, &pair).watching().explore(Some(2));
            }
        }
        mpmc(kind, 1, 0, &["pg", "pg"]).explore(Some(3));
    }
}

#[test]
fn mpmc_three_threads() {
    for kind in MPMC {
        for three in [["pg", "pg", "g"], ["pp", "g", "gp"]] {
            mpmc(kind, 1, 0, &three).explore(Some(2));
        }
    }
    mpmc(MPMC[0], 2, 0, &["pg", "pg", "pg"]).explore(Some(2));
}

/// Close racing puts and gets: nothing is accepted after it, nothing accepted is lost.
#[test]
fn mpmc_close() {
    for kind in MPMC {
        for capacity in 1..=3 {
            for closer in ["c", "cg", "cp", "pc", "gc", "pcg", "cgi"] {
                for other in ["pg", "ppg", "gpg", "pgg", "cpg", "pig"] {
                    mpmc(kind, capacity, 0, &[closer, other]).explore(Some(2));
                }
            }
        }
        mpmc(kind, 1, 0, &["cg", "pg"]).watching().explore(Some(3));
        mpmc(kind, 1, 0, &["c", "pp", "gg"]).explore(Some(2));
        mpmc(kind, 2, 1, &["c", "pg", "gp"]).explore(Some(2));
    }
}

/// Peeking and clearing among puts and gets.
#[test]
fn mpmc_peek_and_clear() {
    for kind in MPMC {
        for capacity in 1..=3 {
            for other in ["pgp", "gpg", "gkp", "ppc"] {
                mpmc(kind, capacity, 1, &["kgk", other]).explore(Some(2));
                mpmc(kind, capacity, 1, &["pxg", other]).explore(Some(2));
            }
        }
    }
}

// --- mpmc in place

const LEASED: Kind = list::mpmc_leased();

/// A put is a reservation and its commit, a get a lease and its end; close races both.
#[test]
fn leased() {
    for capacity in 1..=2 {
        for pair in [["ppg", "gpg"], ["pgp", "gpg"], ["pg", "cg"], ["pgg", "pc"], ["kgk", "pgp"]] {
            mpmc(LEASED, capacity, 1, &pair).explore(Some(2));
        }
    }
    mpmc(LEASED, 1, 0, &["pg", "pg"]).watching().explore(Some(2));
    mpmc(LEASED, 1, 1, &["P", "g"]).explore(Some(2));
    mpmc(LEASED, 1, 0, &["p", "G"]).explore(Some(2));
}

/// Two consumers hold an item each; one returns its own, the other settles, beside a put and a
/// close. No item is lost or doubled, and all cells become free.
#[test]
fn leases_race_returns_puts_and_a_close() {
    explore("leases", Some(2), || {
        let queue = Arc::new(mpmc::Indirect::try_new(2, blobs(3)).unwrap());
        put_blob(&*queue, &[0; 1]).unwrap();
        put_blob(&*queue, &[0; 2]).unwrap();
        let returns = spawn({
            let queue = queue.clone();
            move || {
                let (data, len) = queue.lease().unwrap();
                match queue.put_back(data) {
                    Ok(()) => None,
                    Err(why) => {
                        assert!(matches!(why, Error::Full | Error::Closed));
                        queue.settle(data).unwrap();
                        Some(len)
                    }
                }
            }
        });
        let puts = spawn({
            let queue = queue.clone();
            move || {
                let put = put_blob(&*queue, &[0; 3]);
                queue.close();
                put
            }
        });
        let (data, len) = queue.lease().unwrap();
        queue.settle(data).unwrap();
        let mut gone = vec![len];
        gone.extend(returns.join().unwrap());
        if puts.join().unwrap().is_err() {
            gone.push(3);
        }
        while let Ok((data, len)) = queue.lease() {
            queue.settle(data).unwrap();
            gone.push(len);
        }
        gone.sort_unstable();
        assert_eq!(gone, [1, 2, 3]);
    });
}

/// Two threads end one lease, or one reservation: one of them succeeds, and one cell becomes free.
#[test]
fn a_lease_or_a_reservation_ends_once() {
    type End = fn(&mpmc::Indirect<Bytes>, *mut c_void) -> Result;
    let of_a_lease: [End; 2] =
        [|queue, data| queue.settle(data), |queue, data| queue.put_back(data)];
    let of_a_reservation: [End; 2] =
        [|queue, data| queue.cancel(data), |queue, data| queue.commit(data, 1)];
    for leased in [true, false] {
        let ends = if leased { of_a_lease } else { of_a_reservation };
        for (first, second) in [(0, 0), (0, 1), (1, 1)] {
            explore("two ends", Some(3), move || {
                let queue = Arc::new(mpmc::Indirect::with_spare(1, 1, blobs(1)).unwrap());
                let data = if leased {
                    put_blob(&*queue, &[0]).unwrap();
                    queue.lease().unwrap().0
                } else {
                    queue.reserve().unwrap()
                };
                let other = spawn({
                    let (queue, address) = (queue.clone(), data.expose_provenance());
                    move || ends[second](&queue, std::ptr::with_exposed_provenance_mut(address))
                });
                let both = [ends[first](&queue, data), other.join().unwrap()];
                assert!(both.contains(&Ok(())) && both.contains(&Err(Error::Misuse)), "{both:?}");
                if let Ok((data, _)) = queue.lease() {
                    queue.settle(data).unwrap();
                }
                queue.reserve().unwrap();
                queue.reserve().unwrap();
                assert_eq!(queue.reserve(), Err(Error::Full));
            });
        }
    }
}

/// Two commits and one place: one fails and keeps its reservation, until a get makes room.
#[test]
fn commits_race() {
    explore("commits", Some(3), || {
        let queue = Arc::new(mpmc::Indirect::try_new(1, blobs(2)).unwrap());
        let reserved = [queue.reserve().unwrap(), queue.reserve().unwrap()];
        let other = spawn({
            let (queue, address) = (queue.clone(), reserved[1].expose_provenance());
            move || queue.commit(std::ptr::with_exposed_provenance_mut(address), 2)
        });
        let both = [queue.commit(reserved[0], 1), other.join().unwrap()];
        let full = both.iter().position(|done| *done == Err(Error::Full)).unwrap();
        assert_eq!(both[1 - full], Ok(()));
        assert_eq!(queue.lease().unwrap().1, 2 - full);
        assert_eq!(queue.commit(reserved[full], full + 1), Ok(()));
        assert_eq!(queue.lease().unwrap().1, full + 1);
    });
}

/// A reservation that was woken for a place passes the wake-up on to the put beside it.
#[test]
fn a_reservation_passes_the_wake_up_on() {
    explore("reserve", Some(2), || {
        let ring = mpmc::Indirect::try_new(1, blobs(1)).unwrap();
        let queue = Arc::new(Blocking::new(ring));
        put_blob(queue.queue(), &[1]).unwrap();
        let reserves = spawn({
            let queue = queue.clone();
            move || queue.reserve(Wait::Forever).map(|_| ())
        });
        let puts = spawn({
            let queue = queue.clone();
            // SAFETY: the blob is as long as a cell, and any thread may put.
            move || unsafe { queue.put(&[2], (), Wait::Forever) }
        });
        queue.lease(Wait::Forever).unwrap();
        puts.join().unwrap().unwrap();
        // The put may have been first: then there is room once more.
        queue.lease(Wait::Forever).unwrap();
        reserves.join().unwrap().unwrap();
    });
}

/// With room but no free cell, the end of a lease or of a reservation wakes a put.
#[test]
fn a_free_cell_ends_a_wait() {
    for leased in [true, false] {
        explore("cells", Some(2), move || {
            let ring = mpmc::Indirect::with_spare(1, 1, blobs(1)).unwrap();
            let queue = Arc::new(Blocking::new(ring));
            queue.queue().reserve().unwrap();
            let held = if leased {
                put_blob(queue.queue(), &[1]).unwrap();
                queue.queue().lease().unwrap().0
            } else {
                queue.queue().reserve().unwrap()
            };
            let puts = spawn({
                let queue = queue.clone();
                // SAFETY: as above.
                move || unsafe { queue.put(&[2], (), Wait::Forever) }
            });
            if leased { queue.settle(held) } else { queue.cancel(held) }.unwrap();
            puts.join().unwrap().unwrap();
        });
    }
}

/// A blob that does not fit stays in the queue, and its length is reported only while it is in
/// front.
#[test]
fn mpmc_too_small() {
    explore("mpmc too small", Some(3), || {
        let queue = Arc::new(mpmc::Indirect::try_new(1, blobs(3)).unwrap());
        put_blob(&*queue, &[1, 1, 1]).unwrap();
        let other = spawn({
            let queue = queue.clone();
            move || {
                let first = get_blob(&*queue, 3);
                let second = put_blob(&*queue, &[2, 2]);
                (first, second)
            }
        });
        let small = get_blob(&*queue, 2);
        let (first, second) = other.join().unwrap();
        match small {
            // The second blob fits, the first does not.
            Ok(blob) => assert_eq!((blob, first, second), (vec![2, 2], Ok(vec![1, 1, 1]), Ok(()))),
            Err(Error::TooSmall { needed }) => assert_eq!(needed, 3),
            Err(other) => assert_eq!(other, Error::Empty),
        }
    });
}

fn blobs(limit: usize) -> Bytes {
    Bytes::try_new(limit, Disposer::default()).unwrap()
}

fn put_blob(queue: &impl Put<Item = [u8], With = ()>, blob: &[u8]) -> Result {
    // SAFETY: the blob is not longer than a cell, and any thread may put.
    unsafe { queue.try_put(blob, ()) }
}

fn get_blob(queue: &impl Get<Out = Received, With = ()>, room: usize) -> Result<Vec<u8>> {
    receive(room, |out| {
        // SAFETY: any thread may get.
        unsafe { queue.try_get(out) }
    })
}

fn receive(room: usize, get: impl FnOnce(&mut Received) -> Result) -> Result<Vec<u8>> {
    let mut buffer = vec![0; room];
    // SAFETY: the buffer outlives its use.
    let mut out = unsafe { Received::new(buffer.as_mut_ptr(), room) };
    get(&mut out)?;
    buffer.truncate(out.len());
    Ok(buffer)
}

// --- spsc

#[test]
fn spsc_three_calls_each() {
    for capacity in 1..=3 {
        for initial in [0, capacity as u64] {
            for consumer in ["ggg", "gkg", "kgg", "gxg"] {
                spsc(capacity, initial, &["ppp", consumer]).explore(Some(3));
                spsc(capacity, initial, &["ppp", consumer]).watching().explore(Some(2));
            }
        }
    }
}

/// Close by either side or by a third thread: every accepted item is got, and none is accepted
/// after a get returned *closed*.
#[test]
fn spsc_close() {
    for capacity in 1..=3 {
        for (producer, consumer) in [("pcp", "ggg"), ("ppp", "gcg"), ("pp", "cgg")] {
            spsc(capacity, 0, &[producer, consumer]).explore(Some(3));
            spsc(capacity, 1, &[producer, consumer]).watching().explore(Some(2));
        }
        spsc(capacity, 0, &["pp", "ggg", "c"]).explore(Some(2));
        spsc(capacity, 1, &["pi", "gg", "c"]).watching().explore(Some(2));
    }
    spsc(1, 0, &["p", "g", "c"]).explore(Some(3));
}

/// A put that a close refuses is never counted, and no count decreases.
#[test]
fn spsc_statistics() {
    explore("spsc statistics", Some(3), || {
        let queue = list::spsc_plain().create(1);
        let watcher = spawn({
            let queue = queue.clone();
            move || (queue.stats(), queue.stats())
        });
        let producer = spawn({
            let queue = queue.clone();
            move || queue.try_put(1).is_ok() as u64
        });
        queue.close();
        let got = queue.try_get().is_ok() as u64;
        let put = producer.join().unwrap();
        let (first, second) = watcher.join().unwrap();
        assert_eq!(queue.stats().enqueued, put);
        assert_eq!(got + queue.try_get().is_ok() as u64, put);
        for (before, after) in [(first, second), (second, queue.stats())] {
            assert!(before.enqueued <= after.enqueued, "{before:?}, then {after:?}");
        }
    });
}

/// No count decreases, and none is too high, while clear frees slots after their callbacks.
#[test]
fn spsc_statistics_beside_a_clear() {
    explore("spsc statistics beside a clear", Some(3), || {
        let queue = list::spsc_plain().create(2);
        for item in 1..=2 {
            queue.try_put(item).unwrap();
        }
        let watcher = spawn({
            let queue = queue.clone();
            move || (queue.stats(), queue.stats())
        });
        assert_eq!(queue.clear(), 2);
        let (first, second) = watcher.join().unwrap();
        for (before, after) in [(first, second), (second, queue.stats())] {
            assert!(before.dequeued <= after.dequeued, "{before:?}, then {after:?}");
            assert_eq!((before.enqueued, before.current_size), (2, 2 - before.dequeued));
        }
    });
}

/// A thread that closes may be suspended before it wakes a get: a put that is accepted all the same
/// wakes it.
#[test]
fn spsc_put_beside_a_close_wakes() {
    explore("spsc put beside a close", Some(3), || {
        let queue = Arc::new(Blocking::new(spsc::Spsc::try_new(2, Dense::new(blobs(2))).unwrap()));
        // The next put takes the fast path: no new peak, and room by the cached index.
        for call in "ppggpg".chars() {
            // SAFETY: the only thread.
            unsafe {
                match call {
                    'p' => queue.try_put(&[7, 7], ()).unwrap(),
                    _ => _ = receive(2, |out| queue.try_get(out)).unwrap(),
                }
            }
        }
        let getter = spawn({
            let queue = queue.clone();
            // SAFETY: the only consumer.
            move || receive(2, |out| unsafe { queue.get(out, Wait::Forever) })
        });
        let putter = spawn({
            let queue = queue.clone();
            // SAFETY: the only producer; the blob is as long as a cell.
            move || unsafe { queue.try_put(&[7, 7], ()) }
        });
        queue.queue().close();
        let put = putter.join().unwrap();
        if put.is_err() {
            queue.close();
        }
        assert_eq!(getter.join().unwrap(), put.map(|()| vec![7, 7]));
    });
}

/// The first blob that is shorter than the others begins the array of lengths, while the consumer
/// gets the blobs before it.
#[test]
fn spsc_lengths() {
    for capacity in 1..=3 {
        explore("spsc lengths", Some(3), move || {
            let ring = Arc::new(spsc::Spsc::try_new(capacity, Dense::new(blobs(2))).unwrap());
            let sent: [&[u8]; 4] = [&[1, 1], &[2], &[3, 3], &[]];
            let producer = spawn({
                let ring = ring.clone();
                move || sent.iter().take_while(|blob| put_blob(&*ring, blob).is_ok()).count()
            });
            let mut got = Vec::new();
            for _ in 0..2 {
                got.extend(get_blob(&*ring, 2).ok());
            }
            let count = producer.join().unwrap();
            got.extend(core::iter::from_fn(|| get_blob(&*ring, 2).ok()));
            assert_eq!(got, sent[..count]);
        });
    }
}

/// Reserved room and the front blob belong to one side at a time: each use is marked for loom.
#[test]
fn spsc_in_place() {
    for capacity in 1..=3 {
        explore("spsc in place", Some(3), move || {
            let ring = Arc::new(spsc::Spsc::try_new(capacity, Dense::new(blobs(8))).unwrap());
            let places = Arc::new(Places::new(capacity));
            let producer = spawn({
                let (ring, places) = (ring.clone(), places.clone());
                move || {
                    let mut sent = 0;
                    for _ in 0..3 {
                        // SAFETY: the only producer; eight bytes are ours until the commit.
                        unsafe {
                            let Ok(room) = ring.reserve() else { continue };
                            places.change(room);
                            room.write(sent);
                            ring.commit(1).unwrap();
                        }
                        sent += 1;
                    }
                    sent
                }
            });
            let mut received = 0;
            let mut take = || {
                // SAFETY: the only consumer; the blob stays until it is consumed.
                unsafe {
                    let (blob, len) = ring.front()?;
                    places.change(blob);
                    assert_eq!((blob.read(), len), (received, 1));
                    ring.consume()?;
                }
                received += 1;
                Ok(())
            };
            for _ in 0..3 {
                let _: Result = take();
            }
            let sent = producer.join().unwrap();
            while take().is_ok() {}
            assert_eq!(received, sent);
        });
    }
}

/// A mark for loom at each address that is used in place.
struct Places {
    addresses: Mutex<Vec<usize>>,
    marks: Vec<loom::cell::UnsafeCell<()>>,
}

// SAFETY: loom watches the marks.
unsafe impl Sync for Places {}

impl Places {
    fn new(count: usize) -> Self {
        let marks = (0..count).map(|_| loom::cell::UnsafeCell::new(())).collect();
        Self { addresses: Mutex::default(), marks }
    }

    fn change(&self, place: *const u8) {
        let index = {
            let mut addresses = self.addresses.lock().unwrap();
            let known = addresses.iter().position(|&known| known == place.addr());
            known.unwrap_or_else(|| {
                addresses.push(place.addr());
                addresses.len() - 1
            })
        };
        self.marks[index].with_mut(|_| ());
    }
}

// --- priority

const PRIORITY: [Kind; 2] =
    [list::priority_plain().ranked(), list::priority_large_bytes().ranked()];

fn priority(kind: Kind, capacity: usize, initial: u64, words: &[impl ToString]) -> Model {
    let promise = Promise { rank, ..Promise::FIFO };
    model(kind, promise, capacity, initial, words)
}

/// Puts, gets, peeks, closing and clearing of two threads.
#[test]
fn priority_two_threads() {
    for kind in PRIORITY {
        for capacity in 1..=3 {
            for one in ["ppg", "pgp", "gpg"] {
                for other in ["gpp", "kgk", "cpg", "xpg"] {
                    priority(kind, capacity, 1, &[one, other]).explore(UNBOUNDED);
                }
            }
        }
        priority(kind, 2, 1, &["pg", "kc"]).watching().explore(UNBOUNDED);
    }
}

/// Threads that wait for room or for an item wake, also for a close.
#[test]
fn priority_waits() {
    for kind in PRIORITY {
        priority(kind, 1, 0, &["PP", "GG"]).explore(Some(3));
        priority(kind, 1, 1, &["P", "G", "c"]).explore(Some(2));
        priority(kind, 1, 0, &["G", "G", "Pc"]).explore(Some(2));
    }
}

// --- deque

const DEQUE: [Kind; 2] = [list::deque_plain(), list::deque_bytes()];

/// The first word is the owner's (`p` pushes, `o` pops), the others are thieves' (`g` steals).
fn deque(kind: Kind, capacity: usize, initial: u64, words: &[impl ToString]) -> Model {
    model(kind, Promise::FIFO, capacity, initial, words)
}

fn growable(kind: Kind, capacity: usize, initial: u64, words: &[impl ToString]) -> Model {
    let kind = kind.growable(true);
    model(kind, Promise { grows: true, ..Promise::FIFO }, capacity, initial, words)
}

/// The owner against one thief: above all a pop and a theft of the last item, and a push that
/// reuses its cell.
#[test]
fn deque_owner_and_thief() {
    for kind in DEQUE {
        for capacity in 1..=3 {
            for initial in 0..=capacity as u64 {
                for owner in ["ooo", "pop", "opo", "ppo", "oop", "opp"] {
                    let model = deque(kind, capacity, initial, &[owner, "gg"]);
                    if (initial, owner) == (0, "ooo") {
                        // None of these writes what another reads: one run may be all.
                        runs_of(&model.what(), UNBOUNDED, move || model.run());
                    } else {
                        model.explore(UNBOUNDED);
                    }
                }
                deque(kind, capacity, initial, &["po", "gg"]).watching().explore(UNBOUNDED);
                deque(kind, capacity, initial, &["op", "gg"]).watching().explore(UNBOUNDED);
            }
        }
    }
}

#[test]
fn deque_two_thieves() {
    for kind in DEQUE {
        for (capacity, initial) in [(1, 1), (2, 1), (2, 2)] {
            for owner in ["o", "oo", "op", "po"] {
                deque(kind, capacity, initial, &[owner, "g", "g"]).explore(Some(3));
            }
        }
        deque(kind, 2, 2, &["opo", "gg", "g"]).explore(Some(2));
    }
}

/// Growth while thieves read the buffer that is outgrown.
#[test]
fn deque_grows() {
    for kind in DEQUE {
        for owner in ["p", "pp", "ppo", "pop", "opp"] {
            growable(kind, 1, 1, &[owner, "gg"]).explore(UNBOUNDED);
        }
        growable(kind, 1, 1, &["pp", "g", "g"]).explore(Some(2));
        growable(kind, 2, 2, &["po", "gg"]).watching().explore(Some(3));
    }
}

/// Two owners push and then steal from each other: not both find an empty deque.
#[test]
fn deque_pushes_and_thefts_across() {
    explore("deques across", UNBOUNDED, || {
        let new = || list::deque_plain().create(1);
        let (mine, yours) = (new(), new());
        let other = spawn({
            let (mine, yours) = (mine.clone(), yours.clone());
            move || {
                yours.try_put(2).unwrap();
                mine.try_get()
            }
        });
        mine.try_put(1).unwrap();
        let stolen = yours.try_get();
        let other = other.join().unwrap();
        assert!((stolen, other) != (Err(Error::Empty), Err(Error::Empty)));
    });
}

/// The count of stolen items is never too high, and never decreases.
#[test]
fn deque_statistics() {
    explore("deque statistics", Some(3), || {
        let deque = list::deque_plain().create(2);
        deque.try_put(1).unwrap();
        let watcher = spawn({
            let deque = deque.clone();
            move || (deque.stats(), deque.stats())
        });
        let thief = spawn({
            let deque = deque.clone();
            move || deque.try_get().is_ok() as u64
        });
        let popped = deque.pop().is_ok() as u64;
        let stolen = thief.join().unwrap();
        let (first, second) = watcher.join().unwrap();
        assert_eq!((popped + stolen, deque.stats().stolen), (1, stolen));
        for (before, after) in [(first, second), (second, deque.stats())] {
            assert!(before.stolen <= after.stolen && before.dequeued <= after.dequeued);
            assert!(after.dequeued <= after.enqueued && after.enqueued == 1);
        }
    });
}

// --- batches

const BATCH: [Kind; 2] = [list::batch_plain().of_pairs(), list::batch_bytes().of_pairs()];

/// Batches of two, which wait for one another without end.
fn batch(kind: Kind, capacity: usize, initial: u64, words: &[impl ToString]) -> Model {
    model(kind, Promise { size: 2, ..Promise::FIFO }, capacity, initial, words)
}

/// Puts, batches of both kinds, flushing, closing and clearing of two threads.
#[test]
fn batch_two_threads() {
    for kind in BATCH {
        for one in ["ppd", "pbp", "pfd"] {
            for other in ["bpp", "dcb", "xpd", "pdp"] {
                batch(kind, 2, 1, &[one, other]).explore(Some(2));
            }
        }
        batch(kind, 3, 2, &["pd", "db"]).watching().explore(Some(2));
    }
}

/// The room of all items of a batch appears at once: a put that finds room does not use it up for the
/// next.
#[test]
fn a_batch_leaves_at_once() {
    for kind in BATCH {
        // The batch comes first, so that one preemption stops it in the middle.
        batch(kind, 2, 2, &["b", "pp"]).explore(Some(3));
        batch(kind, 3, 3, &["d", "ppp"]).explore(Some(2));
        batch(kind, 2, 2, &["b", "p", "p"]).watching().explore(Some(2));
    }
}

/// A thread that waits for a batch wakes: for the put that makes it due, for a flush, for a close,
/// and for the next batch when another thread took the one that it had seen. A thread that waits
/// for room wakes, too.
#[test]
fn batch_waits() {
    for kind in BATCH {
        batch(kind, 2, 0, &["pp", "D"]).explore(Some(2));
        batch(kind, 2, 0, &["pf", "D"]).explore(Some(2));
        batch(kind, 2, 0, &["pc", "D"]).explore(Some(2));
        batch(kind, 2, 0, &["p", "p", "D"]).explore(Some(2));
        batch(kind, 2, 0, &["PPc", "D", "D"]).explore(Some(2));
        batch(kind, 2, 1, &["bppc", "D"]).explore(Some(2));
        batch(kind, 2, 1, &["ppc", "D", "b"]).explore(Some(2));
        batch(kind, 2, 1, &["ppc", "D", "d"]).explore(Some(2));
        batch(kind, 2, 1, &["xppc", "D"]).explore(Some(2));
        batch(kind, 2, 2, &["PP", "DD"]).explore(Some(2));
        batch(kind, 3, 2, &["PPPc", "D", "D"]).explore(Some(2));
    }
}

/// A batch of single items is a queue like any other.
#[test]
fn batch_singles() {
    for words in [["PP", "GG"], ["Pgc", "G"], ["Pc", "G"], ["xP", "G"]] {
        let promise = Promise { size: 1, ..Promise::FIFO };
        model(list::batch_plain(), promise, 1, 0, &words).explore(Some(2));
    }
    // *Empty* and *full* are not both wrong.
    let promise = Promise { size: 1, ..Promise::FIFO };
    model(list::batch_plain(), promise, 2, 1, &["gg", "pp"]).explore(Some(2));
}

/// The put that brings a batch to its weight makes it due, in any order of the puts.
#[test]
fn batch_weights() {
    const HEAVY: u64 = 3;
    let limits = Limits { size: 3, age: None, weight: Some(HEAVY) };
    let kind = list::batch_plain().limited(limits);
    let promise = Promise { size: 3, weight: (HEAVY, weight), ..Promise::FIFO };
    // The items weigh 2 and 3, 0 and 1, 2 and 3; the one that is there weighs 1.
    for words in [&["p", "D"][..], &["pc", "D"], &["p", "c", "D"], &["pc", "pd", "D"]] {
        model(kind, promise, 3, 1, words).explore(Some(2));
    }
    model(kind, promise, 3, 0, &["p", "ppp", "D"]).explore(Some(2));
}

/// Pairs that wait for one another for a while only.
const AGEING: Kind = list::batch_plain().limited(Limits {
    size: 2,
    age: Some(Duration::from_micros(10)),
    weight: None,
});

/// Time passes at any moment, and no item stays longer than its age allows, whichever threads sleep
/// and whichever take what others wait for.
#[test]
fn batch_deadline() {
    let ageing = |what: &str, capacity, programs: &[(&'static str, usize)]| {
        let programs: Vec<_> = programs.to_vec();
        let what = format!("{what} of {capacity}: {programs:?}");
        explore(&what, Some(2), move || {
            let queue = AGEING.create(capacity);
            let run = |queue: Reference, (word, _): (&'static str, usize)| {
                let mut got = Vec::new();
                for (letter, item) in word.chars().zip(1..) {
                    match letter {
                        'p' => queue.try_put(item).unwrap(),
                        'c' => queue.close(),
                        // Waits until a batch is due.
                        'B' => match queue.get_batch(FOREVER) {
                            Ok(batch) => got.push(batch),
                            Err(why) => assert_eq!(why, Error::Closed),
                        },
                        'b' => got.extend(queue.get_batch(NO_WAIT)),
                        other => panic!("no call {other:?}"),
                    }
                }
                got
            };
            // This thread only joins, so that sleepers may come first without a preemption.
            let threads = programs.iter().map(|&program| {
                let queue = queue.clone();
                spawn(move || run(queue, program))
            });
            let got = join(threads.collect());
            for (got, &(word, batches)) in got.iter().zip(&programs) {
                assert!(got.len() >= batches, "{word} got {got:?}");
            }
        });
    };
    ageing("batch that ages", 2, &[("p", 0), ("B", 1)]);
    ageing("batch that ages", 3, &[("pp", 0), ("B", 1)]);
    ageing("batch that ages", 3, &[("ppp", 0), ("B", 1), ("B", 1)]);
    ageing("batch that ages", 3, &[("pc", 0), ("B", 0), ("B", 0)]);
    ageing("batch that ages", 3, &[("pbpc", 0), ("B", 0)]);
    // The item that the sleeper woke for is gone, and it sleeps again.
    ageing("batch that ages", 3, &[("pbp", 0), ("B", 1)]);
    // One sleeper waits for the first item's age and takes two. The put of a third woke no thread.
    ageing("batch that ages", 3, &[("B", 1), ("B", 1), ("p", 0), ("pp", 0)]);
}

/// A call that takes only due batches does not use up a wake-up: the thread that sleeps for the
/// first item still wakes.
#[test]
fn get_due_leaves_a_sleeper_its_wake_up() {
    explore("get_due beside a sleeper", Some(2), || {
        let queue = AGEING.create(3);
        let (sleeps, looks) = (queue.clone(), queue.clone());
        let sleeper = spawn(move || sleeps.get_batch(FOREVER));
        let looker = spawn(move || looks.get_due());
        queue.try_put(1).unwrap();
        let was_due = looker.join().unwrap().is_ok();
        if was_due {
            queue.close();
        }
        let slept_for = if was_due { Err(Error::Closed) } else { Ok([1, 0, 0]) };
        assert_eq!(sleeper.join().unwrap(), slept_for);
    });
}

// --- waiting

/// The short lock alone: one thread at a time holds it and sees what the last one wrote, and a
/// thread that sleeps for it is woken.
#[test]
fn lock() {
    let contend = |threads: usize, times: u64, bound| {
        explore(&format!("lock {threads} x {times}"), bound, move || {
            let lock = Arc::new(Lock::new(0));
            let add =
                move |lock: &Lock<u64>| (0..times).for_each(|_| lock.with(|value| *value += 1));
            let others = (1..threads).map(|_| lock.clone());
            let others: Vec<_> = others.map(|lock| spawn(move || add(&lock))).collect();
            add(&lock);
            join(others);
            assert_eq!(lock.with(|value| *value), threads as u64 * times);
        });
    };
    contend(2, 1, UNBOUNDED);
    contend(2, 2, Some(3));
    contend(2, 3, Some(2));
    contend(3, 1, Some(2));
}

/// The event count alone, around a flag: a thread that sleeps although the flag is set is a
/// deadlock.
#[test]
fn event_count() {
    let flag = |words: &[&str]| model(FLAG, DRAINING, 1, 0, words);
    flag(&["P", "G"]).explore(UNBOUNDED);
    flag(&["c", "G"]).explore(UNBOUNDED);
    flag(&["c", "PP"]).explore(Some(3));
    flag(&["PP", "GG"]).explore(Some(3));
    flag(&["PPP", "GGG"]).explore(Some(2));
    flag(&["PP", "G", "G"]).explore(Some(2));
    flag(&["c", "G", "G"]).explore(Some(2));
}

/// The kernel refuses membarrier at some sleep, while a waker is at its load of the waiters: no
/// thread sleeps without end, in that sleep or in a later one.
#[test]
fn event_count_without_membarrier() {
    let flag = |words: &[&str]| model(FLAG, DRAINING, 1, 0, words);
    for calls in 0..=2 {
        flag(&["P", "G"]).refused_after(calls).explore(Some(4));
        flag(&["c", "G"]).refused_after(calls).explore(Some(4));
        flag(&["PP", "GG"]).refused_after(calls).explore(Some(2));
        flag(&["PP", "G", "G"]).refused_after(calls).explore(Some(1));
        flag(&["c", "G", "G"]).refused_after(calls).explore(Some(2));
        for kind in MPMC {
            mpmc(kind, 1, 0, &["PP", "GG"]).refused_after(calls).explore(Some(2));
            mpmc(kind, 2, 0, &["m", "G", "G"]).refused_after(calls).explore(Some(1));
        }
        spsc(1, 0, &["PP", "GG"]).refused_after(calls).explore(Some(2));
    }
}

/// The same with two getters on one event count, and an item for each: what the first one changes
/// there does not let the second one sleep beside its item.
#[test]
fn two_sleep_without_membarrier() {
    for calls in 0..=2 {
        explore(&format!("two sleep, refused after {calls}"), Some(2), move || {
            withdrawal::after(calls);
            let queue = FLAG.create(2);
            let getters = [(); 2].map(|()| {
                let queue = queue.clone();
                spawn(move || queue.get(FOREVER).unwrap())
            });
            assert_eq!(queue.put_many(&[1, 2], NO_WAIT), (2, Ok(())));
            let mut got = join(getters.into());
            got.sort_unstable();
            assert_eq!(got, [1, 2]);
        });
    }
}

/// The same for a get that is about to return *closed*, beside a put.
#[test]
fn spsc_close_without_membarrier() {
    for calls in 0..=1 {
        for (producer, consumer) in [("pp", "cgg"), ("pp", "gcg"), ("pcp", "ggg"), ("mp", "cnn")] {
            spsc(2, 0, &[producer, consumer]).refused_after(calls).explore(Some(3));
        }
        spsc(1, 0, &["p", "gg", "c"]).refused_after(calls).explore(Some(2));
        spsc(2, 1, &["p", "gg", "c"]).watching().refused_after(calls).explore(Some(2));
        spsc(1, 0, &["p", "GG", "c"]).refused_after(calls).explore(Some(2));
    }
}

/// Waiting puts and gets, in equal number: all of them return.
#[test]
fn waiting() {
    for kind in MPMC {
        mpmc(kind, 1, 0, &["PP", "GG"]).explore(Some(2));
        mpmc(kind, 1, 0, &["PP", "G", "G"]).explore(Some(2));
        mpmc(kind, 1, 1, &["P", "P", "GG"]).explore(Some(2));
        mpmc(kind, 2, 1, &["PPP", "GGG"]).explore(Some(2));
    }
    spsc(1, 0, &["PP", "GG"]).explore(Some(3));
    spsc(1, 0, &["PPP", "GGG"]).explore(Some(2));
    spsc(2, 2, &["PP", "GGG"]).explore(Some(2));
}

/// Close wakes every waiter at both ends.
#[test]
fn close_wakes() {
    for kind in MPMC {
        mpmc(kind, 1, 0, &["c", "G"]).explore(Some(4));
        mpmc(kind, 1, 1, &["c", "P"]).explore(Some(4));
        mpmc(kind, 1, 0, &["c", "G", "G"]).explore(Some(2));
        mpmc(kind, 1, 1, &["c", "P", "P"]).explore(Some(2));
        mpmc(kind, 1, 1, &["c", "GG", "P"]).explore(Some(2));
    }
    spsc(1, 0, &["c", "G"]).explore(Some(4));
    spsc(1, 1, &["P", "c"]).explore(Some(4));
    // A get that sleeps while a put is in flight and the queue is closed.
    spsc(1, 0, &["p", "GG", "c"]).explore(Some(2));
    spsc(1, 1, &["PP", "G", "c"]).explore(Some(2));
}

/// Calls on many items wake one waiter for each item or place.
#[test]
fn many() {
    for kind in MPMC {
        for capacity in 1..=2 {
            explore("put_many", Some(2), move || {
                let queue = kind.create(capacity);
                let getters: Vec<_> = (0..2)
                    .map(|_| {
                        let queue = queue.clone();
                        spawn(move || queue.get(FOREVER).unwrap())
                    })
                    .collect();
                assert_eq!(queue.put_many(&[1, 2], FOREVER), (2, Ok(())));
                let mut got = join(getters);
                got.sort_unstable();
                assert_eq!(got, [1, 2]);
            });
        }
        explore("get_many", Some(2), move || {
            let queue = full(kind);
            let putters = two_putters(&queue);
            let (got, done) = queue.get_many(2, FOREVER);
            assert_eq!((&got[..2.min(got.len())], done), (&[1, 2][..], Ok(())));
            join(putters);
            assert_eq!(queue.len(), 2);
        });
        explore("clear", Some(2), move || {
            let queue = full(kind);
            let putters = two_putters(&queue);
            assert!(queue.clear() >= 2);
            join(putters);
        });
    }
}

/// A queue of two, full.
fn full(kind: Kind) -> Reference {
    let queue = kind.create(2);
    fill(&*queue, 1..=2);
    queue
}

fn two_putters(queue: &Reference) -> Vec<JoinHandle<()>> {
    let start = |item| {
        let queue = queue.clone();
        spawn(move || queue.put(item, FOREVER).unwrap())
    };
    (3..5).map(start).collect()
}

/// A get that was woken for a blob that does not fit its buffer passes the wake-up on: two wait,
/// one with too small a buffer, and the other must get the blob.
#[test]
fn too_small_passes_the_wake_up_on() {
    explore("too small", Some(2), || {
        let ring = mpmc::Indirect::try_new(1, blobs(2)).unwrap();
        let queue = Arc::new(Blocking::new(ring));
        let wait = |room| {
            let queue = queue.clone();
            spawn(move || {
                receive(room, |out| {
                    // SAFETY: any thread may get.
                    unsafe { queue.get(out, Wait::Forever) }
                })
            })
        };
        let (small, large) = (wait(1), wait(2));
        // SAFETY: the blob is as long as a cell, and any thread may put.
        unsafe { queue.put(&[7, 7], (), Wait::Forever).unwrap() };
        assert_eq!(large.join().unwrap(), Ok(vec![7, 7]));
        queue.close();
        let small = small.join().unwrap();
        assert!(matches!(small, Err(Error::TooSmall { needed: 2 } | Error::Closed)), "{small:?}");
    });
}
