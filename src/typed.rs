//! The queues as Rust programs use them: any `T: Send`, moved in and out.

use crate::error::{Error, Result};
use crate::payload::{Disposer, Pointer, Typed};
use crate::queue::batch::{self as core_batch, Limits};
use crate::queue::{
    Queue, deque as core_deque, mpmc, priority as core_priority, spsc as core_spsc,
};
use crate::stats::Stats;
use crate::wait::{Blocking, Timeout, Wanted};
use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use std::sync::Arc;

/// A put that was not done, with the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutError<T> {
    /// Why.
    pub error: Error,
    /// What was to be put.
    pub item: T,
}

/// Runs a put that takes the item only if it answers `Ok`.
fn give<T>(item: T, put: impl FnOnce(&T) -> Result) -> core::result::Result<(), PutError<T>> {
    let item = ManuallyDrop::new(item);
    put(&item).map_err(|error| PutError { error, item: ManuallyDrop::into_inner(item) })
}

/// Runs a get that fills its place only if it answers `Ok`.
fn take<T>(get: impl FnOnce(&mut MaybeUninit<T>) -> Result) -> Result<T> {
    let mut place = MaybeUninit::uninit();
    get(&mut place)?;
    // SAFETY: the get filled it.
    Ok(unsafe { place.assume_init() })
}

/// A bounded queue for any number of threads at both ends.
///
/// ```
/// use queues::{Error, Mpmc, Timeout};
///
/// let queue = Mpmc::with_capacity(2)?;
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         for i in 0..10 {
///             queue.put(i, Timeout::Never).unwrap();
///         }
///         queue.close();
///     });
///     for i in 0..10 {
///         assert_eq!(queue.get(Timeout::Never), Ok(i));
///     }
///     assert_eq!(queue.get(Timeout::Never), Err(Error::Closed));
/// });
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Mpmc<T: Send>(Blocking<mpmc::Indirect<Typed<T>>>);

impl<T: Send> Mpmc<T> {
    /// An empty queue of exactly this capacity.
    pub fn with_capacity(capacity: usize) -> Result<Self> {
        mpmc::Indirect::try_new(capacity, Typed::new(), 0).map(|queue| Self(Blocking::new(queue)))
    }

    /// Puts without waiting; lock-free.
    pub fn try_put(&self, item: T) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; any thread may put.
        give(item, |item| unsafe { self.0.try_put(item) })
    }

    /// Puts, waiting for room.
    pub fn put(&self, item: T, timeout: Timeout) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; any thread may put.
        give(item, |item| unsafe { self.0.put(item, timeout) })
    }

    /// Gets without waiting; lock-free.
    pub fn try_get(&self) -> Result<T> {
        // SAFETY: any thread may get.
        take(|place| unsafe { self.0.try_get(place) })
    }

    /// Gets, waiting for an item.
    pub fn get(&self, timeout: Timeout) -> Result<T> {
        // SAFETY: any thread may get.
        take(|place| unsafe { self.0.get(place, timeout) })
    }

    /// Turns every later put away and wakes all waiters; what is there can still be got.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.queue().is_closed()
    }

    /// Drops everything that was there when the call began; returns how many.
    ///
    /// # Panics
    /// If a drop did, after the others were dropped too.
    pub fn clear(&self) -> usize {
        // SAFETY: any thread may clear.
        let count = unsafe { self.0.clear() };
        assert!(!self.0.queue().take_panic(), "the drop of a value panicked");
        count
    }

    /// How many items are there; a snapshot.
    pub fn len(&self) -> usize {
        self.0.queue().len()
    }

    /// Whether the snapshot is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items fit.
    pub fn capacity(&self) -> usize {
        self.0.queue().capacity()
    }

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

/// A bounded queue for any number of threads at both ends: the lowest priority first, first in first
/// out among equals. Holds a short lock; see [`queue::priority`](crate::queue::priority).
///
/// A priority is any number but NaN, which is [`Error::Invalid`]; -0.0 equals 0.0.
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
#[derive(Debug)]
pub struct Priority<T: Send>(Blocking<core_priority::Priority<Typed<T>>>);

impl<T: Send> Priority<T> {
    /// An empty queue of exactly this capacity.
    pub fn with_capacity(capacity: usize) -> Result<Self> {
        let queue = core_priority::Priority::try_new(capacity, Typed::new(), u64::MAX)?;
        Ok(Self(Blocking::new(queue)))
    }

    /// Puts without waiting.
    pub fn try_put(&self, item: T, priority: f64) -> core::result::Result<(), PutError<T>> {
        self.put(item, priority, Timeout::Try)
    }

    /// Puts, waiting for room.
    pub fn put(
        &self,
        item: T,
        priority: f64,
        timeout: Timeout,
    ) -> core::result::Result<(), PutError<T>> {
        let queue = self.0.queue();
        // SAFETY: `give` forgets the item after Ok.
        let put = |item: &T| self.0.put_with(timeout, || unsafe { queue.try_put(item, priority) });
        give(item, put)
    }

    /// Gets the item in front and its priority, without waiting.
    pub fn try_get(&self) -> Result<(T, f64)> {
        self.get(Timeout::Try)
    }

    /// Gets the item in front and its priority, waiting for one.
    pub fn get(&self, timeout: Timeout) -> Result<(T, f64)> {
        let mut priority = 0.0;
        let item = take(|place| {
            // SAFETY: any thread may get; `take` owns what was got.
            priority = self.0.get_with(timeout, || unsafe { self.0.queue().try_get(place) })?;
            Ok(())
        })?;
        Ok((item, priority))
    }

    /// Turns every later put away and wakes all waiters; what is there can still be got.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.queue().is_closed()
    }

    /// Drops everything that was there when the call began; returns how many.
    ///
    /// # Panics
    /// If a drop did, after the others were dropped too.
    pub fn clear(&self) -> usize {
        // SAFETY: any thread may clear.
        let count = unsafe { self.0.clear() };
        assert!(!self.0.queue().take_panic(), "the drop of a value panicked");
        count
    }

    /// How many items are there; a snapshot.
    pub fn len(&self) -> usize {
        self.0.queue().len()
    }

    /// Whether the snapshot is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items fit.
    pub fn capacity(&self) -> usize {
        self.0.queue().capacity()
    }

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

type Spsc<T> = Blocking<core_spsc::Ring<Typed<T>>>;

/// The putting end of a [`spsc`] queue; dropping it closes the queue.
#[derive(Debug)]
pub struct Producer<T: Send>(Arc<Spsc<T>>);

/// The getting end of a [`spsc`] queue; dropping it closes the queue.
#[derive(Debug)]
pub struct Consumer<T: Send>(Arc<Spsc<T>>);

/// A bounded queue from one thread to another, of exactly this capacity.
///
/// ```
/// use queues::Timeout;
///
/// let (mut producer, mut consumer) = queues::spsc(8)?;
/// std::thread::spawn(move || producer.put("hello", Timeout::Never));
/// assert_eq!(consumer.get(Timeout::Never), Ok("hello"));
/// # Ok::<(), queues::Error>(())
/// ```
pub fn spsc<T: Send>(capacity: usize) -> Result<(Producer<T>, Consumer<T>)> {
    let ring = core_spsc::Ring::try_new(capacity, Typed::new(), 0)?;
    let queue = Arc::new(Blocking::new(ring));
    Ok((Producer(queue.clone()), Consumer(queue)))
}

impl<T: Send> Producer<T> {
    /// Puts without waiting; wait-free.
    pub fn try_put(&mut self, item: T) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; `&mut self` is the only producer.
        give(item, |item| unsafe { self.0.try_put(item) })
    }

    /// Puts, waiting for room.
    pub fn put(&mut self, item: T, timeout: Timeout) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; `&mut self` is the only producer.
        give(item, |item| unsafe { self.0.put(item, timeout) })
    }

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

impl<T: Send> Consumer<T> {
    /// Gets without waiting; wait-free.
    pub fn try_get(&mut self) -> Result<T> {
        // SAFETY: `&mut self` is the only consumer.
        take(|place| unsafe { self.0.try_get(place) })
    }

    /// Gets, waiting for an item.
    pub fn get(&mut self, timeout: Timeout) -> Result<T> {
        // SAFETY: `&mut self` is the only consumer.
        take(|place| unsafe { self.0.get(place, timeout) })
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

/// A bounded queue whose items are taken in batches, for any number of threads at both ends.
///
/// ```
/// use queues::{Batcher, Error, Limits, Timeout};
/// use std::time::Duration;
///
/// let limits = Limits { size: 3, age: Some(Duration::from_millis(1)), weight: None };
/// let queue = Batcher::new(100, limits)?;
/// (1..=4).for_each(|item| queue.try_put(item).unwrap());
/// assert_eq!(queue.get_batch(Timeout::Never), Ok(vec![1, 2, 3]));
/// assert_eq!(queue.get_batch(Timeout::Never), Ok(vec![4]), "after a millisecond");
/// queue.close();
/// assert_eq!(queue.get_batch(Timeout::Never), Err(Error::Closed));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Batcher<T: Send>(Blocking<core_batch::Batch<Typed<T>>>);

impl<T: Send> Batcher<T> {
    /// An empty queue for up to `max_pending` items; [`Error::Invalid`] if a batch does not fit or a
    /// limit is 0.
    pub fn new(max_pending: usize, limits: Limits) -> Result<Self> {
        let queue = core_batch::Batch::try_new(max_pending, limits, Typed::new(), 0)?;
        Ok(Self(Blocking::new(queue)))
    }

    /// Puts an item of weight 1 without waiting; lock-free.
    pub fn try_put(&self, item: T) -> core::result::Result<(), PutError<T>> {
        self.put(item, Timeout::Try)
    }

    /// Puts an item of weight 1, waiting for room.
    pub fn put(&self, item: T, timeout: Timeout) -> core::result::Result<(), PutError<T>> {
        self.put_weighted(item, 1, timeout)
    }

    /// Puts an item of this weight, waiting for room.
    pub fn put_weighted(
        &self,
        item: T,
        weight: u64,
        timeout: Timeout,
    ) -> core::result::Result<(), PutError<T>> {
        // SAFETY: `give` forgets the item after Ok; any thread may put.
        give(item, |item| unsafe { self.0.put_weighted(item, weight, timeout) })
    }

    /// Takes the next batch that is due, or what is there when the time is over.
    pub fn get_batch(&self, timeout: Timeout) -> Result<Vec<T>> {
        self.batch(Wanted::Within(timeout))
    }

    /// Takes a batch if one is due.
    pub fn get_due(&self) -> Result<Vec<T>> {
        self.batch(Wanted::Due)
    }

    fn batch(&self, wanted: Wanted) -> Result<Vec<T>> {
        let mut values = Vec::new();
        self.0.get_batch(&mut values, usize::MAX, wanted)?;
        Ok(values)
    }

    /// Makes everything that is there due.
    pub fn flush(&self) {
        self.0.flush();
    }

    /// Turns every later put away and wakes all waiters; what is there is due.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.queue().is_closed()
    }

    /// Drops everything that was there when the call began; returns how many.
    ///
    /// # Panics
    /// If a drop did, after the others were dropped too.
    pub fn clear(&self) -> usize {
        // SAFETY: any thread may clear.
        let count = unsafe { self.0.clear() };
        assert!(!self.0.queue().take_panic(), "the drop of a value panicked");
        count
    }

    /// How many items are there; a snapshot.
    pub fn pending_count(&self) -> usize {
        self.0.queue().len()
    }

    /// How many items fit.
    pub fn max_pending(&self) -> usize {
        self.0.queue().capacity()
    }

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }
}

/// The owner's end of a [`deque`]: pushes and pops, last in first out.
#[derive(Debug)]
pub struct Worker<T: Send>(Shared<T>);

/// A thief's end of a [`deque`]: steals, first in first out. Clones steal from the same deque.
#[derive(Debug)]
pub struct Stealer<T: Send>(Shared<T>);

/// Values travel in boxes: a thief copies what may not be its own, which only a pointer bears.
#[derive(Debug)]
struct Shared<T: Send> {
    deque: Arc<core_deque::Deque<Pointer>>,
    values: PhantomData<fn(T) -> T>,
}

/// Tells the compiler that values may be dropped here, and so must not borrow what dies before.
impl<T: Send> Drop for Shared<T> {
    fn drop(&mut self) {}
}

impl<T: Send> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { deque: self.deque.clone(), values: PhantomData }
    }
}

/// A work-stealing deque of exactly this capacity.
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
/// What is left is dropped with the deque, so values cannot borrow what dies before it:
/// ```compile_fail,E0597
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

/// A work-stealing deque that doubles its capacity when it is full.
pub fn growable_deque<T: Send>(capacity: usize) -> Result<(Worker<T>, Stealer<T>)> {
    make_deque(capacity, true)
}

fn make_deque<T: Send>(capacity: usize, growable: bool) -> Result<(Worker<T>, Stealer<T>)> {
    unsafe extern "C-unwind" fn drop_value<T>(_context: *mut c_void, item: *mut c_void) {
        // SAFETY: every item is the address of a box, and this one nobody took.
        drop(unsafe { Box::from_raw(item.cast::<T>()) });
    }
    // SAFETY: values may be dropped on any thread: T is Send.
    let disposer = unsafe { Disposer::new(Some(drop_value::<T>), core::ptr::null_mut()) };
    let deque = core_deque::Deque::try_new(capacity, growable, Pointer::new(disposer), 0)?;
    let shared = Shared { deque: Arc::new(deque), values: PhantomData };
    Ok((Worker(shared.clone()), Stealer(shared)))
}

/// Runs a pop or a steal and opens the box that it took.
fn unbox<T>(take: impl FnOnce(&mut *mut c_void) -> Result) -> Result<T> {
    let mut item = core::ptr::null_mut();
    take(&mut item)?;
    // SAFETY: every item is the address of a box of T, handed on once.
    Ok(*unsafe { Box::from_raw(item.cast::<T>()) })
}

impl<T: Send> Worker<T> {
    /// Pushes; wait-free, but for the box, and unless it grows.
    pub fn push(&mut self, item: T) -> core::result::Result<(), PutError<T>> {
        let item = Box::into_raw(Box::new(item));
        // SAFETY: `&mut self` is the only owner; after Ok the box is the deque's.
        unsafe { self.0.deque.push(&item.cast()) }.map_err(|error| {
            // SAFETY: just made, and still ours.
            PutError { error, item: *unsafe { Box::from_raw(item) } }
        })
    }

    /// Pops what was pushed last; wait-free.
    pub fn pop(&mut self) -> Result<T> {
        // SAFETY: `&mut self` is the only owner.
        unbox(|item| unsafe { self.0.deque.pop(item) })
    }

    /// Another thief.
    pub fn stealer(&self) -> Stealer<T> {
        Stealer(self.0.clone())
    }

    /// How many items are there; a snapshot.
    pub fn len(&self) -> usize {
        self.0.deque.len()
    }

    /// Whether the snapshot is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items fit, or fit before it grows.
    pub fn capacity(&self) -> usize {
        self.0.deque.capacity()
    }

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        self.0.deque.stats()
    }
}

impl<T: Send> Stealer<T> {
    /// Steals what was pushed first; [`Error::Empty`], or [`Error::Retry`] if another thread took
    /// it meanwhile.
    pub fn steal(&self) -> Result<T> {
        // SAFETY: any thread may steal.
        unbox(|item| unsafe { self.0.deque.steal(item) })
    }

    /// How many items are there; a snapshot.
    pub fn len(&self) -> usize {
        self.0.deque.len()
    }

    /// Whether the snapshot is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        self.0.deque.stats()
    }
}

impl<T: Send> Clone for Stealer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
