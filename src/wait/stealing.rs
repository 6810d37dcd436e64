//! A deque whose thieves can wait: in a poll, for a descriptor or as futures.

use super::EventCount;
use super::poll::{self, Polled, READABLE, Source};
use crate::error::{Error, Result};
use crate::payload::Atomic;
use crate::plan::{Described, Description};
use crate::queue::deque::Deque;
use crate::sync::Deadline;
use core::ffi::c_int;
use core::ops::ControlFlow::{self, Break, Continue};
use crossbeam_utils::CachePadded;

/// A deque, and the event count of its thieves.
///
/// Errors are those of the deque, and the unsafe calls have the contracts of [`Deque`].
#[derive(Debug)]
#[repr(C)] // part of the layout of inlined calls
pub struct Stealing<P: Atomic> {
    deque: Deque<P>,
    // Written only by threads that wait, read by every push.
    not_empty: CachePadded<EventCount>,
}

impl<P: Atomic> Described for Stealing<P> {
    fn describe(&self) -> Description {
        self.deque.describe()
    }
}

#[cfg(all(test, not(loom)))]
impl<P: Atomic> Stealing<P> {
    /// As `Blocking::published`.
    pub(crate) fn published() -> Vec<(&'static str, usize)> {
        use core::mem::offset_of;
        let deque = |(name, at): (&'static str, usize)| match name {
            "BUFFER_CELLS" | "BUFFER_MASK" => (name, at),
            _ => (name, offset_of!(Self, deque) + at),
        };
        let waiters = offset_of!(Self, not_empty) + EventCount::WAITERS;
        let of_deque = Deque::<P>::published().into_iter().map(deque);
        of_deque.chain([("ITEM_WAITERS", waiters)]).collect()
    }
}

impl<P: Atomic> Stealing<P> {
    /// Adds waiting to a deque.
    pub fn new(deque: Deque<P>) -> Self {
        Self { deque, not_empty: CachePadded::new(EventCount::new()) }
    }

    /// The deque itself, for calls that wake no thief.
    #[inline(always)]
    pub fn deque(&self) -> &Deque<P> {
        &self.deque
    }

    /// Pushes a bitwise copy of the item, and wakes a thief.
    ///
    /// # Safety
    /// As [`Deque::push`].
    #[inline(always)]
    pub unsafe fn push(&self, item: &P::Item) -> Result {
        // SAFETY: the same contract.
        unsafe {
            if !self.deque.push_fast(item) {
                return self.push_slow(item);
            }
        }
        if self.not_empty.may_have_waiters() { self.wake_thief() } else { Ok(()) }
    }

    /// # Safety
    /// As [`Deque::push`].
    #[cold]
    #[inline(never)]
    unsafe fn push_slow(&self, item: &P::Item) -> Result {
        // SAFETY: the same contract.
        unsafe { self.deque.push_slow(item) }?;
        if self.not_empty.may_have_waiters() { self.wake_thief() } else { Ok(()) }
    }

    /// A function of its own that ends a push, so that a push without waiters saves no registers.
    #[cold]
    #[inline(never)]
    pub(crate) fn wake_thief(&self) -> Result {
        self.not_empty.notify(1);
        Ok(())
    }

    /// Steals the item that was pushed first.
    ///
    /// # Safety
    /// As [`Deque::steal`].
    #[inline(always)]
    pub unsafe fn steal(&self, out: &mut P::Out) -> Result {
        // SAFETY: the same contract.
        match unsafe { self.deque.steal(out) } {
            // SAFETY: the same contract.
            Err(Error::Empty) => self.arm(|| unsafe { self.deque.steal(out) }),
            done => done,
        }
    }

    /// Ends a steal that found nothing: if there is a descriptor, arms it and makes another
    /// attempt.
    #[cold]
    fn arm<R>(&self, steal: impl FnOnce() -> Result<R>) -> Result<R> {
        let outcome = self.not_empty.arm(|| match self.look(READABLE) {
            Break(()) => Break(steal()),
            Continue(at) => Continue(at),
        });
        outcome.unwrap_or(Err(Error::Empty))
    }

    /// A descriptor that is readable while there is an item to steal: see `poll::descriptor`.
    pub fn stealable_fd(&self) -> Result<c_int> {
        poll::descriptor(self, READABLE)
    }

    /// The descriptor of a model, if it was requested.
    #[cfg(loom)]
    pub fn descriptor(&self) -> Option<&crate::sync::descriptor::Descriptor> {
        self.not_empty.descriptor()
    }

    /// The deque as an entry of a [`poll()`](poll::poll). [`Error::Invalid`] for events other than
    /// [`READABLE`].
    pub fn polled(&self, events: u32) -> Result<Polled<'_>> {
        Polled::new(self, events)
    }
}

impl<T, P: Atomic<Out = *mut T>> Stealing<P> {
    /// Steals up to `max` pointers: see [`Deque::steal_many`].
    pub fn steal_many(&self, max: usize, mut keep: impl FnMut(*mut T)) -> (usize, Result) {
        match self.deque.steal_many(max, &mut keep) {
            (_, Err(Error::Empty)) => self
                .arm(|| Ok(self.deque.steal_many(max, &mut keep)))
                .unwrap_or_else(|why| (0, Err(why))),
            progress => progress,
        }
    }
}

impl<P: Atomic> Source for Stealing<P> {
    fn event_count(&self, event: u32) -> Option<&EventCount> {
        (event == READABLE).then_some(&*self.not_empty)
    }
    fn look(&self, _event: u32) -> ControlFlow<(), Deadline> {
        if self.deque.is_empty() { Continue(Deadline::NEVER) } else { Break(()) }
    }
}
