//! Every outcome of a call other than success.

use core::fmt;

/// Why a call failed.
///
/// The numbers are the statuses of the C ABI: above 0 ordinary outcomes, below 0 misuse or failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[repr(i32)]
pub enum Error {
    /// The queue was empty at some moment of the call.
    #[error("the queue is empty")]
    Empty = 1,
    /// The queue was full at some moment of the call.
    #[error("the queue is full")]
    Full = 2,
    /// The queue is closed; for a get: and drained.
    #[error("the queue is closed")]
    Closed = 3,
    /// The timeout passed before there was an item or room.
    #[error("the timeout passed")]
    Timeout = 4,
    /// The call lost a race to another thread. There may be an item or not; try again.
    #[error("another thread was first; try again")]
    Retry = 5,
    /// The buffer of the caller is too small; the item stays in the queue.
    #[error("the buffer is too small: {needed} bytes are needed")]
    TooSmall {
        /// The length in bytes that suffices.
        needed: usize,
    } = 6,
    /// An argument is invalid.
    #[error("an argument is invalid")]
    Invalid = -1,
    /// Memory for the queue could not be allocated.
    #[error("out of memory")]
    NoMemory = -2,
    /// A rule about which threads may call, or in which order, was broken.
    #[error("a rule about threads or the order of calls was broken")]
    Misuse = -3,
    /// A drop callback panicked.
    #[error("a drop callback panicked")]
    Panic = -4,
    /// The file of a shared queue has contents that no queue writes: another process has damaged
    /// it.
    #[error("another process has damaged the shared queue")]
    Corrupt = -5,
}

/// The result of a queue call.
pub type Result<T = ()> = core::result::Result<T, Error>;

/// The error of a put, with its item.
///
/// ```
/// use queues::{Error, Mpmc, PutError};
///
/// struct Job; // neither Debug nor Display
///
/// let queue = Mpmc::with_capacity(1)?;
/// queue.try_put(Job)?;
/// let refused: PutError<Job> = queue.try_put(Job).unwrap_err();
/// assert_eq!(refused.error, Error::Full);
/// assert_eq!(refused.to_string(), "the item was not put: the queue is full");
/// let _job: Job = refused.into_inner();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PutError<T> {
    /// Why the put failed.
    pub error: Error,
    /// The item.
    pub item: T,
}

impl<T> PutError<T> {
    /// Returns the item.
    #[must_use = "the item would be dropped"]
    pub fn into_inner(self) -> T {
        self.item
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutError").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the item was not put: {}", self.error)
    }
}

impl<T> std::error::Error for PutError<T> {}
