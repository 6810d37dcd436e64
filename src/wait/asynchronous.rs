//! The waiting calls as futures, for any executor: they need only the `Waker` of their context.
//!
//! A future tries, and waits in the list of an event count if the attempt fails ([`Turn`]). It
//! takes or puts its items in its last step, so a future that is dropped before has done nothing.
//! (To put many items, the typed interface makes several such steps.) A future that waits counts no
//! failure in the statistics and leaves the descriptor as it is.

use super::poll::{READABLE, Source, WRITABLE};
use super::wakers::Turn;
use super::{Blocking, Event, Stealing};
use crate::error::{Error, Result};
use crate::payload::{Atomic, Payload};
use crate::queue::batch::{Batch, Destination, WaitFor};
use crate::queue::{Progress, PutMany, Queue};
use crate::sync::{Clock, Deadline, pause};
use core::future::{Future, poll_fn};
use core::ops::ControlFlow::{Break, Continue};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

impl<Q: Queue> Blocking<Q> {
    /// Runs `put`, an operation that adds an item, until it does not fail with `Full`. After a
    /// success, wakes a waiting get.
    pub async fn put_by_async(&self, put: impl FnMut() -> Result) -> Result {
        let done = self.put_until_room(put).await;
        self.after_put(done)
    }

    /// Runs `put` until it does not fail with `Full`.
    pub(crate) async fn put_until_room(&self, mut put: impl FnMut() -> Result) -> Result {
        let mut turn = Turn::new(&self.waiting.not_full);
        let attempt = || match put() {
            Err(Error::Full) => Continue(Deadline::NEVER),
            done => Break(done),
        };
        turn.poll_until(attempt).await
    }

    /// Runs `get`, an operation that removes an item, until it does not fail with `Empty`. After a
    /// success, wakes a waiting put.
    pub async fn get_by_async<R>(&self, get: impl FnMut() -> Result<R>) -> Result<R> {
        self.get_until_item(get, |_| 1).await
    }

    /// [`Blocking::get_by_async`] for as many items as `count` returns.
    pub(crate) async fn get_until_item<R>(
        &self,
        mut get: impl FnMut() -> Result<R>,
        count: impl Fn(&R) -> usize,
    ) -> Result<R> {
        let mut turn = Turn::new(&self.waiting.not_empty);
        let attempt = || match get() {
            Err(Error::Empty) => Continue(Deadline::NEVER),
            done => Break(done),
        };
        let done = turn.poll_until(attempt).await;
        match &done {
            Ok(got) => self.notify(WRITABLE, count(got)),
            // This call may have used up a wake-up. Another get may have a buffer that is large
            // enough.
            Err(Error::TooSmall { .. }) => self.notify(READABLE, 1),
            Err(_) => {}
        }
        done
    }
}

impl<Q: PutMany> Blocking<Q> {
    /// Puts up to `count` items in order, without waiting. Counts no failure.
    ///
    /// # Safety
    /// As [`PutMany::try_put_many`].
    pub(crate) unsafe fn put_those_that_fit(
        &self,
        items: *const Q::Item,
        count: usize,
    ) -> Progress {
        // SAFETY: the same contract.
        let (done, result) = unsafe { self.queue().try_put_many(items, count) };
        if done > 0 {
            self.notify(READABLE, done);
        }
        (done, result)
    }
}

/// A future that waits for a batch. Once it has seen items that are not due, it is responsible for
/// them: see `queue/batch.rs`.
struct Collecting<'a, P: Payload> {
    queue: &'a Blocking<Batch<P>>,
    turn: Turn<'a>,
    is_responsible: bool,
}

impl<P: Payload> Drop for Collecting<'_, P> {
    fn drop(&mut self) {
        self.turn.leave();
        if self.is_responsible {
            self.queue.wake_for_pending();
        }
    }
}

impl<P: Payload> Blocking<Batch<P>> {
    /// [`Blocking::get_batch`] as a future: takes the next batch that is due. `sleep` returns a
    /// future that ends after a time, by which this future notices that a batch is due by its age.
    pub(crate) async fn get_batch_async<D: Destination<P>, S: Future>(
        &self,
        mut to: D,
        mut sleep: impl FnMut(Duration) -> S,
    ) -> Result<D::Taken> {
        let mut it = Collecting {
            queue: self,
            turn: Turn::new(&self.waiting.not_empty),
            is_responsible: false,
        };
        let wait_for = WaitFor::AnyAfter(Deadline::NEVER);
        let count = loop {
            let found = poll_fn(|context| {
                match it.turn.check(context, || self.queue().take(wait_for, &mut to)) {
                    Continue(Deadline::NEVER) => Poll::Pending,
                    found => Poll::Ready(found),
                }
            });
            let due = match found.await {
                Break(taken) => break taken,
                Continue(due) => due,
            };
            it.is_responsible = true;
            let left = due.nanos().saturating_sub(Clock::now());
            let mut timer = pin!(sleep(Duration::from_nanos(left)));
            let taken = poll_fn(|context| {
                // The batch comes first, so that a timer that ends at once does not hide it.
                match it.turn.check(context, || self.queue().take(wait_for, &mut to)) {
                    Break(taken) => Poll::Ready(Some(taken)),
                    Continue(_) => timer.as_mut().poll(context).map(|_| None),
                }
            });
            if let Some(taken) = taken.await {
                break taken;
            }
        };
        it.is_responsible = false;
        drop(it);
        Ok(self.finish_batch(to, count?))
    }
}

impl<P: Atomic> Stealing<P> {
    /// Runs `steal` until it does not fail with `Empty`. After a lost race it tries again.
    pub(crate) async fn steal_by_async<R>(
        &self,
        mut steal: impl FnMut() -> Result<R>,
    ) -> Result<R> {
        let event_count = self.event_count(READABLE).expect("a deque is readable");
        let attempt = || {
            loop {
                match steal() {
                    Err(Error::Retry) => pause(1),
                    Err(Error::Empty) => return Continue(Deadline::NEVER),
                    done => return Break(done),
                }
            }
        };
        Turn::new(event_count).poll_until(attempt).await
    }
}

impl Event {
    /// Waits until it is set.
    pub async fn wait_async(&self) {
        let event_count = self.event_count(READABLE).expect("an event is readable");
        Turn::new(event_count).poll_until(|| self.look(READABLE)).await;
    }
}
