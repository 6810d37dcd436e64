//! Every queue as one of `u64`, so that one test serves all of them.

use super::history::Few;
use queues::payload::{Atomic, Bytes, Disposer, Payload, Pointer, Received};
use queues::queue::batch::{Batch, Limits};
use queues::queue::batch::{Blob, ToBuffer, ToPointers};
use queues::queue::{
    GetMany, Peek, Put, PutMany, Queue, deque::Deque, mpmc, priority::Priority, spsc,
};
use queues::wait::{Blocking, Wait, Wanted};
use queues::{Error, Result, Stats};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};

/// A queue of numbers. For spsc queues the callers keep to one producer and one consumer, and for
/// deques to one thread that puts and pops; a get is a theft.
pub trait Subject: Send + Sync {
    fn put(&self, item: u64, timeout: Wait) -> Result;
    fn get(&self, timeout: Wait) -> Result<u64>;
    /// `None`: this queue has no peek.
    fn peek(&self) -> Option<Result<u64>>;
    /// `None`: this queue has no pop.
    fn pop(&self) -> Option<Result<u64>> {
        None
    }
    fn get_batch(&self, _wanted: Wanted) -> Result<Few> {
        unimplemented!("no batches")
    }
    fn flush(&self) {
        unimplemented!("no batches")
    }
    /// Moves the front item to the end; the item, if there it found no room.
    fn put_back(&self) -> Result<Option<u64>> {
        unimplemented!("no leases")
    }
    /// Reserves room and gives it back.
    fn abandon(&self) -> Result {
        unimplemented!("no reservations")
    }
    fn clear(&self) -> usize;
    fn close(&self);
    fn is_closed(&self) -> bool;
    fn len(&self) -> usize;
    fn stats(&self) -> Stats;

    /// One by one, if the family has no call on many.
    fn put_many(&self, items: &[u64], timeout: Wait) -> (usize, Result) {
        let mut done = 0;
        for &item in items {
            match self.put(item, timeout) {
                Ok(()) => done += 1,
                refused => return (done, refused),
            }
        }
        (done, Ok(()))
    }
    /// As [`Subject::put_many`].
    fn get_many(&self, most: usize, timeout: Wait) -> (Vec<u64>, Result) {
        let mut items = Vec::new();
        for i in 0..most {
            match self.get(if i == 0 { timeout } else { Wait::No }) {
                Ok(item) => items.push(item),
                Err(why) if i == 0 => return (items, Err(why)),
                Err(_) => break,
            }
        }
        (items, Ok(()))
    }

    fn try_put(&self, item: u64) -> Result {
        self.put(item, Wait::No)
    }
    fn try_get(&self) -> Result<u64> {
        self.get(Wait::No)
    }
}

/// The items that a queue disposed of.
pub type Disposed = Arc<Mutex<Vec<u64>>>;

fn keep(log: *mut c_void, item: u64) {
    // SAFETY: every queue is dropped before the log that it was made with.
    let log = unsafe { &*log.cast::<Mutex<Vec<u64>>>() };
    log.lock().unwrap().push(item);
}

unsafe extern "C-unwind" fn keep_pointer(log: *mut c_void, item: *mut c_void) {
    keep(log, item.addr() as u64);
}

unsafe extern "C-unwind" fn keep_blob(log: *mut c_void, bytes: *mut c_void) {
    // SAFETY: the first eight bytes of every blob of `Blobs`.
    keep(log, u64::from_le_bytes(unsafe { bytes.cast::<[u8; 8]>().read() }));
}

fn disposer(
    log: &Disposed,
    call: unsafe extern "C-unwind" fn(*mut c_void, *mut c_void),
) -> Disposer {
    // SAFETY: the log lives as long as the queue: both are kept by one subject.
    unsafe { Disposer::new(Some(call), Arc::as_ptr(log).cast_mut().cast()) }
}

/// A payload of pointers that logs what it disposes of.
pub fn pointer(log: &Disposed) -> Pointer {
    Pointer::new(disposer(log, keep_pointer))
}

/// A payload of blobs that logs what it disposes of.
pub fn bytes(log: &Disposed) -> Bytes {
    Bytes::try_new(LONGEST, disposer(log, keep_blob)).unwrap()
}

/// A queue of pointers that are numbers.
pub struct Pointers<Q>(pub Blocking<Q>, pub Disposed);

/// A queue of blobs whose length and bytes follow from a number, so that a torn one shows.
pub struct Blobs<Q>(pub Blocking<Q>, pub Disposed);

const LONGEST: usize = 24;

fn blob(item: u64) -> ([u8; LONGEST], usize) {
    let mut bytes = [item.to_le_bytes()[0]; LONGEST];
    bytes[..8].copy_from_slice(&item.to_le_bytes());
    (bytes, 8 + item as usize % (LONGEST - 7))
}

fn number(bytes: &[u8]) -> u64 {
    let item = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    let (whole, len) = blob(item);
    assert_eq!(bytes, &whole[..len], "a torn blob");
    item
}

macro_rules! common {
    () => {
        fn clear(&self) -> usize {
            // SAFETY: the test keeps the queue's rule.
            unsafe { self.0.clear() }
        }
        fn close(&self) {
            self.0.close();
        }
        fn is_closed(&self) -> bool {
            self.0.queue().is_closed()
        }
        fn len(&self) -> usize {
            self.0.queue().len()
        }
        fn stats(&self) -> Stats {
            self.0.stats()
        }
    };
}

impl<Q> Subject for Pointers<Q>
where
    Q: PutMany<Item = *mut c_void> + GetMany<Out = *mut c_void> + Peek,
{
    fn put(&self, item: u64, timeout: Wait) -> Result {
        let item = std::ptr::without_provenance_mut(item as usize);
        // SAFETY: the test keeps the queue's rule.
        unsafe { self.0.put(&item, (), timeout) }
    }
    fn get(&self, timeout: Wait) -> Result<u64> {
        let mut item = std::ptr::null_mut();
        // SAFETY: the test keeps the queue's rule.
        unsafe { self.0.get(&mut item, timeout)? };
        Ok(item.addr() as u64)
    }
    fn peek(&self) -> Option<Result<u64>> {
        let mut item = std::ptr::null_mut();
        // SAFETY: the test keeps the queue's rule.
        let peeked = unsafe { self.0.queue().peek(&mut item) };
        Some(peeked.map(|()| item.addr() as u64))
    }
    fn put_many(&self, items: &[u64], timeout: Wait) -> (usize, Result) {
        let pointer = |&item| std::ptr::without_provenance_mut(item as usize);
        let items: Vec<_> = items.iter().map(pointer).collect();
        // SAFETY: the test keeps the queue's rule.
        unsafe { self.0.put_many(items.as_ptr(), items.len(), timeout) }
    }
    fn get_many(&self, most: usize, timeout: Wait) -> (Vec<u64>, Result) {
        let mut items: Vec<*mut c_void> = vec![std::ptr::null_mut(); most];
        // SAFETY: the test keeps the queue's rule; there are so many places.
        let (done, result) = unsafe { self.0.get_many(items.as_mut_ptr(), most, timeout) };
        (items[..done].iter().map(|item| item.addr() as u64).collect(), result)
    }
    common!();
}

impl<Q> Subject for Blobs<Q>
where
    Q: Put<Item = [u8], With = ()> + Peek<Out = Received, With = ()>,
{
    fn put(&self, item: u64, timeout: Wait) -> Result {
        let (bytes, len) = blob(item);
        // SAFETY: the test keeps the queue's rule.
        unsafe { self.0.put(&bytes[..len], (), timeout) }
    }
    fn get(&self, timeout: Wait) -> Result<u64> {
        receive(|out| {
            // SAFETY: the test keeps the queue's rule.
            unsafe { self.0.get(out, timeout) }
        })
    }
    fn peek(&self) -> Option<Result<u64>> {
        Some(receive(|out| {
            // SAFETY: the test keeps the queue's rule.
            unsafe { self.0.queue().peek(out) }
        }))
    }
    common!();
}

/// A queue of blobs that are written and read in its cells.
struct Leased(Blocking<mpmc::Indirect<Bytes>>, #[allow(dead_code)] Disposed);

impl Leased {
    fn lease(&self, timeout: Wait) -> Result<(*mut c_void, u64)> {
        let (data, len) = self.0.lease(timeout)?;
        // SAFETY: leased, so nobody else writes there.
        Ok((data, number(unsafe { std::slice::from_raw_parts(data.cast(), len) })))
    }
}

impl Subject for Leased {
    fn put(&self, item: u64, timeout: Wait) -> Result {
        let (bytes, len) = blob(item);
        loop {
            let data = self.0.reserve(timeout)?;
            // SAFETY: reserved, for as many bytes as the longest blob has.
            unsafe { data.cast::<[u8; LONGEST]>().write(bytes) };
            let done = self.0.commit(data, len);
            if done.is_err() {
                self.0.cancel(data).unwrap();
            }
            // Another may have taken the place meanwhile.
            if done != Err(Error::Full) || timeout == Wait::No {
                return done;
            }
        }
    }
    fn get(&self, timeout: Wait) -> Result<u64> {
        let (data, item) = self.lease(timeout)?;
        self.0.settle(data).unwrap();
        Ok(item)
    }
    fn put_back(&self) -> Result<Option<u64>> {
        let (data, item) = self.lease(Wait::No)?;
        if self.0.put_back(data).is_ok() {
            return Ok(None);
        }
        self.0.settle(data).unwrap();
        Ok(Some(item))
    }
    fn abandon(&self) -> Result {
        self.0.cancel(self.0.reserve(Wait::No)?)
    }
    fn peek(&self) -> Option<Result<u64>> {
        Some(receive(|out| {
            // SAFETY: any thread may.
            unsafe { self.0.queue().peek(out) }
        }))
    }
    common!();
}

pub fn leased(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let queue = mpmc::Indirect::try_new_at(capacity, bytes(&log), origin).unwrap();
    Arc::new(Leased(Blocking::new(queue), log))
}

fn receive(get: impl FnOnce(&mut Received) -> Result) -> Result<u64> {
    let mut buffer = [0; LONGEST];
    // SAFETY: the buffer lives until the end.
    let mut out = unsafe { Received::new(buffer.as_mut_ptr(), LONGEST) };
    get(&mut out)?;
    let len = out.len();
    Ok(number(&buffer[..len]))
}

/// A kind of queue: makes an empty one of a capacity, whose positions begin at an origin.
pub type Kind = fn(usize, u64, Disposed) -> Arc<dyn Subject>;

#[cfg(any(target_arch = "x86_64", loom, miri))]
pub fn direct(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let queue = mpmc::Direct::try_new_at(capacity, pointer(&log), origin).unwrap();
    Arc::new(Pointers(Blocking::new(queue), log))
}

pub fn indirect(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let queue = mpmc::Indirect::try_new_at(capacity, pointer(&log), origin).unwrap();
    Arc::new(Pointers(Blocking::new(queue), log))
}

pub fn indirect_bytes(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let queue = mpmc::Indirect::try_new_at(capacity, bytes(&log), origin).unwrap();
    Arc::new(Blobs(Blocking::new(queue), log))
}

pub fn spsc_pointers(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let queue = spsc::Spsc::try_new_at(capacity, pointer(&log), origin).unwrap();
    Arc::new(Pointers(Blocking::new(queue), log))
}

pub fn spsc_bytes(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let queue = spsc::Spsc::try_new_at(capacity, bytes(&log), origin).unwrap();
    Arc::new(Blobs(Blocking::new(queue), log))
}

/// The priority that a number has in a priority queue; few, so that many are equal.
pub fn rank(item: u64) -> u64 {
    item % 3
}

/// A priority queue of numbers, each with its rank for a priority.
struct Ranked<P: Payload, W> {
    queue: Blocking<Priority<P>>,
    rank: fn(u64) -> u64,
    with: W,
    _log: Disposed,
}

/// How numbers go in and out of a payload: the calls `put`, `get` and `peek` of a [`Ranked`].
trait Form<P: Payload>: Send + Sync {
    fn put(&self, item: u64, put: &mut dyn FnMut(&P::Item) -> Result) -> Result;
    fn get(&self, get: &mut dyn FnMut(&mut P::Out) -> Result<f64>) -> Result<(u64, f64)>;
}

struct AsPointer;
impl Form<Pointer> for AsPointer {
    fn put(&self, item: u64, put: &mut dyn FnMut(&*mut c_void) -> Result) -> Result {
        put(&std::ptr::without_provenance_mut(item as usize))
    }
    fn get(&self, get: &mut dyn FnMut(&mut *mut c_void) -> Result<f64>) -> Result<(u64, f64)> {
        let mut item = std::ptr::null_mut();
        let priority = get(&mut item)?;
        Ok((item.addr() as u64, priority))
    }
}

struct AsBlob;
impl Form<Bytes> for AsBlob {
    fn put(&self, item: u64, put: &mut dyn FnMut(&[u8]) -> Result) -> Result {
        let (bytes, len) = blob(item);
        put(&bytes[..len])
    }
    fn get(&self, get: &mut dyn FnMut(&mut Received) -> Result<f64>) -> Result<(u64, f64)> {
        let mut priority = 0.0;
        let item = receive(|out| {
            priority = get(out)?;
            Ok(())
        })?;
        Ok((item, priority))
    }
}

impl<P: Atomic, W: Form<P>> Ranked<P, W> {
    fn checked(&self, (item, priority): (u64, f64)) -> u64 {
        assert_eq!(priority, (self.rank)(item) as f64, "the priority of {item}");
        item
    }
}

impl<P: Atomic, W: Form<P>> Subject for Ranked<P, W> {
    fn put(&self, item: u64, timeout: Wait) -> Result {
        let priority = (self.rank)(item) as f64;
        self.with.put(item, &mut |item| {
            // SAFETY: numbers.
            unsafe { self.queue.put(item, priority, timeout) }
        })
    }
    fn get(&self, timeout: Wait) -> Result<u64> {
        let got = self.with.get(&mut |out| {
            // SAFETY: numbers.
            unsafe { self.queue.get(out, timeout) }
        });
        got.map(|got| self.checked(got))
    }
    fn peek(&self) -> Option<Result<u64>> {
        // SAFETY: numbers.
        let seen = self.with.get(&mut |out| unsafe { self.queue.queue().peek(out) });
        Some(seen.map(|seen| self.checked(seen)))
    }
    fn clear(&self) -> usize {
        // SAFETY: any thread may.
        unsafe { self.queue.clear() }
    }
    fn close(&self) {
        self.queue.close();
    }
    fn is_closed(&self) -> bool {
        self.queue.queue().is_closed()
    }
    fn len(&self) -> usize {
        self.queue.queue().len()
    }
    fn stats(&self) -> Stats {
        self.queue.stats()
    }
}

/// A priority queue that runs out of tickets when positions that begin at the origin would wrap.
fn tickets(origin: u64) -> u64 {
    if origin == 0 { u64::MAX } else { !origin % 8 }
}

fn ranked<P: Atomic + 'static>(
    capacity: usize,
    origin: u64,
    payload: P,
    with: impl Form<P> + 'static,
    rank: fn(u64) -> u64,
    log: Disposed,
) -> Arc<dyn Subject> {
    let queue = Priority::with_tickets(capacity, payload, tickets(origin)).unwrap();
    Arc::new(Ranked { queue: Blocking::new(queue), rank, with, _log: log })
}

pub fn priority(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    ranked(capacity, origin, pointer(&log), AsPointer, rank, log)
}

/// Blobs so long that they are copied without the lock.
pub fn priority_bytes(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    ranked(capacity, origin, long_blobs(&log), AsBlob, rank, log)
}

fn long_blobs(log: &Disposed) -> Bytes {
    Bytes::try_new(100, disposer(log, keep_blob)).unwrap()
}

/// All priorities equal: first in, first out.
pub fn priority_equal(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    ranked(capacity, origin, pointer(&log), AsPointer, |_| 0, log)
}

/// As [`priority_equal`], of blobs.
pub fn priority_equal_bytes(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    ranked(capacity, origin, long_blobs(&log), AsBlob, |_| 0, log)
}

/// A deque of numbers.
struct Stealing<P: Atomic, W> {
    deque: Deque<P>,
    with: W,
    _log: Disposed,
}

impl<P: Atomic, W: Form<P>> Stealing<P, W> {
    fn take(&self, mut take: impl FnMut(&mut P::Out) -> Result) -> Result<u64> {
        self.with.get(&mut |out| take(out).map(|()| 0.0)).map(|(item, _)| item)
    }
}

impl<P: Atomic, W: Form<P>> Subject for Stealing<P, W> {
    fn put(&self, item: u64, _timeout: Wait) -> Result {
        // SAFETY: the test keeps to one owner.
        self.with.put(item, &mut |item| unsafe { self.deque.push(item) })
    }
    fn get(&self, _timeout: Wait) -> Result<u64> {
        // SAFETY: any thread may steal.
        self.take(|out| unsafe { self.deque.steal(out) })
    }
    fn pop(&self) -> Option<Result<u64>> {
        // SAFETY: the test keeps to one owner.
        Some(self.take(|out| unsafe { self.deque.pop(out) }))
    }
    fn peek(&self) -> Option<Result<u64>> {
        None
    }
    fn clear(&self) -> usize {
        unimplemented!("a deque has no clear")
    }
    fn close(&self) {
        unimplemented!("a deque has no close")
    }
    fn is_closed(&self) -> bool {
        false
    }
    fn len(&self) -> usize {
        self.deque.len()
    }
    fn stats(&self) -> Stats {
        self.deque.stats()
    }
}

pub fn deque(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let deque = Deque::try_new_at(capacity, false, pointer(&log), origin).unwrap();
    Arc::new(Stealing { deque, with: AsPointer, _log: log })
}

pub fn deque_bytes(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let deque = Deque::try_new_at(capacity, false, bytes(&log), origin).unwrap();
    Arc::new(Stealing { deque, with: AsBlob, _log: log })
}

/// A deque that grows.
pub fn growable(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let deque = Deque::try_new_at(capacity, true, pointer(&log), origin).unwrap();
    Arc::new(Stealing { deque, with: AsPointer, _log: log })
}

/// As [`growable`], of blobs.
pub fn growable_bytes(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let deque = Deque::try_new_at(capacity, true, bytes(&log), origin).unwrap();
    Arc::new(Stealing { deque, with: AsBlob, _log: log })
}

/// A queue of numbers that are taken in batches; a get takes a batch of one.
struct Batched<P: Payload, W>(Blocking<Batch<P>>, W, Disposed);

/// How numbers come out of a payload in batches.
trait Batches {
    fn batch(&self, most: usize, wanted: Wanted) -> Result<Vec<u64>>;
}

impl Batches for Blocking<Batch<Pointer>> {
    fn batch(&self, most: usize, wanted: Wanted) -> Result<Vec<u64>> {
        let mut items: Vec<*mut c_void> = vec![std::ptr::null_mut(); most];
        // SAFETY: as many places as said.
        let count = self.get_batch(unsafe { ToPointers::new(items.as_mut_ptr(), most) }, wanted)?;
        Ok(items[..count].iter().map(|item| item.addr() as u64).collect())
    }
}

impl Batches for Blocking<Batch<Bytes>> {
    fn batch(&self, most: usize, wanted: Wanted) -> Result<Vec<u64>> {
        let (mut buffer, mut blobs) = (vec![0; most * LONGEST], vec![Blob::default(); most]);
        // SAFETY: as many bytes and places as said.
        let to =
            unsafe { ToBuffer::new(buffer.as_mut_ptr(), buffer.len(), blobs.as_mut_ptr(), most) };
        let (count, len) = self.get_batch(to, wanted)?;
        let mut end = 0;
        let read = |&Blob { offset, length }: &Blob| {
            assert_eq!(offset, end, "blobs are contiguous");
            end = offset + length;
            number(&buffer[offset..end])
        };
        let items = blobs[..count].iter().map(read).collect();
        assert_eq!(end, len);
        Ok(items)
    }
}

impl<P: Payload, W: Form<P>> Subject for Batched<P, W>
where
    Blocking<Batch<P>>: Batches,
{
    fn put(&self, item: u64, timeout: Wait) -> Result {
        // SAFETY: any thread may.
        self.1.put(item, &mut |it| unsafe { self.0.put(it, weight(item), timeout) })
    }
    fn get(&self, timeout: Wait) -> Result<u64> {
        self.0.batch(1, Wanted::Within(timeout)).map(|batch| batch[0])
    }
    fn get_batch(&self, wanted: Wanted) -> Result<Few> {
        let batch = self.0.batch(Few::default().len(), wanted)?;
        let mut few = Few::default();
        few[..batch.len()].copy_from_slice(&batch);
        Ok(few)
    }
    fn flush(&self) {
        self.0.flush();
    }
    fn peek(&self) -> Option<Result<u64>> {
        None
    }
    common!();
}

/// What an item weighs where that counts.
pub fn weight(item: u64) -> u64 {
    item % 4
}

fn batched<P: Payload + 'static, W: Form<P> + 'static>(
    (capacity, origin): (usize, u64),
    payload: P,
    with: W,
    limits: Limits,
    log: Disposed,
) -> Arc<dyn Subject>
where
    Blocking<Batch<P>>: Batches,
{
    let limits = Limits { size: limits.size.min(capacity), ..limits };
    let queue = Batch::try_new_at(capacity, limits, payload, origin).unwrap();
    Arc::new(Batched(Blocking::new(queue), with, log))
}

const PAIRS: Limits = Limits { size: 2, age: None, weight: None };

/// A batcher whose batches are single items: first in, first out, like any queue.
pub fn singles(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let limits = Limits { size: 1, ..PAIRS };
    batched((capacity, origin), pointer(&log), AsPointer, limits, log)
}

/// As [`singles`], of blobs.
pub fn singles_bytes(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let limits = Limits { size: 1, ..PAIRS };
    batched((capacity, origin), bytes(&log), AsBlob, limits, log)
}

/// A batcher of pairs, which wait for one another for ever; of single items, if no more fit.
pub fn batch(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    batched((capacity, origin), pointer(&log), AsPointer, PAIRS, log)
}

/// As [`batch`], of blobs.
pub fn batch_bytes(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    batched((capacity, origin), bytes(&log), AsBlob, PAIRS, log)
}

/// The most that a batch of [`heavy`] weighs.
pub const HEAVY: u64 = 3;

/// A batcher of up to three items that weigh up to three.
pub fn heavy(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let limits = Limits { size: 3, weight: Some(HEAVY), ..PAIRS };
    batched((capacity, origin), pointer(&log), AsPointer, limits, log)
}

/// As [`batch`], where items wait for others for a while only.
pub fn ageing(capacity: usize, origin: u64, log: Disposed) -> Arc<dyn Subject> {
    let limits = Limits { age: Some(std::time::Duration::from_micros(10)), ..PAIRS };
    batched((capacity, origin), pointer(&log), AsPointer, limits, log)
}
