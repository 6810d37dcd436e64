use super::iter::{Iter, Source, TryIter, WaitingSource};
use super::{
    PutError, borrow_fd, get_many, get_many_async, give, give_async, known, put_many,
    put_many_async, show, take,
};
use crate::error::Result;
use crate::payload::Typed;
use crate::queue::{Get, Queue, spsc::Spsc};
use crate::stats::Stats;
use crate::wait::{Blocking, Polled, READABLE, WRITABLE, Wait};
use core::fmt;
use std::os::fd::BorrowedFd;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

type Shared<T> = Blocking<Spsc<Typed<T>>>;

/// The producer of a [`spsc`] queue. Dropping it closes the queue.
pub struct Producer<T: Send>(Arc<Shared<T>>);

/// The consumer of a [`spsc`] queue. Dropping it closes the queue.
pub struct Consumer<T: Send>(Arc<Shared<T>>);

/// Creates a bounded queue from one thread to another, of exactly this capacity: first in, first out.
///
/// Dropping the second of its two ends drops the items that are left.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) for a capacity of 0 or one that overflows,
/// [`Error::NoMemory`](crate::Error::NoMemory).
///
/// ```
/// use queues::Wait;
///
/// let (mut producer, mut consumer) = queues::spsc(8)?;
/// std::thread::spawn(move || producer.put("hello", Wait::Forever));
/// assert_eq!(consumer.get(Wait::Forever), Ok("hello"));
/// # Ok::<(), queues::Error>(())
/// ```
pub fn spsc<T: Send>(capacity: usize) -> Result<(Producer<T>, Consumer<T>)> {
    let queue = Arc::new(Blocking::new(Spsc::try_new(capacity, Typed::new())?));
    Ok((Producer(queue.clone()), Consumer(queue)))
}

impl<T: Send> Producer<T> {
    /// Puts without waiting; wait-free.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full), [`Error::Closed`](crate::Error::Closed).
    pub fn try_put(&mut self, item: T) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; `&mut self` is the only producer.
        give(item, |item| unsafe { self.0.try_put(item, ()) })
    }

    /// Puts, waiting for room.
    ///
    /// # Errors
    /// As [`Producer::try_put`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn put(&mut self, item: T, wait: Wait) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; `&mut self` is the only producer.
        give(item, |item| unsafe { self.0.put(item, (), wait) })
    }

    /// [`Producer::put`] as a future, without a limit of time: see [Futures](crate::typed#futures).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    ///
    /// While the future lives, the producer can make no other call:
    /// ```compile_fail,E0499
    /// let (mut producer, _consumer) = queues::spsc(2).unwrap();
    /// let first = producer.put_async(1);
    /// let second = producer.put_async(2);
    /// drop(first);
    /// ```
    pub async fn put_async(&mut self, item: T) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `&mut self` is the only producer.
        unsafe { give_async(&self.0, item, ()) }.await
    }

    /// Puts all `items` in order, waiting for room; `wait` limits the whole call. Items for which there
    /// is room are published together, by one store or two.
    ///
    /// After `Ok` the vector is empty. After an error it holds the items that were not put, in their
    /// order.
    ///
    /// # Errors
    /// As [`Producer::put`].
    ///
    /// ```
    /// use queues::{Error, Wait};
    ///
    /// let (mut producer, mut consumer) = queues::spsc(2)?;
    /// let mut items = vec!["a", "b", "c"];
    /// assert_eq!(producer.put_many(&mut items, Wait::No), Err(Error::Full));
    /// assert_eq!(items, ["c"], "what is left");
    /// assert_eq!(consumer.get_many(&mut items, 10, Wait::Forever), Ok(2));
    /// assert_eq!(items, ["c", "a", "b"]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn put_many(&mut self, items: &mut Vec<T>, wait: Wait) -> Result {
        // SAFETY: `&mut self` is the only producer.
        unsafe { put_many(&self.0, items, wait) }
    }

    /// [`Producer::put_many`] as a future, without a limit of time: see
    /// [Futures](crate::typed#futures). If the future is dropped, the vector holds the items that
    /// were not put.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed).
    pub async fn put_many_async(&mut self, items: &mut Vec<T>) -> Result {
        // SAFETY: `&mut self` is the only producer.
        unsafe { put_many_async(&self.0, items) }.await
    }

    /// Returns a descriptor that is readable while there is room or the queue is closed. A call
    /// that returns [`Error::Full`](crate::Error::Full) has made it unreadable. Otherwise as
    /// [`Consumer::readable_fd`].
    ///
    /// # Errors
    /// [`Error::NoMemory`](crate::Error::NoMemory) if no descriptor or memory is left.
    pub fn writable_fd(&self) -> Result<BorrowedFd<'_>> {
        borrow_fd(self, self.0.writable_fd())
    }

    /// The queue for a [`poll()`](crate::poll) that waits until there is room or the queue is
    /// closed.
    pub fn writable(&self) -> Polled<'_> {
        known(self.0.polled(WRITABLE))
    }

    /// Makes later puts fail and wakes both ends. Items in the queue can still be got.
    ///
    /// ```
    /// use queues::Error;
    ///
    /// let (mut producer, mut consumer) = queues::spsc(2)?;
    /// producer.try_put(1).unwrap();
    /// producer.close();
    /// assert!(consumer.is_closed());
    /// assert_eq!(producer.try_put(2).unwrap_err().error, Error::Closed);
    /// assert_eq!((consumer.try_get(), consumer.try_get()), (Ok(1), Err(Error::Closed)));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether the queue is closed, by either end.
    pub fn is_closed(&self) -> bool {
        self.0.queue().is_closed()
    }

    /// The number of items; a snapshot.
    pub fn len(&self) -> usize {
        self.0.queue().len()
    }

    /// Whether the queue has no items; a snapshot.
    pub fn is_empty(&self) -> bool {
        self.0.queue().is_empty()
    }

    /// Whether the queue is full. Only this end fills it, so *not full* holds until it puts.
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

impl<T: Send> Consumer<T> {
    /// Gets without waiting; wait-free.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty), [`Error::Closed`](crate::Error::Closed) (and drained).
    pub fn try_get(&mut self) -> Result<T> {
        // SAFETY: `&mut self` is the only consumer.
        take(|place| unsafe { self.0.try_get(place) })
    }

    /// Gets, waiting for an item.
    ///
    /// # Errors
    /// As [`Consumer::try_get`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn get(&mut self, wait: Wait) -> Result<T> {
        // SAFETY: `&mut self` is the only consumer.
        take(|place| unsafe { self.0.get(place, wait) })
    }

    /// [`Consumer::get`] as a future, without a limit of time: see [Futures](crate::typed#futures).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed) (and drained).
    pub async fn get_async(&mut self) -> Result<T> {
        // SAFETY: `&mut self` is the only consumer.
        let get = || take(|place| unsafe { self.0.queue().try_get(place) });
        self.0.get_by_async(get).await
    }

    /// Waits for a first item, then takes the items that are there, up to `max`, to the end of `out`.
    /// Returns their number: 0 only if `max` is 0.
    ///
    /// Reserves room in `out` for `max` items, or for the capacity if that is less.
    ///
    /// # Errors
    /// As [`Consumer::get`]; then `out` is unchanged.
    pub fn get_many(&mut self, out: &mut Vec<T>, max: usize, wait: Wait) -> Result<usize> {
        // SAFETY: `&mut self` is the only consumer.
        unsafe { get_many(&self.0, out, max, wait) }
    }

    /// [`Consumer::get_many`] as a future, without a limit of time: see
    /// [Futures](crate::typed#futures).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed) (and drained); then `out` is unchanged.
    pub async fn get_many_async(&mut self, out: &mut Vec<T>, max: usize) -> Result<usize> {
        // SAFETY: `&mut self` is the only consumer.
        unsafe { get_many_async(&self.0, out, max) }.await
    }

    /// Returns a descriptor for poll, epoll and event loops. It is readable while there is an item
    /// or the queue is closed. The queue owns the descriptor and closes it. Do not read it. All
    /// calls return the same descriptor. The first call allocates.
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

    /// The queue for a [`poll()`](crate::poll) that waits until there is an item or the queue is
    /// closed.
    pub fn readable(&self) -> Polled<'_> {
        known(self.0.polled(READABLE))
    }

    /// Returns a reference to the front item, which stays in the queue; wait-free. A failure does not
    /// count in the statistics.
    ///
    /// # Errors
    /// As [`Consumer::try_get`].
    ///
    /// ```
    /// use queues::Error;
    ///
    /// let (mut producer, mut consumer) = queues::spsc(2)?;
    /// assert_eq!(consumer.peek(), Err(Error::Empty));
    /// producer.try_put(String::from("front")).unwrap();
    /// assert_eq!(consumer.peek().map(String::as_str), Ok("front"));
    /// assert_eq!(consumer.try_get(), Ok(String::from("front")));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// While the reference is in use, the consumer can make no other call:
    /// ```compile_fail,E0499
    /// let (mut producer, mut consumer) = queues::spsc(2).unwrap();
    /// producer.try_put(String::from("front")).unwrap();
    /// let front = consumer.peek().unwrap();
    /// consumer.try_get();
    /// println!("{front}");
    /// ```
    pub fn peek(&mut self) -> Result<&T> {
        // SAFETY: `&mut self` is the only consumer, and borrowed as long as the reference lives.
        unsafe { self.0.queue().front().map(|front| &*front) }
    }

    /// Returns an iterator that waits for each item, and ends when the queue is closed and drained.
    /// `for item in &mut consumer` and `for item in consumer` do the same.
    ///
    /// ```
    /// # use queues::Wait;
    /// let (mut producer, consumer) = queues::spsc(2)?;
    /// let sum = std::thread::spawn(move || consumer.into_iter().sum::<u32>());
    /// (1..=10).for_each(|i| producer.put(i, Wait::Forever).unwrap());
    /// drop(producer);
    /// assert_eq!(sum.join().unwrap(), 55);
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn iter(&mut self) -> Iter<&mut Self> {
        Iter(self)
    }

    /// Returns an iterator that does not wait, and ends when the queue is empty.
    ///
    /// ```
    /// let (mut producer, mut consumer) = queues::spsc(2)?;
    /// producer.try_put(1).unwrap();
    /// assert_eq!(consumer.try_iter().collect::<Vec<_>>(), [1]);
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn try_iter(&mut self) -> TryIter<&mut Self> {
        TryIter(self)
    }

    /// Drops every item that was in the queue when the call began; returns their number.
    ///
    /// # Panics
    /// If the drop of an item panics. All items are dropped; then the first panic is resumed.
    ///
    /// ```
    /// let (mut producer, mut consumer) = queues::spsc(2)?;
    /// producer.try_put(1).unwrap();
    /// assert_eq!((consumer.clear(), consumer.is_empty()), (1, true));
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn clear(&mut self) -> usize {
        // SAFETY: `&mut self` is the only consumer.
        self.0.queue().payload().resume_after(|| unsafe { self.0.clear() })
    }

    /// Makes later puts fail and wakes both ends. Items in the queue can still be got.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether the queue is closed, by either end.
    pub fn is_closed(&self) -> bool {
        self.0.queue().is_closed()
    }

    /// The number of items; a snapshot.
    pub fn len(&self) -> usize {
        self.0.queue().len()
    }

    /// Whether the queue has no items. Only this end removes items, so *not empty* holds until it does.
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

impl<T: Send> Drop for Producer<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<T: Send> Drop for Consumer<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<T: Send> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Producer", self.0.queue())
    }
}

impl<T: Send> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Consumer", self.0.queue())
    }
}

impl<T: Send> UnwindSafe for Producer<T> {}
impl<T: Send> RefUnwindSafe for Producer<T> {}
impl<T: Send> UnwindSafe for Consumer<T> {}
impl<T: Send> RefUnwindSafe for Consumer<T> {}

impl<T: Send> Source for &mut Consumer<T> {
    type Item = T;
    fn try_take_next(&mut self) -> Result<T> {
        self.try_get()
    }
}

impl<T: Send> WaitingSource for &mut Consumer<T> {
    fn take_next(&mut self) -> Result<T> {
        self.get(Wait::Forever)
    }
}

impl<T: Send> Source for Consumer<T> {
    type Item = T;
    fn try_take_next(&mut self) -> Result<T> {
        self.try_get()
    }
}

impl<T: Send> WaitingSource for Consumer<T> {
    fn take_next(&mut self) -> Result<T> {
        self.get(Wait::Forever)
    }
}

/// [`Consumer::iter`].
impl<'a, T: Send> IntoIterator for &'a mut Consumer<T> {
    type Item = T;
    type IntoIter = Iter<&'a mut Consumer<T>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// As [`Consumer::iter`].
impl<T: Send> IntoIterator for Consumer<T> {
    type Item = T;
    type IntoIter = Iter<Consumer<T>>;
    fn into_iter(self) -> Self::IntoIter {
        Iter(self)
    }
}
