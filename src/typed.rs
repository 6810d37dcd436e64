//! The queues as Rust programs use them: any `T: Send`, moved in and out.
//!
//! | queue | ends | order |
//! |---|---|---|
//! | [`Mpmc`] | any threads, shared by reference | first in, first out |
//! | [`spsc`] | one [`Producer`], one [`Consumer`] | first in, first out |
//! | [`Priority`] | any threads, shared by reference | lowest priority first |
//! | [`Batcher`] | any threads, shared by reference | first in, first out, in batches |
//! | [`deque`], [`growable_deque`] | one [`Worker`], any [`Stealer`]s | last in, first out; thieves: first in, first out |
//!
//! - **Waiting.** A call that may wait takes a [`Wait`]. `try_` calls, [`Wait::No`] and the calls of a
//!   deque do not wait. A wait that ends without success is [`Error::Timeout`].
//! - **Futures.** A call whose name ends in `_async` waits as a future. It needs only the
//!   [`Waker`](core::task::Waker) of its context, so it runs on every executor: see
//!   [Futures](#futures).
//! - **Several queues.** [`poll()`](crate::poll) waits for queues of all families and for
//!   [`Event`]s. A program with an event loop waits for the descriptor that `readable_fd` returns.
//! - **Closing.** After `close`, puts fail with [`Error::Closed`]. Gets return what is left, then fail
//!   with [`Error::Closed`]. A deque has no close.
//! - **Refused items** are returned: in a [`PutError`], or in the vector given to `put_many`.
//! - **Iterators.** `iter` waits for items until the queue is closed and drained; `try_iter` ends when
//!   the queue is empty. `for item in &queue` is `iter`. See [`Iter`] and [`TryIter`].
//! - **Panics in the drop of an item.** `clear` and the drop of a queue drop all items, then resume the
//!   first panic. If the thread is panicking already they discard it, since a second panic would
//!   abort the process.
//! - **Unwinding.** A queue is [`UnwindSafe`](std::panic::UnwindSafe): a panic leaves no call half
//!   done.
//!
//! # Futures
//! - **Cancellation.** A future does its work in its last step. A future that is dropped before
//!   that step has taken no item, and put none: its item is dropped with it. `put_many_async` puts
//!   in several steps, and leaves in the vector the items that it has not put. The wake-up of a
//!   dropped future goes to the next future.
//! - **Poll a future that was polled until it ends, or drop it.** A put wakes one future for an
//!   item. A future that was woken and is not polled leaves that item to the next call.
//! - **Order.** Futures wake in the order in which they began to wait. A call that finds an item at
//!   once does not wait behind them.
//! - **Threads.** Calls that block and futures may wait on the same queue. A put wakes one of each.
//! - **Progress.** No put and no get waits for a future. Futures that wait at the same end share a
//!   short lock.
//! - **Memory.** The first future that has to wait allocates a list, which grows with the number of
//!   futures that wait at once and is freed with the queue.
//! - **Timeouts.** The executor has the timers. When one ends, drop the future.
//! - **Panics.** A `Waker` must not panic. If it does, the panic hook reports that, and the put,
//!   get or close that called it goes on.
//! - **Streams.** The library depends on no crate for futures. With `stream::unfold` of the crate
//!   `futures`, a stream is
//!   `unfold(&queue, |queue| async move { Some((queue.get_async().await.ok()?, queue)) })`.
//!
//! Once a future has waited at an end of a queue, the calls that wake waiters at this end execute a
//! full fence for each item, some nanoseconds. If the kernel refuses `membarrier` at that first
//! wait, which a sandbox may cause, the wait blocks its thread for 1 ms.
//!
//! `len`, `is_empty`, `is_full` and `stats` are snapshots: other threads may change the queue.

mod batcher;
mod deque;
mod event;
mod iter;
mod mpmc;
mod priority;
mod spsc;

pub use batcher::Batcher;
pub use deque::{Stealer, Worker, deque, growable_deque};
pub use event::Event;
pub use iter::{Iter, TryIter};
pub use mpmc::Mpmc;
pub use priority::Priority;
pub use spsc::{Consumer, Producer, spsc};

pub use crate::error::PutError;
use crate::error::Result;
use crate::queue::{GetMany, Progress, Put, PutMany, Queue};
use crate::wait::{Blocking, Polled, Wait};
use core::ffi::c_int;
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::BorrowedFd;

/// Runs a put that takes the item only if it returns `Ok`.
fn give<T>(item: T, put: impl FnOnce(&T) -> Result) -> core::result::Result<(), PutError<T>> {
    let item = ManuallyDrop::new(item);
    put(&item).map_err(|error| PutError { error, item: ManuallyDrop::into_inner(item) })
}

/// Runs a get that fills its place only if it returns `Ok`; returns the item and what travels beside
/// it.
fn take_with<T, W>(get: impl FnOnce(&mut MaybeUninit<T>) -> Result<W>) -> Result<(T, W)> {
    let mut place = MaybeUninit::uninit();
    let with = get(&mut place)?;
    // SAFETY: the get filled it.
    Ok((unsafe { place.assume_init() }, with))
}

/// [`take_with`] where nothing travels beside an item.
fn take<T>(get: impl FnOnce(&mut MaybeUninit<T>) -> Result) -> Result<T> {
    take_with(get).map(|(item, ())| item)
}

/// Puts items from the front of `items`. Items that were not put stay there.
///
/// # Safety
/// The queue's rule about which threads may put at once holds.
unsafe fn put_many<Q: PutMany>(
    queue: &Blocking<Q>,
    items: &mut Vec<Q::Item>,
    wait: Wait,
) -> Result {
    // SAFETY: the same contract; the items are initialized, and those that were put are not used
    // again.
    give_many(items, |items, count| unsafe { queue.put_many(items, count, wait) })
}

/// Puts items from the front of `items`, waiting as a future.
///
/// # Safety
/// As [`put_many`].
async unsafe fn put_many_async<Q: PutMany<Item: Send>>(
    queue: &Blocking<Q>,
    items: &mut Vec<Q::Item>,
) -> Result {
    let put_some = || {
        // SAFETY: as in `put_many`.
        give_many(items, |items, count| unsafe { queue.put_those_that_fit(items, count) })
    };
    queue.put_until_room(put_some).await
}

/// Runs `put`, which returns the number of items that it moved out of the front of `items`.
fn give_many<T>(items: &mut Vec<T>, put: impl FnOnce(*const T, usize) -> Progress) -> Result {
    let count = items.len();
    // SAFETY: not more than there are. Below, the vector gets back the items that were not put.
    unsafe { items.set_len(0) };
    let (done, result) = put(items.as_ptr(), count);
    // SAFETY: `done` is not more than `count`, and the items after it were not put.
    unsafe {
        let start = items.as_mut_ptr();
        start.copy_from(start.add(done), count - done);
        items.set_len(count - done);
    }
    result
}

/// Gets up to `max` items to the end of `out`.
///
/// # Safety
/// The queue's rule about which threads may get at once holds.
unsafe fn get_many<T, Q: GetMany<Out = MaybeUninit<T>>>(
    queue: &Blocking<Q>,
    out: &mut Vec<T>,
    max: usize,
    wait: Wait,
) -> Result<usize> {
    take_many(out, max.min(queue.queue().capacity()), |places, max| {
        // SAFETY: the same contract; there are `max` places.
        let (done, result) = unsafe { queue.get_many(places, max, wait) };
        result.map(|()| done)
    })
}

/// Gets up to `max` items to the end of `out`, waiting as a future.
///
/// # Safety
/// As [`get_many`].
async unsafe fn get_many_async<T: Send, Q: GetMany<Out = MaybeUninit<T>>>(
    queue: &Blocking<Q>,
    out: &mut Vec<T>,
    max: usize,
) -> Result<usize> {
    let max = max.min(queue.queue().capacity());
    if max == 0 {
        return Ok(0);
    }
    let get_some = || {
        take_many(out, max, |places, max| {
            // SAFETY: the same contract; there are `max` places, one at least.
            unsafe { queue.queue().try_get_many(places, max) }
        })
    };
    queue.get_until_item(get_some, |&count| count).await
}

/// Runs `get`, which returns the number of places at the end of `out` that it filled.
fn take_many<T>(
    out: &mut Vec<T>,
    max: usize,
    get: impl FnOnce(*mut MaybeUninit<T>, usize) -> Result<usize>,
) -> Result<usize> {
    out.reserve(max);
    let done = get(out.spare_capacity_mut().as_mut_ptr(), max)?;
    // SAFETY: the first `done` places were filled.
    unsafe { out.set_len(out.len() + done) };
    Ok(done)
}

/// [`give`] as a future. The item is dropped with the future.
///
/// # Safety
/// The queue's rule about which threads may put at once holds.
async unsafe fn give_async<T: Send, Q: Put<Item = T>>(
    queue: &Blocking<Q>,
    item: T,
    with: Q::With,
) -> core::result::Result<(), PutError<T>> {
    let mut held = Held { item: MaybeUninit::new(item), is_ours: true };
    let put = || {
        // SAFETY: the same contract; the item is ours, and from Ok on it is not.
        // By `&mut`, so that the future is `Send` for items that are not `Sync`.
        let done = unsafe { queue.queue().try_put(held.item.assume_init_mut(), with) };
        held.is_ours = done.is_err();
        done
    };
    let done = queue.put_by_async(put).await;
    done.map_err(|error| {
        held.is_ours = false;
        // SAFETY: it was ours, since the put failed.
        PutError { error, item: unsafe { held.item.assume_init_read() } }
    })
}

/// The item of a put whose future may be dropped. After the put it is not even moved: another
/// thread has it.
struct Held<T> {
    item: MaybeUninit<T>,
    is_ours: bool,
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        if self.is_ours {
            // SAFETY: initialized, and ours.
            unsafe { self.item.assume_init_drop() };
        }
    }
}

/// A descriptor of a queue, which lives as long as the queue.
fn borrow_fd<Q>(_queue: &Q, fd: Result<c_int>) -> Result<BorrowedFd<'_>> {
    // SAFETY: the queue closes it when it is dropped.
    fd.map(|fd| unsafe { BorrowedFd::borrow_raw(fd) })
}

/// The end of a queue, which has that end.
fn known(polled: Result<Polled<'_>>) -> Polled<'_> {
    polled.expect("the queue has this end")
}

/// Formats a queue without its items, which other threads may be taking.
fn show(f: &mut fmt::Formatter<'_>, name: &str, queue: &impl Queue) -> fmt::Result {
    f.debug_struct(name)
        .field("len", &queue.len())
        .field("capacity", &queue.capacity())
        .field("is_closed", &queue.is_closed())
        .finish_non_exhaustive()
}
