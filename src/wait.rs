//! Waiting, for every family: calls that sleep until they can be done, a deadline passes or the
//! queue is closed.

mod blocking;
mod event_count;

pub use blocking::Blocking;
pub use event_count::EventCount;

use crate::sync::Clock;
use core::time::Duration;

/// How long a call may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// Not at all.
    Try,
    /// This long.
    Within(Duration),
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
            _ => Self::Within(Duration::from_nanos(nanos as u64)),
        }
    }
}

/// A moment of the monotonic clock, computed once for each call; `None` never comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<u64>);

impl Deadline {
    fn after(timeout: Timeout) -> Self {
        let Timeout::Within(span) = timeout else {
            return Self(None);
        };
        // The kernel takes signed times; what is beyond them does not come about.
        let at = u64::try_from(span.as_nanos()).ok().and_then(|n| Clock::now().checked_add(n));
        Self(at.filter(|&at| at <= i64::MAX as u64))
    }
    fn has_passed(self) -> bool {
        self.0.is_some_and(|at| Clock::now() >= at)
    }
}
