use super::{borrow_fd, known};
use crate::error::Result;
use crate::wait::{self, Polled, READABLE, Wait};
use core::fmt;
use std::os::fd::BorrowedFd;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

/// A latch: set until it is reset. Any number of threads and futures may wait for it, alone or
/// beside queues: for shutdown, for cancellation, for the end of a phase.
///
/// Clones share one event. Any thread may make any call at any time. Each call takes O(1) steps,
/// except `set`, which wakes all waiters.
///
/// ```
/// use queues::{Error, Event, Wait};
///
/// let event = Event::new();
/// assert_eq!(event.wait(Wait::No), Err(Error::Empty));
/// let other = event.clone();
/// let setter = std::thread::spawn(move || other.set());
/// assert_eq!(event.wait(Wait::Forever), Ok(()));
/// assert!(event.is_set(), "until it is reset");
/// # setter.join().unwrap();
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Event(Arc<wait::Event>);

impl Event {
    /// Creates an event that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the event and wakes all waiters. What this thread did before happens before what
    /// follows a wait or an `is_set` that finds the event set.
    pub fn set(&self) {
        self.0.set();
    }

    /// Resets the event. A waiter that was woken and has not run yet waits on.
    pub fn reset(&self) {
        self.0.reset();
    }

    /// Whether the event is set; a snapshot.
    pub fn is_set(&self) -> bool {
        self.0.is_set()
    }

    /// Waits until the event is set.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty) ([`Wait::No`]),
    /// [`Error::Timeout`](crate::Error::Timeout).
    pub fn wait(&self, wait: Wait) -> Result {
        self.0.wait(wait)
    }

    /// Waits until the event is set, as a future: see [Futures](crate::typed#futures).
    pub async fn wait_async(&self) {
        self.0.wait_async().await;
    }

    /// Returns a descriptor for poll, epoll and event loops. It is readable while the event is set.
    /// The event owns the descriptor and closes it. Do not read it. All calls return the same
    /// descriptor. The first call allocates.
    ///
    /// # Errors
    /// [`Error::NoMemory`](crate::Error::NoMemory) if no descriptor or memory is left.
    pub fn readable_fd(&self) -> Result<BorrowedFd<'_>> {
        borrow_fd(self, self.0.readable_fd())
    }

    /// The event for a [`poll()`](crate::poll) that waits until it is set.
    pub fn readable(&self) -> Polled<'_> {
        known(self.0.polled(READABLE))
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("is_set", &self.is_set()).finish_non_exhaustive()
    }
}

impl UnwindSafe for Event {}
impl RefUnwindSafe for Event {}
