//! Waiting, for every family: calls that sleep until they can be done, a deadline passes or the
//! queue is closed.

mod batching;
mod blocking;
mod event_count;

pub use batching::{Blob, Wanted};
pub use blocking::Blocking;
pub use event_count::EventCount;

use crate::sync::{Clock, Deadline};

/// How long a call may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// Not at all.
    Try,
    /// So many nanoseconds.
    Within(u64),
    /// As long as it takes.
    Never,
}

impl Timeout {
    /// C's convention: below 0 for ever, 0 not at all.
    #[inline(always)]
    pub const fn from_nanos(nanos: i64) -> Self {
        match nanos {
            ..0 => Self::Never,
            0 => Self::Try,
            _ => Self::Within(nanos as u64),
        }
    }

    /// When it is over, counted from now; computed once for each call.
    fn deadline(self) -> Deadline {
        match self {
            Self::Try => Deadline::PASSED,
            Self::Never => Deadline::NEVER,
            Self::Within(nanos) => Deadline::at(Clock::now().saturating_add(nanos)),
        }
    }
}
