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
//! `len`, `is_empty`, `is_full` and `stats` are snapshots: other threads may change the queue.

mod batcher;
mod deque;
mod iter;
mod mpmc;
mod priority;
mod spsc;

pub use batcher::Batcher;
pub use deque::{Stealer, Worker, deque, growable_deque};
pub use iter::{Iter, TryIter};
pub use mpmc::Mpmc;
pub use priority::Priority;
pub use spsc::{Consumer, Producer, spsc};

use crate::error::{Error, Result};
use crate::queue::{GetMany, PutMany, Queue};
use crate::wait::{Blocking, Wait};
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};

/// The error of a put, with its item.
///
/// ```
/// use queues::{Error, Mpmc, PutError};
///
/// struct Job; // neither Debug nor Display
///
/// let queue = Mpmc::with_capacity(1)?;
/// queue.try_put(Job)?;
/// let refused: PutError<Job> = queue.try_put(Job).unwrap_err();
/// assert_eq!(refused.error, Error::Full);
/// assert_eq!(refused.to_string(), "the item was not put: the queue is full");
/// let _job: Job = refused.into_inner();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PutError<T> {
    /// Why the put failed.
    pub error: Error,
    /// The item.
    pub item: T,
}

impl<T> PutError<T> {
    /// Returns the item.
    #[must_use = "the item would be dropped"]
    pub fn into_inner(self) -> T {
        self.item
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutError").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the item was not put: {}", self.error)
    }
}

impl<T> std::error::Error for PutError<T> {}

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
/// The queue's rule about who may put at once holds.
unsafe fn put_many<Q: PutMany>(
    queue: &Blocking<Q>,
    items: &mut Vec<Q::Item>,
    wait: Wait,
) -> Result {
    let count = items.len();
    // SAFETY: not more than there are. Below, the vector gets back the items that were not put.
    unsafe { items.set_len(0) };
    // SAFETY: there are `count` initialized items; those that were put are not used again.
    let (done, result) = unsafe { queue.put_many(items.as_ptr(), count, wait) };
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
/// The queue's rule about who may get at once holds.
unsafe fn get_many<T, Q: GetMany<Out = MaybeUninit<T>>>(
    queue: &Blocking<Q>,
    out: &mut Vec<T>,
    max: usize,
    wait: Wait,
) -> Result<usize> {
    let max = max.min(queue.queue().capacity());
    out.reserve(max);
    let places = out.spare_capacity_mut().as_mut_ptr();
    // SAFETY: there are `max` places.
    let (done, result) = unsafe { queue.get_many(places, max, wait) };
    // SAFETY: the first `done` places were filled.
    unsafe { out.set_len(out.len() + done) };
    result.map(|()| done)
}

/// Formats a queue without its items, which other threads may be taking.
fn show(f: &mut fmt::Formatter<'_>, name: &str, queue: &impl Queue) -> fmt::Result {
    f.debug_struct(name)
        .field("len", &queue.len())
        .field("capacity", &queue.capacity())
        .field("is_closed", &queue.is_closed())
        .finish_non_exhaustive()
}
