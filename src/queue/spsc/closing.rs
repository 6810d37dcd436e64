//! How the queue closes. `close` changes one word, the stage; then a put in flight and the get that
//! would report *closed* decide together whether the queue accepts the put's item.
//!
//! # Idea
//! A put checks that the queue is open and then publishes its item, in two steps. If a get reported
//! *closed* between them, the item would be stranded. So a put rechecks the stage after it has
//! published, and a get announces that it is about to report *closed* (`DRAINING`), then looks for
//! items once more. Both fence between their two steps: the get sees the item, or the put sees the
//! announcement.
//!
//! In the second case one compare-and-swap decides. The put swaps `DRAINING` for `CLOSED`: that
//! cancels the get, which starts again and finds the item. Or the get swaps `DRAINING` for `DRAINED`:
//! then the put takes back what the consumer has not got, and returns *closed*. Decision 004 has the
//! other options.
//!
//! # Linearization
//! Close at its swap. A put in flight at that moment is accepted as if before it, or refused as if
//! after it; no later put is accepted, and no later get reports *empty*.
//!
//! # Fences
//! The put's fence is light and the get's heavy, so that only the first get that finds the closed
//! queue empty pays. If membarrier is refused there, the get waits for a millisecond: by then the
//! items of every put that found the queue open are visible. A put that finds it closed executes a
//! full fence.
//!
//! # Progress
//! Wait-free: after `close` one put at most cancels a get, and each count of the items that is in
//! flight at most once. A get whose membarrier is refused waits for time to pass, for no thread.

use super::cursor::later;
use super::{RoleOwnership, Spsc};
use crate::error::{Error, Result};
use crate::payload::Exclusive;
use crate::sync::{AcqRel, Acquire, Fences, Relaxed, Release, fence, site};

// The stages, in their order. `debug/queues-gdb.py` knows the numbers.

/// Open, and puts rely on light fences.
pub(super) const OPEN: u32 = 0;
/// Open, and puts execute full fences: there are no light ones, or not in each of the processes.
const OPEN_FENCED: u32 = 1;
/// Closed. There may be items left, and a put in flight.
pub(super) const CLOSED: u32 = 2;
/// Closed, and a get that found no item is about to report *closed*. A put in flight may cancel it.
const DRAINING: u32 = 3;
/// Closed, and a get reported *closed*: no item is accepted any more.
pub(super) const DRAINED: u32 = 4;

/// Looks of one call at the stage, in shared memory, before the call fails. Each look but the first
/// follows a change by another thread meanwhile. Only a hostile peer makes so many. Not tuned.
const ATTEMPTS: u32 = 1000;

/// The stage of a new queue.
pub(super) fn open(fences: Fences) -> u32 {
    if fences.is_asymmetric() { OPEN } else { OPEN_FENCED }
}

/// Makes puts execute full fences from now on, in all processes, and waits until every item that was
/// put before is visible.
#[cfg(queues_shared)]
#[cold]
pub(super) fn make_puts_fence(state: &super::State) {
    // Ordering: Relaxed; a put that reads it fences and reads again. It fails if the queue is closed,
    // or its puts fence already.
    state.stage.replace(OPEN, OPEN_FENCED, site("spsc.fence.ask", Relaxed));
    Fences::wait_for_stores();
}

/// Whether a queue at this stage is closed.
#[cfg(queues_shared)]
pub(super) fn is_closed(stage: u32) -> bool {
    stage >= CLOSED
}

impl<P: Exclusive, K: RoleOwnership> Spsc<P, K> {
    /// Counts an attempt. False after [`ATTEMPTS`] of them.
    #[inline(always)]
    pub(super) fn may_try(attempts: &mut u32) -> bool {
        *attempts = attempts.wrapping_add(1);
        !K::IS_SHARED || *attempts <= ATTEMPTS
    }

    /// The check before a put.
    #[inline(always)]
    pub(super) fn check_open(&self) -> Result {
        // Ordering: Acquire, pairs with the Release in `close`.
        match self.state.stage.load(site("spsc.put.stage", Acquire)) {
            OPEN | OPEN_FENCED => Ok(()),
            _ => Err(Error::Closed),
        }
    }

    /// The check before a put on the fast path, which needs light fences, too.
    #[inline(always)]
    pub(super) fn is_open_fast(&self) -> bool {
        // Ordering: Relaxed; if it is not, the slow path loads the stage again.
        self.state.stage.load(site("spsc.put.stage.fast", Relaxed)) == OPEN
    }

    /// The recheck after a put has published. If false, [`Spsc::finish_puts`] decides.
    #[inline(always)]
    pub(super) fn is_still_open(&self) -> bool {
        // Pairs with the heavy fence in `drain`: that get sees the items, or this put sees that get.
        Fences::light("spsc.recheck.light");
        // Ordering: Relaxed; `finish_puts` loads the stage again.
        match self.state.stage.load_after_light_fence(site("spsc.recheck.stage", Relaxed)) {
            OPEN => true,
            OPEN_FENCED => self.is_still_open_after_fence(),
            _ => false,
        }
    }

    #[cold]
    fn is_still_open_after_fence(&self) -> bool {
        // Pairs with the heavy fence in `drain`.
        fence("spsc.recheck.fence");
        // Ordering: Relaxed; `finish_puts` loads the stage again.
        self.state.stage.load(site("spsc.recheck.stage.fenced", Relaxed)) < CLOSED
    }

    /// The recheck on the fast path, which only a queue with light fences takes.
    #[inline(always)]
    pub(super) fn is_still_open_fast(&self) -> bool {
        // Pairs with the heavy fence in `drain`.
        Fences::light("spsc.recheck.light.fast");
        // Ordering: Relaxed; `finish_puts` loads the stage again.
        self.state.stage.load_after_light_fence(site("spsc.recheck.stage.fast", Relaxed)) == OPEN
    }

    /// Ends puts whose recheck found the queue closed: returns how many of the items published at
    /// `from..to` are accepted, and takes the others back.
    #[cold]
    pub(super) fn finish_puts(&self, from: u64, to: u64) -> u64 {
        // Pairs with the heavy fence in `drain`, for a put that rechecked behind a light fence.
        fence("spsc.finish.fence");
        let mut attempts = 0;
        while Self::may_try(&mut attempts) {
            // Ordering: Acquire, pairs with the AcqRel in `drain`: where the consumer stopped.
            match self.state.stage.load(site("spsc.finish.stage", Acquire)) {
                DRAINED => return self.take_back(from),
                DRAINING if !self.cancel_drain() => {}
                _ => break,
            }
        }
        to.wrapping_sub(from)
    }

    /// Cancels the get that is about to report *closed*. False if it was faster, or is canceled
    /// already.
    fn cancel_drain(&self) -> bool {
        // Ordering: Release, pairs with the Acquire in `refresh_items`: that get sees the items.
        self.state.stage.replace(DRAINING, CLOSED, site("spsc.drain.cancel", Release))
    }

    /// Takes back the items from `from` on that the consumer had not got when it reported *closed*;
    /// returns how many it had.
    fn take_back(&self, from: u64) -> u64 {
        let drained_at = self.state.get.drained_at.load(site("spsc.finish.drained_at", Relaxed));
        let end = later(drained_at, from);
        self.state.put.tail.store(end, site("spsc.finish.take_back", Relaxed));
        end.wrapping_sub(from)
    }

    /// Ends a get that found the closed queue empty: with *closed*, or with how many of the `wanted`
    /// items have become visible; `None` if it was canceled and has to start again.
    pub(super) fn drain(&self, front: u64, wanted: u64) -> Option<Result<u64>> {
        // Ordering: Relaxed; the fence orders it. It fails if an earlier get left `DRAINING` there.
        self.state.stage.replace(CLOSED, DRAINING, site("spsc.drain.begin", Relaxed));
        if !self.fences.heavy("spsc.drain.fence") {
            // Items of puts that found the queue open may not be visible yet.
            Fences::wait_for_stores();
        }
        match self.count_items(front, wanted) {
            Ok(0) => {}
            found => return Some(found),
        }
        self.state.get.drained_at.store(front, site("spsc.drain.drained_at", Relaxed));
        // Ordering: AcqRel, pairs with the Acquires in `finish_puts` and `accepted_tail`: where the
        // consumer stopped.
        let is_drained =
            self.state.stage.replace(DRAINING, DRAINED, site("spsc.drain.end", AcqRel));
        is_drained.then_some(Err(Error::Closed))
    }

    /// The tail, without items that a put has yet to take back. Any thread may call.
    pub(super) fn accepted_tail(&self) -> u64 {
        let mut attempts = 0;
        loop {
            let tail = self.state.put.tail.load(site("spsc.accepted.tail", Acquire));
            // Pairs with the heavy fence in `drain`: that get sees the items, or this count sees it.
            fence("spsc.accepted.fence");
            // Ordering: Acquire, pairs with the AcqRel in `drain`: where the consumer stopped.
            match self.state.stage.load(site("spsc.accepted.stage", Acquire)) {
                DRAINED => {
                    let drained_at = &self.state.get.drained_at;
                    return drained_at.load(site("spsc.accepted.drained_at", Relaxed));
                }
                // Whether the items are accepted is undecided: this decides it as their put would.
                DRAINING if tail != self.front_position() && Self::may_try(&mut attempts) => {
                    self.cancel_drain();
                }
                _ => return tail,
            }
        }
    }
}
