//! The algorithms. None of them waits for an item or for room, or knows the C ABI.
//!
//! [`Queue`] is what every queue has that closes; [`Put`], [`Get`], [`Peek`], [`PutMany`] and
//! [`GetMany`] move items. [`wait::Blocking`](crate::wait::Blocking) adds waiting to them, and counts
//! the calls that fail. The deque has calls of its own: it neither closes nor waits.

pub mod batch;
pub mod deque;
pub mod mpmc;
pub mod priority;
pub(crate) mod ring;
pub mod spsc;

use crate::error::Result;
use crate::sync::Deadline;
use core::ops::ControlFlow::{self, Break, Continue};

/// How many items a queue has accepted and returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Items put since creation.
    pub enqueued: u64,
    /// Items removed since creation, by gets and by `clear`.
    pub dequeued: u64,
    /// The largest number of items in the queue at any moment since creation.
    pub peak: u64,
}

/// The default number of attachments of a shared queue.
#[cfg(queues_shared)]
const ATTACHMENTS: u64 = 64;

/// The options of a shared queue. 0 stands for the value in the file or, if the file is empty, for
/// the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedOptions {
    /// Largest number of items; default: 1000, in an spsc queue 1024.
    pub capacity: usize,
    /// Largest length of a blob in bytes; there is no default.
    pub item_size: usize,
    /// Cells beyond the capacity; default: 64. 0 for an spsc queue, which has none.
    pub spare: usize,
    /// The most handles that are attached at once, in all processes; default: 64, at most 4096.
    pub attachments: usize,
    /// Whether what a dead process held is redelivered. False for an spsc queue, in which an item
    /// that a dead consumer held stays in front.
    pub redelivers: bool,
}

#[cfg(queues_shared)]
impl SharedOptions {
    /// The queue that these options ask for. `capacity` and `spare` are the family's defaults.
    fn request(
        &self,
        kind: crate::shared::Kind,
        flags: u64,
        (capacity, spare): (usize, usize),
    ) -> crate::shared::Request {
        crate::shared::Request {
            kind,
            sizes: crate::shared::Sizes {
                capacity: self.capacity as u64,
                item_size: self.item_size as u64,
                spare: self.spare as u64,
                attachments: self.attachments as u64,
                flags,
            },
            defaults: crate::shared::Sizes {
                capacity: capacity as u64,
                item_size: 0,
                spare: spare as u64,
                attachments: ATTACHMENTS,
                flags: 0,
            },
        }
    }
}

/// How far position `a` is ahead of position `b`; negative if it is behind.
#[inline(always)]
fn ahead(a: u64, b: u64) -> i64 {
    a.wrapping_sub(b) as i64
}

/// The part of a non-blocking bounded queue that does not depend on its item type.
///
/// # Safety
/// An implementation returns every item from exactly one get, and the put of an item happens before
/// its get.
pub unsafe trait Queue: Send + Sync {
    /// The position behind the last item, for [`Queue::clear_to`].
    fn end(&self) -> u64;

    /// Removes and disposes of every item that was put before `end`; returns their number.
    ///
    /// Calls `freed` with the number of places as they become free, between the drop callbacks; and
    /// again when a cell becomes free after its callback, for queues whose puts need a free cell too.
    ///
    /// # Safety
    /// The caller may get at this moment, by the queue's rule about its consumers.
    unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize;

    /// Whether this handle may call [`Queue::clear_to`]. Fails with [`Misuse`](crate::Error::Misuse)
    /// if the role of the consumer belongs to another handle.
    fn check_getter(&self) -> Result {
        Ok(())
    }

    /// Closes: later puts fail with [`Closed`](crate::Error::Closed); gets drain what is left, then
    /// fail with it too.
    fn close(&self);
    /// Whether the queue is closed.
    fn is_closed(&self) -> bool;
    /// The number of items that fit.
    fn capacity(&self) -> usize;
    /// The number of items; a snapshot, never above the capacity.
    fn len(&self) -> usize;
    /// Whether a get would find no item; a snapshot.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether a put would find no room; a snapshot.
    fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }
    /// How many items were put and removed.
    fn counts(&self) -> Counts;
    /// Whether a drop callback panicked since the last call; resets it.
    fn take_panic(&self) -> bool;
    /// Whether the put that just succeeded must wake a waiting get. A batcher wakes one only when a
    /// batch may be due.
    #[inline(always)]
    fn wake_getter(&self) -> WakeGetter {
        WakeGetter::Now
    }
    /// `Break` if a get would not fail with [`Empty`](crate::Error::Empty). `Continue(t)`: a get
    /// would, but from time `t` on may succeed even without a put. Any thread may call.
    fn look_for_item(&self) -> ControlFlow<(), Deadline> {
        if self.is_empty() && !self.is_closed() { Continue(Deadline::NEVER) } else { Break(()) }
    }
    /// [`Queue::look_for_item`] of a caller that waits. From now on the caller is responsible for
    /// what becomes ready at the returned time. The second result: whether the caller must wake the
    /// other waiters, which then compute their own deadlines, because the caller may leave before
    /// that time.
    fn watch_for_item(&self) -> (ControlFlow<(), Deadline>, bool) {
        (self.look_for_item(), false)
    }
    /// Whether a put would not fail with [`Full`](crate::Error::Full). Any thread may call.
    fn has_room(&self) -> bool {
        !self.is_full() || self.is_closed()
    }
    /// Whether gets depend on the time as well as on puts.
    const IS_TIMED: bool = false;
    /// The place of this handle among processes, if they share the queue. Then threads of all of them
    /// wait there, and it counts the calls that fail.
    #[cfg(queues_shared)]
    #[inline(always)]
    fn attachment(&self) -> Option<&crate::shared::Attachment> {
        None
    }
    /// Called every now and then by a thread that waits: gives back what dead processes held.
    fn recover(&self) {}
}

/// A queue of blobs.
pub(crate) trait OfBlobs: Queue {
    /// The largest length of a blob in bytes.
    fn item_size(&self) -> usize;
}

/// Whether a put must wake a waiting get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeGetter {
    /// No: there is nothing to wake for.
    No,
    /// Yes: a get may succeed now.
    Now,
    /// Yes: a get succeeds from this time on.
    At(Deadline),
}

/// How an attempt on the fast path ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fast {
    /// Done.
    Done,
    /// Without effect: the slow path is needed.
    Slow,
    /// Published, but [`Put::finish_put`] must decide whether the queue keeps it.
    Published,
}

/// How many items a call on many handled, and the error that stopped it.
pub type Progress = (usize, Result);

/// Puts items.
///
/// Items move bitwise: a put copies `*item` into the queue.
///
/// # Safety
/// As for [`Queue`].
pub unsafe trait Put: Queue {
    /// What a put reads: a `T`, or the bytes of a blob.
    type Item: ?Sized;
    /// What travels beside an item: nothing, a priority or a weight.
    type With: Copy;

    /// Whether [`Put::put_fast`] is worth a try.
    const HAS_FAST_PUT: bool = false;

    /// Puts a bitwise copy of the item. After [`Full`](crate::Error::Full) and
    /// [`Closed`](crate::Error::Closed) the caller still owns it.
    ///
    /// # Safety
    /// After `Ok` the caller must forget `item`. The caller may put at this moment, by the queue's
    /// rule about its producers.
    unsafe fn try_put(&self, item: &Self::Item, with: Self::With) -> Result;

    /// Fast path of `try_put`. Calls no other function, so the compiler saves no registers.
    ///
    /// # Safety
    /// As [`Put::try_put`], unless it returns `Slow`.
    #[inline(always)]
    unsafe fn put_fast(&self, _item: &Self::Item, _with: Self::With) -> Fast {
        Fast::Slow
    }

    /// Ends a put whose fast path returned `Published`.
    fn finish_put(&self) -> Result {
        Ok(())
    }
}

/// Gets items.
///
/// Items move bitwise: a get copies the item to `*out`.
///
/// # Safety
/// As for [`Queue`].
pub unsafe trait Get: Queue {
    /// Where a get writes.
    type Out: ?Sized;
    /// What travels beside an item: nothing or a priority.
    type With;

    /// Whether [`Get::get_fast`] is worth a try.
    const HAS_FAST_GET: bool = false;

    /// Removes the front item. Fails with [`Empty`](crate::Error::Empty),
    /// [`Closed`](crate::Error::Closed) (and drained), or [`TooSmall`](crate::Error::TooSmall), which
    /// leaves the item in the queue.
    ///
    /// # Safety
    /// The caller may get at this moment, by the queue's rule about its consumers.
    unsafe fn try_get(&self, out: &mut Self::Out) -> Result<Self::With>;

    /// Fast path of `try_get`. Calls no other function. `None`, without effect: the slow path is
    /// needed.
    ///
    /// # Safety
    /// As [`Get::try_get`].
    #[inline(always)]
    unsafe fn get_fast(&self, _out: &mut Self::Out) -> Option<Self::With> {
        None
    }
}

/// Puts many items, which lie one after the other in memory.
///
/// # Safety
/// As for [`Queue`].
pub unsafe trait PutMany: Put<Item: Sized, With = ()> {
    /// Puts `count` items in order until one fails; returns the number put, and that error.
    ///
    /// # Safety
    /// As [`Put::try_put`], for each item that was put; `count` items lie at `items`.
    #[inline(always)]
    unsafe fn try_put_many(&self, items: *const Self::Item, count: usize) -> Progress {
        for i in 0..count {
            // SAFETY: the same contract.
            let put = unsafe {
                let item = &*items.add(i);
                match self.put_fast(item, ()) {
                    Fast::Done => Ok(()),
                    Fast::Slow => self.try_put(item, ()),
                    Fast::Published => self.finish_put(),
                }
            };
            if let Err(error) = put {
                return (i, Err(error));
            }
        }
        (count, Ok(()))
    }
}

/// Gets many items, into places that lie one after the other in memory.
///
/// # Safety
/// As for [`Queue`].
pub unsafe trait GetMany: Get<Out: Sized, With = ()> {
    /// Removes up to `count` items, `count` at least 1; returns their number, or the error that
    /// [`Get::try_get`] returned for the first.
    ///
    /// # Safety
    /// As [`Get::try_get`]; `count` places lie at `places`, or as many as the capacity if that is less.
    #[inline(always)]
    unsafe fn try_get_many(&self, places: *mut Self::Out, count: usize) -> Result<usize> {
        let get = |i| {
            // SAFETY: the same contract.
            let place = unsafe { &mut *places.add(i) };
            // SAFETY: the same contract.
            match unsafe { self.get_fast(place) } {
                Some(()) => Ok(()),
                // SAFETY: the same contract.
                None => unsafe { self.try_get(place) },
            }
        };
        get(0)?;
        let mut done = 1;
        while done < count && get(done).is_ok() {
            done += 1;
        }
        Ok(done)
    }
}

/// Copies the front item without removing it.
///
/// # Safety
/// As for [`Queue`]; a copy is returned only if it is whole.
pub unsafe trait Peek: Get {
    /// Copies the front item and leaves it there; fails as [`Get::try_get`] does.
    ///
    /// # Safety
    /// As for `try_get`; and the copy must not be used as a second owner of what it refers to.
    unsafe fn peek(&self, out: &mut Self::Out) -> Result<Self::With>;
}
