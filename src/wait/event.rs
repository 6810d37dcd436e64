//! A latch: set until it is reset. Any number of threads wait for it, alone or beside queues.

use super::poll::{self, Polled, READABLE, Source};
use super::{EventCount, Wait};
use crate::error::{Error, Result};
use crate::plan::{Described, Description, Plan, described};
use crate::sync::{Acquire, AtomicU32, Deadline, Release, site};
use core::ffi::c_int;
use core::ops::ControlFlow::{self, Break, Continue};

/// See the module.
#[derive(Debug)]
pub struct Event {
    /// 1 if set.
    state: AtomicU32,
    waiting: EventCount,
}

impl Described for Event {
    fn describe(&self) -> Description {
        const PLAN: &Plan = &Plan::EMPTY.with("set", core::mem::offset_of!(Event, state));
        let sleepers = self.waiting.address_of_sleepers();
        Description { waiters: Some([sleepers; 2]), ..described(self, PLAN) }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl Event {
    /// An event that is not set.
    pub fn new() -> Self {
        Self { state: AtomicU32::new(0), waiting: EventCount::new() }
    }

    /// Sets it and wakes all waiters. What this thread did before happens before what follows a
    /// wait or an `is_set` that finds it set.
    pub fn set(&self) {
        // Ordering: Release, pairs with the Acquire in `is_set`. A swap, so that a thread that
        // finds the event set sees what every thread did before its `set`.
        self.state.swap(1, site("event.set", Release));
        self.waiting.notify(usize::MAX);
    }

    /// Resets it.
    pub fn reset(&self) {
        // Ordering: Release, so that a thread that saw the reset does not overwrite what this
        // thread read before.
        self.state.store(0, site("event.reset", Release));
        self.arm();
    }

    /// Makes the descriptor, if there is one, unreadable until the event is set; returns whether it
    /// is.
    fn arm(&self) -> bool {
        self.waiting.arm(|| self.look(READABLE)).is_some()
    }

    /// Whether it is set; a snapshot.
    pub fn is_set(&self) -> bool {
        // Ordering: Acquire, pairs with the Release in `set`.
        self.state.load(site("event.is_set", Acquire)) != 0
    }

    /// Waits until it is set. Fails with [`Error::Empty`] after [`Wait::No`], else with
    /// [`Error::Timeout`].
    pub fn wait(&self, wait: Wait) -> Result {
        if self.is_set() {
            return Ok(());
        }
        if wait == Wait::No {
            // A `set` that was slower than a `reset` may have made the descriptor readable.
            return if self.arm() { Ok(()) } else { Err(Error::Empty) };
        }
        self.waiting.wait(wait.deadline(), || self.look(READABLE)).ok_or(Error::Timeout)
    }

    /// A descriptor that is readable while the event is set.
    pub fn readable_fd(&self) -> Result<c_int> {
        poll::descriptor(self, READABLE)
    }

    /// The descriptor of a model, if it was requested.
    #[cfg(loom)]
    pub fn descriptor(&self) -> Option<&crate::sync::descriptor::Descriptor> {
        self.waiting.descriptor()
    }

    /// The event as an entry of a [`poll()`](poll::poll). [`Error::Invalid`] for events other than
    /// [`READABLE`].
    pub fn polled(&self, events: u32) -> Result<Polled<'_>> {
        Polled::new(self, events)
    }
}

impl Source for Event {
    fn event_count(&self, event: u32) -> Option<&EventCount> {
        (event == READABLE).then_some(&self.waiting)
    }
    fn look(&self, _event: u32) -> ControlFlow<(), Deadline> {
        if self.is_set() { Break(()) } else { Continue(Deadline::NEVER) }
    }
}
