//! Waiting, for every family: calls that sleep until they can be done, a deadline passes or the
//! queue is closed.

mod batching;
mod blocking;
mod event_count;
mod leasing;

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

/// ```
/// use queues::Timeout;
/// use std::time::Duration;
/// assert_eq!(Timeout::from(Duration::from_millis(2)), Timeout::Within(2_000_000));
/// assert_eq!(Timeout::from(Duration::ZERO), Timeout::Try);
/// ```
impl From<core::time::Duration> for Timeout {
    fn from(span: core::time::Duration) -> Self {
        match u64::try_from(span.as_nanos()) {
            Ok(0) => Self::Try,
            nanos => Self::Within(nanos.unwrap_or(u64::MAX)),
        }
    }
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
