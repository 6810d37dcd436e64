//! Waiting for a batch that is due.

use super::poll::{READABLE, Source, time_until_ready};
use super::{Blocking, Wait};
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::queue::Queue;
use crate::queue::batch::{Batch, Destination, WaitFor};
use crate::sync::Deadline;
use core::ops::ControlFlow::{self, Break, Continue};

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
        self.wake_for_pending();
    }

    /// The time until a batch is due by its age, in nanoseconds; 0 if a batch is due or the queue
    /// is closed. `None` if nothing is pending or batches have no age.
    pub fn next_due(&self) -> Option<u64> {
        time_until_ready(self, READABLE)
    }

    /// Wakes a waiter for what is pending.
    pub(super) fn wake_for_pending(&self) {
        if self.waiting.not_empty.may_have_waiters() && !self.queue().is_empty() {
            self.wake_for(1, self.look(READABLE));
        }
    }

    /// Takes a batch of at most `batch_size` items, and of no more than `to` has places for.
    ///
    /// Fails with [`Error::TooSmall`] if `to` has too few bytes, with [`Error::Closed`] once closed and
    /// drained.
    pub fn get_batch<D: Destination<P>>(&self, mut to: D, wanted: Wanted) -> Result<D::Taken> {
        let count = if to.max_items() > 0 { self.take_batch(&mut to, wanted)? } else { 0 };
        Ok(self.finish_batch(to, count))
    }

    /// Moves the items of a batch that was taken to where it goes.
    pub(super) fn finish_batch<D: Destination<P>>(&self, mut to: D, count: usize) -> D::Taken {
        self.queue().copy_out(&mut to, count);
        if count > 0 {
            self.waiting.not_full.notify(count);
            // A wake-up that this call used up may have been for the items that are left.
            self.wake_for_pending();
        }
        to.finish(count)
    }

    fn take_batch(&self, to: &mut impl Destination<P>, wanted: Wanted) -> Result<usize> {
        let mut take = |wait_for| self.queue().take(wait_for, to);
        let taken = match wanted {
            Wanted::Due => match take(WaitFor::DueOnly) {
                Break(taken) if taken != Err(Error::Empty) => taken,
                none => self.arm_for_due(|| take(WaitFor::DueOnly)).unwrap_or_else(|| match none {
                    // What is pending but not due is no failure.
                    Break(not_due) => not_due,
                    Continue(_) => self.count_failed_get(Error::Empty),
                }),
            },
            Wanted::Within(wait) => {
                let end = wait.deadline();
                let mut take = || take(WaitFor::AnyAfter(end));
                match take() {
                    Break(taken) => taken,
                    Continue(_) if wait == Wait::No => self
                        .waiting
                        .not_empty
                        .arm(take)
                        .unwrap_or_else(|| self.count_failed_get(Error::Empty)),
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

    /// Ends an attempt that found no batch which is due: if there is a descriptor, arms it and makes
    /// another attempt if one is due by then.
    fn arm_for_due(
        &self,
        take: impl FnOnce() -> ControlFlow<Result<usize>, Deadline>,
    ) -> Option<Result<usize>> {
        self.waiting.not_empty.arm(|| match self.watch(READABLE) {
            Break(()) => Break(take().break_value().unwrap_or(Err(Error::Empty))),
            Continue(due) => Continue(due),
        })
    }
}
