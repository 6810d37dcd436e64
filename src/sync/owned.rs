//! Ownership of memory, which loom checks.

/// Stands for memory that one thread at a time owns, by a rule of the queue; loom checks the rule.
#[derive(Debug)]
pub(crate) struct Owned(loom::cell::UnsafeCell<()>);

// SAFETY: loom itself checks that no two threads access it at once.
unsafe impl Sync for Owned {}

impl Owned {
    pub(crate) fn new() -> Self {
        Self(loom::cell::UnsafeCell::new(()))
    }
    /// Runs `f`, which accesses the memory.
    pub(crate) fn change<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.with_mut(|_| f())
    }
}
