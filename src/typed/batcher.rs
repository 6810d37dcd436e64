use super::iter::{Iter, Source, TryIter, WaitingSource};
use super::{PutError, borrow_fd, give, give_async, known, show};
use crate::error::Result;
use crate::payload::Typed;
use crate::queue::Queue;
use crate::queue::batch::{Batch, Limits, ToVec};
use crate::stats::Stats;
use crate::wait::{Blocking, Polled, READABLE, WRITABLE, Wait, Wanted};
use core::fmt;
use core::time::Duration;
use std::os::fd::BorrowedFd;
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

    /// [`Batcher::put`] as a future, without a limit of time: see [Futures](crate::typed#futures).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    pub async fn put_async(&self, item: T) -> core::result::Result<(), PutError<T>> {
        self.put_weighted_async(item, 1).await
    }

    /// [`Batcher::put_weighted`] as a future, without a limit of time: see
    /// [Futures](crate::typed#futures).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    pub async fn put_weighted_async(
        &self,
        item: T,
        weight: u64,
    ) -> core::result::Result<(), PutError<T>> {
        // SAFETY: any thread may put.
        unsafe { give_async(&self.0, item, weight) }.await
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

    /// Takes the next batch that is due, waiting as a future: see [Futures](crate::typed#futures).
    ///
    /// Only the executor has timers, so the caller passes them: `sleep` returns a future that ends
    /// after a time, as `tokio::time::sleep` does. The call of `sleep` comes when items are pending
    /// that will be due by their age, and never without [`Limits::age`]. A timer that ends too
    /// early costs another check. A timer that ends too late delays the batch, unless another
    /// reason makes it due.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed) (and drained).
    ///
    /// ```
    /// # fn run(future: impl Future<Output = queues::Result>) {
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     assert!(std::pin::pin!(future).poll(&mut context).is_ready());
    /// # }
    /// # mod tokio { pub mod time { pub use std::future::ready as sleep; } }
    /// use queues::{Batcher, Limits};
    /// use std::time::Duration;
    ///
    /// let age = Some(Duration::from_millis(1));
    /// let queue = Batcher::new(9, Limits { size: 3, age, weight: None })?;
    /// # run(async {
    /// queue.put_async(1).await.unwrap();
    /// queue.put_async(2).await.unwrap();
    /// let batch = queue.get_batch_async(tokio::time::sleep).await;
    /// assert_eq!(batch, Ok(vec![1, 2]), "after a millisecond");
    /// # Ok(())
    /// # });
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub async fn get_batch_async<S: Future>(
        &self,
        sleep: impl FnMut(Duration) -> S,
    ) -> Result<Vec<T>> {
        let mut values = Vec::new();
        let to = ToVec::new(&mut values, self.0.queue().size());
        self.0.get_batch_async(to, sleep).await?;
        Ok(values)
    }

    /// The time until a batch is due by its age; zero if a batch is due or the queue is closed.
    /// `None` if nothing is pending or batches have no age: then only another call makes a batch
    /// due. For programs with a timer of their own. Takes a short lock.
    ///
    /// ```
    /// use queues::{Batcher, Limits};
    /// use std::time::Duration;
    ///
    /// let age = Duration::from_secs(60);
    /// let queue = Batcher::new(9, Limits { size: 2, age: Some(age), weight: None })?;
    /// assert_eq!(queue.next_due(), None);
    /// queue.try_put(1).unwrap();
    /// assert!(queue.next_due().is_some_and(|left| Duration::ZERO < left && left <= age));
    /// queue.try_put(2).unwrap();
    /// assert_eq!(queue.next_due(), Some(Duration::ZERO));
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn next_due(&self) -> Option<Duration> {
        self.0.next_due().map(Duration::from_nanos)
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

    /// Returns a descriptor for poll, epoll and event loops. It is readable while a batch is due or
    /// the queue is closed. The queue owns the descriptor and closes it. Do not read it. All calls
    /// return the same descriptor. The first call allocates; any thread may call.
    ///
    /// A call that returns [`Error::Empty`](crate::Error::Empty) has made the descriptor unreadable
    /// until a batch is due, also by its age: no other call is needed. The queue makes system calls
    /// when the descriptor becomes readable or unreadable and when its timer is set, and none for
    /// an item while it is readable.
    ///
    /// # Errors
    /// [`Error::NoMemory`](crate::Error::NoMemory) if no descriptor or memory is left;
    /// [`Error::Invalid`](crate::Error::Invalid) on systems without timer descriptors (all but
    /// Linux): there, a program waits for the time that [`Batcher::next_due`] returns.
    pub fn readable_fd(&self) -> Result<BorrowedFd<'_>> {
        borrow_fd(self, self.0.readable_fd())
    }

    /// Returns a descriptor that is readable while there is room or the queue is closed. A call
    /// that returns [`Error::Full`](crate::Error::Full) has made it unreadable. Otherwise as
    /// [`Batcher::readable_fd`].
    ///
    /// # Errors
    /// [`Error::NoMemory`](crate::Error::NoMemory) if no descriptor or memory is left.
    pub fn writable_fd(&self) -> Result<BorrowedFd<'_>> {
        borrow_fd(self, self.0.writable_fd())
    }

    /// The queue for a [`poll()`](crate::poll) that waits until a batch is due or the queue is
    /// closed.
    pub fn readable(&self) -> Polled<'_> {
        known(self.0.polled(READABLE))
    }

    /// The queue for a [`poll()`](crate::poll) that waits until there is room or the queue is
    /// closed.
    pub fn writable(&self) -> Polled<'_> {
        known(self.0.polled(WRITABLE))
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
