//! The queues of the C ABI as queues under test, by the calls of [`c_abi`](super::c_abi). How a
//! number goes through a queue is in [`Items`]: as a pointer, as bytes, or written and read in
//! place.

use super::c_abi::{self, Family, Handle, Mpmc, Settings, Spsc};
use super::items::*;
use super::subject::{Many, Options, Reference, Subject, get_one_by_one, put_one_by_one};
use core::ffi::c_int;
use core::marker::PhantomData;
use queues::ffi::deque::QUEUES_DEQUE_GROWABLE;
use queues::{Result, Stats};
use std::sync::Arc;

/// What items of a queue of the family are, and the calls that move them.
pub trait Items<F: Family>: 'static {
    const ITEM_SIZE: usize;
    const DROP: Callback;
    const HAS_PEEK: bool = F::HAS_PEEK;
    const CAN_READ_PEEKED: bool = F::HAS_PEEK;
    const HAS_MANY: bool = false;
    fn try_put(queue: &Handle<F>, number: u64) -> Result {
        Self::put(queue, number, 0)
    }
    fn put(queue: &Handle<F>, number: u64, timeout: i64) -> Result;
    fn try_get(queue: &Handle<F>) -> Result<u64> {
        Self::get(queue, 0)
    }
    fn get(queue: &Handle<F>, timeout: i64) -> Result<u64>;
    fn peek(queue: &Handle<F>) -> Result<u64> {
        queue.peek_bytes(LARGEST_BLOB).map(|bytes| number_of_blob(&bytes))
    }
    fn put_many(_: &Handle<F>, _numbers: &[u64], _timeout: i64) -> Many<usize> {
        unimplemented!("no calls on many")
    }
    fn get_many(_: &Handle<F>, _max: usize, _timeout: i64) -> Many<Vec<u64>> {
        unimplemented!("no calls on many")
    }
}

/// Pointers to boxes.
pub struct Pointers;

impl<F: Family> Items<F> for Pointers {
    const ITEM_SIZE: usize = 0;
    const DROP: Callback = note_boxed;
    const CAN_READ_PEEKED: bool = false;
    const HAS_MANY: bool = F::HAS_MANY;
    fn try_put(queue: &Handle<F>, number: u64) -> Result {
        put_box(number, |item| queue.try_put(item))
    }
    fn put(queue: &Handle<F>, number: u64, timeout: i64) -> Result {
        put_box(number, |item| queue.put(item, timeout))
    }
    fn try_get(queue: &Handle<F>) -> Result<u64> {
        queue.try_get().map(unboxed)
    }
    fn get(queue: &Handle<F>, timeout: i64) -> Result<u64> {
        queue.get(timeout).map(unboxed)
    }
    fn peek(queue: &Handle<F>) -> Result<u64> {
        queue.peek().map(|item| item as u64)
    }
    fn put_many(queue: &Handle<F>, numbers: &[u64], timeout: i64) -> Many<usize> {
        let items: Vec<_> = numbers.iter().map(|&number| boxed(number)).collect();
        let (done, why) = queue.put_many(&items, timeout);
        for (&item, &number) in items.iter().zip(numbers).skip(done) {
            assert_eq!(unboxed(item), number);
        }
        (done, why)
    }
    fn get_many(queue: &Handle<F>, max: usize, timeout: i64) -> Many<Vec<u64>> {
        let (items, why) = queue.get_many(max, timeout);
        (items.into_iter().map(unboxed).collect(), why)
    }
}

/// Blobs.
pub struct Blobs;

impl<F: Family> Items<F> for Blobs {
    const ITEM_SIZE: usize = LARGEST_BLOB;
    const DROP: Callback = note_blob;
    fn try_put(queue: &Handle<F>, number: u64) -> Result {
        queue.try_put_bytes(&blob(number))
    }
    fn put(queue: &Handle<F>, number: u64, timeout: i64) -> Result {
        queue.put_bytes(&blob(number), timeout)
    }
    fn try_get(queue: &Handle<F>) -> Result<u64> {
        queue.try_get_bytes(LARGEST_BLOB).map(|bytes| number_of_blob(&bytes))
    }
    fn get(queue: &Handle<F>, timeout: i64) -> Result<u64> {
        queue.get_bytes(LARGEST_BLOB, timeout).map(|bytes| number_of_blob(&bytes))
    }
}

/// Blobs that are written and read where they lie.
pub struct InPlace;

impl Items<Spsc> for InPlace {
    const ITEM_SIZE: usize = LARGEST_BLOB;
    const DROP: Callback = note_blob;
    fn put(queue: &Handle<Spsc>, number: u64, timeout: i64) -> Result {
        let blob = blob(number);
        queue.reserve(&blob, timeout)?;
        queue.commit(blob.len())
    }
    fn get(queue: &Handle<Spsc>, timeout: i64) -> Result<u64> {
        let number = number_of_blob(&queue.front(timeout)?);
        queue.consume().map(|()| number)
    }
}

impl Items<Mpmc> for InPlace {
    const ITEM_SIZE: usize = LARGEST_BLOB;
    const DROP: Callback = note_blob;
    /// A peek that comes too late reads what a producer is writing, and discards it. Where both are
    /// compiled for the thread sanitizer, that reports a race.
    const HAS_PEEK: bool = false;
    const CAN_READ_PEEKED: bool = false;
    fn put(queue: &Handle<Mpmc>, number: u64, timeout: i64) -> Result {
        commit_until_kept(timeout != 0, || {
            let data = queue.reserve(timeout)?;
            let done = queue.commit(data, &blob(number));
            if done.is_err() {
                queue.cancel(data).unwrap();
            }
            done
        })
    }
    fn get(queue: &Handle<Mpmc>, timeout: i64) -> Result<u64> {
        let (data, blob) = queue.lease(timeout)?;
        queue.settle(data).unwrap();
        Ok(number_of_blob(&blob))
    }
}

/// A reference to a queue; the queue disposes of items into the record.
struct Queue<F: Family, I>(Handle<F>, Arc<Dropped>, PhantomData<fn(I)>);

pub fn queue<F: Family, I: Items<F>>(
    options: &Options,
    dropped: &Arc<Dropped>,
) -> Result<Reference> {
    let settings = Settings::new(options.capacity, I::ITEM_SIZE);
    let handle = Handle::<F>::create(settings.with_drop(Some(I::DROP), dropped.context()))?;
    Ok(Box::new(Queue(handle, dropped.clone(), PhantomData::<fn(I)>)))
}

impl<F: Family, I: Items<F>> Subject for Queue<F, I> {
    fn share(&self) -> Reference {
        Box::new(Self(self.0.clone(), self.1.clone(), PhantomData))
    }
    fn try_put(&self, number: u64) -> Result {
        I::try_put(&self.0, number)
    }
    fn put(&self, number: u64, timeout: i64) -> Result {
        I::put(&self.0, number, timeout)
    }
    fn try_get(&self) -> Result<u64> {
        I::try_get(&self.0)
    }
    fn get(&self, timeout: i64) -> Result<u64> {
        I::get(&self.0, timeout)
    }
    fn has_peek(&self) -> bool {
        I::HAS_PEEK
    }
    fn can_read_peeked(&self) -> bool {
        I::CAN_READ_PEEKED
    }
    fn peek(&self) -> Result<u64> {
        I::peek(&self.0)
    }
    fn has_many(&self) -> bool {
        I::HAS_MANY
    }
    fn put_many(&self, numbers: &[u64], timeout: i64) -> Many<usize> {
        if I::HAS_MANY {
            I::put_many(&self.0, numbers, timeout)
        } else {
            put_one_by_one(self, numbers, timeout)
        }
    }
    fn get_many(&self, max: usize, timeout: i64) -> Many<Vec<u64>> {
        if I::HAS_MANY {
            I::get_many(&self.0, max, timeout)
        } else {
            get_one_by_one(self, max, timeout)
        }
    }
    fn clear(&self) -> usize {
        self.0.clear().unwrap()
    }
    fn close(&self) {
        self.0.close().unwrap();
    }
    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
    fn readable_fd(&self) -> Result<c_int> {
        self.0.readable_fd()
    }
    fn writable_fd(&self) -> Result<c_int> {
        self.0.writable_fd()
    }
    fn poll(&self, events: u32, timeout: i64) -> Result<u32> {
        self.0.poll(events, timeout)
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn capacity(&self) -> usize {
        self.0.capacity()
    }
    fn stats(&self) -> Stats {
        self.0.stats()
    }
}

/// A reference to a deque, of pointers to boxes or of bytes.
struct Deque<const BYTES: bool>(c_abi::Deque, Arc<Dropped>);

pub fn deque<const BYTES: bool>(options: &Options, dropped: &Arc<Dropped>) -> Result<Reference> {
    let flags = if options.growable { QUEUES_DEQUE_GROWABLE } else { 0 };
    let item_size = if BYTES { LARGEST_BLOB } else { 0 };
    let callback: Callback = if BYTES { note_blob } else { note_boxed };
    let settings = Settings { flags, ..Settings::new(options.capacity, item_size) };
    let deque = c_abi::Deque::create(settings.with_drop(Some(callback), dropped.context()))?;
    Ok(Box::new(Deque::<BYTES>(deque, dropped.clone())))
}

impl<const BYTES: bool> Subject for Deque<BYTES> {
    fn share(&self) -> Reference {
        Box::new(Self(self.0.clone(), self.1.clone()))
    }
    fn put(&self, number: u64, _timeout: i64) -> Result {
        match BYTES {
            true => self.0.push_bytes(&blob(number)),
            false => put_box(number, |item| self.0.push(item)),
        }
    }
    fn get(&self, _timeout: i64) -> Result<u64> {
        match BYTES {
            true => self.0.steal_bytes(LARGEST_BLOB).map(|bytes| number_of_blob(&bytes)),
            false => self.0.steal().map(unboxed),
        }
    }
    fn pop(&self) -> Result<u64> {
        match BYTES {
            true => self.0.pop_bytes(LARGEST_BLOB).map(|bytes| number_of_blob(&bytes)),
            false => self.0.pop().map(unboxed),
        }
    }
    fn has_many(&self) -> bool {
        !BYTES
    }
    fn get_many(&self, max: usize, timeout: i64) -> Many<Vec<u64>> {
        if BYTES {
            return get_one_by_one(self, max, timeout);
        }
        let (items, why) = self.0.steal_many(max);
        (items.into_iter().map(unboxed).collect(), why)
    }
    fn readable_fd(&self) -> Result<c_int> {
        self.0.stealable_fd()
    }
    fn poll(&self, events: u32, timeout: i64) -> Result<u32> {
        self.0.poll(events, timeout)
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn capacity(&self) -> usize {
        self.0.capacity()
    }
    fn stats(&self) -> Stats {
        self.0.stats()
    }
}
