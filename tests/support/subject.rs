//! A queue under test is a queue of numbers to a test, which need not know the family, the items
//! and the language of the calls. A [`Kind`] makes such queues, and a [`Reference`] is one of
//! several references to a queue.
//!
//! The caller keeps the queue's rule about threads: one producer and one consumer of an spsc queue,
//! one owner of a deque. Timeouts are C's: nanoseconds, below 0 without end.

use super::history::Few;
use super::items::Dropped;
use core::ffi::c_int;
use queues::queue::batch::Limits;
use queues::{Error, Result, Stats};
use std::fmt;
use std::sync::Arc;

/// The timeout of a call that does not wait.
pub const NO_WAIT: i64 = 0;
/// The timeout of a call that waits as long as it takes.
pub const FOREVER: i64 = -1;

/// How far a call on many items came, and why no further.
pub type Many<T> = (T, Result);

/// A reference to a queue under test. A clone is another reference to the same queue, and the last
/// one to be dropped frees the queue.
pub type Reference = Box<dyn Subject>;

impl Clone for Reference {
    fn clone(&self) -> Self {
        self.share()
    }
}

/// A queue of numbers. In a deque a put is a push, and a get is a theft.
pub trait Subject: Send + Sync {
    /// Another reference to the same queue. That of a deque of values is a thief's.
    fn share(&self) -> Reference;

    fn put(&self, number: u64, timeout: i64) -> Result;
    fn get(&self, timeout: i64) -> Result<u64>;
    fn try_put(&self, number: u64) -> Result {
        self.put(number, NO_WAIT)
    }
    fn try_get(&self) -> Result<u64> {
        self.get(NO_WAIT)
    }

    fn has_peek(&self) -> bool {
        false
    }
    /// Whether `peek` may find an item: a box belongs to the get that comes next.
    fn can_read_peeked(&self) -> bool {
        false
    }
    fn peek(&self) -> Result<u64> {
        unimplemented!("no peek")
    }

    /// Whether `put_many` and `get_many` are single calls. Otherwise they go one by one.
    fn has_many(&self) -> bool {
        false
    }
    fn put_many(&self, numbers: &[u64], timeout: i64) -> Many<usize> {
        put_one_by_one(self, numbers, timeout)
    }
    fn get_many(&self, max: usize, timeout: i64) -> Many<Vec<u64>> {
        get_one_by_one(self, max, timeout)
    }

    /// Of a deque: takes the item that was pushed last.
    fn pop(&self) -> Result<u64> {
        unimplemented!("no pop")
    }

    /// Of a batcher: waits for the next batch that is due.
    fn get_batch(&self, _timeout: i64) -> Result<Few> {
        unimplemented!("no batches")
    }
    /// Of a batcher: takes a batch if one is due.
    fn get_due(&self) -> Result<Few> {
        unimplemented!("no batches")
    }
    /// Of a batcher: makes every item in it due.
    fn flush(&self) {
        unimplemented!("no batches")
    }

    /// Of a queue with leases: moves the front item to the end. Returns the item if it found no
    /// room there.
    fn put_back(&self) -> Result<Option<u64>> {
        unimplemented!("no leases")
    }
    /// Of a queue with leases: reserves a cell and cancels the reservation.
    fn abandon(&self) -> Result {
        unimplemented!("no reservations")
    }

    fn clear(&self) -> usize {
        unimplemented!("no clear")
    }
    fn close(&self) {
        unimplemented!("no close")
    }
    fn is_closed(&self) -> bool {
        false
    }
    /// The descriptor that is readable while there may be something to get.
    fn readable_fd(&self) -> Result<c_int> {
        unimplemented!("no descriptor")
    }
    /// The descriptor that is readable while there may be room for a put.
    fn writable_fd(&self) -> Result<c_int> {
        unimplemented!("no descriptor")
    }
    /// Polls the queue alone; returns the events that are ready.
    fn poll(&self, _events: u32, _timeout: i64) -> Result<u32> {
        unimplemented!("no poll")
    }
    fn len(&self) -> usize;
    fn capacity(&self) -> usize;
    fn stats(&self) -> Stats;
}

pub fn put_one_by_one(
    queue: &(impl Subject + ?Sized),
    numbers: &[u64],
    timeout: i64,
) -> Many<usize> {
    for (done, &number) in numbers.iter().enumerate() {
        if let Err(why) = queue.put(number, timeout) {
            return (done, Err(why));
        }
    }
    (numbers.len(), Ok(()))
}

pub fn get_one_by_one(queue: &(impl Subject + ?Sized), max: usize, timeout: i64) -> Many<Vec<u64>> {
    let mut numbers = Vec::new();
    while numbers.len() < max {
        match queue.get(if numbers.is_empty() { timeout } else { NO_WAIT }) {
            Ok(number) => numbers.push(number),
            Err(why) if numbers.is_empty() => return (numbers, Err(why)),
            Err(_) => break,
        }
    }
    (numbers, Ok(()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Mpmc,
    Spsc,
    Priority,
    Batch,
    Deque,
}

/// Whose calls a test makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// The algorithms of `queues::queue`, whose first position a test can choose.
    Core,
    /// The queues of Rust values.
    Rust,
    /// The C ABI.
    C,
}

/// What a queue is created with.
#[derive(Clone, Copy)]
pub struct Options {
    pub capacity: usize,
    /// The first position, where it can be chosen.
    pub origin: u64,
    /// Of a deque.
    pub growable: bool,
    /// The most bytes of a blob.
    pub item_size: usize,
    /// Of a priority queue: the priority that a number has.
    pub rank: fn(u64) -> u64,
    /// Of a batcher.
    pub limits: Limits,
}

/// A kind of queue under test.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub family: Family,
    pub face: Face,
    options: Options,
    make: Make,
}

/// Makes a queue that records in [`Dropped`] which items it disposes of.
pub type Make = fn(&Options, &Arc<Dropped>) -> Result<Reference>;

/// The priority of a number in a queue that is [`Kind::ranked`]: few, so that many are equal.
pub fn rank(number: u64) -> u64 {
    number % 3
}

/// The weight of a number in a batcher.
pub fn weight(number: u64) -> u64 {
    number % 4
}

impl Kind {
    /// First in, first out: equal priorities, batches of one.
    pub const fn new(name: &'static str, family: Family, face: Face, make: Make) -> Self {
        let options = Options {
            capacity: 0,
            origin: 0,
            growable: false,
            item_size: super::items::LARGEST_BLOB,
            rank: |_| 0,
            limits: Limits { size: 1, age: None, weight: None },
        };
        Self { name, family, face, options, make }
    }

    /// Whether only one thread at a time may be on each side.
    pub fn is_single(&self) -> bool {
        self.family == Family::Spsc
    }

    /// Whether the first position can be chosen.
    pub fn has_origin(&self) -> bool {
        self.face == Face::Core
    }

    pub fn is_growable(&self) -> bool {
        self.options.growable
    }

    /// With the priorities of [`rank`].
    pub const fn ranked(mut self) -> Self {
        self.options.rank = rank;
        self
    }

    pub const fn growable(mut self, growable: bool) -> Self {
        self.options.growable = growable;
        self
    }

    pub const fn limited(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Batches of two, which wait for one another without end; of one if the capacity is one.
    pub const fn of_pairs(self) -> Self {
        self.limited(Limits { size: 2, age: None, weight: None })
    }

    pub fn try_create(
        &self,
        capacity: usize,
        origin: u64,
        dropped: &Arc<Dropped>,
    ) -> Result<Reference> {
        let mut options = Options { capacity, origin, ..self.options };
        options.limits.size = options.limits.size.min(capacity);
        (self.make)(&options, dropped)
    }

    /// An empty queue, and the record of what it disposes of.
    pub fn create_at(&self, capacity: usize, origin: u64) -> (Reference, Arc<Dropped>) {
        let dropped = Arc::default();
        let queue = self.try_create(capacity, origin, &dropped);
        (queue.unwrap_or_else(|why| panic!("{self} of {capacity}: {why}")), dropped)
    }

    pub fn create(&self, capacity: usize) -> Reference {
        self.create_at(capacity, 0).0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { growable, limits, .. } = self.options;
        f.write_str(if growable { "growable " } else { "" })?;
        f.write_str(self.name)?;
        if limits != (Limits { size: 1, age: None, weight: None }) {
            write!(f, " of {limits:?}")?;
        }
        Ok(())
    }
}

/// Gets until the queue refuses, and returns why it does.
pub fn drain(queue: &dyn Subject) -> (Vec<u64>, Error) {
    let mut got = Vec::new();
    loop {
        match queue.try_get() {
            Ok(number) => got.push(number),
            Err(why) => return (got, why),
        }
    }
}

/// Puts `numbers`, one by one.
pub fn fill(queue: &dyn Subject, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        queue.try_put(number).unwrap();
    }
}
