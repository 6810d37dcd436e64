//! Everything that a call can answer besides success.

/// Why a call did not do what it was asked to.
///
/// Above 0 are ordinary outcomes, below 0 misuse or failure. The numbers are the C ABI's statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[repr(i32)]
pub enum Error {
    /// Nothing to get at some moment of the call.
    #[error("the queue is empty")]
    Empty = 1,
    /// No room at some moment of the call.
    #[error("the queue is full")]
    Full = 2,
    /// The queue was closed; for a get: and everything in it has been taken.
    #[error("the queue is closed")]
    Closed = 3,
    /// The deadline passed first.
    #[error("the deadline passed")]
    Timeout = 4,
    /// A race was lost, and nothing else is known; try again.
    #[error("a race was lost, try again")]
    Retry = 5,
    /// The caller's buffer is too small; the item stays where it was.
    #[error("the buffer is too small: {needed} bytes are needed")]
    TooSmall {
        /// The length that would have sufficed.
        needed: usize,
    } = 6,
    /// An argument is out of its range.
    #[error("an argument is invalid")]
    Invalid = -1,
    /// The memory for a new queue could not be had.
    #[error("out of memory")]
    NoMemory = -2,
    /// A rule about which threads may call, or in which order, was broken.
    #[error("the queue was used against its rules")]
    Misuse = -3,
    /// A drop callback panicked.
    #[error("a callback panicked")]
    Panic = -4,
}

/// The result of a queue call.
pub type Result<T = ()> = core::result::Result<T, Error>;
