//! Waiting, for every family: calls that sleep until they succeed, a deadline passes or the queue is
//! closed. Polls, descriptors and futures wait in the same way, at the same event counts.

mod asynchronous;
mod batching;
mod blocking;
mod event;
mod event_count;
mod in_place;
#[cfg(queues_shared)]
mod lookout;
mod poll;
mod stealing;
mod wakers;

pub use batching::Wanted;
pub use blocking::Blocking;
pub use event::Event;
pub use event_count::EventCount;
pub(crate) use poll::{
    MAX_ENTRIES, PollSet, Source, check_events, descriptor, poll_set, time_until_ready,
};
pub use poll::{Polled, READABLE, WRITABLE, poll};
pub use stealing::Stealing;

use crate::sync::{Clock, Deadline};

/// How long a call may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not at all.
    No,
    /// For this many nanoseconds at most.
    For(u64),
    /// Without a limit.
    Forever,
}

/// ```
/// use queues::Wait;
/// use std::time::Duration;
/// assert_eq!(Wait::from(Duration::from_millis(2)), Wait::For(2_000_000));
/// assert_eq!(Wait::from(Duration::ZERO), Wait::No);
/// ```
impl From<core::time::Duration> for Wait {
    fn from(span: core::time::Duration) -> Self {
        match u64::try_from(span.as_nanos()) {
            Ok(0) => Self::No,
            nanos => Self::For(nanos.unwrap_or(u64::MAX)),
        }
    }
}

impl Wait {
    /// C's convention: a negative number waits without a limit, 0 does not wait.
    #[inline(always)]
    pub const fn from_nanos(nanos: i64) -> Self {
        match nanos {
            ..0 => Self::Forever,
            0 => Self::No,
            _ => Self::For(nanos as u64),
        }
    }

    /// The end of the wait, counted from now. A call computes it once.
    fn deadline(self) -> Deadline {
        match self {
            Self::No => Deadline::PASSED,
            Self::Forever => Deadline::NEVER,
            Self::For(nanos) => Deadline::at(Clock::now().saturating_add(nanos)),
        }
    }
}
