use super::{Spsc, later};
use crate::error::{Error, Result};
use crate::payload::Payload;
use crate::sync::{AcqRel, Acquire, Fences, Relaxed, Release, fence, site};

/// Open, and the same where a put needs a full fence. Then stages of closing: asked for; then a get
/// is about to say so; then it has, and nothing comes any more.
pub(super) const OPEN: u32 = 0;
pub(super) const OPEN_FENCED: u32 = 1;
pub(super) const CLOSED: u32 = 2;
pub(super) const DRAINING: u32 = 3;
pub(super) const DRAINED: u32 = 4;

impl<P: Payload> Spsc<P> {
    #[inline(always)]
    pub(super) fn check_open(&self) -> Result {
        // Ordering: Acquire, pairs with the Release in `close`.
        match self.closed.load(site("spsc.put.closed", Acquire)) {
            OPEN | OPEN_FENCED => Ok(()),
            _ => Err(Error::Closed),
        }
    }

    /// Publishes the slots up to a position. Whether that was all, and the queue is still open.
    #[inline(always)]
    pub(super) fn publish(&self, to: u64) -> bool {
        // Ordering: Release, pairs with the Acquire in `look`; the items are complete.
        self.tail.store(to, site("spsc.put.publish", Release));
        // Pairs with the heavy fence in `drain`: either that get sees the items, or we see it.
        Fences::light("spsc.publish.free");
        // Ordering: Relaxed; `finish_put` looks again.
        match self.closed.load_after_light_fence(site("spsc.put.again", Relaxed)) {
            OPEN => true,
            OPEN_FENCED => self.is_open_after_fence(),
            _ => false,
        }
    }

    #[cold]
    pub(super) fn is_open_after_fence(&self) -> bool {
        // Pairs with the heavy fence in `drain`.
        fence("spsc.put.fence");
        // Ordering: Relaxed; `finish_put` looks again.
        self.closed.load(site("spsc.put.fenced", Relaxed)) < CLOSED
    }

    /// Ends a put that found the queue closed after it had published: how many items it took.
    #[cold]
    pub(super) fn finish_put_from(&self, from: u64, to: u64) -> u64 {
        // Pairs with the heavy fence in `drain`, for a put that looked behind a free fence.
        fence("spsc.finish.fence");
        loop {
            // Ordering: Acquire, pairs with the Release in `drain`: where the consumer stopped.
            match self.closed.load(site("spsc.finish.closed", Acquire)) {
                DRAINED => break,
                // Ordering: Release, pairs with the Acquire in `look_for_items`: the get that is
                // called off sees the items.
                DRAINING
                    if !self.closed.replace(
                        DRAINING,
                        CLOSED,
                        site("spsc.finish.call", Release),
                    ) => {}
                _ => return to.wrapping_sub(from),
            }
        }
        let end = self.consumer.drained_at.load(site("spsc.finish.end", Relaxed));
        let end = later(end, from);
        self.tail.store(end, site("spsc.finish.retreat", Relaxed));
        end.wrapping_sub(from)
    }

    /// Makes a closed queue that looks empty one that is drained. `None` if a put called it off.
    pub(super) fn drain(&self, head: u64, wanted: u64) -> Option<Result<u64>> {
        // If it is `DRAINING` already, an earlier get was. Ordering: Relaxed; the fence orders it.
        self.closed.replace(CLOSED, DRAINING, site("spsc.drain.begin", Relaxed));
        if !self.fences.heavy("spsc.drain.fence") {
            // Puts that found it open may still be on their way out of their processors; all others
            // fence in `finish_put`.
            Fences::wait_for_stores();
        }
        let there = self.look_at_tail(head, wanted);
        if there > 0 {
            return Some(Ok(there));
        }
        self.consumer.drained_at.store(head, site("spsc.drain.at", Relaxed));
        // Ordering: AcqRel, pairs with the Acquire in `finish_put`: where we stopped.
        let done = self.closed.replace(DRAINING, DRAINED, site("spsc.drain.end", AcqRel));
        done.then_some(Err(Error::Closed))
    }

    /// The tail, without what a put is yet to take back.
    pub(super) fn accepted(&self) -> u64 {
        loop {
            let tail = self.tail.load(site("spsc.size.tail", Acquire));
            // Pairs with the heavy fence in `drain`: unless that get is announced already, it sees
            // the items.
            fence("spsc.size.fence");
            // Ordering: Acquire, pairs with the Release in `drain`: where the consumer stopped.
            match self.closed.load(site("spsc.size.closed", Acquire)) {
                DRAINED => return self.consumer.drained_at.load(site("spsc.size.end", Relaxed)),
                DRAINING if tail != self.taken() => {
                    // Whether the queue takes them is not settled: so we do as the put would.
                    // Ordering: Release, as in `finish_put`.
                    self.closed.replace(DRAINING, CLOSED, site("spsc.size.call", Release));
                }
                _ => return tail,
            }
        }
    }
}
