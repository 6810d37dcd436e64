use super::iter::{Source, TryIter};
use super::{PutError, borrow_fd, known};
use crate::error::{Error, Result};
use crate::payload::Boxed;
use crate::queue::deque::Deque;
use crate::stats::Stats;
use crate::wait::{Polled, READABLE, Stealing};
use core::fmt;
use std::os::fd::BorrowedFd;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

/// Values are stored in boxes: a thief copies the item before it knows whether it owns it, and only the
/// address of a box may be copied and discarded.
type Shared<T> = Arc<Stealing<Boxed<T>>>;

/// The owner of a [`deque`]: pushes and pops, last in, first out.
///
/// There is no `peek`: a thief could take and drop the last item while the caller reads it.
pub struct Worker<T: Send>(Shared<T>);

/// A thief of a [`deque`]: steals, first in, first out. Clones steal from the same deque.
pub struct Stealer<T: Send>(Shared<T>);

/// Creates a work-stealing deque of exactly this capacity.
///
/// # Errors
/// [`Error::Invalid`] for a capacity of 0 or one that overflows, [`Error::NoMemory`].
///
/// ```
/// use queues::Error;
///
/// let (mut worker, stealer) = queues::deque(3)?;
/// (1..=3).for_each(|task| worker.push(task).unwrap());
/// assert_eq!(worker.push(4).unwrap_err().error, Error::Full);
/// assert_eq!(worker.pop(), Ok(3));
/// let thief = std::thread::spawn(move || stealer.steal());
/// assert_eq!(thief.join().unwrap(), Ok(1));
/// # Ok::<(), Error>(())
/// ```
///
/// Dropping the last end drops the items that are left, so they cannot borrow anything that is dropped
/// before:
/// ```compile_fail,E0505
/// let (mut worker, _) = queues::deque(1).unwrap();
/// let local = String::new();
/// worker.push(&local).unwrap();
/// drop(local);
/// drop(worker);
/// ```
/// ```compile_fail,E0597
/// struct Loud<'a>(&'a str);
/// impl Drop for Loud<'_> {
///     fn drop(&mut self) {
///         println!("{}", self.0);
///     }
/// }
/// let (mut worker, _) = queues::deque(1).unwrap();
/// let local = String::new();
/// worker.push(Loud(&local)).unwrap();
/// ```
pub fn deque<T: Send>(capacity: usize) -> Result<(Worker<T>, Stealer<T>)> {
    make_deque(capacity, false)
}

/// Creates a work-stealing deque that doubles its capacity when it is full.
///
/// # Errors
/// As [`deque`].
///
/// ```
/// let (mut worker, _) = queues::growable_deque(1)?;
/// (1..=3).for_each(|task| worker.push(task).unwrap());
/// assert_eq!((worker.len(), worker.capacity()), (3, 4));
/// # Ok::<(), queues::Error>(())
/// ```
pub fn growable_deque<T: Send>(capacity: usize) -> Result<(Worker<T>, Stealer<T>)> {
    make_deque(capacity, true)
}

fn make_deque<T: Send>(capacity: usize, growable: bool) -> Result<(Worker<T>, Stealer<T>)> {
    let deque = Arc::new(Stealing::new(Deque::try_new(capacity, growable, Boxed::new())?));
    Ok((Worker(deque.clone()), Stealer(deque)))
}

/// Opens a box that a pop or a steal took.
///
/// # Safety
/// A pop, a steal or a refused push returned `item`, and no other call uses it.
unsafe fn unbox<T>(item: *mut T) -> T {
    // SAFETY: every item is the address of a box, and this one is ours.
    *unsafe { Box::from_raw(item) }
}

impl<T: Send> Worker<T> {
    /// Pushes an item. Wait-free, except for the allocation of a box, and of a larger buffer when a
    /// growable deque is full.
    ///
    /// # Errors
    /// [`Error::Full`]; for a growable deque [`Error::NoMemory`] instead, if it cannot grow.
    pub fn push(&mut self, item: T) -> core::result::Result<(), PutError<T>> {
        let item = Box::into_raw(Box::new(item));
        // SAFETY: `&mut self` is the only owner; after Ok the box is the deque's.
        unsafe { self.0.push(&item) }.map_err(|error| {
            // SAFETY: just made, and still ours.
            PutError { error, item: unsafe { unbox(item) } }
        })
    }

    /// Pops the item that was pushed last; wait-free.
    ///
    /// # Errors
    /// [`Error::Empty`].
    pub fn pop(&mut self) -> Result<T> {
        let mut item = core::ptr::null_mut();
        // SAFETY: `&mut self` is the only owner; after Ok the item is ours.
        unsafe { self.0.deque().pop(&mut item).map(|()| unbox(item)) }
    }

    /// Returns an iterator that pops until the deque is empty: last in, first out.
    ///
    /// ```
    /// let (mut worker, _) = queues::deque(3)?;
    /// (1..=3).for_each(|task| worker.push(task).unwrap());
    /// assert_eq!(worker.try_iter().collect::<Vec<_>>(), [3, 2, 1]);
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn try_iter(&mut self) -> TryIter<&mut Self> {
        TryIter(self)
    }

    /// Returns a descriptor for poll, epoll and event loops. It is readable while there is an item
    /// to steal. The deque owns the descriptor and closes it. Do not read it. All calls return the
    /// same descriptor. The first call allocates.
    ///
    /// A steal that returns [`Error::Empty`] has made the descriptor unreadable: no other call is
    /// needed.
    ///
    /// # Errors
    /// [`Error::NoMemory`] if no descriptor or memory is left.
    pub fn stealable_fd(&self) -> Result<BorrowedFd<'_>> {
        borrow_fd(self, self.0.stealable_fd())
    }

    /// The deque for a [`poll()`](crate::poll) that waits until there is an item to steal.
    pub fn stealable(&self) -> Polled<'_> {
        known(self.0.polled(READABLE))
    }

    /// Returns another thief.
    #[must_use]
    pub fn stealer(&self) -> Stealer<T> {
        Stealer(self.0.clone())
    }

    /// The number of items; a snapshot.
    pub fn len(&self) -> usize {
        self.0.deque().len()
    }

    /// Whether the deque has no items; a snapshot.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the deque is full; a growable one then grows with the next push. Only the owner pushes,
    /// so *not full* holds until it does.
    ///
    /// ```
    /// let (mut worker, stealer) = queues::deque(1)?;
    /// worker.push(1).unwrap();
    /// assert!(worker.is_full() && stealer.is_full());
    /// worker.pop()?;
    /// assert!(!worker.is_full() && !stealer.is_full());
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// The number of items that fit before the deque is full or grows.
    pub fn capacity(&self) -> usize {
        self.0.deque().capacity()
    }

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        self.0.deque().stats()
    }
}

impl<T: Send> Stealer<T> {
    /// Steals the item that was pushed first; lock-free.
    ///
    /// # Errors
    /// [`Error::Empty`]; [`Error::Retry`] if another thread took the item first.
    pub fn steal(&self) -> Result<T> {
        let mut item = core::ptr::null_mut();
        // SAFETY: after Ok the item is ours.
        unsafe { self.0.steal(&mut item).map(|()| unbox(item)) }
    }

    /// [`Stealer::steal`] as a future, which waits for an item and tries again after a lost race:
    /// see [Futures](crate::typed#futures).
    ///
    /// A deque has no close: if the worker is gone, the future waits on. Wait for an
    /// [`Event`](super::Event) beside it.
    ///
    /// ```
    /// # fn run(future: impl Future<Output = queues::Result>) {
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     assert!(std::pin::pin!(future).poll(&mut context).is_ready());
    /// # }
    /// let (mut worker, stealer) = queues::deque(3)?;
    /// worker.push(1).unwrap();
    /// # run(async {
    /// assert_eq!(stealer.steal_async().await, 1);
    /// # Ok(())
    /// # });
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub async fn steal_async(&self) -> T {
        let steal = || {
            let mut item = core::ptr::null_mut();
            // SAFETY: after Ok the item is ours.
            unsafe { self.0.deque().steal(&mut item).map(|()| unbox(item)) }
        };
        self.0.steal_by_async(steal).await.expect("a steal fails with Empty or Retry only")
    }

    /// Steals up to `max` items, and no more than the capacity, one by one, until the deque is empty or
    /// a race is lost; appends them to `out`. Returns their number: 0 only if `max` is 0. Lock-free,
    /// except for the growth of `out`.
    ///
    /// # Errors
    /// As [`Stealer::steal`]; then `out` is unchanged.
    ///
    /// ```
    /// use queues::Error;
    ///
    /// let (mut worker, stealer) = queues::deque(3)?;
    /// (1..=3).for_each(|task| worker.push(task).unwrap());
    /// let mut tasks = Vec::new();
    /// assert_eq!(stealer.steal_many(&mut tasks, 2), Ok(2));
    /// assert_eq!(stealer.steal_many(&mut tasks, 2), Ok(1));
    /// assert_eq!(stealer.steal_many(&mut tasks, 2), Err(Error::Empty));
    /// assert_eq!(tasks, [1, 2, 3]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn steal_many(&self, out: &mut Vec<T>, max: usize) -> Result<usize> {
        // So that the call ends even if the owner keeps pushing.
        let max = max.min(self.0.deque().capacity());
        // SAFETY: each item was stolen by this call.
        let (count, result) = self.0.steal_many(max, |item| out.push(unsafe { unbox(item) }));
        result.map(|()| count)
    }

    /// Returns a descriptor for poll, epoll and event loops. It is readable while there is an item
    /// to steal. The deque owns the descriptor and closes it. Do not read it. All calls return the
    /// same descriptor. The first call allocates.
    ///
    /// A steal that returns [`Error::Empty`] has made the descriptor unreadable: no other call is
    /// needed.
    ///
    /// # Errors
    /// [`Error::NoMemory`] if no descriptor or memory is left.
    pub fn stealable_fd(&self) -> Result<BorrowedFd<'_>> {
        borrow_fd(self, self.0.stealable_fd())
    }

    /// The deque for a [`poll()`](crate::poll) that waits until there is an item to steal.
    pub fn stealable(&self) -> Polled<'_> {
        known(self.0.polled(READABLE))
    }

    /// Returns an iterator that steals until the deque is empty. After a lost race it tries again.
    ///
    /// ```
    /// let (mut worker, stealer) = queues::deque(3)?;
    /// (1..=3).for_each(|task| worker.push(task).unwrap());
    /// assert_eq!(stealer.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn try_iter(&self) -> TryIter<&Self> {
        TryIter(self)
    }

    /// The number of items; a snapshot.
    pub fn len(&self) -> usize {
        self.0.deque().len()
    }

    /// Whether the deque has no items; a snapshot.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the deque is full; a growable one then grows with the next push. A snapshot.
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// The number of items that fit before the deque is full or grows.
    pub fn capacity(&self) -> usize {
        self.0.deque().capacity()
    }

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        self.0.deque().stats()
    }
}

impl<T: Send> Clone for Stealer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Formats a deque without its items, which other threads may be taking.
fn show<T: Send>(f: &mut fmt::Formatter<'_>, name: &str, deque: &Shared<T>) -> fmt::Result {
    f.debug_struct(name)
        .field("len", &deque.deque().len())
        .field("capacity", &deque.deque().capacity())
        .finish_non_exhaustive()
}

impl<T: Send> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Worker", &self.0)
    }
}

impl<T: Send> fmt::Debug for Stealer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Stealer", &self.0)
    }
}

impl<T: Send> UnwindSafe for Worker<T> {}
impl<T: Send> RefUnwindSafe for Worker<T> {}
impl<T: Send> UnwindSafe for Stealer<T> {}
impl<T: Send> RefUnwindSafe for Stealer<T> {}

impl<T: Send> Source for &mut Worker<T> {
    type Item = T;
    fn try_take_next(&mut self) -> Result<T> {
        self.pop()
    }
}

impl<T: Send> Source for &Stealer<T> {
    type Item = T;
    fn try_take_next(&mut self) -> Result<T> {
        loop {
            match self.steal() {
                Err(Error::Retry) => core::hint::spin_loop(),
                done => return done,
            }
        }
    }
}
