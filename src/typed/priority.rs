use super::iter::{Iter, Source, TryIter, WaitingSource};
use super::{PutError, borrow_fd, give, give_async, known, show, take_with};
use crate::error::Result;
use crate::payload::Typed;
use crate::queue::{Get, Queue, priority as core_priority};
use crate::stats::Stats;
use crate::wait::{Blocking, Polled, READABLE, WRITABLE, Wait};
use core::fmt;
use std::os::fd::BorrowedFd;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A bounded queue for any number of threads at both ends: the lowest priority first; first in, first
/// out among equal ones. Calls hold a short lock; see [`queue::priority`](crate::queue::priority).
///
/// A priority is any number except NaN, which is [`Error::Invalid`](crate::Error::Invalid); -0.0
/// equals 0.0.
///
/// ```
/// use queues::{Error, Priority};
///
/// let queue = Priority::with_capacity(3)?;
/// queue.try_put("later", 2.5).unwrap();
/// queue.try_put("soon", 1.0).unwrap();
/// queue.try_put("soon, too", 1.0).unwrap();
/// assert_eq!(queue.try_put("never", 0.0).unwrap_err().error, Error::Full);
/// assert_eq!(queue.try_get(), Ok(("soon", 1.0)));
/// assert_eq!(queue.try_get(), Ok(("soon, too", 1.0)));
/// assert_eq!(queue.try_get(), Ok(("later", 2.5)));
/// # Ok::<(), Error>(())
/// ```
pub struct Priority<T: Send>(Blocking<core_priority::Priority<Typed<T>>>);

impl<T: Send> Priority<T> {
    /// Creates an empty queue of exactly this capacity.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a capacity of 0 or one that overflows,
    /// [`Error::NoMemory`](crate::Error::NoMemory).
    pub fn with_capacity(capacity: usize) -> Result<Self> {
        let queue = core_priority::Priority::try_new(capacity, Typed::new())?;
        Ok(Self(Blocking::new(queue)))
    }

    /// Puts without waiting for room.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full), [`Error::Closed`](crate::Error::Closed),
    /// [`Error::Invalid`](crate::Error::Invalid) for NaN.
    pub fn try_put(&self, item: T, priority: f64) -> core::result::Result<(), PutError<T>> {
        self.put(item, priority, Wait::No)
    }

    /// Puts, waiting for room.
    ///
    /// # Errors
    /// As [`Priority::try_put`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn put(&self, item: T, priority: f64, wait: Wait) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; any thread may put.
        give(item, |item| unsafe { self.0.put(item, priority, wait) })
    }

    /// [`Priority::put`] as a future, without a limit of time: see [Futures](crate::typed#futures).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed), [`Error::Invalid`](crate::Error::Invalid) for NaN.
    pub async fn put_async(&self, item: T, priority: f64) -> core::result::Result<(), PutError<T>> {
        // SAFETY: any thread may put.
        unsafe { give_async(&self.0, item, priority) }.await
    }

    /// Gets the item in front and its priority, without waiting for one.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty), [`Error::Closed`](crate::Error::Closed) (and drained).
    pub fn try_get(&self) -> Result<(T, f64)> {
        self.get(Wait::No)
    }

    /// Gets the item in front and its priority, waiting for one.
    ///
    /// # Errors
    /// As [`Priority::try_get`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn get(&self, wait: Wait) -> Result<(T, f64)> {
        // SAFETY: any thread may get.
        take_with(|place| unsafe { self.0.get(place, wait) })
    }

    /// [`Priority::get`] as a future, without a limit of time: see [Futures](crate::typed#futures).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed) (and drained).
    pub async fn get_async(&self) -> Result<(T, f64)> {
        // SAFETY: any thread may get.
        let get = || take_with(|place| unsafe { self.0.queue().try_get(place) });
        self.0.get_by_async(get).await
    }

    /// Returns the priority of the item in front, and leaves the item there. Another thread may take it
    /// at any moment. Does not wait for an item; a failure does not count in the statistics.
    ///
    /// # Errors
    /// As [`Priority::try_get`].
    ///
    /// ```
    /// use queues::{Error, Priority};
    ///
    /// let queue = Priority::with_capacity(2)?;
    /// assert_eq!(queue.peek_priority(), Err(Error::Empty));
    /// queue.try_put("later", 2.5).unwrap();
    /// queue.try_put("soon", 1.0).unwrap();
    /// assert_eq!((queue.peek_priority(), queue.len()), (Ok(1.0), 2));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn peek_priority(&self) -> Result<f64> {
        self.0.queue().front_priority()
    }

    /// Returns a copy of the item in front and its priority, and leaves the item there. Another thread
    /// may take it at any moment. Does not wait for an item; a failure does not count in the statistics.
    ///
    /// The copy is made under the queue's lock, where no code of the program may run. So the type must
    /// be [`Copy`]; for other types there is [`Priority::peek_priority`].
    ///
    /// # Errors
    /// As [`Priority::try_get`].
    ///
    /// ```
    /// use queues::{Error, Priority};
    ///
    /// let queue = Priority::with_capacity(2)?;
    /// assert_eq!(queue.peek(), Err(Error::Empty));
    /// queue.try_put("later", 2.5).unwrap();
    /// queue.try_put("soon", 1.0).unwrap();
    /// assert_eq!((queue.peek(), queue.len()), (Ok(("soon", 1.0)), 2));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn peek(&self) -> Result<(T, f64)>
    where
        T: Copy,
    {
        // SAFETY: a second copy of a T: Copy is no second owner.
        take_with(|place| unsafe { self.0.queue().peek_locked(place) })
    }

    /// Returns an iterator over items and their priorities. It waits for each, and ends when the queue
    /// is closed and drained.
    ///
    /// ```
    /// let queue = queues::Priority::with_capacity(2)?;
    /// queue.try_put("later", 2.5).unwrap();
    /// queue.try_put("soon", 1.0).unwrap();
    /// queue.close();
    /// assert_eq!(queue.iter().collect::<Vec<_>>(), [("soon", 1.0), ("later", 2.5)]);
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn iter(&self) -> Iter<&Self> {
        Iter(self)
    }

    /// Returns an iterator over items and their priorities. It does not wait, and ends when the queue
    /// is empty.
    ///
    /// ```
    /// let queue = queues::Priority::with_capacity(2)?;
    /// queue.try_put("soon", 1.0).unwrap();
    /// assert_eq!(queue.try_iter().collect::<Vec<_>>(), [("soon", 1.0)]);
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn try_iter(&self) -> TryIter<&Self> {
        TryIter(self)
    }

    /// Returns a descriptor for poll, epoll and event loops. It is readable while there is an item
    /// or the queue is closed. The queue owns the descriptor and closes it. Do not read it. All
    /// calls return the same descriptor. The first call allocates; any thread may call.
    ///
    /// A call that returns [`Error::Empty`](crate::Error::Empty) has made the descriptor
    /// unreadable: no other call is needed. The queue makes system calls when the descriptor
    /// becomes readable or unreadable, and none for an item while it is readable.
    ///
    /// # Errors
    /// [`Error::NoMemory`](crate::Error::NoMemory) if no descriptor or memory is left.
    pub fn readable_fd(&self) -> Result<BorrowedFd<'_>> {
        borrow_fd(self, self.0.readable_fd())
    }

    /// Returns a descriptor that is readable while there is room or the queue is closed. A call
    /// that returns [`Error::Full`](crate::Error::Full) has made it unreadable. Otherwise as
    /// [`Priority::readable_fd`].
    ///
    /// # Errors
    /// [`Error::NoMemory`](crate::Error::NoMemory) if no descriptor or memory is left.
    pub fn writable_fd(&self) -> Result<BorrowedFd<'_>> {
        borrow_fd(self, self.0.writable_fd())
    }

    /// The queue for a [`poll()`](crate::poll) that waits until there is an item or the queue is
    /// closed.
    pub fn readable(&self) -> Polled<'_> {
        known(self.0.polled(READABLE))
    }

    /// The queue for a [`poll()`](crate::poll) that waits until there is room or the queue is
    /// closed.
    pub fn writable(&self) -> Polled<'_> {
        known(self.0.polled(WRITABLE))
    }

    /// Makes later puts fail and wakes all waiters. Items in the queue can still be got.
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

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

impl<T: Send> fmt::Debug for Priority<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Priority", self.0.queue())
    }
}

impl<T: Send> UnwindSafe for Priority<T> {}
impl<T: Send> RefUnwindSafe for Priority<T> {}

impl<T: Send> Source for &Priority<T> {
    type Item = (T, f64);
    fn try_take_next(&mut self) -> Result<(T, f64)> {
        self.try_get()
    }
}

impl<T: Send> WaitingSource for &Priority<T> {
    fn take_next(&mut self) -> Result<(T, f64)> {
        self.get(Wait::Forever)
    }
}

impl<T: Send> Source for Priority<T> {
    type Item = (T, f64);
    fn try_take_next(&mut self) -> Result<(T, f64)> {
        self.try_get()
    }
}

/// [`Priority::iter`].
impl<'a, T: Send> IntoIterator for &'a Priority<T> {
    type Item = (T, f64);
    type IntoIter = Iter<&'a Priority<T>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterates over what is left, by priority. Does not wait, since no thread can put any more.
impl<T: Send> IntoIterator for Priority<T> {
    type Item = (T, f64);
    type IntoIter = TryIter<Priority<T>>;
    fn into_iter(self) -> Self::IntoIter {
        TryIter(self)
    }
}
