//! Sites: the names of atomic accesses.

use super::Ordering;
#[cfg(loom)]
use super::{Clock, Relaxed, fence, imp};

/// Names an atomic access and returns the ordering that it is to use.
#[cfg(not(any(queues_sites, loom)))]
#[inline(always)]
pub(crate) const fn site(_name: &'static str, ordering: Ordering) -> Ordering {
    ordering
}

/// Names an atomic access: runs the thread's hook, then returns the ordering, weakened if this
/// site is the mutant of the run.
#[cfg(any(queues_sites, loom))]
pub(crate) fn site(_name: &'static str, ordering: Ordering) -> Ordering {
    #[cfg(loom)]
    if ordering != Relaxed {
        take_turn();
    }
    #[cfg(queues_sites)]
    return super::sites::visit(_name, ordering);
    #[cfg(not(queues_sites))]
    ordering
}

/// Conflicts with every other thread's steps. loom remembers only the last access of each atomic
/// when it looks for what to reorder, so that a thread's own load hides an earlier load of another
/// from the store that follows (loom's issues 166 and 392), and it does not reorder fences at all.
/// A relaxed store to one place before each step leaves it nothing to overlook, and orders nothing
/// itself.
#[cfg(loom)]
pub(super) fn take_turn() {
    TURN.store(0, Relaxed);
}

#[cfg(loom)]
loom::lazy_static! {
    static ref TURN: imp::AtomicU32 = imp::AtomicU32::new(0);
}

/// Begins a model: what its threads share in here is there before they are. loom takes the first use
/// of such a thing for something that orders threads.
#[cfg(loom)]
pub fn begin_model() {
    take_turn();
    Clock::now();
    fence::withdrawal::begin_model();
}
