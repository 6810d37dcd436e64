//! Sites: the names of atomic accesses.

use super::Ordering;
#[cfg(loom)]
use super::{Relaxed, imp};

/// Names an atomic access; returns its ordering.
#[cfg(not(any(queues_sites, loom)))]
#[inline(always)]
pub(crate) const fn site(_name: &'static str, ordering: Ordering) -> Ordering {
    ordering
}

/// Names an atomic access: runs the hook of the thread, then returns the ordering, which is weaker if
/// the mutation run names this site.
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

/// A step that conflicts with the steps of all other threads.
///
/// loom keeps only the last access of each atomic when it looks for steps to reorder: a thread's own
/// load hides an earlier load of another thread from the store that follows (loom's issues 166 and
/// 392). And it does not reorder fences. A relaxed store to one place before each step makes loom
/// consider every order, and orders nothing itself.
#[cfg(loom)]
pub(super) fn take_turn() {
    TURN.store(0, Relaxed);
}

#[cfg(loom)]
loom::lazy_static! {
    static ref TURN: imp::AtomicU32 = imp::AtomicU32::new(0);
}
