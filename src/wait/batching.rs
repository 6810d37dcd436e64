//! Waiting for a batch that is due.

use super::{Blocking, Wait};
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::queue::Queue;
use crate::queue::batch::{Batch, Destination, WaitFor};
use core::ops::ControlFlow::{Break, Continue};

/// Which batches a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// One that is due now; [`Error::Empty`] if none is. Does not wait.
    Due,
    /// The next that is due; when the wait is over, what is pending.
    Within(Wait),
}

impl<P: Payload> Blocking<Batch<P>> {
    /// Makes everything that is pending due.
    pub fn flush(&self) {
        self.queue().flush();
        self.waiting.not_empty.notify(1);
    }

    /// Takes a batch of at most `batch_size` items, and of no more than `to` has places for.
    ///
    /// Fails with [`Error::TooSmall`] if `to` has too few bytes, with [`Error::Closed`] once closed and
    /// drained.
    pub fn get_batch<D: Destination<P>>(&self, mut to: D, wanted: Wanted) -> Result<D::Taken> {
        let count = if to.max_items() > 0 { self.take_batch(&mut to, wanted)? } else { 0 };
        self.queue().copy_out(&mut to, count);
        if count > 0 {
            self.waiting.not_full.notify(count);
            // A wake-up that this call used up may have been for the items that are left.
            if !self.queue().is_empty() {
                self.waiting.not_empty.notify(1);
            }
        }
        Ok(to.finish(count))
    }

    fn take_batch(&self, to: &mut impl Destination<P>, wanted: Wanted) -> Result<usize> {
        let mut take = |wait_for| self.queue().take(wait_for, to);
        let taken = match wanted {
            Wanted::Due => match take(WaitFor::DueOnly) {
                Break(taken) => taken,
                Continue(_) => self.count_failed_get(Error::Empty),
            },
            Wanted::Within(wait) => {
                let end = wait.deadline();
                let mut take = || take(WaitFor::AnyAfter(end));
                match take() {
                    Break(taken) => taken,
                    Continue(_) if wait == Wait::No => self.count_failed_get(Error::Empty),
                    Continue(_) => (self.waiting.not_empty.wait(end, take))
                        .unwrap_or_else(|| self.count_failed_get(Error::Timeout)),
                }
            }
        };
        if let Err(Error::TooSmall { .. }) = taken {
            self.waiting.not_empty.notify(1);
        }
        taken
    }
}
