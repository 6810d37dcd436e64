//! The algorithms. Nothing here sleeps or knows a C pointer; failures are counted where calls wait,
//! and by the deque, whose calls never do.

pub mod batch;
pub mod deque;
pub mod mpmc;
pub mod priority;
pub(crate) mod ring;
pub mod spsc;

use crate::error::Result;

/// Where a queue's positions stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Items put since the beginning.
    pub enqueued: u64,
    /// Items taken since the beginning.
    pub dequeued: u64,
    /// The most items that were ever seen in it at once.
    pub peak: u64,
}

/// How far one position is ahead of another.
#[inline(always)]
fn ahead(a: u64, b: u64) -> i64 {
    a.wrapping_sub(b) as i64
}

/// A bounded queue whose calls never wait, as far as it can be told without its items: what is put
/// and got, and how, is [`Fifo`]'s or the queue's own.
///
/// # Safety
/// An implementation hands every item on exactly once, with a happens-before from its put to its
/// get.
pub unsafe trait Queue: Send + Sync {
    /// Where the items that are there now end, for [`Queue::clear_to`].
    fn end(&self) -> u64;

    /// Takes and disposes of everything that was put before `end`; returns how many. Tells `freed`
    /// of places as they become free, between the callbacks; and again where a put needs a cell as
    /// well, and that becomes free only after its callback.
    ///
    /// # Safety
    /// The queue's rule about who may get at once holds.
    unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize;

    /// Turns every later put away. Once it returns, gets drain the queue and then say so.
    fn close(&self);
    /// Whether [`Queue::close`] took effect.
    fn is_closed(&self) -> bool;
    /// How many items fit.
    fn capacity(&self) -> usize;
    /// How many are in it; a snapshot, never above the capacity.
    fn len(&self) -> usize;
    /// Whether there is nothing to get; a snapshot.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether every place is taken; a snapshot.
    fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }
    /// Where the positions stand.
    fn counts(&self) -> Counts;
    /// Whether a drop callback has panicked since the last question.
    fn take_panic(&self) -> bool;
    /// Whether the put that was just done is one that a getter sleeps for.
    #[inline(always)]
    fn is_awaited(&self) -> bool {
        true
    }
}

/// What became of an attempt at the usual case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fast {
    /// Done.
    Done,
    /// Nothing was done: it is not the usual case, or another thread was faster.
    Slow,
    /// Put, but [`Fifo::finish_put`] has to tell whether the queue takes it.
    Published,
}

/// How far a call on many items came, and why no further.
pub type Progress = (usize, Result);

/// First in, first out.
///
/// Items move bitwise: a put copies `*item` into the queue, a get copies it to `*out`.
///
/// # Safety
/// As for [`Queue`].
pub unsafe trait Fifo: Queue {
    /// What a put reads: a `T`, or the bytes of a blob.
    type Item: ?Sized;
    /// Where a get writes.
    type Out: ?Sized;

    /// Puts a bitwise copy of the item; [`Full`](crate::Error::Full) and
    /// [`Closed`](crate::Error::Closed) leave it the caller's.
    ///
    /// # Safety
    /// After `Ok` the caller must forget `item`. The queue's rule about who may put at once holds.
    unsafe fn try_put(&self, item: &Self::Item) -> Result;

    /// Takes the front item; [`Empty`](crate::Error::Empty), [`Closed`](crate::Error::Closed) (and
    /// drained) or [`TooSmall`](crate::Error::TooSmall), which leaves it there.
    ///
    /// # Safety
    /// The queue's rule about who may get at once holds.
    unsafe fn try_get(&self, out: &mut Self::Out) -> Result;

    /// [`Fifo::try_put`] in the usual case, in as few instructions as it takes: a call that gets on
    /// with it keeps nothing across calls of others, and so saves no registers.
    ///
    /// # Safety
    /// As [`Fifo::try_put`], unless the answer is `NotYet`.
    #[inline(always)]
    unsafe fn put_fast(&self, _item: &Self::Item) -> Fast {
        Fast::Slow
    }

    /// [`Fifo::try_get`] in the usual case.
    ///
    /// # Safety
    /// As [`Fifo::try_get`].
    #[inline(always)]
    unsafe fn get_fast(&self, _out: &mut Self::Out) -> Fast {
        Fast::Slow
    }

    /// Ends a put that was left unsettled.
    fn finish_put(&self) -> Result {
        Ok(())
    }
}

/// Calls on many items, which lie one after the other in memory.
///
/// # Safety
/// As for [`Queue`].
pub unsafe trait Many: Fifo<Item: Sized, Out: Sized> {
    /// Puts `count` items one after the other until one is refused: how many, and why no more.
    ///
    /// # Safety
    /// As [`Fifo::try_put`], for every item that the answer counts; there are `count` at `items`.
    #[inline(always)]
    unsafe fn try_put_many(&self, items: *const Self::Item, count: usize) -> Progress {
        for i in 0..count {
            // SAFETY: the same contract.
            let put = unsafe {
                let item = &*items.add(i);
                match self.put_fast(item) {
                    Fast::Done => Ok(()),
                    Fast::Slow => self.try_put(item),
                    Fast::Published => self.finish_put(),
                }
            };
            if let Err(why) = put {
                return (i, Err(why));
            }
        }
        (count, Ok(()))
    }

    /// Takes what is there, up to `count` items, of which there is at least one: how many, or why
    /// none.
    ///
    /// # Safety
    /// As [`Fifo::try_get`]; there are so many places at `places` as there may be items, or `count`.
    #[inline(always)]
    unsafe fn try_get_many(&self, places: *mut Self::Out, count: usize) -> Result<usize> {
        let get = |i| {
            // SAFETY: the same contract.
            let place = unsafe { &mut *places.add(i) };
            // SAFETY: the same contract.
            match unsafe { self.get_fast(place) } {
                Fast::Done => Ok(()),
                // SAFETY: the same contract.
                _ => unsafe { self.try_get(place) },
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

/// A queue that shows its front item.
///
/// # Safety
/// As for [`Queue`]; a copy is shown only if it is whole.
pub unsafe trait Peek: Fifo {
    /// Copies the front item and leaves it there, with the answers of [`Fifo::try_get`].
    ///
    /// # Safety
    /// As for `try_get`; and the copy must not be used as a second owner of what it refers to.
    unsafe fn peek(&self, out: &mut Self::Out) -> Result;
}
