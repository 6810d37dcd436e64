use super::iter::{Iter, Source, TryIter, WaitingSource};
use super::{
    PutError, borrow_fd, get_many, get_many_async, give, give_async, known, put_many,
    put_many_async, show, take,
};
use crate::error::Result;
use crate::payload::Typed;
use crate::queue::{Get, Queue, mpmc::Indirect};
use crate::stats::Stats;
use crate::wait::{Blocking, Polled, READABLE, WRITABLE, Wait};
use core::fmt;
use std::os::fd::BorrowedFd;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A bounded queue for any number of threads at both ends: first in, first out.
///
/// There is no `peek`: another thread could take and drop the front item while the caller reads it.
///
/// ```
/// use queues::{Error, Mpmc, Wait};
///
/// let queue = Mpmc::with_capacity(2)?;
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         for i in 0..10 {
///             queue.put(i, Wait::Forever).unwrap();
///         }
///         queue.close();
///     });
///     for i in 0..10 {
///         assert_eq!(queue.get(Wait::Forever), Ok(i));
///     }
///     assert_eq!(queue.get(Wait::Forever), Err(Error::Closed));
/// });
/// # Ok::<(), Error>(())
/// ```
///
/// Items go to other threads, so they are [`Send`]:
/// ```compile_fail,E0277
/// let queue = queues::Mpmc::<std::rc::Rc<u8>>::with_capacity(1);
/// ```
pub struct Mpmc<T: Send>(Blocking<Indirect<Typed<T>>>);

impl<T: Send> Mpmc<T> {
    /// Creates an empty queue of exactly this capacity.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a capacity of 0 or one that overflows,
    /// [`Error::NoMemory`](crate::Error::NoMemory).
    pub fn with_capacity(capacity: usize) -> Result<Self> {
        Indirect::try_new(capacity, Typed::new()).map(|queue| Self(Blocking::new(queue)))
    }

    /// Puts without waiting; lock-free.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full), [`Error::Closed`](crate::Error::Closed).
    pub fn try_put(&self, item: T) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; any thread may put.
        give(item, |item| unsafe { self.0.try_put(item, ()) })
    }

    /// Puts, waiting for room.
    ///
    /// # Errors
    /// As [`Mpmc::try_put`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn put(&self, item: T, wait: Wait) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; any thread may put.
        give(item, |item| unsafe { self.0.put(item, (), wait) })
    }

    /// [`Mpmc::put`] as a future, without a limit of time: see [Futures](crate::typed#futures).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    ///
    /// ```
    /// # fn run(future: impl Future<Output = queues::Result>) {
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     assert!(std::pin::pin!(future).poll(&mut context).is_ready());
    /// # }
    /// let queue = queues::Mpmc::with_capacity(2)?;
    /// # run(async {
    /// queue.put_async("hello").await.unwrap();
    /// assert_eq!(queue.get_async().await, Ok("hello"));
    /// # Ok(())
    /// # });
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub async fn put_async(&self, item: T) -> core::result::Result<(), PutError<T>> {
        // SAFETY: any thread may put.
        unsafe { give_async(&self.0, item, ()) }.await
    }

    /// Puts all `items` one by one, waiting for room; `wait` limits the whole call.
    ///
    /// After `Ok` the vector is empty. After an error it holds the items that were not put, in their
    /// order. Items of other threads may come between them.
    ///
    /// # Errors
    /// As [`Mpmc::put`].
    ///
    /// ```
    /// use queues::{Error, Mpmc, Wait};
    ///
    /// let queue = Mpmc::with_capacity(2)?;
    /// let mut items = vec!["a", "b", "c"];
    /// assert_eq!(queue.put_many(&mut items, Wait::No), Err(Error::Full));
    /// assert_eq!(items, ["c"], "what is left");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn put_many(&self, items: &mut Vec<T>, wait: Wait) -> Result {
        // SAFETY: any thread may put.
        unsafe { put_many(&self.0, items, wait) }
    }

    /// [`Mpmc::put_many`] as a future, without a limit of time: see
    /// [Futures](crate::typed#futures). If the future is dropped, the vector holds the items that
    /// were not put.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    pub async fn put_many_async(&self, items: &mut Vec<T>) -> Result {
        // SAFETY: any thread may put.
        unsafe { put_many_async(&self.0, items) }.await
    }

    /// Gets without waiting; lock-free.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty), [`Error::Closed`](crate::Error::Closed) (and drained).
    pub fn try_get(&self) -> Result<T> {
        // SAFETY: any thread may get.
        take(|place| unsafe { self.0.try_get(place) })
    }

    /// Gets, waiting for an item.
    ///
    /// # Errors
    /// As [`Mpmc::try_get`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn get(&self, wait: Wait) -> Result<T> {
        // SAFETY: any thread may get.
        take(|place| unsafe { self.0.get(place, wait) })
    }

    /// [`Mpmc::get`] as a future, without a limit of time: see [Futures](crate::typed#futures).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed) (and drained).
    pub async fn get_async(&self) -> Result<T> {
        // SAFETY: any thread may get.
        let get = || take(|place| unsafe { self.0.queue().try_get(place) });
        self.0.get_by_async(get).await
    }

    /// Waits for a first item, then takes the items that are there, up to `max`, to the end of `out`.
    /// Returns their number: 0 only if `max` is 0.
    ///
    /// Reserves room in `out` for `max` items, or for the capacity if that is less.
    ///
    /// # Errors
    /// As [`Mpmc::get`]; then `out` is unchanged.
    ///
    /// ```
    /// use queues::{Error, Mpmc, Wait};
    ///
    /// let queue = Mpmc::with_capacity(3)?;
    /// queue.put_many(&mut vec![1, 2, 3], Wait::No)?;
    /// let mut items = vec![0];
    /// assert_eq!(queue.get_many(&mut items, 2, Wait::Forever), Ok(2));
    /// assert_eq!(queue.get_many(&mut items, usize::MAX, Wait::Forever), Ok(1));
    /// assert_eq!(items, [0, 1, 2, 3]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn get_many(&self, out: &mut Vec<T>, max: usize, wait: Wait) -> Result<usize> {
        // SAFETY: any thread may get.
        unsafe { get_many(&self.0, out, max, wait) }
    }

    /// [`Mpmc::get_many`] as a future, without a limit of time: see
    /// [Futures](crate::typed#futures).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed) (and drained); then `out` is unchanged.
    pub async fn get_many_async(&self, out: &mut Vec<T>, max: usize) -> Result<usize> {
        // SAFETY: any thread may get.
        unsafe { get_many_async(&self.0, out, max) }.await
    }

    /// Returns an iterator that waits for each item, and ends when the queue is closed and drained.
    ///
    /// ```
    /// # use queues::{Mpmc, Wait};
    /// let queue = Mpmc::with_capacity(2)?;
    /// let sum: u32 = std::thread::scope(|scope| {
    ///     let consumer = scope.spawn(|| queue.iter().sum());
    ///     (1..=10).for_each(|i| queue.put(i, Wait::Forever).unwrap());
    ///     queue.close();
    ///     consumer.join().unwrap()
    /// });
    /// assert_eq!(sum, 55);
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn iter(&self) -> Iter<&Self> {
        Iter(self)
    }

    /// Returns an iterator that does not wait, and ends when the queue is empty.
    ///
    /// ```
    /// let queue = queues::Mpmc::with_capacity(2)?;
    /// queue.try_put(1).unwrap();
    /// assert_eq!(queue.try_iter().collect::<Vec<_>>(), [1]);
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
    ///
    /// ```
    /// use std::os::fd::AsRawFd;
    ///
    /// let queue = queues::Mpmc::with_capacity(2)?;
    /// let mut poll =
    ///     libc::pollfd { fd: queue.readable_fd()?.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    /// let mut ready = || unsafe { libc::poll(&mut poll, 1, 0) };
    /// assert_eq!(ready(), 0);
    /// queue.try_put(1).unwrap();
    /// assert_eq!(ready(), 1);
    /// assert_eq!((queue.try_get(), queue.try_get()), (Ok(1), Err(queues::Error::Empty)));
    /// assert_eq!(ready(), 0);
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn readable_fd(&self) -> Result<BorrowedFd<'_>> {
        borrow_fd(self, self.0.readable_fd())
    }

    /// Returns a descriptor that is readable while there is room or the queue is closed. A call
    /// that returns [`Error::Full`](crate::Error::Full) has made it unreadable. Otherwise as
    /// [`Mpmc::readable_fd`].
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

impl<T: Send> fmt::Debug for Mpmc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Mpmc", self.0.queue())
    }
}

impl<T: Send> UnwindSafe for Mpmc<T> {}
impl<T: Send> RefUnwindSafe for Mpmc<T> {}

impl<T: Send> Source for &Mpmc<T> {
    type Item = T;
    fn try_take_next(&mut self) -> Result<T> {
        self.try_get()
    }
}

impl<T: Send> WaitingSource for &Mpmc<T> {
    fn take_next(&mut self) -> Result<T> {
        self.get(Wait::Forever)
    }
}

impl<T: Send> Source for Mpmc<T> {
    type Item = T;
    fn try_take_next(&mut self) -> Result<T> {
        self.try_get()
    }
}

/// [`Mpmc::iter`].
impl<'a, T: Send> IntoIterator for &'a Mpmc<T> {
    type Item = T;
    type IntoIter = Iter<&'a Mpmc<T>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Iterates over what is left. Does not wait, since no thread can put any more.
///
/// ```
/// let queue = queues::Mpmc::with_capacity(2)?;
/// queue.try_put("left").unwrap();
/// assert_eq!(queue.into_iter().collect::<Vec<_>>(), ["left"]);
/// # Ok::<(), queues::Error>(())
/// ```
impl<T: Send> IntoIterator for Mpmc<T> {
    type Item = T;
    type IntoIter = TryIter<Mpmc<T>>;
    fn into_iter(self) -> Self::IntoIter {
        TryIter(self)
    }
}
