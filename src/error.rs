//! Every outcome of a call other than success.

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
    /// The memory of a shared queue holds what no queue writes there.
    #[error("another process has damaged the shared queue")]
    Corrupt = -5,
}

/// The result of a queue call.
pub type Result<T = ()> = core::result::Result<T, Error>;
