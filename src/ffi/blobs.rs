//! Queues of blobs that a Rust program shares with C, C++ and Go: references to the queues of the C
//! ABI. A call is that of the exported function, but with results of Rust, and an end of an spsc
//! queue is a value of its own, so that the borrow checker keeps the rule of the family.

mod mpmc;
mod spsc;

pub use mpmc::{Lease, MpmcBytes, Reservation};
pub use spsc::{BytesConsumer, BytesProducer, FrontBlob, SlotReservation, spsc_bytes};

use super::handle::AnyHandle;
use crate::error::{Error, Result};
use crate::payload::{Bytes, Received};
use crate::stats::Stats;
use crate::wait::{Polled, READABLE, WRITABLE};
use core::ffi::{c_int, c_void};
use core::fmt;
use core::mem::ManuallyDrop;
use std::os::fd::BorrowedFd;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A reference to a queue of blobs that other languages may use, too: what any thread may do with
/// it. [`MpmcBytes`], [`BytesProducer`] and [`BytesConsumer`] add the calls of their family.
///
/// Dropping it gives the reference back. That closes nothing, since the other owners go on; the last
/// reference, of whatever language, frees the queue. A child that was forked may not use a shared
/// queue that it inherited: there close and the drop do nothing.
pub struct BytesQueue {
    any: AnyHandle,
    item_size: usize,
}

// SAFETY: a handle may be used, and its last reference dropped, by any thread.
unsafe impl Send for BytesQueue {}
// SAFETY: any thread may call the methods.
unsafe impl Sync for BytesQueue {}
impl UnwindSafe for BytesQueue {}
impl RefUnwindSafe for BytesQueue {}

impl BytesQueue {
    /// The handle, for a call that changes the queue. Fails with [`Error::Invalid`] in a child that
    /// inherited it.
    fn own(&self) -> Result<AnyHandle> {
        self.any.queue().check_process()?;
        Ok(self.any)
    }

    /// Closes the queue for all its owners: later puts fail, gets drain what is left. Wakes all
    /// waiters.
    pub fn close(&self) {
        if let Ok(any) = self.own() {
            any.close();
        }
    }

    /// Whether the queue is closed. Blobs may be left.
    pub fn is_closed(&self) -> bool {
        self.any.is_closed()
    }

    /// The number of blobs; a snapshot.
    pub fn len(&self) -> usize {
        self.any.queue().len()
    }

    /// Whether the queue has no blobs; a snapshot.
    pub fn is_empty(&self) -> bool {
        self.any.queue().is_empty()
    }

    /// Whether the queue is full; a snapshot.
    pub fn is_full(&self) -> bool {
        self.any.queue().is_full()
    }

    /// The number of blobs that fit.
    pub fn capacity(&self) -> usize {
        self.any.queue().capacity()
    }

    /// The largest length of a blob in bytes.
    pub fn item_size(&self) -> usize {
        self.item_size
    }

    /// A snapshot of the statistics, which count the calls of all owners.
    pub fn stats(&self) -> Stats {
        self.any.queue().stats()
    }

    /// Returns a descriptor for poll, epoll and event loops, as
    /// [`Mpmc::readable_fd`](crate::Mpmc::readable_fd) does. All owners get the same descriptor.
    ///
    /// # Errors
    /// [`Error::NoMemory`](crate::Error::NoMemory) if no descriptor or memory is left.
    pub fn readable_fd(&self) -> Result<BorrowedFd<'_>> {
        self.borrow_fd(self.any.queue().readable_fd())
    }

    /// Returns a descriptor that is readable while there is room or the queue is closed. A call
    /// that returns [`Error::Full`](crate::Error::Full) has made it unreadable.
    ///
    /// # Errors
    /// As [`BytesQueue::readable_fd`].
    pub fn writable_fd(&self) -> Result<BorrowedFd<'_>> {
        self.borrow_fd(self.any.queue().writable_fd())
    }

    fn borrow_fd(&self, fd: Result<c_int>) -> Result<BorrowedFd<'_>> {
        // SAFETY: open until the last release, and `self` holds a reference.
        fd.map(|fd| unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// The queue for a [`poll()`](crate::poll) that waits until there is a blob or the queue is
    /// closed.
    pub fn readable(&self) -> Polled<'_> {
        self.polled(READABLE)
    }

    /// The queue for a [`poll()`](crate::poll) that waits until there is room or the queue is
    /// closed.
    pub fn writable(&self) -> Polled<'_> {
        self.polled(WRITABLE)
    }

    fn polled(&self, events: u32) -> Polled<'_> {
        Polled::new(self.any.queue().source(), events).expect("the queue has both ends")
    }

    /// # Safety
    /// A call of the getting side.
    unsafe fn clear(&self) -> Result<usize> {
        // SAFETY: by contract.
        unsafe { self.own()?.clear() }
    }

    fn as_raw<T>(&self) -> *mut T {
        self.any.address().cast()
    }

    fn into_raw<T>(self) -> *mut T {
        ManuallyDrop::new(self).as_raw()
    }

    /// Another reference.
    fn retain(&self) -> Self {
        self.any.retain();
        Self { any: self.any, item_size: self.item_size }
    }

    fn show(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        f.debug_struct(name)
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("item_size", &self.item_size)
            .field("is_closed", &self.any.queue().is_closed())
            .finish_non_exhaustive()
    }
}

impl Drop for BytesQueue {
    fn drop(&mut self) {
        if let Ok(any) = self.own() {
            // SAFETY: the reference is this object's.
            unsafe { any.release() }
        }
    }
}

impl fmt::Debug for BytesQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f, "BytesQueue")
    }
}

/// The payload of a queue that Rust creates: leftover blobs have no callback.
fn blobs_of(item_size: usize) -> Result<Bytes> {
    if item_size == 0 {
        return Err(Error::Invalid); // in C it stands for pointers
    }
    Bytes::without_callback(item_size)
}

/// [`Error::Invalid`] for a blob that is too long.
#[inline(always)]
fn check_len(blob: &[u8], limit: usize) -> Result {
    if blob.len() <= limit { Ok(()) } else { Err(Error::Invalid) }
}

/// Runs a get into a buffer and returns the length of the blob.
#[inline(always)]
fn receive(buffer: &mut [u8], get: impl FnOnce(&mut Received) -> Result) -> Result<usize> {
    // SAFETY: the buffer is borrowed for longer.
    let mut received = unsafe { Received::new(buffer.as_mut_ptr(), buffer.len()) };
    get(&mut received)?;
    Ok(received.len())
}

/// The `len` bytes of a cell at `data`.
///
/// # Safety
/// The caller may read and write them during `'a`. All bytes of a cell are initialized: the queue's
/// memory is zero at first.
unsafe fn bytes_at<'a>(data: *mut c_void, len: usize) -> &'a mut [u8] {
    // SAFETY: by contract.
    unsafe { core::slice::from_raw_parts_mut(data.cast(), len) }
}
