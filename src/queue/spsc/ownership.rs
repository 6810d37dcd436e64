//! Whether only this process uses the memory of a queue from one thread to another ([`Alone`]), or
//! two processes, which may die at any instruction (`takeover.rs`).
//!
//! Both sides see the [`State`], and nothing else. The cursor and the reservation of a side lie in
//! the memory of its process in either case. So a process that dies leaves no half-written cursor,
//! and a peer cannot damage a cursor.

use crate::error::Result;
use crate::sync::{AtomicU32, AtomicU64};
use core::ops::Deref;
use crossbeam_utils::CachePadded;

/// The part that both sides see. It consists of numbers, so that it can lie in a file.
#[repr(C)]
pub struct State {
    /// Open, or how far closing has come (`closing`).
    pub(super) stage: AtomicU32,
    /// See `lengths`. Like the stage, each call reads it, and it changes once.
    pub(super) lengths_from: AtomicU64,
    // The ends have cache lines of their own, and so has what is before them.
    pub(super) put: CachePadded<PutEnd>,
    pub(super) get: CachePadded<GetEnd>,
}

/// What only the producer writes.
#[repr(C)]
pub struct PutEnd {
    pub(super) tail: AtomicU64,
    /// The largest length so far.
    pub(super) peak: AtomicU64,
}

/// What only the consumer writes.
#[repr(C)]
pub struct GetEnd {
    pub(super) head: AtomicU64,
    /// Where the consumer stopped when a get reported *closed* (`closing`).
    pub(super) drained_at: AtomicU64,
}

impl State {
    /// The state of an empty queue.
    pub(super) fn new(origin: u64, stage: u32) -> Self {
        Self {
            stage: AtomicU32::new(stage),
            lengths_from: AtomicU64::new(super::lengths::never(origin)),
            put: CachePadded::new(PutEnd { tail: AtomicU64::new(origin), peak: AtomicU64::new(0) }),
            get: CachePadded::new(GetEnd {
                head: AtomicU64::new(origin),
                drained_at: AtomicU64::new(origin),
            }),
        }
    }
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Producer = 0,
    Consumer = 1,
}

/// See the module.
pub(crate) trait RoleOwnership: Sized + Send + Sync {
    /// Whether other processes use the memory, too. Then no number in it is trusted, and light
    /// fences do not reach all threads.
    const IS_SHARED: bool;
    /// The storage of the state.
    type Room: Deref<Target = State> + Send + Sync;
    /// The note of a side whether this handle has its role.
    type Role: Default + Send + Sync;

    /// Whether the side has its role.
    fn has(role: &Self::Role) -> bool;
    /// Takes the role of a side. Fails with [`Error::Misuse`](crate::Error::Misuse) while another
    /// handle, of a process that is alive, has it.
    fn take(&self, side: Side) -> Result;
    /// Notes that this handle has the role.
    fn note(role: &Self::Role);
    /// Frees the roles of dead processes.
    fn recover(&self);
    /// Frees the roles of this handle, at its end.
    fn leave(&self);
    /// The attachment.
    #[cfg(queues_shared)]
    fn attachment(&self) -> Option<&crate::shared::Attachment>;
}

/// Only this process uses the memory.
#[derive(Debug)]
pub struct Alone;

/// The state, in the queue itself.
#[repr(transparent)]
pub struct Inline(pub(super) State);

impl Deref for Inline {
    type Target = State;
    #[inline(always)]
    fn deref(&self) -> &State {
        &self.0
    }
}

impl RoleOwnership for Alone {
    const IS_SHARED: bool = false;
    type Room = Inline;
    type Role = ();

    #[inline(always)]
    fn has((): &()) -> bool {
        true
    }
    fn take(&self, _side: Side) -> Result {
        Ok(())
    }
    fn note((): &()) {}
    fn recover(&self) {}
    fn leave(&self) {}
    #[cfg(queues_shared)]
    #[inline(always)]
    fn attachment(&self) -> Option<&crate::shared::Attachment> {
        None
    }
}
