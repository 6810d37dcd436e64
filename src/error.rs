//! Everything that a call can answer besides success.

/// Why a call did not do what it was asked to.
///
/// The first group are ordinary outcomes, the second misuse or failure; the C ABI maps each variant
/// to one status ([`crate::ffi::status`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing to get at some moment of the call.
    #[error("the queue is empty")]
    Empty,
    /// No room at some moment of the call.
    #[error("the queue is full")]
    Full,
    /// The queue was closed; for a get: and everything in it has been taken.
    #[error("the queue is closed")]
    Closed,
    /// The deadline passed first.
    #[error("the deadline passed")]
    Timeout,
    /// The caller's buffer is too small; the item stays where it was.
    #[error("the buffer is too small: {needed} bytes are needed")]
    TooSmall {
        /// The length that would have sufficed.
        needed: usize,
    },
    /// An argument is out of its range.
    #[error("an argument is invalid")]
    Invalid,
    /// The memory for a new queue could not be had.
    #[error("out of memory")]
    NoMemory,
    /// A rule about which threads may call, or in which order, was broken.
    #[error("the queue was used against its rules")]
    Misuse,
    /// A drop callback panicked.
    #[error("a callback panicked")]
    Panic,
}

/// The result of a queue call.
pub type Result<T = ()> = core::result::Result<T, Error>;
