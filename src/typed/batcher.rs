use super::iter::{Iter, Source, TryIter, WaitingSource};
use super::{PutError, give, show};
use crate::error::Result;
use crate::payload::Typed;
use crate::queue::Queue;
use crate::queue::batch::{Batch, Limits, ToVec};
use crate::stats::Stats;
use crate::wait::{Blocking, Wait, Wanted};
use core::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A bounded queue whose items are taken in batches, for any number of threads at both ends.
///
/// ```
/// use queues::{Batcher, Error, Limits, Wait};
/// use std::time::Duration;
///
/// let limits = Limits { size: 3, age: Some(Duration::from_millis(1)), weight: None };
/// let queue = Batcher::new(100, limits)?;
/// (1..=4).for_each(|item| queue.try_put(item).unwrap());
/// assert_eq!(queue.get_batch(Wait::Forever), Ok(vec![1, 2, 3]));
/// assert_eq!(queue.get_batch(Wait::Forever), Ok(vec![4]), "after a millisecond");
/// queue.close();
/// assert_eq!(queue.get_batch(Wait::Forever), Err(Error::Closed));
/// # Ok::<(), Error>(())
/// ```
pub struct Batcher<T: Send>(Blocking<Batch<Typed<T>>>);

impl<T: Send> Batcher<T> {
    /// Creates an empty queue for up to `max_pending` items.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) if a limit is 0, a batch would not fit, or sizes or
    /// weights could overflow; [`Error::NoMemory`](crate::Error::NoMemory).
    pub fn new(max_pending: usize, limits: Limits) -> Result<Self> {
        Batch::try_new(max_pending, limits, Typed::new()).map(|queue| Self(Blocking::new(queue)))
    }

    /// Puts an item of weight 1 without waiting; lock-free.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full), [`Error::Closed`](crate::Error::Closed).
    pub fn try_put(&self, item: T) -> core::result::Result<(), PutError<T>> {
        self.put(item, Wait::No)
    }

    /// Puts an item of weight 1, waiting for room.
    ///
    /// # Errors
    /// As [`Batcher::try_put`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn put(&self, item: T, wait: Wait) -> core::result::Result<(), PutError<T>> {
        self.put_weighted(item, 1, wait)
    }

    /// Puts an item of this weight, waiting for room.
    ///
    /// # Errors
    /// As [`Batcher::put`].
    pub fn put_weighted(
        &self,
        item: T,
        weight: u64,
        wait: Wait,
    ) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; any thread may put.
        give(item, |item| unsafe { self.0.put(item, weight, wait) })
    }

    /// Takes the next batch that is due, waiting for one. When `wait` is over, takes what is pending,
    /// due or not.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty) ([`Wait::No`]),
    /// [`Error::Timeout`](crate::Error::Timeout), [`Error::Closed`](crate::Error::Closed) (and
    /// drained).
    pub fn get_batch(&self, wait: Wait) -> Result<Vec<T>> {
        self.batch(Wanted::Within(wait))
    }

    /// Takes a batch if one is due. Does not wait.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty) if none is due; [`Error::Closed`](crate::Error::Closed)
    /// (and drained).
    pub fn get_due(&self) -> Result<Vec<T>> {
        self.batch(Wanted::Due)
    }

    fn batch(&self, wanted: Wanted) -> Result<Vec<T>> {
        let mut values = Vec::new();
        self.0.get_batch(ToVec::new(&mut values, self.0.queue().size()), wanted)?;
        Ok(values)
    }

    /// Returns an iterator that waits until each batch is due, and ends when the queue is closed and
    /// drained.
    ///
    /// ```
    /// use queues::{Batcher, Limits};
    ///
    /// let queue = Batcher::new(9, Limits { size: 2, age: None, weight: None })?;
    /// (1..=3).for_each(|item| queue.try_put(item).unwrap());
    /// queue.close();
    /// assert_eq!(queue.iter().collect::<Vec<_>>(), [vec![1, 2], vec![3]]);
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn iter(&self) -> Iter<&Self> {
        Iter(self)
    }

    /// Returns an iterator over the batches that are due. It does not wait: see [`Batcher::get_due`].
    ///
    /// ```
    /// use queues::{Batcher, Limits};
    ///
    /// let queue = Batcher::new(9, Limits { size: 2, age: None, weight: None })?;
    /// (1..=3).for_each(|item| queue.try_put(item).unwrap());
    /// assert_eq!(queue.try_iter().collect::<Vec<_>>(), [[1, 2]]);
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn try_iter(&self) -> TryIter<&Self> {
        TryIter(self)
    }

    /// Makes everything that is pending due.
    pub fn flush(&self) {
        self.0.flush();
    }

    /// Makes later puts fail, makes everything that is pending due, and wakes all waiters.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether the queue is closed.
    pub fn is_closed(&self) -> bool {
        self.0.queue().is_closed()
    }

    /// Drops every item that was in the queue when the call began; returns their number.
    ///
    /// # Panics
    /// If the drop of an item panics. All items are dropped; then the first panic is resumed.
    pub fn clear(&self) -> usize {
        // SAFETY: any thread may clear.
        self.0.queue().payload().resume_after(|| unsafe { self.0.clear() })
    }

    /// The number of items; a snapshot.
    pub fn len(&self) -> usize {
        self.0.queue().len()
    }

    /// Whether the queue has no items; a snapshot.
    pub fn is_empty(&self) -> bool {
        self.0.queue().is_empty()
    }

    /// Whether the queue is full; a snapshot.
    pub fn is_full(&self) -> bool {
        self.0.queue().is_full()
    }

    /// The number of items that fit.
    pub fn capacity(&self) -> usize {
        self.0.queue().capacity()
    }

    /// [`Batcher::len`] under the name of the C function.
    pub fn pending_count(&self) -> usize {
        self.len()
    }

    /// [`Batcher::capacity`] under the name of the C option.
    pub fn max_pending(&self) -> usize {
        self.capacity()
    }

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

impl<T: Send> fmt::Debug for Batcher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Batcher", self.0.queue())
    }
}

impl<T: Send> UnwindSafe for Batcher<T> {}
impl<T: Send> RefUnwindSafe for Batcher<T> {}

impl<T: Send> Source for &Batcher<T> {
    type Item = Vec<T>;
    fn try_take_next(&mut self) -> Result<Vec<T>> {
        self.get_due()
    }
}

impl<T: Send> WaitingSource for &Batcher<T> {
    fn take_next(&mut self) -> Result<Vec<T>> {
        self.get_batch(Wait::Forever)
    }
}

impl<T: Send> Source for Batcher<T> {
    type Item = Vec<T>;
    fn try_take_next(&mut self) -> Result<Vec<T>> {
        self.get_batch(Wait::No)
    }
}

/// [`Batcher::iter`].
impl<'a, T: Send> IntoIterator for &'a Batcher<T> {
    type Item = Vec<T>;
    type IntoIter = Iter<&'a Batcher<T>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterates over what is left, in batches, due or not. Does not wait, since no thread can put any more.
impl<T: Send> IntoIterator for Batcher<T> {
    type Item = Vec<T>;
    type IntoIter = TryIter<Batcher<T>>;
    fn into_iter(self) -> Self::IntoIter {
        TryIter(self)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Pushing the values one by one would allocate for 4 and for 8.
    #[test]
    fn the_vector_of_a_batch_is_allocated_once() {
        let queue = Batcher::new(32, Limits::default()).unwrap();
        (1..=5).for_each(|item| queue.try_put(item).unwrap());
        let batch = queue.get_batch(Wait::No).unwrap();
        assert_eq!(batch, [1, 2, 3, 4, 5]);
        assert!(batch.capacity() < 8, "room for {} values", batch.capacity());
    }
}
